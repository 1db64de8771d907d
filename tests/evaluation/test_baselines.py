"""Published estimators: they recover their own laws, agree with numbers worked out elsewhere, and forecast as we do."""

import warnings
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats
from simulate import grid, prior_points, simulate

from bayes_scaling import BASELINES, baseline
from bayes_scaling.data.datasets import load_dataset
from bayes_scaling.data.runs import plan_runs
from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.baselines.baseline import VERDICT, coefficients
from bayes_scaling.evaluation.baselines.estimators import broken_power_law
from bayes_scaling.evaluation.baselines.solvers import jacobian
from bayes_scaling.evaluation.scores import score_forecast
from bayes_scaling.files.digests import canonical
from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.forecasting.law_uncertainty import NOT_INCLUDED
from bayes_scaling.forecasting.summaries import average_benchmarks, summarise
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.layout import expand
from bayes_scaling.inference.verdict import Verdict
from bayes_scaling.laws.registry import C0, LAWS
from bayes_scaling.models.documents import load_model

TRUTH = {
    "direct": [(-0.3, 0.25)],
    "params_tokens": [(-0.9, -1.0, 0.45, 0.3)],
    "repeated_sampling": [(0.5, -0.12, -0.2, -0.01)],
    "bnsl": [(0.9, -0.4, 0.05, 0.2, -1.0, 0.0)],
    "ceiling": [(-0.4, 0.3, -2.0)],
    "two_stage_linear": [(1.1, -0.06), (1.5, -0.3)],
    "two_stage_logistic": [(1.1, -0.06), (0.6, 3.0, -3.0, 0.25)],
    "olmo_ladder": [(0.4, -0.3, -0.2, 0.4, 0.3), (-0.7, 2.6, 2.2, 1.0)],
    "gadre": [(1.6, -0.4, -0.2, 0.14), (0.9, 3.2, 0.7)],
}
every_baseline = pytest.mark.parametrize("name", BASELINES)


@pytest.fixture(autouse=True)
def few_hops(monkeypatch):
    monkeypatch.setattr("bayes_scaling.evaluation.baselines.solvers.HOPS", 3)


def sizes(params=(2e8, 5e8, 1e9, 3e9, 1e10), ratios=(5.0, 20.0, 80.0)):
    pairs = [(n, r * n) for n, r in product(params, ratios)]
    return pd.DataFrame(pairs, columns=["params", "tokens"]).assign(flops=lambda t: 6 * t["params"] * t["tokens"])


def made_by(name, table=None, benchmark="mine", chance=0.25):
    """A table of runs that the law of an estimator made, without noise."""
    table = sizes() if table is None else table
    table = table.assign(run=[f"run {i}" for i in range(len(table))], mixture="mix", benchmark=benchmark)
    table = table.assign(metric="accuracy", chance=chance, loss=3.0, k=np.nan)
    if name == "repeated_sampling":
        table = (
            table.assign(metric="pass@k", chance=0.0)
            .drop(columns="k")
            .merge(pd.DataFrame({"k": [1.0, 4, 16, 64]}), "cross")
        )
    for stage, theta in zip(BASELINES[name].stages, TRUTH[name], strict=True):
        columns = [table[c].to_numpy(float) for c in stage.inputs]
        expected = stage.expected(columns, np.array(theta, float))
        table[stage.response] = stage.scale.report(expected, float(table["chance"].iloc[0]))
    return table


def noisy(name="direct", scale=0.05, benchmarks=("one", "two"), seed=1, table=None):
    rng = np.random.default_rng(seed)
    parts = [made_by(name, table, benchmark) for benchmark in benchmarks]
    runs = pd.concat(parts, ignore_index=True)
    return runs.assign(
        score=np.clip(runs["score"] + scale * rng.normal(size=len(runs)) * (1 - runs["score"]), 0.0, 0.99)
    )


def plan(flops=(1e21, 1e22), benchmark=("one", "two"), mixture="mix", k=None):
    return plan_runs(flops=list(flops), tokens_per_param=20, benchmark=benchmark, mixture=mixture, k=k)


def points(name, runs, asked, **more):
    return baseline(name, runs, asked, resamples=0, **more)[f"{BASELINES[name].response}_mean"].values[0, 0]


