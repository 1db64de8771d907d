"""Posterior draws for labels that a fit never saw, and for compute that it never saw, drawn from the population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.inference.design import Design, places
from bayes_scaling.models.discrepancy import COMPUTE, amplitudes, beyond, t_distributed, walks
from bayes_scaling.models.effects import NOISE_GROUPS, Effect

Values = dict[str, np.ndarray]
Codes = dict[str, np.ndarray]


def extended(
    design: Design, posterior: xr.Dataset, plan: pd.DataFrame, rng: np.random.Generator
) -> tuple[Values, Codes]:
    """Give every label of a plan a place, and every effect a value there.

    Returns
    -------
    values : dict
        ``<parameter>_free`` of shape (chain, draw) and every effect of shape (chain, draw, *labels), with the heights
        of its shapes as another axis where it is a curve; then ``<effect>_beyond``, (chain, draw, row), is what
        its curves do beyond the fitted runs.
    codes : dict
        Column -> position of each row's label along that axis, shape (row,), and weights (see `design.places`).
    """
    labels = {g: _labels(g, known, plan) for g, known in design.levels.items()}
    codes = places(plan, labels, design.spans)
    values: Values = {}
    for name in design.model.parameters:
        values[f"{name}_free"] = posterior[f"{name}_free"].to_numpy()
        for effect in design.model.effects(name):
            sd = posterior[f"{effect.name}_sd"].to_numpy() if effect.learned else np.asarray(effect.spread)
            if effect.curve:
                values |= _curves(design, effect, posterior[effect.name].to_numpy(), sd, plan, labels, codes, rng)
            else:
                known = posterior[effect.name].to_numpy()
                values[effect.name] = _extend(known, sd, effect, design.levels, labels, rng)
    return values, codes


def _labels(group: str, known: tuple[str, ...], plan: pd.DataFrame) -> tuple[str, ...]:
    """Known labels first, then those that only the plan has; planned runs are always new ones."""
    planned = tuple(dict.fromkeys(plan[group].astype(str)))
    return planned if group in NOISE_GROUPS else (*known, *(p for p in planned if p not in known))


def _extend(
    known: np.ndarray,
    sd: np.ndarray,
    effect: Effect,
    levels: Mapping[str, tuple[str, ...]],
    labels: Mapping[str, tuple[str, ...]],
    rng: np.random.Generator,
) -> np.ndarray:
    """Append drawn offsets for unseen labels.

    Offsets are measured from the mean of the n known levels, which itself lies sd / sqrt(n) off the
    population: an unseen level has standard deviation sd · sqrt(1 + 1/n).
    """
    shape = tuple(len(labels[c]) for c in effect.group)
    wider = np.prod([np.sqrt(1 + 1 / len(levels[c])) for c in effect.group]) if effect.learned else 1.0
    if shape == known.shape[2:] and not set(effect.group) & set(NOISE_GROUPS):
        return known
    drawn = np.asarray(sd * wider)[(..., *(None,) * len(shape))] * rng.normal(size=(*known.shape[:2], *shape))
    return drawn if set(effect.group) & set(NOISE_GROUPS) else _with_known(drawn, known)


def _with_known(drawn: np.ndarray, known: np.ndarray) -> np.ndarray:
    seen: Any = (..., *(slice(0, n) for n in known.shape[2:]))
    drawn[seen] = known
    return drawn


def _curves(
    design: Design,
    effect: Effect,
    heights: np.ndarray,
    sd: np.ndarray,
    plan: pd.DataFrame,
    labels: Mapping[str, tuple[str, ...]],
    codes: Codes,
    rng: np.random.Generator,
) -> Values:
    """Heights of the curves of an effect, also of unseen labels, and what they do beyond the fitted runs.

    A curve that the design takes for nothing stays so beyond the runs as well.
    """
    shape, known = tuple(len(labels[c]) for c in effect.group), heights.shape[2:-1]
    sd = sd[(..., *(None,) * (len(shape) + 1))]
    if shape != known:
        heights = _with_known(sd * t_distributed((*heights.shape[:2], *shape, effect.shapes), rng), heights)
    level = tuple(codes[c] for c in effect.group)
    among = [g for g in effect.group if g != "benchmark"]
    curve, family = (_numbered(group, labels, codes, len(plan)) for group in (effect.group, among))
    distances = [beyond(c, plan[c].to_numpy(float), design.spans[c]) for c in design.model.leaves_along]
    width, size = float(np.ptp(design.spans[COMPUTE])), heights.shape[:2]
    path = walks(distances, width, curve, family, effect.shapes, size, rng)
    scale = sd[..., 0] * amplitudes(heights / sd, rng)
    if design.free_size(effect) == 0:
        scale = _with_known(scale, np.zeros((1, 1, *known)))
    return {effect.name: heights, f"{effect.name}_beyond": path * (scale[(..., *level)] if level else scale[..., None])}


def _numbered(group: Sequence[str], labels: Mapping[str, tuple[str, ...]], codes: Codes, rows: int) -> np.ndarray:
    """Number the combinations of labels of some columns, shape (row,)."""
    shape = [len(labels[c]) for c in group]
    return np.ravel_multi_index([codes[c] for c in group], shape) if group else np.zeros(rows, int)
