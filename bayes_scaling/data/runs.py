"""Runs: read them, check them, load the shipped ones, and list runs that are not made yet.

A table of runs is a ``pandas.DataFrame`` with one row per score of a run (or per loss, or both), in the
columns that ``bayes_scaling.data.columns.COLUMNS`` defines, here with units and what stands for a blank:

====================  =======================  ==========================================
run                   text                     made from the sizes if absent
family, mixture       text                     "unspecified" if absent
params, tokens        N [parameters], D        may be blank where flops is given
flops                 C [FLOPs]                6 N D if absent
benchmark             text                     blank only in rows with a loss alone
metric                kind of score            "accuracy" if absent
score                 proportion, 0 to 1       n_correct / n_items if absent
n_correct, n_items    items                    may be blank
n_samples, k          samples, k for pass@k    may be blank; pass@k needs k
problem               text                     blank but in rows of right answers per problem
chance                proportion               0 if absent for open answers, else needed
loss                  nats per token           may be blank
val_set               text                     "unspecified" if absent
seed, step            whole numbers            may be blank
====================  =======================  ==========================================
"""

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_scaling.data.checks import contradictions, doubts
from bayes_scaling.data.columns import COLUMNS, OPEN_METRICS, UNSPECIFIED, typed
from bayes_scaling.data.headers import checked_mapping, named
from bayes_scaling.data.plans import plan_runs
from bayes_scaling.data.run_names import run_names
from bayes_scaling.data.sizes import flops_of, parse_number
from bayes_scaling.errors import DataError, DataWarning
from bayes_scaling.files.frames import as_frame
from bayes_scaling.files.tables import Place, read_table, refuse

__all__ = ["COLUMNS", "plan_runs", "read_runs", "validate"]


def read_runs(source: str | Path | pd.DataFrame, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read a table of training runs and refuse it, with line numbers, if anything in it cannot be true.

    Parameters
    ----------
    source
        Path of a CSV or Parquet file, or a DataFrame of pandas or polars.
    columns
        Your column names and the names used here: ``{"model_size": "params"}``. A column that is
        mapped to its own name is kept as it is, even if it resembles one that is used here.

    Returns
    -------
    DataFrame
        All columns of ``COLUMNS`` in that order, then your own.

    Raises
    ------
    DataError
        With every problem found: file, column, lines, values, and what would be right.

    Warns
    -----
    DataWarning
        Where flops contradict 6 N D by more than a factor 3, or a group has fewer than three sizes.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> import pandas as pd
    >>> table = pd.DataFrame({"params": ["1B", "7B", "70B"], "tokens": "1.4T", "score": [0.7, 0.8, 0.9]})
    >>> runs = bs.read_runs(table.assign(test="piqa", chance=0.5), columns={"test": "benchmark"})
    >>> runs[["run", "flops", "benchmark"]].values.tolist()[0]
    ['1B params · 1.4T tokens · 8.4e21 FLOPs', 8.4e+21, 'piqa']
    """
    mapping = checked_mapping(columns)
    if not isinstance(source, str | Path):
        return _checked(as_frame(source, "source", example="or give the path of a table"), Place("table"), mapping)
    texts = {yours for yours, known in mapping.items() if known in COLUMNS} | set(COLUMNS)
    as_text = [name for name in texts if COLUMNS[mapping.get(name, name)].dtype == "str"]
    frame, place = read_table(Path(source), as_text)
    return _checked(frame, place, mapping)


def validate(frame: pd.DataFrame, where: str = "table") -> pd.DataFrame:
    """Check a table of runs, give its columns their types and fill in what follows from the rest.

    Parameters
    ----------
    frame
        Runs under the column names of ``COLUMNS``; it is not changed.
    where
        What to call the table in messages.

    Returns
    -------
    DataFrame
        All columns of ``COLUMNS`` in that order, then the other ones. Checking it again changes nothing.

    Raises
    ------
    DataError
        With every problem found: column, rows (counted from 0), values, and what would be right.

    Warns
    -----
    DataWarning
        As in ``read_runs``.
    """
    return _checked(frame, Place(where), {})


def _checked(frame: pd.DataFrame, place: Place, mapping: Mapping[str, str]) -> pd.DataFrame:
    renamed = named(frame, place, mapping)
    runs, refused, complaints = _typed(renamed, place)
    whole = runs.drop(index=refused)
    if whole.size:
        whole = _completed(whole, renamed.columns)
        complaints += contradictions(whole, place)
    refuse(complaints, place)
    for doubt in doubts(whole, place):
        warnings.warn(f"{place.where}: {doubt}", DataWarning, stacklevel=3)
    own = renamed.drop(columns=[name for name in renamed if name in COLUMNS])
    table = pd.concat([whole[list(COLUMNS)], own], axis=1).reset_index(drop=True)
    table.attrs = dict(frame.attrs)
    return table


def _typed(frame: pd.DataFrame, place: Place) -> tuple[pd.DataFrame, pd.Index, list[str]]:
    clean, complaints, refused = {}, [], pd.Index([])
    for name, column in COLUMNS.items():
        if name not in frame:
            clean[name] = pd.Series(np.nan, index=frame.index, dtype=column.dtype)
            continue
        clean[name], wrong = typed(name, frame[name])
        if wrong.size:
            refused = refused.union(wrong.index)
            rule = column.rule + _percent(name, wrong)
            complaints.append(place.complaint(f"column {name!r}", rule, wrong.index, wrong))
    return pd.DataFrame(clean), refused, complaints


def _percent(name: str, wrong: pd.Series) -> str:
    hint = COLUMNS[name].unit == "proportion" and any(_is_percent(value) for value in wrong)
    return " (this looks like percent: divide by 100)" if hint else ""


def _is_percent(value: object) -> bool:
    if isinstance(value, str) and value.strip().endswith("%"):
        return True
    try:
        return 1 < parse_number(value) <= 100
    except DataError:
        return False


def _completed(runs: pd.DataFrame, given: pd.Index) -> pd.DataFrame:
    """Fill in what follows from the rest; a column that is partly blank is left for the checks to refuse."""
    scored = runs["score"].notna() | runs["n_correct"].notna()
    problems = runs["problem"].notna()
    metric = _default(runs["metric"], "accuracy", scored).mask(problems & runs["metric"].isna(), "pass@k")
    open_answers = metric.isin(OPEN_METRICS)
    items = runs[problems].groupby("benchmark")["problem"].nunique()
    trials = runs["n_items"].mask(problems, runs["n_samples"])
    filled = {
        "family": _default(runs["family"], UNSPECIFIED, runs["family"].isna()),
        "mixture": _default(runs["mixture"], UNSPECIFIED, runs["mixture"].isna()),
        "metric": metric,
        "val_set": _default(runs["val_set"], UNSPECIFIED, runs["loss"].notna()),
        "flops": runs["flops"].fillna(flops_of(runs["params"], runs["tokens"])),
        "score": runs["score"].fillna(runs["n_correct"] / trials),
        "k": runs["k"].mask(problems & runs["k"].isna(), 1.0),
        "n_items": runs["n_items"].mask(problems & runs["n_items"].isna(), runs["benchmark"].map(items)),
        "chance": runs["chance"].mask(runs["chance"].isna() & open_answers & scored, 0.0),
    }
    runs = runs.assign(**filled)
    return runs if "run" in given and runs["run"].notna().any() else runs.assign(run=run_names(runs))


def _default(column: pd.Series, value: str, where: pd.Series) -> pd.Series:
    return column.mask(where, value) if column.isna().all() else column
