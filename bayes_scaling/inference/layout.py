"""Where every quantity of a design lies in one flat unconstrained point, and what a point means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayes_scaling.inference.design import Design
from bayes_scaling.models.effects import NOISE_GROUPS, SPREAD_SCALE, Effect
from bayes_scaling.models.model import Model

NOWHERE = -1  # position of a quantity that is not learned


@dataclass(frozen=True)
class Slot:
    """Positions of one parameter, or of one effect, in the unconstrained point.

    Attributes
    ----------
    at : int
        Position of a population's standard score, or that of an effect's standard deviation.
    start, size : int
        Range of an effect's free coordinates.
    """

    at: int
    start: int = 0
    size: int = 0


def slots(design: Design) -> tuple[dict[str, Slot], int]:
    """Assign positions to parameters and effects by name; return them and the number of dimensions."""
    found, n = {}, 0
    for name in design.model.parameters:
        learned = design.model.has_population(name)
        found[name] = Slot(n if learned else NOWHERE)
        n += learned
        for effect in design.model.effects(name):
            size = design.free_size(effect)
            found[effect.name] = Slot(n if effect.learned else NOWHERE, n + effect.learned, size)
            n += effect.learned + size
    return found, n


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
    where, _ = slots(design)
    out: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    lead = ("chain", "draw")
    for name in design.model.parameters:
        out[f"{name}_free"] = (lead, _population(design, name, where[name], points))
        for effect in design.model.effects(name):
            slot = where[effect.name]
            if effect.learned:
                out[f"{effect.name}_sd"] = (lead, spread(effect, slot, points))
            dims = (*lead, *effect.group, *([f"{effect.name}_shape"] if effect.curve else []))
            out[effect.name] = (dims, offsets(design, effect, slot, points))
    coords = {g: list(known) for g, known in design.levels.items()}
    dataset = xr.Dataset(out, coords={**coords, "chain": range(points.shape[0]), "draw": range(points.shape[1])})
    return dataset.assign({name: constrained(design, name, dataset) for name in design.model.parameters})


def spread_positions(design: Design) -> np.ndarray:
    """Positions of the standard scores of all learned spreads."""
    where, _ = slots(design)
    effects = [e for name in design.model.parameters for e in design.model.effects(name) if e.learned]
    return np.array([where[e.name].at for e in effects], dtype=int)


def read_by_users(model: Model) -> list[str]:
    """Variables of the posterior that carry a verdict: values, populations and spreads, not offsets."""
    names = []
    for name in model.parameters:
        spreads = [f"{e.name}_sd" for e in model.effects(name) if e.learned]
        names += [name, *([f"{name}_free"] if model.has_population(name) else []), *spreads]
    return names


def constrained(design: Design, name: str, posterior: xr.Dataset) -> xr.DataArray:
    """Value of a parameter in the units of its law, over every column that it varies by."""
    total = posterior[f"{name}_free"]
    for effect in design.model.effects(name):
        if not (effect.curve or set(effect.group) & set(NOISE_GROUPS)):
            total = total + posterior[effect.name]
    parameter = design.model.parameters[name]
    return parameter.support.constrain(total).assign_attrs(meaning=parameter.meaning)


def _population(design: Design, name: str, slot: Slot, points: np.ndarray) -> np.ndarray:
    parameter = design.model.parameters[name]
    if slot.at != NOWHERE:
        return parameter.location + parameter.scale * points[..., slot.at]
    fixed = design.model.fixed
    value = parameter.support.free(fixed[name]) if name in fixed else parameter.location
    return np.full(points.shape[:-1], value)


def offsets(design: Design, effect: Effect, slot: Slot, points: np.ndarray) -> np.ndarray:
    """Offsets of an effect, shape (…, *levels), from unconstrained points."""
    shape = design.shape(effect)
    free = points[..., slot.start : slot.start + slot.size]
    if not effect.learned:
        return effect.spread * free.reshape(*points.shape[:-1], *shape)
    if slot.size == 0:
        return np.zeros((*points.shape[:-1], *shape))
    sd = spread(effect, slot, points)[(..., *(None,) * len(shape))]
    if effect.curve:
        finer = np.arange(1, 1 + effect.shapes)
        return sd ** (1 - design.centring(effect) / finer) * free.reshape(*points.shape[:-1], *shape)
    free = free.reshape(*points.shape[:-1], *(n - 1 for n in shape))
    for axis in range(-len(shape), 0):
        free = _extend(free, axis)
    return sd ** (1 - design.centring(effect)) * free


def spread(effect: Effect, slot: Slot, points: np.ndarray) -> np.ndarray:
    """Standard deviation of a learned effect, shape (…), from unconstrained points."""
    return effect.spread * np.exp(SPREAD_SCALE * points[..., slot.at])


def _extend(free: np.ndarray, axis: int) -> np.ndarray:
    """Map n − 1 free coordinates to n that sum to zero, keeping lengths (as PyMC's ZeroSumNormal does)."""
    n = free.shape[axis] + 1
    total = free.sum(axis, keepdims=True)
    shift = total / (np.sqrt(n) + n)
    return np.concatenate([free, shift - total / np.sqrt(n)], axis) - shift
