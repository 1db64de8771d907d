"""Made-up forecasts and backtests of them, whose errors are known."""

import numpy as np
import pandas as pd
import xarray as xr

import bayes_scaling as bs
from bayes_scaling.evaluation.backtest.backtesting import Backtest

CHAINS, DRAWS = 4, 250


def forecast_of(middle, sd, decades, rng):
    """A forecast whose draws are normal around a middle."""
    shape = (CHAINS, DRAWS, len(middle))
    names = {"accuracy": rng.normal(middle, sd, shape), "accuracy_mean": rng.normal(middle, sd / 2, shape)}
    coords = {
        "decades_beyond": ("row", np.broadcast_to(decades, len(middle))),
        "run": ("row", [f"run {n}" for n in range(len(middle))]),
    }
    data = {name: (("chain", "draw", "row"), values) for name, values in names.items()}
    return xr.Dataset(data, coords, {"model": "power_law"})


def past_of(errors_sd, runs=30, splits=2, per_run=6, seed=1, decades=0.5, together=False):
    """A backtest of forecasts with a standard deviation of .02 whose errors have another one, alike in a run or not."""
    rng, forecasts, scores = np.random.default_rng(seed), {}, []
    for split in range(splits):
        middle = rng.uniform(0.4, 0.6, runs * per_run)
        beyond = np.repeat(decades * (np.arange(runs) + 1) / runs, per_run)
        ahead = forecast_of(middle, 0.02, beyond, rng)
        observed = middle + errors_sd * (
            rng.normal(size=runs).repeat(per_run) if together else rng.normal(size=len(middle))
        )
        names = np.repeat([f"run {n}" for n in range(runs)], per_run)
        forecasts["power_law", f"cut {split}"] = ahead
        tests = [f"test {n}" for n in range(per_run)] * runs
        columns = {"run": names, "benchmark": tests, "observed": observed, "decades_beyond": beyond}
        columns |= {"law": "power_law", "split": f"cut {split}", "flops": 1e20 * 10**beyond}
        scores.append(pd.DataFrame(columns))
    return Backtest(pd.DataFrame(), (), "accuracy", pd.DataFrame(), pd.concat(scores), forecasts)


def ahead(sd=0.02):
    return forecast_of(np.array([0.5, 0.7]), sd, np.array([0.2, 3.0]), np.random.default_rng(5))


def average_ahead(tests):
    """The forecast of one run on so many tests, averaged."""
    ahead = forecast_of(np.full(tests, 0.5), 0.02, np.full(tests, 0.2), np.random.default_rng(5))
    names = {"run": ["run 0"] * tests, "benchmark": [f"test {n}" for n in range(tests)], "note": [""] * tests}
    return bs.average_benchmarks(ahead.assign_coords({name: ("row", values) for name, values in names.items()}))
