"""Per-sample logs of lm-evaluation-harness, ``samples_<task>_<date>.jsonl``: right answers of every problem.

One line a document and filter.  Counts of several answers are there only where the filter kept all of them and the
metric is their mean; what is a single answer stands in the file of results already.
"""

from __future__ import annotations

import re
from pathlib import Path

from bayes_scaling.logs.json_values import mapping, number, read_lines, sequence, text
from bayes_scaling.logs.record import LeftOut, Log, LoggedScore, our_metric

FILE = re.compile(r"samples_(?P<task>.+)_\d{4}-\d\d-\d\dT.*\.jsonl$")
NEAR = 1e-6


def is_sample(value: object) -> bool:
    """Whether a line of JSONL is of such a log."""
    return {"doc_id", "resps", "filter"} <= set(mapping(value))


def read_samples(path: Path) -> Log:
    """Counts of right answers per problem, by metric and filter."""
    log, counts, unclear = Log(), dict[tuple[str, str], dict[str, tuple[int, int]]](), set[tuple[str, str]]()
    broken = 0
    for _, value in read_lines(path):
        line = mapping(value)
        if not is_sample(line):
            broken += 1
            continue
        kept = sequence(line.get("filtered_resps"))
        several = len(kept) if len(kept) > 1 else max(len(sequence(kept[0])), 1) if kept else 1
        for metric in map(text, sequence(line.get("metrics"))):
            score, key = number(line.get(metric)), (metric, text(line.get("filter")))
            right = None if score is None else score * several
            if right is None or abs(right - round(right)) > NEAR or not 0 <= right <= several:
                unclear.add(key)
            else:
                counts.setdefault(key, {})[str(line.get("doc_id"))] = (several, round(right))
    matched = FILE.search(path.name)
    task, model = matched["task"] if matched else path.stem, path.parent.name.replace("__", "/")
    if broken:
        log.left_out.append(LeftOut(path.name, task, f"{broken} lines are not samples, or cut off"))
    for (metric, answer_filter), problems in counts.items():
        what = f"{task}, {metric} ({answer_filter})"
        if (metric, answer_filter) in unclear:
            log.left_out.append(LeftOut(path.name, what, "values are not shares of the answers drawn"))
        elif max(several for several, _ in problems.values()) == 1:
            log.left_out.append(LeftOut(path.name, what, "one answer an item: its score is in the file of results"))
        elif our_metric(metric)[0] not in ("accuracy", "exact_match"):
            log.left_out.append(LeftOut(path.name, what, "not a share of right answers"))
        else:
            rows = tuple((problem, *pair) for problem, pair in problems.items())
            log.scores.append(LoggedScore(path.name, model, task, "pass@1", 0.0, answer_filter=answer_filter,
                                          k=1.0, counts=rows))  # fmt: skip
    return log
