"""evalplus: ``…eval_results.json``, right answers of every problem, in the old and the new form.

An answer counts for the tests of "plus" only where it passes the base tests too.
"""

from __future__ import annotations

from bayes_scaling.logs.json_values import mapping, sequence, text
from bayes_scaling.logs.record import LeftOut, Log, LoggedScore

PASSED = "pass"


def is_evalplus(value: object) -> bool:
    """Whether a value of JSON is such a file."""
    top = mapping(value)
    return isinstance(top.get("eval"), dict) and bool({"date", "hash"} & set(top))


def read_evalplus(value: object, file: str, model: str) -> Log:
    """Counts of right answers for the base tests and, where they were run, for those of plus.

    Parameters
    ----------
    value : object
    file : str
    model : str
        The log names none.
    """
    log = Log()
    found: dict[str, list[tuple[str, int, int]]] = {}
    for problem, entry in mapping(mapping(value).get("eval")).items():
        base, plus = _answers(entry)
        benchmark = problem.partition("/")[0].lower()
        if not base:
            log.left_out.append(LeftOut(file, problem, "no answers"))
            continue
        found.setdefault(benchmark, []).append((problem, len(base), sum(base)))
        if len(plus) == len(base):
            both = sum(one and two for one, two in zip(base, plus, strict=True))
            found.setdefault(f"{benchmark}+", []).append((problem, len(base), both))
    for benchmark, rows in found.items():
        log.scores.append(LoggedScore(file, model, benchmark, "pass@1", 0.0, k=1.0, counts=tuple(rows)))
    return log


def _answers(entry: object) -> tuple[list[bool], list[bool]]:
    """Whether each answer passes the base tests, and those of plus; empty where these were not run."""
    if isinstance(entry, list):
        rows = [mapping(one) for one in entry]
        base = [text(one.get("base_status")) == PASSED for one in rows]
        ran = [bool(text(one.get("plus_status"))) for one in rows]
        return base, [text(one.get("plus_status")) == PASSED for one in rows] if all(ran) else []
    old = mapping(entry)
    passed = {kind: [bool(sequence(one)) and sequence(one)[0] == PASSED for one in sequence(old.get(kind))]
              for kind in ("base", "plus")}  # fmt: skip
    return passed["base"], passed["plus"]
