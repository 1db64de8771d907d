"""What a target costs: the compute at which benchmarks, or their average, reach a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.data.sizes import parse_number
from bayes_scaling.decisions.along import Curves, Names, compute_grid, curves, ratio_of
from bayes_scaling.decisions.basis import basis
from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.intervals import observed_quantile
from bayes_scaling.forecasting.notes import joined, remarks_of, told_of
from bayes_scaling.forecasting.paths import path, reads_sizes
from bayes_scaling.inference.averaged_fits import Average, require_fit
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.models.named_arrays import DRAWN

REACH = 4.0  # decades beyond the largest run
SHOWN = (0.5, 0.8, 0.9)
RARE = 0.005  # of draws, which is not worth a note
RECORD = (
    "80 % intervals held the true compute of 81 to 94 % of the scores of larger runs on gadre2024 and olmo_ladder, and "
    "of 66 to 84 % on krajewski2025, fewest at 29 times the compute (benchmarks/compute_for.py)"
)


def compute_for(
    fit: Fit | Average,
    target: float | Mapping[str, float],
    *,
    benchmark: Names = None,
    mixture: Names = None,
    average: bool = False,
    tokens_per_param: float | str | None = None,
    new_run: bool = False,
    reach: float = REACH,
    seed: int | None = None,
    even_if_not_converged: bool = False,
) -> xr.Dataset:
    """The compute at which scores reach a target, as a distribution, with the probability that they never do.

    Each draw of the posterior is a curve over compute; the answer of the draw is where the curve first reaches the
    target.  A draw that does not within ``reach`` decades beyond the largest fitted run answers infinity.  Which curves
    are possible is what the forecast says; its notes hold here too.

    Parameters
    ----------
    fit : Fit or Average
    target : float or mapping
        Score [proportion], for all benchmarks or for each.
    benchmark, mixture : str or sequence of str, optional
        By default all that the fit saw.
    average : bool
        Ask of the average over the benchmarks, draw by draw, instead of each.
    tokens_per_param : float, optional
        Along which compute grows; by default the median of the fitted runs.
    new_run : bool
        Ask of a single run, evaluated once, instead of the expectation: the difference of such a run from the
        expectation is drawn once for every curve.
    reach : float
        Decades beyond the largest fitted run.
    seed : int, optional
        The same seed gives the same draws.
    even_if_not_converged : bool

    Returns
    -------
    Dataset over (chain, draw, row)
        ``flops`` [FLOPs]; coordinates ``benchmark``, ``mixture``, ``target``, ``decades_beyond`` (of the median, from
        the largest fitted run), ``note``; and, where the law reads sizes or a ratio is given, the variables ``params``
        and ``tokens``.  Attributes are those of the forecast, with ``reach``.

    Raises
    ------
    DataError
        An argument is none of those above.
    FitError
        The fit did not converge.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> found = bs.compute_for(fit, 0.7, benchmark="hellaswag", mixture="C4", seed=1)
    >>> bool(1e21 < found["flops"].median() < 1e23)
    True
    """
    require_fit(fit)
    drawn = curves(fit, benchmark, mixture, compute_grid(fit, reach), tokens_per_param, seed, even_if_not_converged)
    if average:
        drawn = _averaged(drawn)
    targets = _targets(target, drawn.labels["benchmark"])
    found = np.stack([_reached(drawn, row, score, new_run) for row, score in enumerate(targets)])
    shape = (drawn.ahead.sizes["chain"], drawn.ahead.sizes["draw"], len(found))
    values = {"flops": (DRAWN, found.T.reshape(shape))}
    if reads_sizes(fit) or tokens_per_param is not None:
        ratio, count = path(fit)
        ratio = ratio_of(tokens_per_param) or ratio
        params = np.sqrt(found / (6 * ratio * count))
        values |= {"params": (DRAWN, params.T.reshape(shape)), "tokens": (DRAWN, (ratio * params).T.reshape(shape))}
    largest = _largest(fit, drawn.labels)
    middle, remarks = np.median(found, axis=1), _remarks(drawn, found)
    notes = [joined((*remarks_of(one), other)) for one, other in zip(remarks, _untold(drawn, found), strict=True)]
    coords = {
        "chain": drawn.ahead["chain"], "draw": drawn.ahead["draw"],
        "benchmark": ("row", drawn.labels["benchmark"].to_numpy(object)),
        "mixture": ("row", drawn.labels["mixture"].to_numpy(object)), "target": ("row", targets),
        "decades_beyond": ("row", np.maximum(np.log10(middle / largest), 0.0)),
        "note": ("row", np.array(notes, dtype=object)),
    }  # fmt: skip
    kind = "a new run" if new_run else "the expectation"
    told = {"reach": float(reach), "asked_of": kind, "note": joined(told_of(drawn.labels["benchmark"], remarks))}
    return xr.Dataset(values, coords, basis(fit, drawn.ahead, RECORD) | told)


def summarise_compute(found: xr.Dataset, *, probabilities: Sequence[float] = SHOWN) -> pd.DataFrame:
    """Tabulate the compute that targets need.

    Parameters
    ----------
    found : Dataset
        From `compute_for`.
    probabilities : sequence of float
        Compute that suffices with each of them is shown; infinite where no compute within reach does.

    Returns
    -------
    DataFrame
        ``benchmark``, ``mixture``, ``target``, ``lower_80`` and ``upper_80`` [FLOPs], ``enough_50`` and so on,
        ``never`` (probability that the target is not reached within reach), ``decades_beyond`` and ``note``.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> table = bs.summarise_compute(bs.compute_for(fit, 0.7, benchmark="hellaswag", mixture="C4", seed=1))
    >>> bool(table["lower_80"][0] < table["enough_50"][0] < table["enough_90"][0])
    True
    """
    flat = found["flops"].stack(sample=("chain", "draw")).transpose("row", "sample").to_numpy()
    table = pd.DataFrame({name: found[name].to_numpy() for name in ("benchmark", "mixture", "target")})
    table["lower_80"], table["upper_80"] = observed_quantile(flat, [0.1, 0.9], axis=1)
    for probability in probabilities:
        if not 0 < probability < 1:
            raise DataError(f"probabilities must lie between 0 and 1, not {probability!r}")
        table[f"enough_{100 * probability:g}"] = observed_quantile(flat, probability, axis=1)
    table["never"] = np.isinf(flat).mean(axis=1)
    return table.assign(decades_beyond=found["decades_beyond"].to_numpy(), note=found["note"].to_numpy())


def _averaged(drawn: Curves) -> Curves:
    """Curves of the average over benchmarks, one a mixture."""
    groups = drawn.labels.groupby("mixture", sort=False).indices
    tests = drawn.labels["benchmark"].nunique()
    labels = pd.DataFrame({"benchmark": f"average of {tests}", "mixture": list(groups)})
    mean, noise = (np.stack([part[at].mean(axis=0) for at in groups.values()]) for part in (drawn.mean, drawn.noise))
    names = drawn.labels["benchmark"].to_numpy()
    notes = [[joined(told_of(names[at], column)) for column in drawn.notes[at].T] for at in groups.values()]
    return Curves(drawn.flops, labels, mean, noise, np.array(notes, dtype=object), drawn.ahead)


def _targets(target: float | Mapping[str, float], benchmarks: pd.Series) -> np.ndarray:
    """The target of each curve."""
    if isinstance(target, Mapping):
        if absent := sorted(set(benchmarks) - set(target)):
            raise DataError(f"no target for the benchmarks {absent}")
        values = [parse_number(target[name]) for name in benchmarks]
    else:
        values = [parse_number(target)] * len(benchmarks)
    if bad := [value for value in values if not 0 < value < 1]:
        raise DataError(f"a target must be a score between 0 and 1, not {bad[0]!r}")
    return np.array(values)


def _reached(drawn: Curves, row: int, target: float, new_run: bool) -> np.ndarray:
    """Compute (draw,) at which each curve first reaches a target."""
    score = drawn.mean[row]
    found = first_reached(drawn.flops, score, target)
    if not new_run:
        return found
    finite = found[np.isfinite(found)]
    near = drawn.flops.searchsorted(np.median(finite)) if len(finite) else len(drawn.flops)
    return first_reached(drawn.flops, score + drawn.noise[row, min(near, len(drawn.flops) - 1)], target)


def first_reached(flops: np.ndarray, score: np.ndarray, target: float) -> np.ndarray:
    """Where curves first reach a target, straight in log10 of compute between places.

    Parameters
    ----------
    flops : (place,) array
    score : (place, draw) array
    target : float

    Returns
    -------
    (draw,) array
        Infinite where a curve does not; the first place where it starts above.

    Examples
    --------
    >>> curves = np.array([[0.1, 0.5, 0.1], [0.3, 0.6, 0.15], [0.5, 0.7, 0.2]])
    >>> np.log10(first_reached(np.array([1e20, 1e21, 1e22]), curves, 0.4)).round(2).tolist()
    [21.5, 20.0, inf]
    """
    above = score >= target
    at = above.argmax(axis=0)
    each = np.arange(score.shape[1])
    before = np.maximum(at - 1, 0)
    low, high = score[before, each], score[at, each]
    share = np.where(at > 0, (target - low) / np.where(high > low, high - low, 1.0), 1.0)
    log = np.log10(flops)
    found = 10 ** (log[before] + share * (log[at] - log[before]))
    return np.where(above.any(axis=0), np.where(at > 0, found, flops[0]), np.inf)


def _largest(fit: Fit | Average, labels: pd.DataFrame) -> np.ndarray:
    """The most compute that the fit saw for each benchmark; of averages that of all runs."""
    by_benchmark = fit.runs.groupby("benchmark")["flops"].max()
    return labels["benchmark"].map(by_benchmark).fillna(fit.runs["flops"].max()).to_numpy(float)


def _remarks(drawn: Curves, found: np.ndarray) -> list[str]:
    """What the forecast remarks where each curve reaches its target, or everywhere on a curve that mostly does not."""
    notes = []
    for row, remarks in zip(found, drawn.notes, strict=True):
        middle, last = np.median(row), remarks_of(remarks[-1])
        at_all = joined(part for part in remarks_of(remarks[0]) if part in last)
        notes.append(remarks[drawn.flops.searchsorted(middle)] if np.isfinite(middle) else at_all)
    return notes


def _untold(drawn: Curves, found: np.ndarray) -> list[str]:
    """How many draws do not tell where they reach the target, for each curve."""
    notes = []
    for row in found:
        never, below = np.isinf(row).mean(), np.mean(row <= drawn.flops[0])
        parts = []
        if never > RARE:
            parts.append(f"{100 * never:.0f} % of draws never reach it within {drawn.flops[-1]:.1e} FLOPs")
        if below > RARE:
            parts.append(f"{100 * below:.0f} % of draws are above it at {drawn.flops[0]:.1e} FLOPs already")
        notes.append(joined(parts))
    return notes
