"""Attempts at a fit: one after the other until one passes its verdict, each going on from the draws of the last."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr

from bayes_scaling.inference.design import Design
from bayes_scaling.inference.layout import expand, read_by_users
from bayes_scaling.inference.sampling import Drawn, as_tree, draw
from bayes_scaling.inference.settings import Settings, after_trial
from bayes_scaling.inference.verdict import ESS_PER_CHAIN, Verdict, judge

TIMES_MORE = 2  # at least so many times the draws in another attempt
KEPT_OF_AT_MOST = 16  # and at most so many for one that is kept, unless that is less


def conditioned(
    design: Design, settings: Settings, *, seed: int | None, progress: bool = False, cores: int | None = None
) -> tuple[xr.DataTree, Verdict]:
    """Draws of what a model learns from the rows that it was laid out on, and whether they can be relied on.

    A further attempt starts from the draws, the coordinates and the step size of the last one.  With ``max_minutes`` it
    makes as many draws as fit into the time that is left, and is not made where that is fewer than the last had.
    """
    settings, began = settings.of(design.model), time.monotonic()
    say: Callable[[str], object] = (lambda text: print(text, file=sys.stderr)) if progress else (lambda text: None)
    attempt, drawn = 1, None
    while True:
        started = time.monotonic()
        start = None if drawn is None else drawn.start
        drawn = draw(design, settings, seed=_seed_of(seed, attempt), progress=progress, cores=cores, start=start)
        verdict = judged(design, drawn, settings)
        if verdict.passed or settings.attempts == 1:
            break
        further = more_careful(settings, verdict)
        if settings.max_minutes is not None:
            now = time.monotonic()
            affordable = within(further, settings, now - started, 60 * settings.max_minutes - (now - began))
            if affordable is None:
                say(f"{verdict}. There is no time left for another attempt in {settings.max_minutes:g} minutes")
                break
            further = affordable
        say(f"{verdict}. Going on from these draws, with {further.thin} draws for one that is kept")
        settings, attempt = further, attempt + 1
    return as_tree(design, drawn), verdict


def judged(design: Design, drawn: Drawn, settings: Settings) -> Verdict:
    """The verdict on draws."""
    posterior = expand(design, drawn.points)
    return judge(posterior[read_by_users(design.model)], drawn.stats, max_depth=settings.max_depth)


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
    for_one = smaller * seconds / (last.tune + last.draws * last.thin)
    thin = min(further.thin, int((left / for_one - after_trial(further.tune)) // further.draws))
    return None if thin < last.thin else replace(further, thin=thin)
