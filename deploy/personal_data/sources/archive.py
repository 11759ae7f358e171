"""Opens what an app exported, whether that is one file, a folder or a zip: file by file, none read further than its bound."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import GzipFile
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, is_zipfile

from deploy.errors import FriendlyError

#: Apple's export of ten years has 1 to 4 GiB of XML; a file that unpacks to more was made to fill disks.
LARGEST_FILE_BYTES = 16 * 1024**3
MOST_FILES = 200_000
#: What a format is recognised by.
HEAD_BYTES = 8 * 1024


#: What the reading of an archive raises that is damaged, or was made to be; RuntimeError where it wants a password.
DAMAGE = (BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, struct.error, zlib.error)


class DamagedFileError(Exception):
    """A file of an archive that cannot be read to its end, and why."""


class _Bounded(io.RawIOBase):
    """Reads from a file and complains once it had more than the bound."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._left = LARGEST_FILE_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # any writable buffer, as RawIOBase is asked
        try:
            found = self._file.read(len(buffer))
        except DAMAGE as error:
            raise DamagedFileError(f"cannot be unpacked: {error}") from None
        self._left -= len(found)
        if self._left < 0:
            raise DamagedFileError(f"unpacks to more than {LARGEST_FILE_BYTES // 1024**3} GiB")
        buffer[: len(found)] = found
        return len(found)


class Archive:
    """The names of the files that an export has, and each of them to read."""

    def __init__(self, path: Path) -> None:
        """Raises FriendlyError for what is not there, is a broken zip or has too many files."""
        if not path.exists():
            raise FriendlyError(f"{path} is not there", "name a file, a folder or a zip that another app exported")
        self._path = path
        self._zip = _zip_of(path)
        self.names = sorted(self._list())
        self._known = frozenset(self.names)
        if len(self.names) > MOST_FILES:
            raise FriendlyError(f"{path} has more than {MOST_FILES:,} files")

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def _list(self) -> Iterator[str]:
        if self._zip is not None:
            yield from (each.filename for each in self._zip.infolist() if not each.is_dir())
        elif self._path.is_dir():
            yield from (str(file.relative_to(self._path)) for file in self._path.rglob("*") if file.is_file())
        else:
            yield self._path.name

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """What is packed by gzip is unpacked. Raises DamagedFileError, also while it is read."""
        try:
            file = self._raw(name)
        except DAMAGE as error:
            raise DamagedFileError(f"cannot be unpacked: {error}") from None
        with file:
            plain = cast("BinaryIO", GzipFile(fileobj=file)) if name.lower().endswith(".gz") else file
            yield cast("BinaryIO", io.BufferedReader(_Bounded(plain)))

    def _raw(self, name: str) -> BinaryIO:
        if self._zip is not None:
            if self._zip.getinfo(name).compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise NotImplementedError("is packed as no app packs: others than deflate may ask for all memory")
            return cast("BinaryIO", self._zip.open(name))
        return (self._path / name if self._path.is_dir() else self._path).open("rb")

    def head(self, name: str) -> bytes:
        """The first bytes of a file. Raises DamagedFileError."""
        with self.open(name) as file:
            return file.read(HEAD_BYTES)


def _zip_of(path: Path) -> ZipFile | None:
    if path.is_dir() or not is_zipfile(path):
        return None
    try:
        return ZipFile(path)
    except DAMAGE as error:
        raise FriendlyError(f"{path} is no zip that can be read: {error}") from None
