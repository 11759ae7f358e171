"""Subscriptions by HTTP callback: a subgraph that speaks the protocol over real ports, and messages that break it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import yaml
from starlette.applications import Starlette
from starlette.routing import Route

from router.server.app import create_app
from router.server.callbacks import Callbacks
from router.server.settings_reload import ReloadableRouter, SettingsFile
from router.settings import Settings, SettingsError, load_settings
from router.transport import callback_inbox
from router.transport.callback_inbox import CallbackInbox
from router.transport.subscription_source import SubscriberTooSlowError
from tests.testkit.callback_subgraph import Asked, CallbackSubgraph, callback_subgraph
from tests.testkit.servers import free_port
from tests.testkit.strawberry_shop import SCHEMAS, Shop, serving

PATIENCE_SECONDS = 60
EVENTS = {"accept": "text/event-stream"}
TICKS = "subscription { ticks(count: 3) { n product { inStock } owner { name } } }"
ENDLESS = "subscription { ticks(count: 1000000, pause: 0.01) { n } }"
BARE = "subscription { ticks(count: 1) { n } }"


def tick(number: int) -> dict[str, Any]:
    return {"data": {"ticks": {"n": number}}}


class Client:
    """An event stream of the router, event by event."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def next(self) -> Any:
        """The next result, or None at the end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (event := (await self._response.content.readuntil(b"\n\n")).decode()).startswith(":"):
                pass
        kind, data = event.strip().split("\n", 1)
        return orjson.loads(data.removeprefix("data: ")) if kind == "event: next" else None

    async def code(self) -> str:
        """Of the one error of the next result."""
        (error,) = (await self.next())["errors"]
        return str(error["extensions"]["code"])

    def leave(self) -> None:
        self._response.close()


@dataclass
class Stand:
    """A router whose subgraph `catalog` calls back."""

    url: str
    session: aiohttp.ClientSession
    subgraph: CallbackSubgraph
    clients: list[Client] = field(default_factory=list)

    async def subscribe(self, query: str = "") -> Client:
        """Each without a query asks for something of its own, for equal ones share what the subgraph tells."""
        query = query or f"subscription {{ ticks(count: {len(self.clients) + 1}) {{ n }} }}"
        client = Client(await self.session.post(self.url, json={"query": query}, headers=EVENTS))
        self.clients.append(client)
        return client

    def leave(self) -> None:
        for client in self.clients:
            client.leave()

    async def asked(self) -> Asked:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.subgraph.asked.get()


@asynccontextmanager
async def standing(
    shop: Shop,
    folder: Path,
    *,
    heartbeat_seconds: float = 0.0,
    callback: dict[str, Any] | None = None,
    max_event_bytes: int = 1_000_000,
    **kind: Any,
) -> AsyncIterator[Stand]:
    """With a port for callbacks, which is chosen beforehand: their address has to be known when the router starts."""
    supergraph = folder / "supergraph.graphql"
    supergraph.write_text(shop.supergraph)
    port = free_port()
    own = {"public_url": f"http://127.0.0.1:{port}/callback", "port": port, "heartbeat_seconds": heartbeat_seconds}
    async with callback_subgraph(SCHEMAS["catalog"], **kind) as (subgraph, url):
        settings = load_settings(
            None,
            {},
            supergraph=supergraph,
            telemetry={"log_level": "error"},
            shutdown_grace_seconds=0.2,
            subgraphs={"catalog": {"subscription_url": url, "subscription_protocol": "callback"}},
            subscriptions={"callback": {**own, **(callback or {})}, "max_event_bytes": max_event_bytes},
        )
        async with serving(create_app(settings)) as clients_port, aiohttp.ClientSession() as session:
            stand = Stand(f"http://127.0.0.1:{clients_port}/graphql", session, subgraph)
            try:
                yield stand
            finally:
                stand.leave()


@pytest.fixture(scope="module")
async def stand(shop_servers: Shop, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """One whose events the test tells, of at most 30,000 bytes."""
    folder = tmp_path_factory.mktemp("callbacks")
    async with standing(shop_servers, folder, emits=False, max_event_bytes=30_000) as stand:
        yield stand


async def gone(asked: Asked) -> None:
    """Returns when the router knows nothing of it any more."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await asked.tell("check") != 404:
            await asyncio.sleep(0.01)


