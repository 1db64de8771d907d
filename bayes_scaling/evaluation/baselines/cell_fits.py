"""Cells: an estimator fitted to the runs of one benchmark on one mixture, and what each run deviates by."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import UNSPECIFIED, check_ranges
from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.baselines.solvers import Columns
from bayes_scaling.evaluation.baselines.stages import Estimator, Stage
from bayes_scaling.files.frames import as_frame
from bayes_scaling.models.responses.all_responses import RESPONSES

CELL = ["benchmark", "mixture"]
CHANCES = ("table", "small_runs")
SMALL = 1e17  # runs below these FLOPs show the score of guessing (Krajewski et al. 2025, Eq. 3)


@dataclass(frozen=True)
class Cache:
    """What was computed before: stages that read no score are the same for all benchmarks."""

    known: dict[Hashable, np.ndarray] = field(default_factory=dict)

    def once(
        self, stage: Stage, columns: Columns, observed: np.ndarray, compute: Callable[[], np.ndarray]
    ) -> np.ndarray:
        """The value for these data, computed when they are first seen."""
        key = (id(stage), *(c.tobytes() for c in columns), observed.tobytes())
        if key not in self.known:
            self.known[key] = compute()
        return self.known[key]


@dataclass(frozen=True)
class Part:
    """One fitted stage.

    Attributes
    ----------
    stage : Stage
    theta : (coefficient,) array
    columns : list of (row,) arrays
    fitted : (row,) array
        On the scale of the fit.
    left : (run, k) array
        What each run of the mixture deviates by, NaN where it has no usable row; centred, and as large as
        errors are rather than residuals.
    places, tries : (row,) int arrays
        Where the rows stand in ``left``.
    levels : (k,) array
        Numbers of samples; one level where the estimator does not read k.
    """

    stage: Stage
    theta: np.ndarray
    columns: list[np.ndarray]
    fitted: np.ndarray
    left: np.ndarray
    places: np.ndarray
    tries: np.ndarray
    levels: np.ndarray

    def residuals(self, source: np.ndarray, tries: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Residuals of given runs; those of any run where the given one has none.

        Parameters
        ----------
        source : (draw, row) int array
            Whose residuals.
        tries : (row,) int array
            At which level of k; −1 at none of them.
        rng : Generator

        Returns
        -------
        (draw, row) array
        """
        found = np.where(tries < 0, np.nan, self.left[source, tries])
        return np.where(np.isfinite(found), found, rng.choice(self.left[np.isfinite(self.left)], found.shape))

    def tries_of(self, table: pd.DataFrame) -> np.ndarray:
        """Which level of k each row of a table is at; −1 at none."""
        return _tries(self.stage, table, self.levels)


@dataclass(frozen=True)
class CellFit:
    """All stages of an estimator, fitted to one benchmark on one mixture."""

    mixture: str
    chance: float
    parts: tuple[Part, ...]


def scored(estimator: Estimator, runs: pd.DataFrame, chance: str, loss: str) -> pd.DataFrame:
    """The scores that an estimator may use, with their chance level and each run's place among its peers.

    Raises
    ------
    DataError
        The runs lack a column or hold no score, or a benchmark has scores of several metrics.
    """
    runs = as_frame(runs, "the runs", example="bs.read_runs makes one")
    if chance not in CHANCES:
        raise DataError(f"chance must be one of {', '.join(CHANCES)}, not {chance!r}")
    reads_loss = any("loss" in stage.inputs for stage in estimator.stages)
    if absent := [c for c in dict.fromkeys(("run", "benchmark", "score", "flops", *estimator.inputs)) if c not in runs]:
        raise DataError(f"the runs need the columns {absent}; they have {list(runs.columns)}")
    if reads_loss and loss not in runs:
        raise DataError(f"the runs have no column {loss!r} that holds the loss; they have {list(runs.columns)}")
    rows = runs[RESPONSES[estimator.response].outcomes(runs)].reset_index(drop=True)
    if rows.empty:
        raise DataError("the runs hold no score of the kind that this estimator is fitted to")
    rows = rows.assign(mixture=rows.get("mixture", UNSPECIFIED), n_items=rows.get("n_items", np.nan))
    rows = rows.assign(loss=rows[loss].astype(float) if reads_loss else np.nan, chance=chances(rows, chance))
    check_ranges(rows, (*estimator.inputs, "score"))
    if len(twice := rows.index[rows.duplicated([*CELL, "run", *({"k"} & {*estimator.inputs})])]):
        raise DataError(f"a run has several scores of one benchmark, keep one: rows {list(twice[:5])} repeat one")
    among = rows.groupby("mixture")["run"]
    place = among.transform(lambda run: pd.factorize(run)[0]).astype(int)
    return rows.astype(dict.fromkeys(CELL, "str")).assign(place=place, peers=among.transform("nunique"))


