r"""Published estimators: what their authors fit, to which rows, on which scale and by which algorithm.

An estimator is one stage or two.  A stage fits a law to the score or to the loss of the runs of one
benchmark on one mixture; a second stage reads the measured loss when it is fitted, and the loss that the
first stage forecasts when it forecasts.  Sizes enter relative to the reference run of `laws`
(1e20 FLOPs, 1B parameters, 20B tokens), so a coefficient A of a paper is A · C0^α here; the fit is the same.

Symbols as in the papers: Q the score, Q′ = (Q − chance) / (1 − chance), C, N, D and k as in `columns`.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from bayes_scaling.evaluation.baselines.solvers import Law, hopping, huber, linear, squares
from bayes_scaling.evaluation.baselines.stages import (
    ABOVE_ZERO,
    CLEARLY_ABOVE,
    LOGARITHM,
    RAW,
    RAW_ABOVE,
    Estimator,
    Scale,
    Stage,
)
from bayes_scaling.laws.ops import Numbers
from bayes_scaling.laws.registry import C0, D0, N0


def power_law(flops: Numbers, log_A: Numbers, alpha: Numbers) -> Numbers:
    """Log negative log accuracy from compute: log A − α log C, Krajewski et al. 2025, Eq. 2."""
    return log_A - alpha * np.log(flops / C0)


def params_tokens(
    params: Numbers, tokens: Numbers, log_A: Numbers, log_B: Numbers, alpha: Numbers, beta: Numbers
) -> Numbers:
    """Log negative log accuracy from size and data: log(A / N^α + B / D^β), Krajewski et al. 2025, Eq. 4.

    Runs at one ratio of tokens to parameters cannot tell the two terms apart; several ratios are needed.
    """
    return np.log(np.exp(log_A - alpha * np.log(params / N0)) + np.exp(log_B - beta * np.log(tokens / D0)))


def repeated_sampling(
    flops: Numbers, k: Numbers, log_A: Numbers, alpha: Numbers, beta: Numbers, delta: Numbers
) -> Numbers:
    """Log negative log pass@k: log A + α log C + β log k + δ log C log k, Krajewski et al. 2025, Eq. 5."""
    size, tries = np.log(flops / C0), np.log(k)
    return log_A + alpha * size + beta * tries + delta * size * tries


def broken_power_law(
    flops: Numbers, a: Numbers, b: Numbers, c0: Numbers, c1: Numbers, log_d1: Numbers, log_f1: Numbers
) -> Numbers:
    """Score with one break: a + b C^(−c0) (1 + (C / d1)^(1 / f1))^(−c1 f1), Caballero et al. 2022, Eq. 1.

    A few dozen runs hardly identify six coefficients: optima of all but equal loss can forecast far apart.
    """
    size, width = np.log(flops / C0), np.exp(log_f1)
    turn = (size - log_d1) / width
    rise = np.where(np.real(turn) > 30, turn, np.log1p(np.exp(turn)))
    return a + b * np.exp(-c0 * size - c1 * width * rise)


def capped_power_law(flops: Numbers, log_A: Numbers, alpha: Numbers, log_E: Numbers) -> Numbers:
    """Log negative log accuracy below a ceiling: log(A / C^α + E), Krajewski et al. 2025, App. L."""
    return np.log(np.exp(power_law(flops, log_A, alpha)) + np.exp(log_E))


def loss_of_compute(flops: Numbers, log_L0: Numbers, alpha_N: Numbers) -> Numbers:
    """Log loss (C / C_N)^α_N, as Krajewski et al. 2025 use it; L0 is the loss at 1e20 FLOPs and α_N negative."""
    return log_L0 + alpha_N * np.log(flops / C0)


def loss_of_params_tokens(
    params: Numbers, tokens: Numbers, log_E: Numbers, log_A: Numbers, log_B: Numbers, alpha: Numbers, beta: Numbers
) -> Numbers:
    """Log loss log(E + A / N^α + B / D^β), Bhagia et al. 2024, Eq. 1 (from Hoffmann et al. 2022)."""
    return np.log(np.exp(log_E) + np.exp(params_tokens(params, tokens, log_A, log_B, alpha, beta)))


def loss_of_one_exponent(
    params: Numbers, tokens: Numbers, E: Numbers, log_A: Numbers, log_B: Numbers, eta: Numbers
) -> Numbers:
    """Loss E + (a M^η + b M^(−η)) C^(−η) with M = D / N and C = 6 N D, Gadre et al. 2024, Eq. 4.

    In N and D this is E + A N^(−2η) + B D^(−2η): both exponents are one.
    """
    return E + np.exp(params_tokens(params, tokens, log_A, log_B, 2 * eta, 2 * eta))


def line(loss: Numbers, a: Numbers, b: Numbers) -> Numbers:
    """Score that is linear in the loss: a + b L.

    It has no floor, so it is fitted to the rows that Eq. 2 takes; its authors do not say which they take.
    """
    return a + b * loss


def logistic(loss: Numbers, a: Numbers, L0: Numbers, kappa: Numbers, b: Numbers) -> Numbers:
    """Score that is logistic in the loss: b + a / (1 + exp(−κ (L − L0)))."""
    return b + a / (1 + np.exp(-kappa * (loss - L0)))


def decay(loss: Numbers, epsilon: Numbers, kappa: Numbers, gamma: Numbers) -> Numbers:
    """Score 1 − (ε − κ exp(−γ L)), Gadre et al. 2024, Eq. 5."""
    return 1 - epsilon + kappa * np.exp(-gamma * loss)


def level(flops: Numbers, mean: Numbers) -> Numbers:
    """The same score at every size."""
    return mean + 0 * flops


def _grid(*axes: Numbers) -> np.ndarray:
    return np.array(list(product(*axes)))


def _linear(law: Law, inputs: str, coefficients: str, scale: Scale = RAW, response: str = "score") -> Stage:
    names = tuple(coefficients.split())
    return Stage(law, tuple(inputs.split()), names, linear, lambda *_: np.zeros((1, len(names))), scale, response)


def _size_and_data(params: Numbers, tokens: Numbers, observed: Numbers) -> np.ndarray:
    """81 starts, as many as Krajewski et al. 2025 take."""
    scales = np.median(observed) + np.array([-2.0, -1.0, 0.0])
    return _grid(scales, scales, (0.1, 0.3, 0.6), (0.1, 0.3, 0.6))


def _below_ceiling(flops: Numbers, observed: Numbers) -> np.ndarray:
    """81 starts again."""
    middle = np.median(observed)
    return _grid(middle + np.array([-1.0, 0.0, 1.0]), (0.1, 0.3, 0.6), middle - np.linspace(0.3, 7.0, 9))


def _broken(flops: Numbers, observed: Numbers) -> np.ndarray:
    """Saturating towards 1, and rising from the lowest score."""
    size, low = np.log(flops / C0), observed.min()
    slope = [(1.0, observed.mean() - 1.0, 0.1, 0.2), (low, observed.mean() - low, -0.1, 0.1)]
    return np.array([(*s, np.quantile(size, q), 0.0) for s in slope for q in (0.3, 0.7)])


def _chinchilla(params: Numbers, tokens: Numbers, observed: Numbers) -> np.ndarray:
    least = observed.min()
    return np.array([(least + np.log(e), *rest) for e in (0.4, 0.8) for rest in _loss_starts(np.exp(least) * (1 - e))])


def _one_exponent(params: Numbers, tokens: Numbers, observed: Numbers) -> np.ndarray:
    least = observed.min()
    starts = [(least * e, *rest[:3]) for e in (0.0, 0.4, 0.8) for rest in _loss_starts(least * (1 - e))]
    return np.array(starts) * [1, 1, 1, 0.5]


def _loss_starts(reducible: float) -> np.ndarray:
    scale = np.log(reducible / 2)
    return np.array([(scale, scale, rate, rate) for rate in (0.1, 0.3, 0.5)])


def _logistic(loss: Numbers, observed: Numbers) -> np.ndarray:
    low, rise = observed.min(), np.ptp(observed)
    return np.array([(1.3 * rise, m, -s, low) for m in np.quantile(loss, [0.1, 0.5]) for s in (2.0, 6.0)])


def _ladder(loss: Numbers, observed: Numbers) -> np.ndarray:
    """From the authors' own starts, among them (least − 1, 0.9, 3, 1)."""
    low = observed.min()
    return np.array([(low - 1, 0.9, 3.0, 1.0), (-0.7, 0.6, 7.0, 1.0), (low - 1, loss[:-1].mean(), 3.0, 1.0)])


