"""Whether bands include uncertainty about the form of the law, in the words of every forecast and figure."""

from __future__ import annotations

from collections.abc import Sequence

from bayes_scaling.inference.averaged_fits import Average, laws_of
from bayes_scaling.inference.fitting import Fit

LAW_UNCERTAINTY = {
    True: "included: bands widen with the distance from the fitted runs, as the scores of these leave the law",
    False: "not included: bands hold if the law goes on as it did",
}


def law_text(fits: Sequence[Fit | Average]) -> str:
    """Say whose bands include uncertainty about the form of the law."""
    laws = {law.model.name: bool(law.model.discrepancy) for fit in fits for law in laws_of(fit)}
    wide, narrow = ([name for name, included in laws.items() if included is kind] for kind in (True, False))
    if not (wide and narrow):
        return f"uncertainty about the form of the law is {'' if wide else 'not '}included"
    return f"uncertainty about the form of the law is included by {', '.join(wide)}; not by {', '.join(narrow)}"
