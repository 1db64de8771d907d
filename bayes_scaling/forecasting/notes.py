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


def told_of(subjects: Iterable[object], notes: Iterable[object]) -> list[str]:
    """Each remark of several notes once, after the names of what it is about, or alone where it is about all of them.

    Examples
    --------
    >>> told_of(["piqa", "copa", "copa"], ["at chance; far", "far", ""])
    ['piqa: at chance', 'far']
    >>> told_of(["piqa", "copa", "piqa"], ["", "far", "far"])
    ['far']
    >>> told_of(["piqa"], ["far"])
    ['piqa: far']
    """
    about: dict[str, dict[str, None]] = {}  # names in the order in which they come
    every = set()
    for subject, note in zip(map(str, subjects), notes, strict=True):
        every.add(subject)
        for remark in remarks_of(note):
            about.setdefault(remark, {}).update({subject: None} if subject else {})
    told = []
    for remark, names in about.items():
        alone = not names or len(names) == len(every) > 1
        told.append(remark if alone else f"{', '.join(names)}: {remark}")
    return told
