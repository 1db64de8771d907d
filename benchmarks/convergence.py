"""Whether the recommended laws pass their verdict at the first attempt, and what that costs.

    python benchmarks/convergence.py [--krajewski FOLDER] [--seeds 5] [--only TEXT]

Fits each law with a discrepancy to every split of `compare_laws.py`, at default settings but one attempt, and prints
divergences, r-hat and the smallest effective sample size with the quantities that they belong to, leapfrog steps for a
kept draw, seconds, and the verdict; then, for each law, how many fits passed.  FOLDER holds runs.csv and evals.csv, the
public tables of arXiv 2512.08894; without it the shipped data alone are used.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import pandas as pd
from compare_laws import splits

import bayes_scaling as bs
from bayes_scaling.errors import DataWarning, ScalingWarning

LAWS = {
    "compute": ("power_law_discrepancy",),
    "size": ("params_tokens_discrepancy", "two_stage_params_tokens_discrepancy"),
}


def measured(law: str, runs: pd.DataFrame, seed: int) -> dict[str, object]:
    """Diagnostics and cost of one first attempt."""
    start = time.perf_counter()
    fit = bs.fit(law, runs, seed=seed, attempts=1, progress=False)
    verdict, seconds = fit.verdict, time.perf_counter() - start
    least = "ess_bulk" if verdict.ess_bulk <= verdict.ess_tail else "ess_tail"
    return {
        "divergences": verdict.divergences,
        "r_hat": round(verdict.r_hat, 4),
        "of": verdict.worst["r_hat"][:30],
        "ess": round(getattr(verdict, least)),
        "of ": verdict.worst[least][:30],
        "steps": round(float(fit.tree["sample_stats"]["n_steps"].mean())),
        "seconds": round(seconds, 1),
        "passed": verdict.passed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--krajewski", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="", help="splits whose name contains this text")
    arguments = parser.parse_args()
    for category in (ScalingWarning, DataWarning):
        warnings.simplefilter("ignore", category)
    rows = []
    for split, kind, known, _ in splits(arguments.krajewski):
        if arguments.only not in split:
            continue
        for law in LAWS[kind]:
            print(f"\n{split}: {law}", flush=True)
            for seed in range(1, arguments.seeds + 1):
                rows.append({"law": law} | {"seed": seed} | measured(law, known, seed))
                shown = pd.DataFrame(rows[-1:]).drop(columns="law")
                print(shown.to_string(index=False, header=seed == 1), flush=True)
    if not rows:
        parser.error(f"no split whose name contains {arguments.only!r}")
    found = pd.DataFrame(rows).groupby("law")["passed"].agg(passed="sum", fits="size")
    print(f"\n{found.to_string()}")


if __name__ == "__main__":
    main()
