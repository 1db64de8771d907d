"""The PyMC model of a design: the specification that the compiled density is tested against."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayes_scaling.inference.design import Design, EffectLayout
from bayes_scaling.models.discrepancy import TAILS
from bayes_scaling.models.model import held_at


def build(design: Design) -> pm.Model:
    """Write the design as a PyMC model.

    The free variables come in the order of their positions in the design, so that a point of the one is a point of the
    other.  For every parameter the model holds ``<parameter>_free`` (population, unconstrained) and, for
    every effect, ``<effect>_sd`` and ``<effect>`` (offsets on the unconstrained scale).
    """
    model = design.model
    with pm.Model(coords={g: list(known) for g, known in design.levels.items()}, check_bounds=False) as graph:
        values: dict[str, Any] = {}
        for name, parameter in model.parameters.items():
            values[parameter.free_name] = _population(design, name)
            for layout in design.effects_of(name):
                values[layout.effect.name] = _offsets(layout)
        for part, data in zip(model.responses, design.responses, strict=True):
            mean = model.mean(part, values, data.columns, data.codes)
            distribution, arguments = model.observation(part, mean, values, data.columns, data.codes)
            distribution(part.name, **arguments, observed=data.observed)
    return graph


def _population(design: Design, name: str) -> Any:
    model, parameter = design.model, design.model.parameters[name]
    if not model.has_population(name):
        return pm.math.constant(held_at(model, name))
    return pm.Deterministic(parameter.free_name, parameter.location + parameter.scale * pm.Normal(f"{name}_z"))


def _offsets(layout: EffectLayout) -> Any:
    effect, shape, own = layout.effect, layout.shape, layout.centring
    if not effect.learned:
        return pm.Deterministic(effect.name, effect.spread * pm.Normal(f"{effect.name}_z", shape=shape))
    score = pm.Normal(f"{effect.sd_name}_z")
    sd = pm.Deterministic(effect.sd_name, effect.spread * pm.math.exp(effect.spread_scale * score))
    if layout.size == 0:
        return pm.math.constant(np.zeros(shape))
    if effect.curve:
        part = own / np.arange(1, 1 + effect.shapes)
        heights = pm.Flat(f"{effect.name}_z", shape=shape)
        square = (heights**2 * sd ** (-2 * part)).sum(-1)
        pm.Potential(
            f"{effect.name}_prior",
            -(TAILS + effect.shapes) / 2 * pm.math.log1p(square / TAILS) - part.sum() * pm.math.log(sd),
        )
        return pm.Deterministic(effect.name, sd ** (1 - part) * heights)
    if effect.heavy_tailed:
        z = pm.Flat(f"{effect.name}_z", shape=shape)
        square = z**2 * sd ** (-2 * own)
        pm.Potential(f"{effect.name}_prior", -(TAILS + 1) / 2 * pm.math.log1p(square / TAILS) - own * pm.math.log(sd))
        return pm.Deterministic(effect.name, sd ** (1 - own) * z)
    z = pm.ZeroSumNormal(f"{effect.name}_z", sigma=sd**own, n_zerosum_axes=len(shape), shape=shape)
    return pm.Deterministic(effect.name, sd ** (1 - own) * z)
