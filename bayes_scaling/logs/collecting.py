"""Collect logs of evaluations into a table of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_scaling.data.columns import CHOICE_METRICS
from bayes_scaling.data.known_benchmarks import CHANCES
from bayes_scaling.data.runs import read_runs
from bayes_scaling.errors import DataError
from bayes_scaling.logs.choosing import (
    GROUPS,
    WHOLE,
    named_by_shots,
    newest,
    of_one_filter,
    of_one_metric,
    without_doubles,
)
from bayes_scaling.logs.formats import log_files, read_log
from bayes_scaling.logs.manifest import OF_MODELS, Manifest, read_manifest
from bayes_scaling.logs.record import LeftOut, LoggedScore
from bayes_scaling.messages import listed_names, suggest


@dataclass(frozen=True)
class Collected:
    """What logs hold.

    Attributes
    ----------
    table : DataFrame
        One row a score, or a problem with its right answers, in the columns of a table of runs; besides
        ``logged_metric``, ``answer_filter``, ``shots`` and ``file``.
    left_out : DataFrame
        ``file``, ``what`` and ``reason`` of all that was not taken.
    missing : list of str
        What the logs and the manifest do not say, a sentence each.
    """

    table: pd.DataFrame
    left_out: pd.DataFrame
    missing: list[str]

    def runs(self) -> pd.DataFrame:
        """The table as checked runs, for `fit`.

        Raises
        ------
        DataError
            Something is missing, or cannot be.
        """
        if self.missing:
            raise DataError("the logs do not say all that a law needs:\n  " + "\n  ".join(self.missing))
        return read_runs(self.table)


def collect_logs(
    paths: str | Path | Iterable[str | Path],
    manifest: str | Path | pd.DataFrame | None = None,
    *,
    groups: str = WHOLE,
    metrics: Mapping[str, str] | None = None,
    filters: Mapping[str, str] | None = None,
) -> Collected:
    """Collect logs of lm-evaluation-harness, Every Eval Ever, OLMES, evalplus and HELM into a table of runs.

    Every run gets one score a benchmark.  Groups are never counted with their parts; the same metric is taken for all
    runs of a benchmark; of several evaluations of a run the newest counts; a benchmark that was asked with several
    numbers of examples becomes several benchmarks.  What was not taken is listed with the reason.

    Parameters
    ----------
    paths : path, or several
        Files, or folders that hold them.
    manifest : path or DataFrame, optional
        What the logs do not say: one row a model with ``model`` and, where known, ``params``, ``tokens``, ``flops``,
        ``mixture``, ``family``, ``seed``, ``step`` and ``run``.  A TOML file also holds facts about benchmarks; see
        `logs.manifest`.
    groups : str
        "whole" takes the topmost group that has a score, such as MMLU; "parts" takes its tasks.
    metrics, filters : mapping, optional
        Benchmark -> metric or filter, in the words of the tool.  By default the metric that most runs have, then the
        one that the tool calls primary, then accuracy.

    Returns
    -------
    Collected

    Raises
    ------
    DataError
        No such file, no score in any, a manifest that cannot be read, or a benchmark with several filters.

    Examples
    --------
    >>> import json, pathlib
    >>> import bayes_scaling as bs
    >>> log = {"results": {"piqa": {"acc,none": 0.7}}, "model_name": "lab/toy", "config": {},
    ...        "n-samples": {"piqa": {"effective": 1838}}}
    >>> _ = pathlib.Path("results.json").write_text(json.dumps(log))
    >>> manifest = pd.DataFrame({"model": ["lab/*"], "params": ["120M"], "tokens": ["2.4B"], "mixture": ["C4"]})
    >>> found = bs.collect_logs("results.json", manifest)
    >>> found.runs()[["run", "benchmark", "score", "n_items", "chance", "flops"]].to_numpy().tolist()
    [['lab/toy', 'piqa', 0.7, 1838.0, 0.5, 1.728e+18]]
    """
    if groups not in GROUPS:
        raise DataError(f"groups must be 'whole' or 'parts', not {groups!r}; {suggest(groups, GROUPS)}")
    facts, scores, left = read_manifest(manifest), list[LoggedScore](), list[LeftOut]()
    for path in log_files([paths] if isinstance(paths, str | Path) else paths):
        log = read_log(path)
        scores += log.scores
        left += log.left_out
    if not scores:
        reasons = listed_names((f"{one.file}: {one.reason}" for one in left), between="; ")
        raise DataError(f"no score was found in these logs ({reasons or 'there is no JSON file'})")
    told = {name: {b: str(f[name]) for b, f in facts.benchmarks.items() if name in f} for name in ("metric", "filter")}
    scores = without_doubles(scores, groups, left)
    scores = of_one_metric(scores, told["metric"] | dict(metrics or {}), left)
    scores = of_one_filter(scores, told["filter"] | dict(filters or {}), left)
    scores = newest(named_by_shots(scores), left)
    sizes: dict[str, dict[str, float]] = {}
    for score in scores:
        sizes.setdefault(score.model if score.model else score.file, {}).update(score.facts)
    scores = [replace(score, facts=sizes[score.model or score.file]) for score in scores]
    table = pd.DataFrame([row for score in scores for row in _rows(score, facts)])
    return Collected(
        table, pd.DataFrame([asdict(one) for one in left], columns=["file", "what", "reason"]), _missing(table)
    )


def _rows(score: LoggedScore, facts: Manifest) -> list[dict[str, object]]:
    """The rows of one score: one, or one a problem."""
    of_model, of_benchmark = facts.of(score.model, score.revision), facts.benchmarks.get(score.benchmark, {})
    own = {"run": "@".join(filter(None, (score.model, score.revision)))} | dict(score.facts) | of_model
    chance = of_benchmark.get("chance", own.pop("chance", None))
    if chance is None:
        chance = CHANCES.get(_plain(score.benchmark), np.nan) if score.metric in CHOICE_METRICS else 0.0
    row = {name: own.get(name, np.nan) for name in ("run", *OF_MODELS)} | {
        "benchmark": score.benchmark, "metric": score.metric, "score": score.score,
        "n_items": of_benchmark.get("n_items", score.n_items), "k": score.k, "chance": chance,
        "logged_metric": score.logged_metric, "answer_filter": score.answer_filter, "shots": score.shots,
        "file": score.file, "model": score.model,
    }  # fmt: skip
    if not score.counts:
        return [row]
    items = {"metric": "pass@k", "score": np.nan, "n_items": np.nan, "k": np.nan}
    return [row | items | {"problem": problem, "n_samples": drawn, "n_correct": right}
            for problem, drawn, right in score.counts]  # fmt: skip


def _plain(benchmark: str) -> str:
    """A name without format, suite and shots, for the table of usual chances."""
    return benchmark.lower().partition(":")[0].partition("_0shot")[0]


def _missing(table: pd.DataFrame) -> list[str]:
    """What is not known, a sentence each, and where the manifest puts it."""
    found, named = [], table["model"] != ""
    if not named.all():
        files = listed_names(table.loc[~named, "file"])
        found.append(
            f"model of {int((~named).sum())} scores, which {files} do not name: put each file into a folder of it"
        )
    for name in ("params", "tokens"):
        if models := sorted(table.loc[table[name].isna() & table["flops"].isna() & named, "model"].unique()):
            found.append(f"{name} of {listed_names(models)}: put the column {name} into the manifest, a row a model")
    if (table["mixture"].isna()).any() and table["mixture"].notna().any():
        models = sorted(table.loc[table["mixture"].isna(), "model"].unique())
        found.append(f"mixture of {listed_names(models)}: the manifest names it for other models")
    if unsure := sorted(table.loc[table["chance"].isna(), "benchmark"].unique()):
        found.append(f"chance of {listed_names(unsure)}: write [benchmarks.NAME] chance = 0.25 into a manifest in TOML")
    return found
