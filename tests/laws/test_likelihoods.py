"""Likelihoods: draws follow the stated variance, edges are harmless, and scores survive the way there and back."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from simulate import grid, simulate, variant

from bayes_scaling.data.datasets import load_dataset
from bayes_scaling.inference.compiled.density import compile_density
from bayes_scaling.inference.design import lay_out
from bayes_scaling.laws.draws import draw
from bayes_scaling.laws.likelihoods import EDGE, LIKELIHOODS, NOMINAL_ITEMS, SCORES
from bayes_scaling.library import names

OF_SCORES = [name for name, found in LIKELIHOODS.items() if found.rows == SCORES]
every_likelihood = pytest.mark.parametrize("name", OF_SCORES)
MEANS = np.array([0.0, 0.001, 0.1, 0.5, 0.9, 1.0])
SHARED = ["beta", "normal"]  # continuous, with the variance law of the module


def noise(name, quantile=0.0):
    """Parameters of a likelihood at one point of their priors, in standard deviations from the middle."""
    parameters = LIKELIHOODS[name].component.parameters
    return {p.name: p.support.constrain(p.location + quantile * p.scale) for p in parameters}


def reported(name, mean, n_items, theta, n=100_000):
    distribution, arguments = LIKELIHOODS[name].component(mean, n_items, **theta)
    arrays = {k: np.broadcast_to(v, (n, *np.shape(mean))) for k, v in arguments.items()}
    values = draw(distribution, arrays, np.random.default_rng(1))
    return values, LIKELIHOODS[name].report(values, n_items)


@every_likelihood
def test_a_likelihood_reads_the_mean_and_the_items(name):
    component = LIKELIHOODS[name].component
    assert component.inputs == ("mean", "n_items")
    assert component.name == name
    assert "scatter" in [p.name for p in component.parameters]


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("n_items", [100.0, 1000.0, 10_000.0])
def test_draws_follow_the_shared_variance_law(name, n_items):
    """Up to a share scatter² + item_share / n_items of the variance, which a bounded distribution has less."""
    theta = noise(name)
    share = theta["scatter"] ** 2 + theta["item_share"] / n_items
    mean = EDGE + (1 - 2 * EDGE) * MEANS
    values, _ = reported(name, MEANS, n_items, theta)
    np.testing.assert_allclose(values.mean(axis=0), mean, atol=5 * np.sqrt(0.25 * share / 100_000))
    np.testing.assert_allclose(values.var(axis=0), mean * (1 - mean) * share, rtol=share + 0.03)


@pytest.mark.parametrize("n_items", [100.0, 1000.0])
def test_beta_binomial_counts_vary_at_least_as_binomial_ones(n_items):
    theta = noise("beta_binomial")
    mean = (MEANS * n_items + 0.5) / (n_items + 1)
    overlap = 1 / (1 + 1 / theta["scatter"] ** 2)
    counts, scores = reported("beta_binomial", MEANS, n_items, theta)
    np.testing.assert_array_equal(counts, np.rint(counts))
    expected = n_items * mean * (1 - mean) * (1 + (n_items - 1) * overlap)
    np.testing.assert_allclose(counts.var(axis=0), expected, rtol=0.04)
    np.testing.assert_allclose(scores.mean(axis=0), mean, atol=5 * np.sqrt(expected.max()) / n_items / 300)


@every_likelihood
@pytest.mark.parametrize("quantile", [-3.0, 0.0, 3.0])
def test_reported_scores_are_proportions(name, quantile):
    _, scores = reported(name, MEANS, 200.0, noise(name, quantile), n=2000)
    assert ((scores >= 0) & (scores <= 1)).all()


@every_likelihood
def test_more_items_scatter_less(name):
    theta = noise(name, -1.0)
    spread = [reported(name, np.array([0.5]), n, theta)[1].std() for n in (50.0, 500.0, 5000.0)]
    assert spread[0] > spread[1] > spread[2] > 0


@every_likelihood
@pytest.mark.parametrize("n_items", [1.0, 7.0, 1000.0, 12345.0])
def test_scores_survive_the_way_there_and_back(name, n_items):
    found = LIKELIHOODS[name]
    counts = np.unique(np.rint(np.linspace(0, n_items, 101)))
    scores = counts / n_items
    np.testing.assert_allclose(found.report(found.observe(scores, n_items), n_items), scores, atol=1e-12)


@every_likelihood
def test_scores_that_are_no_share_of_the_items_move_by_less_than_one_item(name):
    found, scores = LIKELIHOODS[name], np.linspace(0, 1, 101)
    assert np.abs(found.report(found.observe(scores, 30.0), 30.0) - scores).max() <= 0.5 / 30 + 1e-12


@every_likelihood
@pytest.mark.parametrize("n_items", [50.0, NOMINAL_ITEMS, 1e5])
def test_density_is_finite_at_the_edges(name, n_items):
    """Scores of exactly 0 and 1 against means of exactly 0 and 1, at both ends of the priors."""
    found = LIKELIHOODS[name]
    parameters = [p.name for p in found.component.parameters]
    mean, score = pt.dvector("mean"), pt.dvector("score")
    theta = {n: pt.dscalar(n) for n in parameters}
    distribution, arguments = found.component(mean, n_items, **theta)
    density = pm.logp(distribution.dist(**arguments), score)
    wanted = [density, pt.grad(density.sum(), mean), *pt.grad(density.sum(), list(theta.values()))]
    function = pytensor.function([mean, score, *theta.values()], wanted, mode="FAST_COMPILE")
    means, scores = (a.ravel() for a in np.meshgrid([0.0, 1e-12, 0.5, 1 - 1e-12, 1.0], [0.0, 0.5, 1.0]))
    observed = found.observe(scores, np.full(scores.shape, n_items))
    for quantile in (-2.0, 0.0, 2.0):
        for values in function(means, observed, *noise(name, quantile).values()):
            assert np.isfinite(values).all()


@every_likelihood
def test_a_compiled_density_takes_scores_at_the_edges_and_rows_without_items(name):
    table = grid(benchmarks=3, mixtures=1)
    table["score"] = np.resize([0.0, 1.0, 0.4], len(table))
    table["n_items"] = np.nan
    density = compile_density(lay_out(variant("power_law", name), table))
    for point in (np.zeros(density.n_dim), np.full(density.n_dim, 2.0), np.full(density.n_dim, -2.0)):
        value, slope = density(point)
        assert np.isfinite(value)
        assert np.isfinite(slope).all()


@every_likelihood
def test_rows_without_items_count_as_the_nominal_number(name):
    table = grid(benchmarks=2, mixtures=1).assign(n_items=NOMINAL_ITEMS, score=0.3)
    known = compile_density(lay_out(variant("power_law", name), table))
    unknown = compile_density(lay_out(variant("power_law", name), table.assign(n_items=np.nan)))
    column_gone = compile_density(lay_out(variant("power_law", name), table.drop(columns="n_items")))
    point = np.full(known.n_dim, 0.2)
    assert known(point)[0] == unknown(point)[0] == column_gone(point)[0]


@every_likelihood
def test_a_score_near_the_mean_is_more_likely_than_one_far_off(name):
    found = LIKELIHOODS[name]
    distribution, arguments = found.component(np.array([0.1, 0.5, 0.9]), 1000.0, **noise(name))
    near, far = (found.observe(np.array(s), 1000.0) for s in ([0.1, 0.5, 0.9], [0.3, 0.3, 0.6]))
    difference = pm.logp(distribution.dist(**arguments), near) - pm.logp(distribution.dist(**arguments), far)
    assert (difference.eval(mode="FAST_COMPILE") > 10).all()


@every_likelihood
@pytest.mark.parametrize("dataset", names("datasets"))
def test_every_score_of_the_shipped_data_has_a_finite_density(name, dataset):
    density = compile_density(lay_out(variant("power_law", name), load_dataset(dataset)))
    value, slope = density(np.zeros(density.n_dim))
    assert np.isfinite(value)
    assert np.isfinite(slope).all()


@every_likelihood
def test_simulated_scores_scatter_around_their_expectation(name):
    table = grid(benchmarks=3, mixtures=1)
    world = simulate(variant("power_law", name), table, 300, np.random.default_rng(3))
    response_model, data = world.design.model.responses[0], world.design.responses[0]
    scores = response_model.likelihood.report(world.observed[0], data.columns["n_items"])
    assert abs(np.mean(scores - world.means[0])) < 0.005
    assert 0.002 < np.std(scores - world.means[0]) < 0.1
