"""Starts servers pinned to one core, and reads from /proc what process trees used. For benchmarks with a load."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_LISTENING = "0A"  # the state of a socket in /proc/net/tcp


class Server:
    """A child process (and its children) on one core, or on all (None); `stop` ends them all."""

    def __init__(
        self,
        name: str,
        command: list[str],
        core: int | None,
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                pinned(core, command),
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_answering(self, url: str, timeout_seconds: float = 60.0) -> None:
        """Raises RuntimeError with the end of the log when the server ends or stays silent."""

        def answers() -> bool:
            try:
                urllib.request.urlopen(url, timeout=2).read()  # noqa: S310 - a URL of our own making
            except urllib.error.HTTPError as error:
                return error.code != 404  # some listen before they know their routes; any other answer will do
            except OSError:
                return False
            return True

        self.wait_until(answers, timeout_seconds)

    def wait_until(self, ready: Callable[[], bool], timeout_seconds: float = 60.0, pause: float = 0.1) -> None:
        """Raises RuntimeError with the end of the log when the server ends or does not become ready."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            if ready():
                return
            time.sleep(pause)
        raise RuntimeError(f"{self.name} did not start:\n{self._log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pid)

    def resident_mib(self) -> float:
        return resident_mib(self.pid)

    def peak_memory_mib(self) -> float:
        return peak_memory_mib(self.pid)


def pinned(core: int | None, command: list[str]) -> list[str]:
    return command if core is None else ["taskset", "--cpu-list", str(core), *command]


def cpu_seconds(pid: int) -> float:
    """User and system time of the whole tree so far, children that have ended included."""
    ticks = 0
    for member in _tree(pid):
        ticks += sum(_ticks(member))
    return ticks / TICKS_PER_SECOND


def own_cpu_seconds(pid: int) -> float:
    """User and system time of this process alone."""
    return sum(_ticks(pid)[:2]) / TICKS_PER_SECOND


def _ticks(pid: int) -> list[int]:
    """User and system time of the process, then of children that it has waited for; nothing where it has ended."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return [int(field) for field in fields[11:15]]


def peak_memory_mib(pid: int) -> float:
    """Sum of the tree's highest resident sizes."""
    return _memory_mib(pid, "VmHWM:")


def resident_mib(pid: int) -> float:
    """Sum of the tree's resident sizes now."""
    return _memory_mib(pid, "VmRSS:")


def proportional_mib(pid: int) -> float:
    """Sum of the tree's proportional sizes now: what several processes share is counted once, as Postgres's buffers are."""
    return _memory_mib(pid, "Pss:", "smaps_rollup")


def _memory_mib(pid: int, name: str, file: str = "status") -> float:
    kibibytes = 0
    for member in _tree(pid):
        for line in _read(f"/proc/{member}/{file}").splitlines():
            if line.startswith(name):
                kibibytes += int(line.split()[1])
    return kibibytes / 1024


def children(pid: int) -> list[int]:
    """The processes that this one started and that have not ended."""
    tasks = Path(f"/proc/{pid}/task").glob("*")
    return [int(child) for task in tasks for child in _read(str(task / "children")).split()]


def _tree(root: int) -> Iterator[int]:
    yield root
    for child in children(root):
        yield from _tree(child)


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:  # the process ended meanwhile
        return ""


def listeners(port: int) -> int:
    """How many sockets of this machine accept connections of IPv4 at the port: several may share one by SO_REUSEPORT."""
    rows = [line.split() for line in _read("/proc/net/tcp").splitlines()[1:]]
    return sum(row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port for row in rows)


def free_port() -> int:
    """A port that nobody listens at, below those that the kernel gives to outgoing connections.

    A peer binds its port seconds later, when it has composed: one that the kernel chose could by then be that of a client's connection.
    """
    first_outgoing = int((_read("/proc/sys/net/ipv4/ip_local_port_range") or "32768").split()[0])
    while True:
        port = random.randrange(min(16_384, first_outgoing - 4_096), first_outgoing)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
