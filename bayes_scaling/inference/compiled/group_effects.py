"""The part of every log density that concerns differences between groups, as compiled functions.

Three kinds have a learned standard deviation: zero-sum offsets, curves along compute (see `discrepancy`), and
differences between evaluations, which have heavy tails as curves have.
Offsets of one kind or without one stand in a flat array, in the order of the effect table; `kernel` adds them up.
"""

from __future__ import annotations

import math

import numba

from bayes_scaling.inference.compiled import words as w
from bayes_scaling.inference.compiled.special_functions import OPTIONS

# Effect table columns
# (a learned effect whose ZERO_SUM is 0 has heavy tails: a row per curve, whose columns are the heights of its shapes,
# or a row per evaluation, which has one column)
PARAMETER, ROWS, COLS, ZERO_SUM, SD_AT, SPREAD, SPREAD_SCALE, CENTRING, START, OUT, TAILS, EFFECT = range(12)


@numba.njit(**OPTIONS)
def extend(free, start, rows, cols, out, at):
    """Write the zero-sum effects (rows, cols) of free coordinates (rows − 1, cols − 1)."""
    inner = max(cols - 1, 1)
    size = math.sqrt(rows) + rows
    for c in range(inner):
        total = 0.0
        for r in range(rows - 1):
            total += free[start + r * inner + c]
        shift = total / size
        for r in range(rows - 1):
            out[at + r * cols + c] = free[start + r * inner + c] - shift
        out[at + (rows - 1) * cols + c] = -total / math.sqrt(rows)
    if cols > 1:
        size = math.sqrt(cols) + cols
        for r in range(rows):
            total = 0.0
            for c in range(cols - 1):
                total += out[at + r * cols + c]
            shift = total / size
            for c in range(cols - 1):
                out[at + r * cols + c] -= shift
            out[at + r * cols + cols - 1] = -total / math.sqrt(cols)


@numba.njit(**OPTIONS)
def pull_back(slope, at, rows, cols, scale, grad, start):
    """Add the slope of the density with respect to the free coordinates of `extend` (its transpose)."""
    inner = max(cols - 1, 1)
    if cols > 1:
        size = math.sqrt(cols) + cols
        for r in range(rows):
            total = 0.0
            for c in range(cols - 1):
                total += slope[at + r * cols + c]
            fall = total / size + slope[at + r * cols + cols - 1] / math.sqrt(cols)
            for c in range(cols - 1):
                slope[at + r * cols + c] -= fall
    size = math.sqrt(rows) + rows
    for c in range(inner):
        total = 0.0
        for r in range(rows - 1):
            total += slope[at + r * cols + c]
        fall = total / size + slope[at + (rows - 1) * cols + c] / math.sqrt(rows)
        for r in range(rows - 1):
            grad[start + r * inner + c] += scale * (slope[at + r * cols + c] - fall)


@numba.njit(**OPTIONS)
def effects_forward(i, f, point, grad, effects):
    """Fill ``effects`` with all offsets; return the log prior of the point, and add its slope to ``grad``."""
    lp = 0.0
    for k in range(i[w.N_EFFECTS]):
        e = i[w.EFFECT_TABLE] + k * EFFECT
        rows, cols, out, start, sd_at = i[e + ROWS], i[e + COLS], i[e + OUT], i[e + START], i[e + SD_AT]
        if sd_at < 0:
            for j in range(rows * cols):
                z = point[start + j]
                effects[out + j] = f[e + SPREAD] * z
                grad[start + j] -= z
                lp -= 0.5 * z * z
            continue
        log_sd = log_spread(f, e, point[sd_at])
        lp -= 0.5 * point[sd_at] * point[sd_at]
        grad[sd_at] -= point[sd_at]
        if i[e + ZERO_SUM] == 0:
            lp += curves_forward(i, f, e, log_sd, point, grad, effects)
            continue
        dof = free_size(i, e)
        if dof == 0:
            for j in range(rows * cols):
                effects[out + j] = 0.0
            continue
        own = f[e + CENTRING]
        precision = math.exp(-2.0 * own * log_sd)
        square = 0.0
        for j in range(dof):
            z = point[start + j]
            square += z * z
            grad[start + j] -= precision * z
        lp -= 0.5 * precision * square + dof * own * log_sd
        grad[sd_at] += f[e + SPREAD_SCALE] * own * (precision * square - dof)
        extend(point, start, rows, cols, effects, out)
        scale = math.exp((1.0 - own) * log_sd)
        for j in range(rows * cols):
            effects[out + j] *= scale
    return lp


