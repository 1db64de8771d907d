"""Fits on disk: one netCDF file with draws, data, model, verdict and versions, whole or absent."""

from __future__ import annotations

import json
import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bayes_scaling.errors import FileError
from bayes_scaling.inference.fitting import Fit
from bayes_scaling.inference.verdict import Verdict
from bayes_scaling.models.documents import from_document, to_document

FORMAT = 1  # raise when a file of the old form can no longer be read
MARK = "bayes_scaling_fit"
PACKAGES = ("bayes-scaling", "pymc", "nutpie", "arviz", "numpy")


def save(fit: Fit, path: str | Path, *, overwrite: bool = False) -> None:
    """Write a fit into one netCDF file.

    Parameters
    ----------
    fit : Fit
    path : path
    overwrite : bool
        Replace a file that is there.

    Raises
    ------
    FileError
        The file exists, or cannot be written; what was there before is unharmed.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise FileError(f"{path} exists; choose another name or say overwrite=True")
    tree = fit.tree.copy()
    tree["runs"] = xr.DataTree(_to_dataset(fit.runs))
    tree.attrs = {
        MARK: FORMAT,
        "versions": versions(),
        "model": json.dumps(to_document(fit.model)),
        "verdict": json.dumps(fit.verdict.to_dict()),
        "seed": json.dumps(fit.seed),
    }
    write_whole(path, lambda part: tree.to_netcdf(part, engine="h5netcdf"))


def load(path: str | Path) -> Fit:
    """Read a fit that `save` wrote.

    Raises
    ------
    FileError
        No such file, or it is truncated, foreign, or of another version of this package.
    """
    tree = read_marked(path, MARK, FORMAT, "fit", "fit again, or install {written}")
    try:
        attributes = {name: json.loads(tree.attrs[name]) for name in ("model", "verdict", "seed")}
    except (KeyError, ValueError) as error:
        raise FileError(f"{path}: a fit of bayes_scaling, but damaged: {error}") from None
    runs = _to_frame(tree["runs"].to_dataset())
    groups = {name: tree[name].to_dataset() for name in ("posterior", "sample_stats")}
    model = from_document(attributes["model"], where=str(path))
    return Fit(model, runs, xr.DataTree.from_dict(groups), Verdict(**attributes["verdict"]), attributes["seed"])


def versions() -> str:
    """Versions of the packages that numbers depend on, as JSON."""
    return json.dumps({name: version(name) for name in PACKAGES})


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
            f"{version('bayes-scaling')}, which reads format {form}: {advice.format(written=written)}"
        )
    return tree


def write_whole(path: Path, write: Any, *, replace: bool = True) -> None:
    """Let ``write`` fill a file beside ``path``, and move it there only once it is complete.

    Raises
    ------
    FileError
        Cannot write there; or, unless ``replace``, the file exists, even if only since the writing began.
    """
    try:
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise FileError(f"{path}: cannot write there ({error.strerror})") from None
    os.close(handle)
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(part, 0o666 & ~mask)  # temporary files are private, this one is the user's
    try:
        write(part)
        if replace:
            os.replace(part, path)
        else:
            _move_new(part, path)
    finally:
        Path(part).unlink(missing_ok=True)


def _move_new(part: str, path: Path) -> None:
    """Give a complete file its name unless that is taken, in one step where the disk knows links."""
    try:
        try:
            os.link(part, path)
        except FileExistsError:
            raise
        except OSError:  # no links on this disk
            path.open("xb").close()
            os.replace(part, path)
    except FileExistsError:
        raise FileError(f"{path} exists, and files of this kind are never replaced; choose another name") from None


def _to_dataset(runs: pd.DataFrame) -> xr.Dataset:
    """Columns over ``row``; a blank text is the empty string."""
    columns = {n: c.astype(object).where(c.notna(), "") if _is_text(c) else c for n, c in runs.items()}
    return xr.Dataset({n: ("row", c.to_numpy()) for n, c in columns.items()})


def _to_frame(dataset: xr.Dataset) -> pd.DataFrame:
    frame = pd.DataFrame({n: v.to_numpy() for n, v in dataset.items()})
    for name in frame:
        if _is_text(frame[name]):
            frame[name] = frame[name].astype("str").replace("", None)
    return frame


def _is_text(column: pd.Series) -> bool:
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))
