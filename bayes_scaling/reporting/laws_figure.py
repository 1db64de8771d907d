"""Several laws in one panel (`plot_laws`), to see where they part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayes_scaling.data.fingerprints import plain
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.forecast import drawn_forecast
from bayes_scaling.forecasting.intervals import interval, row_draws
from bayes_scaling.forecasting.law_uncertainty import law_text
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.reporting.canvas import (
    COLOURS,
    EXPECTATION,
    GREY,
    NORMAL,
    SMALL,
    canvas,
    dashes,
    footer,
    verdicts_of,
)
from bayes_scaling.reporting.curves import View, Wanted, labels_of, path_text, plan_along, points_of, view_of
from bayes_scaling.reporting.headings import fitted_to, heading
from bayes_scaling.reporting.panels import dress, remark

type Style = tuple[str, Any]  # colour and dashes, as matplotlib takes them

INK = COLOURS[-1]  # of averages, and of the runs
SIZE = (4.2, 2.9)  # of a panel [inches]
OF_LAWS = COLOURS[:-1]
OF_AVERAGES = ((0, (5, 1.6)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))


def plot_laws(
    fits: Sequence[Fit | Average] | Mapping[str, Fit | Average],
    *,
    benchmarks: Sequence[str] | str | None = None,
    mixture: str | None = None,
    labels: Mapping[str, str] | None = None,
    reach: float = 1.0,
    behind: float | None = None,
    probability: float = 0.8,
    ncols: int = 2,
    later: pd.DataFrame | None = None,
    seed: int | None = None,
    even_if_not_converged: bool = False,
) -> Figure:
    """Draw several laws in one panel: where they agree on the runs, and where they part beyond.

    One panel a benchmark, one colour a law: the line is the median of the expectation, the band holds the
    expectation (the law itself; a single run scatters around it).  Averages are black, with a broken line and
    without filling.  Above the panels stands how many times the compute of the largest run is reached.

    Parameters
    ----------
    fits : sequence or mapping of Fit or Average
        All of the same runs.  A mapping gives the names to show; otherwise these are those of the models, and
        "average".
    benchmarks : sequence of str, optional
        What to show; everything that the fits saw by default.
    mixture : str, optional
        Which training mixture to show; by default the first of the runs.
    labels : mapping, optional
        Which of further labels to show, for models that vary over them: ``{"family": "A"}``; by default the first.
    reach : float
        How far to go beyond the runs [decades of FLOPs].
    behind : float, optional
        How far to go back from the largest run [decades of FLOPs], where laws seldom differ; to the smallest one by
        default.
    probability : float
        What the bands hold.
    ncols : int
        Panels side by side.
    later : DataFrame, optional
        Runs that no fit saw, with ``benchmark``, ``mixture``, ``flops`` and ``score``: drawn as stars.
    seed : int, optional
        The same seed gives the same bands.
    even_if_not_converged : bool
        Draw fits that failed their verdict; the figure says so in red.

    Returns
    -------
    Figure

    Raises
    ------
    DataError
        The fits cannot be drawn together (other runs, other responses, one name twice), saw no such benchmark or
        mixture, or an argument is out of range.
    FitError
        A fit did not converge.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fits = [bs.Fit.load("power_law.nc"), bs.Fit.load("power_law_ceiling.nc")]
    >>> bs.plot_laws(fits, benchmarks="hellaswag", seed=1).savefig("laws.png")
    """
    named = _named(fits)
    laws = list({id(law): law for fit in named.values() for law in fit.laws}.values())
    for law in laws:
        law.require_converged(even_if_not_converged=even_if_not_converged)
    views = _views(named, benchmarks, {"mixture": mixture, **(labels or {})}, reach, behind, probability, later)
    first, view, styles = next(iter(named.values())), next(iter(views.values())), _styles(named)
    columns = max(1, min(ncols, len(view.benchmarks)))
    figure, panels = canvas(len(view.benchmarks), columns, view.response.label, SIZE)
    for panel, benchmark in zip(panels, view.benchmarks, strict=True):
        plans = {name: plan_along(fit, views[name], benchmark) for name, fit in named.items()}
        ahead = {n: drawn_forecast(fit, plans[n], seed=seed, even_if_not_converged=True) for n, fit in named.items()}
        spans = [_draw_law(panel, ahead[name], view, name, style) for name, style in styles.items()]
        spans.append(_draw_runs(panel, first, view, benchmark, later))
        low, high = min(s[0] for s in spans), max(s[1] for s in spans)
        high += remark(panel, view, next(iter(ahead.values()))) * (high - low)
        dress(panel, first.runs, view, benchmark, low, high)
        _mark_distance(panel, first, view, benchmark)
    _legend(figure, styles, view, later)
    heading(figure, f"{len(laws)} law{'s' if len(laws) > 1 else ''}, {fitted_to(first.runs)}")
    walks = max((path_text(fit) for fit in named.values()), key=len)
    footer(figure, verdicts_of(laws), f"{walks}{law_text(list(named.values()))}; {EXPECTATION}")
    return figure


def _named(fits: Sequence[Fit | Average] | Mapping[str, Fit | Average]) -> dict[str, Fit | Average]:
    """Fits by the name that the legend shows."""
    if isinstance(fits, Mapping):
        named = dict(fits)
    else:
        names = ["average" if isinstance(fit, Average) else fit.model.name for fit in fits]
        if again := sorted({name for name in names if names.count(name) > 1}):
            raise DataError(f"{again} is there more than once; name them: plot_laws({{'one': fit, 'other': fit}})")
        named = dict(zip(names, fits, strict=True))
    if not named:
        raise DataError("there is nothing to draw; plot_laws([fit_of_one_law, fit_of_another]) takes some fits")
    first, *others = named
    runs = plain(named[first].runs)
    if apart := [name for name in others if not plain(named[name].runs).equals(runs)]:
        raise DataError(f"fits of {apart} were made on other runs than {first!r}: fit all laws to the same table")
    return named


def _views(
    named: dict[str, Fit | Average],
    benchmarks: Wanted,
    labels: Mapping[str, str | None],
    reach: float,
    behind: float | None,
    probability: float,
    later: pd.DataFrame | None,
) -> dict[str, View]:
    """What each law draws: the same benchmarks and grid, for one label of each kind."""
    runs = next(iter(named.values())).runs
    kinds = dict.fromkeys(("mixture", *(label for fit in named.values() for label in labels_of(fit)), *labels))
    one = {kind: labels.get(kind) or _first_label(runs, kind) for kind in kinds}
    shown = [] if later is None else [later["flops"].to_numpy(float)]
    views = {name: view_of(fit, benchmarks, one, reach, (probability,), shown) for name, fit in named.items()}
    responses = {name: view.response.name for name, view in views.items()}
    if len(set(responses.values())) > 1:
        raise DataError(f"one axis cannot hold {responses}; draw them apart")
    if behind is None:
        return views
    if not (np.isfinite(behind) and behind > 0):
        raise DataError(f"behind must be a number of decades above 0, not {behind!r}")
    return {name: _since(view, runs["flops"].max() / 10**behind) for name, view in views.items()}


def _first_label(runs: pd.DataFrame, column: str) -> str | None:
    there = runs[column].dropna() if column in runs else runs.iloc[:0]
    return str(there.iloc[0]) if len(there) else None


def _since(view: View, flops: float) -> View:
    """The same view without what needs less compute."""
    low = max(flops, view.grid[0])
    return replace(view, grid=np.geomspace(low, view.grid[-1], len(view.grid)))


def _styles(named: dict[str, Fit | Average]) -> dict[str, Style]:
    """Colour and dashes of every name."""
    averages = [name for name, fit in named.items() if isinstance(fit, Average)]
    singles = [name for name in named if name not in averages]
    styles: dict[str, Style] = {}
    for at, name in enumerate(singles):
        styles[name] = (OF_LAWS[at % len(OF_LAWS)], dashes(at, len(OF_LAWS)))
    for at, name in enumerate(averages):
        styles[name] = (INK, OF_AVERAGES[at % len(OF_AVERAGES)])
    return styles


def _draw_law(panel: Axes, ahead: xr.Dataset, view: View, name: str, style: Style) -> tuple[float, float]:
    """Draw median and band of one law; return the range that they fill."""
    colour, dashes = style
    mean, x = ahead[view.response.mean_name], ahead["flops"].to_numpy()
    lower, upper = interval(row_draws(mean), view.headline)
    filled = 0.0 if colour == INK else 0.15
    panel.fill_between(x, lower, upper, color=colour, alpha=filled, lw=0, zorder=2, label=f"band {name}")
    edge = (0, (1, 1.5)) if colour == INK else "-"
    panel.plot(x, np.c_[lower, upper], color=colour, lw=1.0 if colour == INK else 0.6, ls=edge, alpha=0.8, zorder=3)
    median = mean.median(("chain", "draw"))
    panel.plot(x, median, color=colour, lw=1.4 if colour == INK else 1.8, ls=dashes, zorder=5, label=f"median {name}")
    return float(lower.min()), float(upper.max())


def _draw_runs(
    panel: Axes, fit: Fit | Average, view: View, benchmark: str, later: pd.DataFrame | None
) -> tuple[float, float]:
    """Draw the runs that were fitted as dots and later ones as stars; return the range that they fill."""
    low, high = np.inf, -np.inf
    for _, flops, scores, seen in points_of(view, benchmark, fit.runs, later):
        shown = flops >= view.grid[0] * (1 - 1e-9)
        if not shown.any():
            continue
        flops, scores = flops[shown], scores[shown]
        look: dict[str, Any] = (
            {"s": 20, "marker": "o", "color": INK} if seen else {"s": 90, "marker": "*", "facecolors": "none"}
        )
        edge: dict[str, Any] = (
            {"edgecolors": "white", "linewidths": 0.5} if seen else {"edgecolors": INK, "linewidths": 1.0}
        )
        panel.scatter(flops, scores, **look, **edge, zorder=6 if seen else 7, label="runs" if seen else "later")
        low, high = min(low, scores.min()), max(high, scores.max())
    return low, high


def _mark_distance(panel: Axes, fit: Fit | Average, view: View, benchmark: str) -> None:
    """Mark every tenfold of the compute of the largest run."""
    end = view.of_panel(fit.runs, benchmark)["flops"].max()
    for decade in range(int(np.log10(view.grid[-1] / end) + 1e-9) + 1):
        times, text = end * 10.0**decade, f"× {10**decade:,}" if decade else "largest run"
        top = panel.get_xaxis_transform()
        panel.text(times, 1, text, transform=top, fontsize=SMALL - 0.5, color=GREY, ha="center", va="bottom")
        if decade:
            panel.axvline(times, color="0.8", lw=0.7, ls=(0, (2, 2)), zorder=1)


def _legend(figure: Figure, styles: dict[str, Style], view: View, later: pd.DataFrame | None) -> None:
    handles: list[Any] = [Line2D([], [], color=c, ls=dashes, lw=1.7, label=n) for n, (c, dashes) in styles.items()]
    held = f"expectation: median, {100 * view.headline:g} %"
    shown = view.series[0].name
    handles += [
        Patch(facecolor="0.8", edgecolor="0.5", lw=0.6, label=held),
        Line2D([], [], color=INK, lw=0, marker="o", ms=5, mec="white", mew=0.5, label=f"fitted runs: {shown}"),
    ]
    if later is not None:
        label = "held out: not seen by the fits"
        handles.append(Line2D([], [], color="none", lw=0, marker="*", ms=10, mec=INK, mew=0.9, label=label))
    if view.response.per_benchmark:  # a loss has no chance level
        handles.append(Line2D([], [], color=GREY, lw=0.8, ls="--", label="chance"))
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=NORMAL, frameon=False)
