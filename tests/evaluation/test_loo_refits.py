"""Leave-one-out with refits: exact where importance sampling fails, of the same quantity, and honest about the rest."""

from dataclasses import replace
from functools import cache, partial

import arviz_stats as azs
import numpy as np
import pytest
import xarray as xr
from scipy.special import logsumexp
from simulate import grid, prior_points, simulate, small_fit, variant

from bayes_scaling.data.datasets import load_dataset
from bayes_scaling.errors import DataError, ScalingWarning
from bayes_scaling.evaluation import loo_refits as reloo
from bayes_scaling.evaluation.averaging import average
from bayes_scaling.evaluation.cross_validation import leave_one_out
from bayes_scaling.evaluation.loo_refits import REFIT, SAMPLED, doubts, left_out, repaired, sampled, without
from bayes_scaling.evaluation.refits.engine import Engine
from bayes_scaling.evaluation.refits.task import found_in
from bayes_scaling.inference.design import lay_out
from bayes_scaling.inference.fitting import fit
from bayes_scaling.inference.log_densities import log_likelihood, log_predictive, response_data, taken
from bayes_scaling.inference.settings import Settings
from bayes_scaling.models.documents import from_document, load_model, to_document

SHORT = Settings(chains=2, draws=300, tune=300)
DENSITY = -3.0


@cache
def wild():
    """Draws that scatter more than the runs allow: importance sampling cannot take many rows away from them."""
    rng = np.random.default_rng(1)
    posterior = small_fit().posterior
    posterior = posterior.assign(A_free=posterior["A_free"] + 0.1 * rng.normal(size=(4, 1000)))
    tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset()})
    return replace(small_fit(), tree=tree, model=replace(small_fit().model, name="wild"))


@pytest.fixture
def refits(monkeypatch):
    """What is asked of refits, which are not sampled."""
    seen = []

    def instead(task):
        seen.append((task.response, task.row, task.seed))
        verdict = "converged: " if len(seen) != 2 else "NOT CONVERGED: r-hat"
        return xr.Dataset(), {"log_density": DENSITY, "error": 0.1, "verdict": verdict, "problem": ""}

    monkeypatch.setattr(reloo.LeftOut, "compute", instead)
    return seen


def robust_loo(fit, *, seed=None, refits_at_most=100, settings=Settings()):
    """Leave-one-out densities of a fit with refits, in this process."""
    names, engine = fit.responses, Engine(n_jobs=1, progress=False)
    found = sampled(fit, names)
    return repaired(fit, found, names, seed=seed, refits_at_most=refits_at_most, settings=settings, engine=engine)


def two_stage():
    runs = load_dataset("olmo_ladder")
    runs = runs[runs["score"].notna() & (runs["flops"] < 1e20)].reset_index(drop=True)
    return lay_out(load_model("two_stage_logistic"), runs)


def test_one_value_is_left_out_and_all_else_stays():
    design = two_stage()
    (loss, scores) = design.responses
    assert [response_model.name for response_model in design.model.responses] == ["loss", "accuracy"]
    row = int(loss.rows[3])
    assert row in scores.rows, "the loss of a run stands beside one of its scores"
    for response, dropped, kept in (("accuracy", 1, 0), ("loss", 0, 1)):
        again = without(design, response, row)
        assert again.responses[kept] is design.responses[kept]
        assert set(design.responses[dropped].rows) - set(again.responses[dropped].rows) == {row}
        assert len(again.responses[dropped].observed) == len(design.responses[dropped].observed) - 1
        assert (again.levels, again.spans) == (design.levels, design.spans)


def test_the_only_score_of_a_run_leaves_its_level_and_the_span():
    document = to_document(variant("power_law")) | {"discrepancy": {"A": {"all": 0.2}}}
    document["responses"][0]["law"] = "power_law > run_shift > accuracy"
    document["varies"] = {"A": {"benchmark": 0.5}, "shift": {"run": 0.1}}
    runs = grid(benchmarks=2, mixtures=1)
    largest = runs["flops"] == runs["flops"].max()
    runs = runs[~largest | (runs["benchmark"] == "benchmark 00")].reset_index(drop=True)
    design = lay_out(from_document(document), runs)
    again = without(design, "accuracy", int(runs["flops"].idxmax()))
    assert again.levels["run"] == design.levels["run"]
    assert again.spans == design.spans
    assert len(again.responses[0].rows) == len(runs) - 1


def test_sums_follow_from_replaced_rows_as_in_arviz(refits):
    found, record = robust_loo(wild(), seed=1)
    before = sampled(wild(), ("accuracy",))
    assert len(record) == len(refits) > 3
    assert list(record.columns) == [
        *("response", "row", "at", "pareto_k", "by", "before", "log_density", "error", "verdict")
    ]
    assert list(record["pareto_k"]) == sorted(record["pareto_k"], reverse=True)
    assert (record["by"] == REFIT).all()
    assert (record["log_density"] == DENSITY).all()

    class Same(azs.SamplingWrapper):
        def sel_observations(self, idx):
            return idx, idx

        def sample(self, modified_observed_data):
            return None

        def get_inference_data(self, fitted_model):
            return None

        def log_likelihood__i(self, excluded_obs, idata__i):
            return xr.DataArray(np.full((1, 10), DENSITY), dims=("chain", "draw"))

    log_p = log_likelihood(wild(), "accuracy").rename("reported").to_dataset()
    tree = xr.DataTree.from_dict({"posterior": wild().posterior[["A_free"]], "log_likelihood": log_p})
    theirs = azs.reloo(Same(model=None, idata_orig=tree), loo_orig=before.__class__(**vars(before)), pointwise=True)
    np.testing.assert_allclose(found.elpd_i, theirs.elpd_i, atol=1e-9)
    assert (found.elpd, found.se, found.p) == pytest.approx((theirs.elpd, theirs.se, theirs.p), abs=1e-6)
    assert found.warning == theirs.warning == False  # noqa: E712
    assert before.warning
    np.testing.assert_array_equal(found.pareto_k, theirs.pareto_k)


