r"""Laws: how the expected score of a run follows from its size.

A law gives the negative log accuracy h = −log Q′ (Q′ is accuracy corrected for chance), relative to a
reference run, because there the laws of the field are power laws.  Modifiers act on h, and `accuracy`
turns h into a score.  A model chains them: ``"power_law > ceiling > accuracy"``.

Adding a law: write one function here, or in another module that `all_laws` lists (positional arguments are
columns of the runs, keyword-only arguments are parameters whose default is their prior) and decorate it
with ``@law``.
"""

from __future__ import annotations

from bayes_scaling.laws import ops
from bayes_scaling.laws.ops import Numbers
from bayes_scaling.laws.parameters import positive, real, unit
from bayes_scaling.laws.registry import C0, C_LEAST, D0, N0, law


@law
def power_law(
    flops: Numbers,
    *,
    A: Numbers = positive(0.2, 8.0, "negative log accuracy at 1e20 FLOPs", spread=0.7),
    alpha: Numbers = positive(0.08, 0.6, "compute exponent", spread=0.3),
) -> Numbers:
    r"""Accuracy from training compute alone, at one ratio of tokens to parameters.

    .. math:: -\log Q' = A\,(C / 10^{20})^{-\alpha}

    Krajewski et al. 2025 (arXiv 2512.08894), Eq. 2.
    """
    return A * ops.exp(-alpha * ops.log(flops / C0))


@law
def params_tokens(
    params: Numbers,
    tokens: Numbers,
    *,
    A: Numbers = positive(0.2, 8.0, "negative log accuracy at 1B parameters and 20B tokens", spread=0.7),
    share: Numbers = unit(0.15, 0.85, "share of A that is due to model size", spread=0.7),
    alpha: Numbers = positive(0.15, 1.2, "size exponent", spread=0.3),
    beta: Numbers = positive(0.15, 1.2, "data exponent", spread=0.3),
) -> Numbers:
    r"""Accuracy from model size and training tokens, at any ratio of the two.

    .. math:: -\log Q' = A\,[s\,(N / 10^{9})^{-\alpha} + (1 - s)\,(D / 2\cdot 10^{10})^{-\beta}]

    Krajewski et al. 2025 (arXiv 2512.08894), Eq. 4, with its two scales written as a total and a share,
    which the data inform separately.
    """
    size = share * ops.exp(-alpha * ops.log(params / N0))
    return A * (size + (1 - share) * ops.exp(-beta * ops.log(tokens / D0)))


@law
def repeated_sampling(
    flops: Numbers,
    k: Numbers,
    *,
    A: Numbers = positive(1.0, 10.0, "negative log pass@1 at 1e20 FLOPs", spread=0.5),
    alpha: Numbers = positive(0.05, 0.5, "compute exponent at k = 1", spread=0.3),
    beta: Numbers = positive(0.06, 0.5, "exponent of k at 1e20 FLOPs", spread=0.3),
    delta: Numbers = unit(0.1, 0.9, "share of the exponent of k that came with the last three decades of compute"),
) -> Numbers:
    r"""pass@k from training compute and the number of tries, each of which is worth more to a larger model.

    .. math:: \log h = \log A - \alpha x - \beta\,\Big(1 + \delta\,\frac{x}{x_0}\Big) \log k, \quad
              x = \log(C / 10^{20}), \quad x_0 = \log(10^{20} / 10^{17})

    Krajewski et al. 2025 (arXiv 2512.08894), Eq. 5, whose δ is here β δ / x₀.  With positive parameters and
    δ < 1 pass@k rises with compute and with k wherever k ≥ 1 and C ≥ 1e17 FLOPs; below, x in the bracket
    stays that of 1e17, so that it rises there as well.
    """
    x, least = ops.log(flops / C0), ops.log(C0 / C_LEAST)
    return A * ops.exp(-alpha * x - beta * (1 + delta * ops.maximum(x / least, -1.0)) * ops.log(k))


@law
def run_shift(
    neglog: Numbers, *, shift: Numbers = real(-0.05, 0.05, "how much harder everything is for this run")
) -> Numbers:
    r"""A run that is a little better or worse at everything: h · exp(shift)."""
    return neglog * ops.exp(shift)


@law
def ceiling(
    neglog: Numbers, *, E: Numbers = positive(0.01, 0.1, "negative log of the best reachable accuracy", spread=0.2)
) -> Numbers:
    r"""A best reachable accuracy below one, for items with a wrong label: h + E, so that Q′ ≤ exp(−E).

    Krajewski et al. 2025 (arXiv 2512.08894), App. L; the prior holds the 6.5 % of wrong labels found in
    MMLU (Gema et al. 2024, arXiv 2406.04127).
    """
    return neglog + E


FLOOR_SHIFT = real(-0.15, 0.15, "log odds of the floor beyond those of chance", spread=0.2)


def floor_near(chance: Numbers, floor_shift: Numbers) -> Numbers:
    """Score that is reached without any skill: the chance level with its log odds shifted, 0 where chance is 0."""
    return chance / (chance + (1 - chance) * ops.exp(-floor_shift))


@law(gives="score")
def pass_rate(neglog: Numbers) -> Numbers:
    r"""Score where guessing does not help, as with tested code and open answers: exp(−h)."""
    return ops.exp(-neglog)


@law(gives="score")
def accuracy(
    neglog: Numbers,
    chance: Numbers,
    *,
    floor_shift: Numbers = FLOOR_SHIFT,
) -> Numbers:
    r"""Score from negative log accuracy, above a floor near the structural chance level.

    .. math:: Q = F + (1 - F)\,e^{-h}, \quad \operatorname{logit} F = \operatorname{logit} chance + shift

    F is exactly 0 where chance is 0 (generative benchmarks).  With shift 0 this inverts the chance
    correction of Krajewski et al. 2025 (arXiv 2512.08894), Eq. 3.
    """
    floor = floor_near(chance, floor_shift)
    return floor + (1 - floor) * ops.exp(-neglog)
