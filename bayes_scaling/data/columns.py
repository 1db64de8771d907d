"""The columns of a table of runs: the one place that defines name, unit, type, range and meaning.

A table of runs has one row per score of a run, or per loss of a run, or both. ``COLUMNS`` lists what
a checked table holds, in this order; the user's own columns follow after them. Text is ``str``,
every number is ``float64`` (counts hold whole numbers), and what is missing is NaN.

Types and ranges are checked by pydantic, a column at a time. pandera, which knows data frames, takes
0.5 s to import on top of pandas; pydantic takes 0.1 s, and ``bayes-scaling check`` has one second in all.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from bayes_scaling.data.sizes import parse_number, parse_size
from bayes_scaling.errors import DataError

UNSPECIFIED = "unspecified"
CHOICE_METRICS = ("accuracy", "accuracy_norm", "macro_accuracy")
OPEN_METRICS = ("exact_match", "f1", "pass@k")
METRICS = CHOICE_METRICS + OPEN_METRICS
OTHER_NAMES = {"acc": "accuracy", "acc_norm": "accuracy_norm", "em": "exact_match"}
LARGEST_COUNT = 2**53
PASS_AT_K = "pass@k"

# What part a column plays: it names a run, labels it, says how large it is or which rerun it is; names a benchmark, or
# says something that holds for all its runs; or holds what came out.
NAME, LABEL, SIZE, RERUN = "name", "label", "size", "rerun"
BENCHMARK, BENCHMARK_FACT, OUTCOME = "benchmark", "benchmark fact", "outcome"


def _text(value: object) -> str:
    if isinstance(value, str):
        value.encode()
        return value.strip()
    number = parse_number(value)
    return str(int(number)) if number.is_integer() else str(number)


def _metric(value: object) -> str:
    name = _text(value).lower()
    if OTHER_NAMES.get(name, name) not in METRICS:
        raise DataError(f"{name!r} is not one of {METRICS}")
    return OTHER_NAMES.get(name, name)


def _whole(value: float) -> float:
    if not value.is_integer():
        raise DataError(f"{value!r} is not a whole number")
    return value


def _number(read: Callable[[object], float] = parse_number, **bounds: Any) -> Any:
    return Annotated[float, BeforeValidator(read), Field(allow_inf_nan=False, **bounds)]


def _count(least: int) -> Any:
    return Annotated[_number(ge=least, le=LARGEST_COUNT), AfterValidator(_whole)]


TEXT = Annotated[str, BeforeValidator(_text), Field(min_length=1)]
CHANCE = _number(ge=0, lt=1)
METRIC = Annotated[str, BeforeValidator(_metric)]
A_SIZE = "must be a positive, finite number, such as 7e9 or '7B'"
A_COUNT = "must be a whole number"
A_TEXT = "must be text"
A_METRIC = f"must be one of {', '.join(METRICS)}"
A_SCORE = "must be a proportion between 0 and 1"
A_CHANCE = "must be a proportion, at least 0 and below 1"
A_LOSS = "must be a positive, finite number"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table of runs: what part it plays, what it holds and what is allowed in it."""

    role: str
    meaning: str
    unit: str
    rule: str
    missing: str
    kind: Any

    @property
    def dtype(self) -> Literal["str", "float64"]:
        """The pandas type that a checked table has in this column."""
        return "str" if self.kind in (TEXT, METRIC) else "float64"


_NAMED = f"{UNSPECIFIED!r} if the column is absent"
_SIZE = _number(parse_size, gt=0)
_PROPORTION = _number(ge=0, le=1)

