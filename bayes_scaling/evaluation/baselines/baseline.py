"""Published estimators as baselines: forecasts in the schema of `forecasting.forecast`, so that every score applies.

The authors publish points.  The bands here come from a bootstrap of residuals by run: residuals of whole
runs are dealt out anew, together over benchmarks, the estimator is fitted again to what they make, and a
new run gets the residuals of some run on top.  Draws are moved so that their median is the published
point: a bootstrap says how an estimator scatters, not where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.arguments import name_of
from bayes_scaling.boundaries.resampled import boundary_baseline
from bayes_scaling.data.plans import complete
from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.baselines.cell_fits import CELL, Cache, CellFit, Part, fitted_cell, scored
from bayes_scaling.evaluation.baselines.estimators import BASELINES, mean_of_scores
from bayes_scaling.evaluation.baselines.stages import Estimator
from bayes_scaling.files.frames import as_frame
from bayes_scaling.forecasting.coordinates import row_coordinates
from bayes_scaling.forecasting.law_uncertainty import NOT_INCLUDED
from bayes_scaling.forecasting.notes import joined
from bayes_scaling.forecasting.provenance import origin
from bayes_scaling.models.named_arrays import DRAWN
from bayes_scaling.models.responses.all_responses import RESPONSES

__all__ = ["BASELINES", "baseline", "coefficients"]

BOUNDARY = "boundary_"  # how names of estimators of boundaries start
VERDICT = "a published point estimate; bands from a bootstrap of residuals by run"
TOO_FEW = "too few usable scores for {name}: the mean of the runs instead"


@dataclass(frozen=True)
class ScoredRuns:
    """The runs that a baseline rests on."""

    runs: pd.DataFrame


@dataclass(frozen=True)
class Resampling:
    """Whose residuals go where: to the fitted runs of a mixture, and to the runs of the plan."""

    dealt: dict[str, np.ndarray]
    fresh: np.ndarray
    rng: np.random.Generator


def baseline(
    name: str,
    runs: pd.DataFrame,
    plan: pd.DataFrame,
    *,
    seed: int | None = None,
    resamples: int = 200,
    chance: str = "table",
    loss: str = "loss",
) -> xr.Dataset:
    """Forecast planned runs as a published estimator does, with bands that its authors do not give.

    Every benchmark on every mixture is fitted by itself, as the authors do.  Where too few scores are
    usable, the forecast is the mean of the scores, and ``note`` says so.

    Parameters
    ----------
    name : str
        One of ``BASELINES``; or "boundary_smoothed" and the like, for the boundary of released models by an estimator
        of `boundary_curve`, with bands from resampled base models (see `boundary_baseline`, which has more options).
    runs : DataFrame
        Checked runs, as from `read_runs`; for a boundary the scores of released models.
    plan : DataFrame
        From `plan_runs`; for "repeated_sampling" with k.
    seed : int, optional
        The same seed gives the same draws.
    resamples : int
        Draws; 0 gives the point alone, as one draw without noise.
    chance : str
        "table" takes the chance level of the runs; "small_runs" takes the mean score of runs below 1e17
        FLOPs where a benchmark has some and its chance level is not 0 (Krajewski et al. 2025, arXiv
        2512.08894, Eq. 3).
    loss : str
        Column that holds the loss for estimators of two stages, such as a loss of the benchmark itself.

    Returns
    -------
    Dataset over (chain, draw, row)
        As from `forecast`, with one chain; scores are kept within [0, 1].

    Raises
    ------
    DataError
        An argument is none of those above, the runs or the plan lack a column, or the plan asks for a
        benchmark on a mixture that no run has a score for.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> runs = bs.load_dataset("gadre2024")
    >>> plan = bs.plan_runs(flops="1e22", benchmark="hellaswag", mixture="C4")
    >>> ahead = bs.baseline("direct", runs, plan, seed=1)
    >>> round(float(ahead["accuracy_mean"].median()), 2)
    0.73
    """
    if str(name).startswith(BOUNDARY):
        return boundary_baseline(str(name).removeprefix(BOUNDARY), runs, plan, resamples=resamples, seed=seed)
    if resamples < 0:
        raise DataError(f"resamples must be 0 or more, got {resamples}")
    estimator, runs = _named(name), as_frame(runs, "the runs", example="bs.read_runs makes one")
    rows = scored(estimator, runs, chance, loss)
    given, plan = plan, _planned(estimator, rows, plan)
    resampling, cache = _resampling(rows, plan, resamples, np.random.default_rng(seed)), Cache()
    mean = np.empty((max(resamples, 1), len(plan)))
    new, remarks = mean.copy(), np.full(len(plan), "", dtype=object)
    for key, where in _positions(plan):
        cell, remarks[where] = _fitted(name, estimator, rows, key, cache)
        mean[:, where], new[:, where] = _draws(cell, plan.iloc[where], resampling, resampling.fresh[:, where], cache)
    coords = row_coordinates(ScoredRuns(rows), plan)
    both = zip(coords["note"][1], remarks, strict=True)
    coords["note"] = ("row", np.array([joined(notes) for notes in both], dtype=object))
    response = RESPONSES[estimator.response]
    named = {response.mean_name: mean, response.name: new}
    values = {name: (DRAWN, np.clip(value, response.low, response.high)[None]) for name, value in named.items()}
    options = {"baseline": name, "resamples": resamples, "chance": chance, "loss": loss}
    attributes = {"model": name, "verdict": VERDICT, "converged": "True", "law_uncertainty": NOT_INCLUDED}
    attributes |= origin(options, runs, given, seed)
    return xr.Dataset(values, {"chain": [0], "draw": np.arange(len(mean)), **coords}, attributes)


def coefficients(name: str, runs: pd.DataFrame, *, chance: str = "table", loss: str = "loss") -> pd.DataFrame:
    """Tabulate what a published estimator fits to each benchmark on each mixture.

    Parameters
    ----------
    name, runs, chance, loss
        As for `baseline`.

    Returns
    -------
    DataFrame
        benchmark, mixture, ``response`` of the stage ("loss" or "score"), ``coefficient`` (names as in
        `estimators`, "mean" where too few scores are usable), ``value``, and ``n_rows`` that were fitted.
    """
    estimator = _named(name)
    rows, cache = scored(estimator, runs, chance, loss), Cache()
    table = []
    for key, _ in _positions(rows):
        cell, _ = _fitted(name, estimator, rows, key, cache)
        for part in cell.parts:
            for coefficient, value in zip(part.stage.coefficients, part.theta, strict=True):
                table.append((*key, part.stage.response, coefficient, float(value), len(part.fitted)))
    return pd.DataFrame(table, columns=[*CELL, "response", "coefficient", "value", "n_rows"])


def _positions(table: pd.DataFrame) -> Iterator[tuple[tuple[str, str], np.ndarray]]:
    """Each benchmark on each mixture, and the positions of its rows."""
    groups: dict[Any, Any] = table.groupby(CELL, sort=False).indices
    yield from groups.items()


def _named(name: str) -> Estimator:
    return BASELINES[name_of("baseline", name, BASELINES)]


def _planned(estimator: Estimator, rows: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """Check that a plan has what the estimator reads, of runs that it knows."""
    needs = (*CELL, *estimator.inputs)
    plan = complete(plan, rows, needs=needs, groups=CELL, who="the estimator")
    known = pd.MultiIndex.from_frame(rows[CELL].astype(str))
    asked = pd.MultiIndex.from_frame(plan[CELL].astype(str))
    if unknown := asked[~asked.isin(known)].unique().tolist():
        raise DataError(
            f"no run has a score for {unknown[:5]} (benchmark, mixture): a published estimator knows only what was run"
        )
    return plan.astype(dict.fromkeys(CELL, "str"))


def _resampling(rows: pd.DataFrame, plan: pd.DataFrame, resamples: int, rng: np.random.Generator) -> Resampling:
    counts = rows.groupby("mixture")["peers"].first()
    dealt = {str(m): rng.integers(n, size=(resamples, n)) for m, n in counts.items()}
    whose = plan["run"].astype("category").cat.codes.to_numpy()
    share = rng.random((resamples, whose.max() + 1))[:, whose]
    return Resampling(dealt, np.floor(share * plan["mixture"].map(counts).to_numpy()).astype(int), rng)


def _fitted(
    name: str, estimator: Estimator, rows: pd.DataFrame, key: tuple[str, str], cache: Cache
) -> tuple[CellFit, str]:
    """The estimator fitted to one benchmark on one mixture, or the mean of the scores and a remark."""
    own = rows[(rows["benchmark"] == key[0]) & (rows["mixture"] == key[1])]
    cell = fitted_cell(estimator, own, cache)
    if cell is not None:
        return cell, ""
    mean = fitted_cell(mean_of_scores(estimator), own, cache)
    assert mean is not None  # one score is enough for a mean
    return mean, TOO_FEW.format(name=name)


def _draws(
    cell: CellFit, plan: pd.DataFrame, resampling: Resampling, fresh: np.ndarray, cache: Cache
) -> tuple[np.ndarray, np.ndarray]:
    """Expectations and scores of new runs, each (draw, row)."""
    point = _through(cell, plan, [part.theta for part in cell.parts])
    report = cell.parts[-1].stage.scale.report
    if not len(fresh):
        return report(point, cell.chance)[None], report(point, cell.chance)[None]
    thetas = [_refitted(part, resampling.dealt[cell.mixture], resampling.rng, cache) for part in cell.parts]
    noise = [part.residuals(fresh, part.tries_of(plan), resampling.rng) for part in cell.parts]
    spread, scatter = _through(cell, plan, thetas), _through(cell, plan, thetas, noise)
    centre = point - np.median(spread, axis=0)
    return report(spread + centre, cell.chance), report(scatter + centre, cell.chance)


def _refitted(part: Part, dealt: np.ndarray, rng: np.random.Generator, cache: Cache) -> np.ndarray:
    """Coefficients (resample, coefficient) after every run got the residuals of some run."""
    again = part.fitted + part.residuals(dealt[:, part.places], part.tries, rng)
    stage = part.stage
    return cache.once(stage, part.columns, again, lambda: stage.refit(part.columns, again, part.theta))


def _through(
    cell: CellFit, plan: pd.DataFrame, thetas: list[np.ndarray], noise: list[np.ndarray] | None = None
) -> np.ndarray:
    """The last stage's response on the scale of its fit, from sizes alone; finite everywhere."""
    known: dict[str, Any] = {}
    for number, (part, theta) in enumerate(zip(cell.parts, thetas, strict=True)):
        columns = [known[c] if c in known else plan[c].to_numpy(float) for c in part.stage.inputs]
        value = np.nan_to_num(part.stage.expected(columns, theta), posinf=1e3, neginf=-1e3)
        value = value if noise is None else value + noise[number]
        known[part.stage.response] = part.stage.scale.report(value, cell.chance)
    return value
