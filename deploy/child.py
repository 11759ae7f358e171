"""One child process: how to start it, know that it answers, and end it with everything that it started.

A `ChildSpec` says how, a running `Child` sends its output lines to a callback. `supervisor` starts most of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import signal
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.errors import FriendlyError
from deploy.forking import LONGEST_LINE_BYTES, ForkedProcess, ForkServer
from deploy.parents_death import dies_with_its_parent

_LOOKS_AT_GATE_SECONDS = 0.1

LineSink = Callable[[str], None]

#: Variables that name file descriptors to a child with a `listener`: where to accept, and where to say that it does.
LISTEN_FD = "FITTRACKER_LISTEN_FD"
READY_FD = "FITTRACKER_READY_FD"
#: The one of a child that begins before it may go on: a pipe, whose end tells it.
GATE_FD = "FITTRACKER_GATE_FD"


class ChildError(FriendlyError):
    """A child could not be started or did not get ready; the message ends with its last words."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to run. `ready` is asked until it says yes; `environment` is added to this process's own, None removes.

    A `listener` stays ours and is inherited: one generation of the child after the other accepts from it, and the next
    can begin while the last still serves. Such a child says by itself that it accepts, as `deploy.handover` does.
    A child with a `gate` begins before it is open, and has its time to get ready from then on. While there is a `fork_server`,
    a `command` that runs a module is forked from it; afterwards, and where that cannot be, it is started as any other.
    """

    name: str
    command: tuple[str, ...]
    port: int
    ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str | None] = field(default_factory=dict)
    listener: socket.socket | None = None
    gate: Gate | None = None
    fork_server: ForkServer | None = None
    user: str | int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_grace_seconds: float = 15.0
    start_timeout_seconds: float = 60.0


class Gate:
    """Children that have it begin, with what takes long and needs nothing, and wait for `open` before they go on. Who begins later
    finds it open.
    """

    def __init__(self) -> None:
        self._readable, self._writable = os.pipe()
        self.is_open = False

    @property
    def descriptors(self) -> dict[str, int]:
        """By the variable that names it to the child."""
        return {GATE_FD: self._readable}

    def open(self) -> None:
        """Nothing happens where it is."""
        if not self.is_open:
            self.is_open = True
            os.close(self._writable)

    def close(self) -> None:
        """When there are no children any more."""
        self.open()
        os.close(self._readable)


class Child:
    """A started process, in a session of its own: a Ctrl-C in the terminal reaches the supervisor, not each child."""

    def __init__(self, spec: ChildSpec, process: asyncio.subprocess.Process | ForkedProcess, sink: LineSink) -> None:
        self.spec = spec
        self._process = process
        self._last_lines: deque[str] = deque(maxlen=15)
        self._reader = asyncio.create_task(self._read_output(sink))

    @classmethod
    async def start(cls, spec: ChildSpec, sink: LineSink) -> Child:
        """Spawn and wait until it is ready. Raises ChildError when it dies or stays silent for too long."""
        announcement = _Announcement(spec.listener) if spec.listener is not None else None
        try:
            child = cls(spec, await _spawn(spec, announcement), sink)
            try:
                await child._wait_until_ready(announcement)
            except BaseException:
                await child.stop()
                raise
        finally:
            if announcement is not None:
                announcement.close()
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def last_words(self) -> str:
        return "\n".join(self._last_lines)

    async def wait(self) -> int:
        """Wait for the end; the exit code, negative for a signal."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end, and after the grace kill its whole process group."""
        self._signal(self.spec.stop_signal)
        try:
            async with asyncio.timeout(self.spec.stop_grace_seconds):
                await self._process.wait()
        except TimeoutError:
            self._signal_group(signal.SIGKILL)
            await self._process.wait()
        # What it left behind in its session (a worker whose master was killed) goes with it.
        self._signal_group(signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._reader

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _wait_until_ready(self, announcement: _Announcement | None) -> None:
        clock = asyncio.get_running_loop().time
        while self.spec.gate is not None and not self.spec.gate.is_open and self._process.returncode is None:
            await asyncio.sleep(_LOOKS_AT_GATE_SECONDS)
        deadline = clock() + self.spec.start_timeout_seconds
        # Without an announcement, the answer that says yes could be a predecessor's.
        while not ((announcement is None or announcement.is_made()) and await self.spec.ready()):
            if self._process.returncode is not None:
                await asyncio.wait([self._reader], timeout=1.0)
                raise ChildError(f"{self.spec.name} ended at start with code {self._process.returncode}{self._quote()}")
            if clock() > deadline:
                waited = self.spec.start_timeout_seconds
                raise ChildError(f"{self.spec.name} was not ready after {waited:g} s{self._quote()}")
            await asyncio.sleep(0.02)

    def _quote(self) -> str:
        return f":\n{self.last_words}" if self._last_lines else ""

    async def _read_output(self, sink: LineSink) -> None:
        stream = self._process.stdout
        if stream is None:
            return
        while True:
            try:
                raw = await stream.readline()
            except ValueError:  # one line longer than the limit: its rest follows as further lines
                continue
            if not raw:
                return
            line = raw.decode(errors="replace").rstrip()
            self._last_lines.append(line)
            sink(line)


class _Announcement:
    """The pipe through which one child says that it accepts from the listener that it inherits."""

    def __init__(self, listener: socket.socket) -> None:
        self._readable, self._writable = os.pipe()
        os.set_blocking(self._readable, False)
        self._is_made = False
        self.descriptors = {LISTEN_FD: listener.fileno(), READY_FD: self._writable}

    def is_made(self) -> bool:
        if not self._is_made:
            with contextlib.suppress(BlockingIOError):
                self._is_made = os.read(self._readable, 1) != b""
        return self._is_made

    def close(self) -> None:
        os.close(self._readable)
        os.close(self._writable)


async def _spawn(spec: ChildSpec, announcement: _Announcement | None) -> asyncio.subprocess.Process | ForkedProcess:
    descriptors = {**(announcement.descriptors if announcement else {}), **(spec.gate.descriptors if spec.gate else {})}
    given = {**os.environ, **spec.environment, **{name: str(each) for name, each in descriptors.items()}}
    environment = {name: value for name, value in given.items() if value is not None}
    if spec.fork_server is not None:
        forked = await spec.fork_server.spawn(spec.command, environment, descriptors, spec.stop_signal)
        if forked is not None:
            return forked
    try:
        return await asyncio.create_subprocess_exec(
            *spec.command,
            env=environment,
            pass_fds=tuple(descriptors.values()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=dies_with_its_parent(spec.stop_signal),
            user=spec.user,
            **_groups_of(spec.user),
            limit=LONGEST_LINE_BYTES,
        )
    except OSError as error:
        raise ChildError(f"{spec.name}: cannot run {spec.command[0]}: {error.strerror}") from error


def _groups_of(user: str | int | None) -> dict[str, Any]:
    """Another user's process has that user's group and none of ours."""
    if user is None:
        return {}
    entry = pwd.getpwuid(user) if isinstance(user, int) else pwd.getpwnam(user)
    return {"group": entry.pw_gid, "extra_groups": []}
