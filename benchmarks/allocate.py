"""Whether the split of compute that `allocate` recommends was a good one, among larger runs of equal compute.

    python benchmarks/allocate.py [--krajewski FOLDER] [--scalebench FOLDER] [--jobs 2]

`loss_params_tokens_discrepancy` is fitted to the losses of smaller runs at all ratios of tokens to parameters, and
`allocate` is asked how to split the compute of larger ones.  Larger runs of equal compute (within 5 %) and at least
three different ratios are one case.  Printed are, by data set and cut, how much higher than the lowest loss of its case
the loss was of the run nearest to the recommended ratio, of the run nearest to 20 tokens per parameter, and of a run at
random, in percent of the loss; and how often the 80 % interval of the best ratio holds the vertex of a parabola in the
logarithm of the ratio, through the runs of a case within a factor of 8 of the lowest loss, where it lies among them.

Data: the public runs of arXiv 2512.08894 (--krajewski, a folder with runs.csv; 10 to 80 tokens per parameter, losses on
three validation sets) and the task `farseer` of ScaleBench (arXiv 2604.22753; --scalebench, a folder of parquet files).
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import next_runs
import numpy as np
import pandas as pd
from joblib import Parallel, delayed

import bayes_scaling as bs

LAW, RULE = "loss_params_tokens_discrepancy", 20.0
EQUAL, LEAST = 0.05, 3  # how far compute may differ within a case, and how many ratios it needs
NEAR = 8.0  # times the ratio of the lowest loss; further out losses are no parabola
VAL_SETS = ("c4", "dclm", "fineweb")
LIMITS = (2e20, 6e20, 2e21)
type Split = tuple[str, str, pd.DataFrame, pd.DataFrame]


def splits(krajewski: Path | None, scalebench: Path | None) -> Iterator[Split]:
    """Data set, name, smaller runs and larger ones."""
    if krajewski:
        every = pd.read_csv(krajewski / "runs.csv")
        for val_set in VAL_SETS:
            runs = every.assign(val_set=val_set, loss=every[f"loss_{val_set}"]).dropna(subset="loss")
            runs = runs[["run", "mixture", "params", "tokens", "flops", "val_set", "loss"]]
            for limit in LIMITS:
                small = runs["flops"] < limit
                yield "krajewski2025", f"{val_set} < {limit:.0e}", runs[small], runs[~small]
    if scalebench:
        pool, targets = next_runs.task(scalebench, "farseer")
        runs = pd.concat([pool, targets], ignore_index=True).assign(mixture="farseer", val_set="farseer")
        for limit in (1e20, 3e20):
            small = runs["flops"] < limit
            yield "farseer", f"< {limit:.0e}", runs[small], runs[~small]


def cases(runs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Runs of one mixture and about equal compute, at several ratios."""
    for _, own in runs.groupby("mixture"):
        rows = own.assign(ratio=own["tokens"] / own["params"]).sort_values("flops")
        level = (np.diff(np.log(rows["flops"]), prepend=np.nan) > EQUAL).cumsum()
        for _, case in rows.groupby(level):
            if case["ratio"].round().nunique() >= LEAST and case["flops"].max() < case["flops"].min() * (1 + 2 * EQUAL):
                yield case


def vertex(case: pd.DataFrame) -> float:
    """Ratio at which a parabola through the losses near the least has its vertex; NaN where that is not among them."""
    best = case.loc[case["loss"].idxmin(), "ratio"]
    case = case[case["ratio"].between(best / NEAR, best * NEAR)]
    x, y = np.log(case["ratio"].to_numpy()), np.log(case["loss"].to_numpy())
    curvature, slope, _ = np.polyfit(x, y, 2)
    least = -slope / (2 * curvature) if curvature > 0 else np.nan
    return float(np.exp(least)) if x.min() < least < x.max() else np.nan


def outcomes(split: Split) -> list[dict[str, object]]:
    """What each case shows."""
    warnings.simplefilter("ignore")
    data, name, known, later = split
    fit = bs.fit(LAW, bs.read_runs(known), seed=1, attempts=1, cores=1, progress=False)
    rows: list[dict[str, object]] = []
    for case in cases(later):
        budget, mixture = float(np.exp(np.log(case["flops"]).mean())), str(case["mixture"].iloc[0])
        found = bs.allocate(fit, budget, mixture=mixture, seed=1, even_if_not_converged=True)
        split_of = bs.summarise_allocation(found).loc["tokens_per_param"]
        worse = 100 * (case["loss"] / case["loss"].min() - 1)
        true, ratio = vertex(case), case["ratio"]
        rows.append({
            "data": data, "split": name, "cases": 1, "runs": len(case), "passed": float(fit.verdict.passed),
            "ratio": split_of["recommended"],
            "allocate": worse[_nearest(ratio, split_of["recommended"])], "20 : 1": worse[_nearest(ratio, RULE)],
            "at random": worse.mean(), "a least within": float(np.isfinite(true)),
            "80 % hold it": float(split_of["lower_80"] <= true <= split_of["upper_80"]) if true == true else np.nan,
        })  # fmt: skip
    return rows


def _nearest(ratio: pd.Series, wanted: float) -> object:
    return np.abs(np.log(ratio / wanted)).idxmin()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--krajewski", type=Path)
    parser.add_argument("--scalebench", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    found = Parallel(n_jobs=chosen.jobs)(
        delayed(outcomes)(split) for split in splits(chosen.krajewski, chosen.scalebench)
    )
    table = pd.DataFrame([row for rows in found for row in rows])
    means = table.drop(columns=["cases", "split"]).groupby("data").mean().assign(cases=table.groupby("data").size())
    by_split = table.groupby(["data", "split"], sort=False).agg(
        {name: "sum" if name == "cases" else "mean" for name in table if name not in ("data", "split")}
    )
    print(by_split.round(2).to_string())
    print("\nmeans over cases\n" + means.round(2).to_string())


if __name__ == "__main__":
    main()
