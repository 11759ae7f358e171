"""graphql-transport-ws as the router speaks it, message by message."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest

from router.server.websocket import AT_ONCE
from router.telemetry import SUBSCRIPTIONS
from tests.testkit.loop_turns import measured_each_turn
from tests.testkit.running_router import RunningRouter, StartRouter, token
from tests.testkit.strawberry_shop import Shop

PROTOCOL = "graphql-transport-ws"
TICKS = (
    "subscription($n: Int!, $p: Float) { ticks(count: $n, pause: $p) { n product { name inStock } owner { name } } }"
)


async def connected(router: RunningRouter, **payload: Any) -> aiohttp.ClientWebSocketResponse:
    """A socket that has been acknowledged."""
    socket = await router.session.ws_connect(router.url, protocols=(PROTOCOL,))
    await socket.send_json({"type": "connection_init", "payload": payload})
    assert await socket.receive_json(timeout=60) == {"type": "connection_ack"}
    return socket


async def closed_with(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """The code the router closes with, whatever it sends before."""
    while (await socket.receive(timeout=60)).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
        pass
    return socket.close_code


async def test_each_event_is_completed_by_the_other_subgraphs(router: RunningRouter) -> None:
    socket = await connected(router)
    await socket.send_json({"id": "a", "type": "subscribe", "payload": {"query": TICKS, "variables": {"n": 2}}})
    for number in range(2):
        assert await socket.receive_json(timeout=60) == {
            "id": "a",
            "type": "next",
            "payload": {
                "data": {
                    "ticks": {"n": number, "product": {"name": "Product 1", "inStock": 10}, "owner": {"name": "Ben"}}
                }
            },
        }
    assert await socket.receive_json(timeout=60) == {"id": "a", "type": "complete"}
    await socket.close()


async def test_the_token_of_connection_init_is_used_for_every_operation(router: RunningRouter) -> None:
    socket = await connected(router, Authorization=token("u2"))
    await socket.send_json({"id": "q", "type": "subscribe", "payload": {"query": "{ me { name email } }"}})
    assert (await socket.receive_json(timeout=60))["payload"] == {
        "data": {"me": {"name": "Ben", "email": "u2@example.com"}}
    }
    assert (await socket.receive_json(timeout=60))["type"] == "complete"
    await socket.close()


async def test_each_operation_has_an_id_that_subgraph_and_log_line_share(
    start_router: StartRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    async with start_router(telemetry={"log_level": "info", "log_format": "json"}) as router:
        named, unnamed = await connected(router, **{"x-request-id": "mine"}), await connected(router)
        received = []
        for socket in (named, named, unnamed):
            await socket.send_json({"id": "q", "type": "subscribe", "payload": {"query": "{ headers }"}})
            lines = (await socket.receive_json(timeout=60))["payload"]["data"]["headers"]
            received += [line.removeprefix("x-request-id: ") for line in lines if line.startswith("x-request-id")]
            assert (await socket.receive_json(timeout=60))["type"] == "complete"
        await named.close()
        await unnamed.close()
    assert received[:2] == ["mine.1", "mine.2"]
    assert received[2].endswith(".1")
    logged = [orjson.loads(line) for line in capsys.readouterr().out.splitlines() if '"method":"WEBSOCKET"' in line]
    assert [each["request_id"] for each in logged] == received


async def test_complete_ends_the_subscription_at_the_subgraph(router: RunningRouter, shop: Shop) -> None:
    socket = await connected(router)
    payload = {"query": TICKS, "variables": {"n": 1000, "p": 0.01}}
    await socket.send_json({"id": "a", "type": "subscribe", "payload": payload})
    await socket.receive_json(timeout=60)
    assert shop.open_ticks == 1
    await socket.send_json({"id": "a", "type": "complete"})
    async with asyncio.timeout(60):
        while shop.open_ticks:
            await asyncio.sleep(0.01)
    await socket.close()


async def test_many_operations_of_one_client_begin_and_end_a_few_in_each_turn_of_the_loop(
    router: RunningRouter, shop: Shop
) -> None:
    socket = await connected(router)
    operations = SUBSCRIPTIONS.labels("websocket")._value
    payload = {"query": TICKS, "variables": {"n": 1000, "p": 30}}
    with measured_each_turn(operations.get) as beginning:
        for number in range(100):
            await socket.send_json({"id": str(number), "type": "subscribe", "payload": payload})
        async with asyncio.timeout(60):
            while operations.get() < 100:
                await asyncio.sleep(0)
    with measured_each_turn(operations.get) as ending:
        await socket.close()
        async with asyncio.timeout(60):
            while operations.get():
                await asyncio.sleep(0)
    assert 0 < beginning.most <= 2 * AT_ONCE  # those let in, and those who ask when they are
    assert 0 < ending.most <= 2 * AT_ONCE


async def test_a_client_that_vanishes_ends_its_subscriptions(router: RunningRouter, shop: Shop) -> None:
    socket = await connected(router)
    for name in "ab":
        payload = {"query": TICKS, "variables": {"n": 1000, "p": 0.01}}
        await socket.send_json({"id": name, "type": "subscribe", "payload": payload})
    await socket.receive_json(timeout=60)
    await socket.close()
    async with asyncio.timeout(60):
        while shop.open_ticks:
            await asyncio.sleep(0.01)


async def test_a_refused_operation_is_an_error_message_and_leaves_the_connection(router: RunningRouter) -> None:
    socket = await connected(router)
    await socket.send_json({"id": "a", "type": "subscribe", "payload": {"query": "{ nope }"}})
    message = await socket.receive_json(timeout=60)
    assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "GRAPHQL_VALIDATION_FAILED")
    await socket.send_json({"id": "a", "type": "subscribe", "payload": {"query": "{ __typename }"}})
    assert (await socket.receive_json(timeout=60))["payload"] == {"data": {"__typename": "Query"}}
    await socket.close()


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["not json"], 4400),
        (['{"type":"nonsense"}'], 4400),
        (['{"id":"a","type":"subscribe","payload":{"query":"{ __typename }"}}'], 4401),
        (['{"type":"connection_init","payload":{"Authorization":"Bearer x"}}'], 4403),
        (['{"type":"connection_init"}', '{"type":"connection_init"}'], 4429),
        (
            ['{"type":"connection_init"}']
            + 2 * ['{"id":"a","type":"subscribe","payload":{"query":"{ slow(seconds: 5) }"}}'],
            4409,
        ),
    ],
)
async def test_who_breaks_the_protocol_is_closed_with_its_code(
    router: RunningRouter, messages: list[str], code: int
) -> None:
    socket = await router.session.ws_connect(router.url, protocols=(PROTOCOL,))
    for message in messages:
        await socket.send_str(message)
    assert await closed_with(socket) == code


async def test_an_unknown_subprotocol_is_not_acceptable(router: RunningRouter) -> None:
    socket = await router.session.ws_connect(router.url)
    assert await closed_with(socket) == 4406


async def test_a_silent_client_runs_out_of_time(start_router: StartRouter) -> None:
    async with start_router(subscriptions={"init_timeout_seconds": 0.1}) as router:
        socket = await router.session.ws_connect(router.url, protocols=(PROTOCOL,))
        assert await closed_with(socket) == 4408


async def test_the_connection_ends_with_its_token(start_router: StartRouter) -> None:
    async with start_router() as router:
        socket = await connected(router, Authorization=token(lifetime_seconds=0.5))
        assert await closed_with(socket) == 4403  # which clients of graphql-ws take as: connect again, with a new token


async def test_pings_are_answered_and_sent(start_router: StartRouter) -> None:
    async with start_router(subscriptions={"heartbeat_seconds": 0.05}) as router:
        socket = await connected(router)
        await socket.send_json({"type": "ping", "payload": {"a": 1}})
        messages = [await socket.receive_json(timeout=60) for _ in range(2)]
        assert {"type": "pong", "payload": {"a": 1}} in messages
        assert {"type": "ping"} in messages
        assert await closed_with(socket) == 1001  # it never answered a ping


async def test_an_old_client_is_served_in_its_own_words(router: RunningRouter) -> None:
    socket = await router.session.ws_connect(router.url, protocols=("graphql-ws",))
    await socket.send_json({"type": "connection_init", "payload": {}})
    await socket.send_json({"id": "1", "type": "start", "payload": {"query": "subscription { ticks(count: 1) { n } }"}})
    messages = [await socket.receive_json(timeout=60) for _ in range(4)]
    assert messages == [
        {"type": "connection_ack"},
        {"type": "ka"},
        {"id": "1", "type": "data", "payload": {"data": {"ticks": {"n": 0}}}},
        {"id": "1", "type": "complete"},
    ]
    await socket.close()


@pytest.mark.parametrize(
    ("origin", "host", "is_opened"),
    [
        (None, None, True),  # no browser
        ("http://api.example", "api.example", True),
        ("https://API.example:8443", "api.example:8443", True),
        ("https://app.example", "api.example", True),
        ("https://evil.example", "api.example", False),
        ("http://api.example:81", "api.example", False),
        ("http://api.example.evil.example", "api.example", False),
        ("null", "api.example", False),
        ("http://rebound.example", "rebound.example", False),
    ],
)
async def test_pages_of_foreign_origins_open_no_socket(
    start_router: StartRouter, origin: str | None, host: str | None, is_opened: bool
) -> None:
    settings = {"cors": {"origins": ["https://app.example"]}, "allowed_hosts": ["api.example", "127.0.0.1"]}
    headers = {name: value for name, value in (("origin", origin), ("host", host)) if value is not None}
    async with start_router(**settings) as router:
        for protocol in (PROTOCOL, "graphql-ws"):
            opening = router.session.ws_connect(router.url, protocols=(protocol,), headers=headers)
            if is_opened:
                await (await opening).close()
            else:
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await opening
                assert refused.value.status == 403


async def test_a_client_has_so_many_pings_before_it_says_who_it_is(router: RunningRouter) -> None:
    socket = await router.session.ws_connect(router.url, protocols=(PROTOCOL,))
    for _ in range(101):
        await socket.send_json({"type": "ping"})
    for _ in range(100):
        assert await socket.receive_json(timeout=60) == {"type": "pong"}
    assert await closed_with(socket) == 4400
    socket = await connected(router)
    for _ in range(300):
        await socket.send_json({"type": "ping"})
    for _ in range(300):
        assert await socket.receive_json(timeout=60) == {"type": "pong"}
    await socket.close()
