"""How errors and warnings list values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

SHOWN = 5


def listed(values: Sequence[Any]) -> str:
    """Write at most five values, and how many more there are."""
    texts = [str(value) if isinstance(value, Said) else _shown(value) for value in values[:SHOWN]]
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return f"[{', '.join(texts)}]{more}"


class Said(str):
    """A value that is put into a message as it is, without quotation marks."""


def _shown(value: Any) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    text = repr(int(value) if whole else value)
    return text if len(text) <= 60 else f"{text[:57]}..."
