"""What the discrepancy costs: sampling time against the plain law, side by side, and the time of a forecast.

    python benchmarks/discrepancy_cost.py [--repeats 3]

Twelve benchmarks on three mixtures of gadre2024 at 20 tokens per parameter, 4 × 1000 draws; a forecast of 1,000 rows.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
from splits import gadre

import bayes_scaling as bs

MODELS = ("power_law", "power_law_discrepancy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    runs, rows = gadre(at_20=True), []
    plan = bs.plan_runs(
        flops=list(np.geomspace(1e20, 1e24, 28)),
        benchmark=sorted(runs["benchmark"].unique()),
        mixture=sorted(runs["mixture"].unique()),
    )[:1000]
    for name in MODELS:
        first = bs.fit(bs.load_model(name), runs, seed=0, chains=1, draws=10, tune=10, attempts=1, progress=False)
        bs.forecast(first, plan[:1], seed=1, even_if_not_converged=True)  # compiled and imported from here on
    for seed in range(repeats):
        for name in MODELS:
            start = time.perf_counter()
            fit = bs.fit(bs.load_model(name), runs, seed=seed, attempts=1, progress=False)
            fitted = time.perf_counter()
            bs.forecast(fit, plan, seed=1, even_if_not_converged=True)
            steps = float(fit.tree["sample_stats"]["n_steps"].mean())
            ahead = time.perf_counter() - fitted
            rows.append({"model": name, "sampling": fitted - start, "steps": steps, "forecast_seconds": ahead})
    table = pd.DataFrame(rows).groupby("model", sort=False).median()
    table["sampling"] /= table["sampling"].iloc[0]
    print(f"{len(plan)} rows forecast; sampling as a ratio to {MODELS[0]}, medians of {repeats}")
    print(table.round(2).to_string())


if __name__ == "__main__":
    main()
