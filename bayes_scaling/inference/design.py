"""Designs: a model laid over a table of runs, as plain arrays.

Everything that fitting needs from the data is here: the levels of every group; for every response its rows, their
columns, their observed values and the position of their labels among the levels; and for every parameter and effect
its shape and its place in the flat point that the sampler moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import COLUMNS, check_ranges
from bayes_scaling.errors import DataError
from bayes_scaling.inference.centring import centring
from bayes_scaling.inference.solved import raised_ceiling
from bayes_scaling.laws.likelihoods import NOMINAL_ITEMS
from bayes_scaling.messages import listed
from bayes_scaling.models.discrepancy import COMPUTE, CURVE, TOGETHER, shape_weights
from bayes_scaling.models.effects import EVALUATION, Effect
from bayes_scaling.models.model import Model, varied_over
from bayes_scaling.models.response_models import ResponseModel
from bayes_scaling.models.responses.response import Question

NOWHERE = -1  # position of a quantity that is not learned
UNKNOWN = {"n_items": NOMINAL_ITEMS, "n_samples": 1.0, "chance": 0.0}  # what stands in for a blank

Levels = Mapping[str, tuple[str, ...]]
Spans = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class ResponseData:
    """Rows of one response.

    Attributes
    ----------
    rows : (row,) int array
        Position of each row in the table of runs.
    columns : dict of (row,) float arrays
    observed : (row,) float array
        In the units of the likelihood's distribution.
    codes : dict of (row,) int arrays
        Position of each row's label among the levels of every group; and weights, see `places`.
    n_items : (row,) float array
    """

    rows: np.ndarray
    columns: dict[str, np.ndarray]
    observed: np.ndarray
    codes: dict[str, np.ndarray]
    n_items: np.ndarray


@dataclass(frozen=True)
class EffectLayout:
    """One effect over the levels of a design: its shape, its parametrisation, and its place in the flat point.

    Attributes
    ----------
    effect : Effect
    shape : tuple of int
        Number of levels along each column of the effect, and of shapes where it is a curve.
    size : int
        Number of free coordinates: a level less per axis where the effect sums to zero.
    centring : float
        See `centring.centring`.
    spread_at : int
        Position of the standard score of its standard deviation, or `NOWHERE`.
    start : int
        Position of its first free coordinate.
    """

    effect: Effect
    shape: tuple[int, ...]
    size: int
    centring: float
    spread_at: int
    start: int

    @property
    def stop(self) -> int:
        """Position after its last free coordinate."""
        return self.start + self.size


@dataclass(frozen=True)
class Design:
    """A model laid over runs.

    Attributes
    ----------
    model : Model
    levels : mapping
        Column -> labels of the fitted rows, in order.
    responses : tuple of ResponseData
        In the order of the responses of the model.
    spans : mapping
        Column that laws are left along -> the least and the most of its log10 among the fitted rows.
    populations : mapping
        Parameter -> position of the standard score of its population value, or `NOWHERE`.
    effects : mapping
        Name of the effect -> its layout.
    n_dim : int
        Number of coordinates of the flat point.
    """

    model: Model
    levels: dict[str, tuple[str, ...]]
    responses: tuple[ResponseData, ...]
    spans: Spans
    populations: dict[str, int]
    effects: dict[str, EffectLayout]
    n_dim: int

    def effects_of(self, parameter: str) -> tuple[EffectLayout, ...]:
        """Layouts of the effects of one parameter."""
        return tuple(self.effects[effect.name] for effect in self.model.effects(parameter))

    def together(self, effect: Effect) -> float:
        """Correlation between benchmarks of what curves do beyond the runs; what they share may be a curve itself."""
        shared = tuple(column for column in effect.group if column != "benchmark")
        own = any(other.curve and other.group == shared for other in self.model.effects(effect.parameter))
        return 0.0 if own else TOGETHER


def lay_out(model: Model, runs: pd.DataFrame) -> Design:
    """Lay a model over runs; a ceiling that it fixes gives way to better scores (see `raised_ceiling`).

    Raises
    ------
    DataError
        The runs lack a column or hold no row that the model needs.
    """
    model = raised_ceiling(model, runs)
    tables = [_rows_of(part, runs, model) for part in model.responses]
    groups = [varied_over(model, part.parameters) for part in model.responses]
    seen = pd.concat([table[list(columns)] for columns, table in zip(groups, tables, strict=True)])
    levels = {g: tuple(sorted(seen[g].dropna().astype(str).unique())) for g in model.groups}
    spans = _spans(model, tables)
    responses = tuple(
        _response_data(part, table, {g: levels[g] for g in columns}, spans, runs.index)
        for part, table, columns in zip(model.responses, tables, groups, strict=True)
    )
    return Design(model, levels, responses, spans, *_coordinates(model, levels))


def _coordinates(model: Model, levels: Levels) -> tuple[dict[str, int], dict[str, EffectLayout], int]:
    """Give every population and every effect its place in the flat point; also the number of coordinates."""
    populations, effects, at = {}, {}, 0
    for name in model.parameters:
        learned = model.has_population(name)
        populations[name] = at if learned else NOWHERE
        at += learned
        for effect in model.effects(name):
            shape = (*(len(levels[c]) for c in effect.group), *([effect.shapes] if effect.curve else []))
            size, start = _free_size(effect, shape, model), at + effect.learned
            spread_at = at if effect.learned else NOWHERE
            own = EffectLayout(effect, shape, size, centring(effect, model, levels), spread_at, start)
            effects[effect.name] = own
            at = own.stop
    return populations, effects, at


def _free_size(effect: Effect, shape: tuple[int, ...], model: Model) -> int:
    """Number of free coordinates of an effect: a level less per axis where it sums to zero.

    What the only level of a column adds to the curves of another, or to one that all runs share, cannot be told from
    these: it is nothing.
    """
    if effect.curve:
        nested = len(effect.group) > 1 or any(e.curve and not e.group for e in model.effects(effect.parameter))
        return 0 if nested and 1 in shape[:-1] else int(np.prod(shape))
    return int(np.prod([n - 1 for n in shape] if effect.learned and not effect.heavy_tailed else shape))


def observe(part: ResponseModel, runs: pd.DataFrame, model: Model) -> ResponseData:
    """Read what a response shows in runs that no fit was made on; the rows of a design without their places in it.

    Raises
    ------
    DataError
        As for `lay_out`.
    """
    return _response_data(part, _rows_of(part, runs, model), {}, {}, runs.index)


def _spans(model: Model, tables: list[pd.DataFrame]) -> dict[str, tuple[float, float]]:
    """log10 of the least and the most of every column that the model leaves its law along."""
    spans = {}
    for column in [COMPUTE, *model.leaves_along] if model.leaves_law else []:
        sizes = pd.concat([t[column] if column in t else pd.Series(np.nan, t.index) for t in tables]).astype(float)
        if not (sizes > 0).all():
            raise DataError(f"model {model.name!r} has a discrepancy: it needs {column!r} in every row")
        spans[column] = float(np.log10(sizes.min())), float(np.log10(sizes.max()))
    return spans


def places(table: pd.DataFrame, levels: Levels, spans: Spans) -> dict[str, np.ndarray]:
    """Where each row stands: position of its labels (−1 for unknown ones), and weights (row, shape) of the shapes."""
    codes = {g: pd.Index(known).get_indexer(pd.Index(table[g].astype(str))) for g, known in levels.items()}
    if COMPUTE in spans:
        codes[CURVE] = shape_weights(np.log10(table[COMPUTE].to_numpy(float)), spans[COMPUTE])
    return codes


def columns_of(names: Iterable[str], table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Numbers in columns of a table, with the nominal n_items, one sample and chance 0 where unknown."""
    blank = pd.Series(np.nan, table.index)
    return {name: table.get(name, blank).astype(float).fillna(UNKNOWN.get(name, np.nan)).to_numpy() for name in names}


