"""Attempts at a fit: draws are made until they pass their verdict, each set going on from the one before."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from bayes_scaling.inference.design import Design
from bayes_scaling.inference.layout import expand, read_by_users
from bayes_scaling.inference.planning import after, made, more_careful, twice_as_many, within
from bayes_scaling.inference.sampling import Drawn, as_tree, draw, joined, must_compile
from bayes_scaling.inference.settings import Settings
from bayes_scaling.inference.starting import Start
from bayes_scaling.inference.verdict import Verdict, judge


def conditioned(
    design: Design, settings: Settings, *, seed: int | None, progress: bool = False, cores: int | None = None
) -> tuple[xr.DataTree, Verdict]:
    """Draws of what a model learns from the rows that it was laid out on, and whether they can be relied on.

    A model of which more draws are made than are kept gets a trial run first.  It says in which coordinates the
    posterior is close to normal, where chains start, which step they try first, and how many draws it takes.  Where
    draws turn out too few and nothing else is wrong, as many are made again, and all of them count.  A further
    attempt, with smaller steps, begins anew, but learns from the draws before it.  With ``max_minutes`` more draws are
    made where they fit into the time that is left.
    """
    settings = settings.of(design.model)
    sampler = Sampler(design, settings.max_minutes, seed, progress, cores)
    if progress and must_compile(design):
        sampler.say("compiling its density, which takes some seconds, once on this machine")
    start = None
    if settings.trial is not None:
        settings, start = sampler.trial(settings)
    while True:
        began = time.monotonic()
        settings, drawn, verdict = sampler.attempt(settings, start)
        if verdict.passed or settings.attempts == 1:
            return as_tree(design, drawn), verdict
        further = within(more_careful(settings, verdict), settings, time.monotonic() - began, sampler.left)
        if further is None:
            sampler.say(f"{verdict}. There is no time left for another attempt in {settings.max_minutes:g} minutes")
            return as_tree(design, drawn), verdict
        sampler.say(f"{verdict}. Beginning again from these draws, with {further.thin} draws for one that is kept")
        settings, start = further, drawn.start


@dataclass
class Sampler:
    """Makes all draws of one fit, within its time, each set with a seed of its own.

    Attributes
    ----------
    design : Design
    max_minutes : float or None
    seed : int or None
    progress : bool
    cores : int or None
    began : float
    number : int
        How many sets of draws were made, but for a trial run.
    """

    design: Design
    max_minutes: float | None
    seed: int | None
    progress: bool
    cores: int | None
    began: float = field(default_factory=time.monotonic)
    number: int = 0

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return np.inf if self.max_minutes is None else 60 * self.max_minutes - (time.monotonic() - self.began)

    def say(self, text: str) -> None:
        """Tell who watches."""
        if self.progress:
            print(f"{self.design.model.name}: {text}", file=sys.stderr)

    def trial(self, settings: Settings) -> tuple[Settings, Start | None]:
        """What a trial run says: settings for the first attempt, and from where it starts."""
        assert settings.trial
        drawn = self._drawn(settings.trial, None, 0)
        seconds = time.monotonic() - self.began
        planned = after(settings, judged(self.design, drawn, settings.trial))
        seconds *= made(planned) / made(settings.trial)
        self.say(f"{planned.thin} draws for one that is kept, in about {seconds:.2g} s, and more if these are too few")
        return planned, drawn.start

    def attempt(self, settings: Settings, start: Start | None) -> tuple[Settings, Drawn, Verdict]:
        """Draws with the settings asked for, or with more for one that is kept where that alone is what they lack."""
        began = time.monotonic()
        drawn = self.draw(settings, start)
        while True:
            verdict = judged(self.design, drawn, settings)
            longer = twice_as_many(settings, verdict)
            if longer is None:
                return settings, drawn, verdict
            seconds = time.monotonic() - began
            if self.left < seconds:
                self.say(f"There is no time left for more draws in {self.max_minutes:g} minutes")
                return settings, drawn, verdict
            self.say(f"{verdict}. As many draws again, in about {seconds:.2g} s")
            drawn = joined(drawn, self.draw(settings, drawn.start))
            settings = longer

    def draw(self, settings: Settings, start: Start | None) -> Drawn:
        """A further set of draws."""
        self.number += 1
        return self._drawn(settings, start, self.number)

    def _drawn(self, settings: Settings, start: Start | None, number: int) -> Drawn:
        seed = self.seed
        if seed is not None and number != 1:
            seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
        return draw(self.design, settings, seed=seed, start=start, progress=self.progress, cores=self.cores)


def judged(design: Design, drawn: Drawn, settings: Settings) -> Verdict:
    """The verdict on draws."""
    posterior = expand(design, drawn.points)
    read = posterior[read_by_users(design.model)]
    return judge(read, drawn.stats, max_depth=settings.max_depth, thin=settings.of(design.model).thin or 1)
