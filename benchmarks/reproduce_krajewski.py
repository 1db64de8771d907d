"""The comparison of Krajewski et al. 2025 (arXiv 2512.08894), from the two CSV files that its authors publish.

    python benchmarks/reproduce_krajewski.py metrics_c4_mixture.csv metrics_dclm_data_mixture.csv [--limit 6e21]

Three tables, with our models beside the published estimators:

1. at 20 tokens per parameter, the twelve benchmarks (pass@1 of the two of code) up to a limit of compute, and beyond;
2. Eq. 4 over all ratios of tokens to parameters: beyond the limit of compute or of the ratio, as in the paper, and with
   one ratio held out at every compute;
3. pass@k at 20 tokens per parameter, fitted up to the limit and k = 32: larger runs, and larger k of the fitted ones.

The relative error of one score is |forecast − score| / score, where the score is not 0.  It is averaged over held-out
runs, then over benchmarks (on each mixture); ± is its standard error over these, and "clear %" the same of held-out
scores 0.05 above chance alone, as the paper does not say whether others count.  A published estimator forecasts its
point, a model of ours its posterior expectation; CRPS, coverage and widths are those of a new run, the published ones
by a bootstrap of residuals.  Left out, and named, are benchmarks on mixtures with fewer than three fitted scores 0.05
above chance, which Eq. 2 cannot be fitted to, and code in pass@k that no fitted run ever solved.

What the paper leaves open are options, and --effects shows what they do: the kind of score (--metric), the chance
level (--chance: 1/choices, the mean of runs below 1e17 FLOPs, which changes nothing where there are none, or the mean
of the five smallest runs where that is lower) and the loss that two-stage laws go through (--loss: of a validation
set, or minus the log-likelihood of the benchmark itself; benchmarks without one, and our models, take that on C4).
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from compare_laws import PROBABILITIES, RESAMPLES, fitted
from pass_at_k import FITTED_K

import bayes_scaling as bs
from bayes_scaling.data.readers.krajewski import VAL_SETS
from bayes_scaling.errors import DataWarning, ScalingWarning
from bayes_scaling.evaluation.baselines.cell_fits import chances
from bayes_scaling.evaluation.baselines.estimators import BASELINES
from bayes_scaling.evaluation.baselines.stages import ABOVE_CHANCE, LOGARITHM, RAW
from bayes_scaling.evaluation.scores import score_forecast

TWELVE = (
    *("arc_easy", "arc_challenge", "sciq", "piqa", "hellaswag", "winogrande", "webqs", "triviaqa", "lambada"),
    *("gsm8k", "humaneval", "lbpp"),
)
PUBLISHED = {
    "compute": ("direct", "bnsl", "two_stage_linear", "two_stage_logistic"),
    "size": ("direct", "params_tokens"),
    "tries": ("repeated_sampling",),
}
OURS = {
    "compute": ("power_law_discrepancy", "power_law", "bnsl", "two_stage_linear", "two_stage_logistic"),
    "size": ("params_tokens_discrepancy", "params_tokens"),
    "tries": ("pass_at_k",),
}
# Relative errors that the paper prints, in percent: fitted on 3e18 to 6e21 FLOPs and scored on up to 6.7 times more.
PRINTED = {
    ("compute", "direct"): 1.96,
    ("compute", "bnsl"): 2.71,
    ("compute", "two_stage_linear"): 6.67,
    ("compute", "two_stage_logistic"): 6.35,
    ("size", "params_tokens"): 1.91,
    ("tries", "repeated_sampling"): 7.94,  # HumanEval alone
}
METRICS, CHANCES, LOSSES = ("acc_norm", "acc"), ("table", "small_runs", "smallest"), (*VAL_SETS, "own")
LAW, CELL = ["by", "law"], ["mixture", "benchmark"]
DEFAULTS = (METRICS[0], CHANCES[0], LOSSES[0])
FEWEST = 3  # scores that Eq. 2 needs on a benchmark


@cache
def scores(files: tuple[Path, ...], metric: str, loss: str) -> pd.DataFrame:
    """All scores of the published runs."""
    runs = bs.read_krajewski(*files, metric=metric, loss=loss)
    return runs[runs["score"].notna()].reset_index(drop=True)


def read(files: tuple[Path, ...], metric: str, chance: str, loss: str) -> pd.DataFrame:
    """All scores of the published runs, with the options of the command applied; ``proxy`` holds the chosen loss."""
    runs = scores(files, metric, LOSSES[0] if loss == "own" else loss)
    own = runs.get("own_loss", runs["loss"]) if loss == "own" else runs["loss"]
    level = chances(runs, "small_runs" if chance == "small_runs" else "table")
    if chance == "smallest":
        first = runs.sort_values("flops").groupby("benchmark")["score"].agg(lambda scores: scores.head(5).mean())
        level = np.minimum(level, runs["benchmark"].map(first))
    return runs.assign(proxy=own.fillna(runs["loss"]), chance=level)


def accuracies(runs: pd.DataFrame) -> pd.DataFrame:
    """Scores of the paper's twelve benchmarks, with pass@1 as the accuracy of one answer."""
    tried = runs["metric"] == "pass@k"
    kept = runs["benchmark"].isin(TWELVE) & (~tried | (runs["k"] == 1))
    open_answers = runs.assign(metric=runs["metric"].mask(tried, "exact_match"), k=np.nan, n_samples=np.nan)
    return open_answers[kept].reset_index(drop=True)


