"""How the cost of one gradient grows with rows, benchmarks and mixtures.

    python benchmarks/scaling.py

Simulates tables of growing size and times the compiled density; ratios to the smallest table.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from bayes_scaling.inference.compiled.density import compile_density
from bayes_scaling.inference.design import lay_out
from bayes_scaling.models.documents import load_model


def table(benchmarks: int, mixtures: int, sizes: int) -> pd.DataFrame:
    """Scores that mean nothing, in a table of the wanted shape."""
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product(
        [range(benchmarks), range(mixtures), range(sizes)], names=["benchmark", "mixture", "size"]
    )
    runs = index.to_frame(index=False)
    runs["flops"] = 10 ** (17 + 4 * runs["size"] / sizes)
    runs["run"] = runs["mixture"].astype(str) + "-" + runs["size"].astype(str)
    return runs.assign(score=rng.uniform(0.3, 0.8, len(runs)), chance=0.25, n_items=1000.0, metric="accuracy")


def cost(benchmarks: int, mixtures: int, sizes: int) -> tuple[int, int, float, float]:
    """Rows, dimensions, and microseconds of one gradient without and with whitening."""
    runs = table(benchmarks, mixtures, sizes)
    density = compile_density(lay_out(load_model("power_law"), runs))
    white = density.whitened(np.zeros(density.n_dim), np.eye(density.n_dim))
    point = np.random.default_rng(1).normal(size=density.n_dim) * 0.1
    seconds = []
    for one in (density, white):
        one(point)
        start = time.process_time()
        for _ in range(300):
            one(point)
        seconds.append((time.process_time() - start) / 300 * 1e6)
    return len(runs), density.n_dim, *seconds


def main() -> None:
    print("benchmarks mixtures sizes   rows dims   us/gradient  x smallest   whitened  x smallest")
    first = None
    shapes = [(12, 3, 6), (12, 3, 12), (12, 3, 24), (24, 3, 6), (48, 3, 6), (12, 6, 6), (12, 12, 6)]
    for shape in shapes:
        rows, dims, plain, white = cost(*shape)
        first = first or (plain, white)
        print(
            f"{shape[0]:10d} {shape[1]:8d} {shape[2]:5d} {rows:6d} {dims:4d} {plain:13.1f} {plain / first[0]:11.2f}"
            f" {white:10.1f} {white / first[1]:11.2f}"
        )


if __name__ == "__main__":
    main()
