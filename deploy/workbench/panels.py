"""The stack's panels in the router's console: every part with its port and log, and the way of events with its lags.

Runs in the router's process; the router's settings name `StackPanels`. It reads what the stack writes down and what
subgraphs tell in their metrics.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from deploy.data_directory import DataDirectory, StackState
from deploy.embedded import HOST, SERVER_NAMES
from router.server.console_panels import Panel, Part, Station

TIMEOUT_SECONDS = 1.5
LOG_BYTES = 32_768
LOG_LINES = 200
LINE_CHARACTERS = 500

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
#: Passwords in addresses, tokens, and whatever stands behind a word that says it is a secret.
_SECRETS = (
    (re.compile(r"(://[^\s:/@]*:)[^\s@]+(@)"), r"\1…\2"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "…"),
    (re.compile(r"(?i)(bearer\s+)\S+"), r"\1…"),
    (re.compile(r"(?i)((?:password|secret|token|authorization)['\"]?\s*[=:]\s*['\"]?)[^\s,'\"}]+"), r"\1…"),
)


class StackPanels:
    """A `router.server.console_panels.Panels`. `data_dir` is the stack's own."""

    def __init__(self, data_dir: str) -> None:
        self._directory = DataDirectory(Path(data_dir))

    async def panels(self) -> list[Panel]:
        state = await asyncio.to_thread(self._directory.read_state)
        if state is None:  # it is being started: written when all children are up
            return []
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            parts, metrics = await asyncio.gather(
                asyncio.gather(*(self._part(session, name, state) for name in state.ports)),
                asyncio.gather(*(_metrics(session, port) for name, port in state.ports.items() if _is_ours(name))),
            )
        numbers = Numbers([sample for each in metrics for sample in each])
        return [
            Panel(kind="parts", title="Parts", parts=[*parts, self._supervisor(state)]),
            Panel(kind="flow", title="Events, from outbox to subscriber", stages=event_stages(numbers)),
        ]

    async def log(self, name: str) -> list[str] | None:
        """Of a part of the stack, by its name."""
        # Compared with the names that there are, so that no name, whatever it holds, leads out of the folder.
        file = next((each for each in self._directory.logs.glob("*.log") if each.stem == name), None)
        return None if file is None else await asyncio.to_thread(last_lines, file)

    async def _part(self, session: aiohttp.ClientSession, name: str, state: StackState) -> Part:
        pid, port = state.pids.get(name), state.ports[name]
        if pid is None or not _is_alive(pid):
            status = "down"
        elif _is_ours(name):
            status = "up" if await _is_ready(session, port) else "starting"
        else:
            status = "up" if await _listens(port) else "starting"
        memory = f", {memory_megabytes(pid)} MB" if pid is not None and status != "down" else ""
        return Part(name=name, state=status, address=f"{HOST}:{port}", detail=f"pid {pid}{memory}", log=name)

    def _supervisor(self, state: StackState) -> Part:
        detail = f"pid {state.supervisor_pid}, {memory_megabytes(state.supervisor_pid)} MB"
        return Part(name="supervisor", state="up", address="", detail=detail, log=None)


class Numbers:
    """Samples of several processes, found by name and label."""

    def __init__(self, samples: Sequence[tuple[str, Mapping[str, str], float]]) -> None:
        self._samples = samples

    def by(self, name: str, label: str) -> dict[str, float]:
        """Sums by a label's values."""
        found: dict[str, float] = {}
        for sample, labels, value in self._samples:
            if sample == name and label in labels:
                found[labels[label]] = found.get(labels[label], 0.0) + value
        return found


def event_stages(numbers: Numbers) -> list[list[Station]]:
    """Outboxes, then consumer groups. The router adds its subscribers."""
    published = numbers.by("outbox_published_total", "service")
    waiting = numbers.by("outbox_unpublished", "service")
    oldest = numbers.by("outbox_oldest_age_seconds", "service")
    handled = numbers.by("consumer_handled_total", "group")
    lag = numbers.by("consumer_lag_messages", "group")
    parked = numbers.by("parked_records", "group")
    outboxes = [
        Station(
            name=f"outbox {service}",
            total=int(published.get(service, 0)),
            waiting=int(waiting.get(service, 0)),
            lagSeconds=round(oldest.get(service, 0.0), 2),
            note="",
        )
        for service in sorted(published.keys() | waiting.keys())
    ]
    groups = [
        Station(
            name=group,
            total=int(handled.get(group, 0)),
            waiting=int(lag.get(group, 0)),
            lagSeconds=None,
            note=f"{int(parked[group])} parked" if parked.get(group) else "",
        )
        for group in sorted(handled.keys() | lag.keys())
    ]
    return [outboxes, groups]


def last_lines(file: Path) -> list[str]:
    """The end of a log, without colours and secrets."""
    with file.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        size = stream.tell()
        stream.seek(max(0, size - LOG_BYTES))
        text = stream.read().decode(errors="replace")
    lines = text.splitlines()[1 if size > LOG_BYTES else 0 :]  # the first is cut
    return [without_secrets(_COLOURS.sub("", line))[:LINE_CHARACTERS] for line in lines[-LOG_LINES:]]


def without_secrets(line: str) -> str:
    for pattern, replacement in _SECRETS:
        line = pattern.sub(replacement, line)
    return line


def memory_megabytes(pid: int) -> str:
    """Resident memory, as Linux tells it; "?" elsewhere."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return "?"
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return str(int(found[1]) // 1024) if found is not None else "?"


def _is_ours(name: str) -> bool:
    return name not in SERVER_NAMES


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def _is_ready(session: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with session.get(f"http://{HOST}:{port}/ready") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _listens(port: int) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(HOST, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _metrics(session: aiohttp.ClientSession, port: int) -> list[tuple[str, Mapping[str, str], float]]:
    """Those of events; none from a process that does not answer."""
    try:
        async with session.get(f"http://{HOST}:{port}/actuator/prometheus") as response:
            body = await response.read()
    except (aiohttp.ClientError, TimeoutError):
        return []
    return list(_event_samples(body.decode(errors="replace")))


def _event_samples(text: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    wanted = ("outbox_", "consumer_", "parked_", "# ")
    lines = "\n".join(line for line in text.splitlines() if line.startswith(wanted))
    for family in text_string_to_metric_families(f"{lines}\n"):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value
