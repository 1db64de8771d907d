"""How many may be chosen of several candidates, and what they may cost together."""

from __future__ import annotations

from numbers import Integral

import numpy as np

from bayes_scaling.data.sizes import parse_size
from bayes_scaling.errors import DataError


def how_much(number: object, budget: float | str | None, example: str) -> tuple[int | None, float]:
    """A number of choices, or None for any, and a budget, infinite where there is none.

    Parameters
    ----------
    number : int, optional
    budget : float or str, optional
        In units of the cost.
    example : str
        What to say where neither is given.

    Raises
    ------
    DataError
        Neither is given, or one is not positive.

    Examples
    --------
    >>> how_much(3, None, "number=3 runs"), how_much(None, "2e21", "number=3 runs")
    ((3, inf), (None, 2e+21))
    """
    if number is None and budget is None:
        raise DataError(f"say how much: {example}")
    if number is not None and not (isinstance(number, Integral) and not isinstance(number, bool) and int(number) > 0):
        raise DataError(f"number must be a whole number of 1 or more, not {number!r}")
    most = np.inf if budget is None else parse_size(budget)
    if not most > 0:
        raise DataError(f"budget must be positive, not {budget!r}")
    return None if number is None else int(number), float(most)
