"""How good forecasts were: scores of runs that the fit did not see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.heads import RESPONSES
from bayes_scaling.summaries import PROBABILITIES


def score_forecast(
    ahead: xr.Dataset,
    outcome: pd.DataFrame,
    *,
    response: str = "accuracy",
    probabilities: Sequence[float] = PROBABILITIES,
) -> pd.DataFrame:
    """Score a forecast of new runs against what they reached, row by row.

    Parameters
    ----------
    ahead : Dataset over (chain, draw, row)
        From `forecast`.
    outcome : DataFrame
        One row per row of the forecast, with the column that holds the response.
    response : str
        Which response to score.
    probabilities : sequence of float
        Of the central intervals that are scored.

    Returns
    -------
    DataFrame
        One row per row: run, benchmark, mixture, ``decades_beyond``, ``observed``, ``error`` (expectation
        minus observed), ``crps`` (continuous ranked probability score, in units of the response, smaller
        is better; Gneiting and Raftery 2007, doi 10.1198/016214506000001437), ``pit`` (share of draws below
        the observed value) and for every probability ``inside_p`` and ``width_p`` of the central interval.

    Raises
    ------
    DataError
        The outcome does not match the forecast row by row.
    """
    import scoringrules

    observed = outcome[RESPONSES[response]].to_numpy(float)
    if len(observed) != ahead.sizes["row"]:
        raise DataError(f"the forecast has {ahead.sizes['row']} rows, the outcome {len(observed)}; they must match")
    draws = ahead[response].transpose("row", "chain", "draw").to_numpy().reshape(len(observed), -1)
    expected = ahead[f"{response}_mean"].mean(("chain", "draw")).to_numpy()
    table = pd.DataFrame({c: ahead[c].to_numpy() for c in ahead.coords if ahead[c].dims == ("row",)})
    table = table.assign(
        observed=observed,
        error=expected - observed,
        crps=scoringrules.crps_ensemble(observed, draws),
        pit=np.mean(draws < observed[:, None], axis=1),
    )
    for p in probabilities:
        low, high = np.quantile(draws, [(1 - p) / 2, (1 + p) / 2], axis=1)
        table[f"inside_{100 * p:g}"] = (low <= observed) & (observed <= high)
        table[f"width_{100 * p:g}"] = high - low
    return table
