"""The average over the benchmarks of a figure, as a panel of its own: its runs, and its forecast along compute."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.summaries import average_benchmarks
from bayes_scaling.models.responses.response import Response


def name_of_average(benchmarks: Sequence[str]) -> str:
    """Title of the panel, and the benchmark that its rows have; as `average_benchmarks` calls it."""
    return f"average of {len(benchmarks)}"


def with_averages(runs: pd.DataFrame, benchmarks: Sequence[str], response: Response) -> pd.DataFrame:
    """Runs, and for each that has a score on every one of some benchmarks a further row with their average.

    Raises
    ------
    DataError
        There are fewer than two benchmarks, or the response has none.

    Examples
    --------
    >>> from bayes_scaling.models.responses.all_responses import RESPONSES
    >>> runs = pd.DataFrame({"run": ["a", "a", "b"], "benchmark": ["piqa", "copa", "piqa"], "score": [0.5, 0.75, 0.8]})
    >>> with_averages(runs, ["piqa", "copa"], RESPONSES["accuracy"]).iloc[3:].values.tolist()
    [['a', 'average of 2', 0.625]]
    """
    if len(benchmarks) < 2 or not response.per_benchmark:
        raise DataError(f"an average needs two benchmarks or more; the figure shows {list(benchmarks)}")
    if not {"run", response.column} <= set(runs):
        return runs
    rows = runs[response.outcomes(runs) & runs["benchmark"].isin(benchmarks)]
    numbers = [name for name in (response.column, "chance") if name in rows]
    how = {str(name): "mean" if name in numbers else "first" for name in rows if name not in ("run", "benchmark")}
    each = rows.groupby(["run", "benchmark"], sort=False, observed=True).agg(how).reset_index()
    whole = each[each.groupby("run")["benchmark"].transform("nunique") == len(benchmarks)]
    means = whole.drop(columns="benchmark").groupby("run", sort=False).agg(how).reset_index()
    return pd.concat([runs, means.assign(benchmark=name_of_average(benchmarks))], ignore_index=True)[list(runs)]


def averaged_forecast(ahead: xr.Dataset, benchmarks: Sequence[str]) -> xr.Dataset:
    """The forecast of the average over some benchmarks, of the runs that have rows of all of them; maybe of none."""
    rows = pd.Series(ahead["benchmark"].to_numpy()).astype(str).isin(benchmarks).to_numpy()
    if not rows.any():
        return ahead.isel(row=rows)
    found = average_benchmarks(ahead.isel(row=rows))
    return found.isel(row=(found["benchmark"] == name_of_average(benchmarks)).to_numpy())
