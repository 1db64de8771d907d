"""What one further run would tell of planned ones: the first question after a forecast whose bands are wide."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.columns import OUTCOME, SIZE, with_role
from bayes_scaling.decisions.next_training import next_runs
from bayes_scaling.forecasting.paths import sizes_along
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.fitting import Fit

STEPS = (1.0, 10**0.5, 10.0)  # times the largest fitted run
ROOM = 1.5  # that much smaller than the largest planned run a further one must be, or it is the plan itself


def further_runs(
    fit: Fit | Average, plan: pd.DataFrame, ahead: xr.Dataset, *, seed: int | None = None,
    even_if_not_converged: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """How much less uncertain planned runs would be after one further run on each of their mixtures.

    Parameters
    ----------
    fit : Fit or Average
    plan : DataFrame
        As for `forecast`.
    ahead : Dataset
        The forecast of it.
    seed : int, optional
    even_if_not_converged : bool

    Returns
    -------
    DataFrame
        ``flops`` of the further run, as large as the largest fitted one or up to ten times that, at their ratio of
        tokens to parameters and on the same benchmarks; ``runs``, one for each mixture; ``share`` of the variance of
        the expectations that they would leave.  No rows where the plan lies within the compute of the fitted runs.
    """
    largest = float(fit.runs["flops"].max())
    most = float(ahead["flops"].max())
    steps = [step * largest for step in STEPS if ROOM * step * largest <= most]
    table = pd.DataFrame({str(c): ahead[c].to_numpy() for c in ahead.coords if ahead[c].dims == ("row",)})
    kept = [
        c for c in table if c not in {*with_role(SIZE), *with_role(OUTCOME), "run", "note", "decades_beyond", "seed"}
    ]
    labels = table[kept].drop_duplicates(ignore_index=True)
    mixture = labels["mixture"].astype(str) if "mixture" in labels else pd.Series("", labels.index)
    rows = []
    for flops in steps:
        params, tokens = (float(size[0]) for size in sizes_along(fit, np.array([flops])))
        one = labels.assign(flops=flops, params=params, tokens=tokens, run="further run on " + mixture)
        number = int(mixture.nunique())
        found = next_runs(fit, one, plan, number=number, seed=seed, even_if_not_converged=even_if_not_converged)
        rows.append({"flops": flops, "runs": number, "share": float(found["share"].iloc[-1])})
    return pd.DataFrame(rows, columns=["flops", "runs", "share"])
