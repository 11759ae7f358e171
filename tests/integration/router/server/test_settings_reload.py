"""Settings that change while the router serves: taken over for whoever asks from then on, or refused with the reason."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from router.server.app import create_app
from router.server.settings_reload import MAX_RETIRED, ReloadableRouter, SettingsFile
from router.telemetry import REGISTRY
from tests.testkit.strawberry_shop import Shop, serving

DEEP = "{ products { owner { name } } }"
TICKS = "subscription { ticks(count: 1000, pause: 0.05) { n } }"


@dataclass
class Watched:
    app: ReloadableRouter
    file: Path
    values: dict[str, Any]
    url: str
    session: aiohttp.ClientSession

    def write(self, **changes: Any) -> None:
        self.file.write_text(yaml.safe_dump({**self.values, **changes}))

    async def code(self) -> str | None:
        """Of the answer to a nested query."""
        async with self.session.post(self.url, json={"query": DEEP}) as response:
            answer = await response.json(content_type=None)
        return answer["errors"][0]["extensions"]["code"] if "errors" in answer else None

    async def until(self, expected: str | None) -> None:
        deadline = time.monotonic() + 60
        while await self.code() != expected:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


@pytest.fixture
async def watched(shop: Shop, tmp_path: Path) -> AsyncIterator[Watched]:
    supergraph, file = tmp_path / "supergraph.graphql", tmp_path / "router.yaml"
    supergraph.write_text(shop.supergraph)
    values = {
        "supergraph": str(supergraph),
        "watch": True,
        "shutdown_grace_seconds": 0.2,
        "telemetry": {"log_requests": False},
    }
    file.write_text(yaml.safe_dump(values))
    source = SettingsFile(file)
    app = ReloadableRouter(create_app, source.load(), source)
    async with serving(app) as port, aiohttp.ClientSession() as session:
        yield Watched(app, file, values, f"http://127.0.0.1:{port}/graphql", session)


def loads(result: str) -> float:
    return REGISTRY.get_sample_value("router_settings_loads_total", {"result": result}) or 0.0


async def test_changed_settings_hold_for_whoever_asks_next_and_streams_go_on(watched: Watched, shop: Shop) -> None:
    async with watched.session.ws_connect(watched.url, protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"
        await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": TICKS}})
        assert await watched.code() is None
        watched.write(limits={"depth": 2})
        await watched.until("DEPTH_LIMIT_EXCEEDED")
        first = (await socket.receive_json(timeout=60))["payload"]["data"]["ticks"]["n"]
        for _ in range(20):
            last = (await socket.receive_json(timeout=60))["payload"]["data"]["ticks"]["n"]
        assert last == first + 20  # none was lost, and nobody had to subscribe again
        watched.write()
        await watched.until(None)
        assert shop.open_ticks == 1


async def test_settings_that_are_wrong_are_refused_and_the_old_ones_serve(
    watched: Watched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await watched.app.reload()
    broken = tmp_path / "broken.graphql"
    broken.write_text("type Query {")
    for changes, reason in (
        ({"limits": {"depht": 2}}, "unknown setting 'limits.depht'"),
        ({"limits": {"depth": 2}, "supergraph": str(broken)}, "is not a usable supergraph"),
        ({"limits": {"depth": 2}, "extensions": ["./nowhere.py"]}, "cannot be loaded"),
        ({"limits": {"depth": 2}, "port": 1}, "port cannot change while the router runs"),
    ):
        refused = loads("refused")
        capsys.readouterr()
        watched.write(**changes)
        deadline = time.monotonic() + 60
        while loads("refused") == refused:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert reason in capsys.readouterr().out
        assert await watched.code() is None


async def test_clients_of_very_old_settings_are_told_to_come_again(watched: Watched) -> None:
    async with watched.session.ws_connect(watched.url, protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"
        others = []
        for depth in range(3, MAX_RETIRED + 4):
            watched.write(limits={"depth": depth})
            assert await watched.app.reload()
            other = await watched.session.ws_connect(watched.url, protocols=["graphql-transport-ws"])
            others.append(other)  # each keeps its application busy
        message = await socket.receive(timeout=60)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == aiohttp.WSCloseCode.GOING_AWAY
        for other in others:
            await other.close()
