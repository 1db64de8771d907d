r"""Weights for the laws of an average.

Leave-one-out cross-validation scores interpolation: it cannot see the ceiling that decides a far forecast.  So by
default every law is fitted again to the smaller runs, and forecasts the larger ones.  The weights maximise

.. math:: \sum_r \frac{1}{n_r} \sum_{i \in r} \log \sum_m w_m\, p_m(y_i) + a \sum_m \log w_m ,

the stacking of Yao et al. 2018 (doi 10.1214/17-BA1091, Eq. 4) over the rows i of held-out runs r, with two
changes.  Rows of a run are good or bad at once, so its n_r rows count together as one observation (a composite
likelihood; their joint density would need far more draws than there are).  And weights must not rest on few runs:
every law is granted ``a`` further runs that it alone predicted, a Dirichlet prior with mode at equal weights.  With
a = 1, a law that each of R held-out runs speaks clearly against keeps a weight of 1 / (R + M) among M laws: the rule
of succession.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_scaling.arguments import weights_of
from bayes_scaling.errors import DataError, ScalingWarning
from bayes_scaling.evaluation.backtest.backtesting import Backtest, forecasts_of_the_past
from bayes_scaling.evaluation.cross_validation import check_same_rows, folds_by_scale, leave_one_out
from bayes_scaling.evaluation.loo_refits import REFITS_AT_MOST
from bayes_scaling.evaluation.refits.engine import Engine
from bayes_scaling.inference.averaged_fits import Average, fits_of, main_response
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.settings import Settings, checked_seed

PRIOR_RUNS = 1.0
WAYS = ("largest_scale_out", "loo", "equal")
EVIDENCE = (
    "runs_fitted", "runs_forecast", "rows_forecast", "decades_beyond", "log_density", "converged", "verdict",
)  # fmt: skip


def average(
    fits: Sequence[Fit],
    *,
    weights: str | Mapping[str, float] = "largest_scale_out",
    response: str | None = None,
    pool: str = "linear",
    seed: int | None = None,
    chains: int = 4,
    draws: int = 1000,
    tune: int = 500,
    thin: int | None = None,
    target_accept: float | None = None,
    attempts: int = 2,
    refits_at_most: int = REFITS_AT_MOST,
    folder: str | Path | None = None,
    n_jobs: int | None = None,
    progress: bool | None = None,
    even_if_not_converged: bool = False,
) -> Average:
    """Average over laws, so that a forecast says how far the laws that fit the runs disagree.

    Parameters
    ----------
    fits : sequence of Fit
        Of models with different names, to the same runs.
    weights : str or mapping
        "largest_scale_out" fits every model again below two cuts in compute and weighs it by its forecasts of the
        runs above them; "loo" stacks on leave-one-out densities, which score interpolation (by ArviZ, and by a fit
        without the row where it finds them unreliable); "equal" asks no data; a mapping from the name of every model
        to its weight is taken as it is.
    response : str, optional
        What "largest_scale_out" weighs the laws by; by default the accuracy where all forecast it, else the first
        that they share.
    pool : str
        "linear" mixes the draws of the laws, in proportion to their weights; where every law holds what it promises,
        the mixture is too wide (Gneiting and Ranjan 2013, arXiv 1106.1638).  "quantiles" averages the quantiles of the
        laws instead, which is no wider than they are.  `benchmarks/compare_laws.py` compares the two.
    seed : int, optional
        Of the fits below the cuts, or without a row.
    chains, draws, tune, thin, target_accept, attempts
        Of the same fits, as for `fit`.
    refits_at_most : int
        Fits of each model without a row, for "loo".
    folder : path, optional
        Keeps these fits; see `backtest`.
    n_jobs : int, optional
        How many of them run at the same time; see `backtest`.
    progress : bool, optional
        Show a progress bar; by default only where the error stream is a terminal.
    even_if_not_converged : bool
        Go on from fits that failed their verdict.

    Returns
    -------
    Average
        For `forecast`; ``weights`` says how much each model counts and ``evidence`` why.

    Raises
    ------
    DataError
        The fits cannot be averaged (see `Average`), or hold too few sizes of runs to hold any out.
    FitError
        A fit did not converge.

    Warns
    -----
    ScalingWarning
        The evidence is weak: a fit below a cut or without a row failed its verdict, or leave-one-out densities are
        unreliable in more rows than are fitted again.

    Notes
    -----
    The mixture is a forecast of its own, wider where its laws disagree.  No weights make up for a law that is missing.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fits = [bs.Fit.load("power_law.nc"), bs.Fit.load("power_law_ceiling.nc")]
    >>> bs.average(fits, weights={"power_law": 0.25, "power_law_ceiling": 0.75})
    <Average of 2 fits; weights: given
        0.75  power_law_ceiling
        0.25  power_law>
    """
    settings, seed = Settings(chains, draws, tune, thin, target_accept, attempts), checked_seed(seed)
    engine, fits = Engine.of(folder, n_jobs, progress), fits_of(fits)
    for one in fits:
        one.require_converged(even_if_not_converged=even_if_not_converged)
    if not isinstance(weights, str):
        return Average(fits, weights_of("weights", weights), pool=pool)
    Average(fits, _equal(fits), pool=pool)  # refuses before anything is fitted again
    if weights not in WAYS:
        raise DataError(f"weights must be one of {', '.join(WAYS)}, or a mapping from model to weight; got {weights!r}")
    if weights == "equal" or len(fits) == 1:
        return Average(fits, _equal(fits), "equal", pool=pool)
    if weights == "loo":
        found = _by_loo(fits, seed, settings, refits_at_most, engine)
    else:
        found = _by_largest(fits, main_response(fits, response), seed, settings, engine)
    return replace(found, pool=pool)


def _equal(fits: tuple[Fit, ...]) -> dict[str, float]:
    return _named(fits, np.full(len(fits), 1 / len(fits)))


def _named(fits: tuple[Fit, ...], weights: np.ndarray) -> dict[str, float]:
    return {one.model.name: float(w) for one, w in zip(fits, weights, strict=True)}


def _by_largest(fits: tuple[Fit, ...], response: str, seed: int | None, settings: Settings, engine: Engine) -> Average:
    """Stack on forecasts of the largest runs from fits to the others."""
    check_same_rows(fits)
    laws, folds = {one.model.name: one.model for one in fits}, folds_by_scale(fits)
    past = forecasts_of_the_past(
        laws, fits[0].runs, folds, response, engine, seed=seed, settings=settings, what="fits below cuts"
    )
    _check(past)
    weights = weights_by_forecasts(past.scores, list(laws))
    runs = past.scores["run"].nunique()
    how = f"forecasts of {runs} larger runs by fits to those with {' and '.join(fold.name for fold in folds)}"
    return Average(fits, dict(zip(laws, weights.tolist(), strict=True)), how, _evidence(past, laws, weights))


def _check(past: Backtest) -> None:
    """Refuse weights that rest on a law without forecasts, and name fits that did not converge."""
    for shard in past.shards.to_dict("records"):
        if shard["problem"]:
            raise DataError(
                f"{shard['law']} cannot be fitted to runs with {shard['split']} to weigh it: {shard['problem']}"
            )
        if not shard["converged"]:
            warnings.warn(
                f"{shard['law']}, fitted to runs with {shard['split']} to weigh it: {shard['verdict']}. Its weight "
                "rests on these draws; more draws may mend that",
                ScalingWarning,
                stacklevel=4,
            )


def weights_by_forecasts(scores: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Weights of laws from their forecasts of the same runs, as `average` and `compare` use them.

    Parameters
    ----------
    scores : DataFrame
        Of a backtest: one row per law, split and forecast row, the rows of each law in one order.
    names : sequence of str
        Of the laws.

    Returns
    -------
    (law,) array that sums to 1

    Raises
    ------
    DataError
        Densities cannot be put in units of the response.
    """
    numbered = scores.assign(row=scores.groupby(["law", "split"]).cumcount())
    wide = numbered.pivot(index=["split", "run", "row"], columns="law", values="log_density")[list(names)]
    if unknown := [name for name in names if wide[name].isna().any()]:
        raise DataError(
            f"the densities of {unknown} cannot be put in units of the response; average with weights='equal'"
        )
    return stacked(wide.to_numpy(), wide.index.get_level_values("run").to_numpy())


