"""A law over compute with the data (`plot_law`), and what other figures share with it.

Several laws in one panel are in `laws_figure`, exponents in `exponents_figure`.

Every function returns a matplotlib ``Figure`` of its own: no pyplot state, no global settings, so a script
without a display and a notebook get the same figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayes_scaling.forecasting.forecast import drawn_forecast
from bayes_scaling.forecasting.intervals import interval, row_draws
from bayes_scaling.forecasting.law_uncertainty import law_text
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.reporting.averages import averaged_forecast, name_of_average, with_averages
from bayes_scaling.reporting.canvas import (
    COLOURS,
    EXPECTATION,
    GREY,
    NEW_RUN,
    NORMAL,
    SMALL,
    canvas,
    footer,
    verdicts_of,
)
from bayes_scaling.reporting.curves import Labels, View, path_text, plan_along, points_of, view_of
from bayes_scaling.reporting.headings import fitted_to, heading, name_of_law
from bayes_scaling.reporting.panels import dress, remark
from bayes_scaling.reporting.planned_bars import draw_planned, legend_of_planned

OPACITY = {True: (0.32, 0.13), False: (0.22, 0.06)}  # one curve or several -> expectation, new run


def plot_law(
    fit: Fit | Average,
    *,
    benchmarks: Sequence[str] | None = None,
    mixtures: Sequence[str] | str | None = None,
    labels: Labels = None,
    reach: float = 1.0,
    probabilities: Sequence[float] = (0.5, 0.8, 0.95),
    ncols: int = 4,
    later: pd.DataFrame | None = None,
    planned: pd.DataFrame | None = None,
    average: bool = False,
    seed: int | None = None,
    even_if_not_converged: bool = False,
) -> Figure:
    """Draw how scores rise with training compute: the runs, the law with its bands, and what lies beyond.

    One panel a benchmark.  The line is the median of the expectation; the darker band holds the
    expectation (the law itself), the lighter one with dotted edges a new run evaluated once.  With several
    mixtures each has its own colour and one band, of the middle one of ``probabilities``.  A model that
    reads sizes and tokens is followed along the median tokens per parameter of the runs.

    Parameters
    ----------
    fit : Fit or Average
        `plot_laws` draws the laws of an average beside it.
    benchmarks, mixtures : sequence of str, optional
        What to show; everything that the fit saw by default.
    labels : mapping, optional
        Further labels to show, for a model that varies over them: ``{"family": ["A", "B"]}``.
    reach : float
        How far to go beyond the runs [decades of FLOPs].
    probabilities : sequence of float
        What the bands hold.
    ncols : int
        Panels side by side.
    later : DataFrame, optional
        Runs that the fit did not see, with ``benchmark``, ``mixture``, ``flops`` and ``score``: drawn as
        stars, to compare the forecast with what happened.
    planned : DataFrame, optional
        A plan, as `forecast` takes it: the forecast of each of its runs is drawn as a bar, in black where the fit saw
        no run of its labels.  Runs at another ratio of tokens to parameters than the curves lie off them.
    average : bool
        Add a panel for the average over the benchmarks shown; its points are runs that have a score on each.
    seed : int, optional
        The same seed gives the same bands.
    even_if_not_converged : bool
        Draw a fit that failed its verdict; the figure says so in red.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        The fit saw no such benchmark or mixture, an argument is out of range, there is nothing to average, or all that
        the fit forecasts is pass@k, which depends on k as well.
    FitError
        The fit did not converge.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> figure = bs.plot_law(bs.Fit.load("power_law.nc"), mixtures="C4", seed=1)
    >>> figure.savefig("power_law.png")
    """
    fit.require_converged(even_if_not_converged=even_if_not_converged)
    bars = None if planned is None else drawn_forecast(fit, planned, seed=seed, even_if_not_converged=True)
    furthest = [part["flops"].to_numpy() for part in (later, bars) if part is not None]
    view = view_of(fit, benchmarks, {"mixture": mixtures, **(labels or {})}, reach, probabilities, furthest)
    tests, response = view.benchmarks, view.response
    tables = fit.runs, later
    if average:
        runs = with_averages(fit.runs, tests, response)
        tables = runs, None if later is None else with_averages(later, tests, response)
    names = (*tests, name_of_average(tests)) if average else tests
    figure, panels = canvas(len(names), max(1, min(ncols, len(names))), response.label)
    for panel, name in zip(panels, names, strict=True):
        low, high = _draw_bands(panel, _along(fit, view, name, seed), view)
        low, high = _draw_runs(panel, view, name, *tables, low, high)
        if bars is not None and (own := _of_panel(bars, view, name)) is not None:
            least, most = draw_planned(panel, own, view, fit.runs)
            low, high = min(low, least), max(high, most)
        dress(panel, tables[0], view, name, low, high)
    if view.grid[-1] > fit.runs["flops"].max():
        panels[0].set_title("beyond the data", fontsize=SMALL, color=GREY, loc="right", pad=3)
    _legend(figure, view, later is not None, bars is not None)
    heading(figure, f"{name_of_law(fit)}, {fitted_to(fit.runs)}")
    footer(figure, verdicts_of(fit.laws), f"{path_text(fit)}{law_text([fit])}; {EXPECTATION}, {NEW_RUN}")
    return figure


def _along(fit: Fit | Average, view: View, name: str, seed: int | None) -> xr.Dataset:
    """The forecast along the grid that a panel shows."""
    tests = (name,) if name in view.benchmarks else view.benchmarks
    plan = pd.concat([plan_along(fit, view, benchmark) for benchmark in tests], ignore_index=True)
    ahead = drawn_forecast(fit, plan, seed=seed, even_if_not_converged=True)
    return ahead if name in view.benchmarks else averaged_forecast(ahead, view.benchmarks)


def _of_panel(bars: xr.Dataset, view: View, name: str) -> xr.Dataset | None:
    """The forecast of the planned runs that a panel shows, if any."""
    if not view.response.per_benchmark:
        return bars
    if name not in view.benchmarks:
        own = averaged_forecast(bars, view.benchmarks)
    else:
        own = bars.isel(row=(bars["benchmark"].astype(str) == name).to_numpy())
    return own if own.sizes["row"] else None


def _draw_bands(panel: Axes, ahead: xr.Dataset, view: View) -> tuple[float, float]:
    """Draw median lines and bands of one panel; return the range that they fill."""
    low, high = np.inf, -np.inf
    for curve, rows in zip(view.curves, np.split(np.arange(ahead.sizes["row"]), len(view.curves)), strict=True):
        colour, name = curve.colour, curve.name
        part = ahead.isel(row=rows)
        x, (dark, light) = part["flops"].to_numpy(), OPACITY[len(view.curves) == 1]
        lower, upper = interval(row_draws(part[view.response.name]), view.headline)
        panel.fill_between(x, lower, upper, color=colour, alpha=light, lw=0, zorder=2, label=f"new run {name}")
        panel.plot(x, np.c_[lower, upper], color=colour, lw=0.7, ls=(0, (1, 2)), zorder=3)
        mean = part[view.response.mean_name]
        for share in view.nested:
            low_end, high_end = interval(row_draws(mean), share)
            alpha, label = dark / len(view.nested) ** 0.5, f"expectation {share:g} {name}"
            panel.fill_between(x, low_end, high_end, color=colour, alpha=alpha, lw=0, zorder=2.5, label=label)
        panel.plot(x, mean.median(("chain", "draw")), color=colour, lw=1.4, zorder=4, label=f"median {name}")
        low, high = min(low, lower.min()), max(high, upper.max())
    return low, high + remark(panel, view, ahead) * (high - low)


def _draw_runs(
    panel: Axes, view: View, name: str, runs: pd.DataFrame, later: pd.DataFrame | None, low: float, high: float
) -> tuple[float, float]:
    """Draw the runs that the fit saw, and stars for later ones; widen the range to hold them."""
    for series, flops, scores, seen in points_of(view, name, runs, later):
        if seen:
            panel.scatter(flops, scores, s=17, marker=series.marker, color=series.colour, edgecolors="white",
                          linewidths=0.5, zorder=6, label=f"runs {series.name}")  # fmt: skip
        else:  # an open star: the curve that it is compared with can be seen through it
            panel.scatter(flops, scores, s=80, marker="*", facecolors="none", edgecolors="black", linewidths=0.9,
                          zorder=7, label=f"later {series.name}")  # fmt: skip
            panel.scatter(flops, scores, s=9, marker=series.marker, color=series.colour, lw=0, zorder=8, label="_")
        low, high = min(low, scores.min()), max(high, scores.max())
    return low, high


def _legend(figure: Figure, view: View, later: bool, planned: bool) -> None:
    width = 1.4 if view.apart or len(view.series) == 1 else 0
    handles: list[Any] = [
        Line2D([], [], color=series.colour, marker=series.marker, ms=5, lw=width, label=series.name)
        for series in view.series
    ]
    shades = ", ".join(f"{100 * p:g}" for p in view.nested[::-1])
    shade = COLOURS[0] if len(view.series) == 1 else "0.4"
    handles += [
        Patch(color=shade, alpha=0.5, lw=0, label=f"expectation: median, {shades} %"),
        Patch(facecolor=(0.6, 0.6, 0.6, 0.25), edgecolor=shade, ls=":", label=f"new run: {100 * view.headline:g} %"),
    ]
    if view.response.per_benchmark:  # a loss has no chance level
        handles.append(Line2D([], [], color=GREY, lw=0.8, ls="--", label="chance"))
    if planned:
        handles.append(legend_of_planned(view))
    if later:
        label = "held out: not seen by the fit"
        handles.append(Line2D([], [], color="none", lw=0, marker="*", ms=10, mec="black", mew=0.9, label=label))
    columns = len(handles) if figure.get_figwidth() > 10 else 3
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, fontsize=NORMAL, frameon=False)
