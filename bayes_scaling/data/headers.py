"""From a file to a table with known column names: encoding, separators, misspelt and missing columns."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import COLUMNS
from bayes_scaling.data.sizes import parse_number
from bayes_scaling.data.spellings import Meaning, parsed_target, synonyms, with_unit
from bayes_scaling.errors import DataError
from bayes_scaling.files.frames import as_frame
from bayes_scaling.files.tables import Place, refuse, repeated_columns
from bayes_scaling.messages import Verbatim, close_to, listed

PLAIN_SYNONYMS = ("correct", "value", "result", "data", "recipe", "eval")  # words that may well mean something else
AVERAGE = re.compile(r"avg\.?|average|mean|overall|total|macro[ _-]?avg", re.IGNORECASE)
FEWEST_TESTS = 2
ONE_ROW = "one row a score"


def checked_mapping(columns: Mapping[str, str] | None) -> dict[str, str]:
    """Make sure that a mapping of column names maps names to names.

    Parameters
    ----------
    columns
        The user's names and the names used here, or nothing.  A name here may have a factor, as in
        ``{"Params (B)": "params*1e9"}``, or be a power of ten, as in ``{"log10_flops": "10**flops"}``.

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
    meant = {yours: parsed_target(ours) for yours, ours in mapping.items()}
    names = [meant[name].name if name in meant else name for name in frame.columns]
    if not len(frame):
        raise DataError(f"{place.where}: the table is empty; it needs one row per score or loss of a run")
    kept = {meaning.name for meaning in meant.values()}
    refuse([*repeated_columns(names), *_misspelt(names, kept), *_lacking(frame, names, kept)], place)
    renamed = _converted(frame, meant).set_axis(names, axis=1)
    return renamed if place.word == "lines" else renamed.reset_index(drop=True)


def _absent(mapping: Mapping[str, str], names: list[str]) -> list[str]:
    absent = [name for name in mapping if name not in names]
    there = listed([Verbatim(name) for name in names])
    return [f"columns maps {listed(absent)}, which the table does not have; it has {there}"] if absent else []


def _converted(frame: pd.DataFrame, meant: Mapping[str, Meaning]) -> pd.DataFrame:
    """Multiply what is mapped with a factor; cells that hold no number stay, and are refused later."""

    def convert(cell: object, factor: float) -> object:
        try:
            number = parse_number(cell)
        except DataError:
            return cell
        with np.errstate(over="ignore"):
            return float(np.power(10.0, number)) if factor == 0 else number * factor

    changed = {
        yours: frame[yours].map(lambda cell, factor=meaning.factor: convert(cell, factor), na_action="ignore")
        for yours, meaning in meant.items()
        if meaning.factor != 1
    }
    return frame.assign(**changed) if changed else frame


def _probable(names: list[str], deliberate: set[str]) -> dict[str, str]:
    """Columns that are probably one of ours, under another spelling or in another unit -> what to map them to."""
    free = [name for name in COLUMNS if name not in names]
    others = [name for name in names if name not in COLUMNS and name not in deliberate]
    units = {name: meaning for name in others if (meaning := with_unit(name)) and meaning.name in free}
    known = synonyms(others, free)
    near = {
        name: known.get(name) or close_to(name.strip().lower(), free, 0.8)
        for name in others
        if name not in units and name.strip().lower() not in PLAIN_SYNONYMS
    }
    return {name: meaning.target for name, meaning in units.items()} | {n: ours for n, ours in near.items() if ours}


def _misspelt(names: list[str], deliberate: set[str]) -> list[str]:
    targets = _probable(names, deliberate)
    if not targets:
        return []
    looks = [
        f"{name!r} looks like {meaning.name!r}{'' if meaning.factor == 1 else ' in another unit'}"
        for name, meaning in ((name, parsed_target(target)) for name, target in targets.items())
    ]
    one = next(iter(targets))
    return [f"column {', '.join(looks)}: columns={targets!r}; or keep one as it is: columns={ {one: one}!r}"]


def _lacking(frame: pd.DataFrame, names: list[str], deliberate: set[str]) -> list[str]:
    there = set(names)
    counts = {"n_correct", "n_items"} <= there or {"n_correct", "n_samples", "problem"} <= there
    has_score = "benchmark" in there and ("score" in there or counts)
    needed = [
        ("flops (or params and tokens)", "flops" in there or {"params", "tokens"} <= there),
        ("benchmark and score (or n_correct and n_items), or loss", has_score or "loss" in there),
    ]
    own = [name for name in names if name not in COLUMNS]
    if not has_score and "loss" not in there and (melted := _melted(frame, own)):
        needed[1] = (f"{ONE_ROW}: {melted}", False)
    likely = synonyms(own, [name for name in COLUMNS if name not in there])
    likely |= {name: meaning.target for name in own if (meaning := with_unit(name))}
    advice = f"; its other columns are {listed([Verbatim(name) for name in own])}"
    if not set(likely) or not set(likely) <= set(_probable(names, deliberate)):
        advice += f": columns={likely or {'yours': 'name here'}!r}"
    return [f"the table needs {what}{'' if what.startswith(ONE_ROW) else advice}" for what, met in needed if not met]


def _is_score(cell: object) -> bool:
    """Whether a cell holds a proportion or percent."""
    try:
        return 0 <= parse_number(cell) <= 100
    except DataError:
        return False


def _melted(frame: pd.DataFrame, own: list[str]) -> str:
    """How to bring a wide table, with one column a benchmark, into a long one; empty if it does not look like one."""

    def numeric(name: str) -> bool:
        given = frame[name][frame[name].notna() & frame[name].ne("-")]
        return bool(len(given)) and all(_is_score(cell) for cell in given)

    free = [
        name
        for name in own
        if list(frame.columns).count(name) == 1 and with_unit(name) is None and not synonyms([name], COLUMNS)
    ]
    tests = [name for name in free if not AVERAGE.fullmatch(name.strip()) and numeric(name)]
    if len(tests) < FEWEST_TESTS:
        return ""
    averages = [name for name in free if AVERAGE.fullmatch(name.strip())]
    without = f".drop(columns={averages!r})" if averages else ""
    stay = [name for name in frame.columns if name not in (*tests, *averages)]
    return (
        f"table{without}.replace('-', float('nan')).melt(id_vars={stay!r}, var_name='benchmark', value_name='score')"
        ".dropna(subset='score')"
    )
