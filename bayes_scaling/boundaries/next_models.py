r"""Which models to evaluate so that the boundary is as certain as possible for what evaluations cost.

What is not known is the boundary q(x) on the scale of `link` over x = log10 C, of every benchmark.  Before any further
evaluation it has a covariance K: that of the draws of a fit, or, without one, of a broad parabola; and on top a smooth
deviation from either, because evaluations at one compute say little about the boundary two decades away.  Evaluating n
models of one base model says of q at its compute, with a variance of

.. math:: V(n) = \bigl(\tau_b^2 + \sigma^2 / n\bigr) \bigl(1 + z^2 / 2\bigr),

z = Φ⁻¹(τ), which is that of a quantile estimated from the mean and the spread of normal values, with the base model
drawn anew: more models of one base model soon say nothing new.  Models are chosen one by one, each time the one that
takes most from the mean variance over a grid per unit of cost (a greedy I-optimal design).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtri

from bayes_scaling.boundaries.cells import MIDDLE
from bayes_scaling.boundaries.density import BASE_SD, SPREAD
from bayes_scaling.boundaries.estimators import TAU
from bayes_scaling.boundaries.fitting import BoundaryFit
from bayes_scaling.boundaries.link import link
from bayes_scaling.boundaries.quantiles import NORMAL, boundary
from bayes_scaling.boundaries.scores import BASE
from bayes_scaling.data.budgets import how_much
from bayes_scaling.data.sizes import parse_size
from bayes_scaling.errors import DataError
from bayes_scaling.files.frames import as_frame
from bayes_scaling.inference.settings import checked_seed
from bayes_scaling.messages import listed

PARABOLA = (1.5, 0.5, 0.15)  # log odds: deviations of level, slope per decade and curvature without a fit
DEVIATION, REACH = 0.3, 0.5  # log odds, and decades over which the boundary may leave its parabola


@dataclass
class Knowledge:
    """What is known of the boundary of every benchmark at a number of places, and how it changes with evaluations.

    Attributes
    ----------
    covariance : (benchmark, place, place) array
    between, within : (benchmark,) arrays
        Variances of base models, and of models of one base model.
    tau : float
    """

    covariance: np.ndarray
    between: np.ndarray
    within: np.ndarray
    tau: float

    def added(self, number: np.ndarray) -> np.ndarray:
        """Precision (benchmark, base) that one model more of base models adds that have so many."""
        factor = 1 + ndtri(self.tau) ** 2 / 2
        after = 1 / (self.between[:, None] + self.within[:, None] / (number + 1)) / factor
        with np.errstate(divide="ignore"):
            before = 1 / (self.between[:, None] + self.within[:, None] / number) / factor
        return np.asarray(after - np.where(number > 0, before, 0.0))

    def gains(self, number: np.ndarray, place: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """How much (base,) of the mean variance one model more would take away, relative to that of each benchmark."""
        precision = self.added(number)
        own = self.covariance[:, place, place]
        with_grid = np.einsum("bpg,p->bg", self.covariance[:, :, place] ** 2, weight)
        now = np.einsum("bpp,p->b", self.covariance, weight)
        return np.asarray((with_grid * precision / (1 + precision * own) / now[:, None]).mean(axis=0))

    def evaluate(self, number: int, place: int) -> None:
        """Take in one model more of a base model that has a number of them."""
        precision = self.added(np.array([number]))[:, 0]
        column = self.covariance[:, :, place]
        share = precision / (1 + precision * column[:, place])
        self.covariance = self.covariance - share[:, None, None] * column[:, :, None] * column[:, None, :]

    def deviation(self, weight: np.ndarray) -> float:
        """Root of the mean variance of the boundary on the grid, over benchmarks [log odds]."""
        return float(np.sqrt(np.einsum("bpp,p->b", self.covariance, weight).mean()))


def evaluate_next(
    candidates: pd.DataFrame,
    *,
    budget: float | str | None = None,
    number: int | None = None,
    cost: str = "params",
    grid: Sequence[float | str] | None = None,
    evaluated: pd.DataFrame | None = None,
    fit: BoundaryFit | None = None,
    tau: float = TAU,
    seed: int | None = None,
) -> pd.DataFrame:
    """Choose which released models to evaluate, so that the boundary is as certain as possible for the cost.

    Called once, it plans a whole campaign.  Called again with the ``fit`` to what was evaluated so far, it plans the
    rest from what was learned.

    Parameters
    ----------
    candidates : DataFrame
        One row a model: ``flops`` of its pre-training [FLOPs], a column with its cost and, where known,
        ``base_model``.
    budget : float or str, optional
        What all evaluations together may cost, in units of the cost; by default no limit.
    number : int, optional
        How many models at most.
    cost : str
        Column of costs; the size of a model is roughly proportional to what an evaluation takes.
    grid : sequence of float or str, optional
        Compute where the boundary is wanted [FLOPs]; by default that of the candidates, so that the uncertainty counts
        most where most models are.
    evaluated : DataFrame, optional
        Models that are evaluated already, where there is no fit to them: ``flops`` and, where known, ``base_model``.
    fit : BoundaryFit, optional
        To what was evaluated so far.
    tau : float
        Of the boundary.
    seed : int, optional
        Among models of one base model, compute and cost the choice is at random.

    Returns
    -------
    DataFrame
        The chosen candidates in the order in which to evaluate them, with ``total_cost`` and ``sd_after``, the root
        mean square deviation of the boundary on the grid once this model is evaluated too, on the scale of `link`: log
        odds, where there is no fit.  Its index is that of ``candidates``.

    Raises
    ------
    DataError
        A column is missing or holds what cannot be, or an argument is none of those above.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> models = bs.simulated_board(300, benchmarks=1, seed=1).assign(params=lambda t: (t["flops"] / 120) ** 0.5)
    >>> chosen = bs.evaluate_next(models, budget="500B", seed=1)
    >>> bool(chosen["total_cost"].max() <= 500e9) and chosen["sd_after"].is_monotonic_decreasing
    True
    """
    if not isinstance(cost, str):
        raise DataError(f"cost must be the name of a column of the candidates, not {cost!r}")
    table = _checked(candidates, cost)
    number, most = how_much(number, budget, 'budget="500B" in units of the cost, or number=20 models')
    if not (isinstance(tau, float | int) and 0 < tau < 1):
        raise DataError(f"tau must lie between 0 and 1, not {tau!r}")
    if fit is not None and not isinstance(fit, BoundaryFit):
        raise DataError(f"fit must be what fit_boundary made, not {fit!r}")
    wanted = table["x"].to_numpy() if grid is None else np.log10([_size(one) for one in grid]) - MIDDLE
    order = np.random.default_rng(checked_seed(seed)).permutation(len(table))
    queues = {key: rows.index.tolist() for key, rows in table.iloc[order].groupby([BASE, "x", "cost"], sort=True)}
    kinds = pd.DataFrame(list(queues), columns=[BASE, "x", "cost"])
    if fit is not None:
        evaluated = fit.scores.groupby("benchmark").get_group(fit.cells.benchmarks[0])
    done = _checked(evaluated, None) if evaluated is not None else table.iloc[:0]
    chosen = _greedy(kinds, list(queues.values()), wanted, done, fit, tau, most, number or len(table))
    found = pd.DataFrame(chosen, columns=["row", "total_cost", "sd_after"]).set_index("row")
    rows = as_frame(candidates, "the candidates").loc[found.index]
    return rows.assign(total_cost=found["total_cost"], sd_after=found["sd_after"])


def _greedy(
    kinds: pd.DataFrame, queues: list[list[object]], wanted: np.ndarray, done: pd.DataFrame, fit: BoundaryFit | None,
    tau: float, budget: float, most: int,
) -> list[tuple[object, float, float]]:  # fmt: skip
    """Rows in the order in which they are chosen, with what they cost together and the deviation that is left."""
    places, position = np.unique(np.r_[wanted, kinds["x"], done["x"]], return_inverse=True)
    weight = np.bincount(position[: len(wanted)], minlength=len(places)) / len(wanted)
    place = position[len(wanted) : len(wanted) + len(kinds)]
    groups, group = np.unique(np.r_[kinds[BASE], done[BASE]].astype(str), return_inverse=True)
    known, held = _before(places, fit, tau), np.zeros(len(groups))
    for base, at in zip(group[len(kinds) :], position[len(wanted) + len(kinds) :], strict=True):
        known.evaluate(int(held[base]), int(at))
        held[base] += 1
    if fit is not None:
        known.covariance = known.covariance + _learned(places, fit, tau)
    group, price, left = group[: len(kinds)], kinds["cost"].to_numpy(float), np.array([len(q) for q in queues])
    chosen: list[tuple[object, float, float]] = []
    spent = 0.0
    while True:
        open_ = (left > 0) & (spent + price <= budget)
        if not open_.any() or len(chosen) == most:
            return chosen
        value = np.where(open_, known.gains(held[group], place, weight) / price, -1.0)
        best = int(np.argmax(value))
        known.evaluate(int(held[group[best]]), int(place[best]))
        held[group[best]] += 1
        left[best] -= 1
        spent += price[best]
        chosen.append((queues[best].pop(), spent, known.deviation(weight)))


def _before(places: np.ndarray, fit: BoundaryFit | None, tau: float) -> Knowledge:
    """What is known of the boundary at x decades before any evaluation: of its deviation alone where there is a fit."""
    smooth = DEVIATION**2 * np.exp(-0.5 * ((places[:, None] - places[None, :]) / REACH) ** 2)
    if fit is not None:
        between, within = _variances(fit)
        return Knowledge(np.repeat(smooth[None], len(between), axis=0), between, within, tau)
    powers = np.stack([np.ones_like(places), places, places**2])
    parabola = (powers * np.square(PARABOLA)[:, None]).T @ powers
    return Knowledge((parabola + smooth)[None], np.array([BASE_SD**2]), np.array([SPREAD**2]), tau)


def _learned(places: np.ndarray, fit: BoundaryFit, tau: float) -> np.ndarray:
    """Covariance (benchmark, place, place) of the boundary over the draws of a fit."""
    draws = boundary(fit, list(10 ** (places + MIDDLE)), tau, tail=NORMAL, even_if_not_converged=True)
    scores = draws.stack(sample=("chain", "draw")).transpose("benchmark", "flops", "sample").to_numpy()
    values = link(scores, fit.cells.shape[:, None, None])
    return np.array([np.cov(one).reshape(len(places), len(places)) for one in values])


def _variances(fit: BoundaryFit) -> tuple[np.ndarray, np.ndarray]:
    """Variances of base models and of models of one base model, (benchmark,) arrays of posterior means."""
    p = fit.posterior
    between, within = p["base_sd"] ** 2, xr.DataArray(np.exp(2 * p["s"]))
    if "organisation_sd" in p:
        within = within + p["organisation_sd"] ** 2
    return between.mean(("chain", "draw")).to_numpy(), within.mean(("chain", "draw")).to_numpy()


def _checked(models: object, cost: str | None) -> pd.DataFrame:
    """Base model, decades and cost of models."""
    given = as_frame(models, "the candidates")
    if absent := [name for name in ("flops", *([cost] if cost else [])) if name not in given]:
        raise DataError(f"evaluate_next needs the columns {absent}; the table has {listed(list(given.columns))}")
    if given.empty and cost:
        raise DataError("there are no candidates: the table is empty")
    if given.index.has_duplicates:
        raise DataError("the index of the candidates repeats labels; use reset_index(drop=True)")
    table = pd.DataFrame({"flops": given["flops"].map(_size)}, given.index)
    table["cost"] = given[cost].map(_size) if cost else 1.0
    names = given[BASE] if BASE in given else pd.Series(np.nan, given.index, dtype=object)
    table[BASE] = names.astype(object).where(names.notna(), table["flops"].map("of {:.4g} FLOPs".format)).astype(str)
    return table.assign(x=np.log10(table["flops"].astype(float)) - MIDDLE)


def _size(value: object) -> float:
    """A positive size."""
    size = parse_size(value)
    if not (0 < size < np.inf):
        raise DataError(f"flops and costs must be positive and finite, not {value!r}")
    return size
