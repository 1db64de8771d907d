"""Where a forecast comes from: hashes of tables that depend on nothing but their content, and what forecasts carry.

Every forecast, of a fit, an average or a baseline, has these attributes, all of them texts:

====================  =======================================================================================
``model``             name of the model, of the models averaged, or of the published estimator
``verdict``           whether the draws can be relied on, in words
``converged``         "True" or "False"
``law_uncertainty``   what the bands leave out
``model_document``    JSON of the model's document; of an average, the documents and weights of its laws; of a
                      baseline, its name and options
``runs_sha256``       hash of the runs that were fitted, see `table_sha256`
``plan_sha256``       hash of the plan as it was given
``seed``              of the forecast; "None" where there was none, so that its draws cannot be made again
``version``           of this package
====================  =======================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.version import __version__

ORIGIN = ("model_document", "runs_sha256", "plan_sha256", "seed", "version")
DIGITS = 12  # of a number that count: the last ones depend on who wrote and read a CSV file
PROVENANCE = ("model", "verdict", "converged", "law_uncertainty", *ORIGIN)


def origin(document: Any, runs: pd.DataFrame, plan: pd.DataFrame, seed: int | None) -> dict[str, str]:
    """Attributes that say by which model, from which data and for which plan a forecast was made.

    Parameters
    ----------
    document
        The model in words, of what JSON can hold.
    runs, plan : DataFrame
        As they were given.
    seed : int or None
        Of the forecast.
    """
    hashes = table_sha256(runs), table_sha256(plan)
    return dict(zip(ORIGIN, (canonical(document), *hashes, str(seed), __version__), strict=True))


def canonical(value: Any) -> str:
    """JSON that is the same whatever the order of keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


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


def digest(parts: Iterable[bytes]) -> str:
    """SHA-256 of several parts, each with its length, so that none can pass for another's end."""
    found = sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "little") + part)
    return found.hexdigest()


def _texts(column: pd.Series) -> np.ndarray:
    """Cells as JSON, each value read once; a blank is the empty text."""
    try:
        codes, values = pd.factorize(column)
    except TypeError:  # lists and the like, in columns of the user's own
        codes, values = pd.factorize(column.map(repr))
    return np.array([*map(_text, values), ""], dtype=object)[codes]


def _text(value: Any) -> str:
    if isinstance(value, bool | int | float | np.bool | np.number):
        return f"{float(value) + 0.0:.{DIGITS}g}"  # + 0.0: zero has no sign
    return json.dumps(str(value)) if str(value) else ""
