"""Scores of forecasts against what happened: row by row, and together, with how sure one may be of them.

Targets are few and go together: all scores of one run are good or bad at once.  So uncertainty of a score comes
from a bootstrap over runs, never over rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.arguments import items_of, shares_of, thing_of
from bayes_scaling.errors import DataError
from bayes_scaling.files.frames import as_frame
from bayes_scaling.forecasting.intervals import interval, row_draws
from bayes_scaling.models.responses.all_responses import RESPONSES
from bayes_scaling.models.responses.response import Response

PROBABILITIES = (0.5, 0.8, 0.9, 0.95)  # of the intervals that are scored
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)  # that the pinball loss is averaged over
LEAST = 0.01  # relative errors are relative to a score of at least this
BINS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)  # edges of distances in decades of compute
RESAMPLES = 1000
INTERVAL = 0.9  # of the bootstrap intervals of scores
DISTANCE = "distance"


def score_forecast(
    ahead: xr.Dataset,
    outcome: pd.DataFrame,
    *,
    response: str | None = None,
    probabilities: Sequence[float] = PROBABILITIES,
) -> pd.DataFrame:
    """Score a forecast of new runs against what they reached, row by row.

    Errors are those of the expectation, all else is of the whole forecast of a new run.  Of errors, CRPS, log score,
    pinball and interval scores smaller is better.

    Parameters
    ----------
    ahead : Dataset over (chain, draw, row)
        From `forecast`.
    outcome : DataFrame
        One row per row of the forecast, with the column that holds the response.
    response : str, optional
        Which response to score; by default the accuracy, or the first that the forecast is of.
    probabilities : sequence of float
        Of the central intervals that are scored.

    Returns
    -------
    DataFrame
        One row per row: the coordinates of the forecast, such as run, benchmark, mixture and ``decades_beyond``;
        ``observed``; ``error`` (expectation minus observed) and ``relative_error`` (its size as a share of the observed
        value, of 0.01 at least); ``crps`` (continuous ranked probability score, in units of the response),
        ``log_score`` (minus the log density that a kernel estimate of the draws gives to the observed value, in nats),
        ``pinball`` (mean over the quantiles 5, 25, 50, 75 and 95 %), ``pit`` (share of draws below the observed
        value); and for every probability ``inside_p``, ``width_p`` and ``interval_score_p`` of the central
        interval.  Gneiting and Raftery 2007 (doi 10.1198/016214506000001437), Eqs. 20, 40 and 43.

    Raises
    ------
    DataError
        The outcome does not match the forecast row by row.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> later = bs.plan_runs(flops=1e22, benchmark="hellaswag", mixture="C4").assign(score=0.6)
    >>> scores = bs.score_forecast(bs.forecast(fit, later, seed=1), later)
    >>> {"error", "crps", "pit", "inside_80"} <= set(scores)
    True
    """
    import scoringrules

    forecast_of, probabilities = scored_response(ahead, response), shares_of("probabilities", probabilities)
    outcome = as_frame(outcome, "the outcome")
    if forecast_of.column not in outcome:
        raise DataError(f"the outcome has no column {forecast_of.column!r}; it has {list(outcome.columns)}")
    observed = outcome[forecast_of.column].to_numpy(float)
    if len(observed) != ahead.sizes["row"]:
        raise DataError(f"the forecast has {ahead.sizes['row']} rows, the outcome {len(observed)}; they must match")
    draws = row_draws(ahead[forecast_of.name])
    error = row_draws(ahead[forecast_of.mean_name]).mean(axis=1) - observed
    table = pd.DataFrame({c: ahead[c].to_numpy() for c in ahead.coords if ahead[c].dims == ("row",)})
    levels = list(zip(np.quantile(draws, QUANTILES, axis=1), QUANTILES, strict=True))
    table = table.assign(
        observed=observed,
        error=error,
        relative_error=np.abs(error) / np.maximum(observed, LEAST),
        crps=scoringrules.crps_ensemble(observed, draws),
        log_score=_log_score(observed, draws),
        pinball=np.mean([scoringrules.quantile_score(observed, *q) for q in levels], axis=0),
        pit=np.mean(draws < observed[:, None], axis=1),
    )
    return table.assign(**_of_intervals(observed, draws, probabilities))


def scored_response(ahead: xr.Dataset, wanted: str | None = None) -> Response:
    """The response that a forecast is scored for.

    Raises
    ------
    DataError
        The forecast is not of what is wanted.
    """
    thing_of("the forecast", ahead, xr.Dataset, "bs.forecast")
    has = [response for response in RESPONSES.values() if response.name in ahead.data_vars]
    if wanted is not None:
        wanted = thing_of("response", wanted, str, "'accuracy'")
    chosen = [response for response in has if wanted in (None, response.name)]
    if not chosen:
        raise DataError(f"the forecast is of {[response.name for response in has]}, not of {wanted!r}")
    return chosen[0]


def _log_score(observed: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Minus the log density of a kernel estimate; infinite where half of the draws or more are one point."""
    import scoringrules

    spread = np.ptp(draws, axis=1) > 0
    out = np.where(spread, 0.0, np.inf)
    if spread.any():
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = scoringrules.logs_ensemble(observed[spread], draws[spread])
        out[spread] = np.where(np.isnan(scores), np.inf, scores)
    return out


