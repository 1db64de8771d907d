"""Checks of what a caller gives: names, lists and numbers, refused with what was wrong and what would be right."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from numbers import Real
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import pandas as pd

from bayes_scaling.errors import DataError, FileError
from bayes_scaling.messages import value_text


def name_of(what: str, value: object, allowed: Collection[str]) -> str:
    """A text that is one of some names.

    Raises
    ------
    DataError

    Examples
    --------
    >>> name_of("pool", "linear", ["linear", "quantiles"])
    'linear'
    """
    if isinstance(value, str) and value in allowed:
        return value
    raise DataError(f"{what} must be one of {', '.join(allowed)}, not {value_text(value)}")


def items_of[T](what: str, value: object, kind: type[T] | tuple[type[T], ...], example: str) -> list[T]:
    """Things of one kind as a list, from one of them or from several.

    Raises
    ------
    DataError
        Something else is given, or among them.

    Examples
    --------
    >>> items_of("columns", "mixture", str, "'mixture'"), items_of("columns", ("k", "run"), str, "'mixture'")
    (['mixture'], ['k', 'run'])
    """
    if isinstance(value, kind):
        return [value]
    try:
        found = None if isinstance(value, str | bytes | Mapping) else list(value)  # type: ignore[call-overload]
    except TypeError:
        found = None
    if found is None or not all(isinstance(item, kind) for item in found):
        raise DataError(f"{what} must be such as {example}, or a list of these, not {value_text(value)}")
    return found


def several(given: object) -> list[Any]:
    """A list, tuple, range, Series or array of one dimension as a list; anything else as a list of one.

    Examples
    --------
    >>> several((1, 2)), several("C4")
    ([1, 2], ['C4'])
    """
    rows = isinstance(given, list | tuple | range | pd.Series) or (isinstance(given, np.ndarray) and given.ndim == 1)
    return list(given) if rows else [given]  # type: ignore[call-overload]


def thing_of[T](what: str, value: object, kind: type[T], example: str) -> T:
    """A thing of one kind.

    Raises
    ------
    DataError
    """
    if not isinstance(value, kind):
        raise DataError(f"{what} must be such as {example}, not {value_text(value)}")
    return value


def path_of(value: object) -> Path:
    """A path, from a text or a path.

    Raises
    ------
    FileError
        It is neither, or holds a zero byte.
    """
    if isinstance(value, str | Path) and str(value) and "\0" not in str(value):
        return Path(value)
    raise FileError(f"the path of a file is needed, such as 'fit.nc', not {value_text(value)}")


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number; truth values are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def shares_of(what: str, value: object) -> list[float]:
    """Numbers between 0 and 1, from one of them or from several.

    Raises
    ------
    DataError

    Examples
    --------
    >>> shares_of("probabilities", (0.5, 0.9))
    [0.5, 0.9]
    """
    found: list[Any] = items_of(what, value, Real, "0.8")
    if not found or not all(is_number(item) and 0 < item < 1 for item in found):
        raise DataError(f"{what} must be numbers between 0 and 1, such as 0.8, not {value_text(value)}")
    return [float(item) for item in found]


def weights_of(what: str, value: object) -> dict[str, float]:
    """A mapping from names to numbers.

    Raises
    ------
    DataError
    """
    mapping = dict(value) if isinstance(value, Mapping) else None
    if mapping is None or not all(isinstance(name, str) and is_number(weight) for name, weight in mapping.items()):
        raise DataError(f"{what} must be a mapping from names to numbers, not {value_text(value)}")
    return {name: float(weight) for name, weight in mapping.items()}
