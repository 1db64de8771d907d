"""Files are written whole or not at all, whatever the disk and the name do."""

import errno
import os

import pytest

from bayes_scaling.errors import FileError
from bayes_scaling.files import writing
from bayes_scaling.files.writing import ABANDONED, require_writable, write_whole


class FullDisk:
    """A file that takes some bytes, and then says that the disk is full."""

    def __init__(self, handle, mode):
        self.handle = handle

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.handle)

    def write(self, content):
        os.write(self.handle, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("replace", [True, False])
def test_a_full_disk_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch, replace):
    path = tmp_path / "fit.nc"
    if replace:
        path.write_bytes(b"old")
    monkeypatch.setattr(writing.os, "fdopen", FullDisk)
    with pytest.raises(
        FileError, match=r"fit\.nc: cannot write there \(No space left on device\); nothing was changed"
    ):
        write_whole(path, b"new content", replace=replace)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("fit.nc", b"old")] * replace


def test_a_link_is_followed(tmp_path):
    there, link = tmp_path / "there.nc", tmp_path / "link.nc"
    there.write_bytes(b"old")
    link.symlink_to(there)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert there.read_bytes() == b"new"
    with pytest.raises(FileError, match=r"link\.nc exists, and files of this kind"):
        write_whole(link, b"newer", replace=False)


def test_folders_and_devices_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, match in (
        (tmp_path, "this is a folder"),
        (tmp_path / "pipe", "this is a device and no file"),
        (tmp_path / "nowhere" / "a.nc", "name a file in a folder that exists"),
    ):
        for refused in (require_writable, lambda p: write_whole(p, b"")):
            with pytest.raises(FileError, match=match):
                refused(path)


def test_what_killed_processes_left_is_removed_and_what_others_are_writing_stays(tmp_path):
    left, busy, other = (tmp_path / f".{name}.part" for name in ("fit.nc.left", "fit.nc.busy", "another.nc.left"))
    for part in (left, busy, other):
        part.write_bytes(b"half")
    for part in (left, other):
        os.utime(part, (0, part.stat().st_mtime - 2 * ABANDONED))
    write_whole(tmp_path / "fit.nc", b"whole")
    assert not left.exists()
    assert busy.exists()
    assert other.exists()
