"""Where chains start, and the coordinates they move in: from curvature at a rough optimum, or from earlier draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from bayes_scaling.inference.compiled.density import Density

JITTER = 1.0  # standard deviation of starts around the rough optimum, in white coordinates
TRUSTED = 1 / 3  # effective draws for one draw, when it is decided how far their correlations are believed


@dataclass(frozen=True)
class Start:
    """White coordinates in which a posterior is close to a unit normal, and where chains start in them.

    Attributes
    ----------
    centre : (n_dim,) array
    factor : (n_dim, n_dim) lower triangular array
        An unconstrained point is ``centre + factor @ white``.
    draws : (n, n_dim) array or None
        Earlier draws in white coordinates: every chain starts from one of them.  None where there are none.
    step : float or None
        Step size that the earlier draws ended with.
    """

    centre: np.ndarray
    factor: np.ndarray
    draws: np.ndarray | None = None
    step: float | None = None

    def points(self, white: np.ndarray) -> np.ndarray:
        """Unconstrained points of white ones, both (…, n_dim)."""
        return self.centre + white @ self.factor.T

    def first(self, seed: int) -> np.ndarray:
        """Where a chain starts, (n_dim,), in white coordinates."""
        rng = np.random.default_rng(seed)
        if self.draws is None:
            return JITTER * rng.normal(size=self.centre.size)
        return self.draws[rng.integers(len(self.draws))]

    def learned(self, white: np.ndarray, step: float) -> Start:
        """The start that draws suggest: their mean and covariance, believed the more the more draws there are.

        Correlations in the present white coordinates are shrunk to none, by the share of parameters among parameters
        and effective draws.  `benchmarks/coordinates.py` shows what this gains over the curvature alone.

        Parameters
        ----------
        white : (chain, draw, n_dim) array
        step : float
        """
        n_dim = self.centre.size
        flat = white.reshape(-1, n_dim)
        mean, covariance = flat.mean(0), np.cov(flat, rowvar=False).reshape(n_dim, n_dim)
        believed = TRUSTED * len(flat) / (TRUSTED * len(flat) + n_dim)
        own = np.maximum(np.diag(covariance), 1e-8)
        factor = np.linalg.cholesky(believed * covariance + (1 - believed) * np.diag(own))
        draws = np.ascontiguousarray(np.linalg.solve(factor, (flat - mean).T).T)
        return Start(self.points(mean), self.factor @ factor, draws, step)


def rough_start(density: Density, held: np.ndarray) -> Start:
    """The start that the density itself suggests: its rough optimum and the curvature there.

    Parameters
    ----------
    density : Density
    held : (k,) int array
        See `rough_optimum`.
    """
    centre = rough_optimum(density, held)
    return Start(centre, local_factor(density, centre))


def rough_optimum(density: Density, held: np.ndarray) -> np.ndarray:
    """Most probable point at given spreads between groups: penalised least squares, for a start.

    Parameters
    ----------
    density : Density
    held : (k,) int array
        Positions that stay 0, their prior median: the spreads, at whose joint mode all groups are equal.
    """

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = density(point)
        slope[held] = 0.0
        return (-value, -slope) if np.isfinite(value) else (1e300, np.zeros_like(slope))

    start = np.zeros(density.n_dim)
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500, "maxcor": 30}).x


def local_factor(density: Density, point: np.ndarray) -> np.ndarray:
    """Lower triangular factor of the posterior covariance that the curvature at a point implies.

    Curvature is kept at least that of the unit normal priors, also where the density is not concave.
    """
    step = 1e-4
    slopes = [(density(point + e)[1] - density(point - e)[1]) / (2 * step) for e in step * np.eye(density.n_dim)]
    curvature, directions = np.linalg.eigh(-(np.array(slopes) + np.array(slopes).T) / 2)
    return np.linalg.cholesky((directions / np.maximum(curvature, 1.0)) @ directions.T)
