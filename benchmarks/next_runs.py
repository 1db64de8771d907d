"""Which runs to make next: designs replayed on pools of training runs whose outcomes are known.

    python benchmarks/next_runs.py [--scalebench FOLDER] [--seeds 5] [--only TEXT]

Each design may spend a share of what all candidates of a pool cost; the law with a discrepancy is fitted to the runs
that it chose and forecasts the targets, which are larger.  Printed are R² of the forecast over the targets, the mean
over seeds and the lowest, mean absolute error and CRPS, the share of targets inside 80 % bands, and how many runs were
bought.

Pools: losses of the two tasks of ScaleBench (arXiv 2604.22753; --scalebench, a folder of parquet files), `farseer`, 404
candidates and 7 targets, and `data_constrained`, 161 and 21, of which many repeat their data, which the law does not
know; and scores on benchmarks of gadre2024, runs up to 0.4B at all ratios for those of 1.4B and 6.9B.

``next_runs``    this package: from ten small runs, refitted at every share
``V-optimal``    greedily the least variance of the targets in the law without a discrepancy, linear at the fit so far
``D-optimal``    the same for the volume of the parameters
``random``       runs in random order as long as they fit into the budget
``cheapest``     the cheapest runs first
``all``          every candidate, whatever the budget
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from boundary_design import optimal, within
from joblib import Parallel, delayed
from scoringrules import crps_ensemble
from splits import gadre

import bayes_scaling as bs

SCALEBENCH = ("farseer", "data_constrained")
SCORED = ("hellaswag", "lambada_openai", "piqa", "arc_easy")
DESIGNS = ("next_runs", "V-optimal", "D-optimal", "random", "cheapest", "all")
START = 10
PARAMETERS = 5  # of either plain law


@dataclass(frozen=True)
class Pool:
    """Candidates and targets, what is forecast, the law with a discrepancy, and shares of the cost."""

    name: str
    candidates: pd.DataFrame
    targets: pd.DataFrame
    outcome: str
    law: str
    shares: tuple[float, ...]

    @property
    def plain(self) -> str:
        """The law without its discrepancy."""
        return self.law.removesuffix("_discrepancy")


def task(folder: Path, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Candidates and targets of a task of ScaleBench."""
    train, test = (_runs(pd.read_parquet(folder / f"{name}_{part}.parquet"), part) for part in ("train", "test"))
    return train, test


def _runs(table: pd.DataFrame, part: str) -> pd.DataFrame:
    table = table.rename(columns={"N": "params", "D": "tokens"}).astype({"params": float, "tokens": float})
    table["flops"] = 6 * table["params"] * table["tokens"]
    return table.assign(run=[f"{part} {n}" for n in range(len(table))])[["run", "params", "tokens", "flops", "loss"]]


def pools(scalebench: Path | None) -> Iterator[Pool]:
    for name in SCALEBENCH if scalebench else ():
        yield Pool(name, *task(scalebench, name), "loss", "loss_params_tokens_discrepancy", (0.01, 0.05, 0.1))
    runs = gadre(at_20=False)
    columns = ["run", "mixture", "params", "tokens", "flops", "benchmark", "metric", "score", "n_items", "chance"]
    for benchmark in SCORED:
        own = runs.loc[(runs["benchmark"] == benchmark) & (runs["params"] > 2e7), columns].reset_index(drop=True)
        small = own["params"] < 1e9
        parts = [own[one].reset_index(drop=True) for one in (small, ~small)]
        yield Pool(f"gadre2024 {benchmark}", *parts, "score", "params_tokens_discrepancy", (0.05, 0.1, 0.2))


def fitted(law: str, runs: pd.DataFrame, seed: int) -> bs.Fit:
    return bs.fit(law, bs.read_runs(runs), seed=seed, attempts=1, cores=1, progress=False)


