"""Fits of released models on disk: draws, the scores they rest on, the verdict and versions, whole or absent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bayes_scaling.arguments import path_of
from bayes_scaling.errors import FileError
from bayes_scaling.files.netcdf import intact, read_marked, versions_text, write_hashed
from bayes_scaling.files.stored_tables import to_dataset, to_frame
from bayes_scaling.files.writing import require_writable
from bayes_scaling.inference.fit_file import read_verdict, refuse_damage
from bayes_scaling.inference.verdict import Verdict

FORMAT = 1  # raise when a file of the old form can no longer be read
MARK = "bayes_scaling_boundary"


def save(
    path: str | Path,
    posterior: xr.Dataset,
    scores: pd.DataFrame,
    verdict: Verdict,
    seed: int | None,
    *,
    overwrite: bool = False,
) -> None:
    """Write a fit of released models into one netCDF file.

    Raises
    ------
    FileError
        The file exists, or cannot be written; what was there before is unharmed.
    """
    path = path_of(path)
    require_writable(path, replace=overwrite, advice="; choose another name or say overwrite=True")
    attributes: Mapping[str, Any] = {
        MARK: FORMAT,
        "versions": versions_text(),
        "verdict": json.dumps(verdict.to_dict()),
        "seed": json.dumps(seed),
    }
    tree = xr.DataTree.from_dict({"posterior": posterior, "scores": to_dataset(scores)})
    tree.attrs = dict(attributes)
    write_hashed(path, tree)


def load(path: str | Path, *, even_if_damaged: bool = False) -> dict[str, Any]:
    """Read what `save` wrote: ``posterior``, ``scores``, ``verdict`` and ``seed``.

    Raises
    ------
    FileError
        No such file, or it is truncated, foreign, changed since it was saved, or of another version of this package.
    """
    tree = read_marked(path, MARK, FORMAT, "boundary", "fit again, or install {written}")
    refuse_damage(path, intact(tree), even_if_damaged, "BoundaryFit")
    try:
        return {
            "posterior": tree["posterior"].to_dataset(),
            "scores": to_frame(tree["scores"].to_dataset()),
            "verdict": read_verdict(path, json.loads(tree.attrs["verdict"]), tree.attrs),
            "seed": json.loads(tree.attrs["seed"]),
        }
    except (KeyError, ValueError, TypeError) as error:
        raise FileError(f"{path}: a boundary of bayes_scaling, but damaged: {error}") from None
