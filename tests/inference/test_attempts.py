"""Attempts at a fit: trial runs, more draws where these are all that is lacking, and beginning again."""

import re
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from simulate import FINE, small_fit

from bayes_scaling.inference import attempts, planning, sampling
from bayes_scaling.inference.fitting import fit
from bayes_scaling.inference.settings import Settings
from bayes_scaling.models.documents import load_model

GOOD = replace(FINE, draws=1000, ess_bulk=900.0, ess_tail=800.0)
SHORT = {"chains": 2, "draws": 60, "tune": 100, "attempts": 1}
quiet = pytest.mark.filterwarnings("ignore::bayes_scaling.errors.ScalingWarning")  # short runs are meant here


@pytest.fixture(scope="module")
def table():
    return small_fit().runs


def set_of_draws(offset):
    number = np.arange(2.0 * 6).reshape(2, 6) + offset
    stats = {"diverging": number % 3 == 0, "depth": number, "n_steps": number, "energy": number}
    stats = xr.Dataset({name: (("chain", "draw"), values) for name, values in stats.items()})
    return sampling.Drawn(number[:, 1::2, None], sampling.thinned(stats, 2), None)


def test_two_sets_of_draws_are_joined_chain_by_chain_and_forget_no_divergence():
    first, second = set_of_draws(0), set_of_draws(100)
    both = sampling.joined(first, second)
    np.testing.assert_array_equal(both.points[:, :, 0], [[3, 101, 105], [9, 107, 111]])
    np.testing.assert_array_equal(both.stats["energy"], both.points[:, :, 0])
    for name in ("divergences", "n_steps"):
        assert both.stats[name].sum() == first.stats[name].sum() + second.stats[name].sum()
    assert both.stats["divergences"].sum() == 8  # 0, 3, 6, 9, and 102, 105, 108, 111
    assert both.stats["depth"].max() == 111


def test_draws_alone_mend_a_fit_that_lacks_nothing_else():
    settings = Settings(thin=3, target_accept=0.95)
    few = replace(GOOD, ess_bulk=200.0, thin=3)
    assert few.lacks_draws
    assert replace(GOOD, r_hat=1.5).lacks_draws
    assert planning.twice_as_many(settings, few).thin == 6
    for other in (GOOD, replace(few, divergences=100), replace(few, e_bfmi=0.1), replace(few, saturated=100)):
        assert not other.lacks_draws
        assert planning.twice_as_many(settings, other) is None
    assert planning.twice_as_many(replace(settings, thin=9), few) is None  # more than 16 for one that is kept
    assert planning.twice_as_many(replace(settings, draws=50), few) is None  # 50 draws are never worth 100
    assert planning.twice_as_many(settings, replace(few, ess_tail=99.0)) is None  # more than four times are lacking
    assert planning.twice_as_many(settings, replace(few, ess_tail=101.0)).thin == 6


def test_a_fit_that_diverged_and_mixed_begins_again_with_smaller_steps_alone():
    settings = Settings(thin=4, target_accept=0.95)
    again = planning.more_careful(settings, replace(GOOD, divergences=100, thin=4))
    assert (again.thin, again.target_accept) == (4, pytest.approx(0.9875))
    short = planning.more_careful(settings, replace(GOOD, divergences=100, thin=4, ess_tail=300.0))
    assert short.thin == 12


def test_a_trial_run_plans_as_many_draws_as_its_own_say():
    settings, trial = Settings(thin=2, target_accept=0.95), replace(GOOD, draws=300, ess_bulk=120.0, ess_tail=150.0)
    planned = planning.after(settings, trial)  # 10 draws for an effective one, 1.5 × 100 of them in better coordinates
    assert (planned.thin, planned.target_accept) == (2, 0.95)
    assert planning.after(settings, replace(trial, ess_tail=30.0)).thin == 4
    assert planning.after(settings, replace(trial, ess_tail=3.0)).thin == 8
    assert planning.after(settings, replace(trial, divergences=9)).target_accept == pytest.approx(0.975)


