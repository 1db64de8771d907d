"""From a file to a table with known column names: encoding, separators, misspelt and missing columns."""

from collections.abc import Mapping

import pandas as pd

from bayes_scaling.data.columns import COLUMNS
from bayes_scaling.errors import DataError
from bayes_scaling.files.frames import as_frame
from bayes_scaling.files.tables import Place, refuse, repeated_columns
from bayes_scaling.messages import Verbatim, close_to, listed


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
    frame = as_frame(frame, place.where)
    odd = [name for name in frame.columns if not isinstance(name, str)]
    if odd:
        raise DataError(f"{place.where}: column names must be text, not {listed(odd)}; name them first")
    refuse(_absent(mapping, list(frame.columns)), place)
    names = [mapping.get(name, name) for name in frame.columns]
    if not len(frame):
        raise DataError(f"{place.where}: the table is empty; it needs one row per score or loss of a run")
    refuse([*repeated_columns(names), *_misspelt(names, set(mapping.values())), *_lacking(names)], place)
    renamed = frame.set_axis(names, axis=1)
    return renamed if place.word == "lines" else renamed.reset_index(drop=True)


def _absent(mapping: Mapping[str, str], names: list[str]) -> list[str]:
    absent = [name for name in mapping if name not in names]
    there = listed([Verbatim(name) for name in names])
    return [f"columns maps {listed(absent)}, which the table does not have; it has {there}"] if absent else []


def _misspelt(names: list[str], deliberate: set[str]) -> list[str]:
    free = [name for name in COLUMNS if name not in names]
    near = {
        name: known
        for name in names
        if name not in COLUMNS and name not in deliberate
        if (known := close_to(name.strip().lower(), free, 0.8))
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
    own = listed([Verbatim(name) for name in names if name not in COLUMNS])
    return [
        f"the table needs {what}; its other columns are {own}: rename, or columns={{'yours': 'name here'}}"
        for what, met in needed
        if not met
    ]
