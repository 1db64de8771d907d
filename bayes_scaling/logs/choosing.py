"""One score a run and benchmark: groups or their parts, one metric, one filter, the newest of several."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace

from bayes_scaling.errors import DataError
from bayes_scaling.logs.record import LeftOut, LoggedScore
from bayes_scaling.messages import listed

WHOLE, PARTS = GROUPS = ("whole", "parts")
ORDER = ("accuracy", "exact_match", "pass@k", "accuracy_norm", "f1")  # of metrics, where nobody chose


def without_doubles(scores: list[LoggedScore], groups: str, left: list[LeftOut]) -> list[LoggedScore]:
    """Scores of groups or of their parts, never both."""
    scored = {(s.file, s.model, s.revision, s.benchmark) for s in scores}

    def unwanted(score: LoggedScore) -> str:
        inside = (score.file, score.model, score.revision, score.part_of) in scored
        if groups == WHOLE and score.part_of and inside:
            return f"part of {score.part_of}"
        return "a group, whose parts are taken" if groups == PARTS and score.is_group else ""

    return _kept(scores, unwanted, left)


def of_one_metric(scores: list[LoggedScore], wanted: Mapping[str, str], left: list[LeftOut]) -> list[LoggedScore]:
    """Scores of one metric a benchmark, the same for all runs.

    Raises
    ------
    DataError
        A benchmark lacks the metric that was asked for.
    """
    chosen = {}
    for benchmark, own in _by_benchmark(scores).items():
        if benchmark in wanted:
            own = [s for s in own if wanted[benchmark] in (s.kind, s.logged_metric, s.metric)] or own
            if wanted[benchmark] not in {name for s in own for name in (s.kind, s.logged_metric, s.metric)}:
                held = sorted({s.logged_metric for s in own})
                raise DataError(f"{benchmark} has no metric {wanted[benchmark]!r}; its logs hold {held}")
        chosen[benchmark] = min(own, key=_rank(own)).kind

    def unwanted(score: LoggedScore) -> str:
        taken = chosen[score.benchmark]
        return "" if score.kind == taken else f"{taken} is taken for this benchmark"

    return _kept(scores, unwanted, left)


def _rank(own: list[LoggedScore]) -> Callable[[LoggedScore], tuple[int, int, int, str]]:
    """What is taken first: a metric that most runs have, that the tool calls primary, and by the order of ours."""
    runs, primary = defaultdict(set), Counter(s.kind for s in own if s.primary)
    for score in own:
        runs[score.kind].add((score.model, score.revision))
    place = {metric: number for number, metric in enumerate(ORDER)}
    return lambda s: (-len(runs[s.kind]), -primary[s.kind], place.get(s.metric, len(ORDER)), s.kind)


def of_one_filter(scores: list[LoggedScore], wanted: Mapping[str, str], left: list[LeftOut]) -> list[LoggedScore]:
    """Scores of one filter a benchmark.

    Raises
    ------
    DataError
        A benchmark has several, and none was chosen.
    """
    chosen, unclear = {}, []
    for benchmark, own in _by_benchmark(scores).items():
        found = sorted({s.answer_filter for s in own if s.answer_filter})
        chosen[benchmark] = wanted.get(benchmark, found[0] if found else "")
        if benchmark in wanted and wanted[benchmark] not in found:
            raise DataError(f"{benchmark} has no filter {wanted[benchmark]!r}; its logs hold {found}")
        if benchmark not in wanted and len(found) > 1:
            unclear.append(f"{benchmark}: {' or '.join(found)}")
    if unclear:
        raise DataError(
            "some benchmarks were scored by several filters of the answers, whose scores differ; choose one each with "
            f"filters={{benchmark: filter}} ({listed(unclear, 10)})"
        )

    def unwanted(score: LoggedScore) -> str:
        fits = score.answer_filter in ("", chosen[score.benchmark])
        return "" if fits else f"{chosen[score.benchmark]} is taken for this benchmark"

    return _kept(scores, unwanted, left)


def named_by_shots(scores: list[LoggedScore]) -> list[LoggedScore]:
    """Benchmarks of several numbers of examples in the prompt, told apart by their names."""
    shots = defaultdict(set)
    for score in scores:
        shots[score.benchmark].add(score.shots)
    several = {name for name, known in shots.items() if len(known - {None}) > 1}
    return [
        replace(s, benchmark=f"{s.benchmark}_{s.shots:g}shot") if s.benchmark in several and s.shots is not None else s
        for s in scores
    ]


def newest(scores: list[LoggedScore], left: list[LeftOut]) -> list[LoggedScore]:
    """The newest score of each run and benchmark, and k; of equally new ones the last that was read."""
    last: dict[tuple[str, str, str, float | None], LoggedScore] = {}
    for score in sorted(scores, key=lambda s: s.date):
        last[score.model, score.revision, score.benchmark, score.k] = score

    def unwanted(score: LoggedScore) -> str:
        taken = last[score.model, score.revision, score.benchmark, score.k]
        return "" if taken is score else f"{taken.file} is newer, or was read later"

    return _kept(scores, unwanted, left)


def _by_benchmark(scores: list[LoggedScore]) -> dict[str, list[LoggedScore]]:
    found: dict[str, list[LoggedScore]] = {}
    for score in scores:
        found.setdefault(score.benchmark, []).append(score)
    return found


def _kept(scores: list[LoggedScore], unwanted: Callable[[LoggedScore], str], left: list[LeftOut]) -> list[LoggedScore]:
    """Scores that nothing speaks against; the others are added to what was left out."""
    kept = []
    for score in scores:
        if reason := unwanted(score):
            detail = f", {score.answer_filter}" if score.answer_filter else ""
            left.append(LeftOut(score.file, f"{score.benchmark}, {score.logged_metric}{detail}", reason))
        else:
            kept.append(score)
    return kept
