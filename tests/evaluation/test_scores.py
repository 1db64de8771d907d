"""Scores of forecasts: right by hand on draws that are known, and best for the forecast that is right."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.scores import binned, resampled, score_forecast, summarise_scores

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


def by_hand(errors, runs, decades=0.0, **columns):
    """Scores of which only the error matters."""
    table = pd.DataFrame({"run": runs, "decades_beyond": decades, "error": errors})
    size = table["error"].abs()
    table = table.assign(crps=size / 2, log_score=size, inside_80=size < 0.1, width_80=0.2, interval_score_80=size)
    return table.assign(**columns)


def row(table, score, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    (found,) = table[table["score"] == score].to_dict("records")
    return found


def test_summaries_are_means_over_rows():
    found = summarise_scores(by_hand([0.1, -0.3, 0.05, 0.05], list("aabc")))
    assert row(found, "mae")["value"] == pytest.approx(0.125)
    assert row(found, "bias")["value"] == pytest.approx(-0.025)
    assert row(found, "crps")["value"] == pytest.approx(0.0625)
    assert row(found, "cover_80")["value"] == pytest.approx(0.5)
    assert row(found, "interval_score_80")["value"] == pytest.approx(0.125)
    assert (found["runs"] == 3).all()
    assert (found["rows"] == 4).all()
    assert ((found["lower_90"] <= found["value"]) & (found["value"] <= found["upper_90"])).all()


def test_the_bootstrap_is_over_runs_not_rows():
    """Rows of a run that are all the same say no more than one of them."""
    errors = np.random.default_rng(1).normal(size=8)
    alone = summarise_scores(by_hand(errors, range(8)))
    copied = summarise_scores(by_hand(np.repeat(errors, 25), np.repeat(range(8), 25)))
    pd.testing.assert_frame_equal(alone.drop(columns="rows"), copied.drop(columns="rows"))
    loose = summarise_scores(by_hand(np.repeat(errors, 25), range(200)))
    width = [np.ptp([row(t, "mae")["lower_90"], row(t, "mae")["upper_90"]]) for t in (copied, loose)]
    assert width[0] > 3 * width[1]


def test_intervals_are_those_of_a_mean():
    errors = np.abs(np.random.default_rng(2).normal(size=400))
    found = row(summarise_scores(by_hand(errors, range(400))), "mae")
    half = 1.645 * errors.std() / 20
    assert found["lower_90"] == pytest.approx(errors.mean() - half, rel=0.02)
    assert found["upper_90"] == pytest.approx(errors.mean() + half, rel=0.02)


def test_runs_of_several_rows_weigh_as_much_as_they_have():
    values, runs = np.array([[1.0], [1.0], [1.0], [0.0]]), np.array(list("aaab"))
    means = resampled(values, runs, resamples=4000)
    assert set(np.round(means.ravel(), 6)) == {0.0, 0.75, 1.0}  # b twice, each once, a twice
    assert np.mean(means == 0.75) == pytest.approx(0.5, abs=0.03)


def test_one_run_has_no_uncertainty_that_could_be_seen():
    found = summarise_scores(by_hand([0.1, 0.2, 0.3], list("aab"), benchmark=list("xxy")), by="benchmark")
    assert found[["lower_90", "upper_90"]].isna().all(axis=None)
    assert row(found, "mae", benchmark="x")["value"] == pytest.approx(0.15)
    assert row(found, "mae", benchmark="x")["runs"] == 1


def test_infinite_log_scores_break_no_other_column():
    table = by_hand([0.1, 0.2, 0.3], list("abc"))
    broken = table.assign(log_score=[0.1, np.inf, 0.3])
    fine, found = summarise_scores(table), summarise_scores(broken)
    assert row(found, "log_score")["value"] == np.inf
    others = fine["score"] != "log_score"
    pd.testing.assert_frame_equal(fine[others], found[others])
    every = summarise_scores(table.assign(log_score=np.inf))
    pd.testing.assert_frame_equal(fine[others], every[others])


def test_groups_are_columns_and_distances():
    table = by_hand(
        [0.1, 0.2, 0.3, 0.4], list("abcd"), [0.0, 0.3, 0.5, 5.0], mixture=["m", "m", "n", None], k=[1, 8, 1, np.nan]
    )
    found = summarise_scores(table, by="distance", resamples=0)
    values = found[found["score"] == "mae"].set_index("distance")["value"].to_dict()
    assert values == pytest.approx({"0": 0.1, "0–0.5": 0.25, "> 3": 0.4})
    found = summarise_scores(table, by=["mixture", "k"], resamples=0)
    assert len(found[found["score"] == "mae"]) == 4  # a blank label is a group as well
    assert binned(pd.Series([0.0, 0.01, 0.5, 0.51, 3.0, 3.01])).tolist() == [
        "0",
        "0–0.5",
        "0–0.5",
        "0.5–1",
        "2–3",
        "> 3",
    ]


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(DataError, match=r"^the scores lack the columns \['recipe'\]; they have \['run'"):
        summarise_scores(by_hand([0.1], ["a"]), by="recipe")


def test_pinball_log_score_and_interval_score_by_hand():
    """Draws 0, 0.01 … 1: quantiles are their own levels."""
    draws = np.linspace(0, 1, 101)[None, :, None]
    dims, coords = ("chain", "draw", "row"), {"run": ("row", ["a"]), "decades_beyond": ("row", [0.0])}
    one = xr.Dataset({"accuracy": (dims, draws), "accuracy_mean": (dims, draws)}, coords)
    found = score_forecast(one, outcome([0.9])).iloc[0]
    levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    by_level = np.where(levels < 0.9, levels * (0.9 - levels), (1 - levels) * (levels - 0.9))
    assert found["pinball"] == pytest.approx(by_level.mean())
    assert found["width_50"] == pytest.approx(0.5)
    assert found["interval_score_50"] == pytest.approx(0.5 + 2 / 0.5 * (0.9 - 0.75))
    assert found["interval_score_90"] == pytest.approx(0.9)
    assert found["pit"] == pytest.approx(0.9, abs=0.011)
    assert found["error"] == pytest.approx(-0.4)
    assert found["relative_error"] == pytest.approx(0.4 / 0.9)
    assert found["log_score"] == pytest.approx(0.0, abs=0.5)  # a density near 1


@pytest.mark.parametrize("others", [[], [0.3, 0.6]])
@pytest.mark.filterwarnings("error")
def test_a_point_forecast_has_no_log_density(others):
    dims, coords = ("chain", "draw", "row"), {"run": ("row", ["a"]), "decades_beyond": ("row", [0.0])}
    draws = np.array([0.5] * 20 + others)[None, :, None]
    point = xr.Dataset(dict.fromkeys(("accuracy", "accuracy_mean"), (dims, draws)), coords)
    found = score_forecast(point, outcome([0.5 if others else 0.4])).iloc[0]
    assert found["log_score"] == np.inf
    assert found["crps"] == pytest.approx(0.0 if others else 0.1, abs=0.01)
