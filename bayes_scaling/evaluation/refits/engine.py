"""Many refits: those that are kept are read, the others run in parallel and are kept as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import xarray as xr

from bayes_scaling.errors import FileError
from bayes_scaling.evaluation.refits.parallel import Keyed, computed
from bayes_scaling.evaluation.refits.task import RESULT, Task, found_in
from bayes_scaling.files.netcdf import CONTENT, intact, write_hashed


@dataclass(frozen=True)
class Engine:
    """How refits run, and where they are kept.

    Attributes
    ----------
    folder : Path or None
        Keeps every result as soon as it is there; a task is known by its data, model and settings, so that calls can
        share a folder.
    n_jobs : int or None
        Refits at the same time; see `parallel.computed`.
    progress : bool or None
        Show a progress bar; by default only where the error stream is a terminal.
    """

    folder: Path | None = None
    n_jobs: int | None = None
    progress: bool | None = None

    @classmethod
    def of(cls, folder: str | Path | None, n_jobs: int | None, progress: bool | None) -> Engine:
        """Read the arguments of a public function."""
        return cls(None if folder is None else Path(folder), n_jobs, progress)

    def run(self, tasks: Sequence[Task], what: str) -> list[xr.Dataset]:
        """Results in the order of the tasks; ``what`` stands before the progress bar."""
        done = {t.key: kept for t in tasks if (kept := self._kept(t)) is not None}
        left = {t.key: t for t in tasks if t.key not in done}
        for task in {t.law: t for t in left.values() if not isinstance(t.document, str)}.values():
            task.prepared()  # once, before many processes would
        for key, result in self._shown(computed(left, self.n_jobs), len(left), what):
            done[key] = result
            if self.folder and not found_in(result)["problem"]:
                self.folder.mkdir(parents=True, exist_ok=True)
                path = self.folder / f"{key}.nc"
                write_hashed(path, xr.DataTree(result))
        return [done[t.key] for t in tasks]

    def _shown(self, results: Iterator[Keyed], total: int, what: str) -> Iterator[Keyed]:
        from rich.console import Console
        from rich.progress import track

        show = sys.stderr.isatty() if self.progress is None else self.progress
        yield from track(results, what, total=total, console=Console(stderr=True), disable=not show)

    def _kept(self, task: Task) -> xr.Dataset | None:
        """A result that was kept, if it is there and whole."""
        path = None if self.folder is None else self.folder / f"{task.key}.nc"
        if path is None or not path.is_file():
            return None
        try:
            with xr.open_datatree(BytesIO(path.read_bytes()), engine="h5netcdf") as opened:
                tree = opened.load()
        except Exception:  # h5py raises many kinds for broken files; they are computed again
            return None
        if RESULT not in tree.attrs:
            return None
        if intact(tree) is False:
            raise FileError(f"{path}: changed since it was kept; delete it, and it will be computed again")
        result = tree.to_dataset()
        return result.assign_attrs({name: value for name, value in result.attrs.items() if name != CONTENT})
