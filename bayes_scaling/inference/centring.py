"""How far each effect is parametrised by itself rather than by its standard score: what decides how well it samples."""

from __future__ import annotations

from collections.abc import Mapping

from bayes_scaling.models.effects import EVALUATION, NOISE_GROUPS, Effect
from bayes_scaling.models.model import Model

FEW_LEVELS = 5
CURVE_CENTRING = 0.75


def centring(effect: Effect, model: Model, levels: Mapping[str, tuple[str, ...]]) -> float:
    """Say how far an effect is parametrised by itself (1) rather than by its standard score (0).

    Between the two, the closer to 1 the more the rows say about every level.  `benchmarks/parametrisation.py`
    compares these numbers with one for all effects; those of curves, losses and pass@k are what let the
    registered models converge on the shipped data.

    Parameters
    ----------
    effect : Effect
    model : Model
    levels : mapping
        Column -> labels that the fitted rows have there.
    """
    if EVALUATION in model.groups and not effect.curve:
        return 1.0  # pass@k says much about every level: several k, or hundreds of problems, an evaluation
    if set(effect.group) & set(NOISE_GROUPS):
        return 0.0
    if effect.curve:
        return CURVE_CENTRING
    if any(effect.parameter in part.parameters for part in model.responses if part.response.exact):
        return 1.0
    if len(effect.group) == 1 and len(levels[effect.group[0]]) < FEW_LEVELS:
        return 0.5
    if len(effect.group) > 1 or effect.parameter in model.of_noise:
        return 0.5
    return 0.7 if effect.parameter in model.of_laws else 0.8
