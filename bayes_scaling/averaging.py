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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from bayes_scaling.ensemble import Average, check_fits, shared_responses
from bayes_scaling.errors import DataError, ScalingWarning
from bayes_scaling.fitting import Fit, fit
from bayes_scaling.layout import read_by_users
from bayes_scaling.model import NOISE_GROUPS
from bayes_scaling.pointwise import head_data, log_likelihood, log_predictive, taken

HELD_OUT = (0.25, 0.5)  # shares of the range of log compute that folds hold out, from the top
SIZES = 4  # different sizes of runs that a benchmark or mixture needs below a cut: fewer do not show a law
PRIOR_RUNS = 1.0
WAYS = ("largest_scale_out", "loo", "equal")


@dataclass(frozen=True)
class Fold:
    """Runs to fit again and runs to forecast.

    Attributes
    ----------
    cut : float
        Most compute of a run to fit [FLOPs].
    fitted, held_out : (row,) bool array
        Rows of the runs.
    """

    cut: float
    fitted: np.ndarray
    held_out: np.ndarray


def average(
    fits: Sequence[Fit],
    *,
    weights: str | Mapping[str, float] = "largest_scale_out",
    seed: int | None = None,
    chains: int = 4,
    draws: int = 500,
    tune: int = 500,
    target_accept: float = 0.95,
    even_if_not_converged: bool = False,
) -> Average:
    """Average over laws, so that a forecast says how far the laws that fit the runs disagree.

    Parameters
    ----------
    fits : sequence of Fit
        Of models with different names, to the same runs.
    weights : str or mapping
        "largest_scale_out" fits every model again below two cuts in compute and weighs it by its forecasts of the
        runs above them; "loo" stacks on leave-one-out densities (ArviZ), which score interpolation; "equal" asks no
        data; a mapping from the name of every model to its weight is taken as it is.
    seed : int, optional
        Of the fits below the cuts.
    chains, draws, tune, target_accept
        Of the fits below the cuts, as for `fit`.
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
        The evidence is weak: a fit below a cut failed its verdict, or leave-one-out densities are unreliable.

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
    if weights == "loo":
        return _by_loo(fits)
    refit = {"chains": chains, "draws": draws, "tune": tune}
    return _by_largest(fits, seed, refit, target_accept)


def _named(fits: tuple[Fit, ...], weights: np.ndarray) -> dict[str, float]:
    return {one.model.name: float(w) for one, w in zip(fits, weights, strict=True)}


def _by_largest(fits: tuple[Fit, ...], seed: int | None, settings: dict[str, int], target_accept: float) -> Average:
    """Stack on forecasts of the largest runs from fits to the others."""
    _check_same_rows(fits)
    scores, evidence = [], []
    folds = list(_folds(fits))
    for fold in folds:
        own = []
        for one in fits:
            again = _refitted(one, fold, seed, settings, target_accept)
            own.append(_scores(one, again, fold, shared_responses(fits), seed))
            evidence.append(_evidence(one, again, fold, own[-1]))
        scores.append(pd.concat(own, axis=1))
    table = pd.concat(scores)
    runs = fits[0].runs["run"].to_numpy()[table.index.get_level_values("row")]
    weights = _named(fits, stacked(table.to_numpy(), runs))
    cuts = " and ".join(f"{fold.cut:.3g}" for fold in folds)
    how = f"forecasts of {len(set(runs))} larger runs by fits up to {cuts} FLOPs"
    frame = pd.DataFrame(evidence)
    frame.insert(1, "weight", frame["model"].map(weights))
    return Average(fits, weights, how, frame)


def _check_same_rows(fits: tuple[Fit, ...]) -> None:
    """Refuse models that observe one response in different rows: their scores cannot be told apart from their tasks."""
    for response in shared_responses(fits):
        rows = [head_data(one, response)[1].rows for one in fits]
        if other := [f.model.name for f, r in zip(fits, rows, strict=True) if not np.array_equal(r, rows[0])]:
            raise DataError(
                f"{other} observe {response} in other rows than {fits[0].model.name!r}: no data can weigh one against "
                "the other; average with weights='equal'"
            )


def _folds(fits: tuple[Fit, ...]) -> Iterator[Fold]:
    """Cuts in compute that leave enough sizes below, and the rows above that every model can be asked for."""
    runs = fits[0].runs
    observed = [head_data(fits[0], response)[1].rows for response in shared_responses(fits)]
    scored = np.isin(np.arange(len(runs)), np.concatenate(observed))
    flops = runs["flops"].to_numpy(float) if "flops" in runs else np.full(len(runs), np.nan)
    decades = np.round(np.log10(flops), 2)  # runs that are as large as each other, up to rounding
    sizes = np.unique(decades[scored & np.isfinite(decades)])
    found = {}
    for share in HELD_OUT if sizes.size else ():
        cut = sizes[sizes <= sizes[-1] - share * np.ptp(sizes) + 1e-9][-1]
        fitted = decades <= cut
        held_out = scored & (decades > cut) & _learnable(fits, runs, decades, scored & fitted)
        if held_out.any():
            found[cut] = Fold(float(flops[fitted].max()), fitted, held_out)
    if not found:
        raise DataError(
            f"the runs have {sizes.size} sizes: no cut in compute leaves {SIZES} sizes of a benchmark below and a run "
            "above; average with weights='loo', which asks for interpolation only, or weights='equal'"
        )
    yield from found.values()


def _learnable(fits: tuple[Fit, ...], runs: pd.DataFrame, decades: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """Rows all of whose labels have enough sizes among the fitted rows."""
    groups = {g for one in fits for g in one.model.groups if g not in NOISE_GROUPS}
    below = runs.assign(_size=decades)[fitted]
    enough = np.full(len(runs), below["_size"].nunique() >= SIZES)
    for group in groups:
        enough &= runs[group].map(below.groupby(group)["_size"].nunique()).to_numpy(float) >= SIZES
    return enough


def _refitted(one: Fit, fold: Fold, seed: int | None, settings: dict[str, int], target_accept: float) -> Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)  # said below, with the cut
        again = fit(
            one.model,
            one.runs[fold.fitted],
            seed=seed,
            chains=settings["chains"],
            draws=settings["draws"],
            tune=settings["tune"],
            target_accept=target_accept,
            progress=False,
        )
    if not again.verdict.passed:
        said = f"{one.model.name}, fitted to runs up to {fold.cut:.3g} FLOPs to weigh it: {again.verdict}"
        warnings.warn(f"{said}. Its weight rests on these draws; average with more", ScalingWarning, stacklevel=4)
    return again


def _scores(one: Fit, again: Fit, fold: Fold, responses: tuple[str, ...], seed: int | None) -> pd.Series:
    """Log predictive density of every held-out row, indexed by response and position among the runs."""
    out = {}
    for response in responses:
        data = head_data(one, response)[1]
        if (keep := fold.held_out[data.rows]).any():
            log_p = log_predictive(again, response, one.runs, taken(data, keep), seed=seed)
            density = logsumexp(log_p, axis=(0, 1)) - np.log(log_p.sizes["chain"] * log_p.sizes["draw"])
            out[response] = pd.Series(density, index=log_p["row"].to_numpy())
    return pd.concat(out, names=["response", "row"])


def _evidence(one: Fit, again: Fit, fold: Fold, scores: pd.Series) -> dict[str, object]:
    """What a table of evidence says about one model and fold."""
    held_out = one.runs.iloc[scores.index.get_level_values("row")]
    return {
        "model": one.model.name,
        "fitted_up_to_flops": fold.cut,
        "runs_fitted": again.runs["run"].nunique(),
        "runs_forecast": held_out["run"].nunique(),
        "rows_forecast": len(scores),
        "decades_beyond": float(np.log10(held_out["flops"].max() / fold.cut)),
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


def _by_loo(fits: tuple[Fit, ...]) -> Average:
    """Stack on leave-one-out densities, as ArviZ does."""
    import arviz_stats as azs

    _check_same_rows(fits)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        each = {one.model.name: azs.loo(_for_arviz(one, shared_responses(fits)), pointwise=True) for one in fits}
        table = azs.compare(each, method="stacking", round_to="none")
    table["pareto_k_max"] = [float(each[name].pareto_k.max()) for name in table.index]
    table["pareto_k_high"] = [int((each[name].pareto_k > each[name].good_k).sum()) for name in table.index]
    table["rows"] = [each[name].n_data_points for name in table.index]
    for text in dict.fromkeys(_weak(table, each[fits[0].model.name].good_k, [str(w.message) for w in caught])):
        warnings.warn(text, ScalingWarning, stacklevel=3)
    weights = table["weight"].reindex([one.model.name for one in fits]).to_numpy(float).clip(0)
    how = f"stacking on leave-one-out densities of {table['rows'].iloc[0]} rows"
    return Average(fits, _named(fits, weights / weights.sum()), how, table.rename_axis("model").reset_index())


def _weak(table: pd.DataFrame, good_k: float, said: list[str]) -> Iterator[str]:
    """What there is to warn of: unreliable rows by model, and whatever else ArviZ says."""
    for name, row in table[table["pareto_k_high"] > 0].iterrows():
        yield (
            f"{name}: Pareto k is above {good_k:.2f} in {row['pareto_k_high']} of {row['rows']} rows (largest "
            f"{row['pareto_k_max']:.2f}): their leave-one-out densities, and weights that rest on them, are "
            "unreliable; weights='largest_scale_out' fits again instead"
        )
    yield from (text for text in said if "Pareto" not in text)


def _for_arviz(one: Fit, responses: tuple[str, ...]) -> xr.DataTree:
    """Posterior and pointwise log likelihood of a fit, as ArviZ reads them."""
    parts = [log_likelihood(one, response) for response in responses]
    log_p = xr.concat(parts, dim="row").drop_vars("row").to_dataset(name="reported")
    return xr.DataTree.from_dict({"posterior": one.posterior[read_by_users(one.model)], "log_likelihood": log_p})
