"""The compute that targets need, with intervals and the probability that it is never enough (`plot_compute_for`)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from bayes_scaling.decisions.compute_targets import summarise_compute
from bayes_scaling.errors import DataError
from bayes_scaling.reporting.canvas import BEYOND, COLOURS, GREY, NORMAL, SMALL, InlineFigure
from bayes_scaling.reporting.headings import around_answer

ROW, MARGIN = 0.34, 2.1  # inches


def plot_compute_for(found: xr.Dataset) -> Figure:
    """Draw the compute that each benchmark needs for its target.

    The dot is the compute that suffices with 50 % probability, the bar holds 80 % of the draws, an arrow goes on where
    they leave the figure, and the number at the right is the probability that no compute within reach suffices.  Beyond
    the largest fitted run the figure is grey.

    Parameters
    ----------
    found : Dataset
        From `compute_for`.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        It is not such a Dataset.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> bs.plot_compute_for(bs.compute_for(fit, 0.7, mixture="C4", seed=1)).savefig("compute.png")
    """
    if not (
        isinstance(found, xr.Dataset)
        and "flops" in found
        and "target" in found.coords
        and "largest_flops" in found.attrs
    ):
        raise DataError("plot_compute_for needs what bs.compute_for returns")
    table = summarise_compute(found)
    several = table["mixture"].nunique() > 1
    finite = found["flops"].to_numpy()[np.isfinite(found["flops"].to_numpy())]
    largest = float(found.attrs["largest_flops"])
    ends = np.quantile(finite, [0.01, 0.99]) if len(finite) else [largest / 10, largest * 10]
    low, high = min(ends[0], largest) / 1.5, max(ends[1], largest) * 3
    figure = InlineFigure(figsize=(6.9, ROW * len(table) + MARGIN), layout="constrained")
    panel = figure.subplots()
    mixtures = list(table["mixture"].unique())
    for place, row in enumerate(table.to_dict("records")):
        colour = COLOURS[mixtures.index(row["mixture"]) % len(COLOURS)]
        end = min(row["upper_80"], high)
        if row["lower_80"] < high:
            panel.plot([row["lower_80"], end], [place, place], color=colour, lw=3, alpha=0.45, solid_capstyle="butt")
        if row["upper_80"] > high:
            panel.plot(high, place, marker=">", color=colour, ms=6, clip_on=False)
        if row["enough_50"] <= high:
            panel.plot(row["enough_50"], place, marker="o", color=colour, ms=5)
        panel.annotate(f"{100 * row['never']:.0f} %", (1.01, place), xycoords=("axes fraction", "data"),
                       va="center", fontsize=SMALL)  # fmt: skip
    names = [f"{r['benchmark']} ≥ {r['target']:.3g}" + (f", {r['mixture']}" if several else "") for r in
             table.to_dict("records")]  # fmt: skip
    _dress(panel, names, low, high, largest)
    panel.set_title(f"where {found.attrs['asked_of']} reaches the target: median and 80 %; grey: beyond the runs",
                    fontsize=SMALL, color=GREY, loc="left")  # fmt: skip
    around_answer(figure, "Compute that targets need", found.attrs)
    return figure


def _dress(panel: Axes, names: list[str], low: float, high: float, largest: float) -> None:
    """Rows, scales, and where the data end."""
    panel.set_yticks(range(len(names)), names, fontsize=NORMAL)
    panel.set_ylim(len(names) - 0.4, -0.6)
    panel.set_xscale("log")
    panel.set_xlim(low, high)
    panel.xaxis.set_major_locator(LogLocator(numticks=12))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.axvspan(largest, high, color=BEYOND, lw=0, zorder=0)
    panel.set_xlabel("training compute [FLOPs]", fontsize=NORMAL)
    panel.annotate("never", (1.01, 1.01), xycoords="axes fraction", fontsize=SMALL, color=GREY)
    panel.tick_params(labelsize=SMALL, length=3)
    panel.grid(axis="x", color="0.9", lw=0.6)
    panel.spines[["top", "right"]].set_visible(False)