def _decay(loss: Numbers, observed: Numbers) -> np.ndarray:
    """For each of several γ the best ε and κ."""
    starts = []
    for gamma in (0.3, 1.0, 3.0):
        slope, height = np.polyfit(np.exp(-gamma * loss), observed, 1)
        starts.append((1 - height, slope, gamma))
    return np.array(starts)


KRAJEWSKI = "Krajewski et al. 2025 (arXiv 2512.08894)"
ANY, NOT_NEGATIVE, UNIT = (-np.inf, np.inf), (0.0, np.inf), (0.0, 1.0)
LOSS = _linear(loss_of_compute, "flops", "log_L0 alpha_N", LOGARITHM, "loss")
CHINCHILLA = Stage(
    loss_of_params_tokens,
    ("params", "tokens"),
    ("log_E", "log_A", "log_B", "alpha", "beta"),
    huber,
    _chinchilla,
    LOGARITHM,
    "loss",
    bounds=(ANY, ANY, ANY, NOT_NEGATIVE, NOT_NEGATIVE),
)
ONE_EXPONENT = Stage(
    loss_of_one_exponent, ("params", "tokens"), ("E", "log_A", "log_B", "eta"), squares, _one_exponent, response="loss"
)
LOGISTIC = ("a", "L0", "kappa", "b")
BREAK = ((-1.0, 2.0), (-3.0, 3.0), (-2.0, 2.0), (-3.0, 3.0), (-15.0, 15.0), (-3.0, 3.0))

