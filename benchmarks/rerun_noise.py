"""How much scores differ between two runs of one configuration, against binomial noise.

    python benchmarks/rerun_noise.py

olmo_ladder holds five configurations that were trained twice.  The ratio of the variance of a score between
such runs to the binomial variance of its items is what `accuracy_item_share` stands for.
"""

from __future__ import annotations

import numpy as np

import bayes_scaling as bs


def main() -> None:
    runs = bs.load_dataset("olmo_ladder").dropna(subset=["benchmark"])
    keys = ["benchmark", "params", "tokens"]
    pairs = runs[runs["is_target"] == 0].pivot_table(index=keys, columns="seed", values="score").dropna().reset_index()
    first, second = (pairs[c].to_numpy() for c in sorted(c for c in pairs if c not in keys))
    n_items = pairs["benchmark"].map(runs.groupby("benchmark")["n_items"].first()).to_numpy()
    mean = (first + second) / 2
    pairs["ratio"] = (first - second) ** 2 / 2 / (mean * (1 - mean) / n_items)
    table = pairs.groupby("benchmark")["ratio"].mean().sort_values()
    print(table.round(2).to_string())
    middle = table.median()
    print(f"\n{len(pairs)} pairs; median over benchmarks {middle:.2f}, of standard errors {np.sqrt(middle):.2f}")


if __name__ == "__main__":
    main()