COLUMNS: dict[str, Column] = {
    "run": Column(NAME, "one trained model at one checkpoint", "", A_TEXT, "made from the sizes if absent", TEXT),
    "family": Column(LABEL, "models that share architecture and recipe", "", A_TEXT, _NAMED, TEXT),
    "mixture": Column(LABEL, "training data", "", A_TEXT, _NAMED, TEXT),
    "params": Column(SIZE, "N, size of the model", "parameters", A_SIZE, "allowed where flops is given", _SIZE),
    "tokens": Column(SIZE, "D, length of the training", "tokens", A_SIZE, "allowed where flops is given", _SIZE),
    "flops": Column(SIZE, "C, compute of the training", "FLOPs", A_SIZE, "6 N D if absent", _SIZE),
    "benchmark": Column(BENCHMARK, "test that gave the score", "", A_TEXT, "in rows with a loss alone", TEXT),
    "metric": Column(BENCHMARK_FACT, "kind of score", "", A_METRIC, "'accuracy' if the column is absent", METRIC),
    "score": Column(
        OUTCOME, "what the run reached", "proportion", A_SCORE, "n_correct / n_items if absent", _PROPORTION
    ),
    "n_correct": Column(
        OUTCOME,
        "items answered right; with a problem, right answers to it",
        "items or samples",
        f"{A_COUNT}, 0 or more",
        "allowed",
        _count(0),
    ),
    "n_items": Column(BENCHMARK_FACT, "items of the benchmark", "items", f"{A_COUNT}, 1 or more", "allowed", _count(1)),
    "n_samples": Column(OUTCOME, "answers drawn per item", "samples", f"{A_COUNT}, 1 or more", "allowed", _count(1)),
    "k": Column(
        BENCHMARK_FACT, "answers per try in pass@k", "samples", f"{A_COUNT}, 1 or more", "except in pass@k", _count(1)
    ),
    "problem": Column(OUTCOME, "one item, in rows of right answers per problem", "", A_TEXT, "in all other rows", TEXT),
    "chance": Column(
        BENCHMARK_FACT, "score of guessing", "proportion", A_CHANCE, "0 if absent, open answers only", CHANCE
    ),
    "loss": Column(OUTCOME, "validation loss", "nats per token", A_LOSS, "allowed", _number(gt=0)),
    "val_set": Column(OUTCOME, "text the loss was measured on", "", A_TEXT, _NAMED, TEXT),
    "seed": Column(RERUN, "tells reruns apart", "", A_TEXT, "allowed", TEXT),
    "step": Column(RERUN, "training step of a checkpoint", "steps", f"{A_COUNT}, 0 or more", "allowed", _count(0)),
}


def with_role(*roles: str) -> tuple[str, ...]:
    """Names of the columns that play one of these parts, in the order of ``COLUMNS``."""
    return tuple(name for name, column in COLUMNS.items() if column.role in roles)


@cache
def _adapter(name: str) -> TypeAdapter[list[Any]]:
    kind: Any = list.__class_getitem__(COLUMNS[name].kind)
    return TypeAdapter(kind)


def _read(name: str, cells: list[object]) -> tuple[list[Any], set[int]]:
    """Read cells into the type of a column, and number those that break its rule."""
    wrong = _mixed(cells) if COLUMNS[name].kind is TEXT else set()
    try:
        return _adapter(name).validate_python(cells), wrong
    except ValidationError as error:
        wrong |= {int(detail["loc"][0]) for detail in error.errors(include_url=False, include_context=False)}
    good = [cell for position, cell in enumerate(cells) if position not in wrong]
    clean = iter(_adapter(name).validate_python(good))
    return [np.nan if position in wrong else next(clean) for position in range(len(cells))], wrong


def typed(name: str, values: Iterable[object] | pd.Series) -> tuple[pd.Series, pd.Series]:
    """Give one column its type, setting aside the cells that break its rule.

    Parameters
    ----------
    name
        A name in ``COLUMNS``.
    values
        The cells as they came.

    Returns
    -------
    column : Series
        The cells in the column's type; missing and refused ones are NaN.
    refused : Series of object
        The refused cells as they came, under their index.
    """
    raw = values if isinstance(values, pd.Series) else pd.Series(values, dtype=object)
    there = raw[raw.notna()]
    codes, cells = _distinct(there)
    clean, wrong = _read(name, cells)
    refused = np.isin(codes, sorted(wrong))
    good = pd.Series(np.array(clean, dtype=object)[codes][~refused], there.index[~refused])
    return good.astype(COLUMNS[name].dtype).reindex(raw.index), there[refused].astype(object)


def _distinct(column: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """Take each value once, as tables repeat them; loose objects stay as they are, 1 and True being equal."""
    if column.dtype == object:
        return np.arange(len(column)), column.tolist()
    codes, values = pd.factorize(column)
    return codes, values.tolist()


def _mixed(cells: list[object]) -> set[int]:
    """Find the cells that are not text in a column that also holds text: 1 and "1" would become one run."""
    other = {position for position, cell in enumerate(cells) if not isinstance(cell, str)}
    return other if len(other) < len(cells) else set()


def check_ranges(table: pd.DataFrame, names: Iterable[str]) -> None:
    """Refuse numbers that their column cannot hold, before anything is computed from them.

    Raises
    ------
    DataError
        Names the column, its rule, the rows and their values.
    """
    for name in names:
        if name in COLUMNS and name in table and len(refused := typed(name, table[name])[1]):
            rows, values = refused.index[:5].tolist(), refused.tolist()[:5]
            raise DataError(f"column {name!r} {COLUMNS[name].rule}; rows {rows} hold {values}")
