"""Draws of the distributions that likelihoods use, with NumPy.

PyMC would compile a function for every draw, which takes longer than drawing.  A distribution without a sampler here
is still drawn by PyMC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bayes_scaling.laws.ops import Numbers

type Distribution = Any  # of PyMC, or one that brings its sampler

Array = np.ndarray
Shape = tuple[int, ...]


def _beta(rng: np.random.Generator, size: Shape, alpha: Array, beta: Array) -> Array:
    return rng.beta(alpha, beta, size)


def _normal(rng: np.random.Generator, size: Shape, mu: Array, sigma: Array) -> Array:
    return mu + sigma * rng.standard_normal(size)


def _beta_binomial(rng: np.random.Generator, size: Shape, n: Array, alpha: Array, beta: Array) -> Array:
    return rng.binomial(np.asarray(n).astype(np.int64), rng.beta(alpha, beta, size), size).astype(float)


# Name of the PyMC distribution -> its arguments in the order of the sampler, and the sampler.
SAMPLERS: dict[str, tuple[tuple[str, ...], Callable[..., Array]]] = {
    "Beta": (("alpha", "beta"), _beta),
    "Normal": (("mu", "sigma"), _normal),
    "BetaBinomial": (("n", "alpha", "beta"), _beta_binomial),
}


def draw(distribution: Distribution, arguments: Mapping[str, Numbers], rng: np.random.Generator) -> Array:
    """One draw of a distribution per element of its arguments, which broadcast against each other.

    Parameters
    ----------
    distribution : PyMC distribution, or one of `laws.pass_at_k`, which brings its sampler
    arguments : mapping of arrays
    rng : Generator

    Returns
    -------
    array of the shape that the arguments broadcast to
    """
    shape = np.broadcast_shapes(*(np.shape(a) for a in arguments.values()))
    seed = int(rng.integers(2**31))  # one number of the stream, whatever a sampler takes: what follows stays the same
    rng = np.random.default_rng(seed)
    if (own := getattr(distribution, "sampler", None)) is not None:
        return own(rng, shape, **arguments)
    names, sampler = SAMPLERS.get(getattr(distribution, "__name__", ""), ((), None))
    if sampler is None or set(names) != set(arguments):
        return draw_with_pymc(distribution, arguments, seed)
    return sampler(rng, shape, *(arguments[name] for name in names))


def draw_with_pymc(distribution: Distribution, arguments: Mapping[str, Numbers], seed: int) -> Array:
    """The same draw by PyMC, for any distribution: it compiles a function first."""
    import pymc as pm
    import pytensor

    shape = np.broadcast_shapes(*(np.shape(a) for a in arguments.values()))
    arrays = {n: np.broadcast_to(np.asarray(a, float), shape) for n, a in arguments.items()}
    symbols = {n: pytensor.tensor.TensorType("float64", (None,) * len(shape))(n) for n in arrays}
    function = pm.pytensorf.compile(
        list(symbols.values()),
        distribution.dist(**symbols),
        mode="FAST_COMPILE",
        random_seed=seed,
        on_unused_input="ignore",
    )
    return np.asarray(function(*arrays.values()))
