"""Averages over laws: forecasts like any other, coherent draws, weights that data speak for, and what they rest on."""

import json
import warnings
from dataclasses import replace
from functools import cache, partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats
from simulate import failed, grid, prior_points, simulate, small_fit, variant

import bayes_scaling as bs
from bayes_scaling.data.datasets import load_dataset
from bayes_scaling.data.runs import plan_runs
from bayes_scaling.errors import DataError, FitError, ScalingWarning
from bayes_scaling.evaluation import averaging
from bayes_scaling.evaluation.averaging import average, stacked
from bayes_scaling.evaluation.backtest import shards
from bayes_scaling.evaluation.cross_validation import folds_by_scale, leave_one_out
from bayes_scaling.evaluation.scores import score_forecast
from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.forecasting.law_uncertainty import INCLUDED, NOT_INCLUDED
from bayes_scaling.forecasting.mixture import assigned
from bayes_scaling.forecasting.provenance import ORIGIN
from bayes_scaling.forecasting.summaries import average_benchmarks, summarise
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.design import lay_out
from bayes_scaling.inference.fitting import Fit, fit
from bayes_scaling.inference.layout import expand
from bayes_scaling.inference.log_densities import (
    density_factor,
    log_likelihood,
    log_predictive,
    logp,
    response_data,
    taken,
)
from bayes_scaling.inference.verdict import Verdict
from bayes_scaling.laws.likelihoods import LIKELIHOODS
from bayes_scaling.models.documents import from_document, load_model, to_document

FINE = Verdict(4, 250, 1.0, 1000.0, 1000.0, 0, 1.0, 0, {})
SHARES = np.linspace(0, 1, 1001)
LAWS = ("power_law_ceiling", "power_law")
EQUAL = {"power_law": 0.5, "other": 0.5}


def plan(flops=(1e21, 1e22)):
    return plan_runs(flops=list(flops), benchmark=["benchmark 00", "benchmark 03"], mixture="mixture 0")


def named(name, found=None):
    found = small_fit() if found is None else found
    return replace(found, model=replace(found.model, name=name))


@cache
def other():
    """A fit of another law to the runs of `small_fit`, with draws far from it and no sampling: A is twice as large."""
    found = named("other")
    posterior = found.posterior.assign(A_free=found.posterior["A_free"] + np.log(2))
    return replace(found, tree=xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset()}))


def short(found, chains, draws):
    posterior = found.posterior.isel(chain=slice(chains), draw=slice(draws))
    return replace(found, tree=xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset()}))


def pair(weights=EQUAL):
    return Average((small_fit(), other()), weights)


def from_prior(model, runs, *, seed=None, **settings):
    """In place of a fit: draws around the middle of the prior, for what no sampling is needed to see."""
    design, rng = lay_out(model, runs.reset_index(drop=True)), np.random.default_rng(seed)
    posterior = expand(design, prior_points(design, 400, rng).reshape(4, 100, -1) / 4)
    stats = xr.Dataset({"n_steps": (("chain", "draw"), np.ones((4, 100)))})
    tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
    return Fit(model, runs.reset_index(drop=True), tree, FINE)


def test_a_forecast_of_an_average_has_the_schema_of_any_forecast():
    one, both = forecast(small_fit(), plan(), seed=1), forecast(pair(), plan(), seed=1)
    assert list(both.data_vars) == list(one.data_vars)
    for name, variable in one.variables.items():
        assert both[name].dims == variable.dims
        assert both[name].shape == variable.shape
        assert both[name].dtype == variable.dtype
    for name in one.coords:
        np.testing.assert_array_equal(both[name], one[name])
    assert set(both.attrs) == {*one.attrs, "weights", "weights_from", "pool"}
    assert len(summarise(both)) == len(summarise(one))
    assert average_benchmarks(both).attrs.items() >= both.attrs.items()
    assert np.isfinite(score_forecast(both, plan().assign(score=0.5))["crps"]).all()


