"""Tables that are in memory already: a pandas frame, or one of another library that speaks Arrow, such as polars."""

from typing import Any

import pandas as pd

from bayes_scaling.errors import DataError

DATASET = "dataset"  # attribute of a table: the name of its file or data set, which figures show


def dataset_of(table: pd.DataFrame) -> str:
    """Name of the file or data set that a table came from; empty where it is not known."""
    return str(table.attrs.get(DATASET) or "")


def as_frame(table: Any, what: str, *, example: str = "") -> pd.DataFrame:
    """Take a table as a pandas DataFrame.

    Parameters
    ----------
    table : DataFrame, or any object with the Arrow interface ``__arrow_c_stream__``
    what : str
        What it is, for the message, such as "the runs".
    example : str
        How to get one, for the message.

    Raises
    ------
    DataError
        It is something else.

    Examples
    --------
    >>> import pyarrow
    >>> as_frame(pyarrow.table({"flops": [1e20]}), "the runs")["flops"].tolist()
    [1e+20]
    """
    if isinstance(table, pd.DataFrame):
        return table
    if hasattr(table, "__arrow_c_stream__"):
        import pyarrow  # type: ignore[import-untyped]

        return pyarrow.table(table).to_pandas()
    hint = f"; {example}" if example else ""
    raise DataError(f"{what} must be a DataFrame of pandas or polars, not {type(table).__name__}{hint}")