@numba.njit(**OPTIONS)
def curves_forward(i, f, e, log_sd, point, grad, effects):
    """Write the heights (rows, cols) of curves, each row a multivariate t; return their log prior."""
    lp, tails, at = 0.0, f[e + TAILS], i[e + START]
    cols, sd_at = i[e + COLS], i[e + SD_AT]
    for _row in range(i[e + ROWS]):
        square, own_square, own_sum = 0.0, 0.0, 0.0
        for c in range(at, at + cols):
            own = f[e + CENTRING] / (1 + c - at)
            effects[i[e + OUT] + c - i[e + START]] = math.exp((1.0 - own) * log_sd) * point[c]
            part = math.exp(-2.0 * own * log_sd) * point[c] * point[c]
            square += part
            own_square += own * part
            own_sum += own
        pull = (tails + cols) / (tails + square)
        lp -= 0.5 * (tails + cols) * math.log1p(square / tails) + own_sum * log_sd
        grad[sd_at] += f[e + SPREAD_SCALE] * (pull * own_square - own_sum)
        for c in range(at, at + cols):
            grad[c] -= pull * math.exp(-2.0 * f[e + CENTRING] / (1 + c - at) * log_sd) * point[c]
        at += cols
    return lp


@numba.njit(**OPTIONS)
def curves_backward(i, f, e, point, grad, effects, slope):
    """Add the slope of the density with respect to spread and heights of curves."""
    cols, out, sd_at = i[e + COLS], i[e + OUT], i[e + SD_AT]
    log_sd = log_spread(f, e, point[sd_at])
    for j in range(i[e + ROWS] * cols):
        rest = 1.0 - f[e + CENTRING] / (1 + j % cols)
        grad[sd_at] += f[e + SPREAD_SCALE] * rest * slope[out + j] * effects[out + j]
        grad[i[e + START] + j] += math.exp(rest * log_sd) * slope[out + j]


@numba.njit(**OPTIONS)
def log_spread(f, e, score):
    """Log standard deviation of an effect from its standard score."""
    return math.log(f[e + SPREAD]) + f[e + SPREAD_SCALE] * score


@numba.njit(**OPTIONS)
def free_size(i, e):
    """Number of free coordinates of the effect whose table row starts at ``e``."""
    if i[e + ZERO_SUM] == 1:
        return i[e + ROWS] - 1
    return (i[e + ROWS] - 1) * (i[e + COLS] - 1)


@numba.njit(**OPTIONS)
def effects_backward(i, f, point, grad, effects, slope):
    """Add to ``grad`` what ``slope``, the slope of the density over all offsets, implies for the point."""
    for k in range(i[w.N_EFFECTS]):
        e = i[w.EFFECT_TABLE] + k * EFFECT
        rows, cols, out, start, sd_at = i[e + ROWS], i[e + COLS], i[e + OUT], i[e + START], i[e + SD_AT]
        if sd_at < 0:
            for j in range(rows * cols):
                grad[start + j] += f[e + SPREAD] * slope[out + j]
        elif i[e + ZERO_SUM] == 0:
            curves_backward(i, f, e, point, grad, effects, slope)
        elif free_size(i, e) > 0:
            own = f[e + CENTRING]
            along = 0.0
            for j in range(rows * cols):
                along += slope[out + j] * effects[out + j]
            grad[sd_at] += f[e + SPREAD_SCALE] * (1.0 - own) * along
            scale = math.exp((1.0 - own) * log_spread(f, e, point[sd_at]))
            pull_back(slope, out, rows, cols, scale, grad, start)


@numba.njit(**OPTIONS)
def count_offsets(i):
    """Number of offsets of all effects together."""
    n = 0
    for k in range(i[w.N_EFFECTS]):
        e = i[w.EFFECT_TABLE] + k * EFFECT
        n += i[e + ROWS] * i[e + COLS]
    return n
