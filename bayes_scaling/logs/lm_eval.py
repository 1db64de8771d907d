"""Results of lm-evaluation-harness, 0.3 and 0.4: ``results_<date>.json``.

A key of a task that is a metric has one comma, ``<metric>,<filter>``, and a number (in 0.3 no comma).  Groups stand
among the tasks; ``groups`` and ``group_subtasks`` say which they are, and what they hold.
"""

from __future__ import annotations

from collections.abc import Iterator

from bayes_scaling.errors import DataError
from bayes_scaling.logs.json_values import mapping, number, sequence, text
from bayes_scaling.logs.record import LeftOut, Log, LoggedScore, our_metric

NAMES = ("pretrained", "model", "path", "peft")
DEPTH = 6  # of groups within groups


def is_lm_eval(value: object) -> bool:
    """Whether a value of JSON is such a file."""
    top = mapping(value)
    return isinstance(top.get("results"), dict) and bool({"versions", "config", "configs", "n-shot"} & set(top))


def read_lm_eval(value: object, file: str) -> Log:
    """Scores of one results file.

    Raises
    ------
    DataError
        It holds no results.
    """
    top, log = mapping(value), Log()
    results, config = mapping(top.get("results")), mapping(top.get("config"))
    if not results:
        raise DataError(f"{file}: results of lm-evaluation-harness, but without any task")
    model, revision = _model(top, config)
    facts = {"params": size} if (size := number(config.get("model_num_parameters"))) and size > 0 else {}
    members, wholes = _groups(top)
    date = number(top.get("date")) or 0.0
    for task, entry in results.items():
        found = list(_metrics(mapping(entry)))
        if not found:
            log.left_out.append(LeftOut(file, task, "a group without a score, or no number"))
        for metric, answer_filter, score in found:
            _, k, reason = our_metric(metric)
            if mapping(mapping(top.get("higher_is_better")).get(task)).get(metric) is False:
                reason = "lower is better"
            if not reason and not 0 <= score <= 1:
                reason = f"{score:g} is not a proportion between 0 and 1"
            if reason:
                log.left_out.append(LeftOut(file, f"{task}, {metric}", reason))
                continue
            log.scores.append(
                LoggedScore(
                    file=file,
                    model=model,
                    benchmark=task,
                    logged_metric=metric,
                    score=score,
                    revision=revision,
                    answer_filter=answer_filter,
                    n_items=_items(top, task, members),
                    k=k,
                    shots=_shots(top, config, task),
                    part_of=wholes.get(task, ""),
                    is_group=task in members,
                    date=date,
                    facts=facts,
                )
            )
    return log


def _metrics(entry: dict[str, object]) -> Iterator[tuple[str, str, float]]:
    """Metric, filter and value of every score of a task."""
    for key, value in entry.items():
        metric, comma, answer_filter = key.partition(",")
        plain = key in ("sample_len", "sample_count", "alias", "name")
        found = number(value)
        if found is not None and not plain and not metric.endswith("_stderr") and "," not in answer_filter:
            yield metric.strip(), answer_filter.strip() if comma else "", found


def _model(top: dict[str, object], config: dict[str, object]) -> tuple[str, str]:
    """Name and revision of the model."""
    arguments = config.get("model_args")
    if isinstance(arguments, str):
        arguments = dict(part.split("=", 1) for part in arguments.split(",") if "=" in part)
    given = mapping(arguments)
    named = text(top.get("model_name")) or next((text(given[n]) for n in NAMES if text(given.get(n))), "")
    return named or text(config.get("model")), text(given.get("revision"))


def _groups(top: dict[str, object]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Groups with their leaves, and the topmost group with a score of every task within one."""
    holds = {name: [text(one) for one in sequence(parts)] for name, parts in mapping(top.get("group_subtasks")).items()}
    holds = {name: parts for name, parts in holds.items() if parts}
    holds |= {name: [] for name in mapping(top.get("groups")) if name not in holds}
    scored = {name for name in holds if list(_metrics(mapping(mapping(top.get("results")).get(name))))}
    above: dict[str, str] = {part: name for name, parts in holds.items() for part in parts}
    wholes = {}
    for task in {*above, *holds}:
        up, here = "", task
        for _ in range(DEPTH):
            here = above.get(here, "")
            up = here if here in scored else up
        if up:
            wholes[task] = up
    leaves = {name: _leaves(name, holds, DEPTH) for name in holds}
    return leaves, wholes


def _leaves(name: str, holds: dict[str, list[str]], depth: int) -> list[str]:
    parts = holds.get(name, [])
    if not parts or depth == 0:
        return [name]
    return [leaf for part in parts for leaf in _leaves(part, holds, depth - 1)]


def _items(top: dict[str, object], task: str, members: dict[str, list[str]]) -> float | None:
    """Items that were evaluated; of a group the sum over its leaves."""
    counts = mapping(top.get("n-samples"))
    each = [number(mapping(counts.get(leaf)).get("effective")) for leaf in members.get(task) or [task]]
    known = [count for count in each if count]
    if known and len(known) == len(each):
        return sum(known)
    return number(mapping(mapping(top.get("results")).get(task)).get("sample_len"))


def _shots(top: dict[str, object], config: dict[str, object], task: str) -> float | None:
    shots = number(mapping(top.get("n-shot")).get(task))
    return shots if shots is not None else number(config.get("num_fewshot"))
