"""Scores that rise along an S-shaped curve are told from a power law, and `check` says so."""

import numpy as np
import pandas as pd
import pytest

import bayes_scaling as bs
from bayes_scaling.inference.bending import bend
from bayes_scaling.inference.suitability import bent, doubt
from bayes_scaling.reporting.terminal import usable

FLOPS, CHANCE = np.logspace(19, 21, 6), 0.25
OF_ONE_EXPONENT = ("power_law", "power_law_ceiling", "power_law_discrepancy", "power_law_mixtures")


def power_law(alpha=0.2):
    return CHANCE + (0.97 - CHANCE) * np.exp(-1.2 * (FLOPS / 1e21) ** -alpha)


def sigmoid(middle=21.0):
    return CHANCE + 0.7 / (1 + np.exp(-2 * (np.log10(FLOPS) - middle)))


def runs(curves, seed=1, mixtures=("C4",)):
    """Runs of benchmarks with these scores, and a scatter of 0.008."""
    rng = np.random.default_rng(seed)
    tables = [
        pd.DataFrame({"flops": FLOPS * (1 + 0.01 * place), "benchmark": f"test {number}", "mixture": mixture,
                      "score": curve - 0.1 * place * (curve - CHANCE) + 0.008 * rng.normal(size=6)})
        for number, curve in enumerate(curves) for place, mixture in enumerate(mixtures)
    ]  # fmt: skip
    table = pd.concat(tables).assign(chance=CHANCE, n_items=2000, metric="accuracy")
    return bs.read_runs(table.assign(run=table["flops"].map("{:.4g}".format)))


def test_a_straight_line_is_called_bent_about_as_often_as_was_said():
    found = [bend(runs([power_law(0.15), power_law(0.2), power_law(0.25)], seed)) for seed in range(100)]
    called = np.mean([one.probability < 0.05 for one in found])
    assert 0.01 < called < 0.1
    assert np.mean([one.rises for one in found]) < 0.02
    assert np.median([one.smallest for one in found]) == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("mixtures", [("C4",), ("C4", "RPJ")])
def test_a_sigmoid_is_seen_to_rise(mixtures):
    found = [bend(runs([sigmoid(20.6), sigmoid(21), sigmoid(21.5)], seed, mixtures)) for seed in range(20)]
    assert np.mean([one.rises for one in found]) > 0.9
    assert all(one.largest > one.smallest for one in found)


def test_the_unit_of_compute_and_the_order_of_rows_change_nothing():
    table = runs([sigmoid()])
    other = table.assign(flops=table["flops"] * 1e3).sample(frac=1, random_state=1)
    ours, theirs = bend(table), bend(other)
    assert (ours.smallest, ours.largest, ours.probability) == pytest.approx(
        (theirs.smallest, theirs.largest, theirs.probability), rel=1e-3
    )


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame(),
        pd.DataFrame({"flops": FLOPS, "loss": 3.0}),
        pd.DataFrame({"flops": FLOPS[:5], "score": sigmoid()[:5]}),
        pd.DataFrame({"flops": np.repeat(FLOPS[:3], 4), "score": np.repeat(sigmoid()[:3], 4)}),
        pd.DataFrame({"flops": FLOPS, "score": 1 - 0.01 * FLOPS / 1e21}),
        pd.DataFrame({"flops": np.nan, "score": sigmoid()}),
    ],
    ids=["nothing", "losses", "few runs", "three sizes", "solved", "no compute"],
)
def test_runs_that_cannot_tell_say_nothing(table):
    assert bend(table) is None


def test_scores_at_chance_do_not_bend():
    found = [bend(runs([np.full(6, CHANCE)] * 3, seed)) for seed in range(20)]
    assert not any(one is not None and one.rises for one in found)


@pytest.mark.parametrize("name", bs.list_models())
def test_only_laws_of_one_exponent_are_doubted(name):
    said = bent(bs.load_model(name), runs([sigmoid()] * 3))
    assert bool(said) == (name in OF_ONE_EXPONENT)
    if said:
        other = "curved_power_law_discrepancy" if bs.load_model(name).leaves_law else "curved_power_law"
        assert "over these runs it seems to rise, from 0.1" in said
        assert f"S-shaped curve, {other} forecasts better; on most public benchmarks with such a rise it" in said


def test_the_check_notes_it():
    lines = usable(runs([sigmoid()] * 3))
    assert lines[-1].endswith("A backtest of both can tell")
    assert lines[0].startswith("  power_law_discrepancy: yes, recommended for")
    assert lines[-1].startswith("note: power_law_discrepancy has one exponent for all compute")
    assert not any(line.startswith("note") for line in usable(runs([power_law()] * 3)))


def test_mixed_ratios_are_said_first():
    sizes = np.sqrt(FLOPS / 6 / np.array([5, 80, 5, 80, 5, 80]))
    table = runs([sigmoid()] * 3)
    table = table.assign(params=np.tile(sizes, 3), tokens=np.tile(FLOPS / 6 / sizes, 3))
    law = bs.load_model("power_law_discrepancy")
    assert "reads compute alone" in str(doubt(law, table)) and bent(law, table) == ""
