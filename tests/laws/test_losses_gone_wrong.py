"""Losses of which a few went wrong: heavy tails let the law pass them by, normal scatter bends it."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from scipy.stats import t as student

import bayes_scaling as bs
from bayes_scaling.laws.draws import draw
from bayes_scaling.laws.likelihoods import LEAST_LOSS, LIKELIHOODS
from bayes_scaling.models.documents import from_document, to_document

WRONG = {"diverged": 1.25, "repeated": 1.12}  # times the loss of a sound run


def true_loss(params, tokens):
    """Eq. 2 of arXiv 2203.15556 with the constants of its Table A3."""
    return 1.69 + 406.4 / params**0.34 + 410.7 / tokens**0.28


def losses(wrong=None, seed=0):
    """Sixteen runs of four sizes and four lengths, of which two may have gone wrong."""
    params, tokens = (part.ravel() for part in np.meshgrid([5e7, 1.5e8, 4e8, 1e9], [2e9, 6e9, 2e10, 6e10]))
    scatter = 1 + 0.003 * np.random.default_rng(2).normal(size=16)
    loss = true_loss(params, tokens) * scatter
    if wrong:
        loss[np.random.default_rng(seed).choice(16, 2, replace=False)] *= wrong
    names = [f"run {number}" for number in range(16)]
    table = pd.DataFrame({"run": names, "params": params, "tokens": tokens, "loss": loss, "mixture": "C4"})
    return bs.read_runs(table.assign(val_set="c4"))


def error(likelihood, runs):
    """Relative error of the forecast of a run twice as large on two and a half times the data."""
    document = to_document(bs.load_model("loss_params_tokens_discrepancy"))
    document["responses"][0]["likelihood"] = likelihood
    model = from_document(document)
    fit = bs.fit(model, runs, seed=1, chains=2, draws=300, attempts=1, progress=False)
    ahead = bs.forecast(fit, bs.plan_runs(params=2e9, tokens=1.5e11, mixture="C4"), seed=1, even_if_not_converged=True)
    return abs(float(ahead["loss_mean"].mean()) / true_loss(2e9, 1.5e11) - 1)


@pytest.mark.filterwarnings("ignore::bayes_scaling.errors.ScalingWarning")
@pytest.mark.parametrize("kind", WRONG)
def test_two_runs_that_went_wrong_hardly_bend_the_law(kind):
    spoiled = [losses(WRONG[kind], seed) for seed in range(5)]
    heavy, normal = (np.mean([error(name, runs) for runs in spoiled]) for name in ("student_t", "log_normal"))
    assert heavy < 0.01
    assert heavy < 0.5 * normal


@pytest.mark.filterwarnings("ignore::bayes_scaling.errors.ScalingWarning")
def test_where_nothing_went_wrong_heavy_tails_cost_little():
    assert error("student_t", losses()) < error("log_normal", losses()) + 0.005


def test_scatter_is_students_t_in_proportion_to_the_loss():
    found = LIKELIHOODS["student_t"]
    distribution, arguments = found.component(np.array([2.0, 4.0]), scatter=0.01)
    value = np.array([2.03, 3.7])
    expected = student.logpdf(value, 3, [2.0, 4.0], [0.02, 0.04])
    np.testing.assert_allclose(pm.logp(distribution.dist(**arguments), value).eval(), expected)
    arrays = {name: np.broadcast_to(part, (100_000, 2)) for name, part in arguments.items()}
    drawn = found.report(draw(distribution, arrays, np.random.default_rng(1)), None)
    quarters = student.ppf([0.1, 0.9], 3)
    np.testing.assert_allclose(np.quantile(drawn[:, 1], [0.1, 0.9]), 4 + 0.04 * quarters, rtol=2e-3)
    assert found.report(np.array([-1.0]), None) == LEAST_LOSS
