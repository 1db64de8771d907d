"""Temporal validation of boundaries: fit what was released in one period, score what was released in the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from bayes_scaling.boundaries.estimators import ESTIMATORS, TAU, boundary_curve, pinball
from bayes_scaling.boundaries.fitting import BoundaryFit, fit_boundary
from bayes_scaling.boundaries.predictive import predictive_quantile
from bayes_scaling.boundaries.quantiles import NEXT
from bayes_scaling.boundaries.scores import BASE, PERIOD
from bayes_scaling.errors import DataError

BINS, FEWEST = 10, 30  # of compute with equally many models, and models in one, as published
LEVELS = np.arange(0.05, 1.0, 0.1)  # of the quantiles that the score of the whole distribution is made of
POSTERIOR = "posterior"


def coverage_error(flops: np.ndarray, score: np.ndarray, quantile: np.ndarray, tau: float = TAU) -> float:
    """Mean over bins of compute of |share of scores up to the quantile − τ|, as in arXiv 2602.15327.

    Examples
    --------
    >>> flops, score = np.logspace(21, 25, 100), np.linspace(0, 1, 100)
    >>> round(coverage_error(flops, score, np.full(100, 2.0), 0.98), 3)
    0.02
    """
    number = max(1, min(BINS, len(score) // FEWEST))
    bins = np.array_split(np.argsort(flops, kind="stable"), number)
    return float(np.mean([abs(np.mean(score[at] <= quantile[at]) - tau) for at in bins]))


def next_period(
    scores: pd.DataFrame,
    *,
    estimators: Sequence[str] = ("smoothed", "sigmoid", "constant", "binned", "spline"),
    tau: float = TAU,
    seed: int | None = None,
    posterior: bool = True,
    resamples: int = 0,
    fit: Callable[..., BoundaryFit] = fit_boundary,
) -> pd.DataFrame:
    """Fit each period and score the boundary on the next.

    Parameters
    ----------
    scores : DataFrame
        As for `fit_boundary`, with ``period``.
    estimators : sequence of str
        Published estimators to judge on the same rows.
    tau : float
    seed : int, optional
    posterior : bool
        Judge `fit_boundary` too.
    resamples : int
        Resamples of base models, from which the standard error of each coverage error comes.
    fit : callable
        Makes the posterior.

    Returns
    -------
    DataFrame
        One row for each period, benchmark and method: ``pinball`` (exact), ``coverage_error`` and its standard error,
        ``signed_error`` (coverage − τ), and for the posterior ``crps``, twice the mean pinball loss over quantiles.

    Raises
    ------
    DataError
        Fewer than two periods.
    """
    if PERIOD not in scores or scores[PERIOD].nunique() < 2:
        raise DataError("temporal validation needs scores of at least two periods in the column 'period'")
    rng, rows = np.random.default_rng(seed), []
    for before, after in pairwise(sorted(scores[PERIOD].unique())):
        known, new = (scores[scores[PERIOD] == one].reset_index(drop=True) for one in (before, after))
        found = fit(known, seed=seed) if posterior else None
        for benchmark, table in new.groupby("benchmark", sort=True):
            past = known[known["benchmark"] == benchmark]
            if past.empty:
                continue
            flops, score = table["flops"].to_numpy(float), table["score"].to_numpy(float)
            answers: dict[str, np.ndarray] = {}
            for name in estimators:
                answers[name] = boundary_curve(name, past["flops"].to_numpy(), past["score"].to_numpy(), tau=tau)(flops)
            whole = {}
            if found is not None:
                go_on = {"period": NEXT, "seed": seed, "clip": True, "even_if_not_converged": True}
                answers[POSTERIOR] = np.asarray(predictive_quantile(found, table, tau, **go_on))  # type: ignore[arg-type]
                every = predictive_quantile(found, table, LEVELS, **go_on)  # type: ignore[arg-type]
                losses = [pinball(score, every[:, at], level).mean() for at, level in enumerate(LEVELS)]
                whole[POSTERIOR] = 2 * float(np.mean(losses))
            for name, quantile in answers.items():
                rows.append(
                    {
                        "fitted": before,
                        "scored": after,
                        "benchmark": benchmark,
                        "method": name,
                        "models": len(score),
                        "pinball": float(pinball(score, quantile, tau).mean()),
                        "coverage_error": coverage_error(flops, score, quantile, tau),
                        "coverage_error_se": _resampled(table, flops, score, quantile, tau, resamples, rng),
                        "signed_error": float(np.mean(score <= quantile) - tau),
                        "crps": whole.get(name, np.nan),
                        "converged": found.verdict.passed if found is not None and name == POSTERIOR else True,
                    }
                )
    return pd.DataFrame(rows)


def _resampled(
    table: pd.DataFrame, flops: np.ndarray, score: np.ndarray, quantile: np.ndarray, tau: float, resamples: int,
    rng: np.random.Generator,
) -> float:  # fmt: skip
    """Standard error of a coverage error over resamples of base models; NaN for none."""
    if not resamples or BASE not in table:
        return float("nan")
    groups = list(table.groupby(BASE).indices.values())
    drawn = [np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))]) for _ in range(resamples)]
    return float(np.std([coverage_error(flops[at], score[at], quantile[at], tau) for at in drawn], ddof=1))


__all__ = ["ESTIMATORS", "coverage_error", "next_period"]
