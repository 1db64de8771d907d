"""Pictures of the exponents: how fast each benchmark improves, and how much mixtures differ in that."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayes_scaling.errors import DataError, ModelError
from bayes_scaling.forecasting.intervals import interval
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.reporting.canvas import COLOURS, GREY, MARKERS, NORMAL, SMALL, InlineFigure, footer, verdicts_of
from bayes_scaling.reporting.headings import fitted_to, heading

HALF = 0.5  # probability of the thick part of an interval
LANE = 0.22  # distance between mixtures within a row
DRAWS = ("chain", "draw")


def plot_exponents(fit: Fit, *, parameter: str | None = None, probability: float = 0.8) -> Figure:
    """Draw how fast each benchmark improves with scale: its exponents with intervals, one row a benchmark.

    Points are medians, thick lines hold 50 %, thin lines ``probability``; each mixture has its colour.  The
    stripe is the population value, towards which benchmarks with few runs are drawn.  A fit that failed
    its verdict is drawn too, and says so in red.

    Parameters
    ----------
    fit : Fit
    parameter : str, optional
        Any parameter of the model; by default all exponents of its laws, side by side.
    probability : float
        What the thin lines and the stripe hold.

    Returns
    -------
    Figure

    Raises
    ------
    ModelError
        The model has no such parameter, or no exponent.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> bs.plot_exponents(bs.Fit.load("power_law.nc")).savefig("exponents.png")
    """
    if not HALF < probability < 1:
        raise DataError(f"probability must lie between 0.5 and 1, such as 0.8, not {probability!r}")
    names = [parameter] if parameter is not None else _exponents(fit)
    if unknown := [n for n in names if n not in fit.model.parameters]:
        raise ModelError(f"{fit.model.name} has no parameter {unknown[0]!r}; it has {sorted(fit.model.parameters)}")
    tables = [_table(fit.posterior[name]) for name in names]
    rows = max(t.sizes["row"] for t in tables)
    lanes = max(t.sizes["colour"] for t in tables)
    height = rows * (0.17 + 0.09 * lanes) + 1.7
    figure = InlineFigure(figsize=(max(4.2 * len(names), 6.4), height), layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for panel, name, table in zip(panels, names, tables, strict=True):
        _population(panel, fit, name, probability)
        _forest(panel, table, probability)
        _dress(panel, fit, name, table)
    _legend(figure, max(tables, key=lambda t: t.sizes["colour"]), probability)
    heading(figure, f"{', '.join(names)} of {fit.model.name}, {fitted_to(fit.runs)}")
    footer(figure, verdicts_of([fit]))
    return figure


def _exponents(fit: Fit) -> list[str]:
    names = [n for n, p in fit.model.parameters.items() if n in fit.model.of_laws and "exponent" in p.meaning]
    if not names:
        raise ModelError(f"{fit.model.name} has no exponent; name one of {sorted(fit.model.parameters)}")
    return names


def _table(draws: xr.DataArray) -> xr.DataArray:
    """Draws over (chain, draw, row, colour): mixtures are colours, all else makes rows, lowest median first."""
    dims = [str(d) for d in draws.dims if d not in DRAWS]
    colour = "mixture" if "mixture" in dims and len(dims) > 1 else None
    rows = [d for d in dims if d != colour]
    table = draws.expand_dims("colour") if colour is None else draws.rename({colour: "colour"})
    if not rows:
        return table.expand_dims("row").assign_coords(row=["all"])
    labels = [" · ".join(map(str, at)) for at in _product([draws[d].to_numpy() for d in rows])]
    table = table.transpose(*DRAWS, *rows, "colour")
    stacked = table.to_numpy().reshape(*table.shape[:2], len(labels), -1)
    coords = {"row": labels} | ({"colour": table["colour"].to_numpy()} if colour else {})
    flat = xr.DataArray(stacked, dims=(*DRAWS, "row", "colour"), coords=coords)
    return flat.isel(row=np.argsort(flat.median((*DRAWS, "colour")).to_numpy(), kind="stable"))


def _product(levels: list[np.ndarray]) -> list[tuple[Any, ...]]:
    grids = np.meshgrid(*levels, indexing="ij")
    return list(zip(*(g.ravel() for g in grids), strict=True))


def _forest(panel: Axes, table: xr.DataArray, probability: float) -> None:
    lanes = table.sizes["colour"]
    draws = table.transpose(*DRAWS, "colour", "row").to_numpy()
    ends, halves, medians = (
        interval(draws, probability, (0, 1)),
        interval(draws, HALF, (0, 1)),
        np.median(draws, (0, 1)),
    )
    for lane in range(lanes):
        colour, marker = COLOURS[lane % len(COLOURS)], MARKERS[lane % len(MARKERS)]
        y = np.arange(table.sizes["row"]) + LANE * ((lanes - 1) / 2 - lane)
        outer, inner, median = ends[:, lane], halves[:, lane], medians[lane]
        panel.hlines(y, *outer, color=colour, lw=1.1, zorder=3, label=f"outer {lane}")
        panel.hlines(y, *inner, color=colour, lw=2.8, zorder=4, label=f"inner {lane}")
        panel.plot(median, y, marker, color=colour, mec="white", mew=0.6, ms=5.5, zorder=5, label=f"median {lane}")


def _population(panel: Axes, fit: Fit, name: str, probability: float) -> None:
    """Stripe of the population value, where the model learns one; a line where it is fixed."""
    if not (fit.model.has_population(name) or name in fit.model.fixed):
        return
    parameter = fit.model.parameters[name]
    value = np.asarray(parameter.support.constrain(fit.posterior[parameter.free_name].to_numpy()))
    low, high = interval(value, probability, None)
    middle = np.median(value)
    panel.axvspan(low, high, color="0.5", alpha=0.16, lw=0, zorder=0, label="population")
    panel.axvline(middle, color=GREY, lw=0.9, ls="--", zorder=1, label="population median")


def _dress(panel: Axes, fit: Fit, name: str, table: xr.DataArray) -> None:
    meaning = fit.model.parameters[name].meaning
    unit = " [no unit]" if "exponent" in meaning else ""
    panel.set_xlabel(f"{name}: {meaning}{unit}", fontsize=NORMAL)
    panel.set_yticks(range(table.sizes["row"]), [str(r) for r in table["row"].to_numpy()], fontsize=NORMAL)
    panel.set_ylim(-0.6, table.sizes["row"] - 0.4)
    panel.tick_params(axis="x", labelsize=SMALL, length=3)
    panel.tick_params(axis="y", length=0)
    for between in range(table.sizes["row"] - 1):
        panel.axhline(between + 0.5, color="0.92", lw=0.6, zorder=0)
    panel.spines[["top", "right", "left"]].set_visible(False)


def _legend(figure: Figure, table: xr.DataArray, probability: float) -> None:
    names = [str(c) for c in table["colour"].to_numpy()] if "colour" in table.coords else []
    handles: list[Any] = [
        Line2D([], [], color=COLOURS[i % len(COLOURS)], marker=MARKERS[i % len(MARKERS)], ms=5.5, lw=2.4, label=n)
        for i, n in enumerate(names)
    ]
    handles += [
        Line2D([], [], color=GREY, lw=2.8, label="50 %"),
        Line2D([], [], color=GREY, lw=1.1, label=f"{100 * probability:g} %"),
        Patch(color="0.5", alpha=0.25, lw=0, label=f"population: median, {100 * probability:g} %"),
    ]
    columns = len(handles) if figure.get_figwidth() > 8 else 3
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, fontsize=NORMAL, frameon=False)