class Comparison(NamedTuple):
    """What is fitted, what is forecast, and which (mixture, benchmark) have too little to fit."""

    name: str
    kind: str
    known: pd.DataFrame
    later: pd.DataFrame
    left_out: list[tuple[str, str]]


def split(name: str, kind: str, runs: pd.DataFrame, fits: pd.Series, part: Any) -> Comparison:
    """Rows to fit and rows to forecast, where there is enough to fit; ``part`` says what is extrapolated."""
    runs = runs.assign(part=part, clear=runs["score"] >= runs["chance"] + ABOVE_CHANCE)
    usable, fewest = (runs["score"] > 0, 1) if kind == "tries" else (runs["clear"], FEWEST)
    enough = (usable & fits).groupby([runs[c] for c in CELL]).transform("sum") >= fewest
    gone = sorted({(str(m), str(b)) for m, b in runs.loc[~enough, CELL].to_numpy()})
    known, later = (runs[rows & enough].reset_index(drop=True) for rows in (fits, ~fits))
    return Comparison(name, kind, known, later, gone)


def splits(runs: pd.DataFrame, limit: float, least: float, ratio: float) -> Iterator[Comparison]:
    """The three comparisons of the paper below and above one limit of compute."""
    runs = runs[runs["flops"] >= least]
    at_20, larger = runs["tokens_per_param"] == 20, f"> {limit:.2g} FLOPs"
    table = accuracies(runs[at_20])
    yield split(f"At 20 tokens per parameter, ≤ {limit:.2g} FLOPs", "compute", table, table["flops"] <= limit, larger)
    table = accuracies(runs[runs.groupby("mixture")["tokens_per_param"].transform("nunique") > 1])
    known = (table["flops"] <= limit) & (table["tokens_per_param"] <= ratio)
    part = np.where(table["flops"] > limit, larger, f"> {ratio:g} tokens per parameter")
    name = f"All ratios, ≤ {limit:.2g} FLOPs and ≤ {ratio:g} tokens per parameter"
    yield split(name, "size", table, known, pd.Series(part, table.index))
    for mixture, tried in runs[at_20 & (runs["metric"] == "pass@k")].groupby("mixture"):  # one law for each
        table = tried.reset_index(drop=True)
        below, low = table["flops"] <= limit, table["k"] <= FITTED_K
        part = np.where(below, f"fitted runs, k > {FITTED_K}", np.where(low, larger, f"{larger}, k > {FITTED_K}"))
        name = f"pass@k on {mixture} at 20 tokens per parameter, ≤ {limit:.2g} FLOPs, k ≤ {FITTED_K}"
        yield split(name, "tries", table, below & low, pd.Series(part, table.index))


