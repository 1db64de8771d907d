"""How to split a budget of compute between parameters and tokens, and what the cheapest split costs for a target."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.plans import plan_runs
from bayes_scaling.data.sizes import FLOPS_PER_PARAM_TOKEN, parse_number
from bayes_scaling.decisions.along import ACCURACY, names, only_name, positive
from bayes_scaling.decisions.basis import basis
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.forecast import drawn_forecast
from bayes_scaling.forecasting.intervals import row_draws
from bayes_scaling.forecasting.notes import joined, told_of
from bayes_scaling.forecasting.paths import path, reads_sizes
from bayes_scaling.inference.averaged_fits import Average, require_fit
from bayes_scaling.inference.fitting import Fit

LOSS = "loss"
RATIOS = (0.5, 2000.0)  # tokens per parameter that are tried
PLACES = 49
PER_PARAM = 2.0  # FLOPs of one parameter for one token of inference
BUDGETS_PER_DECADE, REACH = 8, 4.0
RECORD = {
    LOSS: (
        "among larger runs of equal compute, the loss of the run nearest to the recommended split was .02 and .11 % "
        "above the lowest on two public sets of losses (at 20 tokens per parameter .09 and .05 %, at random 2.0 and "
        ".7 %); 80 % intervals of the best ratio held it in 21 and 92 % of cases (benchmarks/allocate.py)"
    )
}


def allocate(
    fit: Fit | Average,
    budget: float | str | None = None,
    *,
    target: float | None = None,
    benchmark: str | None = None,
    mixture: str | None = None,
    inference_tokens: float | str = 0.0,
    seed: int | None = None,
    even_if_not_converged: bool = False,
) -> xr.Dataset:
    """Find the parameters and tokens that make the most of a budget, or the cheapest ones that reach a target.

    Every draw of the posterior has its own best split.  The recommended split is the one whose expected outcome is
    best, and ``missed`` says how much it falls short of the best in each draw.

    Parameters
    ----------
    fit : Fit or Average
        Of a law of parameters and tokens.
    budget : float or str, optional
        Training and inference together [FLOPs].
    target : float, optional
        Score, or loss where no benchmark is named, to be reached at the least budget; instead of a budget.
    benchmark : str, optional
        Whose score counts; by default the loss.
    mixture : str, optional
        By default the only one that the fit saw.
    inference_tokens : float or str
        Tokens that the model will read and write in use, at 2 N FLOPs each; they count in the budget.
    seed : int, optional
        The same seed gives the same draws.
    even_if_not_converged : bool

    Returns
    -------
    Dataset
        Over (chain, draw): ``params``, ``tokens`` and ``tokens_per_param`` of the best split of each draw, ``budget``
        [FLOPs], infinite where no budget within reach attains the target, and ``missed``, in the unit of the outcome.
        Over (place,): ``outcome``, its expectation along the splits that were tried, with the coordinates
        ``tried_params`` and ``tried_tokens``.  Attributes are those of the forecast, with ``recommended_params``,
        ``recommended_tokens``, ``recommended_budget`` and ``note``, which says when the best split lies beyond those
        of the fitted runs.

    Raises
    ------
    DataError
        The law reads compute alone, or an argument is none of those above.
    FitError
        The fit did not converge.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("params_tokens.nc")
    >>> found = bs.allocate(fit, "1e22", benchmark="benchmark 00", seed=1)
    >>> bool(found.attrs["recommended_params"] > 1e8)
    True
    """
    require_fit(fit)
    if not reads_sizes(fit):
        raise DataError(
            "allocate needs a law of parameters and tokens, such as params_tokens; this one reads compute alone"
        )
    if (budget is None) == (target is None):
        raise DataError("name either a budget or a target")
    spoken = 0.0 if isinstance(inference_tokens, int | float) and inference_tokens == 0 else positive(inference_tokens)
    mix = only_name(fit, "mixture", mixture)
    test = None if benchmark is None else names(fit, "benchmark", benchmark)[0]
    if test is None and all(part.name != LOSS for law in fit.laws for part in law.model.responses):
        raise DataError(f"name a benchmark: {fit.laws[0].model.name} forecasts no loss")
    if budget is not None:
        budgets = np.array([positive(budget)])
    else:
        least, most = fit.runs["flops"].min(), fit.runs["flops"].max() * 10**REACH
        budgets = np.geomspace(least, most, int(np.log10(most / least) * BUDGETS_PER_DECADE) + 2)
    params, tokens = _splits(budgets, path(fit)[1], spoken)
    plan = _plan(params.ravel(), tokens.ravel(), test, mix)
    ahead = drawn_forecast(fit, plan, seed=seed, even_if_not_converged=even_if_not_converged)
    name = LOSS if test is None else ACCURACY
    if f"{name}_mean" not in ahead:
        right = "name a benchmark" if test is None else "leave the benchmark out to ask of the loss"
        raise DataError(f"{ahead.attrs['model']} forecasts {list(ahead.data_vars)}; {right}")
    outcome = row_draws(ahead[f"{name}_mean"]).reshape(*params.shape, -1)
    better = -outcome if name == LOSS else outcome  # (budget, place, draw)
    if target is None:
        at = np.zeros(better.shape[2], int)
        recommended = 0
    else:
        aim = _aim(target, name)
        at, recommended = _cheapest(better, aim)
    return _answer(fit, ahead, budgets, params, tokens, outcome, better, at, recommended, name, target)


def _answer(
    fit: Fit | Average, ahead: xr.Dataset, budgets: np.ndarray, params: np.ndarray, tokens: np.ndarray,
    outcome: np.ndarray, better: np.ndarray, at: np.ndarray, recommended: int, name: str, target: float | None,
) -> xr.Dataset:  # fmt: skip
    """The Dataset of `allocate`, from the row of budgets of each draw and of the recommendation."""
    each = np.arange(better.shape[2])
    row = np.minimum(at, len(budgets) - 1)
    best = better[row, :, each].argmax(axis=1)
    chosen = int(better[recommended].mean(axis=1).argmax())
    missed = better[recommended].max(axis=0) - better[recommended, chosen]
    shape = (ahead.sizes["chain"], ahead.sizes["draw"])
    never = at == len(budgets)
    each_draw = {
        "params": params[row, best], "tokens": tokens[row, best],
        "tokens_per_param": tokens[row, best] / params[row, best],
        "budget": np.where(never, np.inf, budgets[row]), "missed": missed,
    }  # fmt: skip
    values: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        key: (("chain", "draw"), value.reshape(shape)) for key, value in each_draw.items()
    }
    values["outcome"] = (("place",), outcome[recommended].mean(axis=1))
    coords = {"chain": ahead["chain"], "draw": ahead["draw"], "tried_params": ("place", params[recommended]),
              "tried_tokens": ("place", tokens[recommended])}  # fmt: skip
    own = _note(fit, params[recommended, chosen], tokens[recommended, chosen], chosen, never, target)
    planned = ahead.isel(row=[recommended * params.shape[1] + chosen])
    remarks = (planned["benchmark"].to_numpy() if "benchmark" in planned.coords else [""]), planned["note"].to_numpy()
    attrs = basis(fit, ahead, RECORD.get(name, "")) | {
        "outcome": name, "recommended_params": float(params[recommended, chosen]),
        "recommended_tokens": float(tokens[recommended, chosen]), "recommended_budget": float(budgets[recommended]),
        "note": joined([*told_of(*remarks), *own]),
    }  # fmt: skip
    return xr.Dataset(values, coords, attrs)


def summarise_allocation(found: xr.Dataset) -> pd.DataFrame:
    """Tabulate an allocation: the recommended split, with 80 % intervals of the best one.

    Parameters
    ----------
    found : Dataset
        From `allocate`.

    Returns
    -------
    DataFrame
        Rows ``params``, ``tokens``, ``tokens_per_param``, ``budget`` and ``missed``; columns ``recommended``,
        ``lower_80`` and ``upper_80``.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> found = bs.allocate(bs.Fit.load("params_tokens.nc"), "1e22", benchmark="benchmark 00", seed=1)
    >>> list(bs.summarise_allocation(found).index)
    ['params', 'tokens', 'tokens_per_param', 'budget', 'missed']
    """
    params, tokens = found.attrs["recommended_params"], found.attrs["recommended_tokens"]
    middle = {"params": params, "tokens": tokens, "tokens_per_param": tokens / params,
              "budget": found.attrs["recommended_budget"], "missed": float(found["missed"].mean())}  # fmt: skip
    rows = []
    for name, value in middle.items():
        draws = np.sort(found[name].to_numpy().ravel())  # not interpolated: infinite ends stay infinite
        rows.append((value, draws[int(0.1 * (len(draws) - 1))], draws[int(np.ceil(0.9 * (len(draws) - 1)))]))
    return pd.DataFrame(rows, index=list(middle), columns=["recommended", "lower_80", "upper_80"])


def _splits(budgets: np.ndarray, count: float, spoken: float) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and tokens (budget, place) that spend each budget, along ratios of tokens to parameters."""
    ratio = np.geomspace(*RATIOS, PLACES)
    per = FLOPS_PER_PARAM_TOKEN * count * ratio  # budget = per N² + 2 N T
    linear = PER_PARAM * spoken
    params = (np.sqrt(linear**2 + 4 * per * budgets[:, None]) - linear) / (2 * per)
    return params, params * ratio


