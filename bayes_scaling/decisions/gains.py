"""What ten times the compute buys, and what a forecast is worth in test items."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.sizes import parse_number
from bayes_scaling.decisions.along import Names, curves, positive
from bayes_scaling.decisions.basis import attributes, basis, noted, track_record
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.intervals import interval, row_draws
from bayes_scaling.forecasting.notes import joined, told_of
from bayes_scaling.inference.averaged_fits import Average, require_fit
from bayes_scaling.inference.fitting import Fit

SHOWN = 0.8
RECORD = (
    "asked of single runs (new_run=True), 80 % intervals of what a larger run gains over the largest fitted one held "
    "82 % of 1,606 gains of public runs, fewest (76 %) at 29 times the compute; of scores said to rise with a "
    "probability above 90 %, 99 % rose (benchmarks/gains.py)"
)
RECORD_OF_WORTH = (
    "1,666 forecasts of public runs were said to be worth 105 items together, and their errors showed 125; at 29 times "
    "the compute 291 were said and 71 shown (benchmarks/gains.py)"
)


def elasticity(
    fit: Fit | Average,
    flops: float | str,
    *,
    factor: float = 10.0,
    benchmark: Names = None,
    mixture: Names = None,
    tokens_per_param: float | str | None = None,
    new_run: bool = False,
    seed: int | None = None,
    even_if_not_converged: bool = False,
) -> pd.DataFrame:
    """What more compute buys: the rise of the expectation from some compute to ten times as much.

    Parameters
    ----------
    fit : Fit or Average
    flops : float or str
        Where to start [FLOPs].
    factor : float
        How many times as much.
    new_run : bool
        Ask of what a single run gains over another single run, each evaluated once, instead of the expectation.
    benchmark, mixture, tokens_per_param, seed, even_if_not_converged
        As for `compute_for`.

    Returns
    -------
    DataFrame
        ``benchmark``, ``mixture``, ``score`` (at the start), ``gain``, ``lower_80``, ``upper_80``, ``rises``, the
        probability of any gain, and ``decades_beyond``, of the larger compute; the largest gain first.  Attributes are
        those of the forecast, with ``flops``, ``factor`` and ``note``.

    Raises
    ------
    DataError, FitError
        As for `compute_for`.

    Warns
    -----
    ScalingWarning
        One of the two computes asks what the fitted runs cannot tell.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> table = bs.elasticity(bs.Fit.load("power_law.nc"), "1e21", mixture="C4", seed=1)
    >>> bool((table["gain"] > 0).all())
    True
    """
    require_fit(fit)
    start, times = positive(flops), parse_number(factor)
    if not (np.isfinite(times) and times > 1):
        raise DataError(f"factor must be above 1, not {factor!r}")
    drawn = curves(
        fit, benchmark, mixture, np.array([start, times * start]), tokens_per_param, seed, even_if_not_converged
    )
    scores = drawn.mean + drawn.noise if new_run else drawn.mean
    gain = scores[:, 1] - scores[:, 0]
    low, high = interval(gain, SHOWN)
    table = drawn.labels.assign(
        score=drawn.mean[:, 0].mean(axis=1), gain=gain.mean(axis=1), lower_80=low, upper_80=high,
        rises=(gain > 0).mean(axis=1),
        decades_beyond=drawn.ahead["decades_beyond"].to_numpy().reshape(-1, 2)[:, 1],
    )  # fmt: skip
    table = table.sort_values("gain", ascending=False, ignore_index=True)
    note = noted(drawn.ahead["benchmark"].to_numpy(), drawn.notes.ravel())
    table.attrs.update(basis(fit, drawn.ahead, RECORD) | {"flops": start, "factor": times, "note": note})
    return table


def worth(ahead: xr.Dataset) -> pd.DataFrame:
    """How many test items of the planned model would say as much as the forecast does.

    A test of n items tells the score p of a model with a variance of p (1 − p) / n; a forecast whose expectation has
    the variance V is worth n = p (1 − p) / V of them.

    Parameters
    ----------
    ahead : Dataset over (chain, draw, row)
        From `forecast`, of scores.

    Returns
    -------
    DataFrame
        The coordinates of each row, ``score``, ``sd`` and ``items``.  Attributes are those of the forecast,
        ``track_record`` and ``note``.

    Raises
    ------
    DataError
        The forecast has no scores.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> ahead = bs.forecast(fit, bs.plan_runs(flops=["1e21", "1e23"], benchmark="hellaswag", mixture="C4"), seed=1)
    >>> bool(bs.worth(ahead)["items"].is_monotonic_decreasing)
    True
    """
    name = next((n for n in ("accuracy_mean", "pass_at_k_mean") if isinstance(ahead, xr.Dataset) and n in ahead), None)
    if name is None:
        raise DataError("worth needs a forecast of scores, such as bs.forecast makes")
    draws = row_draws(ahead[name])
    table = pd.DataFrame({str(c): ahead[c].to_numpy() for c in ahead.coords if ahead[c].dims == ("row",)})
    score, variance = draws.mean(axis=1), draws.var(axis=1)
    with np.errstate(divide="ignore"):
        table = table.assign(score=score, sd=np.sqrt(variance), items=score * (1 - score) / variance)
    tests, notes = (ahead[name].to_numpy() for name in ("benchmark", "note"))
    told = {"track_record": track_record(ahead, RECORD_OF_WORTH), "note": joined(told_of(tests, notes))}
    table.attrs.update(attributes(ahead) | told)
    return table
