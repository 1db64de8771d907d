"""Tables on disk: CSV and Parquet as they are, and how messages number their rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from os.path import isfile
from pathlib import Path

import pandas as pd

from bayes_scaling.errors import DataError
from bayes_scaling.messages import listed


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table came from and how its rows are numbered there."""

    where: str
    word: str = "rows"
    first: int = 0

    def at(self, index: Iterable[int]) -> str:
        """Name some rows, the first few by number."""
        return f"{self.word} {listed([int(label) + self.first for label in index])}"

    def complaint(self, subject: str, rule: str, index: pd.Index, values: Iterable[object]) -> str:
        """Say that some rows break a rule, with the values that do."""
        return f"{subject} {rule}; {self.at(index)} hold {listed(list(values))}"


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
    refuse(repeated_columns([name for name in header if name]), place)
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


def repeated_columns(names: list[str]) -> list[str]:
    """One complaint for every name that columns share."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    return [f"column {name!r} is there more than once; keep one, or rename the others" for name in repeated]
