"""Splits of the shipped data into runs that a model is fitted to and larger ones that it forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

import bayes_scaling as bs
from bayes_scaling.cli.demo import BENCHMARKS, LAWLESS

Split = tuple[str, str, pd.DataFrame, pd.DataFrame]


def gadre(*, at_20: bool) -> pd.DataFrame:
    """Scores of the twelve benchmarks in gadre2024, at about 20 tokens per parameter or at all ratios."""
    runs = bs.load_dataset("gadre2024")
    runs = runs[runs["benchmark"].isin(BENCHMARKS)]
    return runs[runs["tokens_per_param"].between(19, 21.5)] if at_20 else runs


def olmo() -> pd.DataFrame:
    """Scores of olmo_ladder on the benchmarks of its test sets."""
    runs = bs.load_dataset("olmo_ladder")
    return runs[runs["benchmark"].notna() & ~runs["benchmark"].isin(("boolq_val",))]


OLMO_PUBLISHED = (
    *("mmlu_stem_test", "mmlu_humanities_test", "mmlu_social_sciences_test", "mmlu_other_test", "hellaswag_val"),
    *("arc_easy_test", "arc_challenge_test", "csqa_val", "openbookqa_test", "piqa_val", "socialiqa_val"),
)


def krajewski(folder: Path) -> pd.DataFrame:
    """Scores of the ten benchmarks without code in the public tables of arXiv 2512.08894 (runs.csv, evals.csv).

    Normalised accuracy where there is one; the loss is that on C4.
    """
    runs = pd.read_csv(folder / "runs.csv").rename(columns={"loss_c4": "loss"}).assign(val_set="c4")
    evals = pd.read_csv(folder / "evals.csv")
    evals = evals[~evals["benchmark"].isin(("minerva_math", "mmlu"))]
    rank = evals["metric"].map({"acc_norm": 0, "acc": 1, "exact_match": 2})
    best = rank == rank.groupby(evals["benchmark"]).transform("min")
    columns = ["mixture", "params", "tokens", "flops", "tokens_per_param", "loss", "val_set"]
    return evals[best].assign(metric="accuracy").merge(runs[["run", *columns]], on="run").reset_index(drop=True)


def krajewski_splits(folder: Path) -> Iterator[Split]:
    """Fit up to a compute limit, score above it."""
    runs = krajewski(folder)
    at_20 = runs[runs["tokens_per_param"] == 20]
    for limit in (2e20, 6e20, 2e21):
        name = f"krajewski2025 < {limit:.0e} → {5.8e21 / limit:.0f} ×"
        yield name, "compute", at_20[at_20["flops"] < limit], at_20[at_20["flops"] >= limit]
    name = "krajewski2025 < 6e20 → 10 ×, all ratios"
    yield name, "size", runs[runs["flops"] < 6e20], runs[runs["flops"] >= 6e20]


def olmo_published() -> Split:
    """The sixteen runs and eleven tasks that Bhagia et al. 2024 (arXiv 2412.04403) forecast two targets from."""
    runs = bs.load_dataset("olmo_ladder")
    runs = runs[runs["benchmark"].isin(OLMO_PUBLISHED)]
    targets = runs["is_target"].astype(bool)
    ladder = (
        (runs["params"] < 2e9) & runs["tokens_per_param"].round(-1).isin((20, 40, 100, 200)) & (runs["seed"] == "0")
    )
    return "olmo_ladder, 16 runs ≤ 1.3B → 7B-4T, 13B-5T", "size", runs[ladder & ~targets], runs[targets]


def compute_splits() -> Iterator[Split]:
    """Splits for laws of compute alone: fit below a size, forecast above it, all at about 20 tokens per parameter."""
    runs = gadre(at_20=True)
    small, tiny = runs["params"] < 1e9, runs["params"] < 2e7
    yield "gadre2024 ≤ 0.4B → 1.4B, 6.9B", "compute", runs[small], runs[~small]
    yield "gadre2024 0.08–0.4B → 1.4B, 6.9B", "compute", runs[small & ~tiny], runs[~small]
    yield "gadre2024 ≤ 1.4B → 6.9B", "compute", runs[runs["params"] < 5e9], runs[runs["params"] > 5e9]


def unchosen_splits() -> Iterator[Split]:
    """Those benchmarks of gadre2024 on which nothing was chosen and that the fitted runs see leave chance."""
    every = bs.load_dataset("gadre2024")
    every = every[~every["benchmark"].isin((*BENCHMARKS, LAWLESS))]
    at_20 = every[every["tokens_per_param"].between(19, 21.5)]
    for low, high in ((1e9, "0.4B → 1.4B, 6.9B"), (5e9, "1.4B → 6.9B")):
        known = at_20[at_20["params"] < low]
        largest = known[known["params"] > 0.9 * known["params"].max()]
        above = (largest["score"] - largest["chance"]).groupby(largest["benchmark"]).mean()
        kept = at_20[at_20["benchmark"].isin(above.index[above >= 0.05])]
        name = f"gadre2024 ≤ {high}, other benchmarks"
        yield name, "compute", kept[kept["params"] < low], kept[kept["params"] >= low]


def size_splits() -> Iterator[Split]:
    """Splits for laws of parameters and tokens, at all ratios of the two."""
    runs = gadre(at_20=False)
    small = (runs["params"] < 1e9) & (runs["params"] > 2e7)
    yield "gadre2024 0.08–0.4B → 1.4B, 6.9B, all ratios", "size", runs[small], runs[runs["params"] > 1e9]
    runs = olmo()
    targets = runs["is_target"].astype(bool)
    yield "olmo_ladder ≤ 1.3B → 7B, 13B", "size", runs[runs["params"] < 2e9], runs[targets]
    yield "olmo_ladder ≤ 0.8B → 1.3B, 3.2B", "size", runs[runs["params"] < 1e9], runs[(runs["params"] > 1e9) & ~targets]
