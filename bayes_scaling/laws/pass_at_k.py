r"""pass@k: the unbiased estimator, and problems whose success probabilities spread as a beta distribution.

A problem is within reach of a model with probability ``reach``; one answer to such a problem is right with
a probability p that differs between problems as Beta(a, b).  All of pass@k follows, for any k:

.. math:: \operatorname{pass@}k = reach \cdot \Big(1 - \frac{B(a, b + k)}{B(a, b)}\Big), \quad
          P(c \mid n) = (1 - reach)\,[c = 0] + reach \cdot \operatorname{BetaBinomial}(c; n, a, b)

Kazdan et al. 2025 (arXiv 2510.05197) fit the beta-binomial to counts; Schaeffer et al. 2025
(arXiv 2502.17578) show that its left tail, a, is the exponent of pass@k in k.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes_scaling.errors import DataError
from bayes_scaling.laws import ops
from bayes_scaling.laws.ops import Numbers

BEYOND = 50.0  # log(−log pass@k) of no success at all, and of nothing else; minus this where all succeed
LARGE = 20.0  # from here on five terms of Stirling's series are exact
MOST_DRAWN = 400  # problems that a new evaluation is drawn with; more are stood in for by a smaller deviation


def pass_at_k(n_samples: Numbers, n_correct: Numbers, k: Numbers) -> Numbers:
    r"""Estimate pass@k of single problems from counts, without bias.

    .. math:: 1 - \binom{n - c}{k} \Big/ \binom{n}{k}

    Chen et al. 2021 (arXiv 2107.03374), Eq. 1.  Its mean over problems estimates pass@k of a benchmark.

    Parameters
    ----------
    n_samples, n_correct, k : int or (...) array of int
        Answers drawn per problem, how many of them are right, and answers per try; they broadcast.

    Returns
    -------
    float or (...) array

    Raises
    ------
    DataError
        k exceeds n_samples (a model of the counts can say more: `forecast`), n_correct does, or a number
        is not whole, or below 1 (n_correct: below 0).

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> bs.pass_at_k(n_samples=10, n_correct=[2, 3, 10], k=5).round(3).tolist()
    [0.778, 0.917, 1.0]
    """
    n, c, k = (np.asarray(v, dtype=float) for v in (n_samples, n_correct, k))
    for name, values, least in (("n_samples", n, 1), ("n_correct", c, 0), ("k", k, 1)):
        _refuse(
            f"{name} must be a whole number, {least} or more", (values != np.rint(values)) | ~(values >= least), values
        )
    _refuse("n_correct must not exceed n_samples", c > n, c, n)
    _refuse("k must not exceed n_samples: the estimator needs k answers to every problem", k > n, k, n)
    few, many = np.minimum(c, k), np.maximum(c, k)  # c and k can change places, and the smaller one costs less digits
    left = np.maximum(n - few - many, 0)  # where fewer than k answers are wrong, every try holds a right one
    missed = log_gamma_ratio(left + 1, few) - log_gamma_ratio(n - few + 1, few)
    return np.where(c > n - k, 1.0, -np.expm1(missed))[()]


def _refuse(rule: str, bad: Numbers, *values: np.ndarray) -> None:
    if np.any(bad):
        at, *shown = np.broadcast_arrays(bad, *values)
        texts = [" of ".join(f"{v:g}" for v in row) for row in zip(*(v[at][:5] for v in shown), strict=True)]
        raise DataError(f"pass_at_k: {rule}; got {', '.join(texts)}")


def log_gamma_ratio(x: Numbers, d: Numbers) -> Numbers:
    """log Γ(x + d) − log Γ(x) for x > 0 and d ≥ 0, exact also where x is so large that both lose their digits.

    From x = 20 on by Stirling's series (DLMF 5.11.1), whose leading terms are subtracted on paper.
    """
    small, large = ops.minimum(x, LARGE), ops.maximum(x, LARGE)
    direct = ops.gammaln(small + d) - ops.gammaln(small)
    change = (large + d - 0.5) * ops.log1p(d / large) + d * (ops.log(large) - 1)
    return ops.where(x < LARGE, direct, change + _series(large + d) - _series(large))


def _series(x: Numbers) -> Numbers:
    y = 1 / (x * x)
    return (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))) / x


def log_counts(value: Numbers, n: Numbers, alpha: Numbers, beta: Numbers, log_reach: Numbers) -> Numbers:
    """Log probability of ``value`` right answers of n: beta-binomial within reach, 0 beyond."""
    ways = log_gamma_ratio(n - value + 1, value) - ops.gammaln(value + 1)
    rising = ops.gammaln(alpha + value) - ops.gammaln(alpha)
    falling = log_gamma_ratio(beta, alpha) - log_gamma_ratio(beta + n - value, alpha + value)
    within = log_reach + ways + rising + falling
    beyond = ops.log(-ops.expm1(log_reach))
    return ops.where(value > 0, within, beyond + ops.softplus(within - beyond))


def log_loglog(value: Numbers, mu: Numbers, scale: Numbers, never: Numbers, always: Numbers) -> Numbers:
    """Log density of log(−log pass@k), normal; beyond ±`BEYOND` it says only that no try, or every one, succeeded."""
    inside = -0.5 * ((value - mu) / scale) ** 2 - ops.log(scale) - 0.5 * np.log(2 * np.pi)
    none, all_ = log_normal_cdf((mu - never) / scale), log_normal_cdf((always - mu) / scale)
    return ops.where(value >= BEYOND, none, ops.where(value <= -BEYOND, all_, inside))


def log_normal_cdf(z: Numbers) -> Numbers:
    """log Φ(z), exact in both tails."""
    low, high = ops.minimum(z, -1.0), ops.maximum(z, -1.0)
    tail = ops.log(ops.erfcx(-low / 2**0.5) / 2) - low * low / 2
    return ops.where(z < -1.0, tail, ops.log1p(-ops.erfc(high / 2**0.5) / 2))


@dataclass(frozen=True)
class _Custom:
    """A distribution that PyMC does not have, used as those that it has.

    Attributes
    ----------
    logp, symbolic : callable
        Log density, and a draw as a PyTensor graph.
    sampler : callable
        ``(rng, size, **arguments) -> array``: the same draw with NumPy.
    """

    logp: Callable[..., Any]
    symbolic: Callable[..., Any]
    sampler: Callable[..., np.ndarray]

    def __call__(self, name: str, *, observed: Numbers, **arguments: Numbers) -> Numbers:
        import pymc as pm

        return pm.CustomDist(name, *arguments.values(), dist=self.symbolic, logp=self.logp, observed=observed)

    def dist(self, **arguments: Numbers) -> Numbers:
        import pymc as pm

        return pm.CustomDist.dist(*arguments.values(), dist=self.symbolic, logp=self.logp)


def _symbolic_counts(n: Numbers, alpha: Numbers, beta: Numbers, log_reach: Numbers, size: Numbers) -> Numbers:
    import pymc as pm

    within = pm.Bernoulli.dist(ops.exp(log_reach), size=size)
    rate = pm.Beta.dist(alpha, beta, size=size)
    return (within * pm.Binomial.dist(n.astype("int64"), rate, size=size)).astype("float64")


def _symbolic_loglog(mu: Numbers, scale: Numbers, never: Numbers, always: Numbers, size: Numbers) -> Numbers:
    import pymc as pm

    return pm.Normal.dist(mu, scale, size=size)


def _draw_counts(
    rng: np.random.Generator, size: tuple[int, ...], n: Numbers, alpha: Numbers, beta: Numbers, log_reach: Numbers
) -> np.ndarray:
    within = rng.uniform(size=size) < np.exp(log_reach)
    right = rng.binomial(np.asarray(n).astype(np.int64), rng.beta(alpha, beta, size), size)
    return (within * right).astype(float)


def _draw_loglog(
    rng: np.random.Generator, size: tuple[int, ...], mu: Numbers, scale: Numbers, never: Numbers, always: Numbers
) -> np.ndarray:
    return mu + scale * rng.standard_normal(size)


Counts = _Custom(log_counts, _symbolic_counts, _draw_counts)
LogLog = _Custom(log_loglog, _symbolic_loglog, _draw_loglog)


def expected(k: Numbers, alpha: Numbers, beta: Numbers, log_reach: Numbers) -> Numbers:
    """pass@k of all problems that a benchmark could have had; rises in k for any parameters."""
    missed = log_gamma_ratio(beta, alpha) - log_gamma_ratio(beta + k, alpha)
    return np.exp(log_reach) * -np.expm1(np.minimum(missed, 0.0))


def evaluated(
    k: np.ndarray,
    alpha: np.ndarray,
    beta: np.ndarray,
    log_reach: np.ndarray,
    n_items: int,
    n_samples: float,
    rng: Numbers,
) -> np.ndarray:
    """pass@k of one evaluation on freshly drawn problems, for all k from the same problems and answers.

    Parameters
    ----------
    k : (row,) array
    alpha, beta, log_reach : (...) arrays
    n_items : int
        Problems.
    n_samples : float
        Answers to each, of which pass@k is estimated; blank: as many as it takes to know it.

    Returns
    -------
    (..., row) array, rising in k
    """
    drawn = min(n_items, MOST_DRAWN)
    rate = rng.beta(*(np.broadcast_to(v[..., None], (*v.shape, drawn)) for v in (alpha, beta)))
    rate *= rng.uniform(size=rate.shape) < np.exp(log_reach)[..., None]
    own = [expected(each, alpha, beta, log_reach) for each in k]
    if np.isfinite(n_samples):
        counts = rng.binomial(int(n_samples), rate)
        found = [pass_at_k(n_samples, counts, each).mean(-1) for each in k]
    else:
        with np.errstate(divide="ignore"):
            found = [-np.expm1(each * np.log1p(-rate)).mean(-1) for each in k]
    part = np.sqrt(drawn / n_items)
    return np.stack([part * f + (1 - part) * e for f, e in zip(found, own, strict=True)], axis=-1)