def test_provenance_is_written_into_the_attributes(tmp_path):
    both = forecast(pair({"power_law": 0.25, "other": 0.75}), plan(), seed=1)
    assert both.attrs["model"] == "average of power_law, other"
    assert both.attrs["converged"] == "True"
    assert both.attrs["verdict"] == str(small_fit().verdict)
    assert json.loads(both.attrs["weights"]) == {"power_law": 0.25, "other": 0.75}
    assert both.attrs["weights_from"] == "given"
    assert both.attrs["law_uncertainty"] == (
        f"draws from 2 laws, whose differences widen the bands; each {NOT_INCLUDED}"
    )
    documents = [
        {"weight": w, "model": to_document(found.model)} for w, found in ((0.25, small_fit()), (0.75, other()))
    ]
    assert json.loads(both.attrs["model_document"]) == {"average": documents}
    one = forecast(small_fit(), plan(), seed=1)
    assert {n: both.attrs[n] for n in ORIGIN[1:]} == {n: one.attrs[n] for n in ORIGIN[1:]}
    both.to_netcdf(tmp_path / "both.nc", engine="h5netcdf")
    again = xr.load_dataset(tmp_path / "both.nc", engine="h5netcdf")
    xr.testing.assert_equal(again, both)
    assert again.attrs == both.attrs


def test_equal_weights_mix_draws_exactly():
    both = forecast(pair(), plan(), seed=1)
    parts = [forecast(law, plan(), seed=1) for law in (small_fit(), other())]
    from_first, from_second = ((both == part).to_dataarray().all(("variable", "row")) for part in parts)
    assert int(from_first.sum()) == int(from_second.sum()) == 2000
    assert (from_first ^ from_second).all(), "a draw that comes from one law in some rows and from another in others"
    assert set(from_first.sum("draw").values) == {500}, "the laws take turns in every chain"


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.123, 0.456, 0.421], [1.0, 0.0], [0.0, 1.0], [0.001, 0.999]])
@pytest.mark.parametrize("seed", [0, 1, None])
def test_numbers_of_draws_are_in_proportion_to_weights(shares, seed):
    laws = assigned(np.array(shares), 4, 250, seed)
    assert laws.shape == (4, 250)
    counts = np.bincount(laws.ravel(), minlength=len(shares))
    assert np.abs(counts - 1000 * np.array(shares)).max() < 1
    by_chain = np.stack([np.bincount(chain, minlength=len(shares)) for chain in laws])
    assert np.abs(by_chain - 250 * np.array(shares)).max() <= 1


def test_the_same_seed_gives_the_same_mixture():
    one, same, another = (forecast(pair(), plan(), seed=s) for s in (1, 1, 2))
    xr.testing.assert_identical(one, same)
    assert not np.array_equal(one["accuracy_mean"], another["accuracy_mean"])


def test_a_mixture_is_wider_than_its_laws_where_they_differ():
    both, *parts = (forecast(law, plan(), seed=1)["accuracy_mean"] for law in (pair(), small_fit(), other()))
    assert (both.std(("chain", "draw")) > np.maximum(*(p.std(("chain", "draw")) for p in parts))).all()
    expected = sum(p.mean(("chain", "draw")) for p in parts) / 2
    np.testing.assert_allclose(both.mean(("chain", "draw")), expected, atol=0.003)


def test_averaged_quantiles_are_those_of_the_laws_and_no_wider():
    mixed, pooled = (forecast(replace(pair(), pool=pool), plan(), seed=1) for pool in ("linear", "quantiles"))
    parts = [forecast(law, plan(), seed=1) for law in (small_fit(), other())]
    shares = [0.05, 0.3, 0.5, 0.9]
    for name in ("accuracy", "accuracy_mean"):
        expected = sum(p[name].quantile(shares, ("chain", "draw")) for p in parts) / 2
        found = pooled[name].quantile(shares, ("chain", "draw"))
        np.testing.assert_allclose(found.transpose(*expected.dims), expected, atol=2e-3)
        assert (pooled[name].std(("chain", "draw")) < mixed[name].std(("chain", "draw"))).all()
        before, after = (f[name].stack(n=("chain", "draw")).transpose("row", "n").to_numpy() for f in (mixed, pooled))
        assert (np.diff(np.take_along_axis(after, before.argsort(1), 1)) >= 0).all()
    assert pooled.attrs["pool"] == "quantiles"
    assert pooled.attrs["law_uncertainty"].startswith("averages the quantiles of 2 laws")


