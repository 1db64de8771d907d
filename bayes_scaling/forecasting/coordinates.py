"""What stands beside every row of a forecast."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.forecasting.caveats import Known, notes

ROW_COORDINATES = ("run", "benchmark", "mixture", "params", "tokens", "flops")


def row_coordinates(fit: Known, plan: pd.DataFrame) -> dict[str, Any]:
    """Coordinates along ``row``: the plan's own columns, the distance from the data and the notes."""
    several = ("k",) if "k" in plan and plan["k"].notna().any() else ()
    coords = {n: ("row", plan[n].to_numpy()) for n in (*ROW_COORDINATES, *several) if n in plan}
    coords["decades_beyond"] = ("row", _decades_beyond(fit, plan))
    coords["note"] = ("row", notes(fit, plan))
    return coords


def _decades_beyond(fit: Known, plan: pd.DataFrame) -> np.ndarray:
    """log10 of the compute of each row over the most that the fit saw for its benchmark; 0 within."""
    if "flops" not in plan:
        return np.full(len(plan), np.nan)
    most = np.full(len(plan), fit.runs["flops"].max())
    if "benchmark" in plan and "benchmark" in fit.runs:
        most = plan["benchmark"].map(fit.runs.groupby("benchmark")["flops"].max()).fillna(most[0]).to_numpy(float)
    return np.maximum(np.log10(plan["flops"].to_numpy(float) / most), 0.0)
