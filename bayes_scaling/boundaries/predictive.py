"""What a fit of released models predicts of a single new model, everything that is not known averaged over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

from bayes_scaling.boundaries.cells import MIDDLE, item_variance
from bayes_scaling.boundaries.density import OF_LOCATION, location
from bayes_scaling.boundaries.estimators import TAU
from bayes_scaling.boundaries.fitting import BoundaryFit
from bayes_scaling.boundaries.link import inverse, link
from bayes_scaling.boundaries.periods import period_effect
from bayes_scaling.boundaries.scores import BASE
from bayes_scaling.errors import DataError
from bayes_scaling.messages import suggest

BISECTIONS = 30
WIDEST = 14.0  # of h, which no score reaches


def predictive_quantile(
    fit: BoundaryFit,
    models: pd.DataFrame,
    tau: float | Sequence[float] = TAU,
    *,
    period: str | None = None,
    seed: int | None = None,
    clip: bool = False,
    even_if_not_converged: bool = False,
) -> np.ndarray:
    """Score below which a new model stays with probability τ, everything that is not known averaged over.

    Parameters
    ----------
    fit : BoundaryFit
    models : DataFrame
        With ``flops``, ``benchmark`` and, where known, ``base_model``: a base model that was fitted has its own effect,
        any other is drawn anew.
    tau : float or sequence of float
    period : str, optional
        As for `boundary`.
    seed : int, optional
        Of the step to the next period.
    clip : bool
        Keep compute within that of the fit, as the published estimator does.
    even_if_not_converged : bool

    Returns
    -------
    (row,) array, or (row, tau) array for several
    """
    levels = np.atleast_1d(np.asarray(tau, float))
    mean, deviation, key, shape = _rows(fit, models, period, seed, clip, even_if_not_converged)
    found = np.empty((mean.shape[1], len(levels)))
    for column, level in enumerate(levels):
        low, high = np.full(mean.shape[1], -WIDEST), np.full(mean.shape[1], WIDEST)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = ndtr((middle - mean) / deviation).mean(axis=0) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        found[:, column] = inverse((low + high) / 2, shape)
    return found[key] if np.ndim(tau) else found[key, 0]


def probability_below(
    fit: BoundaryFit, models: pd.DataFrame, *, period: str | None = None, seed: int | None = None, clip: bool = False,
    even_if_not_converged: bool = False,
) -> np.ndarray:  # fmt: skip
    """Predictive probability of a score up to the one observed, (row,) array: uniform where the model is right."""
    mean, deviation, key, shape = _rows(fit, models, period, seed, clip, even_if_not_converged)
    position = pd.Index(fit.cells.benchmarks).get_indexer(pd.Index(models["benchmark"].astype(str)))
    edge = 0.5 / fit.cells.n_items[position]
    score = np.clip(models["score"].to_numpy(float), edge, 1 - edge)
    value = link(score, shape[key])
    return np.array([ndtr((h - mean[:, k]) / deviation[:, k]).mean() for h, k in zip(value, key, strict=True)])


def _rows(
    fit: BoundaryFit, models: pd.DataFrame, period: str | None, seed: int | None, clip: bool, go_on: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean and deviation (draw, kind) of h of every kind of model, the kind of each row, and λ of each kind."""
    fit.require_converged(even_if_not_converged=go_on)
    base = models[BASE].astype(object).fillna("").astype(str) if BASE in models else pd.Series("", models.index)
    asked = pd.DataFrame({"benchmark": models["benchmark"].astype(str), BASE: base, "flops": models["flops"]})
    if unknown := sorted(set(asked["benchmark"]) - set(fit.cells.benchmarks)):
        raise DataError(f"no benchmark {unknown[0]!r} was fitted; {suggest(unknown[0], fit.cells.benchmarks)}")
    key = asked.groupby(list(asked), sort=False).ngroup().to_numpy()
    kinds = asked[~pd.Series(key, asked.index).duplicated()]
    b = pd.Index(fit.cells.benchmarks).get_indexer(pd.Index(kinds["benchmark"]))
    g = pd.Index(fit.cells.bases).get_indexer(pd.Index(kinds[BASE]))
    size = np.log10(kinds["flops"].to_numpy(float))
    x = (np.clip(size, *fit.cells.span) if clip else size) - MIDDLE
    flat = {str(n): v.stack(sample=("chain", "draw")).transpose("sample", ...).to_numpy() for n, v in
            fit.posterior.items() if {"chain", "draw"} <= set(v.dims)}  # fmt: skip
    moved = period_effect(fit, period, seed).stack(sample=("chain", "draw")).transpose("sample", "benchmark").to_numpy()
    shape = fit.cells.shape[b]
    mean = location({n: flat[n][:, b] for n in OF_LOCATION}, x, shape) + moved[:, b]
    known = g >= 0
    mean = mean + np.where(known, flat["base_effect"][:, np.maximum(g, 0), b], 0.0)
    variance = np.exp(2 * (flat["s"][:, b] + flat["r"][:, b] * x)) + np.where(known, 0.0, flat["base_sd"][:, b] ** 2)
    if "organisation_sd" in flat:
        variance = variance + flat["organisation_sd"][:, b] ** 2
    variance = variance + item_variance(mean, fit.cells.n_items[b], shape)
    return mean, np.sqrt(variance), key, shape
