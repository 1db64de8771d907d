"""Which runs or evaluations to make next, so that a stated forecast or decision becomes as certain as possible."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.budgets import how_much
from bayes_scaling.data.sizes import parse_number, parse_size
from bayes_scaling.decisions.basis import basis
from bayes_scaling.decisions.local_misfit import local_misfit
from bayes_scaling.errors import DataError
from bayes_scaling.files.frames import as_frame
from bayes_scaling.forecasting.forecast import drawn_forecast
from bayes_scaling.forecasting.intervals import row_draws
from bayes_scaling.forecasting.notes import joined, told_of
from bayes_scaling.inference.averaged_fits import Average, require_fit
from bayes_scaling.inference.fitting import Fit

MISSED = 3.0  # what the law may miss near a run, in standard deviations of the target: `benchmarks/next_runs.py`
JITTER = 1e-9  # of the variance of an outcome, so that outcomes without noise can be inverted
RESPONSES = ("accuracy", "pass_at_k", "loss")
RECORD = (
    "replayed on two pools of losses and on scores of gadre2024, runs so chosen forecast larger ones better than runs "
    "at random on all three at 5 % of the cost of all, on two at 10 %, on one of two at 1 %, and not on the one that "
    "was tried at 20 % (benchmarks/next_runs.py)"
)


def next_runs(
    fit: Fit | Average,
    candidates: pd.DataFrame,
    target: pd.DataFrame,
    *,
    number: int | None = None,
    budget: float | str | None = None,
    cost: str = "flops",
    seed: int | None = None,
    even_if_not_converged: bool = False,
) -> pd.DataFrame:
    """Choose the runs, seeds or evaluations that shrink the uncertainty of a forecast most for what they cost.

    The outcome of every candidate is drawn with the same draws of the parameters as the target.  How much the target's
    variance would fall once an outcome is known follows from their covariance (a preposterior analysis, linear in the
    outcomes); the candidate with the largest fall for its cost is taken, and so on.  Rows of one candidate run are
    observed together and share the noise of that run.

    No law is exact, and a choice that trusts one buys many small runs, which say all about its parameters and nothing
    about where it fails.  For the choice, therefore, the truth may miss the law by three standard deviations of the
    target, and only runs within about half a decade of compute tell by how much (`local_misfit`).

    Parameters
    ----------
    fit : Fit or Average
    candidates : DataFrame
        A plan, as `forecast` takes it: rows of one ``run`` are one candidate.  ``n_items`` or ``n_samples`` say how
        precise an evaluation would be, so that more items of a run already made are candidates too.
    target : DataFrame
        A plan whose expectation should be known better, all rows alike.  With a column ``weight`` it is their weighted
        sum that should be: weights of 1 and −1 ask which of two mixtures is better.
    number : int, optional
        How many candidates at most.
    budget : float or str, optional
        What they may cost together; by default no limit.
    cost : str
        Column of costs; by default the compute of training [FLOPs].  The cost of a run is that of its first row.
    seed : int, optional
        The same seed gives the same draws.
    even_if_not_converged : bool

    Returns
    -------
    DataFrame
        Chosen runs in the order in which to make them: ``run``, ``cost``, ``total_cost``, ``sd_before`` and
        ``sd_after``, root mean square standard deviations of the target in its own unit as the law alone has them, and
        ``share``, the part of the variance at the start that is left.  Attributes say what the answer rests on,
        the column of costs and the response.

    Raises
    ------
    DataError
        An argument is none of those above.
    FitError
        The fit did not converge.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> plan = bs.plan_runs(flops=["1e20", "1e21", "4e21"], benchmark="hellaswag", mixture="C4")
    >>> goal = bs.plan_runs(flops="1e23", benchmark="hellaswag", mixture="C4")
    >>> chosen = bs.next_runs(fit, plan, goal, number=2, seed=1)
    >>> bool((chosen["sd_after"] < chosen["sd_before"]).all())
    True
    """
    require_fit(fit)
    table = as_frame(candidates, "the candidates").reset_index(drop=True)
    number, limit = how_much(number, budget, 'number=3 runs, or budget="1e21" in units of the cost')
    if table.empty:
        raise DataError("there are no candidates: the table is empty")
    wanted, weight = _wanted(target)
    if "run" not in table:
        table = table.assign(run=[f"candidate {number + 1}" for number in range(len(table))])
    plan = pd.concat([table, wanted], ignore_index=True)  # one forecast: what curves do beyond the runs is shared
    both = drawn_forecast(fit, plan, seed=seed, even_if_not_converged=even_if_not_converged)
    ahead = both.isel(row=slice(len(table)))
    runs = ahead["run"].to_numpy().astype(str)
    prices = _prices(table, ahead, cost)
    rows = _greedy(*_covariances(fit, both, weight, len(table)), runs, prices, number or len(set(runs)), limit)
    found = pd.DataFrame(rows, columns=["run", "cost", "total_cost", "sd_before", "sd_after"])
    found["share"] = np.square(found["sd_after"] / found["sd_before"].iloc[0]) if len(found) else []
    told = {"cost": cost, "response": _response(ahead), "note": _note(both.isel(row=slice(len(table), None)))}
    found.attrs.update(basis(fit, ahead, RECORD) | told)
    return found


def _wanted(target: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray | None]:
    """The plan of the target, and the weights (1, row) of its rows where it has some."""
    table = as_frame(target, "the target").reset_index(drop=True)
    if table.empty:
        raise DataError("the target has no rows")
    weight: np.ndarray | None = None
    if "weight" in table:
        weight = np.array([[parse_number(one) for one in table.pop("weight")]])
        if not (np.isfinite(weight).all() and weight.any()):
            raise DataError("weights of the target must be finite, and not all zero")
    return table.assign(run=[f"target {number + 1}" for number in range(len(table))]), weight


def _note(target: xr.Dataset) -> str:
    """What the forecast remarks on the target."""
    tests = target["benchmark" if "benchmark" in target.coords else "run"].to_numpy()
    return joined(told_of(tests, target["note"].to_numpy()))


def _response(ahead: xr.Dataset) -> str:
    return next(name for name in RESPONSES if f"{name}_mean" in ahead)


def _outcomes(ahead: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Expectations of the candidates' outcomes (row, draw), and their noise, the difference of a new run from it."""
    name = _response(ahead)
    mean = row_draws(ahead[f"{name}_mean"])
    return mean, row_draws(ahead[name]) - mean


