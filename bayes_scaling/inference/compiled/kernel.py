"""The part of every log density that is the same for all models, as compiled functions.

A density is: a flat point → populations and effects (standard normal scores, zero-sum effects, learned
standard deviations) → for every response model the value of its parameters in every cell (combination of levels)
→ the density of its rows (compiled from the law itself, see `row_code`) → back by the chain rule.

Everything a density reads lies in one buffer of 8-byte words, passed by address and seen both as
integers (``i``) and as floats (``f``); `packing` writes it.  Its header and the parameter table are described in
`words`, the effect table in `group_effects`, the response table below.
"""

from __future__ import annotations

import math

import numba

from bayes_scaling.inference.compiled import words as w
from bayes_scaling.inference.compiled.group_effects import EFFECT, OUT
from bayes_scaling.inference.compiled.special_functions import OPTIONS, sigmoid

# A row of the response table: numbers of rows, parameters and data columns, where its parameter table and data start,
# and the number of its cells.
N_ROWS, N_PARAMS, N_DATA, PARAMS, DATA, CELLS, RESPONSE_ROW = range(7)
# Parameter of a response: which one, support, number of cells and where they start among those of the response, where
# the cell of every row stands, number of links and where they start.  A link is an effect, where the offset of every
# cell stands among those of the effect, and where its weights stand, or 0 for weights 1.
WHICH, SUPPORT, N_CELLS, CELL_AT, ROW_CELLS, N_LINKS, LINKS, PARAM = range(8)
LINK = 3
REAL, POSITIVE, UNIT = range(3)


@numba.njit(fastmath={"reassoc", "contract"}, **OPTIONS)
def unwhiten(f, at, n, white, point):
    """Fill ``point`` = centre + L white; the rows of the lower triangle L follow the centre.

    A row is a slice: an index that might be negative would keep the compiler from using wide instructions.
    """
    row = at + n
    for r in range(n):
        factor, total = f[row : row + r + 1], f[at + r]
        for c in range(r + 1):
            total += factor[c] * white[c]
        point[r] = total
        row += r + 1


@numba.njit(fastmath={"reassoc", "contract"}, **OPTIONS)
def whiten_slope(f, at, n, slope, white_slope):
    """Fill ``white_slope`` = Lᵀ slope."""
    for c in range(n):
        white_slope[c] = 0.0
    row = at + n
    for r in range(n):
        factor, own = f[row : row + r + 1], slope[r]
        for c in range(r + 1):
            white_slope[c] += factor[c] * own
        row += r + 1


@numba.njit(**OPTIONS)
def populations(i, f, point, grad, values):
    """Fill ``values`` with the population of every parameter; return their log prior."""
    lp = 0.0
    for p in range(i[w.N_PARAMETERS]):
        row = i[w.PARAMETER_TABLE] + p * w.PARAMETER_ROW
        at, location, scale = i[row + w.POSITION], f[row + w.LOCATION], f[row + w.SCALE]
        values[p] = location
        if at >= 0:
            values[p] += scale * point[at]
            grad[at] -= point[at]
            lp -= 0.5 * point[at] * point[at]
    return lp


@numba.njit(**OPTIONS)
def cells_forward(i, f, h, values, effects, theta, rate):
    """Fill ``theta`` with every parameter of a response in every cell, and ``rate`` with its slope in the offset."""
    for s in range(i[h + N_PARAMS]):
        p = i[h + PARAMS] + s * PARAM
        for cell in range(i[p + CELL_AT], i[p + CELL_AT] + i[p + N_CELLS]):
            theta[cell] = values[i[p + WHICH]]
        for k in range(i[p + N_LINKS]):
            link = i[p + LINKS] + LINK * k
            out, codes, weights = i[i[w.EFFECT_TABLE] + i[link] * EFFECT + OUT], i[link + 1], i[link + 2]
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
    """Carry the slope in every cell of a response model back to the offsets and populations that it came from."""
    for s in range(i[h + N_PARAMS]):
        p = i[h + PARAMS] + s * PARAM
        total = 0.0
        for cell in range(i[p + CELL_AT], i[p + CELL_AT] + i[p + N_CELLS]):
            slope_theta[cell] *= rate[cell]
            total += slope_theta[cell]
        population = i[w.PARAMETER_TABLE] + i[p + WHICH] * w.PARAMETER_ROW
        if i[population + w.POSITION] >= 0:
            grad[i[population + w.POSITION]] += f[population + w.SCALE] * total
        for k in range(i[p + N_LINKS]):
            link = i[p + LINKS] + LINK * k
            out, codes, weights = i[i[w.EFFECT_TABLE] + i[link] * EFFECT + OUT], i[link + 1], i[link + 2]
            for c in range(i[p + N_CELLS]):
                weight = f[weights + c] if weights > 0 else 1.0
                slope[out + i[codes + c]] += weight * slope_theta[i[p + CELL_AT] + c]


@numba.njit(**OPTIONS)
def all_finite(lp, grad):
    """Whether a density and its gradient can be used by the sampler."""
    ok = math.isfinite(lp)
    for j in range(grad.size):
        ok = ok and math.isfinite(grad[j])
    return ok
