"""Drawing from the posterior: nutpie on the compiled density, or on PyMC's own graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.optimize import minimize

from bayes_scaling.inference.compiled.density import Density, compile_density
from bayes_scaling.inference.compiled.row_code import Unprintable
from bayes_scaling.inference.design import Design
from bayes_scaling.inference.layout import expand, spread_positions
from bayes_scaling.inference.settings import Settings

POINT, POINTS, DIMENSION = "point", "unconstrained_draw", "unconstrained_parameter"
ALL_DRAWS = ("diverging", "depth", "n_steps")  # statistics that no draw may be left out of
JITTER = 1.0  # standard deviation of the starts around the rough optimum, in white coordinates


def sample(
    design: Design, settings: Settings, *, seed: int | None, progress: bool = False, cores: int | None = None
) -> xr.DataTree:
    """Sample the posterior of a design.

    Returns
    -------
    DataTree with the groups ``posterior`` (see `layout.expand`) and ``sample_stats``, of kept draws; ``diverging``,
    ``depth`` and ``n_steps`` are of all draws that one was kept of: whether any diverged, the greatest, and the sum.
    """
    import nutpie

    settings = settings.of(design.model)
    thin = settings.thin or 1
    compiled, to_points = _prepare(design)
    trace = nutpie.sample(
        compiled,
        draws=settings.draws * thin,
        tune=settings.tune,
        chains=settings.chains,
        cores=cores,
        seed=seed,
        save_warmup=False,
        progress_bar=progress,
        target_accept=settings.target_accept,
        maxdepth=settings.max_depth,
        store_unconstrained=True,
        adaptation="low_rank" if has_ridges(design) else "diag",
    )
    stats = trace["sample_stats"].to_dataset()
    if (stats.sizes["chain"], stats.sizes["draw"]) != (settings.chains, settings.draws * thin):
        raise KeyboardInterrupt("sampling was interrupted")  # nutpie returns what it has so far
    kept = slice(thin - 1, None, thin)
    points = to_points(stats[POINTS].transpose("chain", "draw", ...).to_numpy()[:, kept])
    named = [n for n, v in stats.items() if v.dims == ("chain", "draw") and v.dtype != object]
    stats = thinned(stats[named].drop_vars(DIMENSION, errors="ignore"), thin)
    return xr.DataTree.from_dict({"posterior": expand(design, points), "sample_stats": stats})


def has_ridges(design: Design) -> bool:
    """Whether many parameters go together along few directions, which a diagonal mass matrix cannot follow.

    The irreducible loss of two stages does, with everything that follows from it.  The curves of a discrepancy do with
    how far they wander, but there the matrix costs more than it saves, and keeping one draw of two serves better.
    """
    return len(design.model.responses) > 1


def thinned(stats: xr.Dataset, thin: int) -> xr.Dataset:
    """Statistics of kept draws; divergences, depths and steps also of those that were not kept."""
    last = stats.isel(draw=slice(thin - 1, None, thin)).drop_vars("draw", errors="ignore")
    for name in (n for n in ALL_DRAWS if n in stats):
        blocks = stats[name].transpose("chain", "draw").to_numpy().reshape(stats.sizes["chain"], -1, thin)
        last[name] = (("chain", "draw"), blocks.sum(-1) if name == "n_steps" else blocks.max(-1))
    return last


def _prepare(design: Design) -> tuple[Any, Callable[[np.ndarray], np.ndarray]]:
    """What nutpie samples, and the map from what it draws to unconstrained points."""
    try:
        density = compile_density(design)
    except Unprintable:
        return _from_graph(design), lambda points: points
    centre = rough_optimum(density, spread_positions(design))
    factor = local_factor(density, centre)
    return _compiled_model(density.whitened(centre, factor)), lambda white: centre + white @ factor.T


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


def _compiled_model(density: Density) -> Any:
    """nutpie's compiled-model class around the C function of a density."""
    from nutpie import _lib
    from nutpie.sample import CompiledModel

    class Compiled(CompiledModel):
        @property
        def n_dim(self) -> int:
            return density.n_dim

        @property
        def shapes(self) -> Any:
            return {POINT: (density.n_dim,)}

        @property
        def coords(self) -> Any:
            return {DIMENSION: pd.RangeIndex(density.n_dim)}

        def _make_model(self, init_mean: np.ndarray) -> Any:
            n, words = density.n_dim, density.words.ctypes.data
            return _lib.PyMcModel(
                _lib.LogpFunc(density.address, words, density),
                _lib.ExpandFunc(n, n, density.copy_point.address, words, density),
                _lib.PyVariable.new_variables([POINT], ["float64"], [[n]], {DIMENSION: n}, self.dims),
                n,
                {DIMENSION: n},
                self.coords,
                lambda seed: JITTER * np.random.default_rng(seed).normal(size=n),
                None,
            )

        def _make_sampler(self, settings: Any, init_mean: Any, cores: Any, *rest: Any) -> Any:
            return _lib.PySampler.from_pymc(settings, cores, self._make_model(init_mean), *rest)

    return Compiled(dims={POINT: (DIMENSION,)})


def _from_graph(design: Design) -> Any:
    """The PyMC model itself, for a law that has no printed form: slower to compile, the same draws."""
    import nutpie

    from bayes_scaling.inference.pymc_model import build

    return nutpie.compile_pymc_model(build(design), var_names=[])
