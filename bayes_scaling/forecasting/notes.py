"""Remarks on a row of a forecast: how several make one note, and what remarks a note holds."""

from __future__ import annotations

from collections.abc import Iterable

BETWEEN = "; "


def joined(remarks: Iterable[object]) -> str:
    """Make one note of several remarks, each once; none is left empty.

    A remark keeps its words: a semicolon in it becomes a comma, so that `remarks_of` finds the same remarks.

    Examples
    --------
    >>> joined(["at chance", "", "no run had a; b", "at chance"])
    'at chance; no run had a, b'
    """
    texts = (str(remark).replace(BETWEEN, ", ") for remark in remarks if remark)
    return BETWEEN.join(dict.fromkeys(texts))


def remarks_of(note: object) -> list[str]:
    """The remarks that a note holds.

    Examples
    --------
    >>> remarks_of("at chance; far away"), remarks_of("")
    (['at chance', 'far away'], [])
    """
    return [remark for remark in str(note).split(BETWEEN) if remark]
