"""Whether mixtures are ranked rightly, and whether the probabilities of the ranking hold.

    python benchmarks/ranking.py [--dclm FOLDER] [--worlds 20] [--only TEXT]

`power_law_mixtures` and, beside it, the law recommended for compute alone are fitted to small runs, and `rank` is asked
which of two mixtures a larger run scores higher on.  Printed are, for single benchmarks and for their average, the
share of pairs called rightly, the same for the rule "rank at the largest small scale", and how often pairs called with
90 % probability or more were called rightly (of a new run; the truth is a single run).  Intervals resample mixtures.

- gadre2024: three mixtures, fitted up to 0.4B or 1.4B.
- dclm_small (--dclm, a folder with `runs.csv.gz` and `evals.csv.gz` made from the DCLM database, arXiv 2406.11794):
  eleven mixtures with one run of 0.4B each, ranked at 1.4B.  One run each cannot tell the scatter of runs from
  differences between mixtures, so the scatter is held at .06, which is about what reruns in this table show, and one
  size tells nothing of exponents, so that those of mixtures are equal.
- simulated mixtures: eight, at four sizes, ranked ten times further; exponents differ between mixtures in the second.
"""

from __future__ import annotations

import argparse
import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from splits import compute_splits

import bayes_scaling as bs
from bayes_scaling.errors import ScalingWarning
from bayes_scaling.models.documents import from_document, to_document
from bayes_scaling.models.model import Model

LAWS = ("power_law_mixtures", "power_law_discrepancy")
ABOVE_CHANCE = 0.05
RUN_SCATTER = 0.06
type World = tuple[str, pd.DataFrame, pd.DataFrame]


def gadre() -> Iterator[World]:
    for name, _, small, large in compute_splits():
        for params, own in large.groupby("params"):
            yield f"{name.split(' → ')[0]} → {params / 1e9:.1f}B", small, own


def dclm(folder: Path) -> World:
    """Runs at 20 tokens per parameter of the eleven mixtures that have both sizes."""
    runs = pd.read_csv(folder / "runs.csv.gz").rename(columns={"run_id": "run"})
    evals = pd.read_csv(folder / "evals.csv.gz").rename(columns={"run_id": "run", "accuracy": "score"})
    both = set(runs.loc[runs["params"] < 5e8, "mixture"])
    runs = runs[runs["mixture"].isin(both) & runs["tokens_per_param"].round().eq(20)]
    table = evals.assign(metric="accuracy").merge(runs[["run", "mixture", "params", "tokens", "flops"]], on="run")
    return "dclm_small 0.4B → 1.4B", table[table["params"] < 5e8], table[table["params"] > 1e9]


def simulated(seed: int, slopes: float, mixtures: int = 8, benchmarks: int = 6) -> World:
    """Mixtures that differ in level, on all benchmarks together and on each, with noise of runs and evaluations."""
    rng = np.random.default_rng(seed)
    level = rng.normal(0.3, 0.5, benchmarks)[:, None] + rng.normal(0, 0.08, mixtures) + rng.normal(
        0, 0.06, (benchmarks, mixtures))  # fmt: skip
    exponent = rng.uniform(0.15, 0.35, benchmarks)[:, None] * (1 + slopes * rng.normal(size=(benchmarks, mixtures)))
    rows = []
    for size, flops in enumerate([*np.geomspace(1e19, 1e21, 4), 1e22]):
        shift = rng.normal(0, 0.02, mixtures)
        for b, m in itertools.product(range(benchmarks), range(mixtures)):
            score = np.exp(-np.exp(level[b, m] + shift[m] - exponent[b, m] * np.log(flops / 1e20)))
            score = 0.25 + 0.75 * score + rng.normal(0, 0.01)
            rows.append((f"{size}-{m}", f"mixture {m}", flops, f"benchmark {b}", np.clip(score, 0.01, 0.99)))
    table = pd.DataFrame(rows, columns=["run", "mixture", "flops", "benchmark", "score"])
    table = table.assign(params=(table["flops"] / 120) ** 0.5, tokens=20 * (table["flops"] / 120) ** 0.5,
                         metric="accuracy", chance=0.25, n_items=2000)  # fmt: skip
    return f"simulated, slopes {slopes:g}", table[table["flops"] < 5e21], table[table["flops"] > 5e21]


