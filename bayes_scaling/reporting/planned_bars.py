"""Planned runs in a figure over compute: a bar for the forecast of each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bayes_scaling.forecasting.intervals import interval, row_draws
from bayes_scaling.reporting.canvas import COLOURS
from bayes_scaling.reporting.curves import Series, View

NUDGE = 0.018  # step from the bars of one series to those of the next, as a share of the range of compute
WIDEST, NARROWEST = 6.0, 1.2  # bars of the least and the largest probability [points]
OF_NONE = COLOURS[-1]  # of runs with a label that the fit did not see


def draw_planned(panel: Axes, ahead: xr.Dataset, view: View, runs: pd.DataFrame) -> tuple[float, float]:
    """Draw bars of a new run for every row of a forecast, with a diamond at its mean; return the range filled.

    Runs of a label that the fit saw and the figure does not show are left out.
    """
    low, high = np.inf, -np.inf
    table = pd.DataFrame({str(c): ahead[c].to_numpy() for c in ahead.coords if ahead[c].dims == ("row",)})
    draws = row_draws(ahead[view.response.name])
    step = 10 ** (NUDGE * np.log10(view.grid[-1] / view.grid[0]))
    widths = np.geomspace(WIDEST, NARROWEST, len(view.probabilities))
    for place, (colour, rows) in enumerate(_by_series(table, view.series, runs)):
        x = table["flops"].to_numpy(float)[rows] * step ** (place - (len(view.series) - 1) / 2)
        for probability, width in zip(view.probabilities, widths, strict=True):
            lower, upper = interval(draws[rows], probability)
            panel.vlines(x, lower, upper, color=colour, lw=width, alpha=0.55, zorder=7, label="planned bars")
            low, high = min(low, lower.min()), max(high, upper.max())
        panel.plot(x, draws[rows].mean(axis=1), "D", color="white", mec=colour, ms=4, mew=1.1, zorder=8,
                   label="planned")  # fmt: skip
    return low, high


def legend_of_planned(view: View) -> Line2D:
    """How the legend explains the bars."""
    shares = ", ".join(f"{100 * p:g}" for p in view.probabilities)
    look = {"marker": "D", "mfc": "white", "mec": "0.3", "ms": 4}
    return Line2D([], [], color="0.6", lw=3, label=f"planned run: mean, {shares} %", **look)  # type: ignore[arg-type]


def _by_series(table: pd.DataFrame, series: tuple[Series, ...], runs: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    """Colour and rows of the planned runs of every series, and of those with a label that the fit did not see."""
    found, taken = [], np.zeros(len(table), bool)
    for one in series:
        rows = table.index.isin(one.of(table).index) & ~taken
        taken |= rows
        found.append((one.colour, np.flatnonzero(rows)))
    new = np.zeros(len(table), bool)
    for column in series[0].labels:
        new |= ~table[column].astype(str).isin(runs[column].astype(str)).to_numpy() if column in table else False
    return [part for part in (*found, (OF_NONE, np.flatnonzero(new & ~taken))) if len(part[1])]
