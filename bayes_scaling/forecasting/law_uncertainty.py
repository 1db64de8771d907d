"""What bands assume about the form of the law, in the words of every forecast and figure.

No band covers a curve that turns where no run shows it: `benchmarks/out_of_family.py` has simulated worlds in which all
bands fail.  Every forecast therefore says what it assumes, and how far beyond the fitted runs bands have ever held.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a message about a forecast needs no sampler
    from bayes_scaling.inference.averaged_fits import Average
    from bayes_scaling.inference.fitting import Fit
    from bayes_scaling.models.model import Model

HELD_DECADES = 1.5  # 80 % bands of laws with a discrepancy covered 79 to 80 % up to there: `benchmarks/track_record.py`
INCLUDED = (
    "assumes that the curve goes on as it did; bands widen with the distance from the fitted runs, as their scores "
    f"leave the law, and in backtests have held up to {HELD_DECADES:g} decades of compute beyond them"
)
NOT_INCLUDED = (
    "assumes that the curve goes on exactly as it did; in backtests such bands were too narrow at every distance "
    "beyond the fitted runs"
)


def law_uncertainty(model: Model) -> str:
    """Say what the bands of a model assume about the form of its law, and how far they have held."""
    return INCLUDED if model.leaves_law else NOT_INCLUDED


def law_sentence(law_uncertainty: str) -> str:
    """The sentence for people, from the attribute of a forecast."""
    return f"This forecast {law_uncertainty}."


def law_text(fits: Sequence[Fit | Average]) -> str:
    """Say what bands assume about the form of the law, and whose widen with the distance, for a figure."""
    laws = {law.model.name: law.model.leaves_law for fit in fits for law in fit.laws}
    wide, narrow = ([name for name, included in laws.items() if included is kind] for kind in (True, False))
    if not (wide and narrow):
        return f"assumes that the curve goes on {'as it did' if wide else 'exactly as it did'}"
    return f"assumes that the curve goes on as it did: {', '.join(wide)}; exactly as it did: {', '.join(narrow)}"
