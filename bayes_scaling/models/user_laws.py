"""Laws and likelihoods of the user's own, on their way to other processes: which they are, and what they compute.

A worker imports this package and knows its laws; it has not run the notebook that registered another one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

from bayes_scaling.laws.all_laws import FORMS
from bayes_scaling.laws.likelihoods import LIKELIHOODS, Likelihood
from bayes_scaling.laws.parameters import Component
from bayes_scaling.models.model import Model

Part = Component | Likelihood

OWN = "bayes_scaling."
PLAIN = (int, float, str, bool, tuple)  # values that a law may read from its module or from around it
REGISTERING = threading.RLock()


def added_to(model: Model) -> tuple[Part, ...]:
    """Laws and likelihoods of a model that are not this package's own."""
    laws = [part for head in model.heads for part in head.form.parts]
    scatter = [head.likelihood for head in model.heads]
    mine = [part for part in laws if not part.function.__module__.startswith(OWN)]
    return (*mine, *(one for one in scatter if not one.component.function.__module__.startswith(OWN)))


@contextmanager
def registered(parts: Sequence[Part]) -> Iterator[None]:
    """Know these laws and likelihoods for a moment, one thread at a time.

    A worker that kept them would go on with a law that is changed later.
    """
    with REGISTERING:
        before = dict(FORMS), dict(LIKELIHOODS)
        FORMS.update({part.name: part for part in parts if isinstance(part, Component)})
        LIKELIHOODS.update({part.component.name: part for part in parts if isinstance(part, Likelihood)})
        try:
            yield
        finally:
            _reset(FORMS, before[0])
            _reset(LIKELIHOODS, before[1])


def _reset(registry: dict[str, Any], before: dict[str, Any]) -> None:
    registry.clear()
    registry.update(before)


def text_of(part: Part) -> str:
    """What a law or likelihood computes, as text that changes when that does, and is the same in every process."""
    if isinstance(part, Likelihood):
        maps = [_code_of(function, set()) for function in (part.observe, part.report)]
        return "; ".join([text_of(part.component), part.rows, *maps])
    priors = [(p.name, p.support.name, p.low, p.high, p.spread) for p in part.parameters]
    return f"{part.name} {part.inputs} {priors} {part.gives} {_code_of(part.function, set())}"


def _code_of(function: Any, seen: set[str]) -> str:
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