def planned(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.drop(columns=["loss", "score"], errors="ignore")


def start(pool: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Ten runs of the cheapest quarter, at random, or of twenty runs where that is more."""
    number = max(len(pool) // 4, 2 * START)
    return rng.choice(np.argsort(pool["flops"].to_numpy())[:number], START, replace=False)


def directions(pool: Pool, chosen: pd.DataFrame, seed: int) -> np.ndarray:
    """Derivatives of all expectations by five combinations of the parameters of the plain law.

    Principal components of what the posterior given the chosen runs says of them: to first order they span what
    derivatives at its mean do, and neither criterion depends on the coordinates of the parameters.
    """
    asked = planned(pd.concat([pool.candidates, pool.targets]))
    ahead = bs.forecast(fitted(pool.plain, chosen, seed), asked, seed=seed, even_if_not_converged=True)
    name = "loss_mean" if pool.outcome == "loss" else "accuracy_mean"
    draws = ahead[name].stack(draws=("chain", "draw")).transpose("row", "draws").to_numpy()
    draws = np.log(draws) if pool.outcome == "loss" else draws
    left = np.linalg.svd(draws - draws.mean(axis=1, keepdims=True), full_matrices=False)[0]
    return left[:, :PARAMETERS] * np.sqrt(len(left))


def more(design: str, pool: Pool, have: np.ndarray, budget: float, seed: int) -> np.ndarray:
    """Positions of the candidates that a design adds to those there are, within a budget for all."""
    runs, cost = pool.candidates, pool.candidates["flops"].to_numpy()
    rest, left = np.setdiff1d(np.arange(len(runs)), have), budget - cost[have].sum()
    if design == "next_runs":
        plans = planned(runs.iloc[rest]), planned(pool.targets).drop(columns="run")
        fit = fitted(pool.law, runs.iloc[have], seed)
        found = bs.next_runs(fit, *plans, budget=left, seed=seed, even_if_not_converged=True)
        return np.flatnonzero(runs["run"].isin(found["run"]))
    derivatives, rng = directions(pool, runs.iloc[have], seed), np.random.default_rng(seed)
    goal = derivatives[len(runs) :] if design == "V-optimal" else None
    return rest[optimal(derivatives[rest], cost[rest], left, rng, goal, derivatives[have])]


def picks(design: str, pool: Pool, seed: int) -> Iterator[tuple[float, np.ndarray]]:
    """The runs that a design has bought once each share of the cost is spent."""
    cost, rng = pool.candidates["flops"].to_numpy(), np.random.default_rng(seed)
    have, order = start(pool.candidates, rng), {"random": rng.permutation(len(cost)), "cheapest": np.argsort(cost)}
    for share in pool.shares:
        budget = share * cost.sum()
        if design in order:
            have = within(order[design], cost, budget)
        elif design == "all":
            have = np.arange(len(cost))
        else:
            have = np.concatenate([have, more(design, pool, have, budget, seed)])
        yield share, have


def outcome(pool: Pool, design: str, seed: int) -> list[dict[str, object]]:
    """How well the targets are forecast from what a design bought."""
    warnings.simplefilter("ignore")
    rows, truth = [], pool.targets[pool.outcome].to_numpy()
    name = "loss" if pool.outcome == "loss" else "accuracy"
    for share, at in picks(design, pool, seed):
        fit = fitted(pool.law, pool.candidates.iloc[at], seed)
        ahead = bs.forecast(fit, planned(pool.targets), seed=seed, even_if_not_converged=True)
        mean = ahead[f"{name}_mean"].mean(("chain", "draw")).to_numpy()
        draws = ahead[name].stack(draws=("chain", "draw")).transpose("row", "draws").to_numpy()
        low, high = np.quantile(draws, [0.1, 0.9], axis=1)
        rows.append({
            "pool": pool.name, "design": design, "share": share, "seed": seed, "runs": len(at),
            "r2": 1 - np.square(truth - mean).sum() / np.square(truth - truth.mean()).sum(),
            "error": np.abs(truth - mean).mean(), "crps": crps_ensemble(truth, draws).mean(),
            "cover_80": ((low <= truth) & (truth <= high)).mean(), "converged": fit.verdict.passed,
        })  # fmt: skip
        if design == "all":
            break
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scalebench", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="", help="part of the name of a pool")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    tasks = [(pool, design, seed) for pool in pools(chosen.scalebench) if chosen.only in pool.name
             for design in DESIGNS for seed in range(1, 1 + (1 if design == "all" else chosen.seeds))]  # fmt: skip
    found = Parallel(n_jobs=chosen.jobs)(delayed(outcome)(*one) for one in tasks)
    table = pd.DataFrame([row for rows in found for row in rows])
    groups = table.groupby(["pool", "share", "design"], sort=False)
    out = groups.agg(runs=("runs", "mean"), r2=("r2", "mean"), lowest=("r2", "min"), error=("error", "mean"),
                     crps=("crps", "mean"), cover_80=("cover_80", "mean"), converged=("converged", "mean"))  # fmt: skip
    print(out.round(4).to_string())
    scores = table[table["pool"].str.startswith("gadre2024")]
    if len(scores):
        print("\nmean over the benchmarks of gadre2024")
        print(
            scores.groupby(["share", "design"], sort=False)[["error", "crps", "cover_80"]].mean().round(4).to_string()
        )


if __name__ == "__main__":
    main()
