"""A fit of released models that needs no sampling: draws near the truth of a simulated board."""

from functools import cache

import numpy as np
import xarray as xr

import bayes_scaling as bs
from bayes_scaling.boundaries.density import base_effects
from bayes_scaling.boundaries.scores import released_scores
from bayes_scaling.boundaries.simulated import BASE_SD, CURVATURE, LEVEL, ORGANISATION_SD, SLOPE, SPREAD
from bayes_scaling.inference.verdict import Verdict

CHAINS, DRAWS = 2, 60
PASSED = Verdict(CHAINS, DRAWS, 1.0, 800.0, 800.0, 0, 1.0, 0, {})
FAILED = Verdict(CHAINS, DRAWS, 1.3, 8.0, 8.0, 0, 1.0, 0, {"r_hat": "a", "ess_bulk": "a", "ess_tail": "a"})


@cache
def board_fit(passed: bool = True) -> bs.BoundaryFit:
    """Draws scattered around what `simulated_board` draws from, two benchmarks in two periods."""
    rng, scores = np.random.default_rng(1), released_scores(bs.simulated_board(models=200, bases=15, seed=1))
    fit = bs.BoundaryFit(xr.Dataset(), scores, PASSED if passed else FAILED, 1)
    names = {"benchmark": list(fit.cells.benchmarks)}

    def near(middle, scale):
        middle = np.broadcast_to(middle, 2)
        values = middle + scale * rng.normal(size=(CHAINS, DRAWS, 2))
        return xr.DataArray(values, dims=("chain", "draw", "benchmark"), coords=names)

    posterior = xr.Dataset(
        {"a": near([LEVEL, LEVEL + 0.3], 0.05), "c": near(SLOPE, 0.03), "d": near(CURVATURE, 0.02),
         "f": np.exp(near(np.log(0.002), 0.1)), "s": near(np.log(SPREAD), 0.05), "r": near(0.0, 0.02),
         "asymptote": 1 - np.exp(near(np.log(0.02), 0.3)), "base_sd": np.exp(near(np.log(BASE_SD), 0.1)),
         "organisation_sd": np.exp(near(np.log(ORGANISATION_SD), 0.1))}
    )  # fmt: skip
    walk = 0.05 * rng.normal(size=(CHAINS, DRAWS, 2, 2))
    walk[:, :, 0] = 0
    posterior["period_effect"] = xr.DataArray(
        walk, dims=("chain", "draw", "period", "benchmark"), coords={"period": list(fit.cells.periods)}
    )
    posterior["period_step"] = np.exp(near(np.log(0.05), 0.2)).isel(benchmark=0, drop=True)
    posterior = posterior.assign_coords(chain=np.arange(CHAINS), draw=np.arange(DRAWS))
    posterior["base_effect"] = base_effects(posterior, fit.cells, rng)
    return bs.BoundaryFit(posterior, scores, fit.verdict, 1)
