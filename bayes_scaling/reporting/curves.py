"""What figures over compute show, apart from how: panels, curves along a grid of compute, and points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import UNSPECIFIED
from bayes_scaling.data.plans import plan_runs
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.paths import path, reads_sizes, sizes_along
from bayes_scaling.inference.averaged_fits import Average, shared_responses
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.models.effects import NOISE_GROUPS
from bayes_scaling.models.responses.all_responses import RESPONSES
from bayes_scaling.models.responses.response import Response
from bayes_scaling.reporting.canvas import COLOURS, MARKERS

POINTS_PER_DECADE = 6
ALL_RUNS = "all runs"
NO_LABELS = ("benchmark", "val_set", *NOISE_GROUPS)  # columns a model may vary over that do not label runs

type Wanted = Sequence[str] | str | None
type Labels = Mapping[str, Wanted] | None


@dataclass(frozen=True)
class Series:
    """Runs that share their labels: one colour, and one curve where the law tells them apart."""

    name: str
    labels: dict[str, str]
    colour: str
    marker: str

    def of(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows that have these labels, or where the table does not say."""
        for column, label in self.labels.items():
            table = table[table[column].astype(str) == label] if column in table else table
        return table


@dataclass(frozen=True)
class View:
    """What a figure draws.

    Attributes
    ----------
    response : Response
    benchmarks : tuple of str
        One panel each.
    series : tuple of Series
        What the points show.
    apart : bool
        Whether every series has a curve of its own, or one curve stands for all.
    grid : (place,) array
        Compute [FLOPs].
    probabilities : tuple of float
    """

    response: Response
    benchmarks: tuple[str, ...]
    series: tuple[Series, ...]
    apart: bool
    grid: np.ndarray
    probabilities: tuple[float, ...]

    @property
    def curves(self) -> tuple[Series, ...]:
        """What the curves stand for."""
        if self.apart:
            return self.series
        colour = COLOURS[0] if len(self.series) == 1 else "0.25"
        return (Series(ALL_RUNS, {}, colour, MARKERS[0]),)

    @property
    def headline(self) -> float:
        """The probability that is drawn where there is room for one."""
        return self.probabilities[len(self.probabilities) // 2]

    @property
    def nested(self) -> tuple[float, ...]:
        """Probabilities of the expectation's bands: all for a single curve, one where several overlap."""
        return self.probabilities[::-1] if len(self.curves) == 1 else (self.headline,)

    def of_panel(self, table: pd.DataFrame, benchmark: str) -> pd.DataFrame:
        """Rows of a table that a panel shows: those with an outcome, of its benchmark."""
        if self.response.column not in table:
            return table.iloc[:0]
        rows = table[self.response.outcomes(table)]
        return rows[rows["benchmark"].astype(str) == benchmark] if self.response.per_benchmark else rows


def response_of(fit: Fit | Average) -> Response:
    """What is drawn over compute: accuracy where it is forecast, otherwise the first response that compute decides.

    Raises
    ------
    DataError
        All that is forecast depends on more than compute.
    """
    names = shared_responses(fit.laws)
    if over_compute := [r for r in RESPONSES.values() if r.name in names and r.over_compute]:
        return over_compute[0]
    raise DataError(
        f"{fit.laws[0].model.name} forecasts {', '.join(names)}, which depends on k as much as on compute: a figure "
        "over compute has no place for it; summarise(forecast(fit, plan_runs(flops=[1e21, 1e22], benchmark=..., "
        "k=[1, 10, 100]))) gives a table by compute and k"
    )


def labels_of(fit: Fit | Average) -> tuple[str, ...]:
    """Columns of labels that the laws tell runs apart by."""
    groups = dict.fromkeys(group for law in fit.laws for group in law.model.groups)
    return tuple(group for group in groups if group not in NO_LABELS)


def view_of(
    fit: Fit | Average,
    benchmarks: Wanted,
    labels: Labels,
    reach: float,
    probabilities: Sequence[float],
    shown: Sequence[np.ndarray] = (),
) -> View:
    """Settle what a figure shows: which benchmarks and labels, and how far, at least twice all compute to be shown."""
    response = response_of(fit)
    runs = fit.runs[response.outcomes(fit.runs)]
    if not (np.isfinite(reach) and reach >= 0):
        raise DataError(f"reach must be a number of decades, 0 or more, not {reach!r}")
    shares = tuple(sorted(probabilities))
    if not shares or not all(0 < p < 1 for p in shares):
        raise DataError(f"probabilities must lie between 0 and 1, such as (0.5, 0.8, 0.95), not {probabilities!r}")
    tests = _chosen("benchmark", runs, benchmarks) if response.per_benchmark else (response.name,)
    own = runs[runs["benchmark"].astype(str).isin(tests)] if response.per_benchmark else runs
    flops = own["flops"]
    top = max([flops.max() * 10**reach, *(2 * float(np.max(compute)) for compute in shown if len(compute))])
    decades = np.log10(top / flops.min())
    return View(
        response=response,
        benchmarks=tests,
        series=_series(runs, labels_of(fit) or ("mixture",), labels or {}),
        apart=bool(labels_of(fit)),
        grid=np.geomspace(flops.min(), top, int(max(2, decades * POINTS_PER_DECADE)) + 1),
        probabilities=shares,
    )


def _series(runs: pd.DataFrame, columns: Sequence[str], wanted: Mapping[str, Wanted]) -> tuple[Series, ...]:
    """Combinations of labels that the runs have, of those that are wanted."""
    for column, some in wanted.items():
        if some is not None or column in columns:
            chosen = _chosen(column, runs, some)
            runs = runs[runs[column].astype(str).isin(chosen)] if column in runs else runs
    there = [column for column in columns if column in runs]
    order = {c: list(_chosen(c, runs, wanted.get(c))) for c in there}
    rows = runs[there].dropna().astype(str).drop_duplicates().to_dict("records") if there else [{}]
    rows.sort(key=lambda row: [order[c].index(row[c]) for c in there])
    if not rows:
        raise DataError(f"no run has all of the labels {dict(wanted)}")
    return tuple(
        Series(
            " · ".join(label for label in row.values() if label != UNSPECIFIED) or ALL_RUNS,
            {str(column): str(label) for column, label in row.items()},
            COLOURS[number % len(COLOURS)],
            MARKERS[number % len(MARKERS)],
        )
        for number, row in enumerate(rows)
    )


def _chosen(column: str, runs: pd.DataFrame, wanted: Wanted) -> tuple[str, ...]:
    known = tuple(runs[column].dropna().astype(str).unique()) if column in runs else ()
    chosen = known if wanted is None else (wanted,) if isinstance(wanted, str) else tuple(wanted)
    if (unknown := [c for c in chosen if c not in known]) or not (chosen or wanted is None):
        raise DataError(f"the fit saw no {column} {unknown}; it saw {list(known)}")
    return chosen


def plan_along(fit: Fit | Average, view: View, benchmark: str) -> pd.DataFrame:
    """Runs along the grid; with sizes at the tokens per parameter, and the count of FLOPs, of the fit's runs."""
    params, tokens = None, None
    if reads_sizes(fit):
        params, tokens = sizes_along(fit, view.grid)
    plans = [
        plan_runs(
            flops=view.grid,
            params=params,
            tokens=tokens,
            benchmark=benchmark,
            mixture=curve.labels.get("mixture"),
            labels={name: label for name, label in curve.labels.items() if name != "mixture"},
        )
        for curve in view.curves
    ]
    return pd.concat(plans, ignore_index=True)


def path_text(fit: Fit | Average) -> str:
    """Say which path through sizes and tokens the curves take; nothing where compute is all that counts."""
    return f"curves at {path(fit)[0]:.3g} tokens per parameter; " if reads_sizes(fit) else ""


def points_of(
    view: View, benchmark: str, runs: pd.DataFrame, later: pd.DataFrame | None
) -> Iterator[tuple[Series, np.ndarray, np.ndarray, bool]]:
    """Outcomes of one panel and series as compute and value, both of shape (point,), and whether the fit saw them."""
    for table, seen in ((runs, True), (later, False)):
        if table is None:
            continue
        rows = view.of_panel(table, benchmark)
        for series in view.series:
            own = series.of(rows)
            if len(own):
                yield series, own["flops"].to_numpy(float), own[view.response.column].to_numpy(float), seen
