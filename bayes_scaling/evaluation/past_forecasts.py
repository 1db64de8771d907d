"""Forecasts of a backtest with what happened, as arrays: what later forecasts of the same law are adjusted by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.backtest.backtesting import Backtest
from bayes_scaling.forecasting.intervals import row_draws
from bayes_scaling.forecasting.summaries import AVERAGED_OVER
from bayes_scaling.messages import listed_names
from bayes_scaling.models.responses.response import Response

PLACES = 2  # of decades of compute, to which runs of one size agree
THINNED = 400  # draws of a past forecast that are scored
RECALIBRATION = "recalibration"  # attribute of a forecast whose bands were changed


@dataclass(frozen=True)
class Past:
    """Past forecasts with what happened, one row each.

    Attributes
    ----------
    draws : (row, draw) array
    observed, decades, flops : (row,) array
    run, split : (row,) array of str
    """

    draws: np.ndarray
    observed: np.ndarray
    decades: np.ndarray
    flops: np.ndarray
    run: np.ndarray
    split: np.ndarray

    def sizes(self) -> np.ndarray:
        """Which runs are of one size, (row,) array of numbers from 0."""
        return np.unique(np.log10(self.flops).round(PLACES), return_inverse=True)[1]

    def only(self, which: np.ndarray) -> Past:
        """Some of the rows."""
        return Past(*(getattr(self, name)[which] for name in ("draws", "observed", "decades", "flops", "run", "split")))


def past_forecasts(
    past: Backtest, law: str, response: Response, runs_at_least: int = 1, *, ahead: xr.Dataset | None = None
) -> Past:
    """The rows of a backtest for one law, but for those whose draws are all alike.

    Where the forecast ``ahead`` is an average over benchmarks, so are these, for the runs that have all of them.

    Raises
    ------
    DataError
        The backtest has no forecasts of this law and response, or of too few runs, or none with these benchmarks.
    """
    if ahead is not None and RECALIBRATION in ahead.attrs:
        raise DataError(
            "this forecast has been recalibrated already, and its bands would be changed twice: take the one that "
            "bs.forecast or bs.average_benchmarks made"
        )
    parts = {split: drawn for (name, split), drawn in past.forecasts.items() if name == law and drawn.sizes.get("row")}
    if not parts:
        others = sorted({name for name, _ in past.forecasts})
        raise DataError(
            f"the backtest has no forecasts of {law!r}; it has those of {others}: backtest the law of the forecast, or "
            "name it by law= where it has another name there"
        )
    if past.response != response.name:
        raise DataError(f"the backtest is of {past.response}, the forecast of {response.name}")
    scores = past.scores[past.scores["law"] == law]
    weights = _weights(ahead)
    found = []
    for split, drawn in parts.items():
        draws = row_draws(drawn[response.name])
        own = scores[scores["split"] == split]
        if weights is not None:
            draws, own = _averaged(draws, own, weights)
        columns = [own[name].to_numpy() for name in ("observed", "decades_beyond", "flops", "run")]
        found.append((draws[:, :: max(draws.shape[1] // THINNED, 1)], *columns, np.full(len(own), split)))
    if weights is not None and not any(len(part[0]) for part in found):
        raise DataError(f"no run of the backtest has all benchmarks of the average, {listed_names(list(weights))}")
    fewest = min(part[0].shape[1] for part in found)
    rows = [np.concatenate([part[0][:, :fewest] for part in found])]
    rows += [np.concatenate([part[at] for part in found]) for at in range(1, 6)]
    known = Past(rows[0], *(row.astype(float) for row in rows[1:4]), *(row.astype(str) for row in rows[4:]))
    known = known.only(np.ptp(known.draws, axis=1) > 0)
    if (runs := len(np.unique(known.run))) < runs_at_least:
        raise DataError(f"the backtest forecasts {runs} runs; a factor is learned from {runs_at_least} or more")
    return known


def _weights(ahead: xr.Dataset | None) -> dict[str, float] | None:
    """Weights of the benchmarks that a forecast is an average over; None where it is none."""
    if ahead is None or AVERAGED_OVER not in ahead.attrs:
        return None
    weights: dict[str, float] = json.loads(ahead.attrs[AVERAGED_OVER])
    if not weights:
        raise DataError("the rows of this forecast are averages over different benchmarks; average them apart")
    return weights


def _averaged(
    draws: np.ndarray, rows: pd.DataFrame, weights: Mapping[str, float]
) -> tuple[np.ndarray, pd.DataFrame]:  # fmt: skip
    """Past forecasts and outcomes as averages over benchmarks, for the runs that have all of them."""
    rows = rows.assign(at=np.arange(len(rows)), weight=rows["benchmark"].astype(str).map(weights))
    by = [name for name in ("run", "k") if name in rows]
    each = [part for _, part in rows.groupby(by, sort=False, dropna=False) if set(weights) <= set(part["benchmark"])]
    each = [part[part["weight"].notna()] for part in each]
    together = [np.average(draws[part["at"]], axis=0, weights=part["weight"]) for part in each]
    table = pd.DataFrame({
        "run": [part["run"].iloc[0] for part in each],
        "observed": [np.average(part["observed"], weights=part["weight"]) for part in each],
        "decades_beyond": [part["decades_beyond"].max() for part in each],
        "flops": [part["flops"].iloc[0] for part in each],
    })  # fmt: skip
    return np.reshape(together, (len(each), draws.shape[1])), table
