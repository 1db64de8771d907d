"""Scores along compute: one forecast on a grid, whose draws are curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.arguments import several
from bayes_scaling.data.plans import plan_runs
from bayes_scaling.data.sizes import parse_number, parse_size
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.forecast import drawn_forecast
from bayes_scaling.forecasting.intervals import row_draws
from bayes_scaling.forecasting.paths import reads_sizes, sizes_along
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.messages import suggest

type Names = str | Sequence[str] | None

ACCURACY = "accuracy"
POINTS_PER_DECADE = 12


@dataclass(frozen=True)
class Curves:
    """Draws of the score over compute, of some benchmarks on some mixtures.

    Attributes
    ----------
    flops : (place,) array
    labels : DataFrame
        ``benchmark`` and ``mixture`` of every curve.
    mean, noise : (curve, place, draw) arrays
        The expectation, and what a new run differs from it.
    notes : (curve, place) array of str
        What the forecast remarks on each.
    ahead : Dataset
        The forecast that they are of.
    """

    flops: np.ndarray
    labels: pd.DataFrame
    mean: np.ndarray
    noise: np.ndarray
    notes: np.ndarray
    ahead: xr.Dataset


def curves(
    fit: Fit | Average, benchmark: Names, mixture: Names, flops: np.ndarray, tokens_per_param: float | str | None,
    seed: int | None, even_if_not_converged: bool,
) -> Curves:  # fmt: skip
    """Draw the scores of benchmarks on mixtures at some compute, the same draws at all of it.

    Raises
    ------
    DataError
        The fit saw no such benchmark or mixture, or forecasts no accuracy.
    FitError
        The fit did not converge.
    """
    tests, mixtures = names(fit, "benchmark", benchmark), names(fit, "mixture", mixture)
    params, tokens = None, None
    if reads_sizes(fit) or tokens_per_param is not None:
        params, tokens = sizes_along(fit, flops, ratio_of(tokens_per_param))
    labels = pd.DataFrame([(one, mix) for mix in mixtures for one in tests], columns=["benchmark", "mixture"])
    plans = [
        plan_runs(flops=flops, params=params, tokens=tokens, benchmark=one, mixture=mix)
        for one, mix in labels.itertuples(index=False)
    ]
    plan = pd.concat(plans, ignore_index=True)
    ahead = drawn_forecast(fit, plan, seed=seed, even_if_not_converged=even_if_not_converged)
    if ACCURACY not in ahead:
        raise DataError(f"{ahead.attrs['model']} forecasts {list(ahead.data_vars)}, and this is asked of scores alone")
    shape = (len(labels), len(flops), -1)
    mean, new = (row_draws(ahead[name]).reshape(shape) for name in (f"{ACCURACY}_mean", ACCURACY))
    notes = ahead["note"].to_numpy().reshape(shape[:2])
    return Curves(flops, labels, mean, new - mean, notes, ahead)


def names(fit: Fit | Average, column: str, wanted: Names) -> list[str]:
    """Labels that are asked for, or all that the fit saw.

    Raises
    ------
    DataError
        The fit saw no such label.
    """
    known = [str(label) for label in fit.runs[column].dropna().unique()]
    asked = known if wanted is None else [str(one) for one in several(wanted)]
    for one in asked:
        if one not in known:
            raise DataError(f"the fit saw no {column} {one!r}; {suggest(one, known)}")
    if not asked:
        raise DataError(f"name a {column}; the fit saw {known}")
    return asked


def only_name(fit: Fit | Average, column: str, label: str | None) -> str:
    """The label that is asked for, or the only one that the fit saw.

    Raises
    ------
    DataError
        There are several, or the fit saw no such label.
    """
    known = names(fit, column, label)
    if len(known) > 1:
        raise DataError(f"name a {column}; the fit saw {known}")
    return known[0]


def ratio_of(tokens_per_param: float | str | None) -> float | None:
    """Tokens per parameter as a positive number.

    Raises
    ------
    DataError
        It is none.
    """
    if tokens_per_param is None:
        return None
    ratio = parse_number(tokens_per_param)
    if not (np.isfinite(ratio) and ratio > 0):
        raise DataError(f"tokens_per_param must be positive and finite, not {tokens_per_param!r}")
    return ratio


def compute_grid(fit: Fit | Average, reach: float) -> np.ndarray:
    """Compute from a tenth of the least fitted run to ``reach`` decades beyond the largest, (place,) array.

    Raises
    ------
    DataError
        The reach is no number of decades between 0 and 8.
    """
    decades = parse_number(reach)
    if not 0 <= decades <= 8:
        raise DataError(f"reach must be a number of decades between 0 and 8, not {reach!r}")
    low, high = np.log10(fit.runs["flops"].min()) - 1, np.log10(fit.runs["flops"].max()) + decades
    return 10 ** np.linspace(low, high, int(np.ceil((high - low) * POINTS_PER_DECADE)) + 1)


def positive(flops: float | str) -> float:
    """Compute as a positive number.

    Raises
    ------
    DataError
        It is none.
    """
    size = parse_size(flops)
    if not (np.isfinite(size) and size > 0):
        raise DataError(f"flops must be positive and finite, not {flops!r}")
    return size
