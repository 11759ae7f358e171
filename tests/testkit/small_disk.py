"""A file system of a few hundred megabytes, in memory, for one folder: what keeps its data there can run out of room.

Used by `campaign_servers`; needs root, who may mount one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path


class SmallDisk:
    """`fill` leaves no room, `make_room` gives all of it back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ballast = folder / "ballast"

    @property
    def free_bytes(self) -> int:
        room = os.statvfs(self._folder)
        return room.f_bavail * room.f_frsize

    def fill(self) -> None:
        """Called again, it takes what became free since."""
        with self._ballast.open("ab") as file:
            owner = self._folder.stat()  # a database opens every file of its folder when it recovers
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            while free := self.free_bytes:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free)
                except OSError:  # somebody else took a part of it meanwhile
                    return

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)


@contextmanager
def on_small_disk(folder: Path, size_bytes: int) -> Iterator[SmallDisk]:
    """What the folder holds moves onto a file system of so many bytes in its place, and is gone with it at the end.

    Nobody may use the folder before the block begins or after it ends. Raises OSError where the system refuses.
    """
    before = folder.with_name(f"{folder.name}.before")
    folder.rename(before)
    folder.mkdir()
    owner = before.stat()
    options = f"size={size_bytes},mode={owner.st_mode & 0o777:o},uid={owner.st_uid},gid={owner.st_gid}"
    _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder))
    try:
        _run("cp", "-a", f"{before}/.", str(folder))
        shutil.rmtree(before)
        yield SmallDisk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


@cache
def may_mount() -> bool:
    """Whether a file system can be mounted here: by root, and not in every container. Tried once, on an empty folder."""
    if os.geteuid() != 0:
        return False
    folder = Path("/run") / f"fittracker-may-mount-{os.getpid()}"
    try:
        folder.mkdir()
        try:
            _run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder))
            _run("umount", str(folder))
        finally:
            folder.rmdir()
    except OSError:
        return False
    return True


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{command[0]} failed: {done.stderr.strip()}")
