"""Where to cut runs by size, and what is known well enough below a cut."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import BENCHMARK, LABEL, with_role

SIZES = 4  # different sizes that a benchmark or mixture needs below a cut: fewer do not show a law


HELD_OUT = (0.5, 0.25)  # shares of the range that are held out where no cut is given, from the top


GROUPS = with_role(LABEL, BENCHMARK)  # labels that must be known from enough sizes to be forecast from scale


def default_cuts(values: np.ndarray, dated: bool = False) -> list[float]:
    """Values up to which to fit, ascending, so that shares `HELD_OUT` of the range lie above; none for one size."""
    known = values[np.isfinite(values)]
    at = known if dated else rounded(known)
    sizes = np.unique(at)
    ends = [sizes[-1] - (share - 1e-9) * np.ptp(sizes) for share in HELD_OUT] if sizes.size > 1 else []
    return np.unique([known[at <= end].max() for end in ends]).tolist()


def rounded(values: np.ndarray) -> np.ndarray:
    """Decades of sizes to one in a hundred, where all are positive: as large as each other, but for rounding."""
    finite = values[np.isfinite(values)]
    return np.round(np.log10(values), 2) if finite.size and finite.min() > 0 else values


def well_known(
    runs: pd.DataFrame, sizes: np.ndarray, fitted: np.ndarray, least: int = SIZES, groups: Iterable[str] = GROUPS
) -> np.ndarray:
    """Rows all of whose labels, blanks apart, have enough sizes among the fitted rows, shape (row,)."""
    below = runs.assign(_size=sizes)[fitted]
    enough = np.full(len(runs), below["_size"].nunique() >= least)
    for group in (g for g in groups if g in runs):
        known = runs[group].map(below.groupby(group)["_size"].nunique()).fillna(0) >= least
        enough &= (known | runs[group].isna()).to_numpy()  # a loss belongs to no benchmark
    return enough
