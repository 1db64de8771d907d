"""How errors and warnings list values and suggest names."""

from __future__ import annotations

import difflib
import html
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

SHOWN = 5
LONGEST = 60  # characters of one value


class Verbatim(str):
    """A value that is put into a message as it is, without quotation marks."""


def listed(values: Sequence[object], most: int = SHOWN) -> str:
    """Write a few values as a list, and how many more there are.

    Examples
    --------
    >>> listed(["a", 7.0, None])
    "['a', 7, None]"
    >>> listed(range(8), 2)
    '[0, 1] and 6 more'
    """
    texts = [value_text(value) for value in values[:most]]
    return f"[{', '.join(texts)}]{_more(len(values) - most)}"


def listed_names(names: Iterable[str], most: int = SHOWN, between: str = ", ") -> str:
    """Write a few names in a row, each once, and how many more there are.

    Examples
    --------
    >>> listed_names(["piqa", "copa", "piqa"])
    'piqa, copa'
    """
    each = list(dict.fromkeys(names))
    return between.join(each[:most]) + _more(len(each) - most)


def _more(number: int) -> str:
    return f" and {number} more" if number > 0 else ""


def value_text(value: object) -> str:
    """Write one value: whole numbers without a point, text in quotation marks, nothing longer than a line."""
    if isinstance(value, Verbatim):
        return str(value)
    plain = value.item() if isinstance(value, np.generic) else value
    whole = isinstance(plain, float) and plain.is_integer() and abs(plain) < 1e15
    text = f"{plain:.0f}" if whole else repr(plain)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def close_to(name: object, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that was probably meant, or None.

    Examples
    --------
    >>> close_to("helaswag", ["hellaswag", "piqa"])
    'hellaswag'
    """
    return next(iter(difflib.get_close_matches(str(name), list(known), 1, cutoff)), None)


def suggest(name: object, known: Iterable[str], otherwise: str = "there are {}") -> str:
    """Say which known name was probably meant, or list what there is.

    Examples
    --------
    >>> suggest("power_lw", ["power_law", "bnsl"])
    "did you mean 'power_law'?"
    >>> suggest("x", ["power_law", "bnsl"])
    "there are ['bnsl', 'power_law']"
    """
    each = list(known)
    near = close_to(name, each)
    return f"did you mean {near!r}?" if near else otherwise.format(sorted(each))


def number_of(count: int, thing: str, plural: str = "") -> str:
    """Write a count with its noun: "1 divergence", "2 divergences".

    Examples
    --------
    >>> number_of(1, "divergence"), number_of(0, "divergence")
    ('1 divergence', '0 divergences')
    """
    return f"{count} {thing if count == 1 else plural or thing + 's'}"


def html_table(title: str, facts: Mapping[str, object]) -> str:
    """A small table for notebooks: what something is, and a fact a line.

    Examples
    --------
    >>> html_table("Fit of a law", {"runs": "3 < 4"})
    '<table><caption>Fit of a law</caption><tr><th scope="row">runs</th><td>3 &lt; 4</td></tr></table>'
    """
    rows = [
        f'<tr><th scope="row">{html.escape(str(name))}</th><td>{html.escape(str(fact))}</td></tr>'
        for name, fact in facts.items()
    ]
    return f"<table><caption>{html.escape(title)}</caption>{''.join(rows)}</table>"
