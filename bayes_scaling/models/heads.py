"""Heads: an observed response, the chain of laws behind its mean, and the likelihood that it is learned from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from bayes_scaling.errors import ModelError
from bayes_scaling.laws.likelihoods import COUNTS, LOSSES, SCORES, TRIES, Likelihood
from bayes_scaling.laws.parameters import Component, Parameter

GIVEN = ("neglog", "loss", "score")  # what the parts of a chain give each other
# What a head is called -> the column that holds it, and the rows that it can be learned from.
RESPONSES = {"accuracy": "score", "loss": "loss", "pass_at_k": "score"}
LEARNED_FROM = {"accuracy": (SCORES,), "loss": (LOSSES,), "pass_at_k": (TRIES, COUNTS)}


@dataclass(frozen=True)
class Head:
    """One observed response: its name, the chain of laws behind its mean, and its likelihood."""

    response: str
    form: Component
    likelihood: Likelihood

    @property
    def noise(self) -> dict[str, Parameter]:
        """Parameters of the likelihood under the names that the model knows them by."""
        own = self.likelihood.component.parameters
        return {p.name: replace(p, name=f"{self.response}_{p.name}") for p in own}

    @property
    def observed(self) -> str:
        """Column that holds what the likelihood observes."""
        return "n_correct" if self.likelihood.rows == COUNTS else RESPONSES[self.response]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters of the mean and of the likelihood."""
        return (*(p.name for p in self.form.parameters), *(p.name for p in self.noise.values()))

    @property
    def columns(self) -> tuple[str, ...]:
        """Data columns that the mean and the likelihood read."""
        return tuple(dict.fromkeys((*self.form.inputs, *self.likelihood.component.inputs[1:])))

    @property
    def exchangeable(self) -> bool:
        """Whether many rows are equal, such that the compiled density reads each once, with its number."""
        return self.likelihood.rows == COUNTS


def check_head(head: Head, where: str) -> None:
    """Refuse chains of which a part does not take what came before, and likelihoods made for other responses.

    Raises
    ------
    ModelError
    """
    _check_chain(head, where)
    _check_rows(head, where)


def _check_chain(head: Head, where: str) -> None:
    """Every part of a chain takes what the one before it gives, and the last gives the response."""
    parts, wanted = head.form.parts, RESPONSES[head.response]
    broken = [p.name for before, p in pairwise(parts) if p.inputs[0] != before.gives]
    if parts[0].inputs[0] in GIVEN or broken or parts[-1].gives != wanted:
        said = ", ".join(f"{p.name} gives {p.gives}" for p in parts)
        raise ModelError(
            f"{where}: {head.form.name!r} must begin with a law of columns, take at every step what came before and "
            f"end in {wanted}, such as 'power_law > ceiling > accuracy'; here {said}"
        )


def _check_rows(head: Head, where: str) -> None:
    """A response takes a likelihood made for it; pass@k a law of k unless the likelihood says how pass@k follows."""
    rows = head.likelihood.rows
    if rows not in LEARNED_FROM[head.response] or ("k" in head.form.inputs) != (rows == TRIES):
        raise ModelError(
            f"{where}: {head.response} cannot go with {head.form.name!r} and {head.likelihood.component.name!r}, a "
            f"likelihood of {rows}; accuracy takes one of {SCORES} and loss one of {LOSSES}; pass_at_k takes a law of "
            "k such as 'repeated_sampling > pass_rate' with 'loglog', or one of the rate of single answers such as "
            "'power_law > pass_rate' with 'counts'"
        )
