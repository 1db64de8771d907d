"""Drawing from the posterior: nutpie on the compiled density, or on PyMC's own graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.inference.compiled.density import Density, compile_density, is_prepared
from bayes_scaling.inference.compiled.row_code import Unprintable
from bayes_scaling.inference.design import Design
from bayes_scaling.inference.layout import expand, spread_positions
from bayes_scaling.inference.settings import Settings, after_trial
from bayes_scaling.inference.starting import Start, rough_start

POINT, POINTS, DIMENSION = "point", "unconstrained_draw", "unconstrained_parameter"


@dataclass(frozen=True)
class Drawn:
    """Draws of one attempt.

    Attributes
    ----------
    points : (chain, draw, n_dim) array
        Kept unconstrained points.
    stats : Dataset over (chain, draw)
        See `thinned`.
    start : Start or None
        What a further attempt goes on from; None for a law that has no compiled form.
    """

    points: np.ndarray
    stats: xr.Dataset
    start: Start | None


def sample(
    design: Design, settings: Settings, *, seed: int | None, progress: bool = False, cores: int | None = None
) -> xr.DataTree:
    """Sample the posterior of a design once.

    Returns
    -------
    DataTree with the groups ``posterior`` (see `layout.expand`) and ``sample_stats``; see `as_tree`.
    """
    return as_tree(design, draw(design, settings, seed=seed, progress=progress, cores=cores))


def as_tree(design: Design, drawn: Drawn) -> xr.DataTree:
    """``posterior`` (see `layout.expand`) and ``sample_stats``, of kept draws, as a tree."""
    return xr.DataTree.from_dict({"posterior": expand(design, drawn.points), "sample_stats": drawn.stats})


def draw(
    design: Design,
    settings: Settings,
    *,
    seed: int | None,
    progress: bool = False,
    cores: int | None = None,
    start: Start | None = None,
) -> Drawn:
    """Draw from the posterior of a design, from where the density suggests or from where earlier draws do.

    Parameters
    ----------
    start : Start, optional
        What earlier draws suggest: then less is spent on adaptation.
    """
    settings = settings.of(design.model)
    options: dict[str, Any] = {"progress": progress, "cores": cores}
    try:
        density = compile_density(design)
    except Unprintable:
        return _drawn(_from_graph(design), settings, seed, None, **options)
    if start is None:
        start = rough_start(density, spread_positions(design))
    tune = settings.tune if start.draws is None else after_trial(settings.tune)
    return _drawn(_compiled_model(density, start), replace(settings, tune=tune), seed, start, **options)


def must_compile(design: Design) -> bool:
    """Whether the density has to be compiled before the first draw, which takes some seconds."""
    try:
        return not is_prepared(design.model)
    except Unprintable:
        return True


def _drawn(
    compiled: Any, settings: Settings, seed: int | None, start: Start | None, *, progress: bool, cores: int | None
) -> Drawn:
    """Run nutpie on a compiled model, in white coordinates where there is a start."""
    import nutpie

    thin = settings.thin or 1
    step = {} if start is None or start.step is None else {"initial_step": start.step}
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
        **step,
    )
    stats = trace["sample_stats"].to_dataset()
    if (stats.sizes["chain"], stats.sizes["draw"]) != (settings.chains, settings.draws * thin):
        raise KeyboardInterrupt("sampling was interrupted")  # nutpie returns what it has so far
    white = stats[POINTS].transpose("chain", "draw", ...).to_numpy()
    named = [n for n, v in stats.items() if v.dims == ("chain", "draw") and v.dtype != object]
    stats = stats[named].drop_vars(DIMENSION, errors="ignore")
    kept = white[:, thin - 1 :: thin]
    if start is None:
        return Drawn(kept, thinned(stats, thin), None)
    further = start.learned(white, float(stats["step_size"].isel(draw=-1).median()))
    return Drawn(start.points(kept), thinned(stats, thin), further)


def joined(first: Drawn, second: Drawn) -> Drawn:
    """As many kept draws of two equal sets together as of each: every second one.

    The second half of each chain is then one set of draws without a break, so that effective sample sizes and r-hat,
    which compare halves, see both sets as they are.
    """
    points = np.concatenate([first.points, second.points], axis=1)[:, 1::2]
    stats = xr.concat([first.stats, second.stats], "draw")
    return Drawn(points, thinned(stats, 2), second.start)


def thinned(stats: xr.Dataset, thin: int) -> xr.Dataset:
    """Statistics of kept draws; divergences, depths and steps also of those that were not kept.

    ``diverging`` says whether any of the draws that one was kept of diverged, and ``divergences`` how many did.
    """
    last = stats.isel(draw=slice(thin - 1, None, thin)).drop_vars("draw", errors="ignore")
    counted = stats.assign(divergences=stats.get("divergences", stats["diverging"]))
    for name in ("diverging", "depth", "divergences", "n_steps"):
        if name in counted:
            blocks = counted[name].transpose("chain", "draw").to_numpy().reshape(stats.sizes["chain"], -1, thin)
            summed = name in ("divergences", "n_steps")
            last[name] = (("chain", "draw"), blocks.sum(-1) if summed else blocks.max(-1))
    return last


def _compiled_model(density: Density, start: Start) -> Any:
    """nutpie's compiled-model class around the C function of a density in white coordinates."""
    from nutpie import _lib
    from nutpie.sample import CompiledModel

    density = density.whitened(start.centre, start.factor)

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
                start.first,
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
