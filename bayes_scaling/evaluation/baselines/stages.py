"""Stages: one least-squares fit each, and the scales on which they are made; one or two make an estimator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayes_scaling.evaluation.baselines.solvers import Bounds, Columns, Law, Solver, at, huber, linear, refits, squares
from bayes_scaling.models.responses.accuracy import ACCURACY
from bayes_scaling.models.responses.pass_at_k import PASS_AT_K_RESPONSE as PASS_AT_K

ABOVE_CHANCE = 0.05  # what a score must exceed chance by (Krajewski et al. 2025, Section 3)


@dataclass(frozen=True)
class Scale:
    """The scale on which a law is fitted: to it, back from it, and which values it takes."""

    observe: Callable[[Any, float], Any]
    report: Callable[[Any, float], Any]
    takes: Callable[[Any, float], Any]


def _neglog(margin: float) -> Scale:
    return Scale(
        lambda q, chance: np.log(-np.log((q - chance) / (1 - chance))),
        lambda eta, chance: chance + (1 - chance) * np.exp(-np.exp(eta)),
        lambda q, chance: (q >= chance + margin) & (q > chance) & (q < 1),
    )


CLEARLY_ABOVE, ABOVE_ZERO = _neglog(ABOVE_CHANCE), _neglog(0.0)
RAW = Scale(lambda q, chance: q, lambda eta, chance: eta, lambda q, chance: np.isfinite(q))
RAW_ABOVE = replace(RAW, takes=CLEARLY_ABOVE.takes)
LOGARITHM = Scale(lambda loss, chance: np.log(loss), lambda eta, chance: np.exp(eta), lambda loss, chance: loss > 0)


@dataclass(frozen=True)
class Stage:
    """One least-squares fit.

    Attributes
    ----------
    law : function
        Columns, then coefficients -> expected response on the scale of the fit; analytic.
    inputs, coefficients : tuple of str
    solver : function of `solvers`
    starts : function
        Columns and observed values -> (start, coefficient) array.
    scale : Scale
    response : str
        "score" or "loss".
    bounds : (low, high) per coefficient, or None
    ideal : pair of float, or None
        An input and its response that are added to the data as one more row.
    """

    law: Law
    inputs: tuple[str, ...]
    coefficients: tuple[str, ...]
    solver: Solver
    starts: Callable[..., np.ndarray]
    scale: Scale = RAW
    response: str = "score"
    bounds: Bounds = None
    ideal: tuple[float, float] | None = None

    def fit(self, columns: Columns, observed: np.ndarray) -> np.ndarray:
        """Coefficients that fit values on the scale of the fit, shape (coefficient,)."""
        columns, observed = self._with_ideal(columns, observed)
        with np.errstate(all="ignore"):
            return self.solver(self.law, columns, observed, self.starts(*columns, observed), self.bounds)

    def refit(self, columns: Columns, observed: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Coefficients of many responses (resample, row), each fitted from given ones."""
        columns, observed = self._with_ideal(columns, observed)
        solver = self.solver if self.solver in (linear, squares) else huber
        return refits(solver, self.law, columns, observed, theta, self.bounds)

    def expected(self, columns: Columns, theta: np.ndarray) -> np.ndarray:
        """The law on the scale of the fit, shape (…, row)."""
        return at(self.law, columns, theta)

    def _with_ideal(self, columns: Columns, observed: np.ndarray) -> tuple[Columns, np.ndarray]:
        if self.ideal is None:
            return columns, observed
        more = np.full((*observed.shape[:-1], 1), self.ideal[1])
        return [np.append(c, self.ideal[0]) for c in columns], np.concatenate([observed, more], axis=-1)


@dataclass(frozen=True)
class Estimator:
    """A published way to forecast scores: its stages, in order, and where it was published."""

    stages: tuple[Stage, ...]
    source: str

    @property
    def response(self) -> str:
        """Name of the response that it forecasts."""
        return PASS_AT_K.name if "k" in self.inputs else ACCURACY.name

    @property
    def inputs(self) -> tuple[str, ...]:
        """Columns that a forecast reads."""
        given = {stage.response for stage in self.stages}
        return tuple(c for c in dict.fromkeys(c for s in self.stages for c in s.inputs) if c not in given)
