"""Fits on disk: one netCDF file with draws, data, model, verdict and versions, whole or absent."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import xarray as xr

from bayes_scaling.arguments import path_of
from bayes_scaling.errors import FileError, ScalingWarning
from bayes_scaling.files.netcdf import intact, read_marked, versions_text, write_hashed
from bayes_scaling.files.stored_tables import to_dataset, to_frame
from bayes_scaling.files.writing import require_writable
from bayes_scaling.inference.verdict import Verdict
from bayes_scaling.messages import listed
from bayes_scaling.models.documents import from_document, to_document
from bayes_scaling.models.model import Model
from bayes_scaling.version import __version__


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
    path = path_of(path)
    require_writable(path, replace=overwrite, advice="; choose another name or say overwrite=True")
    tree = fit.tree.copy()
    tree["runs"] = xr.DataTree(to_dataset(fit.runs))
    tree.attrs = {
        MARK: FORMAT,
        "versions": versions_text(),
        "model": json.dumps(to_document(fit.model)),
        "verdict": json.dumps(fit.verdict.to_dict()),
        "seed": json.dumps(fit.seed),
    }
    write_hashed(path, tree)


def load(path: str | Path, *, even_if_damaged: bool = False) -> dict[str, Any]:
    """Read a fit that `save` wrote.

    Parameters
    ----------
    path : path
    even_if_damaged : bool
        Read a file whose content was changed since it was saved, with a warning.

    Raises
    ------
    FileError
        No such file, or it is truncated, foreign, changed since it was saved, or of another version of this package.

    Warns
    -----
    ScalingWarning
        The file was changed since it was saved, or has no hash that would show it.
    """
    tree = read_marked(path, MARK, FORMAT, "fit", "fit again, or install {written}")
    refuse_damage(path, intact(tree), even_if_damaged)
    try:
        attributes = {name: json.loads(tree.attrs[name]) for name in ("model", "verdict", "seed")}
        runs = to_frame(tree["runs"].to_dataset())
        groups = {name: tree[name].to_dataset() for name in ("posterior", "sample_stats")}
    except (KeyError, ValueError, TypeError) as error:
        raise FileError(f"{path}: a fit of bayes_scaling, but damaged: {error}") from None
    model = from_document(attributes["model"], where=str(path))
    refuse_missing_parameters(path, model, groups["posterior"])
    return {
        "model": model,
        "runs": runs,
        "tree": xr.DataTree.from_dict(groups),
        "verdict": read_verdict(path, attributes["verdict"], tree.attrs),
        "seed": attributes["seed"],
    }


def refuse_missing_parameters(path: str | Path, model: Model, posterior: xr.Dataset) -> None:
    """Refuse draws made when a law of the model had fewer parameters than it has now."""
    missing = [name for name, known in model.parameters.items() if known.free_name not in posterior]
    if missing:
        raise FileError(
            f"{path}: has no draws of {listed(missing)}; the law of {model.name!r} got these parameters in a later "
            "version than the one that saved this fit; fit again"
        )


def refuse_damage(path: str | Path, whole: bool | None, even_if_damaged: bool, loader: str = "Fit") -> None:
    """Refuse a file whose content is not what was saved, unless told to read it; warn where it may be damaged."""
    if whole is False and not even_if_damaged:
        raise FileError(
            f"{path}: changed since it was saved, so its draws or its verdict may be wrong; use an unchanged copy or "
            f"fit again. {loader}.load(path, even_if_damaged=True) reads it all the same"
        )
    if not whole:
        state = (
            "has no hash of its content, so damage would not show" if whole is None else "changed since it was saved"
        )
        warnings.warn(f"{path}: {state}", ScalingWarning, stacklevel=4)


def read_verdict(path: str | Path, stored: object, attributes: Mapping[Any, Any]) -> Verdict:
    """The verdict in a file, refused where it is not whole or of a later version."""
    names = {field.name for field in fields(Verdict)}
    missing = names - set(stored) if isinstance(stored, dict) else names
    if missing or not isinstance(stored, dict):
        raise FileError(f"{path}: written by bayes_scaling, but damaged: its verdict lacks {listed(sorted(missing))}")
    if unknown := sorted(set(stored) - names):
        written = json.loads(attributes.get("versions", "{}")).get("bayes-scaling", "another version")
        raise FileError(
            f"{path}: its verdict has {listed(unknown)}, which this version {__version__} does not know; it was "
            f"written by bayes-scaling {written}: install that version to read it"
        )
    return Verdict(**stored)
