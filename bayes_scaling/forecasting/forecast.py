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

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.columns import check_ranges
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.coordinates import row_coordinates
from bayes_scaling.forecasting.law_uncertainty import LAW_UNCERTAINTY
from bayes_scaling.forecasting.locking import Lock
from bayes_scaling.forecasting.mixture import mixed
from bayes_scaling.forecasting.pass_at_k import expectation, new_evaluations
from bayes_scaling.forecasting.provenance import origin
from bayes_scaling.forecasting.run_noise import run_correlation, share
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.design import columns_of, with_evaluations
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.pymc_draws import draw
from bayes_scaling.inference.unseen_groups import extended
from bayes_scaling.models.documents import to_document
from bayes_scaling.models.effects import NOISE_GROUPS
from bayes_scaling.models.heads import Head
from bayes_scaling.models.model import varied_over

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
        drawn from the population.  Rows of one ``run`` share that run's luck.
    seed : int, optional
        The same seed gives the same draws.
    even_if_not_converged : bool
        Go on from a fit that failed its verdict; the forecast carries the verdict.

    Returns
    -------
    Dataset over (chain, draw, row); see the module's description.

    Raises
    ------
    FitError
        The fit did not converge.
    DataError
        The plan lacks a column that the model reads.
    """
    if isinstance(fit, Average):
        go_on = even_if_not_converged
        parts = [forecast(law, plan, seed=seed, even_if_not_converged=go_on) for law in fit.weighted]
        return mixed(fit, parts, seed)
    fit.require_converged(even_if_not_converged=even_if_not_converged)
    given, plan = plan, _completed(fit, plan)
    rng = np.random.default_rng(seed)
    correlation = {h.response: run_correlation(fit, h) for h in fit.model.heads if h.response == "accuracy"}
    posterior = fit.posterior
    chains = [posterior.isel(chain=[c]) for c in range(posterior.sizes["chain"])]  # by themselves: they fit the caches
    drawn = [_drawn(fit, chain, plan, correlation, rng) for chain in chains]
    out = {name: (("chain", "draw", "row"), np.concatenate([part[name] for part in drawn])) for name in drawn[0]}
    coords = {"chain": posterior["chain"], "draw": posterior["draw"], **row_coordinates(fit, plan)}
    return xr.Dataset(out, coords=coords).assign_attrs(
        model=fit.model.name,
        verdict=str(fit.verdict),
        converged=str(fit.verdict.passed),
        law_uncertainty=LAW_UNCERTAINTY[fit.model.leaves_law],
        **origin(to_document(fit.model), fit.runs, given, seed),
    )


def _drawn(
    fit: Fit, posterior: xr.Dataset, plan: pd.DataFrame, correlation: dict[str, float], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Expectation and one new run of every response, (chain, draw, row), for some draws of a fit."""
    values, codes = extended(fit.design, posterior, plan, rng)
    lasting = {g: c for g, c in codes.items() if g not in NOISE_GROUPS}
    out: dict[str, np.ndarray] = {}
    for head in fit.model.heads:
        data = columns_of(head, plan)
        mean = np.asarray(fit.model.mean(head, values, data, lasting))
        new = mean if codes.keys() == lasting.keys() else fit.model.mean(head, values, data, codes)
        if head.response == "pass_at_k":
            lasts = fit.model.observation(head, mean, values, data, lasting)[1]
            shows = fit.model.observation(head, new, values, data, codes)[1]
            drawn = new_evaluations(head, np.asarray(new), shows, plan, rng)
            mean = expectation(head, mean, lasts, plan)
        else:
            together = correlation.get(head.response, 0.0)
            drawn = _observe(fit, head, np.asarray(new), values, codes, plan, together, rng)
        out |= {f"{head.response}_mean": mean, head.response: drawn}
    return out


def _observe(
    fit: Fit, head: Head, mean: np.ndarray, values: Any, codes: Any, plan: pd.DataFrame, correlation: float, rng: Any
) -> np.ndarray:
    """One draw of the response per posterior draw and row; rows of one run share some of its luck."""
    distribution, arguments = fit.model.observation(head, mean, values, columns_of(head, plan), codes)
    drawn = draw(distribution, arguments, rng)
    if head.response == "loss":
        return np.asarray(head.likelihood.report(drawn, None))[..., _first_of_run(fit, head, plan)]
    n_items = columns_of(head, plan, ["n_items"])["n_items"]
    if correlation:
        centre = np.asarray(head.likelihood.observe(mean, n_items))
        runs = plan["run"].astype("category").cat.codes.to_numpy()
        drawn = centre + share(drawn - centre, runs, correlation, rng)
    return np.clip(np.asarray(head.likelihood.report(drawn, n_items)), 0.0, 1.0)


def _first_of_run(fit: Fit, head: Head, plan: pd.DataFrame) -> np.ndarray:
    """For every row, the first one of the same run and expectation: a run has one loss, whatever it is scored on."""
    apart = dict.fromkeys(("run", *head.columns, *varied_over(fit.model, head.parameters)))
    same = plan.groupby(list(apart), sort=False).ngroup()
    return np.unique(same, return_index=True)[1][same]


def _completed(fit: Fit, plan: pd.DataFrame) -> pd.DataFrame:
    """Fill in what the fit knows about the benchmarks of a plan."""
    if plan.empty:
        raise DataError("the plan has no rows; plan_runs(flops=[1e22], benchmark=['hellaswag']) makes some")
    if absent := [c for c in fit.model.groups if c not in plan and c not in NOISE_GROUPS]:
        raise DataError(f"the plan needs the columns {absent}; it has {list(plan.columns)}")
    plan = plan.reset_index(drop=True)
    if "run" not in plan:
        plan = plan.assign(run=[f"run {number + 1}" for number in _numbers(plan)])
    plan = with_evaluations(plan)
    if "benchmark" in plan:
        for name in ("chance", "n_items"):
            if name in fit.runs:
                known = fit.runs.dropna(subset=[name]).groupby("benchmark")[name].median()
                given = plan[name] if name in plan else pd.Series(np.nan, plan.index)
                plan[name] = given.astype(float).fillna(plan["benchmark"].map(known))
    tries = {"k"} if any(head.response == "pass_at_k" for head in fit.model.heads) else set()
    read = {c for head in fit.model.heads for c in head.columns} | tries
    along = {"flops"} if fit.model.leaves_law else set()
    check_ranges(plan, read | {"flops"})
    for name in (read - {"n_items", "n_samples"}) | along | (set(fit.model.groups) - set(NOISE_GROUPS)):
        blank = plan.index[plan[name].isna()] if name in plan else plan.index
        if len(blank):
            raise DataError(
                f"model {fit.model.name!r} needs {name!r} in every row of the plan: rows {list(blank[:5])} have none"
            )
    return plan


def _numbers(plan: pd.DataFrame) -> list[int]:
    """Number the runs of a plan that does not name them: every row is one, or every size where there are several k."""
    sizes = [c for c in ("mixture", "params", "tokens", "flops") if c in plan]
    if "k" not in plan or plan["k"].isna().all() or not sizes:
        return list(range(len(plan)))
    return plan.groupby(sizes, sort=False, dropna=False).ngroup().tolist()
