"""What a fit says about runs that are not made yet.

A forecast is a Dataset over (chain, draw, row), one row per row of the plan, with for every response

==================  ==========================================================================
``accuracy_mean``   the expectation: the law itself, what many runs of this kind would average
``accuracy``        a new run: with the differences between runs and the noise of one evaluation, which
                    go together in rows of one run as much as residuals of the fitted runs do
==================  ==========================================================================

(likewise ``loss_mean`` and ``loss``; ``pass_at_k_mean`` and ``pass_at_k``, which rise with k from row to row
of a run and benchmark in every draw), and along ``row`` the coordinates ``run``, ``benchmark``,
``mixture``, ``params``, ``tokens``, ``flops``, ``k`` (of pass@k), ``decades_beyond`` (decades of compute beyond
the largest run that the fit saw for this benchmark) and ``note`` (why not to trust the row, if there is a reason).
Attributes say which model, whether its fit converged, what the bands leave out, and where the forecast comes from
(see `provenance`).  ``lock(path)`` keeps it for the day of the outcome (see `locking`).
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.plans import complete
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.forecasting.caveats import cannot_tell
from bayes_scaling.forecasting.coordinates import row_coordinates
from bayes_scaling.forecasting.falling import replace_falling
from bayes_scaling.forecasting.law_uncertainty import law_uncertainty
from bayes_scaling.forecasting.locking import Lock
from bayes_scaling.forecasting.mixture import mixed
from bayes_scaling.forecasting.provenance import origin
from bayes_scaling.forecasting.run_noise import run_correlation
from bayes_scaling.inference.averaged_fits import Average, require_fit
from bayes_scaling.inference.design import with_evaluations
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.planned_rows import PlannedRows, lay_out_plan
from bayes_scaling.inference.unseen_groups import Values, extended
from bayes_scaling.models.discrepancy import COMPUTE
from bayes_scaling.models.documents import to_document
from bayes_scaling.models.effects import NOISE_GROUPS
from bayes_scaling.models.named_arrays import DRAWN, in_order
from bayes_scaling.models.responses.response import Predicted

FILLED_IN = ("n_items", "n_samples")  # columns that have a value for a blank

xr.register_dataset_accessor("lock")(Lock)


def forecast(
    fit: Fit | Average, plan: pd.DataFrame, *, seed: int | None = None, even_if_not_converged: bool = False
) -> xr.Dataset:
    """Draw every response of every planned run from the posterior predictive distribution.

    Parameters
    ----------
    fit : Fit or Average
        Of an average, every draw comes from one of its laws, in all rows.
    plan : DataFrame
        From `plan_runs`, or any table with the columns that the model reads.  ``chance`` and ``n_items``
        of benchmarks that the fit knows are filled in.  A benchmark or mixture that the fit never saw is
        drawn from the population.  Rows of one ``run`` share noise as the rows of fitted runs do.
    seed : int, optional
        The same seed gives the same draws.
    even_if_not_converged : bool
        Go on from a fit that failed its verdict; the forecast carries the verdict.

    Returns
    -------
    Dataset over (chain, draw, row)
        For every response of the model, of scores for example, ``accuracy_mean``, the expectation, and ``accuracy``, a
        new run evaluated once (or ``loss_mean`` and ``loss``, ``pass_at_k_mean`` and ``pass_at_k``).  Coordinates along
        ``row`` are those of the plan with ``decades_beyond``, decades of compute beyond the largest run that the fit
        saw for the benchmark, and ``note``, why not to trust the row.  Attributes name the model, its verdict and what
        the bands leave out.  `summarise` makes a table of it, and its method ``lock(path)`` a sealed file.

    Raises
    ------
    FitError
        The fit did not converge.
    DataError
        The plan lacks a column that the model reads.

    Warns
    -----
    ScalingWarning
        The plan asks what the fitted runs cannot tell, such as of a label that was never seen; ``note`` says of which
        rows.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> plan = bs.plan_runs(flops=["1e22", "1e23"], benchmark="hellaswag", mixture="C4")
    >>> ahead = bs.forecast(fit, plan, seed=1)
    >>> dict(ahead.sizes)
    {'chain': 4, 'draw': 250, 'row': 2}
    >>> list(ahead.data_vars)
    ['accuracy_mean', 'accuracy']
    """
    ahead = drawn_forecast(fit, plan, seed=seed, even_if_not_converged=even_if_not_converged)
    if asked := cannot_tell(ahead["note"].to_numpy()):
        warnings.warn(f"the plan asks what the runs cannot tell: {'; '.join(asked)}", ScalingWarning, stacklevel=2)
    return ahead


def drawn_forecast(
    fit: Fit | Average, plan: pd.DataFrame, *, seed: int | None = None, even_if_not_converged: bool = False
) -> xr.Dataset:
    """What `forecast` returns, without its warning, for figures and comparisons of many rows."""
    require_fit(fit)
    if isinstance(fit, Average):
        go_on = even_if_not_converged
        parts = [drawn_forecast(law, plan, seed=seed, even_if_not_converged=go_on) for law in fit.laws]
        return mixed(fit, parts, seed)
    fit.require_converged(even_if_not_converged=even_if_not_converged)
    planned = lay_out_plan(fit.design, completed(fit, plan))
    rng = np.random.default_rng(seed)
    correlations = [run_correlation(fit, part) for part in fit.model.responses]
    posterior = fit.posterior
    chains = [posterior.isel(chain=[c]) for c in range(posterior.sizes["chain"])]  # by themselves: they fit the caches
    drawn = [_drawn(fit, chain, planned, correlations, rng) for chain in chains]
    joined = {name: np.concatenate([part[name] for part in drawn]) for name in drawn[0]}
    out = {name: (DRAWN, values) for name, values in replace_falling(joined, fit.runs, planned.table, rng).items()}
    labels = [group for group in fit.model.groups if group not in NOISE_GROUPS]
    coords = {
        "chain": posterior["chain"],
        "draw": posterior["draw"],
        **row_coordinates(fit, planned.table, labels, fit.model),
    }
    return xr.Dataset(out, coords=coords).assign_attrs(
        model=fit.model.name,
        verdict=str(fit.verdict),
        converged=str(fit.verdict.passed),
        law_uncertainty=law_uncertainty(fit.model),
        **origin(to_document(fit.model), fit.runs, plan, seed),
    )


def completed(fit: Fit, plan: pd.DataFrame) -> pd.DataFrame:
    """Bring a plan into the form that a fit reads; see `data.plans.complete`."""
    model = fit.model
    groups = [group for group in model.groups if group not in NOISE_GROUPS]
    read = {column for part in model.responses for column in part.planned_columns} - set(FILLED_IN)
    along = {COMPUTE} if model.leaves_law else set()
    needs = sorted(read | along | set(groups))
    return with_evaluations(complete(plan, fit.runs, needs=needs, groups=groups, who=f"model {model.name!r}"))


def _drawn(
    fit: Fit, posterior: xr.Dataset, planned: PlannedRows, correlations: list[float], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Expectation and one new run of every response, (chain, draw, row), for some draws of a fit."""
    values = extended(fit.design, posterior, planned, rng)
    out: dict[str, np.ndarray] = {}
    for number, part in enumerate(fit.model.responses):
        lasting = _predicted(fit, number, values, planned, planned.lasting, correlations[number])
        shown = lasting
        if planned.codes.keys() != planned.lasting.keys():
            shown = _predicted(fit, number, values, planned, planned.codes, correlations[number])
        drawn = part.response.new_run(shown, rng)
        out |= {part.response.mean_name: part.response.expectation(lasting), part.name: drawn}
    return out


def _predicted(
    fit: Fit,
    number: int,
    values: Values,
    planned: PlannedRows,
    codes: dict[str, np.ndarray],
    correlation: float,
) -> Predicted:
    """What the law of one response says of the planned rows, with the differences that ``codes`` names."""
    part, data = fit.model.responses[number], planned.columns[number]
    mean = fit.model.mean(part, values, data, codes)
    distribution, arguments = fit.model.observation(part, mean, values, data, codes)
    return Predicted(
        likelihood=part.likelihood,
        distribution=distribution,
        mean=in_order(mean),
        arguments={name: in_order(value) for name, value in arguments.items()},
        plan=planned.table,
        n_items=planned.n_items,
        correlation=correlation,
        same=planned.same[number],
    )