def _of_intervals(observed: np.ndarray, draws: np.ndarray, probabilities: Sequence[float]) -> dict[str, np.ndarray]:
    import scoringrules

    found = {}
    for p in probabilities:
        low, high = interval(draws, p)
        found[f"inside_{100 * p:g}"] = (low <= observed) & (observed <= high)
        found[f"width_{100 * p:g}"] = high - low
        found[f"interval_score_{100 * p:g}"] = scoringrules.interval_score(observed, low, high, 1 - p)
    return found


def summarise_scores(
    scores: pd.DataFrame, *, by: str | Sequence[str] = (), resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Average scores of forecasts, in groups, and say how sure these averages are.

    Parameters
    ----------
    scores : DataFrame
        From `score_forecast`, or several of them, as ``Backtest.scores`` is.
    by : str or sequence of str
        Columns that make the groups, such as "benchmark", "mixture" or "k"; "distance" groups by decades of compute
        beyond the fitted runs, "0" for those within.
    resamples : int
        Bootstrap samples of whole runs.
    seed : int

    Returns
    -------
    DataFrame
        One row per group and score: ``score``, its ``value``, ``lower_90`` and ``upper_90`` of a bootstrap over runs
        (blank where a group has one run), and the number of ``runs`` and ``rows``.  Scores are those of
        `score_forecast`, with ``mae`` (mean size of the error), ``bias`` (its mean) and ``cover_p`` (share of
        observed values inside the intervals that should hold p %).

    Raises
    ------
    DataError
        The scores lack a column.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> runs = bs.load_dataset("gadre2024")
    >>> past = bs.backtest([], runs[runs["benchmark"] == "hellaswag"], baselines="direct", seed=1, progress=False)
    >>> table = bs.summarise_scores(past.scores, by="law")
    >>> table.loc[table["score"] == "mae", ["law", "runs"]].values.tolist()
    [['direct', 53]]
    """
    groups, scores = items_of("by", by, str, "'benchmark'"), as_frame(scores, "the scores", example="bs.score_forecast")
    table = scores.assign(**{DISTANCE: binned(scores["decades_beyond"])}) if DISTANCE in groups else scores
    if absent := [c for c in (*groups, "run") if c not in table]:
        raise DataError(f"the scores lack the columns {absent}; they have {list(table.columns)}")
    parts = table.groupby(groups, sort=DISTANCE in groups, observed=True, dropna=False) if groups else [((), table)]
    found = []
    for key, part in parts:
        labels: dict[str, Any] = dict(zip(groups, key if isinstance(key, tuple) else (key,), strict=True))
        found.append(_averages(part, resamples, seed).assign(**labels))
    out = pd.concat(found, ignore_index=True)
    return out[[*groups, *(c for c in out.columns if c not in groups)]]


def binned(decades: pd.Series) -> pd.Series:
    """Distances in bins of decades of compute beyond the fitted runs, as ordered labels: "0", "0–0.5", … "> 3"."""
    between = [f"{low:g}–{high:g}" for low, high in pairwise(BINS)]
    return pd.cut(decades, [-np.inf, *BINS, np.inf], labels=[f"{BINS[0]:g}", *between, f"> {BINS[-1]:g}"])


def _averages(part: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """Every score of one group: its mean over rows, and how that varies when whole runs are drawn anew."""
    columns, runs = _scored(part), part["run"].astype(str).to_numpy()
    n_runs = len(set(runs))
    low, high = np.full((2, columns.shape[1]), np.nan)
    if n_runs > 1 and resamples:
        means = resampled(columns.to_numpy(), runs, resamples=resamples, seed=seed)
        with np.errstate(invalid="ignore"):  # between two infinite log scores
            low, high = interval(means, INTERVAL, axis=0)
    share = f"{100 * INTERVAL:g}"
    return pd.DataFrame(
        {"score": columns.columns, "value": columns.mean().to_numpy(), f"lower_{share}": low, f"upper_{share}": high}
    ).assign(runs=n_runs, rows=len(part))


def resampled(values: np.ndarray, runs: np.ndarray, *, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Means over rows when whole runs are drawn anew, with replacement.

    Parameters
    ----------
    values : (row, score) array
    runs : (row,) array
        Whose rows go together.
    resamples, seed : int

    Returns
    -------
    (resample, score) array
    """
    _, of_row, counts = np.unique(runs, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), values.shape[1]))
    np.add.at(sums, of_row, values)
    drawn = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), resamples)
    with np.errstate(invalid="ignore"):
        return (drawn @ sums) / (drawn @ counts)[:, None]


def _scored(part: pd.DataFrame) -> pd.DataFrame:
    """The columns whose means are scores, under their names."""
    first = {"mae": part["error"].abs(), "bias": part["error"]}
    same = {c: part[c] for c in ("relative_error", "crps", "log_score", "pinball") if c in part}
    cover = {f"cover_{p}": part[f"inside_{p}"].astype(float) for p in _shares(part)}
    rest = {str(c): part[c] for c in part if str(c).startswith(("width_", "interval_score_"))}
    return pd.DataFrame(first | same | cover | rest)


def _shares(part: pd.DataFrame) -> list[str]:
    """Probabilities, in per cent, of the intervals that were scored."""
    return [str(c).removeprefix("inside_") for c in part if str(c).startswith("inside_")]
