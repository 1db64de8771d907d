"""Scores of released models as cells: all that a normal likelihood needs of models alike.

Models of one benchmark, base model, organisation, period and compute enter a normal likelihood on the scale h of `link`
exactly through three numbers: how many they are, the mean of h of their scores, and the sum of squares around it.  So a
fit costs the same however many models there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_scaling.boundaries.link import inverse, link, most_probable_shape, slope
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
        Mean of h of the scores, and the sum of squares around it.
    item_variance : (cell,) array
        Variance of h of one score that comes from its items.
    organisation : (cell,) int array
        Which organisation's models of a base model, on a benchmark, a cell holds.
    base_of : (organisation,) int array
        Which base model, on a benchmark, these are of.
    base_at : (base on a benchmark, 2) int array
        Position of the base model and of the benchmark.
    n_items, chance, shape : (benchmark,) arrays
        Items, the score of a guess, 0 where it is not known, and λ of `link`.
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
    shape: np.ndarray
    span: tuple[float, float]
    has_organisations: bool


def item_variance(value: np.ndarray, n_items: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Variance of h that comes from a finite number of items: the binomial one by the delta method, in part."""
    edge = 0.25 / n_items
    score = np.clip(inverse(value, shape), edge, 1 - edge)
    return np.asarray(ITEM_SHARE * score * (1 - score) * slope(score, shape) ** 2 / n_items)


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
    inside = table["score"].clip(edge, 1 - edge)
    x = np.log10(table["flops"]) - MIDDLE
    shapes = {name: most_probable_shape(x[at].to_numpy(), inside[at].to_numpy(), table[BASE][at].nunique())
              for name, at in table.groupby(BENCHMARK).groups.items()}  # fmt: skip
    table["value"] = link(inside, table[BENCHMARK].map(shapes))
    groups = table.groupby([BENCHMARK, BASE, ORGANISATION, PERIOD, "flops"], sort=True)["value"]
    found = groups.agg(number="size", mean="mean", variance="var").reset_index()
    labels = {name: tuple(sorted(table[name].unique())) for name in (BENCHMARK, BASE, PERIOD)}
    at = {name: pd.Index(known).get_indexer(pd.Index(found[name])) for name, known in labels.items()}
    of_benchmark = table.groupby(BENCHMARK)[["n_items", "chance"]].first().loc[list(labels[BENCHMARK])]
    n_items, mean = of_benchmark["n_items"].to_numpy(float), found["mean"].to_numpy(float)
    shape = np.array([shapes[name] for name in labels[BENCHMARK]])
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
        item_variance=item_variance(mean, n_items[at[BENCHMARK]], shape[at[BENCHMARK]]),
        organisation=organisation,
        base_of=base[first_of_organisation],
        base_at=np.stack([at[BASE][first_of_base], at[BENCHMARK][first_of_base]], axis=1),
        n_items=n_items,
        chance=of_benchmark["chance"].fillna(0.0).to_numpy(float),
        shape=shape,
        span=(float(sizes.min()), float(sizes.max())),
        has_organisations=table[ORGANISATION].nunique() > 1,
    )
