"""Response models: a response, the chain of laws behind its mean, and the likelihood that it is learned from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from bayes_scaling.errors import ModelError
from bayes_scaling.laws.likelihoods import Likelihood
from bayes_scaling.laws.parameters import Component, Parameter
from bayes_scaling.models.responses.all_responses import RESPONSES
from bayes_scaling.models.responses.response import Response, Source

NEGLOG = "neglog"  # minus log accuracy, which laws give to modifiers


@dataclass(frozen=True)
class ResponseModel:
    """One observed response: what it is, the chain of laws behind its mean, and its likelihood."""

    response: Response
    law: Component
    likelihood: Likelihood

    @property
    def name(self) -> str:
        """Name of the response."""
        return self.response.name

    @property
    def noise(self) -> dict[str, Parameter]:
        """Parameters of the likelihood under the names that the model knows them by."""
        parameters = self.likelihood.component.parameters
        return {p.name: replace(p, name=f"{self.name}_{p.name}") for p in parameters}

    @property
    def source(self) -> Source:
        """The kind of rows that the response is learned from."""
        source = self.response.source(self.likelihood.rows)
        assert source is not None  # see `check_response_model`
        return source

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters of the mean and of the likelihood."""
        return (*(p.name for p in self.law.parameters), *(p.name for p in self.noise.values()))

    @property
    def columns(self) -> tuple[str, ...]:
        """Data columns that the mean and the likelihood read."""
        return tuple(dict.fromkeys((*self.law.inputs, *self.likelihood.component.inputs[1:])))

    @property
    def planned_columns(self) -> tuple[str, ...]:
        """Data columns that a forecast reads."""
        return tuple(dict.fromkeys((*self.columns, *self.response.columns)))


def check_response_model(response_model: ResponseModel, where: str) -> None:
    """Refuse chains of which a part does not take what came before, and likelihoods made for other responses.

    Raises
    ------
    ModelError
    """
    _check_chain(response_model, where)
    _check_rows(response_model, where)


def _check_chain(response_model: ResponseModel, where: str) -> None:
    """Every part of a chain takes what the one before it gives, and the last gives the response."""
    parts, wanted = response_model.law.parts, response_model.response.gives
    given = {NEGLOG, *(response.gives for response in RESPONSES.values())}
    broken = [p.name for before, p in pairwise(parts) if p.inputs[0] != before.gives]
    if parts[0].inputs[0] in given or broken or parts[-1].gives != wanted:
        gives = ", ".join(f"{p.name} gives {p.gives}" for p in parts)
        raise ModelError(
            f"{where}: {response_model.law.name!r} must begin with a law of columns, take at every step what came "
            f"before and end in {wanted}, such as 'power_law > ceiling > accuracy'; here {gives}"
        )


def _check_rows(response_model: ResponseModel, where: str) -> None:
    """A response takes a likelihood of rows it can be learned from, and a law of k exactly where these need one."""
    response, likelihood = response_model.response, response_model.likelihood
    source = response.source(likelihood.rows)
    if source is None or ("k" in response_model.law.inputs) != source.law_reads_k:
        raise ModelError(
            f"{where}: {response.name} cannot go with {response_model.law.name!r} and "
            f"{likelihood.component.name!r}, a likelihood of {likelihood.rows}; {response.advice}"
        )
