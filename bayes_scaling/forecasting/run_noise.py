"""Noise that a run has as a whole: residuals of one run go together across its benchmarks.

Without it the band of an average over benchmarks is too narrow.  A run effect in the model (`run_shift`)
says the same, but competes with the law for the trend over compute and forecasts worse; the correlation of
the residuals leaves the law and the band of every single benchmark as they are.
"""

from __future__ import annotations

import numpy as np

from bayes_scaling.inference.fitting import Fit
from bayes_scaling.laws.draws import draw
from bayes_scaling.models.effects import NOISE_GROUPS
from bayes_scaling.models.named_arrays import in_order
from bayes_scaling.models.response_models import ResponseModel

ENOUGH = 50  # posterior draws per chain that the residuals are computed from


def run_correlation(fit: Fit, part: ResponseModel) -> float:
    """Mean correlation between the standardised residuals of one run, at least 0.

    It is 0 for a model with a run effect, which already says so, where no run has two scores, and for responses
    whose residuals do not go together.

    Returns
    -------
    float between 0 and 1
    """
    if not part.response.correlated or set(fit.model.groups) & set(NOISE_GROUPS) or "run" not in fit.runs:
        return 0.0
    data = fit.design.responses[fit.model.responses.index(part)]
    posterior = fit.posterior.isel(draw=slice(None, None, max(1, fit.posterior.sizes["draw"] // ENOUGH)))
    values = {str(name): draws.variable for name, draws in posterior.items()}
    mean = fit.model.mean(part, values, data.columns, data.codes)
    distribution, arguments = fit.model.observation(part, mean, values, data.columns, data.codes)
    arrays = {name: in_order(value) for name, value in arguments.items()}
    replicated = draw(distribution, arrays, np.random.default_rng(0))
    residual = (data.observed - replicated.mean((0, 1))) / replicated.std((0, 1))
    runs = fit.runs["run"].iloc[data.rows].astype("category").cat.codes.to_numpy()
    counts, sums = np.bincount(runs), np.bincount(runs, residual)
    pairs = float(np.sum(counts * (counts - 1)))
    if pairs == 0:
        return 0.0
    shared = (np.sum(sums**2) - np.sum(residual**2)) / pairs
    return float(np.clip(shared / np.mean(residual**2), 0.0, 1.0))
