"""What a response is: its column, its range, the rows it is learned from, and how a new run of it is drawn.

A response is one value, registered under its name by `register`.  Everything that the package asks about a response
stands in it, so that no other module compares names of responses.  To add one, write one file like `accuracy`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.laws.draws import draw
from bayes_scaling.laws.likelihoods import Arguments, Likelihood

RESPONSES: dict[str, Response] = {}


@dataclass(frozen=True)
class Question:
    """What a response must know about a model to choose its rows.

    Attributes
    ----------
    model : str
        Name of the model, for messages.
    groups : tuple of str
        Columns that its parameters vary over.
    joint : bool
        Whether it has other responses as well.
    """

    model: str
    groups: tuple[str, ...]
    joint: bool


@dataclass(frozen=True)
class Source:
    """One kind of rows that a response can be learned from.

    Attributes
    ----------
    name : str
        What likelihoods call these rows, such as "scores".
    column : str
        Holds what the likelihood observes.
    rows : callable
        ``(runs, question) -> runs``: the rows that are observed, of those that have a value in ``column``.
    law_reads_k : bool
        Whether the law of the mean must read k.
    hint : str
        How these rows are told from others, for messages.
    exchangeable : bool
        Whether many rows are equal, so that the compiled density reads each once, with its number.
    """

    name: str
    column: str
    rows: Callable[[pd.DataFrame, Question], pd.DataFrame]
    law_reads_k: bool = False
    hint: str = ""
    exchangeable: bool = False


@dataclass(frozen=True)
class Predicted:
    """What a law says of the rows of a plan, from which a response draws its forecast.

    Attributes
    ----------
    likelihood : Likelihood
    distribution : PyMC distribution
    mean : (chain, draw, row) array
        What the chain of laws gives.
    arguments : mapping of arrays that broadcast to (chain, draw, row)
        Of the distribution of the likelihood.
    plan : DataFrame
        The planned rows.
    n_items : (row,) array
    correlation : float
        Between the residuals of one run.
    same : (row,) int array
        Number of the run and expectation of each row: rows with one number are one run under one law.
    """

    likelihood: Likelihood
    distribution: Any
    mean: np.ndarray
    arguments: Arguments
    plan: pd.DataFrame
    n_items: np.ndarray
    correlation: float
    same: np.ndarray

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One draw of the distribution per posterior draw and row, in the units of the likelihood."""
        return draw(self.distribution, self.arguments, rng)


def the_mean(predicted: Predicted) -> np.ndarray:
    """Expectation of a response whose law gives it directly, (chain, draw, row)."""
    return predicted.mean


@dataclass(frozen=True)
class Response:
    """Something that runs show and forecasts are made of.

    Attributes
    ----------
    name : str
        What forecasts call a new run of it; the expectation is ``<name>_mean``.
    column : str
        Column of a table of runs that holds an outcome.
    gives : str
        What the chain of laws behind it must end in: "score" or "loss".
    label : str
        Of an axis, with the unit.
    sources : tuple of Source
        Rows that it can be learned from; a likelihood names one of them.
    outcomes : callable
        ``runs -> (row,) bool array``: rows that hold an outcome to score a forecast by, each outcome once.
    new_run : callable
        ``(predicted, rng) -> (chain, draw, row) array``: one new run, evaluated once.
    expectation : callable
        ``predicted -> (chain, draw, row) array``.
    low, high : float
        Range of its values.
    advice : str
        Which laws and likelihoods it takes, for messages.
    columns : tuple of str
        Columns of a plan that a forecast needs beside those of the law.
    per_benchmark : bool
        Whether a run has one for every benchmark.
    over_compute : bool
        Whether a curve over compute shows it.
    correlated : bool
        Whether the residuals of one run go together.
    exact : bool
        Whether it is measured with next to no noise.
    """

    name: str
    column: str
    gives: str
    label: str
    sources: tuple[Source, ...]
    outcomes: Callable[[pd.DataFrame], np.ndarray]
    new_run: Callable[[Predicted, np.random.Generator], np.ndarray]
    expectation: Callable[[Predicted], np.ndarray] = the_mean
    low: float = 0.0
    high: float = 1.0
    advice: str = ""
    columns: tuple[str, ...] = ()
    per_benchmark: bool = True
    over_compute: bool = True
    correlated: bool = False
    exact: bool = False

    @property
    def mean_name(self) -> str:
        """What forecasts call its expectation."""
        return f"{self.name}_mean"

    def source(self, rows: str) -> Source | None:
        """The rows of that name, or None where the response cannot be learned from such rows."""
        return next((source for source in self.sources if source.name == rows), None)

    def holds(self, values: Sequence[float] | np.ndarray) -> np.ndarray:
        """Whether values lie in the range of the response, elementwise."""
        numbers = np.asarray(values, float)
        return (numbers >= self.low) & (numbers <= self.high)


def register(response: Response) -> Response:
    """Make a response known under its name."""
    RESPONSES[response.name] = response
    return response


def column_or(table: pd.DataFrame, name: str, value: object = np.nan) -> pd.Series:
    """A column of a table, or the same value in every row where the table has no such column."""
    return table[name] if name in table else pd.Series(value, table.index)
