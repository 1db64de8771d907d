"""Laws side by side: what is compared is what was not seen, and no winner is named that the data do not name."""

import warnings
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from simulate import failed, grid, prior_points, simulate, small_fit

import bayes_scaling as bs
from bayes_scaling.data.datasets import load_dataset
from bayes_scaling.errors import DataError, FitError, ScalingWarning
from bayes_scaling.evaluation.comparing import _differences, _winner, run_folds, scale_folds
from bayes_scaling.evaluation.comparison import NAMES
from bayes_scaling.inference.design import lay_out, observe
from bayes_scaling.inference.fitting import fit
from bayes_scaling.inference.log_densities import log_predictive
from bayes_scaling.models.documents import from_document, load_model, to_document

SHORT = {"seed": 1, "chains": 2, "draws": 60, "tune": 100}
COLUMNS = [
    *("model", "converged", "elpd_loo", "elpd_loo_diff", "elpd_loo_se", "weight_loo", "pareto_k_high", "rows_refitted"),
    *("elpd_run", "elpd_run_diff", "elpd_run_se", "log_density_scale", "log_density_scale_diff"),
    *("log_density_scale_se", "weight_scale", "crps_scale", "cover_80_scale"),
    *("far_mean", "far_lower_80", "far_upper_80"),
]


def simple(name, **document):
    written = to_document(load_model("power_law")) | {"name": name, "varies": {"A": {"benchmark": 0.7}}} | document
    return from_document(written)


@cache
def pair():
    """The law that made the runs, and one that says that compute does not matter."""
    model, table = simple("right"), grid(benchmarks=4, mixtures=1, sizes=8)
    rng = np.random.default_rng(3)
    world = simulate(model, table, prior_points(lay_out(model, table), 1, rng) / 2, rng)
    flat = simple("flat", priors={"alpha": {"low": 0.001, "high": 0.002}})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        return tuple(
            fit(m, world.runs(table), seed=1, chains=2, draws=200, tune=200, attempts=1) for m in (model, flat)
        )


@cache
def compared():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        return bs.compare(pair(), folds=3, n_jobs=1, refits_at_most=2, even_if_not_converged=True, **SHORT)


def test_the_columns_are_locked():
    assert list(compared().table.columns) == COLUMNS
    assert list(compared().table["model"]) == ["right", "flat"]
    assert set(compared().winners) == set(NAMES)


def test_the_law_that_made_the_runs_wins_where_it_is_clear():
    found = compared()
    assert found.winners["loo"] == found.winners["run"] == "right"
    flat = found.table.set_index("model").loc["flat"]
    assert flat[["elpd_loo_diff", "elpd_run_diff", "log_density_scale_diff"]].max() < 0
    assert flat["weight_scale"] < 0.5
    assert "leave-one-out: right is better than all others" in repr(found)


def test_what_whole_runs_left_out_score_is_the_sum_over_their_scores():
    found = compared()
    folds = {s.name for s in run_folds(pair(), "accuracy", 3)}
    own = found.past.scores[found.past.scores["split"].isin(folds)]
    assert len(own) == 2 * len(pair()[0].runs)
    totals = own.groupby("law")["log_density"].sum()
    np.testing.assert_allclose(found.table.set_index("model")["elpd_run"], totals[["right", "flat"]])


def test_runs_are_left_out_whole_once_each_and_folds_hold_all_sizes():
    runs = pair()[0].runs
    for folds, number in ((3, 3), (None, 8), (50, 8)):
        splits = run_folds(pair(), "accuracy", folds)
        assert len(splits) == number
        np.testing.assert_array_equal(sum(s.held_out.astype(int) for s in splits), 1)
        for split in splits:
            assert not set(runs["run"][split.fitted]) & set(runs["run"][split.held_out])
    held = [runs["flops"][s.held_out] for s in run_folds(pair(), "accuracy", 3)]
    assert max(h.min() for h in held) < min(h.max() for h in held)
    with pytest.raises(DataError, match=r"^leaving runs out takes two folds and two runs or more; got 1, and 8 runs$"):
        run_folds(pair(), "accuracy", 1)