@every_baseline
def test_estimators_find_the_law_that_made_the_data(name):
    runs = made_by(name)
    assert runs["score"].between(0.05, 0.999).all()
    found = coefficients(name, runs)
    assert found["n_rows"].unique().tolist() == [len(runs)]
    if name != "bnsl":  # its coefficients trade against each other; what they say of larger runs does not
        wanted = np.concatenate(TRUTH[name])
        np.testing.assert_allclose(found["value"], wanted, rtol=0.03, atol=0.03 if name == "olmo_ladder" else 1e-3)
    larger = made_by(name, sizes(params=(3e10,), ratios=(20.0,)))
    wanted = larger["score"].to_numpy()
    np.testing.assert_allclose(points(name, runs, larger), wanted, atol=0.003)


@every_baseline
def test_slopes_are_those_of_the_law(name):
    runs = made_by(name)
    for stage, theta in zip(BASELINES[name].stages, TRUTH[name], strict=True):
        columns, theta = [runs[c].to_numpy(float) for c in stage.inputs], np.array(theta)
        slopes = jacobian(stage.law, columns, theta)
        for number, direction in enumerate(1e-5 * np.eye(len(theta))):
            ahead, behind = (stage.expected(columns, theta + s * direction) for s in (1, -1))
            np.testing.assert_allclose(slopes[:, number], (ahead - behind) / 2e-5, atol=1e-6)


def test_laws_are_those_that_models_use():
    """Where a model has the same law, an estimator's forecast is that of the model at its coefficients."""
    runs, ahead = made_by("direct"), sizes(params=(3e10,))
    law = LAWS["power_law"].then(LAWS["accuracy"])
    expected = law(ahead["flops"].to_numpy(), 0.25, A=np.exp(-0.3), alpha=0.25, floor_shift=0.0)
    asked = made_by("direct", ahead)
    np.testing.assert_allclose(points("direct", runs, asked), expected, rtol=1e-9)
    law = LAWS["power_law"].then(LAWS["ceiling"]).then(LAWS["accuracy"])
    expected = law(ahead["flops"].to_numpy(), 0.25, A=np.exp(-0.4), alpha=0.3, E=np.exp(-2.0), floor_shift=0.0)
    np.testing.assert_allclose(made_by("ceiling", ahead)["score"], expected, rtol=1e-9)
    log_A, log_B, alpha, beta = TRUTH["params_tokens"][0]
    both = np.exp(log_A) + np.exp(log_B)
    law = LAWS["params_tokens"].then(LAWS["accuracy"])
    theta = {"A": both, "share": np.exp(log_A) / both, "alpha": alpha, "beta": beta, "floor_shift": 0.0}
    expected = law(ahead["params"].to_numpy(), ahead["tokens"].to_numpy(), 0.25, **theta)
    np.testing.assert_allclose(made_by("params_tokens", ahead)["score"], expected, rtol=1e-9)


def test_the_broken_law_is_as_written():
    flops, theta = np.geomspace(1e18, 1e24, 7), (0.9, -0.4, 0.05, 0.2, -1.0, 0.5)
    a, b, c0, c1, log_d1, log_f1 = theta
    size, d1, f1 = flops / C0, np.exp(log_d1), np.exp(log_f1)
    written = a + b * size**-c0 * (1 + (size / d1) ** (1 / f1)) ** (-c1 * f1)
    np.testing.assert_allclose(broken_power_law(flops, *theta), written, rtol=1e-12)


@cache
def published(benchmark):
    runs = load_dataset("gadre2024")
    return runs[(runs["benchmark"] == benchmark) & (runs["mixture"] == "C4") & runs["score"].notna()]


def values(name, benchmark="lambada_openai"):
    return coefficients(name, published(benchmark))["value"].to_numpy()


@pytest.mark.parametrize(
    ("benchmark", "chance", "pinned"),
    [("hellaswag", 0.25, (0.322065, 0.246678)), ("lambada_openai", 0.0, (-0.033071, 0.166233))],
)
def test_direct_is_a_line_through_logarithms(benchmark, chance, pinned):
    runs = published(benchmark)
    runs = runs[runs["score"] >= chance + 0.05]
    correct = (runs["score"] - chance) / (1 - chance)
    line = stats.linregress(np.log(runs["flops"] / 1e20), np.log(-np.log(correct)))
    np.testing.assert_allclose(values("direct", benchmark), (line.intercept, -line.slope), rtol=1e-9)
    np.testing.assert_allclose(values("direct", benchmark), pinned, atol=1e-6)


