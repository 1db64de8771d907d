"""How well pass@k of larger models, and of more tries, is forecast: the evidence behind the models of pass@k.

    python benchmarks/pass_at_k.py --data FOLDER [--sizes 2e9] [--only pass_at_k_counts] [--out table.csv]

FOLDER holds runs.csv (run_id or run, params, tokens, flops, mixture) and passk.csv, which has either right answers
per problem (run_id, benchmark, problem_id, n_samples, n_correct) or pass@k as reported (run, benchmark, k, pass_at_k,
n_problems, n_samples).  Models are fitted to the smaller runs and, where they read k, to k up to 32; they are scored on
the larger runs at every k that was observed.  Mixtures that never solved a benchmark are left out: one law does not
hold for them and the others.  Least squares in log(−log pass@k) drops zeros, as its authors do, and its
bands are those of its residuals.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scoringrules

import bayes_scaling as bs
from bayes_scaling.errors import DataWarning, ScalingWarning
from bayes_scaling.models.documents import from_document, to_document
from bayes_scaling.models.model import Model

TRIES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 2000, 4000, 10_000)
FITTED_K = 32
PROBABILITIES = (0.5, 0.8, 0.95)
LARGEST = 3.0  # log(−log) of 2e-9, less than any run here could show: stands in for draws of exactly 0


def read(folder: Path) -> tuple[pd.DataFrame | None, pd.DataFrame]:
    """Right answers per problem, if the folder has them, and pass@k of every run and benchmark."""
    runs, tries = pd.read_csv(folder / "runs.csv"), pd.read_csv(folder / "passk.csv")
    runs, tries = (t.rename(columns={"run_id": "run", "problem_id": "problem"}) for t in (runs, tries))
    runs = runs[["run", "params", "tokens", "flops", *(["mixture"] if runs["mixture"].nunique() > 1 else [])]]
    if "problem" not in tries:
        tries = tries[tries["n_samples"] > 1].rename(columns={"pass_at_k": "score", "n_problems": "n_items"})
        found = bs.read_runs(tries.assign(metric="pass@k").merge(runs, on="run"))
        solved = found.groupby(["benchmark", "mixture"])["score"].transform("max") > 0
        return None, found[solved].reset_index(drop=True)
    counts = tries.assign(problem=tries["problem"].astype(str))
    keys, items = ["run", "benchmark"], tries.groupby("benchmark")["problem"].nunique()
    fewest = counts.groupby(keys)["n_samples"].transform("min")
    parts = []
    for k in TRIES:
        enough = counts[fewest >= k]
        score = bs.pass_at_k(enough["n_samples"], enough["n_correct"], k)
        parts.append(enough.assign(score=score, k=k).groupby([*keys, "k"], as_index=False)["score"].mean())
    reported = pd.concat(parts).assign(metric="pass@k", n_items=lambda t: t["benchmark"].map(items))
    reported = reported.merge(counts.groupby(keys, as_index=False)["n_samples"].min(), on=keys)
    names = [*keys, "problem", "n_samples", "n_correct"]
    return bs.read_runs(counts[names].merge(runs, on="run")), bs.read_runs(reported.merge(runs, on="run"))


def models() -> dict[str, Model]:
    """What is compared: name -> model."""
    counts = to_document(bs.load_model("pass_at_k_counts"))
    sized = counts | {
        "responses": [dict(counts["responses"][0]) | {"law": "params_tokens > pass_rate"}],
        "varies": counts["varies"] | {name: {"benchmark": 0.3} for name in ("alpha", "beta", "share")},
        "priors": {"A": counts["priors"]["A"]} | {name: {"low": 0.05, "high": 0.6} for name in ("alpha", "beta")},
    }
    return {
        "pass_at_k": bs.load_model("pass_at_k"),
        "pass_at_k_counts": bs.load_model("pass_at_k_counts"),
        "pass_at_k_counts, params_tokens": from_document(sized),
    }


def least_squares(known: pd.DataFrame, later: pd.DataFrame, rng: Any) -> tuple[np.ndarray, np.ndarray]:
    """Expectation and draws of pass@k, one law a benchmark: Krajewski et al. 2025, Eq. 5, with normal residuals."""
    mean, draws = np.empty(len(later)), np.empty((len(later), 4000))
    for benchmark in later["benchmark"].unique():
        rows = known[(known["benchmark"] == benchmark) & known["score"].between(0, 1, inclusive="neither")]
        at = (later["benchmark"] == benchmark).to_numpy()
        design, target = _columns(rows), np.log(-np.log(rows["score"].to_numpy()))
        found, *_ = np.linalg.lstsq(design, target, rcond=None)
        centre = _columns(later[at]) @ found
        scatter = np.std(target - design @ found, ddof=4)
        mean[at] = centre
        draws[at] = centre[:, None] + scatter * rng.normal(size=(at.sum(), draws.shape[1]))
    return mean, draws


def _columns(rows: pd.DataFrame) -> np.ndarray:
    x, y = np.log(rows["flops"].to_numpy() / 1e20), np.log(rows["k"].to_numpy())
    return np.column_stack([np.ones(len(rows)), x, y, x * y])


def bayes(model: Model, known: pd.DataFrame, later: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, Any]:
    """Expectation and draws of log(−log pass@k), and the fit."""
    fit = bs.fit(model, known, seed=1, progress=False)
    plan = later.drop(columns=["score", "n_correct", "problem"])
    ahead = bs.forecast(fit, plan, seed=1, even_if_not_converged=True)
    found = [ahead[name].transpose("row", "chain", "draw").to_numpy() for name in ("pass_at_k_mean", "pass_at_k")]
    mean, draws = (loglog(values.reshape(len(later), -1)) for values in found)
    return np.median(mean, axis=1), draws, fit


def loglog(score: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.clip(np.log(-np.log(np.clip(score, 0, 1))), -LARGEST, LARGEST)


def scores(later: pd.DataFrame, mean: np.ndarray, draws: np.ndarray) -> pd.DataFrame:
    """Errors on the scales of log(−log), −log and pass@k itself, and coverage, of every row that is not 0."""
    observed = later["score"].to_numpy()
    target = loglog(observed)
    table = later[["run", "benchmark", "params", "k"]].assign(
        zero=observed == 0,
        error=mean - target,
        neglog_error=np.exp(mean) - np.exp(target),
        score_error=np.exp(-np.exp(mean)) - observed,
        crps=scoringrules.crps_ensemble(target, draws),
        score_crps=scoringrules.crps_ensemble(observed, np.exp(-np.exp(draws))),
    )
    for p in PROBABILITIES:
        low, high = np.quantile(draws, [(1 - p) / 2, (1 + p) / 2], axis=1)
        table[f"inside_{100 * p:g}"] = (low <= target) & (target <= high)
    return table


def summary(table: pd.DataFrame) -> pd.Series:
    kept = table[~table["zero"]]
    errors = {n: kept[n].abs().mean() for n in ("error", "neglog_error", "score_error")}
    inside = {n: kept[n].mean() for n in kept if str(n).startswith("inside")}
    return pd.Series({"rows": len(kept)} | errors | {n: kept[n].mean() for n in ("crps", "score_crps")} | inside)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sizes", type=float, default=2e9, help="parameters of the smallest run that is held out")
    parser.add_argument("--flops", type=float, default=0.0, help="FLOPs of the smallest run held out, instead")
    parser.add_argument("--benchmarks", nargs="*", help="all by default")
    parser.add_argument("--only", nargs="*", help="names of models, all by default")
    parser.add_argument("--out")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", DataWarning)
    counts, reported = read(arguments.data)
    if arguments.benchmarks:
        reported = reported[reported["benchmark"].isin(arguments.benchmarks)]
        counts = counts if counts is None else counts[counts["benchmark"].isin(arguments.benchmarks)]
    column, limit = ("flops", arguments.flops) if arguments.flops else ("params", arguments.sizes)
    known = reported[(reported[column] < limit) & (reported["k"] <= FITTED_K)]
    later = reported[(reported[column] >= limit) & reported["benchmark"].isin(known["benchmark"])]
    later = later.reset_index(drop=True)
    found = {"Eq. 5, least squares": scores(later, *least_squares(known, later, np.random.default_rng(1)))}
    warnings.simplefilter("ignore", ScalingWarning)
    for name, model in models().items():
        if name not in (arguments.only or [name]) or ("counts" in name and counts is None):
            continue
        start = time.perf_counter()
        rows = counts[counts[column] < limit] if "counts" in name and counts is not None else known
        mean, draws, fit = bayes(model, rows, later)
        print(f"{name}: {fit.verdict}, {time.perf_counter() - start:.0f} s", flush=True)
        found[name] = scores(later, mean, draws)
    table = pd.concat(found, names=["model", None]).reset_index("model")
    table["tries"] = np.where(table["k"] <= FITTED_K, f"k <= {FITTED_K}", f"k > {FITTED_K}")
    for keys in (["model"], ["tries", "model"], ["benchmark", "tries", "model"], ["params", "model"]):
        if column == "params" or keys[0] != "params":
            print("\n" + table.groupby(keys, sort=False).apply(summary, include_groups=False).round(3).to_string())
    if arguments.out:
        table.to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
