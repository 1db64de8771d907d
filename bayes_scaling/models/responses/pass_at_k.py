"""pass@k: the share of problems that one of k answers solves, as reported or from right answers per problem."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import PASS_AT_K
from bayes_scaling.laws import pass_at_k
from bayes_scaling.laws.likelihoods import COUNTS, REPORTED_PASS_AT_K, Arguments
from bayes_scaling.models.effects import EVALUATION
from bayes_scaling.models.responses.response import Predicted, Question, Response, Source, column_or, register

HINT = f"(metric {PASS_AT_K!r})"


def _tried(runs: pd.DataFrame) -> pd.Series:
    return column_or(runs, "metric").eq(PASS_AT_K)


def _outcomes(runs: pd.DataFrame) -> np.ndarray:
    whole = column_or(runs, "problem").isna()
    return (column_or(runs, "score").notna() & _tried(runs) & whole).to_numpy()


def _reported(runs: pd.DataFrame, question: Question) -> pd.DataFrame:
    return runs[_outcomes(runs)]


def _problems(runs: pd.DataFrame, question: Question) -> pd.DataFrame:
    return runs[_tried(runs) & column_or(runs, "problem").notna()]


def _spread(arguments: Arguments, shape: tuple[int, ...]) -> list[np.ndarray]:
    return [np.broadcast_to(arguments[name], shape) for name in ("alpha", "beta", "log_reach")]


def _expectation(predicted: Predicted) -> np.ndarray:
    """pass@k that the law gives, which rises in k."""
    if predicted.likelihood.rows != COUNTS:
        return predicted.mean
    k, shape = predicted.plan["k"].to_numpy(float), predicted.mean.shape
    return np.asarray(pass_at_k.expected(k, *_spread(predicted.arguments, shape)))


def _new_run(predicted: Predicted, rng: np.random.Generator) -> np.ndarray:
    """pass@k of new evaluations, rising in k in every draw: all rows of an evaluation share their noise."""
    plan, mean, arguments = predicted.plan, predicted.mean, predicted.arguments
    group, labels = pd.factorize(plan[EVALUATION])
    if predicted.likelihood.rows != COUNTS:
        noise = rng.normal(size=(*mean.shape[:2], len(labels)))[..., group]
        return np.asarray(predicted.likelihood.report(arguments["mu"] + arguments["scale"] * noise, None))
    out, spread, k = np.empty(mean.shape), _spread(arguments, mean.shape), plan["k"].to_numpy(float)
    samples = column_or(plan, "n_samples").to_numpy(float)
    for number in range(len(labels)):
        rows = np.flatnonzero(group == number)
        alpha, beta, log_reach = (a[..., rows[0]] for a in spread)
        items = int(predicted.n_items[rows[0]])
        found = pass_at_k.evaluated(k[rows], alpha, beta, log_reach, items, float(samples[rows[0]]), rng)
        out[..., rows] = found
    return out


PASS_AT_K_RESPONSE = register(
    Response(
        name="pass_at_k",
        column="score",
        gives="score",
        label="pass@k",
        sources=(
            Source(REPORTED_PASS_AT_K, "score", _reported, law_reads_k=True, hint=HINT),
            Source(COUNTS, "n_correct", _problems, hint=HINT, exchangeable=True),
        ),
        outcomes=_outcomes,
        new_run=_new_run,
        expectation=_expectation,
        advice="pass_at_k takes a law of k such as 'repeated_sampling > pass_rate' with 'loglog', or one of the rate "
        "of single answers such as 'power_law > pass_rate' with 'counts'",
        columns=("k",),
        over_compute=False,
    )
)
