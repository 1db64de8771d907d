"""Whether more compute buys what `elasticity` says, and whether a forecast is worth the items that `worth` says.

    python benchmarks/gains.py [--krajewski FOLDER] [--only TEXT]

The recommended law of each split is fitted to its small runs.  `elasticity` is asked how much every larger run gains
over the largest small run of the same mixture and about the same ratio of tokens to parameters, as single runs.
Printed is how often the 80 % interval holds the gain that was seen, and how far the expected gain is from it.

A forecast that is worth n test items has an expectation whose squared error is about that of a test of n items.
Printed are the items that the forecasts of all scores of a split are said to be worth together, and those that their
squared errors show, less what the law takes for the noise of single runs; "more" where the errors are smaller than that
noise.
--krajewski takes the folder of the public tables of arXiv 2512.08894 (see `compare_laws.py`).
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from splits import compute_splits, krajewski_splits, olmo_published, size_splits

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning

LAWS = {"compute": "power_law_discrepancy", "size": "params_tokens_discrepancy"}
ASKED = {"seed": 1, "even_if_not_converged": True}
SURE = 0.9
ABOUT = 1.1  # times the ratio of tokens to parameters of a run is about the same


def gained(fit: bs.Fit, run: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Said and seen gains of one larger run over the largest small one like it; empty where there is none."""
    first = run.iloc[0]
    like = fit.runs[(fit.runs["mixture"] == first["mixture"]) & fit.runs["score"].notna()]
    if kind == "size":
        ratio = np.log(like["tokens_per_param"] / first["tokens_per_param"])
        like = like[abs(ratio) < np.log(ABOUT)]
    before = like[like["run"] == like.loc[like["flops"].idxmax(), "run"]] if len(like) else like
    pairs = before.merge(run[["benchmark", "score"]], on="benchmark", suffixes=("", "_later"))
    if pairs.empty or first["flops"] <= pairs["flops"].iloc[0]:
        return pd.DataFrame()
    start = float(pairs["flops"].iloc[0])
    said = bs.elasticity(
        fit, start, factor=float(first["flops"]) / start, benchmark=list(pairs["benchmark"]),
        mixture=str(first["mixture"]), tokens_per_param=float(first["tokens_per_param"]) if kind == "size" else None,
        new_run=True, **ASKED,
    )  # fmt: skip
    table = said.merge(pairs.assign(seen=pairs["score_later"] - pairs["score"])[["benchmark", "seen"]], on="benchmark")
    inside = table["seen"].between(table["lower_80"], table["upper_80"])
    return pd.DataFrame({"inside": inside, "said": table["gain"], "seen": table["seen"], "rises": table["rises"]})


def items(fit: bs.Fit, large: pd.DataFrame) -> pd.DataFrame:
    """Of every score of a larger run: variance of a test of one item, that of the expectation, and what was seen."""
    ahead = bs.forecast(fit, large, **ASKED)
    said = bs.worth(ahead)
    noise = ahead["accuracy"].var(["chain", "draw"]).to_numpy() - said["sd"] ** 2
    seen = (large["score"].to_numpy() - said["score"]) ** 2 - noise
    return pd.DataFrame({"one": said["score"] * (1 - said["score"]), "said": said["sd"] ** 2, "seen": seen})


def told(name: str, gains: pd.DataFrame, worths: pd.DataFrame) -> str:
    """One line on the gains and one on what forecasts are worth."""
    lines = [f"{name}: no small run has the ratio of tokens to parameters of a larger one"]
    if len(gains):
        off, sure = abs(gains["said"] - gains["seen"]).mean(), gains[gains["rises"] > SURE]
        lines = [
            f"{name}: 80 % intervals hold {100 * gains['inside'].mean():.0f} % of {len(gains)} gains; mean gain "
            f"{gains['seen'].mean():.3f}, said {gains['said'].mean():.3f}, mean error {off:.3f}; "
            f"{100 * (sure['seen'] > 0).mean():.0f} % of {len(sure)} rose that rise with more than {100 * SURE:.0f} %"
        ]
    said, shown = (worths["one"].sum() / worths[column].sum() for column in ("said", "seen"))
    lines.append(
        f"{len(worths)} forecasts: said to be worth {said:.0f} items, shown {f'{shown:.0f}' if shown > 0 else 'more'}"
    )
    return "\n  ".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--krajewski", type=Path)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    splits = [*compute_splits(), *size_splits(), olmo_published()]
    splits += krajewski_splits(chosen.krajewski) if chosen.krajewski else []
    warnings.simplefilter("ignore", ScalingWarning)
    every_gain, every_worth = [], []
    for name, kind, small, large in splits:
        if chosen.only not in name:
            continue
        fit = bs.fit(LAWS[kind], small, seed=1, progress=False)
        large = large[large["score"].notna()].reset_index(drop=True)
        gains = pd.concat([gained(fit, run, kind) for _, run in large.groupby("run")], ignore_index=True)
        worths = items(fit, large)
        print(f"{told(name, gains, worths)}\n  {LAWS[kind]}, {fit.verdict}", flush=True)
        every_gain.append(gains)
        every_worth.append(worths)
    print(told("all splits", pd.concat(every_gain), pd.concat(every_worth)))


if __name__ == "__main__":
    main()
