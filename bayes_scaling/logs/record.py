"""What readers of logs hand on: scores, and what was left out with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CURVES = ("perplexity", "ppl", "bits_per_byte", "bpb", "brier", "bleu", "ter", "chrf", "mc1", "mc2", "loss")
PLAIN = {
    "acc": "accuracy", "accuracy": "accuracy", "acc_raw": "accuracy", "acc_norm": "accuracy_norm",
    "exact_match": "exact_match", "em": "exact_match", "quasi_exact_match": "exact_match", "f1": "f1",
}  # fmt: skip
NORMALISED = ("acc_per_char", "acc_per_token", "acc_per_byte", "acc_uncond")  # of OLMES: accuracy_norm, each in its way
PASS = ("pass@", "pass_at_")


@dataclass(frozen=True)
class LoggedScore:
    """One score as it stands in a log.

    Attributes
    ----------
    file : str
    model, revision : str
        As the tool names them; empty where it does not.
    benchmark, logged_metric, answer_filter : str
        Names of the tool.
    score : float
        Between 0 and 1.
    n_items, k, shots : float, optional
    counts : tuple of (problem, samples, right), optional
        Right answers of every problem, instead of a score.
    part_of : str
        The group whose score holds this one; empty for none.
    is_group : bool
    primary : bool
        Whether the tool calls this the score of the benchmark.
    date : float
        Later is newer.
    facts : mapping
        What else the log says of the run, by columns of runs: ``params``, ``tokens``, ``chance``.
    """

    file: str
    model: str
    benchmark: str
    logged_metric: str
    score: float
    revision: str = ""
    answer_filter: str = ""
    n_items: float | None = None
    k: float | None = None
    shots: float | None = None
    counts: tuple[tuple[str, int, int], ...] = ()
    part_of: str = ""
    is_group: bool = False
    primary: bool = False
    date: float = 0.0
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def metric(self) -> str:
        """The metric in our words."""
        return our_metric(self.logged_metric)[0] or self.logged_metric

    @property
    def kind(self) -> str:
        """What tells scores of one benchmark apart: our metric, and for OLMES how it was normalised."""
        return self.logged_metric if self.logged_metric.lower() in NORMALISED else self.metric


@dataclass(frozen=True)
class LeftOut:
    """Something in a log that is not used, and why."""

    file: str
    what: str
    reason: str


@dataclass
class Log:
    """What one file holds."""

    scores: list[LoggedScore] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def our_metric(name: str) -> tuple[str, float | None, str]:
    """The metric of a tool in our words, its k, and, where there is none, the reason.

    Examples
    --------
    >>> our_metric("acc_norm"), our_metric("pass_at_10")
    (('accuracy_norm', None, ''), ('pass@k', 10.0, ''))
    >>> our_metric("word_perplexity")
    ('', None, 'lower is better, or not a share of items')
    """
    plain = name.strip().lower()
    if plain in PLAIN:
        return PLAIN[plain], None, ""
    if plain in NORMALISED:
        return "accuracy_norm", None, ""
    for start in PASS:
        if plain.startswith(start) and plain[len(start) :].isdigit() and int(plain[len(start) :]) > 0:
            return "pass@k", float(plain[len(start) :]), ""
    if any(word in plain for word in CURVES):
        return "", None, "lower is better, or not a share of items"
    return "", None, "unknown metric"
