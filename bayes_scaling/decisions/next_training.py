"""Which runs or evaluations to make next, so that a stated forecast or decision becomes as certain as possible."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.sizes import parse_number, parse_size
from bayes_scaling.decisions.basis import basis
from bayes_scaling.errors import DataError
from bayes_scaling.files.frames import as_frame
from bayes_scaling.forecasting.forecast import drawn_forecast
from bayes_scaling.forecasting.intervals import row_draws
from bayes_scaling.inference.averaged_fits import Average, require_fit
from bayes_scaling.inference.fitting import Fit

JITTER = 1e-9  # of the variance of an outcome, so that outcomes without noise can be inverted
RESPONSES = ("accuracy", "pass_at_k", "loss")


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
        ``sd_after``, root mean square standard deviations of the target in its own unit, and ``share``, the part of the
        variance at the start that is left.  Attributes say what the answer rests on.

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
    if number is None and budget is None:
        raise DataError('say how much: number=3 runs, or budget="1e21" in units of the cost')
    if number is not None and not (isinstance(number, int) and not isinstance(number, bool) and number > 0):
        raise DataError(f"number must be a whole number of 1 or more, not {number!r}")
    limit = np.inf if budget is None else parse_size(budget)
    if not limit > 0:
        raise DataError(f"budget must be positive, not {budget!r}")
    if table.empty:
        raise DataError("there are no candidates: the table is empty")
    wanted, weight = _wanted(target)
    if "run" not in table:
        table = table.assign(run=[f"candidate {number + 1}" for number in range(len(table))])
    plan = pd.concat([table, wanted], ignore_index=True)  # one forecast: what curves do beyond the runs is shared
    both = drawn_forecast(fit, plan, seed=seed, even_if_not_converged=even_if_not_converged)
    ahead, goal = both.isel(row=slice(len(table))), row_draws(both[f"{_response(both)}_mean"])[len(table) :]
    goal = goal if weight is None else weight[None] @ goal
    outcome, noise = _outcomes(ahead)
    runs = ahead["run"].to_numpy().astype(str)
    prices = _prices(table, ahead, cost)
    rows = _greedy(goal, outcome, noise, runs, prices, number or len(set(runs)), limit)
    found = pd.DataFrame(rows, columns=["run", "cost", "total_cost", "sd_before", "sd_after"])
    found["share"] = np.square(found["sd_after"] / np.sqrt(goal.var(axis=1).mean()))
    found.attrs.update(basis(fit, ahead))
    return found


def _wanted(target: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray | None]:
    """The plan of the target, and the weights of its rows where it has some."""
    table = as_frame(target, "the target").reset_index(drop=True)
    if table.empty:
        raise DataError("the target has no rows")
    weight = None
    if "weight" in table:
        weight = np.array([parse_number(one) for one in table.pop("weight")])
        if not (np.isfinite(weight).all() and weight.any()):
            raise DataError("weights of the target must be finite, and not all zero")
    return table.assign(run=[f"target {number + 1}" for number in range(len(table))]), weight


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


def _greedy(
    goal: np.ndarray, outcome: np.ndarray, noise: np.ndarray, runs: np.ndarray, prices: np.ndarray, number: int,
    limit: float,
) -> list[tuple[str, float, float, float, float]]:  # fmt: skip
    """Runs in the order in which they are chosen, from the joint covariance of targets and outcomes."""
    values = np.concatenate([goal, outcome])
    covariance = np.atleast_2d(np.cov(values))
    scatter = np.atleast_2d(np.cov(noise))
    targets = np.arange(len(goal))
    groups = {str(run): np.flatnonzero(runs == run) for run in dict.fromkeys(runs)}
    price = {run: float(prices[rows[0]]) for run, rows in groups.items()}
    chosen: list[tuple[str, float, float, float, float]] = []
    spent = 0.0
    while len(chosen) < number:
        best, best_value, best_gain = None, 0.0, None
        for run, rows in groups.items():
            if spent + price[run] > limit:
                continue
            at = len(goal) + rows
            known = covariance[np.ix_(at, at)] + scatter[np.ix_(rows, rows)]
            known = known + np.diag(JITTER * np.diag(known) + np.finfo(float).tiny)
            gain = np.linalg.solve(known, covariance[at])
            fall = float(np.einsum("ij,ij->", covariance[np.ix_(targets, at)], gain[:, targets].T))
            if best is None or fall / price[run] > best_value:
                best, best_value, best_gain = run, fall / price[run], (at, gain)
        if best is None or best_gain is None:
            break
        at, gain = best_gain
        before = _deviation(covariance, targets)
        covariance = covariance - covariance[:, at] @ gain
        spent += price[best]
        chosen.append((best, price[best], spent, before, _deviation(covariance, targets)))
        del groups[best]
    return chosen


def _deviation(covariance: np.ndarray, targets: np.ndarray) -> float:
    return float(np.sqrt(np.maximum(np.diag(covariance)[targets], 0).mean()))
