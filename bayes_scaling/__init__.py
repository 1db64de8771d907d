"""Forecast the benchmark scores of language models that have not been trained yet, with credible bands.

Names are loaded when first used, so that commands which only read a table stay fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayes_scaling.averaging import average
    from bayes_scaling.backtesting import Backtest, backtest
    from bayes_scaling.baselines import BASELINES, baseline
    from bayes_scaling.calibration import plot_backtest, plot_calibration
    from bayes_scaling.comparing import Comparison, compare
    from bayes_scaling.data import describe_datasets, load_dataset, plan_runs, read_runs
    from bayes_scaling.documents import list_models, load_model
    from bayes_scaling.ensemble import Average
    from bayes_scaling.evaluation import score_forecast, summarise_scores
    from bayes_scaling.figures import plot_law
    from bayes_scaling.fitting import Fit, fit
    from bayes_scaling.forecasting import forecast
    from bayes_scaling.forest import plot_exponents
    from bayes_scaling.locking import read_locked
    from bayes_scaling.outcomes import score_locked
    from bayes_scaling.overlay import plot_laws
    from bayes_scaling.passk import pass_at_k
    from bayes_scaling.readers import read_krajewski
    from bayes_scaling.sensitivity import prior_sensitivity
    from bayes_scaling.splitting import Split, split_above, split_groups, split_targets
    from bayes_scaling.summaries import average_benchmarks, summarise

__version__ = "0.1.0"

_HOMES = {
    "Average": "ensemble",
    "BASELINES": "baselines",
    "Backtest": "backtesting",
    "Comparison": "comparing",
    "Fit": "fitting",
    "Split": "splitting",
    "average": "averaging",
    "average_benchmarks": "summaries",
    "backtest": "backtesting",
    "baseline": "baselines",
    "compare": "comparing",
    "describe_datasets": "data",
    "fit": "fitting",
    "forecast": "forecasting",
    "list_models": "documents",
    "load_dataset": "data",
    "load_model": "documents",
    "pass_at_k": "passk",
    "plan_runs": "data",
    "plot_backtest": "calibration",
    "plot_calibration": "calibration",
    "plot_exponents": "forest",
    "plot_law": "figures",
    "plot_laws": "overlay",
    "prior_sensitivity": "sensitivity",
    "read_krajewski": "readers",
    "read_locked": "locking",
    "read_runs": "data",
    "score_forecast": "evaluation",
    "score_locked": "outcomes",
    "split_above": "splitting",
    "split_groups": "splitting",
    "split_targets": "splitting",
    "summarise": "summaries",
    "summarise_scores": "evaluation",
}

__all__ = [
    "BASELINES",
    "Average",
    "Backtest",
    "Comparison",
    "Fit",
    "Split",
    "average",
    "average_benchmarks",
    "backtest",
    "baseline",
    "compare",
    "describe_datasets",
    "fit",
    "forecast",
    "list_models",
    "load_dataset",
    "load_model",
    "pass_at_k",
    "plan_runs",
    "plot_backtest",
    "plot_calibration",
    "plot_exponents",
    "plot_law",
    "plot_laws",
    "prior_sensitivity",
    "read_krajewski",
    "read_locked",
    "read_runs",
    "score_forecast",
    "score_locked",
    "split_above",
    "split_groups",
    "split_targets",
    "summarise",
    "summarise_scores",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"bayes_scaling.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'bayes_scaling' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
