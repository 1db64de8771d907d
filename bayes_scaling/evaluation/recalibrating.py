r"""Forecasts whose bands are made wider or narrower by what the user's own backtest says.

Draws of every row are moved away from their median, or towards it, by one factor that follows the distance d beyond the
fitted runs [decades of compute],

.. math:: \log s(d) = a + b\, \min(d, d_{max}), \qquad a, b \sim N(0, 0.35^2),

with d_max the farthest distance of the backtest.  The factor is the one for which the past forecasts have the best
score: the continuous ranked probability score (Gneiting and Raftery 2007, doi 10.1198/016214506000001437, Eq. 20) in
units of the standard deviation of each forecast, averaged over the rows of all runs of one size, summed over sizes, and
put in units of information: for a normal forecast that is right, one size says as much about log s as one observation
does.  So the factor stays near 1 where few sizes speak, however many benchmarks and mixtures they have: where a law
misses runs of one size, it misses them together.
"""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from scipy.optimize import minimize

from bayes_scaling.arguments import thing_of
from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.backtest.backtesting import Backtest
from bayes_scaling.evaluation.past_forecasts import RECALIBRATION, Past, past_forecasts
from bayes_scaling.evaluation.scores import scored_response
from bayes_scaling.models.responses.response import Response

PRIOR_SD = 0.35  # of the log factor at no distance, and of what a decade changes in it
INFORMATION = 2 / (1 / (2 * np.sqrt(np.pi)))  # of the log score over that of the CRPS / SD, about log s at s = 1
RUNS_AT_LEAST = 3


def recalibrate(ahead: xr.Dataset, past: Backtest, *, law: str | None = None) -> xr.Dataset:
    """Make the bands of a forecast wider or narrower, as a backtest of the same law suggests.

    Nothing does this unless it is asked for.  `benchmarks/recalibration.py` shows where it helps and where it does not.

    Parameters
    ----------
    ahead : Dataset over (chain, draw, row)
        From `forecast`, or from `average_benchmarks`: what the backtest forecast is then averaged alike.
    past : Backtest
        Of the same law on the user's own runs; see `backtest`.
    law : str, optional
        Name of the law in the backtest; by default the model of the forecast.

    Returns
    -------
    Dataset over (chain, draw, row)
        The same forecast with other bands, of the expectation and of a new run, and the same medians.  Its attribute
        ``recalibration`` is a JSON text: ``factor`` of the width by ``decades_beyond``, ``sizes``, ``runs`` and
        ``rows`` that it was learned from, and ``crps_change``: by which share the score of each split of the backtest
        changes under a factor that was learned from the other splits (blank for one split).

    Raises
    ------
    DataError
        The backtest has no forecasts of this law or of these benchmarks, or of fewer than three runs; a forecast that
        has been recalibrated already; pass@k, whose draws must rise with k.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> past = bs.backtest("power_law", fit.runs, seed=1, draws=200, tune=200, attempts=1, progress=False)
    >>> ahead = bs.forecast(fit, bs.plan_runs(flops="1e22", benchmark="hellaswag", mixture="C4"), seed=1)
    >>> wider = bs.recalibrate(ahead, past)
    >>> bool(wider["accuracy"].std() > ahead["accuracy"].std())
    True
    """
    response = scored_response(ahead)
    thing_of("the backtest", past, Backtest, "bs.backtest")
    if "k" in response.columns:
        raise DataError(
            f"{response.label} cannot be recalibrated, because its draws must rise with k; accuracy and loss can"
        )
    known = past_forecasts(past, law or str(ahead.attrs["model"]), response, RUNS_AT_LEAST, ahead=ahead)
    slope = learned(known)
    farthest = float(known.decades.max())
    factors = width_factor(slope, ahead["decades_beyond"].to_numpy().astype(float), farthest)
    changed = {name: _scaled(ahead[name], factors, response) for name in (response.mean_name, response.name)}
    distances = sorted({0.0, *np.arange(0.5, farthest, 0.5).tolist(), round(farthest, 2)})
    told = {
        "factor": {f"{d:g}": round(float(width_factor(slope, np.array([d]), farthest)[0]), 3) for d in distances},
        "sizes": len(np.unique(known.sizes())),
        "runs": len(np.unique(known.run)),
        "rows": len(known.observed),
        "crps_change": _change_on_others(known),
    }
    return ahead.assign(changed).assign_attrs({RECALIBRATION: json.dumps(told)})


def width_factor(slope: np.ndarray, decades: np.ndarray, farthest: float) -> np.ndarray:
    """Factor of the width at distances beyond the fitted runs [decades], none beyond those of the backtest."""
    return np.exp(slope[0] + slope[1] * np.clip(decades, 0.0, farthest))


def learned(known: Past) -> np.ndarray:
    """(a, b) of the log factor, the most probable given past forecasts; see the module's description."""
    farthest = float(known.decades.max())
    size = known.sizes()
    share = 1 / np.bincount(size)[size]
    middle, scale = np.median(known.draws, axis=1), known.draws.std(axis=1)
    spread = _mean_difference(known.draws)

    def loss(slope: np.ndarray) -> float:
        crps = _crps(known, middle, spread, width_factor(slope, known.decades, farthest))
        return float(INFORMATION * (share @ (crps / scale)) + slope @ slope / (2 * PRIOR_SD**2))

    return np.asarray(minimize(loss, np.zeros(2), method="Nelder-Mead").x)


def _crps(known: Past, middle: np.ndarray, spread: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """CRPS of past forecasts whose draws are moved away from their medians."""
    away = factors[:, None] * (known.draws - middle[:, None]) - (known.observed - middle)[:, None]
    return np.asarray(np.abs(away).mean(axis=1) - factors * spread / 2)


def _mean_difference(draws: np.ndarray) -> np.ndarray:
    """Mean absolute difference of two draws of a row."""
    n = draws.shape[1]
    weight = 2 * np.arange(1, n + 1) - n - 1
    return np.asarray(2 * (np.sort(draws, axis=1) @ weight) / n**2)


def _scaled(values: xr.DataArray, factors: np.ndarray, response: Response) -> xr.DataArray:
    middle = values.median(("chain", "draw"))
    moved = middle + xr.DataArray(factors, dims="row") * (values - middle)
    return moved.clip(response.low, response.high).transpose(*values.dims).astype(values.dtype)


def _change_on_others(known: Past) -> float | None:
    """Share by which the CRPS changes under factors learned from the other splits; None where there are none."""
    names = np.unique(known.split)
    before, after = 0.0, 0.0
    for name in names:
        own = known.only(known.split == name)
        rest = known.only(known.split != name)
        if not len(rest.observed):
            return None
        middle, spread = np.median(own.draws, axis=1), _mean_difference(own.draws)
        factors = width_factor(learned(rest), own.decades, float(rest.decades.max()))
        before += _crps(own, middle, spread, np.ones(len(factors))).sum()
        after += _crps(own, middle, spread, factors).sum()
    return round(float(after / before - 1), 4)
