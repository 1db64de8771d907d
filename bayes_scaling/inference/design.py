"""Designs: a model laid over a table of runs, as plain arrays.

Everything that fitting needs from the data is here: the levels of every group, and for every head its
rows, their columns, their observed values and the position of their labels among the levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import PASS_AT_K, check_ranges
from bayes_scaling.errors import DataError
from bayes_scaling.laws.likelihoods import COUNTS, LOSSES, NOMINAL_ITEMS, SCORES
from bayes_scaling.models.discrepancy import COMPUTE, CURVE, shape_weights
from bayes_scaling.models.effects import EVALUATION, NOISE_GROUPS, Effect
from bayes_scaling.models.heads import Head
from bayes_scaling.models.model import Model, varied_over

FEW_LEVELS = 5
CURVE_CENTRING = 0.75

Spans = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class HeadData:
    """Rows of one head.

    Attributes
    ----------
    rows : (row,) int array
        Position of each row in the table of runs.
    columns : dict of (row,) float arrays
    observed : (row,) float array
        In the units of the likelihood's distribution.
    codes : dict of (row,) int arrays
        Position of each row's label among the levels of every group; and weights, see `places`.
    """

    rows: np.ndarray
    columns: dict[str, np.ndarray]
    observed: np.ndarray
    codes: dict[str, np.ndarray]


@dataclass(frozen=True)
class Design:
    """A model, the levels of its groups, the data of its heads, and the range of log10 of what laws are left along."""

    model: Model
    levels: dict[str, tuple[str, ...]]
    heads: tuple[HeadData, ...]
    spans: Spans

    def shape(self, effect: Effect) -> tuple[int, ...]:
        """Number of levels along each column of an effect, and of shapes where it is a curve."""
        return (*(len(self.levels[c]) for c in effect.group), *([effect.shapes] if effect.curve else []))

    def free_size(self, effect: Effect) -> int:
        """Number of free coordinates of an effect: a level less per axis where it sums to zero.

        What the only level of a column adds to the curves of another cannot be told from these: it is nothing.
        """
        shape = self.shape(effect)
        if effect.curve:
            return 0 if len(effect.group) > 1 and 1 in shape[:-1] else int(np.prod(shape))
        return int(np.prod([n - 1 for n in shape] if effect.learned else shape))

    def centring(self, effect: Effect) -> float:
        """How far an effect is parametrised by itself (1) rather than by its standard score (0).

        Between the two, the closer to 1 the more the rows say about every level.  `benchmarks/parametrisation.py`
        compares these numbers with one for all effects; those of curves, losses and pass@k are what let the
        registered models converge on the shipped data.
        """
        if EVALUATION in self.model.groups and not effect.curve:
            return 1.0  # pass@k says much about every level: several k, or hundreds of problems, an evaluation
        if set(effect.group) & set(NOISE_GROUPS):
            return 0.0
        if effect.curve:
            return CURVE_CENTRING
        if any(effect.parameter in head.parameters for head in self.model.heads if head.response == "loss"):
            return 1.0  # a measured loss is all but exact
        if len(effect.group) == 1 and len(self.levels[effect.group[0]]) < FEW_LEVELS:
            return 0.5
        if len(effect.group) > 1 or effect.parameter in self.model.of_noise:
            return 0.5
        return 0.7 if effect.parameter in self.model.of_laws else 0.8


def lay_out(model: Model, runs: pd.DataFrame) -> Design:
    """Lay a model over runs.

    Raises
    ------
    DataError
        The runs lack a column or hold no row that the model needs.
    """
    tables = [_rows_of(head, runs, model) for head in model.heads]
    seen = pd.concat([t[list(varied_over(model, h.parameters))] for h, t in zip(model.heads, tables, strict=True)])
    levels = {g: tuple(sorted(seen[g].dropna().astype(str).unique())) for g in model.groups}
    own, spans = [{g: levels[g] for g in varied_over(model, h.parameters)} for h in model.heads], _spans(model, tables)
    heads = tuple(_head_data(h, t, o, spans, runs.index) for h, t, o in zip(model.heads, tables, own, strict=True))
    return Design(model, levels, heads, spans)


def observe(head: Head, runs: pd.DataFrame, model: Model) -> HeadData:
    """Read what a head observes off runs that no fit was made on; the rows of a design without their places in it.

    Raises
    ------
    DataError
        As for `lay_out`.
    """
    return _head_data(head, _rows_of(head, runs, model), {}, {}, runs.index)


def _spans(model: Model, tables: list[pd.DataFrame]) -> dict[str, tuple[float, float]]:
    """log10 of the least and the most of every column that the model leaves its law along."""
    found = {}
    for column in [COMPUTE, *model.leaves_along] if model.leaves_law else []:
        sizes = pd.concat([t[column] if column in t else pd.Series(np.nan, t.index) for t in tables]).astype(float)
        if not (sizes > 0).all():
            raise DataError(f"model {model.name!r} has a discrepancy: it needs {column!r} in every row")
        found[column] = float(np.log10(sizes.min())), float(np.log10(sizes.max()))
    return found


def places(table: pd.DataFrame, levels: Mapping[str, tuple[str, ...]], spans: Spans) -> dict[str, np.ndarray]:
    """Where each row stands: position of its labels, and weights (row, shape) of the shapes of discrepancies."""
    found = positions(table, levels)
    if COMPUTE in spans:
        found[CURVE] = shape_weights(np.log10(table[COMPUTE].to_numpy(float)), spans[COMPUTE])
    return found


def positions(table: pd.DataFrame, levels: Mapping[str, tuple[str, ...]]) -> dict[str, np.ndarray]:
    """Position of each row's label among the levels of every group; −1 where it is not among them."""
    return {g: pd.Index(known).get_indexer(pd.Index(table[g].astype(str))) for g, known in levels.items()}