@quiet
def test_a_fit_whose_draws_are_too_few_makes_as_many_again_and_keeps_them_all(table, monkeypatch, capsys):
    asked = []

    def draw(design, settings, **more):
        asked.append((settings, more["start"], sampling.draw(design, settings, **more)))
        return asked[-1][2]

    said = iter([GOOD, replace(GOOD, ess_bulk=150.0), GOOD])  # of the trial run, the first draws, and all
    thins = []

    def judged(design, drawn, settings):
        thins.append(settings.thin)
        return replace(next(said), thin=settings.thin)

    monkeypatch.setattr(attempts, "draw", draw)
    monkeypatch.setattr(attempts, "judged", judged)
    own = {"chains": 2, "draws": 200, "tune": 100, "thin": 2, "attempts": 1, "progress": True}
    found = fit(small_fit().model, table, seed=3, **own)
    (_, _, trial), (first, start, drawn), (second, further, more) = asked
    assert start is trial.start
    assert further is drawn.start
    assert second == first
    assert thins == [1, first.thin, 2 * first.thin]
    assert found.verdict.thin == 2 * first.thin
    assert "As many draws again, in about " in capsys.readouterr().err
    steps = found.tree["sample_stats"]["n_steps"]
    assert steps.shape == (2, 200)
    assert steps.sum() == drawn.stats["n_steps"].sum() + more.stats["n_steps"].sum()


@quiet
def test_a_fit_that_failed_goes_on_from_its_draws_more_carefully(table, monkeypatch):
    asked = []

    def draw(design, settings, **more):
        drawn = sampling.draw(design, settings, **more)
        asked.append((settings.of(design.model), more["start"], drawn))
        return drawn

    monkeypatch.setattr(attempts, "draw", draw)
    hasty = SHORT | {"tune": 20}  # so few draws that as many again do not help
    once, twice = (fit(small_fit().model, table, seed=3, **hasty | {"attempts": n}) for n in (1, 2))
    assert not once.verdict.passed
    (first, start, drawn), (second, further, _) = asked[1:]
    assert start is None
    assert further is drawn.start
    assert len(further.draws) == 2 * 60
    assert first == replace(asked[0][0], attempts=2)
    assert second.thin >= 2 * first.thin
    assert (second.tune, second.draws, second.attempts) == (2 * first.tune, first.draws, 1)
    assert min(twice.verdict.ess_bulk, twice.verdict.ess_tail) > min(once.verdict.ess_bulk, once.verdict.ess_tail)


@quiet
def test_another_attempt_says_why_and_keeps_to_its_time(table, capsys):
    hasty = SHORT | {"draws": 100, "tune": 20, "attempts": 2, "progress": True}
    long, none = (fit(small_fit().model, table, seed=3, **hasty, max_minutes=m) for m in (10, 1e-9))
    told = capsys.readouterr().err
    assert "Beginning again from these draws, with " in told
    assert "There is no time left for another attempt in 1e-09 minutes" in told
    assert none.tree["sample_stats"]["n_steps"].sum() < long.tree["sample_stats"]["n_steps"].sum()


def test_time_left_bounds_the_draws_of_another_attempt():
    last = Settings(draws=1000, tune=500, thin=2, target_accept=0.95)
    further = replace(last, thin=8, target_accept=0.95)
    assert planning.within(further, last, seconds=25.0, left=1000.0) == further
    assert planning.within(further, last, seconds=25.0, left=43.0).thin == 4  # 0.01 s a draw: 300 + 4 × 1000 draws
    assert planning.within(further, last, seconds=25.0, left=20.0) is None


def test_a_model_that_keeps_every_draw_has_no_trial_run():
    assert Settings().of(load_model("power_law")).trial is None
    trial = Settings().of(load_model("power_law_discrepancy")).trial
    assert (trial.thin, trial.draws, trial.tune, trial.target_accept) == (1, 300, 400, 0.95)


@quiet
def test_a_fit_with_a_trial_run_says_what_it_will_cost(table, capsys):
    fit("power_law_discrepancy", table, seed=1, **SHORT | {"thin": 2, "progress": True})
    assert re.search(
        r"power_law_discrepancy: \d draws for one that is kept, in about [\d.e+]+ s", capsys.readouterr().err
    )
