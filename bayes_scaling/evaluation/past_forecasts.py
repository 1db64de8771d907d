"""Forecasts of a backtest with what happened, as arrays: what later forecasts of the same law are adjusted by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.backtest.backtesting import Backtest
from bayes_scaling.forecasting.intervals import row_draws
from bayes_scaling.models.responses.response import Response

THINNED = 400  # draws of a past forecast that are scored


@dataclass(frozen=True)
class Past:
    """Past forecasts with what happened, one row each.

    Attributes
    ----------
    draws : (row, draw) array
    observed, decades : (row,) array
    run, split : (row,) array of str
    """

    draws: np.ndarray
    observed: np.ndarray
    decades: np.ndarray
    run: np.ndarray
    split: np.ndarray

    def only(self, which: np.ndarray) -> Past:
        """Some of the rows."""
        return Past(*(getattr(self, name)[which] for name in ("draws", "observed", "decades", "run", "split")))


def past_forecasts(past: Backtest, law: str, response: Response, runs_at_least: int = 1) -> Past:
    """The rows of a backtest for one law, but for those whose draws are all alike.

    Raises
    ------
    DataError
        The backtest has no forecasts of this law and response, or of too few runs.
    """
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
    found = []
    for split, drawn in parts.items():
        draws = row_draws(drawn[response.name])
        own = scores[scores["split"] == split]
        columns = [own[name].to_numpy() for name in ("observed", "decades_beyond", "run")]
        found.append((draws[:, :: max(draws.shape[1] // THINNED, 1)], *columns, np.full(len(own), split)))
    fewest = min(len(part[0][0]) for part in found)
    rows = [np.concatenate([part[0][:, :fewest] for part in found])]
    rows += [np.concatenate([part[at] for part in found]) for at in range(1, 5)]
    known = Past(rows[0], rows[1].astype(float), rows[2].astype(float), rows[3].astype(str), rows[4].astype(str))
    known = known.only(np.ptp(known.draws, axis=1) > 0)
    if (runs := len(np.unique(known.run))) < runs_at_least:
        raise DataError(f"the backtest forecasts {runs} runs; a factor is learned from {runs_at_least} or more")
    return known
