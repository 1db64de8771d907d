"""One shard of a backtest: one law fitted to the runs of one split, and its forecast of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.baselines.baseline import baseline
from bayes_scaling.evaluation.refits.task import Found, Task, diagnostics
from bayes_scaling.evaluation.row_masks import Split
from bayes_scaling.forecasting.forecast import completed, drawn_forecast
from bayes_scaling.inference.design import observe
from bayes_scaling.inference.fitting import Fit, fit
from bayes_scaling.inference.log_densities import log_predictive, response_data
from bayes_scaling.models.documents import to_document
from bayes_scaling.models.model import Model
from bayes_scaling.models.user_laws import added_to


@dataclass(frozen=True)
class Shard(Task):
    """One law on one split.

    Attributes
    ----------
    known, later : DataFrame
        Runs to fit; rows to forecast, with their outcomes.
    """

    known: pd.DataFrame
    later: pd.DataFrame

    @property
    def split(self) -> str:
        """Name of the split."""
        return self.what

    def tables(self) -> tuple[pd.DataFrame, ...]:
        """The runs to fit and the rows to forecast."""
        return self.known, self.later

    def compute(self) -> tuple[xr.Dataset, Found]:
        """Fit and forecast; the forecast has the log predictive density of every outcome beside it."""
        if isinstance(self.document, str):
            return self._judged(self.document)
        refit = fit(self.prepared(), self.known, seed=self.seed, progress=False, cores=1, **self.settings)
        ahead = drawn_forecast(refit, self.later, seed=self.seed, even_if_not_converged=True)
        return ahead.assign(log_density=("row", log_scores(refit, self))), diagnostics(refit)

    def _judged(self, name: str) -> tuple[xr.Dataset, Found]:
        """A published estimator, which has no verdict to fail."""
        ahead = baseline(name, self.known, self.later, seed=self.seed, **self.settings)
        return ahead, {"converged": True, "verdict": ahead.attrs["verdict"], "problem": ""}


def shard_of(
    name: str,
    law: Model | str,
    split: Split,
    runs: pd.DataFrame,
    response: str,
    seed: int | None,
    settings: Mapping[str, Any],
) -> Shard:
    """Describe one law, under a name, on one split."""
    known, later = (runs[mask].reset_index(drop=True) for mask in (split.fitted, split.held_out))
    document, added = (law, ()) if isinstance(law, str) else (to_document(law), added_to(law))
    return Shard(name, split.name, document, added, response, seed, settings, known, later)


def log_scores(refit: Fit, task: Shard) -> np.ndarray:
    """Log predictive density of every outcome, shape (row,) [nats per unit of the response].

    Not a number where densities cannot be put in units of the response.
    """
    rows = np.full(len(task.later), np.nan)
    part, _ = response_data(refit, task.response)
    later = completed(refit, task.later)
    try:
        data = observe(part, later, refit.model)
        log_p = log_predictive(refit, task.response, later, data, seed=task.seed)
    except DataError:
        return rows
    rows[data.rows] = logsumexp(log_p, axis=(0, 1)) - np.log(log_p.sizes["chain"] * log_p.sizes["draw"])
    return rows
