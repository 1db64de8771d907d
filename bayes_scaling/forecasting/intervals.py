"""Equal-tailed intervals: the one place that turns draws into the ends of a band."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr


def interval(draws: Any, probability: float, axis: int | tuple[int, ...] | None = -1) -> np.ndarray:
    """Ends of the equal-tailed interval that holds a share of draws.

    Parameters
    ----------
    draws : array
    probability : float
        Between 0 and 1.
    axis : int or tuple of int, optional
        Along which the draws stand; None for all axes.

    Returns
    -------
    (2, …) array
        Lower and upper ends.

    Examples
    --------
    >>> interval(range(101), 0.5).tolist()
    [25.0, 75.0]
    """
    return np.quantile(np.asarray(draws), [(1 - probability) / 2, (1 + probability) / 2], axis=axis)


def observed_quantile(draws: Any, level: float | list[float], axis: int | None = None) -> np.ndarray:
    """Quantiles that are draws themselves: infinite, not undefined, where draws about them are infinite.

    Parameters
    ----------
    draws : array
    level : float or list of float
        Between 0 and 1.
    axis : int, optional
        Along which the draws stand; None for all axes.

    Examples
    --------
    >>> observed_quantile([3.0, 1.0, np.inf, np.inf], [0.5, 0.75]).tolist()
    [3.0, inf]
    """
    return np.quantile(np.asarray(draws), level, axis=axis, method="inverted_cdf")


def row_draws(draws: xr.DataArray) -> np.ndarray:
    """Draws over (chain, draw, row) as a (row, draw) array.

    In one order of memory, so that sums are the same to the last digit wherever the draws came from.
    """
    by_row = draws.transpose("row", "chain", "draw").to_numpy()
    return np.ascontiguousarray(by_row.reshape(len(by_row), -1), dtype=float)