def with_evaluations(table: pd.DataFrame) -> pd.DataFrame:
    """Name every evaluation, a run on a benchmark, in a column of its own."""
    parts = [table[c].astype(str).to_numpy(object) for c in ("run", "benchmark") if c in table]
    if not parts:
        return table
    return table.assign(**{EVALUATION: parts[0] + " · " + parts[1] if len(parts) == 2 else parts[0]})


def _rows_of(part: ResponseModel, runs: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Rows of a response, complete and in range."""
    groups, column = varied_over(model, part.parameters), part.source.column
    question = Question(model.name, model.groups, joint=len(model.responses) > 1)
    table = part.source.rows(runs[runs[column].notna()], question) if column in runs else runs.iloc[:0]
    if table.empty:
        what = " ".join(filter(None, (repr(column), "of", part.source.name, part.source.hint)))
        raise DataError(f"model {model.name!r} forecasts {part.name}: the runs hold no {what}")
    table = with_evaluations(table) if EVALUATION in groups else table
    if absent := [g for g in groups if g not in table]:
        raise DataError(f"model {model.name!r} needs the columns {absent}; the runs have {list(runs.columns)}")
    if blank := [g for g in groups if table[g].isna().any()]:
        raise DataError(f"model {model.name!r} needs a label in every row of the columns {blank}; some are blank")
    check_ranges(table, (*part.columns, column))
    _check_values(part, table, column)
    if "metric" in table and (mixed := table.groupby("benchmark")["metric"].nunique().loc[lambda n: n > 1]).size:
        raise DataError(f"benchmarks {list(mixed.index[:5])} have scores of several metrics; keep one metric of each")
    for name, values in columns_of(part.columns, table).items():
        if (bad := ~np.isfinite(values)).any():
            raise DataError(
                f"model {model.name!r} needs {name!r} in every row: rows {table.index[bad][:5].tolist()} have none; "
                "fill it in, drop the rows, or choose a model that does not read it"
            )
    return table


def _check_values(part: ResponseModel, table: pd.DataFrame, column: str) -> None:
    """Refuse values of a response in a column of the user's own that are no numbers in its range."""
    if column in COLUMNS:
        return  # its rule was checked already
    values = pd.to_numeric(table[column], errors="coerce")
    if (bad := ~part.response.holds(values.to_numpy(float))).any():
        refused = listed(table.loc[bad, column].tolist())
        raise DataError(
            f"column {column!r} holds {part.name}, which must lie between {part.response.low:g} and "
            f"{part.response.high:g}; rows {table.index[bad][:5].tolist()} hold {refused}"
        )


def _response_data(
    part: ResponseModel, table: pd.DataFrame, levels: Levels, spans: Spans, index: pd.Index
) -> ResponseData:
    n_items = columns_of(["n_items"], table)["n_items"]
    return ResponseData(
        rows=index.get_indexer(table.index),
        columns=columns_of(part.columns, table),
        observed=np.asarray(part.likelihood.observe(table[part.source.column].to_numpy(float), n_items)),
        codes=places(table, levels, spans),
        n_items=n_items,
    )


def distinct(data: ResponseData, weight: str) -> ResponseData:
    """Rows that cannot be told apart, each once, with their number as a column of its own."""
    codes = [axis for code in data.codes.values() for axis in np.atleast_2d(code.T)]
    table = pd.DataFrame(dict(enumerate([*data.columns.values(), data.observed, *codes])))
    number = table.groupby(list(table), sort=False, dropna=False).ngroup().to_numpy()
    _, first, count = np.unique(number, return_index=True, return_counts=True)
    return ResponseData(
        rows=data.rows[first],
        columns={name: column[first] for name, column in data.columns.items()} | {weight: count.astype(float)},
        observed=data.observed[first],
        codes={name: code[first] for name, code in data.codes.items()},
        n_items=data.n_items[first],
    )
