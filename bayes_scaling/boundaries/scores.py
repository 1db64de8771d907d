"""Tables of scores of released models: what they must hold, and how they are brought into one form."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_scaling.errors import DataError
from bayes_scaling.files.frames import as_frame
from bayes_scaling.laws.likelihoods import NOMINAL_ITEMS
from bayes_scaling.messages import listed

BENCHMARK, BASE, ORGANISATION, PERIOD = "benchmark", "base_model", "organisation", "period"
NEEDED = ("flops", BENCHMARK, "score")
ONE = "all"  # the label where a table has no periods
SPELLINGS = {"org": ORGANISATION, "organization": ORGANISATION}


def released_scores(scores: object) -> pd.DataFrame:
    """Check a table of scores of released models and bring it into one form.

    Parameters
    ----------
    scores : DataFrame
        One row a score: ``flops`` of the pre-training [FLOPs], ``benchmark``, ``score`` [proportion]; where known
        ``n_items``, ``chance`` [proportion], ``base_model``, ``organisation`` and ``period``.  Labels of periods sort
        in the order of time, such as "P1" or "2024-Q3".

    Returns
    -------
    DataFrame
        With all of these columns and a new index.  A model of no known base model counts as of one that it shares with
        the others of its compute; a benchmark without ``n_items`` as of the usual number; ``chance`` is NaN where it
        is not known.

    Raises
    ------
    DataError
        A column is missing, or holds blanks or values that cannot be.

    Examples
    --------
    >>> table = pd.DataFrame({"flops": [1e23, 1e24], "benchmark": "BBH", "score": [0.3, 0.5]})
    >>> released_scores(table)["base_model"].tolist()
    ['unknown, of 1e+23 FLOPs', 'unknown, of 1e+24 FLOPs']
    """
    given = as_frame(scores, "the scores of released models").reset_index(drop=True)
    given = given.rename(columns={old: new for old, new in SPELLINGS.items() if new not in given})
    if absent := [name for name in NEEDED if name not in given]:
        raise DataError(f"boundaries need the columns {absent}; the table has {list(given.columns)}")
    if given.empty:
        raise DataError("the table of scores is empty; it needs one row a score of a released model")
    blank = pd.Series(np.nan, given.index)
    numbers = {name: pd.to_numeric(given.get(name, blank), errors="coerce").astype(float)
               for name in ("flops", "score", "n_items", "chance")}  # fmt: skip
    table = pd.DataFrame(numbers)
    _refuse(table["flops"], given, np.isfinite(table["flops"]) & (table["flops"] > 0), "must be positive and finite")
    _refuse(table["score"], given, table["score"].between(0, 1), "must be a proportion between 0 and 1")
    known = table["n_items"].isna() | (table["n_items"] >= 1)
    _refuse(table["n_items"], given, known, "must be 1 or more")
    for name in (BENCHMARK, PERIOD):
        labels = given.get(name, pd.Series(ONE, given.index))
        if (missing := given.index[labels.isna()]).size:
            raise DataError(f"column {name!r} is blank in rows {list(missing[:5])}: give a label, or drop these rows")
        table[name] = labels.astype(str)
    nameless = table["flops"].map("unknown, of {:.4g} FLOPs".format)
    for name, other in ((BASE, nameless), (ORGANISATION, pd.Series("", given.index))):
        labels = given.get(name, pd.Series(np.nan, given.index, dtype=object))
        table[name] = labels.astype(object).where(labels.notna(), other).astype(str)
    per_benchmark = table.groupby(BENCHMARK)
    table["n_items"] = per_benchmark["n_items"].transform("max").fillna(NOMINAL_ITEMS)
    table["chance"] = per_benchmark["chance"].transform("median")
    return table


def _refuse(column: pd.Series, given: pd.DataFrame, right: pd.Series, rule: str) -> None:
    if (bad := given.index[~right]).size:
        values = listed(given[str(column.name)][bad].tolist())
        raise DataError(f"column {column.name!r} {rule}; rows {list(bad[:5])} hold {values}")
