r"""How much of a forecast is the prior: what priors or data that speak a little louder would change.

Power scaling (Kallioinen et al. 2024, doi 10.1007/s11222-023-10366-5, arXiv 2107.14054) raises the prior or the
likelihood to a power near 1, which weights of the draws imitate, and measures how far every forecast moves:

.. math:: p(\theta \mid y, \alpha) \propto p(\theta)^\alpha p(y \mid \theta)
   \quad\text{or}\quad p(\theta)\, p(y \mid \theta)^\alpha .

Scaled are the priors that a model states in numbers, on the unconstrained scale, where they are normal: a power widens
or narrows them about the same median.  Differences between groups, given their spread, follow from the model and are
not scaled; without pooling every cell has a prior of its own, stated in numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.errors import ScalingWarning
from bayes_scaling.forecasting.coordinates import OF_FORECASTS
from bayes_scaling.forecasting.forecast import drawn_forecast
from bayes_scaling.inference.averaged_fits import Average, require_fit
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.log_densities import log_likelihood
from bayes_scaling.messages import listed_names
from bayes_scaling.models.effects import Effect

SENSITIVE = 0.05  # the threshold of Kallioinen et al. 2024, as in ArviZ
DECIDES = "the prior decides"
PULLS_APART = "prior and runs may pull apart"
WHY = {
    DECIDES: "the runs say little about them, and another prior would give other numbers",
    PULLS_APART: "what the runs say and what the priors say may differ, and the forecasts lie between the two",
}
SAMPLES = ["chain", "draw"]
NAMED = 3  # forecasts that a warning names


def prior_sensitivity(
    fit: Fit | Average, plan: pd.DataFrame, *, seed: int | None = None, even_if_not_converged: bool = False
) -> pd.DataFrame:
    """See how much each forecast owes to the priors and how much to the runs, and to which prior most.

    Parameters
    ----------
    fit : Fit or Average
        An average is taken law by law: every law that has weight.
    plan : DataFrame
        As for `forecast`.
    seed : int, optional
        As for `forecast`; the expectations that it gives are those looked at.
    even_if_not_converged : bool
        Go on from a fit that failed its verdict.

    Returns
    -------
    DataFrame
        One row per law, row of the plan and response: ``model``, the columns of the plan (run, benchmark, mixture,
        params, tokens, flops and k, as far as it has them), ``response``; ``prior`` and ``likelihood``, how far the
        expectation moves (cumulative Jensen-Shannon distance per doubling of the weight of prior or data, without
        unit); ``diagnosis``: "the prior decides" where the prior reaches 0.05 and the likelihood does not ("potential
        strong prior / weak likelihood" in ArviZ), "prior and runs may pull apart" where both do ("potential prior-data
        conflict"), else empty; and ``most_sensitive_to``, the parameter (or, ending in ``_sd``, the spread between
        groups) whose prior, scaled alone, moves the expectation most, where there is a diagnosis.

    Raises
    ------
    DataError
        The plan does not suit the fit, see `forecast`.
    FitError
        A fit did not converge.

    Warns
    -----
    ScalingWarning
        A diagnosis is not empty; the text counts the forecasts and names priors to think about.

    Notes
    -----
    A small number says that the forecast does not hang on the prior of a parameter, not that the law is right.  Moves
    of 1 % of the weight are imitated: what a quite different prior would do, only another fit can tell.  Chance alone
    makes a forecast of 4 × 1000 draws move by about 0.01, one of 2 × 300 draws by about 0.03.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> plan = bs.plan_runs(flops=1e22, benchmark="hellaswag", mixture="C4")
    >>> table = bs.prior_sensitivity(fit, plan, seed=1)
    >>> {"prior", "likelihood", "diagnosis"} <= set(table)
    True
    """
    require_fit(fit)
    tables = []
    for law in fit.laws:
        tables.append(_table(law, drawn_forecast(law, plan, seed=seed, even_if_not_converged=even_if_not_converged)))
        for text in _said(tables[-1]):
            warnings.warn(f"{law.model.name}: {text}", ScalingWarning, stacklevel=2)
    return pd.concat(tables, ignore_index=True)


def log_prior(fit: Fit) -> xr.Dataset:
    """Log density of every prior that a model states in numbers, at each draw.

    Returns
    -------
    Dataset over (chain, draw)
        In nats, of standard scores on the unconstrained scale: ``<parameter>`` for each population value that is
        learned, or for the sum over its cells where nothing is pooled; ``<effect>_sd`` for each learned spread.
    """
    model, posterior = fit.model, fit.posterior
    out = {}
    for name, parameter in model.parameters.items():
        if model.has_population(name):
            out[name] = _normal((posterior[parameter.free_name] - parameter.location) / parameter.scale)
        for effect in model.effects(name):
            out[effect.sd_name if effect.learned else name] = _of_effect(effect, posterior)
    return xr.Dataset(out)


def _of_effect(effect: Effect, posterior: xr.Dataset) -> xr.DataArray:
    if effect.learned:
        factor: Any = posterior[effect.sd_name] / effect.spread
        return _normal(np.log(factor) / effect.spread_scale)
    return _normal(posterior[effect.name] / effect.spread).sum(effect.group)


def _normal(score: xr.DataArray) -> xr.DataArray:
    return -(score**2) / 2 - np.log(2 * np.pi) / 2


def _table(fit: Fit, ahead: xr.Dataset) -> pd.DataFrame:
    """What is said of one law, rows in the order of the plan and of its responses."""
    responses = [response_model.name for response_model in fit.model.responses]
    tree = _for_arviz(fit, ahead, responses)
    prior, likelihood = (_sensitivity(tree, group) for group in ("prior", "likelihood"))
    columns = [c for c in ahead.coords if ahead[c].dims == ("row",) and c not in OF_FORECASTS]
    table = pd.DataFrame({c: np.repeat(ahead[c].to_numpy(), len(responses)) for c in columns})
    table.insert(0, "model", fit.model.name)
    diagnosis = np.where(prior < SENSITIVE, "", np.where(likelihood < SENSITIVE, DECIDES, PULLS_APART))
    return table.assign(
        response=responses * ahead.sizes["row"],
        prior=prior.ravel(),
        likelihood=likelihood.ravel(),
        diagnosis=diagnosis.ravel(),
        most_sensitive_to=np.where(diagnosis == "", "", _loudest(tree, prior)).ravel(),
    )


def _for_arviz(fit: Fit, ahead: xr.Dataset, responses: list[str]) -> xr.DataTree:
    """Expectations, and the log densities of priors and data, as ArviZ reads them."""
    expected = ahead[[f"{response}_mean" for response in responses]].drop_vars(set(ahead.coords) - set(SAMPLES))
    data = {response: log_likelihood(fit, response, in_its_units=False).sum("row") for response in responses}
    return xr.DataTree.from_dict(
        {"posterior": expected, "log_prior": log_prior(fit), "log_likelihood": xr.Dataset(data)}
    )


def _sensitivity(tree: xr.DataTree, group: str, name: str | None = None) -> np.ndarray:
    """How far every forecast moves, (row, response); 0 where all its draws are the same."""
    import arviz_stats as azs

    with np.errstate(invalid="ignore", divide="ignore"):
        found = azs.psense(tree, group=group, sample_dims=SAMPLES, group_var_names=name)
    return np.nan_to_num(found.to_dataarray("response").transpose("row", "response").to_numpy())


def _loudest(tree: xr.DataTree, prior: np.ndarray) -> np.ndarray:
    """Prior that moves a forecast most when it is scaled alone, (row, response), where all of them together matter."""
    names = np.full(prior.shape, "", dtype=object)
    if (rows := (prior >= SENSITIVE).any(axis=1)).any():
        groups = {group: tree[group].to_dataset() for group in ("posterior", "log_prior")}
        some = xr.DataTree.from_dict(groups | {"posterior": groups["posterior"].isel(row=rows)})
        alone = np.stack([_sensitivity(some, "prior", str(name)) for name in groups["log_prior"]])
        names[rows] = np.array(list(groups["log_prior"]), dtype=object)[alone.argmax(axis=0)]
    return names


def _said(table: pd.DataFrame) -> Iterator[str]:
    """What a planner should know: how many forecasts, which, and by whose prior."""
    for diagnosis, why in WHY.items():
        found = table[table["diagnosis"] == diagnosis].sort_values("prior", ascending=False, kind="stable")
        if len(found):
            named = listed_names((_named(row) for _, row in found.iterrows()), NAMED)
            priors = ", ".join(map(repr, found["most_sensitive_to"].value_counts().index[:NAMED]))
            yield (
                f"{diagnosis} in {len(found)} of {len(table)} forecasts ({named}): {why}; they depend most on "
                f"the prior of {priors}. See whether you believe it, or fit runs that say more"
            )


def _named(row: pd.Series) -> str:
    place = f" of {row['benchmark']}" if "benchmark" in row else ""
    return f"{row['response']}{place}" + (f" at {row['flops']:.3g} FLOPs" if "flops" in row else "")
