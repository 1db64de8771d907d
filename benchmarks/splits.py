"""Splits of the shipped data into runs that a model is fitted to and larger ones that it forecasts."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

import bayes_scaling as bs
from bayes_scaling.demo import BENCHMARKS

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


def compute_splits() -> Iterator[Split]:
    """Splits for laws of compute alone: fit below a size, forecast above it, all at about 20 tokens per parameter."""
    runs = gadre(at_20=True)
    small, tiny = runs["params"] < 1e9, runs["params"] < 2e7
    yield "gadre2024 ≤ 0.4B → 1.4B, 6.9B", "compute", runs[small], runs[~small]
    yield "gadre2024 0.08–0.4B → 1.4B, 6.9B", "compute", runs[small & ~tiny], runs[~small]
    yield "gadre2024 ≤ 1.4B → 6.9B", "compute", runs[runs["params"] < 5e9], runs[runs["params"] > 5e9]


def size_splits() -> Iterator[Split]:
    """Splits for laws of parameters and tokens, at all ratios of the two."""
    runs = gadre(at_20=False)
    small = (runs["params"] < 1e9) & (runs["params"] > 2e7)
    yield "gadre2024 0.08–0.4B → 1.4B, 6.9B, all ratios", "size", runs[small], runs[runs["params"] > 1e9]
    runs = olmo()
    targets = runs["is_target"].astype(bool)
    yield "olmo_ladder ≤ 1.3B → 7B, 13B", "size", runs[runs["params"] < 2e9], runs[targets]
    yield "olmo_ladder ≤ 0.8B → 1.3B, 3.2B", "size", runs[runs["params"] < 1e9], runs[(runs["params"] > 1e9) & ~targets]