def test_the_worst_rows_are_refitted_first_and_the_others_are_named(refits):
    (found, record), everything = robust_loo(wild(), seed=1, refits_at_most=3), refits.copy()
    assert list(record["by"][:4]) == [REFIT] * 3 + [SAMPLED]
    assert [row for _, row, _ in everything] == list(record["row"][:3])
    left = record[record["by"] == SAMPLED]
    np.testing.assert_array_equal(left["log_density"], left["before"])
    failed_refit, not_refitted = doubts("wild", found, record)
    assert failed_refit.startswith("wild: 1 of 3 refits without a score failed their verdict (the first: NOT CONVERGED")
    named = f"{len(left)} of 60 rows that were not refitted ({left['pareto_k'].iloc[0]:.2f}, "
    assert not_refitted.startswith(f"wild: Pareto k is above 0.70 in {named}")


def test_every_refit_has_a_seed_of_its_own_whatever_the_limit(refits):
    robust_loo(wild(), seed=1, refits_at_most=3)
    few = refits.copy()
    refits.clear()
    robust_loo(wild(), seed=1)
    assert refits[:3] == few
    assert len({seed for *_, seed in refits}) == len(refits)


def test_reliable_rows_are_left_alone(refits):
    found, record = robust_loo(small_fit(), seed=1, refits_at_most=0)
    assert not refits
    np.testing.assert_array_equal(found.elpd_i, sampled(small_fit(), ("accuracy",)).elpd_i)
    assert doubts("power_law", found, record.iloc[:0]) == []


def test_a_negative_number_of_refits_is_refused():
    with pytest.raises(DataError, match=r"^refits_at_most must not be negative, got -1$"):
        robust_loo(small_fit(), refits_at_most=-1)


def test_a_comparison_says_what_was_refitted(refits, monkeypatch):
    one_core = partial(leave_one_out, engine=Engine(n_jobs=1, progress=False))
    table, warned = one_core((small_fit(), wild()), seed=1)
    by_name = table.set_index("model")
    assert by_name.loc["wild", "rows_refitted"] == by_name.loc["wild", "pareto_k_high"] > 0
    assert by_name.loc["wild", "elpd_before"] == pytest.approx(sampled(wild(), ("accuracy",)).elpd)
    assert by_name.loc["wild", "elpd"] != by_name.loc["wild", "elpd_before"]
    assert not any("not refitted" in text for text in warned)
    plain, said = leave_one_out((small_fit(), wild()), refit=False)
    assert list(plain["rows_refitted"]) == [0, 0]
    assert list(plain["elpd"]) == pytest.approx(list(plain["elpd_before"]))
    assert any(text.startswith("wild: Pareto k is above 0.70 in ") for text in said)
    with pytest.warns(ScalingWarning, match=r"refits without a score failed their verdict .* fits again instead$"):
        refits.clear()
        found = average([small_fit(), wild()], weights="loo", seed=1, n_jobs=1)
    total = int(table["rows_refitted"].sum())
    assert found.how == f"stacking on leave-one-out densities of 60 rows, {total} of them by fits without the row"


def outlier():
    """Fourteen scores, one of them off the law: little better than that of the next smaller run."""
    document = to_document(load_model("power_law"))
    document["varies"] = {"A": {"benchmark": 0.3}}
    model, table = from_document(document), grid(benchmarks=2, mixtures=1, sizes=7)
    rng = np.random.default_rng(7)
    points = prior_points(lay_out(model, table), 1, rng) / 4
    runs = simulate(model, table, points, rng).runs(table)
    runs.loc[12, "score"] = runs.loc[10, "score"] + 0.02
    return model, runs


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::bayes_scaling.errors.ScalingWarning")
def test_refits_come_close_to_brute_force():
    """Every row left out by dropping it from the table, and scored as an unseen one."""
    model, runs = outlier()
    whole = fit(model, runs, seed=1, progress=False)
    found, record = robust_loo(whole, seed=2)
    off_the_law = record[record["row"] == 12].iloc[0]
    assert off_the_law["by"] == REFIT
    assert off_the_law["error"] < 0.2
    assert not found.warning
    data = response_data(whole, "accuracy")[1]
    exact = []
    for row in data.rows:
        again = fit(model, runs.drop(index=row), seed=3 + int(row), progress=False)
        log_p = log_predictive(again, "accuracy", runs, taken(data, data.rows == row), seed=1).to_numpy()
        exact.append(logsumexp(log_p) - np.log(log_p.size))
    np.testing.assert_allclose(found.elpd_i, exact, atol=0.25)
    assert found.elpd == pytest.approx(sum(exact), abs=0.5)
    assert abs(off_the_law["log_density"] - exact[12]) < abs(off_the_law["before"] - exact[12])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::bayes_scaling.errors.ScalingWarning")
def test_refits_at_the_same_time_are_those_of_one_after_another():
    model, runs = outlier()
    whole = fit(model, runs, seed=1, progress=False)
    tasks = [left_out(whole, "accuracy", 12, SHORT, seed) for seed in (1, 2)]
    both = [Engine(n_jobs=n_jobs, progress=False).run(tasks, "") for n_jobs in (1, 2)]
    densities = [[found_in(result)["log_density"] for result in results] for results in both]
    assert densities[0] == densities[1]
    assert densities[0][0] != densities[0][1], "seeds of their own"