def test_without_sizes_to_hold_out_the_question_stays_open():
    model, table = simple("one"), grid(benchmarks=3, mixtures=2, sizes=3)
    rng = np.random.default_rng(3)
    runs = simulate(model, table, 1, rng).runs(table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        fits = [fit(m, runs, attempts=1, **SHORT) for m in (model, simple("two", pooling="complete"))]
        assert scale_folds(tuple(fits)) == []
        found = bs.compare(fits, folds=2, n_jobs=1, refits_at_most=0, even_if_not_converged=True, **SHORT)
    assert found.table["crps_scale"].isna().all()
    assert found.winners["scale"] is None


@pytest.mark.parametrize(
    ("difference", "error", "runs", "winner"),
    [
        ([0.0, -10.0, -20.0], [0.0, 2.0, 3.0], 10, "a"),
        ([0.0, -10.0, -20.0], [0.0, 6.0, 3.0], 10, None),  # b lies within two standard errors
        ([0.0, -3.0, -20.0], [0.0, 0.1, 3.0], 10, None),  # b is less than four nats worse
        ([0.0, -10.0, -20.0], [0.0, 2.0, 3.0], 3, None),  # too few runs for a standard error
        ([0.0, 0.0, -20.0], [0.0, 0.0, 3.0], 10, None),
        ([np.nan] * 3, [np.nan] * 3, 10, None),
    ],
)
def test_a_winner_is_named_only_where_the_data_name_one(difference, error, runs, winner):
    table = pd.DataFrame({"model": list("abc"), "x": difference, "x_diff": difference, "x_se": error})
    assert _winner(table, "x", runs, 4.0) == winner


def test_differences_and_their_errors_are_those_of_pairs():
    each = pd.DataFrame({"a": [1.0, 2.0, 3.0, 6.0], "b": [0.0, 2.0, 1.0, 3.0]})
    total = _differences(each, ["a", "b"], "x", total=True)
    np.testing.assert_allclose(total["x"], [12, 6])
    np.testing.assert_allclose(total["x_diff"], [0, -6])
    np.testing.assert_allclose(total["x_se"], [0, np.sqrt(4) * np.std([-1, 0, -2, -3], ddof=1)])
    mean = _differences(each, ["a", "b"], "x")
    np.testing.assert_allclose(mean["x_se"], [0, np.std([-1, 0, -2, -3], ddof=1) / np.sqrt(4)])


def test_the_far_forecast_is_ten_times_the_largest_run():
    found = compared()
    runs = pair()[0].runs
    np.testing.assert_allclose(found.far["flops"], 10 * runs["flops"].max())
    np.testing.assert_allclose(found.far["tokens"] / found.far["params"], 20, rtol=1e-6)
    own = found.far[(found.far["model"] == "right") & found.far["averaged"]]
    assert found.table["far_mean"][0] == pytest.approx(own["mean"].mean())
    span = np.ptp(found.table["far_mean"])
    assert any(f"the expectations of the laws span {span:.3f}" in note for note in found.notes)


def test_a_plan_of_your_own_is_forecast():
    plan = bs.plan_runs(flops=[1e22], benchmark="benchmark 00", mixture="mixture 0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        again = bs.compare(
            pair(), plan=plan, folds=2, n_jobs=1, refits_at_most=0, even_if_not_converged=True, **SHORT | {"draws": 20}
        )
    assert set(again.far["flops"]) == {1e22}


def test_densities_of_left_out_scores_are_predictive_densities():
    """The mean over draws of the likelihood, by a refit without the runs; near what a kernel sees in the draws."""
    found = compared().past
    (split,) = (s for s in found.splits if s.name == "runs 1 of 3")
    runs = pair()[0].runs
    later = runs[split.held_out].reset_index(drop=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        again = fit(pair()[0].model, runs[split.fitted], **SHORT)
    data = observe(again.model.responses[0], later, again.model)
    each = log_predictive(again, "accuracy", later, data, seed=1)
    own = found.scores[(found.scores["law"] == "right") & (found.scores["split"] == split.name)]
    np.testing.assert_allclose(own["log_density"], logsumexp(each, axis=(0, 1)) - np.log(2 * 60), rtol=1e-6)
    assert np.corrcoef(own["log_density"], -own["log_score"])[0, 1] > 0.9


def test_what_cannot_be_compared_is_refused():
    one = small_fit()
    with pytest.raises(DataError, match=r"^compare takes two or more fits"):
        bs.compare([one])
    with pytest.raises(DataError, match=r"^every fit needs a model with a name of its own"):
        bs.compare([one, one])
    other = replace(failed(one), model=replace(one.model, name="other"))
    with pytest.raises(FitError, match=r"^other: NOT CONVERGED"):
        bs.compare([one, other])


@pytest.mark.slow
def test_on_real_runs_all_questions_have_answers():
    runs = load_dataset("gadre2024")
    runs = runs[runs["benchmark"].isin(["hellaswag", "piqa", "arc_easy"]) & runs["tokens_per_param"].between(19, 21.5)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        fits = [fit(load_model(n), runs, seed=1, draws=500, tune=300) for n in ("power_law", "curved_power_law")]
        found = bs.compare(fits, folds=3, seed=1, draws=300, tune=300, refits_at_most=5, even_if_not_converged=True)
    assert found.winners["scale"] != "power_law"  # it is worse on the runs above the cuts, whether or not beyond doubt
    assert found.table.set_index("model")["crps_scale"].idxmin() == "curved_power_law"
    assert np.isfinite(found.table.drop(columns=["model", "converged"]).to_numpy(float)).all()
