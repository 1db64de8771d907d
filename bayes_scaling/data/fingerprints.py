"""Whether two tables are the same: hashes that depend on their content alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from bayes_scaling.files.digests import digest

DIGITS = 12  # of a number that count: the last ones depend on who wrote and read a CSV file


def table_sha256(table: pd.DataFrame) -> str:
    """Say in one line which data a table holds, so that a copy of it can be told from another table.

    The hash is that of the values by column: the order of rows and columns, the index, types (7 and 7.0, text and
    categories), digits after the twelfth and the kind of a blank change nothing; a column of blanks is as good as none.

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    str
        SHA-256 in 64 hexadecimal digits.
    """
    columns = {str(name): texts for name, column in table.items() if (texts := _texts(column)).any()}
    names = sorted(columns)
    rows = sorted(map(",".join, zip(*(columns[name] for name in names), strict=True)))
    return digest(line.encode() for line in (json.dumps(names), *rows))


def _texts(column: pd.Series) -> np.ndarray:
    """Cells as JSON, each value read once; a blank is the empty text."""
    try:
        codes, values = pd.factorize(column)
    except TypeError:  # lists and the like, in columns of the user's own
        codes, values = pd.factorize(column.map(repr))
    return np.array([*map(_text, values), ""], dtype=object)[codes]


def _text(value: object) -> str:
    if isinstance(value, bool | int | float | np.bool | np.number):
        return f"{float(value) + 0.0:.{DIGITS}g}"  # + 0.0: zero has no sign
    return json.dumps(str(value)) if str(value) else ""


def plain(runs: pd.DataFrame) -> pd.DataFrame:
    """Values of runs alone, for comparison: whatever the types of columns and blanks, as of fits read from files."""
    return runs.astype(object).where(runs.notna(), "").sort_index(axis=1).reset_index(drop=True)
