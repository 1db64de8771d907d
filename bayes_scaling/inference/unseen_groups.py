"""Posterior draws for labels that a fit never saw, and for compute that it never saw, drawn from the population."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bayes_scaling.inference.design import Design, EffectLayout
from bayes_scaling.inference.planned_rows import PlannedRows
from bayes_scaling.models.discrepancy import COMPUTE, amplitudes, t_distributed, walks
from bayes_scaling.models.effects import Effect
from bayes_scaling.models.named_arrays import DRAWN

Values = dict[str, xr.Variable]
LEAD = DRAWN[:2]


def extended(design: Design, posterior: xr.Dataset, planned: PlannedRows, rng: np.random.Generator) -> Values:
    """Give every effect a value for all labels of a plan, known or not.

    Parameters
    ----------
    design : Design
    posterior : Dataset over (chain, draw, ...)
    planned : PlannedRows
    rng : Generator

    Returns
    -------
    dict of Variables
        ``<parameter>_free`` over (chain, draw) and every effect over (chain, draw, *group), with the heights of its
        shapes as another axis where it is a curve; then ``<effect>_beyond``, over (chain, draw, row), is what its
        curves do beyond the fitted runs.
    """
    values: Values = {}
    for name, parameter in design.model.parameters.items():
        values[parameter.free_name] = posterior[parameter.free_name].variable
        for layout in design.effects_of(name):
            effect = layout.effect
            known = posterior[effect.name].transpose(*LEAD, *effect.dims).to_numpy()
            sd = posterior[effect.sd_name].to_numpy() if effect.learned else np.asarray(effect.spread)
            if effect.curve:
                values |= _curves(design, layout, known, sd, planned, rng)
            else:
                values[effect.name] = xr.Variable(
                    (*LEAD, *effect.dims), _extend(known, sd, design, effect, planned, rng)
                )
    return values


def _extend(
    known: np.ndarray, sd: np.ndarray, design: Design, effect: Effect, planned: PlannedRows, rng: np.random.Generator
) -> np.ndarray:
    """Append drawn offsets for unseen labels.

    Offsets are measured from the mean of the n known levels, which itself lies sd / sqrt(n) off the
    population: an unseen level has standard deviation sd · sqrt(1 + 1/n).  Those of evaluations are a t around 0.
    """
    shape = tuple(len(planned.labels[c]) for c in effect.group)
    wider = (
        np.prod([np.sqrt(1 + 1 / len(design.levels[c])) for c in effect.group])
        if effect.learned and not effect.heavy_tailed
        else 1.0
    )
    if shape == known.shape[2:] and not effect.between_runs:
        return known
    size = (*known.shape[:2], *shape)
    unit = t_distributed((*size, 1), rng)[..., 0] if effect.heavy_tailed else rng.normal(size=size)
    drawn = np.asarray(sd * wider)[(..., *(None,) * len(shape))] * unit
    return drawn if effect.between_runs else _with_known(drawn, known)


def _with_known(drawn: np.ndarray, known: np.ndarray) -> np.ndarray:
    seen: Any = (..., *(slice(0, n) for n in known.shape[2:]))
    drawn[seen] = known
    return drawn


def _curves(
    design: Design,
    layout: EffectLayout,
    heights: np.ndarray,
    sd: np.ndarray,
    planned: PlannedRows,
    rng: np.random.Generator,
) -> Values:
    """Heights of the curves of an effect, also of unseen labels, and what they do beyond the fitted runs.

    A curve that the design takes for nothing stays so beyond the runs as well.
    """
    effect = layout.effect
    shape, known = tuple(len(planned.labels[c]) for c in effect.group), heights.shape[2:-1]
    sd = sd[(..., *(None,) * (len(shape) + 1))]
    if shape != known:
        heights = _with_known(sd * t_distributed((*heights.shape[:2], *shape, effect.shapes), rng), heights)
    level = tuple(planned.codes[c] for c in effect.group)
    curve, family = planned.numbered(effect.group), planned.numbered([g for g in effect.group if g != "benchmark"])
    width, size = float(np.ptp(design.spans[COMPUTE])), heights.shape[:2]
    path = walks(list(planned.beyond), width, curve, family, effect.shapes, design.together(effect), size, rng)
    scale = sd[..., 0] * amplitudes(heights / sd, rng)
    if layout.size == 0:
        scale = _with_known(scale, np.zeros((1, 1, *known)))
    beyond = path * (scale[(..., *level)] if level else scale[..., None])
    return {
        effect.name: xr.Variable((*LEAD, *effect.dims), heights),
        effect.beyond_name: xr.Variable(DRAWN, beyond),
    }
