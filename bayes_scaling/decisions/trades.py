"""Longer training against more samples: what a pass@k costs when training and sampling are chosen together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.arguments import several
from bayes_scaling.data.plans import plan_runs
from bayes_scaling.data.sizes import FLOPS_PER_PARAM_TOKEN, parse_number
from bayes_scaling.decisions.along import compute_grid, only_name, positive, ratio_of
from bayes_scaling.decisions.basis import basis
from bayes_scaling.decisions.compute_targets import first_reached
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.forecast import drawn_forecast
from bayes_scaling.forecasting.intervals import observed_quantile, row_draws
from bayes_scaling.forecasting.notes import joined, remarks_of
from bayes_scaling.forecasting.paths import path, reads_sizes
from bayes_scaling.inference.averaged_fits import Average, require_fit
from bayes_scaling.inference.fitting import Fit

PASS = "pass_at_k"
SAMPLES = tuple(2**i for i in range(9))
PER_PARAM = 2.0  # FLOPs of one parameter for one token of inference
REACH = 3.0
RECORD = {
    True: (
        "of 600 pass@k of larger runs on three benchmarks of code, 80 % intervals held the true compute in 93 % of "
        "cases (benchmarks/trade.py)"
    ),
    False: (
        "of 600 pass@k of larger runs on three benchmarks of code, evaluated once each, 80 % intervals of the "
        "expectation held the true compute in 55 % of cases, and those of a new run in 93 % (benchmarks/trade.py)"
    ),
}
SURE = 1e-12  # how near to 0 and 1 pass@k may come on the scale that single runs scatter on


def trade(
    fit: Fit | Average,
    target: float,
    *,
    queries: float | str,
    tokens_per_sample: float | str,
    k: Sequence[int] = SAMPLES,
    benchmark: str | None = None,
    mixture: str | None = None,
    tokens_per_param: float | str | Sequence[float] | None = None,
    new_run: bool = False,
    reach: float = REACH,
    seed: int | None = None,
    even_if_not_converged: bool = False,
) -> xr.Dataset:
    r"""Trade training compute against samples for each problem, at equal pass@k.

    For every number of samples k the compute C at which pass@k reaches the target is found in each draw.  What all of
    it costs is

    .. math:: 6 N D + queries \cdot k \cdot 2 N \cdot tokens\_per\_sample,

    as arXiv 2604.01411 counts it; the cheapest k of a draw is where this is least.

    Parameters
    ----------
    fit : Fit or Average
        Of a law of pass@k.
    target : float
        pass@k to be reached [proportion].
    queries : float or str
        Problems that the model will be asked in use.
    tokens_per_sample : float or str
        Tokens of one answer, with its prompt.
    k : sequence of int
        Numbers of samples to choose between.
    benchmark, mixture : str, optional
        By default the only ones that the fit saw.
    tokens_per_param : float or sequence of float, optional
        Ratios to choose between; by default the median of the fitted runs.  Several need a law of parameters and
        tokens: a law of compute alone would say that a smaller model is as good.
    new_run : bool
        Ask of a single run, evaluated once, instead of the expectation: how log(−log pass@k) of such a run differs from
        that of the expectation is drawn once for every curve.
    reach : float
        Decades beyond the largest fitted run.
    seed : int, optional
        The same seed gives the same draws.
    even_if_not_converged : bool

    Returns
    -------
    Dataset over (chain, draw, k, tokens_per_param)
        ``flops`` of training and ``cost`` of training and inference [FLOPs], infinite where no compute within reach is
        enough, and ``params``.  Over (k, tokens_per_param): ``cheapest``, the probability that it costs least, and
        ``cost_per_solved``, the median cost for each problem that is solved.  Attributes are those of the forecast,
        with ``recommended_k``, ``recommended_tokens_per_param`` and ``note``.

    Raises
    ------
    DataError
        The fit forecasts no pass@k, or an argument is none of those above.
    FitError
        The fit did not converge.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("pass_at_k.nc")
    >>> found = bs.trade(fit, 0.5, queries="1M", tokens_per_sample=500, seed=1)
    >>> bool(found["flops"].median(("chain", "draw")).diff("k").max() <= 0)  # more samples, less training
    True
    """
    require_fit(fit)
    aim = parse_number(target)
    if not 0 < aim < 1:
        raise DataError(f"a target must be a pass@k between 0 and 1, not {target!r}")
    asked, length = positive(queries), positive(tokens_per_sample)
    tries = _tries(k)
    ratios = _ratios(fit, tokens_per_param)
    test, mix = only_name(fit, "benchmark", benchmark), only_name(fit, "mixture", mixture)
    flops, count = compute_grid(fit, reach), path(fit)[1]
    each = [np.sqrt(flops / (FLOPS_PER_PARAM_TOKEN * count * ratio)) for ratio in ratios]
    plans = [
        plan_runs(flops=flops, params=params, tokens=ratio * params, benchmark=test, mixture=mix, k=tries)
        for ratio, params in zip(ratios, each, strict=True)
    ]
    ahead = drawn_forecast(fit, pd.concat(plans, ignore_index=True), seed=seed,
                           even_if_not_converged=even_if_not_converged)  # fmt: skip
    if f"{PASS}_mean" not in ahead:
        raise DataError(f"{ahead.attrs['model']} forecasts {list(ahead.data_vars)}, and this is asked of pass@k")
    mean, new = row_draws(ahead[f"{PASS}_mean"]), row_draws(ahead[PASS])
    places = np.array([np.flatnonzero(np.isclose(ahead["k"].to_numpy(), one)) for one in tries])
    places = places.reshape(len(tries), len(ratios), len(flops))
    order = np.argsort(ahead["flops"].to_numpy()[places], axis=2)
    places = np.take_along_axis(places, order, axis=2)
    reached = np.array(
        [[_reached(flops, mean[at], new[at] if new_run else None, aim) for at in row] for row in places]
    )  # (k, ratio, draw)
    size = np.sqrt(reached / (FLOPS_PER_PARAM_TOKEN * count * np.array(ratios)[:, None]))
    cost = reached + asked * np.array(tries)[:, None, None] * PER_PARAM * size * length
    return _answer(fit, ahead, places, tries, ratios, reached, size, cost, asked * aim, RECORD[new_run])


def _reached(flops: np.ndarray, mean: np.ndarray, new: np.ndarray | None, aim: float) -> np.ndarray:
    """Compute (draw,) at which curves (place, draw) of pass@k first reach a target, or those of a single run do."""
    found = first_reached(flops, mean, aim)
    if new is None:
        return found
    finite = found[np.isfinite(found)]
    near = min(int(flops.searchsorted(np.median(finite))) if len(finite) else len(flops), len(flops) - 1)
    better = _as_line(mean)
    return first_reached(flops, better + _as_line(new[near]) - better[near], float(_as_line(np.array(aim))))


def _as_line(pass_at_k: np.ndarray) -> np.ndarray:
    """Minus log(−log pass@k), which rises with pass@k and is nearly straight in log compute."""
    return np.asarray(-np.log(-np.log(np.clip(pass_at_k, SURE, 1 - SURE))))


def _answer(
    fit: Fit | Average, ahead: xr.Dataset, places: np.ndarray, tries: list[int], ratios: list[float],
    reached: np.ndarray, size: np.ndarray, cost: np.ndarray, solved: float, record: str,
) -> xr.Dataset:  # fmt: skip
    """The Dataset of `trade`, from (k, ratio, draw) arrays, and the rows (k, ratio, place) of the forecast."""
    shape = (len(tries), len(ratios), ahead.sizes["chain"], ahead.sizes["draw"])
    dims = ("k", "tokens_per_param", "chain", "draw")
    never = np.isinf(cost).all(axis=(0, 1))
    least = (cost == cost.min(axis=(0, 1))) & ~never
    median = observed_quantile(cost, 0.5, axis=2)
    at = np.unravel_index(int(np.argmin(median)), median.shape)
    along = ahead["flops"].to_numpy()[places[at]]
    near = min(int(along.searchsorted(np.median(reached[at]))), len(along) - 1)  # where the cheapest reaches its target
    notes = remarks_of(ahead["note"].to_numpy()[places[at][near]])
    if never.mean() > 0.005:
        notes.append(f"{100 * never.mean():.0f} % of draws never reach the target within reach, whatever k")
    if at[0] in (0, len(tries) - 1) and len(tries) > 1:
        notes.append(f"the cheapest number of samples is the {'least' if at[0] == 0 else 'largest'} that was tried")
    both = ("k", "tokens_per_param")
    values = {
        "flops": (dims, reached.reshape(shape)), "params": (dims, size.reshape(shape)),
        "cost": (dims, cost.reshape(shape)),
        "cheapest": (both, least.mean(axis=2)), "cost_per_solved": (both, median / solved),
    }  # fmt: skip
    coords = {"k": tries, "tokens_per_param": ratios, "chain": ahead["chain"], "draw": ahead["draw"]}
    attrs = basis(fit, ahead, record, of_discrepancy=False) | {
        "recommended_k": tries[at[0]], "recommended_tokens_per_param": ratios[at[1]],
        "never": float(never.mean()), "note": joined(notes),
    }  # fmt: skip
    return xr.Dataset(values, coords, attrs)


def summarise_trade(found: xr.Dataset) -> pd.DataFrame:
    """Tabulate a trade, one row for each number of samples and ratio.

    Parameters
    ----------
    found : Dataset
        From `trade`.

    Returns
    -------
    DataFrame
        ``k``, ``tokens_per_param``, ``flops`` (median training compute), ``cost`` (median) with ``lower_80`` and
        ``upper_80`` [FLOPs], ``cheapest`` (probability) and ``cost_per_solved``.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("pass_at_k.nc")
    >>> table = bs.summarise_trade(bs.trade(fit, 0.5, queries="1M", tokens_per_sample=500, seed=1))
    >>> bool(table["cheapest"].sum() <= 1 + 1e-9)
    True
    """
    rows = []
    for tries in found["k"].to_numpy():
        for ratio in found["tokens_per_param"].to_numpy():
            own = found.sel(k=tries, tokens_per_param=ratio)
            cost = observed_quantile(own["cost"], [0.5, 0.1, 0.9])
            flops = observed_quantile(own["flops"], 0.5)
            rows.append((tries, ratio, flops, *cost, own["cheapest"].item(), own["cost_per_solved"].item()))
    columns = ["k", "tokens_per_param", "flops", "cost", "lower_80", "upper_80", "cheapest", "cost_per_solved"]
    return pd.DataFrame(rows, columns=columns)


def _tries(k: Sequence[int]) -> list[int]:
    numbers = [parse_number(one) for one in several(k)]
    if not numbers or any(not np.isfinite(n) or n < 1 or n != int(n) for n in numbers):
        raise DataError(f"k must be whole numbers of 1 or more, not {k!r}")
    return sorted({int(n) for n in numbers})


def _ratios(fit: Fit | Average, given: float | str | Sequence[float] | None) -> list[float]:
    if given is None:
        return [path(fit)[0]]
    ratios = [ratio_of(one) for one in several(given)]
    found = sorted({one for one in ratios if one is not None})
    if not found:
        raise DataError("tokens_per_param must be one ratio or several")
    if not reads_sizes(fit) and (len(found) > 1 or not np.isclose(found[0], path(fit)[0], rtol=0.1)):
        raise DataError(
            f"the law reads compute alone: it holds at {path(fit)[0]:.3g} tokens per parameter, that of the fitted "
            "runs, and cannot choose between ratios"
        )
    return found
