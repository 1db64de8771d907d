"""Forecasts of pass@k: of the expectation for any k, and of a new evaluation, whose pass@k share all their noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.inference.design import columns_of
from bayes_scaling.laws import pass_at_k as passk
from bayes_scaling.laws.likelihoods import COUNTS
from bayes_scaling.models.effects import EVALUATION
from bayes_scaling.models.heads import Head

Arguments = dict[str, np.ndarray]


def expectation(head: Head, mean: np.ndarray, arguments: Arguments, plan: pd.DataFrame) -> np.ndarray:
    """pass@k that the law gives, which rises in k.

    Parameters
    ----------
    head : Head
    mean : (chain, draw, row) array
        What the law gives: pass@k itself, or the mean success probability of single answers.
    arguments : dict of (chain, draw, row) arrays
        Of the distribution of the head.
    plan : DataFrame
        With a column ``k``.

    Returns
    -------
    (chain, draw, row) array
    """
    if head.likelihood.rows != COUNTS:
        return mean
    return np.asarray(passk.expected(plan["k"].to_numpy(float), *_spread(arguments, mean.shape)))


def new_evaluations(head: Head, mean: np.ndarray, arguments: Arguments, plan: pd.DataFrame, rng: Any) -> np.ndarray:
    """pass@k that new runs will show, rising in k in every draw: one piece of luck for all rows of an evaluation.

    Parameters are those of `expectation`, with the differences between runs, and ``plan`` also says to which
    evaluation a row belongs, its ``n_items`` and, if known, its ``n_samples``.

    Returns
    -------
    (chain, draw, row) array
    """
    group, labels = pd.factorize(plan[EVALUATION])
    if head.likelihood.rows != COUNTS:
        luck = rng.normal(size=(*mean.shape[:2], len(labels)))[..., group]
        return np.asarray(head.likelihood.report(arguments["mu"] + arguments["scale"] * luck, None))
    out = np.empty(mean.shape)
    spread, n_items = _spread(arguments, mean.shape), columns_of(head, plan, ["n_items"])["n_items"]
    n_samples = plan["n_samples"].to_numpy(float) if "n_samples" in plan else np.full(len(plan), np.nan)
    for number in range(len(labels)):
        rows = np.flatnonzero(group == number)
        alpha, beta, log_reach = (a[..., rows[0]] for a in spread)
        k, items, samples = plan["k"].to_numpy(float)[rows], int(n_items[rows[0]]), float(n_samples[rows[0]])
        out[..., rows] = passk.evaluated(k, alpha, beta, log_reach, items, samples, rng)
    return out


def _spread(arguments: Arguments, shape: tuple[int, ...]) -> list[np.ndarray]:
    return [np.broadcast_to(arguments[name], shape) for name in ("alpha", "beta", "log_reach")]
