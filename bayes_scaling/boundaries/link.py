r"""The scale on which scores of released models are normal: the log odds, or a skewed relative of them.

.. math:: h_\lambda(y) = -\log\frac{y^{-\lambda} - 1}{\lambda}

is the log odds for λ = 1 and −log(−log y) for λ → 0 (the mirrored family of Aranda-Ordaz 1981, doi
10.1093/biomet/68.2.357).  The smaller λ is, the more it draws in low scores: many fine-tuned models score far below
what their base model could, and few far above.  λ is the most probable one of each benchmark under a normal prior, with
a parabola in log10 C and one variance.  Models of one base model are alike, so that all scores together count as many
as there are base models.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from bayes_scaling.laws.ops import Numbers

SHAPES = (-2.0, 3.0)  # between these it is looked for
SHAPE, SHAPE_SD = 1.0, 0.25  # its prior
LEAST = 1e-3  # |λ|; nearer to 0 the formula is not computed as such
DEEPEST = 1e-12  # the least score of which the inverse speaks


def link(score: Numbers, shape: Numbers, xp: Any = np) -> Any:
    """h of scores.

    Parameters
    ----------
    score : array
        Between 0 and 1, both excluded.
    shape : array
        λ.
    xp : module
        NumPy, or PyTensor's ``tensor``.

    Examples
    --------
    >>> float(link(0.5, 1.0)), round(float(link(0.9, 1.0)), 3)
    (-0.0, 2.197)
    """
    return -xp.log(xp.expm1(-shape * xp.log(score)) / shape)


def inverse(value: Numbers, shape: Numbers) -> Any:
    """Scores of h, an array; 0 below the least h there is.

    Examples
    --------
    >>> round(float(inverse(link(0.3, -0.7), -0.7)), 6)
    0.3
    """
    inside = np.maximum(1 + shape * np.exp(-np.clip(value, -40, 40)), DEEPEST)
    return np.clip(np.exp(-np.log(inside) / shape), DEEPEST, 1 - DEEPEST)


def slope(score: Numbers, shape: Numbers) -> Any:
    """Derivative of h by the score."""
    return score ** (-shape - 1) * shape / np.expm1(-shape * np.log(score))


def most_probable_shape(decades: np.ndarray, score: np.ndarray, bases: int) -> float:
    """λ of the scores (model,) of one benchmark, at x decades of compute, of a number of base models.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.uniform(-2, 2, 4000)
    >>> score = inverse(0.5 * x + 0.4 * rng.normal(size=4000), 0.2)
    >>> abs(most_probable_shape(x, score, 4000) - 0.2) < 0.2
    True
    """
    degree = min(2, len(np.unique(decades)) - 1)
    design = np.vander(decades, degree + 1)

    def loss(shape: float) -> float:
        shape = shape if abs(shape) > LEAST else LEAST
        values = link(score, shape)
        rest = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
        spread = max(float(np.mean(rest**2)), 1e-8)
        gain = np.log(slope(score, shape)).mean()
        return float(bases * (0.5 * np.log(spread) - gain) + 0.5 * ((shape - SHAPE) / SHAPE_SD) ** 2)

    found = float(minimize_scalar(loss, bounds=SHAPES, method="bounded").x)
    return found if abs(found) > LEAST else LEAST
