"""Why a forecast should not be trusted, said per benchmark before anyone looks at its bands."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_scaling.fitting import Fit

AT_CHANCE = "at chance so far: not forecastable yet"
NO_LAW = "scores follow no law at this scale"
UNSEEN = "never seen: drawn from the population"
RISE_AT_LEAST = 2.0  # rise of the law over the data, in standard deviations of the scatter around it


def notes(fit: Fit, plan: pd.DataFrame) -> np.ndarray:
    """One remark per row of a plan; the empty string where there is none.

    Returns
    -------
    (row,) array of str
    """
    if "benchmark" not in plan:
        return np.full(len(plan), "", dtype=object)
    said = {b: remark(fit, b) for b in plan["benchmark"].astype(str).unique()}
    return plan["benchmark"].astype(str).map(said).to_numpy(object)


def remark(fit: Fit, benchmark: str) -> str:
    """What to know about one benchmark: unseen, at chance, or scattered as much as it rises."""
    rows = fit.runs[(fit.runs["benchmark"].astype(str) == benchmark) & fit.runs["score"].notna()]
    if rows.empty:
        return UNSEEN
    scores, flops = rows["score"].to_numpy(float), np.log(rows["flops"].to_numpy(float))
    chance = rows["chance"].fillna(0.0).to_numpy(float)
    largest = np.argsort(flops)[-max(3, len(rows) // 6) :]
    items = rows["n_items"].fillna(1000.0).to_numpy(float)
    noise = np.sqrt(np.maximum(chance * (1 - chance), 0.01) / items)
    if np.mean((scores - chance)[largest]) < np.mean(2 * noise[largest]):
        return AT_CHANCE
    if len(rows) < 4 or np.ptp(flops) == 0:
        return ""
    trend = np.polynomial.Polynomial.fit(flops, scores, 2)(flops)
    scatter = np.sqrt(np.sum((scores - trend) ** 2) / max(len(rows) - 3, 1))
    return NO_LAW if np.ptp(trend) < RISE_AT_LEAST * scatter else ""
