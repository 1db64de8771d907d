"""What pictures over compute show, apart from how: panels, curves along a grid of compute, intervals, and points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import PASS_AT_K
from bayes_scaling.data.plans import plan_runs
from bayes_scaling.errors import DataError
from bayes_scaling.inference.averaged_fits import Average, laws_of, shared_responses
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.models.heads import RESPONSES
from bayes_scaling.reporting.canvas import COLOURS, MARKERS

POINTS_PER_DECADE = 6
ALL_MIXTURES = "all mixtures"


@dataclass(frozen=True)
class View:
    """What a picture draws: the response, the panels, the colour of each mixture, and the grid of compute."""

    response: str
    benchmarks: tuple[str, ...]
    colours: dict[str, str]
    markers: dict[str, str]
    curves: tuple[str, ...]
    grid: np.ndarray
    probabilities: tuple[float, ...]

    @property
    def headline(self) -> float:
        """The probability that is drawn where there is room for one."""
        return self.probabilities[len(self.probabilities) // 2]

    @property
    def nested(self) -> tuple[float, ...]:
        """Probabilities of the expectation's bands: all for a single curve, one where several overlap."""
        return self.probabilities[::-1] if len(self.curves) == 1 else (self.headline,)


def response_of(fit: Fit | Average) -> str:
    """What is drawn over compute: accuracy where it is forecast, otherwise the loss.

    Raises
    ------
    DataError
        All that is forecast depends on more than compute.
    """
    responses = shared_responses(laws_of(fit))
    if over_compute := [r for r in ("accuracy", "loss") if r in responses]:
        return over_compute[0]
    name = laws_of(fit)[0].model.name
    raise DataError(
        f"{name} forecasts {', '.join(responses)}, which depends on k as much as on compute: a picture over compute "
        "has no place for it; summarise(forecast(fit, plan_runs(flops=[1e21, 1e22], benchmark=..., k=[1, 10, 100]))) "
        "gives a table by compute and k"
    )


def _reads(fit: Fit | Average) -> set[str]:
    """Columns that the laws read."""
    return {c for law in laws_of(fit) for h in law.model.heads for c in h.columns}


def view_of(fit: Fit | Average, benchmarks: Any, mixtures: Any, reach: float, probabilities: Any, later: Any) -> View:
    """Settle what a picture shows: which benchmarks and mixtures, how far, and which later runs."""
    response = response_of(fit)
    runs = fit.runs[fit.runs[RESPONSES[response]].notna()]
    if not (np.isfinite(reach) and reach >= 0):
        raise DataError(f"reach must be a number of decades, 0 or more, not {reach!r}")
    shares = tuple(sorted(probabilities))
    if not shares or not all(0 < p < 1 for p in shares):
        raise DataError(f"probabilities must lie between 0 and 1, such as (0.5, 0.8, 0.95), not {probabilities!r}")
    tests = _chosen("benchmark", runs, benchmarks) if response == "accuracy" else (response,)
    names = _chosen("mixture", runs, mixtures)
    flops = runs["flops"] if response == "loss" else runs.loc[runs["benchmark"].astype(str).isin(tests), "flops"]
    top = max(flops.max() * 10**reach, 0.0 if later is None else later["flops"].max() * 2)
    decades = np.log10(top / flops.min())
    return View(
        response=response,
        benchmarks=tests,
        colours={m: COLOURS[i % len(COLOURS)] for i, m in enumerate(names)},
        markers={m: MARKERS[i % len(MARKERS)] for i, m in enumerate(names)},
        curves=names if any("mixture" in law.model.groups for law in laws_of(fit)) else (ALL_MIXTURES,),
        grid=np.geomspace(flops.min(), top, int(max(2, decades * POINTS_PER_DECADE)) + 1),
        probabilities=shares,
    )


def _chosen(column: str, runs: pd.DataFrame, wanted: Sequence[str] | str | None) -> tuple[str, ...]:
    known = tuple(runs[column].dropna().astype(str).unique()) if column in runs else (ALL_MIXTURES,)
    chosen = known if wanted is None else (wanted,) if isinstance(wanted, str) else tuple(wanted)
    if (unknown := [c for c in chosen if c not in known]) or not chosen:
        raise DataError(f"the fit saw no {column} {unknown}; it saw {list(known)}")
    return chosen


def plan_along(fit: Fit | Average, view: View, benchmark: str) -> pd.DataFrame:
    """Runs along the grid; with sizes at the tokens per parameter, and the count of FLOPs, of the fit's runs."""
    mixtures = list(view.curves) if view.curves != (ALL_MIXTURES,) else None
    if {"params", "tokens"}.isdisjoint(_reads(fit)):
        return plan_runs(flops=view.grid, benchmark=benchmark, mixture=mixtures)
    ratio, count = path(fit)
    params = np.sqrt(view.grid / (6 * count * ratio))
    return plan_runs(flops=view.grid, params=params, tokens=ratio * params, benchmark=benchmark, mixture=mixtures)


def path(fit: Fit | Average) -> tuple[float, float]:
    """Median tokens per parameter of the runs, and median FLOPs per 6 N D."""
    runs = fit.runs
    ratio, count = runs["tokens"] / runs["params"], runs["flops"] / (6 * runs["params"] * runs["tokens"])
    return float(ratio.median()), float(count.median())


def path_text(fit: Fit | Average) -> str:
    """Say which path through sizes and tokens the curves take; nothing where compute is all that counts."""
    walks = {"params", "tokens"} & _reads(fit)
    return f"curves at {path(fit)[0]:.3g} tokens per parameter; " if walks else ""


def interval(draws: Any, share: float) -> np.ndarray:
    """Equal-tailed interval over all draws, shape (2, row)."""
    table = draws.transpose("chain", "draw", "row").to_numpy().reshape(-1, draws.sizes["row"])
    return np.quantile(table, [(1 - share) / 2, (1 + share) / 2], axis=0)


def points_of(
    fit: Fit | Average, view: View, benchmark: str, later: pd.DataFrame | None
) -> Iterator[tuple[str, np.ndarray, np.ndarray, bool]]:
    """Scores of one benchmark and mixture as compute and score, both of shape (point,)."""
    column = RESPONSES[view.response]
    for table, seen in ((fit.runs, True), (later, False)):
        if table is None or column not in table:
            continue
        rows = table[table[column].notna()]
        if view.response == "accuracy":
            rows = rows[rows["benchmark"].astype(str) == benchmark]
            rows = rows[rows["metric"] != PASS_AT_K] if "metric" in rows else rows
        for mixture in view.colours:
            mine = rows[rows["mixture"].astype(str) == mixture] if "mixture" in rows else rows
            if len(mine):
                yield mixture, mine["flops"].to_numpy(float), mine[column].to_numpy(float), seen
