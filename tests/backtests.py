"""Made-up forecasts and backtests of them, whose errors are known."""

import numpy as np
import pandas as pd
import xarray as xr

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


def past_of(errors_sd, runs=30, splits=2, per_run=6, seed=1, decades=0.5):
    """A backtest of forecasts with a standard deviation of .02 whose errors have another one."""
    rng, forecasts, scores = np.random.default_rng(seed), {}, []
    for split in range(splits):
        middle = rng.uniform(0.4, 0.6, runs * per_run)
        ahead = forecast_of(middle, 0.02, decades, rng)
        observed = rng.normal(middle, errors_sd)
        names = np.repeat([f"run {n}" for n in range(runs)], per_run)
        forecasts["power_law", f"cut {split}"] = ahead
        scores.append(pd.DataFrame({"law": "power_law", "split": f"cut {split}", "run": names, "observed": observed,
                                    "decades_beyond": decades}))  # fmt: skip
    return Backtest(pd.DataFrame(), (), "accuracy", pd.DataFrame(), pd.concat(scores), forecasts)


def ahead(sd=0.02):
    return forecast_of(np.array([0.5, 0.7]), sd, np.array([0.2, 3.0]), np.random.default_rng(5))
