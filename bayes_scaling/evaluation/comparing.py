r"""Comparison of laws that does not mislead: four questions side by side, and no winner where data name none.

Leave-one-out densities score interpolation between runs that all laws fit alike.  So they stand beside what happens
when whole runs are left out (all scores of a run are good or bad at once), when the largest runs are left out, and
beside how far the forecasts of the laws lie apart, which is what a decision rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import OUTCOME, with_role
from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.averaging import weights_by_forecasts
from bayes_scaling.evaluation.backtest.backtesting import Backtest, forecasts_of_the_past, warn_of_shards
from bayes_scaling.evaluation.comparison import NAMES, Comparison
from bayes_scaling.evaluation.cross_validation import check_same_rows, folds_by_scale, leave_one_out
from bayes_scaling.evaluation.loo_refits import REFITS_AT_MOST
from bayes_scaling.evaluation.refits.engine import Engine
from bayes_scaling.evaluation.row_masks import Split
from bayes_scaling.forecasting.forecast import drawn_forecast
from bayes_scaling.forecasting.summaries import average_benchmarks, summarise
from bayes_scaling.inference.averaged_fits import fits_of, main_response
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.log_densities import response_data
from bayes_scaling.inference.settings import Settings, checked_seed
from bayes_scaling.models.responses.all_responses import RESPONSES

FOLDS = 10
SURE = 2.0  # standard errors that a difference must exceed
SMALL = 4.0  # nats: differences of total log density below this name no winner (Sivula et al. 2020, arXiv 2008.10296)
FEW = 4  # runs: the standard error of a difference over fewer says nothing
AHEAD = 10.0  # how many times the compute of the largest run the far forecast is made for


def compare(
    fits: Sequence[Fit],
    *,
    plan: pd.DataFrame | None = None,
    response: str | None = None,
    folds: int | None = FOLDS,
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
) -> Comparison:
    """Compare laws by what they said of scores, of runs and of larger runs that they did not see.

    Parameters
    ----------
    fits : sequence of Fit
        Two or more, of models with different names, to the same runs.
    plan : DataFrame, optional
        Of the far forecast; by default the largest run, with 10 times its compute.
    response : str, optional
        What the laws are compared by; by default the accuracy where all forecast it, else the first that they share.
    folds : int, optional
        Whole runs are left out in so many folds, each with runs of all sizes; None leaves out one run at a time.
    seed : int, optional
    chains, draws, tune, thin, target_accept, attempts
        Of the refits, as for `fit`.
    refits_at_most : int
        Fits of each law without single scores, where importance sampling cannot take these away.
    folder : path, optional
        Keeps the refits; see `backtest`.
    n_jobs : int, optional
        Refits at the same time; see `backtest`.
    progress : bool, optional
    even_if_not_converged : bool
        Go on from fits that failed their verdict.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        There is nothing to compare, or the fits cannot be compared: see `Average`.
    FitError
        A fit did not converge.

    Warns
    -----
    ScalingWarning
        Refits failed their verdict.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fits = [bs.Fit.load("power_law.nc"), bs.Fit.load("power_law_ceiling.nc")]
    >>> short = {"chains": 2, "draws": 50, "tune": 50, "attempts": 1}  # for this example alone
    >>> found = bs.compare(fits, folds=2, refits_at_most=0, seed=1, progress=False, **short)
    >>> sorted(found.winners)
    ['loo', 'run', 'scale']
    """
    settings, seed = Settings(chains, draws, tune, thin, target_accept, attempts), checked_seed(seed)
    engine, fits = Engine.of(folder, n_jobs, progress), fits_of(fits)
    if len(fits) < 2:
        raise DataError("compare takes two or more fits: compare([fit_of_one_law, fit_of_another])")
    check_same_rows(fits)
    for one in fits:
        one.require_converged(even_if_not_converged=even_if_not_converged)
    compared_by = main_response(fits, response)
    by_run, by_scale = run_folds(fits, compared_by, folds), scale_folds(fits)
    laws = {one.model.name: one.model for one in fits}
    past = forecasts_of_the_past(
        laws, fits[0].runs, [*by_run, *by_scale], compared_by, engine, seed=seed, settings=settings, what="compare"
    )
    warn_of_shards(past, "comparison")
    loo, cautions = leave_one_out(fits, seed=seed, settings=settings, refits_at_most=refits_at_most, engine=engine)
    ahead = _far(fits, plan, compared_by, seed)
    return _compared(fits, past, {s.name for s in by_run}, loo, cautions, ahead)


def run_folds(fits: tuple[Fit, ...], response: str, folds: int | None) -> list[Split]:
    """Splits that leave out whole runs: one at a time, or in folds with runs of all sizes.

    Raises
    ------
    DataError
        Fewer than two folds or runs.
    """
    runs = fits[0].runs
    scored = np.isin(np.arange(len(runs)), response_data(fits[0], response)[1].rows)
    sizes = runs[scored].groupby("run", sort=False)["flops"].max() if "flops" in runs else None
    names = list(runs.loc[scored, "run"].unique() if sizes is None else sizes.sort_values(kind="stable").index)
    number = len(names) if folds is None else min(folds, len(names))
    if number < 2:
        raise DataError(f"leaving runs out takes two folds and two runs or more; got {folds}, and {len(names)} runs")
    fold = runs["run"].map({name: at % number for at, name in enumerate(names)}).to_numpy()
    return [Split(f"runs {n + 1} of {number}", fold != n, scored & (fold == n)) for n in range(number)]


def scale_folds(fits: tuple[Fit, ...]) -> list[Split]:
    """Splits that leave out the largest runs, as `average` weighs laws by; none where there are too few sizes."""
    try:
        return folds_by_scale(fits)
    except DataError:
        return []


def _far(fits: tuple[Fit, ...], plan: pd.DataFrame | None, response: str, seed: int | None) -> pd.DataFrame:
    """What every law expects far out: a table of every benchmark, and of their average."""
    plan = _ten_times(fits[0].runs, response) if plan is None else plan
    found = []
    for one in fits:
        ahead = drawn_forecast(one, plan, seed=seed, even_if_not_converged=True)[[f"{response}_mean"]]
        parts = [ahead, average_benchmarks(ahead)] if RESPONSES[response].per_benchmark else [ahead]
        found += [
            summarise(part, everything=True).assign(model=one.model.name, averaged=part is not ahead) for part in parts
        ]
    return pd.concat(found, ignore_index=True)


def _ten_times(runs: pd.DataFrame, response: str) -> pd.DataFrame:
    """The largest run on all benchmarks it was scored on, with ten times its compute, at its tokens per parameter."""
    scored = runs[RESPONSES[response].outcomes(runs)]
    largest = scored[scored["run"] == scored.sort_values("flops", kind="stable")["run"].iloc[-1]]
    larger = largest.drop(columns=[c for c in with_role(OUTCOME) if c in largest])
    factors = {"flops": AHEAD, "params": AHEAD**0.5, "tokens": AHEAD**0.5}
    larger = larger.assign(**{c: larger[c] * f for c, f in factors.items() if c in larger})
    keys = [c for c in ("benchmark", "k") if c in larger]
    return larger.assign(run=f"{AHEAD:g} × the largest run").drop_duplicates(keys).reset_index(drop=True)


def _compared(
    fits: tuple[Fit, ...], past: Backtest, of_runs: set[str], loo: pd.DataFrame, cautions: list[str], far: pd.DataFrame
) -> Comparison:
    names = [one.model.name for one in fits]
    out = past.scores["split"].isin(of_runs)
    by_run = past.scores[out].pivot_table(index="run", columns="law", values="log_density", aggfunc="sum")
    above = past.scores[~out]
    by_scale = above.pivot_table(index="run", columns="law", values="log_density", aggfunc="mean")
    table = pd.DataFrame({"model": names, "converged": [one.verdict.passed for one in fits]})
    table = table.assign(**_of_loo(loo, names), **_differences(by_run, names, "elpd_run", total=True))
    table = table.assign(**_differences(by_scale, names, "log_density_scale"), **_of_scale(above, names))
    table = table.assign(**_of_far(far, names))
    counts = {"loo": np.inf, "run": len(by_run), "scale": len(by_scale)}
    columns = {"loo": "elpd_loo", "run": "elpd_run", "scale": "log_density_scale"}
    winners = {q: _winner(table, columns[q], counts[q], SMALL if q != "scale" else 0.0) for q in columns}
    notes = (*_winner_texts(winners, counts), _apart(table), *cautions)
    return Comparison(table, winners, notes, loo, past, far)


def _of_loo(loo: pd.DataFrame, names: list[str]) -> dict[str, np.ndarray]:
    own = loo.set_index("model").reindex(names)
    kept = {"elpd": "elpd_loo", "elpd_diff": "elpd_loo_diff", "dse": "elpd_loo_se", "weight": "weight_loo"}
    kept |= {c: c for c in ("pareto_k_high", "rows_refitted")}
    return {new: own[old].to_numpy() for old, new in kept.items()}


def _differences(each: pd.DataFrame, names: list[str], column: str, *, total: bool = False) -> dict[str, np.ndarray]:
    """Mean or total over runs, difference to the best, and its standard error; blank where nothing was left out."""
    if each.empty:
        return {f"{column}{end}": np.full(len(names), np.nan) for end in ("", "_diff", "_se")}
    values = each.reindex(columns=names).to_numpy()
    size = len(values) if total else 1
    apart = values - values[:, [int(np.nanargmax(values.mean(axis=0)))]]
    error = apart.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.full(len(names), np.nan)
    found = {"": values.mean(axis=0), "_diff": apart.mean(axis=0), "_se": error}
    return {f"{column}{end}": size * value for end, value in found.items()}


def _of_scale(above: pd.DataFrame, names: list[str]) -> dict[str, np.ndarray]:
    """Stacking weights, CRPS and coverage on the runs above the cuts."""
    if above.empty:
        return {c: np.full(len(names), np.nan) for c in ("weight_scale", "crps_scale", "cover_80_scale")}
    weights = weights_by_forecasts(above, names)
    means = above.groupby("law")[["crps", "inside_80"]].mean().reindex(names)
    crps, cover = means["crps"].to_numpy(), means["inside_80"].to_numpy(float)
    return {"weight_scale": weights, "crps_scale": crps, "cover_80_scale": cover}


def _of_far(far: pd.DataFrame, names: list[str]) -> dict[str, np.ndarray]:
    own = far[far["averaged"]] if far["averaged"].any() else far
    means = own.groupby("model")[["mean", "lower_80", "upper_80"]].mean().reindex(names)
    return {f"far_{c}": means[c].to_numpy() for c in ("mean", "lower_80", "upper_80")}


def _winner(table: pd.DataFrame, column: str, runs: float, least: float) -> str | None:
    """The law that is better than every other by more than the difference may be by accident."""
    others = table[f"{column}_diff"].abs() > 0
    difference, error = table[f"{column}_diff"][others].abs(), table[f"{column}_se"][others]
    sure = others.sum() == len(table) - 1 and (difference > np.maximum(SURE * error, least)).all()
    return str(table["model"][~others].iloc[0]) if sure and runs >= FEW else None


def _winner_texts(winners: dict[str, str | None], counts: dict[str, float]) -> list[str]:
    texts = []
    for question, winner in winners.items():
        of = "" if not np.isfinite(counts[question]) else f" ({counts[question]:.0f} runs)"
        text = f"{winner} is better than all others" if winner else "no law is better than all others beyond doubt"
        texts.append(f"{NAMES[question]}{of}: {text}")
    return texts


def _apart(table: pd.DataFrame) -> str:
    """How far the far forecasts of the laws lie apart, against how sure each is of itself."""
    spread, width = np.ptp(table["far_mean"]), (table["far_upper_80"] - table["far_lower_80"]).mean()
    more = "more" if spread > width else "less"
    return (
        f"far forecast: the expectations of the laws span {spread:.3f}, {more} than an 80 % interval of one of them "
        f"({width:.3f} on average)"
    )
