"""A subgraph as a program: its verbs, its refusals, and the trace of what it did."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from typer.testing import CliRunner

import deploy.cli
from tests.testkit.servers import Postgres, free_port
from tests.testkit.subgraph import SECRET, sign_token

ROOT = Path(__file__).parents[4]
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


async def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, output and errors of `python -m subgraphs.<arguments>`."""
    process = await start(*arguments, **environment)
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode(), errors.decode()


async def start(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
    inherited = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"subgraphs.{arguments[0]}",
        *arguments[1:],
        cwd=ROOT,
        env=inherited | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_a_subgraph_without_settings_says_what_is_missing() -> None:
    code, _, errors = await run("users", "serve")
    assert code == 1
    assert "DATABASE_URL_USERS is not set." in errors
    assert "JWT_SECRET must be set" in errors
    assert "Traceback" not in errors


async def test_the_schema_is_printed_without_any_settings() -> None:
    code, output, _ = await run("nutrition", "sdl")
    assert code == 0
    assert (
        'type Food implements Node @cacheControl(maxAge: 60, scope: PRIVATE) @key(fields: "id") @key(fields: "gtin") @key(fields: "nodeId")'
        in output
    )


async def test_the_platforms_command_does_what_the_subgraphs_own_does(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, printed, _ = await run("users", "sdl")
    await run("users", "sdl", "-o", str(tmp_path / "ours.graphql"))
    told = CliRunner().invoke(deploy.cli.app, ["subgraph", "users", "sdl", "-o", str(tmp_path / "theirs.graphql")])
    assert told.exit_code == 0, told.output
    assert (tmp_path / "ours.graphql").read_text() == (tmp_path / "theirs.graphql").read_text() == printed

    settings = {"DATABASE_URL_USERS": postgres.create_database("users_by_command"), "JWT_SECRET": SECRET}
    assert (await run("users", "migrate", **settings))[0] == 0
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    again = await asyncio.to_thread(CliRunner().invoke, deploy.cli.app, ["subgraph", "users", "migrate"])
    assert again.exit_code == 0, again.output
    refused = await asyncio.to_thread(CliRunner().invoke, deploy.cli.app, ["subgraph", "users", "relay"])
    assert str(refused.exception) == "KAFKA_BOOTSTRAP_SERVERS is not set."


async def test_one_operation_is_one_trace(postgres: Postgres) -> None:
    settings = {"DATABASE_URL_USERS": postgres.create_database("users_traced"), "JWT_SECRET": SECRET}
    assert (await run("users", "migrate", **settings))[0] == 0

    async with collector() as (endpoint, spans):
        port = free_port()
        # So late that nothing is sent before the end: what arrives was sent because it ended.
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "600000", "LOG_LEVEL": "ERROR"}
        process = await start("users", "serve", "--port", str(port), **settings, **traced)
        try:
            await ask(port)
            assert spans == {}
        finally:
            process.send_signal(signal.SIGTERM)
            output, errors = await asyncio.wait_for(process.communicate(), 60)
    # uvicorn ends in good order and then by the signal that asked for it
    assert process.returncode in {0, -signal.SIGTERM}, (output, errors)
    assert {spans["Viewer"], spans["load account_by_id"]} == {TRACE_ID}


async def test_a_collector_that_is_away_keeps_no_subgraph_from_its_end(postgres: Postgres) -> None:
    settings = {"DATABASE_URL_USERS": postgres.create_database("users_untraced"), "JWT_SECRET": SECRET}
    assert (await run("users", "migrate", **settings))[0] == 0
    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY": "600000"}
    process = await start("users", "serve", "--port", str(port := free_port()), **settings, **traced)
    try:
        await ask(port)
    finally:
        process.send_signal(signal.SIGTERM)
        output, errors = await asyncio.wait_for(process.communicate(), 60)  # the exporter alone would go on trying
    assert process.returncode in {0, -signal.SIGTERM}, (output, errors)
    assert b"last_spans_not_sent" in output
    assert b"subgraph_stopped" in output


async def ask(port: int) -> None:
    """Ask the subgraph, once it listens, as a caller that is being traced."""
    headers = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01", "authorization": f"Bearer {sign_token('someone')}"}
    query = {"query": "query Viewer { me { id } }", "operationName": "Viewer"}
    async with aiohttp.ClientSession() as client, asyncio.timeout(60):
        while True:
            try:
                async with client.post(f"http://127.0.0.1:{port}/graphql", json=query, headers=headers) as response:
                    assert response.status == 200
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def collector() -> AsyncIterator[tuple[str, dict[str, str]]]:
    """An OTLP receiver: its address, and the trace id of every span by name."""
    spans: dict[str, str] = {}

    async def receive(request: web.Request) -> web.Response:
        received = ExportTraceServiceRequest.FromString(await request.read())
        for resource in received.resource_spans:
            for scope in resource.scope_spans:
                spans.update({span.name: span.trace_id.hex() for span in scope.spans})
        return web.Response()

    application = web.Application()
    application.router.add_post("/v1/traces", receive)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}", spans
    finally:
        await runner.cleanup()
