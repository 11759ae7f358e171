"""Servers beside another in one process: all accept before the first request, one that cannot start is told, all stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from router.server import one_process
from router.server.app import create_app
from router.server.side_server import DidNotStartError, accepting
from router.server.workers import bound_socket
from router.settings import load_settings
from schema import SubgraphSource, compose

HOST = "127.0.0.1"


async def _hello(_: Request) -> Response:
    return PlainTextResponse("hello")


def noting(happened: list[str], *, fails: bool = False) -> Starlette:
    """An application that notes its start and its stop."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if fails:
            raise ValueError("no database")
        happened.append("started")
        yield
        happened.append("stopped")

    return Starlette(routes=[Route("/", _hello)], lifespan=lifespan)


def configured(application: Starlette) -> uvicorn.Config:
    return uvicorn.Config(application, lifespan="on", log_config=None, access_log=False)


async def test_servers_accept_within_the_block_and_have_stopped_after_it() -> None:
    happened: list[str] = []
    with bound_socket(HOST, 0, is_shared=False) as one, bound_socket(HOST, 0, is_shared=False) as two:
        ports = [listener.getsockname()[1] for listener in (one, two)]
        served = [(configured(noting(happened)), listener) for listener in (one, two)]
        async with accepting(*served), aiohttp.ClientSession() as session:
            for port in ports:
                async with session.get(f"http://{HOST}:{port}/") as response:
                    assert await response.text() == "hello"
    assert happened == ["started", "started", "stopped", "stopped"]
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, port)


async def test_a_socket_that_cannot_be_listened_on_is_told_instead_of_waited_for() -> None:
    happened: list[str] = []
    closed = socket.create_server((HOST, 0))
    closed.close()
    with bound_socket(HOST, 0, is_shared=False) as good, pytest.raises(DidNotStartError) as told:
        async with (
            asyncio.timeout(60),
            accepting((configured(noting(happened)), good), (configured(noting([])), closed)),
        ):
            raise AssertionError("one of the servers cannot accept")
    assert isinstance(told.value.__cause__, OSError)
    assert happened == ["started", "stopped"]


async def test_an_application_that_does_not_start_ends_no_process() -> None:
    with bound_socket(HOST, 0, is_shared=False) as listener, pytest.raises(DidNotStartError) as told:
        async with asyncio.timeout(60), accepting((configured(noting([], fails=True)), listener)):
            raise AssertionError("the application cannot be served")
    assert str(told.value.__cause__) == "the application did not start; its log says why"


def test_the_subgraphs_stop_after_the_router_and_before_the_signal_ends_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Loggers are set up once for a process and keep their stream: that of this test would be closed under those that follow.
    monkeypatch.setattr(one_process, "configure_logging", lambda *_, **__: None)
    happened: list[str] = []
    supergraph = tmp_path / "supergraph.graphql"
    composed = compose([SubgraphSource("alpha", "type Query { a: String }", "http://alpha.invalid/graphql")])
    assert composed.supergraph_sdl is not None
    supergraph.write_text(composed.supergraph_sdl)
    settings = load_settings(
        None, {}, supergraph=supergraph, port=0, drain_idle_seconds=0, telemetry={"log_level": "error"}
    )

    def accepts() -> None:
        happened.append("router accepts")
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, lambda *_: happened.append("signal"))
    try:
        with bound_socket(HOST, 0, is_shared=False) as listener:
            one_process.run(settings, create_app, [(configured(noting(happened)), listener)], accepts)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert happened[:3] == ["started", "router accepts", "stopped"]
    assert set(happened[3:]) == {"signal"}
