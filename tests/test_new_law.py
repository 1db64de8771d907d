"""A new law is one function in one file: here is one, and a model document that uses it, all the way to a forecast."""

import numpy as np
import pytest
from simulate import grid, simulate

from bayes_scaling.data.runs import plan_runs
from bayes_scaling.forecasting.forecast import forecast
from bayes_scaling.inference.fitting import Fit, fit
from bayes_scaling.laws import ops
from bayes_scaling.laws.parameters import positive, real
from bayes_scaling.laws.registry import C0, LAWS, law
from bayes_scaling.models.documents import load_model

DOCUMENT = """
summary = "An S-shaped curve in log compute."

[[responses]]
response = "accuracy"
law = "s_curve > accuracy"
likelihood = "beta"

[varies.midpoint]
benchmark = 0.7

[varies.steepness]
benchmark = 0.3
"""


@pytest.fixture
def s_curve(monkeypatch):
    """The law, registered for the time of a test."""
    monkeypatch.setitem(LAWS, "s_curve", None)

    @law
    def s_curve(
        flops,
        *,
        midpoint=real(-2.0, 2.0, "decades of compute beyond 1e20 FLOPs where half is reached", spread=1.0),
        steepness=positive(0.5, 3.0, "log odds gained per decade of compute", spread=0.3),
    ):
        """Accuracy that climbs an S-shaped curve in the logarithm of compute."""
        return ops.softplus(-steepness * (ops.log(flops / C0) / ops.log(10.0) - midpoint))

    return s_curve


@pytest.mark.filterwarnings("ignore::bayes_scaling.errors.ScalingWarning")  # a short run is enough here
def test_a_law_of_ones_own_is_fitted_saved_and_forecast(s_curve, tmp_path):
    (tmp_path / "mine.toml").write_text(DOCUMENT, encoding="utf-8")
    model, table = load_model(tmp_path / "mine.toml"), grid(benchmarks=3, mixtures=1)
    world = simulate(model, table, 1, np.random.default_rng(2))
    found = fit(model, world.runs(table), seed=1, chains=2, draws=300, tune=300, attempts=1)
    found.save(tmp_path / "mine.nc")
    again = Fit.load(tmp_path / "mine.nc")
    assert again.model.responses[0].law.parts[0] is s_curve
    assert again.posterior["midpoint"].dims == ("chain", "draw", "benchmark")
    plan = plan_runs(flops=table["flops"].unique(), benchmark=list(table["benchmark"].unique()))
    ahead = forecast(again, plan, seed=1, even_if_not_converged=True)
    odds = world.truth["steepness"] * (np.log10(ahead["flops"] / C0) - world.truth["midpoint"])
    chance = np.array([0.25, 0.5, 0.0])
    floor = chance / (chance + (1 - chance) * np.exp(-world.truth["floor_shift"].values.ravel()[0]))
    truth = floor + (1 - floor) / (1 + np.exp(-odds[0, 0].transpose("row", "benchmark").to_numpy()))
    own = [list(table["benchmark"].unique()).index(b) for b in ahead["benchmark"].to_numpy()]
    error = ahead["accuracy_mean"].mean(("chain", "draw")).to_numpy() - truth[np.arange(len(own)), own]
    assert np.abs(error).max() < 0.1