def test_two_stage_linear_is_two_lines():
    runs = published("lambada_openai")
    loss = np.polyfit(np.log(runs["flops"] / 1e20), np.log(runs["loss"]), 1)
    above = runs[runs["score"] >= 0.05]
    score = np.polyfit(above["loss"], above["score"], 1)
    np.testing.assert_allclose(values("two_stage_linear"), [*loss[::-1], *score[::-1]], rtol=1e-9)
    np.testing.assert_allclose(values("two_stage_linear"), [1.047513, -0.068096, 1.149814, -0.269179], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "pinned"),
    [
        # Differential evolution and Nelder-Mead on the objectives as the paper writes them.
        ("params_tokens", (-1.151540, -0.557833, 0.423790, 0.269875)),
        ("ceiling", (-0.386968, 0.209868, -1.379131)),
        # SciPy's curve_fit on the formulas in the authors' own code: 71.1346 N^b + 159.124 · 6^(b/2) (M N)^b
        # + 1.298535 with b = −0.219089, and 1.052061 − 5.412326 exp(−0.891080 L).
        ("gadre", (1.298535, -0.275673, -0.323175, 0.109545, 1.052061, 5.412326, 0.891080)),
    ],
)
def test_coefficients_agree_with_other_optimisers(name, pinned):
    np.testing.assert_allclose(values(name), pinned, atol=2e-5)


def a_fit():
    """A fit whose draws come from the prior: its forecast has the schema, at the price of no sampling."""
    table, rng = grid(benchmarks=2, mixtures=1), np.random.default_rng(1)
    world = simulate(load_model("power_law"), table, 1, rng)
    draws = prior_points(world.design, 40, rng).reshape(1, 40, -1)
    tree = xr.DataTree.from_dict({"posterior": expand(world.design, draws), "sample_stats": xr.Dataset()})
    return Fit(load_model("power_law"), world.runs(table), tree, Verdict(1, 40, 1.0, 1000.0, 1000.0, 0, 1.0, 0, {}))


def test_the_schema_is_that_of_a_forecast():
    fit = a_fit()
    asked = plan(benchmark=["benchmark 00", "benchmark 01"], mixture="mixture 0")
    ours, theirs = forecast(fit, asked, seed=1), baseline("direct", fit.runs, asked, seed=1, resamples=40)
    assert list(theirs.data_vars) == list(ours.data_vars)
    assert {n: (v.dims, v.shape, v.dtype) for n, v in theirs.data_vars.items()} == {
        n: (v.dims, v.shape, v.dtype) for n, v in ours.data_vars.items()
    }
    assert {n: (c.dims, c.dtype) for n, c in theirs.coords.items()} == {
        n: (c.dims, c.dtype) for n, c in ours.coords.items()
    }
    for coordinate in ("run", "benchmark", "mixture", "params", "tokens", "flops", "decades_beyond"):
        np.testing.assert_array_equal(theirs[coordinate], ours[coordinate])
    assert theirs.attrs.keys() == ours.attrs.keys()
    assert theirs.attrs == {
        "model": "direct",
        "verdict": VERDICT,
        "converged": "True",
        "law_uncertainty": NOT_INCLUDED,
        "model_document": canonical({"baseline": "direct", "resamples": 40, "chance": "table", "loss": "loss"}),
        **{name: ours.attrs[name] for name in ("runs_sha256", "plan_sha256", "benchmarks", "seed", "version")},
    }


@every_baseline
def test_every_score_and_table_applies_to_every_baseline(name, tmp_path):
    runs = noisy(name, 0.02, table=sizes(params=(3e8, 1e9, 3e9, 1e10), ratios=(10.0, 40.0)))
    asked = plan(k=[1, 8] if name == "repeated_sampling" else None)
    found = baseline(name, runs, asked, seed=1, resamples=6)
    assert dict(found.sizes) == {"chain": 1, "draw": 6, "row": len(asked)}
    assert all(((v >= 0) & (v <= 1)).all() for v in found.data_vars.values())
    scores = score_forecast(found, asked.assign(score=0.5))
    assert scores[["error", "crps", "pit"]].notna().all(axis=None)
    tries = len(np.unique(found["k"])) if "k" in found.coords else 1
    assert len(summarise(average_benchmarks(found))) == 2 * 2 * tries
    found.to_netcdf(tmp_path / "ahead.nc", engine="h5netcdf")


