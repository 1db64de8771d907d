"""The baseline of every speed ratio: the same model, written by hand and non-centred, under plain ``pm.sample()``.

    python benchmarks/naive.py DRAWS_FILE

Fits the twelve benchmarks and three mixtures of gadre2024 and writes its draws; `speed.py` runs it.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
from splits import gadre

from bayes_scaling.laws.likelihoods import EDGE
from bayes_scaling.laws.registry import C0
from bayes_scaling.models.documents import load_model


def naive_model(runs: pd.DataFrame) -> pm.Model:
    """Write the registered power law with pm.Normal effects and no care for geometry."""
    spec = load_model("power_law")
    codes = {g: pd.factorize(runs[g], sort=True) for g in ("benchmark", "mixture")}
    at = {g: code for g, (code, _) in codes.items()}
    sizes = {g: len(labels) for g, (_, labels) in codes.items()}
    score, n_items, chance = (runs[c].to_numpy(float) for c in ("score", "n_items", "chance"))
    with pm.Model() as model:

        def parameter(name: str) -> Any:
            prior = spec.parameters[name]
            free = prior.location + prior.scale * pm.Normal(f"{name}_z")
            for effect in spec.effects(name):
                sd = effect.spread * pm.math.exp(effect.spread_scale * pm.Normal(f"{effect.name}_sd_z"))
                offsets = sd * pm.Normal(f"{effect.name}_z", shape=[sizes[g] for g in effect.group])
                free = free + offsets[tuple(at[g] for g in effect.group)]
            return prior.support.constrain(free)

        neglog = parameter("A") * (runs["flops"].to_numpy() / C0) ** -parameter("alpha")
        floor = chance / (chance + (1 - chance) * pm.math.exp(-parameter("floor_shift")))
        mean = EDGE + (1 - 2 * EDGE) * (floor + (1 - floor) * pm.math.exp(-neglog))
        kappa = 1 / (parameter("accuracy_scatter") ** 2 + parameter("accuracy_item_share") / n_items)
        pm.Beta("accuracy", mean * kappa, (1 - mean) * kappa, observed=EDGE + (1 - 2 * EDGE) * score)
    return model


def main() -> None:
    with naive_model(gadre(at_20=True).reset_index(drop=True)):
        trace = pm.sample(chains=4, draws=1000, progressbar=False, random_seed=1)
    points = np.concatenate([v.to_numpy().reshape(4, 1000, -1) for v in trace.posterior.values()], axis=2)
    np.savez(sys.argv[1], points=points, steps=trace.sample_stats["n_steps"], diverging=trace.sample_stats["diverging"])


if __name__ == "__main__":
    main()
