"""Figures of the report, drawn into the page itself: of the law, of every answer that has one, and of a backtest."""

from __future__ import annotations

import io
import re

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from bayes_scaling.evaluation.backtest.backtesting import Backtest
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.reporting.calibration_figure import plot_calibration
from bayes_scaling.reporting.compute_for_figure import plot_compute_for
from bayes_scaling.reporting.law_figure import plot_law
from bayes_scaling.reporting.next_runs_figure import plot_next_runs
from bayes_scaling.reporting.ranking_figure import plot_ranking
from bayes_scaling.reporting.trade_figure import plot_trade

PANELS = 12  # of the figure of the law

type Inline = dict[str, object]  # what a template needs: the figure as SVG, and what it shows in words


def law_figure(fit: Fit | Average, plan: pd.DataFrame, ahead: xr.Dataset, go_on: bool) -> list[Inline]:
    """The law over compute on the planned benchmarks, where the plan has scores that the figure can draw."""
    if "accuracy" not in ahead:
        return []
    known = set(fit.runs["benchmark"].dropna())
    tests = [name for name in dict.fromkeys(map(str, ahead["benchmark"].to_numpy())) if name in known][:PANELS]
    mixtures = [
        name for name in dict.fromkeys(map(str, ahead["mixture"].to_numpy())) if name in set(fit.runs["mixture"])
    ]
    if not tests:
        return []
    reach = max(1.0, float(ahead["decades_beyond"].max()) + 0.3)
    drawn = plot_law(fit, benchmarks=tests, mixtures=mixtures or None, reach=reach, ncols=min(3, len(tests)),
                     planned=plan, seed=1, even_if_not_converged=go_on)  # fmt: skip
    return [_inline(drawn, "Scores of the runs, and the forecast with its bands, over training compute")]


def answer_figure(answer: xr.Dataset | pd.DataFrame) -> list[Inline]:
    """The figure of an answer that has one."""
    if isinstance(answer, pd.DataFrame):
        drawn = "share" in answer and len(answer)
        return [_inline(plot_next_runs(answer), "What is left uncertain after each of the next runs")] if drawn else []
    if "target" in answer.coords:
        return [_inline(plot_compute_for(answer), "The compute that each target needs")]
    if "beats" in answer:
        return [_inline(plot_ranking(answer), "Mixtures in the order of their scores, and how sure each pair is")]
    if "cheapest" in answer:
        return [_inline(plot_trade(answer), "Training compute and total cost by the number of samples")]
    return []


def backtest_figure(past: Backtest) -> Inline:
    """How often outcomes fell inside the bands of a backtest."""
    return _inline(plot_calibration(past), "How often outcomes fell inside the bands of the backtest")


def _inline(figure: Figure, told: str) -> Inline:
    """A figure as SVG inside the page, with a title for those who do not see it."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    drawn = file.getvalue()[file.getvalue().index("<svg") :]
    drawn = re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", drawn, count=1), count=1
    )
    head = f"<title>{told}</title><desc>{told}.</desc>"
    return {"told": told, "svg": re.sub(r"(<svg[^>]*>)", rf"\1{head}", drawn, count=1)}
