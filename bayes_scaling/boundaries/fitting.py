"""Fit how the scores of released models are distributed at every compute."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.boundaries.cells import Cells, cells_of
from bayes_scaling.boundaries.density import base_effects, boundary_model
from bayes_scaling.boundaries.saved import load, save
from bayes_scaling.boundaries.scores import released_scores
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.inference.sampling import thinned
from bayes_scaling.inference.settings import Settings, checked_seed, whole_number
from bayes_scaling.inference.verdict import Verdict, judge

TARGET_ACCEPT = 0.95
INNER = ("_z", "_score")  # names of standard scores, which nobody reads


@dataclass(frozen=True)
class BoundaryFit:
    """Posterior of the distribution of scores over released models.

    Attributes
    ----------
    posterior : Dataset over (chain, draw, …)
        The quantities of `density`: ``a``, ``c``, ``d``, ``f``, ``s``, ``r``, ``asymptote``, ``base_sd`` and, where the
        table tells organisations apart, ``organisation_sd`` over ``benchmark``; ``base_effect`` over
        (base, benchmark); ``period_effect`` over (period, benchmark), 0 in the first; ``period_step``.
    scores : DataFrame
        What it was fitted to, as `released_scores` returns it.
    verdict : Verdict
    seed : int or None
    """

    posterior: xr.Dataset
    scores: pd.DataFrame
    verdict: Verdict
    seed: int | None

    @cached_property
    def cells(self) -> Cells:
        """Sufficient statistics of the scores."""
        return cells_of(self.scores)

    def __repr__(self) -> str:
        return (
            f"<BoundaryFit to {len(self.scores)} scores on {len(self.cells.benchmarks)} benchmarks of "
            f"{len(self.cells.bases)} base models in {len(self.cells.periods)} periods; {self.verdict}>"
        )

    def require_converged(self, *, even_if_not_converged: bool = False) -> None:
        """Refuse to go on from a fit that failed its verdict, unless told to.

        Raises
        ------
        FitError
            The fit did not converge.
        """
        self.verdict.require("boundary", even_if_not_converged=even_if_not_converged)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write everything into one netCDF file, whole or not at all; see `saved.save`."""
        save(path, self.posterior, self.scores, self.verdict, self.seed, overwrite=overwrite)

    @staticmethod
    def load(path: str | Path, *, even_if_damaged: bool = False) -> BoundaryFit:
        """Read a fit back; see `saved.load`."""
        return BoundaryFit(**load(path, even_if_damaged=even_if_damaged))


def fit_boundary(
    scores: pd.DataFrame,
    *,
    seed: int | None = None,
    chains: int = 4,
    draws: int = 1000,
    tune: int = 600,
    thin: int = 2,
    target_accept: float | None = None,
    progress: bool | None = None,
    cores: int | None = None,
) -> BoundaryFit:
    """Fit how the scores of released models are distributed at every compute.

    Parameters
    ----------
    scores : DataFrame
        One row a score of a released model: ``flops`` of its pre-training [FLOPs], ``benchmark``, ``score``
        [proportion]; where known ``n_items``, ``chance``, ``base_model``, ``organisation`` and ``period``, whose labels
        sort in the order of time.
    seed : int, optional
        The same seed on the same machine gives the same draws.
    chains, draws, tune, thin, target_accept, progress, cores
        As for `fit`.

    Returns
    -------
    BoundaryFit

    Raises
    ------
    DataError
        The table lacks a column, or holds what cannot be.

    Warns
    -----
    ScalingWarning
        The fit did not converge.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.fit_boundary(bs.simulated_board(models=300, seed=1), seed=1, chains=2, progress=False)
    >>> fit.verdict.passed, len(fit.cells.bases)
    (True, 40)
    """
    settings, seed = Settings(chains, draws, tune, thin, target_accept or TARGET_ACCEPT, 1), checked_seed(seed)
    cores = None if cores is None else whole_number("cores", cores)
    scores = released_scores(scores)
    cells = cells_of(scores)
    drawn, stats = _sampled(cells, settings, seed, progress, cores)
    posterior = drawn[[name for name in drawn if not str(name).endswith(INNER)]]
    read = [name for name in posterior if not (name == "period_effect" and len(cells.periods) == 1)]
    verdict = judge(posterior[read], stats, max_depth=settings.max_depth)
    if not verdict.passed:
        warnings.warn(f"boundary: {verdict}", ScalingWarning, stacklevel=2)
    posterior["base_effect"] = base_effects(posterior, cells, np.random.default_rng(seed))
    return BoundaryFit(posterior, scores, verdict, seed)


def _sampled(
    cells: Cells, settings: Settings, seed: int | None, progress: bool | None, cores: int | None
) -> tuple[xr.Dataset, xr.Dataset]:
    """Draws of the posterior, one kept of every few, and the statistics of all draws."""
    import nutpie

    thin = settings.thin or 1
    trace = nutpie.sample(
        nutpie.compile_pymc_model(boundary_model(cells)),
        draws=settings.draws * thin,
        tune=settings.tune,
        chains=settings.chains,
        cores=cores,
        seed=seed,
        save_warmup=False,
        progress_bar=sys.stderr.isatty() if progress is None else progress,
        target_accept=settings.target_accept,
        maxdepth=settings.max_depth,
    )
    kept = trace["posterior"].to_dataset().isel(draw=slice(thin - 1, None, thin))
    stats = trace["sample_stats"].to_dataset()[["diverging", "energy", "depth"]]
    return kept.assign_coords(draw=np.arange(settings.draws)), thinned(stats, thin)
