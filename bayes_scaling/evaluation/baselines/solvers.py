"""Least squares as published estimators use it: linear, Gauss-Newton, Huber with L-BFGS, basin hopping.

A law is a function of columns and coefficients, written with NumPy alone and analytic, so that one
evaluation with an imaginary step gives its derivatives to machine precision (Squire and Trapp 1998,
doi 10.1137/S003614459631241X).  Every solver takes the law, its columns, what was observed and the
coefficients to start from, and gives the best coefficients that it finds from any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bayes_scaling.laws.ops import Numbers

type Law = Callable[..., Any]
type Columns = Sequence[np.ndarray]
type Bounds = Sequence[tuple[float, float]] | None
type Solver = Callable[[Law, Columns, np.ndarray, np.ndarray, Bounds], np.ndarray]

STEP = 1e-30  # of the imaginary step: no difference is formed, so nothing is lost however small it is
DELTA = 1e-3  # where Huber's loss turns from squares to absolute values [units of the fitted scale]
GLANCE, FINALISTS = 12, 5  # steps down from every start, and how many of the lowest then go on to the end
HOPS = 100  # starts of basin hopping, as Krajewski et al. 2025 (arXiv 2512.08894) make for BNSL
FAR = 1e6  # stands for what a law cannot give at coefficients far from any data


def at(law: Law, columns: Columns, theta: np.ndarray) -> np.ndarray:
    """Value of a law at every row for every set of coefficients.

    Parameters
    ----------
    law : function of columns and coefficients
    columns : sequence of (row,) or (…, row) arrays
    theta : (…, coefficient) array

    Returns
    -------
    (…, row) array
    """
    with np.errstate(all="ignore"):
        return law(*columns, *np.moveaxis(np.asarray(theta)[..., None], -2, 0))


def jacobian(law: Law, columns: Columns, theta: np.ndarray) -> np.ndarray:
    """Derivatives of a law by its coefficients at every row, shape (row, coefficient)."""
    return _with_slopes(law, columns, theta)[1]


def _with_slopes(law: Law, columns: Columns, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A law at every row and its derivatives, from one evaluation; finite everywhere."""
    moved = theta + 1j * STEP * np.eye(len(theta))
    with np.errstate(all="ignore"):
        values = law(*columns, *moved.T[..., None])
    if not np.isfinite(values).all():
        values = _finite(values.real) + 1j * _finite(values.imag / STEP) * STEP
    return values[0].real, values.imag.T / STEP


def linear(law: Law, columns: Columns, observed: np.ndarray, starts: np.ndarray, bounds: Bounds = None) -> np.ndarray:
    """Unweighted least squares of a law that is linear in its coefficients, many responses at once.

    Parameters
    ----------
    law, columns : as in `at`
    observed : (…, row) array
    starts : (start, coefficient) array
        Only its width is used.
    bounds : ignored

    Returns
    -------
    (…, coefficient) array
    """
    design = jacobian(law, columns, np.zeros(starts.shape[1]))
    return observed @ np.linalg.pinv(design).T


def squares(law: Law, columns: Columns, observed: np.ndarray, starts: np.ndarray, bounds: Bounds = None) -> np.ndarray:
    """Least squares by the best of SciPy's runs from all starts: Levenberg-Marquardt, as `curve_fit` does by
    default, or trust regions within bounds.
    """
    from scipy.optimize import least_squares

    def residual(theta: np.ndarray) -> np.ndarray:
        return _with_slopes(law, columns, theta)[0] - observed

    def slopes(theta: np.ndarray) -> np.ndarray:
        return _with_slopes(law, columns, theta)[1]

    if bounds is None:
        found = [least_squares(residual, start, slopes, method="lm", x_scale="jac") for start in starts]
    else:
        low, high = np.array(bounds).T
        inside = [np.clip(start, low, high) for start in starts]
        found = [least_squares(residual, start, slopes, bounds=(low, high), x_scale="jac") for start in inside]
    return min(found, key=lambda result: result.cost).x


def huber(law: Law, columns: Columns, observed: np.ndarray, starts: np.ndarray, bounds: Bounds = None) -> np.ndarray:
    """Huber's loss by L-BFGS, the best from all starts.

    With δ = 1e-3 far below the scatter of scores this is all but the sum of absolute residuals; Hoffmann et
    al. 2022 (arXiv 2203.15556), Section 3.3, began the custom.
    """
    from scipy.optimize import minimize

    loss = huber_loss(law, columns, observed)

    def descend(start: np.ndarray, steps: int) -> Numbers:
        return minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps})

    near = (
        sorted((descend(start, GLANCE) for start in starts), key=lambda result: result.fun) if len(starts) > 1 else []
    )
    first = [result.x for result in near[:FINALISTS]] or starts
    return min((descend(start, 15_000) for start in first), key=lambda result: result.fun).x


def huber_loss(law: Law, columns: Columns, observed: np.ndarray) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Huber's loss of coefficients and its gradient, both over δ so that optimisers see numbers near 1."""

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        expected, slopes = _with_slopes(law, columns, theta)
        residual = expected - observed
        inside = np.clip(residual / DELTA, -1.0, 1.0)
        return float(inside @ (residual - inside * (DELTA / 2))), inside @ slopes

    return loss


def hopping(law: Law, columns: Columns, observed: np.ndarray, starts: np.ndarray, bounds: Bounds = None) -> np.ndarray:
    """Huber's loss by basin hopping: random steps, each followed by L-BFGS (Wales and Doye 1997)."""
    from scipy.optimize import basinhopping

    loss, begin = huber_loss(law, columns, observed), huber(law, columns, observed, starts, bounds)
    local = {"jac": True, "method": "L-BFGS-B", "bounds": bounds}
    cool = max(loss(begin)[0], 1e-9) / 10
    rng = np.random.default_rng(0)
    return basinhopping(loss, begin, niter=HOPS, T=cool, minimizer_kwargs=local, rng=rng).x


def refits(
    solver: Solver, law: Law, columns: Columns, observed: np.ndarray, theta: np.ndarray, bounds: Bounds = None
) -> np.ndarray:
    """Fit many responses over the same rows, each from the coefficients that fitted the first.

    Parameters
    ----------
    observed : (resample, row) array
    theta : (coefficient,) array

    Returns
    -------
    (resample, coefficient) array
    """
    start = theta[None]
    if solver is linear:
        return linear(law, columns, observed, start)
    return np.array([solver(law, columns, one, start, bounds) for one in observed]).reshape(len(observed), len(theta))


def _finite(values: np.ndarray) -> np.ndarray:
    return np.clip(np.nan_to_num(values, nan=FAR, posinf=FAR, neginf=-FAR), -FAR, FAR)
