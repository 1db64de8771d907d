"""Do bands hold where the truth is none of the laws?  Simulated worlds, forecast at 10 and 100 times the compute.

    python benchmarks/out_of_family.py [--model NAME ...] [--repeat 20] [--world sigmoid ...]

Every world has six runs from 1e19 to 1e21 FLOPs on three benchmarks of 2,000 items.  The model is fitted to them, and
its 90 % bands of the expectation are compared with the truth at 1e22 and 1e23 FLOPs.  Only the first
world is one of the law.  No method can know from six runs that an exponent doubles later: there the notes and the
sentence on what a forecast assumes have to speak, and the last column counts the rows that carry a note.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable

import joblib
import numpy as np
import pandas as pd

import bayes_scaling as bs

FITTED, AHEAD = np.logspace(19, 21, 6), np.array([1e22, 1e23])
BENCHMARKS, ITEMS, CHANCE = ("one", "two", "three"), 2000, 0.25
SCATTER = 0.008  # standard deviation of a score between runs, as between reruns of olmo_ladder

type Curve = Callable[[np.ndarray], np.ndarray]


def _law(rng: np.random.Generator, top: float = 1.0, later: float = 1.0) -> Curve:
    """Eq. 2 of arXiv 2512.08894 below a top; beyond the fitted runs its exponent is multiplied."""
    a, alpha = rng.lognormal(0, 0.4), 0.2 * rng.lognormal(0, 0.2)

    def curve(flops: np.ndarray) -> np.ndarray:
        exponent = np.where(flops > FITTED[-1], alpha * later, alpha)
        return CHANCE + (top - CHANCE) * np.exp(-a * (flops / FITTED[-1]) ** -exponent)

    return curve


def _sigmoid(rng: np.random.Generator) -> Curve:
    middle, slope = rng.uniform(20.5, 22), rng.uniform(1.5, 2.5)
    return lambda flops: CHANCE + 0.7 / (1 + np.exp(-slope * (np.log10(flops) - middle)))


def _inverse(rng: np.random.Generator) -> Curve:
    start, slope = rng.uniform(0.55, 0.75), rng.uniform(0.03, 0.08)
    return lambda flops: np.maximum(start - slope * (np.log10(flops) - 19), 0.05)


def _solved(rng: np.random.Generator) -> Curve:
    left, alpha = rng.uniform(0.01, 0.03), rng.uniform(0.1, 0.2)
    return lambda flops: 1 - left * (flops / FITTED[-1]) ** -alpha


WORLDS: dict[str, Callable[[np.random.Generator], Curve]] = {
    "the law": _law,
    "plateau at .8": lambda rng: _law(rng, top=0.8),
    "noise at chance": lambda rng: lambda flops: np.full(len(flops), CHANCE),
    "sigmoid": _sigmoid,
    "exponent doubles": lambda rng: _law(rng, later=2.0),
    "inverse": _inverse,
    "solved": _solved,
}


def simulated(world: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs of a world, and the truth ahead."""
    rng = np.random.default_rng([seed, list(WORLDS).index(world)])
    rows, truth = [], []
    for benchmark in BENCHMARKS:
        curve = WORLDS[world](rng)
        expected = curve(FITTED)
        noise = np.sqrt(SCATTER**2 * 4 * expected * (1 - expected) + 0.25 * expected * (1 - expected) / ITEMS)
        scores = np.clip(expected + noise * rng.normal(size=len(expected)), 0.0005, 0.9995)
        rows += [{"flops": c, "benchmark": benchmark, "score": s} for c, s in zip(FITTED, scores, strict=True)]
        truth += [{"flops": c, "benchmark": benchmark, "truth": s} for c, s in zip(AHEAD, curve(AHEAD), strict=True)]
    facts = {"chance": CHANCE, "n_items": ITEMS, "metric": "accuracy"}
    runs = pd.DataFrame(rows).assign(run=lambda t: t["flops"].map("{:.2g}".format), **facts)
    return bs.read_runs(runs), pd.DataFrame(truth)


def outcome(model: str, world: str, seed: int) -> pd.DataFrame:
    """Whether the bands of one fit hold the truth, how wide they are, and whether a row carries a note."""
    warnings.simplefilter("ignore")
    runs, truth = simulated(world, seed)
    fit = bs.fit(model, runs, seed=seed, cores=1, progress=False)
    plan = bs.plan_runs(flops=AHEAD, benchmark=BENCHMARKS)
    table = bs.summarise(bs.forecast(fit, plan, seed=seed, even_if_not_converged=True), probabilities=(0.9,))
    table = table[table["interval_for"] == "expectation"].merge(truth, on=["flops", "benchmark"])
    low, high = table["lower_90"], table["upper_90"]
    return pd.DataFrame(
        {
            "model": model,
            "world": world,
            "times": table["flops"] / FITTED[-1],
            "held": table["truth"].between(low, high),
            "width": high - low,
            "error": table["mean"] - table["truth"],
            "noted": table["note"].ne(""),
            "converged": fit.verdict.passed,
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", default=["power_law_discrepancy", "curved_power_law_discrepancy"])
    parser.add_argument("--world", nargs="+", default=list(WORLDS), choices=list(WORLDS))
    parser.add_argument("--repeat", type=int, default=20)
    chosen = parser.parse_args()
    tasks = [(m, w, s) for m in chosen.model for w in chosen.world for s in range(1, chosen.repeat + 1)]
    rows = joblib.Parallel(n_jobs=-1)(joblib.delayed(outcome)(*task) for task in tasks)
    table = pd.concat(rows).groupby(["model", "world", "times"], sort=False)
    out = table.agg(held=("held", "mean"), width=("width", "mean"), error=("error", lambda e: e.abs().mean()),
                    noted=("noted", "mean"), converged=("converged", "mean"))  # fmt: skip
    print(out.round(3).to_string())


if __name__ == "__main__":
    main()
