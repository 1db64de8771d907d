"""What a fit learned, in words: one line for every parameter, and one for every spread between groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.arguments import is_number
from bayes_scaling.errors import FitError
from bayes_scaling.models.effects import Effect
from bayes_scaling.models.model import Model

LEARNED, FIXED = "typical value", "fixed value"


def summary(model: Model, posterior: xr.Dataset, probability: float = 0.9) -> pd.DataFrame:
    """Tabulate what a fit learned of every parameter, in the units of the law.

    Parameters
    ----------
    model : Model
    posterior : Dataset over (chain, draw, …)
    probability : float
        What the intervals hold.

    Returns
    -------
    DataFrame
        One row per parameter and per spread: ``parameter``; ``what`` ("typical value" over groups, "fixed value", or
        between which groups it spreads); ``mean`` with ``lower`` and ``upper`` ends of the equal-tailed interval;
        ``ess`` (bulk effective sample size); and ``meaning``, with the unit.

    Raises
    ------
    FitError
        The probability is not between 0 and 1.
    """
    if not (is_number(probability) and 0 < probability < 1):
        raise FitError(f"probability must be a number between 0 and 1, got {probability!r}")
    rows: list[dict[str, Any]] = []
    for name, parameter in model.parameters.items():
        typical = parameter.support.constrain(posterior[parameter.free_name])
        what = LEARNED if model.has_population(name) else FIXED
        rows.append(_row(name, what, typical, probability, parameter.meaning))
        for effect in model.effects(name):
            if effect.learned:
                of_spread = _meaning(effect, parameter.support.name)
                rows.append(_row(name, _between(effect), posterior[effect.sd_name], probability, of_spread))
    return pd.DataFrame(rows)


def _row(name: str, what: str, draws: xr.DataArray, probability: float, meaning: str) -> dict[str, Any]:
    import arviz_stats as azs

    ends = draws.quantile([(1 - probability) / 2, (1 + probability) / 2]).to_numpy()
    moved = float(np.ptp(draws.to_numpy())) > 0
    return {
        "parameter": name,
        "what": what,
        "mean": float(draws.mean()),
        "lower": float(ends[0]),
        "upper": float(ends[1]),
        "ess": float(azs.ess(draws.to_dataset(name="x"))["x"]) if moved else np.nan,
        "meaning": meaning,
    }


def _between(effect: Effect) -> str:
    if effect.curve:
        return f"bend over compute, {' × '.join(effect.group)}" if effect.group else "bend over compute, of all"
    return f"spread between {' × '.join(f'{group}s' for group in effect.group)}"


def _meaning(effect: Effect, support: str) -> str:
    scale = {"positive": "of its logarithm: 0.2 is about 20 %", "unit": "of its log odds"}.get(support, "of the value")
    if effect.curve:
        return f"how far the slope wanders in a decade of compute, {scale}"
    return f"standard deviation {scale}"
