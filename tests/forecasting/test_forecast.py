"""Forecasts: a locked schema, expectation and new run apart and in bounds, honest about what was never seen."""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from simulate import failed, goes_with, small_fit, unfitted, variant

from bayes_scaling import __version__
from bayes_scaling.data.fingerprints import table_sha256
from bayes_scaling.data.runs import plan_runs
from bayes_scaling.errors import DataError, FitError
from bayes_scaling.files.digests import canonical
from bayes_scaling.forecasting.caveats import UNSEEN
from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.forecasting.law_uncertainty import NOT_INCLUDED
from bayes_scaling.forecasting.provenance import benchmark_facts
from bayes_scaling.forecasting.run_noise import run_correlation
from bayes_scaling.forecasting.summaries import average_benchmarks
from bayes_scaling.inference.design import lay_out
from bayes_scaling.laws.draws import draw
from bayes_scaling.laws.likelihoods import LIKELIHOODS, SCORES
from bayes_scaling.models.documents import from_document, list_models, load_model, to_document
from bayes_scaling.models.model import POOLINGS
from bayes_scaling.models.responses.accuracy import correlate_within_runs

OF_SCORES = [name for name, found in LIKELIHOODS.items() if found.rows == SCORES]
KNOWN = ["benchmark 00", "benchmark 03"]


def plan(flops=(1e21, 1e22), benchmark=KNOWN, mixture="mixture 0", **more):
    return plan_runs(flops=list(flops), benchmark=benchmark, mixture=mixture, **more)


@cache
def ahead():
    return forecast(small_fit(), plan(), seed=1)


def with_run_effect(spread):
    document = to_document(load_model("power_law"))
    document["responses"][0]["law"] = "power_law > run_shift > accuracy"
    document["varies"] = {"A": {"benchmark": 0.5}, "shift": {"run": spread}}
    return from_document(document)


def test_the_schema_is_locked():
    found = ahead()
    assert list(found.data_vars) == ["accuracy_mean", "accuracy"]
    assert {n: v.dims for n, v in found.data_vars.items()} == dict.fromkeys(
        ("accuracy_mean", "accuracy"), ("chain", "draw", "row")
    )
    assert dict(found.sizes) == {"chain": 4, "draw": 1000, "row": 4}
    assert {n: c.dims for n, c in found.coords.items()} == {
        "chain": ("chain",),
        "draw": ("draw",),
        **dict.fromkeys(
            ("run", "benchmark", "mixture", "params", "tokens", "flops", "decades_beyond", "note"), ("row",)
        ),
    }
    assert found.attrs == {
        "model": "power_law",
        "verdict": str(small_fit().verdict),
        "converged": "True",
        "law_uncertainty": NOT_INCLUDED,
        "model_document": canonical(to_document(small_fit().model)),
        "runs_sha256": table_sha256(small_fit().runs),
        "plan_sha256": table_sha256(plan()),
        "benchmarks": canonical(benchmark_facts(small_fit().runs, plan())),
        "seed": "1",
        "version": __version__,
    }
    assert not found.to_dataarray().isnull().any()


def test_rows_are_those_of_the_plan_in_its_order():
    asked = plan().sample(frac=1, random_state=4)
    found = forecast(small_fit(), asked, seed=1)
    for name in ("run", "benchmark", "mixture", "flops"):
        np.testing.assert_array_equal(found[name], asked[name])


def test_expectations_do_not_depend_on_the_order_of_rows():
    shuffled = forecast(small_fit(), plan().iloc[::-1], seed=1)["accuracy_mean"].isel(row=slice(None, None, -1))
    np.testing.assert_allclose(shuffled, ahead()["accuracy_mean"], rtol=1e-12)


def test_a_forecast_can_be_written(tmp_path):
    ahead().to_netcdf(tmp_path / "ahead.nc", engine="h5netcdf")
    again = xr.load_dataset(tmp_path / "ahead.nc", engine="h5netcdf")
    np.testing.assert_array_equal(again["accuracy"], ahead()["accuracy"])


def test_the_same_seed_gives_the_same_draws():
    xr.testing.assert_identical(forecast(small_fit(), plan(), seed=1), ahead())
    other = forecast(small_fit(), plan(), seed=2)
    assert not np.array_equal(other["accuracy"], ahead()["accuracy"])
    np.testing.assert_array_equal(other["accuracy_mean"], ahead()["accuracy_mean"])


def test_forecasting_does_not_change_plan_or_fit():
    asked, posterior = plan(), small_fit().posterior
    before = asked.copy()
    forecast(small_fit(), asked, seed=1)
    pd.testing.assert_frame_equal(asked, before)
    xr.testing.assert_identical(small_fit().posterior, posterior)


