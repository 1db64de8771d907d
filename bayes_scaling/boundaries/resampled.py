"""Published estimators of a boundary with intervals, in the schema of `baseline`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.boundaries.estimators import KAPPA, RIDGE, TAU, boundary_curve
from bayes_scaling.boundaries.scores import BASE, BENCHMARK, released_scores
from bayes_scaling.data.sizes import parse_size
from bayes_scaling.errors import DataError
from bayes_scaling.files.frames import as_frame
from bayes_scaling.forecasting.law_uncertainty import NOT_INCLUDED
from bayes_scaling.inference.settings import checked_seed, whole_number
from bayes_scaling.messages import suggest
from bayes_scaling.models.named_arrays import DRAWN

VERDICT = "a published point estimate; bands from a bootstrap of base models"
HELD = "beyond the fitted compute: the published curve stays at its end"


def boundary_baseline(
    name: str,
    scores: pd.DataFrame,
    plan: pd.DataFrame,
    *,
    tau: float = TAU,
    kappa: float = KAPPA,
    ridge: float = RIDGE,
    resamples: int = 200,
    seed: int | None = None,
) -> xr.Dataset:
    """Estimate the boundary as a published estimator does, with intervals from resampled base models.

    Models of one base model are alike, so that resampling single models gives intervals that are several times too
    narrow.  Draws are moved so that their median is the published point, as in `baseline`.

    Parameters
    ----------
    name : str
        One of the estimators of `boundary_curve`.
    scores : DataFrame
        As for `fit_boundary`.
    plan : DataFrame
        With ``flops`` and ``benchmark``, such as from `plan_runs`.
    tau, kappa, ridge : float
        As for `boundary_curve`.
    resamples : int
        Draws; 0 gives the point alone.
    seed : int, optional

    Returns
    -------
    Dataset over (chain, draw, row)
        ``boundary``, with coordinates ``flops``, ``benchmark`` and ``note``.

    Raises
    ------
    DataError
        An argument is none of those above, or the plan asks for a benchmark that has no score.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> board = bs.simulated_board(models=300, seed=1)
    >>> plan = bs.plan_runs(flops="1e24", benchmark="benchmark 1")
    >>> reached = bs.boundary_baseline("binned", board, plan, resamples=50, seed=1)["boundary"]
    >>> bool(reached.std() > 0.005)
    True
    """
    table, plan = released_scores(scores), as_frame(plan, "the plan", example="bs.plan_runs makes one")
    if absent := [column for column in ("flops", BENCHMARK) if column not in plan]:
        raise DataError(f"the plan of a boundary needs the columns {absent}")
    resamples, rng = whole_number("resamples", resamples, 0), np.random.default_rng(checked_seed(seed))
    flops = np.array([parse_size(value) for value in plan["flops"]])
    if not (np.isfinite(flops) & (flops > 0)).all():
        raise DataError("flops of the plan must be positive and finite")
    draws, notes = np.empty((max(resamples, 1), len(plan))), np.full(len(plan), "", dtype=object)
    options = {"tau": tau, "kappa": kappa, "ridge": ridge}
    for benchmark, at in plan.reset_index(drop=True).groupby(BENCHMARK).indices.items():
        own = table[table[BENCHMARK] == str(benchmark)]
        if own.empty:
            raise DataError(f"no score on {benchmark!r}; {suggest(benchmark, table[BENCHMARK].unique())}")
        size, score = own["flops"].to_numpy(), own["score"].to_numpy()
        point = boundary_curve(name, size, score, **options)(flops[at])
        draws[:, at] = point
        notes[at] = np.where((flops[at] > size.max()) | (flops[at] < size.min()), HELD, "")
        if resamples:
            groups = list(own.groupby(BASE).indices.values())
            for number in range(resamples):
                drawn = np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))])
                draws[number, at] = boundary_curve(name, size[drawn], score[drawn], **options)(flops[at])
            draws[:, at] += point - np.median(draws[:, at], axis=0)
    coords = {"flops": ("row", flops), BENCHMARK: ("row", plan[BENCHMARK].astype(str).to_numpy(object)),
              "note": ("row", notes)}  # fmt: skip
    attributes = {"model": name, "verdict": VERDICT, "converged": "True", "law_uncertainty": NOT_INCLUDED}
    values = {"boundary": (DRAWN, np.clip(draws, 0, 1)[None])}
    return xr.Dataset(values, {"chain": [0], "draw": np.arange(len(draws)), **coords}, attributes)
