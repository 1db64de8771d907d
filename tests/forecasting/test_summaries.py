"""Tables of forecasts: locked columns, quantiles as numpy takes them, and intervals that say what they are for."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.forecasting.summaries import PROBABILITIES, average_benchmarks, summarise

ROWS = ["run", "benchmark", "mixture", "params", "tokens", "flops", "decades_beyond", "note"]
BANDS = ["lower_50", "upper_50", "lower_80", "upper_80", "lower_95", "upper_95"]


@pytest.fixture(scope="module")
def ahead():
    """Two runs on two benchmarks each, with a shared part so that benchmarks correlate."""
    rng = np.random.default_rng(1)
    mean = 0.5 + 0.02 * rng.normal(size=(4, 250, 1)) + 0.01 * rng.normal(size=(4, 250, 4))
    new = mean + 0.03 * rng.normal(size=mean.shape)
    rows = {
        "run": ["small", "large", "small", "large"],
        "benchmark": ["piqa", "piqa", "copa", "copa"],
        "mixture": ["C4"] * 4,
        "params": [1e9, 7e9, 1e9, 7e9],
        "tokens": [2e10, 1.4e11, 2e10, 1.4e11],
        "flops": [1.2e20, 5.88e21, 1.2e20, 5.88e21],
        "decades_beyond": [0.0, 1.7, 0.3, 1.2],
        "note": ["", "", "at chance", "at chance"],
    }
    dims = ("chain", "draw", "row")
    coords = {"chain": range(4), "draw": range(250), **{n: ("row", v) for n, v in rows.items()}}
    return xr.Dataset({"accuracy_mean": (dims, mean), "accuracy": (dims, new)}, coords, {"model": "power_law"})


def test_the_columns_are_locked(ahead):
    table = summarise(ahead, everything=True)
    rows = [name for name in ROWS if name != "note"]
    assert list(table.columns) == [*rows, "response", "interval_for", "mean", *BANDS, "note"]
    assert list(table.index) == list(range(8))
    assert PROBABILITIES == (0.5, 0.8, 0.95)


def test_every_row_says_which_interval_it_is(ahead):
    table = summarise(ahead)
    assert list(table["interval_for"]) == ["expectation", "new run"] * 4
    assert set(table["response"]) == {"accuracy"}
    assert list(table["params"][::2]) == [1e9, 7e9, 1e9, 7e9]
    assert list(table["benchmark"][::2]) == ["piqa", "piqa", "copa", "copa"]


def test_what_rows_have_in_common_is_left_out(ahead):
    shown = ["response", "interval_for", "mean", *BANDS, "note"]
    assert list(summarise(ahead)) == ["benchmark", "params", "tokens", "flops", *shown]
    assert list(summarise(ahead.isel(row=[1, 3]))) == ["benchmark", "flops", *shown]
    assert list(summarise(ahead.isel(row=[0, 1]))) == ["benchmark", "params", "tokens", "flops", *shown[:-1]]


def test_runs_that_nothing_else_tells_apart_are_named(ahead):
    reruns = ahead.isel(row=[0, 0]).assign_coords(run=("row", ["first", "second"]))
    assert list(summarise(reruns)["run"]) == ["first", "first", "second", "second"]


def test_numbers_are_those_of_numpy(ahead):
    table = summarise(ahead)
    for kind, name in (("expectation", "accuracy_mean"), ("new run", "accuracy")):
        part, draws = table[table["interval_for"] == kind], ahead[name].values.reshape(1000, 4)
        np.testing.assert_allclose(part["mean"], draws.mean(axis=0), rtol=1e-12)
        for percent in (50, 80, 95):
            low, high = np.quantile(draws, [0.5 - percent / 200, 0.5 + percent / 200], axis=0)
            np.testing.assert_allclose(part[f"lower_{percent}"], low, rtol=1e-12)
            np.testing.assert_allclose(part[f"upper_{percent}"], high, rtol=1e-12)


def test_intervals_nest_and_a_new_run_is_less_certain(ahead):
    table = summarise(ahead)
    ordered = table[["lower_95", "lower_80", "lower_50", "upper_50", "upper_80", "upper_95"]].to_numpy()
    assert (np.diff(ordered, axis=1) > 0).all()
    width = table["upper_80"] - table["lower_80"]
    assert (width[1::2].to_numpy() > width[::2].to_numpy()).all()


@pytest.mark.parametrize(("probability", "name"), [(0.9, "90"), (0.999, "99.9"), (0.5, "50"), (0.025, "2.5")])
def test_other_probabilities_name_their_columns(ahead, probability, name):
    table = summarise(ahead, probabilities=[probability])
    assert list(table.columns)[-3:] == [f"lower_{name}", f"upper_{name}", "note"]
    draws = ahead["accuracy"].isel(row=0).values
    assert table[f"upper_{name}"][1] == pytest.approx(np.quantile(draws, (1 + probability) / 2))


def test_the_order_of_dimensions_does_not_matter(ahead):
    pd.testing.assert_frame_equal(summarise(ahead.transpose("row", "draw", "chain")), summarise(ahead))


def test_averages_are_taken_draw_by_draw(ahead):
    average = average_benchmarks(ahead)
    assert dict(average.sizes) == {"row": 2, "chain": 4, "draw": 250}
    assert list(average["run"].values) == ["small", "large"]
    for name in ("accuracy_mean", "accuracy"):
        by_hand = (ahead[name].isel(row=[0, 1]).values + ahead[name].isel(row=[2, 3]).values) / 2
        np.testing.assert_allclose(average[name].transpose("chain", "draw", "row"), by_hand, rtol=1e-12)


def test_the_band_of_an_average_keeps_the_correlation(ahead):
    alone = ahead["accuracy_mean"].std(("chain", "draw")).values
    together = average_benchmarks(ahead)["accuracy_mean"].std(("chain", "draw")).values
    independent = np.sqrt(alone[:2] ** 2 + alone[2:] ** 2) / 2
    assert (together > 1.2 * independent).all()
    assert (together < alone[:2]).all()


def test_averages_keep_what_there_is_to_know(ahead):
    average = average_benchmarks(ahead)
    assert list(average["benchmark"].values) == ["average of 2"] * 2
    assert list(average["note"].values) == ["copa: at chance"] * 2
    assert list(average["decades_beyond"].values) == [0.3, 1.7]
    assert list(average["flops"].values) == [1.2e20, 5.88e21]
    assert average.attrs == ahead.attrs | {"averaged_over": '{"piqa": 1.0, "copa": 1.0}'}
    assert list(summarise(average)["interval_for"]) == ["expectation", "new run"] * 2


def test_weights_need_not_sum_to_one(ahead):
    average = average_benchmarks(ahead, weights={"piqa": 6, "copa": 2})
    by_hand = 0.75 * ahead["accuracy"].isel(row=0) + 0.25 * ahead["accuracy"].isel(row=2)
    np.testing.assert_allclose(average["accuracy"].isel(row=0), by_hand, rtol=1e-12)


def test_a_benchmark_without_weight_is_named(ahead):
    with pytest.raises(DataError, match=r"^no weight for the benchmarks \['copa'\]$"):
        average_benchmarks(ahead, weights={"piqa": 1})


def test_without_benchmarks_there_is_no_average(ahead):
    with pytest.raises(DataError, match=r"^the forecast has no benchmarks to average over$"):
        average_benchmarks(ahead.drop_vars("benchmark"))
