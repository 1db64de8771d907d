"""Scores of forecasts: right by hand on draws that are known, and best for the forecast that is right."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.evaluation import score_forecast

COLUMNS = [
    *("observed", "error", "relative_error", "crps", "log_score", "pinball", "pit"),
    *(f"{score}_{p}" for p in (50, 80, 90, 95) for score in ("inside", "width", "interval_score")),
]


def ahead(centre=0.5, sd=0.05, rows=6, seed=1, shift=0.0):
    rng = np.random.default_rng(seed)
    new = centre + shift + sd * rng.normal(size=(2, 2000, rows))
    dims = ("chain", "draw", "row")
    coords = {"run": ("row", [f"run {i}" for i in range(rows)]), "decades_beyond": ("row", np.arange(rows) / 2)}
    return xr.Dataset({"accuracy_mean": (dims, np.full(new.shape, centre + shift)), "accuracy": (dims, new)}, coords)


def outcome(values):
    return pd.DataFrame({"score": values})


def test_the_columns_are_locked():
    table = score_forecast(ahead(), outcome(np.full(6, 0.5)))
    assert list(table.columns) == ["run", "decades_beyond", *COLUMNS]
    assert list(table["run"]) == [f"run {i}" for i in range(6)]


def test_scores_are_right_for_normal_draws():
    """The CRPS of a normal forecast has a closed form (Gneiting and Raftery 2007, section 4.2)."""
    from scipy.stats import norm

    observed = np.array([0.38, 0.45, 0.5, 0.52, 0.6, 0.7])
    table = score_forecast(ahead(), outcome(observed))
    z = (observed - 0.5) / 0.05
    closed = 0.05 * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    np.testing.assert_allclose(table["crps"], closed, atol=0.002)
    np.testing.assert_allclose(table["pit"], norm.cdf(z), atol=0.03)
    np.testing.assert_allclose(table["error"], 0.5 - observed, atol=1e-12)
    for p in (50, 80, 95):
        half = norm.ppf(0.5 + p / 200) * 0.05
        np.testing.assert_allclose(table[f"width_{p}"], 2 * half, rtol=0.08)
        np.testing.assert_array_equal(table[f"inside_{p}"], np.abs(observed - 0.5) <= half)


def test_calibrated_forecasts_hold_as_much_as_they_say():
    observed = 0.5 + 0.05 * np.random.default_rng(5).normal(size=1000)
    table = score_forecast(ahead(rows=1000), outcome(observed))
    for p in (50, 80, 95):
        assert table[f"inside_{p}"].mean() == pytest.approx(p / 100, abs=0.05)
    assert table["pit"].mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("wrong", [{"shift": 0.05}, {"sd": 0.15}, {"sd": 0.01}])
def test_the_right_forecast_scores_best(wrong):
    observed = outcome(0.5 + 0.05 * np.random.default_rng(5).normal(size=300))
    right, other = (score_forecast(ahead(rows=300, **k), observed)["crps"].mean() for k in ({}, wrong))
    assert right < other


def test_an_outcome_of_other_length_is_refused():
    with pytest.raises(DataError, match=r"^the forecast has 6 rows, the outcome 5; they must match$"):
        score_forecast(ahead(), outcome(np.full(5, 0.5)))
