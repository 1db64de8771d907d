"""Splits of runs: what to fit and what to forecast, so that a forecast can be judged by what happened.

A split is a name and two masks over the rows of a table.  Lists of splits add up: ``split_above(runs, cuts=[1e21])
+ split_groups(runs, "mixture")`` asks both how far a law reaches and what it says of a mixture it never saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.errors import DataError

SIZES = 4  # different sizes that a benchmark or mixture needs below a cut: fewer do not show a law
HELD_OUT = (0.5, 0.25)  # shares of the range that are held out where no cut is given, from the top
GROUPS = ("benchmark", "mixture")  # labels that must be known from enough sizes to be forecast from scale


@dataclass(frozen=True, eq=False)
class Split:
    """Rows to fit and rows to forecast.

    Attributes
    ----------
    name : str
    fitted, held_out : (row,) bool array
        Masks over the rows of the runs; a row may be in neither.
    """

    name: str
    fitted: np.ndarray
    held_out: np.ndarray

    def __repr__(self) -> str:
        return f"<Split {self.name!r}: {self.fitted.sum()} rows fitted, {self.held_out.sum()} held out>"


def split_above(
    runs: pd.DataFrame,
    column: str = "flops",
    cuts: Sequence[Any] | None = None,
    *,
    rolling: bool = False,
    least_sizes: int = SIZES,
) -> list[Split]:
    """Fit the small and forecast the large: one split for each cut along a column.

    Parameters
    ----------
    runs : DataFrame
    column : str
        What is cut: "flops", "params", "tokens", "tokens_per_param", or a date or number of your own.
    cuts : sequence, optional
        Runs up to a cut are fitted, those above it held out.  By default two, which hold out a half and a quarter of
        the range, logarithmic where it is of positive numbers.
    rolling : bool
        Hold out only what lies between a cut and the next, as if time went on.
    least_sizes : int
        A benchmark or mixture is forecast only where the fitted rows show it at this many values of the column.

    Returns
    -------
    list of Split

    Raises
    ------
    DataError
        No such column, or no cut leaves enough below and anything above.
    """
    values = _ordered(runs, column)
    edges = _default_cuts(values) if cuts is None else sorted(_ordered(pd.DataFrame({column: list(cuts)}), column))
    names = [_text(column, e) for e in (edges if cuts is None else sorted(cuts))]
    scored = runs["score"].notna().to_numpy() if "score" in runs else np.ones(len(runs), bool)
    found = []
    for edge, name, after in zip(edges, names, [*edges[1:], np.inf], strict=True):
        fitted = values <= edge
        held_out = scored & (values > edge) & (values <= (after if rolling else np.inf))
        held_out &= _known(runs, values, fitted & scored, least_sizes)
        if held_out.any():
            found.append(Split(f"{column} ≤ {name}", fitted, held_out))
    if not found:
        sizes = np.unique(_rounded(values[scored & np.isfinite(values)])).size
        raise DataError(
            f"the runs have {sizes} values of {column}: no cut at {names} leaves {least_sizes} of a benchmark below "
            "and a score above"
        )
    return found


def split_targets(runs: pd.DataFrame, targets: Sequence[str] | str) -> list[Split]:
    """Forecast named runs, each from all runs that took less compute and are no targets themselves.

    Parameters
    ----------
    runs : DataFrame
    targets : sequence of str, or str
        Names of runs; one name may also be a column that is true for targets.

    Returns
    -------
    list of Split
        One for each target.

    Raises
    ------
    DataError
        No such run, or no smaller ones.
    """
    if isinstance(targets, str) and targets in runs:
        targets = list(runs.loc[runs[targets].fillna(False).astype(bool), "run"].unique())
    names = [targets] if isinstance(targets, str) else list(targets)
    if (unknown := sorted(set(names) - set(runs["run"]))) or not names:
        raise DataError(f"no runs are called {unknown}; there are {sorted(runs['run'].astype(str).unique())[:10]} …")
    found, is_target = [], runs["run"].isin(names).to_numpy()
    flops = _ordered(runs, "flops")
    for name in names:
        own = (runs["run"] == name).to_numpy()
        fitted = ~is_target & (flops < flops[own].max())
        if not fitted.any():
            raise DataError(f"no run took less compute than the target {name!r}")
        found.append(Split(f"target {name}", fitted, own & runs["score"].notna().to_numpy()))
    return found


def split_groups(runs: pd.DataFrame, column: str, *, above: float | None = None) -> list[Split]:
    """Leave one group out after the other: a mixture, a run family, a benchmark at large scale, or single runs.

    Parameters
    ----------
    runs : DataFrame
    column : str
        Whose labels are left out in turn.
    above : float, optional
        Leave out only rows with more compute than this [FLOPs]: what is known of the group from smaller runs, and of
        all others from the larger ones, is fitted.

    Returns
    -------
    list of Split
        One for each label that has a score to forecast.

    Raises
    ------
    DataError
        No such column, one label only, or nothing above.
    """
    if column not in runs:
        raise DataError(f"the runs have no column {column!r}; they have {list(runs.columns)}")
    labels = runs[column].astype(str)
    large = np.ones(len(runs), bool) if above is None else _ordered(runs, "flops") > above
    scored = runs["score"].notna().to_numpy()
    found = []
    for label in dict.fromkeys(labels[runs[column].notna()]):
        out = (labels == label).to_numpy() & large
        if (out & scored).any() and (~out & scored).any():
            beyond = "" if above is None else f" above {above:g} FLOPs"
            found.append(Split(f"without {column} {label}{beyond}", ~out, out & scored))
    if not found:
        raise DataError(f"leaving out {column} {sorted(set(labels))[:5]} leaves nothing to fit or nothing to forecast")
    return found


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
        if not len(split.fitted) == len(split.held_out) == len(runs):
            raise DataError(f"split {split.name!r} has masks over {len(split.fitted)} rows; the runs have {len(runs)}")
        if (split.fitted & split.held_out).any():
            raise DataError(f"split {split.name!r} fits rows that it should forecast")
        if not (split.fitted.any() and split.held_out.any()):
            raise DataError(f"split {split.name!r} leaves nothing to fit or nothing to forecast")


def _ordered(runs: pd.DataFrame, column: str) -> np.ndarray:
    """A column as numbers that keep its order; dates are seconds."""
    if column not in runs:
        raise DataError(f"the runs have no column {column!r}; they have {list(runs.columns)}")
    values = runs[column]
    if not pd.api.types.is_numeric_dtype(values):
        try:
            dates = pd.to_datetime(values, utc=True)
        except (ValueError, TypeError):
            raise DataError(
                f"column {column!r} must hold numbers or dates to cut along, got {values.iloc[0]!r}"
            ) from None
        return dates.map(lambda date: date.timestamp() if date is not pd.NaT else np.nan).to_numpy(float)
    return values.to_numpy(float)


def _default_cuts(values: np.ndarray) -> list[float]:
    sizes = np.unique(values[np.isfinite(values)])
    if sizes.size < 2:
        return list(sizes)
    scale = np.log(sizes) if sizes[0] > 0 else sizes
    ends = [scale[-1] - share * np.ptp(scale) + 1e-9 for share in HELD_OUT]
    return list(dict.fromkeys(float(sizes[scale <= end][-1]) for end in ends))


def _text(column: str, edge: Any) -> str:
    return f"{edge:.3g}" if isinstance(edge, float | int | np.number) else str(edge)


def _rounded(values: np.ndarray) -> np.ndarray:
    """Sizes up to one per cent, where they are positive: what is as large as each other up to rounding."""
    finite = values[np.isfinite(values)]
    return np.round(np.log10(values), 2) if finite.size and finite.min() > 0 else values


def _known(runs: pd.DataFrame, values: np.ndarray, fitted: np.ndarray, least: int) -> np.ndarray:
    """Rows all of whose labels have enough sizes among the fitted rows."""
    below = runs.assign(_size=_rounded(values))[fitted]
    enough = np.full(len(runs), below["_size"].nunique() >= least)
    for group in (g for g in GROUPS if g in runs):
        known = runs[group].map(below.groupby(group)["_size"].nunique()).fillna(0) >= least
        enough &= (known | runs[group].isna()).to_numpy()
    return enough
