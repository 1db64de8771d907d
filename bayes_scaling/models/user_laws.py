"""Laws, likelihoods and responses of the user's own, sent to other processes: which they are, and what they compute.

A worker imports this package and knows its laws; it has not run the notebook that registered another one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FunctionType

from bayes_scaling.laws.all_laws import LAWS
from bayes_scaling.laws.likelihoods import LIKELIHOODS, Likelihood
from bayes_scaling.laws.parameters import Component
from bayes_scaling.models.model import Model
from bayes_scaling.models.responses.all_responses import RESPONSES
from bayes_scaling.models.responses.response import Response

Part = Component | Likelihood | Response

OWN = "bayes_scaling."
PLAIN = (int, float, str, bool, tuple)  # values that a law may read from its module or from around it
REGISTERING = threading.RLock()


def added_to(model: Model) -> tuple[Part, ...]:
    """Laws, likelihoods and responses of a model that are not this package's own."""
    laws = [part for response_model in model.responses for part in response_model.law.parts]
    likelihoods = [response_model.likelihood for response_model in model.responses]
    return (
        *(law for law in laws if not _own(law.function)),
        *(likelihood for likelihood in likelihoods if not _own(likelihood.component.function)),
        *(part.response for part in model.responses if not _own(part.response.new_run)),
    )


def _own(function: object) -> bool:
    return str(function.__module__).startswith(OWN)


@contextmanager
def registered(parts: Sequence[Part]) -> Iterator[None]:
    """Know these laws, likelihoods and responses for a moment, one thread at a time.

    A worker that kept them would go on with a law that is changed later.
    """
    with REGISTERING:
        before = dict(LAWS), dict(LIKELIHOODS), dict(RESPONSES)
        LAWS.update({part.name: part for part in parts if isinstance(part, Component)})
        LIKELIHOODS.update({part.component.name: part for part in parts if isinstance(part, Likelihood)})
        RESPONSES.update({part.name: part for part in parts if isinstance(part, Response)})
        try:
            yield
        finally:
            _reset(LAWS, before[0])
            _reset(LIKELIHOODS, before[1])
            _reset(RESPONSES, before[2])


def _reset[T](registry: dict[str, T], known: dict[str, T]) -> None:
    registry.clear()
    registry.update(known)


def text_of(part: Part) -> str:
    """What a law, likelihood or response computes, as text that changes when that does, the same in every process."""
    if isinstance(part, Response):
        functions = (part.outcomes, part.new_run, part.expectation, *(source.rows for source in part.sources))
        codes = [_code_of(function, set()) for function in functions]
        return "; ".join([part.name, part.column, part.gives, f"{part.low} {part.high}", *codes])
    if isinstance(part, Likelihood):
        maps = [_code_of(function, set()) for function in (part.observe, part.report)]
        return "; ".join([text_of(part.component), part.rows, *maps])
    priors = [(p.name, p.support.name, p.low, p.high, p.spread) for p in part.parameters]
    return f"{part.name} {part.inputs} {priors} {part.gives} {_code_of(part.function, set())}"


def _code_of(function: object, seen: set[str]) -> str:
    """Byte code of a function and of those that it calls, and the plain values that they read from around them."""
    if not isinstance(function, FunctionType) or function.__qualname__ in seen:
        return ""
    seen.add(function.__qualname__)
    code = function.__code__
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    around = [*cells, *(function.__globals__.get(name) for name in code.co_names)]
    read = [value for value in around if isinstance(value, PLAIN)]
    called = [f for f in around if isinstance(f, FunctionType) and not f.__module__.startswith(OWN)]
    return " ".join([_plain(code), repr(read), *(_code_of(f, seen) for f in called)])


def _plain(code: CodeType) -> str:
    constants = [_plain(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {constants}"
