"""NetCDF files of this package: how they are marked, and how damage to them is noticed."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

import xarray as xr

from bayes_scaling.arguments import path_of
from bayes_scaling.errors import FileError
from bayes_scaling.files.digests import canonical, digest, digests_of
from bayes_scaling.files.writing import write_whole
from bayes_scaling.version import __version__, versions

PACKAGES = ("bayes-scaling", "pymc", "nutpie", "arviz", "numpy")
CONTENT = "content_sha256"  # attribute with the hash of everything else in a file


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
    path = path_of(path)
    if not path.is_file():
        raise FileError(f"{path}: no such file")
    try:
        with xr.open_datatree(BytesIO(path.read_bytes()), engine="h5netcdf") as opened:
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


def netcdf(content: xr.Dataset | xr.DataTree, encoding: Mapping[Any, Any] | None = None) -> memoryview:
    """A netCDF file in memory; a full disk while it is written to one would end the process."""
    with _of_this_process():
        return content.to_netcdf(engine="h5netcdf", encoding=encoding)


def _of_this_process() -> AbstractContextManager[object]:
    """Keep xarray from asking a cluster of dask for a lock: what is in memory needs none of other machines."""
    dask = sys.modules.get("dask")
    return nullcontext() if dask is None else dask.config.set(scheduler="synchronous")


def write_hashed(path: Path, content: xr.DataTree) -> None:
    """Write a file that holds a hash of its own content, so that damage is noticed when it is read.

    The hash is that of the content as it is read back.

    Raises
    ------
    FileError
        Cannot write there; what was there before is unharmed.
    """
    hashed = content.copy()
    with xr.open_datatree(BytesIO(netcdf(content)), engine="h5netcdf") as opened:
        hashed.attrs = {**content.attrs, CONTENT: _hash(opened)}
    write_whole(path, netcdf(hashed))


def intact(tree: xr.DataTree) -> bool | None:
    """Whether the content of a file is what `write_hashed` wrote; None where the file has no hash."""
    return tree.attrs[CONTENT] == _hash(tree) if CONTENT in tree.attrs else None


def _hash(tree: xr.DataTree) -> str:
    nodes = {node.path: digests_of(node.to_dataset(inherit=False), [CONTENT]) for node in tree.subtree}
    return digest([canonical(nodes).encode()])
