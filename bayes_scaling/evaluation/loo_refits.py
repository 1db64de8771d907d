"""Leave-one-out densities that hold: importance sampling where it works, and exact refits where it does not.

Importance sampling takes a score away from the draws of a fit by giving the draws weights (Vehtari et al. 2017,
doi 10.1007/s11222-016-9696-4), and its Pareto k says where that fails: the score has drawn the fit to itself.  There
the model is fitted again without the likelihood of that one score.  All else stays: the levels of its groups, the
compute that discrepancies span, the loss of its run, or the scores beside a loss that is left out; so both ways
estimate the same density.  Every such score has a refit of its own: leaving out several answers another question.
"""

from __future__ import annotations

import warnings
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.refits.engine import Engine
from bayes_scaling.evaluation.refits.task import Found, Task, diagnostics, found_in
from bayes_scaling.inference.attempts import conditioned
from bayes_scaling.inference.design import Design, lay_out
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.layout import read_by_users
from bayes_scaling.inference.log_densities import log_likelihood, response_data, taken
from bayes_scaling.inference.settings import Settings
from bayes_scaling.models.documents import to_document
from bayes_scaling.models.user_laws import added_to

REFITS_AT_MOST = 100
type ELPDData = Any  # of ArviZ

REFIT, SAMPLED = "refit", "importance sampling"
NAMED = 5  # Pareto k of rows left unreliable that a text names


def sampled(fit: Fit, responses: tuple[str, ...]) -> Any:
    """Leave-one-out densities by importance sampling, as `arviz.loo` estimates them; rows of all responses in a row.

    Raises
    ------
    DataError
        As for `log_likelihood`; or the densities of some rows are not finite.
    """
    import arviz_stats as azs

    parts = [log_likelihood(fit, response) for response in responses]
    log_p = xr.concat(parts, dim="row").drop_vars("row").to_dataset(name="reported")
    tree = xr.DataTree.from_dict({"posterior": fit.posterior[read_by_users(fit.model)], "log_likelihood": log_p})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # refused below
        warnings.filterwarnings("ignore", message=".*Pareto", category=UserWarning)  # counted instead
        found = azs.loo(tree, pointwise=True)
    if not np.isfinite(found.elpd_i).all():
        raise DataError(
            f"{[fit.model.name]} give some scores no finite leave-one-out density; average with weights='equal'"
        )
    return found


def repaired(
    fit: Fit,
    found: ELPDData,
    responses: tuple[str, ...],
    *,
    seed: int | None,
    refits_at_most: int,
    settings: Settings,
    engine: Engine = Engine(),
) -> tuple[Any, pd.DataFrame]:
    """Replace what importance sampling could not estimate by what refits give.

    Parameters
    ----------
    fit : Fit
    found : ELPDData
        From `sampled`.
    responses : tuple of str
    seed : int, optional
        Of the refits; each has a seed of its own that follows from it.
    refits_at_most : int
        Where more rows are unreliable, those with the largest Pareto k are refitted.
    settings : Settings
        Of the refits.
    engine : Engine

    Returns
    -------
    elpd : ELPDData
        As `arviz.loo` returns it, pointwise, with ``elpd_i`` replaced in the refitted rows and their Pareto k set to
        0 (as `arviz.reloo` does); in nats.
    record : DataFrame
        One row per score whose Pareto k is above ArviZ's ``good_k``, the largest first: ``response``, ``row``
        (position in ``fit.runs``), ``at`` (position in ``elpd_i``), ``pareto_k``, ``by`` ("refit", or "importance
        sampling" where there were more than ``refits_at_most``), ``before`` and ``log_density`` (nats), and of the
        refit ``error`` (Monte Carlo standard error of the log density, itself rough where it exceeds a few tenths:
        what a law all but excludes is predicted by few of its draws) and ``verdict``.

    Raises
    ------
    DataError
        Densities are not finite, or in units that cannot be compared; ``refits_at_most`` is negative.
    """
    if refits_at_most < 0:
        raise DataError(f"refits_at_most must not be negative, got {refits_at_most}")
    record = _unreliable(fit, found, responses)
    chosen = record.head(refits_at_most)
    seeds = np.random.SeedSequence(seed).generate_state(found.n_data_points)[chosen["at"].to_numpy(int)].tolist()
    tasks = [
        left_out(fit, response, row, settings, own)
        for response, row, own in zip(chosen["response"], chosen["row"], seeds, strict=True)
    ]
    for index, result in enumerate(engine.run(tasks, f"{fit.model.name} without single scores")):
        refit = found_in(result)
        if refit["problem"]:
            continue
        record.loc[index, "by"], record.loc[index, "verdict"] = REFIT, refit["verdict"]
        record.loc[index, "log_density"], record.loc[index, "error"] = refit["log_density"], refit["error"]
    return _replaced(found, record[record["by"] == REFIT]), record


