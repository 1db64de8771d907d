"""Whether the boundary of released models moved, what is left to gain, and whether small models overtake."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtri

from bayes_scaling.boundaries.density import asymptote
from bayes_scaling.boundaries.estimators import TAU
from bayes_scaling.boundaries.fitting import BoundaryFit
from bayes_scaling.boundaries.quantiles import OBSERVED, boundary, remarks
from bayes_scaling.boundaries.scores import BASE, BENCHMARK, PERIOD, released_scores
from bayes_scaling.data.sizes import parse_number, parse_size
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.intervals import interval

PRIOR_POINTS = 1000
FEWEST_POSSIBLE = 0.05  # share of draws whose asymptote must lie above the boundary
SHOWN = 0.9  # probability of the intervals in tables


def moved(
    fit: BoundaryFit,
    first: str,
    second: str,
    *,
    delta: float = 0.0,
    flops: float | str = "1e24",
    tau: float = TAU,
    even_if_not_converged: bool = False,
) -> pd.DataFrame:
    """Probability that the boundary rose by more than δ from one period to another, per benchmark.

    Parameters
    ----------
    fit : BoundaryFit
        Of both periods together.
    first, second : str
        Fitted periods.
    delta : float
        Rise of the score [proportion] that counts.
    flops, tau
        Where the boundary is compared.
    even_if_not_converged : bool

    Returns
    -------
    DataFrame
        ``benchmark``, ``rise`` (posterior mean), ``lower_90``, ``upper_90``, ``probability``, and ``note`` as in
        `summarise_boundary`.

    Raises
    ------
    DataError, FitError
        As for `boundary`.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> board = bs.simulated_board(models=300, rise=0.5, seed=1)
    >>> fit = bs.fit_boundary(board, seed=1, chains=2, progress=False)
    >>> bool((bs.moved(fit, "P1", "P2")["probability"] > 0.8).all())
    True
    """
    delta = parse_number(delta)
    if isinstance(first, str) and isinstance(second, str) and first == second:
        raise DataError(f"name two periods; {first!r} is both")
    before, after = (
        boundary(fit, flops, tau, period=one, tail=OBSERVED, even_if_not_converged=even_if_not_converged)
        for one in (first, second)
    )
    rise = _draws((after - before).isel(flops=0))
    low, high = interval(rise, SHOWN)
    return pd.DataFrame(
        {
            "benchmark": list(fit.cells.benchmarks),
            "rise": rise.mean(axis=1),
            "lower_90": low,
            "upper_90": high,
            "probability": (rise > delta).mean(axis=1),
            "note": [notes[0] for notes in remarks(after)],
        }
    )


def saturation(
    fit: BoundaryFit,
    *,
    epsilon: float = 0.05,
    flops: float | str | None = None,
    tau: float = TAU,
    tail: str | None = None,
    seed: int | None = None,
    even_if_not_converged: bool = False,
) -> pd.DataFrame:
    """Probability that the boundary is within ε of the asymptote, per benchmark: that little is left to gain.

    The asymptote is what is left of 1 by items whose labels are wrong.  Far below it the data say nothing about it, and
    its posterior is its prior; ``learned`` tells how much of the prior's spread the data took away.  Draws whose
    asymptote lies below what models reach already cannot be right and are left out; ``possible`` is the share of the
    others.

    Parameters
    ----------
    fit : BoundaryFit
    epsilon : float
        Gap [proportion] that counts as none.
    flops : float or str, optional
        Compute at which the boundary is read; by default the largest that was fitted.
    tau, tail, seed
        As for `boundary`.
    even_if_not_converged : bool

    Returns
    -------
    DataFrame
        ``benchmark``, ``asymptote`` and ``boundary`` (posterior means), ``gap`` with ``lower_90`` and ``upper_90``,
        ``probability`` of a gap below ε; ``learned`` and ``possible``, between 0 and 1; ``note`` as in
        `summarise_boundary`.

    Raises
    ------
    DataError, FitError
        As for `boundary`.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.fit_boundary(bs.simulated_board(300, seed=1), seed=1, chains=2, progress=False)
    >>> bool((bs.saturation(fit, epsilon=0.02)["probability"] < 0.5).all())
    True
    """
    epsilon = parse_number(epsilon)
    where = 10 ** fit.cells.span[1] if flops is None else parse_size(flops)
    reached = boundary(fit, where, tau, tail=tail, seed=seed, even_if_not_converged=even_if_not_converged)
    notes, reached = [of_one[0] for of_one in remarks(reached)], reached.isel(flops=0)
    top = fit.posterior["asymptote"]
    prior = asymptote(ndtri((np.arange(PRIOR_POINTS) + 0.5) / PRIOR_POINTS))
    rows = []
    each = zip(fit.cells.benchmarks, _draws(top), _draws(reached), notes, strict=True)
    for name, of_top, of_boundary, note in each:
        possible = of_top > of_boundary
        if possible.mean() < FEWEST_POSSIBLE:
            possible[:] = True  # an asymptote below the boundary is then said as it is
        gap = (of_top - of_boundary)[possible]
        low, high = interval(gap, SHOWN)
        rows.append(
            {
                "benchmark": name,
                "asymptote": of_top[possible].mean(),
                "boundary": of_boundary[possible].mean(),
                "gap": gap.mean(),
                "lower_90": low,
                "upper_90": high,
                "probability": (gap < epsilon).mean(),
                "learned": np.clip(1 - of_top.std() / prior.std(), 0, 1),
                "possible": (of_top > of_boundary).mean(),
                "note": note,
            }
        )
    return pd.DataFrame(rows)


def dominance(
    scores: pd.DataFrame, *, small: float | str = "1e23", resamples: int = 500, seed: int | None = None
) -> pd.DataFrame:
    """How often the best models so far are small ones, by benchmark and period.

    In each period, and among all models up to its end, the share of the best 2 % of scores that come from models of
    less than some compute.

    Parameters
    ----------
    scores : DataFrame
        As for `fit_boundary`.
    small : float or str
        Compute below which a model is small [FLOPs].
    resamples : int
        Resamples of base models, from which the intervals come.
    seed : int, optional

    Returns
    -------
    DataFrame
        ``benchmark``, ``period``, ``share``, ``lower_90``, ``upper_90`` and ``models``.

    Raises
    ------
    DataError
        As for `fit_boundary`.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> found = bs.dominance(bs.simulated_board(300, seed=1), small="1e24", seed=1)
    >>> bool(found["share"].between(0, 1).all())
    True
    """
    table, edge, rng = released_scores(scores), parse_size(small), np.random.default_rng(seed)
    if not table["flops"].lt(edge).any():
        raise DataError(f"no model has less than small={edge:g} FLOPs; the least is {table['flops'].min():g}")
    rows = []
    for benchmark, every in table.groupby(BENCHMARK):
        for period in sorted(every[PERIOD].unique()):
            so_far = every[every[PERIOD] <= period]
            score, is_small = so_far["score"].to_numpy(), so_far["flops"].lt(edge).to_numpy()
            groups = list(so_far.groupby(BASE).indices.values())
            drawn = [
                _share_of_best(score[at], is_small[at])
                for at in (np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))])
                           for _ in range(resamples))
            ]  # fmt: skip
            low, high = interval(drawn, SHOWN)
            rows.append(
                {
                    "benchmark": benchmark,
                    "period": period,
                    "share": _share_of_best(score, is_small),
                    "lower_90": low,
                    "upper_90": high,
                    "models": len(so_far),
                }
            )
    return pd.DataFrame(rows)


def _share_of_best(score: np.ndarray, is_small: np.ndarray) -> float:
    """Share of small models among those whose score is in the top 2 %."""
    return float(is_small[score >= np.quantile(score, TAU)].mean())


def _draws(values: xr.DataArray) -> np.ndarray:
    """Values (benchmark, draw)."""
    return values.stack(sample=("chain", "draw")).transpose("benchmark", "sample").to_numpy()
