"""The whole platform as `fittracker up` starts it, on free ports, and people who use it through the router."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from deploy.data_directory import DataDirectory, StackState

ROOT = Path(__file__).parents[2]
PASSWORD = "Password123!"
START_SECONDS = 150

_numbers = itertools.count(1)

REGISTER = """mutation($input: RegisterInput!) {
  register(input: $input) { accessToken refreshToken user { id email } }
}"""


@dataclass
class RunningStack:
    """`directory` is its data directory, where stack.json tells pids and ports."""

    directory: DataDirectory
    session: aiohttp.ClientSession
    process: asyncio.subprocess.Process

    @property
    def state(self) -> StackState:
        state = self.directory.read_state()
        assert state is not None, "the stack is not up"
        return state

    async def post(self, body: Any, **headers: str) -> tuple[int, Any]:
        """A POST to the router: its status and its parsed answer. `body` is JSON data, or bytes to send as they are."""
        data = {"data": io.BytesIO(body)} if isinstance(body, bytes) else {"json": body}
        sent = {"content-type": "application/json", **headers}
        async with self.session.post(self.state.router_url, headers=sent, **data) as response:
            return response.status, await response.json(content_type=None)

    async def register(self, **details: Any) -> Visitor:
        """A new person, signed in."""
        email = f"person-{next(_numbers)}-{time.time_ns()}@example.com"
        given = {"email": email, "password": PASSWORD, "displayName": "A Person", "timeZone": "UTC", **details}
        _, answer = await self.post({"query": REGISTER, "variables": {"input": given}})
        assert "errors" not in answer, answer
        session = answer["data"]["register"]
        return Visitor(self, email, session["user"]["id"], session["accessToken"], session["refreshToken"])

    async def kill(self, name: str, kind: signal.Signals = signal.SIGKILL) -> None:
        """A signal to one child, and wait until the supervisor has put another in its place."""
        old = self.state.pids[name]
        os.kill(old, kind)
        await eventually(lambda: self._is_replaced(name, old), seconds=60)

    async def _is_replaced(self, name: str, old: int) -> bool:
        return self.state.pids.get(name, old) != old


REFRESH = "mutation($token: String!) { refresh(input: { refreshToken: $token }) { accessToken refreshToken userErrors { code } } }"


@dataclass
class Visitor:
    """A signed-in person."""

    stack: RunningStack
    email: str
    id: str
    access_token: str
    refresh_token: str

    async def ask(self, query: str, variables: Any = None) -> Any:
        """The whole answer."""
        body = {"query": query, "variables": variables}
        _, answer = await self.stack.post(body, authorization=f"Bearer {self.access_token}")
        return answer

    async def data(self, query: str, variables: Any = None) -> Any:
        """The answer's data; the test fails on errors."""
        answer = await self.ask(query, variables)
        assert "errors" not in answer, answer
        return answer["data"]

    async def refresh(self) -> None:
        """New tokens for the old ones, as a client does before they end. Raises aiohttp.ClientError, OSError, ValueError or
        KeyError where nobody gave any: the old refresh token is good for another try.
        """
        _, answer = await self.stack.post({"query": REFRESH, "variables": {"token": self.refresh_token}})
        made = (answer.get("data") or {}).get("refresh") or {}
        self.access_token, self.refresh_token = made["accessToken"], made["refreshToken"]

    async def insist(self, query: str, variables: Any = None, *, seconds: float = 60) -> Any:
        """As a client that retries: asks again until it gets data. The operation needs an idempotency key if it writes."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = await self.ask(query, variables)
            except (aiohttp.ClientError, OSError):
                answer = {"errors": ["no connection"]}
            if "errors" not in answer:
                return answer["data"]
            assert time.monotonic() < deadline, answer
            await asyncio.sleep(0.2)


@asynccontextmanager
async def running_stack(
    path: Path, *options: str, code: Path | None = None, **environment: str
) -> AsyncIterator[RunningStack]:
    """`fittracker up` over `path` until the block ends; then every process it started must be gone.

    `code` is a copy of the rooms to run instead of ours, and to be followed while it changes.
    """
    log_file = path.with_name(f"{path.name}.up.log")
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy", "up", "--port", "0", "--data-dir", str(path),
            "--watch" if code else "--no-watch", *options,
            cwd=code or ROOT, env={**os.environ, "PYTHONPATH": str(code or ROOT), **environment}, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    directory = DataDirectory(path)
    try:
        async with asyncio.timeout(START_SECONDS):
            while directory.read_state() is None:
                assert process.returncode is None, log_file.read_text()
                await asyncio.sleep(0.1)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            yield RunningStack(directory, session, process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)


async def eventually(holds: Callable[[], Awaitable[bool]], *, seconds: float = 30) -> None:
    """Returns when `holds` does. Fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.1)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def subscribed(visitor: Visitor, query: str, variables: Any = None) -> AsyncIterator[asyncio.Queue[Any]]:
    """A subscription over `graphql-transport-ws`; its events arrive in the queue."""
    events: asyncio.Queue[Any] = asyncio.Queue()
    url = visitor.stack.state.router_url.replace("http://", "ws://", 1)
    async with visitor.stack.session.ws_connect(url, protocols=("graphql-transport-ws",)) as socket:
        payload = {"Authorization": f"Bearer {visitor.access_token}"}
        await socket.send_json({"type": "connection_init", "payload": payload})
        assert (await socket.receive_json())["type"] == "connection_ack"
        operation = {"query": query, "variables": variables}
        await socket.send_json({"type": "subscribe", "id": "1", "payload": operation})

        async def read() -> None:
            async for message in socket:
                data = message.json()
                if data["type"] == "ping":
                    await socket.send_json({"type": "pong"})
                else:
                    await events.put(data)

        reader = asyncio.create_task(read())
        try:
            yield events
        finally:
            reader.cancel()
            await asyncio.wait([reader])
