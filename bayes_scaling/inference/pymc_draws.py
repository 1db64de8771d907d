"""Draws of PyMC distributions with arrays as their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def draw(distribution: Any, arguments: Mapping[str, Any], rng: np.random.Generator) -> np.ndarray:
    """One draw of a PyMC distribution per element of its arguments, which broadcast against each other."""
    import pymc as pm
    import pytensor

    shape = np.broadcast_shapes(*(np.shape(a) for a in arguments.values()))
    arrays = {n: np.broadcast_to(np.asarray(a, float), shape) for n, a in arguments.items()}
    symbols = {n: pytensor.tensor.TensorType("float64", (None,) * len(shape))(n) for n in arrays}
    function = pm.pytensorf.compile(
        list(symbols.values()),
        distribution.dist(**symbols),
        mode="FAST_COMPILE",
        random_seed=int(rng.integers(2**31)),
        on_unused_input="ignore",
    )
    return np.asarray(function(*arrays.values()))
