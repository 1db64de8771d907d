"""Hashes of content: of parts, and of every variable of a dataset."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from hashlib import sha256
from numbers import Number

import numpy as np
import pandas as pd
import xarray as xr

TEXTS = "the attributes"  # of the file, as messages call them


def canonical(value: object) -> str:
    """JSON that is the same whatever the order of keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest(parts: Iterable[bytes]) -> str:
    """SHA-256 of several parts, each with its length, so that none can pass for another's end."""
    total = sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "little") + part)
    return total.hexdigest()


def digests_of(content: xr.Dataset, without: Collection[str] = ()) -> dict[str, str]:
    """Hash every variable of a dataset, and all its attributes together.

    Of a variable count its name, dimensions, shape, kind, attributes and values: texts as UTF-8, a blank as the empty
    text; numbers by their bytes, little end first.

    Parameters
    ----------
    content : Dataset
    without : collection of str
        Attributes of the dataset that do not count.
    """
    texts = {str(name): str(value) for name, value in content.attrs.items() if name not in without}
    digests = {str(name): _digest(content, str(name)) for name in content.variables}
    return {TEXTS: digest([canonical(texts).encode()]), **digests}


def plain_values(array: xr.DataArray) -> np.ndarray:
    """Values as a file holds them: numbers, or else texts, of which a blank is the empty one."""
    values = array.to_numpy()
    if values.dtype.kind in "fiub":
        return values
    cells = values.ravel().tolist()
    if cells and all(isinstance(cell, Number) for cell in cells):
        return values.astype(float)
    return np.array(["" if pd.isna(cell) else str(cell) for cell in cells], dtype=object).reshape(values.shape)


def _digest(content: xr.Dataset, name: str) -> str:
    values, array = plain_values(content[name]), content[name]
    kind = "text" if values.dtype == object else values.dtype.newbyteorder("<").str
    role = "coordinate" if name in content.coords else "data"
    attributes = {str(key): str(value) for key, value in array.attrs.items()}
    head = canonical([name, role, list(map(str, array.dims)), list(array.shape), kind, attributes])
    if kind == "text":
        return digest(text.encode() for text in (head, *values.ravel().tolist()))
    return digest([head.encode(), np.ascontiguousarray(values, dtype=kind).tobytes()])
