"""pass@k: the estimator, the spread of problems, forecasts that rise with k, and rows that share their noise."""

from dataclasses import replace
from functools import cache
from math import comb

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr
from scipy.stats import betabinom, kstest, norm
from scipy.stats import t as student
from simulate import asked, grid, prior_points, simulate, unfitted

import bayes_scaling as bs
from bayes_scaling.errors import DataError, ModelError
from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.inference.compiled import special_functions as specials
from bayes_scaling.inference.compiled.density import compile_density
from bayes_scaling.inference.design import distinct, lay_out, with_evaluations
from bayes_scaling.inference.planned_rows import lay_out_plan
from bayes_scaling.inference.unseen_groups import extended
from bayes_scaling.laws import pass_at_k as passk
from bayes_scaling.laws.draws import draw
from bayes_scaling.laws.registry import C0, C_LEAST, LAWS
from bayes_scaling.models.discrepancy import TAILS
from bayes_scaling.models.documents import from_document, load_model

BOTH = ("pass_at_k", "pass_at_k_counts")
every_model = pytest.mark.parametrize("name", BOTH)
K = (1, 2, 4, 32, 1000, 100_000)


@pytest.mark.parametrize(("n", "c"), [(1, 0), (1, 1), (10, 0), (10, 3), (10, 10), (200, 7), (200, 199)])
def test_the_estimator_is_that_of_the_paper(n, c):
    for k in {1, 2, n // 2, n - 1, n} - {0}:
        if k <= n:
            assert bs.pass_at_k(n, c, k) == pytest.approx(1 - comb(n - c, k) / comb(n, k), rel=1e-12)


def test_the_estimator_is_exact_for_millions_of_samples():
    n, c, k = 4_000_000, 3, 10_000
    missed = np.prod([(n - k - j) / (n - j) for j in range(c)])
    assert bs.pass_at_k(n, c, k) == pytest.approx(1 - missed, rel=1e-10)
    assert bs.pass_at_k(n, 0, k) == 0
    assert bs.pass_at_k(n, 1, 1) == pytest.approx(1 / n, rel=1e-12)


def test_the_estimator_has_no_bias_and_broadcasts():
    n, p = 12, 0.15
    counts = np.arange(n + 1)
    weights = np.array([comb(n, int(c)) * p**c * (1 - p) ** (n - c) for c in counts])
    k = np.array([1, 3, 12])[:, None]
    found = bs.pass_at_k(n, counts, k)
    assert found.shape == (3, 13)
    np.testing.assert_allclose(found @ weights, 1 - (1 - p) ** k.ravel(), rtol=1e-12)
    assert (np.diff(found, axis=0) >= 0).all()


WRONG = [
    ((10, 3, 11), r"k must not exceed n_samples.*got 11 of 10"),
    ((10, 11, 2), r"n_correct must not exceed n_samples; got 11 of 10"),
    ((10, 3, 0), r"k must be a whole number, 1 or more; got 0"),
    ((10, [3, 1.5], 1), r"n_correct must be a whole number, 0 or more; got 1.5"),
    ((10, -1, 1), r"n_correct must be a whole number, 0 or more; got -1"),
    ((np.nan, 1, 1), r"n_samples must be a whole number, 1 or more; got nan"),
]


@pytest.mark.parametrize(("numbers", "match"), WRONG)
def test_what_cannot_be_estimated_is_refused(numbers, match):
    with pytest.raises(DataError, match=match):
        bs.pass_at_k(*numbers)


@pytest.mark.parametrize("x", [1e-9, 0.3, 5.0, 19.99, 20.01, 1e4, 1e8, 1e15, 1e40])
@pytest.mark.parametrize("d", [1, 2, 50, 20_000])
def test_ratios_of_gamma_functions_keep_their_digits(x, d):
    exact = np.sum(np.log(x + np.arange(d, dtype=np.longdouble)))
    assert passk.log_gamma_ratio(x, d) == pytest.approx(float(exact), rel=1e-13, abs=1e-13)


def test_counts_are_beta_binomial_with_some_never_solved():
    n, value = 128, np.array([0, 1, 5, 64, 128])
    found = np.exp(passk.log_counts(value.astype(float), n, 0.4, 30.0, np.log(0.9)))
    np.testing.assert_allclose(found, 0.9 * betabinom.pmf(value, n, 0.4, 30.0) + 0.1 * (value == 0), rtol=1e-9)
    every = passk.log_counts(np.arange(n + 1.0), n, 0.4, 30.0, np.log(0.9))
    assert np.exp(every).sum() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("beta", [1e6, 1e9, 1e12, 1e30])
def test_counts_of_rates_near_zero_keep_their_digits(beta):
    """Where right answers are rare, none of n has the probability (1 + n / b)^−a, up to terms of order a / b."""
    n, alpha = 4e6, 0.5
    missed = passk.log_counts(0.0, n, alpha, beta, -1e-300)
    assert missed == pytest.approx(-alpha * np.log1p(n / beta), rel=1e-6, abs=1e-13)


def test_draws_follow_their_density():
    arguments = {"n": 20.0, "alpha": 0.5, "beta": 3.0, "log_reach": np.log(0.7)}
    arrays = {name: np.full(100_000, value) for name, value in arguments.items()}
    counts = draw(passk.Counts, arrays, np.random.default_rng(1))
    shares = np.bincount(counts.astype(int), minlength=21) / len(counts)
    expected = np.exp(passk.log_counts(np.arange(21.0), *arguments.values()))
    np.testing.assert_allclose(shares, expected, atol=0.006)


def test_scores_of_zero_and_one_are_censored():
    mu, scale = 0.5, 0.2
    density = {
        v: pm.logp(passk.LogLog.dist(mu=mu, scale=scale, never=1.2, always=-2.0), v).eval() for v in (0.7, 50.0, -50.0)
    }
    assert density[0.7] == pytest.approx(norm.logpdf(0.7, mu, scale))
    assert density[50.0] == pytest.approx(norm.logsf(1.2, mu, scale))
    assert density[-50.0] == pytest.approx(norm.logcdf(-2.0, mu, scale))


@pytest.mark.parametrize("z", [-1e3, -40.0, -8.0, -1.001, -0.999, 0.0, 5.0, 30.0])
def test_normal_tails_are_exact(z):
    assert passk.log_normal_cdf(z) == pytest.approx(norm.logcdf(z), rel=1e-12)


def test_the_compiled_scaled_error_function_is_exact():
    from scipy.special import erfcx

    x = np.concatenate([np.linspace(0, 40, 400), [1e3, 1e8]])
    np.testing.assert_allclose([specials.erfcx(v) for v in x], erfcx(x), rtol=1e-11)


def test_expected_pass_at_k_is_that_of_drawn_problems():
    rng, k = np.random.default_rng(1), np.array([1, 10, 300])
    rate = rng.beta(0.4, 20.0, size=1_000_000) * (rng.uniform(size=1_000_000) < 0.8)
    drawn = [np.mean(1 - (1 - rate) ** each) for each in k]
    np.testing.assert_allclose(passk.expected(k, 0.4, 20.0, np.log(0.8)), drawn, atol=0.002)


def test_an_evaluation_scatters_as_problems_and_samples_do():
    k, size = np.array([1.0, 8.0]), (4000,)
    parts = [np.full(size, v) for v in (0.4, 3.0, np.log(0.9))]
    rng = np.random.default_rng(2)
    known = passk.evaluated(k, *parts, 100, np.nan, rng)
    few = passk.evaluated(k, *parts, 100, 10.0, rng)
    many = passk.evaluated(k, *parts, 1600, np.nan, rng)
    for found in (known, few, many):
        np.testing.assert_allclose(found.mean(0), passk.expected(k, 0.4, 3.0, np.log(0.9)), atol=0.005)
        assert (np.diff(found) >= 0).all()
    assert (few.std(0) > known.std(0)).all()
    np.testing.assert_allclose(known.std(0) / many.std(0), 4, rtol=0.1)


def test_the_published_law_is_linear_where_it_is_used():
    law = LAWS["repeated_sampling"]
    x, k = np.geomspace(C_LEAST, 1e26, 9)[:, None], np.array([1.0, 4.0, 128.0])
    h = np.log(law(x, k, A=5.0, alpha=0.2, beta=0.15, delta=0.6))
    design = np.stack(np.broadcast_arrays(1.0, np.log(x / C0), np.log(k), np.log(x / C0) * np.log(k)), -1).reshape(
        -1, 4
    )
    found, residual, rank, _ = np.linalg.lstsq(design, h.ravel())
    assert rank == 4
    assert residual[0] < 1e-20
    assert (found[1:] < 0).all()  # as published: α, β and δ are negative


def test_pass_at_k_of_the_law_rises_with_k_and_compute_everywhere():
    rng, law = np.random.default_rng(1), LAWS["repeated_sampling"]
    theta = {
        p.name: p.support.constrain(p.location + 2 * p.scale * rng.normal(size=(500, 1, 1))) for p in law.parameters
    }
    h = law(np.geomspace(1e13, 1e27, 15)[:, None], np.geomspace(1, 1e6, 13), **theta)
    assert (np.diff(h, axis=1) <= 0).all()
    assert (np.diff(h, axis=2) <= 0).all()


@cache
def fits(name):
    """A fit whose draws are those of its prior, on the rows that the model observes."""
    return unfitted(load_model(name), benchmarks=2, mixtures=1, sizes=4)


def plan(**more):
    runs = bs.plan_runs(flops=["1e18", "1e20", "1e23"], benchmark=["benchmark 00", "another"], k=list(K))
    return runs.assign(**more)


def parts(found, name):
    """The rows of every benchmark and every value of a coordinate."""
    for benchmark in np.unique(found["benchmark"]):
        for value in np.unique(found[name]):
            yield found.isel(row=((found["benchmark"] == benchmark) & (found[name] == value)).to_numpy())


@every_model
@pytest.mark.parametrize("order", [1, -1])
def test_pass_at_k_rises_with_k_in_every_draw(name, order):
    found = forecast(fits(name), plan().iloc[::order], seed=1)
    assert list(found.data_vars) == ["pass_at_k_mean", "pass_at_k"]
    assert sorted(set(found["k"].to_numpy())) == sorted(K)
    for part in parts(found, "flops"):
        for values in part.sortby("k").data_vars.values():
            assert values.dims[-1] == "row"
            assert (values.diff("row") >= -1e-12).all()
            assert ((values >= 0) & (values <= 1)).all()


@every_model
def test_the_expectation_rises_with_compute(name):
    found = forecast(fits(name), plan(), seed=1)["pass_at_k_mean"]
    for part in parts(found, "k"):
        assert (part.sortby("flops").diff("row") >= -1e-12).all()


@every_model
def test_rows_of_one_evaluation_share_their_luck(name):
    """Also where the plan names no runs, and not between benchmarks."""
    asked_for = bs.plan_runs(flops=[1e21], benchmark=["benchmark 00", "benchmark 01"], k=[8, 16])
    for rows in (asked_for, asked_for.drop(columns="run")):
        found = forecast(fits(name), rows, seed=1)
        luck = (found["pass_at_k"] - found["pass_at_k_mean"]).stack(sample=("chain", "draw")).to_numpy()
        assert luck.std(axis=1).min() > 0.001
        assert np.corrcoef(luck)[0, 1] > 0.8
        assert abs(np.corrcoef(luck)[0, 2]) < 0.3


def test_k_beyond_the_samples_of_a_plan_is_refused():
    with pytest.raises(DataError, match=r"k must not exceed n_samples.*got 32 of 10"):
        forecast(fits("pass_at_k_counts"), plan(n_samples=10.0), seed=1)
    found = forecast(fits("pass_at_k_counts"), plan(n_samples=200_000.0, n_items=20.0), seed=1)
    assert (found["pass_at_k"] <= 1).all()


@every_model
def test_a_plan_needs_k(name):
    with pytest.raises(DataError, match="needs 'k' in every row of the plan"):
        forecast(fits(name), plan(k=np.nan), seed=1)


def test_equal_rows_are_read_once():
    model = load_model("pass_at_k_counts")
    table = asked(model, grid(benchmarks=2, mixtures=1, sizes=4), problems=30)
    data = lay_out(model, table).responses[0]
    once = distinct(data, "weight")
    assert len(data.rows) == 240
    assert once.columns["weight"].tolist() == [30.0] * 8
    table.loc[::3, ["n_correct", "score"]] = [1.0, 1 / 200]
    assert distinct(lay_out(model, table).responses[0], "weight").columns["weight"].tolist() == [10.0, 20.0] * 8


def test_each_head_takes_its_own_rows():
    counts, reported = (load_model(name) for name in reversed(BOTH))
    both = pd.concat([asked(m, grid(benchmarks=1, mixtures=1, sizes=3)) for m in (counts, reported)])
    plain = grid(benchmarks=1, mixtures=1, sizes=3)
    plain["n_items"] = 30.0
    table = bs.read_runs(pd.concat([both[both["problem"].notna() | (both["k"] > 1)], plain]))
    assert [len(lay_out(m, table).responses[0].rows) for m in (counts, reported, load_model("power_law"))] == [90, 6, 3]
    with pytest.raises(DataError, match="the runs hold no 'n_correct' of right answers per problem"):
        lay_out(counts, plain)
    with pytest.raises(DataError, match="the runs hold no 'score' of pass@k of a benchmark"):
        lay_out(reported, plain)


PAIRS = [
    ("pass_at_k", "power_law > pass_rate", "loglog"),
    ("pass_at_k", "repeated_sampling > pass_rate", "counts"),
    ("pass_at_k", "repeated_sampling > pass_rate", "beta"),
    ("accuracy", "power_law > pass_rate", "counts"),
    ("accuracy", "repeated_sampling > pass_rate", "beta"),
]


@pytest.mark.parametrize(("response", "law", "likelihood"), PAIRS)
def test_laws_and_likelihoods_that_do_not_go_together_are_refused(response, law, likelihood):
    response_model = {"response": response, "law": law, "likelihood": likelihood}
    with pytest.raises(ModelError, match=f"{response} cannot go with '{law}' and '{likelihood}'"):
        from_document({"responses": [response_model]})


def per_problem(**change):
    table = pd.DataFrame({"run": "a", "flops": 1e20, "benchmark": "math", "problem": ["p1", "p2"]})
    return table.assign(**({"n_samples": 10, "n_correct": [0, 3]} | change))


@pytest.mark.filterwarnings("ignore::bayes_scaling.errors.DataWarning")
def test_right_answers_per_problem_are_read_from_three_columns():
    runs = bs.read_runs(per_problem())
    assert runs["metric"].tolist() == ["pass@k"] * 2
    assert runs[["k", "n_items", "chance"]].to_numpy().tolist() == [[1, 2, 0]] * 2
    assert runs["score"].tolist() == [0, 0.3]
    pd.testing.assert_frame_equal(bs.read_runs(runs), runs)


SLIPS = [
    ({"n_correct": [0, 11]}, r"'n_correct' must not exceed 'n_samples'; rows \[1\] hold \[11 of 10\]"),
    ({"n_samples": np.nan}, r"'n_samples' is empty in rows \[0, 1\]: a row with a problem needs n_samples"),
    ({"n_correct": [np.nan, 1], "score": 0.1}, r"'n_correct' is empty in rows \[0\]: a row with a problem needs"),
    ({"score": [0.1, 0.3]}, r"'score' must agree with n_correct / n_samples; rows \[0\] hold \[0.1 beside 0 of 10\]"),
    ({"problem": "p1"}, r"rows \[0, 1\] repeat \[a · math · pass@k · 1 · p1\]"),
    ({"k": [1, 2], "metric": "pass@k"}, r"column 'k' must be 1 or blank in rows with a problem.*rows \[1\] hold \[2\]"),
    ({"metric": "exact_match"}, r"column 'metric' must be pass@k or blank in rows with a problem"),
]


@pytest.mark.parametrize(("change", "match"), SLIPS)
@pytest.mark.filterwarnings("ignore::bayes_scaling.errors.DataWarning")
def test_slips_in_counts_are_named(change, match):
    with pytest.raises(DataError, match=match):
        bs.read_runs(per_problem(**change))


@every_model
def test_zeros_say_that_rates_are_low(name):
    """A table without any success has a finite density, higher for a harder benchmark."""
    model = load_model(name)
    table = asked(model, grid(benchmarks=2, mixtures=1, sizes=4)).assign(score=0.0)
    density = compile_density(lay_out(model, table))
    points = np.zeros((2, density.n_dim))
    points[1, 0] = 3.0  # population of A, in standard deviations of its prior
    easy, hard = (density(point) for point in points)
    assert np.isfinite(easy[1]).all()
    assert hard[0] > easy[0]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::bayes_scaling.errors.ScalingWarning")
def test_tries_beyond_the_samples_and_larger_models_are_forecast():
    """Fitted to 100 samples a problem, scored on pass@10,000 at ten times the compute."""
    model, covered, errors = load_model("pass_at_k_counts"), [], []
    table = asked(model, grid(benchmarks=4, mixtures=1, sizes=8), problems=100, samples=100.0)
    rows = bs.plan_runs(flops=[1e22], benchmark=sorted(table["benchmark"].unique()), k=[1, 100, 10_000])
    for seed in range(3):
        rng = np.random.default_rng(seed)
        world = simulate(model, table, 0.6 * prior_points(lay_out(model, table), 1, rng), rng)
        found = bs.fit(model, world.runs(table), seed=seed, draws=500)
        ahead = forecast(found, rows, seed=1, even_if_not_converged=True)["pass_at_k_mean"]
        sure = replace(found, tree=xr.DataTree.from_dict({"posterior": world.truth}))
        truth = forecast(sure, rows, seed=1, even_if_not_converged=True)["pass_at_k_mean"].to_numpy()[0, 0]
        low, high = ahead.quantile([0.1, 0.9], ("chain", "draw")).to_numpy()
        covered.append((low <= truth) & (truth <= high))
        errors.append(np.abs(ahead.mean(("chain", "draw")).to_numpy() - truth))
    assert 0.55 < np.mean(covered) < 0.98
    assert np.mean(errors) < 0.06


@pytest.mark.parametrize(("name", "unit"), [("pass_at_k", student(TAILS)), ("pass_at_k_counts", norm)])
def test_reported_evaluations_differ_with_heavy_tails_and_counts_normally(name, unit):
    """New ones are a t of three degrees of freedom, or normal, as the prior of those that were fitted is."""
    found = fits(name)
    planned = lay_out_plan(found.design, with_evaluations(plan(run="another")))
    values = extended(found.design, found.posterior, planned, np.random.default_rng(2))
    sd = found.posterior["A_evaluation_sd"].to_numpy()[..., None]
    new = (values["A_evaluation"].values / sd)[..., -1].ravel()
    assert kstest(new, unit.cdf).pvalue > 0.001
    fitted = found.posterior["A_evaluation"].to_numpy() / sd  # draws of the prior
    own = 1.0 if unit is not norm else np.sqrt(1 - 1 / fitted.shape[-1])  # normal ones sum to zero
    assert kstest(fitted[..., 0].ravel() / own, unit.cdf).pvalue > 0.001
