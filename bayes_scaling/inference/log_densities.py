"""How likely every observation is at every posterior draw, for cross-validation and the weights of averages.

Log densities are those of the reported value, such as a score between 0 and 1, whatever the likelihood observes:
a beta density of shrunk scores is stretched back, and the mass of one count is spread over its width of 1 / n_items.
So laws with different likelihoods can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.inference.design import HeadData, columns_of
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.unseen_groups import extended
from bayes_scaling.models.model import Head

DIMS = ("chain", "draw", "row")
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
    head, data = head_data(fit, response)
    data = data if keep is None else taken(data, keep)
    values = {str(n): v.to_numpy() for n, v in fit.posterior.items()}
    return _log_density(fit, head, data, fit.runs.iloc[data.rows] if in_its_units else None, values, data.codes)


def log_predictive(fit: Fit, response: str, runs: pd.DataFrame, data: HeadData, *, seed: int | None) -> xr.DataArray:
    """Log density of scores that a fit did not see, at each of its draws.

    Differences of runs, unseen labels and what discrepancies do beyond the data are drawn, as in `forecast`, so that
    the mean of the density over draws is the posterior predictive density of one row.

    Parameters
    ----------
    fit : Fit
    response : str
    runs : DataFrame
        What ``data`` was laid out on.
    data : HeadData
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
    head, _ = head_data(fit, response)
    table = runs.iloc[data.rows].reset_index(drop=True)
    values, codes = extended(fit.design, fit.posterior, table, np.random.default_rng(seed))
    return _log_density(fit, head, data, table, values, codes)


def head_data(fit: Fit, response: str) -> tuple[Head, HeadData]:
    """The head of a response and the rows that it was fitted to."""
    number = [head.response for head in fit.model.heads].index(response)
    return fit.model.heads[number], fit.design.heads[number]


def taken(data: HeadData, keep: np.ndarray) -> HeadData:
    """Some rows of a head, by a mask over them."""
    columns, codes = ({n: c[keep] for n, c in part.items()} for part in (data.columns, data.codes))
    return replace(data, rows=data.rows[keep], columns=columns, observed=data.observed[keep], codes=codes)


def density_factor(head: Head, observed: np.ndarray, n_items: np.ndarray) -> np.ndarray:
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
    low, at, high = (np.asarray(head.likelihood.report(observed + d, n_items)) for d in (-step, 0, step))
    slope = np.maximum(abs(high - at), abs(at - low)) / step  # one of them is 0 where reports are kept within [0, 1]
    if not (np.isfinite(slope) & (slope > 0)).all():
        raise DataError(
            f"the densities of likelihood {head.likelihood.component.name!r} cannot be put in units of "
            f"{head.response}; average with weights='equal'"
        )
    return 1 / slope


def _log_density(
    fit: Fit,
    head: Head,
    data: HeadData,
    table: pd.DataFrame | None,
    values: Mapping[str, Any],
    codes: Mapping[str, Any],
) -> xr.DataArray:
    mean = np.asarray(fit.model.mean(head, values, data.columns, codes))
    distribution, arguments = fit.model.observation(head, mean, values, data.columns, codes)
    log_p = logp(distribution, arguments, data.observed)
    if table is not None:
        log_p += np.log(density_factor(head, data.observed, columns_of(head, table, ["n_items"])["n_items"]))
    posterior = fit.posterior
    return xr.DataArray(log_p, {"chain": posterior["chain"], "draw": posterior["draw"], "row": data.rows}, DIMS)


def logp(distribution: Any, arguments: Mapping[str, Any], observed: np.ndarray) -> np.ndarray:
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
