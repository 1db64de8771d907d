"""Special functions that compiled densities call, where numba and the C library have none."""

from __future__ import annotations

import math

import numba

OPTIONS = {"nogil": True, "error_model": "numpy", "cache": False}


@numba.njit(**OPTIONS)
def gamma_pair(x):
    """Log gamma function and its derivative for x > 0: recurrence and asymptotic series (DLMF 5.11.1, 5.11.2)."""
    product, slope = 1.0, 0.0
    while x < 8.0:
        slope = slope * x + product  # derivative of the product, so that one division is enough
        product *= x
        x += 1.0
    r, log_x = 1.0 / x, math.log(x)
    y = r * r
    series = r * (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - y * 691 / 360360)))))
    value = (x - 0.5) * log_x - x + 0.9189385332046727 + series
    series = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y * (1 / 132 - y * 691 / 32760)))))
    derivative = log_x - 0.5 * r - series
    if product != 1.0 or slope != 0.0:
        value -= math.log(product)
        derivative -= slope / product
    return value, derivative


@numba.njit(**OPTIONS)
def erfcx(x):
    """exp(x²) erfc(x) for x > −26, by the asymptotic series (DLMF 7.12.1) where erfc nears the smallest number."""
    if x < 20.0:
        return math.exp(x * x) * math.erfc(x)
    y = 0.5 / (x * x)
    return 0.5641895835477563 / x * (1.0 - y * (1.0 - y * (3.0 - y * (15.0 - y * 105.0))))


@numba.njit(**OPTIONS)
def log1mexp(x):
    """log(1 − exp(x)) for x < 0."""
    return math.log(-math.expm1(x)) if x > -0.6931471805599453 else math.log1p(-math.exp(x))


@numba.njit(**OPTIONS)
def softplus(x):
    """log(1 + exp(x)) without overflow."""
    return x if x > 37.0 else math.log1p(math.exp(x))


@numba.njit(**OPTIONS)
def sigmoid(x):
    """1 / (1 + exp(−x))."""
    return 1.0 / (1.0 + math.exp(-x))
