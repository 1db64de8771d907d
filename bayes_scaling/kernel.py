"""The part of every log density that is the same for all models, as compiled functions.

A density is: a flat point → populations and effects (standard normal scores, zero-sum effects, learned
standard deviations) → for every head the value of its parameters in every cell (combination of levels)
→ the density of its rows (compiled from the law itself, see `rows`) → back by the chain rule.

Everything a density reads lies in one buffer of 8-byte words, passed by address and seen both as
integers (``i``) and as floats (``f``); `pack` in `density` writes it.  Header words:

0 dimensions · 1 parameters · 2 effects · 3 heads · 4, 5, 6 where their tables start · 7 words in all ·
8 where the whitening starts, or 0 if there is none.
Parameter table: position, location, scale.  Effect table: see `EFFECT`.  Head table: see `HEAD`.
"""

from __future__ import annotations

import math

import numba

from bayes_scaling.specials import OPTIONS, sigmoid

# Effect table columns
# (a learned effect whose ZERO_SUM is 0 is made of curves: a row per curve, whose columns are the heights of its shapes)
PARAMETER, ROWS, COLS, ZERO_SUM, SD_AT, SPREAD, SPREAD_SCALE, CENTRING, START, OUT, TAILS, EFFECT = range(12)
# Head table: numbers of rows, parameters and data columns, where its parameter table and data start, cells
N_ROWS, N_PARAMS, N_DATA, PARAMS, DATA, CELLS, HEAD = range(7)
# Parameter of a head: which one, support, number of cells and where they start among those of the head,
# where the cell of every row stands, number of links and where they start.  A link is an effect, where
# the offset of every cell stands among those of the effect, and where its weights stand, or 0 for weights 1.
WHICH, SUPPORT, N_CELLS, CELL_AT, ROW_CELLS, N_LINKS, LINKS, PARAM = range(8)
LINK = 3
REAL, POSITIVE, UNIT = range(3)


@numba.njit(fastmath={"reassoc", "contract"}, **OPTIONS)
def unwhiten(f, at, n, white, point):
    """Fill ``point`` = centre + L white; the columns of the lower triangle L follow the centre."""
    for r in range(n):
        point[r] = f[at + r]
    column = at + n
    for c in range(n):
        for r in range(c, n):
            point[r] += f[column + r - c] * white[c]
        column += n - c


@numba.njit(fastmath={"reassoc", "contract"}, **OPTIONS)
def whiten_slope(f, at, n, slope, white_slope):
    """Fill ``white_slope`` = Lᵀ slope."""
    column = at + n
    for c in range(n):
        total = 0.0
        for r in range(c, n):
            total += f[column + r - c] * slope[r]
        white_slope[c] = total
        column += n - c


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
    for k in range(i[2]):
        e = i[5] + k * EFFECT
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
    for k in range(i[2]):
        e = i[5] + k * EFFECT
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
def populations(i, f, point, grad, values):
    """Fill ``values`` with the population of every parameter; return their log prior."""
    lp = 0.0
    for p in range(i[1]):
        at = i[i[4] + 3 * p]
        location, scale = f[i[4] + 3 * p + 1], f[i[4] + 3 * p + 2]
        values[p] = location
        if at >= 0:
            values[p] += scale * point[at]
            grad[at] -= point[at]
            lp -= 0.5 * point[at] * point[at]
    return lp


@numba.njit(**OPTIONS)
def cells_forward(i, f, h, values, effects, theta, rate):
    """Fill ``theta`` with every parameter of a head in every cell, and ``rate`` with its slope in the offset."""
    for s in range(i[h + N_PARAMS]):
        p = i[h + PARAMS] + s * PARAM
        for cell in range(i[p + CELL_AT], i[p + CELL_AT] + i[p + N_CELLS]):
            theta[cell] = values[i[p + WHICH]]
        for k in range(i[p + N_LINKS]):
            link = i[p + LINKS] + LINK * k
            out, codes, weights = i[i[5] + i[link] * EFFECT + OUT], i[link + 1], i[link + 2]
            for c in range(i[p + N_CELLS]):
                weight = f[weights + c] if weights > 0 else 1.0
                theta[i[p + CELL_AT] + c] += weight * effects[out + i[codes + c]]
        for cell in range(i[p + CELL_AT], i[p + CELL_AT] + i[p + N_CELLS]):
            rate[cell] = 1.0
            if i[p + SUPPORT] == POSITIVE:
                rate[cell] = theta[cell] = math.exp(theta[cell])
            elif i[p + SUPPORT] == UNIT:
                theta[cell] = sigmoid(theta[cell])
                rate[cell] = theta[cell] * (1.0 - theta[cell])


@numba.njit(**OPTIONS)
def cells_backward(i, f, h, slope_theta, rate, slope, grad):
    """Carry the slope in every cell of a head back to the offsets and populations that it came from."""
    for s in range(i[h + N_PARAMS]):
        p = i[h + PARAMS] + s * PARAM
        total = 0.0
        for cell in range(i[p + CELL_AT], i[p + CELL_AT] + i[p + N_CELLS]):
            slope_theta[cell] *= rate[cell]
            total += slope_theta[cell]
        population = i[4] + 3 * i[p + WHICH]
        if i[population] >= 0:
            grad[i[population]] += f[population + 2] * total
        for k in range(i[p + N_LINKS]):
            link = i[p + LINKS] + LINK * k
            out, codes, weights = i[i[5] + i[link] * EFFECT + OUT], i[link + 1], i[link + 2]
            for c in range(i[p + N_CELLS]):
                weight = f[weights + c] if weights > 0 else 1.0
                slope[out + i[codes + c]] += weight * slope_theta[i[p + CELL_AT] + c]


@numba.njit(**OPTIONS)
def count_offsets(i):
    """Number of offsets of all effects together."""
    n = 0
    for k in range(i[2]):
        e = i[5] + k * EFFECT
        n += i[e + ROWS] * i[e + COLS]
    return n


@numba.njit(**OPTIONS)
def all_finite(lp, grad):
    """Whether a density and its gradient can be used by the sampler."""
    ok = math.isfinite(lp)
    for j in range(grad.size):
        ok = ok and math.isfinite(grad[j])
    return ok


@numba.cfunc(
    numba.types.int64(
        numba.types.uint64,
        numba.types.uint64,
        numba.types.CPointer(numba.types.double),
        numba.types.CPointer(numba.types.double),
        numba.types.voidptr,
    ),
    cache=True,
)
def copy_point(n_dim, n_expanded, point_, out_, words_):
    """Keep the unconstrained point of a draw as it is; `layout.expand` translates all draws at once."""
    for j in range(n_dim):
        out_[j] = point_[j]
    return 0
