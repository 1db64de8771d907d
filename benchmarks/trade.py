"""Whether the training compute that `trade` names for k samples is the compute that it took.

    python benchmarks/trade.py --data FOLDER [--flops 8.7e20] [--only TEXT]

FOLDER holds runs.csv and passk.csv of arXiv 2512.08894 (see `pass_at_k.py`).  `pass_at_k` is fitted to runs below
--flops and to k up to 32.  For every pass@k of a larger run, `trade` is asked for the training compute at which that
pass@k is reached with that k.  Printed are, by benchmark and for k that were fitted or not, how often the 80 % interval
holds the true compute, of the expectation and of a single run evaluated once, as the target is, and the median error in
decades.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from pass_at_k import FITTED_K, read

import bayes_scaling as bs

USE = {"queries": 1, "tokens_per_sample": 1}  # what the samples cost is not asked here


def judged(fit: bs.Fit, row: pd.Series) -> dict[str, object]:
    """The intervals of the compute that one pass@k needs, and the truth."""
    told: dict[str, object] = {
        "benchmark": row["benchmark"],
        "k": f"k ≤ {FITTED_K}" if row["k"] <= FITTED_K else f"k > {FITTED_K}",
    }
    for name, new_run in (("expectation", False), ("new run", True)):
        found = bs.trade(
            fit, float(row["score"]), k=[int(row["k"])], benchmark=row["benchmark"], mixture=row["mixture"],
            new_run=new_run, seed=1, even_if_not_converged=True, **USE,
        )  # fmt: skip
        low, middle, high = np.quantile(found["flops"].to_numpy(), [0.1, 0.5, 0.9], method="higher")
        told |= {name: 100 * float(low <= row["flops"] <= high), "decades": abs(np.log10(middle / row["flops"]))}
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--flops", type=float, default=8.7e20, help="FLOPs of the smallest run held out")
    parser.add_argument("--only", default="", help="benchmarks whose name contains this text")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    reported = read(chosen.data)[1]
    reported = reported[reported["benchmark"].str.contains(chosen.only)]
    known = reported[(reported["flops"] < chosen.flops) & (reported["k"] <= FITTED_K)]
    fit = bs.fit("pass_at_k", known, seed=1, progress=False)
    print(fit.verdict)
    seen = set(zip(known["benchmark"], known["mixture"], strict=True))
    later = reported[(reported["flops"] >= chosen.flops) & reported["score"].between(0, 1, inclusive="neither")]
    later = later[[pair in seen for pair in zip(later["benchmark"], later["mixture"], strict=True)]]
    table = pd.DataFrame([judged(fit, row) for _, row in later.iterrows()])
    for keys in (["benchmark", "k"], ["k"]):
        grouped = table.groupby(keys)
        told = grouped[["expectation", "new run"]].mean().assign(scores=grouped.size())
        print("\n" + told.assign(decades=grouped["decades"].median()).round(2).to_string())
    print(f"\nall {len(table)} scores\n{table[['expectation', 'new run', 'decades']].mean().round(2).to_string()}")


if __name__ == "__main__":
    main()
