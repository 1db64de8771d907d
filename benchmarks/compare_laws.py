"""How well every registered law, their average and the published estimators forecast runs that they did not see.

    python benchmarks/compare_laws.py [--krajewski FOLDER] [--draws 1000] [--only TEXT] [--laws NAMES]
                                       [--attempts 2] [--weights equal ...] [--out table.csv]

Fits below a limit of compute or size and scores above it: error of the expectation, CRPS, and coverage and mean
width of 50, 80, 90 and 95 % intervals of a new run; noise is how far, by the forecast itself, one score lies from its
expectation, the error of who knows that.  FOLDER holds runs.csv and evals.csv, the public tables of
arXiv 2512.08894; without it the shipped data alone are used.  NAMES, with commas between them, are the laws to fit, in
place of all; averages are then those whose laws are among them, and published estimators are left out.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from splits import Split, compute_splits, krajewski_splits, olmo_published, size_splits, unchosen_splits

import bayes_scaling as bs
from bayes_scaling.errors import DataWarning, ScalingError, ScalingWarning
from bayes_scaling.evaluation.scores import score_forecast
from bayes_scaling.inference.fitting import Fit

PROBABILITIES = (0.5, 0.8, 0.9, 0.95)
MODELS = {
    "compute": (
        *("power_law", "power_law_ceiling", "curved_power_law", "broken_power_law", "bnsl"),
        *("two_stage_linear", "two_stage_logistic", "power_law_discrepancy"),
        "curved_power_law_discrepancy",
    ),
    "size": (
        *("params_tokens", "params_tokens_ceiling", "two_stage_params_tokens"),
        *("params_tokens_discrepancy", "two_stage_params_tokens_discrepancy"),
    ),
}
AVERAGED = {
    "compute": ("power_law_ceiling", "curved_power_law", "two_stage_logistic", "power_law_discrepancy"),
    "size": (
        *("params_tokens", "params_tokens_ceiling"),
        *("params_tokens_discrepancy", "two_stage_params_tokens_discrepancy"),
    ),
}
PUBLISHED = {
    "compute": ("direct", "bnsl", "ceiling", "two_stage_linear", "two_stage_logistic"),
    "size": ("direct", "params_tokens", "gadre", "olmo_ladder"),
}
RESAMPLES = 100
WEIGHTS = "equal", "largest_scale_out"


def splits(folder: Path | None) -> Iterator[Split]:
    """Every split, those of the shipped data first."""
    yield from (*compute_splits(), *size_splits(), olmo_published(), *unchosen_splits())
    if folder is not None:
        yield from krajewski_splits(folder)


def scores(ahead: xr.Dataset, later: pd.DataFrame) -> dict[str, float]:
    """Mean scores of a forecast of accuracies."""
    table = score_forecast(ahead, later, probabilities=PROBABILITIES)
    error = table["error"].abs()
    return {
        "error": error.mean(),
        "relative_error": (error / table["observed"].clip(lower=0.01)).mean(),
        "bias": table["error"].mean(),
        "noise": float(abs(ahead["accuracy"] - ahead["accuracy_mean"]).mean()),
        "crps": table["crps"].mean(),
        **{f"cover_{100 * p:g}": table[f"inside_{100 * p:g}"].mean() for p in PROBABILITIES},
        **{f"width_{100 * p:g}": table[f"width_{100 * p:g}"].mean() for p in PROBABILITIES},
    }


def fitted(
    names: Iterable[str], known: pd.DataFrame, draws: int, attempts: int = 2
) -> Iterator[tuple[str, Fit, dict[str, Any]]]:
    """Name, fit, and what the fit took and how it ended, of every registered model that can be fitted."""
    for name in names:
        start = time.perf_counter()
        try:
            fit = bs.fit(bs.load_model(name), known, seed=1, draws=draws, attempts=attempts, progress=False)
        except ScalingError as error:
            print(f"  {name}: {error}")
            continue
        verdict, seconds = fit.verdict, time.perf_counter() - start
        yield (
            name,
            fit,
            {"passed": verdict.passed, "r_hat": verdict.r_hat, "divergences": verdict.divergences, "seconds": seconds},
        )


def forecasts(
    kind: str, known: pd.DataFrame, later: pd.DataFrame, draws: int, attempts: int, laws: set[str], weights: list[str]
) -> Iterator[tuple[str, xr.Dataset, dict[str, Any]]]:
    """Label, forecast and what else to report, for everything that is compared."""
    fits = {}
    for name, fit, extra in fitted([n for n in MODELS[kind] if not laws or n in laws], known, draws, attempts):
        fits[name] = fit
        yield name, bs.forecast(fit, later, seed=1, even_if_not_converged=True), extra
    chosen = [fits[name] for name in AVERAGED[kind] if name in fits]
    asked = not laws or laws >= set(AVERAGED[kind])
    for weighed in weights if asked else ():
        try:
            mixed = bs.average(chosen, weights=weighed, seed=1, chains=2, draws=500, even_if_not_converged=True)
        except ScalingError as error:
            print(f"  average, {weighed}: {error}")
            continue
        for pool in ("linear", "quantiles"):
            pooled = replace(mixed, pool=pool)
            yield f"average, {weighed}, {pool}", bs.forecast(pooled, later, seed=1, even_if_not_converged=True), {}
    for name in () if laws else PUBLISHED[kind]:
        start = time.perf_counter()
        ahead = bs.baseline(name, known, later, seed=1, resamples=RESAMPLES)
        yield f"published: {name}", ahead, {"seconds": time.perf_counter() - start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--krajewski", type=Path)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--attempts", type=int, default=2, help="of a fit that fails its verdict")
    parser.add_argument("--only", default="", help="splits whose name contains this text")
    parser.add_argument("--laws", default="", help="names of laws, with commas between them")
    parser.add_argument("--weights", nargs="*", default=list(WEIGHTS), choices=WEIGHTS, help="of averages")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    fit_with = {"draws": arguments.draws, "attempts": arguments.attempts, "weights": arguments.weights}
    laws = set(filter(None, arguments.laws.split(",")))
    for category in (ScalingWarning, DataWarning):
        warnings.simplefilter("ignore", category)
    rows: list[dict[str, Any]] = []
    for split, kind, known, later in splits(arguments.krajewski):
        if arguments.only not in split:
            continue
        print(f"\n{split}: {known['run'].nunique()} runs → {len(later)} scores of {later['run'].nunique()}", flush=True)
        for label, ahead, extra in forecasts(kind, known, later, laws=laws, **fit_with):
            rows.append({"split": split, "law": label} | scores(ahead, later) | extra)
            shown = pd.DataFrame(rows[-1:]).drop(columns=["split", "width_50", "width_80"]).round(4)
            print(shown.to_string(index=False, header=label in (MODELS[kind][0], *laws)), flush=True)
        if arguments.out:
            pd.DataFrame(rows).to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
