"""Files that are followed by looking at them: one look for all that an event loop follows, two or three times a second.

The server follows its supergraph and its settings by it, `transport` the files of instances. Files are looked at because file
systems of networks and containers, and links that are turned elsewhere, notify nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias
from weakref import WeakKeyDictionary

LOOK_SECONDS = 0.4

#: Differs when a file does, or where its name leads; None if it leads nowhere.
Stamp: TypeAlias = tuple[int, int, int, int] | None


async def changes_of(*files: Path) -> AsyncIterator[None]:
    """A step at once, and one whenever any of the files has changed and then stood still for one look; without end."""
    last = taken = await asyncio.to_thread(_stamps, files)
    yield
    looks = _looks_of(asyncio.get_running_loop())
    while True:
        now = await looks.next(files)
        if now == last and now != taken:
            taken = now
            yield
        last = now


class _Looks:
    """Whoever waits for the next look of an event loop gets the stamps of its own files from it."""

    def __init__(self) -> None:
        self._files: set[Path] = set()
        self._waiting = 0
        self._next: asyncio.Task[dict[Path, Stamp]] | None = None

    async def next(self, files: Iterable[Path]) -> dict[Path, Stamp]:
        self._files.update(files)
        if self._next is None:
            self._next = asyncio.create_task(self._look(), name="look at files")
        look = self._next
        self._waiting += 1
        try:
            stamps = await asyncio.shield(look)  # who stops waiting takes it from nobody else
        except asyncio.CancelledError:
            if self._waiting == 1 and self._next is look:
                self._next = None
                look.cancel()
                with suppress(asyncio.CancelledError):
                    await look
            raise
        finally:
            self._waiting -= 1
        return {file: stamps[file] for file in files}

    async def _look(self) -> dict[Path, Stamp]:
        await asyncio.sleep(LOOK_SECONDS)
        files, self._files, self._next = self._files, set(), None
        return await asyncio.to_thread(_stamps, files)


_LOOKS: WeakKeyDictionary[asyncio.AbstractEventLoop, _Looks] = WeakKeyDictionary()


def _looks_of(loop: asyncio.AbstractEventLoop) -> _Looks:
    return _LOOKS.setdefault(loop, _Looks())


def _stamps(files: Iterable[Path]) -> dict[Path, Stamp]:
    return {file: _stamp_of(file) for file in files}


def _stamp_of(file: Path) -> Stamp:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
