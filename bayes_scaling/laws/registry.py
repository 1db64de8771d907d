"""The registry of laws, and the reference run that all of them are anchored at."""

from __future__ import annotations

from typing import Any

from bayes_scaling.laws.parameters import Component

C_LEAST = 1e17  # below, the interaction of compute and k goes on no further


C0, N0, D0 = 1e20, 1e9, 2e10  # reference run: 1B parameters on 20B tokens, about 1e20 FLOPs


LAWS: dict[str, Component] = {}


def law(function: Any = None, *, gives: str = "neglog") -> Any:
    """Register a law under its own name; ``gives`` is what it computes: "neglog", "loss" or "score"."""
    if function is None:
        return lambda decorated: law(decorated, gives=gives)
    LAWS[function.__name__] = Component.of(function, gives)
    return LAWS[function.__name__]
