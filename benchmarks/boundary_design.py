"""Which models to evaluate: designs replayed on a leaderboard at a share of the cost of evaluating everything.

    python benchmarks/boundary_design.py SCORES.csv [--seeds 20] [--jobs 2]

SCORES.csv is a table that `bayes_scaling.read_leaderboard` takes, with params or params_B; the cost of a model is its
size.  Each design picks models of one period within its budget; the published estimator is fitted to their scores
alone, and its coverage error is computed on all models of the same period and on those of the next one, averaged over
benchmarks and periods.  The designs are

``evaluate_next``  this package, in one go, from no scores at all
``random``         models in random order as long as they fit into the budget
``balanced``       the same, round by round over ten bins of compute with equally many models
``cheapest``       the smallest models first
``V-optimal``      greedily the least mean variance of a quadratic regression over compute, per cost
``published``      greedily the same for the sigmoid of the published estimator (arXiv 2602.15327), with its parameters
                   from a fit to all scores of the period, which no user would have
"""

from __future__ import annotations

import argparse
from itertools import pairwise

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from bayes_scaling.boundaries.estimators import boundary_curve
from bayes_scaling.boundaries.leaderboard import read_leaderboard
from bayes_scaling.boundaries.next_models import evaluate_next
from bayes_scaling.boundaries.scores import BENCHMARK, PERIOD
from bayes_scaling.boundaries.validation import coverage_error

SHARES = (0.05, 0.1, 0.2, 0.5)
RIDGE = 1e-6


def within(order: np.ndarray, cost: np.ndarray, budget: float) -> np.ndarray:
    """Positions in this order, leaving out what no longer fits."""
    chosen, left = [], budget
    for at in order:
        if cost[at] <= left:
            chosen.append(at)
            left -= cost[at]
    return np.array(chosen, int)


def balanced(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    bins = np.array_split(np.argsort(x, kind="stable"), 10)
    shuffled = [rng.permutation(one) for one in bins]
    rounds = max(map(len, shuffled))
    return np.array([one[turn] for turn in range(rounds) for one in shuffled if turn < len(one)])


def optimal(
    design: np.ndarray, cost: np.ndarray, budget: float, rng: np.random.Generator, goal: np.ndarray | None,
    known: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Greedy design that lowers the mean variance over the rows of a goal most per cost (V), or the volume (D).

    Rows of the design are candidates, columns derivatives by the parameters; ``known`` holds rows there are already.
    """
    inverse, chosen, left = np.eye(design.shape[1]) / RIDGE, [], budget
    if known is not None:
        inverse = np.linalg.inv(RIDGE * np.eye(design.shape[1]) + known.T @ known)
    moments = None if goal is None else goal.T @ goal / len(goal)
    free, tie = np.ones(len(design), bool), 1 + 1e-9 * rng.random(len(design))
    while (open_ := free & (cost <= left)).any():
        mapped = design @ inverse
        own = np.einsum("ij,ij->i", mapped, design)
        gain = np.log1p(own) if moments is None else np.einsum("ij,jk,ik->i", mapped, moments, mapped) / (1 + own)
        best = int(np.argmax(np.where(open_, gain / cost * tie, -1.0)))
        inverse = inverse - np.outer(mapped[best], mapped[best]) / (1 + own[best])
        free[best], left = False, left - cost[best]
        chosen.append(best)
    return np.array(chosen, int)


def jacobian(scores: pd.DataFrame, x: np.ndarray) -> np.ndarray:
    """Derivatives of the published sigmoid of the benchmark with the most scores, at x decades."""
    own = scores[scores[BENCHMARK] == scores[BENCHMARK].mode()[0]]
    found = boundary_curve("smoothed", own["flops"].to_numpy(), own["score"].to_numpy()).parameters
    rise = 1 / (1 + np.exp(-found["b"] * (x - found["z_star"])))
    flat = found["L"] * rise * (1 - rise)
    return np.stack([np.ones_like(x), rise, -flat * found["b"], flat * (x - found["z_star"])], axis=1)


def errors(scores: pd.DataFrame, period: str, later: str, names: list[str]) -> dict[str, float]:
    """Coverage errors on the same and on the next period, of a boundary fitted to some models."""
    picked = scores[(scores[PERIOD] == period) & scores["model"].isin(names)]
    curves = {
        benchmark: boundary_curve("smoothed", own["flops"].to_numpy(), own["score"].to_numpy())
        for benchmark, own in picked.groupby(BENCHMARK)
    }
    found = {}
    for which, judged in (("same period", period), ("next period", later)):
        values = []
        for benchmark, rows in scores[scores[PERIOD] == judged].groupby(BENCHMARK):
            flops, score = rows["flops"].to_numpy(), rows["score"].to_numpy()
            values.append(coverage_error(flops, score, curves[benchmark](flops)))
        found[which] = float(np.mean(values))
    return found


def replay(scores: pd.DataFrame, seed: int, share: float, period: str, later: str) -> list[dict[str, object]]:
    models = scores[scores[PERIOD] == period].drop_duplicates("model").reset_index(drop=True)
    x, cost, rng = np.log10(models["flops"].to_numpy()), models["params"].to_numpy(float), np.random.default_rng(seed)
    budget, z = share * cost.sum(), x - x.mean()
    quadratic, sigmoid = np.stack([np.ones_like(z), z, z**2], axis=1), jacobian(scores[scores[PERIOD] == period], x)
    picks = {
        "evaluate_next": evaluate_next(models, budget=budget, seed=seed).index.to_numpy(),
        "random": within(rng.permutation(len(models)), cost, budget),
        "balanced": within(balanced(x, rng), cost, budget),
        "cheapest": within(np.argsort(cost + rng.random(len(cost)), kind="stable"), cost, budget),
        "V-optimal": optimal(quadratic, cost, budget, rng, quadratic),
        "published": optimal(sigmoid, cost, budget, rng, sigmoid),
    }
    return [
        {"design": name, "share": share, "seed": seed, "period": period, "models": len(at)}
        | errors(scores, period, later, models["model"][at].tolist())
        for name, at in picks.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    scores = read_leaderboard(pd.read_csv(chosen.scores))
    scores = scores[scores["model_type"] != "pretrained"]
    if "params" not in scores:
        scores = scores.assign(params=1e9 * scores["params_B"])
    tasks = [(seed, share, *pair) for seed in range(chosen.seeds) for share in SHARES
             for pair in pairwise(sorted(scores[PERIOD].unique()))]  # fmt: skip
    rows = Parallel(n_jobs=chosen.jobs)(delayed(replay)(scores, *task) for task in tasks)
    table = pd.DataFrame([row for some in rows for row in some])
    columns = ["models", "same period", "next period"]
    means = table.groupby(["share", "design"], sort=False)[columns].mean()
    print(means.unstack("share").round(3).to_string())
    print("\ncoverage error less that of random, mean and 95 % interval over seeds")
    for which in columns[1:]:
        wide = table.pivot_table(index=["share", "seed"], columns="design", values=which)
        for name in ("evaluate_next", "balanced", "V-optimal"):
            gain = (wide[name] - wide["random"]).groupby("share").agg(["mean", "sem"])
            text = ", ".join(f"{s:.0%} {m:+.4f} ± {1.96 * e:.4f}" for s, m, e in gain.itertuples())
            print(f"{which}, {name}: {text}")


if __name__ == "__main__":
    main()
