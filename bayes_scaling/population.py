"""Posterior draws for labels that a fit never saw, drawn from the population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.design import places
from bayes_scaling.discrepancy import SHAPES, walks
from bayes_scaling.fitting import Fit
from bayes_scaling.model import NOISE_GROUPS, Effect

Values = dict[str, np.ndarray]
Codes = dict[str, np.ndarray]


def extended(fit: Fit, plan: pd.DataFrame, rng: np.random.Generator) -> tuple[Values, Codes]:
    """Give every label of a plan a place, and every effect a value there.

    Returns
    -------
    values : dict
        ``<parameter>_free`` of shape (chain, draw) and every effect of shape (chain, draw, *labels).
    codes : dict
        Column -> position of each row's label along that axis, shape (row,).
    """
    posterior = fit.posterior
    labels = {g: _labels(g, known, plan) for g, known in fit.design.levels.items()}
    codes = places(plan, labels, fit.design.span)
    values: Values = {}
    for name in fit.model.parameters:
        values[f"{name}_free"] = posterior[f"{name}_free"].to_numpy()
        for effect in fit.model.effects(name):
            known = posterior[effect.name].to_numpy()
            sd = posterior[f"{effect.name}_sd"].to_numpy() if effect.learned else effect.spread
            values[effect.name] = _extend(known, sd, effect, fit.design.levels, labels, rng)
            if effect.curve:
                values[f"{effect.name}_beyond"] = _beyond(fit, effect, sd, plan, codes, rng)
    return values, codes


def _beyond(
    fit: Fit, effect: Effect, sd: np.ndarray | float, plan: pd.DataFrame, codes: Codes, rng: np.random.Generator
) -> np.ndarray:
    """What the curves of an effect do beyond the compute of the fitted runs, shape (chain, draw, row)."""
    curve = np.zeros(len(plan), int)
    for column in effect.group:
        curve = curve * (codes[column].max() + 1) + codes[column]
    assert fit.design.span is not None
    size = (fit.posterior.sizes["chain"], fit.posterior.sizes["draw"])
    drawn = walks(np.log10(plan["flops"].to_numpy(float)), fit.design.span, curve, size, rng)
    return np.asarray(sd)[..., None] * drawn


def _labels(group: str, known: tuple[str, ...], plan: pd.DataFrame) -> tuple[str, ...]:
    """Known labels first, then those that only the plan has; planned runs are always new ones."""
    planned = tuple(dict.fromkeys(plan[group].astype(str)))
    return planned if group in NOISE_GROUPS else (*known, *(p for p in planned if p not in known))


def _extend(
    known: np.ndarray,
    sd: np.ndarray | float,
    effect: Effect,
    levels: Mapping[str, tuple[str, ...]],
    labels: Mapping[str, tuple[str, ...]],
    rng: np.random.Generator,
) -> np.ndarray:
    """Append drawn offsets for unseen labels.

    Offsets are measured from the mean of the n known levels, which itself lies sd / sqrt(n) off the
    population: an unseen level has standard deviation sd · sqrt(1 + 1/n).
    """
    shape = (*(len(labels[c]) for c in effect.group), *([SHAPES] if effect.curve else []))
    zero_sum = effect.learned and not effect.curve
    wider = np.prod([np.sqrt(1 + 1 / len(levels[c])) for c in effect.group]) if zero_sum else 1.0
    if shape == known.shape[2:] and not set(effect.group) & set(NOISE_GROUPS):
        return known
    scale = np.asarray(sd * wider)[(..., *(None,) * len(shape))]
    out = scale * rng.normal(size=(*known.shape[:2], *shape))
    if not set(effect.group) & set(NOISE_GROUPS):
        seen: Any = (..., *(slice(0, n) for n in known.shape[2:]))
        out[seen] = known
    return out
