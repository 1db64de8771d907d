"""HELM: ``stats.json`` of a run, whose folder names benchmark, subject and model."""

from __future__ import annotations

from pathlib import Path

from bayes_scaling.logs.json_values import mapping, number, sequence, text
from bayes_scaling.logs.record import LeftOut, Log, LoggedScore, our_metric

ITEMS = "num_instances"


def is_helm(value: object) -> bool:
    """Whether a value of JSON is such a file."""
    first = mapping(sequence(value)[0]) if sequence(value) else {}
    return bool(mapping(first.get("name"))) and "count" in first


def read_helm(value: object, path: Path) -> Log:
    """Scores of the test split, without perturbations."""
    log, named = Log(), _named(path.parent.name)
    stats = [one for one in map(mapping, sequence(value)) if _plain(mapping(one.get("name")))]
    items = next((number(one.get("mean")) for one in stats if mapping(one.get("name")).get("name") == ITEMS), None)
    for one in stats:
        metric, score = text(mapping(one.get("name")).get("name")), number(one.get("mean"))
        if metric == ITEMS or score is None:
            continue
        _, k, reason = our_metric(metric)
        if not reason and not 0 <= score <= 1:
            reason = "not between 0 and 1"
        if reason:
            log.left_out.append(LeftOut(path.name, f"{named[0]}, {metric}", reason))
            continue
        log.scores.append(LoggedScore(path.name, named[1], named[0], metric, score, n_items=items, k=k))
    return log


def _plain(name: dict[str, object]) -> bool:
    return name.get("split") in (None, "test") and not name.get("perturbation") and not name.get("sub_split")


def _named(run: str) -> tuple[str, str]:
    """Benchmark and model in the name of a run, such as ``mmlu:subject=philosophy,model=lab_toy``."""
    scenario, _, rest = run.partition(":")
    pairs = dict(part.split("=", 1) for part in rest.split(",") if "=" in part)
    model = pairs.pop("model", "").replace("_", "/", 1)
    subject = pairs.get("subject", "")
    return f"{scenario}_{subject}" if subject else scenario, model
