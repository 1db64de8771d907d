"""What an answer rests on: model, data, verdict, what is assumed, and how often such answers were right."""

from __future__ import annotations

import xarray as xr

from bayes_scaling.files.frames import DATASET, dataset_of
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.fitting import Fit


def basis(fit: Fit | Average, ahead: xr.Dataset, record: str = "") -> dict[str, str | float]:
    """Attributes of an answer: those of the forecast that it is made of, the extent of the runs, and a track record.

    Parameters
    ----------
    fit : Fit or Average
    ahead : Dataset
        The forecast.
    record : str
        How often such answers were right in backtests, in words.
    """
    kept = {str(name): value for name, value in ahead.attrs.items() if name != "plan"}
    runs = fit.runs
    return kept | {
        DATASET: dataset_of(runs),
        "n_runs": float(runs["run"].nunique()),
        "least_flops": float(runs["flops"].min()),
        "largest_flops": float(runs["flops"].max()),
        "track_record": record or "no backtest of such answers is on record",
    }
