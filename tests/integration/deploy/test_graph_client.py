"""How a long job keeps asking: a server that scripts its answers tells what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.errors import FriendlyError
from deploy.personal_data.graph_client import Credentials, GraphError, graph_client

ME = {"data": {"me": {"id": "user_1"}}}
QUESTION = "{ me { id } }"


def tokens(field: str, number: int) -> dict[str, Any]:
    return {"data": {field: {"accessToken": f"access-{number}", "refreshToken": f"refresh-{number}", "userErrors": []}}}


def refusal(code: str, **told: Any) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": "no", "extensions": {"code": code, **told}}]}


@asynccontextmanager
async def scripted(*answers: dict[str, Any] | web.Response) -> AsyncIterator[tuple[str, list[tuple[str | None, Any]]]]:
    """The server's address, and (authorization, variables) of each request so far. Logging out is not in the script."""
    asked: list[tuple[str | None, Any]] = []
    script = iter(answers)

    async def answer(request: web.Request) -> web.Response:
        body = await request.json()
        if "logout" in body["query"]:
            return web.json_response({"data": {"logout": {"endedSessions": 1}}})
        asked.append((request.headers.get("authorization"), body["variables"]))
        told = next(script)
        return told if isinstance(told, web.Response) else web.json_response(told)

    app = web.Application()
    app.router.add_post("/graphql", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/graphql")), asked


async def answers_of(url: str, ask_code: str = "") -> Any:
    credentials = Credentials("me@example.com", "secret", lambda: ask_code)
    async with graph_client(url, credentials=credentials, token=None) as client:
        return await client.ask(QUESTION, {})


async def test_a_token_that_ended_is_renewed_and_the_question_asked_again() -> None:
    expired = refusal("UNAUTHENTICATED", reason="EXPIRED")
    async with scripted(tokens("login", 1), expired, tokens("refresh", 2), ME) as (url, asked):
        assert await answers_of(url) == {"me": {"id": "user_1"}}
    assert [authorization for authorization, _ in asked] == [
        None,
        "Bearer access-1",
        "Bearer access-1",
        "Bearer access-2",
    ]
    assert asked[2][1] == {"input": {"refreshToken": "refresh-1"}}


async def test_the_code_of_the_second_factor_is_asked_for_when_it_is_wanted() -> None:
    wanted = refusal("UNAUTHENTICATED", reason="SECOND_FACTOR")
    async with scripted(wanted, tokens("login", 1), ME) as (url, asked):
        assert await answers_of(url, ask_code="123456") == {"me": {"id": "user_1"}}
    assert "secondFactor" not in asked[0][1]["input"]
    assert asked[1][1]["input"]["secondFactor"] == "123456"


async def test_a_busy_server_is_asked_again_when_it_said_so() -> None:
    too_many = web.json_response({}, status=429, headers={"retry-after": "0"})
    async with (
        scripted(too_many, refusal("RATE_LIMITED", retryAfterSeconds=0), ME) as (url, asked),
        graph_client(url, credentials=None, token="given") as client,
    ):
        assert await client.ask(QUESTION, {}) == {"me": {"id": "user_1"}}
    assert [authorization for authorization, _ in asked] == ["Bearer given"] * 3


async def test_what_is_refused_for_good_is_not_asked_again() -> None:
    async with (
        scripted(refusal("VALIDATION_ERROR")) as (url, asked),
        graph_client(url, credentials=None, token="given") as client,
    ):
        with pytest.raises(GraphError, match=r"no .*VALIDATION_ERROR"):
            await client.ask(QUESTION, {})
    assert len(asked) == 1


@pytest.mark.parametrize("answer", [{"text": "<html>"}, {"body": b"[1]"}])
async def test_an_address_that_is_no_graph_is_a_sentence(answer: Any) -> None:
    async with scripted(web.Response(**answer)) as (url, _), graph_client(url, credentials=None, token="t") as client:
        with pytest.raises(FriendlyError, match=r"JSON|GraphQL server"):
            await client.ask(QUESTION, {})


async def test_partial_data_counts_as_none() -> None:
    partial = {"data": {"me": None}, "errors": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}]}
    async with scripted(partial) as (url, _), graph_client(url, credentials=None, token="t") as client:
        with pytest.raises(GraphError):
            await client.ask(QUESTION, {})


async def test_an_address_where_nothing_is_is_told_at_once_and_a_server_that_went_away_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("deploy.personal_data.graph_client.PAUSES", (0.01, 0.01))
    async with (
        scripted(ME) as (url, _),
        graph_client(url, credentials=None, token="t") as client,
        graph_client("http://127.0.0.1:1/graphql", credentials=None, token="t") as elsewhere,
    ):
        with pytest.raises(FriendlyError, match="cannot be reached"):
            await elsewhere.ask(QUESTION, {})
        assert await client.ask(QUESTION, {}) == {"me": {"id": "user_1"}}
        port = url.split(":")[2].partition("/")[0]
        monkeypatch.setattr(client, "_url", url.replace(port, "1"))
        with pytest.raises(FriendlyError, match="gave no answer"):  # after all the pauses
            await client.ask(QUESTION, {})