def fitted_cell(estimator: Estimator, rows: pd.DataFrame, cache: Cache) -> CellFit | None:
    """Fit an estimator to rows of one benchmark on one mixture; None where too few are usable."""
    chance = float(rows["chance"].iloc[0])
    parts = [_fitted_part(stage, rows, chance, cache) for stage in estimator.stages]
    whole = tuple(part for part in parts if part is not None)
    return CellFit(str(rows["mixture"].iloc[0]), chance, whole) if len(whole) == len(parts) else None


def chances(rows: pd.DataFrame, chance: str) -> pd.Series:
    """Give every row the chance level of its benchmark.

    Parameters
    ----------
    rows : DataFrame
        With columns ``benchmark``, ``score``, ``flops`` and, unless all answers are open, ``chance``.
    chance : str
        One of ``CHANCES``, as `baseline` takes them.

    Returns
    -------
    Series of proportions, on the index of the rows.
    """
    given = rows["chance"].fillna(0.0) if "chance" in rows else pd.Series(0.0, rows.index)
    table = given.groupby(rows["benchmark"]).transform("median")
    if chance == "table":
        return table
    small = rows["score"].where(rows["flops"] < SMALL).groupby(rows["benchmark"]).transform("mean")
    return small.where(small.notna() & (table > 0), table)


def _fitted_part(stage: Stage, rows: pd.DataFrame, chance: float, cache: Cache) -> Part | None:
    response = rows[stage.response].to_numpy(float)
    inputs = rows[list(stage.inputs)].to_numpy(float)
    usable = np.isfinite(inputs).all(axis=1) & np.isfinite(response) & stage.scale.takes(response, chance)
    peers, size = int(rows["peers"].iloc[0]), len(stage.coefficients)
    rows, inputs = rows[usable], inputs[usable]
    if len(rows) < (size + 1 if size > 1 else 1) or len(np.unique(inputs, axis=0)) < size:
        return None
    columns, observed = list(inputs.T.copy()), stage.scale.observe(response[usable], chance)
    theta = cache.once(stage, columns, observed, lambda: stage.fit(columns, observed))
    fitted = stage.expected(columns, theta)
    levels = np.unique(rows["k"].to_numpy(float)) if "k" in stage.inputs else np.zeros(1)
    places, tries = rows["place"].to_numpy(), _tries(stage, rows, levels)
    left = np.full((peers, len(levels)), np.nan)
    left[places, tries] = _errors(observed - fitted, size)
    return Part(stage, theta, columns, fitted, left, places, tries, levels)


def _errors(residual: np.ndarray, coefficients: int) -> np.ndarray:
    """Residuals, centred and widened by what fitting took from them (Davison and Hinkley 1997, Section 6.3)."""
    spare = max(len(residual) - coefficients, 1)
    return (residual - residual.mean()) * np.sqrt(len(residual) / spare)


def _tries(stage: Stage, table: pd.DataFrame, levels: np.ndarray) -> np.ndarray:
    if "k" not in stage.inputs:
        return np.zeros(len(table), int)
    return pd.Index(levels).get_indexer(pd.Index(table["k"].astype(float)))