@pytest.mark.parametrize(("name", "likelihood"), [w for w in product(list_models(), OF_SCORES) if goes_with(*w)])
def test_forecasts_stay_in_bounds(name, likelihood):
    model = variant(name, likelihood)
    fit = unfitted(model, benchmarks=3, mixtures=1)
    asked = plan_runs(params=["10M", "1B", "100B"], tokens_per_param=[20], benchmark=["benchmark 00", "benchmark 02"])
    found = forecast(fit, asked.assign(mixture="mixture 0"), seed=1)

    def at_rows(name):
        array = fit.posterior[name].isel(mixture=0, missing_dims="ignore")
        if "benchmark" in array.dims:
            return array.sel(benchmark=found["benchmark"].to_numpy()).to_numpy()
        return array.to_numpy()[..., None]

    shift = at_rows("floor_shift")
    chance = np.where(found["benchmark"] == "benchmark 02", 0.0, 0.25)
    floor = chance / (chance + (1 - chance) * np.exp(-shift))
    assert (found["accuracy_mean"] >= floor - 1e-12).all()
    assert (found["accuracy_mean"] <= 1).all()
    if "E" in fit.posterior:
        top = np.exp(-at_rows("E"))
        assert (found["accuracy_mean"] <= floor + (1 - floor) * top + 1e-12).all()
    assert ((found["accuracy"] >= 0) & (found["accuracy"] <= 1)).all()
    if not model.discrepancy:
        assert found["accuracy_mean"].isel(row=slice(0, None, 2)).diff("row").min() >= 0


@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_pooling_forecasts_known_and_unknown(pooling):
    fit = unfitted(from_document(to_document(load_model("power_law")) | {"pooling": pooling}), mixtures=1)
    found = forecast(fit, plan(benchmark=["benchmark 00", "new"], chance=0.25), seed=1)
    assert found["accuracy"].notnull().all()
    known, new = (found["accuracy_mean"].sel(row=found["benchmark"] == b)[..., 0] for b in ("benchmark 00", "new"))
    assert (float(abs(known - new).max()) < 1e-12) == (pooling == "complete")


def test_the_expectation_is_the_law_at_the_posterior_draws():
    found, posterior = ahead(), small_fit().posterior
    theta = posterior[["A", "alpha"]].sel(benchmark="benchmark 03", mixture="mixture 0")
    floor = 0.25 / (0.25 + 0.75 * np.exp(-posterior["floor_shift"]))
    expected = floor + (1 - floor) * np.exp(-theta["A"] * (1e22 / 1e20) ** -theta["alpha"])
    row = found["accuracy_mean"].sel(row=(found["benchmark"] == "benchmark 03") & (found["flops"] == 1e22))[..., 0]
    np.testing.assert_allclose(row, expected, rtol=1e-12)


def test_new_runs_scatter_around_the_expectation():
    found = ahead()
    noise = found["accuracy"] - found["accuracy_mean"]
    assert np.abs(noise.mean(("chain", "draw"))).max() < 0.005
    assert (found["accuracy"].std(("chain", "draw")) > found["accuracy_mean"].std(("chain", "draw"))).all()


def test_more_compute_is_never_expected_to_be_worse():
    found = forecast(small_fit(), plan(flops=np.geomspace(1e18, 1e25, 8), benchmark="benchmark 00"), seed=1)
    assert found["accuracy_mean"].diff("row").min() >= 0


def width(found, benchmark="benchmark 00"):
    rows = found["accuracy_mean"].sel(row=found["benchmark"] == benchmark)
    return float((rows.quantile(0.9, ("chain", "draw")) - rows.quantile(0.1, ("chain", "draw"))).mean())


def test_an_unseen_benchmark_is_wide_and_noted():
    found = forecast(small_fit(), plan(benchmark=["benchmark 00", "new"], chance=0.25), seed=1)
    assert width(found, "new") > 2 * width(found)
    assert set(found["note"].sel(row=found["benchmark"] == "new").values) == {UNSEEN.format("new")}
    assert set(found["note"].sel(row=found["benchmark"] == "benchmark 00").values) == {""}


def test_an_unseen_mixture_is_wider_than_a_known_one():
    known, new = (forecast(small_fit(), plan(mixture=m), seed=1) for m in ("mixture 0", "new"))
    assert width(new) > width(known)


