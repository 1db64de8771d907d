"""What locked forecasts were worth, once the runs are there: each forecast row is matched to its outcome."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.columns import SIZE, UNSPECIFIED, check_ranges, with_role
from bayes_scaling.errors import DataError, ScalingWarning
from bayes_scaling.evaluation.scores import PROBABILITIES, score_forecast, scored_response
from bayes_scaling.forecasting.locking import read_locked
from bayes_scaling.messages import listed_names, value_text
from bayes_scaling.models.responses.all_responses import RESPONSES

AS_PLANNED, NOT_THE_PLAN = 0.01, 0.1  # relative differences of sizes that pass, and that are another run


def score_locked(
    path: str | Path,
    outcome: pd.DataFrame,
    *,
    seal: str | None = None,
    response: str | None = None,
    probabilities: Sequence[float] = PROBABILITIES,
) -> pd.DataFrame:
    """Score a locked forecast against what the runs reached, having made sure that it was not changed since.

    Rows are matched by run and, as far as both tables tell them apart by these, by benchmark, mixture and k, in any
    order.  Call the runs what the plan called them.  Other runs are ignored; what planned runs scored on benchmarks
    that were not forecast is refused, so that no misspelt benchmark goes missing.

    Parameters
    ----------
    path : path
        File that ``ahead.lock(path)`` wrote.
    outcome : DataFrame
        From `read_runs`, or with its columns ``run``, ``benchmark`` and the response.  A blank score is no outcome.
    seal : str, optional
        The seal that was published when the forecast was locked; without it, a file that was forged with care passes.
    response : str, optional
        Which response to score; by default the accuracy, or the first that the forecast is of.
    probabilities : sequence of float
        Of the central intervals that are scored.

    Returns
    -------
    DataFrame
        As from `scores.score_forecast`: one row per row of the forecast that has an outcome, in the forecast's
        order.

    Raises
    ------
    FileError
        No such file, or it is not a locked forecast, was changed, or has another seal.
    DataError
        The outcome lacks a column, has scores that cannot be (percent, for example) or two for one row, has scores
        of planned runs that were not forecast, or none that was; or a run has a size that is more than 10 % off the
        plan: the forecast was for another run; or scores have another metric or chance level than was forecast.

    Warns
    -----
    ScalingWarning
        Rows without an outcome yet, which are left out; sizes more than 1 % off the plan; other numbers of
        items than were forecast.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> plan = bs.plan_runs(flops=1e22, benchmark="hellaswag", mixture="C4")
    >>> seal = bs.forecast(fit, plan, seed=1).lock("hellaswag.nc")
    >>> outcome = plan.assign(score=0.6)  # months later
    >>> bs.score_locked("hellaswag.nc", outcome, seal=seal)["observed"].tolist()
    [0.6]
    """
    ahead = read_locked(path, seal=seal)
    response = scored_response(ahead, response).name
    known = _outcomes(ahead, outcome, response)
    keys = _keys(ahead, known, response)
    at = _matched(ahead, known, keys)
    there = np.flatnonzero(at >= 0)
    if pending := len(at) - len(there):
        rows = _named(ahead.isel(row=np.flatnonzero(at < 0)), keys)
        warnings.warn(
            f"{pending} of {len(at)} rows of the forecast have no outcome yet and are left out: {_row_names(rows)}",
            ScalingWarning,
            stacklevel=2,
        )
    ahead, known = ahead.isel(row=there), known.iloc[at[there]]
    _check_sizes(ahead, known)
    _check_facts(ahead, known)
    return score_forecast(ahead, known, response=response, probabilities=probabilities)


def _outcomes(ahead: xr.Dataset, outcome: pd.DataFrame, response: str) -> pd.DataFrame:
    """Rows of the outcome that have a value of the response for a planned run."""
    column = RESPONSES[response].column
    if absent := [name for name in ("run", column) if name not in outcome]:
        raise DataError(f"the outcome lacks the columns {absent}; it has {list(outcome.columns)}")
    known = outcome[outcome[column].notna()].reset_index(drop=True)
    check_ranges(known, [column])
    if not RESPONSES[response].per_benchmark:
        known = known.drop_duplicates(["run", column])  # it stands beside every score of its run
    elif "k" in known and "k" not in ahead.coords:
        known = known[known["k"].isna()]  # a forecast without k is not of pass@k
    planned = list(dict.fromkeys(ahead["run"].to_numpy().tolist()))
    matching = known[known["run"].astype(str).isin(planned)]
    if matching.empty:
        raise DataError(
            f"the outcome has no {column} of a run that was forecast; call runs what the plan called "
            f"them: {_row_names(planned)}; here are {_row_names(known['run'].astype(str).tolist()) or 'none'}"
        )
    return matching.reset_index(drop=True)


def _keys(ahead: xr.Dataset, known: pd.DataFrame, response: str) -> list[str]:
    """Columns that rows are matched by: those that say something in both tables."""
    needed = [c for c in ("benchmark", "k") if _tells(ahead, c) and RESPONSES[response].per_benchmark]
    if lacking := [c for c in needed if c not in known or not _says(known[c])]:
        raise DataError(
            f"the forecast has rows for every {' and '.join(lacking)}; the outcome needs {lacking} to tell them apart"
        )
    both = "mixture" in known and _says(known["mixture"]) and _tells(ahead, "mixture")
    return ["run", *needed, *(["mixture"] if both else [])]


def _tells(ahead: xr.Dataset, column: str) -> bool:
    return column in ahead.coords and _says(pd.Series(ahead[column].to_numpy()))


def _says(column: pd.Series) -> bool:
    """Whether a column says more than that it was not specified."""
    return bool((column.notna() & ~column.isin(["", UNSPECIFIED])).any())


def _matched(ahead: xr.Dataset, known: pd.DataFrame, keys: list[str]) -> np.ndarray:
    """For every row of the forecast, the position of its outcome; -1 where there is none."""
    planned, reached = (_named(table, keys) for table in (ahead, known))
    if twice := list(dict.fromkeys(name for name in reached if reached.count(name) > 1)):
        raise DataError(f"the outcome has more than one row for {_row_names(twice)}; keep the one that was forecast")
    if foreign := [name for name in reached if name not in set(planned)]:
        raise DataError(
            f"the outcome has scores of planned runs that were not forecast: {_row_names(foreign)}; the forecast has "
            f"{_row_names(planned)}: correct the names, or leave these rows out"
        )
    where = {name: at for at, name in enumerate(reached)}
    return np.array([where.get(name, -1) for name in planned])


def _named(table: xr.Dataset | pd.DataFrame, keys: list[str]) -> list[str]:
    """Say which score each row is of, in one line."""
    columns = {key: pd.Series(table[key].to_numpy()) for key in keys}
    texts = {key: "k = " + c.map("{:.0f}".format) if key == "k" else c.astype(str) for key, c in columns.items()}
    return [" / ".join(row) for row in zip(*texts.values(), strict=True)]


def _check_sizes(ahead: xr.Dataset, known: pd.DataFrame) -> None:
    """Warn of runs that did not become what was planned, and refuse those that became something else."""
    texts, most = [], 0.0
    for name in (name for name in with_role(SIZE) if name in ahead.coords and name in known):
        planned, actual = ahead[name].to_numpy(), known[name].to_numpy(float)
        off = np.nan_to_num(np.abs(actual / planned - 1))
        pairs = zip(known["run"], planned, actual, off > AS_PLANNED, strict=True)
        texts += [f"{run}: {name} {b:.4g}, planned {a:.4g}" for run, a, b, differs in pairs if differs]
        most = max(most, off.max())
    if not texts:
        return
    text = f"sizes of the outcome are up to {100 * most:.0f} % off those that were forecast: {_row_names(texts)}"
    if most > NOT_THE_PLAN:
        raise DataError(
            f"{text}. More than {100 * NOT_THE_PLAN:g} % is another run: forecast it as it was made; or leave the "
            "column out of the outcome if it is only counted in another way"
        )
    warnings.warn(f"{text}. They are scored as planned", ScalingWarning, stacklevel=3)


def _check_facts(ahead: xr.Dataset, known: pd.DataFrame) -> None:
    """Refuse scores of another metric or chance level than were forecast, and name other numbers of items."""
    promised = json.loads(ahead.attrs.get("benchmarks", "{}"))
    wrong: list[str] = []
    fewer: list[str] = []
    for benchmark, facts in promised.items():
        rows = known[known["benchmark"].astype(str) == benchmark] if "benchmark" in known else known.iloc[:0]
        for name, value in facts.items():
            given = list(rows[name].dropna().unique()) if name in rows else []
            other = [v for v in given if (v != value if name == "metric" else not np.isclose(v, value))]
            if other:
                text = f"{benchmark}: {name} {value_text(other[0])}, forecast with {value_text(value)}"
                (fewer if name == "n_items" else wrong).append(text)
    if wrong:
        raise DataError(f"the outcome is scored in another way than the forecast: {_row_names(wrong)}")
    if fewer:
        text = f"the outcome rests on other items than were forecast: {_row_names(fewer)}. It is scored as it is"
        warnings.warn(text, ScalingWarning, stacklevel=3)


def _row_names(names: list[str]) -> str:
    """A few names of rows, which hold commas, and how many more there are."""
    return listed_names(names, between="; ")
