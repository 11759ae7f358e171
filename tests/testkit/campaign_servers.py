"""The servers of a campaign, embedded or the distribution's own, each kept alive and reached through a link that can fail.

`serving` hands on a `Site`: the environment that tells subgraphs to come through the links, and what faults need besides.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from deploy.child import ChildSpec
from deploy.data_directory import DataDirectory
from deploy.embedded import (
    DOMAINS,
    HOST,
    EmbeddedPorts,
    EmbeddedServers,
    broker_binary,
    broker_spec,
    cache_spec,
    create_databases,
    postgres_spec,
    valkey_spec,
)
from deploy.errors import FriendlyError
from deploy.rehearsals.cluster import Cluster, give_to_server_user, program, server_user
from deploy.server_secret import ServerSecret
from deploy.supervisor import Supervisor
from subgraphs.shell.database import migrate
from tests.testkit.faulty_link import Link
from tests.testkit.leaping_clock import LeapingClocks
from tests.testkit.local_kafka import LocalKafka
from tests.testkit.small_disk import SmallDisk, may_mount, on_small_disk

SERVERS = ("postgres", "valkey", "valkey-cache", "broker")
SERVICES = (*DOMAINS, "router")
POSTGRES_DISK_BYTES = 512 * 2**20
KAFKA_DISK_BYTES = 256 * 2**20
# So that the log finds an end on a small disk; a segment is 16 MiB.
_SMALL_LOG = ("-c", "min_wal_size=32MB", "-c", "max_wal_size=64MB")


@dataclass
class Site:
    """`environment` is for `fittracker up`; `links` are by the part to which they lead, `disks` by the part that fills them.

    `clocks` are of the services. `direct` has the environment that leads past the links. `superuser_url` is Postgres', past them too.
    """

    supervisor: Supervisor
    environment: dict[str, str]
    direct: dict[str, str]
    superuser_url: str
    links: dict[str, Link]
    clocks: LeapingClocks
    disks: dict[str, SmallDisk] = field(default_factory=dict)

    @property
    def pids(self) -> dict[str, int]:
        return self.supervisor.pids

    def write_router_settings(self, file: Path) -> None:
        """By them the router finds the subgraphs behind their links; for `fittracker up --config`."""
        instances = file.with_name(f"instances-of-{file.name}")
        addresses = {name: [f"http://{HOST}:{self.links[name].port}/graphql"] for name in DOMAINS}
        instances.write_text(yaml.safe_dump(addresses), encoding="utf-8")
        discovery = {name: {"discovery": {"file": str(instances)}} for name in DOMAINS}
        file.write_text(yaml.safe_dump({"subgraphs": discovery}), encoding="utf-8")


def fillable(*, real: bool) -> tuple[str, ...]:
    """The parts that keep data on a disk, where it can be a small one."""
    if not may_mount():
        return ()
    return ("postgres", "broker") if real else ("postgres",)


@asynccontextmanager
async def serving(directory: Path, data: DataDirectory, *, real: bool, seed: int = 0) -> AsyncIterator[Site]:
    """All servers, over the folder `directory`, until the block ends; links for the stack that will run over `data`.

    Raises FriendlyError for a server that there is not.
    """
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o711)  # Postgres' user has to pass
    async with AsyncExitStack() as until_the_end:
        ports = EmbeddedPorts.free()
        targets = {
            "postgres": ports.postgres,
            "valkey": ports.valkey,
            "valkey-cache": ports.cache,
            "broker": ports.broker,
        }
        links = {name: Link(partial(targets.__getitem__, name), seed=seed) for name in SERVERS}
        links |= {name: Link(partial(_port_of, name, data), seed=seed) for name in DOMAINS}
        for link in links.values():
            await link.open()
            until_the_end.push_async_callback(link.close)
        with (directory / "servers.log").open("a", encoding="utf-8") as log:

            def write(name: str, line: str) -> None:
                print(name, line, file=log, flush=True)

            start = _start_real if real else _start_embedded
            async with Supervisor(write, write) as supervisor:
                yield await start(supervisor, directory, ports, links, until_the_end)


async def _start_embedded(
    supervisor: Supervisor,
    directory: Path,
    ports: EmbeddedPorts,
    links: dict[str, Link],
    until_the_end: AsyncExitStack,
) -> Site:
    postgres = postgres_spec(directory, ports.postgres)
    data = Path(postgres.command[postgres.command.index("-D") + 1])
    disks = _small_disks({"postgres": (data, POSTGRES_DISK_BYTES)}, until_the_end)
    specs = [
        replace(postgres, command=(*postgres.command, *_SMALL_LOG)),
        valkey_spec(directory, ports.valkey),
        cache_spec(directory, ports.cache),
        _advertising(broker_spec(ports.broker), ports.broker, links["broker"].port),
    ]
    await supervisor.start_together(specs)
    secret = ServerSecret.of(directory)
    direct = EmbeddedServers(ports, secret)
    await create_databases(direct)
    linked = EmbeddedServers(_linked(links), secret)
    clocks = LeapingClocks(directory / "clocks", SERVICES)
    environment = linked.environment() | clocks.environment
    return Site(supervisor, environment, direct.environment(), direct.superuser_url, links, clocks, disks)


async def _start_real(
    supervisor: Supervisor,
    directory: Path,
    ports: EmbeddedPorts,
    links: dict[str, Link],
    until_the_end: AsyncExitStack,
) -> Site:
    """The distribution's PostgreSQL with this repository's settings and roles, its Redis, and Apache Kafka from its jars."""
    redis = shutil.which("redis-server")
    if redis is None:
        raise FriendlyError("there is no redis-server here", "apt-get install redis-server")
    cluster = Cluster(directory / "cluster")
    cluster.port = ports.postgres
    archive = directory / "archive"
    archive.mkdir()
    give_to_server_user(archive)
    cluster.initialise(archive)
    for domain in DOMAINS:
        await migrate(domain, cluster.url("fittracker_owner", "owner", f"fittracker_{domain}"))
    cluster.stop()
    kafka = LocalKafka(_folder(directory / "kafka"), port=ports.broker, advertised_port=links["broker"].port)
    kafka_command = await kafka.prepare()
    wanted = {"postgres": (cluster.data, POSTGRES_DISK_BYTES), "broker": (kafka.log_dir, KAFKA_DISK_BYTES)}
    disks = _small_disks(wanted, until_the_end)
    caches = [valkey_spec(directory, ports.valkey), cache_spec(directory, ports.cache)]
    await supervisor.start_together(
        [
            _postgres_of(cluster, directory),
            *(replace(spec, command=(redis, *spec.command[1:])) for spec in caches),
            # Its readiness is of the protocol, whoever speaks it. A Java program takes its time.
            replace(broker_spec(ports.broker), command=tuple(kafka_command), start_timeout_seconds=120.0),
        ]
    )
    password = ServerSecret.of(directory).password("valkey")
    environments = [
        {
            **cluster.environment(port=at.postgres),
            "REDIS_URL": f"redis://:{password}@{HOST}:{at.valkey}/0",
            "ROUTER_REDIS_URL": f"redis://:{password}@{HOST}:{at.cache}/0",
            "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{at.broker}",
        }
        for at in (_linked(links), ports)
    ]
    superuser_url = f"postgresql://postgres@/postgres?host={directory / 'cluster'}&port={cluster.port}"
    clocks = LeapingClocks(directory / "clocks", SERVICES)
    linked, direct = environments
    return Site(supervisor, linked | clocks.environment, direct, superuser_url, links, clocks, disks)


def _postgres_of(cluster: Cluster, directory: Path) -> ChildSpec:
    command = [
        program("postgres"), "-D", str(cluster.data), "-p", str(cluster.port), "-c", f"listen_addresses={HOST}",
        "-c", f"unix_socket_directories={directory / 'cluster'}", "-c", "archive_mode=off", *_SMALL_LOG,
    ]  # fmt: skip

    async def ready() -> bool:
        process = await asyncio.create_subprocess_exec(program("pg_isready"), "-q", "-h", HOST, "-p", str(cluster.port))
        return await process.wait() == 0

    return ChildSpec(
        name="postgres",
        command=tuple(command),
        port=cluster.port,
        ready=ready,
        user=server_user(),
        stop_signal=signal.SIGINT,
        stop_grace_seconds=30,
    )


def _small_disks(wanted: dict[str, tuple[Path, int]], until_the_end: AsyncExitStack) -> dict[str, SmallDisk]:
    """Each folder on a file system of so many bytes; none where we may not mount one."""
    if not may_mount():
        return {}
    return {name: until_the_end.enter_context(on_small_disk(folder, size)) for name, (folder, size) in wanted.items()}


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _linked(links: dict[str, Link]) -> EmbeddedPorts:
    """Where clients find the servers."""
    return EmbeddedPorts(links["postgres"].port, links["valkey"].port, links["broker"].port, links["valkey-cache"].port)


def _port_of(subgraph: str, data: DataDirectory) -> int:
    """Where it listens, as `fittracker up` says. Raises FileNotFoundError before it does."""
    (url,) = yaml.safe_load(data.instances.read_text(encoding="utf-8"))[subgraph]
    return urlsplit(url).port or 0


def _advertising(spec: ChildSpec, port: int, advertised: int) -> ChildSpec:
    """Clients of Kafka's protocol come to where the broker says that it is, whatever they asked first."""
    command = [str(broker_binary()), "broker", "--listener-url", f"tcp://{HOST}:{port}"]
    command += ["--advertised-listener-url", f"tcp://{HOST}:{advertised}", "--silent"]
    return replace(spec, command=tuple(command))
