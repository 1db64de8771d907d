"""How many draws a fit makes, and with which steps: what trial runs and failed attempts say of the next one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayes_scaling.inference.settings import Settings, after_trial
from bayes_scaling.inference.verdict import ESS_PER_CHAIN, Verdict

AIM = 1.5  # times the effective draws that a verdict asks for, which a trial run plans for
GAIN = 1.5  # times the effective draws per draw that better coordinates give, as `benchmarks/coordinates.py` showed
PLANNED_AT_MOST = 8  # draws for one that is kept after a trial run, unless the document asks for more
KEPT_OF_AT_MOST = 16  # and after going on
TIMES_MORE = 2  # so many times the draws where those of an attempt were too few
LACKING_AT_MOST = 4  # times the draws, or it is not draws that an attempt lacks


def after(settings: Settings, trial: Verdict) -> Settings:
    """As many draws for one that is kept as a trial run says, and smaller steps where its draws diverged.

    Parameters
    ----------
    settings : Settings
        With nothing left open.
    trial : Verdict
        Of draws made with ``settings.trial``.
    """
    assert settings.thin and settings.target_accept
    smallest = np.nan_to_num(_smallest(trial), nan=np.inf)
    for_one = trial.chains * trial.draws / max(smallest, 1.0)  # draws per effective draw
    wanted = AIM * ESS_PER_CHAIN * for_one / settings.draws / GAIN
    thin = int(np.clip(np.ceil(wanted), settings.thin, max(PLANNED_AT_MOST, settings.thin)))
    missed = (1 - settings.target_accept) / (2 if trial.diverged else 1)
    return replace(settings, thin=thin, target_accept=1 - missed)


def twice_as_many(settings: Settings, verdict: Verdict) -> Settings | None:
    """Twice the draws for one that is kept, or None where more draws alone would not make a fit pass.

    Parameters
    ----------
    settings : Settings
        Of the attempt so far, with nothing left open.
    verdict : Verdict
        Of all its draws.
    """
    assert settings.thin
    thin, lacking = TIMES_MORE * settings.thin, ESS_PER_CHAIN * verdict.chains / max(_smallest(verdict), 1.0)
    hopeless = settings.draws < ESS_PER_CHAIN or lacking > LACKING_AT_MOST
    if not verdict.lacks_draws or hopeless or thin > KEPT_OF_AT_MOST:
        return None
    return replace(settings, thin=thin)


def more_careful(settings: Settings, verdict: Verdict) -> Settings:
    """Settings for another attempt at a fit that failed: smaller steps, and more draws where these were too few.

    Parameters
    ----------
    settings : Settings
        Of the failed attempt, with nothing left open.
    verdict : Verdict
        Of the failed attempt.
    """
    assert settings.thin and settings.target_accept
    lacking = ESS_PER_CHAIN * verdict.chains / max(_smallest(verdict), 1.0)
    most = max(KEPT_OF_AT_MOST, TIMES_MORE * settings.thin)
    least = settings.thin if verdict.mixed else TIMES_MORE * settings.thin
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
    for_one = smaller * seconds / made(last)
    thin = int(min(further.thin, (left / for_one - after_trial(further.tune)) / further.draws))
    return None if thin < last.thin else replace(further, thin=thin)


def made(settings: Settings) -> int:
    """Draws of a chain, with those for adaptation."""
    return settings.tune + settings.draws * (settings.thin or 1)


def _smallest(verdict: Verdict) -> float:
    return min(verdict.ess_bulk, verdict.ess_tail)
