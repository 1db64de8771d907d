"""Tables, codes and data of a design in one buffer of 8-byte words: what a compiled density reads (see `kernel`)."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from bayes_scaling.inference.compiled import kernel
from bayes_scaling.inference.compiled import row_code as rows
from bayes_scaling.inference.design import Design, HeadData, distinct
from bayes_scaling.inference.layout import NOWHERE, slots
from bayes_scaling.models.discrepancy import CURVE, TAILS
from bayes_scaling.models.effects import SPREAD_SCALE, Effect

HEADER = 9
SUPPORTS = {"real": kernel.REAL, "positive": kernel.POSITIVE, "unit": kernel.UNIT}


def pack(design: Design, module: ModuleType) -> np.ndarray:
    """Write tables, codes and data of a design into one buffer of 8-byte words."""
    where, n_dim = slots(design)
    names = list(design.model.parameters)
    effects = [e for name in names for e in design.model.effects(name)]
    buffer = _Buffer()
    populations = buffer.add([_population_row(design, n, where[n].at) for n in names])
    out, effect_rows = 0, []
    for effect in effects:
        effect_rows.append(_effect_row(design, effect, names.index(effect.parameter), where[effect.name], out))
        out += int(np.prod(design.shape(effect)))
    effect_table = buffer.add(effect_rows)
    heads = [_add_head(buffer, design, module, number, names, effects) for number in range(len(design.heads))]
    head_table = buffer.add(heads)
    return buffer.words([n_dim, len(names), len(effects), len(heads), populations, effect_table, head_table])


def _add_head(
    buffer: _Buffer, design: Design, module: ModuleType, number: int, names: list[str], effects: list[Effect]
) -> list[int]:
    """Write data, cells and links of a head; return its row of the head table."""
    head, data = design.model.heads[number], design.heads[number]
    data = distinct(data, rows.WEIGHT) if head.exchangeable else data
    derived = _derive(module, number, {**data.columns, "observed": data.observed})
    data_at, table, n_cells = buffer.add(derived), [], 0
    for name in head.parameters:
        found = [(k, *link) for k, e in enumerate(effects) if e.parameter == name for link in _links(design, e, data)]
        kinds = np.array([x for _, *link in found for x in link] or np.zeros((1, len(data.rows))))
        _, first, of_row = np.unique(kinds, axis=1, return_index=True, return_inverse=True)
        written = [[k, *_add_link(buffer, levels[first], weights[first])] for k, levels, weights in found]
        support = SUPPORTS[design.model.parameters[name].support.name]
        row_cells = buffer.add([of_row.ravel()])
        table.append([names.index(name), support, len(first), n_cells, row_cells, len(found), buffer.add(written)])
        n_cells += len(first)
    return [len(data.rows), len(table), len(derived), buffer.add(table), data_at, n_cells]


def _links(design: Design, effect: Effect, data: HeadData) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Which offset of an effect adds to each row, and with what weight: one for each shape of a curve."""
    shape = design.shape(effect)
    levels = [data.codes[c] for c in effect.group]
    for number in range(max(effect.shapes, 1)):
        which = [np.full(len(data.rows), number)] if effect.curve else []
        weights = data.codes[CURVE][:, number] if effect.curve else np.ones(len(data.rows))
        yield np.ravel_multi_index([*levels, *which], shape), weights


def _add_link(buffer: _Buffer, levels: np.ndarray, weights: np.ndarray) -> tuple[int, int]:
    """Write levels and weights of every cell; weights that are all 1 need no place."""
    return buffer.add([levels]), buffer.add([weights]) if np.any(weights != 1) else 0


class _Buffer:
    """Collects tables of integers and floats, and remembers where each starts."""

    def __init__(self) -> None:
        self.parts: list[np.ndarray] = []
        self.size = HEADER

    def add(self, table: Any) -> int:
        start = self.size
        for row in table:
            for value in [row] if isinstance(row, np.ndarray) else row:
                array = np.atleast_1d(np.asarray(value))
                array = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
                self.parts.append(np.ascontiguousarray(array).view(np.int64))
                self.size += array.size
        return start

    def words(self, header: list[int]) -> np.ndarray:
        words = np.concatenate([np.array([*header, self.size, 0], np.int64), *self.parts])
        words.flags.writeable = False
        return words


def _population_row(design: Design, name: str, at: int) -> list[Any]:
    parameter, fixed = design.model.parameters[name], design.model.fixed
    location = parameter.support.free(fixed[name]) if name in fixed else parameter.location
    return [at, float(location), float(parameter.scale)]


def _effect_row(design: Design, effect: Any, parameter: int, slot: Any, out: int) -> list[Any]:
    shape = design.shape(effect)
    cols = shape[-1] if effect.curve or len(shape) == 2 else 1
    rows_ = int(np.prod(shape)) // cols
    sum_axes = 0 if effect.curve or not effect.learned else len(shape)
    if design.free_size(effect) == 0:
        rows_, cols, sum_axes = 1, rows_ * cols, 1
    return [
        parameter, rows_, cols, sum_axes, slot.at if effect.learned else NOWHERE, float(effect.spread),
        SPREAD_SCALE, float(design.centring(effect)), slot.start, out, TAILS,
    ]  # fmt: skip


def _derive(module: ModuleType, number: int, columns: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Numbers per row that the loop of a head reads, each a (row,) array."""
    function, names = getattr(module, f"derive_{number}"), getattr(module, f"COLUMNS_{number}")
    per_row = [function(*row) for row in zip(*(columns[n].tolist() for n in names), strict=True)]
    return [np.array(c, dtype=float) for c in zip(*per_row, strict=True)]