BASELINES: dict[str, Estimator] = {
    "direct": Estimator((_linear(power_law, "flops", "log_A alpha", CLEARLY_ABOVE),), f"{KRAJEWSKI}, Eq. 2"),
    "params_tokens": Estimator(
        (
            Stage(
                params_tokens,
                ("params", "tokens"),
                ("log_A", "log_B", "alpha", "beta"),
                huber,
                _size_and_data,
                CLEARLY_ABOVE,
            ),
        ),
        f"{KRAJEWSKI}, Eq. 4",
    ),
    "repeated_sampling": Estimator(
        (_linear(repeated_sampling, "flops k", "log_A alpha beta delta", ABOVE_ZERO),), f"{KRAJEWSKI}, Eq. 5"
    ),
    "bnsl": Estimator(
        (
            Stage(
                broken_power_law,
                ("flops",),
                ("a", "b", "c0", "c1", "log_d1", "log_f1"),
                hopping,
                _broken,
                bounds=BREAK,
            ),
        ),
        "Caballero et al. 2022 (arXiv 2210.14891), Eq. 1",
    ),
    "ceiling": Estimator(
        (Stage(capped_power_law, ("flops",), ("log_A", "alpha", "log_E"), huber, _below_ceiling, CLEARLY_ABOVE),),
        f"{KRAJEWSKI}, App. L",
    ),
    "two_stage_linear": Estimator((LOSS, _linear(line, "loss", "a b", RAW_ABOVE)), f"{KRAJEWSKI}, two-stage linear"),
    "two_stage_logistic": Estimator(
        (LOSS, Stage(logistic, ("loss",), LOGISTIC, squares, _logistic)), f"{KRAJEWSKI}, two-stage logistic"
    ),
    "olmo_ladder": Estimator(
        (
            CHINCHILLA,
            Stage(
                logistic,
                ("loss",),
                LOGISTIC,
                squares,
                _ladder,
                bounds=((-1.0, 0.0), NOT_NEGATIVE, NOT_NEGATIVE, UNIT),
                ideal=(0.0, 1.0),
            ),
        ),
        "Bhagia et al. 2024 (arXiv 2412.04403), Eqs. 1 and 2",
    ),
    "gadre": Estimator(
        (ONE_EXPONENT, Stage(decay, ("loss",), ("epsilon", "kappa", "gamma"), squares, _decay)),
        "Gadre et al. 2024 (arXiv 2403.08540), Eqs. 4 and 5",
    ),
}


def mean_of_scores(like: Estimator) -> Estimator:
    """The mean of all scores, for a benchmark on which an estimator has too few rows to fit."""
    return Estimator((_linear(level, like.inputs[0], "mean"),), "mean of the runs")
