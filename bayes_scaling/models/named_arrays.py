"""Arrays whose axes have names, so that no two of them can be mistaken for each other.

Posterior draws are xarray Variables; graph variables and plain arrays have no names, and their axes are known by order.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from bayes_scaling.laws.ops import Numbers

DRAWN = ("chain", "draw", "row")  # dims of what is drawn for rows, in the order of plain arrays


def named(value: Numbers) -> bool:
    """Whether a value has names for its axes, as posterior draws do; graph variables and plain arrays have none."""
    return hasattr(value, "isel")


def along_rows(value: Numbers, like: Numbers) -> Numbers:
    """Numbers per row, with the name of their axis where ``like`` has names."""
    if not named(like) or named(value):
        return value
    from xarray import Variable

    return Variable("row", value)


def taken(value: Numbers, levels: Mapping[str, Numbers], at: Mapping[str, int] = MappingProxyType({})) -> Numbers:
    """Value of every row, shape (…, row): by name where the axes have names, else the last ones in order.

    Parameters
    ----------
    value : graph variable, (…, *levels) array, or Variable over these dims
    levels : mapping
        Dim -> position of every row along it, shape (row,); none for a value that all rows share.
    at : mapping
        Further dim -> one position.
    """
    if named(value):
        return value.isel({**{dim: along_rows(rows, value) for dim, rows in levels.items()}, **at})
    one = value[(..., *levels.values(), *at.values())]
    return one if levels else one[..., None]


def in_order(value: Numbers) -> np.ndarray:
    """A named value as a plain array that broadcasts to `DRAWN`; other values as they are."""
    if not named(value):
        return np.asarray(value)
    missing = {dim: 1 for dim in DRAWN if dim not in value.dims}
    return np.asarray(value.set_dims({**missing, **value.sizes}).transpose(*DRAWN).data)
