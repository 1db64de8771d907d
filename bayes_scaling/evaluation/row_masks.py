"""A split: masks over the rows of runs, of those that are fitted and those that are forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_scaling.errors import DataError


@dataclass(frozen=True, eq=False)
class Split:
    """Rows to fit and rows to forecast.

    Attributes
    ----------
    name : str
    fitted, held_out : (row,) bool array
        Masks over the rows of the runs; a row may be in neither.

    Raises
    ------
    DataError
        A mask is not of True and False, or one is longer than the other.
    """

    name: str
    fitted: np.ndarray
    held_out: np.ndarray

    def __post_init__(self) -> None:
        for name in ("fitted", "held_out"):
            mask = np.asarray(getattr(self, name))
            if mask.dtype != bool or mask.ndim != 1:
                raise DataError(f"{name} of split {self.name!r} must be a mask, True or False for each row of the runs")
            object.__setattr__(self, name, mask)
        if len(self.fitted) != len(self.held_out):
            raise DataError(
                f"the masks of split {self.name!r} are over {len(self.fitted)} and {len(self.held_out)} rows"
            )

    def __repr__(self) -> str:
        return f"<Split {self.name!r}: {self.fitted.sum()} rows fitted, {self.held_out.sum()} held out>"


def check_splits(splits: Sequence[Split], runs: pd.DataFrame) -> None:
    """Refuse splits of another table, with equal names, or that forecast what they fit.

    Raises
    ------
    DataError
    """
    names = [split.name for split in splits]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise DataError(f"splits need names of their own; {twice} come more than once")
    for split in splits:
        if len(split.fitted) != len(runs):
            raise DataError(f"split {split.name!r} has masks over {len(split.fitted)} rows; the runs have {len(runs)}")
        if (split.fitted & split.held_out).any():
            raise DataError(f"split {split.name!r} fits rows that it should forecast")
        if not (split.fitted.any() and split.held_out.any()):
            raise DataError(f"split {split.name!r} leaves nothing to fit or nothing to forecast")
