"""What a track record looks like: coverage against what was promised, and forecasts with what happened."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bayes_scaling.data.columns import LABEL, UNSPECIFIED, with_role
from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.backtest.backtesting import Backtest
from bayes_scaling.files.frames import dataset_of
from bayes_scaling.forecasting.intervals import interval, row_draws
from bayes_scaling.models.responses.all_responses import RESPONSES
from bayes_scaling.reporting.canvas import ALARM, COLOURS, GREY, MARKERS, NORMAL, SMALL, canvas, fine_print
from bayes_scaling.reporting.curves import ALL_RUNS
from bayes_scaling.reporting.headings import heading

BARS = ((0.95, 1.1), (0.8, 2.6), (0.5, 5.0))  # probability of an interval -> width of its bar [points]
NUDGE = 0.022  # step from the bars of one mixture to those of the next, as a share of the range of compute
OUTCOME = "black"
OTHER = ("0.6", "X")  # of fitted runs that nothing was forecast for

type Look = tuple[str, str]  # colour and marker


def plot_backtest(
    past: Backtest,
    *,
    law: str | None = None,
    split: str | None = None,
    benchmarks: Sequence[str] | None = None,
    ncols: int = 4,
) -> Figure:
    """Draw forecasts with what happened: a panel for every benchmark, the fitted runs, bands and outcomes.

    Bars hold 50, 80 and 95 % of the forecast of a new run.  A large marker with a dark edge is what it reached, with a
    red ring where that lies outside the 95 %.  What the forecast said beforehand against trusting it stands in the
    panel.

    Parameters
    ----------
    past : Backtest
    law, split : str, optional
        Which forecast; the first by default.
    benchmarks : sequence of str, optional
        All that were forecast by default.
    ncols : int
        Panels side by side.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        There is no such forecast or benchmark.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> runs = bs.load_dataset("gadre2024")
    >>> past = bs.backtest([], runs[runs["benchmark"] == "hellaswag"], baselines="direct", seed=1, progress=False)
    >>> bs.plot_backtest(past).savefig("backtest.png")
    """
    known = [key for key in past.forecasts if law in (None, key[0]) and split in (None, key[1])]
    if not known:
        raise DataError(f"no forecast of law {law!r} for split {split!r}; there are {sorted(past.forecasts)}")
    scores = past.scores[(past.scores["law"] == known[0][0]) & (past.scores["split"] == known[0][1])]
    ahead = past.forecasts[known[0]]
    named = list(scores["benchmark"].astype(str).unique()) if benchmarks is None else list(benchmarks)
    if unknown := [b for b in named if b not in set(scores["benchmark"].astype(str))]:
        raise DataError(f"benchmarks {unknown} were not forecast; there are {sorted(scores['benchmark'].unique())}")
    (chosen,) = (s for s in past.splits if s.name == known[0][1])
    response, looks = RESPONSES[past.response], _looks(scores)
    figure, panels = canvas(len(named), max(1, min(ncols, len(named))), response.label)
    before = past.runs[chosen.fitted & response.outcomes(past.runs)]
    for panel, benchmark in zip(panels, named, strict=True):
        fitted = before[before["benchmark"].astype(str) == benchmark]
        own = (scores["benchmark"].astype(str) == benchmark).to_numpy()
        decades = np.log10(scores.loc[own, "flops"].max() / fitted["flops"].min()) if len(fitted) else 1.0
        step = 10 ** (NUDGE * decades)
        _draw_forecasts(panel, ahead[past.response].isel(row=own), scores[own], looks, step)
        _draw_fitted(panel, fitted, looks, response.column)
        _dress_panel(panel, benchmark, str(scores.loc[own, "note"].iloc[0]))
    others = set(_series(before)) - set(looks)
    _legend(figure, looks | dict.fromkeys(["other fitted runs"][: len(others)], OTHER))
    title, failed = (
        ", ".join(part for part in (*known[0], dataset_of(past.runs)) if part),
        not scores["converged"].all(),
    )
    heading(figure, f"{title}: THE FIT DID NOT CONVERGE" if failed else title, loud=failed)
    fine_print(figure, ["vertical line: the most compute that was fitted; dashes: chance"])
    return figure


def _series(table: pd.DataFrame) -> pd.Series:
    """What a row has its colour and marker for: the labels that differ, and k of pass@k."""
    labels = [name for name in with_role(LABEL) if name in table and table[name].nunique() > 1]
    labels = labels or [name for name in ("mixture",) if name in table]
    names = table[labels].astype(str).agg(" · ".join, axis=1) if labels else pd.Series(ALL_RUNS, table.index)
    names = names.replace(UNSPECIFIED, ALL_RUNS)
    if "k" not in table or table["k"].isna().all():
        return names
    tries = "k = " + table["k"].map("{:.0f}".format)
    return tries if names.nunique() < 2 else names + ", " + tries


def _looks(scores: pd.DataFrame) -> dict[str, Look]:
    names = enumerate(_series(scores).unique())
    return {name: (COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]) for i, name in names}


def _draw_forecasts(panel: Axes, draws: xr.DataArray, own: pd.DataFrame, looks: dict[str, Look], step: float) -> None:
    """Draw nested bars and outcomes, each name a step aside."""
    names = np.array(_series(own).tolist())
    here = [name for name in looks if name in names]
    place = np.array([here.index(name) for name in names]) - (len(here) - 1) / 2
    x = own["flops"].to_numpy(float) * step**place
    values = row_draws(draws)
    shades = [looks[name][0] for name in names]
    for p, width in BARS:
        low, high = interval(values, p)
        panel.vlines(x, low, high, colors=shades, lw=width, alpha=0.45, zorder=3)
    reached, out = own["observed"].to_numpy(float), ~own["inside_95"].to_numpy(bool)
    for name in here:
        colour, marker = looks[name]
        at = names == name
        panel.scatter(x[at], reached[at], marker=marker, s=38, color=colour, edgecolors=OUTCOME, linewidths=0.9,
                      zorder=5, label=f"outcome {name}")  # fmt: skip
    panel.scatter(x[out], reached[out], s=130, facecolors="none", edgecolors=ALARM, linewidths=1.3, zorder=6,
                  label="outside")  # fmt: skip


def _draw_fitted(panel: Axes, fitted: pd.DataFrame, looks: dict[str, Look], column: str) -> None:
    names = _series(fitted)
    for name in names.unique():
        colour, marker = looks.get(name, OTHER)
        own = fitted[names == name]
        panel.scatter(own["flops"], own[column], s=16, color=colour, marker=marker, edgecolors="white", linewidths=0.5,
                      zorder=4, label=f"fitted {name}")  # fmt: skip
    if "chance" in fitted and fitted["chance"].notna().any():
        panel.axhline(fitted["chance"].median(), color=GREY, lw=0.8, ls="--", zorder=1)
    if len(fitted):
        panel.axvline(fitted["flops"].max(), color="0.6", lw=0.8, zorder=1)


def _dress_panel(panel: Axes, benchmark: str, note: str) -> None:
    panel.set_xscale("log")
    panel.set_title(benchmark, fontsize=NORMAL, fontweight="bold", loc="left", pad=3)
    if note:
        panel.text(
            0.03, 0.97, fill(note, 34), transform=panel.transAxes, fontsize=SMALL, color=ALARM, va="top", style="italic"
        )
        low, high = panel.get_ylim()
        panel.set_ylim(low, high + 0.22 * (high - low))
    panel.tick_params(labelsize=SMALL, length=3)
    panel.tick_params(which="minor", length=0, labelbottom=False)
    panel.grid(axis="y", color="0.88", lw=0.6)
    panel.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure, looks: dict[str, Look]) -> None:
    handles = [
        Line2D([], [], color=colour, marker=marker, ms=4.5, lw=0, label=name)
        for name, (colour, marker) in looks.items()
    ]
    handles += [
        Line2D([], [], color="0.5", lw=BARS[1][1], label="forecast of a new run: 50, 80, 95 %"),
        Line2D([], [], color="0.8", marker="o", ms=6.5, lw=0, mec=OUTCOME, label="what happened"),
        Line2D([], [], color="none", marker="o", ms=10, lw=0, mec=ALARM, mew=1.3, label="outside the 95 %"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=NORMAL, frameon=False)
