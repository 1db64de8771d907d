r"""Weights for the laws of an average.

Leave-one-out cross-validation scores interpolation: it cannot see the ceiling that decides a far forecast.  So by
default every law is fitted again to the smaller runs, and forecasts the larger ones.  The weights maximise

.. math:: \sum_r \frac{1}{n_r} \sum_{i \in r} \log \sum_m w_m\, p_m(y_i) + a \sum_m \log w_m ,

the stacking of Yao et al. 2018 (doi 10.1214/17-BA1091, Eq. 4) over the rows i of held-out runs r, with two
changes.  Rows of a run share its luck, so its n_r rows count together as one observation (a composite likelihood;
their joint density would need far more draws than there are).  And weights must not rest on few runs: every law is
granted ``a`` further runs that it alone foresaw, a Dirichlet prior with mode at equal weights.  With a = 1, a law
that each of R held-out runs speaks clearly against keeps a weight of 1 / (R + M) among M laws: the rule of succession.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from bayes_scaling.errors import DataError, ScalingWarning
from bayes_scaling.evaluation.cross_validation import check_same_rows, folds_by_scale, leave_one_out
from bayes_scaling.evaluation.loo_refits import REFITS_AT_MOST
from bayes_scaling.evaluation.splits import Split
from bayes_scaling.inference.averaged_fits import Average, check_fits, shared_responses
from bayes_scaling.inference.fitting import Fit, fit
from bayes_scaling.inference.log_densities import head_data, log_predictive, taken
from bayes_scaling.inference.sampling import Settings

PRIOR_RUNS = 1.0
WAYS = ("largest_scale_out", "loo", "equal")


def average(
    fits: Sequence[Fit],
    *,
    weights: str | Mapping[str, float] = "largest_scale_out",
    seed: int | None = None,
    chains: int = 4,
    draws: int = 1000,
    tune: int = 500,
    target_accept: float | None = None,
    refits_at_most: int = REFITS_AT_MOST,
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
    seed : int, optional
        Of the fits below the cuts, or without a row.
    chains, draws, tune, target_accept
        Of the same fits, as for `fit`.
    refits_at_most : int
        Fits of each model without a row, for "loo".
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
    """
    fits = tuple(fits)
    check_fits(fits)
    for one in fits:
        one.require_converged(even_if_not_converged=even_if_not_converged)
    if not isinstance(weights, str):
        return Average(fits, dict(weights))
    if weights not in WAYS:
        raise DataError(f"weights must be one of {', '.join(WAYS)}, or a mapping from model to weight; got {weights!r}")
    if weights == "equal" or len(fits) == 1:
        return Average(fits, _named(fits, np.full(len(fits), 1 / len(fits))), "equal")
    settings = Settings(chains, draws, tune, target_accept=target_accept)
    if weights == "loo":
        return _by_loo(fits, seed, settings, refits_at_most)
    return _by_largest(fits, seed, settings)


def _named(fits: tuple[Fit, ...], weights: np.ndarray) -> dict[str, float]:
    return {one.model.name: float(w) for one, w in zip(fits, weights, strict=True)}


def _by_largest(fits: tuple[Fit, ...], seed: int | None, settings: Settings) -> Average:
    """Stack on forecasts of the largest runs from fits to the others."""
    check_same_rows(fits)
    scores, evidence = [], []
    folds = folds_by_scale(fits)
    for fold in folds:
        own = []
        for one in fits:
            again = _refitted(one, fold, seed, settings)
            own.append(_scores(one, again, fold, shared_responses(fits), seed))
            evidence.append(_evidence(one, again, fold, own[-1]))
        scores.append(pd.concat(own, axis=1))
    table = pd.concat(scores)
    runs = fits[0].runs["run"].to_numpy()[table.index.get_level_values("row")]
    weights = _named(fits, stacked(table.to_numpy(), runs))
    how = f"forecasts of {len(set(runs))} larger runs by fits to those with {' and '.join(f.name for f in folds)}"
    frame = pd.DataFrame(evidence)
    frame.insert(1, "weight", frame["model"].map(weights))
    return Average(fits, weights, how, frame)


def _refitted(one: Fit, fold: Split, seed: int | None, settings: Settings) -> Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)  # said below, with the cut
        again = fit(
            one.model,
            one.runs[fold.fitted],
            seed=seed,
            chains=settings.chains,
            draws=settings.draws,
            tune=settings.tune,
            target_accept=settings.target_accept,
            attempts=settings.attempts,
            progress=False,
        )
    if not again.verdict.passed:
        said = f"{one.model.name}, fitted to runs with {fold.name} to weigh it: {again.verdict}"
        warnings.warn(
            f"{said}. Its weight rests on these draws; more draws may mend that", ScalingWarning, stacklevel=4
        )
    return again


def _scores(one: Fit, again: Fit, fold: Split, responses: tuple[str, ...], seed: int | None) -> pd.Series:
    """Log predictive density of every held-out row, indexed by response and position among the runs."""
    out = {}
    for response in responses:
        data = head_data(one, response)[1]
        if (keep := fold.held_out[data.rows]).any():
            log_p = log_predictive(again, response, one.runs, taken(data, keep), seed=seed)
            density = logsumexp(log_p, axis=(0, 1)) - np.log(log_p.sizes["chain"] * log_p.sizes["draw"])
            out[response] = pd.Series(density, index=log_p["row"].to_numpy())
    return pd.concat(out, names=["response", "row"])


def _evidence(one: Fit, again: Fit, fold: Split, scores: pd.Series) -> dict[str, object]:
    """What a table of evidence says about one model and fold."""
    held_out, cut = one.runs.iloc[scores.index.get_level_values("row")], float(again.runs["flops"].max())
    return {
        "model": one.model.name,
        "fitted_up_to_flops": cut,
        "runs_fitted": again.runs["run"].nunique(),
        "runs_forecast": held_out["run"].nunique(),
        "rows_forecast": len(scores),
        "decades_beyond": float(np.log10(held_out["flops"].max() / cut)),
        "log_density": float(scores.mean()),
        "converged": again.verdict.passed,
        "verdict": str(again.verdict),
    }


def stacked(log_density: np.ndarray, runs: np.ndarray, *, prior_runs: float = PRIOR_RUNS) -> np.ndarray:
    """Weights of laws from the densities that they gave to observations; the module's description has the formula.

    Parameters
    ----------
    log_density : (row, law) array
        Log predictive densities, in nats.
    runs : (row,) array
        The run of each row; a run counts as one observation however many rows it has.
    prior_runs : float
        Further runs that each law is granted to have foreseen alone.

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


def _by_loo(fits: tuple[Fit, ...], seed: int | None, settings: Settings, refits_at_most: int) -> Average:
    """Stack on leave-one-out densities."""
    table, warned = leave_one_out(fits, seed=seed, settings=settings, refits_at_most=refits_at_most)
    for text in warned:
        warnings.warn(f"{text}; weights='largest_scale_out' fits again instead", ScalingWarning, stacklevel=3)
    weights = table.set_index("model")["weight"].reindex([one.model.name for one in fits]).to_numpy(float).clip(0)
    how = f"stacking on leave-one-out densities of {table['rows'].iloc[0]} rows"
    if refits := int(table["rows_refitted"].sum()):
        how += f", {refits} of them by fits without the row"
    return Average(fits, _named(fits, weights / weights.sum()), how, table)
