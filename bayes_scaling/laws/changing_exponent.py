"""Laws whose exponent changes with compute: at one break, slowly everywhere, or broken on the score itself.

Each is anchored at the reference run, as all laws are, and continues as a power law of either side: an
exponent that changes within the data goes on changing by no more than it learned there.
"""

from __future__ import annotations

from bayes_scaling.laws import ops
from bayes_scaling.laws.ops import Numbers
from bayes_scaling.laws.parameters import positive, real, unit
from bayes_scaling.laws.registry import C0, law

DECADE, LOG2 = 2.302585092994046, 0.6931471805599453  # log(10), log(2)
SHARPNESS = 6.0  # of the bend with which a score that grows as a power stops at 1


@law
def broken_power_law(
    flops: Numbers,
    *,
    A: Numbers = positive(0.2, 8.0, "negative log accuracy at 1e20 FLOPs", spread=0.7),
    alpha: Numbers = positive(0.08, 0.6, "compute exponent well below the break", spread=0.3),
    after: Numbers = positive(0.5, 2.0, "exponent well above the break over that below it", spread=0.2),
    break_at: Numbers = real(
        -1.0, 1.0, "decades of compute beyond 1e20 FLOPs at which the exponent changes", spread=0.3
    ),
    width: Numbers = positive(0.2, 0.6, "decades of compute over which the exponent changes", spread=0.2),
) -> Numbers:
    r"""Accuracy from training compute with an exponent that changes once, at a break.

    .. math:: -\log Q' = A\,(C / 10^{20})^{-\alpha}
        \left[\frac{1 + (C/d)^{1/f}}{1 + (10^{20}/d)^{1/f}}\right]^{-(after - 1)\,\alpha f},
        \quad d = 10^{20 + break\_at},\ f = width \cdot \log(10) / 2

    The smoothly broken power law of Caballero et al. 2022 (arXiv 2210.14891), Eq. 1 with one break and
    without a limit, for −log Q′ in place of the score: there it is a power law on both sides, and c1 is
    (after − 1) α.  It is divided by its value at the reference run, so that A keeps its meaning.
    """
    x, d, f = ops.log(flops / C0), DECADE * break_at, DECADE / 2 * width
    beyond = f * (ops.softplus((x - d) / f) - ops.softplus(-d / f))
    return A * ops.exp(-alpha * (x + (after - 1) * beyond))


@law
def curved_power_law(
    flops: Numbers,
    *,
    A: Numbers = positive(0.2, 8.0, "negative log accuracy at 1e20 FLOPs", spread=0.7),
    alpha: Numbers = positive(0.08, 0.6, "compute exponent at 1e20 FLOPs", spread=0.3),
    curvature: Numbers = real(-0.5, 0.5, "how much of its exponent a law loses far beyond 1e20 FLOPs", spread=0.15),
    bend: Numbers = positive(
        1.5, 6.0, "decades of compute over which the exponent does most of its change", spread=0.2
    ),
) -> Numbers:
    r"""Accuracy from training compute with an exponent that changes slowly, the same way over all sizes.

    .. math:: -\frac{d \log(-\log Q')}{d x} = \alpha\,[1 - t \tanh(x / w)], \quad
        t = \tanh(curvature),\ x = \log(C / 10^{20}),\ w = bend \cdot \log(10)

    which integrates to −log Q′ = A exp(−α [x − t w log cosh(x / w)]).  The first curved term of a local
    expansion of Krajewski et al. 2025 (arXiv 2512.08894), Eq. 2, kept within limits: the exponent stays
    between α (1 − |t|) and α (1 + |t|), so that more compute never lowers the score, however far.
    """
    x, w = ops.log(flops / C0), DECADE * bend
    t = 2 * ops.expit(2 * curvature) - 1
    log_cosh = ops.softplus(2 * x / w) - x / w - LOG2
    return A * ops.exp(-alpha * (x - t * w * log_cosh))


@law
def bnsl(
    flops: Numbers,
    *,
    level: Numbers = unit(0.05, 0.9, "chance-corrected accuracy at 1e20 FLOPs, were it not bounded by 1", spread=0.7),
    growth: Numbers = positive(0.08, 0.5, "exponent with which accuracy grows at 1e20 FLOPs", spread=0.3),
    slowing: Numbers = unit(0.15, 0.85, "share of the exponent below the break that is lost above it", spread=0.3),
    break_at: Numbers = real(-1.0, 1.0, "decades of compute beyond 1e20 FLOPs at which growth slows", spread=0.3),
    width: Numbers = positive(0.3, 1.0, "decades of compute over which growth slows", spread=0.2),
) -> Numbers:
    r"""Score that grows as a power of compute, at first fast and after a break slowly.

    .. math:: Q = a + b\,C^{-c_0}\,(1 + (C/d_1)^{1/f_1})^{-c_1 f_1}

    Caballero et al. 2022 (arXiv 2210.14891), Eq. 1 with one break, on the raw score as Krajewski et al.
    2025 (arXiv 2512.08894) fit it.  Here a is the floor, that `accuracy` puts below, and b / (1 − a) follows
    from level, the rest of Q − a over 1 − a at the reference run; −c0 > 0 is the exponent well below the
    break and c1 = −slowing · c0, so that c0 follows from growth, the exponent at the reference run, which
    the data know better.  A power grows beyond every bound: u = (Q − a) / (1 − a) is bent to
    u (1 + u⁶)^(−1/6), which differs from u by less than 1 % below 0.6 and never exceeds 1.
    """
    x, d, f = ops.log(flops / C0), DECADE * break_at, DECADE / 2 * width
    beyond = f * (ops.softplus((x - d) / f) - ops.softplus(-d / f))
    below = growth / (1 - slowing * ops.expit(-d / f))
    log_u = ops.log(level) + below * (x - slowing * beyond)
    return ops.softplus(-SHARPNESS * log_u) / SHARPNESS
