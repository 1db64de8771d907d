r"""Likelihoods: how an observed score or loss scatters around its expectation, as a PyMC distribution.

All likelihoods of a score share one variance law.  Benchmark items are common to all runs, so scatter is
not binomial: part of the item noise cancels between runs, and runs leave the law by more than their
items explain,

.. math:: \operatorname{Var}(score) = m(1-m)\,(scatter^2 + item\_share / n\_items),

with v / (1 + v) in place of v = scatter² + … for beta, and the whole item noise for beta-binomial.  For beta
and normal, m is kept one point away from 0 and 1: near its floor a benchmark says little about its law, and
a score of exactly 0 must not say more than one of 0.001.

A loss is a mean over so many tokens that nothing but the run makes it scatter, in proportion to itself.

Adding one: write a function ``(mean, n_items, *, parameters)`` that returns ``(distribution, arguments)``
and decorate it; the same pair is observed when fitting and drawn from when forecasting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes_scaling import ops
from bayes_scaling.parameters import Component, positive, unit

EDGE = 0.01
NOMINAL_ITEMS = 1000.0  # stands in for n_items where it is not known

LIKELIHOODS: dict[str, Likelihood] = {}


@dataclass(frozen=True)
class Likelihood:
    """An observation model: a component, and the map between scores and what the distribution draws.

    Attributes
    ----------
    component : Component
        ``(mean, n_items, *, parameters) -> (distribution, arguments)``; ``gives`` says of what.
    observe, report : callable
        From score (or loss) and n_items to a value of the distribution, and back.
    """

    component: Component
    observe: Callable[[Any, Any], Any]
    report: Callable[[Any, Any], Any]


def _shrink(score: Any, n_items: Any) -> Any:
    """Map [0, 1] onto [EDGE, 1 − EDGE], so that scatter does not vanish where scores reach 0 or 1."""
    return EDGE + (1 - 2 * EDGE) * score


def _unshrink(value: Any, n_items: Any) -> Any:
    return np.clip((value - EDGE) / (1 - 2 * EDGE), 0, 1)


def likelihood(observe: Callable[[Any, Any], Any], report: Callable[[Any, Any], Any], *, gives: str = "score") -> Any:
    """Register an observation model under its own name; ``gives`` is what is observed: "score" or "loss"."""

    def register(function: Any) -> Likelihood:
        found = LIKELIHOODS[function.__name__] = Likelihood(Component.of(function, gives), observe, report)
        return found

    return register


_SCATTER = positive(0.004, 0.06, "scatter of runs around the law, as a share of sqrt(m (1 - m))", spread=0.7)
_ITEM_SHARE = unit(0.1, 0.7, "share of the binomial item noise that differs between runs")


@likelihood(_shrink, _unshrink)
def beta(mean: Any, n_items: Any, *, scatter: Any = _SCATTER, item_share: Any = _ITEM_SHARE) -> Any:
    """Beta: continuous, bounded, narrower than binomial where items are shared by all runs."""
    import pymc as pm

    mean = _shrink(mean, n_items)
    concentration = 1 / (scatter**2 + item_share / n_items)
    return pm.Beta, {"alpha": mean * concentration, "beta": (1 - mean) * concentration}


@likelihood(_shrink, _unshrink)
def normal(mean: Any, n_items: Any, *, scatter: Any = _SCATTER, item_share: Any = _ITEM_SHARE) -> Any:
    """Normal with the same variance law: fast, and draws beyond 0 or 1 are reported as 0 or 1."""
    import pymc as pm

    mean = _shrink(mean, n_items)
    return pm.Normal, {"mu": mean, "sigma": ops.sqrt(mean * (1 - mean) * (scatter**2 + item_share / n_items))}


@likelihood(lambda score, n_items: np.rint(score * n_items), lambda value, n_items: value / n_items)
def beta_binomial(mean: Any, n_items: Any, *, scatter: Any = _SCATTER) -> Any:
    """Beta-binomial counts: at least binomial noise, so wider than shared items call for."""
    import pymc as pm

    mean = (mean * n_items + 0.5) / (n_items + 1)
    concentration = 1 / scatter**2
    return pm.BetaBinomial, {
        "n": n_items,
        "alpha": mean * concentration,
        "beta": (1 - mean) * concentration,
    }


@likelihood(lambda loss, n_items: np.log(loss), lambda value, n_items: np.exp(value), gives="loss")
def log_normal(
    mean: Any, *, scatter: Any = positive(0.002, 0.03, "relative scatter of the loss of runs around the law")
) -> Any:
    """Log-normal: a loss scatters in proportion to itself, and stays positive; its logarithm is observed."""
    import pymc as pm

    return pm.Normal, {"mu": ops.log(mean) - scatter**2 / 2, "sigma": scatter}