def test_quantiles_keep_weights():
    own, both = (forecast(f, plan(), seed=1)["accuracy"].mean() for f in (other(), pair()))
    heavy = forecast(replace(pair({"power_law": 0.1, "other": 0.9}), pool="quantiles"), plan(), seed=1)
    first = forecast(small_fit(), plan(), seed=1)["accuracy"].mean()
    assert abs(both - (own + first) / 2) < 0.003
    assert heavy["accuracy"].mean() == pytest.approx(float(0.1 * first + 0.9 * own), abs=1e-6)


def test_unknown_pools_and_quantiles_of_pass_at_k_are_refused():
    with pytest.raises(DataError, match=r"^pool must be one of linear, quantiles, not 'log'"):
        average([small_fit(), other()], weights="equal", pool="log")
    fits = tuple(
        SimpleNamespace(model=SimpleNamespace(name=n), runs=small_fit().runs, responses=("pass_at_k",)) for n in "ab"
    )
    with pytest.raises(DataError, match=r"^quantiles of pass@k cannot be averaged"):
        Average(fits, {"a": 0.5, "b": 0.5}, pool="quantiles")


def test_a_law_without_weight_is_left_out():
    lone = Average((small_fit(), failed(other())), {"power_law": 1.0, "other": 0.0})
    found, plain = forecast(lone, plan(), seed=1), forecast(small_fit(), plan(), seed=1)
    assert found.attrs["converged"] == "True"
    assert found.attrs["law_uncertainty"] == plain.attrs["law_uncertainty"]
    for name in plain.data_vars:
        np.testing.assert_array_equal(found[name], plain[name])


def test_fits_of_different_lengths_are_mixed():
    both = forecast(Average((short(small_fit(), 2, 300), other()), EQUAL), plan(), seed=1)
    assert dict(both.sizes) == {"chain": 2, "draw": 300, "row": 4}
    means = [forecast(law, plan(), seed=1)["accuracy_mean"].mean(("chain", "draw")) for law in (small_fit(), other())]
    np.testing.assert_allclose(both["accuracy_mean"].mean(("chain", "draw")), sum(means) / 2, atol=0.01)


def test_a_failed_law_is_forecast_only_when_told():
    bad = Average((small_fit(), failed(other())), EQUAL)
    with pytest.raises(FitError, match=r"^other: NOT CONVERGED.*even_if_not_converged=True"):
        forecast(bad, plan(), seed=1)
    found = forecast(bad, plan(), seed=1, even_if_not_converged=True)
    assert found.attrs["converged"] == "False"
    assert found.attrs["verdict"].startswith("power_law: converged")
    assert "; other: NOT CONVERGED: 400 of 4000 draws diverged" in found.attrs["verdict"]


def test_the_weights_are_shown():
    shown = repr(Average((small_fit(), other()), {"power_law": 0.1, "other": 0.9}, "told so"))
    assert shown == "<Average of 2 fits; weights: told so\n    0.90  other\n    0.10  power_law>"


def without_row(found):
    return replace(found, runs=found.runs.iloc[1:])