def test_rows_of_one_unseen_label_share_its_offsets():
    asked = plan(flops=[1e21], benchmark=["new", "newer"], chance=0.25)
    found = forecast(small_fit(), pd.concat([asked, asked]), seed=1)["accuracy_mean"]
    np.testing.assert_allclose(found[..., 0], found[..., 2], rtol=1e-12)
    assert np.corrcoef(found[..., 0].values.ravel(), found[..., 1].values.ravel())[0, 1] < 0.9


def test_unseen_levels_spread_as_the_population_does():
    """A posterior with a known spread: an unseen level lies sd · sqrt(1 + 1/n) off the mean of n known ones."""
    model = with_run_effect(0.05)
    fit = unfitted(model, benchmarks=4, mixtures=1)
    posterior = fit.posterior
    posterior = posterior.assign(A_free=0.0 * posterior["A_free"], A_benchmark_sd=0.4 + 0 * posterior["A_benchmark_sd"])
    tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset()})
    tests = [f"new {i}" for i in range(20)]
    asked = plan(flops=[1e20], benchmark=tests, chance=0.0)
    found = forecast(replace(fit, tree=tree), asked, seed=1)["accuracy_mean"]
    log_a = np.log(-np.log(found))  # at the reference run the negative log accuracy is A
    assert float(log_a.std()) == pytest.approx(0.4 * np.sqrt(1 + 1 / 4), rel=0.02)


def test_rows_of_one_run_share_its_luck():
    """With a run effect the average over benchmarks is less certain than if their luck were independent."""
    fit = unfitted(with_run_effect(0.4), benchmarks=4, mixtures=1)
    asked = plan(flops=[1e20], benchmark=[f"benchmark {i:02d}" for i in range(4)])
    together = forecast(fit, asked, seed=1)
    apart = forecast(fit, asked.assign(run=[f"run {i}" for i in range(4)]), seed=1)

    def luck(found):
        return (found["accuracy"] - found["accuracy_mean"]).mean("row").std()

    np.testing.assert_array_equal(together["accuracy_mean"], apart["accuracy_mean"])
    assert luck(together) > 1.4 * luck(apart)


def test_known_runs_get_new_luck():
    fit = unfitted(with_run_effect(0.4), benchmarks=2, mixtures=1)
    asked = fit.runs[fit.runs["flops"] == fit.runs["flops"].max()].drop(columns="score")
    one, two = (forecast(fit, asked.assign(run=name), seed=1) for name in (asked["run"].iloc[0], "another"))
    np.testing.assert_array_equal(one["accuracy"], two["accuracy"])


def test_rows_of_one_run_go_together_as_the_residuals_of_the_fitted_runs_do(monkeypatch):
    monkeypatch.setattr("bayes_scaling.forecasting.forecast.run_correlation", lambda fit, response_model: 0.5)
    found = forecast(small_fit(), plan(), seed=1)
    noise = (found["accuracy"] - found["accuracy_mean"]).sel(row=found["flops"] == 1e21).values.reshape(-1, 2)
    assert np.corrcoef(noise.T)[0, 1] == pytest.approx(0.5, abs=0.06)


def test_a_run_effect_in_the_model_leaves_no_correlation_to_be_added():
    fit = unfitted(with_run_effect(0.4), benchmarks=2, mixtures=1)
    assert run_correlation(fit, fit.model.responses[0]) == 0.0


def test_the_luck_of_a_run_leaves_the_noise_of_every_row_as_large_as_it_was():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(2, 4000, 3)) * [0.1, 1.0, 5.0]
    shared = correlate_within_runs(noise, np.array([0, 0, 1]), 0.4, rng)
    np.testing.assert_allclose(shared.std((0, 1)), noise.std((0, 1)), rtol=0.03)
    together = np.corrcoef(shared.reshape(-1, 3).T)
    assert together[0, 1] == pytest.approx(0.4, abs=0.04)
    assert abs(together[0, 2]) < 0.04


def test_the_average_is_the_mean_of_every_draw():
    found, average = ahead(), average_benchmarks(ahead())
    for number, flops in enumerate([1e21, 1e22]):
        rows = found.sel(row=found["flops"] == flops)
        for name in found.data_vars:
            np.testing.assert_allclose(average[name].isel(row=number), rows[name].mean("row"), rtol=1e-12)
    assert list(average["benchmark"].values) == ["average of 2"] * 2


def test_decades_beyond_the_data_are_counted_per_benchmark():
    fit = small_fit()
    most = fit.runs["flops"].max()
    runs = fit.runs[~((fit.runs["benchmark"] == "benchmark 03") & (fit.runs["flops"] > most / 2))]
    smaller = runs[runs["benchmark"] == "benchmark 03"]["flops"].max()
    found = forecast(replace(fit, runs=runs), plan(flops=[most / 10, most, 100 * most]), seed=1)
    decades = dict(zip(zip(found["benchmark"].values, found["flops"].values), found["decades_beyond"].values))  # noqa: B905
    assert [decades["benchmark 00", f] for f in (most / 10, most, 100 * most)] == pytest.approx([0, 0, 2])
    gap = np.log10(most / smaller)
    assert [decades["benchmark 03", f] for f in (most, 100 * most)] == pytest.approx([gap, gap + 2])