def held_ratio(runs: pd.DataFrame, least: float) -> Iterator[Comparison]:
    """The largest ratio of tokens to parameters held out, at every compute."""
    runs = runs[runs["flops"] >= least]
    table = accuracies(runs[runs.groupby("mixture")["tokens_per_param"].transform("nunique") > 1])
    if len(table):
        largest = table["tokens_per_param"].max()
        name = f"All ratios below {largest:g} tokens per parameter"
        yield split(name, "size", table, table["tokens_per_param"] < largest, f"{largest:g} tokens per parameter")


def point(name: str, known: pd.DataFrame, later: pd.DataFrame, resamples: int = 0) -> xr.Dataset:
    """The forecast of a published estimator."""
    return bs.baseline(name, known, later, seed=1, resamples=resamples, loss="proxy")


def scored(by: str, law: str, ahead: xr.Dataset, later: pd.DataFrame) -> pd.DataFrame:
    """Every held-out score with its forecast, the 90 % interval of a new run, errors, coverage and widths."""
    response = "pass_at_k" if "pass_at_k" in ahead else "accuracy"
    table = score_forecast(ahead, later, response=response, probabilities=PROBABILITIES)
    told = bs.summarise(ahead[[response, f"{response}_mean"]], probabilities=(0.9,))
    new = told[told["interval_for"] == "new run"].reset_index(drop=True)
    if by == "published":  # the draws lie around it: their median is the point itself
        table["error"] = ahead[f"{response}_mean"].median(("chain", "draw")).to_numpy() - table["observed"]
    table = table.assign(
        expected=table["observed"] + table["error"], lower_90=new["lower_90"], upper_90=new["upper_90"]
    )
    size = table["error"].abs()
    table = table.assign(absolute=size, relative=size / table["observed"].where(table["observed"] > 0))
    table["relative_clear"] = table["relative"].where(later["clear"])
    return table.assign(by=by, law=law, part=later["part"], tokens_per_param=later["tokens_per_param"])


