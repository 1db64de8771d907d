"""Whether scores rise or fall with compute."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

FEWEST = 5  # scores below which no direction is named
STEEPNESS = 4.0  # a slope this many standard errors below 0 is a fall


def falls(flops: ArrayLike, scores: ArrayLike) -> bool:
    """Whether scores clearly fall with the logarithm of compute, by the slope of least squares.

    Parameters
    ----------
    flops : (run,) array
        FLOPs.
    scores : (run,) array

    Examples
    --------
    >>> falls([1e19, 1e20, 1e21, 1e22, 1e23], [0.70, 0.65, 0.61, 0.55, 0.50])
    True
    >>> falls([1e19, 1e20, 1e21, 1e22, 1e23], [0.50, 0.52, 0.49, 0.51, 0.50])
    False
    """
    size, score = np.log10(np.asarray(flops, dtype=float)), np.asarray(scores, dtype=float)
    if len(score) < FEWEST or np.ptp(size) == 0:
        return False
    centred = size - size.mean()
    slope = centred @ score / (centred @ centred)
    residual = score - score.mean() - slope * centred
    error = np.sqrt(residual @ residual / (len(score) - 2) / (centred @ centred))
    return bool(slope < -STEEPNESS * max(error, 1e-6))
