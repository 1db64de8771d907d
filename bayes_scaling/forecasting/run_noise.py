"""The luck of a run: residuals of one run go together across its benchmarks.

Without it the band of an average over benchmarks is too narrow.  A run effect in the model (`run_shift`)
says the same, but competes with the law for the trend over compute and forecasts worse; the correlation of
the residuals leaves the law and the band of every single benchmark as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.pymc_draws import draw
from bayes_scaling.models.effects import NOISE_GROUPS
from bayes_scaling.models.heads import Head

ENOUGH = 50  # posterior draws per chain that the residuals are computed from


def run_correlation(fit: Fit, head: Head) -> float:
    """Mean correlation between the standardised residuals of one run, at least 0.

    It is 0 for a model with a run effect, which already says so, and where no run has two scores.

    Returns
    -------
    float between 0 and 1
    """
    if set(fit.model.groups) & set(NOISE_GROUPS) or "run" not in fit.runs:
        return 0.0
    data = fit.design.heads[fit.model.heads.index(head)]
    posterior = fit.posterior.isel(draw=slice(None, None, max(1, fit.posterior.sizes["draw"] // ENOUGH)))
    values = {str(n): v.to_numpy() for n, v in posterior.items()}
    mean = fit.model.mean(head, values, data.columns, data.codes)
    distribution, arguments = fit.model.observation(head, mean, values, data.columns, data.codes)
    replicated = draw(distribution, arguments, np.random.default_rng(0))
    residual = (data.observed - replicated.mean((0, 1))) / replicated.std((0, 1))
    runs = fit.runs["run"].iloc[data.rows].astype("category").cat.codes.to_numpy()
    counts, sums = np.bincount(runs), np.bincount(runs, residual)
    pairs = float(np.sum(counts * (counts - 1)))
    if pairs == 0:
        return 0.0
    together = (np.sum(sums**2) - np.sum(residual**2)) / pairs
    return float(np.clip(together / np.mean(residual**2), 0.0, 1.0))


def share(noise: np.ndarray, runs: np.ndarray, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """Make independent noise go together within runs, keeping its size in every row.

    Parameters
    ----------
    noise : (chain, draw, row) array
    runs : (row,) int array
        Which run each row belongs to.
    correlation : float
    rng : Generator
    """
    luck: Any = rng.normal(size=(*noise.shape[:2], int(runs.max()) + 1))[..., runs]
    return np.sqrt(1 - correlation) * noise + np.sqrt(correlation) * noise.std((0, 1)) * luck
