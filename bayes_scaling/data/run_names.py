"""Names for runs that have none: what tells them apart, in words a person would use."""

from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import UNSPECIFIED
from bayes_scaling.data.sizes import size_text

RUN_NAMES = ("family", "mixture", "params", "tokens", "flops", "seed", "step")


def run_names(runs: pd.DataFrame, digits: int | None = None) -> pd.Series:
    """Name runs after what tells them apart, so that rows of one configuration share one name.

    Parameters
    ----------
    runs
        A table with the columns family, mixture, params, tokens, flops, seed and step.
    digits
        Significant digits in the names; all of them where it is not given.

    Returns
    -------
    Series of str
        Such as ``"C4 · 7B params · 140B tokens · 5.88e21 FLOPs"``.
    """
    number = runs.groupby(list(RUN_NAMES), dropna=False, sort=False).ngroup()
    one_each = runs[~number.duplicated()]
    labels = [_run_name(row, digits) for row in one_each[list(RUN_NAMES)].to_dict("records")]
    return pd.Series(np.array(labels, dtype=object)[number.to_numpy()], index=runs.index, dtype="str")


def _run_name(row: dict[Any, Any], digits: int | None) -> str:
    texts = [row[name] for name in ("family", "mixture") if row[name] != UNSPECIFIED and pd.notna(row[name])]
    sizes = [("params", "params"), ("tokens", "tokens"), ("flops", "FLOPs")]
    texts += [f"{size_text(row[name], digits)} {unit}" for name, unit in sizes if pd.notna(row[name])]
    texts += [f"{name} {row[name]:.0f}" for name in ("seed", "step") if pd.notna(row[name])]
    return " · ".join(texts) or "run"
