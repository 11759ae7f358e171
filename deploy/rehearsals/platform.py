"""A whole platform to rehearse on: `fittracker up` on free ports over a folder of its own, and somebody who uses it."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from deploy.data_directory import DataDirectory, StackState
from deploy.embedded import EmbeddedPorts, EmbeddedServers
from deploy.errors import FriendlyError
from deploy.server_secret import ServerSecret

START_SECONDS = 600.0  # on a machine that does much else, too
SETTLE_SECONDS = 60.0
PATIENCE_SECONDS = 45.0  # longer than the router's own limit, so that it is the router who says that something hangs
#: A token lives for a quarter of an hour, and some rehearsals last longer.
RENEW_SECONDS = 240.0
ACKNOWLEDGED_SECONDS = 20.0
SIGN_IN = {"email": "john.doe@example.com", "password": "Password123!"}

LOGIN = "mutation SignIn($input: LoginInput!) { login(input: $input) { accessToken } }"
WEEK = """query Week { me { displayName suggestedTarget { energyKcal }
  days(first: 7) { edges { node { date caloriesConsumed caloriesBurned } } } workouts(first: 3) { edges { node { name } } } } }"""
WEIGHINGS = """query Weighings($after: String) {
  me { weights(first: 50, after: $after) { nodes { weightKg } pageInfo { hasNextPage endCursor } } } }"""
FOODS = 'query Foods { foods(search: "rice", first: 3) { edges { node { id name } } } }'

_numbers = itertools.count(1)


class ClosedUnheardError(Exception):
    """A WebSocket was closed before the router said a word over it, as one that stops does."""


class Platform:
    """A running stack. `token` is John's, of the sample data."""

    def __init__(self, folder: Path, state: StackState, session: aiohttp.ClientSession) -> None:
        self._folder = folder
        self._first_state = state
        self._session = session
        self.token = ""

    @property
    def state(self) -> StackState:
        """As it is now: a part that was started again has another process id. Once it has stopped, as it was at first."""
        return DataDirectory(self._folder).read_state() or self._first_state

    @property
    def superuser_url(self) -> str:
        """What an exporter in production sees as a member of pg_monitor, only this role sees here."""
        ports = self.state.ports
        servers = EmbeddedPorts(ports["postgres"], ports["valkey"], ports["broker"], ports["valkey-cache"])
        return EmbeddedServers(servers, ServerSecret.of(self._folder)).superuser_url

    async def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, *, url: str | None = None, **headers: str
    ) -> dict[str, Any]:
        """The whole answer, errors included; of another router where `url` names one. Raises aiohttp.ClientError where there is none."""
        sent = {"authorization": f"Bearer {self.token}", **headers} if self.token else headers
        body = {"query": query, "variables": variables or {}}
        async with self._session.post(url or self.state.router_url, json=body, headers=sent) as response:
            return dict(await response.json(content_type=None))

    async def sign_in(self) -> None:
        answer = await self.ask(LOGIN, {"input": SIGN_IN})
        self.token = answer["data"]["login"]["accessToken"]

    async def weigh(self) -> None:
        """One write, which becomes an event. Raises KeyError where it was refused."""
        weight = 80 + next(_numbers) % 100 / 100
        answer = await self.ask("mutation Weigh($input: LogWeightInput!) { logWeight(input: $input) { __typename } }",
                                {"input": {"weightKg": weight, "idempotencyKey": f"rehearsal-{time.time_ns()}"}})  # fmt: skip
        if answer.get("errors") or not answer["data"]["logWeight"]:
            raise KeyError(json.dumps(answer)[:300])

    @asynccontextmanager
    async def subscribed(
        self, session: aiohttp.ClientSession, token: str, operation: Mapping[str, Any]
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A WebSocket over which the operation is under way. Raises aiohttp.ClientError, and ClosedUnheardError."""
        url = self.state.router_url.replace("http://", "ws://", 1)
        async with session.ws_connect(url, protocols=("graphql-transport-ws",)) as socket:
            await socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
            if (await socket.receive(ACKNOWLEDGED_SECONDS)).type is not aiohttp.WSMsgType.TEXT:
                raise ClosedUnheardError
            await socket.send_json({"type": "subscribe", "id": "1", "payload": operation})
            yield socket

    async def takes_writes(self) -> bool:
        """Whether one write is answered: not refused, not cut off, and with data."""
        try:
            await self.weigh()
        except (KeyError, OSError, ValueError, TypeError):
            return False
        return True

    async def weighings(self) -> list[float]:
        """All of John's in kilograms, the newest first."""
        found: list[float] = []
        after = None
        while True:
            page = (await self.ask(WEIGHINGS, {"after": after}))["data"]["me"]["weights"]
            found += [node["weightKg"] for node in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


@asynccontextmanager
async def running_platform(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, code: Path | None = None
) -> AsyncIterator[Platform]:
    """Up with sample data, over the servers that `environment` names, John signed in; stopped at the end. `code` is a copy of
    the rooms to run in place of ours. Raises FriendlyError where it does not come up.
    """
    command = [sys.executable, "-m", "deploy", "up", "--port", "0", "--data-dir", str(folder), "--no-watch", *arguments]
    given = {**os.environ, **_of_code(code), **(environment or {})}
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL, env=given, cwd=code)
    try:
        state = await _state(folder, process)
        patience = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=patience) as session:
            platform = Platform(folder, state, session)
            await platform.sign_in()
            async with going_on(_stay_signed_in(platform)):
                yield platform
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


@asynccontextmanager
async def going_on(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """The work goes on beside the block and is cancelled at its end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def fittracker(
    *words: str, data: Path | None = None, environment: Mapping[str, str] | None = None, code: Path | None = None
) -> bool:
    """Whether this command ended well; `code` is a copy of the rooms whose command it is, in place of ours."""
    where = ("--data-dir", str(data)) if data is not None else ()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", *words, *where, cwd=code,
        env={**os.environ, **_of_code(code), **(environment or {})}, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    return await process.wait() == 0


async def settles(data: Path, environment: Mapping[str, str] | None = None, seconds: float = SETTLE_SECONDS) -> bool:
    """Whether every projection comes to equal its sources before the seconds are over."""
    return await comes(lambda: fittracker("events", "check", data=data, environment=environment), seconds)


async def comes(holds: Callable[[], Awaitable[bool]], seconds: float = SETTLE_SECONDS, *, pause: float = 0.5) -> bool:
    """Whether it holds before the seconds are over; `pause` is how many of them pass between two questions."""
    deadline = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(pause)
    return True


def since(started: float) -> str:
    """For a report, from a time of `time.monotonic`."""
    return f"{time.monotonic() - started:.1f} s"


def _of_code(code: Path | None) -> dict[str, str]:
    return {} if code is None else {"PYTHONPATH": str(code)}


async def _stay_signed_in(platform: Platform) -> None:
    """While users is the part that fails, the former token serves until the next attempt."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        with suppress(aiohttp.ClientError, TimeoutError, KeyError, TypeError, ValueError):
            await platform.sign_in()


async def _state(folder: Path, process: asyncio.subprocess.Process) -> StackState:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.returncode is None:
        if (state := DataDirectory(folder).read_state()) is not None:
            return state
        await asyncio.sleep(0.25)
    raise FriendlyError("the platform did not come up", f"its logs are in {folder / 'logs'}")