@pytest.mark.parametrize("name", ["direct", "ceiling", "gadre"])
def test_the_median_of_the_draws_is_the_published_point(name):
    runs = noisy(name, 0.02)
    drawn = baseline(name, runs, plan(), seed=1, resamples=11)["accuracy_mean"].median(("chain", "draw"))
    np.testing.assert_allclose(drawn, points(name, runs, plan()), rtol=1e-9)


def test_the_same_seed_gives_the_same_draws():
    runs = noisy("gadre", 0.02)
    one, again, other = (baseline("gadre", runs, plan(), seed=s, resamples=5) for s in (1, 1, 2))
    xr.testing.assert_identical(one, again)
    assert not np.array_equal(one["accuracy"], other["accuracy"])


def test_bands_widen_with_distance():
    found = baseline("direct", noisy(), plan(flops=[1e20, 1e22, 1e24], benchmark="one"), seed=1)
    log = np.log(-np.log((found - 0.25) / 0.75))
    spread = log["accuracy_mean"].std(("chain", "draw")).to_numpy()
    assert (spread[1:] > 1.5 * spread[:-1]).all()
    assert (log["accuracy"].std(("chain", "draw")) > spread).all()


def test_bands_of_direct_are_as_wide_as_theory_says():
    """The spread of the bootstrap is the standard error of a regression line, away from its data too."""
    runs, asked = noisy(scale=0.02, benchmarks=["one"]), plan(flops=[1e20, 1e22, 1e24], benchmark="one")
    used = runs[runs["score"] >= 0.3]
    x, y = np.log(used["flops"]), np.log(-np.log((used["score"] - 0.25) / 0.75))
    line = stats.linregress(x, y)
    variance = np.sum((y - line.intercept - line.slope * x) ** 2) / (len(x) - 2)
    distance = (np.log([1e20, 1e22, 1e24]) - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)
    found = baseline("direct", runs, asked, seed=1, resamples=2000)
    log = np.log(-np.log((found - 0.25) / 0.75)).std(("chain", "draw"))
    np.testing.assert_allclose(log["accuracy_mean"], np.sqrt(variance * (1 / len(x) + distance)), rtol=0.06)
    np.testing.assert_allclose(log["accuracy"], np.sqrt(variance * (1 + 1 / len(x) + distance)), rtol=0.06)


def test_residuals_of_a_run_stay_together():
    """Two benchmarks with one luck are forecast with one luck; of two runs ahead, each has its own."""
    runs = noisy(benchmarks=["one"])
    both = pd.concat([runs, runs.assign(benchmark="two")], ignore_index=True)
    found = baseline("direct", both, plan(), seed=1)
    one, two = (found.sel(row=found["benchmark"] == b) for b in ("one", "two"))
    for name in found.data_vars:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-9)
    luck = (found["accuracy"] - found["accuracy_mean"]).sel(row=found["benchmark"] == "one")[0]
    assert abs(np.corrcoef(luck.T)[0, 1]) < 0.25


def test_rows_without_a_logarithm_are_left_out():
    runs = made_by("direct")
    odd = runs.assign(run=[f"odd {i}" for i in range(len(runs))])
    odd["score"] = np.resize([0.0, 0.25, 0.29, 1.0, 0.1], len(odd))
    found = coefficients("direct", pd.concat([runs, odd], ignore_index=True))
    np.testing.assert_allclose(found["value"], TRUTH["direct"][0], rtol=1e-9)
    assert found["n_rows"].unique().tolist() == [len(runs)]


def test_zeros_of_repeated_sampling_are_dropped():
    runs = made_by("repeated_sampling")
    runs.loc[runs["run"].isin(["run 0", "run 1"]) & (runs["k"] < 10), "score"] = 0.0
    found = coefficients("repeated_sampling", runs)
    np.testing.assert_allclose(found["value"], TRUTH["repeated_sampling"][0], rtol=1e-9)
    assert found["n_rows"].unique().tolist() == [len(runs) - 4]


@every_baseline
def test_benchmarks_at_chance_are_forecast_at_their_mean_and_noted(name):
    runs = noisy(name, 0.0, benchmarks=["one"])
    flat = runs.assign(benchmark="flat", score=0.0 if name == "repeated_sampling" else 0.26)
    if name in ("bnsl", "two_stage_logistic", "olmo_ladder", "gadre"):  # which fit any score, of enough runs
        flat = flat[flat["run"].isin(["run 0", "run 14"])]
    asked = plan(benchmark=["one", "flat"], k=[1] if name == "repeated_sampling" else None)
    found = baseline(name, pd.concat([runs, flat], ignore_index=True), asked, seed=1, resamples=4)
    at = (found["benchmark"] == "flat").to_numpy()
    assert all(f"too few usable scores for {name}: the mean of the runs instead" in n for n in found["note"].values[at])
    assert not any("too few" in n for n in found["note"].values[~at])
    np.testing.assert_allclose(found[BASELINES[name].response].values[..., at], flat["score"].iloc[0], atol=1e-12)


