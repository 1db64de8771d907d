"""How to sample: the one place that holds what can be set, and what holds where nothing is set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

from bayes_scaling.arguments import is_number
from bayes_scaling.errors import FitError
from bayes_scaling.models.model import Model

OF_MODELS: dict[str, float] = {"thin": 1, "target_accept": 0.95}  # where neither the user nor the document says
TRIAL_DRAWS, TRIAL_ACCEPT = 300, 0.95  # of a trial run, at 500 draws of adaptation


@dataclass(frozen=True)
class Settings:
    """Chains, draws kept and tuning draws per chain, how many draws one is kept of, and so on.

    What is None is as the model's document says, or else as `OF_MODELS` does.  A fit that fails its verdict is sampled
    again, more carefully, until ``attempts`` are made.

    Raises
    ------
    FitError
        A number is out of range.
    """

    chains: int = 4
    draws: int = 1000
    tune: int = 500
    thin: int | None = None
    target_accept: float | None = None
    attempts: int = 2
    max_minutes: float | None = None
    max_depth: int = 10

    def __post_init__(self) -> None:
        for name in ("chains", "draws", "tune", "thin", "attempts", "max_depth"):
            value = getattr(self, name)
            if not (value is None and name == "thin"):
                object.__setattr__(self, name, whole_number(name, value))
        minutes, target = self.max_minutes, self.target_accept
        if minutes is not None and not (is_number(minutes) and minutes > 0):
            raise FitError(f"max_minutes must be a number above 0, got {minutes!r}")
        if target is not None and not (is_number(target) and 0 < target < 1):
            raise FitError(f"target_accept must be a number between 0 and 1, got {target!r}")

    def of(self, model: Model) -> Settings:
        """The same settings, with those of a model where there were none."""
        document = OF_MODELS | dict(model.sampling)
        thin = int(document["thin"]) if self.thin is None else self.thin
        target = document["target_accept"] if self.target_accept is None else self.target_accept
        return replace(self, thin=thin, target_accept=target)

    def for_a_first_look(self, model: Model) -> Settings:
        """Half the chains and few draws, as many as a trial run asks for, and one attempt."""
        own = self.of(model)
        target, thin = max(own.target_accept or 0.0, 0.97), max(own.thin or 1, 3)
        return replace(own, chains=2, draws=400, tune=400, attempts=1, target_accept=target, thin=thin)

    @property
    def trial(self) -> Settings | None:
        """Settings of a trial run, for a model of which more draws are made than are kept."""
        if self.thin is None or self.thin == 1:
            return None
        target = min(self.target_accept or TRIAL_ACCEPT, TRIAL_ACCEPT)
        draws = max(TRIAL_DRAWS * self.tune // 500, 50)
        return replace(self, tune=self.tune * 4 // 5 or 1, draws=draws, thin=1, target_accept=target)


def after_trial(tune: int) -> int:
    """How many draws are spent on adaptation where earlier draws have told most of it."""
    return max(tune * 3 // 5, 1)


def whole_number(name: str, value: object, least: int = 1) -> int:
    """Read a count, refusing what is not whole or too small.

    Raises
    ------
    FitError
    """
    number: Any = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    whole = isinstance(number, Integral) or (isinstance(number, float) and number.is_integer())
    if isinstance(number, bool) or not whole or int(number) < least:
        raise FitError(f"{name} must be a whole number of {least} or more, got {value!r}")
    return int(number)


def checked_seed(seed: object) -> int | None:
    """Read a seed: a whole number of 0 or more, or nothing.

    Raises
    ------
    FitError
    """
    return None if seed is None else whole_number("seed", seed, 0)
