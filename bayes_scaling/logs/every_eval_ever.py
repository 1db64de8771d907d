"""Every Eval Ever, schema 0.2: one JSON file a model and benchmark.

``samples_number`` is the size of the data set, not what was evaluated, and is never taken for the number of items.
"""

from __future__ import annotations

from bayes_scaling.logs.json_values import mapping, number, sequence, text
from bayes_scaling.logs.record import LeftOut, Log, LoggedScore, our_metric

SIZES = {
    "num_parameters": "params",
    "training_tokens": "tokens",
}  # names in additional_details that speak for themselves
SCORERS = ("choice", "match", "exact", "includes", "accuracy", "pattern")  # scorers, not benchmarks


def is_every_eval_ever(value: object) -> bool:
    """Whether a value of JSON is such a file."""
    return {"schema_version", "evaluation_results"} <= set(mapping(value))


def read_every_eval_ever(value: object, file: str) -> Log:
    """Scores of one file."""
    top, log = mapping(value), Log()
    about = mapping(top.get("model_info"))
    details, results = mapping(about.get("additional_details")), sequence(top.get("evaluation_results"))
    facts = {ours: size for theirs, ours in SIZES.items() if (size := _size(details.get(theirs)))}
    rows = number(mapping(top.get("detailed_evaluation_results")).get("total_rows"))
    date = _size(top.get("evaluation_timestamp")) or _size(top.get("retrieved_timestamp")) or 0.0
    for one in map(mapping, results):
        benchmark, config = _benchmark(one), mapping(one.get("metric_config"))
        details_of = mapping(one.get("score_details"))
        metric = text(config.get("metric_id")) or text(config.get("evaluation_description")) or "accuracy"
        k = number(mapping(config.get("metric_parameters")).get("k"))
        named = f"pass@{k:g}" if metric in ("pass_at_k", "pass@k") and k else metric
        _, known_k, reason = our_metric(named)
        score = _scaled(number(details_of.get("score")), config)
        if config.get("lower_is_better") is True:
            reason = "lower is better"
        elif config.get("score_type") == "levels":
            reason = "levels, not a score"
        elif not reason and score is None:
            reason = "no number between its least and its greatest score"
        if reason or score is None:
            log.left_out.append(LeftOut(file, f"{benchmark}, {metric}", reason))
            continue
        log.scores.append(
            LoggedScore(file, text(about.get("id")) or text(about.get("name")), benchmark, named, score,
                        n_items=_items(one, details_of, rows if len(results) == 1 else None), k=known_k, date=date,
                        facts=facts, primary=True)
        )  # fmt: skip
    return log


def _benchmark(result: dict[str, object]) -> str:
    """The name of the benchmark; that of the data set where the evaluation is named by its scorer."""
    named, data = text(result.get("evaluation_name")), text(mapping(result.get("source_data")).get("dataset_name"))
    return data if data and (not named or named.lower() in SCORERS) else named


def _scaled(score: float | None, config: dict[str, object]) -> float | None:
    """A score between 0 and 1 by its least and greatest value."""
    low, high = number(config.get("min_score")), number(config.get("max_score"))
    if score is None:
        return None
    if text(config.get("metric_unit")) == "percent" and high is None:
        low, high = 0.0, 100.0
    if low is not None and high is not None and high > low:
        score = (score - low) / (high - low)
    return score if 0 <= score <= 1 else None


def _items(result: dict[str, object], details: dict[str, object], rows: float | None) -> float | None:
    """Items that were evaluated."""
    stated = number(mapping(details.get("uncertainty")).get("num_samples"))
    listed = len(sequence(mapping(result.get("source_data")).get("sample_ids")))
    return stated or (float(listed) if listed else None) or rows


def _size(value: object) -> float | None:
    """A positive number, also as text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    found = number(value)
    return found if found and found > 0 else None