@pytest.mark.parametrize(
    ("fits", "weights", "match"),
    [
        (list, {}, r"^there are no fits to average; average\(\["),
        (lambda: [small_fit(), small_fit()], {}, r"own; these are called \['power_law', 'power_law'\]$"),
        (lambda: [small_fit(), without_row(other())], EQUAL, r"^fits of \['other'\] were made on other runs than"),
        (
            lambda: [small_fit(), other()],
            {"power_law": 1.0},
            r"the models \['other', 'power_law'\].*got \['power_law'\]",
        ),
        (lambda: [small_fit(), other()], EQUAL | {"new": 0.0}, r"got \['new', 'other', 'power_law'\]$"),
        (lambda: [small_fit(), other()], {"power_law": 0.5, "other": 0.4}, r"must sum to 1, got \{'power_law': 0.5, "),
        (lambda: [small_fit(), other()], {"power_law": 1.5, "other": -0.5}, r"^weights must not be negative"),
        (lambda: [small_fit(), other()], {"power_law": 0.5, "other": np.nan}, r"^weights must not be negative"),
    ],
)
def test_averages_that_make_no_sense_are_refused(fits, weights, match):
    with pytest.raises(DataError, match=match):
        Average(fits(), weights)
    with pytest.raises(DataError, match=match):
        average(fits(), weights=weights)


def test_models_of_different_responses_are_refused():
    model = SimpleNamespace(name="other")
    with pytest.raises(DataError, match=r"^the models forecast nothing in common: \{'power_law': \['accuracy'\], 'oth"):
        Average((small_fit(), SimpleNamespace(model=model, runs=small_fit().runs, responses=("loss",))), EQUAL)


def test_a_fit_read_from_its_file_is_one_of_the_same_runs(tmp_path):
    other().save(tmp_path / "other.nc")
    assert Average((small_fit(), Fit.load(tmp_path / "other.nc")), EQUAL).names == ("power_law", "other")


def test_unknown_ways_are_refused():
    with pytest.raises(
        DataError, match=r"^weights must be one of largest_scale_out, loo, equal, or a mapping.*'best'$"
    ):
        average([small_fit(), other()], weights="best")


def test_failed_fits_are_weighed_only_when_told():
    with pytest.raises(FitError, match=r"^other: NOT CONVERGED"):
        average([small_fit(), failed(other())], weights="equal")
    found = average([small_fit(), failed(other())], weights="equal", even_if_not_converged=True)
    assert found.weights == EQUAL


def test_equal_and_given_weights_ask_no_data():
    equal, given = (average([small_fit(), other()], weights=w) for w in ("equal", {"power_law": 0.2, "other": 0.8}))
    assert (equal.weights, equal.how, len(equal.evidence)) == (EQUAL, "equal", 0)
    assert (given.weights, given.how) == ({"power_law": 0.2, "other": 0.8}, "given")
    assert average([small_fit()]).weights == {"power_law": 1.0}
    assert isinstance(equal, bs.Average)
    assert bs.average is average


def test_what_each_law_leaves_out_is_said_of_each():
    runs = grid(benchmarks=4, mixtures=1)
    models = [replace(variant("power_law"), name="strict"), wandering()]
    both = Average(tuple(from_prior(model, runs, seed=1) for model in models), {"strict": 0.5, "wandering": 0.5})
    said = forecast(both, plan(), seed=1).attrs["law_uncertainty"]
    assert said.startswith("draws from 2 laws, whose differences widen the bands; each strict: assumes that the curve ")
    assert f"; wandering: {INCLUDED}" in said


def wandering():
    """A law with differences between runs and a discrepancy along compute."""
    document = to_document(variant("power_law")) | {"discrepancy": {"A": {"all": 0.2}}}
    document["responses"][0]["law"] = "power_law > run_shift > accuracy"
    document["varies"] = {"A": {"benchmark": 0.5}, "shift": {"run": 0.1}}
    return replace(from_document(document), name="wandering")


# Densities of single scores


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_densities_of_scores_have_one_unit_whatever_is_observed(name):
    """Each likelihood's density of the reported value, added up over all values, is 1."""
    likelihood = LIKELIHOODS[name]
    if getattr(likelihood, "rows", "scores") != "scores":
        pytest.skip("observes tries, not scores")
    theta = {p.name: p.support.constrain(p.location) for p in likelihood.component.parameters}
    given = (np.full(1001, 1000.0),) if "n_items" in likelihood.component.inputs else ()
    reported, mean = (np.linspace(2, 3, 1001), 2.4) if likelihood.component.gives == "loss" else (SHARES, 0.4)
    distribution, arguments = likelihood.component(np.full((1, 1, 1001), mean), *given, **theta)
    observed = likelihood.observe(reported, np.full(1001, 1000.0))
    response_model = replace(small_fit().model.responses[0], likelihood=likelihood)
    factor = density_factor(response_model, observed, np.full(1001, 1000.0))
    log_p = logp(distribution, arguments, observed) + np.log(factor)
    assert np.exp(log_p).sum() / 1000 == pytest.approx(1.0, abs=2e-3)


