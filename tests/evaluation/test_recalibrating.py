"""Bands made wider or narrower by a backtest."""

import json
from dataclasses import replace

import numpy as np
import pytest
from backtests import ahead, average_ahead, past_of

import bayes_scaling as bs
from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.conformal import conformal
from bayes_scaling.evaluation.past_forecasts import RECALIBRATION, Past
from bayes_scaling.evaluation.recalibrating import INFORMATION, learned, recalibrate, width_factor


@pytest.mark.parametrize("true", [0.5, 1.0, 2.0])
def test_the_factor_of_errors_is_found(true):
    told = json.loads(recalibrate(ahead(), past_of(0.02 * true)).attrs[RECALIBRATION])
    assert told["factor"]["0.5"] == pytest.approx(true, rel=0.15)
    assert (told["runs"], told["rows"]) == (30, 360)
    assert told["crps_change"] == pytest.approx(0, abs=0.005) if true == 1.0 else told["crps_change"] < -0.02


def test_medians_stay_and_bands_widen_in_all_that_is_forecast():
    before, after = ahead(), recalibrate(ahead(), past_of(0.05))
    for name in ("accuracy", "accuracy_mean"):
        both = [f[name].stack(n=("chain", "draw")) for f in (before, after)]
        np.testing.assert_allclose(*(b.median("n") for b in both), atol=1e-12)
        assert (both[1].std("n") > 1.5 * both[0].std("n")).all()
    assert before.attrs.keys() == after.attrs.keys() - {RECALIBRATION}
    assert (after["accuracy"] <= 1).all()
    factors = [float(after["accuracy"][..., row].std() / before["accuracy"][..., row].std()) for row in (0, 1)]
    beyond = width_factor(np.array([0.0, 1.0]), np.array([0.5, 9.0]), 0.5)
    assert beyond[0] == beyond[1], "no factor grows beyond the distances of the backtest"
    assert max(factors) / min(factors) < 2.5


def test_an_average_over_benchmarks_is_recalibrated_by_past_averages():
    """Errors that are alike on all six tests of a run are right one by one, and 2.4 times too large in averages."""
    past = past_of(0.02, together=True, runs=100, decades=2.0)
    single, together = (json.loads(recalibrate(f, past).attrs[RECALIBRATION]) for f in (ahead(), average_ahead(6)))
    assert single["factor"]["0.5"] == pytest.approx(1, rel=0.1)
    assert together["factor"]["0.5"] == pytest.approx(np.sqrt(6), rel=0.1)
    assert (together["runs"], together["rows"]) == (100, 200)


def test_runs_without_all_benchmarks_of_an_average_are_passed_over():
    past = past_of(0.02, together=True)
    lacking = (past.scores["split"] == "cut 1") & (past.scores["benchmark"] == "test 3")
    renamed = past.scores["benchmark"].mask(lacking, "another")
    told = recalibrate(average_ahead(6), replace(past, scores=past.scores.assign(benchmark=renamed)))
    assert json.loads(told.attrs[RECALIBRATION])["rows"] == 30, "those of the other cut"


def test_averages_over_what_the_backtest_lacks_are_refused():
    with pytest.raises(DataError, match=r"^no run of the backtest has all benchmarks of the average, test 0, test 1"):
        recalibrate(average_ahead(7), past_of(0.02))
    other = average_ahead(2).assign_attrs({"averaged_over": "{}"})
    with pytest.raises(DataError, match="averages over different benchmarks"):
        recalibrate(other, past_of(0.02))


@pytest.mark.parametrize("again", [recalibrate, conformal])
def test_no_forecast_is_adjusted_twice(again):
    past = past_of(0.04)
    with pytest.raises(DataError, match="its bands would be changed twice"):
        again(recalibrate(ahead(), past), past)


def test_few_runs_say_little():
    few, many = (json.loads(recalibrate(ahead(), past_of(0.08, runs=n, splits=1, seed=3)).attrs[RECALIBRATION])
                 for n in (3, 60))  # fmt: skip
    assert 1.2 < few["factor"]["0.5"] < many["factor"]["0.5"]
    assert many["factor"]["0.5"] == pytest.approx(4, rel=0.2)
    assert few["crps_change"] is None


def test_runs_of_one_size_count_as_one():
    """Thirty runs of one size say as much as one: their errors are the law's, which they share."""
    past = past_of(0.06, splits=1)
    scores = past.scores.assign(flops=1e20)
    one = replace(past, scores=scores)
    each, together = (json.loads(recalibrate(ahead(), p).attrs[RECALIBRATION]) for p in (past, one))
    assert (each["sizes"], together["sizes"]) == (30, 1)
    assert each["runs"] == together["runs"] == 30
    assert each["factor"]["0.5"] == pytest.approx(3, rel=0.2)
    assert together["factor"]["0.5"] < 1.5


def test_a_run_counts_as_one_observation_of_the_log_factor():
    """The curvature of the score about the log factor is that of one normal observation a run, which is 2."""
    rng = np.random.default_rng(2)
    draws, n = rng.normal(size=(1, 2000)).repeat(4000, 0), 4000
    observed = rng.normal(size=n)
    spread = np.abs(np.subtract.outer(draws[0], draws[0])).mean()
    step = 0.2

    def score(log_factor):
        away = np.exp(log_factor) * (draws - np.median(draws[0])) - (observed - np.median(draws[0]))[:, None]
        return INFORMATION * (np.abs(away).mean() - np.exp(log_factor) * spread / 2)

    curvature = (score(step) + score(-step) - 2 * score(0.0)) / step**2
    assert curvature == pytest.approx(2, rel=0.15)


def test_forecasts_that_cannot_be_recalibrated_are_refused():
    past = past_of(0.02)
    with pytest.raises(
        DataError, match=r"^the backtest has no forecasts of 'power_law_ceiling'; it has those of \['pow"
    ):
        recalibrate(ahead(), past, law="power_law_ceiling")
    with pytest.raises(DataError, match=r"^the backtest forecasts 2 runs"):
        recalibrate(ahead(), past_of(0.02, runs=2))
    with pytest.raises(DataError, match=r"^the backtest is of loss, the forecast of accuracy"):
        recalibrate(ahead(), replace(past, response="loss"))
    tied = ahead().rename({"accuracy": "pass_at_k", "accuracy_mean": "pass_at_k_mean"})
    with pytest.raises(DataError, match=r"^pass@k cannot be recalibrated"):
        recalibrate(tied, past)
    assert bs.recalibrate is recalibrate


def test_rows_without_spread_are_passed_over():
    draws = np.random.default_rng(1).normal(0.5, 0.02, (9, 100))
    runs = np.array([f"run {n}" for n in range(9)])
    known = Past(draws, np.full(9, 0.5), np.zeros(9), np.full(9, 1e20), runs, np.full(9, "one"))
    assert np.all(np.isfinite(learned(known)))
