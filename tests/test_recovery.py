"""Recovery: fits to simulated tables of a realistic size find the parameters that made them."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import xarray as xr
from simulate import asked, grid, prior_points, scored, simulate

from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.inference.design import lay_out
from bayes_scaling.inference.fitting import fit
from bayes_scaling.inference.layout import read_by_users
from bayes_scaling.models.documents import list_models, load_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::bayes_scaling.errors.ScalingWarning"),  # fewer draws than a verdict asks for
]
REPLICATIONS, OF_A_LOSS = 2, 32  # a world of one loss has few parameters, which lie in their intervals together
HELD = 0.8
RATES = ("alpha", "beta", "growth", "steepness", "slope")  # how fast a benchmark improves, by the law
FURTHER = 10.0
every_model = pytest.mark.parametrize("name", list_models())


def only_loss(name):
    """Whether a model forecasts no scores, so that it has nothing for every benchmark."""
    return [response_model.name for response_model in load_model(name).responses] == ["loss"]


of_scores = pytest.mark.parametrize("name", [name for name in list_models() if not only_loss(name)])


def reads_tokens(model):
    return any("tokens" in response_model.columns for response_model in model.responses)


def table_for(model):
    """Twelve benchmarks, two mixtures and six sizes, at several token ratios where the law tells tokens from params."""
    mixtures = 2 if "mixture" in model.groups else 1
    table = grid(
        benchmarks=12,
        mixtures=mixtures,
        sizes=12 // mixtures,
        ratios=(5.0, 20.0, 80.0) if reads_tokens(model) else (20.0,),
    )
    return asked(model, table, problems=30)


@cache
def replications(name):
    """(world, fit, table) of every replication; worlds of scores lie nearer to the middle than draws of the prior."""
    model, found = load_model(name), []
    table = table_for(model)
    for seed in range(OF_A_LOSS if only_loss(name) else REPLICATIONS):
        rng = np.random.default_rng(seed)
        near = 1.0 if only_loss(name) else 0.8
        world = simulate(model, table, near * prior_points(lay_out(model, table), 1, rng), rng)
        found.append(
            (world, fit(model, world.runs(table), seed=seed, chains=2, draws=400, tune=400, thin=1, attempts=1), table)
        )
    return found


def inside(draws, truth):
    """Whether each true value lies in the central interval of its draws."""
    low, high = draws.quantile([(1 - HELD) / 2, (1 + HELD) / 2], ("chain", "draw")).transpose("quantile", ...)
    return ((low <= truth) & (truth <= high)).to_numpy().ravel()


@every_model
def test_intervals_cover_what_made_the_data(name):
    covered = []
    for world, found, _ in replications(name):
        truth = world.truth.isel(chain=0, draw=0, drop=True)
        learned = [n for n in read_by_users(found.model) if n not in found.model.fixed]
        covered += [inside(found.posterior[n], truth[n]) for n in learned]
    together = np.concatenate(covered)
    assert together.size > 60
    assert 0.65 < together.mean() < 0.95


@of_scores
def test_rates_follow_those_that_made_the_data(name):
    model = load_model(name)
    rates = [n for n in RATES if "benchmark" in model.varies.get(n, {})]
    assert rates
    for rate in rates:
        pairs, offsets = [], []
        for world, found, _ in replications(name):
            truth, mean = world.truth[rate][0, 0], found.posterior[rate].mean(("chain", "draw"))
            pairs.append(np.log([truth.to_numpy().ravel(), mean.transpose(*truth.dims).to_numpy().ravel()]))
            offset = (np.log(found.posterior[rate]) - np.log(truth)).mean(truth.dims)
            offsets.append((float(offset.mean()), float(offset.std())))
        truth, mean = np.concatenate(pairs, axis=1)
        assert np.corrcoef(truth, mean)[0, 1] > 0.6
        shift, error = np.mean([o for o, _ in offsets]), np.sqrt(np.sum([e**2 for _, e in offsets])) / len(offsets)
        assert error < 0.15
        assert abs(shift) < 3 * error  # all benchmarks of a world share its offset, which the posterior knows
        nearer = 0.95 if model.leaves_law else 0.9  # than one number for all; curves and exponents blur each other
        assert np.sqrt(np.mean((mean - truth) ** 2)) < nearer * truth.std()


@every_model
def test_forecasts_cover_the_expectation_one_decade_ahead(name):
    covered, errors = [], []
    for world, found, table in replications(name):
        model = found.model
        largest = table[table["flops"] == table["flops"].max()].drop(columns=["score", "loss", "n_correct"])
        largest = largest.drop_duplicates(["run", "benchmark", "k"])
        plan = largest.assign(
            params=largest["params"] * FURTHER**0.5,
            tokens=largest["tokens"] * FURTHER**0.5,
            flops=largest["flops"] * FURTHER,
        )
        expected = f"{model.responses[scored(model)].name}_mean"
        ahead = forecast(found, plan, seed=1, even_if_not_converged=True)[expected]
        sure = replace(found, tree=xr.DataTree.from_dict({"posterior": world.truth.isel(draw=[0] * 50)}))
        truth = forecast(sure, plan, seed=1, even_if_not_converged=True)[expected].to_numpy()[0]  # 50 ways to go on
        low, high = ahead.quantile([(1 - HELD) / 2, (1 + HELD) / 2], ("chain", "draw")).to_numpy()
        covered.append(np.mean((low <= truth) & (truth <= high), axis=0))
        errors.append(np.mean(np.abs(ahead.mean(("chain", "draw")).to_numpy() - truth), axis=0))
    assert 0.6 < np.concatenate(covered).mean() < 0.97
    most = 0.05 if load_model(name).leaves_law else 0.03  # the truth wanders on
    assert np.concatenate(errors).mean() < (0.1 if only_loss(name) else most)  # nats, of few runs
