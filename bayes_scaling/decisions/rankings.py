"""Which mixture is best at a planned compute: probabilities, expected regret, and the differences the data can see."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtri

from bayes_scaling.data.sizes import parse_number
from bayes_scaling.decisions.along import Curves, Names, curves, positive
from bayes_scaling.decisions.basis import basis, noted
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.intervals import interval
from bayes_scaling.inference.averaged_fits import Average, require_fit
from bayes_scaling.inference.fitting import Fit

type Weights = Mapping[str, float] | None

SURE = 0.95  # probability at which a difference counts as seen
SHOWN = 0.8
RECORD = (
    "of pairs of single runs called with 90 % probability or more, 89 to 100 % were called rightly on public data and "
    "90 to 98 % in simulations; which of two mixtures is better was called about as often rightly as by ranking at the "
    "largest small scale (benchmarks/ranking.py)"
)


def rank(
    fit: Fit | Average,
    flops: float | str,
    *,
    mixture: Names = None,
    benchmark: Names = None,
    weights: Weights = None,
    tokens_per_param: float | str | None = None,
    new_run: bool = False,
    seed: int | None = None,
    even_if_not_converged: bool = False,
) -> xr.Dataset:
    """Rank mixtures at a planned compute, on each benchmark and on their average, with how sure one may be.

    All mixtures share the draws of what they have in common, so that a difference between two of them is far better
    known than either score.  Use it with a law made for differences between mixtures, such as ``power_law_mixtures``:
    laws that give every mixture an exponent of its own follow the noise of single runs.

    Parameters
    ----------
    fit : Fit or Average
    flops : float or str
        Compute of the planned runs [FLOPs], equal for all mixtures.
    mixture, benchmark : str or sequence of str, optional
        By default all that the fit saw.
    weights : mapping of str to float, optional
        Of the benchmarks in the average; by default all count alike.
    tokens_per_param : float, optional
        Of the planned runs; by default the median of the fitted ones.
    new_run : bool
        Rank single runs, each evaluated once, instead of expectations.
    seed : int, optional
        The same seed gives the same draws.
    even_if_not_converged : bool

    Returns
    -------
    Dataset over (benchmark, mixture, other)
        ``score`` (benchmark, mixture): its mean, with ``lower_80`` and ``upper_80``; ``best``: probability of being the
        best; ``regret``: how much less than the best it scores, on average over the draws; ``tied``: whether the
        mixture with the highest score beats it with less than 95 % probability.  ``beats`` (benchmark, mixture, other):
        probability that it scores higher than the other.  ``detectable`` (benchmark,): smallest difference between two
        mixtures that these data call with 95 % probability, as the median over pairs; ``signal_to_noise``: standard
        deviation of the expectations between mixtures over that of what is not known of each.  The last benchmark is
        the average, where there are several.  Attributes are those of the forecast, with ``decades_beyond`` and
        ``note``.

    Raises
    ------
    DataError
        There are fewer than two mixtures, or an argument is none of those above.
    FitError
        The fit did not converge.

    Warns
    -----
    ScalingWarning
        The planned runs ask what the fitted ones cannot tell.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> found = bs.rank(bs.Fit.load("power_law.nc"), "1e22", benchmark="hellaswag", seed=1)
    >>> bool(abs(found["best"].sum() - 1) < 1e-9)
    True
    """
    require_fit(fit)
    drawn = curves(fit, benchmark, mixture, np.array([positive(flops)]), tokens_per_param, seed, even_if_not_converged)
    mixtures = list(drawn.labels["mixture"].unique())
    tests = list(drawn.labels["benchmark"].unique())
    if len(mixtures) < 2:
        raise DataError(f"a ranking needs two mixtures or more; there is {mixtures}")
    scores = _scores(drawn, len(mixtures), len(tests), new_run)
    if len(tests) > 1:
        average = np.average(scores, axis=1, weights=_weights(weights, tests))
        scores = np.concatenate([scores, average[:, None]], axis=1)
        tests = [*tests, f"average of {len(tests)}"]
    found = _ranked(scores.transpose(1, 0, 2))
    coords = {"benchmark": tests, "mixture": mixtures, "other": mixtures}
    told = {
        "flops": positive(flops), "asked_of": "a new run" if new_run else "the expectation",
        "decades_beyond": float(drawn.ahead["decades_beyond"].max()),
        "note": noted(drawn.labels["benchmark"], drawn.notes[:, 0]),
    }  # fmt: skip
    return xr.Dataset(found, coords, basis(fit, drawn.ahead, RECORD) | told)


def summarise_ranking(found: xr.Dataset, benchmark: str | None = None) -> pd.DataFrame:
    """Tabulate a ranking on one benchmark, best first.

    Parameters
    ----------
    found : Dataset
        From `rank`.
    benchmark : str, optional
        By default the average, or the only one.

    Returns
    -------
    DataFrame
        ``mixture``, ``score``, ``lower_80``, ``upper_80``, ``best``, ``regret``, ``tied``.

    Raises
    ------
    DataError
        There is no such benchmark.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> found = bs.rank(bs.Fit.load("power_law.nc"), "1e22", seed=1)
    >>> bs.summarise_ranking(found, "hellaswag")["score"].is_monotonic_decreasing
    True
    """
    known = found["benchmark"].to_numpy().tolist()
    chosen = known[-1] if benchmark is None else benchmark
    if chosen not in known:
        raise DataError(f"the ranking has no benchmark {benchmark!r}; it has {known}")
    own = found.sel(benchmark=chosen)
    columns = ("score", "lower_80", "upper_80", "best", "regret", "tied")
    table = pd.DataFrame({"mixture": own["mixture"].to_numpy()} | {name: own[name].to_numpy() for name in columns})
    return table.sort_values("score", ascending=False, ignore_index=True)


def _scores(drawn: Curves, mixtures: int, tests: int, new_run: bool) -> np.ndarray:
    """Scores (mixture, benchmark, draw) at the one place."""
    score = drawn.mean + drawn.noise if new_run else drawn.mean
    return score[:, 0].reshape(mixtures, tests, -1)


def _weights(weights: Weights, tests: list[str]) -> np.ndarray:
    """Weights of the benchmarks in the average."""
    if weights is None:
        return np.ones(len(tests))
    if not isinstance(weights, Mapping) or set(weights) != set(tests):
        raise DataError(f"weights must name the benchmarks {tests}, each once")
    given = np.array([parse_number(weights[name]) for name in tests])
    if not (np.isfinite(given).all() and (given >= 0).all() and given.any()):
        raise DataError("weights must be finite, none below zero, and not all zero")
    return given


def _ranked(scores: np.ndarray) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """What `rank` returns, from scores (benchmark, mixture, draw)."""
    mean = scores.mean(axis=2)
    best = scores.max(axis=1, keepdims=True)
    difference = scores[:, :, None] - scores[:, None]
    beats = (difference > 0).mean(axis=3) + 0.5 * (difference == 0).mean(axis=3)
    first = scores == best
    leader = mean.argmax(axis=1)
    upper = np.triu_indices(scores.shape[1], 1)
    unsure = difference.std(axis=3)[:, *upper]
    noise = np.sqrt(np.mean(np.square(unsure), axis=1) / 2)
    spread = mean.std(axis=1, ddof=1)
    ratio = np.divide(spread, noise, out=np.full_like(spread, np.inf), where=noise > 0)
    low, high = interval(scores, SHOWN)
    each = ("benchmark", "mixture")
    return {
        "score": (each, mean), "lower_80": (each, low), "upper_80": (each, high),
        "best": (each, (first / first.sum(axis=1, keepdims=True)).mean(axis=2)),
        "regret": (each, (best - scores).mean(axis=2)),
        "tied": (each, beats[np.arange(len(beats)), leader] < SURE),
        "beats": ((*each, "other"), beats),
        "detectable": (("benchmark",), ndtri(SURE) * np.median(unsure, axis=1)),
        "signal_to_noise": (("benchmark",), ratio),
    }  # fmt: skip
