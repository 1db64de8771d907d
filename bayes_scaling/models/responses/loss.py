"""Loss: the validation loss of a run, one for all benchmarks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_scaling.errors import DataError
from bayes_scaling.laws.likelihoods import LOSSES
from bayes_scaling.models.responses.response import Predicted, Question, Response, Source, column_or, register

ONE_LOSS = ("run", "step", "val_set")  # rows that agree in these hold one loss


def _once(table: pd.DataFrame) -> np.ndarray:
    return ~table.duplicated([c for c in ONE_LOSS if c in table]).to_numpy()


def _outcomes(runs: pd.DataFrame) -> np.ndarray:
    there = column_or(runs, "loss").notna().to_numpy(copy=True)
    there[there] = _once(runs[there])
    return there


def _rows(runs: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Each loss of a run once: those beside scores where the model also forecasts scores, of one validation set."""
    several = "val_set" in question.groups
    if question.joint and not several and column_or(runs, "score").notna().any():
        runs = runs[runs["score"].notna()]
    table = runs[_once(runs)]
    sets = list(table["val_set"].unique()) if "val_set" in table else []
    if len(sets) > 1 and not several:
        raise DataError(
            f"model {question.model!r} forecasts one loss: the runs hold those of the validation sets {sets}; "
            f"keep one, as in runs[runs['val_set'] == {sets[0]!r}]"
        )
    return table


def _new_run(predicted: Predicted, rng: np.random.Generator) -> np.ndarray:
    """One loss per draw and run, whatever benchmarks the run is scored on."""
    drawn = predicted.draw(rng)
    first = np.unique(predicted.same, return_index=True)[1][predicted.same]
    return np.asarray(predicted.likelihood.report(drawn, None))[..., first]


LOSS = register(
    Response(
        name="loss",
        column="loss",
        gives="loss",
        label="loss [nats per token]",
        sources=(Source(LOSSES, "loss", _rows),),
        outcomes=_outcomes,
        new_run=_new_run,
        high=np.inf,
        advice=f"loss takes a law that ends in a loss, such as 'loss_power_law', and a likelihood of {LOSSES}, such as "
        "'log_normal'",
        per_benchmark=False,
        exact=True,
    )
)
