"""What stands beside every row of a forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import BENCHMARK, COLUMNS, LABEL, NAME, SIZE, UNSPECIFIED, with_role
from bayes_scaling.forecasting.caveats import HasRuns, notes
from bayes_scaling.forecasting.notes import joined
from bayes_scaling.forecasting.questions import Question, questions

ALWAYS = ("mixture",)  # a label that stands in every forecast, even where it was not specified
OF_FORECASTS = ("decades_beyond", "note")  # coordinates that a forecast adds to those of the plan


def row_coordinates(
    fit: HasRuns, plan: pd.DataFrame, labels: Sequence[str] = (), model: Question | None = None
) -> dict[str, Any]:
    """Coordinates along ``row``: the plan's own columns, the distance from the data and the notes.

    Parameters
    ----------
    fit : HasRuns
    plan : DataFrame
        Completed.
    labels : sequence of str
        Columns of labels that the forecast depends on, beside those that the plan specifies.
    model : Model, optional
        Adds remarks where the plan asks for what the fitted runs cannot tell (see `questions`).
    """
    coords = {name: ("row", plan[name].to_numpy()) for name in _shown(plan, labels)}
    coords["decades_beyond"] = ("row", _decades_beyond(fit, plan))
    coords["note"] = ("row", notes(fit, plan))
    if model is not None:
        both = zip(notes(fit, plan), questions(fit.runs, plan, model, labels), strict=True)
        coords["note"] = ("row", np.array([joined(pair) for pair in both], dtype=object))
    return coords


def _shown(plan: pd.DataFrame, labels: Sequence[str]) -> list[str]:
    """Columns of a plan that stand beside its forecast."""
    further = [name for name in labels if name not in COLUMNS or name == "val_set"]
    wanted = [*reversed(with_role(LABEL)), *further]
    shown = [name for name in wanted if name in plan and (name in (*labels, *ALWAYS) or _specified(plan[name]))]
    several = ["k"] if "k" in plan and plan["k"].notna().any() else []
    first = [*with_role(NAME), *with_role(BENCHMARK)]
    return [name for name in (*first, *shown, *with_role(SIZE), *several) if name in plan]


def _specified(column: pd.Series) -> bool:
    return bool((column.notna() & column.ne(UNSPECIFIED)).any())


def _decades_beyond(fit: HasRuns, plan: pd.DataFrame) -> np.ndarray:
    """log10 of the compute of each row over the most that the fit saw for its benchmark; 0 within."""
    if "flops" not in plan:
        return np.full(len(plan), np.nan)
    most = np.full(len(plan), fit.runs["flops"].max())
    if "benchmark" in plan and "benchmark" in fit.runs:
        most = plan["benchmark"].map(fit.runs.groupby("benchmark")["flops"].max()).fillna(most[0]).to_numpy(float)
    return np.maximum(np.log10(plan["flops"].to_numpy(float) / most), 0.0)
