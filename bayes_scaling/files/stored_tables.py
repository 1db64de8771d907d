"""Tables inside netCDF files: any column names and types, as one text.

A netCDF variable cannot have every name that a column of a table has, nor hold texts beside numbers and blanks.  So a
table is stored as one JSON text, which gives back names, values and types, and the name of the data set.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.files.frames import DATASET, dataset_of

TABLE = "table"


def to_dataset(runs: pd.DataFrame) -> xr.Dataset:
    """One variable without dimensions, which holds the table as JSON."""
    columns = [{"name": str(name), **_stored(column)} for name, column in runs.items()]
    named = {DATASET: dataset_of(runs)} if dataset_of(runs) else {}
    return xr.Dataset({TABLE: ((), json.dumps({"rows": len(runs), "columns": columns} | named))})


def to_frame(dataset: xr.Dataset) -> pd.DataFrame:
    """The table that `to_dataset` wrote, or one of the first format, which had one variable for each column."""
    if TABLE not in dataset or dataset[TABLE].ndim:
        return _first_format(dataset)
    stored = json.loads(str(dataset[TABLE].item()))
    columns = {column["name"]: _read(column) for column in stored["columns"]}
    runs = pd.DataFrame(columns, index=pd.RangeIndex(stored["rows"]))
    runs.attrs.update({DATASET: stored[DATASET]} if DATASET in stored else {})
    return runs


def _stored(column: pd.Series) -> dict[str, Any]:
    kind = column.dtype
    if isinstance(kind, np.dtype) and kind.kind in "iubf":
        return {"dtype": kind.str, "values": column.tolist()}
    if isinstance(kind, pd.DatetimeTZDtype) or getattr(kind, "kind", "") == "M":
        return {"dtype": str(kind), "values": [None if pd.isna(v) else v.isoformat() for v in column]}
    numeric = pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind)
    named = str(kind) if numeric or isinstance(kind, pd.StringDtype) else "object"
    return {"dtype": named, "values": [_cell(value) for value in column]}


def _cell(value: Any) -> Any:
    """A cell as JSON has it; what JSON does not have becomes text."""
    plain = value.item() if isinstance(value, np.generic) else value
    if plain is None or plain is pd.NaT or plain is pd.NA:
        return None
    return plain if isinstance(plain, str | bool | int | float) else str(plain)


def _read(column: dict[str, Any]) -> pd.Series:
    values, kind = column["values"], column["dtype"]
    if kind == "object":
        return pd.Series(np.array([*values, None], dtype=object)[:-1])
    if kind.startswith("datetime64"):
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), format="ISO8601").astype(kind))
    return pd.Series(values, dtype=kind)


def _first_format(dataset: xr.Dataset) -> pd.DataFrame:
    frame = pd.DataFrame({name: variable.to_numpy() for name, variable in dataset.items()})
    for name in frame:
        if not (pd.api.types.is_numeric_dtype(frame[name]) or pd.api.types.is_bool_dtype(frame[name])):
            frame[name] = frame[name].astype("str").replace("", None)
    return frame
