"""Every conformance case once more through the router's own server: over HTTP, server-sent events, multipart and WebSocket
a client is told the same.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router.server.app import RouterApp
from router.settings import load_settings
from tests.conformance.test_cases import DIRECTORIES, check_errors, federated
from tests.testkit.case_file import UNSET, Case, CaseDirectory
from tests.testkit.incremental_client import merge_payloads
from tests.testkit.strawberry_shop import serving
from tests.testkit.stub_transport import StubTransport

INCREMENTAL = "multipart/mixed;incrementalSpec=v0.2, application/json"


@asynccontextmanager
async def served(directory: CaseDirectory, folder: Path) -> AsyncIterator[tuple[str, StubTransport]]:
    graph = federated(directory)
    supergraph = folder / "supergraph.graphql"
    supergraph.write_text(graph.supergraph_sdl)
    settings = load_settings(
        None, {}, supergraph=supergraph, telemetry={"log_level": "error"}, shutdown_grace_seconds=0.2
    )
    transport = StubTransport(graph.stubs)
    async with serving(RouterApp(settings, transport), http="auto") as port:  # it has to run under plain uvicorn, too
        yield f"http://127.0.0.1:{port}/graphql", transport


async def over_http(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> list[Any]:
    async with session.post(url, json=body) as response:
        return [json.loads(await response.text())]


async def over_sse(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> list[Any]:
    async with session.post(url, json=body, headers={"accept": "text/event-stream"}) as response:
        assert response.content_type == "text/event-stream"
        events = [block.split("\n") for block in (await response.text()).split("\n\n") if block.strip()]
    assert events.pop() == ["event: complete", "data:"]
    assert all(len(event) == 2 and event[0] == "event: next" for event in events)
    return [json.loads(event[1].removeprefix("data: ")) for event in events]


async def over_multipart(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> list[Any]:
    async with session.post(url, json=body, headers={"accept": INCREMENTAL}) as response:
        text = await response.text()
        if response.content_type == "application/json":
            return [json.loads(text)]
    assert text.endswith("\r\n-----\r\n")
    parts = text.removesuffix("\r\n-----\r\n").split("\r\n---\r\n")[1:]
    return [json.loads(part.partition("\r\n\r\n")[2]) for part in parts]


async def over_websocket(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> list[Any]:
    async with session.ws_connect(url, protocols=("graphql-transport-ws",)) as socket:
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json(timeout=60))["type"] == "connection_ack"
        await socket.send_json({"id": "1", "type": "subscribe", "payload": body})
        told: list[Any] = []
        while (message := await socket.receive_json(timeout=60))["type"] != "complete":
            assert message["type"] in ("next", "error")
            if message["type"] == "error":
                return [{"data": None, "errors": message["payload"]}]
            told.append(message["payload"])
        return told


TRANSPORTS = (over_http, over_sse, over_multipart, over_websocket)


@pytest.mark.parametrize("directory", DIRECTORIES, ids=lambda directory: directory.name)
async def test_a_case_has_one_answer_over_all_transports(directory: CaseDirectory, tmp_path: Path) -> None:
    async with served(directory, tmp_path) as (url, transport), aiohttp.ClientSession() as session:
        for case in directory.cases:
            if case.override_labels:
                continue  # chosen by an extension, not by the client
            for ask in TRANSPORTS:
                for name, stub in transport.stubs.items():
                    stub.failure = case.failures.get(name)
                    stub.world.counters.clear()
                body = {"query": case.operation, "variables": case.variables}
                check(case, await ask(session, url, body), f"{case.name}, {ask.__name__}")


def check(case: Case, payloads: list[Any], where: str) -> None:
    in_pieces = "hasNext" in payloads[0]
    response = merge_payloads(payloads) if in_pieces else payloads[0]
    merged = case.data if case.merged is UNSET or not in_pieces else case.merged
    try:
        if merged is not UNSET:
            assert response.get("data") in [merged, *case.data_may_be]
        check_errors(case, response.get("errors", []))
    except AssertionError as error:
        raise AssertionError(f"{where}: {error}") from error