def contest(
    known: pd.DataFrame, later: pd.DataFrame, published: list[str], ours: list[str], told: argparse.Namespace
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Scores of all forecasts, published ones first, and the verdicts of our fits."""
    tables, verdicts = [], {}
    for name in published:
        start = time.perf_counter()
        tables.append(scored("published", name, point(name, known, later, told.resamples), later))
        print(f"published {name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    plan = later.drop(columns=["score", "n_correct", "problem"])
    for name, fit, extra in fitted(ours, known, told.draws, told.attempts):
        ahead = bs.forecast(fit, plan, seed=1, even_if_not_converged=True)
        tables.append(scored("ours", name, ahead, later))
        verdicts[name] = f"{fit.verdict} ({extra['seconds']:.0f} s)"
        print(f"ours {name}: {verdicts[name]}", file=sys.stderr, flush=True)
    return pd.concat(tables, ignore_index=True), verdicts


def means(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """One row per law: means over held-out runs, then over benchmarks."""
    numbers = [f"{what}_{100 * p:g}" for what in ("inside", "width") for p in PROBABILITIES]
    cells = rows.groupby([*LAW, *CELL], sort=False)[
        ["relative", "relative_clear", "absolute", "error", "crps", *numbers]
    ].mean()
    table = cells.groupby(LAW, sort=False).mean()
    spread = cells["relative"].groupby(LAW, sort=False).sem()
    out = 100 * pd.DataFrame({"relative %": table["relative"], "±": spread, "clear %": table["relative_clear"]}).round(
        4
    )
    printed = [PRINTED.get((kind, law), np.nan) if by == "published" else np.nan for by, law in table.index]
    out = out.assign(**{"paper %": printed, "absolute": table["absolute"].round(4), "bias": table["error"].round(4)})
    covers = (100 * table[numbers[:4]]).round(0).astype(int).rename(columns=lambda c: c.replace("inside", "cover"))
    return out.join(table["crps"].round(4)).join(covers).join(table[numbers[4:]].round(3))


def by_benchmark(rows: pd.DataFrame, value: str, scale: float) -> pd.DataFrame:
    """Benchmarks down, laws across, with the averages of mixtures below."""
    table = scale * rows.pivot_table(value, CELL, LAW, sort=False).sort_index()
    averages = table.groupby("mixture").mean()
    averages.index = pd.MultiIndex.from_product([averages.index, ["AVERAGE"]], names=CELL)
    return pd.concat([table, averages])


def largest(rows: pd.DataFrame) -> pd.DataFrame:
    """Forecasts with 90 % intervals of the largest run on every benchmark, at the largest k."""
    size = ["flops", "k"] if "k" in rows and rows["k"].notna().any() else ["flops"]
    last = rows.sort_values(size, kind="stable").groupby([*LAW, *CELL], sort=False).tail(1)
    text = [f"{m:.3f} [{a:.3f}, {b:.3f}]" for m, a, b in last[["expected", "lower_90", "upper_90"]].to_numpy()]
    table = last.assign(text=text).pivot(index=[*CELL, "observed"], columns=LAW, values="text")
    return table[list(dict.fromkeys(zip(rows["by"], rows["law"], strict=True)))]


def show(rows: pd.DataFrame, verdicts: dict[str, str], kind: str) -> None:
    """Print everything about one comparison."""
    print("\nRelative error, %\n" + by_benchmark(rows, "relative", 100).round(2).to_string())
    print("\nAbsolute error\n" + by_benchmark(rows, "absolute", 1).round(4).to_string())
    print("\nThe largest held-out run, with 90 % intervals\n" + largest(rows).to_string())
    scopes = [("all", rows)]
    for column in ("mixture", "part"):
        if rows[column].nunique() > 1:
            scopes += [(str(value), some) for value, some in rows.groupby(column, sort=False)]
    for scope, some in scopes:
        print(f"\nMeans over benchmarks: {scope}\n" + means(some, kind).to_string())
    for name, verdict in verdicts.items():
        print(f"{name}: {verdict}")


def announce(made: Comparison) -> None:
    """Say what is fitted, what is held out, and what is left out."""
    name, _, known, later, left_out = made
    beyond = later["flops"].max() / known["flops"].max()
    print(f"\n=== {name}: {known['run'].nunique()} runs → {len(later)} scores of {later['run'].nunique()}, ", end="")
    print(f"up to {beyond:.1f} × the compute ===", flush=True)
    if left_out:
        print(list_of(left_out))


def list_of(left_out: list[tuple[str, str]]) -> str:
    """Which benchmarks cannot be compared."""
    return "left out: " + "; ".join(f"{benchmark} on {mixture}" for mixture, benchmark in left_out) if left_out else ""


def reads(name: str) -> dict[str, tuple[str, ...]]:
    """Which values of each option make a difference to a published estimator: "-" where none does."""
    stages = BASELINES[name].stages
    corrected = any(stage.scale not in (RAW, LOGARITHM) for stage in stages)
    through_loss = any("loss" in stage.inputs for stage in stages)
    return {
        "metric": METRICS,
        "chance": CHANCES if corrected else ("-",),
        "loss": LOSSES if through_loss else ("-",),
    }


def effects(
    load: Callable[..., pd.DataFrame], cut: Callable[[pd.DataFrame], list[Comparison]], names: dict[str, list[str]]
) -> None:
    """Print the errors of the published points under every option, over the benchmarks that all options share."""
    tables = {options: cut(load(*options)) for options in product(METRICS, CHANCES, LOSSES)}
    for number, (title, kind, *_) in enumerate(tables[DEFAULTS]):
        cells = [set(map(tuple, made[number][3][CELL].to_numpy())) for made in tables.values()]
        shared = set.intersection(*cells)
        if kind == "tries" or not shared or not names[kind]:
            continue
        found = pd.DataFrame([row for name in names[kind] for row in _effect(name, tables, number, shared)])
        print(f"\n=== Effects of the options on published points. {title}; {len(shared)} benchmarks on mixtures ===")
        print(found.to_string(index=False))
        span = found.groupby("law", sort=False)[["relative %", "clear %"]].agg(["min", "max"])
        span["paper %", ""] = [PRINTED.get((kind, str(law)), np.nan) for law in span.index]
        print("\nRelative error over all options, %\n" + span.to_string(), flush=True)


def _effect(name: str, tables: dict[Any, list[Comparison]], number: int, shared: set[Any]) -> Iterator[dict[str, Any]]:
    for options in product(*reads(name).values()):
        at = tuple(v if v != "-" else d for v, d in zip(options, DEFAULTS, strict=True))
        known, later = (_only(table, shared) for table in tables[at][number][2:4])
        ahead = point(name, known, later)
        table = scored("published", name, ahead, later)
        table["lost"] = ["too few usable" in note for note in ahead["note"].to_numpy()]
        cells = table.groupby(CELL)[["relative", "relative_clear", "absolute", "lost"]].mean()
        yield {"law": name, **dict(zip(reads(name), options, strict=True))} | {
            "relative %": round(100 * cells["relative"].mean(), 2),
            "clear %": round(100 * cells["relative_clear"].mean(), 2),
            "absolute": round(cells["absolute"].mean(), 4),
            "not fitted": int(cells["lost"].sum()),
        }


def _only(table: pd.DataFrame, cells: set[tuple[str, ...]]) -> pd.DataFrame:
    return table[[key in cells for key in map(tuple, table[CELL].to_numpy())]].reset_index(drop=True)


def arguments(given: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("c4", type=Path, help="metrics_c4_mixture.csv")
    parser.add_argument("dclm", type=Path, nargs="?", help="metrics_dclm_data_mixture.csv")
    parser.add_argument("--limit", type=float, nargs="+", default=[6e21], help="most FLOPs of a fitted run (6e21)")
    parser.add_argument("--least", type=float, default=3e18, help="fewest FLOPs of any run (3e18)")
    parser.add_argument("--ratio", type=float, default=80, help="most tokens per parameter of a fitted run (80)")
    parser.add_argument("--metric", choices=METRICS, default=METRICS[0], help="of choices: %(choices)s")
    parser.add_argument("--chance", choices=CHANCES, default=CHANCES[0])
    parser.add_argument("--loss", choices=LOSSES, default=LOSSES[0])
    parser.add_argument("--draws", type=int, default=1000, help="of each of four chains of our models (1000)")
    parser.add_argument("--attempts", type=int, default=2, help="of a fit that fails its verdict (2)")
    parser.add_argument("--resamples", type=int, default=RESAMPLES, help="of the bootstrap of published estimators")
    every = {n for names in (*PUBLISHED.values(), *OURS.values()) for n in names}
    for option, names in (("--published", PUBLISHED), ("--ours", OURS)):
        known = list(dict.fromkeys(n for some in names.values() for n in some))
        parser.add_argument(option, default=",".join(known), help="of these, separated by commas: %(default)s; or ''")
    parser.add_argument("--effects", action="store_true", help="the published points under every option, alone")
    parser.add_argument("--out", type=Path, help="CSV file for every held-out score and its forecasts")
    told = parser.parse_args(given)
    if odd := ({*told.published.split(","), *told.ours.split(",")} - every - {""}):
        parser.error(f"unknown: {', '.join(sorted(odd))}; there are {', '.join(sorted(every))}")
    return told


def main(given: list[str] | None = None) -> None:
    told = arguments(given)
    for category in (ScalingWarning, DataWarning):
        warnings.simplefilter("ignore", category)
    load = partial(read, tuple(path for path in (told.c4, told.dclm) if path is not None))
    published, ours = (
        {kind: [n for n in names if n in wanted.split(",")] for kind, names in table.items()}
        for table, wanted in ((PUBLISHED, told.published), (OURS, told.ours))
    )

    def cut(runs: pd.DataFrame) -> list[Comparison]:
        parts = [one for limit in told.limit for one in splits(runs, limit, told.least, told.ratio)]
        return [*parts, *held_ratio(runs, told.least)]

    if told.effects:
        effects(load, cut, published)
        return
    runs, rows = load(told.metric, told.chance, told.loss), []
    for made in cut(runs):
        name, kind, known, later, _ = made
        if known.empty or later.empty:
            why = f"the largest run has {runs['flops'].max():.2g} FLOPs, try a smaller --limit"
            print(f"\n=== {name}: nothing to compare; {list_of(made.left_out) or why} ===")
            continue
        if not published[kind] + ours[kind]:
            continue
        announce(made)
        found, verdicts = contest(known, later, published[kind], ours[kind], told)
        show(found, verdicts, kind)
        rows.append(found.assign(comparison=name))
        if told.out:
            pd.concat(rows).to_csv(told.out, index=False)


if __name__ == "__main__":
    main()
