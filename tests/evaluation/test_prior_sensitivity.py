"""Prior sensitivity: the log prior is PyMC's, forecasts that rest on the prior are flagged, and others are not."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import pytest
import xarray as xr
from scipy import stats
from simulate import FINE, asked, failed, grid, prior_points, simulate, small_fit, variant

import bayes_scaling as bs
from bayes_scaling.data.runs import plan_runs
from bayes_scaling.errors import DataError, FitError, ScalingWarning
from bayes_scaling.evaluation import prior_sensitivity as sensitivity
from bayes_scaling.evaluation.prior_sensitivity import DECIDES, PULLS_APART, SENSITIVE, log_prior, prior_sensitivity
from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.inference.averaged_fits import Average
from bayes_scaling.inference.design import lay_out
from bayes_scaling.inference.fitting import Fit, fit
from bayes_scaling.inference.layout import expand
from bayes_scaling.inference.pymc_model import build
from bayes_scaling.models.documents import from_document, list_models, load_model, to_document

CASES = [*((name, "partial") for name in list_models()), ("power_law", "none"), ("power_law", "complete")]


def near_the_middle(model, shrink=20, **size):
    """A fit whose draws lie close to the middle of the prior, for what no sampling is needed to see."""
    table, rng = asked(model, grid(**size), problems=3), np.random.default_rng(1)
    design = lay_out(model, table)
    points = prior_points(design, 400, rng).reshape(4, 100, -1) / shrink
    runs = simulate(model, table, points[:1, :1], rng).runs(table)
    tree = xr.DataTree.from_dict({"posterior": expand(design, points), "sample_stats": xr.Dataset()})
    return Fit(model, runs, tree, FINE)


def quietly(*arguments, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        return prior_sensitivity(*arguments, **settings)


def plan(flops=(1e20, 1e22), benchmarks=("benchmark 00", "benchmark 01"), mixture="mixture 0"):
    return plan_runs(flops=list(flops), benchmark=list(benchmarks), mixture=mixture)


@cache
def one_size():
    """A fit to runs that are all of one size: they say where the law passes, and nothing of its exponent."""
    document = to_document(load_model("power_law"))
    document |= {"varies": {}, "fixed": document["fixed"] | {"floor_shift": 0.0}}
    model, table = from_document(document), grid(benchmarks=2, mixtures=1, sizes=12, decades=0.01)
    rng = np.random.default_rng(2)
    points = 0 * prior_points(lay_out(model, table), 1, rng)
    return fit(model, simulate(model, table, points, rng).runs(table), seed=1, thin=3, target_accept=0.99)


def of_pymc(design, point):
    """Log densities, by name, of the free variables of PyMC's model that are not effects with a spread."""
    graph, where = build(design), design.populations
    at = {name: point[where[name]] for name in design.model.parameters if design.model.has_population(name)}
    for name, layout in design.effects.items():
        if layout.effect.learned:
            at[layout.effect.sd_name] = point[layout.spread_at]
        else:
            at[name] = point[layout.start : layout.stop].reshape(layout.shape)
    free = {v.name.removesuffix("_z"): v for v in graph.free_RVs}
    parts = [pm.logp(free[name], pt.as_tensor(value)).sum() for name, value in at.items()]
    return dict(zip(at, pm.pytensorf.compile([], parts, mode="FAST_COMPILE")(), strict=True))


@pytest.mark.parametrize(("name", "pooling"), CASES)
def test_the_log_prior_is_that_of_pymc(name, pooling):
    model = load_model(name) if pooling == "partial" else variant(name, pooling=pooling)
    table = asked(model, grid(benchmarks=3, mixtures=2, sizes=4, ratios=(10.0, 40.0)), problems=2)
    design = lay_out(model, table)
    points = prior_points(design, 1, np.random.default_rng(1))
    found = Fit(model, table, xr.DataTree.from_dict({"posterior": expand(design, points)}), FINE)
    expected, own = of_pymc(design, points[0, 0]), log_prior(found)
    aliases = {e.name: p for p in model.parameters for e in model.effects(p) if not e.learned}
    assert {str(n): v.item() for n, v in own.items()} == pytest.approx(
        {aliases.get(n, n): float(v) for n, v in expected.items()}, rel=1e-9
    )


def test_fixed_parameters_have_no_prior():
    model = from_document(to_document(load_model("power_law")) | {"varies": {}, "fixed": {"alpha": 0.3}})
    found = near_the_middle(model, benchmarks=2, mixtures=1)
    assert "alpha" not in log_prior(found)
    assert "A" in log_prior(found)


def test_what_the_runs_do_not_tell_is_flagged_and_what_they_tell_is_not():
    with pytest.warns(
        ScalingWarning, match=r"^power_law: .* in 2 of 4 forecasts \(accuracy of .*1e\+23 .*prior of 'alpha'"
    ):
        table = prior_sensitivity(one_size(), plan((1.2e20, 1e23)), seed=1)
    far = table["flops"] > 1e22
    assert (table[far]["prior"] > 1.5 * SENSITIVE).all()
    assert (table[far]["most_sensitive_to"] == "alpha").all()
    assert table[far]["diagnosis"].isin([DECIDES, PULLS_APART]).all()
    assert (table[~far]["prior"] < SENSITIVE).all()
    assert (table[~far]["likelihood"] > SENSITIVE).all()
    assert (table[~far][["diagnosis", "most_sensitive_to"]] == "").all(axis=None)


