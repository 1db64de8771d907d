"""Whether the compute that a score is said to need is the compute that it took.

    python benchmarks/compute_for.py [--krajewski FOLDER] [--only TEXT]

The recommended law of each split is fitted to its small runs.  For every score of a larger run, `compute_for` is asked
for the compute at which a new run reaches that score, with the run's mixture and ratio of tokens to parameters.
Printed is how often the true compute lies within the 80 % interval, and the median error in decades; intervals of
scores that many draws never reach end at infinity.  --krajewski takes the folder of the public tables of
arXiv 2512.08894 (see `compare_laws.py`).
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from splits import compute_splits, krajewski_splits, olmo_published

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning

LAWS = {"compute": "power_law_discrepancy", "size": "params_tokens_discrepancy"}


def judged(fit: bs.Fit, run: pd.DataFrame, ratio: float | None) -> pd.DataFrame:
    """For the scores of one larger run, the interval of the compute that they need, and the truth."""
    scores = run.groupby("benchmark")["score"].mean()
    scores = scores[scores.between(0.001, 0.999)]
    known = set(fit.runs.loc[fit.runs["mixture"] == run["mixture"].iloc[0], "benchmark"])
    scores = scores[[name in known for name in scores.index]]
    found = bs.compute_for(
        fit, scores.to_dict(), benchmark=list(scores.index), mixture=str(run["mixture"].iloc[0]),
        tokens_per_param=ratio, new_run=True, reach=5.0, seed=1, even_if_not_converged=True,
    )  # fmt: skip
    table, truth = bs.summarise_compute(found), float(run["flops"].iloc[0])
    inside = (table["lower_80"] <= truth) & (truth <= table["upper_80"])
    off = np.abs(np.log10(table["enough_50"] / truth))
    return pd.DataFrame({"inside": inside, "decades off": off, "never": table["never"]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--krajewski", type=Path)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    splits = [*compute_splits(), olmo_published()]
    splits += krajewski_splits(chosen.krajewski) if chosen.krajewski else []
    for name, kind, small, large in splits:
        if chosen.only not in name:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ScalingWarning)
            fit = bs.fit(LAWS[kind], small, seed=1, progress=False)
            runs = [run for _, run in large[large["score"].notna()].groupby("run")]
            ratios = [float(run["tokens_per_param"].iloc[0]) if kind == "size" else None for run in runs]
            table = pd.concat([judged(fit, run, ratio) for run, ratio in zip(runs, ratios, strict=True)])
        print(
            f"{name}: {LAWS[kind]}, {len(table)} scores of {len(runs)} runs: 80 % intervals hold "
            f"{100 * table['inside'].mean():.0f} %, median error {table['decades off'].median():.2f} decades, "
            f"{100 * table['never'].mean():.0f} % of draws never; {fit.verdict}",
            flush=True,
        )


if __name__ == "__main__":
    main()