def columns_of(head: Head, table: pd.DataFrame, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """Numbers that a head reads from a table, with the nominal n_items, one sample and chance 0 where unknown."""
    fill = {"n_items": NOMINAL_ITEMS, "n_samples": 1.0, "chance": 0.0}
    out = {}
    for name in head.columns if names is None else names:
        column = table[name] if name in table else pd.Series(np.nan, table.index)
        out[name] = column.astype(float).fillna(fill.get(name, np.nan)).to_numpy()
    return out


def with_evaluations(table: pd.DataFrame) -> pd.DataFrame:
    """Name every evaluation, a run on a benchmark, in a column of its own."""
    parts = [table[c].astype(str).to_numpy(object) for c in ("run", "benchmark") if c in table]
    return (
        table.assign(**{EVALUATION: parts[0] + " · " + parts[1] if len(parts) == 2 else parts[0]}) if parts else table
    )


def _observed(head: Head, runs: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Rows that a head observes: scores, losses, pass@k of a benchmark, or right answers per problem."""
    table, rows = runs[runs[head.observed].notna()] if head.observed in runs else runs.iloc[:0], head.likelihood.rows
    if rows == LOSSES:
        return _losses(table, model)
    nowhere = pd.Series(False, table.index)
    tries = table["metric"].eq(PASS_AT_K) if "metric" in table else nowhere
    problems = table["problem"].notna() if "problem" in table else nowhere
    return table[~tries if rows == SCORES else tries & (problems if rows == COUNTS else ~problems)]


def _rows_of(head: Head, runs: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Rows of a head, complete and in range."""
    table, groups = _observed(head, runs, model), varied_over(model, head.parameters)
    if table.empty:
        what = f" of {head.likelihood.rows} (metric {PASS_AT_K!r})" if head.response == "pass_at_k" else ""
        raise DataError(f"model {model.name!r} forecasts {head.response}: the runs hold no {head.observed!r}{what}")
    table = with_evaluations(table) if EVALUATION in groups else table
    if absent := [g for g in groups if g not in table]:
        raise DataError(f"model {model.name!r} needs the columns {absent}; the runs have {list(runs.columns)}")
    if blank := [g for g in groups if table[g].isna().any()]:
        raise DataError(f"model {model.name!r} needs a label in every row of the columns {blank}; some are blank")
    check_ranges(table, (*head.columns, head.observed))
    if "metric" in table and (mixed := table.groupby("benchmark")["metric"].nunique().loc[lambda n: n > 1]).size:
        raise DataError(f"benchmarks {list(mixed.index[:5])} have scores of several metrics; keep one metric of each")
    for name, values in columns_of(head, table).items():
        if (bad := ~np.isfinite(values)).any():
            lines = table.index[bad][:5].tolist()
            raise DataError(
                f"model {model.name!r} needs {name!r} in every row: rows {lines} have none; "
                "fill it in, drop the rows, or choose a model that does not read it"
            )
    return table


def _losses(table: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Each loss of a run once: those beside scores where the model forecasts both, and of one validation set."""
    several = "val_set" in model.groups
    if len(model.heads) > 1 and not several and "score" in table and table["score"].notna().any():
        table = table[table["score"].notna()]
    table = table.drop_duplicates([c for c in ("run", "step", "val_set") if c in table])
    sets = list(table["val_set"].unique()) if "val_set" in table else []
    if len(sets) > 1 and not several:
        raise DataError(
            f"model {model.name!r} forecasts one loss: the runs hold those of the validation sets {sets}; "
            f"keep one, as in runs[runs['val_set'] == {sets[0]!r}]"
        )
    return table


def _head_data(
    head: Head, table: pd.DataFrame, levels: Mapping[str, tuple[str, ...]], spans: Spans, index: pd.Index
) -> HeadData:
    score = table[head.observed].to_numpy(float)
    n_items = columns_of(head, table, ["n_items"])["n_items"]
    return HeadData(
        rows=index.get_indexer(table.index),
        columns=columns_of(head, table),
        observed=np.asarray(head.likelihood.observe(score, n_items)),
        codes=places(table, levels, spans),
    )


def distinct(data: HeadData, weight: str) -> HeadData:
    """Rows that cannot be told apart, each once, with their number as a column of its own."""
    codes = [part for code in data.codes.values() for part in np.atleast_2d(code.T)]
    table = pd.DataFrame(dict(enumerate([*data.columns.values(), data.observed, *codes])))
    number = table.groupby(list(table), sort=False, dropna=False).ngroup().to_numpy()
    _, first, count = np.unique(number, return_index=True, return_counts=True)
    return HeadData(
        rows=data.rows[first],
        columns={name: column[first] for name, column in data.columns.items()} | {weight: count.astype(float)},
        observed=data.observed[first],
        codes={name: code[first] for name, code in data.codes.items()},
    )
