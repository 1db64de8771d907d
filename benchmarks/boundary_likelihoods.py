"""Which distribution of scores over released models has the right upper tail: six of them, by maximum likelihood.

    python benchmarks/boundary_likelihoods.py SCORES.csv

SCORES.csv has one row a score of a released model, as `bayes_scaling.read_leaderboard` takes it; pretrained models are
left out, as in arXiv 2602.15327.  Every distribution has a location quadratic and a log scale linear in log10 C, for
every benchmark and period by itself.  Printed are, for the models that were fitted and for those of the next period,
the share above the 0.9-quantile (top decile, should be 10 %), its mean distance from 10 % over benchmarks and periods,
the share above the 0.98-quantile, the exact pinball loss at 0.98 times 1000, and the error of coverage in points.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import minimize
from scipy.special import expit, logit

from bayes_scaling.boundaries.estimators import TAU, pinball
from bayes_scaling.boundaries.leaderboard import read_leaderboard
from bayes_scaling.boundaries.validation import coverage_error

MIDDLE, EDGE = 23.0, 0.001
LEVELS = np.array([0.9, TAU])


def on_odds(shaped: Callable[[float], stats.rv_continuous]) -> Callable[..., stats.rv_continuous]:
    """A distribution on the log odds."""
    return lambda location, scale, shape: _Odds(shaped(shape), location, scale)


class _Odds:
    def __init__(self, shape: stats.rv_continuous, location: np.ndarray, scale: np.ndarray) -> None:
        self.shape, self.location, self.scale = shape, location, scale

    def logpdf(self, score: np.ndarray) -> np.ndarray:
        return self.shape.logpdf((logit(score) - self.location) / self.scale) - np.log(self.scale * score * (1 - score))

    def ppf(self, level: float) -> np.ndarray:
        return expit(self.location + self.scale * self.shape.ppf(level))


class _Beta:
    def __init__(self, location: np.ndarray, scale: np.ndarray, _: float) -> None:
        mean, size = np.clip(expit(location), 1e-6, 1 - 1e-6), 1 / np.clip(scale, 1e-3, 10) ** 2
        self.frozen = stats.beta(mean * size, (1 - mean) * size)

    def logpdf(self, score: np.ndarray) -> np.ndarray:
        return self.frozen.logpdf(score)

    def ppf(self, level: float) -> np.ndarray:
        return self.frozen.ppf(level)


class _RawNormal:
    def __init__(self, location: np.ndarray, scale: np.ndarray, _: float) -> None:
        self.frozen = stats.norm(expit(location), scale)

    def logpdf(self, score: np.ndarray) -> np.ndarray:
        return self.frozen.logpdf(score)

    def ppf(self, level: float) -> np.ndarray:
        return np.clip(self.frozen.ppf(level), 0, 1)


LIKELIHOODS: dict[str, tuple[Callable[..., object], float | None]] = {  # with where its shape starts
    "normal, log odds": (on_odds(lambda _: stats.norm), None),
    "t, log odds": (on_odds(lambda shape: stats.t(1.5 + np.exp(shape))), 1.5),
    "skew-normal, log odds": (on_odds(lambda shape: stats.skewnorm(shape)), -0.5),
    "Johnson SU, log odds": (on_odds(lambda shape: stats.johnsonsu(shape, 2.0)), 0.1),
    "beta": (_Beta, None),
    "normal, score": (_RawNormal, None),
}


def fitted(make: Callable[..., object], start: float | None, x: np.ndarray, y: np.ndarray) -> Callable[..., object]:
    """The distribution at any x, by maximum likelihood."""

    def at(theta: np.ndarray, x: np.ndarray) -> object:
        location = theta[0] + theta[1] * x + theta[2] * x**2
        return make(location, np.exp(np.clip(theta[3] + theta[4] * x, -6, 3)), theta[5] if start is not None else 0.0)

    def loss(theta: np.ndarray) -> float:
        value = -float(np.mean(at(theta, x).logpdf(y))) + 1e-4 * float(np.sum(theta**2))
        return value if np.isfinite(value) else 1e6

    odds = logit(y)
    slope = np.polyfit(x, odds, 1)
    spread = np.log(np.std(odds - np.polyval(slope, x))) if make is not _RawNormal else np.log(np.std(y))
    first = np.r_[slope[1], slope[0], 0.0, spread - (0.8 if make is _Beta else 0.0), 0.0, start or 0.0]
    first = first if start is not None else first[:5]
    best = minimize(loss, minimize(loss, first, method="Nelder-Mead", options={"maxiter": 4000}).x, method="BFGS").x
    return lambda x: at(best, x)


def judged(found: Callable[..., object], x: np.ndarray, flops: np.ndarray, y: np.ndarray) -> dict[str, float]:
    high, top = (found(x).ppf(level) for level in LEVELS)
    return {
        "top decile %": 100 * np.mean(y > high),
        "off 10 %": abs(100 * np.mean(y > high) - 10),
        "top 2 %": 100 * np.mean(y > top),
        "pinball": 1e3 * pinball(y, top).mean(),
        "coverage error": 100 * coverage_error(flops, y, top),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores")
    scores = read_leaderboard(pd.read_csv(parser.parse_args().scores))
    scores = scores[scores["model_type"] != "pretrained"]
    rows = []
    for before, after in pairwise(sorted(scores["period"].unique())):
        for benchmark, table in scores.groupby("benchmark"):
            parts = {period: table[table["period"] == period] for period in (before, after)}
            x = {period: np.log10(part["flops"].to_numpy()) - MIDDLE for period, part in parts.items()}
            y = {period: part["score"].clip(EDGE, 1 - EDGE).to_numpy() for period, part in parts.items()}
            low, high = x[before].min(), x[before].max()
            for name, (make, start) in LIKELIHOODS.items():
                found = fitted(make, start, x[before], y[before])
                for which, period in (("fitted", before), ("next period", after)):
                    inside = np.clip(x[period], low, high)
                    result = judged(found, inside, parts[period]["flops"].to_numpy(), y[period])
                    rows.append(
                        {"likelihood": name, "scored on": which, "benchmark": benchmark, "period": period} | result
                    )
    table = pd.DataFrame(rows)
    print(table.groupby(["scored on", "likelihood"], sort=False).mean(numeric_only=True).round(2).to_string())
    print("\nshare in the top decile of the models that were fitted, by benchmark and period (should be 10 %)")
    own = table[table["scored on"] == "fitted"]
    print(
        own.pivot_table(index=["benchmark", "period"], columns="likelihood", values="top decile %").round(1).to_string()
    )


if __name__ == "__main__":
    main()
