"""Names for runs that have none: what tells them apart, in words a person would use."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import LABEL, RERUN, SIZE, UNSPECIFIED, with_role
from bayes_scaling.data.sizes import size_text

UNITS = {"flops": "FLOPs"}  # where the unit is not the name of the column


def run_names(runs: pd.DataFrame, digits: int | None = None, labels: Sequence[str] = ()) -> pd.Series:
    """Name runs after what tells them apart, so that rows of one configuration share one name.

    Parameters
    ----------
    runs
        A table with some of the columns family, mixture, params, tokens, flops, seed and step.
    digits
        Significant digits in the names; all of them where it is not given.
    labels
        Further columns that tell runs apart.

    Returns
    -------
    Series of str
        Such as ``"C4 · 7B params · 140B tokens · 5.88e21 FLOPs"``.
    """
    columns = [c for c in (*with_role(LABEL), *labels, *with_role(SIZE), *with_role(RERUN)) if c in runs]
    if not columns:
        return pd.Series("run", index=runs.index, dtype="str")
    number = runs.groupby(columns, dropna=False, sort=False).ngroup()
    one_each = runs[~number.duplicated()]
    names = [_run_name(row, digits, labels) for row in one_each[columns].to_dict("records")]
    return pd.Series(np.array(names, dtype=object)[number.to_numpy()], index=runs.index, dtype="str")


def brief_run_names(runs: pd.DataFrame, labels: Sequence[str] = ()) -> pd.Series:
    """Name runs with few digits, and in full only where that would give two runs one name."""
    brief, full = run_names(runs, 4, labels), run_names(runs, None, labels)
    return brief if brief.nunique() == full.nunique() else full


def _run_name(row: dict[Any, Any], digits: int | None, labels: Sequence[str]) -> str:
    known = {name: value for name, value in row.items() if pd.notna(value)}
    texts = [str(known[name]) for name in (*with_role(LABEL), *labels) if known.get(name, UNSPECIFIED) != UNSPECIFIED]
    texts += [f"{size_text(known[name], digits)} {UNITS.get(name, name)}" for name in with_role(SIZE) if name in known]
    texts += [
        f"{name} {value if isinstance(value := known[name], str) else f'{value:.0f}'}"
        for name in with_role(RERUN)
        if name in known
    ]
    return " · ".join(texts) or "run"
