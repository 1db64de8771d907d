"""Simulated boards of released models, whose boundary is known: for examples, notebooks and checks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtri

from bayes_scaling.boundaries.cells import MIDDLE
from bayes_scaling.boundaries.estimators import TAU

LEVEL, SLOPE, CURVATURE = -0.5, 0.6, -0.05
BASE_SD, ORGANISATION_SD, SPREAD = 0.3, 0.15, 0.35
ITEMS = 1000


def simulated_board(
    models: int = 600,
    *,
    benchmarks: int = 2,
    bases: int = 40,
    organisations: int = 60,
    periods: int = 2,
    rise: float = 0.0,
    seed: int | None = None,
) -> pd.DataFrame:
    """Draw a board of released models from the distribution that `fit_boundary` learns.

    Parameters
    ----------
    models, benchmarks, bases, organisations, periods : int
        How many there are of each.
    rise : float
        Log odds by which every benchmark rises from one period to the next.
    seed : int, optional

    Returns
    -------
    DataFrame
        One row a score: ``model``, ``base_model``, ``organisation``, ``period``, ``flops``, ``benchmark``, ``score``,
        ``n_items`` and ``chance``.

    Examples
    --------
    >>> board = simulated_board(models=3, benchmarks=1, seed=1)
    >>> board[["benchmark", "n_items"]].drop_duplicates().to_numpy().tolist()
    [['benchmark 1', 1000]]
    """
    rng = np.random.default_rng(seed)
    size, base = rng.uniform(21.5, 25, bases), rng.integers(bases, size=models)
    organisation, period = rng.integers(organisations, size=models), rng.integers(periods, size=models)
    parts = []
    for number in range(benchmarks):
        level = LEVEL + 0.3 * number
        x = size[base] - MIDDLE
        of_base, of_organisation = rng.normal(0, BASE_SD, bases), rng.normal(0, ORGANISATION_SD, (bases, organisations))
        odds = logit(expit(level + SLOPE * x + CURVATURE * x**2)) + rise * period
        odds = odds + of_base[base] + of_organisation[base, organisation] + SPREAD * rng.normal(size=models)
        parts.append(
            pd.DataFrame(
                {
                    "model": [f"model {i}" for i in range(models)],
                    "base_model": [f"base {i}" for i in base],
                    "organisation": [f"organisation {i}" for i in organisation],
                    "period": [f"P{i + 1}" for i in period],
                    "flops": 10 ** size[base],
                    "benchmark": f"benchmark {number + 1}",
                    "score": expit(odds),
                    "n_items": ITEMS,
                    "chance": 0.0,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def true_boundary(flops: float, *, number: int = 0, tau: float = TAU, rise: float = 0.0, period: int = 0) -> float:
    """The τ-quantile for a new model of a new base that `simulated_board` draws from.

    Examples
    --------
    >>> round(true_boundary(1e23), 2)
    0.62
    """
    x = np.log10(flops) - MIDDLE
    middle = LEVEL + 0.3 * number + SLOPE * x + CURVATURE * x**2 + rise * period
    return float(expit(middle + np.sqrt(BASE_SD**2 + ORGANISATION_SD**2 + SPREAD**2) * ndtri(tau)))