def judged(world: World, model: Model) -> tuple[pd.DataFrame, str]:
    """Pairs of mixtures on each benchmark and on the average: the rule, the ranking and the truth."""
    _, small, large = world
    chance, mean = (getattr(small.groupby("benchmark")[c], f)() for c, f in (("chance", "first"), ("score", "mean")))
    small = small[small["benchmark"].isin(mean.index[mean >= chance + ABOVE_CHANCE])]
    tests = list(small["benchmark"].unique())
    weights = (1 / (1 - chance[tests])).to_dict()
    fit = bs.fit(model, bs.read_runs(small), seed=1, progress=False)
    at = float(large["flops"].median())
    ranks = {new: bs.rank(fit, at, weights=weights, new_run=new, seed=1, even_if_not_converged=True)
             for new in (False, True)}  # fmt: skip
    truth = large.groupby(["mixture", "benchmark"])["score"].mean().unstack()[tests]
    last = small[small["flops"] >= 0.8 * small.groupby(["mixture", "benchmark"])["flops"].transform("max")]
    rule = last.groupby(["mixture", "benchmark"])["score"].mean().unstack()[tests]
    shown = [name for name in tests if truth[name].mean() >= chance[name] + ABOVE_CHANCE]
    average = str(ranks[False]["benchmark"].to_numpy()[-1])
    for table in (truth, rule):
        table[average] = (table[tests] * pd.Series(weights)).sum(axis=1, min_count=len(tests))
    rows = []
    for name, (a, b) in itertools.product([*shown, average], itertools.combinations(truth.index, 2)):
        if truth.loc[a, name] != truth.loc[b, name] and np.isfinite(truth.loc[[a, b], name]).all():
            better = truth.loc[a, name] > truth.loc[b, name]
            p = {new: float(ranks[new]["beats"].sel(benchmark=name, mixture=a, other=b)) for new in ranks}
            same = rule.loc[a, name] == rule.loc[b, name]
            ruled = 0.5 if same else float((rule.loc[a, name] > rule.loc[b, name]) == better)
            rows.append((name == average, a, b, ruled,
                         float((p[False] > 0.5) == better), float((p[True] > 0.5) == better),
                         max(p[True], 1 - p[True])))  # fmt: skip
    columns = ["average", "a", "b", "rule", "right", "new right", "said"]
    return pd.DataFrame(rows, columns=columns), str(fit.verdict)


def told(table: pd.DataFrame, resamples: int = 500) -> str:
    """Accuracy of the rule and the ranking, an interval of their difference, and reliability."""
    rng, mixtures = np.random.default_rng(1), sorted({*table["a"], *table["b"]})
    gain = table["right"] - table["rule"]
    drawn = []
    for _ in range(resamples):
        count = pd.Series(rng.multinomial(len(mixtures), [1 / len(mixtures)] * len(mixtures)), mixtures)
        weight = count[table["a"]].to_numpy() * count[table["b"]].to_numpy()
        drawn.append(np.average(gain, weights=weight) if weight.any() else np.nan)
    low, high = np.nanquantile(drawn, [0.05, 0.95])
    sure = table[table["said"] >= 0.9]
    held = f"{100 * sure['new right'].mean():.0f} % of {len(sure)}" if len(sure) else "none"
    return (f"{len(table)} pairs, right {table['right'].mean():.3f}, rule {table['rule'].mean():.3f} (difference "
            f"{low:+.3f} to {high:+.3f}); said with 90 % or more and right: {held}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dclm", type=Path)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    groups = [[world] for world in gadre()]
    groups += [[dclm(chosen.dclm)]] if chosen.dclm else []
    groups += [[simulated(seed, slopes) for seed in range(chosen.worlds)] for slopes in (0.0, 0.1)]
    for group in groups:
        if chosen.only not in group[0][0]:
            continue
        for law in LAWS[:1] if group[0][0].startswith("dclm") else LAWS:  # the other takes an hour there
            model = bs.load_model(law)
            if group[0][0].startswith("dclm"):
                model = _of_one_size(model)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ScalingWarning)
                found = [judged(world, model) for world in group]
            table = pd.concat([part.assign(a=part["a"] + f" {i}", b=part["b"] + f" {i}")
                               for i, (part, _) in enumerate(found)])  # fmt: skip
            failed = sum("NOT" in verdict for _, verdict in found)
            print(f"{group[0][0]}, {law}: {failed} of {len(found)} fits failed their verdict")
            for average, own in table.groupby("average"):
                print(f"  {'average of benchmarks' if average else 'single benchmarks'}: {told(own)}", flush=True)


def _of_one_size(model: Model) -> Model:
    document = to_document(model)
    varies = {name: groups for name, groups in document["varies"].items() if name != "accuracy_scatter"}
    varies["alpha"] = {"benchmark": varies["alpha"]["benchmark"]}
    return from_document(document | {"varies": varies, "fixed": document["fixed"] | {"accuracy_scatter": RUN_SCATTER}})


if __name__ == "__main__":
    main()