def test_an_unseen_benchmark_is_measured_from_the_largest_run():
    most = small_fit().runs["flops"].max()
    found = forecast(small_fit(), plan(flops=[10 * most], benchmark="new", chance=0.25), seed=1)
    assert found["decades_beyond"].values == pytest.approx([1.0])


def test_what_the_fit_knows_of_a_benchmark_is_filled_in():
    given = forecast(small_fit(), plan(chance=0.25, n_items={"benchmark 00": 1000, "benchmark 03": 300}), seed=1)
    np.testing.assert_array_equal(given["accuracy"], ahead()["accuracy"])
    other = forecast(small_fit(), plan(chance=0.5), seed=1)
    assert (other["accuracy_mean"] > ahead()["accuracy_mean"]).all()


def test_fewer_items_make_a_new_run_less_certain():
    few, many = (forecast(small_fit(), plan(n_items=n), seed=1) for n in (30, 30_000))
    np.testing.assert_array_equal(few["accuracy_mean"], many["accuracy_mean"])
    assert few["accuracy"].std() > many["accuracy"].std()


def test_a_failed_fit_forecasts_only_when_told_and_says_so():
    with pytest.raises(FitError, match=r"NOT CONVERGED: 400 of 4000 draws diverged.*even_if_not_converged=True"):
        forecast(failed(small_fit()), plan(), seed=1)
    found = forecast(failed(small_fit()), plan(), seed=1, even_if_not_converged=True)
    assert found.attrs["converged"] == "False"
    assert "400 of 4000 draws diverged" in found.attrs["verdict"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda p: p.iloc[:0], r"^the plan has no rows; plan_runs\("),
        (
            lambda p: p.drop(columns="benchmark"),
            r"^model 'power_law' needs the column 'benchmark' in the plan; the runs ",
        ),
        (
            lambda p: p.drop(columns="mixture"),
            r"^model 'power_law' needs the column 'mixture' in the plan; the runs have \['mixture 0', 'mixture 1'\]$",
        ),
        (lambda p: p.drop(columns="flops"), r"'power_law' needs 'flops' in every row of the plan: rows \[0, 1, 2, 3\]"),
        (lambda p: p.assign(flops=[1e20, np.nan, 1e20, 1e20]), r"needs 'flops' in every row of the plan: rows \[1\]"),
        (
            lambda p: p.assign(benchmark="new"),
            r"needs 'chance' in every row of the plan: rows \[0, 1, 2, 3\] have none",
        ),
    ],
)
def test_plans_that_lack_something_are_refused(change, match):
    with pytest.raises(DataError, match=match):
        forecast(small_fit(), change(plan()), seed=1)


def test_runs_of_a_plan_without_names_are_named_as_those_of_plan_runs():
    found, named = (forecast(small_fit(), table, seed=1) for table in (plan().drop(columns="run"), plan()))
    assert list(found["run"].values) == list(named["run"].values)
    xr.testing.assert_equal(found, named)


def test_a_thousand_rows_cost_far_less_than_a_thousand_forecasts():
    from time import perf_counter

    def seconds(asked):
        start = perf_counter()
        forecast(small_fit(), asked, seed=1)
        return perf_counter() - start

    large = plan(flops=np.geomspace(1e18, 1e24, 500))
    one = min(seconds(plan(flops=[1e21], benchmark="benchmark 00")) for _ in range(3))
    assert len(large) == 1000
    assert seconds(large) < 300 * one


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_draws_have_the_shape_of_their_arguments(name):
    component = LIKELIHOODS[name].component
    theta = {p.name: p.support.constrain(p.location) for p in component.parameters}
    columns = [np.full(4, 100.0) for _ in component.inputs[1:]]
    distribution, arguments = component(np.full((2, 3, 4), 0.5), *columns, **theta)
    arrays = {n: np.broadcast_to(a, (2, 3, 4)) for n, a in arguments.items()}
    one, same, other = (draw(distribution, arrays, np.random.default_rng(s)) for s in (1, 1, 2))
    assert one.shape == (2, 3, 4)
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_design_of_a_fit_is_that_of_its_runs():
    fit = small_fit()
    assert fit.design.levels == lay_out(fit.model, fit.runs).levels
