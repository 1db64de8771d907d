"""Where the walk over periods stands, in a fitted period or in the next one."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayes_scaling.boundaries.fitting import BoundaryFit
from bayes_scaling.errors import DataError
from bayes_scaling.messages import suggest

NEXT = "next"  # the period after the last


def period_effect(fit: BoundaryFit, period: str | None, seed: int | None) -> xr.DataArray:
    """Where the walk over periods stands, with a step drawn for the period after the last."""
    known = fit.cells.periods
    effect, label = fit.posterior["period_effect"], known[-1] if period is None else period
    if isinstance(label, str) and label == NEXT:
        last = effect.sel(period=known[-1], drop=True)
        noise = np.random.default_rng(seed).normal(size=last.shape)
        return last + fit.posterior["period_step"] * xr.DataArray(noise, dims=last.dims)
    if not isinstance(label, str) or label not in known:
        raise DataError(f"no period {label!r} was fitted; {suggest(label, [*known, NEXT])}")
    return effect.sel(period=label, drop=True)
