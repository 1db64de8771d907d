"""Boundaries of released models: fitted on one period and scored on the next, beside the published estimators.

    python benchmarks/boundaries.py SCORES.csv [--resamples 200]

SCORES.csv has one row a score of a released model: model_type, base_model, period, flops, benchmark, score, n_items.
Pretrained models are left out, as in arXiv 2602.15327.  Printed are the exact pinball loss times 1000 and coverage
errors in percentage points, averaged over benchmarks and pairs of periods; how wide the posterior of the boundary at
1e24 FLOPs is beside intervals of the published estimator from resampled base models; and what a fit of 25,000 models
costs.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from bayes_scaling.boundaries.estimators import boundary_curve
from bayes_scaling.boundaries.fitting import fit_boundary
from bayes_scaling.boundaries.quantiles import boundary
from bayes_scaling.boundaries.scores import BASE
from bayes_scaling.boundaries.validation import next_period

AT = 1e24


def published_interval(scores: pd.DataFrame, resamples: int, rng: np.random.Generator) -> tuple[float, float]:
    """90 % interval of the published boundary at 1e24 FLOPs over resamples of base models."""
    groups = list(scores.groupby(BASE).indices.values())
    found = []
    for _ in range(resamples):
        rows = scores.iloc[np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))])]
        curve = boundary_curve("smoothed", rows["flops"].to_numpy(), rows["score"].to_numpy())
        found.append(float(curve(np.array([AT]))[0]))
    low, high = np.quantile(found, [0.05, 0.95])
    return float(low), float(high)


def many(models: int, bases: int, rng: np.random.Generator) -> pd.DataFrame:
    """A simulated board of many models on six benchmarks."""
    size, base = rng.uniform(21, 25.5, bases), rng.integers(bases, size=models)
    effect = rng.normal(0, 0.3, (bases, 6))
    odds = -0.5 + 0.5 * (size[base] - 23)[:, None] + effect[base] + 0.4 * rng.normal(size=(models, 6))
    table = pd.DataFrame(1 / (1 + np.exp(-odds)), columns=[f"benchmark {i}" for i in range(6)])
    table = table.assign(flops=10 ** size[base], base_model=[f"base {i}" for i in base], n_items=1000)
    return table.melt(["flops", "base_model", "n_items"], var_name="benchmark", value_name="score")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores")
    parser.add_argument("--resamples", type=int, default=200)
    chosen = parser.parse_args()
    scores = pd.read_csv(chosen.scores)
    scores = scores[scores["model_type"] != "pretrained"].reset_index(drop=True)
    table = next_period(scores, seed=1, resamples=chosen.resamples)
    shown = table.assign(pinball=1e3 * table["pinball"], crps=1e3 * table["crps"])
    errors = ["coverage_error", "coverage_error_se", "signed_error"]
    shown[errors] *= 100
    columns = ["pinball", *errors, "crps"]
    print(shown.groupby("method", sort=False)[columns].mean().round(2).to_string())
    print("\nthe posterior, by periods and benchmark")
    print(shown[shown["method"] == "posterior"][["fitted", "benchmark", *columns, "converged"]].round(2).to_string())
    fit = fit_boundary(scores, seed=1, progress=False)
    print(f"\n{fit!r}")
    draws = boundary(fit, AT, even_if_not_converged=True).isel(flops=0)
    rng = np.random.default_rng(1)
    for benchmark, rows in scores.groupby("benchmark"):
        ours = draws.sel(benchmark=benchmark)
        low, high = (float(ours.quantile(q)) for q in (0.05, 0.95))
        least, most = published_interval(rows, max(chosen.resamples, 20), rng)
        print(
            f"at 1e24 FLOPs {benchmark:14s} posterior {float(ours.mean()):.3f} [{low:.3f}, {high:.3f}], "
            f"published [{least:.3f}, {most:.3f}], ratio of widths {(high - low) / (most - least):.2f}"
        )
    for models in (2500, 25_000):
        board = many(models, 300, rng)
        start = time.perf_counter()
        found = fit_boundary(board, seed=1, progress=False)
        print(f"{len(board)} scores of 300 base models: {time.perf_counter() - start:.0f} s, {found.verdict}")


if __name__ == "__main__":
    main()