async def test_events_are_completed_by_other_subgraphs_and_the_end_is_told(shop: Shop, tmp_path: Path) -> None:
    async with standing(shop, tmp_path, heartbeat_seconds=5) as stand:
        client = await stand.subscribe(TICKS)
        told = [await client.next() for _ in range(4)]
        asked = await stand.asked()
    assert told == [
        *({"data": {"ticks": {"n": n, "product": {"inStock": 10}, "owner": {"name": "Ben"}}}} for n in range(3)),
        None,
    ]
    assert asked.statuses == [204] * 5  # the check, three events and the end
    assert asked.accept == "application/json;callbackSpec=1.0"
    assert asked.heartbeat_seconds == 5
    assert asked.url.endswith(f"/callback/{asked.id}")


async def test_errors_at_the_end_are_the_clients(stand: Stand) -> None:
    client = await stand.subscribe()
    asked = await stand.asked()
    assert await asked.tell("next", payload=tick(7)) == 204
    errors = [{"message": "The clock has stopped.", "extensions": {"code": "STOPPED"}}]
    assert await asked.tell("complete", errors=errors) == 204
    assert await client.next() == tick(7)
    assert (await client.next())["errors"] == [
        {"message": "The clock has stopped.", "extensions": {"code": "STOPPED", "service": "catalog"}}
    ]
    assert await client.next() is None


async def test_who_does_not_know_the_verifier_can_neither_tell_nor_end_anything(stand: Stand) -> None:
    client = await stand.subscribe()
    asked = await stand.asked()
    for verifier in ("", "x", asked.verifier[:-1], asked.verifier + "x", "\udcff", asked.verifier.swapcase()):
        for action, more in (("check", {}), ("next", {"payload": tick(66)}), ("complete", {"errors": []})):
            message = asked.message(action, **more) | {"verifier": verifier}
            if verifier == "\udcff":
                async with stand.session.post(asked.url, data=_surrogate(message)) as response:
                    assert response.status in (400, 403)
            else:
                assert await asked.post(message) == 403
    assert await asked.tell("next", payload=tick(1)) == 204
    assert await client.next() == tick(1)


def _surrogate(message: dict[str, Any]) -> bytes:
    return orjson.dumps(message | {"verifier": "SURROGATE"}).replace(b"SURROGATE", b"\\udcff")


MALFORMED: dict[str, Any] = {
    "no JSON": b"garbage",
    "no UTF-8": b"\xff\xfe",
    "nothing": b"",
    "a list": b"[]",
    "deep brackets": b"[" * 20_000,
    "another kind": {"kind": "query"},
    "no kind": {"kind": None},
    "an unknown action": {"action": "start"},
    "an odd action": {"action": ["next"]},
    "another id": {"id": "0" * 32},
    "no id": {"id": None},
    "a verifier that is a number": {"verifier": 7},
    "no payload": {"action": "next"},
    "a payload that is a list": {"action": "next", "payload": []},
    "errors that are no list": {"action": "complete", "errors": {"message": "no"}},
}


async def test_what_is_no_message_is_refused_and_the_subscription_goes_on(stand: Stand) -> None:
    client = await stand.subscribe()
    asked = await stand.asked()
    for name, wrong in MALFORMED.items():
        body = wrong if isinstance(wrong, bytes) else orjson.dumps({**asked.message("check"), **wrong})
        async with stand.session.post(asked.url, data=body) as response:
            assert response.status == 400, name
    async with stand.session.get(asked.url) as response:
        assert response.status == 405
    assert await asked.tell("next", payload=tick(1)) == 204
    assert await client.next() == tick(1)


async def test_a_message_has_a_bound(stand: Stand) -> None:
    client = await stand.subscribe()
    asked = await stand.asked()
    large = asked.message("next", payload=tick(1) | {"extensions": {"x": "x" * 30_000}})
    assert await asked.post(large) == 413

    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(31):
            yield b" " * 1_000

    async with stand.session.post(asked.url, data=in_pieces()) as response:
        assert response.status == 413
        assert (await response.json())["error"]["code"] == "REQUEST_TOO_LARGE"
    assert await asked.tell("next", payload=tick(2)) == 204
    assert await client.next() == tick(2)


async def test_ids_that_are_not_open_are_not_found_whatever_they_look_like(stand: Stand) -> None:
    await stand.subscribe()
    asked = await stand.asked()
    base = asked.url.removesuffix(asked.id)
    for unknown in ("0" * 32, f"1-{asked.id}", asked.id.upper() + "x", "..%2f..%2fetc", "x" * 5_000, asked.id[:-1]):
        async with stand.session.post(base + unknown, json=asked.message("check")) as response:
            assert response.status == 404, unknown


