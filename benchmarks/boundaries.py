"""Boundaries of released models: fitted on one period and scored on the next, beside the published estimators.

    python benchmarks/boundaries.py SCORES.csv [--resamples 200] [--only validation|widths|refits|scale]
        [--refits 20] [--organisations 1]

SCORES.csv is a table that `bayes_scaling.read_leaderboard` takes; pretrained models are left out, as in arXiv
2602.15327.  Printed are

- the exact pinball loss times 1000, coverage and its errors in percentage points, the CRPS times 1000 and the share of
  models above the 0.9-quantile, averaged over benchmarks and pairs of periods;
- how the share of the fitted models below the boundary compares with what it should be, for the smoothed estimator as
  published, with larger κ, and for the posterior;
- how wide the posterior of the boundary at 1e24 FLOPs is beside resamples of base models of the published estimator,
  and of the same with κ so large that it is as good as exact;
- the same beside a bootstrap of the posterior's own median: the model is fitted again to resamples of base models (only
  where --only refits asks for it, because every resample takes a fit);
- what fits of 25,000 and of 2,500 models of 300 base models on six benchmarks take.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.boundaries.estimators import KAPPA, boundary_curve
from bayes_scaling.boundaries.fitting import BoundaryFit, fit_boundary
from bayes_scaling.boundaries.leaderboard import read_leaderboard
from bayes_scaling.boundaries.quantiles import boundary
from bayes_scaling.boundaries.resampled import boundary_baseline
from bayes_scaling.boundaries.scores import BASE, BENCHMARK
from bayes_scaling.boundaries.simulated import simulated_board
from bayes_scaling.boundaries.validation import next_period

AT = 1e24
SHARP = 3200.0  # κ that is as good as exact
PARTS = ("validation", "widths", "refits", "scale")
FEWER = {"chains": 2, "draws": 400, "tune": 400}  # draws of a refit, of which only the median is used


def validation(scores: pd.DataFrame, resamples: int) -> None:
    table = next_period(scores, seed=1, resamples=resamples)
    percent = [name for name in table if name.startswith("coverage")] + ["signed_error", "top_decile"]
    shown = table.assign(pinball=1e3 * table["pinball"], crps=1e3 * table["crps"])
    shown[percent] *= 100
    columns = ["pinball", *percent, "crps"]
    print(shown.groupby("method", sort=False)[columns].mean().round(2).to_string())
    print("\nthe posterior, by periods and benchmark")
    own = shown[shown["method"] == "posterior"]
    print(own[["fitted", "benchmark", *columns, "converged"]].round(2).to_string(index=False))


def widths(scores: pd.DataFrame, resamples: int) -> None:
    print("\nshare of the fitted models below the 98 % boundary [%]")
    rows = []
    for benchmark, own in scores.groupby(BENCHMARK):
        flops, score = own["flops"].to_numpy(), own["score"].to_numpy()
        covered = {
            f"smoothed, κ = {kappa:g}": 100
            * np.mean(score <= boundary_curve("smoothed", flops, score, kappa=kappa)(flops))
            for kappa in (50.0, 200.0, 3200.0)
        }
        rows.append({"benchmark": benchmark, **covered})
    fit = fit_boundary(scores, seed=1, progress=False)
    table = pd.DataFrame(rows).set_index("benchmark")
    for tail in ("normal", "observed"):
        table[f"posterior, {tail} tail"] = [100 * _below(fit, name, tail) for name in table.index]
    print(table.round(1).to_string())
    print(f"\n{fit!r}\nthe boundary at {AT:g} FLOPs with 90 % intervals, all periods of the table together")
    plan = pd.DataFrame({"flops": AT, "benchmark": list(fit.cells.benchmarks)})
    options = {"resamples": resamples, "seed": 1}
    bootstraps = {
        f"κ = {kappa:g}": boundary_baseline("smoothed", scores, plan, kappa=kappa, **options)
        for kappa in (KAPPA, SHARP)
    }
    alone = fit_boundary(scores.drop(columns="period"), seed=1, progress=False)
    for number, benchmark in enumerate(fit.cells.benchmarks):
        line = f"{benchmark:14s}"
        for name, drawn in bootstraps.items():
            draws = drawn["boundary"][0, :, number]
            low, high = draws.quantile([0.05, 0.95]).to_numpy()
            line += f"  {name} {float(draws.median()):.3f} [{low:.3f}, {high:.3f}]"
        ours = boundary(alone, AT, seed=1, even_if_not_converged=True).isel(flops=0, benchmark=number)
        least, most = ours.quantile([0.05, 0.95]).to_numpy()
        line += f"  posterior {float(ours.median()):.3f} [{least:.3f}, {most:.3f}], width / that of the last bootstrap"
        print(f"{line} {(most - least) / (high - low):.2f}")


def refits(scores: pd.DataFrame, number: int) -> None:
    """How wide the posterior is beside the scatter of its own median over resamples of base models."""
    scores = scores.drop(columns="period")
    fit = fit_boundary(scores, seed=1, progress=False)
    draws = _at(fit)
    clusters = [own for _, own in scores.groupby(BASE)]
    rng, middles = np.random.default_rng(1), []
    for refit in range(number):
        chosen = rng.integers(len(clusters), size=len(clusters))
        drawn = [clusters[cluster].assign(**{BASE: f"cluster {place}"}) for place, cluster in enumerate(chosen)]
        again = fit_boundary(pd.concat(drawn, ignore_index=True), seed=1, progress=False, **FEWER)
        middles.append(_at(again).median("sample").sel(benchmark=draws["benchmark"]).to_numpy())
        print(f"refit {refit + 1}: {again.verdict}", flush=True)
    scatter, spread = np.std(middles, axis=0, ddof=1), draws.std("sample").to_numpy()
    columns = {"posterior sd": spread, "sd over resamples": scatter, "ratio": spread / scatter}
    table = pd.DataFrame(columns, draws["benchmark"].to_numpy())
    print(f"\nthe boundary at {AT:g} FLOPs\n{table.round(4).to_string()}\nmean ratio {table['ratio'].mean():.2f}")


def _at(fit: BoundaryFit) -> xr.DataArray:
    """Draws of the boundary (benchmark, sample) at the compute that widths are compared at."""
    return boundary(fit, AT, seed=1, even_if_not_converged=True).isel(flops=0).stack(sample=("chain", "draw"))


def _below(fit: object, benchmark: str, tail: str) -> float:
    """Share of the fitted models of a benchmark below the boundary of their period."""
    shares = []
    for period, own in fit.scores[fit.scores[BENCHMARK] == benchmark].groupby("period"):
        sizes = own["flops"].unique().tolist()
        draws = boundary(fit, sizes, period=period, tail=tail, seed=1, even_if_not_converged=True).sel(
            benchmark=benchmark
        )
        at = pd.Series(draws.mean(("chain", "draw")).to_numpy(), sizes)
        shares.append((own["score"] <= own["flops"].map(at)).to_numpy())
    return float(np.concatenate(shares).mean())


def scale(organisations: int) -> None:
    print()
    for models in (2500, 25_000):
        board = simulated_board(models, benchmarks=6, bases=300, organisations=organisations, periods=3, seed=1)
        start = time.perf_counter()
        found = fit_boundary(board, seed=1, progress=False)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{len(board)} scores of 300 base models and {organisations} organisations in "
            f"{len(found.cells.number)} cells: "
            f"{time.perf_counter() - start:.0f} s, at most {memory:.1f} GiB so far, {found.verdict}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores")
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--refits", type=int, default=20)
    parser.add_argument("--organisations", type=int, default=1, help="of the simulated boards; 500 take very long")
    chosen = parser.parse_args()
    scores = read_leaderboard(pd.read_csv(chosen.scores))
    scores = scores[scores["model_type"] != "pretrained"].reset_index(drop=True)
    run = {
        "validation": lambda: validation(scores, chosen.resamples),
        "widths": lambda: widths(scores, chosen.resamples),
        "scale": lambda: scale(chosen.organisations),
        "refits": lambda: refits(scores, chosen.refits),
    }
    for part in run if chosen.only else [name for name in run if name != "refits"]:
        if chosen.only in (None, part):
            run[part]()


if __name__ == "__main__":
    main()