def _prices(table: pd.DataFrame, ahead: xr.Dataset, cost: str) -> np.ndarray:
    """Cost of every row's run."""
    if not isinstance(cost, str) or (cost not in table and cost not in ahead.coords):
        raise DataError(f"the candidates have no column {cost!r} of costs; they have {list(table.columns)}")
    values = table[cost].map(parse_size).to_numpy(float) if cost in table else ahead[cost].to_numpy()
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise DataError(f"costs must be positive and finite; column {cost!r} is not")
    return np.asarray(values, float)


def _covariances(
    fit: Fit | Average, both: xr.Dataset, weight: np.ndarray | None, n_candidates: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Covariance of targets and outcomes under the law, with what the law may miss added, and that of the noise."""
    outcome, noise = _outcomes(both)
    order = np.r_[n_candidates : len(outcome), :n_candidates]
    mean, scatter = outcome[order], np.atleast_2d(np.cov(noise[:n_candidates]))
    n_targets = len(outcome) - n_candidates
    missed = MISSED**2 * mean[:n_targets].var(axis=1).mean()
    rows = pd.DataFrame({str(c): both[c].to_numpy() for c in both.coords if both[c].dims == ("row",)}).take(order)
    local = missed * local_misfit(fit, rows, float(np.diag(scatter).mean() / missed) if missed else 1.0)
    total = np.eye(len(mean))
    if weight is not None:
        total = np.block(
            [[weight, np.zeros((1, n_candidates))], [np.zeros((n_candidates, n_targets)), np.eye(n_candidates)]]
        )
    under_law = np.atleast_2d(np.cov(total @ mean))
    return under_law, under_law + total @ local @ total.T, scatter


def _greedy(
    under_law: np.ndarray, robust: np.ndarray, scatter: np.ndarray, runs: np.ndarray, prices: np.ndarray, number: int,
    limit: float,
) -> list[tuple[str, float, float, float, float]]:  # fmt: skip
    """Runs in the order in which they are chosen by one covariance, with what they tell under the other."""
    targets = np.arange(len(robust) - len(runs))
    groups = {str(run): np.flatnonzero(runs == run) for run in dict.fromkeys(runs)}
    price = {run: float(prices[rows[0]]) for run, rows in groups.items()}
    chosen: list[tuple[str, float, float, float, float]] = []
    spent = 0.0
    while len(chosen) < number:
        falls = {
            run: _fall(robust, scatter, targets, rows) / price[run]
            for run, rows in groups.items()
            if spent + price[run] <= limit
        }
        if not falls:
            break
        best = max(falls, key=lambda run: falls[run])
        rows, before = groups.pop(best), _deviation(under_law, targets)
        under_law, robust = (_once_known(one, scatter, len(targets), rows) for one in (under_law, robust))
        spent += price[best]
        chosen.append((best, price[best], spent, before, _deviation(under_law, targets)))
    return chosen


def _observed(covariance: np.ndarray, scatter: np.ndarray, n_targets: int, rows: np.ndarray) -> np.ndarray:
    """Covariance of the outcomes of some candidates, with their noise."""
    at = n_targets + rows
    known = covariance[np.ix_(at, at)] + scatter[np.ix_(rows, rows)]
    return np.asarray(known + np.diag(JITTER * np.diag(known) + np.finfo(float).tiny))


def _fall(covariance: np.ndarray, scatter: np.ndarray, targets: np.ndarray, rows: np.ndarray) -> float:
    """How much the variances of the targets fall together once the outcomes of some candidates are known."""
    across = covariance[np.ix_(len(targets) + rows, targets)]
    return float((across * np.linalg.solve(_observed(covariance, scatter, len(targets), rows), across)).sum())


def _once_known(covariance: np.ndarray, scatter: np.ndarray, n_targets: int, rows: np.ndarray) -> np.ndarray:
    """The covariance once the outcomes of some candidates are known."""
    across = covariance[n_targets + rows]
    return covariance - across.T @ np.linalg.solve(_observed(covariance, scatter, n_targets, rows), across)


def _deviation(covariance: np.ndarray, targets: np.ndarray) -> float:
    return float(np.sqrt(np.maximum(np.diag(covariance)[targets], 0).mean()))
