"""JSON as tools write it: with NaN as a bare word, cut off, or not JSON at all; and values taken from it with care."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bayes_scaling.errors import DataError

LARGEST = 2**30  # bytes of a file that is read whole


def read_json(path: Path) -> object:
    """The value in a JSON file.

    Raises
    ------
    DataError
        It cannot be read, or is not JSON.
    """
    return parsed(_content(path), path.name)


def read_lines(path: Path) -> Iterator[tuple[int, object]]:
    """Values of the lines of a JSONL file with their numbers; None for a line that is not JSON."""
    for number, line in enumerate(_content(path).splitlines(), 1):
        if line.strip():
            try:
                yield number, parsed(line, path.name)
            except DataError:
                yield number, None


def parsed(text: str, name: str) -> object:
    """A value from JSON.

    Raises
    ------
    DataError
        It is not JSON, or is cut off.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}: not JSON, or cut off: {error}") from None


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path.name}: larger than 1 GiB; split it, or leave out what is not a result")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise DataError(f"{path.name}: cannot be read as text: {error}") from None


def mapping(value: object) -> dict[str, object]:
    """A mapping, or an empty one."""
    return {str(key): one for key, one in value.items()} if isinstance(value, dict) else {}


def sequence(value: object) -> list[object]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []


def number(value: object) -> float | None:
    """A finite number, or None for anything else: text, truth values, NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if np.isfinite(found) else None


def text(value: object) -> str:
    """Text without blanks around it, or nothing."""
    return value.strip() if isinstance(value, str) else ""
