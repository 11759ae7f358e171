"""A file that a client uploads beside an operation: it stands in the variables and travels beside the JSON, where null is.

What is small waits in memory, and what is not in a file without a name, which ends with its process too. `server.uploads`
fills them, `transport.upload_body` reads them, as often as the plan has places for them.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import weakref
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

CHUNK_BYTES = 64 * 1024


class SpoolFullError(Exception):
    """The disk space that uploads may take is taken, or the disk is full."""


@dataclass(slots=True)
class UploadSpool:
    """How many bytes all uploads of a process may hold at a time, in memory and on disk, and how many they do."""

    max_memory_bytes: int = 16 * 1024 * 1024
    max_disk_bytes: int = 1024 * 1024 * 1024
    memory_bytes: int = 0
    disk_bytes: int = 0


class UploadedFile:
    """`content_type` is what the client said, unchecked; so is `name`, which may be anything but a path to rely on.

    No dataclass: the JSON writer would write one out. It gives up what it holds when it is closed, or nobody has it.
    """

    __slots__ = ("__weakref__", "_content", "close", "content_type", "name", "size")

    def __init__(self, name: str, content_type: str, spool: UploadSpool) -> None:
        self.name = name
        self.content_type = content_type
        self.size = 0
        self._content = _Content(spool)
        self.close = weakref.finalize(self, self._content.close)

    async def write(self, data: bytes) -> None:
        """Raises SpoolFullError."""
        await self._content.write(data, self.size)
        self.size += len(data)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The content from its beginning, in pieces of at most CHUNK_BYTES. Raises ValueError when it is closed."""
        for offset in range(0, self.size, CHUNK_BYTES):
            yield await self._content.read(offset)

    async def read(self) -> bytes:
        """All of it, for who can hold it: an extension that judges small files."""
        return b"".join([chunk async for chunk in self.chunks()])

    def __repr__(self) -> str:
        return f"UploadedFile({self.name!r}, {self.size} bytes)"


class _Content:
    """In memory up to CHUNK_BYTES while the spool has room for it there, on disk beyond that. Disks are slow and files block,
    so another thread uses them; under a lock, for a descriptor that is closed meanwhile may be another's by then. Who closes
    does not wait for that thread, which closes the file itself then.
    """

    def __init__(self, spool: UploadSpool) -> None:
        self._spool = spool
        self._memory = bytearray()
        self._on_disk = 0
        self._file: Any = None
        self._is_closed = False
        self._lock = threading.Lock()

    async def write(self, data: bytes, size: int) -> None:
        spool = self._spool
        fits = size + len(data) <= CHUNK_BYTES and spool.memory_bytes + len(data) <= spool.max_memory_bytes
        if fits and self._file is None:
            spool.memory_bytes += len(data)
            self._memory += data
            return
        more = len(data) + len(self._memory)
        if spool.disk_bytes + more > spool.max_disk_bytes:
            raise SpoolFullError
        spool.disk_bytes += more
        self._on_disk += more
        try:
            await asyncio.to_thread(self._write_to_disk, bytes(self._memory) + data)
        except OSError as error:
            raise SpoolFullError from error
        spool.memory_bytes -= len(self._memory)
        self._memory.clear()

    async def read(self, offset: int) -> bytes:
        if self._is_closed:
            raise ValueError("the upload is over")
        if self._file is None:
            return bytes(self._memory[offset : offset + CHUNK_BYTES])
        return await asyncio.to_thread(self._read_from_disk, offset)

    def _write_to_disk(self, data: bytes) -> None:
        with self._lock:
            if not self._is_closed:
                if self._file is None:
                    self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `_close_file` closes it
                rest = memoryview(data)
                while rest:
                    rest = rest[self._file.write(rest) :]
        self._close_file()

    def _read_from_disk(self, offset: int) -> bytes:
        with self._lock:
            if self._is_closed:
                raise ValueError("the upload is over")
            self._file.seek(offset)
            data: bytes = self._file.read(CHUNK_BYTES)
        self._close_file()
        return data

    def close(self) -> None:
        self._is_closed = True
        self._spool.memory_bytes -= len(self._memory)
        self._spool.disk_bytes -= self._on_disk
        self._memory = bytearray()
        self._on_disk = 0
        self._close_file()

    def _close_file(self) -> None:
        """Where it is over, and nobody uses the file, who would do it after that."""
        if self._is_closed and self._lock.acquire(blocking=False):
            try:
                if self._file is not None:
                    with suppress(OSError):
                        self._file.close()
            finally:
                self._lock.release()


def files_in(variables: Mapping[str, Any]) -> Iterator[tuple[str, UploadedFile]]:
    """All files, each with its path as the specification of uploads writes it: `variables.input.files.0`."""
    waiting: list[tuple[str, Any]] = [(f"variables.{name}", value) for name, value in variables.items()]
    while waiting:
        path, value = waiting.pop()
        if value.__class__ is UploadedFile:
            yield path, value
        elif value.__class__ is dict:
            waiting.extend((f"{path}.{name}", item) for name, item in value.items())
        elif value.__class__ is list:
            waiting.extend((f"{path}.{index}", item) for index, item in enumerate(value))
