"""Tables of runs made from a model itself, with parameters that are known or drawn from its prior."""

from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.runs import validate
from bayes_scaling.inference.design import Design, EffectLayout, lay_out
from bayes_scaling.inference.fitting import Fit, fit
from bayes_scaling.inference.layout import expand, spread
from bayes_scaling.inference.verdict import Verdict
from bayes_scaling.laws.draws import draw
from bayes_scaling.laws.likelihoods import COUNTS, LIKELIHOODS, REPORTED_PASS_AT_K, SCORES
from bayes_scaling.models.discrepancy import TAILS
from bayes_scaling.models.documents import from_document, load_model, to_document
from bayes_scaling.models.model import Model

CHANCES = (0.25, 0.5, 0.0, 0.25)
ITEMS = (1000, 2000, 5000, 300)
TRIED = (1.0, 8.0, 64.0)
FINE = Verdict(4, 250, 1.0, 1000.0, 1000.0, 0, 1.0, 0, {})


def grid(
    *, benchmarks: int = 4, mixtures: int = 2, sizes: int = 6, ratios: tuple[float, ...] = (20.0,), decades: float = 2.0
) -> pd.DataFrame:
    """A checked table in which every run of a grid of sizes was scored on every benchmark, at 0.5, and has a loss of 3.

    Model sizes spread evenly in log compute around the reference run of the laws (1B parameters at 20 tokens each).
    """
    rows = []
    for mixture, ratio, size in product(range(mixtures), ratios, np.linspace(-0.75, 0.25, sizes) * decades):
        params = float(np.round(1e9 * 10 ** (size / 2)))
        own = {"mixture": f"mixture {mixture}", "params": params, "tokens": np.round(ratio * params)}
        for number in range(benchmarks):
            test = {"chance": CHANCES[number % len(CHANCES)], "n_items": ITEMS[number % len(ITEMS)]}
            test |= {"score": 0.5, "loss": 3.0}
            rows.append({**own, "benchmark": f"benchmark {number:02d}", **test})
    return validate(pd.DataFrame(rows))


def scored(model: Model) -> int:
    """Position of the response model of a model that gives scores, the accuracy or pass@k; of the loss if none does."""
    return next((at for at, response_model in enumerate(model.responses) if response_model.name != "loss"), 0)


def asked(model: Model, table: pd.DataFrame, *, problems: int = 30, samples: float = 200.0) -> pd.DataFrame:
    """A table of `grid` with the rows that a model observes: every score, several k of it, or every problem."""
    rows = model.responses[scored(model)].likelihood.rows
    if rows == SCORES:
        return table
    own = {"metric": "pass@k", "chance": 0.0, "n_samples": samples, "n_items": float(problems)}
    if rows == REPORTED_PASS_AT_K:
        return validate(
            table.merge(pd.DataFrame({"k": TRIED}), how="cross", suffixes=("_", "")).assign(**own)[[*table]]
        )
    number = pd.DataFrame({"problem": [f"problem {n}" for n in range(problems)]})
    rest = table.merge(number, how="cross", suffixes=("_", "")).assign(**own, k=1.0, n_correct=0.0, score=0.0)
    return validate(rest[[*table]])


