"""Splits of runs: what to fit and what to forecast, so that a forecast can be judged by what happened.

A split is a name and two masks over the rows of a table (see `row_masks`).  Lists of splits add up:
``split_above(runs, cuts=[1e21]) + split_groups(runs, "mixture")`` asks both how far a law reaches and what it says of a
mixture it never saw.
"""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from bayes_scaling.arguments import items_of
from bayes_scaling.data.sizes import parse_size, size_text
from bayes_scaling.errors import DataError, ScalingWarning
from bayes_scaling.evaluation.cuts import SIZES, default_cuts, rounded, well_known
from bayes_scaling.evaluation.row_masks import Split
from bayes_scaling.files.frames import as_frame

type Cut = float | str | datetime.date
type Cuts = Sequence[Cut] | Cut | None

RATIO = "tokens_per_param"  # made from the sizes where the runs do not have it
TRUTHS = (True, False)  # what a column that marks targets holds; 1 and 0 are equal to them
MANY = 10  # names that a message lists


def split_above(
    runs: pd.DataFrame,
    column: str = "flops",
    cuts: Cuts = None,
    *,
    rolling: bool = False,
    least_sizes: int = SIZES,
) -> list[Split]:
    """Fit the small and forecast the large: one split for each cut along a column.

    Parameters
    ----------
    runs : DataFrame
    column : str
        What is cut: "flops", "params", "tokens", "tokens_per_param", or a number or date of your own.
    cuts : one or a sequence, optional
        Runs up to a cut are fitted, those above it held out; sizes may read "1B" or "6e20", dates "2024-06-30".  By
        default two, which hold out a half and a quarter of the range, logarithmic where it is of positive numbers.
        Rows without a value are in neither.
    rolling : bool
        Hold out only what lies between a cut and the next, as if time went on.
    least_sizes : int
        A benchmark or mixture is forecast only where the fitted rows show it at this many sizes of compute.

    Returns
    -------
    list of Split
        From the lowest cut to the highest.

    Raises
    ------
    DataError
        No such column, a cut that is none of it, or no cut leaves enough below and anything above.

    Warns
    -----
    ScalingWarning
        Some of the cuts that were given leave nothing to forecast; there is no split for them.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> runs = bs.load_dataset("gadre2024")
    >>> bs.split_above(runs[runs["benchmark"] == "hellaswag"], "flops", ["1e20", "1e21"])
    [<Split 'flops ≤ 1e20': 87 rows fitted, 17 held out>, <Split 'flops ≤ 1e21': 99 rows fitted, 5 held out>]
    """
    runs = as_frame(runs, "the runs", example="bs.read_runs makes one")
    values, dated = _ordered(runs, column)
    scored = _scored(runs)
    edges = _read_cuts(cuts, column, dated) if cuts is not None else _named(default_cuts(values, dated), dated)
    sizes = rounded(_ordered(runs, "flops")[0] if "flops" in runs else values)
    found, empty = [], []
    for (edge, name), (after, _) in zip(edges, [*edges, (np.inf, "")][1:], strict=True):
        fitted = values <= edge
        held_out = scored & (values > edge) & (values <= (after if rolling else np.inf))
        held_out &= well_known(runs, sizes, fitted & scored, least_sizes)
        if held_out.any():
            found.append(Split(f"{column} ≤ {name}", fitted, held_out))
        else:
            empty.append(name)
    if not found:
        raise DataError(
            f"no cut of {column} at {', '.join(empty) or 'any value'} leaves {least_sizes} sizes of a benchmark and "
            f"its mixture below and a score above: there are scores at {np.unique(sizes[scored]).size} sizes"
        )
    if cuts is not None and empty:
        warnings.warn(f"nothing to forecast above {column} {', '.join(empty)}: left out", ScalingWarning, stacklevel=2)
    return found


def split_targets(runs: pd.DataFrame, targets: Sequence[str] | str) -> list[Split]:
    """Forecast named runs, each from all runs that took less compute and are no targets themselves.

    Parameters
    ----------
    runs : DataFrame
    targets : sequence of str, or str
        Names of runs; or the name of a column that is true, or 1, in the rows of targets.

    Returns
    -------
    list of Split
        One for each target.

    Raises
    ------
    DataError
        No such run, one without a score, or no smaller ones.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> runs = bs.load_dataset("olmo_ladder")
    >>> [split.name for split in bs.split_targets(runs, ["7B-4T", "13B-5T"])]
    ['target 7B-4T', 'target 13B-5T']
    """
    runs = as_frame(runs, "the runs", example="bs.read_runs makes one")
    names = _marked(runs, targets) if isinstance(targets, str) and targets in runs else targets
    names = list(dict.fromkeys(items_of("targets", names, str, "'7B-4T'")))
    if (unknown := [n for n in names if n not in set(runs["run"])]) or not names:
        known = sorted(runs["run"].astype(str).unique())
        raise DataError(f"no runs are called {unknown}; there are {known[:MANY]}{' …' if len(known) > MANY else ''}")
    found, is_target = [], runs["run"].isin(names).to_numpy()
    flops, scored = _ordered(runs, "flops")[0], _scored(runs)
    for name in names:
        own = (runs["run"] == name).to_numpy()
        fitted = ~is_target & (flops < flops[own].max())
        if not (fitted & scored).any():
            raise DataError(f"no run with a score took less compute than the target {name!r}")
        if not (own & scored).any():
            raise DataError(f"the target {name!r} has no score yet; lock its forecast, and score it once there is one")
        found.append(Split(f"target {name}", fitted, own & scored))
    return found


