r"""Intervals that rest on past errors alone, where enough runs were held out: split conformal prediction.

Of every past forecast, the error counts in units of its own spread, :math:`s = |y - m| / \sigma`, where m is the median
and σ the standard deviation of its draws.  Scores of one run go together, so that runs are what can be exchanged, not
scores.  With K runs of which run k has N_k scores, the limit of an interval of probability p is the p-quantile of

.. math:: \sum_{k=1}^{K} \frac{1}{K + 1} \sum_{i=1}^{N_k} \frac{1}{N_k} \delta_{s_{k,i}}
    + \frac{1}{K + 1} \delta_{\infty}

(hierarchical conformal prediction of Lee, Barber and Willett 2023, arXiv 2306.06342).  It is finite where
:math:`K \ge p / (1 - p)`: from nine runs on for 90 %, from nineteen for 95 %.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.arguments import shares_of, thing_of
from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.backtest.backtesting import Backtest
from bayes_scaling.evaluation.past_forecasts import Past, past_forecasts
from bayes_scaling.evaluation.scores import scored_response
from bayes_scaling.forecasting.intervals import row_draws
from bayes_scaling.forecasting.notes import joined
from bayes_scaling.messages import number_of

ROUNDING = 1e-9  # of sums of weights
FARTHER = "farther beyond the fitted runs than any run of the backtest: its errors say nothing of this row"


def conformal(
    ahead: xr.Dataset, past: Backtest, *, probabilities: Sequence[float] = (0.8, 0.9), law: str | None = None
) -> pd.DataFrame:
    """Intervals of a new run whose width follows from the errors of a backtest of the same law, and from nothing else.

    They hold as often as they say, whatever the law, where a new run can be exchanged with those of the backtest: where
    it lies as far beyond the fitted runs as they did.  `benchmarks/recalibration.py` shows how often they held the
    scores of larger runs.

    Parameters
    ----------
    ahead : Dataset over (chain, draw, row)
        From `forecast`, or from `average_benchmarks`: what the backtest forecast is then averaged alike.
    past : Backtest
        Of the same law on the user's own runs; see `backtest`.
    probabilities : sequence of float
        What the intervals hold.
    law : str, optional
        Name of the law in the backtest; by default the model of the forecast.

    Returns
    -------
    DataFrame
        One row per row of the forecast: its coordinates, ``median``, ``lower_80`` and ``upper_80`` and so on, and
        ``note``.  Attributes: ``runs`` and ``rows`` that the intervals rest on, ``law``, and ``farthest`` of them
        [decades beyond the fitted runs].

    Raises
    ------
    DataError
        The backtest has no forecasts of this law, or of these benchmarks, or of too few runs for a probability; the
        forecast has been recalibrated.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> past = bs.backtest("power_law", fit.runs, seed=1, draws=200, tune=200, attempts=1, progress=False)
    >>> ahead = bs.forecast(fit, bs.plan_runs(flops="1e21", benchmark="hellaswag", mixture="C4"), seed=1)
    >>> table = bs.conformal(ahead, past, probabilities=[0.8])
    >>> bool((table["lower_80"] < table["median"]).all())
    True
    """
    response = scored_response(ahead)
    thing_of("the backtest", past, Backtest, "bs.backtest")
    shares = shares_of("probabilities", probabilities)
    name = law or str(ahead.attrs["model"])
    known = past_forecasts(past, name, response, ahead=ahead)
    for share in shares:
        _require_runs(known, share)
    draws = row_draws(ahead[response.name])
    middle, spread = np.median(draws, axis=1), draws.std(axis=1)
    table = pd.DataFrame({str(c): ahead[c].to_numpy() for c in ahead.coords if ahead[c].dims == ("row",)})
    notes = table.pop("note") if "note" in table else pd.Series("", table.index)
    table["median"] = middle
    for share in shares:
        away, text = conformal_limit(known, share) * spread, f"{round(100 * share, 6):g}"
        table[f"lower_{text}"] = np.clip(middle - away, response.low, response.high)
        table[f"upper_{text}"] = np.clip(middle + away, response.low, response.high)
    farthest = float(known.decades.max())
    far = table["decades_beyond"].to_numpy(float) > farthest + ROUNDING
    table["note"] = [joined((note, FARTHER if beyond else "")) for note, beyond in zip(notes, far, strict=True)]
    runs = len(np.unique(known.run))
    table.attrs.update({"law": name, "runs": runs, "rows": len(known.observed), "farthest": farthest})
    return table


def conformal_limit(known: Past, probability: float) -> float:
    """How many standard deviations of a forecast reach to the end of its interval; infinite with too few runs.

    Examples
    --------
    >>> runs = np.array([f"run {n}" for n in range(9)])
    >>> draws = np.tile([-1.0, 1.0], (9, 1))
    >>> known = Past(draws, np.arange(9.0), np.zeros(9), np.full(9, 1e20), runs, np.full(9, "one"))
    >>> conformal_limit(known, 0.5), conformal_limit(known, 0.9), conformal_limit(known, 0.95)
    (4.0, 8.0, inf)
    """
    errors = np.abs(known.observed - np.median(known.draws, axis=1)) / known.draws.std(axis=1)
    counts = pd.Series(known.run).map(pd.Series(known.run).value_counts()).to_numpy()
    weights = 1 / (counts * (len(np.unique(known.run)) + 1))
    order = np.argsort(errors)
    reached = np.flatnonzero(np.cumsum(weights[order]) >= probability - ROUNDING)
    return float(errors[order][reached[0]]) if reached.size else np.inf


def _require_runs(known: Past, share: float) -> None:
    runs, needed = len(np.unique(known.run)), int(np.ceil(share / (1 - share) - ROUNDING))
    if runs < needed:
        raise DataError(
            f"an interval of {100 * share:g} % needs a backtest of {needed} runs or more, and this one forecasts "
            f"{number_of(runs, 'run')}: ask for at most {100 * runs // (runs + 1)} %, or hold out more runs"
        )
