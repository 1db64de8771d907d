"""The result of a comparison of laws."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bayes_scaling.evaluation.backtest.backtesting import Backtest
from bayes_scaling.messages import html_table

NAMES = {"loo": "leave-one-out", "run": "leave-runs-out", "scale": "leave-largest-scale-out"}


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Laws side by side.

    Attributes
    ----------
    table : DataFrame
        One row per law: ``model``, ``converged``; ``elpd_loo`` (log density of all scores, each left out [nats]),
        ``elpd_run`` (the same with whole runs left out) and ``log_density_scale`` (mean over runs above the cuts of
        the mean over their scores), each with ``_diff`` to the best and its standard error ``_se``; ``weight_loo``
        and ``weight_scale`` by stacking; ``pareto_k_high`` and ``rows_refitted`` (scores that importance sampling
        could not leave out, and those of them that a fit without the row replaced); ``crps_scale``,
        ``cover_80_scale``; ``far_mean``, ``far_lower_80``, ``far_upper_80`` (expectation of the far forecast,
        averaged over benchmarks).
    winners : dict
        Question ("loo", "run", "scale") -> the law that is better than every other by more than two standard errors
        (and 4 nats), or None.
    notes : tuple of str
        Who cannot be told apart, how far the far forecasts lie apart, and why not to rely on a number.
    loo : DataFrame
        As from `cross_validation.leave_one_out`.
    past : Backtest
        All fits that were made for it.
    far : DataFrame
        The far forecast of every law and benchmark, as from `summarise`, with ``model``.
    """

    table: pd.DataFrame
    winners: dict[str, str | None]
    notes: tuple[str, ...]
    loo: pd.DataFrame
    past: Backtest
    far: pd.DataFrame

    def _repr_html_(self) -> str:
        notes = html_table("Comparison", {f"note {number}": note for number, note in enumerate(self.notes, 1)})
        return str(self.table.round(3).to_html(index=False)) + (notes if self.notes else "")

    def __repr__(self) -> str:
        return "\n".join(["<Comparison", self.table.round(3).T.to_string(header=False), *self.notes]) + ">"
