"""Attempts at a fit: one after the other until one passes its verdict, each going on from the draws of the last."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from bayes_scaling.inference.design import Design
from bayes_scaling.inference.layout import expand, read_by_users
from bayes_scaling.inference.sampling import Drawn, as_tree, draw, must_compile
from bayes_scaling.inference.settings import Settings, after_trial
from bayes_scaling.inference.verdict import ESS_PER_CHAIN, Verdict, judge

TIMES_MORE = 2  # at least so many times the draws in another attempt
KEPT_OF_AT_MOST = 16  # and at most so many for one that is kept, unless that is less
AIM = 3  # times the effective draws that a verdict asks for, which a trial run plans for
GAIN = 1.5  # times the effective draws per draw that better coordinates give, as `benchmarks/coordinates.py` showed
TRIAL_AT_MOST = 8  # draws for one that is kept after a trial run, unless the document asks for more


def conditioned(
    design: Design, settings: Settings, *, seed: int | None, progress: bool = False, cores: int | None = None
) -> tuple[xr.DataTree, Verdict]:
    """Draws of what a model learns from the rows that it was laid out on, and whether they can be relied on.

    A model of which more draws are made than are kept gets a trial run first.  It says in which coordinates the
    posterior is close to normal, where chains start, which step they try first, and how many draws it takes.  Every
    further attempt learns the same from the one before.  With ``max_minutes`` a further attempt makes as many draws as
    fit into the time that is left, and is not made where these are fewer than the last one made.
    """
    settings, began = settings.of(design.model), time.monotonic()
    options: dict[str, Any] = {"progress": progress, "cores": cores}
    say: Callable[[str], object] = (lambda text: print(text, file=sys.stderr)) if progress else (lambda text: None)
    start, number = None, 1
    if progress and must_compile(design):
        say(f"{design.model.name}: compiling its density, which takes some seconds, once on this machine")
    if settings.trial is not None:
        trial = draw(design, settings.trial, seed=_seed_of(seed, 0), start=None, **options)
        planned, start = enough(settings, judged(design, trial, settings.trial)), trial.start
        seconds = (time.monotonic() - began) * _made(planned) / _made(settings.trial)
        say(f"{design.model.name}: {planned.thin} draws for one that is kept, in about {seconds:.2g} s")
        settings = planned
    while True:
        started = time.monotonic()
        drawn = draw(design, settings, seed=_seed_of(seed, number), start=start, **options)
        verdict, now = judged(design, drawn, settings), time.monotonic()
        if verdict.passed or settings.attempts == 1:
            break
        left = np.inf if settings.max_minutes is None else 60 * settings.max_minutes - (now - began)
        further = within(more_careful(settings, verdict), settings, now - started, left)
        if further is None:
            say(f"{verdict}. There is no time left for another attempt in {settings.max_minutes:g} minutes")
            break
        say(f"{verdict}. Going on from these draws, with {further.thin} draws for one that is kept")
        settings, start, number = further, drawn.start, number + 1
    return as_tree(design, drawn), verdict


def enough(settings: Settings, trial: Verdict) -> Settings:
    """As many draws for one that is kept as a trial run says, and smaller steps where its draws diverged.

    Parameters
    ----------
    settings : Settings
        With nothing left open.
    trial : Verdict
        Of draws made with ``settings.trial``.
    """
    assert settings.thin and settings.target_accept
    smallest = np.nan_to_num(min(trial.ess_bulk, trial.ess_tail), nan=np.inf)
    for_one = trial.chains * trial.draws / max(smallest, 1.0)  # draws per effective draw
    wanted = AIM * ESS_PER_CHAIN * for_one / settings.draws / GAIN
    thin = int(np.clip(np.ceil(wanted), settings.thin, max(TRIAL_AT_MOST, settings.thin)))
    missed = (1 - settings.target_accept) / (2 if trial.diverged else 1)
    return replace(settings, thin=thin, target_accept=1 - missed)


def judged(design: Design, drawn: Drawn, settings: Settings) -> Verdict:
    """The verdict on draws."""
    posterior = expand(design, drawn.points)
    read = posterior[read_by_users(design.model)]
    return judge(read, drawn.stats, max_depth=settings.max_depth, thin=settings.of(design.model).thin or 1)


def _made(settings: Settings) -> int:
    """Draws of a chain, with those for adaptation."""
    return settings.tune + settings.draws * (settings.thin or 1)


def _seed_of(seed: int | None, attempt: int) -> int | None:
    if seed is None or attempt == 1:
        return seed
    return int(np.random.SeedSequence([seed, attempt]).generate_state(1)[0])


def more_careful(settings: Settings, verdict: Verdict) -> Settings:
    """Settings for another attempt at a fit that failed: smaller steps, and twice the draws that it lacked.

    Parameters
    ----------
    settings : Settings
        Of the failed attempt, with nothing left open.
    verdict : Verdict
        Of the failed attempt.
    """
    assert settings.thin and settings.target_accept
    lacking = ESS_PER_CHAIN * verdict.chains / max(min(verdict.ess_bulk, verdict.ess_tail), 1.0)
    least, most = TIMES_MORE * settings.thin, max(KEPT_OF_AT_MOST, TIMES_MORE * settings.thin)
    thin = int(np.clip(np.ceil(2 * lacking) * settings.thin, least, most)) if np.isfinite(lacking) else most
    missed = (1 - settings.target_accept) / (4 if verdict.diverged else 2)
    return replace(
        settings, tune=2 * settings.tune, thin=thin, target_accept=1 - missed, attempts=settings.attempts - 1
    )


def within(further: Settings, last: Settings, seconds: float, left: float) -> Settings | None:
    """Settings of another attempt with as many draws as fit into the time left, or None where that is too little.

    Parameters
    ----------
    further, last : Settings
        Of the next attempt and of the last one.
    seconds, left : float
        What the last attempt took, and what is left.
    """
    assert further.thin and last.thin
    assert further.target_accept and last.target_accept
    smaller = np.sqrt((1 - last.target_accept) / (1 - further.target_accept))  # about how much smaller its steps are
    for_one = smaller * seconds / _made(last)
    thin = int(min(further.thin, (left / for_one - after_trial(further.tune)) / further.draws))
    return None if thin < last.thin else replace(further, thin=thin)
