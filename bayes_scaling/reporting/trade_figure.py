"""Training against samples: compute at equal pass@k, and what both together cost (`plot_trade`)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.intervals import observed_quantile
from bayes_scaling.reporting.canvas import COLOURS, GREY, MARKERS, NORMAL, SMALL, InlineFigure
from bayes_scaling.reporting.headings import around_answer


def plot_trade(found: xr.Dataset) -> Figure:
    """Draw the training compute that reaches the target with k samples, and the cost of training and sampling.

    Lines are medians and bands hold 80 % of the draws; numbers at the lower edge are the probability that this k is
    the cheapest.  Where a band leaves the figure, more than a tenth of the draws never reach the target.

    Parameters
    ----------
    found : Dataset
        From `trade`.

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
    >>> fit = bs.Fit.load("pass_at_k.nc")
    >>> bs.plot_trade(bs.trade(fit, 0.5, queries="1M", tokens_per_sample=500, seed=1)).savefig("trade.png")
    """
    if not (isinstance(found, xr.Dataset) and {"cost", "cheapest"} <= set(found)):
        raise DataError("plot_trade needs what bs.trade returns")
    figure = InlineFigure(figsize=(8.2, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    for place, ratio in enumerate(found["tokens_per_param"].to_numpy()):
        own = found.sel(tokens_per_param=ratio)
        for panel, name in ((left, "flops"), (right, "cost")):
            _draw(panel, own[name], place, f"{ratio:.3g} tokens per parameter")
    for tries in found["k"].to_numpy():
        share = 100 * float(found["cheapest"].sel(k=tries).sum())
        right.annotate(f"{share:.0f}", (tries, 0.02), xycoords=("data", "axes fraction"), ha="center", fontsize=SMALL)
    for panel, label in ((left, "training compute [FLOPs]"), (right, "training and sampling [FLOPs]")):
        panel.set_xscale("log", base=2)
        panel.set_yscale("log")
        panel.set_xticks(found["k"].to_numpy(), [str(k) for k in found["k"].to_numpy()])
        panel.set_xlabel("samples for each problem, k", fontsize=NORMAL)
        panel.set_ylabel(label, fontsize=NORMAL)
        panel.tick_params(labelsize=SMALL, length=3)
        panel.grid(color="0.92", lw=0.6)
        panel.spines[["top", "right"]].set_visible(False)
    left.set_title("at equal pass@k: median and 80 %", fontsize=SMALL, color=GREY, loc="left")
    right.set_title("numbers: probability of costing least [%]", fontsize=SMALL, color=GREY, loc="left")
    if found.sizes["tokens_per_param"] > 1:
        left.legend(fontsize=SMALL, frameon=False)
    around_answer(figure, "Training against samples", found.attrs)
    return figure


def _draw(panel: Axes, draws: xr.DataArray, place: int, label: str) -> None:
    """One line with its band over k."""
    colour = COLOURS[place % len(COLOURS)]
    values = draws.transpose("k", "chain", "draw").to_numpy().reshape(draws.sizes["k"], -1)
    low, middle, high = observed_quantile(values, [0.1, 0.5, 0.9], axis=1)
    finite = np.isfinite(middle)
    k = draws["k"].to_numpy()
    top = 3 * middle[finite].max() if finite.any() else 1.0
    shown = np.isfinite(low)
    upper = np.where(np.isfinite(high), high, 1e6 * top)
    panel.fill_between(k[shown], low[shown], upper[shown], color=colour, alpha=0.25, lw=0)
    panel.plot(k[finite], middle[finite], color=colour, lw=1.8, marker=MARKERS[place % len(MARKERS)], ms=4, label=label)
    if finite.any():
        reached = min(10 * top, 1.5 * upper.max())
        least, most = panel.get_ylim() if place else (np.inf, 0.0)
        panel.set_ylim(min(least, low[shown].min() / 2), max(most, reached))
