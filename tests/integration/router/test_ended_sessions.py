"""Sessions that a subgraph tells as ended: their tokens are refused by the router, also for what it has cached."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.testkit.running_router import SECRET, StartRouter, token
from tests.testkit.servers import Valkey
from tests.testkit.strawberry_shop import Shop

NAME_AND_EMAIL = '{ user(id: "u1") { name email } }'
TICKS = "subscription { ticks(count: 1000, pause: 0.02) { n } }"
EVENTS = {"accept": "text/event-stream"}


@dataclass
class Teller:
    """In front of a subgraph: hands operations on, and tells which sessions ended."""

    url: str = ""
    ended: dict[str, float] = field(default_factory=dict)
    asked_since: list[float | None] = field(default_factory=list)
    status: int = 200
    ahead: float = 0.0  # so many seconds is its clock ahead

    async def tell(self, request: web.Request) -> web.Response:
        since = request.query.get("since")
        self.asked_since.append(None if since is None else float(since))
        told = {session: at for session, at in self.ended.items() if since is None or at >= float(since)}
        return web.json_response({"at": time.time() + self.ahead, "ended": told}, status=self.status)

    def end(self, session: str) -> None:
        self.ended[session] = time.time() + self.ahead


@pytest.fixture
async def teller(shop: Shop) -> AsyncIterator[Teller]:
    told = Teller()
    subgraph = f"http://127.0.0.1:{shop.ports['accounts']}/graphql"
    async with aiohttp.ClientSession() as session:

        async def hand_on(request: web.Request) -> web.Response:
            names = ("content-type", "authorization")
            headers = {name: request.headers[name] for name in names if name in request.headers}
            async with session.post(subgraph, data=await request.read(), headers=headers) as answer:
                return web.Response(body=await answer.read(), content_type="application/json")

        application = web.Application()
        application.router.add_post("/graphql", hand_on)
        application.router.add_get("/over", told.tell)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        told.url = f"http://127.0.0.1:{runner.addresses[0][1]}/graphql"
        yield told
        await runner.cleanup()


@pytest.fixture
def settings(teller: Teller) -> dict[str, Any]:
    ended = {"subgraph": "accounts", "path": "/over", "refresh_seconds": 0.1}
    keys = [{"secret": SECRET, "kid": "new"}]
    return {
        "jwt": {"keys": keys, "issuers": ["shop"], "audiences": ["shop"], "ended_sessions": ended},
        "subgraphs": {"accounts": {"url": teller.url}},
    }


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await holds():
            await asyncio.sleep(0.02)


async def test_what_is_cached_for_a_caller_ends_with_the_session(
    start_router: StartRouter, settings: dict[str, Any], teller: Teller, shop: Shop, valkey: Valkey, tmp_path: Any
) -> None:
    query = "{ me { name } }"
    ended, other = token("u1", sid="s1"), token("u1", sid="s2")
    async with start_router(redis_url=valkey.url, response_cache={"key_prefix": tmp_path.name}, **settings) as router:
        for authorization in (ended, ended, other):
            assert (await router.ask(query, authorization=authorization))["data"] == {"me": {"name": "Ann"}}
        kept = shop.requests["accounts"]
        teller.end("s1")

        async def is_over() -> bool:
            return bool((await router.ask(query, authorization=ended))["data"] == {"me": None})

        await eventually(is_over)
        assert (await router.ask(query, authorization=other))["data"] == {"me": {"name": "Ann"}}
        assert shop.requests["accounts"] - kept <= 1  # nobody's question; the session that goes on has its answer still


async def test_a_token_of_an_ended_session_is_nobodys(
    start_router: StartRouter, settings: dict[str, Any], teller: Teller
) -> None:
    teller.end("s1")
    headers = {"authorization": token("u1", sid="s1")}
    async with start_router(**settings) as router:  # which reads the set before it serves
        async with router.session.post(router.url, json={"query": NAME_AND_EMAIL}, headers=headers) as response:
            answer = await response.json()
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert answer["data"] == {"user": {"name": "Ann", "email": None}}
        assert answer["errors"][0]["extensions"]["reason"] == "SESSION_ENDED"
        assert (await router.ask("{ token }", **headers))["data"] == {"token": None}
        for others in (token("u1", sid="s2"), token("u1", sid=7), token("u1")):
            assert (await router.ask(NAME_AND_EMAIL, authorization=others))["data"]["user"]["email"] == "u1@example.com"
    settings["jwt"]["required"] = True
    async with (
        start_router(**settings) as router,
        router.session.post(router.url, json={"query": "{ token }"}, headers=headers) as response,
    ):
        assert response.status == 401
        assert (await response.json())["errors"][0]["extensions"]["reason"] == "SESSION_ENDED"


async def test_streams_end_with_the_session_and_no_others_do(
    start_router: StartRouter, settings: dict[str, Any], teller: Teller
) -> None:
    ended, other = ({"authorization": token("u1", sid=session)} for session in ("s1", "s2"))
    async with start_router(**settings) as router:
        socket = await router.session.ws_connect(router.url, protocols=("graphql-transport-ws",))
        await socket.send_json({"type": "connection_init", "payload": ended})
        await socket.receive_json(timeout=60)
        await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": TICKS}})
        ask = {"json": {"query": TICKS}}
        async with (
            router.session.post(router.url, **ask, headers=ended | EVENTS) as stream,
            router.session.post(router.url, **ask, headers=other | EVENTS) as going_on,
            asyncio.timeout(60),
        ):
            await stream.content.readuntil(b"\n\n")
            await socket.receive_json()
            teller.end("s1")
            assert not (await stream.content.read()).endswith(
                b"event: complete\ndata:\n\n"
            )  # it asks anew, and is refused
            while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
            assert (message.data, message.extra) == (4403, "Forbidden: the token was refused (SESSION_ENDED)")
            for _ in range(5):
                assert b"event: next" in await going_on.content.readuntil(b"\n\n")


async def test_what_was_told_stays_while_nobody_tells_and_is_not_asked_for_again(
    start_router: StartRouter, settings: dict[str, Any], teller: Teller
) -> None:
    teller.end("s1")
    async with start_router(**settings) as router:
        for status in (503, 200):
            teller.ended.clear()
            teller.status = status
            asked = len(teller.asked_since)

            async def was_asked_twice(asked: int = asked) -> bool:
                return len(teller.asked_since) >= asked + 2

            await eventually(was_asked_twice)
            answer = await router.ask(NAME_AND_EMAIL, authorization=token("u1", sid="s1"))
            assert answer["errors"][0]["extensions"]["reason"] == "SESSION_ENDED"
    first, *later = teller.asked_since
    assert first is None
    assert all(since is not None and since > time.time() - 60 for since in later)


async def test_a_session_is_forgotten_once_no_token_of_it_can_hold(
    start_router: StartRouter, settings: dict[str, Any], teller: Teller
) -> None:
    settings["jwt"]["ended_sessions"]["remember_seconds"] = 0.3
    teller.end("s1")
    async with start_router(**settings) as router:
        teller.ended.clear()

        async def is_forgotten() -> bool:
            return "errors" not in await router.ask(NAME_AND_EMAIL, authorization=token("u1", sid="s1"))

        await eventually(is_forgotten)


@pytest.mark.parametrize("leap", [3_600.0, -3_600.0, 10 * 365.25 * 86_400])
async def test_a_session_stays_ended_while_and_after_the_tellers_clock_leaps(
    start_router: StartRouter, teller: Teller, settings: dict[str, Any], leap: float
) -> None:
    async with start_router(**settings) as router:
        before, meanwhile = (token("u1", sid=session) for session in ("before", "meanwhile"))

        async def comes_to_be_refused(bearer: str) -> None:
            async with asyncio.timeout(60):
                while "errors" not in await router.ask(NAME_AND_EMAIL, authorization=bearer):
                    await asyncio.sleep(0.02)

        async def is_read_again() -> None:
            number = len(teller.asked_since)
            async with asyncio.timeout(60):
                while len(teller.asked_since) < number + 3:
                    await asyncio.sleep(0.02)

        teller.end("before")
        await comes_to_be_refused(before)
        assert "errors" not in await router.ask(NAME_AND_EMAIL, authorization=meanwhile)
        teller.ahead = leap
        await is_read_again()
        teller.end("meanwhile")
        await comes_to_be_refused(meanwhile)
        teller.ahead = 0.0
        await is_read_again()
        for bearer in (before, meanwhile):
            assert "errors" in await router.ask(NAME_AND_EMAIL, authorization=bearer)


@pytest.mark.parametrize("leap", [3_600.0, -3_600.0, 10 * 365.25 * 86_400])
async def test_tokens_hold_and_expire_as_before_while_the_routers_clock_leaps(
    start_router: StartRouter, teller: Teller, settings: dict[str, Any], leap: float
) -> None:
    async with start_router(**settings) as router:
        known, over = token("u1", sid="known"), token("u1", sid="over")
        teller.end("over")
        async with asyncio.timeout(60):
            while "errors" not in await router.ask(NAME_AND_EMAIL, authorization=over):
                await asyncio.sleep(0.02)
        assert "errors" not in await router.ask(NAME_AND_EMAIL, authorization=known)
        clock = router.app.door.authenticator._ended.clock
        clock._wall = lambda: time.time() + leap
        for bearer in (known, token("u1", sid="new")):
            assert "errors" not in await router.ask(NAME_AND_EMAIL, authorization=bearer)
        for bearer in (over, token("u1", sid="late", lifetime_seconds=-60)):
            assert "errors" in await router.ask(NAME_AND_EMAIL, authorization=bearer)
        clock._wall = time.time
        assert "errors" in await router.ask(NAME_AND_EMAIL, authorization=over)
