"""How many models of the next period stayed below a boundary, by period and method (`plot_boundary_coverage`)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bayes_scaling.errors import DataError
from bayes_scaling.files.frames import as_frame
from bayes_scaling.messages import listed
from bayes_scaling.reporting.canvas import COLOURS, GREY, MARKERS, NORMAL, SMALL, canvas, fine_print
from bayes_scaling.reporting.headings import heading

NEEDED = ("scored", "benchmark", "method", "coverage", "tau")


def plot_boundary_coverage(validation: pd.DataFrame, *, ncols: int = 3) -> Figure:
    """Draw the share of models of each period that scored below the boundary of the period before.

    One panel a benchmark.  The dashed line is the share that should; above it the boundary was too high, below it too
    low.  Bars reach two standard errors, over resamples of base models, where these were computed.

    Parameters
    ----------
    validation : DataFrame
        From `next_period`.
    ncols : int
        Panels side by side.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        The table is not one of `next_period`.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> table = bs.next_period(bs.simulated_board(models=400, seed=1), estimators=["binned"], posterior=False)
    >>> bs.plot_boundary_coverage(table).savefig("coverage.png")
    """
    table = as_frame(validation, "the validation", example="bs.next_period makes one")
    if absent := [name for name in NEEDED if name not in table]:
        raise DataError(f"plot_boundary_coverage needs the table of next_period; columns {listed(absent)} are missing")
    if table.empty:
        raise DataError("the table of next_period is empty")
    benchmarks, methods = list(table["benchmark"].unique()), list(table["method"].unique())
    periods = sorted(table["scored"].unique())
    figure, panels = canvas(len(benchmarks), max(1, min(ncols, len(benchmarks))), "share of models below", (3.2, 2.3))
    for panel, name in zip(panels, benchmarks, strict=True):
        own = table[table["benchmark"] == name]
        panel.axhline(own["tau"].iloc[0], color=GREY, lw=0.9, ls="--", zorder=1)
        for number, method in enumerate(methods):
            rows = own[own["method"] == method]
            shift = 0.7 * ((number + 0.5) / len(methods) - 0.5)
            at = rows["scored"].map(periods.index).to_numpy(float) + shift
            panel.errorbar(
                at, rows["coverage"], yerr=_bars(rows), fmt=MARKERS[number % len(MARKERS)], ms=4, lw=1,
                color=COLOURS[number % len(COLOURS)], label=method, zorder=3,
            )  # fmt: skip
        panel.set_xticks(np.arange(len(periods)), [str(one) for one in periods], fontsize=SMALL)
        panel.set_xlim(-0.5, len(periods) - 0.5)
        panel.set_xlabel("period that was scored", fontsize=NORMAL)
        panel.set_title(name, fontsize=NORMAL, fontweight="bold", loc="left", pad=3)
        panel.tick_params(labelsize=SMALL, length=3)
        panel.grid(axis="y", color="0.9", lw=0.6)
        panel.spines[["top", "right"]].set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=NORMAL, frameon=False)
    heading(figure, "Models of each period below the boundary of the period before")
    fine_print(figure, ["dashes: the share that should lie below; bars: two standard errors"])
    return figure


def _bars(rows: pd.DataFrame) -> np.ndarray | None:
    """How far bars reach down and up: two standard errors, and no further than shares can."""
    if "coverage_se" not in rows:
        return None
    share, reach = rows["coverage"].to_numpy(), 2 * rows["coverage_se"].fillna(0).to_numpy()
    return np.stack([np.minimum(reach, share), np.minimum(reach, 1 - share)])
