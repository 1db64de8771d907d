r"""Discrepancy: how the truth leaves a law, slowly, along the compute of the runs.

A law is a model, not the truth.  Its discrepancy is a curve δ(x) added to a parameter on its unconstrained
scale, x = log10 of the training FLOPs, whose slope wanders: an integrated Wiener process, the prior behind cubic
smoothing splines (Wahba 1978, doi 10.1111/j.2517-6161.1978.tb01050.x),

.. math:: \delta''(x) = \tau\,\dot W(x), \qquad
          \operatorname{Var}[\delta(x_1 + t) \mid \delta(x_1), \delta'(x_1)] = \tau^2 t^3 / 3 .

Within the range of the fitted runs the curve is orthogonal to straight lines, which are the law's own (as in
Plumlee 2017, doi 10.1080/01621459.2016.1211016), and is written in the first shapes of its Karhunen-Loève
expansion; these are what is learned.  Beyond that range it goes on with the slope it has there, and what the
slope does next is drawn when forecasting: no data speak of it, so nothing about it needs sampling.

A law of parameters and tokens is left along both: a model larger than any fitted one lies beyond the runs also with
fewer tokens and no more compute.  Beyond the runs, then, there are two such paths of half the variance each, and a
decade of parameters or of tokens counts as two of compute, so that at one ratio of the two, where C goes as their
square, they amount to the one path along compute.

Some benchmarks leave the law by more than others: every curve has its own amplitude, whose inverse square
is Gamma(ν/2, ν/2).  Integrated out, the heights of the shapes of one curve are a multivariate t with ν
degrees of freedom; given the heights, the amplitude is drawn from its conditional distribution.  What the curves of
different benchmarks do beyond the runs goes together (`TOGETHER`), unless a model has a curve that benchmarks share:
the bands of single benchmarks do not depend on that, those of averages over benchmarks do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from bayes_scaling.data.columns import SIZE, with_role

SHAPES = 3  # 98 % of the variance; finer ones are lost in the scatter of runs
TAILS = 3.0  # degrees of freedom: some benchmarks leave the law by more than others
TOGETHER = 0.5  # correlation between benchmarks of what their curves do beyond the runs: `benchmarks/track_record.py`
COMPUTE = "flops"
SIZES = tuple(name for name in with_role(SIZE) if name != COMPUTE)  # what compute is made of
STRETCH = {COMPUTE: 1.0, **dict.fromkeys(SIZES, 2.0)}  # decades of compute that a decade of a column counts as
CURVE = "curve"  # what a mapping of labels calls the weights of the shapes
LEFT_OUT = 1e-6  # share of the greatest variance of a path beyond the runs that a draw of it may lack
_GRID = 201


@cache
def _unit_shapes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grid on [0, 1], all shapes there (grid, shape) from broad to fine, and their slopes at both ends (end, shape)."""
    u = np.linspace(0.0, 1.0, _GRID)
    early, late = np.minimum.outer(u, u), np.maximum.outer(u, u)
    lines = np.linalg.qr(np.stack([np.ones_like(u), u], axis=1))[0]
    off_lines = np.eye(_GRID) - lines @ lines.T
    variances, directions = np.linalg.eigh(off_lines @ _integrated(early, late) @ off_lines)
    every = (directions * np.sqrt(np.maximum(variances, 0)))[:, ::-1]
    every = every * np.sign(every[-1])
    slopes = np.stack([every[1] - every[0], every[-1] - every[-2]]) * (_GRID - 1)
    return u, every, slopes


def shape_weights(decades: np.ndarray, span: tuple[float, float]) -> np.ndarray:
    """Value of every shape at given compute, for a wandering of 1 per square root of a decade.

    Parameters
    ----------
    decades : (row,) array
        log10 of training FLOPs.
    span : tuple of float
        The least and the most of it among the fitted runs; beyond it shapes go on as straight lines.

    Returns
    -------
    (row, SHAPES) array
    """
    low, high = span
    width = high - low
    if width <= 0:
        return np.zeros((len(decades), SHAPES))
    grid, shapes, slopes = _unit_shapes()
    at = (np.asarray(decades, float) - low) / width
    inside = np.stack([np.interp(at, grid, shape) for shape in shapes[:, :SHAPES].T], axis=1)
    before, after = np.minimum(at, 0)[:, None] * slopes[0], np.maximum(at - 1, 0)[:, None] * slopes[1]
    outside = (before + after)[:, :SHAPES]
    return width**1.5 * (inside + outside)


