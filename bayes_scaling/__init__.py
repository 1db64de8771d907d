"""Forecast the benchmark scores of language models that have not been trained yet, with credible bands.

Names are loaded when first used, so that commands which only read a table stay fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bayes_scaling.version import __version__ as __version__

if TYPE_CHECKING:
    from bayes_scaling.boundaries.changes import dominance, moved, saturation
    from bayes_scaling.boundaries.estimators import boundary_curve
    from bayes_scaling.boundaries.fitting import BoundaryFit, fit_boundary
    from bayes_scaling.boundaries.leaderboard import read_leaderboard
    from bayes_scaling.boundaries.next_models import evaluate_next
    from bayes_scaling.boundaries.quantiles import boundary, summarise_boundary
    from bayes_scaling.boundaries.resampled import boundary_baseline
    from bayes_scaling.boundaries.shift import shift_probe
    from bayes_scaling.boundaries.simulated import simulated_board
    from bayes_scaling.boundaries.validation import next_period
    from bayes_scaling.data.datasets import describe_datasets, load_dataset
    from bayes_scaling.data.readers.krajewski import read_krajewski
    from bayes_scaling.data.runs import plan_runs, read_runs
    from bayes_scaling.decisions.allocations import allocate, summarise_allocation
    from bayes_scaling.decisions.compute_targets import compute_for, summarise_compute
    from bayes_scaling.decisions.gains import elasticity, worth
    from bayes_scaling.decisions.next_training import next_runs
    from bayes_scaling.decisions.rankings import rank, summarise_ranking
    from bayes_scaling.decisions.trades import summarise_trade, trade
    from bayes_scaling.errors import (
        DataError,
        DataWarning,
        FileError,
        FitError,
        ModelError,
        ScalingError,
        ScalingWarning,
    )
    from bayes_scaling.evaluation.averaging import average
    from bayes_scaling.evaluation.backtest.backtesting import Backtest, backtest
    from bayes_scaling.evaluation.baselines.baseline import BASELINES, baseline
    from bayes_scaling.evaluation.comparing import compare
    from bayes_scaling.evaluation.comparison import Comparison
    from bayes_scaling.evaluation.conformal import conformal
    from bayes_scaling.evaluation.locked_outcomes import score_locked
    from bayes_scaling.evaluation.prior_sensitivity import prior_sensitivity
    from bayes_scaling.evaluation.recalibrating import recalibrate
    from bayes_scaling.evaluation.row_masks import Split
    from bayes_scaling.evaluation.scores import score_forecast, summarise_scores
    from bayes_scaling.evaluation.splits import split_above, split_groups, split_targets
    from bayes_scaling.forecasting.forecast import forecast
    from bayes_scaling.forecasting.locking import read_locked
    from bayes_scaling.forecasting.summaries import average_benchmarks, summarise, summarize
    from bayes_scaling.inference.averaged_fits import Average
    from bayes_scaling.inference.fitting import Fit, fit
    from bayes_scaling.laws.pass_at_k import pass_at_k
    from bayes_scaling.logs.collecting import Collected, collect_logs
    from bayes_scaling.models.documents import list_models, load_model
    from bayes_scaling.reporting.backtest_figure import plot_backtest
    from bayes_scaling.reporting.boundary_coverage_figure import plot_boundary_coverage
    from bayes_scaling.reporting.boundary_figure import plot_boundary
    from bayes_scaling.reporting.calibration_figure import plot_calibration
    from bayes_scaling.reporting.compute_for_figure import plot_compute_for
    from bayes_scaling.reporting.exponents_figure import plot_exponents
    from bayes_scaling.reporting.law_figure import plot_law
    from bayes_scaling.reporting.laws_figure import plot_laws
    from bayes_scaling.reporting.next_runs_figure import plot_next_runs
    from bayes_scaling.reporting.ranking_figure import plot_ranking
    from bayes_scaling.reporting.report import report
    from bayes_scaling.reporting.trade_figure import plot_trade

_HOMES = {
    "Average": "inference.averaged_fits",
    "BASELINES": "evaluation.baselines.baseline",
    "Backtest": "evaluation.backtest.backtesting",
    "BoundaryFit": "boundaries.fitting",
    "Collected": "logs.collecting",
    "Comparison": "evaluation.comparison",
    "DataError": "errors",
    "DataWarning": "errors",
    "FileError": "errors",
    "Fit": "inference.fitting",
    "FitError": "errors",
    "ModelError": "errors",
    "ScalingError": "errors",
    "ScalingWarning": "errors",
    "Split": "evaluation.row_masks",
    "allocate": "decisions.allocations",
    "average": "evaluation.averaging",
    "average_benchmarks": "forecasting.summaries",
    "backtest": "evaluation.backtest.backtesting",
    "baseline": "evaluation.baselines.baseline",
    "boundary": "boundaries.quantiles",
    "boundary_baseline": "boundaries.resampled",
    "boundary_curve": "boundaries.estimators",
    "collect_logs": "logs.collecting",
    "compare": "evaluation.comparing",
    "compute_for": "decisions.compute_targets",
    "conformal": "evaluation.conformal",
    "describe_datasets": "data.datasets",
    "dominance": "boundaries.changes",
    "elasticity": "decisions.gains",
    "evaluate_next": "boundaries.next_models",
    "fit": "inference.fitting",
    "fit_boundary": "boundaries.fitting",
    "forecast": "forecasting.forecast",
    "list_models": "models.documents",
    "load_dataset": "data.datasets",
    "load_model": "models.documents",
    "moved": "boundaries.changes",
    "next_period": "boundaries.validation",
    "next_runs": "decisions.next_training",
    "pass_at_k": "laws.pass_at_k",
    "plan_runs": "data.runs",
    "plot_backtest": "reporting.backtest_figure",
    "plot_boundary": "reporting.boundary_figure",
    "plot_boundary_coverage": "reporting.boundary_coverage_figure",
    "plot_calibration": "reporting.calibration_figure",
    "plot_compute_for": "reporting.compute_for_figure",
    "plot_exponents": "reporting.exponents_figure",
    "plot_law": "reporting.law_figure",
    "plot_laws": "reporting.laws_figure",
    "plot_next_runs": "reporting.next_runs_figure",
    "plot_ranking": "reporting.ranking_figure",
    "plot_trade": "reporting.trade_figure",
    "prior_sensitivity": "evaluation.prior_sensitivity",
    "rank": "decisions.rankings",
    "read_krajewski": "data.readers.krajewski",
    "read_leaderboard": "boundaries.leaderboard",
    "read_locked": "forecasting.locking",
    "read_runs": "data.runs",
    "recalibrate": "evaluation.recalibrating",
    "report": "reporting.report",
    "saturation": "boundaries.changes",
    "score_forecast": "evaluation.scores",
    "score_locked": "evaluation.locked_outcomes",
    "shift_probe": "boundaries.shift",
    "simulated_board": "boundaries.simulated",
    "split_above": "evaluation.splits",
    "split_groups": "evaluation.splits",
    "split_targets": "evaluation.splits",
    "summarise": "forecasting.summaries",
    "summarise_allocation": "decisions.allocations",
    "summarise_boundary": "boundaries.quantiles",
    "summarise_compute": "decisions.compute_targets",
    "summarise_ranking": "decisions.rankings",
    "summarise_scores": "evaluation.scores",
    "summarise_trade": "decisions.trades",
    "summarize": "forecasting.summaries",
    "trade": "decisions.trades",
    "worth": "decisions.gains",
}

__all__ = [
    "BASELINES",
    "Average",
    "Backtest",
    "BoundaryFit",
    "Collected",
    "Comparison",
    "DataError",
    "DataWarning",
    "FileError",
    "Fit",
    "FitError",
    "ModelError",
    "ScalingError",
    "ScalingWarning",
    "Split",
    "allocate",
    "average",
    "average_benchmarks",
    "backtest",
    "baseline",
    "boundary",
    "boundary_baseline",
    "boundary_curve",
    "collect_logs",
    "compare",
    "compute_for",
    "conformal",
    "describe_datasets",
    "dominance",
    "elasticity",
    "evaluate_next",
    "fit",
    "fit_boundary",
    "forecast",
    "list_models",
    "load_dataset",
    "load_model",
    "moved",
    "next_period",
    "next_runs",
    "pass_at_k",
    "plan_runs",
    "plot_backtest",
    "plot_boundary",
    "plot_boundary_coverage",
    "plot_calibration",
    "plot_compute_for",
    "plot_exponents",
    "plot_law",
    "plot_laws",
    "plot_next_runs",
    "plot_ranking",
    "plot_trade",
    "prior_sensitivity",
    "rank",
    "read_krajewski",
    "read_leaderboard",
    "read_locked",
    "read_runs",
    "recalibrate",
    "report",
    "saturation",
    "score_forecast",
    "score_locked",
    "shift_probe",
    "simulated_board",
    "split_above",
    "split_groups",
    "split_targets",
    "summarise",
    "summarise_allocation",
    "summarise_boundary",
    "summarise_compute",
    "summarise_ranking",
    "summarise_scores",
    "summarise_trade",
    "summarize",
    "trade",
    "worth",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"bayes_scaling.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'bayes_scaling' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
