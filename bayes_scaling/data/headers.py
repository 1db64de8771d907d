"""From a file to a table with known column names: encoding, separators, misspelt and missing columns."""

import csv
import difflib
import re
from collections.abc import Collection, Mapping
from os.path import isfile
from pathlib import Path

import pandas as pd

from bayes_scaling.data.checks import Place, Said, listed
from bayes_scaling.data.columns import COLUMNS
from bayes_scaling.errors import DataError

PARQUET = (".parquet", ".pq")
UNREADABLE = (OSError, ValueError, csv.Error)  # UnicodeError and pandas' parser errors are ValueErrors


def read_table(path: Path, as_text: Collection[str] = ()) -> tuple[pd.DataFrame, Place]:
    """Read a CSV or Parquet file as it is.

    Parameters
    ----------
    path
        The file; ``.parquet`` and ``.pq`` are Parquet, all else is CSV.
    as_text
        Columns to leave as text, so that a run called "007" keeps its name.

    Returns
    -------
    frame : DataFrame
        The cells; blank lines are left out, and the index still counts them.
    place : Place
        The file's name, and how to number its rows.

    Raises
    ------
    DataError
        When there is no such file, or it is not what its name says.
    """
    if not isfile(path):
        raise DataError(f"{path}: there is no such file; give the path of a CSV or Parquet file")
    if path.suffix.lower() in PARQUET:
        return _read_parquet(path), Place(path.name)
    place = Place(path.name, "lines", 2)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
        frame = pd.read_csv(
            path,
            dtype=dict.fromkeys(as_text, str),
            skip_blank_lines=False,
            low_memory=False,
            encoding="utf-8-sig",
            compression=None,
        )
    except UNREADABLE as error:
        raise DataError(f"{path.name}: {_why(error)}") from error
    return _tidy(frame, header, place), place


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except ImportError as error:
        raise DataError(f"{path.name}: Parquet needs pyarrow: pip install pyarrow, or save as CSV") from error
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        raise DataError(f"{path.name}: not a Parquet file ({_first_line(error)})") from error


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "not a text file in UTF-8; save the table as CSV with the encoding UTF-8"
    if isinstance(error, pd.errors.EmptyDataError):
        return "the file is empty; it needs a header and one row per score or loss of a run"
    return f"not a CSV file with commas and one header ({_first_line(error)})"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].strip()


def _tidy(frame: pd.DataFrame, header: list[str], place: Place) -> pd.DataFrame:
    if not isinstance(frame.index, pd.RangeIndex):
        raise DataError(f"{place.where}: rows have more fields than the header; quote commas inside cells")
    if len(header) == 1 and (mark := re.search(r"[;\t|]", header[0])):
        raise DataError(f"{place.where}: the header has {mark.group()!r} and no comma; save with commas")
    refuse(_twice([name for name in header if name]), place)
    frame = frame.drop(columns=[name for name in frame.columns if re.fullmatch(r"Unnamed: \d+", str(name))])
    return frame.dropna(how="all")


def refuse(complaints: list[str], place: Place) -> None:
    """Raise one error with all complaints, if there are any.

    Parameters
    ----------
    complaints
        What is wrong, one sentence each.
    place
        Where the table came from.

    Raises
    ------
    DataError
        When there is a complaint.
    """
    if len(complaints) > 1:
        raise DataError("\n  ".join([f"{place.where}: {len(complaints)} problems", *complaints]))
    if complaints:
        raise DataError(f"{place.where}: {complaints[0]}")


def checked_mapping(columns: Mapping[str, str] | None) -> dict[str, str]:
    """Make sure that a mapping of column names maps names to names.

    Parameters
    ----------
    columns
        The user's names and the names used here, or nothing.

    Returns
    -------
    dict
        A copy; empty for nothing.

    Raises
    ------
    DataError
        When it is something else.
    """
    if columns is None:
        return {}
    pairs = dict(columns) if isinstance(columns, Mapping) else {None: None}
    if all(isinstance(name, str) for pair in pairs.items() for name in pair):
        return pairs
    raise DataError(f"columns must map your names to the names here, as {{'size': 'params'}}, not {columns!r}")


def named(frame: pd.DataFrame, place: Place, mapping: Mapping[str, str]) -> pd.DataFrame:
    """Give the columns of a table the names used here, refusing what is missing, doubled or misspelt.

    Parameters
    ----------
    frame
        The table as it came; it is not changed.
    place
        Where it came from.
    mapping
        The user's names and the names used here.

    Returns
    -------
    DataFrame
        The same cells; rows that have no line numbers are counted from 0.

    Raises
    ------
    DataError
        When the columns cannot be those of a table of runs.
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"{place.where}: must be a DataFrame, not {type(frame).__name__}")
    odd = [name for name in frame.columns if not isinstance(name, str)]
    if odd:
        raise DataError(f"{place.where}: column names must be text, not {listed(odd)}; name them first")
    refuse(_absent(mapping, list(frame.columns)), place)
    names = [mapping.get(name, name) for name in frame.columns]
    if not len(frame):
        raise DataError(f"{place.where}: the table is empty; it needs one row per score or loss of a run")
    refuse([*_twice(names), *_misspelt(names, set(mapping.values())), *_lacking(names)], place)
    renamed = frame.set_axis(names, axis=1)
    return renamed if place.word == "lines" else renamed.reset_index(drop=True)


def _absent(mapping: Mapping[str, str], names: list[str]) -> list[str]:
    absent = [name for name in mapping if name not in names]
    there = listed([Said(name) for name in names])
    return [f"columns maps {listed(absent)}, which the table does not have; it has {there}"] if absent else []


def _twice(names: list[str]) -> list[str]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    return [f"column {name!r} is there more than once; keep one, or rename the others" for name in repeated]


def _misspelt(names: list[str], deliberate: set[str]) -> list[str]:
    free = [name for name in COLUMNS if name not in names]
    near = {
        name: match[0]
        for name in names
        if name not in COLUMNS and name not in deliberate
        if (match := difflib.get_close_matches(name.strip().lower(), free, 1, 0.8))
    }
    return [
        f"column {name!r} looks like {known!r}: rename it, or keep it: columns={{{name!r}: {name!r}}}"
        for name, known in near.items()
    ]


def _lacking(names: list[str]) -> list[str]:
    there = set(names)
    counts = {"n_correct", "n_items"} <= there or {"n_correct", "n_samples", "problem"} <= there
    has_score = "benchmark" in there and ("score" in there or counts)
    needed = [
        ("flops (or params and tokens)", "flops" in there or {"params", "tokens"} <= there),
        ("benchmark and score (or n_correct and n_items), or loss", has_score or "loss" in there),
    ]
    own = listed([Said(name) for name in names if name not in COLUMNS])
    return [
        f"the table needs {what}; its other columns are {own}: rename, or columns={{'yours': 'name here'}}"
        for what, met in needed
        if not met
    ]