def test_numbers_and_diagnoses_are_those_of_arviz(caplog):
    import arviz_stats as azs

    asked_for = plan((1.2e20, 1e21, 1e22, 1e23))
    table = quietly(one_size(), asked_for, seed=1)
    ahead = forecast(one_size(), asked_for, seed=1)
    summary = azs.psense_summary(sensitivity._for_arviz(one_size(), ahead, ["accuracy"]), round_to=12)
    np.testing.assert_allclose(table[["prior", "likelihood"]], summary[["prior", "likelihood"]], atol=1e-9)
    words = {"✓": "", "potential prior-data conflict": PULLS_APART, "potential strong prior / weak likelihood": DECIDES}
    assert list(table["diagnosis"]) == list(summary["diagnosis"].map(words))
    assert table["diagnosis"].nunique() > 1


def test_a_prior_that_the_data_leave_as_it_was_decides(monkeypatch):
    """The runs say nothing, and the prior is normal: the distance of its powers can be integrated."""
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(4, 10_000, 1))
    score = xr.DataArray(draws[..., 0], dims=("chain", "draw"))
    silent = xr.DataArray(1e-3 * rng.normal(size=(4, 10_000)), dims=("chain", "draw"))
    ahead = xr.Dataset({"accuracy_mean": (("chain", "draw", "row"), draws)})
    priors = xr.Dataset({"A": 100 * silent, "alpha": -(score**2) / 2})
    data = xr.Dataset({"accuracy": silent})
    tree = xr.DataTree.from_dict({"posterior": ahead, "log_prior": priors, "log_likelihood": data})
    monkeypatch.setattr(sensitivity, "_for_arviz", lambda *given: tree)
    table = sensitivity._table(small_fit(), ahead)
    assert list(table["diagnosis"]) == [DECIDES]
    assert list(table["most_sensitive_to"]) == ["alpha"]
    x = np.linspace(draws.min(), draws.max(), 100_001)
    distances = [np.sqrt(_divergence(stats.norm.cdf(x), stats.norm.cdf(x, scale=a**-0.5))) for a in (0.99, 1.01)]
    expected = sum(d / abs(np.log2(a)) for d, a in zip(distances, (0.99, 1.01), strict=True)) / 2
    assert table["prior"][0] == pytest.approx(expected, rel=0.15)


def _divergence(p, q):
    """Symmetrised cumulative Jensen-Shannon divergence of two distribution functions, relative to its bound."""
    middle = (p + q) / 2
    return np.sum(p * np.log2(p / middle) + q * np.log2(q / middle)) / np.sum(p + q)


def test_a_forecast_without_spread_is_not_sensitive():
    ahead = forecast(small_fit(), plan(), seed=1)
    table = sensitivity._table(small_fit(), ahead.assign(accuracy_mean=xr.zeros_like(ahead["accuracy_mean"])))
    assert (table[["prior", "likelihood"]] == 0).all(axis=None)


def test_rows_come_in_the_order_of_the_plan_and_of_the_responses():
    found = near_the_middle(load_model("two_stage_logistic"), benchmarks=2, mixtures=1)
    asked_for = plan((1e22, 1e20))
    table = quietly(found, asked_for, seed=1)
    ahead = forecast(found, asked_for, seed=1)
    assert list(table.columns) == [
        *("model", *(c for c in ("run", "benchmark", "mixture", "params", "tokens", "flops") if c in ahead.coords)),
        *("response", "prior", "likelihood", "diagnosis", "most_sensitive_to"),
    ]
    assert list(table["response"]) == ["loss", "accuracy"] * 4
    assert list(table["flops"]) == list(np.repeat(asked_for["flops"], 2))
    assert list(table["benchmark"]) == list(np.repeat(asked_for["benchmark"], 2))
    assert np.isfinite(table[["prior", "likelihood"]]).all(axis=None)
    again = quietly(found, asked_for, seed=1)
    pd.testing.assert_frame_equal(again, table)


def test_pass_at_k_keeps_its_k():
    found = near_the_middle(load_model("pass_at_k"), benchmarks=2, mixtures=1)
    table = quietly(found, plan_runs(flops=[1e21], benchmark="benchmark 00", mixture="mixture 0", k=[1, 10]), seed=1)
    assert list(table["k"]) == [1, 10]
    assert list(table["response"]) == ["pass_at_k"] * 2


def test_an_average_is_taken_law_by_law():
    laws = [near_the_middle(load_model(n), benchmarks=2, mixtures=1) for n in ("power_law", "curved_power_law")]
    runs = laws[0].runs
    laws[1] = Fit(laws[1].model, runs, laws[1].tree, FINE)
    third = Fit(load_model("power_law_ceiling"), runs, laws[0].tree, FINE)
    weights = {"power_law": 0.5, "curved_power_law": 0.5, "power_law_ceiling": 0.0}
    table = quietly(Average((*laws, third), weights), plan(), seed=1)
    assert list(table["model"]) == ["power_law"] * 4 + ["curved_power_law"] * 4
    alone = quietly(laws[1], plan(), seed=1)
    pd.testing.assert_frame_equal(table.iloc[4:].reset_index(drop=True), alone)


def test_failed_fits_are_looked_at_only_when_told():
    with pytest.raises(FitError, match=r"^power_law: NOT CONVERGED.*even_if_not_converged=True"):
        prior_sensitivity(failed(small_fit()), plan(), seed=1)
    assert len(quietly(failed(small_fit()), plan(), seed=1, even_if_not_converged=True)) == 4


def test_plans_that_do_not_suit_the_fit_are_refused():
    with pytest.raises(
        DataError,
        match=r"^model 'power_law' needs the column 'mixture' in the plan; the runs have \['mixture 0', 'mixture 1'\]$",
    ):
        prior_sensitivity(small_fit(), plan().drop(columns="mixture"), seed=1)


def test_it_is_public():
    assert bs.prior_sensitivity is prior_sensitivity
