"""One generation of a child after the other on one socket: nothing is refused, and a broken successor changes nothing."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGKILL

import aiohttp
import pytest

from deploy.child import ChildError, ChildSpec
from deploy.local_http import http_ok
from deploy.supervisor import Supervisor

ROOT = Path(__file__).parents[3]
SERVER = """
import asyncio, uvicorn
from deploy.handover import inherited_listener, say_that_it_accepts
from router.server.draining import DrainingServer
from pathlib import Path

GENERATION = Path("generation").read_text()
assert GENERATION.isdigit()

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    await asyncio.sleep(1.0 if scope["path"] == "/slow" else 0)
    headers = [(b"content-length", str(len(GENERATION)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": GENERATION.encode()})

config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=5)

class Application:
    def begin_draining(self): pass
    def end_streams(self): pass

DrainingServer(config, Application(), on_started=say_that_it_accepts, idle_seconds=0.5).run([inherited_listener()])
"""


@pytest.fixture
async def listener() -> AsyncIterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    async with Supervisor(lambda _name, _line: None, lambda _name, _news: None) as supervisor:
        yield supervisor


@pytest.fixture
async def url(tmp_path: Path, listener: socket.socket, supervisor: Supervisor) -> str:
    """Where the first generation serves, as a child called `server`."""
    (tmp_path / "generation").write_text("1")
    (tmp_path / "server.py").write_text(SERVER)
    port = listener.getsockname()[1]
    command = (sys.executable, "-c", f"import os; os.chdir({str(tmp_path)!r}); exec(open('server.py').read())")
    environment = {"PYTHONPATH": str(ROOT)}
    await supervisor.start(ChildSpec("server", command, port, http_ok(port, "/"), environment, listener=listener))
    return f"http://127.0.0.1:{port}"


async def test_a_successor_takes_over_under_load(url: str, tmp_path: Path, supervisor: Supervisor) -> None:
    answers: list[str] = []
    (tmp_path / "generation").write_text("2")
    async with aiohttp.ClientSession() as session:

        async def ask(path: str) -> str:
            async with session.post(url + path) as response:
                return await response.text()

        async def keep_asking() -> None:
            while True:
                answers.append(await ask("/"))
                await asyncio.sleep(0.005)

        asking = [asyncio.create_task(keep_asking()) for _ in range(4)]
        live = await session.ws_connect(url)
        slow = asyncio.create_task(ask("/slow"))
        await asyncio.sleep(0.3)
        old = supervisor.pids["server"]
        await supervisor.replace(["server"])
        before = len(answers)
        await asyncio.sleep(0.3)
        assert not any(task.done() for task in asking)
        for task in asking:
            task.cancel()
        await asyncio.wait(asking)
        assert await slow == "1"
        assert (await live.receive(timeout=60)).data == 1012
    assert supervisor.pids["server"] != old
    assert set(answers[:before]) == {"1", "2"}
    assert set(answers[before:]) == {"2"}


async def test_a_successor_that_cannot_start_leaves_its_predecessor(
    url: str, tmp_path: Path, supervisor: Supervisor
) -> None:
    (tmp_path / "generation").write_text("two")
    old = supervisor.pids["server"]
    with pytest.raises(ChildError, match="AssertionError"):
        await supervisor.replace(["server"])
    assert supervisor.pids["server"] == old
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert await response.text() == "1"


async def test_a_killed_child_refuses_nobody_while_it_comes_back(url: str, supervisor: Supervisor) -> None:
    supervisor.signal_child("server", SIGKILL)
    await asyncio.sleep(0.1)
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert await response.text() == "1"
