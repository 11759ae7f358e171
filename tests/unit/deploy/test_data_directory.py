"""What a person is told of a data directory that cannot be made or written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from deploy.data_directory import DataDirectory, UnusableDirectoryError
from deploy.errors import friendly


@pytest.mark.parametrize(
    ("place", "reason", "hint"),
    [
        ("taken", "file exists", "a file is where a directory is needed: move it away, or name another place"),
        ("taken/below", "not a directory", "a file is where a directory is needed"),
        ("logs-taken", "file exists", "a file is where a directory is needed"),
        ("/proc/fittracker", "no such file or directory", "name another place with --data-dir"),
        ("x" * 300, "file name too long", "name another place with --data-dir"),
    ],
)
def test_a_place_that_cannot_be_a_directory_says_what_to_do(tmp_path: Path, place: str, reason: str, hint: str) -> None:
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "logs-taken").mkdir()
    (tmp_path / "logs-taken" / "logs").write_text("a file")
    path = tmp_path / place
    with pytest.raises(UnusableDirectoryError) as raised, DataDirectory(path):
        pass
    told = friendly(raised.value)
    assert told is not None
    assert told.message.startswith(f"{path} cannot be the data directory: {reason}")
    assert told.hint is not None
    assert told.hint.startswith(hint)


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "make room on the disk of {above}, or name another place with --data-dir"),
        (errno.EROFS, "{above} is mounted read-only: name another place with --data-dir"),
        (errno.EACCES, "make {above} yours to write (sudo chown -R $(id -u) {above}), or name another place"),
    ],
)
def test_a_place_that_may_not_be_written_says_what_to_do(tmp_path: Path, number: int, hint: str) -> None:
    """Not by a real refusal: nobody refuses root, as whom CI runs."""
    path = tmp_path / "not" / "there"
    error = UnusableDirectoryError(path, OSError(number, os.strerror(number), str(path)))
    assert error.hint is not None
    assert error.hint.startswith(hint.format(above=tmp_path))
