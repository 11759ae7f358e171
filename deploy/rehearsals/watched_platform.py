"""Prometheus, Alertmanager and exporters over a running platform, as `monitoring` and `dashboard_samples` need them.

The committed rules run with their durations divided by sixty, so that "for 5 minutes" takes five seconds; expressions stay as they are
otherwise. Needs Debian's prometheus, prometheus-alertmanager and its three exporters.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from deploy.databases import libpq_environment
from deploy.embedded import DOMAINS, free_ports
from deploy.errors import FriendlyError
from deploy.rehearsals.cluster import Cluster, give_to_server_user
from deploy.rehearsals.lost_key import key_in_a_file
from deploy.rehearsals.platform import Platform, running_platform
from deploy.rehearsals.scene import Scene

RULES = Path(__file__).parents[1] / "prometheus" / "rules"
TOOLS = (
    "prometheus",
    "prometheus-alertmanager",
    "prometheus-postgres-exporter",
    "prometheus-redis-exporter",
    "prometheus-node-exporter",
)
SPEED = 60  # a minute of the rules is a second here
#: The router's settings turn circuit breakers on only where somebody wants them; one answers before anything is slow.
CIRCUITS = {"traffic_shaping": {"subgraphs": {"nutrition": {"circuit_breaker": {"enabled": True}}}}}
#: What the exporter of the compose file tells by itself, and Debian's older one only where it is asked.
REPLICATION = {
    "pg_replication": {
        "query": "SELECT CASE WHEN NOT pg_is_in_recovery() OR pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0"
        " ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END AS lag_seconds",
        "metrics": [{"lag_seconds": {"usage": "GAUGE", "description": "Seconds behind the primary."}}],
    }
}


@dataclass
class Monitoring:
    """Prometheus' address, and what Alertmanager has told so far: alert -> when it told of it first, by the monotonic clock."""

    url: str
    told: dict[str, float] = field(default_factory=dict)

    async def ask(self, session: aiohttp.ClientSession, expression: str) -> list[Any]:
        """The expression's series now. Raises FriendlyError where it is refused."""
        return await self._series(session, "query", {"query": expression})

    async def ask_range(
        self, session: aiohttp.ClientSession, expression: str, start: float, end: float, step: float
    ) -> list[Any]:
        """Its series from start to end, both in seconds since 1970, every `step` seconds. Raises FriendlyError as `ask`."""
        given = {"query": expression, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        return await self._series(session, "query_range", given)

    async def _series(self, session: aiohttp.ClientSession, path: str, given: dict[str, str]) -> list[Any]:
        async with session.get(f"{self.url}/api/v1/{path}", params=given) as response:
            answer = await response.json()
        if answer["status"] != "success":
            raise FriendlyError(f"Prometheus refuses {given['query']}: {answer.get('error')}")
        return list(answer["data"]["result"])


@asynccontextmanager
async def watched_platform(folder: Path) -> AsyncIterator[tuple[Scene, Monitoring]]:
    """A platform over this empty folder, with a replica if the distribution's Postgres is here. Raises FriendlyError where a tool is absent."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        raise FriendlyError(f"not installed: {', '.join(missing)}", "apt-get install them; nothing of them need run")
    settings = folder / "router.yaml"
    settings.write_text(yaml.safe_dump(CIRCUITS), encoding="utf-8")
    async with AsyncExitStack() as stack:
        replica = stack.enter_context(_replica(folder))
        platform = await stack.enter_async_context(
            running_platform(folder / "data", "--config", str(settings), environment=key_in_a_file(folder))
        )
        monitoring = await stack.enter_async_context(_monitoring(folder, platform, replica))
        yield Scene(platform, folder, replica), monitoring


@contextmanager
def _replica(folder: Path) -> Iterator[tuple[Cluster, Cluster] | None]:
    """A primary and its standby; None without the distribution's Postgres."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        yield None
        return
    folder.chmod(0o755)  # the server's user has to pass
    primary, standby, archive = Cluster(folder / "primary"), Cluster(folder / "standby"), folder / "archive"
    archive.mkdir()
    give_to_server_user(archive)
    primary.initialise(archive)
    try:
        standby.copy_of(primary, "standby1")
        standby.start()
        try:
            yield primary, standby
        finally:
            standby.stop("immediate")
    finally:
        primary.stop("immediate")


@asynccontextmanager
async def _monitoring(
    folder: Path, platform: Platform, replica: tuple[Cluster, Cluster] | None
) -> AsyncIterator[Monitoring]:
    names = ("prometheus", "alertmanager", "webhook", "node", "postgres", "redis", "projections", "replica")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    monitoring = Monitoring(f"http://127.0.0.1:{ports['prometheus']}")
    textfile = folder / "textfile"
    textfile.mkdir()
    _write_configuration(folder, platform, ports)
    environment = platform.state.environment
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_webhook(ports["webhook"], monitoring))
        for command, extra in (
            (["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{ports['node']}", f"--collector.textfile.directory={textfile}"], {}),
            (["prometheus-postgres-exporter", f"--web.listen-address=127.0.0.1:{ports['postgres']}"], {"DATA_SOURCE_NAME": _dsn(platform.superuser_url)}),
            (["prometheus-redis-exporter", f"-web.listen-address=127.0.0.1:{ports['redis']}"], _redis(environment["REDIS_URL"])),
            ([sys.executable, "-m", "deploy", "events", "check", "--every", "2", "--sample", "5", "--metrics-port", str(ports["projections"]),
              "--data-dir", str(folder / "data")], {}),
            (["prometheus-alertmanager", f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'am'}",
              f"--web.listen-address=127.0.0.1:{ports['alertmanager']}", "--cluster.listen-address="], {}),
            (["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
              f"--web.listen-address=127.0.0.1:{ports['prometheus']}"], {}),
        ):  # fmt: skip
            await stack.enter_async_context(_child(command, extra))
        if replica is not None:
            _, standby = replica
            command = ["prometheus-postgres-exporter", f"--web.listen-address=127.0.0.1:{ports['replica']}"]
            questions = folder / "questions.yaml"
            questions.write_text(yaml.safe_dump(REPLICATION), encoding="utf-8")
            asked = {
                "DATA_SOURCE_NAME": standby.superuser_dsn,
                "PG_EXPORTER_EXTEND_QUERY_PATH": str(questions),
            }
            await stack.enter_async_context(_child(command, asked))
        yield monitoring


