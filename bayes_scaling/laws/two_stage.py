r"""Two stages: laws of the loss, and what a benchmark makes of a loss.

A model with a response model for the loss and one for the accuracy, both behind the same law of the loss, learns the
two stages together: the measured losses tell the first, and what they leave open widens the forecast of
the scores.  ``loss = "loss_power_law"`` and ``accuracy = "loss_power_law > loss_logistic > accuracy"``.
"""

from __future__ import annotations

from bayes_scaling.laws import ops
from bayes_scaling.laws.basic import FLOOR_SHIFT, floor_near
from bayes_scaling.laws.ops import Numbers
from bayes_scaling.laws.parameters import positive, real, unit
from bayes_scaling.laws.registry import C0, D0, N0, law

L0 = 3.0  # a loss near that of the reference run [nats per token]
SHARPNESS = 20.0  # of the two bends with which a straight line stays between 0 and 1

_AT_REFERENCE = positive(2.0, 4.5, "loss [nats per token] at 1B parameters and 20B tokens", spread=0.1)
_IRREDUCIBLE = unit(0.2, 0.8, "share of that loss that no scale removes", spread=0.2)


@law(gives="loss")
def loss_power_law(
    flops: Numbers,
    *,
    loss_at_reference: Numbers = _AT_REFERENCE,
    irreducible: Numbers = _IRREDUCIBLE,
    alpha: Numbers = positive(0.05, 0.4, "compute exponent of the reducible loss", spread=0.15),
) -> Numbers:
    r"""Loss from training compute alone, at one ratio of tokens to parameters.

    .. math:: L = E + R\,(C / 10^{20})^{-\alpha}, \quad E = s\,L_{ref},\ R = (1 - s)\,L_{ref}

    The two-stage baseline of Krajewski et al. 2025 (arXiv 2512.08894) with the irreducible loss of
    Hoffmann et al. 2022 (arXiv 2203.15556), written relative to the loss of the reference run.
    """
    return loss_at_reference * (irreducible + (1 - irreducible) * ops.exp(-alpha * ops.log(flops / C0)))


@law(gives="loss")
def loss_params_tokens(
    params: Numbers,
    tokens: Numbers,
    *,
    loss_at_reference: Numbers = _AT_REFERENCE,
    irreducible: Numbers = _IRREDUCIBLE,
    share: Numbers = unit(0.15, 0.85, "share of the reducible loss that is due to model size", spread=0.2),
    alpha: Numbers = positive(0.15, 0.8, "size exponent of the reducible loss", spread=0.15),
    beta: Numbers = positive(0.15, 0.8, "data exponent of the reducible loss", spread=0.15),
) -> Numbers:
    r"""Loss from model size and training tokens, at any ratio of the two.

    .. math:: L = E + R\,[s\,(N / 10^{9})^{-\alpha} + (1 - s)\,(D / 2\cdot 10^{10})^{-\beta}]

    Hoffmann et al. 2022 (arXiv 2203.15556), Eq. 2, as in Bhagia et al. 2024 (arXiv 2412.04403), step 1, with
    the three scales written as the loss of the reference run, its irreducible share E / (E + R), and s.
    """
    size = share * ops.exp(-alpha * ops.log(params / N0))
    reducible = size + (1 - share) * ops.exp(-beta * ops.log(tokens / D0))
    return loss_at_reference * (irreducible + (1 - irreducible) * reducible)


@law
def loss_logistic(
    loss: Numbers,
    *,
    level: Numbers = real(-3.0, 2.0, "log odds of a right answer beyond guessing at a loss of 3 nats", spread=1.0),
    steepness: Numbers = positive(0.8, 6.0, "log odds gained per nat of loss", spread=0.3),
) -> Numbers:
    r"""Accuracy that climbs an S-shaped curve as the loss falls.

    .. math:: Q' = \sigma(level - k\,(L - 3)), \quad k = steepness

    Bhagia et al. 2024 (arXiv 2412.04403), step 2: with `ceiling` and `accuracy` behind it this is their
    a / (1 + exp(−k (L − L0))) + b, with its midpoint L0 = 3 + level / k written as a level.
    """
    return ops.softplus(steepness * (loss - L0) - level)


@law(gives="score")
def loss_linear(
    loss: Numbers,
    chance: Numbers,
    *,
    level: Numbers = real(0.0, 0.8, "chance-corrected accuracy at a loss of 3 nats", spread=0.2),
    slope: Numbers = positive(0.15, 0.9, "chance-corrected accuracy gained per nat of loss", spread=0.3),
    floor_shift: Numbers = FLOOR_SHIFT,
) -> Numbers:
    r"""Score along a straight line in the loss, between a floor near chance and one.

    .. math:: Q = F + (1 - F)\,u, \quad u = level - slope\,(L - 3)

    The linear two-stage baseline Q = a + b L of Krajewski et al. 2025 (arXiv 2512.08894).  The line is bent
    smoothly where it would leave the range from the floor to 1.
    """
    u = SHARPNESS * (level - slope * (loss - L0))
    inside = (ops.softplus(u) - ops.softplus(u - SHARPNESS)) / SHARPNESS
    floor = floor_near(chance, floor_shift)
    return floor + (1 - floor) * inside
