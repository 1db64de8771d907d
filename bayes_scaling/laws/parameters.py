"""Parameters: a support, a prior stated as a plausible interval, and the functions they belong to.

``positive(0.08, 0.6, "compute exponent", spread=0.3)`` says: the population value lies between 0.08
and 0.6 with probability 90 %, and groups differ from it by about 30 % before any data are seen.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayes_scaling.errors import ModelError
from bayes_scaling.laws import ops

Z90 = 1.6448536269514722  # half-width of the central 90 % of a standard normal


@dataclass(frozen=True)
class Support:
    """Where a parameter may lie, and the map from the whole real line onto it."""

    name: str
    constrain: Callable[[Any], Any]
    free: Callable[[float], float]


REAL = Support("real", lambda x: x, float)
POSITIVE = Support("positive", ops.exp, lambda x: float(np.log(x)))
UNIT = Support("unit", ops.expit, lambda x: float(np.log(x) - np.log1p(-x)))


@dataclass(frozen=True)
class Parameter:
    """A number to be learned.

    Attributes
    ----------
    support : Support
        Real line, positive numbers or the unit interval.
    low, high : float
        Hold 90 % of the prior of the population value, in the units of the literature.
    meaning : str
        What the number is, with its unit.
    spread : float
        Prior median of the standard deviation between groups on the unconstrained scale (0.2 is about
        20 % for a positive parameter); 90 % of its prior lie within a factor of 3.
    name : str
        Filled in from the signature the parameter stands in.
    """

    support: Support
    low: float
    high: float
    meaning: str
    spread: float = 0.3
    name: str = ""

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ModelError(f"{self.name or self.meaning}: low must be below high, got {self.low} and {self.high}")
        if not (np.isfinite(self.location) and np.isfinite(self.scale)):
            raise ModelError(
                f"{self.name or self.meaning}: {self.low} to {self.high} must lie inside the "
                f"{self.support.name} support"
            )

    @property
    def free_name(self) -> str:
        """What the posterior calls the population value on the unconstrained scale."""
        return f"{self.name}_free"

    @property
    def location(self) -> float:
        """Prior mean of the population value on the unconstrained scale."""
        return (self.support.free(self.low) + self.support.free(self.high)) / 2

    @property
    def scale(self) -> float:
        """Prior standard deviation of the population value on the unconstrained scale."""
        return (self.support.free(self.high) - self.support.free(self.low)) / (2 * Z90)


def _kind(support: Support) -> Callable[..., Any]:
    def parameter(low: float, high: float, meaning: str, *, spread: float = 0.3) -> Any:
        return Parameter(support, low, high, meaning, spread)

    return parameter


real, positive, unit = _kind(REAL), _kind(POSITIVE), _kind(UNIT)


@dataclass(frozen=True)
class Component:
    """A pure function whose positional arguments are data and whose keyword-only ones are parameters.

    ``gives`` names the quantity that comes out; a component that takes it names it as its first input.
    """

    name: str
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    function: Callable[..., Any]
    gives: str = ""
    chain: tuple[Component, ...] = ()

    @property
    def parts(self) -> tuple[Component, ...]:
        """The single functions that a chain consists of, in the order they are applied."""
        return self.chain or (self,)

    @property
    def doc(self) -> str:
        """What the function's docstring says, in one line."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def __call__(self, *inputs: Any, **parameters: Any) -> Any:
        return self.function(*inputs, **parameters)

    @classmethod
    def of(cls, function: Callable[..., Any], gives: str = "") -> Component:
        """Read inputs and parameters off the signature of ``function``."""
        inputs, parameters = [], []
        for argument in inspect.signature(function).parameters.values():
            if argument.kind is not argument.KEYWORD_ONLY:
                inputs.append(argument.name)
            elif isinstance(argument.default, Parameter):
                parameters.append(replace(argument.default, name=argument.name))
            else:
                raise ModelError(
                    f"{function.__name__}: parameter {argument.name!r} needs a prior as its default, "
                    f"e.g. {argument.name}=positive(0.1, 1.0, 'what it means')"
                )
        return cls(function.__name__, tuple(inputs), tuple(parameters), function, gives)

    def then(self, outer: Component) -> Component:
        """Feed the result into the first input of ``outer``; keep the data and parameters of both."""
        first, second = ({p.name for p in c.parameters} for c in (self, outer))
        if both := sorted(first & second):
            raise ModelError(f"cannot chain {self.name} with {outer.name}: both define {both}; rename one")
        extra = tuple(i for i in outer.inputs[1:] if i not in self.inputs)
        inputs = self.inputs + extra

        def function(*values: Any, **parameters: Any) -> Any:
            data = dict(zip(inputs, values, strict=True))
            inner = self(*(data[i] for i in self.inputs), **{n: parameters[n] for n in first})
            return outer(inner, *(data[i] for i in outer.inputs[1:]), **{n: parameters[n] for n in second})

        function.__doc__ = inspect.getdoc(self.function)
        name, parameters = f"{self.name} > {outer.name}", self.parameters + outer.parameters
        return Component(name, inputs, parameters, function, outer.gives, (*self.parts, *outer.parts))