def _write_configuration(folder: Path, platform: Platform, ports: dict[str, int]) -> None:
    """The committed rules, sixty times as fast, and a scrape configuration for this run's ports."""
    rules = folder / "rules"
    rules.mkdir()
    for file in RULES.glob("*.yml"):
        (rules / file.name).write_text(quicker(file.read_text(encoding="utf-8")), encoding="utf-8")
    jobs = {name: port for name, port in platform.state.ports.items() if name in DOMAINS}
    jobs["router"] = int(platform.state.router_url.rpartition(":")[2].partition("/")[0])
    scrapes: list[dict[str, Any]] = [
        {
            "job_name": name,
            "metrics_path": "/actuator/prometheus",
            "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
        }
        for name, port in jobs.items()
    ]
    scrapes += [
        {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{ports[name]}"]}]}
        for name in ("node", "postgres", "redis", "projections", "replica")
    ]
    configuration = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "900ms", "evaluation_interval": "1s"},
        "rule_files": [f"{rules}/*.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ports['alertmanager']}"]}]}]},
        "scrape_configs": scrapes,
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    receiver = {
        "name": "all",
        "webhook_configs": [{"url": f"http://127.0.0.1:{ports['webhook']}/", "send_resolved": False}],
    }
    route = {
        "receiver": "all",
        "group_by": ["alertname"],
        "group_wait": "1s",
        "group_interval": "2s",
        "repeat_interval": "1h",
    }
    alertmanager = {"route": route, "receivers": [receiver]}
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(alertmanager), encoding="utf-8")


def quicker(rules: str) -> str:
    """Every duration of the rules divided by sixty and at least five seconds, which is five scrapes."""

    def seconds(match: re.Match[str]) -> str:
        unit = {"m": 60, "h": 3600, "s": 1}[match[2]]
        return f"{max(5, int(match[1]) * unit // SPEED)}s"

    in_brackets = re.sub(r"(?<=\[)(\d+)([mhs])(?=\])", seconds, rules)
    return re.sub(r"(?<=for: )(\d+)([mhs])\b", seconds, in_brackets)


def _dsn(url: str) -> str:
    """The form the exporter reads; its driver knows neither every parameter of ours nor TLS of the embedded server."""
    parts = libpq_environment(url)
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
    return " ".join(f"{names[name]}={value}" for name, value in parts.items() if name in names) + " sslmode=disable"


def _redis(url: str) -> dict[str, str]:
    return {"REDIS_ADDR": url.rpartition("/")[0]}


@asynccontextmanager
async def _webhook(port: int, monitoring: Monitoring) -> AsyncIterator[None]:
    async def receive(request: web.Request) -> web.Response:
        told = await request.json()
        for alert in told["alerts"]:
            if alert["status"] == "firing":
                monitoring.told.setdefault(alert["labels"]["alertname"], time.monotonic())
        return web.Response()

    application = web.Application()
    application.router.add_post("/", receive)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _child(command: list[str], environment: dict[str, str]) -> AsyncIterator[None]:
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, stdout=quiet, stderr=quiet, env={**os.environ, **environment}
    )
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
