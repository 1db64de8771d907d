"""Whatever a user gives, a public function answers or raises an error of this package."""

import math
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from boards import board_fit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulate import small_fit

import bayes_scaling as bs
from bayes_scaling.boundaries.scores import released_scores
from bayes_scaling.errors import ScalingError
from bayes_scaling.inference.settings import Settings, checked_seed
from bayes_scaling.models.documents import from_document, load_model, to_document

pytestmark = pytest.mark.filterwarnings("ignore")
INPUTS = settings(max_examples=500, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))

TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(["7B", "1e22", "nan", "-1", "inf", "hellaswag", "C4", "a/b"]))
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.binary(max_size=4),
    st.sampled_from([pd.NA, pd.NaT, np.float64(2.0), np.array(1e22), {}, (), object(), 1j]),
)  # fmt: skip
ANYTHING = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(TEXTS, SCALARS, max_size=2))
COLUMNS = ("run", "params", "tokens", "flops", "benchmark", "mixture", "k", "chance", "n_items", "metric", "family")


def answers_or_refuses(function, *arguments, **named):
    try:
        return function(*arguments, **named)
    except ScalingError:
        return None


@INPUTS
@given(st.dictionaries(st.sampled_from(["flops", "params", "tokens", "tokens_per_param", "benchmark", "mixture", "k",
                                        "chance", "n_items", "labels"]), ANYTHING, max_size=6))  # fmt: skip
def test_plan_runs(arguments):
    answers_or_refuses(bs.plan_runs, **arguments)


@INPUTS
@given(st.one_of(
    ANYTHING, st.dictionaries(st.sampled_from(COLUMNS), st.lists(SCALARS, min_size=2, max_size=2)).map(pd.DataFrame)
))  # fmt: skip
def test_forecast(plan):
    assert answers_or_refuses(bs.forecast, plan, plan) is None
    ahead = answers_or_refuses(bs.forecast, small_fit(), plan, seed=1)
    if ahead is not None:
        assert np.isfinite(ahead["accuracy_mean"]).all()


@INPUTS
@given(ANYTHING, ANYTHING)
def test_fit(model, runs):
    assert answers_or_refuses(bs.fit, model, runs) is None


@INPUTS
@given(st.dictionaries(st.sampled_from([*asdict(Settings())]), ANYTHING, min_size=1), ANYTHING)
def test_settings_and_seeds(arguments, seed):
    made = answers_or_refuses(Settings, **arguments)
    assert made is None or all(v is None or math.isfinite(v) for v in asdict(made).values())
    assert (answers_or_refuses(checked_seed, seed) or 0) >= 0


@INPUTS
@given(
    st.dictionaries(st.sampled_from([*to_document(load_model("power_law_discrepancy")), "odd"]), ANYTHING, max_size=4)
)
def test_model_documents(change):
    answers_or_refuses(from_document, to_document(load_model("power_law_discrepancy")) | change)


def lone():
    return bs.average([small_fit()])


def ahead():
    return bs.forecast(small_fit(), bs.plan_runs(flops=1e22, benchmark="benchmark 00", mixture="mixture 0"), seed=1)


JUDGES = {
    "average": lambda a, b: bs.average(a, weights=b),
    "average, weights": lambda a, b: bs.average([small_fit()], weights=a, pool=b),
    "compare": lambda a, b: bs.compare(a, seed=b),
    "prior_sensitivity": lambda a, b: bs.prior_sensitivity(small_fit(), a, seed=1),
    "prior_sensitivity, fit": lambda a, b: bs.prior_sensitivity(a, b),
    "backtest": lambda a, b: bs.backtest(a, b),
    "backtest, splits": lambda a, b: bs.backtest("power_law", small_fit().runs, a, response=b),
    "backtest, baselines": lambda a, b: bs.backtest([], small_fit().runs, baselines=a, seed=b, resamples=2),
    "baseline": lambda a, b: bs.baseline(a, small_fit().runs, b),
    "score_forecast": lambda a, b: bs.score_forecast(a, b),
    "score_forecast, response": lambda a, b: bs.score_forecast(ahead(), a, response=b),
    "summarise": lambda a, b: bs.summarise(ahead(), probabilities=a),
    "summarise, forecast": lambda a, b: bs.summarise(a, probabilities=b),
    "average_benchmarks": lambda a, b: bs.average_benchmarks(a, weights=b),
    "average_benchmarks, weights": lambda a, b: bs.average_benchmarks(ahead(), weights=a),
    "summarise_scores": lambda a, b: bs.summarise_scores(a, by=b),
    "conformal": lambda a, b: bs.conformal(a, b),
    "conformal, past": lambda a, b: bs.conformal(ahead(), a, law=b),
    "recalibrate": lambda a, b: bs.recalibrate(a, b),
    "recalibrate, past": lambda a, b: bs.recalibrate(ahead(), a, law=b),
    "split_above": lambda a, b: bs.split_above(a, b),
    "split_above, runs": lambda a, b: bs.split_above(small_fit().runs, a),
    "split_groups": lambda a, b: bs.split_groups(small_fit().runs, a),
    "split_targets": lambda a, b: bs.split_targets(small_fit().runs, a),
    "forecast of an average": lambda a, b: bs.forecast(lone(), a, seed=b),
    "fit.summary": lambda a, b: small_fit().summary(probability=a),
    "score_locked": lambda a, b: bs.score_locked(a, b),
    "load_dataset": lambda a, b: bs.load_dataset(a),
    "read_runs": lambda a, b: bs.read_runs(a, b),
    "report": lambda a, b: bs.report(small_fit(), a, answers=b),
    "report, fit": lambda a, b: bs.report(a, b),
}


