"""Remarks: benchmarks that follow no law yet are named, and those that do are left alone."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from simulate import small_fit

from bayes_scaling.data.datasets import load_dataset
from bayes_scaling.forecasting.caveats import AT_CHANCE, FALLING, JUST_LEFT, NO_LAW, UNSEEN, notes, remark

SIZES = np.geomspace(1e18, 1e22, 24)


def fitted_to(scores, chance=0.25, n_items=1000.0):
    """A fit as if it had seen these scores of a benchmark, shuffled."""
    rows = {"benchmark": "mine", "flops": SIZES, "score": scores, "chance": chance, "n_items": n_items}
    return replace(small_fit(), runs=pd.DataFrame(rows).sample(frac=1, random_state=1))


def around(level, sd, seed=1):
    return level + sd * np.random.default_rng(seed).normal(size=len(SIZES))


def rising(to, start=0.0):
    return 0.25 + (to - 0.25) * np.clip((np.linspace(0, 1, len(SIZES)) - start) / (1 - start), 0, 1)


def test_a_benchmark_that_rises_needs_no_remark():
    assert remark(fitted_to(around(rising(0.7), 0.01)), "mine") == ""


def test_scores_at_chance_are_named():
    assert remark(fitted_to(around(0.25, 0.01)), "mine") == AT_CHANCE
    assert remark(fitted_to(around(0.0, 0.0), chance=0.0), "mine") == AT_CHANCE


def test_scores_that_scatter_as_much_as_they_rise_are_named():
    assert remark(fitted_to(around(0.55, 0.06)), "mine") == NO_LAW
    assert remark(fitted_to(0.25 + 0.3 * np.random.default_rng(2).uniform(size=24)), "mine") == NO_LAW


def test_a_benchmark_that_has_only_just_left_its_floor_is_named():
    assert remark(fitted_to(around(rising(0.6, start=0.8), 0.002)), "mine") == JUST_LEFT


def test_a_benchmark_that_was_never_seen_is_named():
    assert remark(fitted_to(around(rising(0.7), 0.01)), "yours") == UNSEEN.format("yours")


def test_blanks_are_no_scores():
    assert remark(fitted_to(np.full(24, np.nan)), "mine") == UNSEEN.format("mine")


def test_unknown_items_and_chance_do_no_harm():
    fit = fitted_to(around(rising(0.7), 0.01), chance=np.nan, n_items=np.nan)
    assert remark(fit, "mine") == ""


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_few_rows_do_no_harm(rows):
    fit = fitted_to(around(rising(0.7), 0.01))
    assert isinstance(remark(replace(fit, runs=fit.runs.iloc[:rows]), "mine"), str)


@pytest.mark.parametrize("sizes", [1, 2, 3])
def test_few_sizes_with_many_runs_give_no_warning_of_numpy(sizes):
    fit = fitted_to(around(rising(0.7), 0.01))
    place = np.arange(len(SIZES)) * sizes // len(SIZES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        remark(replace(fit, runs=fit.runs.sort_values("flops").assign(flops=SIZES[place])), "mine")


def test_notes_go_with_their_rows():
    fit = fitted_to(around(0.25, 0.01))
    plan = pd.DataFrame({"benchmark": ["mine", "yours", "mine"]})
    assert list(notes(fit, plan)) == [AT_CHANCE, UNSEEN.format("yours"), AT_CHANCE]
    assert list(notes(fit, pd.DataFrame({"flops": [1e20, 1e21]}))) == ["", ""]


def test_on_real_data_the_remarks_fall_where_they_should():
    fit = replace(small_fit(), runs=load_dataset("gadre2024"))
    assert remark(fit, "hellaswag") == ""
    assert remark(fit, "boolq") != ""
    assert remark(fit, "agi_eval_lsat_ar") != ""


def test_scores_that_fall_are_named():
    falling = rising(0.7)[::-1]
    assert remark(fitted_to(falling), "mine") == FALLING
    assert remark(fitted_to(around(rising(0.7), 0.01)), "mine") != FALLING
