"""Files that are followed by looking at them: one look for all that an event loop follows, two or three times a second.

The server follows its supergraph and its settings by it, `transport` the files of instances. Files are looked at because file
systems of networks and containers, and links that are turned elsewhere, notify nobody.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from weakref import WeakKeyDictionary

LOOK_SECONDS = 0.4
THREAD_NAME = "look at files"

#: Differs when a file does, or where its name leads; None if it leads nowhere.
Stamp: TypeAlias = tuple[int, int, int, int] | None
Stamps: TypeAlias = dict[Path, Stamp]


async def changes_of(*files: Path) -> AsyncIterator[None]:
    """A step at once, and one whenever any of the files has changed and then stood still for one look; without end."""
    taken = await asyncio.to_thread(_stamps, files)
    yield
    looks = _looks_of(asyncio.get_running_loop())
    while True:
        taken = await looks.change(files, taken)
        yield


@dataclass(eq=False, slots=True)
class _Follower:
    """Waits for its `files` to be otherwise than `taken`."""

    files: tuple[Path, ...]
    taken: Stamps
    last: Stamps
    change: asyncio.Future[Stamps]


class _Looks:
    """Those of one event loop. A thread looks as long as somebody waits, and wakes the loop for a change only: woken for each look, an
    idle router would spend half of its time on them.
    """

    def __init__(self) -> None:
        self._followers: list[_Follower] = []
        self._lock = threading.Lock()  # held for what both threads do to the followers
        self._is_looking = False

    async def change(self, files: tuple[Path, ...], taken: Stamps) -> Stamps:
        """The stamps of the files, once they are others than `taken` and the same in two looks."""
        follower = _Follower(files, taken, taken, asyncio.get_running_loop().create_future())
        with self._lock:
            self._followers.append(follower)
            starts, self._is_looking = not self._is_looking, True
        if starts:
            threading.Thread(target=self._look, name=THREAD_NAME, daemon=True).start()
        try:
            return await follower.change
        finally:
            with self._lock:
                self._followers.remove(follower)

    def _look(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            with self._lock:
                followers = [each for each in self._followers if not each.change.get_loop().is_closed()]
                if not followers:
                    self._is_looking = False
                    return
            stamps = _stamps({file for each in followers for file in each.files})
            for each in followers:
                now = {file: stamps[file] for file in each.files}
                if now == each.last != each.taken:
                    with suppress(RuntimeError):  # the loop was closed a moment ago
                        each.change.get_loop().call_soon_threadsafe(_tell, each.change, now)
                each.last = now


def _tell(change: asyncio.Future[Stamps], stamps: Stamps) -> None:
    if not change.done():
        change.set_result(stamps)


_LOOKS: WeakKeyDictionary[asyncio.AbstractEventLoop, _Looks] = WeakKeyDictionary()


def _looks_of(loop: asyncio.AbstractEventLoop) -> _Looks:
    return _LOOKS.setdefault(loop, _Looks())


def _stamps(files: Iterable[Path]) -> Stamps:
    return {file: _stamp_of(file) for file in files}


def _stamp_of(file: Path) -> Stamp:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