def _evidence(past: Backtest, names: Sequence[str] | Mapping[str, object], weights: np.ndarray) -> pd.DataFrame:
    """What the weights rest on, one row per model and fold."""
    density = past.scores.groupby(["law", "split"])["log_density"].mean().rename("log_density")
    flops = past.runs["flops"].to_numpy(float)
    cuts = {split.name: float(flops[split.fitted].max()) for split in past.splits}
    table = past.shards.join(density, on=["law", "split"])
    own = dict(zip(names, weights.tolist(), strict=True))
    first = {"model": table["law"], "weight": table["law"].map(own), "fitted_up_to_flops": table["split"].map(cuts)}
    return pd.DataFrame(first | {column: table[column] for column in EVIDENCE})


def stacked(log_density: np.ndarray, runs: np.ndarray, *, prior_runs: float = PRIOR_RUNS) -> np.ndarray:
    """Weights of laws from the densities that they gave to observations; the module's description has the formula.

    Parameters
    ----------
    log_density : (row, law) array
        Log predictive densities, in nats.
    runs : (row,) array
        The run of each row; a run counts as one observation however many rows it has.
    prior_runs : float
        Further runs that each law is granted to have predicted alone.

    Returns
    -------
    (law,) array that sums to 1

    Notes
    -----
    Maximised by expectation and maximisation, which for mixing proportions climbs to the one maximum there is and
    needs no bounds (Dempster, Laird and Rubin 1977, section 4.3).
    """
    _, of_row, counts = np.unique(runs.astype(str), return_inverse=True, return_counts=True)
    share = 1 / counts[of_row]
    with np.errstate(invalid="ignore"):
        density = np.exp(np.nan_to_num(log_density - log_density.max(axis=1, keepdims=True), nan=0.0, neginf=-700.0))
    n_laws = log_density.shape[1]
    weights = np.full(n_laws, 1 / n_laws)
    for _ in range(10_000):
        explained = weights * density
        explained = share @ (explained / explained.sum(axis=1, keepdims=True))
        before, weights = weights, (explained + prior_runs) / (len(counts) + n_laws * prior_runs)
        if np.abs(weights - before).max() < 1e-10:
            break
    return weights


def _by_loo(
    fits: tuple[Fit, ...], seed: int | None, settings: Settings, refits_at_most: int, engine: Engine
) -> Average:
    """Stack on leave-one-out densities."""
    table, cautions = leave_one_out(fits, seed=seed, settings=settings, refits_at_most=refits_at_most, engine=engine)
    for text in cautions:
        warnings.warn(f"{text}; weights='largest_scale_out' fits again instead", ScalingWarning, stacklevel=3)
    weights = table.set_index("model")["weight"].reindex([one.model.name for one in fits]).to_numpy(float).clip(0)
    how = f"stacking on leave-one-out densities of {table['rows'].iloc[0]} rows"
    if refits := int(table["rows_refitted"].sum()):
        how += f", {refits} of them by fits without the row"
    return Average(fits, _named(fits, weights / weights.sum()), how, table)
