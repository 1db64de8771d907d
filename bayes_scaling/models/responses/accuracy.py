"""Accuracy: a score between 0 and 1, or right answers of a number of items."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import PASS_AT_K
from bayes_scaling.laws.likelihoods import SCORES
from bayes_scaling.models.responses.response import Predicted, Question, Response, Source, column_or, register


def correlate_within_runs(
    noise: np.ndarray, runs: np.ndarray, correlation: float, rng: np.random.Generator
) -> np.ndarray:
    """Give independent noise a part that rows of one run share, keeping its size in every row.

    Parameters
    ----------
    noise : (chain, draw, row) array
    runs : (row,) int array
        Which run each row belongs to.
    correlation : float
        Between two rows of one run.
    rng : Generator
    """
    shared: Any = rng.normal(size=(*noise.shape[:2], int(runs.max()) + 1))[..., runs]
    return np.sqrt(1 - correlation) * noise + np.sqrt(correlation) * noise.std((0, 1)) * shared


def _outcomes(runs: pd.DataFrame) -> np.ndarray:
    return (column_or(runs, "score").notna() & column_or(runs, "metric").ne(PASS_AT_K)).to_numpy()


def _rows(runs: pd.DataFrame, question: Question) -> pd.DataFrame:
    return runs[_outcomes(runs)]


def _new_run(predicted: Predicted, rng: np.random.Generator) -> np.ndarray:
    """One score per draw and row; rows of one run share some of their noise."""
    likelihood, n_items = predicted.likelihood, predicted.n_items
    drawn = predicted.draw(rng)
    if predicted.correlation:
        centre = np.asarray(likelihood.observe(predicted.mean, n_items))
        runs = predicted.plan["run"].astype("category").cat.codes.to_numpy()
        drawn = centre + correlate_within_runs(drawn - centre, runs, predicted.correlation, rng)
    return np.clip(np.asarray(likelihood.report(drawn, n_items)), 0.0, 1.0)


ACCURACY = register(
    Response(
        name="accuracy",
        column="score",
        gives="score",
        label="score",
        sources=(Source(SCORES, "score", _rows),),
        outcomes=_outcomes,
        new_run=_new_run,
        advice="accuracy takes a law that ends in a score, such as 'power_law > ceiling > accuracy', and a likelihood "
        f"of {SCORES}, such as 'beta'",
        correlated=True,
    )
)
