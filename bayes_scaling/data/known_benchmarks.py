"""What is generally known of benchmarks: the score of guessing, and which are parts of others."""

import re
from collections.abc import Iterable, Iterator
from functools import reduce

import numpy as np
import pandas as pd

# 1 / choices as the papers of the tests define them, 0 where answers are open.  TruthfulQA and AGIEval have items with
# different numbers of choices and are left out.
CHANCES = {
    "arc_easy": 1 / 4, "arc_challenge": 1 / 4, "hellaswag": 1 / 4, "mmlu": 1 / 4, "openbookqa": 1 / 4, "sciq": 1 / 4,
    "race": 1 / 4, "gpqa": 1 / 4, "mmlu_pro": 1 / 10, "piqa": 1 / 2, "winogrande": 1 / 2, "boolq": 1 / 2, "copa": 1 / 2,
    "rte": 1 / 2, "wsc": 1 / 2, "csqa": 1 / 5, "commonsense_qa": 1 / 5, "siqa": 1 / 3, "social_iqa": 1 / 3,
    "socialiqa": 1 / 3, "cb": 1 / 3, "lambada": 0.0, "lambada_openai": 0.0, "triviaqa": 0.0, "nq_open": 0.0,
    "gsm8k": 0.0, "minerva_math": 0.0, "humaneval": 0.0, "mbpp": 0.0, "squad": 0.0, "coqa": 0.0, "drop": 0.0,
}  # fmt: skip
SHOWN = 4
FEWEST_PARTS = 2  # one name that begins with another is more often a variant of it
SHOTS = re.compile(r"(?:\d+|zero|few)_?shot$", re.IGNORECASE)  # the same items, asked in another way
MOST_ITEMS = 100_000  # of a group whose parts are searched for a set that adds up


def usual_chances(benchmarks: Iterable[str]) -> str:
    """The usual score of guessing of some benchmarks, in words; empty for unknown ones.

    Examples
    --------
    >>> usual_chances(["piqa", "mine", "hellaswag"])
    '; usual are 0.5 for piqa, 0.25 for hellaswag'
    """
    known = [name for name in dict.fromkeys(benchmarks) if isinstance(name, str) and name.lower() in CHANCES]
    texts = [f"{CHANCES[name.lower()]:.3g} for {name}" for name in known[:SHOWN]]
    return f"; usual are {', '.join(texts)}" if texts else ""


def overlaps(items: pd.Series) -> Iterator[tuple[str, list[str], list[str]]]:
    """Benchmarks that hold others: those whose names begin with its own, as ``mmlu_stem`` begins with ``mmlu``.

    Parameters
    ----------
    items : Series
        Items of every benchmark, by name; blank where unknown.

    Yields
    ------
    whole : str
    parts : list of str
    level : list of str
        Parts whose items add up to those of the whole; empty where there are none.

    Examples
    --------
    >>> list(overlaps(pd.Series({"mmlu": 30.0, "mmlu_a": 10.0, "mmlu_b": 20.0, "mmlu_a_1": 4.0, "piqa": 9.0})))
    [('mmlu', ['mmlu_a', 'mmlu_b', 'mmlu_a_1'], ['mmlu_a', 'mmlu_b'])]
    """
    names = [str(name) for name in items.index]
    for whole in names:
        begin = [name for name in names if name.startswith(f"{whole}_") and name.lower() not in CHANCES]
        parts = [name for name in begin if not SHOTS.search(name)]
        if len(parts) >= FEWEST_PARTS:
            yield whole, parts, _adding_up(items[parts], items[whole])


def _adding_up(parts: pd.Series, whole: float) -> list[str]:
    """Parts whose items add up to a whole, the largest first; empty where no set does."""
    known = parts.dropna().sort_values(ascending=False)
    if not (np.isfinite(whole) and 0 < whole <= MOST_ITEMS and len(known) > 1):
        return []
    sizes = known.round().astype(int).tolist()
    reached = reduce(lambda sums, size: [*sums, sums[-1] | sums[-1] << size], sizes, [1])
    left, chosen = round(whole), []
    if not reached[-1] >> left & 1:
        return []
    for number in range(len(sizes), 0, -1):
        if not reached[number - 1] >> left & 1:  # only with this part
            chosen.append(str(known.index[number - 1]))
            left -= sizes[number - 1]
    return [name for name in map(str, parts.index) if name in chosen]