def split_groups(runs: pd.DataFrame, column: str, *, above: float | str | None = None) -> list[Split]:
    """Leave one group out after the other: a mixture, a run family, a benchmark at large scale, or single runs.

    Parameters
    ----------
    runs : DataFrame
    column : str
        Whose labels are left out in turn.
    above : float or str, optional
        Leave out only rows with more compute than this [FLOPs], such as "1e21": what is known of the group from smaller
        runs, and of all others from the larger ones, is fitted.

    Returns
    -------
    list of Split
        One for each label that has a score to forecast.

    Raises
    ------
    DataError
        No such column, one label only, or nothing above.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> runs = bs.load_dataset("gadre2024")
    >>> [split.name for split in bs.split_groups(runs, "mixture")]
    ['without mixture C4', 'without mixture RedPajama', 'without mixture RefinedWeb']
    """
    runs = as_frame(runs, "the runs", example="bs.read_runs makes one")
    if not isinstance(column, str) or column not in runs:
        raise DataError(f"the runs have no column {column!r}; they have {list(runs.columns)}")
    least = -np.inf if above is None else parse_size(above)
    beyond = "" if above is None else f" above {size_text(least, 3)} FLOPs"
    labels, scored = runs[column].astype(str), _scored(runs)
    large = np.ones(len(runs), bool) if above is None else _ordered(runs, "flops")[0] > least
    found = []
    for label in dict.fromkeys(labels[runs[column].notna()]):
        out = (labels == label).to_numpy() & large
        if (out & scored).any() and (~out & scored).any():
            found.append(Split(f"without {column} {label}{beyond}", ~out, out & scored))
    if not found:
        known = labels[scored & runs[column].notna()].unique().tolist()
        raise DataError(
            f"leaving out one {column}{beyond} leaves nothing to fit or nothing to forecast; scores are of "
            f"{known[:MANY]}"
        )
    return found


def _scored(runs: pd.DataFrame) -> np.ndarray:
    return runs["score"].notna().to_numpy() if "score" in runs else np.ones(len(runs), bool)


def _marked(runs: pd.DataFrame, column: str) -> list[str]:
    """Runs for which a column is true."""
    if other := [v for v in runs[column].dropna().unique() if v not in TRUTHS]:
        raise DataError(f"column {column!r} must be true or false to mark targets; it holds {other[:MANY]}")
    return list(runs.loc[runs[column].eq(True).fillna(False).astype(bool), "run"].unique())


def _ordered(runs: pd.DataFrame, column: str) -> tuple[np.ndarray, bool]:
    """A column as numbers that keep its order, and whether it is of dates, which become seconds."""
    if isinstance(column, str) and column == RATIO and column not in runs and {"params", "tokens"} <= set(runs):
        return (runs["tokens"] / runs["params"]).to_numpy(float), False
    if not isinstance(column, str) or column not in runs:
        raise DataError(f"the runs have no column {column!r}; they have {list(runs.columns)}")
    values = runs[column]
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(float), False
    seconds = _seconds(values)
    if other := values[values.notna().to_numpy() & ~np.isfinite(seconds)].unique().tolist():
        raise DataError(
            f"column {column!r} must hold numbers, or dates such as '2024-06-30', to be cut along; got {other[:MANY]}"
        )
    return seconds, True


def _seconds(values: pd.Series) -> np.ndarray:
    """Seconds of dates, as ISO 8601 writes them; not a number for anything else."""
    dates = pd.to_datetime(values, format="ISO8601", utc=True, errors="coerce")
    return (dates - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy(float)


def _read_cuts(cuts: Cuts, column: str, dated: bool) -> list[tuple[float, str]]:
    """Cuts in ascending order, each once, with what to call them."""
    several = isinstance(cuts, Iterable) and not isinstance(cuts, str)
    given = pd.Series(list(cuts) if several else [cuts], dtype=object)  # type: ignore[arg-type]
    if dated:
        is_number = given.map(lambda cut: isinstance(cut, int | float | np.number))
        edges = np.where(is_number, np.nan, _seconds(given.mask(is_number)))
    else:
        edges = np.array([_size(cut, column) for cut in given], float)
    if other := given[~np.isfinite(edges)].tolist():
        right = "dates such as '2024-06-30'" if dated else "numbers"
        raise DataError(f"cuts of {column!r} must be {right}; got {other[:MANY]}")
    return _named(np.unique(edges).tolist(), dated)


def _size(cut: object, column: str) -> float:
    try:
        return parse_size(cut)
    except DataError as error:
        raise DataError(f"cuts of {column!r} must be numbers: {error}") from None


def _named(edges: Sequence[float], dated: bool) -> list[tuple[float, str]]:
    """Edges with three digits as their names, or with all where three do not tell them apart."""
    short = [_text(e, dated, 3) for e in edges]
    return list(zip(edges, short if len(set(short)) == len(edges) else [_text(e, dated) for e in edges], strict=True))


def _text(edge: float, dated: bool, digits: int | None = None) -> str:
    if dated:
        return pd.Timestamp(edge, unit="s").isoformat().removesuffix("T00:00:00")
    return size_text(edge, digits)
