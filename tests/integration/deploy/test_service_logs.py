"""What a container engine gets of our services in their production form, on servers that are away: JSON objects, and no secrets."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp

from tests.testkit.servers import Postgres, free_port

ROOT = Path(__file__).parents[3]
SECRET = "q8Zr1xW5tY7uP3aS9dF2gH6jK4lM0nBvCeXiOzQy"
AWAY = "127.0.0.1:1"
PATIENCE = 60.0


async def start(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
    """`fittracker ...` as its image runs it."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", *arguments,
        cwd=ROOT, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "FITTRACKER_ENV": "prod", **environment},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


async def lines_of(process: asyncio.subprocess.Process) -> list[dict[str, Any]]:
    """All that it has printed at its end; the test fails on one that is no object with a time, a level, a logger and an event."""
    async with asyncio.timeout(PATIENCE):
        output, _ = await process.communicate()
    assert SECRET not in output.decode()
    lines = [json.loads(line) for line in output.splitlines()]
    for line in lines:
        assert {"timestamp", "level", "logger", "event"} <= line.keys(), line
    return lines


async def until_it_answers(process: asyncio.subprocess.Process, url: str, body: Any = None) -> None:
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        while True:
            assert process.returncode is None
            try:
                async with session.post(url, json=body) as response:
                    if response.status < 500:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)


async def test_a_subgraph_without_its_broker(postgres: Postgres) -> None:
    url = postgres.create_database("users_in_prod")
    settings = {"DATABASE_URL_USERS": url, "JWT_SECRET": SECRET}
    migrating = await start("subgraph", "users", "migrate", **settings)
    await lines_of(migrating)
    assert migrating.returncode == 0

    port = free_port()
    away = {
        "KAFKA_BOOTSTRAP_SERVERS": AWAY,
        "REDIS_URL": f"redis://{AWAY}/0",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{AWAY}",
    }
    traced = {"OTEL_TRACES_SAMPLER_ARG": "1", "OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    process = await start("subgraph", "users", "--port", str(port), **settings, **away, **traced)
    for _ in range(3):
        await until_it_answers(process, f"http://127.0.0.1:{port}/graphql", {"query": "{ __typename }"})
        await asyncio.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    lines = await lines_of(process)
    told = {line["logger"].partition(".")[0] for line in lines}
    assert {"aiokafka", "opentelemetry", "subgraphs", "events"} <= told
    assert len([line for line in lines if line["logger"].startswith("opentelemetry.exporter")]) == 1


async def test_workers_that_end_wait_two_seconds_for_a_collector_and_no_more(tmp_path: Path) -> None:
    supergraph, config = ROOT / "schema" / "fittracker" / "supergraph.graphql", tmp_path / "router.yaml"
    telemetry = {"otlp_endpoint": f"http://{AWAY}", "sample_ratio": 1}
    config.write_text(
        json.dumps({"supergraph": str(supergraph), "workers": 2, "drain_idle_seconds": 0.1, "telemetry": telemetry})
    )
    port = free_port()
    # what gathers is sent at the end
    process = await start("router", "--config", str(config), "--port", str(port), OTEL_BSP_SCHEDULE_DELAY="60000")
    for _ in range(5):
        await until_it_answers(process, f"http://127.0.0.1:{port}/graphql", {"query": "query Asked { __typename }"})
    process.send_signal(signal.SIGTERM)
    lines = await lines_of(process)
    told = {line["event"] for line in lines}
    assert {"workers_started", "listening", "supergraph_loaded", "request", "last_spans_not_sent"} <= told


async def test_what_cannot_start_says_so_in_a_line(tmp_path: Path) -> None:
    for arguments, told in (
        (("subgraph", "users"), "DATABASE_URL_USERS is not set."),
        (("router", "--supergraph", "none.graphql"), "none.graphql: no such file"),
        (("migrate",), "not set: DATABASE_URL_USERS"),
        (("events", "check", "--every", "5", "--data-dir", str(tmp_path)), "no database is named for users"),
    ):
        process = await start(*arguments)
        (line,) = await lines_of(process)
        assert process.returncode == 1
        assert (line["level"], told in line["event"]) == ("error", True), line
