"""What a table of runs must not contradict: each check looks at typed columns and yields complaints.

Every complaint says which column, what would be right, which lines, and what stands there.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import CHOICE_METRICS, COLUMNS, LABEL, RERUN, SIZE, with_role
from bayes_scaling.data.known_benchmarks import overlaps, usual_chances
from bayes_scaling.data.sizes import flops_of
from bayes_scaling.data.trends import falls
from bayes_scaling.files.tables import Place
from bayes_scaling.messages import Verbatim, listed, listed_names, value_text

FLOPS_FACTOR = 3.0
FEWEST_SIZES = 3
LEAST = {"flops": 1e12, "params": 1e4, "tokens": 1e5}  # of a language model; less is probably in another unit


def contradictions(runs: pd.DataFrame, place: Place) -> list[str]:
    """Look for everything in a typed table that cannot be true or leaves out what is needed.

    Parameters
    ----------
    runs
        A table with all columns of ``COLUMNS``, typed and completed.
    place
        Where it came from.

    Returns
    -------
    list of str
        One complaint a problem; empty for a good table.
    """
    return [complaint for check in CHECKS for complaint in check(runs, place)]


def _gaps(runs: pd.DataFrame, place: Place) -> Iterator[str]:
    test, score, loss = (runs[name].notna() for name in ("benchmark", "score", "loss"))
    every = pd.Series(True, index=runs.index)
    problem = runs["problem"].notna()
    needs_chance = runs["metric"].isin(CHOICE_METRICS)
    needed = [
        ("run", every, "name the run, or leave the column out"),
        ("family", every, "name the family in every row, or leave the column out"),
        ("mixture", every, "name the mixture in every row, or leave the column out"),
        ("flops", every, "give flops, or both params and tokens"),
        ("score", test, "a row with a benchmark needs score, or n_correct of n_items, or goes"),
        ("benchmark", score, "name the benchmark of each score"),
        ("metric", score, "name the metric in every row with a score, or leave the column out"),
        ("chance", score & needs_chance, "give 1 / choices, or 0 where answers are open"),
        ("val_set", loss, "name the validation set of each loss, or leave the column out"),
        ("loss", ~test & ~score, "a row without benchmark needs a loss"),
        ("n_items", runs["n_correct"].notna() & ~problem, "n_correct needs n_items"),
        ("n_correct", problem, "a row with a problem needs n_correct, its right answers"),
        ("n_samples", problem, "a row with a problem needs n_samples, the answers that were drawn"),
        ("k", runs["metric"].eq("pass@k"), "the metric pass@k needs k"),
    ]
    for name, where, advice in needed:
        if (empty := runs.index[runs[name].isna() & where]).size:
            usual = usual_chances(runs.loc[empty, "benchmark"]) if name == "chance" else ""
            yield f"column {name!r} is empty in {place.at(empty)}: {advice}{usual}"


def _reach(runs: pd.DataFrame, place: Place) -> Iterator[str]:
    bad = runs[runs["flops"].eq(0) | np.isinf(runs["flops"])]
    if bad.size:
        texts = [Verbatim(f"{n:g} x {d:g}") for n, d in zip(bad["params"], bad["tokens"], strict=True)]
        yield place.complaint("6 params tokens", "must be a finite number of FLOPs above 0", bad.index, texts)


def _counts(runs: pd.DataFrame, place: Place) -> Iterator[str]:
    problem = runs["problem"].notna()
    for rows, of in ((runs[~problem], "n_items"), (runs[problem], "n_samples")):
        right, items = rows["n_correct"], rows[of]
        if (bad := rows[right > items]).size:
            pairs = [Verbatim(f"{a:.0f} of {b:.0f}") for a, b in zip(bad["n_correct"], bad[of], strict=True)]
            yield place.complaint("column 'n_correct'", f"must not exceed {of!r}", bad.index, pairs)
        rounding = np.maximum(0.5 / items, 0.0005) + 1e-9
        if (bad := rows[(right <= items) & ((rows["score"] - right / items).abs() > rounding)]).size:
            parts = zip(bad["score"], bad["n_correct"], bad[of], strict=True)
            texts = [Verbatim(f"{score:g} beside {a:.0f} of {b:.0f}") for score, a, b in parts]
            yield place.complaint("column 'score'", f"must agree with n_correct / {of}", bad.index, texts)


def _tries(runs: pd.DataFrame, place: Place) -> Iterator[str]:
    problem = runs["problem"].notna()
    for name, right in (("metric", "pass@k"), ("k", 1)):
        if (bad := runs[problem & runs[name].ne(right)]).size:
            rule = f"must be {right} or blank in rows with a problem, whose right answers say all of pass@k"
            yield place.complaint(f"column {name!r}", rule, bad.index, bad[name])
    stray = runs[runs["k"].gt(1) & runs["metric"].ne("pass@k")]
    if stray.size:
        yield place.complaint("column 'k'", "belongs to the metric pass@k only", stray.index, stray["k"])
    short = runs[runs["k"] > runs["n_samples"]]
    if short.size:
        texts = [Verbatim(f"{k:.0f} of {n:.0f}") for k, n in zip(short["k"], short["n_samples"], strict=True)]
        yield place.complaint("column 'k'", "must not exceed 'n_samples'", short.index, texts)


def _steady(runs: pd.DataFrame, place: Place) -> Iterator[str]:
    scored, with_loss = runs[runs["score"].notna()], runs[runs["loss"].notna()]
    advice = "must be the same in all rows of one run (a checkpoint is a run of its own)"
    for name in with_role(LABEL, SIZE, RERUN):
        yield from _one_value(runs, ["run"], name, advice, place)
    yield from _one_value(scored, ["benchmark", "metric"], "chance", "must be one for a benchmark and metric", place)
    yield from _one_value(with_loss, ["run", "val_set"], "loss", "must be one for a run and val_set", place)


def _one_value(runs: pd.DataFrame, keys: list[str], name: str, rule: str, place: Place) -> Iterator[str]:
    """Complain about rows that differ from the first row of their group."""
    runs = runs.dropna(subset=keys)
    values = runs[name]
    if values.isna().all():
        return
    first = runs.groupby(keys, sort=False)[name].transform("first")
    if values.dtype == "float64":
        differs = (values - first).abs() > 1e-9 * first.abs()
    else:
        differs = values.notna() & (values != first)
    if name in with_role(LABEL, SIZE, RERUN):  # a fact of the run stands in all of its rows, or in none
        differs |= values.isna() & first.notna()
    if differs.any():
        bad = runs[differs]
        groups = bad[keys].astype(str).agg(" · ".join, axis=1)
        parts = zip(bad[name], first[differs], groups, strict=True)
        texts = [
            Verbatim(f"{value_text(value)} where {group} has {value_text(other)}") for value, other, group in parts
        ]
        yield place.complaint(f"column {name!r}", rule, bad.index, texts)


def _repeats(runs: pd.DataFrame, place: Place) -> Iterator[str]:
    for rows, keys in (
        (runs[runs["score"].notna()], ["run", "benchmark", "metric", "k", "problem"]),
        (runs[runs["benchmark"].isna()], ["run", "val_set"]),
    ):
        again = rows[rows.duplicated(keys, keep=False)]
        if again.size and (differ := _differing(again, keys)):
            yield (
                f"{place.at(again.index)} repeat the same {', '.join(keys)} with different {listed(differ)}: keep the "
                f"rows of one {' and '.join(differ)}, or write it into the name of the benchmark"
            )
        elif again.size:
            told = again[keys].drop_duplicates()
            texts = [
                Verbatim(" · ".join(_part(value) for value in row if pd.notna(value)))
                for row in told.itertuples(index=False)
            ]
            yield (
                f"{place.at(again.index)} repeat {listed(texts)}; each may stand once for the same "
                f"{', '.join(keys)}: name reruns apart by 'run' or 'seed', checkpoints by 'run' or 'step', "
                "and give further losses rows of their own without benchmark"
            )


def _differing(again: pd.DataFrame, keys: list[str]) -> list[str]:
    """The user's own columns in which rows that repeat each other differ, so that they tell all of them apart."""
    own = [str(name) for name in again if name not in COLUMNS and not pd.api.types.is_float_dtype(again[name])]
    return [name for name in own if not again.duplicated([*keys, name]).any() and again[name].notna().all()]


