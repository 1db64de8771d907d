"""The boundary: posterior draws of a quantile of the scores of released models, at any compute."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtri

from bayes_scaling.boundaries.cells import MIDDLE, item_variance
from bayes_scaling.boundaries.density import location
from bayes_scaling.boundaries.estimators import TAU
from bayes_scaling.boundaries.fitting import BoundaryFit
from bayes_scaling.boundaries.link import inverse
from bayes_scaling.boundaries.periods import NEXT, period_effect
from bayes_scaling.boundaries.predictive import probability_below
from bayes_scaling.boundaries.scores import BASE, BENCHMARK, PERIOD
from bayes_scaling.boundaries.tails import calibrated
from bayes_scaling.data.sizes import parse_size
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.intervals import interval
from bayes_scaling.forecasting.notes import joined
from bayes_scaling.messages import suggest

ROUNDING = 1e-9  # of shares
NORMAL, OBSERVED = TAILS = ("normal", "observed")


def boundary(
    fit: BoundaryFit,
    flops: float | str | Sequence[float | str],
    tau: float = TAU,
    *,
    period: str | None = None,
    base: str | None = None,
    tail: str | None = None,
    seed: int | None = None,
    even_if_not_converged: bool = False,
) -> xr.DataArray:
    """Draws of the τ-quantile of the scores of released models at some compute.

    Beyond the fitted compute the draws spread; they do not stay at the last value.

    Parameters
    ----------
    fit : BoundaryFit
    flops : float or str, or a sequence
        Compute of pre-training [FLOPs], such as "1e24".
    tau : float
        Share of models that score below: 0.98 as published.
    period : str, optional
        One of the fitted periods, or "next" for the one after them; by default the last.
    base : str, optional
        The τ-quantile among models of one fitted base model; by default among models of new ones.
    tail : str, optional
        "observed" calibrates the level of the quantile, so that a share 1 − τ of the fitted models lies above (see
        `tails`): what was reached so far.  "normal" reads the quantile off the fitted normal distribution.  Released
        models are skewed, so that fewer than 1 − τ of the fitted ones lie above that; how many of the next period's
        do is judged by `next_period`.  By default "normal" for the next period and "observed" for fitted ones.
    seed : int, optional
        Of the step to the next period, and of the calibration.
    even_if_not_converged : bool
        Go on from a fit that failed its verdict.

    Returns
    -------
    DataArray over (chain, draw, benchmark, flops)
        Scores between 0 and 1.  Coordinates: ``decades_beyond`` of the fitted models, by compute, and ``models``, how
        many were fitted, by benchmark.

    Raises
    ------
    DataError
        An argument is none of those above.
    FitError
        The fit did not converge.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> scores = bs.simulated_board(models=300, seed=1)
    >>> fit = bs.fit_boundary(scores, seed=1, chains=2, progress=False)
    >>> near, far = bs.boundary(fit, ["1e24", "1e27"]).std(("chain", "draw")).mean("benchmark")
    >>> bool(near < far)
    True
    """
    fit.require_converged(even_if_not_converged=even_if_not_converged)
    if not (isinstance(tau, float | int) and 0 < tau < 1):
        raise DataError(f"tau must lie between 0 and 1, not {tau!r}")
    if tail is None:
        tail = NORMAL if isinstance(period, str) and period == NEXT else OBSERVED
    if tail not in TAILS:
        raise DataError(f"tail must be 'normal' or 'observed', not {tail!r}")
    several = isinstance(flops, list | tuple | pd.Series | pd.Index) or getattr(flops, "ndim", 0) > 0
    asked = np.array([parse_size(one) for one in (flops if several else [flops])])  # type: ignore[union-attr]
    if not (len(asked) and (asked > 0).all() and np.isfinite(asked).all()):
        raise DataError(f"flops must be positive and finite, not {flops!r}")
    x = xr.DataArray(np.log10(asked) - MIDDLE, dims="flops", coords={"flops": asked})
    mean, variance = _moments(fit, x, period_effect(fit, period, seed), base)
    level = ndtri(tau) if tail == NORMAL else ndtri(_observed(fit, float(tau), base is not None, seed))
    shape, items = fit.cells.shape[:, None], fit.cells.n_items[:, None]
    noiseless = (mean + np.sqrt(variance) * level).transpose("chain", "draw", "benchmark", "flops")
    noise = noiseless.copy(data=item_variance(noiseless.to_numpy(), items, shape))
    value = (mean + np.sqrt(variance + noise) * level).transpose("chain", "draw", "benchmark", "flops")
    found = value.copy(data=inverse(value.to_numpy(), shape)).rename("boundary")
    low, high = fit.cells.span
    beyond = np.maximum(np.maximum(x + MIDDLE - high, low - x - MIDDLE), 0.0)
    counts = fit.scores[BENCHMARK].value_counts().reindex(fit.cells.benchmarks).to_numpy()
    found = found.assign_coords(decades_beyond=beyond, models=("benchmark", counts))
    return found.assign_attrs(tau=tau, tail=tail, verdict=str(fit.verdict))


def _moments(
    fit: BoundaryFit, x: xr.DataArray, moved: xr.DataArray | float, base: str | None
) -> tuple[xr.DataArray, xr.DataArray]:
    """Mean and variance of h of the score of a model, without the noise of its items."""
    p = fit.posterior
    mean = location(p, x, xr.DataArray(fit.cells.shape, dims="benchmark")) + moved
    variance = xr.DataArray(np.exp(2 * (p["s"] + p["r"] * x)))
    if "organisation_sd" in p:
        variance = variance + p["organisation_sd"] ** 2
    if base is None:
        return mean, variance + p["base_sd"] ** 2
    if not isinstance(base, str) or base not in fit.cells.bases:
        raise DataError(f"no base model {base!r} was fitted; {suggest(base, fit.cells.bases)}")
    return mean + p["base_effect"].sel(base=base, drop=True), variance


def _observed(fit: BoundaryFit, tau: float, own_base: bool, seed: int | None) -> xr.DataArray:
    """Draws (chain, draw, benchmark) of the level below which a share τ of the fitted models lies."""
    p, scores, rng = fit.posterior, fit.scores, np.random.default_rng(seed or 0)
    asked = scores if own_base else scores.drop(columns=BASE)
    below = np.empty(len(scores))
    for period, rows in scores.groupby(PERIOD).indices.items():
        below[rows] = probability_below(fit, asked.iloc[rows], period=str(period), even_if_not_converged=True)
    base, draws = pd.factorize(scores[BASE])[0], p.sizes["chain"] * p.sizes["draw"]
    at = scores.groupby(BENCHMARK).indices
    levels = [calibrated(below[at[name]], base[at[name]], tau, draws, rng) for name in fit.cells.benchmarks]
    values = np.stack(levels).reshape(-1, p.sizes["chain"], p.sizes["draw"])
    return xr.DataArray(values, {"benchmark": list(fit.cells.benchmarks)}, ("benchmark", "chain", "draw"))


def summarise_boundary(draws: xr.DataArray, probability: float = 0.9) -> pd.DataFrame:
    """Bring draws of a boundary into a table.

    Parameters
    ----------
    draws : DataArray
        From `boundary`.
    probability : float
        Of the interval.

    Returns
    -------
    DataFrame
        ``benchmark``, ``flops``, ``boundary`` (the median), ``lower`` and ``upper``, and ``note`` where the compute
        lies beyond the fitted models, or the quantile where fewer than one of them does.

    Examples
    --------
    >>> values = xr.DataArray(
    ...     np.full((1, 2, 1, 1), 0.5), dims=("chain", "draw", "benchmark", "flops"),
    ...     coords={"benchmark": ["BBH"], "flops": [1e24], "decades_beyond": ("flops", [0.0])},
    ... )
    >>> summarise_boundary(values)["boundary"].tolist()
    [0.5]
    """
    flat = draws.stack(sample=("chain", "draw")).transpose("benchmark", "flops", "sample")
    low, high = interval(flat.to_numpy(), probability)
    rows, notes = [], remarks(draws)
    for at, benchmark in enumerate(flat["benchmark"].to_numpy()):
        for place, flops in enumerate(flat["flops"].to_numpy()):
            rows.append(
                {
                    "benchmark": str(benchmark),
                    "flops": float(flops),
                    "boundary": float(np.median(flat.to_numpy()[at, place])),
                    "lower": float(low[at, place]),
                    "upper": float(high[at, place]),
                    "note": notes[at][place],
                }
            )
    return pd.DataFrame(rows)


def remarks(draws: xr.DataArray) -> list[list[str]]:
    """Why not to trust a boundary, by benchmark and compute; empty where there is no reason."""
    tau = float(draws.attrs.get("tau", TAU))
    counts = draws["models"].to_numpy() if "models" in draws.coords else np.full(draws.sizes["benchmark"], np.inf)
    found = []
    for count in counts:
        few = "" if count * min(tau, 1 - tau) >= 1 - ROUNDING else (
            f"fewer than one of the {count:.0f} fitted models lies beyond it: the shape of the distribution places it"
        )  # fmt: skip
        found.append(
            [
                joined((f"{far:.1f} decades beyond the fitted models" if far else "", few))
                for far in draws["decades_beyond"].to_numpy().astype(float)
            ]
        )
    return found
