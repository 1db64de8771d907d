"""Fitting: the rules of the verdict, reproducible draws, and refusals before any sampling."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.signal import lfilter
from simulate import failed, grid, small_fit

from bayes_scaling.errors import DataError, FitError, ScalingWarning
from bayes_scaling.inference import attempts, sampling
from bayes_scaling.inference.design import lay_out
from bayes_scaling.inference.fitting import fit
from bayes_scaling.inference.layout import read_by_users
from bayes_scaling.inference.settings import Settings
from bayes_scaling.inference.starting import Start
from bayes_scaling.inference.verdict import Verdict, judge
from bayes_scaling.models.documents import from_document, load_model, to_document

GOOD = Verdict(
    chains=4, draws=1000, r_hat=1.004, ess_bulk=900.0, ess_tail=800.0, divergences=0, e_bfmi=0.9, saturated=0,
    worst={"r_hat": "alpha[piqa, C4]", "ess_bulk": "A_free", "ess_tail": "E"},
)  # fmt: skip
BROKEN = [
    ({"r_hat": 1.0101}, r"r-hat 1\.0101 of alpha\[piqa, C4\] > 1\.0100"),
    ({"r_hat": float("nan")}, r"r-hat nan of"),
    ({"r_hat": float("nan"), "chains": 1}, r"r-hat needs two chains or more"),
    ({"ess_bulk": 399.0}, r"bulk ESS 399 of A_free < 400"),
    ({"ess_tail": 12.0}, r"tail ESS 12 of E < 400"),
    ({"ess_tail": float("nan")}, r"tail ESS nan of E < 400"),
    ({"divergences": 5}, r"5 of 4000 draws diverged"),
    ({"e_bfmi": 0.29}, r"E-BFMI 0\.29 < 0\.3"),
    ({"e_bfmi": float("nan")}, r"E-BFMI nan < 0\.3"),
    ({"saturated": 5}, r"5 draws ended at the greatest tree depth"),
]
ON_THE_EDGE = [{"r_hat": 1.01}, {"ess_bulk": 400.0}, {"ess_tail": 400.0}, {"divergences": 4}, {"e_bfmi": 0.3}]
SHORT = {"chains": 2, "draws": 60, "tune": 100, "attempts": 1}
quiet = pytest.mark.filterwarnings("ignore::bayes_scaling.errors.ScalingWarning")  # short runs are meant here


@pytest.fixture(scope="module")
def table():
    return small_fit().runs


def test_a_good_fit_passes():
    assert GOOD.passed
    assert GOOD.reasons == ()
    assert str(GOOD) == "converged: r-hat ≤ 1.004, ESS ≥ 800, 0 divergences in 4 × 1000 draws"


def test_so_few_draws_that_no_fit_passes_are_named():
    verdict = replace(GOOD, draws=50, ess_bulk=180.0, ess_tail=170.0)
    assert verdict.reasons[0].startswith("only 50 draws of each chain were kept: ask for 200 or more")
    assert len(replace(GOOD, draws=99, ess_bulk=400.0, ess_tail=410.0).reasons) == 0


@pytest.mark.parametrize(("change", "reason"), BROKEN)
def test_every_rule_breaks_on_its_own(change, reason):
    verdict = replace(GOOD, **change)
    assert not verdict.passed
    assert len(verdict.reasons) == 1
    assert str(verdict).startswith("NOT CONVERGED: ")
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(str(verdict))


@pytest.mark.parametrize("change", ON_THE_EDGE)
def test_what_a_rule_allows_passes(change):
    assert replace(GOOD, **change).passed


def test_all_broken_rules_are_told():
    verdict = replace(GOOD, r_hat=2.0, ess_bulk=3.0, ess_tail=3.0, divergences=900, e_bfmi=0.1, saturated=100)
    assert len(verdict.reasons) == 6
    assert str(verdict).count(";") == 5


def test_the_limit_of_r_hat_grows_with_the_number_of_quantities():
    worst = replace(GOOD, r_hat=1.016)
    assert not worst.passed
    assert not replace(worst, quantities=10).passed
    assert replace(worst, quantities=500).passed
    assert not replace(worst, r_hat=1.03, quantities=10_000).passed


def test_perfect_chains_of_hundreds_of_quantities_pass_and_one_chain_elsewhere_is_seen():
    rng, share = np.random.default_rng(4), 900 / 4000
    memory = (1 - share) / (1 + share)
    noise = np.sqrt(1 - memory**2) * rng.normal(size=(4, 1200, 300))
    values = lfilter([1.0], [1.0, -memory], noise, axis=1)[:, 200:]
    posterior = xr.Dataset({"x": (("chain", "draw", "quantity"), values)})
    verdict = judge(posterior, stats(), max_depth=10)
    assert verdict.quantities == 300
    assert verdict.r_hat > 1.01
    assert not any(r.startswith("r-hat") for r in verdict.reasons)
    values[0, :, 7] += 0.6
    assert any(r.startswith("r-hat") for r in judge(posterior, stats(), max_depth=10).reasons)


def test_shares_are_of_the_draws_made():
    assert str(replace(GOOD, thin=3)).endswith("0 divergences in 12000 draws, 4 × 1000 of them kept")
    assert not replace(GOOD, divergences=5).passed
    assert replace(GOOD, divergences=5, thin=2).passed
    assert "9 of 8000 draws diverged" in str(replace(GOOD, divergences=9, thin=2))


def test_enough_draws_depends_on_the_number_of_chains():
    assert replace(GOOD, chains=2, ess_bulk=200.0, ess_tail=200.0).passed
    assert not replace(GOOD, chains=8, ess_bulk=799.0, ess_tail=900.0).passed


def test_a_verdict_comes_back_from_plain_values():
    assert Verdict(**GOOD.to_dict()) == GOOD


def draws(seed=1, n=1000, **extra):
    rng = np.random.default_rng(seed)
    values = {"x": (("chain", "draw"), rng.normal(size=(4, n))), **extra}
    values["theta"] = (("chain", "draw", "benchmark"), rng.normal(size=(4, n, 2)))
    return xr.Dataset(values, coords={"chain": range(4), "draw": range(n), "benchmark": ["piqa", "copa"]})


def stats(seed=2, n=1000, **change):
    rng = np.random.default_rng(seed)
    found = {"diverging": np.zeros((4, n), bool), "energy": rng.normal(size=(4, n)), "depth": np.full((4, n), 4)}
    return xr.Dataset({name: (("chain", "draw"), v) for name, v in (found | change).items()})


def test_independent_draws_pass():
    verdict = judge(draws(), stats(), max_depth=10)
    assert verdict.passed
    assert (verdict.chains, verdict.draws, verdict.divergences, verdict.saturated) == (4, 1000, 0, 0)
    assert verdict.r_hat < 1.005
    assert verdict.ess_bulk > 3000
    assert verdict.e_bfmi == pytest.approx(2.0, abs=0.3)


def test_a_chain_that_lies_elsewhere_is_named():
    posterior = draws()
    posterior["theta"][1, :, 1] += 1.0
    verdict = judge(posterior, stats(), max_depth=10)
    assert verdict.worst["r_hat"] == "theta[copa]"
    assert verdict.r_hat > 1.05
    assert any(r.startswith("r-hat") for r in verdict.reasons)


def test_slow_chains_fail_on_their_effective_size():
    walk = np.cumsum(np.random.default_rng(3).normal(size=(4, 1000)), axis=1)
    verdict = judge(draws(y=(("chain", "draw"), walk)), stats(), max_depth=10)
    assert verdict.worst["ess_bulk"] == "y"
    assert verdict.ess_bulk < 50
    assert {r.split()[0] for r in verdict.reasons} >= {"r-hat", "bulk"}


def test_divergences_are_counted():
    diverging = np.zeros((4, 1000), bool)
    diverging[2, :30] = True
    verdict = judge(draws(), stats(diverging=diverging), max_depth=10)
    assert verdict.divergences == 30
    assert verdict.reasons == ("30 of 4000 draws diverged",)


def test_energy_that_hardly_moves_fails():
    energy = np.cumsum(np.random.default_rng(3).normal(size=(4, 1000)), axis=1)
    verdict = judge(draws(), stats(energy=energy), max_depth=10)
    assert verdict.e_bfmi < 0.1
    assert [r.split()[0] for r in verdict.reasons] == ["E-BFMI"]


def test_trees_that_were_cut_short_are_counted():
    depth = np.full((4, 1000), 4)
    depth[:, :10] = 10
    assert judge(draws(), stats(depth=depth), max_depth=10).saturated == 40
    assert judge(draws(), stats(depth=depth), max_depth=11).saturated == 0


def test_constants_are_passed_over():
    posterior = draws(constant=(("chain", "draw"), np.full((4, 1000), 0.3)))
    assert judge(posterior, stats(), max_depth=10).passed


def test_a_fit_holds_what_it_learned_and_from_what():
    found = small_fit()
    assert found.verdict.passed, str(found.verdict)
    assert found.seed == 1
    assert len(found.runs) == 60
    assert repr(found).startswith("<Fit of power_law to 12 runs, 60 rows; converged: ")
    assert set(found.tree.children) == {"posterior", "sample_stats"}
    assert dict(found.posterior.sizes) == {"chain": 4, "draw": 1000, "benchmark": 5, "mixture": 2}
    assert found.posterior["A"].dims == ("chain", "draw", "benchmark", "mixture")
    assert found.posterior["A"].attrs["meaning"] == found.model.parameters["A"].meaning
    assert not found.posterior.isnull().any().to_array().any()
    assert set(read_by_users(found.model)) <= set(found.posterior.data_vars)


@quiet
def test_a_seed_repeats_the_draws_and_another_does_not(table):
    model = small_fit().model
    one, again, other = (fit(model, table, seed=s, **SHORT).posterior for s in (3, 3, 4))
    xr.testing.assert_identical(one, again)
    assert not np.array_equal(one["alpha_free"], other["alpha_free"])


@quiet
def test_thinning_keeps_every_nth_draw_and_forgets_no_divergence(table):
    design = lay_out(load_model("power_law"), table)
    whole, some = (sampling.sample(design, Settings(2, 20 // n, 100, thin=n), seed=1) for n in (1, 4))
    expected = whole["posterior"]["A"].isel(draw=slice(3, None, 4))
    np.testing.assert_allclose(some["posterior"]["A"], expected, rtol=1e-12)
    every, kept = (found["sample_stats"].to_dataset() for found in (whole, some))
    assert kept["n_steps"].sum() == every["n_steps"].sum()
    assert kept["depth"].max() == every["depth"].max()
    assert (kept["diverging"] == every["diverging"].coarsen(draw=4).max().to_numpy()).all()
    assert (kept["divergences"] == every["diverging"].coarsen(draw=4).sum().to_numpy()).all()


@quiet
def test_a_model_says_how_it_is_sampled_unless_told_otherwise(table):
    careful = from_document(to_document(load_model("power_law")) | {"sampling": {"target_accept": 0.6}})
    own, told = (
        fit(careful, table, seed=1, chains=1, draws=20, tune=30, attempts=1, target_accept=t) for t in (None, 0.95)
    )
    plain = fit(load_model("power_law"), table, seed=1, chains=1, draws=20, tune=30, attempts=1)
    np.testing.assert_array_equal(told.posterior["A"], plain.posterior["A"])
    assert (own.posterior["A"] != plain.posterior["A"]).any()


@quiet
def test_chains_differ(table):
    found = fit(small_fit().model, table, seed=3, **SHORT).posterior["alpha_free"]
    assert not np.array_equal(found[0], found[1])


def test_a_failed_fit_warns_and_says_why(table):
    with pytest.warns(ScalingWarning, match=r"^power_law: NOT CONVERGED: .*bulk ESS \d+ of"):
        found = fit(small_fit().model, table, seed=3, **SHORT)
    assert not found.verdict.passed
    assert "NOT CONVERGED" in repr(found)


def test_a_good_fit_does_not_warn(table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pooled = from_document(to_document(small_fit().model) | {"pooling": "complete"})
        assert fit(pooled, table, seed=1).verdict.passed


def test_going_on_from_a_failed_fit_needs_a_word():
    found = failed(small_fit())
    with pytest.raises(FitError, match=r"^power_law: NOT CONVERGED: 400 of 4000 draws diverged\. Fit again with more"):
        found.require_converged()
    found.require_converged(even_if_not_converged=True)
    small_fit().require_converged()


def test_order_of_rows_changes_nothing_but_noise(table):
    one = small_fit()
    two = fit(one.model, table.sample(frac=1, random_state=3), seed=2)
    for name in ("A", "alpha", "A_benchmark_sd", "accuracy_scatter"):
        a, b = one.posterior[name], two.posterior[name]
        error = a.std(("chain", "draw")) / np.sqrt(400)  # at least 400 effective draws each, as the verdict says
        assert (np.abs(a.mean(("chain", "draw")) - b.mean(("chain", "draw"))) < 6 * error).all(), name


@quiet
def test_any_selection_of_rows_can_be_fitted(table):
    some = table[table["benchmark"].isin(["benchmark 01", "benchmark 03"])].iloc[::-1]
    before = some.copy()
    found = fit(small_fit().model, some, seed=3, **SHORT)
    pd.testing.assert_frame_equal(some, before)
    assert list(found.posterior["benchmark"].values) == ["benchmark 01", "benchmark 03"]
    assert list(found.runs.index) == list(range(len(some)))
    np.testing.assert_array_equal(found.runs["score"], some["score"])


@quiet
@pytest.mark.parametrize("pooling", ["complete", "none"])
def test_the_posterior_has_the_dims_of_its_pooling(table, pooling):
    model = from_document(to_document(small_fit().model) | {"pooling": pooling})
    posterior = fit(model, table, seed=3, **SHORT).posterior
    varies = {"complete": ("chain", "draw"), "none": ("chain", "draw", "benchmark")}
    assert posterior["alpha"].dims == varies[pooling]


@quiet
def test_a_fixed_parameter_stays_where_it_is(table):
    document = to_document(small_fit().model)
    document["varies"].pop("alpha")
    model = from_document(document | {"fixed": {"alpha": 0.25}})
    posterior = fit(model, table, seed=3, **SHORT).posterior
    np.testing.assert_allclose(posterior["alpha"], 0.25, rtol=1e-12)


REFUSED = [
    ("power_law", lambda t: t.drop(columns="score"), r"'power_law' forecasts accuracy: the runs hold no 'score'"),
    ("power_law", lambda t: t.assign(score=np.nan), r"the runs hold no 'score'"),
    ("power_law", lambda t: t.iloc[:0], r"the runs hold no 'score'"),
    ("power_law", lambda t: t.assign(metric="pass@k"), r"the runs hold no 'score'"),
    ("power_law", lambda t: t.drop(columns="mixture"), r"needs the columns \['mixture'\]; the runs have \['run',"),
    (
        "power_law",
        lambda t: t.assign(flops=t["flops"].where(t.index > 1)),
        r"'flops' in every row: rows \[0, 1\]",
    ),
    (
        "params_tokens",
        lambda t: t.drop(columns="params"),
        r"'params' in every row: rows \[0, 1, 2, 3, 4\] have",
    ),
]


@pytest.mark.parametrize(("name", "change", "match"), REFUSED)
def test_runs_that_lack_what_a_model_needs_are_refused(name, change, match):
    with pytest.raises(DataError, match=match):
        fit(load_model(name), change(grid(benchmarks=2, mixtures=1)))


def test_a_design_knows_levels_and_rows():
    table = grid(benchmarks=3, mixtures=2, sizes=3)
    table.loc[4, "score"] = np.nan
    design = lay_out(load_model("power_law"), table)
    assert design.levels["benchmark"] == ("benchmark 00", "benchmark 01", "benchmark 02")
    assert design.levels["mixture"] == ("mixture 0", "mixture 1")
    (response_model,) = design.responses
    assert 4 not in response_model.rows
    assert len(response_model.rows) == len(table) - 1
    names = np.array(design.levels["benchmark"])[response_model.codes["benchmark"]]
    np.testing.assert_array_equal(names, table["benchmark"].to_numpy()[response_model.rows])
    np.testing.assert_array_equal(response_model.columns["flops"], table["flops"].to_numpy()[response_model.rows])


def test_earlier_draws_tell_coordinates_in_which_a_posterior_is_a_unit_normal():
    rng = np.random.default_rng(1)
    scale, mean = np.array([[2.0, 0, 0], [1.5, 0.3, 0], [0, 0, 10]]), np.array([5.0, -3, 0])
    white = rng.normal(size=(4, 5000, 3)) @ scale.T + mean
    start = Start(np.ones(3), np.diag([1.0, 2, 3])).learned(white, 0.5)
    np.testing.assert_allclose(start.centre, 1 + np.array([1, 2, 3]) * white.mean((0, 1)))
    np.testing.assert_allclose(np.cov(start.draws, rowvar=False), np.eye(3), atol=0.05)
    np.testing.assert_allclose(start.points(start.draws[:5]), 1 + np.array([1, 2, 3]) * white.reshape(-1, 3)[:5])
    assert start.first(3) in start.draws


def test_one_divergence_is_one():
    assert str(replace(GOOD, divergences=1)).endswith("1 divergence in 4 × 1000 draws")


@quiet
def test_the_first_fit_of_a_law_says_that_it_compiles_and_silence_is_kept(table, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(attempts, "must_compile", lambda design: True)
    fit("power_law", table, seed=1, **SHORT | {"progress": True})
    assert "power_law: compiling its density, which takes some seconds, once on this machine" in capsys.readouterr().err
    fit("power_law", table, seed=1, **SHORT | {"progress": False})
    assert capsys.readouterr().err == ""
    assert not sampling.must_compile(lay_out(load_model("power_law"), table))
