"""Temporal validation of boundaries: fit what was released in one period, score what was released in the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from bayes_scaling.boundaries.estimators import TAU, boundary_curve, pinball
from bayes_scaling.boundaries.fitting import BoundaryFit, fit_boundary
from bayes_scaling.boundaries.periods import NEXT
from bayes_scaling.boundaries.predictive import predictive_quantile
from bayes_scaling.boundaries.scores import BASE, BENCHMARK, PERIOD, released_scores
from bayes_scaling.errors import DataError
from bayes_scaling.inference.settings import whole_number

BINS, FEWEST = 10, 30  # of compute with equally many models, and models in one, as published
LEVELS = np.round(np.arange(0.05, 0.96, 0.05), 2)  # of the quantiles that stand for the whole distribution
TOP = int(np.flatnonzero(LEVELS == 0.9)[0])
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
    whole: bool = True,
    resamples: int = 0,
    fit: Callable[..., BoundaryFit] = fit_boundary,
) -> pd.DataFrame:
    """Fit each period and score the boundary on the next.

    Compute is kept within that of the fitted period for every method, as published.

    Parameters
    ----------
    scores : DataFrame
        As for `fit_boundary`, with ``period``.
    estimators : sequence of str
        Published estimators to judge on the same rows; see `boundary_curve`.
    tau : float
    seed : int, optional
    posterior : bool
        Judge `fit_boundary` too.
    whole : bool
        Judge the whole distribution too: every method at 19 quantiles.
    resamples : int
        Resamples of base models, from which standard errors come.
    fit : callable
        Makes the posterior.

    Returns
    -------
    DataFrame
        One row for each period, benchmark and method: ``fitted``, ``scored``, ``benchmark``, ``method``, ``models``,
        ``tau``; ``pinball`` (exact), ``coverage`` (share up to the boundary), ``coverage_error`` over bins of compute,
        both with standard errors ``_se``, ``signed_error`` (coverage − τ); of the whole distribution ``crps``, twice
        the mean pinball loss over quantiles, and ``top_decile``, the share of models above the 0.9-quantile, which
        should be 0.1; and ``converged``.

    Raises
    ------
    DataError
        Fewer than two periods, or a table as `fit_boundary` refuses it.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> board = bs.simulated_board(models=400, seed=1)
    >>> table = bs.next_period(board, estimators=["constant", "binned"], posterior=False)
    >>> table.groupby("method")["pinball"].mean().idxmin()
    'binned'
    """
    table = released_scores(scores)
    if table[PERIOD].nunique() < 2:
        raise DataError("temporal validation needs scores of at least two periods in the column 'period'")
    resamples, rng = whole_number("resamples", resamples, 0), np.random.default_rng(seed)
    levels = np.r_[tau, LEVELS] if whole else np.array([tau])
    rows: list[dict[str, object]] = []
    for before, after in pairwise(sorted(table[PERIOD].unique())):
        known, new = (table[table[PERIOD] == one].reset_index(drop=True) for one in (before, after))
        found = fit(known, seed=seed) if posterior else None
        for benchmark, models in new.groupby(BENCHMARK, sort=True):
            past = known[known[BENCHMARK] == benchmark]
            if past.empty:
                continue
            names = {"fitted": before, "scored": after, "benchmark": benchmark}
            for method, quantiles in _answers(past, models, found, estimators, levels, seed).items():
                passed = found.verdict.passed if found is not None and method == POSTERIOR else True
                judged = _judged(models, quantiles, tau, resamples, rng)
                rows.append({**names, "method": method, "tau": tau, **judged, "converged": passed})
    return pd.DataFrame(rows)


def _answers(
    past: pd.DataFrame, models: pd.DataFrame, found: BoundaryFit | None, estimators: Sequence[str], levels: np.ndarray,
    seed: int | None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Quantiles (model, level) of each method for the models of one benchmark."""
    size, score, flops = past["flops"].to_numpy(), past["score"].to_numpy(), models["flops"].to_numpy()
    answers = {
        name: np.stack([boundary_curve(name, size, score, tau=level)(flops) for level in levels], axis=1)
        for name in estimators
    }
    if found is not None:
        answers[POSTERIOR] = predictive_quantile(
            found, models, list(levels), period=NEXT, seed=seed, clip=True, even_if_not_converged=True
        )
    return answers


def _judged(
    models: pd.DataFrame, quantiles: np.ndarray, tau: float, resamples: int, rng: np.random.Generator
) -> dict[str, float]:
    """Scores of the quantiles (model, level) of one method, of which the first is the boundary."""
    flops, score, reached = models["flops"].to_numpy(), models["score"].to_numpy(), quantiles[:, 0]
    covered, error = float(np.mean(score <= reached)), coverage_error(flops, score, reached, tau)
    out = {"models": float(len(score)), "pinball": float(pinball(score, reached, tau).mean())}
    out |= {"coverage": covered, "coverage_error": error, "signed_error": covered - tau}
    if resamples:
        groups = list(models.groupby(BASE).indices.values())
        drawn = [np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))])
                 for _ in range(resamples)]  # fmt: skip
        out["coverage_se"] = float(np.std([np.mean(score[at] <= reached[at]) for at in drawn], ddof=1))
        again = [coverage_error(flops[at], score[at], reached[at], tau) for at in drawn]
        out["coverage_error_se"] = float(np.std(again, ddof=1))
    if quantiles.shape[1] > 1:
        losses = [pinball(score, quantiles[:, 1 + at], level).mean() for at, level in enumerate(LEVELS)]
        out["crps"] = 2 * float(np.mean(losses))
        out["top_decile"] = float(np.mean(score > quantiles[:, 1 + TOP]))
    return out