def _unreliable(fit: Fit, found: ELPDData, responses: tuple[str, ...]) -> pd.DataFrame:
    """Rows that importance sampling cannot take away, the worst first."""
    rows = [response_data(fit, response)[1].rows for response in responses]
    table = pd.DataFrame({"response": np.repeat(responses, [len(r) for r in rows]), "row": np.concatenate(rows)})
    table = table.assign(at=range(len(table)), pareto_k=found.pareto_k.to_numpy(), by=SAMPLED)
    table = table.assign(before=found.elpd_i.to_numpy(), log_density=found.elpd_i.to_numpy())
    table = table.assign(error=np.nan, verdict="")
    high = table[~(table["pareto_k"] <= found.good_k)]
    return high.sort_values("pareto_k", ascending=False, kind="stable", ignore_index=True)


@dataclass(frozen=True)
class LeftOut(Task):
    """One law fitted to all runs without one observed value, and the density that it gives to this.

    Attributes
    ----------
    runs : DataFrame
    row : int
        Position of the value that is left out.
    """

    runs: pd.DataFrame
    row: int

    def tables(self) -> tuple[pd.DataFrame, ...]:
        """The runs."""
        return (self.runs,)

    def compute(self) -> tuple[xr.Dataset, Found]:
        """Log density of the value under the fit, its Monte Carlo error, and the verdict; no draws are kept."""
        import arviz_stats as azs

        model, settings = self.prepared(), Settings(**self.settings)
        design = without(lay_out(model, self.runs), self.response, self.row)
        tree, verdict = conditioned(design, settings, seed=self.seed, cores=1)
        refit = Fit(model, self.runs, tree, verdict, self.seed)
        value = response_data(refit, self.response)[1].rows == self.row
        log_p = log_likelihood(refit, self.response, value).isel(row=0)
        relative = np.exp(log_p - log_p.max())
        error = float(azs.mcse(relative) / relative.mean())
        density = float(np.log(relative.mean()) + log_p.max())
        return xr.Dataset(), diagnostics(refit) | {"log_density": density, "error": error}


def left_out(fit: Fit, response: str, row: int, settings: Settings, seed: int) -> LeftOut:
    """Describe the refit of a law without one value."""
    document, added, what = to_document(fit.model), added_to(fit.model), f"without row {row} of {response}"
    return LeftOut(fit.model.name, what, document, added, response, seed, asdict(settings), fit.runs, int(row))


def without(design: Design, response: str, row: int) -> Design:
    """A design without one observed value of one response: levels, span and all other values stay."""
    responses = [
        taken(data, data.rows != row) if part.name == response else data
        for part, data in zip(design.model.responses, design.responses, strict=True)
    ]
    return replace(design, responses=tuple(responses))


def _replaced(found: ELPDData, refits: pd.DataFrame) -> Any:
    """ArviZ's result with other densities of some rows, and the sums that follow from them."""
    found = deepcopy(found)
    at, change = refits["at"].to_numpy(int), (refits["log_density"] - refits["before"]).to_numpy(float)
    found.elpd_i[at] += change
    found.pareto_k[at] = 0.0
    found.elpd, found.p = float(found.elpd_i.sum()), float(found.p - change.sum())
    found.se = float(np.sqrt(found.n_data_points * np.var(found.elpd_i.to_numpy(), ddof=1)))
    found.warning = bool((found.pareto_k > found.good_k).any())
    return found


def doubts(name: str, found: ELPDData, record: pd.DataFrame) -> list[str]:
    """Why densities of a law should still not be relied on: refits that failed, and rows that had none."""
    failed = record[(record["by"] == REFIT) & ~record["verdict"].str.startswith("converged")]
    left = record[record["by"] == SAMPLED]
    messages = []
    if len(failed):
        messages.append(
            f"{name}: {len(failed)} of {(record['by'] == REFIT).sum()} refits without a score failed their verdict "
            f"(the first: {failed['verdict'].iloc[0]}): more draws may mend that"
        )
    if len(left):
        named = ", ".join(f"{k:.2f}" for k in left["pareto_k"][:NAMED]) + (", …" if len(left) > NAMED else "")
        messages.append(
            f"{name}: Pareto k is above {found.good_k:.2f} in {len(left)} of {found.n_data_points} rows that were not "
            f"refitted ({named}): their leave-one-out densities are unreliable, and so are weights that rest on them"
        )
    return messages
