"""Numbers as people write them: ``"7B"``, ``"1.2T"``, ``"190M"``, ``"3e21"``, ``"1_000_000"``; and back."""

import re
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from typing import Any

from bayes_scaling.errors import DataError

FLOPS_PER_PARAM_TOKEN = 6.0
POWERS = {"K": 3, "M": 6, "B": 9, "T": 12}
WRITTEN = re.compile(
    r"(?P<number>[+-]?(?:\d+(?:[_,]\d{3})+|\d+|(?=\.\d))(?:\.\d*)?(?:e[+-]?\d{1,4})?)\s*(?P<unit>[kmbt]?)",
    re.ASCII | re.IGNORECASE,
)


def parse_number(value: object) -> float:
    """Read one number, refusing what only looks like one.

    Parameters
    ----------
    value
        A number, or text that spells one. Truth values are not numbers here.

    Returns
    -------
    float
        The value; an integer too large for a float is refused rather than made infinite.

    Raises
    ------
    DataError
        When it is not a number.
    """
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    if isinstance(value, bool) or not isinstance(value, Real | Decimal | Fraction | str):
        raise DataError(f"{value!r} is not a number")
    try:
        return float(value)
    except (ValueError, ArithmeticError) as error:
        raise DataError(f"{value!r} is not a number") from error


def parse_size(value: object) -> float:
    """Read a size as people write it: a number, or text such as ``"7B"``, ``"1.2T"`` or ``"3e21"``.

    Parameters
    ----------
    value
        A number or text; K, M, B and T stand for 1e3, 1e6, 1e9 and 1e12 in either case,
        and ``_`` or ``,`` may separate thousands.

    Returns
    -------
    float
        The size in units of one [parameters, tokens or FLOPs].

    Raises
    ------
    DataError
        When the text is not a number with at most one of those letters.
    """
    if not isinstance(value, str):
        return parse_number(value)
    match = WRITTEN.fullmatch(value.strip())
    if not match:
        raise DataError(f"{value!r} is not a size; write for example 7e9, '7B', '1.2T' or '1_000_000'")
    digits = match["number"].replace("_", "").replace(",", "")
    return float(Decimal(digits).scaleb(POWERS.get(match["unit"].upper(), 0)))


def flops_of(params: Any, tokens: Any) -> Any:
    """Training compute of a dense transformer, C = 6 N D [FLOPs] (Kaplan et al. 2020, arXiv 2001.08361, Section 2.1).

    Parameters
    ----------
    params, tokens : float or array
        N [parameters] and D [tokens].  Whole numbers become floats first: 6 N D overflows 64-bit integers.
    """
    return FLOPS_PER_PARAM_TOKEN * (1.0 * params) * tokens


def sizes_of(flops: Any, tokens_per_param: Any) -> tuple[Any, Any]:
    """Parameters and tokens that compute buys at a ratio of the two: the inverse of `flops_of`."""
    params = (flops / (FLOPS_PER_PARAM_TOKEN * tokens_per_param)) ** 0.5
    return params, tokens_per_param * params


def size_text(size: float, digits: int | None = None) -> str:
    """Write a size the way people say it.

    Parameters
    ----------
    size
        A positive size [parameters, tokens or FLOPs].
    digits
        Significant digits; every digit that counts where it is not given.

    Returns
    -------
    str
        ``"7B"``, ``"1.2T"`` or, beyond those letters, ``"3e21"``.
    """
    for unit, power in reversed(POWERS.items()):
        if 10**power <= size < 1e15:
            return _short(size / 10**power, digits) + unit
    return _short(size, digits)


def _short(number: float, digits: int | None) -> str:
    text = repr(float(number)) if digits is None else f"{number:.{digits}g}"
    return text.removesuffix(".0").replace("e+", "e")
