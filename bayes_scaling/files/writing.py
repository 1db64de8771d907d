"""Files that are written whole, or not at all."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from bayes_scaling.errors import FileError

ABANDONED = 600.0  # seconds after which an unfinished file belongs to a process that was killed


def filled(write: Callable[[BinaryIO], object]) -> bytes:
    """What ``write`` puts into a file, made in memory, so that a full disk cannot stop it half-way."""
    content = BytesIO()
    write(content)
    return content.getvalue()


def require_writable(path: Path, *, replace: bool = True, advice: str = "; choose another name") -> None:
    """Refuse a place where no file can be written, before any work is done.

    Parameters
    ----------
    path : Path
        A link is followed: what it points to is written.
    replace : bool
        Whether a file that is there may be replaced.
    advice : str
        What to do about a file that is there, as the message goes on after "exists".

    Raises
    ------
    FileError
        A folder, a device, a folder that does not exist or is not the user's, or a file that must not be replaced.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise FileError(f"{path}: cannot write there, this is a folder; name a file in it")
    if not target.parent.is_dir() or not os.access(target.parent, os.W_OK):
        raise FileError(f"{path}: cannot write there; name a file in a folder that exists and is yours")
    if target.exists() and not target.is_file():
        raise FileError(f"{path}: cannot write there, this is a device and no file; choose another name")
    if target.exists() and not replace:
        raise FileError(f"{path} exists{advice}")


def write_whole(path: Path, content: bytes | memoryview, *, replace: bool = True) -> None:
    """Write a file beside ``path``, and move it there only once it is complete.

    Parameters
    ----------
    path : Path
        A link is followed: what it points to is replaced.
    content : bytes
    replace : bool
        Replace a file that is there.

    Raises
    ------
    FileError
        Cannot write there, or the disk is full; or, unless ``replace``, the file exists, even if only since the
        writing began.  What was there before is unharmed.
    """
    require_writable(path)
    target = Path(os.path.realpath(path))
    part = None
    try:
        _remove_abandoned(target)
        handle, part = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(part, 0o666 & ~mask)  # temporary files are private, this one is the user's
        if replace:
            os.replace(part, target)
        else:
            _move_new(part, target, str(path))
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path}: cannot write there ({error.strerror or error}); nothing was changed") from None
    finally:
        if part is not None:
            with suppress(OSError):
                Path(part).unlink(missing_ok=True)


def _remove_abandoned(target: Path) -> None:
    """Remove unfinished files that a killed process left beside ``target``."""
    for part in target.parent.iterdir():
        if part.name.startswith(f".{target.name}.") and part.suffix == ".part":
            with suppress(OSError):
                if time.time() - part.stat().st_mtime > ABANDONED:
                    part.unlink()


def _move_new(part: str, path: Path, name: str) -> None:
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
        raise FileError(f"{name} exists, and files of this kind are never replaced; choose another name") from None
