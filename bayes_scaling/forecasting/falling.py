r"""Forecasts of a benchmark whose scores fall with compute, which no law of this package describes.

Some tasks get worse with size (McKenzie et al. 2023, arXiv 2306.09479), and some turn round later (Wei et al.
2022, arXiv 2211.02011).  Every law here rises.  Rows of such a benchmark are therefore drawn from a straight line in
the log odds of the score,

.. math:: \operatorname{logit} Q = a_{mixture} + b\,x + \delta(x) + \varepsilon, \qquad x = \log_{10} C,

with its usual posterior under a flat prior (Gelman et al. 2013, Bayesian Data Analysis, Eqs. 14.4 to 14.8).  Beyond the
runs the slope wanders: :math:`\delta'' = |\hat b|\,\dot W`, so that one decade on it may well have turned.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from bayes_scaling.data.trends import falls
from bayes_scaling.models.responses.accuracy import ACCURACY

EDGE = 1e-3  # scores are kept this far from 0 and 1 before their log odds are taken
JITTER = 1e-9


def falling_benchmarks(runs: pd.DataFrame) -> list[str]:
    """Benchmarks whose scores clearly fall with compute."""
    if not {"benchmark", "score", "flops"} <= set(runs):
        return []
    scored = runs[ACCURACY.outcomes(runs)]
    groups = scored.groupby(scored["benchmark"].astype(str), sort=False)
    return [str(name) for name, rows in groups if falls(rows["flops"], rows["score"])]


def replace_falling(
    out: dict[str, np.ndarray], runs: pd.DataFrame, plan: pd.DataFrame, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw the rows of falling benchmarks from a line that falls; all others stay as they are.

    Parameters
    ----------
    out : mapping of (chain, draw, row) arrays
        Expectation and new run, by name.
    runs, plan : DataFrame
        What was fitted, and what is forecast.
    rng : Generator
    """
    if ACCURACY.name not in out or "benchmark" not in plan:
        return out
    out = {name: np.array(values) for name, values in out.items()}
    asked = plan["benchmark"].astype(str)
    for benchmark in falling_benchmarks(runs):
        rows = np.flatnonzero(asked == benchmark)
        if rows.size:
            known = runs[ACCURACY.outcomes(runs) & runs["benchmark"].astype(str).eq(benchmark).to_numpy()]
            size = out[ACCURACY.name].shape[:2]
            mean, new = line_draws(known, plan.iloc[rows], int(np.prod(size)), rng)
            out[ACCURACY.mean_name][..., rows] = mean.reshape(*size, -1)
            out[ACCURACY.name][..., rows] = new.reshape(*size, -1)
    return out


def line_draws(
    known: pd.DataFrame, plan: pd.DataFrame, draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Expectation and new run of one benchmark, (draw, row) arrays of scores.

    A mixture without scores has the intercept of one that has, drawn at random.

    Examples
    --------
    >>> known = pd.DataFrame({"flops": np.logspace(19, 21, 6), "score": [0.60, 0.56, 0.53, 0.49, 0.46, 0.42]})
    >>> plan = pd.DataFrame({"flops": [1e20, 1e22]})
    >>> mean, _ = line_draws(known, plan, 2000, np.random.default_rng(1))
    >>> mean.mean(axis=0).round(1).tolist()
    [0.5, 0.3]
    """
    labels = known["mixture"].astype(str) if "mixture" in known else pd.Series("", known.index)
    mixtures = sorted(labels.unique())
    size, ahead = (np.log10(table["flops"].to_numpy(float)) for table in (known, plan))
    middle = size.mean()
    design = np.column_stack([labels.to_numpy()[:, None] == np.array(mixtures), size - middle]).astype(float)
    observed = logit(np.clip(known["score"].to_numpy(float), EDGE, 1 - EDGE))
    inverse = np.linalg.pinv(design.T @ design)
    estimate = inverse @ design.T @ observed
    freedom = max(len(observed) - design.shape[1], 1)
    residual = np.sum((observed - design @ estimate) ** 2) / freedom
    sigma = np.sqrt(freedom * residual / rng.chisquare(freedom, draws))
    root = np.linalg.cholesky(inverse + JITTER * np.eye(len(inverse)))
    coefficients = estimate + sigma[:, None] * (rng.normal(size=(draws, len(estimate))) @ root.T)
    given = plan["mixture"].astype(str).to_numpy() if "mixture" in plan else np.full(len(plan), "")
    levels = pd.Index(mixtures).get_indexer(pd.Index(given))
    of_row = np.where(levels < 0, rng.integers(len(mixtures), size=(draws, 1)), levels)
    line = np.take_along_axis(coefficients, of_row, axis=1) + coefficients[:, [-1]] * (ahead - middle)
    line = line + abs(estimate[-1]) * _wandering(ahead, (size.min(), size.max()), draws, rng)
    return expit(line), expit(line + sigma[:, None] * rng.normal(size=line.shape))


def _wandering(ahead: np.ndarray, span: tuple[float, float], draws: int, rng: np.random.Generator) -> np.ndarray:
    """Integrated Wiener paths beyond a span on either side, (draw, row)."""
    out = np.zeros((draws, len(ahead)))
    for beyond in (np.maximum(ahead - span[1], 0), np.maximum(span[0] - ahead, 0)):
        places, of_row = np.unique(beyond, return_inverse=True)
        early, late = np.minimum.outer(places, places), np.maximum.outer(places, places)
        covariance = early**2 * (3 * late - early) / 6 + JITTER * np.eye(len(places)) * (places > 0)
        values, vectors = np.linalg.eigh(covariance)
        paths = rng.normal(size=(draws, len(places))) @ (vectors * np.sqrt(np.maximum(values, 0))).T
        out += np.where(beyond > 0, paths[:, of_row], 0.0)
    return out
