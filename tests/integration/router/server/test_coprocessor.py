"""A coprocessor on a real port: what it is sent at each stage, what its verdicts do, and what happens without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from tests.testkit.running_router import RunningRouter, StartRouter, token
from tests.testkit.strawberry_shop import Shop, serving

ME = "query Me { me { name } }"
STAGES = ["request", "subgraph_request", "subgraph_answer", "response", "event"]


class Judge:
    """An ASGI application: verdicts by stage; notes the calls."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Any] = {}
        self.calls: list[dict[str, Any]] = []
        self.status = 200
        self.pause = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        call = orjson.loads(body)
        call["secret"] = dict(scope["headers"]).get(b"x-secret", b"").decode()
        self.calls.append(call)
        await asyncio.sleep(self.pause)
        verdict = self.verdicts.get(call["stage"], {})
        answer = verdict if isinstance(verdict, bytes) else orjson.dumps(verdict)
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": answer})


@pytest.fixture
async def judge() -> AsyncIterator[tuple[Judge, dict[str, Any]]]:
    judge = Judge()
    async with serving(judge) as port:
        url = f"http://127.0.0.1:{port}/judge"
        yield judge, {"url": url, "stages": STAGES, "timeout_seconds": 60, "headers": {"x-secret": "ours"}}


def code(answer: Any) -> str:
    return str(answer["errors"][0]["extensions"]["code"])


async def test_each_stage_is_told_what_it_is_about_and_nothing_changes_without_a_word(
    start_router: StartRouter, judge: tuple[Judge, dict[str, Any]]
) -> None:
    server, settings = judge
    async with start_router(coprocessor=settings) as router:
        assert await router.ask(ME, authorization=token("u1")) == {"data": {"me": {"name": "Ann"}}}
    assert [call["stage"] for call in server.calls] == STAGES[:4]
    request, to_subgraph, from_subgraph, response = server.calls
    assert (request["version"], request["secret"], request["query"], request["subject"]) == (1, "ours", ME, "u1")
    assert request["claims"]["iss"] == "shop"
    assert to_subgraph["subgraph"] == "accounts"
    assert to_subgraph["body"]["query"].startswith("query")
    assert from_subgraph["body"] == response["body"] == {"data": {"me": {"name": "Ann"}}}


async def test_verdicts_change_what_goes_on(
    start_router: StartRouter, judge: tuple[Judge, dict[str, Any]], shop: Shop
) -> None:
    server, settings = judge
    async with start_router(coprocessor=settings) as router:
        server.verdicts["request"] = {"query": "query($id: ID!) { user(id: $id) { name } }", "variables": {"id": "u2"}}
        assert (await router.ask(ME))["data"] == {"user": {"name": "Ben"}}
        server.verdicts = {"subgraph_answer": {"body": {"data": {"user": {"name": "Zoe"}}}}}
        assert (await router.ask('{ user(id: "u1") { name } }'))["data"] == {"user": {"name": "Zoe"}}
        server.verdicts = {"response": {"body": {"data": None, "extensions": {"note": "replaced"}}}}
        assert await router.ask(ME) == {"data": None, "extensions": {"note": "replaced"}}
        assert shop.requests["accounts"] == 3


@pytest.mark.parametrize("stage", ["request", "subgraph_request", "subgraph_answer", "response"])
async def test_it_may_refuse_at_each_stage(
    start_router: StartRouter, judge: tuple[Judge, dict[str, Any]], stage: str
) -> None:
    server, settings = judge
    async with start_router(coprocessor=settings) as router:
        server.verdicts[stage] = {"refuse": {"code": "NOT_TODAY", "message": "It is Sunday.", "status": 451}}
        answer = await router.ask(ME, authorization=token())
        assert code(answer) == "NOT_TODAY"
        assert answer.get("data") in (None, {"me": None})


@pytest.mark.parametrize(
    "failure", [{"status": 500}, {"pause": 30.0}, {"verdicts": {"request": b"no JSON"}}, {"verdicts": {"request": {"question": "x"}}}]
)  # fmt: skip
async def test_without_a_verdict_it_is_refused_or_goes_on_as_the_settings_say(
    start_router: StartRouter, judge: tuple[Judge, dict[str, Any]], failure: dict[str, Any]
) -> None:
    server, settings = judge
    for name, value in failure.items():
        setattr(server, name, value)
    settings |= {"stages": ["request"], "timeout_seconds": 0.2 if "pause" in failure else 60}
    async with start_router(coprocessor=settings) as router:
        assert code(await router.ask(ME, authorization=token())) == "COPROCESSOR_FAILED"
    async with start_router(coprocessor={**settings, "when_it_fails": "go_on"}) as router:
        assert (await router.ask(ME, authorization=token()))["data"] == {"me": {"name": "Ann"}}


async def events_of(router: RunningRouter, query: str) -> list[Any]:
    async with router.session.ws_connect(router.url, protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init"})
        assert (await socket.receive_json())["type"] == "connection_ack"
        await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})
        told = []
        while (message := await socket.receive_json(timeout=60))["type"] == "next":
            told.append(message["payload"])
        assert message["type"] == "complete"
        return told


async def test_events_of_subscriptions_are_changed_or_kept_back(
    start_router: StartRouter, judge: tuple[Judge, dict[str, Any]]
) -> None:
    server, settings = judge
    async with start_router(coprocessor=settings) as router:
        ticks = "subscription { ticks(count: 2) { n } }"
        assert await events_of(router, ticks) == [{"data": {"ticks": {"n": 0}}}, {"data": {"ticks": {"n": 1}}}]
        server.verdicts["event"] = {"body": {"data": {"ticks": {"n": 9}}}}
        assert await events_of(router, ticks) == [{"data": {"ticks": {"n": 9}}}] * 2
        server.verdicts["event"] = {"body": None}
        assert await events_of(router, ticks) == []