def test_the_log_likelihood_is_that_of_the_distribution():
    found = small_fit()
    log_p = log_likelihood(found, "accuracy")
    assert log_p.dims == ("chain", "draw", "row")
    assert dict(log_p.sizes) == {"chain": 4, "draw": 1000, "row": len(found.runs)}
    response_model, data = response_data(found, "accuracy")
    values = {str(n): v.to_numpy() for n, v in found.posterior.items()}
    mean = found.model.mean(response_model, values, data.columns, data.codes)
    _, arguments = found.model.observation(response_model, mean, values, data.columns, data.codes)
    by_scipy = stats.beta.logpdf(data.observed, arguments["alpha"], arguments["beta"]) + np.log(0.98)
    np.testing.assert_allclose(log_p, by_scipy, rtol=1e-6, atol=1e-6)


def test_densities_of_seen_rows_are_the_same_as_of_unseen_ones():
    found, (_, data) = small_fit(), response_data(small_fit(), "accuracy")
    keep = np.arange(len(data.rows)) % 7 == 0
    ahead = log_predictive(found, "accuracy", found.runs, taken(data, keep), seed=1)
    np.testing.assert_allclose(ahead, log_likelihood(found, "accuracy").isel(row=keep), rtol=1e-12)
    np.testing.assert_array_equal(ahead["row"], np.flatnonzero(keep))


def test_unseen_runs_and_compute_are_drawn():
    runs = grid(benchmarks=2, mixtures=1, sizes=8)
    below = runs[runs["flops"] < runs["flops"].median()]
    found, everything = from_prior(wandering(), below, seed=1), from_prior(wandering(), runs, seed=1)
    data = taken(response_data(everything, "accuracy")[1], (runs["flops"] > below["flops"].max()).to_numpy())
    one, same, other_seed = (log_predictive(found, "accuracy", runs, data, seed=s) for s in (1, 1, 2))
    assert dict(one.sizes) == {"chain": 4, "draw": 100, "row": 8}
    assert np.isfinite(one).all()
    xr.testing.assert_identical(one, same)
    assert not np.array_equal(one, other_seed)


def test_a_report_that_does_not_move_is_refused():
    response_model = small_fit().model.responses[0]
    stuck = replace(
        response_model, likelihood=replace(response_model.likelihood, report=lambda value, n_items: 0 * value)
    )
    with pytest.raises(DataError, match=r"^the densities of likelihood 'beta' cannot be put in units of accuracy"):
        density_factor(stuck, np.array([0.5]), np.array([100.0]))


# Weights


def test_stacking_finds_the_shares_of_a_mixture():
    rng = np.random.default_rng(1)
    first = rng.random(4000) < 0.7
    y = np.where(first, rng.normal(-1, 1, 4000), rng.normal(1, 1, 4000))
    density = np.stack([stats.norm.logpdf(y, -1), stats.norm.logpdf(y, 1), stats.norm.logpdf(y, 40)], axis=1)
    found = stacked(density, np.arange(4000))
    assert found == pytest.approx([0.7, 0.3, 0.0], abs=0.04)


def test_stacking_is_at_the_maximum():
    from scipy.optimize import minimize

    rng = np.random.default_rng(2)
    density, runs = rng.normal(size=(12, 3)), np.repeat(["a", "b", "c"], [2, 4, 6])
    share = np.repeat([1 / 2, 1 / 4, 1 / 6], [2, 4, 6])

    def loss(free):
        weights = np.exp(free - np.logaddexp.reduce(free))
        return -share @ np.log(np.exp(density) @ weights) - np.log(weights).sum()

    best = minimize(loss, np.zeros(3), tol=1e-12).x
    assert stacked(density, runs) == pytest.approx(np.exp(best - np.logaddexp.reduce(best)), abs=1e-5)


