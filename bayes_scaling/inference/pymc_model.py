"""The PyMC model of a design: the specification that the compiled density is tested against."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayes_scaling.inference.design import Design
from bayes_scaling.models.discrepancy import TAILS
from bayes_scaling.models.effects import SPREAD_SCALE, Effect


def build(design: Design) -> pm.Model:
    """Write the design as a PyMC model.

    The free variables come in the order of `layout.slots`, so that a point of the one is a point of the
    other.  For every parameter the model holds ``<parameter>_free`` (population, unconstrained) and, for
    every effect, ``<effect>_sd`` and ``<effect>`` (offsets on the unconstrained scale).
    """
    model = design.model
    with pm.Model(coords={g: list(known) for g, known in design.levels.items()}, check_bounds=False) as graph:
        values: dict[str, Any] = {}
        for name in model.parameters:
            values[f"{name}_free"] = _population(design, name)
            for effect in model.effects(name):
                values[effect.name] = _offsets(design, effect)
        for head, data in zip(model.heads, design.heads, strict=True):
            mean = model.mean(head, values, data.columns, data.codes)
            distribution, arguments = model.observation(head, mean, values, data.columns, data.codes)
            distribution(head.response, **arguments, observed=data.observed)
    return graph


def _population(design: Design, name: str) -> Any:
    model, parameter = design.model, design.model.parameters[name]
    if name in model.fixed:
        return pm.math.constant(parameter.support.free(model.fixed[name]))
    if not model.has_population(name):
        return pm.math.constant(parameter.location)
    return pm.Deterministic(f"{name}_free", parameter.location + parameter.scale * pm.Normal(f"{name}_z"))


def _offsets(design: Design, effect: Effect) -> Any:
    shape = design.shape(effect)
    if not effect.learned:
        return pm.Deterministic(effect.name, effect.spread * pm.Normal(f"{effect.name}_z", shape=shape))
    score = pm.Normal(f"{effect.name}_sd_z")
    sd = pm.Deterministic(f"{effect.name}_sd", effect.spread * pm.math.exp(SPREAD_SCALE * score))
    if design.free_size(effect) == 0:
        return pm.math.constant(np.zeros(shape))
    own = design.centring(effect)
    if effect.curve:
        part = own / np.arange(1, 1 + effect.shapes)
        heights = pm.Flat(f"{effect.name}_z", shape=shape)
        square = (heights**2 * sd ** (-2 * part)).sum(-1)
        pm.Potential(
            f"{effect.name}_prior",
            -(TAILS + effect.shapes) / 2 * pm.math.log1p(square / TAILS) - part.sum() * pm.math.log(sd),
        )
        return pm.Deterministic(effect.name, sd ** (1 - part) * heights)
    z = pm.ZeroSumNormal(f"{effect.name}_z", sigma=sd**own, n_zerosum_axes=len(shape), shape=shape)
    return pm.Deterministic(effect.name, sd ** (1 - own) * z)
