"""Which models to evaluate next."""

import numpy as np
import pandas as pd
import pytest
from boards import board_fit

import bayes_scaling as bs
from bayes_scaling.boundaries.next_models import Knowledge
from bayes_scaling.errors import DataError


@pytest.fixture(scope="module")
def candidates():
    board = bs.simulated_board(models=400, benchmarks=1, bases=30, seed=6)
    return board.assign(params=(board["flops"] / 120) ** 0.5)


def test_knowledge_is_updated_as_a_normal_distribution_is():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(3, 3))
    covariance = root @ root.T
    known = Knowledge(covariance[None].copy(), np.array([0.09]), np.array([0.16]), 0.5)
    for number in range(4):
        known.evaluate(number, 1)
    noise = 0.09 + 0.16 / 4  # of four models of one base model, at the median
    column = covariance[:, 1]
    assert known.covariance[0] == pytest.approx(covariance - np.outer(column, column) / (covariance[1, 1] + noise))


def test_gains_foresee_what_an_evaluation_takes_away():
    rng = np.random.default_rng(2)
    root = rng.normal(size=(4, 4))
    known, weight = Knowledge((root @ root.T)[None], np.array([0.1]), np.array([0.2]), 0.98), np.full(4, 0.25)
    before = known.deviation(weight) ** 2
    foreseen = known.gains(np.array([0.0]), np.array([2]), weight)[0]
    known.evaluate(0, 2)
    assert 1 - known.deviation(weight) ** 2 / before == pytest.approx(foreseen)


def test_a_plan_keeps_to_its_budget_and_is_worth_more_than_chance(candidates):
    budget = 0.1 * candidates["params"].sum()
    chosen = bs.evaluate_next(candidates, budget=budget, seed=1)
    assert chosen["params"].sum() <= budget and chosen.index.is_unique
    assert chosen["sd_after"].is_monotonic_decreasing
    rng, left = np.random.default_rng(1), []
    for _ in range(10):
        shuffled = candidates.iloc[rng.permutation(len(candidates))]
        drawn = shuffled[shuffled["params"].cumsum() <= budget]
        rest = bs.evaluate_next(candidates.drop(drawn.index), number=1, evaluated=drawn, grid=candidates["flops"])
        left.append(rest["sd_after"].iloc[0])
    assert chosen["sd_after"].iloc[-1] < min(left)


def test_many_models_of_one_base_say_little_new():
    two = pd.DataFrame({"flops": 1e23, "base_model": ["a"] * 20 + ["b"] * 20, "params": 1e9})
    chosen = bs.evaluate_next(two, number=10, seed=1)
    assert chosen["base_model"].value_counts().tolist() == [5, 5]


def test_costs_matter(candidates):
    equal = bs.evaluate_next(candidates.assign(price=1.0), number=20, cost="price", seed=1)
    dear = bs.evaluate_next(candidates, number=20, seed=1)
    assert dear["flops"].mean() < equal["flops"].mean()


def test_a_grid_draws_the_choice_to_where_the_boundary_is_wanted(candidates):
    low, high = (
        bs.evaluate_next(candidates, number=10, grid=[at], seed=1)["flops"].median() for at in ("1e22", "1e25")
    )
    assert low < high


def test_a_fit_tells_where_more_is_worth_most(candidates):
    chosen = bs.evaluate_next(candidates, number=5, grid=["1e25"], fit=board_fit(), seed=1)
    assert len(chosen) == 5 and chosen["sd_after"].is_monotonic_decreasing


def test_the_same_seed_gives_the_same_choice_and_nothing_fits_no_budget(candidates):
    one, two = (bs.evaluate_next(candidates, number=10, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert bs.evaluate_next(candidates, budget=1.0).empty


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({}, "say how much"),
        ({"budget": -1}, "budget must be positive"),
        ({"number": 0}, "whole number of 1 or more"),
        ({"number": 1, "tau": 2}, "tau must lie"),
        ({"number": 1, "cost": "dollars"}, r"needs the columns \['dollars'\]"),
        ({"number": 1, "grid": ["x"]}, "not a size"),
    ],
)
def test_wrong_questions_are_refused(candidates, arguments, match):
    with pytest.raises(DataError, match=match):
        bs.evaluate_next(candidates, **arguments)


def test_an_empty_table_is_refused(candidates):
    with pytest.raises(DataError, match="no candidates"):
        bs.evaluate_next(candidates.iloc[:0], number=1)
    with pytest.raises(DataError, match="repeats labels"):
        bs.evaluate_next(pd.concat([candidates, candidates]), number=1)