@pytest.mark.parametrize("runs", [1, 3, 10])
def test_few_runs_cannot_rule_a_law_out(runs):
    """The rule of succession, however many rows the runs have and however clearly they speak."""
    density = np.tile([0.0, -1e4], (runs * 40, 1))
    assert stacked(density, np.repeat(np.arange(runs), 40)) == pytest.approx([(runs + 1) / (runs + 2), 1 / (runs + 2)])


def test_runs_that_no_law_foresaw_leave_weights_equal():
    assert stacked(np.full((5, 2), -np.inf), np.arange(5)) == pytest.approx([0.5, 0.5])


def test_folds_hold_out_the_largest_runs_and_leave_enough_sizes():
    runs = grid(benchmarks=3, mixtures=2, sizes=10, decades=4.0)
    few = (runs["benchmark"] == "benchmark 02") & (runs["flops"] < runs["flops"].quantile(0.6))
    runs = runs[~few].reset_index(drop=True)
    model = variant("power_law")
    folds = folds_by_scale((from_prior(model, runs, seed=1),))
    assert len(folds) == 2
    for fold in folds:
        below, above = runs[fold.fitted], runs[fold.held_out]
        assert below["flops"].max() < above["flops"].min()
        assert set(above["benchmark"]) == {"benchmark 00", "benchmark 01"}, "too few sizes of the third below the cut"
        assert (below[below["benchmark"] == "benchmark 00"].groupby("mixture")["flops"].nunique() >= 4).all()
    assert folds[0].fitted.sum() < folds[1].fitted.sum()


def test_rows_without_a_benchmark_are_held_out_with_their_runs():
    """As losses are, for models that forecast them as well."""
    runs = grid(benchmarks=2, mixtures=1, sizes=10, decades=4.0)
    (found,) = fits = (from_prior(variant("power_law"), runs, seed=1),)
    assert found.design.levels["benchmark"], "laid out on the labels before they are blanked"
    runs.loc[runs["benchmark"] == "benchmark 01", "benchmark"] = None
    object.__setattr__(found, "runs", runs)
    assert set(runs[folds_by_scale(fits)[0].held_out]["benchmark"].fillna("none")) == {"benchmark 00", "none"}


def test_too_few_sizes_are_refused_with_a_way_out():
    runs = grid(benchmarks=2, mixtures=2, sizes=4)
    fits = [from_prior(replace(variant("power_law"), name=n), runs, seed=1) for n in "ab"]
    with pytest.raises(DataError, match=r"^the runs have 4 sizes: no cut .* weights='loo'.* or weights='equal'$"):
        average(fits)


@pytest.fixture
def refits(monkeypatch):
    """Settings of the fits below cuts, which are not sampled."""
    seen = []

    def instead(model, runs, **settings):
        seen.append((model.name, len(runs), settings))
        found = from_prior(model, runs, seed=settings["seed"])
        return failed(found) if model.name == "bad" else found

    monkeypatch.setattr(shards, "fit", instead)
    return seen


def test_weights_come_with_what_they_rest_on(refits):
    runs = grid(benchmarks=3, mixtures=1, sizes=10, decades=4.0)
    fits = [from_prior(replace(variant("power_law"), name="flat"), runs, seed=1), from_prior(steep(), runs, seed=1)]
    found = average(fits, seed=3, draws=111, n_jobs=1)
    assert [name for name, *_ in refits] == ["flat", "steep"] * 2
    assert {(s["seed"], s["draws"], s["chains"]) for *_, s in refits} == {(3, 111, 4)}
    assert list(found.evidence["model"]) == ["flat", "steep"] * 2
    assert list(found.evidence.columns) == [
        *("model", "weight", "fitted_up_to_flops", "runs_fitted", "runs_forecast", "rows_forecast"),
        *("decades_beyond", "log_density", "converged", "verdict"),
    ]
    assert list(found.evidence["runs_fitted"] + found.evidence["runs_forecast"]) == [10] * 4
    assert found.how.startswith("forecasts of 5 larger runs by fits to those with flops ≤ ")
    assert sum(found.weights.values()) == pytest.approx(1)
    better = found.evidence.groupby("model")["log_density"].mean().idxmax()
    assert found.weights[better] > 0.5
    again = average(fits, seed=3, draws=111, n_jobs=1)
    assert again.weights == found.weights
    pd.testing.assert_frame_equal(again.evidence, found.evidence)


