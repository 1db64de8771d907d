"""Where every quantity of a design lies in one flat unconstrained point, and what a point means."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayes_scaling.inference.design import NOWHERE, Design, EffectLayout
from bayes_scaling.models.model import Model, held_at


def expand(design: Design, points: np.ndarray) -> xr.Dataset:
    """Translate unconstrained points to the variables of the posterior.

    Parameters
    ----------
    design : Design
    points : (chain, draw, dimension) float array

    Returns
    -------
    Dataset over (chain, draw, …): ``<parameter>_free`` (population, unconstrained scale), ``<effect>_sd``,
    ``<effect>`` (offsets over the effect's columns; for curves the heights of their shapes) and
    ``<parameter>`` (in the units of the law, over every column that it varies by, differences between runs and
    discrepancies left out).
    """
    out: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    lead = ("chain", "draw")
    for name, parameter in design.model.parameters.items():
        out[parameter.free_name] = (lead, _population(design, name, points))
        for layout in design.effects_of(name):
            if layout.effect.learned:
                out[layout.effect.sd_name] = (lead, spread(layout, points))
            out[layout.effect.name] = ((*lead, *layout.effect.dims), offsets(layout, points))
    coords = {g: list(known) for g, known in design.levels.items()}
    dataset = xr.Dataset(out, coords={**coords, "chain": range(points.shape[0]), "draw": range(points.shape[1])})
    return dataset.assign({name: constrained(design, name, dataset) for name in design.model.parameters})


def spread_positions(design: Design) -> np.ndarray:
    """Positions of the standard scores of all learned spreads."""
    return np.array([e.spread_at for e in design.effects.values() if e.effect.learned], dtype=int)


def read_by_users(model: Model) -> list[str]:
    """Variables of the posterior that carry a verdict: values, populations and spreads, not offsets."""
    names = []
    for name in model.parameters:
        spreads = [effect.sd_name for effect in model.effects(name) if effect.learned]
        names += [name, *([model.parameters[name].free_name] if model.has_population(name) else []), *spreads]
    return names


def constrained(design: Design, name: str, posterior: xr.Dataset) -> xr.DataArray:
    """Value of a parameter in the units of its law, over every column that it varies by."""
    parameter = design.model.parameters[name]
    total = posterior[parameter.free_name]
    for effect in design.model.effects(name):
        if not (effect.curve or effect.between_runs):
            total = total + posterior[effect.name]
    return parameter.support.constrain(total).assign_attrs(meaning=parameter.meaning)


def _population(design: Design, name: str, points: np.ndarray) -> np.ndarray:
    parameter, at = design.model.parameters[name], design.populations[name]
    if at != NOWHERE:
        return parameter.location + parameter.scale * points[..., at]
    return np.full(points.shape[:-1], held_at(design.model, name))


def offsets(layout: EffectLayout, points: np.ndarray) -> np.ndarray:
    """Offsets of an effect, shape (…, *levels), from unconstrained points."""
    effect, shape, lead = layout.effect, layout.shape, points.shape[:-1]
    free = points[..., layout.start : layout.stop]
    if not effect.learned:
        return effect.spread * free.reshape(*lead, *shape)
    if layout.size == 0:
        return np.zeros((*lead, *shape))
    sd = spread(layout, points)[(..., *(None,) * len(shape))]
    if effect.curve:
        finer = np.arange(1, 1 + effect.shapes)
        return sd ** (1 - layout.centring / finer) * free.reshape(*lead, *shape)
    if effect.heavy_tailed:
        return sd ** (1 - layout.centring) * free.reshape(*lead, *shape)
    free = free.reshape(*lead, *(n - 1 for n in shape))
    for axis in range(-len(shape), 0):
        free = _extend(free, axis)
    return sd ** (1 - layout.centring) * free


def spread(layout: EffectLayout, points: np.ndarray) -> np.ndarray:
    """Standard deviation of a learned effect, shape (…), from unconstrained points."""
    return layout.effect.spread * np.exp(layout.effect.spread_scale * points[..., layout.spread_at])


def _extend(free: np.ndarray, axis: int) -> np.ndarray:
    """Map n − 1 free coordinates to n that sum to zero, keeping lengths (as PyMC's ZeroSumNormal does)."""
    n = free.shape[axis] + 1
    total = free.sum(axis, keepdims=True)
    shift = total / (np.sqrt(n) + n)
    return np.concatenate([free, shift - total / np.sqrt(n)], axis) - shift