def test_chance_can_be_what_small_runs_score():
    runs = made_by("direct", chance=0.2)
    small = sizes(params=(5e6, 1e7), ratios=(20.0,)).assign(run=["small 1", "small 2"], score=[0.19, 0.21])
    assert (small["flops"] < 1e17).all()
    told = runs.assign(chance=0.25)
    everything = pd.concat([told, told.iloc[:2].assign(**{c: small[c].to_numpy() for c in small})], ignore_index=True)
    found = coefficients("direct", everything, chance="small_runs")
    np.testing.assert_allclose(found["value"], TRUTH["direct"][0], rtol=1e-9)
    assert not np.allclose(coefficients("direct", everything)["value"], TRUTH["direct"][0], rtol=0.01)
    nothing_small, open_answers = (t.assign(chance=c) for t, c in ((told, 0.25), (everything, 0.0)))
    for table in (nothing_small, open_answers):
        pd.testing.assert_frame_equal(coefficients("direct", table, chance="small_runs"), coefficients("direct", table))


def test_another_loss_can_be_named():
    runs = made_by("gadre").rename(columns={"loss": "own_loss"}).assign(loss=3.0)
    np.testing.assert_allclose(
        coefficients("gadre", runs, loss="own_loss")["value"], np.concatenate(TRUTH["gadre"]), rtol=0.01
    )


def test_arguments_are_not_changed():
    runs, asked = noisy(), plan()
    kept = runs.copy(), asked.copy()
    baseline("direct", runs, asked, seed=1, resamples=2)
    pd.testing.assert_frame_equal(runs, kept[0])
    pd.testing.assert_frame_equal(asked, kept[1])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"name": "best"}, r"^baseline must be one of direct, params_tokens, .*, not 'best'$"),
        ({"resamples": -1}, r"^resamples must be 0 or more, got -1$"),
        ({"chance": "guess"}, r"^chance must be one of table, small_runs, not 'guess'$"),
        ({"name": "gadre", "loss": "bpb"}, r"^the runs have no column 'bpb' that holds the loss; they have \["),
        ({"name": "repeated_sampling"}, r"^the runs hold no score of the kind"),
        ({"runs": lambda r: r.drop(columns="score")}, r"^the runs need the columns \['score'\]; they have \["),
        ({"runs": lambda r: pd.concat([r, r])}, r"^a run has several scores of one benchmark, keep one: rows \["),
        ({"plan": lambda p: p.iloc[:0]}, r"^the plan has no rows; plan_runs\("),
        ({"plan": lambda p: p.drop(columns="benchmark")}, r"^the estimator needs the column 'benchmark' in the plan; "),
        (
            {"plan": lambda p: p.assign(flops=np.nan, params=np.nan)},
            r"^the estimator needs 'flops' in every row of the plan: rows \[0, 1, 2, 3\] have none$",
        ),
        (
            {"plan": lambda p: p.assign(benchmark="new")},
            r"^no run has a score for \[\('new', 'mix'\)\] \(benchmark, mix",
        ),
    ],
)
def test_what_cannot_be_is_refused(change, match):
    given = {"name": "direct", "runs": lambda r: r, "plan": lambda p: p, "resamples": 1} | change
    runs, asked = given.pop("runs")(noisy()), given.pop("plan")(plan())
    with pytest.raises(DataError, match=match):
        baseline(given.pop("name"), runs, asked, **given)


def test_real_benchmarks_at_chance_do_not_stop_a_forecast():
    runs = load_dataset("gadre2024")
    runs = runs[runs["benchmark"].isin(["hellaswag", "agi_eval_lsat_ar", "boolq"]) & (runs["flops"] < 1e20)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = baseline(
            "direct", runs, plan(benchmark=["hellaswag", "agi_eval_lsat_ar", "boolq"], mixture="C4"), seed=1
        )
    assert found.to_dataarray().notnull().all()
    assert found["decades_beyond"].min() > 1
