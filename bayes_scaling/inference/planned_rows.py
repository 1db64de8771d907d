"""A plan laid out once, as runs are: what every law and response reads of it, as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_scaling.inference.design import Design, Levels, columns_of, places
from bayes_scaling.models.discrepancy import beyond
from bayes_scaling.models.effects import NOISE_GROUPS
from bayes_scaling.models.model import Model, varied_over
from bayes_scaling.models.response_models import ResponseModel


@dataclass(frozen=True)
class PlannedRows:
    """The rows of a plan under a design.

    Attributes
    ----------
    table : DataFrame
        The plan, completed.
    labels : mapping
        Group -> its labels: those of the design first, then those that only the plan has.
    codes : dict of arrays
        Position of each row's label among these, and weights of the shapes; see `design.places`.
    columns : tuple of dict of (row,) float arrays
        What each response of the model reads.
    n_items : (row,) float array
    same : tuple of (row,) int arrays
        For each response, the number of the run and expectation of each row.
    beyond : tuple of (row,) float arrays
        How far rows lie beyond the fitted runs along each column that laws are left along, in decades of compute.
    """

    table: pd.DataFrame
    labels: Levels
    codes: dict[str, np.ndarray]
    columns: tuple[dict[str, np.ndarray], ...]
    n_items: np.ndarray
    same: tuple[np.ndarray, ...]
    beyond: tuple[np.ndarray, ...]

    @property
    def lasting(self) -> dict[str, np.ndarray]:
        """Codes without those of differences between runs, which expectations leave out."""
        return {group: code for group, code in self.codes.items() if group not in NOISE_GROUPS}

    def numbered(self, group: Sequence[str]) -> np.ndarray:
        """Number the combinations of labels of some columns, shape (row,)."""
        shape = [len(self.labels[c]) for c in group]
        return np.ravel_multi_index([self.codes[c] for c in group], shape) if group else np.zeros(len(self.table), int)


def lay_out_plan(design: Design, table: pd.DataFrame) -> PlannedRows:
    """Lay planned rows, or rows that no fit saw, over a design.

    Parameters
    ----------
    design : Design
        Of the fit.
    table : DataFrame
        With every column that the model reads; see `data.plans.complete`.
    """
    model = design.model
    labels = {group: _labels(group, known, table) for group, known in design.levels.items()}
    return PlannedRows(
        table=table,
        labels=labels,
        codes=places(table, labels, design.spans),
        columns=tuple(columns_of(part.planned_columns, table) for part in model.responses),
        n_items=columns_of(["n_items"], table)["n_items"],
        same=tuple(_same(model, part, table) for part in model.responses),
        beyond=tuple(beyond(c, table[c].to_numpy(float), design.spans[c]) for c in model.leaves_along),
    )


def _labels(group: str, known: tuple[str, ...], table: pd.DataFrame) -> tuple[str, ...]:
    """Known labels first, then those that only the plan has; planned runs are always new ones."""
    planned = tuple(dict.fromkeys(table[group].astype(str)))
    return planned if group in NOISE_GROUPS else (*known, *(label for label in planned if label not in known))


def _same(model: Model, part: ResponseModel, table: pd.DataFrame) -> np.ndarray:
    """Number of the run and expectation of each row."""
    apart = dict.fromkeys(("run", *part.columns, *varied_over(model, part.parameters)))
    return table.groupby([c for c in apart if c in table], sort=False, dropna=False).ngroup().to_numpy()
