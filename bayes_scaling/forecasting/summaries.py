"""Tables of forecasts: means and credible intervals that say what they are intervals for."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.arguments import shares_of, thing_of, weights_of
from bayes_scaling.data.known_benchmarks import overlaps
from bayes_scaling.errors import DataError, ScalingWarning
from bayes_scaling.forecasting.coordinates import OF_FORECASTS
from bayes_scaling.forecasting.intervals import interval, row_draws
from bayes_scaling.forecasting.notes import joined, remarks_of
from bayes_scaling.messages import listed_names

PROBABILITIES = (0.5, 0.8, 0.95)
EXPECTATION, NEW_RUN = "expectation", "new run"
ALWAYS = ("benchmark", "flops")
AVERAGED_OVER = "averaged_over"  # attribute of an average: weights by benchmark, {} where rows differ in them
ON_REQUEST = ("run", "chance", "n_items", "metric", "decades_beyond")


def summarise(
    ahead: xr.Dataset, *, probabilities: Sequence[float] = PROBABILITIES, everything: bool = False
) -> pd.DataFrame:
    """Tabulate a forecast: for every row, the mean and equal-tailed credible intervals.

    Parameters
    ----------
    ahead : Dataset over (chain, draw, row)
        From `forecast` or `average_benchmarks`.
    probabilities : sequence of float
        What the intervals hold.
    everything : bool
        Show every column of the plan; else benchmark and compute, what differs between rows, and notes, which fits a
        page.

    Returns
    -------
    DataFrame
        One row per row, response and kind of interval.  ``interval_for`` is "expectation" (the law itself)
        or "new run" (one run evaluated once); ``lower_80`` and ``upper_80`` hold 80 %, and so on; ``note`` comes last.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> ahead = bs.forecast(fit, bs.plan_runs(flops=1e22, benchmark="hellaswag", mixture="C4"), seed=1)
    >>> table = bs.summarise(ahead, probabilities=[0.8])
    >>> table["interval_for"].tolist()
    ['expectation', 'new run']
    >>> bool((table["lower_80"] < table["mean"]).all())
    True
    """
    thing_of("the forecast", ahead, xr.Dataset, "bs.forecast")
    shares = shares_of("probabilities", probabilities)
    tables = [_table(ahead, str(name), shares) for name in ahead.data_vars]
    table = pd.concat(tables, ignore_index=True)
    table = table.sort_values(["row", "response", "interval_for"], kind="stable", ignore_index=True)
    table = table if everything else _short(table)
    last = [name for name in ("note",) if name in table]
    return table[[name for name in table if name not in ("row", *last)] + last]


summarize = summarise  # the other spelling


def _short(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out what rows have in common, and facts about benchmarks; runs only go where rows differ without them."""
    given = [name for name in list(table)[: list(table).index("response")] if name not in ("row", "note", *ON_REQUEST)]
    kept = [name for name in given if name in ALWAYS or table[name].nunique(dropna=False) > 1]
    if "run" in table and len(table[kept].drop_duplicates()) < table["row"].nunique():
        kept = ["run", *kept]
    noted = ["note"] if "note" in table and table["note"].ne("").any() else []
    return table[["row", *kept, *list(table)[list(table).index("response") :], *noted]]


def _table(ahead: xr.Dataset, name: str, probabilities: Sequence[float]) -> pd.DataFrame:
    draws = row_draws(ahead[name])
    table = pd.DataFrame({c: ahead[c].to_numpy() for c in ahead.coords if ahead[c].dims == ("row",)})
    table["row"] = range(len(table))
    table["response"] = name.removesuffix("_mean")
    table["interval_for"] = EXPECTATION if name.endswith("_mean") else NEW_RUN
    table["mean"] = draws.mean(axis=1)
    for probability in probabilities:
        share = f"{round(100 * probability, 6):g}"
        table[f"lower_{share}"], table[f"upper_{share}"] = interval(draws, probability)
    return table


def average_benchmarks(ahead: xr.Dataset, *, weights: Mapping[str, float] | None = None) -> xr.Dataset:
    """Average a forecast over benchmarks, draw by draw, so that the band of the average is right.

    Parameters
    ----------
    ahead : Dataset over (chain, draw, row)
        From `forecast`; rows of one run share its noise.
    weights : mapping, optional
        Benchmark -> weight; equal weights by default.

    Returns
    -------
    Dataset over (chain, draw, row)
        One row per run (and k), with ``benchmark`` "average of n", the largest ``decades_beyond`` and all notes.  Its
        attribute ``averaged_over`` is a JSON text of the weight of every benchmark.

    Raises
    ------
    DataError
        The forecast has no benchmarks, or a weight is missing.

    Warns
    -----
    ScalingWarning
        A benchmark stands beside its parts, as ``mmlu`` beside ``mmlu_stem``.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> plan = bs.plan_runs(flops=1e22, benchmark=["arc_easy", "hellaswag"], mixture="C4")
    >>> bs.average_benchmarks(bs.forecast(fit, plan, seed=1))["benchmark"].values.tolist()
    ['average of 2']
    """
    thing_of("the forecast", ahead, xr.Dataset, "bs.forecast")
    weights = None if weights is None else weights_of("weights", weights)
    if "benchmark" not in ahead.coords:
        raise DataError("the forecast has no benchmarks to average over")
    benchmark = pd.Series(ahead["benchmark"].to_numpy()).astype(str)
    if weights is not None and (absent := sorted(set(benchmark) - set(weights))):
        raise DataError(f"no weight for the benchmarks {absent}")
    for whole, held, _ in overlaps(pd.Series(np.nan, benchmark.unique())):
        warnings.warn(
            f"the average counts items twice: {whole!r} holds what is in {listed_names(held)}",
            ScalingWarning,
            stacklevel=2,
        )
    weight = benchmark.map(weights).to_numpy(float) if weights else np.ones(len(benchmark))
    if not (np.all(weight >= 0) and weight.sum() > 0):
        raise DataError(f"weights must not be negative and not all 0, got {weights}")
    table = pd.DataFrame({name: ahead[name].to_numpy() for name in ("run", "k") if name in ahead.coords})
    groups = table.groupby(list(table), sort=False, dropna=False).indices.values()
    parts = [_average(ahead.isel(row=at), weight[at]) for at in groups]
    over = dict(zip(benchmark, weight.tolist(), strict=True))
    alike = all(sorted(benchmark.iloc[at]) == sorted(over) for at in groups)
    told = {AVERAGED_OVER: json.dumps(over if alike else {})}
    return xr.concat(parts, dim="row").transpose("chain", "draw", "row").assign_attrs(ahead.attrs | told)


def _average(part: xr.Dataset, weight: np.ndarray) -> xr.Dataset:
    """One row: the weighted mean of the rows of one run."""
    mean = part.weighted(xr.DataArray(weight, dims="row")).mean("row").expand_dims("row")
    kept = [name for name in part.coords if part[name].dims == ("row",) and name not in ("benchmark", *OF_FORECASTS)]
    shared: dict[Any, Any] = {name: ("row", part[name].to_numpy()[:1]) for name in kept}
    both = zip(part["benchmark"].to_numpy(), part["note"].to_numpy(), strict=True)
    noted = [f"{benchmark}: {remark}" for benchmark, note in both for remark in remarks_of(note)]
    shared |= {
        "benchmark": ("row", [f"average of {part.sizes['row']}"]),
        "decades_beyond": ("row", [float(part["decades_beyond"].max())]),
        "note": ("row", [joined(noted)]),
    }
    return mean.assign_coords(shared)
