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

import re
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
from bayes_scaling.data.spellings import parsed_target
from bayes_scaling.data.trends import falls
from bayes_scaling.errors import DataError, DataWarning
from bayes_scaling.files.frames import DATASET, as_frame
from bayes_scaling.files.tables import Place, read_table, refuse

__all__ = ["COLUMNS", "plan_runs", "read_runs", "validate"]

COUNTS = re.compile(r"\s*\d+\s*/\s*\d+\s*")
FEW = 0.1  # share of values up to 1 in a column of percent
MOST_LOSS = 20.0  # nats per token or bits per byte; more that falls is an error rate in percent
LEAST_PERCENT = 5.0  # values of which the largest is below are hardly percent


def read_runs(source: str | Path | pd.DataFrame, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read a table of training runs and refuse it, with line numbers, if anything in it cannot be true.

    Parameters
    ----------
    source
        Path of a CSV or Parquet file, or a DataFrame of pandas or polars.
    columns
        Your column names and the names used here: ``{"model_size": "params"}``. A column that is
        mapped to its own name is kept as it is, even if it resembles one that is used here.  Units are mapped with a
        factor, ``{"Params (B)": "params*1e9"}``, and logarithms as powers of ten, ``{"log10_flops": "10**flops"}``.

    Returns
    -------
    DataFrame
        All columns of ``COLUMNS`` in that order, then your own; ``frame.attrs["dataset"]`` holds the name of the file,
        which figures show.

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
    texts = {yours for yours, known in mapping.items() if known in COLUMNS} | set(COLUMNS) - set(mapping)
    as_text = [name for name in texts if COLUMNS[mapping.get(name, name)].dtype == "str"]
    frame, place = read_table(Path(source), as_text)
    frame.attrs[DATASET] = Path(source).name
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
    yours = {parsed_target(ours).name: name for name, ours in mapping.items()}
    runs, refused, complaints = _typed(renamed, place, yours)
    whole = runs.drop(index=refused)
    own = renamed.drop(columns=[name for name in renamed if name in COLUMNS])
    if whole.size:
        whole = _completed(whole, renamed.columns)
        complaints += contradictions(pd.concat([whole, own.loc[whole.index]], axis=1), place)
    refuse(complaints, place)
    for doubt in doubts(whole, place):
        warnings.warn(f"{place.where}: {doubt}", DataWarning, stacklevel=3)
    table = pd.concat([whole[list(COLUMNS)], own], axis=1).reset_index(drop=True)
    table.attrs = dict(frame.attrs)
    return table


def _typed(frame: pd.DataFrame, place: Place, yours: Mapping[str, str]) -> tuple[pd.DataFrame, pd.Index, list[str]]:
    """Columns with their types, rows that are refused, and why; ``yours`` has the user's names of mapped columns."""
    clean, complaints, refused = {}, [], pd.Index([])
    for name, column in COLUMNS.items():
        if name not in frame:
            clean[name] = pd.Series(np.nan, index=frame.index, dtype=column.dtype)
            continue
        clean[name], wrong = typed(name, frame[name])
        if wrong.size:
            refused = refused.union(wrong.index)
            rule = column.rule + _hint(name, wrong, frame, yours.get(name, name))
            complaints.append(place.complaint(f"column {name!r}", rule, wrong.index, wrong))
    return pd.DataFrame(clean), refused, complaints


def _hint(name: str, wrong: pd.Series, frame: pd.DataFrame, yours: str) -> str:
    """What values that cannot be proportions, sizes or counts probably are."""
    if name == "flops" and wrong.map(lambda cell: str(cell).strip() in ("0", "0.0")).all():
        return " (an untrained model has no compute: leave step 0 out)"
    if COLUMNS[name].unit != "proportion":
        return ""
    if wrong.map(lambda cell: bool(COUNTS.fullmatch(str(cell)))).all():
        return " (this looks like right answers of all items: give them as the columns 'n_correct' and 'n_items')"
    cells = frame[name].map(_plain)
    if name == "score" and cells.max() < MOST_LOSS and _fall_with_size(frame, cells):
        return (
            " (these values lie above 1 and fall with size, as losses and bits per byte do: give a loss in the column "
            "'loss', and the benchmark as its 'val_set')"
        )
    signs = frame[name].map(lambda cell: str(cell).strip().endswith("%"))
    cells = cells.dropna()
    if not (signs.any() or (cells.max() > LEAST_PERCENT and cells.between(0, 100).all())):
        return ""
    if signs.any() or cells.between(0, 1, inclusive="right").mean() > FEW:
        return " (some of this looks like percent: divide by 100 what is)"
    factor = {yours: f"{name}*0.01"}
    return f" (this looks like percent: columns={factor!r})"


def _plain(cell: object) -> float:
    """A number with or without a sign of percent; NaN for what is none."""
    try:
        return parse_number(cell.strip().removesuffix("%") if isinstance(cell, str) else cell)
    except DataError:
        return np.nan


def _fall_with_size(frame: pd.DataFrame, cells: pd.Series) -> bool:
    """Whether values clearly fall with the size of the model or of the training, on the benchmarks taken together."""
    for name in ("flops", "tokens", "params"):
        if name in frame:
            size, _ = typed(name, frame[name])
            test = frame["benchmark"].astype(str) if "benchmark" in frame else pd.Series("", frame.index)
            known = size.notna() & cells.notna()
            directions = [falls(size[rows.index], cells[rows.index]) for _, rows in frame[known].groupby(test[known])]
            return bool(directions) and sum(directions) > len(directions) / 2
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
