"""Why a forecast should not be trusted, texts per benchmark before anyone looks at its bands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import PASS_AT_K
from bayes_scaling.data.trends import falls
from bayes_scaling.forecasting.notes import remarks_of
from bayes_scaling.laws.likelihoods import NOMINAL_ITEMS
from bayes_scaling.messages import close_to

AT_CHANCE = "at chance so far: not forecastable yet"
NEVER_SOLVED = "never solved so far: not forecastable yet"
NO_LAW = "scores follow no law at this scale"
JUST_LEFT = "has only just left its floor: its exponent rests on few scores"
FALLING = "scores fall with compute: drawn from a straight line in log odds, as no law here falls"
SOLVED = "nearly solved: what is left may be wrong labels, which no law foresees"
UNSEEN = "benchmark {!r} never seen: drawn from the population"
OF_BENCHMARKS = frozenset({AT_CHANCE, NEVER_SOLVED, NO_LAW, JUST_LEFT, FALLING, SOLVED})
CLEARLY_ABOVE = 0.05  # chance-corrected accuracy that is more than guessing
NEARLY_ALL = 0.95  # chance-corrected accuracy of a benchmark that is nearly solved
ALIKE = 0.8  # how alike names must be for one to be a misspelling of the other
FEW_ABOVE = 0.3  # share of scores clearly above chance below which an exponent is hardly known
RISE_AT_LEAST = 4.0  # rise of the law over the data, in standard deviations of the scatter around it


def cannot_tell(notes: Iterable[object]) -> list[str]:
    """Remarks that say that something is asked which the runs cannot tell; the others are about benchmarks."""
    remarks = dict.fromkeys(part for note in notes for part in remarks_of(note))
    return [remark for remark in remarks if remark not in OF_BENCHMARKS]


class HasRuns(Protocol):
    """Whatever holds the runs that a forecast rests on, as a `Fit` does."""

    @property
    def runs(self) -> pd.DataFrame:
        """Runs and their scores."""


def notes(fit: HasRuns, plan: pd.DataFrame) -> np.ndarray:
    """One remark per row of a plan; the empty string where there is none.

    Returns
    -------
    (row,) array of str
    """
    if "benchmark" not in plan:
        return np.full(len(plan), "", dtype=object)
    remarks = {b: remark(fit, b) for b in plan["benchmark"].astype(str).unique()}
    return plan["benchmark"].astype(str).map(remarks).to_numpy(object)


def remark(fit: HasRuns, benchmark: str) -> str:
    """What to know about one benchmark: unseen, at chance, without a law, or known from few scores."""
    rows = fit.runs[(fit.runs["benchmark"].astype(str) == benchmark) & fit.runs["score"].notna()]
    if rows.empty:
        near = close_to(benchmark, set(fit.runs["benchmark"].dropna().astype(str)) - {benchmark}, ALIKE)
        return UNSEEN.format(benchmark) + (f" (did you mean {near!r}?)" if near else "")
    if "metric" in rows and rows["metric"].eq(PASS_AT_K).all():
        return "" if rows["score"].gt(0).any() else NEVER_SOLVED
    rows = rows.sort_values("flops")
    scores = rows["score"].to_numpy(float)
    few = max(3, len(rows) // 6)
    chance = rows["chance"].fillna(0.0).to_numpy(float)
    items = rows["n_items"].fillna(NOMINAL_ITEMS).to_numpy(float)
    noise = 2 * np.sqrt(np.mean(np.maximum(chance * (1 - chance), 0.01) / items))
    top = scores[-few:].mean()
    if top < chance.mean() + noise and top < scores[:few].mean() + noise:
        return AT_CHANCE
    if falls(rows["flops"], scores):
        return FALLING
    above = (scores - chance) / (1 - chance)
    if above[-few:].mean() > NEARLY_ALL:
        return SOLVED
    if _rise(np.log(rows["flops"].to_numpy(float)), scores) < RISE_AT_LEAST:
        return NO_LAW
    return JUST_LEFT if (above > CLEARLY_ABOVE).mean() < FEW_ABOVE else ""


def _rise(size: np.ndarray, scores: np.ndarray) -> float:
    """Rise of a smooth trend over the data, in standard deviations of the scatter around it."""
    if len(scores) < 6 or np.ptp(size) == 0:
        return np.inf
    degree = min(2, len(np.unique(size)) - 1)
    trend = np.polynomial.Polynomial.fit(size, scores, degree)(size)
    scatter = np.sqrt(np.sum((scores - trend) ** 2) / (len(scores) - degree - 1))
    return float(np.ptp(trend) / max(scatter, 1e-9))
