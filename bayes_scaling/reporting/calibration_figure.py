"""Coverage of intervals against what they promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.backtest.backtesting import Backtest
from bayes_scaling.evaluation.scores import DISTANCE, binned, resampled
from bayes_scaling.files.frames import dataset_of
from bayes_scaling.forecasting.intervals import interval
from bayes_scaling.reporting.canvas import ALARM, COLOURS, GREY, NORMAL, SMALL, canvas, dashes, fine_print
from bayes_scaling.reporting.headings import heading

LEVELS = np.linspace(0.02, 0.98, 49)


SHADE = 0.9  # of the bootstrap band


def plot_calibration(
    past: Backtest | pd.DataFrame, *, by: str = DISTANCE, law: str | None = None, ncols: int = 3, seed: int = 0
) -> Figure:
    """Draw how many outcomes fell inside intervals that should hold a given share of them, by distance.

    Below the diagonal intervals are too narrow.  The shade is a 90 % bootstrap interval over runs: where few runs
    were forecast, it is wide.

    Parameters
    ----------
    past : Backtest or DataFrame
        Or the scores of one.
    by : str
        What the colours stand for: "distance" (decades of compute beyond the fitted runs), "split", "benchmark",
        "mixture" or another column of the scores.
    law : str, optional
        Only this law; by default a panel for each.
    ncols : int
        Panels side by side.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        There is no such law or column.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> runs = bs.load_dataset("gadre2024")
    >>> past = bs.backtest([], runs[runs["benchmark"] == "hellaswag"], baselines="direct", seed=1, progress=False)
    >>> bs.plot_calibration(past.scores).savefig("calibration.png")
    """
    scores = past.scores if isinstance(past, Backtest) else past
    laws = _chosen(scores, law)
    table = scores.assign(**{DISTANCE: binned(scores["decades_beyond"])})
    if not isinstance(by, str) or by not in table:
        raise DataError(f"the scores have no column {by!r}; they have {list(scores.columns)}")
    shown = table.loc[table["law"].isin(laws), by]
    values = shown.cat.categories if by == DISTANCE else shown.unique()
    there = [v for v in values if (shown == v).any()]
    looks: dict[Any, dict[str, Any]] = {
        v: {"color": COLOURS[i % len(COLOURS)], "ls": dashes(i, len(COLOURS))} for i, v in enumerate(there)
    }
    figure, panels = canvas(len(laws), max(1, min(ncols, len(laws))), "observed coverage", (3.0, 2.6))
    for panel, name in zip(panels, laws, strict=True):
        own = table[table["law"] == name]
        for value, look in looks.items():
            _draw_coverage(panel, own[own[by] == value], look, f"{value}", seed)
        _dress_unit(panel, name, bool(own["converged"].all()))
    runs = table[table["law"].isin(laws)].groupby(by, observed=True)["run"].nunique()
    labels = [f"{_said(v, by)} ({runs[v]} run{'s' if runs[v] > 1 else ''})" for v in looks]
    handles = [Line2D([], [], **look, lw=1.8, label=v) for v, look in zip(labels, looks.values(), strict=True)]
    columns = max(1, int(figure.get_figwidth() / (0.075 * max(map(len, labels)) + 0.5)))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, fontsize=NORMAL, frameon=False)
    dataset = dataset_of(past.runs) if isinstance(past, Backtest) else ""
    heading(figure, f"How often outcomes fell inside intervals of new runs{f', {dataset}' if dataset else ''}")
    fine_print(figure, ["below the diagonal intervals are too narrow; shade: 90 % interval, by resampling runs"])
    return figure


def _said(value: object, by: str) -> str:
    if by != DISTANCE:
        return str(value)
    return "within the fitted runs" if value == "0" else f"{value} decades beyond"


def _chosen(scores: pd.DataFrame, law: str | None) -> list[str]:
    known = list(scores["law"].unique())
    if law is not None and law not in known:
        raise DataError(f"the backtest has no law {law!r}; it has {known}")
    return known if law is None else [law]


def _draw_coverage(panel: Axes, own: pd.DataFrame, look: dict[str, Any], label: str, seed: int) -> None:
    """Share of outcomes inside central intervals of every probability, from where they fell among the draws."""
    if own.empty:
        return
    inside = np.abs(2 * own["pit"].to_numpy()[:, None] - 1) <= LEVELS
    runs = own["run"].astype(str).to_numpy()
    panel.plot(LEVELS, inside.mean(axis=0), **look, lw=1.8, label=label)
    if len(set(runs)) > 1:
        low, high = interval(resampled(inside, runs, seed=seed), SHADE, axis=0)
        panel.fill_between(LEVELS, low, high, color=look["color"], alpha=0.13, lw=0)


def _dress_unit(panel: Axes, name: str, converged: bool) -> None:
    panel.plot([0, 1], [0, 1], color=GREY, lw=0.8, ls="--")
    panel.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    panel.set_xlabel("nominal coverage", fontsize=NORMAL)
    panel.set_title(name, fontsize=NORMAL, fontweight="bold", loc="left", pad=3)
    if not converged:
        panel.text(0.97, 0.03, "some fits did not converge", color=ALARM, fontsize=SMALL, ha="right")
    panel.tick_params(labelsize=SMALL, length=3)
    panel.grid(color="0.9", lw=0.6)
    panel.spines[["top", "right"]].set_visible(False)
