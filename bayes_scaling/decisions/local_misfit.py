"""What a law may miss near a run: runs close to a plan tell it, far ones do not, however exactly they fit the law."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_scaling.forecasting.paths import reads_sizes
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.models.discrepancy import COMPUTE, SIZES, STRETCH, TOGETHER
from bayes_scaling.models.effects import NOISE_GROUPS

REACH = 0.5  # decades of compute over which a miss fades: `benchmarks/next_runs.py`
LEAST_NOISE = 1e-6  # so that runs side by side can be told apart
FAR = 3.0  # times that: what lies further away tells nothing


def local_misfit(fit: Fit | Average, rows: pd.DataFrame, noise: float) -> np.ndarray:
    r"""Covariance of what a law misses at planned rows, given the fitted runs, for a miss of variance 1.

    .. math:: \exp(-d^2 / 2 \ell^2), \qquad d^2 = \tfrac{1}{2} \sum (2\,\Delta\log_{10})^2

    over parameters and tokens, so that d is in decades of compute at one ratio of the two; laws of compute alone have
    d = Δ log₁₀ C.  Rows of another benchmark or mixture go together half as much.

    Parameters
    ----------
    fit : Fit or Average
    rows : DataFrame
        With the labels and sizes of every row.
    noise : float
        Variance of a single outcome around the truth, in units of the variance of the miss.

    Returns
    -------
    (row, row) array
    """
    columns = SIZES if reads_sizes(fit) and set(SIZES) <= {*rows, *fit.runs} else (COMPUTE,)
    groups = dict.fromkeys(group for law in fit.laws for group in law.model.groups)
    labels = [group for group in groups if group not in NOISE_GROUPS and group in rows]
    known = fit.runs[[*columns, *labels]].dropna().drop_duplicates()
    before = _correlation(rows, rows, columns, labels)
    across = _correlation(rows, known, columns, labels)
    close = across.max(axis=0) > np.exp(-(FAR**2) / 2)
    known, across = known[close], across[:, close]
    spread = _correlation(known, known, columns, labels) + max(noise, LEAST_NOISE) * np.eye(len(known))
    return before - across @ np.linalg.solve(spread, across.T)


def _correlation(one: pd.DataFrame, other: pd.DataFrame, columns: tuple[str, ...], labels: list[str]) -> np.ndarray:
    """How much what is missed at two sets of rows goes together, (row, row)."""
    places = [[STRETCH[c] * np.log10(table[c].to_numpy(float)) for c in columns] for table in (one, other)]
    square = sum(np.subtract.outer(a, b) ** 2 for a, b in zip(*places, strict=True)) / len(columns)
    alike = np.exp(-square / (2 * REACH**2))
    for label in labels:
        same = np.equal.outer(one[label].astype(str).to_numpy(), other[label].astype(str).to_numpy())
        alike = alike * np.where(same, 1.0, TOGETHER)
    return np.asarray(alike)