def test_laws_are_weighed_by_one_response(refits):
    runs = load_dataset("olmo_ladder")
    runs = runs[runs["score"].notna() & (runs["flops"] < 1e22)].reset_index(drop=True)
    fits = [from_prior(load_model(n), runs, seed=1) for n in ("two_stage_logistic", "two_stage_params_tokens")]
    three = [*fits, from_prior(load_model("params_tokens"), runs, seed=1)]
    both, one, of_loss = (average(fits, seed=1, n_jobs=1), average(three, seed=1, n_jobs=1),
                          average(fits, response="loss", seed=1, n_jobs=1))  # fmt: skip
    assert both.responses == ("loss", "accuracy")
    assert one.responses == ("accuracy",)
    assert both.evidence["rows_forecast"].max() == one.evidence["rows_forecast"].max()
    assert (of_loss.evidence["rows_forecast"] == of_loss.evidence["runs_forecast"]).all(), "one loss each"
    with pytest.raises(
        DataError, match=r"^response must be one that all fits forecast, of \['accuracy'\], not 'loss'$"
    ):
        average(three, response="loss")
    tests = list(runs["benchmark"].unique()[:2])
    asked = plan_runs(params=["7B"], tokens=["4T"], benchmark=tests, mixture=runs["mixture"].iloc[0], chance=0.25)
    assert list(forecast(both, asked, seed=1)) == ["loss_mean", "loss", "accuracy_mean", "accuracy"]
    assert list(forecast(one, asked, seed=1)) == ["accuracy_mean", "accuracy"]


def steep():
    document = to_document(variant("power_law")) | {"fixed": {"accuracy_item_share": 0.25, "alpha": 0.6}}
    document["varies"] = {k: v for k, v in document["varies"].items() if k != "alpha"}
    return replace(from_document(document), name="steep")


def test_a_fit_below_a_cut_that_failed_is_named(refits):
    runs = grid(benchmarks=2, mixtures=1, sizes=10, decades=4.0)
    fits = [from_prior(replace(variant("power_law"), name=n), runs, seed=1) for n in ("good", "bad")]
    failed = r"^bad, fitted to runs with flops ≤ .* to weigh it: NOT CONVERGED: "
    with pytest.warns(ScalingWarning, match=failed) as said:
        found = average(fits, seed=1, n_jobs=1)
    assert len(said) == 2
    assert dict(zip(found.evidence["model"], found.evidence["converged"], strict=False)) == {"good": True, "bad": False}
    assert found.evidence["verdict"].str.startswith("NOT CONVERGED").sum() == 2


def test_laws_with_different_likelihoods_are_weighed_in_one_unit(refits):
    """The same draws with normal instead of beta noise: nearly the same densities, so nearly equal weights."""
    runs = grid(benchmarks=2, mixtures=1, sizes=10, decades=4.0)
    fits = [from_prior(replace(variant("power_law", name), name=name), runs, seed=1) for name in ("beta", "normal")]
    assert average(fits, seed=1, n_jobs=1).weights["beta"] == pytest.approx(0.5, abs=0.05)


def test_other_rows_of_a_response_are_refused():
    response_model = small_fit().design.responses[0]
    odd = named("odd")
    object.__setattr__(odd, "design", replace(odd.design, responses=(taken(response_model, response_model.rows > 0),)))
    for way in ("loo", "largest_scale_out"):
        with pytest.raises(DataError, match=r"^\['odd'\] observe accuracy in other rows than 'power_law'"):
            average([small_fit(), odd], weights=way)