async def test_an_event_that_is_told_twice_is_two_and_after_the_end_there_is_none(stand: Stand) -> None:
    """The protocol numbers nothing: an equal event may well be another."""
    client = await stand.subscribe()
    asked = await stand.asked()
    assert [await asked.tell("next", payload=tick(5)) for _ in range(2)] == [204, 204]
    assert await asked.tell("complete") == 204
    replayed = [await asked.tell("next", payload=tick(5)), await asked.tell("complete"), await asked.tell("check")]
    assert replayed == [404] * 3
    assert [await client.next() for _ in range(3)] == [tick(5), tick(5), None]


async def test_a_subgraph_that_falls_silent_ends_the_subscription(shop: Shop, tmp_path: Path) -> None:
    async with standing(shop, tmp_path, emits=False, heartbeat_seconds=0.1) as stand:
        client = await stand.subscribe()
        asked = await stand.asked()
        assert await asked.tell("next", payload=tick(1)) == 204
        assert await client.next() == tick(1)
        assert await client.code() == "SUBGRAPH_TIMEOUT"
        assert await client.next() is None
        assert await asked.tell("check") == 404


async def test_heartbeats_keep_a_quiet_subscription(shop: Shop, tmp_path: Path) -> None:
    async with standing(shop, tmp_path, heartbeat_seconds=0.4) as stand:
        client = await stand.subscribe("subscription { ticks(count: 1, pause: 1.2) { n } }")
        assert [await client.next(), await client.next()] == [tick(0), None]


async def test_the_subgraph_learns_that_the_client_left_by_the_next_answer(shop: Shop, tmp_path: Path) -> None:
    async with standing(shop, tmp_path) as stand:
        client = await stand.subscribe(ENDLESS)
        assert await client.next() == tick(0)
        assert shop.open_ticks == 1
        client.leave()
        asked = await stand.asked()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while stand.subgraph.running:
                await asyncio.sleep(0.01)
        assert asked.statuses[-1] == 404


async def test_a_subgraph_that_does_not_speak_the_protocol_is_told_apart(shop: Shop, tmp_path: Path) -> None:
    async with standing(shop, tmp_path, emits=False, checks=False) as stand:
        assert await (await stand.subscribe()).code() == "SUBGRAPH_MALFORMED_RESPONSE"  # it confirmed nothing
    async with standing(shop, tmp_path, emits=False) as stand:
        stand.subgraph.answer = tick(0)
        assert await (await stand.subscribe()).code() == "SUBGRAPH_MALFORMED_RESPONSE"  # as if it were a query
        stand.subgraph.answer = {"errors": [{"message": "No.", "extensions": {"code": "FORBIDDEN"}}]}
        assert await (await stand.subscribe()).code() == "FORBIDDEN"
        for _ in range(2):
            await gone(await stand.asked())


async def test_an_address_that_callbacks_do_not_reach_is_the_subgraphs_refusal(shop: Shop, tmp_path: Path) -> None:
    async with standing(shop, tmp_path, callback={"path": "/elsewhere"}) as stand:
        assert await (await stand.subscribe()).code() == "DOWNSTREAM_SERVICE_ERROR"


async def test_so_many_are_open_at_a_time(shop: Shop, tmp_path: Path) -> None:
    async with standing(shop, tmp_path, emits=False, callback={"max_open": 1}) as stand:
        first = await stand.subscribe()
        asked = await stand.asked()
        assert await (await stand.subscribe()).code() == "TOO_MANY_CONNECTIONS"
        first.leave()
        await gone(asked)
        await stand.subscribe()
        await stand.asked()


async def test_who_takes_too_slowly_is_ended_and_the_subgraph_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback_inbox, "MAX_WAITING", 3)
    inbox = CallbackInbox(0.0, 10, max_waiting_bytes=100)
    many, large = inbox.open("live"), inbox.open("live")
    assert [many.take({"n": number}, 1) for number in range(5)] == [True, True, True, False, False]
    assert [large.take({}, 90), large.take({}, 20)] == [True, False]
    assert inbox.find(many.id) is inbox.find(large.id) is None
    assert [await many.next() for _ in range(3)] == [{"n": number} for number in range(3)]
    assert await large.next() == {}
    for subscription in (many, large):
        with pytest.raises(SubscriberTooSlowError):
            await subscription.next()


