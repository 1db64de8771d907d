r"""Published estimators of a boundary: the τ-quantile of the scores of released models, as a curve over compute.

=================  ==================================================================================================
``smoothed``       q(z) = y0 + L σ(b (z − z*)), by the pinball loss smoothed with κ, plus λ b²: Zhang, Jin, Syrgkanis
                   and Kakade 2026, arXiv 2602.15327
``sigmoid``        the same curve and λ by the exact pinball loss (Koenker and Bassett 1978, doi 10.2307/1913643)
``constant``       one quantile for all compute
``binned``         the quantile in each of ten bins of compute with equally many models
``spline``         a monotone spline: I-splines (Ramsay 1988, doi 10.1214/ss/1177012761) of degree two on z, by the
                   exact pinball loss as a linear programme
=================  ==================================================================================================

z is log10 of the FLOPs of pre-training.  Beyond the fitted compute every curve stays at its end, as published.  The
smoothed loss is biased upwards: with κ = 50 it cannot tell scores apart that differ by less than 0.02, so that its
"98 %" curve covers 98.5 to 99.8 % of the models that it was fitted to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline
from scipy.optimize import linprog, minimize
from scipy.sparse import csr_matrix, eye, hstack
from scipy.special import expit

from bayes_scaling.errors import DataError
from bayes_scaling.messages import suggest

TAU, KAPPA, RIDGE = 0.98, 50.0, 1e-3  # as published
STEEPNESS = (0.05, 50.0)
BINS = 10
KNOTS = 4
SHARPEST = (50.0, 200.0, 800.0, 3200.0)  # smoothing that ends as good as exact


@dataclass(frozen=True)
class Curve:
    """A fitted boundary.

    Attributes
    ----------
    quantile : callable
        Of log10 FLOPs within the fitted range.
    span : tuple of float
        log10 of the least and the most FLOPs that were fitted.
    parameters : dict of float
        What was estimated, by name; empty where that is a table.
    """

    quantile: Callable[[np.ndarray], np.ndarray]
    span: tuple[float, float]
    parameters: dict[str, float]

    def __call__(self, flops: np.ndarray) -> np.ndarray:
        """The boundary at these FLOPs, (row,) array of scores; constant beyond the fitted compute."""
        return self.quantile(np.clip(np.log10(np.asarray(flops, float)), *self.span))


def pinball(score: np.ndarray, quantile: np.ndarray, tau: float = TAU) -> np.ndarray:
    """Exact pinball loss of each score, (row,) array: (τ − 1{y < q}) (y − q).

    Examples
    --------
    >>> pinball(np.array([0.5, 0.7]), np.array([0.6, 0.6]), 0.9).round(3).tolist()
    [0.01, 0.09]
    """
    off = np.asarray(score) - quantile
    return np.maximum(tau * off, (tau - 1) * off)


def smoothed_pinball(score: np.ndarray, quantile: np.ndarray, tau: float = TAU, kappa: float = KAPPA) -> np.ndarray:
    """Pinball loss with its kink rounded: log(1 + exp(κ u)) / κ + (τ − 1) u with u = y − q (arXiv 2602.15327)."""
    off = np.asarray(score) - quantile
    return np.logaddexp(0, kappa * off) / kappa + (tau - 1) * off


def boundary_curve(
    name: str,
    flops: np.ndarray,
    score: np.ndarray,
    *,
    tau: float = TAU,
    kappa: float = KAPPA,
    ridge: float = RIDGE,
) -> Curve:
    """Fit a published estimator of the τ-quantile of scores over compute.

    Parameters
    ----------
    name : str
        One of ``ESTIMATORS``.
    flops : (model,) array
        Compute of pre-training [FLOPs].
    score : (model,) array
        Between 0 and 1.
    tau : float
        Level of the quantile.
    kappa, ridge : float
        Smoothing, of "smoothed" alone, and the weight of b².

    Returns
    -------
    Curve

    Raises
    ------
    DataError
        No such estimator, or arrays that do not go together.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> flops = 10 ** rng.uniform(21, 25, 2000)
    >>> score = (0.2 + 0.6 / (1 + (1e23 / flops))) * rng.beta(8, 2, 2000)
    >>> curve = boundary_curve("sigmoid", flops, score, tau=0.9)
    >>> bool(curve(np.array([1e21]))[0] < curve(np.array([1e25]))[0])
    True
    """
    if name not in ESTIMATORS:
        raise DataError(f"no estimator of a boundary is called {name!r}; {suggest(name, ESTIMATORS)}")
    flops, score = np.asarray(flops, float), np.asarray(score, float)
    if flops.shape != score.shape or flops.ndim != 1 or not len(flops):
        raise DataError(f"flops and score must be two columns of one length; got {flops.shape} and {score.shape}")
    if not (np.isfinite(flops).all() and (flops > 0).all() and (score >= 0).all() and (score <= 1).all()):
        raise DataError("flops must be positive, and scores proportions between 0 and 1")
    if not 0 < tau < 1:
        raise DataError(f"tau must lie between 0 and 1, not {tau!r}")
    z = np.log10(flops)
    quantile, parameters = ESTIMATORS[name](z, score, tau, kappa, ridge)
    return Curve(quantile, (float(z.min()), float(z.max())), parameters)


type Fitted = tuple[Callable[[np.ndarray], np.ndarray], dict[str, float]]


def _sigmoid(theta: np.ndarray, z: np.ndarray) -> np.ndarray:
    """y0 + L σ(b (z − z*)) of (share of y0, height, z*, log b), so that 0 ≤ y0, 0 ≤ L and y0 + L ≤ 1."""
    top, floor = expit(theta[1]), expit(theta[0])
    return top * (floor + (1 - floor) * expit(np.exp(theta[3]) * (z - theta[2])))


def _named(theta: np.ndarray) -> dict[str, float]:
    top, floor = float(expit(theta[1])), float(expit(theta[0]))
    return {"y0": top * floor, "L": top * (1 - floor), "z_star": float(theta[2]), "b": float(np.exp(theta[3]))}


def _starts(z: np.ndarray) -> list[np.ndarray]:
    places = [z.min(), z.mean(), z.max(), z.max() + 1.5]
    return [np.array([f, t, at, np.log(b)]) for at in places for b in (0.2, 0.5, 1.5) for f, t in ((-4, 4), (-1, 1))]


def _optimum(loss: Callable[[np.ndarray], float], starts: list[np.ndarray], z: np.ndarray) -> np.ndarray:
    low, high = np.log(STEEPNESS)
    bounds = [(-12, 12), (-12, 12), (z.min() - 5, z.max() + 5), (low, high)]
    found = [minimize(loss, start, bounds=bounds, method="L-BFGS-B") for start in starts]
    return np.asarray(min(found, key=lambda one: float(one.fun)).x)


def _smoothed(z: np.ndarray, y: np.ndarray, tau: float, kappa: float, ridge: float) -> Fitted:
    def loss(theta: np.ndarray) -> float:
        return float(np.mean(smoothed_pinball(y, _sigmoid(theta, z), tau, kappa)) + ridge * np.exp(2 * theta[3]))

    theta = _optimum(loss, _starts(z), z)
    return lambda at: _sigmoid(theta, at), _named(theta)


def _exact(z: np.ndarray, y: np.ndarray, tau: float, kappa: float, ridge: float) -> Fitted:
    starts = _starts(z)
    for sharpness in SHARPEST:  # from the smooth loss to the exact one

        def loss(theta: np.ndarray, sharpness: float = sharpness) -> float:
            smooth = np.mean(smoothed_pinball(y, _sigmoid(theta, z), tau, sharpness))
            return float(smooth + ridge * np.exp(2 * theta[3]))

        starts = [_optimum(loss, starts, z)]

    def exact(theta: np.ndarray) -> float:
        return float(np.mean(pinball(y, _sigmoid(theta, z), tau)) + ridge * np.exp(2 * theta[3]))

    polished = [minimize(exact, start, method="Nelder-Mead") for start in (*starts, *_starts(z)[::3])]
    best = np.asarray(min(polished, key=lambda one: float(one.fun)).x)
    return lambda at: _sigmoid(best, at), _named(best)


def _constant(z: np.ndarray, y: np.ndarray, tau: float, kappa: float, ridge: float) -> Fitted:
    level = float(np.quantile(y, tau))
    return lambda at: np.full(len(at), level), {"level": level}


def _binned(z: np.ndarray, y: np.ndarray, tau: float, kappa: float, ridge: float) -> Fitted:
    edges = np.unique(np.quantile(z, np.linspace(0, 1, BINS + 1))[1:-1])
    inside = np.digitize(z, edges)
    groups = [y[inside == number] for number in range(len(edges) + 1)]
    levels = np.array([np.quantile(group if len(group) else y, tau) for group in groups])
    return lambda at: levels[np.digitize(at, edges)], {}


def _spline(z: np.ndarray, y: np.ndarray, tau: float, kappa: float, ridge: float) -> Fitted:
    low, high = z.min(), z.max()
    inner = np.unique(np.quantile(z, np.linspace(0, 1, KNOTS + 2))[1:-1])
    degree = 2
    knots = np.r_[[low] * (degree + 1), inner[(inner > low) & (inner < high)], [high + 1e-9] * (degree + 1)]
    number = len(knots) - degree - 1

    def rising(at: np.ndarray) -> np.ndarray:
        """I-splines: sums of the B-splines from each one on, which rise from 0 to 1, and a constant."""
        basis = BSpline.design_matrix(np.clip(at, low, high), knots, degree).toarray()
        return np.cumsum(basis[:, ::-1], axis=1)[:, ::-1][:, :number]

    design = rising(z)
    rows = len(y)
    cost = np.r_[np.zeros(number), np.full(rows, tau), np.full(rows, 1 - tau)]
    equal = hstack([csr_matrix(design), eye(rows), -eye(rows)])
    found = linprog(cost, A_eq=equal, b_eq=y, bounds=[(0, None)] * (number + 2 * rows), method="highs")
    weights = found.x[:number]
    return lambda at: np.minimum(rising(at) @ weights, 1.0), {}


ESTIMATORS: dict[str, Callable[[np.ndarray, np.ndarray, float, float, float], Fitted]] = {
    "smoothed": _smoothed,
    "sigmoid": _exact,
    "constant": _constant,
    "binned": _binned,
    "spline": _spline,
}
