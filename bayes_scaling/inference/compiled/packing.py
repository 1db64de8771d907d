"""Tables, codes and data of a design in one buffer of 8-byte words: what a compiled density reads (see `kernel`)."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from bayes_scaling.inference.compiled import kernel
from bayes_scaling.inference.compiled.row_code import WEIGHT
from bayes_scaling.inference.compiled.words import HEADER
from bayes_scaling.inference.design import Design, EffectLayout, ResponseData, distinct
from bayes_scaling.models.discrepancy import CURVE, TAILS
from bayes_scaling.models.model import held_at

SUPPORTS = {"real": kernel.REAL, "positive": kernel.POSITIVE, "unit": kernel.UNIT}


def pack(design: Design, module: ModuleType) -> np.ndarray:
    """Write tables, codes and data of a design into one buffer of 8-byte words."""
    buffer, names, effects = _Buffer(), list(design.model.parameters), list(design.effects.values())
    parameter_table = buffer.add([_parameter_row(design, name) for name in names])
    out = np.cumsum([0, *(int(np.prod(layout.shape)) for layout in effects)])
    rows = [_effect_row(e, names.index(e.effect.parameter), int(at)) for e, at in zip(effects, out, strict=False)]
    effect_table = buffer.add(rows)
    responses = [_add_response(buffer, design, module, number) for number in range(len(design.responses))]
    response_table = buffer.add(responses)
    return buffer.words(
        [design.n_dim, len(names), len(effects), len(responses), parameter_table, effect_table, response_table]
    )


def _add_response(buffer: _Buffer, design: Design, module: ModuleType, number: int) -> list[int]:
    """Write data, cells and links of a response; return its row of the response table."""
    part, data, names = design.model.responses[number], design.responses[number], list(design.model.parameters)
    data = distinct(data, WEIGHT) if part.source.exchangeable else data
    derived = _derive(module, number, {**data.columns, "observed": data.observed})
    data_at, table, n_cells = buffer.add(derived), [], 0
    for name in part.parameters:
        of_name = [(k, e) for k, e in enumerate(design.effects.values()) if e.effect.parameter == name]
        links = [(k, *link) for k, layout in of_name for link in _links(layout, data)]
        kinds = np.array([x for _, *link in links for x in link] or np.zeros((1, len(data.rows))))
        _, first, of_row = np.unique(kinds, axis=1, return_index=True, return_inverse=True)
        written = [[k, *_add_link(buffer, levels[first], weights[first])] for k, levels, weights in links]
        support = SUPPORTS[design.model.parameters[name].support.name]
        row_cells = buffer.add([of_row.ravel()])
        table.append([names.index(name), support, len(first), n_cells, row_cells, len(links), buffer.add(written)])
        n_cells += len(first)
    return [len(data.rows), len(table), len(derived), buffer.add(table), data_at, n_cells]


def _links(layout: EffectLayout, data: ResponseData) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Which offset of an effect adds to each row, and with what weight: one for each shape of a curve."""
    effect = layout.effect
    levels = [data.codes[c] for c in effect.group]
    for number in range(max(effect.shapes, 1)):
        which = [np.full(len(data.rows), number)] if effect.curve else []
        weights = data.codes[CURVE][:, number] if effect.curve else np.ones(len(data.rows))
        yield np.ravel_multi_index([*levels, *which], layout.shape), weights


def _add_link(buffer: _Buffer, levels: np.ndarray, weights: np.ndarray) -> tuple[int, int]:
    """Write levels and weights of every cell; weights that are all 1 need no place."""
    return buffer.add([levels]), buffer.add([weights]) if np.any(weights != 1) else 0


def _parameter_row(design: Design, name: str) -> list[Any]:
    parameter, model = design.model.parameters[name], design.model
    location = parameter.location if model.has_population(name) else held_at(model, name)
    return [design.populations[name], float(location), float(parameter.scale)]


def _effect_row(layout: EffectLayout, parameter: int, out: int) -> list[Any]:
    effect, shape = layout.effect, layout.shape
    columns = shape[-1] if effect.curve or len(shape) == 2 else 1
    rows = int(np.prod(shape)) // columns
    sum_axes = 0 if effect.curve or effect.heavy_tailed or not effect.learned else len(shape)
    if layout.size == 0:
        rows, columns, sum_axes = 1, rows * columns, 1
    return [
        parameter, rows, columns, sum_axes, layout.spread_at, float(effect.spread),
        effect.spread_scale, float(layout.centring), layout.start, out, TAILS,
    ]  # fmt: skip


def _derive(module: ModuleType, number: int, columns: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Numbers per row that the loop of a response reads, each a (row,) array."""
    function, names = getattr(module, f"derive_{number}"), getattr(module, f"COLUMNS_{number}")
    per_row = [function(*row) for row in zip(*(columns[n].tolist() for n in names), strict=True)]
    return [np.array(c, dtype=float) for c in zip(*per_row, strict=True)]


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
