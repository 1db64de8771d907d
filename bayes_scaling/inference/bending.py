r"""Whether the exponent of the law rises along the runs, as it does where scores follow an S-shaped curve.

Below a ceiling, the law of Krajewski et al. 2025 (arXiv 2512.08894), Eq. 2, is a straight line in
:math:`z = \log(-\log Q')` over :math:`\log C`.  Each benchmark is fitted by least squares on its scores with

.. math:: z = a_{mixture} - \alpha\,x + q\,x^2, \qquad x = \log_{10} C - \overline{\log_{10} C},

whose exponent is :math:`\alpha - 2 q x`.  Benchmarks are put together by their precision, with one scatter for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from scipy.stats import t as student

from bayes_scaling.models.responses.accuracy import ACCURACY

CEILING = 0.97  # of what lies over chance: the middle of the prior of `laws.basic.ceiling`
SOLVED = 0.95  # benchmarks above this say more of their ceiling than of a bend
SIZES, FREEDOM = 4, 3  # different amounts of compute, and scores more than parameters, that a bend takes to be seen
CHANCE_OF_ERROR = 0.05  # that a straight line is called bent
TIMES = 2.0  # the exponent at the largest run over that at the smallest, for a bend to matter
LN10 = np.log(10.0)


@dataclass(frozen=True)
class Bend:
    """How the exponent changes along the fitted runs.

    Attributes
    ----------
    smallest, largest : float
        Exponent of compute at the smallest and at the largest run, by least squares.
    probability : float
        Of a change as large as this where the law is a straight line.
    """

    smallest: float
    largest: float
    probability: float

    @property
    def rises(self) -> bool:
        """Whether the exponent clearly rises, and by as much as matters."""
        return self.probability < CHANCE_OF_ERROR and self.largest > max(TIMES * self.smallest, 0.0)


@dataclass(frozen=True)
class _Fitted:
    """One benchmark: alpha and q, their precision at a scatter of 1, and what is left over."""

    estimate: np.ndarray
    precision: np.ndarray
    squares: float
    freedom: int


def bend(runs: pd.DataFrame) -> Bend | None:
    """How the exponent changes along runs, over all their benchmarks; None where too few scores tell.

    Parameters
    ----------
    runs : DataFrame
        With ``flops`` and ``score``; ``chance`` and ``mixture`` where there are such.

    Examples
    --------
    >>> flops = np.logspace(19, 21, 7)
    >>> straight = 0.97 * np.exp(-1.5 * (flops / 1e20) ** -0.2)
    >>> shaped = 1 / (1 + np.exp(-2 * (np.log10(flops) - 20.5)))
    >>> noise = 0.003 * np.random.default_rng(1).normal(size=7)
    >>> [bend(pd.DataFrame({"flops": flops, "score": s + noise})).rises for s in (straight, shaped)]
    [False, True]
    """
    if not {"flops", "score"} <= set(runs):
        return None
    scored = runs[ACCURACY.outcomes(runs)] if "benchmark" in runs else runs
    decades = np.log10(scored["flops"].to_numpy(float))
    if not len(decades) or not np.all(np.isfinite(decades)):
        return None
    fitted = list(_each(scored, decades - decades.mean()))
    freedom = sum(one.freedom for one in fitted)
    if freedom < FREEDOM:
        return None
    scatter = sum(one.squares for one in fitted) / freedom
    precisions, estimates = (np.array([getattr(one, name) for one in fitted]) for name in ("precision", "estimate"))
    total = precisions.sum(axis=0)
    if not (np.all(total > 0) and scatter > 0):
        return None
    alpha, curved = (precisions * estimates).sum(axis=0) / total
    ratio = abs(curved) * np.sqrt(total[1] / scatter)
    ends = decades.min() - decades.mean(), decades.max() - decades.mean()
    smallest, largest = ((alpha - 2 * curved * end) / LN10 for end in ends)
    return Bend(float(smallest), float(largest), float(2 * student.sf(ratio, freedom)))


def _each(scored: pd.DataFrame, decades: np.ndarray) -> Iterator[_Fitted]:
    """Every benchmark of which enough is known."""
    labels = scored["benchmark"].astype(str).to_numpy() if "benchmark" in scored else np.full(len(scored), "")
    for name in np.unique(labels):
        rows = labels == name
        one = _fitted(scored[rows], decades[rows])
        if one is not None:
            yield one


def _fitted(rows: pd.DataFrame, decades: np.ndarray) -> _Fitted | None:
    """Least squares on the scores of one benchmark, in units of their binomial scatter."""
    mixtures = rows["mixture"].astype(str) if "mixture" in rows else pd.Series("", rows.index)
    of_row, names = pd.factorize(mixtures)
    score, many = rows["score"].to_numpy(float), len(names)
    chance = rows["chance"].fillna(0.0).to_numpy(float) if "chance" in rows else np.zeros(len(rows))
    share = (score - chance) / (1 - chance)
    if len(np.unique(decades)) < SIZES or len(rows) < many + 2 + 1 or share.max() > SOLVED:
        return None
    scatter = np.sqrt(np.clip(score * (1 - score), 0.01, None))

    design = np.column_stack([of_row[:, None] == np.arange(many), -decades, decades**2])
    height = (1 - chance) * CEILING / scatter

    def misfit(point: np.ndarray) -> np.ndarray:
        z = np.clip(design @ point, -30, 30)
        return height * np.exp(-np.exp(z)) + (chance - score) / scatter

    def slope(point: np.ndarray) -> np.ndarray:
        z = np.clip(design @ point, -30, 30)
        return (-height * np.exp(z - np.exp(z)))[:, None] * design

    heights = np.log(-np.log(np.clip(share / CEILING, 0.02, 0.98)))
    start = np.append([heights[of_row == one].mean() for one in range(many)], [0.3, 0.0])
    found = least_squares(misfit, start, slope, max_nfev=200)
    information = found.jac.T @ found.jac
    if np.linalg.matrix_rank(information) < len(start):
        return None
    precision = 1 / np.diag(np.linalg.inv(information))[many:]
    return _Fitted(found.x[many:], precision, float(2 * found.cost), len(rows) - many - 2)
