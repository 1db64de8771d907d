"""The boundary of released models over compute, with the cloud of models (`plot_boundary`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bayes_scaling.boundaries.estimators import TAU
from bayes_scaling.boundaries.fitting import BoundaryFit
from bayes_scaling.boundaries.quantiles import NORMAL as NORMAL_TAIL
from bayes_scaling.boundaries.quantiles import boundary
from bayes_scaling.boundaries.scores import BASE, BENCHMARK, PERIOD
from bayes_scaling.data.sizes import size_text
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.intervals import interval
from bayes_scaling.messages import suggest
from bayes_scaling.reporting.canvas import BEYOND, COLOURS, GREY, MARKERS, NORMAL, SMALL, canvas, footer
from bayes_scaling.reporting.headings import heading

PLACES = 60  # along a curve
STYLES = ("-", "--", "-.", ":")
EACH = "each"
BANDS = (0.5, 0.9)


def plot_boundary(
    fit: BoundaryFit,
    *,
    benchmarks: Sequence[str] | None = None,
    period: str | None = None,
    tau: float = TAU,
    tail: str | None = None,
    reach: float = 0.5,
    ncols: int = 3,
    seed: int | None = None,
    even_if_not_converged: bool = False,
) -> Figure:
    """Draw what released models reach at every compute: the models, the boundary, and how sure it is.

    One panel a benchmark.  The line is the median of the boundary for new models, the bands hold it with 50 and 90 %
    probability.  With ``period="each"`` every period has a line, its 90 % band, and points of its own.

    Parameters
    ----------
    fit : BoundaryFit
    benchmarks : sequence of str, optional
        What to show; everything that was fitted by default.
    period : str, optional
        A fitted period, "next", or "each" for all of them; by default the last.
    tau : float
        Share of models that score below the boundary.
    tail : str, optional
        As for `boundary`.
    reach : float
        How far to go beyond the fitted compute [decades of FLOPs].
    ncols : int
        Panels side by side.
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
        No such benchmark or period was fitted, or an argument is out of range.
    FitError
        The fit did not converge.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.fit_boundary(bs.simulated_board(models=300, seed=1), seed=1, chains=2, progress=False)
    >>> bs.plot_boundary(fit, period="each").savefig("boundary.png")
    """
    fit.require_converged(even_if_not_converged=even_if_not_converged)
    shown = list(fit.cells.benchmarks) if benchmarks is None else list(benchmarks)
    for name in shown:
        if name not in fit.cells.benchmarks:
            raise DataError(f"no benchmark {name!r} was fitted; {suggest(name, fit.cells.benchmarks)}")
    if not shown or not 0 <= reach <= 4:
        raise DataError(f"plot_boundary needs a benchmark, and reach from 0 to 4 decades, not {reach!r}")
    periods = list(fit.cells.periods) if period == EACH else [period or fit.cells.periods[-1]]
    figure, panels = canvas(len(shown), max(1, min(ncols, len(shown))), "score", (3.2, 2.5))
    low, high = fit.cells.span
    flops = 10 ** np.linspace(low, high + reach, PLACES)
    drawn = [
        boundary(fit, list(flops), tau, period=one, tail=tail, seed=seed, even_if_not_converged=True) for one in periods
    ]
    for panel, name in zip(panels, shown, strict=True):
        models = fit.scores[fit.scores[BENCHMARK] == name]
        _cloud(panel, models, periods if period == EACH else None)
        for number, one in enumerate(periods):
            flat = (
                drawn[number]
                .sel(benchmark=name)
                .stack(sample=("chain", "draw"))
                .transpose("flops", "sample")
                .to_numpy()
            )
            _curve(panel, flops, flat, number, one, BANDS if len(periods) == 1 else BANDS[-1:])
        _dress(panel, name, models, flops, 10**high)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=NORMAL, frameon=False)
    normal = drawn[0].attrs["tail"] == NORMAL_TAIL
    who = "new models of new base models" if normal else "models like the fitted ones"
    said = f"{100 * tau:.3g} % of {who} score below the line; dashes: chance; grey: beyond the data"
    number, largest = fit.scores[BASE].nunique(), size_text(fit.scores["flops"].max(), 2)
    heading(figure, f"What released models reach: {len(fit.scores)} scores, {number} base models up to {largest} FLOPs")
    footer(figure, [("boundary", fit.verdict)], said)
    return figure


def _cloud(panel: Axes, models: pd.DataFrame, periods: Sequence[str] | None) -> None:
    """One point a model, of a colour and marker for each period where these are told apart."""
    if periods is None:
        panel.scatter(models["flops"], models["score"], s=5, color=GREY, alpha=0.3, lw=0, zorder=2, label="models")
        return
    for number, period in enumerate(periods):
        own = models[models[PERIOD] == period]
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        panel.scatter(own["flops"], own["score"], s=6, color=colour, marker=marker, alpha=0.25, lw=0, zorder=2)


def _curve(
    panel: Axes, flops: np.ndarray, draws: np.ndarray, number: int, period: str, shares: Sequence[float]
) -> None:
    """Median and bands of the boundary of one period."""
    colour, style = COLOURS[number % len(COLOURS)], STYLES[number % len(STYLES)]
    for share in shares:
        lower, upper = interval(draws, share)
        label = f"{100 * share:.0f} % band" if len(shares) > 1 else None
        panel.fill_between(flops, lower, upper, color=colour, alpha=0.18, lw=0, zorder=3, label=label)
    panel.plot(flops, np.median(draws, axis=1), color=colour, ls=style, lw=1.6, zorder=4, label=f"boundary, {period}")


def _dress(panel: Axes, name: str, models: pd.DataFrame, flops: np.ndarray, end: float) -> None:
    """Scales, limits, chance level, and where the data end."""
    chance = models["chance"].median()
    if np.isfinite(chance):
        panel.axhline(chance, color=GREY, lw=0.8, ls="--", zorder=1.5)
    panel.axvspan(end, flops[-1] * 1.02, color=BEYOND, lw=0, zorder=0)
    panel.set_xscale("log")
    panel.set_xlim(flops[0] / 1.3, flops[-1] * 1.02)
    panel.set_ylim(bottom=max(-0.02, models["score"].min() - 0.03), top=min(1.02, panel.get_ylim()[1]))
    panel.set_title(name, fontsize=NORMAL, fontweight="bold", loc="left", pad=3)
    panel.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    panel.tick_params(labelsize=SMALL, length=3)
    panel.grid(axis="y", color="0.88", lw=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
