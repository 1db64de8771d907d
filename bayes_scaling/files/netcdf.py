"""NetCDF files of this package: how they are marked, and how tables stand in them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import xarray as xr

from bayes_scaling.errors import FileError
from bayes_scaling.version import __version__, versions

PACKAGES = ("bayes-scaling", "pymc", "nutpie", "arviz", "numpy")


def versions_text() -> str:
    """Versions of the packages that numbers depend on, as JSON."""
    return json.dumps(versions(*PACKAGES))


def read_marked(path: str | Path, mark: str, form: int, what: str, advice: str) -> xr.DataTree:
    """Read a netCDF file that this package wrote.

    Parameters
    ----------
    path : path
    mark : str
        Attribute that tells such files from others and holds the number of their format.
    form : int
        The format that this version reads.
    what : str
        What such a file is called in messages.
    advice : str
        What to do with one of another format; may name the version ``{written}``.

    Raises
    ------
    FileError
        No such file, or it is truncated, foreign, or of another version of this package.
    """
    if not Path(path).is_file():
        raise FileError(f"{path}: no such file")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as opened:
            tree = opened.load()
    except Exception as error:  # h5py raises many kinds for broken files
        raise FileError(f"{path}: not a readable netCDF file, perhaps truncated ({error})") from None
    if mark not in tree.attrs:
        raise FileError(f"{path}: a netCDF file, but not a {what} of bayes_scaling")
    if str(tree.attrs[mark]) != str(form):
        written = json.loads(tree.attrs.get("versions", "{}")).get("bayes-scaling", "another version")
        raise FileError(
            f"{path}: written in format {tree.attrs[mark]} by bayes-scaling {written}; this is "
            f"{__version__}, which reads format {form}: {advice.format(written=written)}"
        )
    return tree


def to_dataset(runs: pd.DataFrame) -> xr.Dataset:
    """Columns over ``row``; a blank text is the empty string."""
    columns = {n: c.astype(object).where(c.notna(), "") if _is_text(c) else c for n, c in runs.items()}
    return xr.Dataset({n: ("row", c.to_numpy()) for n, c in columns.items()})


def to_frame(dataset: xr.Dataset) -> pd.DataFrame:
    """The table that `to_dataset` wrote."""
    frame = pd.DataFrame({n: v.to_numpy() for n, v in dataset.items()})
    for name in frame:
        if _is_text(frame[name]):
            frame[name] = frame[name].astype("str").replace("", None)
    return frame


def _is_text(column: pd.Series) -> bool:
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))
