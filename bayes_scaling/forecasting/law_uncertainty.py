"""Whether bands include uncertainty about the form of the law, in the words of every forecast and figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a message about a forecast needs no sampler
    from bayes_scaling.inference.averaged_fits import Average
    from bayes_scaling.inference.fitting import Fit
    from bayes_scaling.models.model import Model

INCLUDED = "included: bands widen with the distance from the fitted runs, as the scores of these leave the law"
NOT_INCLUDED = "not included: bands hold if the law goes on as it did"


def law_uncertainty(model: Model) -> str:
    """Say whether the bands of a model include uncertainty about the form of its law, and what that means."""
    return INCLUDED if model.leaves_law else NOT_INCLUDED


def law_sentence(law_uncertainty: str) -> str:
    """The sentence for people, from the attribute of a forecast."""
    return f"Uncertainty about the law itself: {law_uncertainty}."


def law_text(fits: Sequence[Fit | Average]) -> str:
    """Say whose bands include uncertainty about the form of the law, for a figure."""
    laws = {law.model.name: law.model.leaves_law for fit in fits for law in fit.laws}
    wide, narrow = ([name for name, included in laws.items() if included is kind] for kind in (True, False))
    if not (wide and narrow):
        return f"uncertainty about the form of the law is {'' if wide else 'not '}included"
    return f"uncertainty about the form of the law is included by {', '.join(wide)}; not by {', '.join(narrow)}"
