"""Elementwise maths that reads the same on PyTensor graphs, xarray objects and plain arrays.

A law is written once with these names; the same function then runs inside the PyMC graph when
fitting, inside the compiled density, and on posterior arrays when forecasting.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "erfc",
    "erfcx",
    "exp",
    "expit",
    "expm1",
    "gammaln",
    "log",
    "log1p",
    "logaddexp",
    "maximum",
    "minimum",
    "softplus",
    "sqrt",
    "where",
]


type Numbers = Any  # what a formula computes with: graph variables, xarray objects, arrays or numbers, all alike


def _is_graph(value: Numbers) -> bool:
    pytensor = sys.modules.get("pytensor")  # no graph variable exists before pytensor is imported
    return pytensor is not None and isinstance(value, pytensor.graph.basic.Variable)


def _is_named(value: Numbers) -> bool:
    xarray = sys.modules.get("xarray")
    return xarray is not None and isinstance(value, xarray.DataArray | xarray.Dataset | xarray.Variable)


def _special(name: str) -> Callable[..., Any]:
    def numeric(*operands: Numbers) -> Numbers:
        from scipy import special  # imported when first used: it costs as much as pandas

        return getattr(special, name)(*operands)

    return numeric


def _everywhere(name: str, numeric: Callable[..., Any]) -> Callable[..., Any]:
    """One function for all three kinds of operands; ``name`` is what ``pytensor.tensor`` calls it."""

    def op(*operands: Numbers) -> Numbers:
        if any(_is_graph(o) for o in operands):
            import pytensor.tensor as pt

            return getattr(pt, name)(*operands)
        if any(_is_named(o) for o in operands):
            import xarray as xr

            return xr.apply_ufunc(numeric, *operands)
        return numeric(*operands)

    op.__name__ = name
    op.__doc__ = f"Elementwise ``{name}`` of graph variables, xarray objects or arrays."
    return op


erfc = _everywhere("erfc", _special("erfc"))
erfcx = _everywhere("erfcx", _special("erfcx"))
exp = _everywhere("exp", np.exp)
expit = _everywhere("expit", _special("expit"))
expm1 = _everywhere("expm1", np.expm1)
gammaln = _everywhere("gammaln", _special("gammaln"))
log = _everywhere("log", np.log)
log1p = _everywhere("log1p", np.log1p)
logaddexp = _everywhere("logaddexp", np.logaddexp)
maximum = _everywhere("maximum", np.maximum)
minimum = _everywhere("minimum", np.minimum)
softplus = _everywhere("softplus", lambda x: np.logaddexp(0.0, x))
sqrt = _everywhere("sqrt", np.sqrt)
where = _everywhere("where", np.where)