@pytest.fixture
def no_refits(monkeypatch):
    monkeypatch.setattr(averaging, "leave_one_out", partial(leave_one_out, refit=False))


def test_leave_one_out_weights_are_those_of_arviz(no_refits):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        found = average([small_fit(), other()], weights="loo")
    assert found.how == f"stacking on leave-one-out densities of {len(small_fit().runs)} rows"
    assert list(found.evidence["model"]) == ["power_law", "other"]
    assert found.weights["power_law"] > 0.95
    assert dict(zip(found.evidence["model"], found.evidence["weight"], strict=True)) == pytest.approx(found.weights)
    assert {"elpd", "elpd_diff", "dse", "diag_elpd", "pareto_k_max", "pareto_k_high", "rows"} <= set(found.evidence)


@pytest.mark.filterwarnings("ignore:power_law. Pareto k")
def test_unreliable_densities_are_passed_on(no_refits):
    """Draws that scatter far more than the runs allow: importance sampling cannot take a row away from them."""
    wild = replace(small_fit(), model=replace(small_fit().model, name="wild"))
    rng = np.random.default_rng(1)
    posterior = wild.posterior
    posterior = posterior.assign(A_free=posterior["A_free"] + 0.1 * rng.normal(size=(4, 1000)))
    wild = replace(wild, tree=xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset()}))
    with pytest.warns(ScalingWarning, match=r"^wild: Pareto k is above 0.70 in \d+ of 60 rows .* fits again instead$"):
        found = average([small_fit(), wild], weights="loo")
    assert found.evidence.set_index("model").loc["wild", "pareto_k_high"] > 0


def test_densities_that_are_not_finite_are_refused():
    """Draws from a prior are no posterior: weights of ArviZ would be equal, and say nothing of it."""
    runs = load_dataset("olmo_ladder")
    runs = runs[runs["score"].notna()].reset_index(drop=True)
    fits = tuple(from_prior(load_model(n), runs, seed=1) for n in ("params_tokens", "power_law"))
    with pytest.raises(DataError, match=r"'params_tokens'.* no finite leave-one-out density; .* weights='equal'$"):
        leave_one_out(fits)


def test_laws_that_cannot_be_told_apart_are_named():
    near = named("near")
    posterior = near.posterior.assign(A_free=near.posterior["A_free"] - 0.003)
    near = replace(near, tree=xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset()}))
    table, warned = leave_one_out((small_fit(), near), refit=False)
    worse = table["model"][1]
    assert any(text.startswith(f"{worse} has a weight of 0.0") and "do not tell them apart" in text for text in warned)


@pytest.mark.slow
def test_weights_recover_the_law_that_holds_far_out():
    """Scores below a ceiling of 70 %: where they bend, a pure power law goes wrong far out."""
    varies = {"A": {"benchmark": 0.4}, "alpha": {"benchmark": 0.1}}
    ceiling, straight = (from_document(to_document(load_model(n)) | {"varies": varies}) for n in LAWS)
    runs = grid(benchmarks=4, mixtures=1, sizes=14, decades=4.0)
    truth = replace(ceiling, fixed={**ceiling.fixed, "A": 0.3, "alpha": 0.4, "E": 0.35}, varies={"A": varies["A"]})
    points = prior_points(lay_out(truth, runs), 1, np.random.default_rng(3)) / 4
    table = simulate(truth, runs, points, np.random.default_rng(3)).runs(runs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)  # below a cut little is known of a ceiling
        fits = [fit(model, table, seed=1) for model in (ceiling, straight)]
        found = average(fits, seed=1, even_if_not_converged=True)
    assert found.weights["power_law_ceiling"] > 0.6
    by_fold = found.evidence.pivot(index="fitted_up_to_flops", columns="model", values="log_density")
    assert len(by_fold) == 2
    assert (by_fold["power_law_ceiling"] > by_fold["power_law"]).all()
