"""Intervals that rest on the errors of a backtest alone."""

import numpy as np
import pytest
from backtests import ahead, average_ahead, forecast_of, past_of

import bayes_scaling as bs
from bayes_scaling.errors import DataError
from bayes_scaling.evaluation.conformal import FARTHER, conformal, conformal_limit
from bayes_scaling.evaluation.past_forecasts import Past

TOO_SURE = 3.0  # times its standard deviation that a law is wrong by


def normal_errors(runs, per_run, rng, together=0.7):
    """Past forecasts of a law that is too sure, whose errors of one run go together."""
    shared = rng.normal(size=(runs, 1))
    errors = np.sqrt(together) * shared + np.sqrt(1 - together) * rng.normal(size=(runs, per_run))
    names = np.repeat([f"run {n}" for n in range(runs)], per_run)
    draws = np.tile(np.linspace(-1.7, 1.7, 101), (runs * per_run, 1))
    return Past(
        draws,
        TOO_SURE * errors.ravel(),
        np.zeros(runs * per_run),
        np.full(runs * per_run, 1e20),
        names,
        np.full(runs * per_run, "one"),
    )


@pytest.mark.parametrize(("runs", "share"), [(9, 0.9), (9, 0.8), (30, 0.9)])
def test_intervals_hold_whatever_the_law_and_however_its_errors_go_together(runs, share):
    rng, held = np.random.default_rng(1), []
    for _ in range(1500):
        every = normal_errors(runs + 1, 4, rng)
        last = every.run == f"run {runs}"
        limit = conformal_limit(every.only(~last), share) * every.draws[0].std()
        held.append((np.abs(every.observed[last]) <= limit).mean())
    assert np.mean(held) > share - 0.02
    assert np.mean(held) < share + 1 / (runs + 1) + 0.02


def test_every_run_counts_alike_however_many_scores_it_has():
    draws = np.tile([-1.0, 1.0], (12, 1))
    runs = np.array([f"run {n}" for n in range(8)] + ["run 8"] * 4)
    known = Past(draws, np.array([*np.ones(8), 5, 5, 5, 5]), np.zeros(12), np.full(12, 1e20), runs, np.full(12, "one"))
    assert conformal_limit(known, 0.8) == 1.0
    assert conformal_limit(known, 0.9) == 5.0


def test_the_table_has_intervals_of_the_right_width_and_notes():
    table = conformal(ahead(), past_of(0.06), probabilities=(0.8, 0.9))
    width = (table["upper_80"] - table["lower_80"]).to_numpy()
    assert width == pytest.approx(2 * 1.28 * 0.06, rel=0.1)
    assert (table["upper_90"] > table["upper_80"]).all()
    assert table["median"].to_numpy() == pytest.approx([0.5, 0.7], abs=0.01)
    assert table["note"].tolist() == ["", FARTHER]
    assert table.attrs == {"law": "power_law", "runs": 30, "rows": 360, "farthest": 0.5}
    assert list(table.columns[-1:]) == ["note"] and bs.conformal is conformal


def test_intervals_of_an_average_rest_on_past_averages():
    table = conformal(average_ahead(6), past_of(0.02, together=True, runs=200), probabilities=0.8)
    assert (table["upper_80"] - table["lower_80"]).item() == pytest.approx(2 * 1.28 * 0.02, rel=0.1)
    assert (table.attrs["runs"], table.attrs["rows"]) == (200, 400)


def test_scores_stay_scores():
    near_one = forecast_of(np.array([0.99]), 0.02, np.array([0.2]), np.random.default_rng(1))
    table = conformal(near_one, past_of(0.1))
    assert table["upper_90"].item() == 1.0 and table["lower_90"].item() < 0.9


def test_too_few_runs_are_refused_with_what_they_can_tell():
    with pytest.raises(DataError, match=r"^an interval of 90 % needs a backtest of 9 runs or more, and this one "
                                        r"forecasts 7 runs: ask for at most 87 %"):  # fmt: skip
        conformal(ahead(), past_of(0.02, runs=7))
    assert len(conformal(ahead(), past_of(0.02, runs=7), probabilities=[0.87])) == 2
    with pytest.raises(DataError, match=r"^an interval of 95 % needs a backtest of 19 runs"):
        conformal(ahead(), past_of(0.02, runs=18), probabilities=0.95)
    with pytest.raises(DataError, match=r"^the backtest has no forecasts of 'bnsl'"):
        conformal(ahead(), past_of(0.02), law="bnsl")
