"""Files that are written whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from bayes_scaling.errors import FileError


def write_whole(path: Path, write: Callable[[str], object], *, replace: bool = True) -> None:
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
