"""A fixed ceiling gives way where a benchmark is solved, so that none is forecast to fall."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayes_scaling as bs
from bayes_scaling.inference.solved import raised_ceiling

LAW = bs.load_model("power_law_discrepancy")
FLOPS = np.logspace(19, 21, 6)


def runs(*tops, items=2000.0, noise=0.0):
    rng = np.random.default_rng(1)
    tables = [
        pd.DataFrame(
            {
                "flops": FLOPS,
                "benchmark": f"b{i}",
                "score": 1 - (1 - top) * (FLOPS / FLOPS[-1]) ** -0.15 * np.exp(noise * rng.normal(size=6)),
            }
        )
        for i, top in enumerate(tops)
    ]
    table = pd.concat(tables).assign(chance=0.25, n_items=items, metric="accuracy")
    return bs.read_runs(table.assign(run=table["flops"].map("{:.2g}".format)))


def test_far_from_it_the_ceiling_stays():
    assert raised_ceiling(LAW, runs(0.8)) is LAW
    assert raised_ceiling(bs.load_model("power_law"), runs(0.99)).fixed == bs.load_model("power_law").fixed


def test_the_best_benchmark_decides_and_again_changes_nothing():
    once = raised_ceiling(LAW, runs(0.8, 0.99))
    assert 0.005 < once.fixed["E"] < 0.01
    assert raised_ceiling(once, runs(0.8, 0.99)) is once


@pytest.mark.parametrize("items", [100.0, np.nan])
def test_all_right_leaves_half_an_item(items):
    raised = raised_ceiling(LAW, runs(1.0, items=items))
    assert 0 < raised.fixed["E"] < 0.01


@pytest.mark.slow
def test_a_solved_benchmark_is_not_forecast_to_fall():
    table = runs(0.985, 0.97, 0.8, noise=0.05)
    fit = bs.fit(LAW, table, seed=1, progress=False)
    assert fit.model.fixed["E"] < 0.015
    ahead = bs.forecast(fit, bs.plan_runs(flops=[1e22, 1e23], benchmark=["b0", "b1"]), seed=1)
    last = table[table["flops"].eq(table["flops"].max())].set_index("benchmark")["score"]
    middle = ahead["accuracy_mean"].median(("chain", "draw")).to_numpy()
    assert (middle >= last[ahead["benchmark"].to_numpy()].to_numpy() - 0.003).all()
    assert set(ahead["note"].to_numpy()[:1]) != {""}
    assert replace(fit, model=fit.model).design.model.fixed["E"] == fit.model.fixed["E"]
