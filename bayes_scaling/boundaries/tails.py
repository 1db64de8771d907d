r"""Upper tails as they are: which normal quantile holds a share τ of the models that were fitted.

Scores of released models are skewed: many fine-tuned models are worse than their base model lets one expect, few are
better.  A normal distribution fitted to them says too high a 98 % quantile.  So its quantiles are calibrated on the
models themselves: the boundary at τ is the normal quantile at τ', the level below which a share τ of the fitted models
lies.  Draws of τ' are those of a Dirichlet process (Ferguson 1973, doi 10.1214/aos/1176342360) around the normal
distribution, of which base models are the observations: models of one base model go together, and few base models leave
the normal distribution much as it is.  Every draw is a rising function of τ, so that quantiles do not cross.
"""

from __future__ import annotations

import numpy as np

CONCENTRATION = 5.0  # base models that the normal distribution counts as
GRID = (np.arange(500) + 0.5) / 500  # of its probability


def calibrated(
    below: np.ndarray, base: np.ndarray, tau: float | np.ndarray, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Draws of the level τ' at which a share τ of models lies below.

    Parameters
    ----------
    below : (model,) array
        Probability that the normal distribution gives to lower scores than each model's.
    base : (model,) int array
        Its base model.
    tau : float or (level,) array
    draws : int
    rng : Generator

    Returns
    -------
    (draw,) array, or (draw, level) for several

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> below = 0.8 * (np.arange(5000) + 0.5) / 5000  # no model lies above the 0.8-quantile
    >>> bool(abs(calibrated(below, np.arange(5000), 0.98, 200, rng).mean() - 0.786) < 0.01)
    True
    """
    levels = np.atleast_1d(np.asarray(tau, float))
    order = np.argsort(np.r_[below, GRID], kind="stable")
    value = np.r_[below, GRID][order]
    groups, sizes = np.unique(base, return_counts=True)
    position = np.searchsorted(groups, base)
    found = np.empty((draws, len(levels)))
    for number in range(draws):
        weight = rng.exponential(size=len(groups))[position]
        prior = rng.gamma(CONCENTRATION) * sizes.mean() / len(GRID)
        total = np.cumsum(np.r_[weight, np.full(len(GRID), prior)][order])
        found[number] = np.interp(levels * total[-1], total, value)
    return found if np.ndim(tau) else found[:, 0]