@pytest.mark.slow  # 15,000 inputs
@pytest.mark.parametrize("name", JUDGES)
def test_judges_of_forecasts(name):
    @INPUTS
    @given(ANYTHING, ANYTHING)
    def asked(first, second):
        answers_or_refuses(JUDGES[name], first, second)

    asked()


RELEASED = ("flops", "benchmark", "score", "base_model", "organisation", "period", "n_items", "chance", "params",
            "date", "Model", "#Params (B)", "Base Model", "Upload To Hub Date", "IFEval Raw", "old_score", "new_score",
            "old_items", "new_items")  # fmt: skip
TABLES = st.one_of(
    ANYTHING, st.dictionaries(st.sampled_from(RELEASED), st.lists(SCALARS, min_size=2, max_size=2)).map(pd.DataFrame)
)


@INPUTS
@given(TABLES, ANYTHING)
def test_tables_of_released_models(table, other):
    answers_or_refuses(bs.read_leaderboard, table)
    answers_or_refuses(bs.read_leaderboard, table, bases=other)
    answers_or_refuses(bs.dominance, table, small=1e24, resamples=2, seed=1)
    answers_or_refuses(bs.next_period, table, estimators=["constant"], posterior=False)
    answers_or_refuses(bs.boundary_baseline, "constant", table, other, resamples=2, seed=1)
    answers_or_refuses(released_scores, table)


@INPUTS
@given(TABLES, ANYTHING, ANYTHING, ANYTHING)
def test_choices_of_released_models(table, budget, number, grid):
    answers_or_refuses(bs.evaluate_next, table, budget=budget, number=number, grid=grid, seed=1)
    answers_or_refuses(bs.evaluate_next, table, number=1, evaluated=budget, cost=number, seed=1)
    answers_or_refuses(bs.evaluate_next, table, number=1, fit=grid, cost="flops", seed=1)
    answers_or_refuses(bs.evaluate_next, board_fit().scores, number=1, fit=grid, cost="flops", seed=1)


@INPUTS
@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_decisions(first, second, third, fourth):
    fit, label = small_fit(), {"benchmark": "benchmark 00", "mixture": "mixture 0"}
    answers_or_refuses(bs.compute_for, fit, first, benchmark=second, mixture=third, tokens_per_param=fourth, seed=1)
    answers_or_refuses(bs.compute_for, fit, 0.7, **label, reach=first, seed=1)
    answers_or_refuses(bs.elasticity, fit, first, factor=second, **label, seed=1)
    answers_or_refuses(bs.rank, fit, first, mixture=second, benchmark=third, weights=fourth, seed=1)
    answers_or_refuses(bs.allocate, fit, first, target=second, benchmark=third, inference_tokens=fourth, seed=1)
    answers_or_refuses(bs.trade, fit, first, queries=second, tokens_per_sample=third, k=fourth, seed=1)
    answers_or_refuses(bs.worth, first)
    answers_or_refuses(bs.compute_for, first, 0.7)


@INPUTS
@given(st.one_of(
    ANYTHING, st.dictionaries(st.sampled_from(COLUMNS), st.lists(SCALARS, min_size=2, max_size=2)).map(pd.DataFrame)
), ANYTHING, ANYTHING)  # fmt: skip
def test_choices_of_next_runs(plan, budget, cost):
    good = bs.plan_runs(flops="1e21", benchmark="benchmark 00", mixture="mixture 0")
    answers_or_refuses(bs.next_runs, small_fit(), plan, good, number=1, budget=budget, seed=1)
    answers_or_refuses(bs.next_runs, small_fit(), good, plan, number=budget, cost=cost, seed=1)


@INPUTS
@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_questions_about_a_boundary(flops, tau, period, base):
    fit = board_fit()
    drawn = answers_or_refuses(bs.boundary, fit, flops, tau, period=period, base=base, tail="normal")
    assert drawn is None or np.isfinite(drawn).all()
    answers_or_refuses(bs.moved, fit, period, base, delta=tau, flops=flops)


@INPUTS
@given(st.binary(max_size=200), ANYTHING)
def test_saved_boundaries_and_settings(tmp_path_factory, content, value):
    path = tmp_path_factory.getbasetemp() / "boundary.nc"
    path.write_bytes(content)
    assert answers_or_refuses(bs.BoundaryFit.load, path) is None
    assert answers_or_refuses(bs.shift_probe, value, value) is None
    assert answers_or_refuses(bs.fit_boundary, value, draws=value) is None


@INPUTS
@given(SCALARS)
def test_load_model(name):
    answers_or_refuses(load_model, name)


@INPUTS
@given(st.binary(max_size=200))
def test_model_files(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "own.toml"
    path.write_bytes(content)
    answers_or_refuses(load_model, path)


@INPUTS
@given(st.binary(max_size=200), st.integers(0, 50))
def test_saved_fits(tmp_path_factory, content, at):
    path = tmp_path_factory.getbasetemp() / "fit.nc"
    path.write_bytes(b"\x89HDF\r\n\x1a\n"[:at] + content)
    assert answers_or_refuses(bs.Fit.load, path) is None
    assert answers_or_refuses(bs.read_locked, path) is None