def prior_points(design: Design, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draws of the unconstrained point from the prior, shape (1, n, dimension)."""
    points = rng.normal(size=(1, n, design.n_dim))
    for layout in design.effects.values():
        if layout.effect.learned:
            sd, at = spread(layout, points)[..., None], slice(layout.start, layout.stop)
            if layout.effect.heavy_tailed:
                points[..., at] *= sd**layout.centring * np.sqrt(TAILS / rng.chisquare(TAILS, points[..., at].shape))
            elif layout.effect.curve and layout.size:
                points[..., at] = _heights(layout, sd[..., None], rng).reshape(*points.shape[:-1], -1)
            else:
                points[..., at] *= sd**layout.centring
    return points


def _heights(layout: EffectLayout, sd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Free coordinates of curves, (…, curve, shape): a multivariate t each, parametrised ever less by themselves."""
    curves, shapes = int(np.prod(layout.shape[:-1])), layout.effect.shapes
    normal = rng.normal(size=(*sd.shape[:-2], curves, shapes))
    amplitude = np.sqrt(TAILS / rng.chisquare(TAILS, size=normal.shape[:-1]))[..., None]
    return sd ** (layout.centring / np.arange(1, 1 + shapes)) * amplitude * normal


def goes_with(name: str, likelihood: str) -> bool:
    """Whether a registered model can have another likelihood in place of its own."""
    model = load_model(name)
    return LIKELIHOODS[likelihood].rows == model.responses[scored(model)].likelihood.rows


def variant(name: str, likelihood: str = "beta", pooling: str = "partial", **document: Any) -> Model:
    """A registered model with other words in its document; what it says of other noise parameters is left out.

    The likelihood is that of the scores; that of the losses stays.
    """
    written = to_document(load_model(name)) | document
    written["responses"] = [
        h | ({"likelihood": likelihood} if h["response"] != "loss" else {}) for h in written["responses"]
    ]
    bare = from_document({"responses": written["responses"]}).parameters
    kept = {key: {p: v for p, v in written[key].items() if p in bare} for key in ("varies", "fixed", "priors")}
    return from_document(written | kept | {"pooling": pooling})


@dataclass(frozen=True)
class World:
    """Parameters, the expectations that follow from them, and what was observed.

    Attributes
    ----------
    truth : Dataset over (chain=1, draw, …)
        As `layout.expand` names it.
    means, observed : tuple of (draw, row) arrays
        One for each response model; observed in the units of the likelihood's distribution.
    """

    design: Design
    truth: xr.Dataset
    means: tuple[np.ndarray, ...]
    observed: tuple[np.ndarray, ...]

    def laid_out(self, at: int) -> Design:
        """The design with the observations of one draw."""
        pairs = zip(self.design.responses, self.observed, strict=True)
        return replace(
            self.design,
            responses=tuple(replace(response_model, observed=values[at]) for response_model, values in pairs),
        )

    def runs(self, table: pd.DataFrame, at: int = 0) -> pd.DataFrame:
        """The table with the reported responses of one draw; a loss stands beside every score of its run."""
        table = table.copy()
        for response_model, data, observed in zip(
            self.design.model.responses, self.design.responses, self.observed, strict=True
        ):
            reported = response_model.likelihood.report(observed[at], data.columns.get("n_items"))
            if response_model.name == "loss":
                reported = table["run"].map(dict(zip(table["run"].iloc[data.rows], reported, strict=True)))
            table[response_model.source.column] = reported
            if response_model.likelihood.rows == COUNTS:
                table["score"] = reported / table["n_samples"]
        return table


def simulate(model: Model, table: pd.DataFrame, points: np.ndarray | int, rng: np.random.Generator) -> World:
    """Observe a table at given unconstrained points, or at so many draws from the prior."""
    design = lay_out(model, table)
    if isinstance(points, int):
        points = prior_points(design, points, rng)
    truth = expand(design, points)
    values = {str(name): array.to_numpy() for name, array in truth.items()}
    means, observed = [], []
    for response_model, data in zip(model.responses, design.responses, strict=True):
        mean = np.asarray(model.mean(response_model, values, data.columns, data.codes))
        distribution, arguments = model.observation(response_model, mean, values, data.columns, data.codes)
        arrays = {name: np.broadcast_to(array, mean.shape) for name, array in arguments.items()}
        means.append(mean[0])
        observed.append(draw(distribution, arrays, rng)[0])
    return World(design, truth, tuple(means), tuple(observed))


def unfitted(model: Model, seed: int = 1, **size: Any) -> Fit:
    """A fit whose draws come from the prior, for what no sampling is needed to see."""
    table, rng = asked(model, grid(**size)), np.random.default_rng(seed)
    world = simulate(model, table, 1, rng)
    points = prior_points(world.design, 1000, rng).reshape(4, 250, -1)
    tree = xr.DataTree.from_dict({"posterior": expand(world.design, points), "sample_stats": xr.Dataset()})
    return Fit(model, world.runs(table), tree, FINE)


@cache
def small_fit() -> Fit:
    """A converged fit of a small model to simulated runs: fitted once for all tests that only read it."""
    document = to_document(load_model("power_law"))
    document["varies"] = {"A": {"benchmark": 0.7, "mixture": 0.15}, "alpha": {"benchmark": 0.25}}
    model, table = from_document(document), grid(benchmarks=5, mixtures=2, sizes=6)
    rng = np.random.default_rng(12)
    points = prior_points(lay_out(model, table), 1, rng) / 2  # an unsurprising world
    return fit(model, simulate(model, table, points, rng).runs(table), seed=1)


def failed(found: Fit) -> Fit:
    """The same fit as if a tenth of its draws had diverged."""
    return replace(found, verdict=replace(found.verdict, divergences=found.verdict.chains * found.verdict.draws // 10))
