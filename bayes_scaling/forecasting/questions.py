"""Where a plan asks for something other than the fitted runs can tell: one remark for each row that does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from bayes_scaling.data.compute_counting import MULTIPLE, multiple_of_6nd
from bayes_scaling.data.sizes import flops_of
from bayes_scaling.forecasting.law_uncertainty import HELD_DECADES
from bayes_scaling.forecasting.notes import joined
from bayes_scaling.messages import close_to, number_of, value_text

FAR = 4.0  # decades of compute beyond the data that no backtest has reached
ROOM = 1.25  # factor by which a ratio may lie outside the fitted ones without a remark
LITTLE = 1.05  # a size that varies by less than this factor did not vary
BENCHMARK_FACTS = ("metric", "chance", "n_items")  # what must mean the same in the plan as in the runs
SIZES = ("params", "tokens")

type Remark = tuple[np.ndarray, str]  # which rows, and what to say of them


class Question(Protocol):
    """What these remarks ask about a model: `models.model.Model` has it."""

    @property
    def responses(self) -> Sequence[Any]:
        """Its response models, with the columns that each law reads."""


def questions(runs: pd.DataFrame, plan: pd.DataFrame, model: Question, labels: Sequence[str]) -> np.ndarray:
    """Remarks on the rows of a plan, joined; the empty string where there is none.

    Parameters
    ----------
    runs : DataFrame
        What the model was fitted to.
    plan : DataFrame
        Completed.
    model : Model
    labels : sequence of str
        Columns of labels that the model varies over.

    Returns
    -------
    (row,) array of str
    """
    read = {column for part in model.responses for column in part.law.inputs}
    texts: list[list[str]] = [[] for _ in range(len(plan))]
    for remarks in (
        _unseen_labels(runs, plan, labels),
        _other_ratio(runs, plan, read),
        _constant_sizes(runs, plan, read),
        _other_count(runs, plan),
        _more_tries(runs, plan),
        _other_facts(runs, plan),
        _far(runs, plan),
    ):
        for rows, text in remarks:
            for position in np.flatnonzero(rows):
                texts[position].append(text)
    return np.array([joined(each) for each in texts], dtype=object)


def _unseen_labels(runs: pd.DataFrame, plan: pd.DataFrame, labels: Sequence[str]) -> Iterator[Remark]:
    for name in (label for label in labels if label != "benchmark" and label in runs and label in plan):
        known = set(runs[name].dropna().astype(str))
        given = plan[name].astype(str)
        for value in sorted(set(given) - known):
            near = close_to(value, known)
            hint = f" (did you mean {near!r}?)" if near else ""
            yield (given == value).to_numpy(), f"{name} {value!r} never seen: drawn from the population{hint}"


def _other_ratio(runs: pd.DataFrame, plan: pd.DataFrame, read: set[str]) -> Iterator[Remark]:
    """Tokens per parameter outside those of the runs."""
    if not (set(SIZES) <= set(plan) and set(SIZES) <= set(runs)):
        return
    known, asked = ((table["tokens"] / table["params"]).astype(float) for table in (runs, plan))
    low, high = known.min(), known.max()
    outside = ((asked < low / ROOM) | (asked > high * ROOM)).to_numpy()
    because = "" if read & set(SIZES) else ", and this law reads compute alone"
    span = f"{low:.3g}" if high < low * LITTLE else f"{low:.3g} to {high:.3g}"
    for value in np.unique(asked[outside].round(3)):
        rows = outside & np.isclose(asked, value, atol=1e-3)
        yield rows, f"{value:.3g} tokens per parameter, where the fitted runs have {span}{because}"


def _constant_sizes(runs: pd.DataFrame, plan: pd.DataFrame, read: set[str]) -> Iterator[Remark]:
    """A law reads a size that was the same in all runs, and the plan has another."""
    for name in (size for size in SIZES if size in read and size in runs and size in plan):
        known = runs[name].astype(float)
        if known.max() < known.min() * LITTLE:
            asked = plan[name].astype(float).to_numpy()
            rows = (asked > known.max() * LITTLE) | (asked < known.min() / LITTLE)
            yield rows, f"{name} never varied in the fitted runs: what it does comes from the prior"


def _other_count(runs: pd.DataFrame, plan: pd.DataFrame) -> Iterator[Remark]:
    """Compute counted otherwise than 6 N D."""
    if not {"params", "tokens", "flops"} <= set(plan):
        return
    sizes = plan[["params", "tokens", "flops"]].astype(float)
    ours = (sizes["flops"] / flops_of(sizes["params"], sizes["tokens"])).to_numpy()
    theirs = multiple_of_6nd(runs, sizes["params"].to_numpy())
    filled = plan[MULTIPLE].notna().to_numpy() if MULTIPLE in plan else np.zeros(len(plan), bool)
    text = "the fitted runs count {:.3g} times 6 params tokens, and so does this row"
    for value in np.unique(theirs[filled].round(3)):
        yield filled & np.isclose(theirs, value, atol=1e-3), text.format(value)
    other = ~filled & ((ours > theirs * ROOM) | (ours < theirs / ROOM))
    for value in np.unique(ours[other].round(3)):
        rows = other & np.isclose(ours, value, atol=1e-3)
        yield rows, f"FLOPs are {value:.3g} times 6 params tokens, where the fitted runs have {theirs[rows][0]:.3g}"


def _more_tries(runs: pd.DataFrame, plan: pd.DataFrame) -> Iterator[Remark]:
    if "k" not in plan or "n_samples" not in runs or runs["n_samples"].isna().all():
        return
    most = runs["n_samples"].max()
    rows = (plan["k"] > most).to_numpy()
    yield rows, f"k beyond the {number_of(int(most), 'sample')} drawn: what is beyond comes from the prior"


def _other_facts(runs: pd.DataFrame, plan: pd.DataFrame) -> Iterator[Remark]:
    """The benchmark is scored in another way than in the runs."""
    if "benchmark" not in plan or "benchmark" not in runs:
        return
    for name in (fact for fact in BENCHMARK_FACTS if fact in plan and fact in runs):
        for benchmark, known in runs.dropna(subset=[name]).groupby("benchmark")[name]:
            values = sorted(set(known))
            there = (plan["benchmark"].eq(benchmark) & plan[name].notna()).to_numpy()
            for value in sorted(set(plan.loc[there, name]) - set(values)):
                if name == "metric" or not np.isclose(value, values).any():
                    rows = there & plan[name].eq(value).to_numpy()
                    fitted = ", ".join(value_text(v) for v in values[:3])
                    yield rows, f"{name} {value_text(value)}, where the fitted runs have {fitted}"


def _far(runs: pd.DataFrame, plan: pd.DataFrame) -> Iterator[Remark]:
    if "flops" not in plan or "flops" not in runs:
        return
    asked = plan["flops"].to_numpy(float)
    least, most = runs["flops"].min(), runs["flops"].max()
    yield asked < least / ROOM, "less compute than any fitted run: the law is asked backwards"
    held, far = most * 10**HELD_DECADES, most * 10**FAR
    yield (
        (asked > held) & (asked <= far),
        f"more than {HELD_DECADES:g} decades of compute beyond the fitted runs: too far for bands to have been checked",
    )
    yield asked > far, f"more than {FAR:g} decades of compute beyond the fitted runs: no backtest reached that"