async def test_without_a_port_of_their_own_they_come_to_clients(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "supergraph.graphql").write_text(shop.supergraph)
    port = free_port()
    async with callback_subgraph(SCHEMAS["catalog"]) as (_, url):
        settings = load_settings(
            None,
            {},
            supergraph=tmp_path / "supergraph.graphql",
            telemetry={"log_level": "error"},
            subgraphs={"catalog": {"subscription_url": url, "subscription_protocol": "callback"}},
            subscriptions={"callback": {"public_url": f"http://127.0.0.1:{port}/live/back", "path": "/live/back"}},
        )
        async with serving(create_app(settings), port), aiohttp.ClientSession() as session:
            body = {"query": BARE}
            async with session.post(f"http://127.0.0.1:{port}/graphql", json=body, headers=EVENTS) as response:
                client = Client(response)
                assert [await client.next(), await client.next()] == [tick(0), None]


async def test_a_subscription_outlives_a_change_of_the_settings(shop: Shop, tmp_path: Path) -> None:
    port = free_port()
    file, supergraph = tmp_path / "router.yaml", tmp_path / "supergraph.graphql"
    supergraph.write_text(shop.supergraph)
    async with callback_subgraph(SCHEMAS["catalog"], emits=False) as (subgraph, url):
        values: dict[str, Any] = {
            "supergraph": str(supergraph),
            "telemetry": {"log_level": "error"},
            "subgraphs": {"catalog": {"subscription_url": url, "subscription_protocol": "callback"}},
            "subscriptions": {"callback": {"public_url": f"http://127.0.0.1:{port}/callback", "heartbeat_seconds": 0}},
        }
        file.write_text(yaml.safe_dump(values))
        source = SettingsFile(file)
        app = ReloadableRouter(create_app, source.load(), source)
        async with serving(app, port), aiohttp.ClientSession() as session:
            stand = Stand(f"http://127.0.0.1:{port}/graphql", session, subgraph)
            before = await stand.subscribe()
            old = await stand.asked()
            file.write_text(yaml.safe_dump({**values, "limits": {"depth": 50}}))
            assert await app.reload()
            after = await stand.subscribe()
            new = await stand.asked()
            for asked, client in ((old, before), (new, after)):
                assert await asked.tell("next", payload=tick(3)) == 204
                assert await client.next() == tick(3)
            values["subscriptions"]["callback"]["path"] = "/other"
            file.write_text(yaml.safe_dump(values))
            assert not await app.reload()  # an address that subgraphs were told cannot change
            stand.leave()


@asynccontextmanager
async def workers(folder: Path, *names: str) -> AsyncIterator[list[tuple[Callbacks, str]]]:
    """Receiving ends that share a folder, as processes do, and the address of each."""
    settings = Settings.model_validate(
        {"supergraph": "unused", "subscriptions": {"callback": {"public_url": "http://unused", "path": "/callback"}}}
    )
    own = settings.subscriptions.callback
    assert own is not None
    async with AsyncExitStack() as stack:
        found = []
        for name in names:
            callbacks = Callbacks(settings, own)
            callbacks.join_workers(folder, name)
            await stack.enter_async_context(callbacks.served())
            app = Starlette(routes=[Route(callbacks.path, callbacks.receive, methods=["POST"])])
            port = await stack.enter_async_context(serving(app))
            found.append((callbacks, f"http://127.0.0.1:{port}/callback"))
        yield found


async def test_a_message_that_reaches_another_worker_is_handed_on(tmp_path: Path) -> None:
    async with workers(tmp_path, "101", "102") as ((first, _), (second, elsewhere)):
        subscription = first.inbox.open("live")
        assert subscription.id.startswith("101-")
        asked = Asked(f"{elsewhere}/{subscription.id}", subscription.id, subscription.verifier, 0.0, "")
        assert [await asked.tell("check"), await asked.tell("next", payload=tick(4))] == [204, 204]
        assert await asked.post(asked.message("next", payload=tick(5)) | {"verifier": "x"}) == 403
        assert await asked.tell("complete") == 204
        assert [await subscription.next(), await subscription.next()] == [tick(4), None]
        assert await asked.tell("check") == 404
        # of a worker that is gone, and one that never was, there is no subscription
        for name in ("999", "4294967295"):
            lost = Asked(f"{elsewhere}/{name}-{'0' * 32}", f"{name}-{'0' * 32}", "x", 0.0, "")
            assert await lost.tell("check") == 404
        assert list(second._sessions) == ["101"]


def test_a_subgraph_that_calls_back_needs_an_address() -> None:
    subgraphs = {"catalog": {"subscription_protocol": "callback"}}
    with pytest.raises(SettingsError, match=r"needs subscriptions\.callback"):
        load_settings(None, {}, supergraph="unused", subgraphs=subgraphs)
