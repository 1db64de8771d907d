"""Forecasts that are written down before the outcome is known, so that they can be scored honestly when it is.

``ahead.lock(path)`` on a forecast writes one netCDF file with every draw, the rows they are for, the provenance (see
`provenance`), the time and a *seal*: a hash of all this.  The file is written whole or not at all, and never over
another.

A seal inside a file detects accidents only: who changes the file on purpose can seal it again.  Publish the seal that
``lock`` returns, where its date can be seen (a commit, a mail, a preprint); then a forecast that was made or changed
afterwards is found out, because it has another seal.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from bayes_scaling.arguments import path_of
from bayes_scaling.errors import DataError, FileError
from bayes_scaling.files.digests import canonical, digest, digests_of, plain_values
from bayes_scaling.files.netcdf import netcdf, read_marked, versions_text
from bayes_scaling.files.writing import require_writable, write_whole
from bayes_scaling.forecasting.provenance import PROVENANCE

FORMAT = 1  # raise when the content or the seal of files is put together in another way
MARK = "bayes_scaling_forecast"
SEAL, DIGESTS, WHEN = "seal", "digests", "locked_at"
OF_THE_SEAL = (SEAL, DIGESTS)
COMPRESSED = {"zlib": True, "complevel": 4, "shuffle": True}


class Lock:
    """Keeps a forecast for the day of the outcome: ``seal = ahead.lock("ahead.nc")``; see `lock`."""

    def __init__(self, ahead: xr.Dataset) -> None:
        self._ahead = ahead

    def __call__(self, path: str | Path) -> str:
        """Write the forecast down; see `lock`."""
        return lock(self._ahead, path)


def lock(ahead: xr.Dataset, path: str | Path) -> str:
    """Write a forecast down, with the time and what it rests on, in a file that shows every later change.

    Parameters
    ----------
    ahead : Dataset over (chain, draw, row)
        From `forecast`, `baseline` or `average_benchmarks`, or a selection of its rows.
    path : path
        File to write (.nc); never one that exists.

    Returns
    -------
    str
        The seal: a SHA-256 of all that the file says, in 64 hexadecimal digits.  The file holds it as well, which
        detects accidents; publish it to make a forged file detectable too (`score_locked` takes it).

    Raises
    ------
    DataError
        Not a forecast of this package, or one that was locked before.
    FileError
        The file exists or cannot be written.
    """
    path = path_of(path)
    require_free(path)
    _require_forecast(ahead)
    content = xr.Dataset(
        {str(name): _plain(array) for name, array in ahead.data_vars.items()},
        {str(name): _plain(array) for name, array in ahead.coords.items()},
        {**ahead.attrs, WHEN: _now(), "versions": versions_text(), MARK: FORMAT},
    )
    digests = digests_of(content, OF_THE_SEAL)
    seal = _sealed(digests)
    content = content.assign_attrs({DIGESTS: canonical(digests), SEAL: seal})
    packed = dict.fromkeys(content.data_vars, COMPRESSED)
    write_whole(path, netcdf(content, encoding=packed), replace=False)
    return seal


def read_locked(path: str | Path, *, seal: str | None = None) -> xr.Dataset:
    """Read a forecast that was locked, having made sure that nothing in the file was changed since.

    Parameters
    ----------
    path : path
    seal : str, optional
        The seal that was published; without it, a file that was forged with care passes.

    Returns
    -------
    Dataset over (chain, draw, row)
        The forecast as it was.  Attributes say when it was locked (``locked_at``, UTC), under which ``seal``, with
        which ``versions``, and what it rests on (see `provenance`).

    Raises
    ------
    FileError
        No such file, or it is truncated, foreign, of another format, changed, or has another seal.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> fit = bs.Fit.load("power_law.nc")
    >>> ahead = bs.forecast(fit, bs.plan_runs(flops=1e22, benchmark="hellaswag", mixture="C4"), seed=1)
    >>> seal = ahead.lock("ahead.nc")
    >>> bs.read_locked("ahead.nc", seal=seal).attrs["seal"] == seal
    True
    """
    tree = read_marked(path, MARK, FORMAT, "locked forecast", "install {written} to read it")
    found = tree.to_dataset()
    if missing := [name for name in (SEAL, DIGESTS, WHEN) if name not in found.attrs]:
        raise FileError(f"{path}: changed since it was locked: the attributes {missing} are gone")
    digests = digests_of(found, OF_THE_SEAL)
    _refuse_changes(path, digests, found.attrs, sorted(tree.children))
    if seal is not None and seal.strip().lower() != found.attrs[SEAL]:
        raise FileError(
            f"{path}: not the forecast that was published under the seal {seal!r}: this file, locked at "
            f"{found.attrs[WHEN]}, has the seal {found.attrs[SEAL]}"
        )
    return found


def require_free(path: Path) -> None:
    """Refuse to lock a forecast into a file that exists.

    Raises
    ------
    FileError
    """
    require_writable(path, replace=False, advice=", and a locked forecast never replaces a file; choose another name")


def _plain(array: xr.DataArray) -> tuple[Any, np.ndarray]:
    """Dimensions and values of one variable alone."""
    return array.dims, plain_values(array)


def _sealed(digests: dict[str, str]) -> str:
    return digest([canonical(digests).encode()])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _require_forecast(ahead: xr.Dataset) -> None:
    if WHEN in ahead.attrs:
        raise DataError(f"this forecast was locked at {ahead.attrs[WHEN]} already; copy its file to keep it twice")
    if missing := [name for name in PROVENANCE if name not in ahead.attrs]:
        raise DataError(
            f"only a forecast can be locked, and this Dataset lacks the attributes {missing} that every forecast has; "
            "lock what bs.forecast, bs.baseline or bs.average_benchmarks return"
        )
    if missing := [name for name in ("chain", "draw", "row") if name not in ahead.dims]:
        raise DataError(f"a forecast is locked with all its draws, and this one has lost {missing}: lock it before")
    if odd := {name: value for name, value in ahead.attrs.items() if not isinstance(value, str)}:
        raise DataError(f"attributes of a forecast must be texts to be locked, not {odd}")


def _refuse_changes(path: str | Path, digests: dict[str, str], texts: dict[str, Any], groups: list[str]) -> None:
    """Refuse a file whose content has another seal than it says, naming what differs."""
    try:
        before = dict(json.loads(texts[DIGESTS]))
    except (ValueError, TypeError):
        before = {}
    parts = [name for name in {**before, **digests} if before.get(name) != digests.get(name)] + groups
    if parts or _sealed(digests) != texts[SEAL]:
        raise FileError(
            f"{path}: changed since it was locked at {texts[WHEN]}: {', '.join(parts) or 'the seal'} "
            "differ from what was locked; use an unchanged copy"
        )
