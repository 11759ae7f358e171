"""Subgraphs of one process name themselves in its log, and nothing else is named after them."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Receive, Scope, Send
from structlog.contextvars import get_contextvars

from deploy.in_process import mounted_applications, with_name
from router.transport.in_process import InProcessTransport
from router.transport.protocol import SubgraphRequest


async def tells_its_name(_scope: Scope, _receive: Receive, send: Send) -> None:
    """In a task of its own, as the loops that a lifespan starts."""
    told = await asyncio.create_task(_bound())
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": told.encode()})


async def _bound() -> str:
    return str(get_contextvars().get("subgraph"))


async def test_each_request_is_logged_with_its_subgraphs_name() -> None:
    transport = InProcessTransport({name: with_name(name, tells_its_name) for name in ("users", "nutrition")})
    names = ("users", "nutrition", "users")
    answers = await asyncio.gather(*(transport.send(SubgraphRequest(name, "", b"{}", ())) for name in names))
    assert [answer.body.decode() for answer in answers] == list(names)
    assert "subgraph" not in get_contextvars()


def test_making_the_applications_names_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USERS", "NUTRITION", "WORKOUTS", "ANALYTICS"):
        monkeypatch.setenv(f"DATABASE_URL_{name}", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("JWT_SECRET", "a secret of thirty-two characters")
    assert sorted(mounted_applications()) == ["analytics", "nutrition", "users", "workouts"]
    assert "subgraph" not in get_contextvars()
