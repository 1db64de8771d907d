"""One panel over compute: its axes, its note, and the edge of the data."""

from __future__ import annotations

from textwrap import fill

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, LogFormatterMathtext, MaxNLocator

from bayes_scaling.forecasting.notes import joined, remarks_of
from bayes_scaling.reporting.canvas import ALARM, BEYOND, GREY, NORMAL, SMALL
from bayes_scaling.reporting.curves import View

MARGIN = 0.02  # beyond the range of a response
DECADES_PER_INCH = 1.8  # beyond this, every second decade is labelled


def remark(panel: Axes, view: View, ahead: xr.Dataset) -> float:
    """Write what a forecast notes of all rows into its panel; return the share of the height that it needs above."""
    notes = [remarks_of(note) for note in ahead["note"].to_numpy()]
    text = joined(part for part in notes[0] if all(part in note for note in notes))
    if not (text and view.response.per_benchmark) or str(ahead["benchmark"].to_numpy()[0]) not in view.benchmarks:
        return 0.0  # notes of an average are those of its benchmarks
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}
    panel.text(0.03, 0.96, fill(text, 30), transform=panel.transAxes, va="top", fontsize=SMALL,
               color=ALARM, style="italic", zorder=9, bbox=box)  # fmt: skip
    return 0.22


def dress(panel: Axes, runs: pd.DataFrame, view: View, benchmark: str, low: float, high: float) -> None:
    """Scales, limits, chance level, and where the data end."""
    own = view.of_panel(runs, benchmark)
    end, left, right = own["flops"].max(), view.grid[0] / 1.6, view.grid[-1] * 1.02
    chance = own["chance"].median() if view.response.per_benchmark and "chance" in own else np.nan
    if np.isfinite(chance):
        panel.axhline(chance, color=GREY, lw=0.8, ls="--", zorder=1.5, label="chance")
        low, high = min(low, chance), max(high, chance)
    panel.axvspan(end, right, color=BEYOND, lw=0, zorder=0, label="beyond the data")
    panel.axvline(end, color="0.6", lw=0.8, zorder=1)
    panel.set_xscale("log")
    panel.set_xlim(left, right)
    pad = 0.06 * max(high - low, 0.02)
    response = view.response
    panel.set_ylim(max(low - pad, response.low - MARGIN), min(high + pad, response.high + MARGIN))
    panel.set_title(benchmark, fontsize=NORMAL, fontweight="bold", loc="left", pad=3)
    first, last = int(np.ceil(np.log10(left))), int(np.floor(np.log10(right)))
    step = 1 if last - first <= DECADES_PER_INCH * panel.get_window_extent().width / panel.figure.dpi else 2
    panel.xaxis.set_major_locator(FixedLocator([10.0**e for e in range(last, first - 1, -step)][::-1]))
    panel.xaxis.set_major_formatter(LogFormatterMathtext())
    panel.xaxis.set_minor_locator(FixedLocator([10.0**e for e in range(first, last + 1)]))
    panel.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    panel.tick_params(labelsize=SMALL, length=3)
    panel.tick_params(which="minor", length=2, labelbottom=False)
    panel.grid(axis="y", color="0.88", lw=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
