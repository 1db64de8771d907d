"""OLMES: records of tasks, one a line in ``metrics-all.jsonl`` or one a file; and predictions, which tell the chance.

The alias names the format of a task: ``arc_challenge:mc`` and ``arc_challenge:rc`` are different benchmarks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bayes_scaling.logs.json_values import mapping, number, read_lines, sequence, text
from bayes_scaling.logs.record import LeftOut, Log, LoggedScore, our_metric

SUITES = ("macro", "micro", "mc_or_rc")


def is_olmes(value: object) -> bool:
    """Whether a value of JSON is a record of a task."""
    return {"task_name", "metrics"} <= set(mapping(value)) and "doc_id" not in mapping(value)


def is_prediction(value: object) -> bool:
    """Whether a line of JSONL is a prediction."""
    return {"doc_id", "model_output", "metrics"} <= set(mapping(value))


def read_olmes(value: object, file: str) -> Log:
    """Scores of one record."""
    record, log = mapping(value), Log()
    config, model, metrics = (mapping(record.get(name)) for name in ("task_config", "model_config", "metrics"))
    name = text(mapping(config.get("metadata")).get("alias")) or text(record.get("task_name"))
    primary = text(config.get("primary_metric"))
    if not config and not metrics:
        log.left_out.append(LeftOut(file, name or "a line", "no record of a task"))
        return log
    if primary in SUITES or record.get("task_idx", 0) is None:
        log.left_out.append(LeftOut(file, name, "a suite of other tasks"))
        return log
    for metric, entry in metrics.items():
        score, (_, k, reason) = number(entry), our_metric(metric)
        if metric == "primary_score" or entry is None:
            continue
        if not reason and (score is None or not 0 <= score <= 1):
            reason = "no number between 0 and 1"
        if reason or score is None:
            log.left_out.append(LeftOut(file, f"{name}, {metric}", reason))
            continue
        log.scores.append(
            LoggedScore(file, text(model.get("model")) or text(model.get("model_path")), name, metric, score,
                        text(model.get("revision")), n_items=number(record.get("num_instances")), k=k,
                        shots=number(config.get("num_shots")), primary=metric == primary)
        )  # fmt: skip
    return log


def read_predictions(path: Path) -> Log:
    """What a file of predictions says of chance: the mean of 1 / choices over its items."""
    each = [len(sequence(mapping(value).get("model_output"))) for _, value in read_lines(path) if is_prediction(value)]
    choices = [1 / number_of for number_of in each if number_of > 1]
    said = f"guessing would score {np.mean(choices):.4g}" if choices else "one answer an item"
    return Log(left_out=[LeftOut(path.name, path.stem, f"predictions: {said}; scores are in the file of metrics")])
