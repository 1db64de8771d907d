"""Plans count their compute as the fitted runs do, and say so."""

import numpy as np
import pandas as pd
import pytest

import bayes_scaling as bs
from bayes_scaling.data.compute_counting import MULTIPLE, multiple_of_6nd
from bayes_scaling.data.plans import complete
from bayes_scaling.forecasting.questions import questions
from bayes_scaling.models.documents import load_model

SIZES = pd.DataFrame({"params": [1e8, 1e9], "tokens": [2e9, 2e10]})
COUNTED = SIZES.assign(flops=[1.5 * 6 * 1e8 * 2e9, 1.2 * 6 * 1e9 * 2e10], benchmark="piqa", mixture="C4")
PLAIN = COUNTED.assign(flops=6 * SIZES["params"] * SIZES["tokens"])


def completed(plan, runs=COUNTED):
    return complete(plan, runs, needs=["flops"], groups=["benchmark", "mixture"], who="a law")


def asked(**sizes):
    return bs.plan_runs(**sizes, benchmark="piqa", mixture="C4")


def test_sizes_that_were_given_change_the_compute():
    plan = completed(asked(params="10B", tokens_per_param=20))
    assert plan["flops"].item() == pytest.approx(1.2 * 6 * 1e10 * 2e11)
    assert plan["params"].item() == 1e10
    assert completed(pd.DataFrame({"params": [1e10], "tokens": 2e11, "benchmark": "piqa", "mixture": "C4"}))[
        "flops"
    ].item() == pytest.approx(1.2 * 6 * 1e10 * 2e11)


def test_compute_that_was_given_changes_the_sizes():
    plan = completed(asked(flops=1e22, tokens_per_param=20))
    assert plan["flops"].item() == 1e22
    assert 1.2 * 6 * plan["params"].item() * plan["tokens"].item() == pytest.approx(1e22)
    assert (plan["tokens"] / plan["params"]).item() == pytest.approx(20)


@pytest.mark.parametrize("runs", [PLAIN, PLAIN.drop(columns=["params", "tokens"])])
def test_nothing_changes_where_runs_count_6nd_or_do_not_say(runs):
    plan = completed(asked(params="10B", tokens_per_param=20), runs)
    assert plan["flops"].item() == 6 * 1e10 * 2e11
    assert plan[MULTIPLE].isna().all()


def test_compute_alone_and_compute_of_ones_own_stay():
    assert completed(asked(flops=1e22))["flops"].item() == 1e22
    assert completed(asked(params="10B", tokens="200B", flops=2e22))["flops"].item() == 2e22


def test_completing_twice_is_completing_once():
    plan = completed(asked(params="10B", tokens_per_param=20))
    pd.testing.assert_frame_equal(completed(plan), plan)


def test_the_row_says_so():
    plan = completed(asked(params="10B", tokens_per_param=20))
    said = questions(COUNTED, plan, load_model("power_law"), ["benchmark", "mixture"]).tolist()
    assert "the fitted runs count 1.2 times 6 params tokens, and so does this row" in said[0]
    other = completed(asked(params="10B", tokens="200B", flops=3e22))
    said = questions(COUNTED, other, load_model("power_law"), ["benchmark", "mixture"]).tolist()
    assert "FLOPs are 2.5 times 6 params tokens, where the fitted runs have 1.2" in said[0]


def test_the_multiple_is_interpolated_over_size():
    asked_of = multiple_of_6nd(COUNTED, np.array([1e7, 10**8.5, 1e12, np.nan]))
    np.testing.assert_allclose(asked_of, [1.5, 1.35, 1.2, 1.5])
