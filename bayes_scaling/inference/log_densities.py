"""How likely every observation is at every posterior draw, for cross-validation and the weights of averages.

Log densities are those of the reported value, such as a score between 0 and 1, whatever the likelihood observes:
a beta density of shrunk scores is stretched back, and the mass of one count is spread over its width of 1 / n_items.
So laws with different likelihoods can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.inference.design import ResponseData
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.planned_rows import lay_out_plan
from bayes_scaling.inference.unseen_groups import extended
from bayes_scaling.laws.draws import Distribution
from bayes_scaling.models.named_arrays import DRAWN, in_order
from bayes_scaling.models.response_models import ResponseModel

STEP = 1e-6  # relative, of observed values, to see how far reported ones move


def log_likelihood(
    fit: Fit, response: str, keep: np.ndarray | None = None, *, in_its_units: bool = True
) -> xr.DataArray:
    """Log density of every score that a fit saw, at each of its draws.

    Parameters
    ----------
    fit : Fit
    response : str
        Such as "accuracy".
    keep : (row,) bool array, optional
        Which rows of the response to take; by default all.
    in_its_units : bool
        Give densities of the response, to compare laws by; else of what the likelihood observes, whatever that is.

    Returns
    -------
    DataArray over (chain, draw, row)
        In nats per unit of the response; ``row`` holds positions in ``fit.runs``.

    Raises
    ------
    DataError
        Densities cannot be put in units of the response, see `density_factor`.
    """
    part, data = response_data(fit, response)
    data = data if keep is None else taken(data, keep)
    values = {str(name): draws.variable for name, draws in fit.posterior.items()}
    return _log_density(fit, part, data, values, data.codes, in_its_units=in_its_units)


def log_predictive(
    fit: Fit, response: str, runs: pd.DataFrame, data: ResponseData, *, seed: int | None
) -> xr.DataArray:
    """Log density of scores that a fit did not see, at each of its draws.

    Differences of runs, unseen labels and what discrepancies do beyond the data are drawn, as in `forecast`, so that
    the mean of the density over draws is the posterior predictive density of one row.

    Parameters
    ----------
    fit : Fit
    response : str
    runs : DataFrame
        What ``data`` was laid out on.
    data : ResponseData
        The rows to score, see `taken`.
    seed : int, optional

    Returns
    -------
    DataArray over (chain, draw, row)
        In nats per unit of the response; ``row`` holds positions in ``runs``.

    Raises
    ------
    DataError
        As for `log_likelihood`.
    """
    part, _ = response_data(fit, response)
    planned = lay_out_plan(fit.design, runs.iloc[data.rows].reset_index(drop=True))
    values = extended(fit.design, fit.posterior, planned, np.random.default_rng(seed))
    return _log_density(fit, part, data, values, planned.codes)


def response_data(fit: Fit, response: str) -> tuple[ResponseModel, ResponseData]:
    """The model of a response, and the rows that it was fitted to."""
    number = [part.name for part in fit.model.responses].index(response)
    return fit.model.responses[number], fit.design.responses[number]


def taken(data: ResponseData, keep: np.ndarray) -> ResponseData:
    """Some rows of a response, by a mask over them."""
    columns, codes = ({n: c[keep] for n, c in arrays.items()} for arrays in (data.columns, data.codes))
    rows, observed, n_items = data.rows[keep], data.observed[keep], data.n_items[keep]
    return replace(data, rows=rows, columns=columns, observed=observed, codes=codes, n_items=n_items)


def density_factor(part: ResponseModel, observed: np.ndarray, n_items: np.ndarray) -> np.ndarray:
    """How much the likelihood's variable moves per unit of the reported response, at observed values.

    Returns
    -------
    (row,) array
        What a density of the observed value is multiplied by to be one of the reported value.

    Raises
    ------
    DataError
        The reported value does not move with the observed one.
    """
    step = STEP * np.maximum(np.abs(observed), 1.0)
    low, at, high = (np.asarray(part.likelihood.report(observed + d, n_items)) for d in (-step, 0, step))
    slope = np.maximum(abs(high - at), abs(at - low)) / step  # one of them is 0 where reports are kept within [0, 1]
    if not (np.isfinite(slope) & (slope > 0)).all():
        raise DataError(
            f"the densities of likelihood {part.likelihood.component.name!r} cannot be put in units of "
            f"{part.name}; average with weights='equal'"
        )
    return 1 / slope


def _log_density(
    fit: Fit,
    part: ResponseModel,
    data: ResponseData,
    values: Mapping[str, xr.Variable],
    codes: Mapping[str, np.ndarray],
    *,
    in_its_units: bool = True,
) -> xr.DataArray:
    mean = fit.model.mean(part, values, data.columns, codes)
    distribution, arguments = fit.model.observation(part, mean, values, data.columns, codes)
    log_p = logp(distribution, {name: in_order(value) for name, value in arguments.items()}, data.observed)
    if in_its_units:
        log_p += np.log(density_factor(part, data.observed, data.n_items))
    posterior = fit.posterior
    return xr.DataArray(log_p, {"chain": posterior["chain"], "draw": posterior["draw"], "row": data.rows}, DRAWN)


def logp(distribution: Distribution, arguments: Mapping[str, np.ndarray], observed: np.ndarray) -> np.ndarray:
    """Log density of a PyMC distribution at observed values, for each element of its arguments.

    Parameters
    ----------
    distribution : PyMC distribution
    arguments : mapping
        Arrays that broadcast to (chain, draw, row).
    observed : (row,) array

    Returns
    -------
    (chain, draw, row) array
    """
    import pymc as pm
    import pytensor

    shape = np.broadcast_shapes(*(np.shape(a) for a in arguments.values()), observed.shape)
    arrays = [np.broadcast_to(np.asarray(a, float), shape) for a in (*arguments.values(), observed)]
    *symbols, value = [pytensor.tensor.matrix(n, dtype="float64") for n in (*arguments, "observed")]
    log_p = pm.logp(distribution.dist(**dict(zip(arguments, symbols, strict=True))), value)
    function = pm.pytensorf.compile([*symbols, value], log_p, mode="FAST_COMPILE", on_unused_input="ignore")
    return np.stack([function(*(array[chain] for array in arrays)) for chain in range(shape[0])])
