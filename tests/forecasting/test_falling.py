"""A benchmark that gets worse with compute is forecast to go on falling, with a wide band; others stay as they are."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from simulate import small_fit

import bayes_scaling as bs
from bayes_scaling.forecasting.falling import falling_benchmarks, line_draws, replace_falling

FLOPS = np.logspace(19, 21, 6)


def inverse(rng, benchmark="worse"):
    start, slope = rng.uniform(0.55, 0.75), rng.uniform(0.03, 0.08)
    scores = start - slope * (np.log10(FLOPS) - 19) + rng.normal(0, 0.008, 6)
    return pd.DataFrame({"flops": FLOPS, "benchmark": benchmark, "mixture": "C4", "score": scores}), start, slope


def test_bands_hold_in_simulation_ten_and_a_hundred_times_beyond():
    held = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        known, start, slope = inverse(rng)
        mean, _ = line_draws(known, pd.DataFrame({"flops": [1e22, 1e23], "mixture": "C4"}), 1000, rng)
        truth = start - slope * np.array([3, 4])
        held.append((np.quantile(mean, 0.05, axis=0) < truth) & (truth < np.quantile(mean, 0.95, axis=0)))
    assert (np.mean(held, axis=0) > 0.85).all()


def test_the_line_is_uncertain_where_data_are_few_and_widens_beyond():
    rng = np.random.default_rng(1)
    known, *_ = inverse(rng)
    plan = pd.DataFrame({"flops": [1e20, 1e22, 1e23], "mixture": "C4"})
    widths = line_draws(known, plan, 2000, rng)[0].std(axis=0)
    assert widths[0] < widths[1] < widths[2]
    fewer = line_draws(known[::2], plan, 2000, rng)[0]
    assert np.ptp(np.quantile(fewer, [0.05, 0.95], axis=0), axis=0)[0] > 2 * widths[0]
    assert np.isfinite(line_draws(known[:2], plan, 10, rng)[0]).all()


def test_a_mixture_without_scores_is_as_uncertain_as_mixtures_differ():
    rng = np.random.default_rng(1)
    one, *_ = inverse(rng)
    known = pd.concat([one, one.assign(mixture="RPJ", score=one["score"] - 0.2)])
    plan = pd.DataFrame({"flops": 1e20, "mixture": ["C4", "RPJ", "new"]})
    mean = line_draws(known, plan, 2000, rng)[0]
    assert mean[:, 0].mean() - mean[:, 1].mean() == pytest.approx(0.2, abs=0.03)
    assert mean[:, 2].std() > 5 * mean[:, 0].std()


def test_only_rows_of_falling_benchmarks_change():
    rng = np.random.default_rng(1)
    runs = pd.concat([inverse(rng)[0], inverse(rng, "better")[0].assign(score=np.linspace(0.3, 0.6, 6))])
    assert falling_benchmarks(runs) == ["worse"]
    out = {"accuracy_mean": np.full((2, 50, 3), 0.9), "accuracy": np.full((2, 50, 3), 0.9)}
    plan = pd.DataFrame({"flops": 1e22, "mixture": "C4", "benchmark": ["worse", "better", "worse"]})
    new = replace_falling(out, runs, plan, rng)
    assert (new["accuracy_mean"][..., 1] == 0.9).all()
    assert new["accuracy_mean"][..., [0, 2]].mean() < 0.7
    np.testing.assert_array_equal(new["accuracy_mean"][..., 0], new["accuracy_mean"][..., 2])
    assert (new["accuracy"][..., 0] != new["accuracy"][..., 2]).all()
    assert (out["accuracy_mean"] == 0.9).all()


def test_the_forecast_falls_and_says_so():
    fit = small_fit()
    name = fit.runs["benchmark"].iloc[0]
    of_it = fit.runs["benchmark"].eq(name)
    fit = replace(fit, runs=fit.runs.assign(score=fit.runs["score"].where(~of_it, 1 - fit.runs["score"])))
    flops = fit.runs["flops"].max() * 10
    plan = bs.plan_runs(flops=flops, benchmark=name, mixture=fit.runs["mixture"].iloc[0])
    ahead = bs.forecast(fit, plan, seed=1)
    assert "scores fall with compute: drawn from a straight line" in str(ahead["note"].item())
    assert float(ahead["accuracy_mean"].mean()) < fit.runs.loc[of_it, "score"].min()
