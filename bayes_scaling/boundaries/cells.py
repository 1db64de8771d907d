"""Scores of released models as cells: all that a normal likelihood on the log odds needs of models alike.

Models of one benchmark, base model, organisation, period and compute enter a normal likelihood on the log odds exactly
through three numbers: how many they are, the mean of their log odds, and the sum of squares around it.  So a fit costs
the same however many models there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from bayes_scaling.boundaries.scores import BASE, BENCHMARK, ORGANISATION, PERIOD, released_scores

MIDDLE = 23.0  # log10 FLOPs that compute is measured from
ITEM_SHARE = 0.25  # of the binomial variance of the items: `benchmarks/rerun_noise.py`


@dataclass(frozen=True)
class Cells:
    """Sufficient statistics of the scores of released models.

    Attributes
    ----------
    benchmarks, bases, periods : tuple of str
        Labels, periods in the order of time.
    benchmark, period : (cell,) int arrays
        Positions of the labels.
    decades : (cell,) array
        log10 FLOPs less `MIDDLE`.
    number : (cell,) array
        Models.
    mean, squares : (cell,) arrays
        Mean log odds, and the sum of squares around it.
    item_variance : (cell,) array
        Variance of the log odds of one score that comes from its items.
    organisation : (cell,) int array
        Which organisation's models of a base model, on a benchmark, a cell holds.
    base_of : (organisation,) int array
        Which base model, on a benchmark, these are of.
    base_at : (base on a benchmark, 2) int array
        Position of the base model and of the benchmark.
    n_items, chance : (benchmark,) arrays
        Items, and the score of a guess, 0 where it is not known.
    span : tuple of float
        log10 of the least and the most FLOPs.
    has_organisations : bool
        Whether the table tells organisations apart.
    """

    benchmarks: tuple[str, ...]
    bases: tuple[str, ...]
    periods: tuple[str, ...]
    benchmark: np.ndarray
    period: np.ndarray
    decades: np.ndarray
    number: np.ndarray
    mean: np.ndarray
    squares: np.ndarray
    item_variance: np.ndarray
    organisation: np.ndarray
    base_of: np.ndarray
    base_at: np.ndarray
    n_items: np.ndarray
    chance: np.ndarray
    span: tuple[float, float]
    has_organisations: bool


def item_variance(odds: np.ndarray, n_items: np.ndarray) -> np.ndarray:
    """Variance of log odds that comes from a finite number of items: the binomial one by the delta method, in part."""
    proportion = expit(odds)
    return ITEM_SHARE / (n_items * np.maximum(proportion * (1 - proportion), 0.25 / n_items))


def cells_of(scores: pd.DataFrame) -> Cells:
    """Bring a table of scores of released models into cells.

    Parameters
    ----------
    scores : DataFrame
        See `released_scores`.

    Raises
    ------
    DataError
        A column is missing, or holds blanks or values that cannot be.

    Examples
    --------
    >>> table = pd.DataFrame({"flops": [1e23, 1e23, 1e24], "benchmark": "BBH", "score": [0.3, 0.4, 0.5]})
    >>> cells_of(table).number.tolist()
    [2.0, 1.0]
    """
    table = released_scores(scores)
    edge = 0.5 / table["n_items"]
    table["odds"] = logit(table["score"].clip(edge, 1 - edge))
    groups = table.groupby([BENCHMARK, BASE, ORGANISATION, PERIOD, "flops"], sort=True)["odds"]
    found = groups.agg(number="size", mean="mean", variance="var").reset_index()
    labels = {name: tuple(sorted(table[name].unique())) for name in (BENCHMARK, BASE, PERIOD)}
    at = {name: pd.Index(known).get_indexer(pd.Index(found[name])) for name, known in labels.items()}
    of_benchmark = table.groupby(BENCHMARK)[["n_items", "chance"]].first().loc[list(labels[BENCHMARK])]
    n_items, mean = of_benchmark["n_items"].to_numpy(float), found["mean"].to_numpy(float)
    organisation = found.groupby([BENCHMARK, BASE, ORGANISATION], sort=True).ngroup().to_numpy()
    base = found.groupby([BENCHMARK, BASE], sort=True).ngroup().to_numpy()
    first_of_organisation = np.unique(organisation, return_index=True)[1]
    first_of_base = np.unique(base, return_index=True)[1]
    sizes = np.log10(found["flops"].to_numpy(float))
    return Cells(
        benchmarks=labels[BENCHMARK],
        bases=labels[BASE],
        periods=labels[PERIOD],
        benchmark=at[BENCHMARK],
        period=at[PERIOD],
        decades=sizes - MIDDLE,
        number=found["number"].to_numpy(float),
        mean=mean,
        squares=(found["variance"].fillna(0.0) * (found["number"] - 1)).to_numpy(float),
        item_variance=item_variance(mean, n_items[at[BENCHMARK]]),
        organisation=organisation,
        base_of=base[first_of_organisation],
        base_at=np.stack([at[BASE][first_of_base], at[BENCHMARK][first_of_base]], axis=1),
        n_items=n_items,
        chance=of_benchmark["chance"].fillna(0.0).to_numpy(float),
        span=(float(sizes.min()), float(sizes.max())),
        has_organisations=table[ORGANISATION].nunique() > 1,
    )
