"""Fits on disk: one netCDF file with draws, data, model, verdict and versions, whole or absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import xarray as xr

from bayes_scaling.errors import FileError
from bayes_scaling.files.netcdf import read_marked, to_dataset, to_frame, versions_text
from bayes_scaling.files.writing import write_whole
from bayes_scaling.inference.verdict import Verdict
from bayes_scaling.models.documents import from_document, to_document
from bayes_scaling.models.model import Model


class Savable(Protocol):
    """What a file of a fit holds: a `Fit`, known here by its parts alone."""

    @property
    def model(self) -> Model:
        """The model."""

    @property
    def runs(self) -> pd.DataFrame:
        """The runs that it was fitted to."""

    @property
    def tree(self) -> xr.DataTree:
        """Posterior draws and statistics of the sampler."""

    @property
    def verdict(self) -> Verdict:
        """Whether the draws can be relied on."""

    @property
    def seed(self) -> int | None:
        """The seed."""


FORMAT = 1  # raise when a file of the old form can no longer be read
MARK = "bayes_scaling_fit"


def save(fit: Savable, path: str | Path, *, overwrite: bool = False) -> None:
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
    tree["runs"] = xr.DataTree(to_dataset(fit.runs))
    tree.attrs = {
        MARK: FORMAT,
        "versions": versions_text(),
        "model": json.dumps(to_document(fit.model)),
        "verdict": json.dumps(fit.verdict.to_dict()),
        "seed": json.dumps(fit.seed),
    }
    write_whole(path, lambda part: tree.to_netcdf(part, engine="h5netcdf"))


def load(path: str | Path) -> dict[str, Any]:
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
    runs = to_frame(tree["runs"].to_dataset())
    groups = {name: tree[name].to_dataset() for name in ("posterior", "sample_stats")}
    model = from_document(attributes["model"], where=str(path))
    return {
        "model": model,
        "runs": runs,
        "tree": xr.DataTree.from_dict(groups),
        "verdict": Verdict(**attributes["verdict"]),
        "seed": attributes["seed"],
    }