def _plan(params: np.ndarray, tokens: np.ndarray, benchmark: str | None, mixture: str) -> pd.DataFrame:
    return plan_runs(params=params, tokens=tokens, benchmark=benchmark, mixture=mixture)


def _aim(target: float, name: str) -> float:
    """The target on a scale where more is better."""
    value = parse_number(target)
    if name == ACCURACY and not 0 < value < 1:
        raise DataError(f"a target must be a score between 0 and 1, not {target!r}")
    if not (np.isfinite(value) and value > 0):
        raise DataError(f"a target must be positive and finite, not {target!r}")
    return -value if name == LOSS else value


def _cheapest(better: np.ndarray, aim: float) -> tuple[np.ndarray, int]:
    """Row of the least budget (draw,) whose best split reaches the aim, or else their number; and the middle row."""
    reached = better.max(axis=1) >= aim
    at = np.where(reached.any(axis=0), reached.argmax(axis=0), len(better))
    return at, int(min(np.median(at), len(better) - 1))


def _note(
    fit: Fit | Average, params: float, tokens: float, place: int, never: np.ndarray, target: float | None
) -> list[str]:  # fmt: skip
    """What to know of the recommended split, beside what the forecast remarks."""
    runs, parts = fit.runs, []
    ratio = runs["tokens"] / runs["params"]
    if place in (0, PLACES - 1):
        parts.append(f"the best split lies at the end of the ratios tried, {tokens / params:.3g} tokens per parameter")
    elif not ratio.min() / 1.05 <= tokens / params <= ratio.max() * 1.05:
        parts.append(f"the best split has {tokens / params:.3g} tokens per parameter and lies on the edge of the data")
    if ratio.max() < 1.5 * ratio.min():
        parts.append("the fitted runs have one ratio of tokens to parameters: which split is best is mostly prior")
    if target is not None and never.mean() > 0.005:
        parts.append(f"{100 * never.mean():.0f} % of draws never reach the target within reach")
    return parts
