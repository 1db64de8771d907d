"""A ceiling that a model document holds fixed gives way where a benchmark is already solved.

A law below a ceiling of 0.97 forecasts that a benchmark at 0.99 will fall.  The ceiling is therefore raised to half of
what the best fitted runs still have wrong, in the logarithm, where that is less than what the document says.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import PASS_AT_K
from bayes_scaling.laws.likelihoods import NOMINAL_ITEMS
from bayes_scaling.models.model import Model

CEILING = "E"  # the parameter of `laws.basic.ceiling`
SHARE = 0.5  # of what is left to the best runs, that the ceiling may take
BEST = 3  # runs of most compute whose mean counts


def raised_ceiling(model: Model, runs: pd.DataFrame) -> Model:
    """The model, with its fixed ceiling raised as far as the best scores of these runs ask for.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> runs = bs.load_dataset("gadre2024")
    >>> law = bs.load_model("power_law_discrepancy")
    >>> raised_ceiling(law, runs.assign(score=0.5)).fixed["E"]
    0.03
    >>> round(raised_ceiling(law, runs.assign(score=0.99, chance=0)).fixed["E"], 4)
    0.005
    """
    if CEILING not in model.fixed or not {"benchmark", "score", "flops"} <= set(runs):
        return model
    scored = runs[runs["score"].notna() & runs["benchmark"].notna()]
    if "metric" in scored:
        scored = scored[scored["metric"].ne(PASS_AT_K)]
    if scored.empty:
        return model
    left = min(_left(rows) for _, rows in scored.groupby("benchmark"))
    held = model.fixed[CEILING]
    return replace(model, fixed={**model.fixed, CEILING: min(held, SHARE * left)}) if SHARE * left < held else model


def _left(rows: pd.DataFrame) -> float:
    """Negative log accuracy of the best runs of a benchmark, at least that of half an item."""
    best = rows.sort_values("flops").tail(BEST)
    blank = pd.Series(np.nan, best.index)
    chance = best.get("chance", blank).fillna(0.0).to_numpy(float)
    items = best.get("n_items", blank).fillna(NOMINAL_ITEMS).to_numpy(float)
    accuracy = np.minimum((best["score"].to_numpy(float) - chance) / (1 - chance), 1 - 0.5 / items)
    return float(-np.log(np.clip(accuracy.mean(), 1e-6, 1)))