def t_distributed(size: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw heights of the shapes of new curves for a wandering of 1, shape (…, shape)."""
    return np.sqrt(TAILS / rng.chisquare(TAILS, size[:-1]))[..., None] * rng.normal(size=size)


def amplitudes(heights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw how much more than others curves wander, given the heights of their shapes.

    Parameters
    ----------
    heights : (…, shape) array
        In units of the wandering of the group.
    rng : Generator

    Returns
    -------
    (…) array
    """
    return np.sqrt((TAILS + np.sum(heights**2, axis=-1)) / rng.chisquare(TAILS + heights.shape[-1], heights.shape[:-1]))


def beyond(column: str, values: np.ndarray, span: tuple[float, float]) -> np.ndarray:
    """How far rows lie beyond the fitted runs along a column, in decades of compute; negative below them.

    Parameters
    ----------
    column : str
    values : (row,) array
        FLOPs, parameters or tokens.
    span : tuple of float
        log10 of the least and the most of them among the fitted runs.

    Returns
    -------
    (row,) array
    """
    decades = np.log10(np.asarray(values, float))
    return STRETCH[column] * (np.maximum(decades - span[1], 0) + np.minimum(decades - span[0], 0))


def walks(
    distances: Sequence[np.ndarray],
    width: float,
    curve: np.ndarray,
    family: np.ndarray,
    shapes: int,
    together: float,
    size: tuple[int, ...],
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw what curves do beyond the range of the fitted runs, for a wandering of 1.

    Parameters
    ----------
    distances : sequence of (row,) arrays
        How far rows lie beyond the runs in each direction, see `beyond`; directions share the variance.
    width : float
        Decades of compute that the fitted runs span.
    curve : (row,) int array
        Which curve each row lies on; rows of one curve share its path.
    family : (row,) int array
        Curves of one family go together.
    shapes : int
        How many shapes were learned; the slope that finer ones have at the end of the range is drawn as well.
    together : float
        Correlation of the paths of a family.
    size : tuple of int
        Leading dimensions of the draws.
    rng : Generator

    Returns
    -------
    (*size, row) array
        Zero for rows inside the range.
    """
    unlearned = width * np.sum(_unit_shapes()[2][1, shapes:] ** 2)
    places, of_row = np.unique(np.stack(distances), axis=1, return_inverse=True)
    root = _root(places, unlearned)
    common = {one: rng.normal(size=(*size, len(root))) for one in np.unique(family)}
    out = np.empty((*size, len(curve)))
    for one in np.unique(curve):
        rows = np.flatnonzero(curve == one)
        own, shared = rng.normal(size=(*size, len(root))), common[family[rows[0]]]
        path = np.sqrt(1 - together) * own + np.sqrt(together) * shared
        out[..., rows] = path @ root[:, of_row[rows]]
    return out


def _root(distances: np.ndarray, unlearned: float) -> np.ndarray:
    """Few paths (path, place), a random combination of which is a curve at distances (direction, place).

    A Cholesky factor of their covariance that takes the place of most variance first and stops when `LEFT_OUT` is
    reached (Harbrecht, Peters and Schneider 2012, doi 10.1016/j.apnum.2011.10.001, section 2).
    """
    left = _covariance(distances, distances, unlearned)
    least, root = LEFT_OUT * np.max(left), np.empty((0, len(left)))
    while np.max(left) > least:
        most = np.argmax(left)
        whole = _covariance(distances[:, [most]], distances, unlearned)
        path = (whole - root[:, most] @ root) / np.sqrt(left[most])
        root, left = np.vstack([root, path]), left - path**2
    return root


def _covariance(one: np.ndarray, other: np.ndarray, slope: float) -> np.ndarray:
    """Covariance (place) of a curve at distances (direction, place), its slope at the end of the runs having this."""
    near, far = np.minimum(abs(one), abs(other)), np.maximum(abs(one), abs(other))
    return np.mean(np.where(one * other > 0, _integrated(near, far) + slope * near * far, 0.0), axis=0)


def _integrated(early: np.ndarray, late: np.ndarray) -> np.ndarray:
    """Covariance of an integrated Wiener process that starts at 0 without slope."""
    return early**2 * (3 * late - early) / 6