def _part(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


CHECKS = (_gaps, _reach, _counts, _tries, _steady, _repeats)


def doubts(runs: pd.DataFrame, place: Place) -> list[str]:
    """Look for what is possible but deserves a look before fitting.

    Parameters
    ----------
    runs
        A checked table.
    place
        Where it came from.

    Returns
    -------
    list of str
        One warning a doubt.
    """
    return [complaint for doubt in DOUBTS for complaint in doubt(runs, place)]


def _uncommon_flops(runs: pd.DataFrame, place: Place) -> Iterator[str]:
    ratio = runs["flops"] / flops_of(runs["params"], runs["tokens"])
    bad = runs[(ratio > FLOPS_FACTOR) | (ratio < 1 / FLOPS_FACTOR)].drop_duplicates("run")
    if bad.size:
        pairs = zip(bad["run"], ratio[bad.index], strict=True)
        texts = [Verbatim(f"{run}: {times:.3g} x 6ND") for run, times in pairs]
        rule = f"differs from 6 params tokens by more than a factor {FLOPS_FACTOR:g}"
        yield place.complaint("column 'flops'", rule, bad.index, texts)


def _few_sizes(runs: pd.DataFrame, place: Place) -> Iterator[str]:
    scored = runs[runs["score"].notna()]
    sizes = scored.groupby(["benchmark", "mixture"], sort=False)["flops"].nunique()
    few = sizes[sizes < FEWEST_SIZES]
    if few.size:
        texts = [Verbatim(f"{' · '.join(group)}: {size}") for group, size in zip(few.index.to_list(), few, strict=True)]
        yield f"fewer than {FEWEST_SIZES} sizes to learn a law from in {listed(texts)}"


def _all_fall(runs: pd.DataFrame, _: Place) -> Iterator[str]:
    """Scores of every benchmark fall with compute, as error rates and losses do."""
    scored = runs[runs["score"].notna() & runs["flops"].notna()]
    directions = [falls(rows["flops"], rows["score"]) for _, rows in scored.groupby("benchmark", sort=False)]
    if directions and all(directions):
        yield (
            "scores of every benchmark fall with compute: are these error rates or losses? A score here is a "
            "proportion that is better when larger: give 1 - error as 'score', and losses in the column 'loss'"
        )


def _implausible(runs: pd.DataFrame, place: Place) -> Iterator[str]:
    """Sizes that no language model has: probably in another unit."""
    for name, least in LEAST.items():
        small = runs[runs[name] < least]
        if small.size:
            rule = f"is below {least:g}, less than any language model has: is it in another unit, such as billions?"
            yield place.complaint(f"column {name!r}", rule, small.index, small[name])


def _several_item_counts(runs: pd.DataFrame, _: Place) -> Iterator[str]:
    """One benchmark with different numbers of items, as with ``--limit``."""
    scored = runs[runs["score"].notna() & runs["n_items"].notna() & runs["problem"].isna()]
    counts = scored.groupby("benchmark", sort=False)["n_items"].agg(["min", "max"])
    several = counts[counts["min"] < counts["max"]]
    if several.size:
        texts = [Verbatim(f"{name}: {low:.0f} to {high:.0f}") for name, low, high in several.itertuples()]
        yield (
            f"some scores rest on fewer items than others of the same benchmark, {listed(texts)}: each is as noisy as "
            "its own items make it, and scores of the first items of a test may differ from scores of all"
        )


def _parts_beside_their_whole(runs: pd.DataFrame, _: Place) -> Iterator[str]:
    """A group of benchmarks beside its parts, which an average would count twice."""
    items = runs[runs["score"].notna()].groupby("benchmark", sort=False)["n_items"].median()
    for whole, parts, level in overlaps(items):
        choice = f"the parts {listed_names(level)}, whose items add up to it, or " if level else ""
        yield (
            f"benchmark {whole!r} holds again what is in {listed_names(parts)}: averages count these items twice; keep "
            f"{choice}{whole!r} alone"
        )


DOUBTS: tuple[Callable[[pd.DataFrame, Place], Iterator[str]], ...] = (
    _uncommon_flops, _few_sizes, _all_fall, _implausible, _several_item_counts, _parts_beside_their_whole,
)  # fmt: skip
