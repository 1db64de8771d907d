"""What an answer rests on: model, data, verdict, what is assumed, and how often such answers were right."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import xarray as xr

from bayes_scaling.errors import ScalingWarning
from bayes_scaling.files.frames import DATASET, dataset_of
from bayes_scaling.forecasting.caveats import cannot_tell
from bayes_scaling.forecasting.law_uncertainty import NOT_INCLUDED
from bayes_scaling.forecasting.notes import joined, told_of
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.fitting import Fit

OF_OTHER_LAWS = "; measured with laws whose bands widen as scores leave the law; bands here do not, and hold less often"


def track_record(ahead: xr.Dataset, record: str, *, of_discrepancy: bool = True) -> str:
    """How often answers were right in backtests, and whether those were of laws like this one.

    Parameters
    ----------
    ahead : Dataset
        The forecast that the answer is made of.
    record : str
        Of such answers, in words; empty where there is none.
    of_discrepancy : bool
        Whether the record is of laws with a discrepancy.
    """
    if not record:
        return "no backtest of such answers is on record"
    narrow = of_discrepancy and NOT_INCLUDED in str(ahead.attrs.get("law_uncertainty", ""))
    return record + (OF_OTHER_LAWS if narrow else "")


def attributes(ahead: xr.Dataset) -> dict[str, str | float]:
    """Attributes of a forecast but for its plan."""
    return {str(name): value for name, value in ahead.attrs.items() if name != "plan"}


def basis(
    fit: Fit | Average, ahead: xr.Dataset, record: str = "", *, of_discrepancy: bool = True
) -> dict[str, str | float]:
    """Attributes of an answer: those of the forecast that it is made of, the extent of the runs, and a track record.

    Parameters
    ----------
    fit : Fit or Average
    ahead : Dataset
        The forecast.
    record : str
        How often such answers were right in backtests, in words.
    of_discrepancy : bool
        See `track_record`.
    """
    runs = fit.runs
    return attributes(ahead) | {
        DATASET: dataset_of(runs),
        "n_runs": float(runs["run"].nunique()),
        "least_flops": float(runs["flops"].min()),
        "largest_flops": float(runs["flops"].max()),
        "track_record": track_record(ahead, record, of_discrepancy=of_discrepancy),
    }


def noted(subjects: Iterable[object], notes: Iterable[object]) -> str:
    """What the rows of a forecast that an answer is made of remark on what was asked.

    Parameters
    ----------
    subjects, notes : iterable
        Benchmark and note of each row, as many of one as of the other.

    Warns
    -----
    ScalingWarning
        The fitted runs cannot tell what was asked.
    """
    notes = list(notes)
    if asked := cannot_tell(notes):
        warnings.warn(f"this asks what the runs cannot tell: {'; '.join(asked)}", ScalingWarning, stacklevel=3)
    return joined(told_of(subjects, notes))
