"""Simulation-based calibration: over worlds drawn from the prior, true values fall anywhere among the posterior draws.

Talts et al. 2018 (arXiv 1804.06788): where data are simulated from the model itself, the rank of a true value among its
posterior draws is uniform.  Observations are simulated and observed in the units of the likelihood's distribution, so
that the rounding of reported scores plays no part.  One compilation serves all simulations of a model.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare
from simulate import asked, grid, prior_points, scored, simulate

from bayes_scaling.inference.design import lay_out
from bayes_scaling.inference.layout import expand, read_by_users
from bayes_scaling.inference.sampling import sample
from bayes_scaling.inference.settings import Settings
from bayes_scaling.models.documents import list_models, load_model

SIMULATIONS, BINS = 80, 8
SETTINGS = Settings(chains=2, draws=250, tune=250, thin=1)
THIN = 10  # of 500 draws: what is left is nearly independent for every quantity here
SMALL = {"benchmarks": 3, "mixtures": 1, "sizes": 5}  # for models that extend those of TABLES
SMALLEST_P = 1e-4  # of any one quantity: about twenty are tested per model
SMALLEST_P_AGAIN = 0.01  # of one that was below it, in other worlds
AHEAD = 10.0  # forecast at so many times the compute of the largest run
FEWER = {"power_law": SIMULATIONS, "pass_at_k_counts": 40}  # of others 20: those they extend test most of them
TABLES = {
    "power_law": {"benchmarks": 4, "mixtures": 2, "sizes": 5},
    "params_tokens": {"benchmarks": 3, "mixtures": 1, "sizes": 5, "ratios": (5.0, 80.0)},
    "pass_at_k": {"benchmarks": 3, "mixtures": 1, "sizes": 6},
    "pass_at_k_counts": {"benchmarks": 3, "mixtures": 1, "sizes": 6},
}


def table_for(name):
    """The smallest table from which the parameters of a model can be learned; nothing is known of a new model."""
    model = load_model(name)
    tokens = "tokens" in model.responses[scored(model)].columns
    return asked(model, grid(**TABLES.get(name, SMALL | ({"ratios": (5.0, 80.0)} if tokens else {}))))


def quantities(design, posterior):
    """What is ranked, each (chain, draw): populations, spreads, a group's own value, and two expectations ahead."""
    model = design.model
    found = {}
    for name in read_by_users(model):
        array = posterior[name]
        found[name] = array.isel({d: 0 for d in array.dims if d not in ("chain", "draw")}).to_numpy()
    values = {str(name): array.to_numpy() for name, array in posterior.items()}
    factor = {"flops": AHEAD, "params": np.sqrt(AHEAD), "tokens": np.sqrt(AHEAD)}
    for response_model, data in zip(model.responses, design.responses, strict=True):
        further = {name: column * factor.get(name, 1.0) for name, column in data.columns.items()}
        mean = np.asarray(model.mean(response_model, values, further, data.codes))
        found[f"{response_model.name} forecast of the last row"] = mean[..., -1]
        found[f"{response_model.name} forecast of the average"] = mean.mean(axis=-1)
    return {name: array for name, array in found.items() if np.ptp(array) > 0 or array.size == 1}


def inside(response_model, observed):
    """Draws of beta that round to 0 or 1, far out in the prior of scatter, moved into its support."""
    return np.clip(observed, 1e-300, 1 - 1e-16) if response_model.likelihood.component.name == "beta" else observed


def ranks(name, *, simulations=SIMULATIONS, seed=1, wrong=None):
    """Quantity -> rank of its true value among thinned posterior draws, from 0 to 500 / THIN, once per simulation."""
    model, table, rng = load_model(name), table_for(name), np.random.default_rng(seed)
    points = prior_points(lay_out(model, table), simulations, rng)
    world = simulate(model, table, points, rng)
    if wrong is not None:
        world = replace(world, observed=simulate(model, table, wrong(world.design, points), rng).observed)
    pairs = zip(model.responses, world.observed, strict=True)
    world = replace(world, observed=tuple(inside(response_model, values) for response_model, values in pairs))
    found = {}
    for at in range(simulations):
        design = world.laid_out(at)
        posterior = sample(design, SETTINGS, seed=at)["posterior"].to_dataset()
        truth = quantities(design, world.truth.isel(draw=[at]))
        for quantity, draws in quantities(design, posterior).items():
            found.setdefault(quantity, []).append(int(np.sum(draws.ravel()[::THIN] < truth[quantity].item())))
    return {quantity: np.array(r) for quantity, r in found.items()}


def p_values(found):
    """Quantity -> p-value of the hypothesis that its ranks are uniform."""
    possible = SETTINGS.chains * SETTINGS.draws // THIN + 1
    bins = min(BINS, min(map(len, found.values())) // 5)
    edges = np.linspace(0, possible, bins + 1)
    expected = np.diff(np.ceil(edges)) / possible
    found = {name: np.histogram(r, bins=np.ceil(edges) - 0.5)[0] for name, r in found.items()}
    return {name: chisquare(counts, counts.sum() * expected).pvalue for name, counts in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", list_models())
def test_true_values_fall_anywhere_among_the_draws(name):
    p = p_values(ranks(name, simulations=FEWER.get(name, 20)))
    assert len(p) > 8
    if suspect := {q for q, v in p.items() if v < SMALLEST_P}:  # of hundreds of quantities one may be so by chance
        again = p_values(ranks(name, simulations=FEWER.get(name, 20), seed=2))
        assert {q: (p[q], again[q]) for q in suspect if again[q] < SMALLEST_P_AGAIN} == {}
    assert np.median(list(p.values())) > 0.02  # many a little off would be wrong as well


def twice_the_scatter(design, points):
    """The same worlds with twice the scatter of runs around the law."""
    moved = points.copy()
    moved[..., design.populations["accuracy_scatter"]] += np.log(2) / design.model.parameters["accuracy_scatter"].scale
    return moved


@pytest.mark.slow
def test_a_wrong_likelihood_is_found_out():
    p = p_values(ranks("power_law", simulations=SIMULATIONS // 2, wrong=twice_the_scatter))
    assert min(p, key=lambda q: p[q]).startswith("accuracy_scatter")
    assert min(p.values()) < SMALLEST_P


def test_uniform_ranks_pass_and_others_do_not():
    rng = np.random.default_rng(1)
    possible = SETTINGS.chains * SETTINGS.draws // THIN + 1
    uniform = {str(i): rng.integers(0, possible, SIMULATIONS) for i in range(200)}
    assert min(p_values(uniform).values()) > SMALLEST_P
    assert np.mean([p < 0.1 for p in p_values(uniform).values()]) == pytest.approx(0.1, abs=0.06)
    high = {"biased": (possible * rng.beta(2.5, 1, SIMULATIONS)).astype(int)}
    narrow = {"overconfident": (possible * rng.beta(0.2, 0.2, SIMULATIONS)).astype(int)}
    assert max(p_values(high | narrow).values()) < SMALLEST_P


def test_points_of_the_prior_have_the_variance_they_should():
    model = load_model("power_law")
    design = lay_out(model, grid(benchmarks=6, mixtures=2))
    drawn = expand(design, prior_points(design, 20_000, np.random.default_rng(1)))
    for name in ("A", "alpha"):
        parameter = model.parameters[name]
        assert float(drawn[f"{name}_free"].std()) == pytest.approx(parameter.scale, rel=0.03)
        standard = drawn[f"{name}_benchmark"] / drawn[f"{name}_benchmark_sd"]
        assert float(standard.var()) == pytest.approx(5 / 6, rel=0.03)  # a level less, as they sum to zero
