r"""Likelihoods: how an observed score or loss scatters around its expectation, as a PyMC distribution.

All likelihoods of a score share one variance law.  Benchmark items are common to all runs, so scatter is
not binomial: part of the item noise cancels between runs, and runs leave the law by more than their
items explain,

.. math:: \operatorname{Var}(score) = m(1-m)\,(scatter^2 + item\_share / n\_items),

with v / (1 + v) in place of v = scatter² + … for beta, and the whole item noise for beta-binomial.  For beta
and normal, m is kept one point away from 0 and 1: near its floor a benchmark says little about its law, and
a score of exactly 0 must not say more than one of 0.001.

A loss is a mean over so many tokens that nothing but the run makes it scatter, in proportion to itself: `student_t`
where single runs may have gone wrong, `log_normal` beside scores.
For pass@k there are two: `loglog` for pass@k as it is reported, `counts` for right answers per problem.

Adding one: write a function ``(mean, n_items, *, parameters)`` that returns ``(distribution, arguments)``
and decorate it; the same pair is observed when fitting and drawn from when forecasting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes_scaling.laws import ops, pass_at_k
from bayes_scaling.laws.ops import Numbers
from bayes_scaling.laws.parameters import Component, positive, unit
from bayes_scaling.laws.registry import C0

EDGE = 0.01
NOMINAL_ITEMS = 1000.0  # stands in for n_items where it is not known
# Kinds of rows that likelihoods observe.
SCORES, LOSSES = "scores", "losses"
REPORTED_PASS_AT_K, COUNTS = "pass@k of a benchmark", "right answers per problem"
DEGREES = 3.0  # of freedom of scatter with heavy tails: the least whole number at which it has a variance
LEAST_LOSS = 1e-3  # no draw of a loss is less [nats per token]
SURE = 1e-12  # how near to 0 and 1 the mean success probability may come

type Arguments = Mapping[str, Any]

LIKELIHOODS: dict[str, Likelihood] = {}


@dataclass(frozen=True)
class Likelihood:
    """An observation model: a component, and the map between scores (or losses) and what the distribution draws.

    Attributes
    ----------
    component : Component
        ``(mean, n_items, *, parameters) -> (distribution, arguments)``.
    observe, report : callable
        From score (or loss) and n_items to a value of the distribution, and back.
    rows : str
        Name of the rows that it observes: ``SCORES``, ``LOSSES``, ``REPORTED_PASS_AT_K``, ``COUNTS``, or those of a
        response of your own (see `models.responses.response.Source`).
    """

    component: Component
    observe: Callable[[Numbers, Numbers], Numbers]
    report: Callable[[Numbers, Numbers], Numbers]
    rows: str = SCORES


def _shrink(score: Numbers, n_items: Numbers) -> Numbers:
    """Map [0, 1] onto [EDGE, 1 − EDGE], so that scatter does not vanish where scores reach 0 or 1."""
    return EDGE + (1 - 2 * EDGE) * score


def _unshrink(value: Numbers, n_items: Numbers) -> Numbers:
    return np.clip((value - EDGE) / (1 - 2 * EDGE), 0, 1)


def likelihood(
    observe: Callable[[Numbers, Numbers], Numbers], report: Callable[[Numbers, Numbers], Numbers], rows: str = SCORES
) -> Numbers:
    """Register an observation model under its own name; ``rows`` are those that it observes."""

    def register(function: Numbers) -> Likelihood:
        found = LIKELIHOODS[function.__name__] = Likelihood(Component.of(function), observe, report, rows)
        return found

    return register


_SCATTER = positive(0.004, 0.06, "scatter of runs around the law, as a share of sqrt(m (1 - m))", spread=0.7)
_ITEM_SHARE = unit(0.1, 0.7, "share of the binomial item noise that differs between runs")


@likelihood(_shrink, _unshrink)
def beta(mean: Numbers, n_items: Numbers, *, scatter: Numbers = _SCATTER, item_share: Numbers = _ITEM_SHARE) -> Numbers:
    """Beta: continuous, bounded, narrower than binomial where items are shared by all runs."""
    import pymc as pm

    mean = _shrink(mean, n_items)
    concentration = 1 / (scatter**2 + item_share / n_items)
    return pm.Beta, {"alpha": mean * concentration, "beta": (1 - mean) * concentration}


@likelihood(_shrink, _unshrink)
def normal(
    mean: Numbers, n_items: Numbers, *, scatter: Numbers = _SCATTER, item_share: Numbers = _ITEM_SHARE
) -> Numbers:
    """Normal with the same variance law: fast, and draws beyond 0 or 1 are reported as 0 or 1."""
    import pymc as pm

    mean = _shrink(mean, n_items)
    return pm.Normal, {"mu": mean, "sigma": ops.sqrt(mean * (1 - mean) * (scatter**2 + item_share / n_items))}


@likelihood(lambda score, n_items: np.rint(score * n_items), lambda value, n_items: value / n_items)
def beta_binomial(mean: Numbers, n_items: Numbers, *, scatter: Numbers = _SCATTER) -> Numbers:
    """Beta-binomial counts: at least binomial noise, so wider than shared items call for."""
    import pymc as pm

    mean = (mean * n_items + 0.5) / (n_items + 1)
    concentration = 1 / scatter**2
    return pm.BetaBinomial, {
        "n": n_items,
        "alpha": mean * concentration,
        "beta": (1 - mean) * concentration,
    }


@likelihood(lambda loss, n_items: np.log(loss), lambda value, n_items: np.exp(value), LOSSES)
def log_normal(
    mean: Numbers, *, scatter: Numbers = positive(0.002, 0.03, "relative scatter of the loss of runs around the law")
) -> Numbers:
    """Log-normal: a loss scatters in proportion to itself, and stays positive; its logarithm is observed."""
    import pymc as pm

    return pm.Normal, {"mu": ops.log(mean) - scatter**2 / 2, "sigma": scatter}


@likelihood(lambda loss, n_items: loss, lambda value, n_items: np.maximum(value, LEAST_LOSS), LOSSES)
def student_t(
    mean: Numbers, *, scatter: Numbers = positive(0.002, 0.03, "relative scatter of the loss of runs around the law")
) -> Numbers:
    """Student's t of three degrees of freedom, in proportion to the loss: a run that went wrong bends no curve.

    Some runs diverge, are cut short, or see their data again and again.  Normal scatter gives such a run a weight that
    grows with its distance; heavy tails give it less and less (Lange, Little and Taylor 1989).
    """
    import pymc as pm

    return pm.StudentT, {"nu": DEGREES, "mu": mean, "sigma": scatter * mean}


def _loglog(score: Numbers, n_items: Numbers) -> Numbers:
    with np.errstate(divide="ignore"):
        return np.clip(np.log(-np.log(score)), -pass_at_k.BEYOND, pass_at_k.BEYOND)


@likelihood(_loglog, lambda value, n_items: np.exp(-np.exp(value)), REPORTED_PASS_AT_K)
def loglog(
    mean: Numbers,
    n_items: Numbers,
    n_samples: Numbers,
    k: Numbers,
    *,
    scatter: Numbers = positive(0.02, 0.3, "standard deviation of log(−log pass@k) around the law", spread=0.5),
) -> Numbers:
    """Normal scatter of log(−log pass@k), the scale of least squares; scores of 0 and 1 are censored.

    A score of 0 says that pass@k is below half of what one right answer would have given, k / (2 n_samples
    n_items); one of 1 that it is above 1 − 1 / (2 n_items).  n_samples is k where it is not known.
    """
    fewest = 0.5 * k / (n_items * ops.maximum(n_samples, k))
    mean = ops.minimum(ops.maximum(mean, 1e-300), 1 - 1e-15)
    return pass_at_k.LogLog, {
        "mu": ops.log(-ops.log(mean)),
        "scale": scatter,
        "never": ops.log(-ops.log(fewest)),
        "always": ops.log(-ops.log1p(-0.5 / n_items)),
    }


@likelihood(lambda count, n_items: count, lambda count, n_items: count, COUNTS)
def counts(
    mean: Numbers,
    n_samples: Numbers,
    flops: Numbers,
    *,
    tail: Numbers = positive(0.15, 1.0, "how many problems are nearly out of reach: the smaller, the more", spread=0.3),
    tilt: Numbers = positive(0.01, 0.2, "exponent in compute of the tail", spread=0.3),
    unsolved: Numbers = positive(0.005, 0.3, "minus log share of the problems within reach at 1e20 FLOPs", spread=0.5),
    solving: Numbers = positive(0.03, 0.3, "exponent in compute of the unsolved", spread=0.3),
) -> Numbers:
    r"""Right answers to every problem: their success probabilities spread as a beta distribution, with some at 0.

    .. math:: c \sim (1 - r)\,[c = 0] + r\,\operatorname{BetaBinomial}(n, a, b), \quad a / (a + b) = mean, \quad
              a = tail\,(C / 10^{20})^{tilt}, \quad -\log r = unsolved\,(C / 10^{20})^{-solving}

    The mean among problems within reach, their spread and their share each follow a power law in compute,
    such that pass@k rises with compute for any k.  Beta-binomial: Kazdan et al. 2025 (arXiv 2510.05197).
    """
    x = ops.log(flops / C0)
    mean = SURE + (1 - 2 * SURE) * mean
    alpha = tail * ops.exp(tilt * x)
    return pass_at_k.Counts, {
        "n": n_samples,
        "alpha": alpha,
        "beta": alpha * (1 - mean) / mean,
        "log_reach": -(SURE + unsolved * ops.exp(-solving * x)),
    }
