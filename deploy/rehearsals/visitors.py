"""Who uses a platform while it is rehearsed: people who arrive all the time, some of them mistaken, and people who watch."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from deploy.rehearsals.platform import FOODS, WEEK, ClosedUnheardError, Platform

Visit = Coroutine[Any, Any, None]
MOST_PRESENT = 300  # at once: while a subgraph hangs, each waits for its request's end
RECONNECT_SECONDS = 1.0

#: The samples of GraphiQL.
OPERATIONS = Path(__file__).parents[1] / "workbench" / "operations"
USUAL = ("01-week", "02-diary", "03-foods", "01-week", "04-water", "02-diary", "05-meal", "03-foods", "09-refused")
LIVE = "06-live"
NOT_ANSWERED = (aiohttp.ClientError, TimeoutError, KeyError, ValueError, TypeError, ClosedUnheardError)


async def arrivals(visits: Callable[[], Iterable[Visit]], pause: Callable[[], float]) -> None:
    """Begins some visits and pauses, so many seconds, until cancelled, whatever became of those before, as clients of a real system do.

    Twelve people in a loop would all wait for a part that hangs, and nothing at all would fail until they are told so together.
    """
    present: set[asyncio.Task[None]] = set()
    try:
        while True:
            for visit in visits():
                if len(present) < MOST_PRESENT:
                    present.add(task := asyncio.create_task(visit))
                    task.add_done_callback(present.discard)
                else:
                    visit.close()
            await asyncio.sleep(pause())
    finally:
        for task in present:
            task.cancel()
        await asyncio.gather(*present, return_exceptions=True)


async def read_and_err(platform: Platform) -> None:
    """Some of it wrong: failures are what is being rehearsed."""
    for question in (WEEK, FOODS, "{ nonsense }"):
        with suppress(*NOT_ANSWERED):
            await platform.ask(question)
    await try_a_token(platform)


async def try_a_token(platform: Platform) -> None:
    with suppress(*NOT_ANSWERED):
        await platform.ask("{ me { displayName } }", authorization="Bearer not.a.token")


async def write(platform: Platform) -> None:
    with suppress(*NOT_ANSWERED):
        await platform.weigh()


def usual_visits(platform: Platform) -> Iterator[Visit]:
    """Without end: what people of the demo ask, one operation each; one in nine is refused, and now and then somebody tries a token."""
    for number in itertools.count():
        for name in USUAL:
            yield _sample(platform, name)
        yield write(platform)
        if number % 3 == 0:
            yield try_a_token(platform)


async def watch(platform: Platform, seconds: float) -> None:
    """Follows the day over a WebSocket until cancelled, from so many seconds on; connects anew where it is cut off."""
    await asyncio.sleep(seconds)
    operation = _operation(LIVE)
    async with aiohttp.ClientSession() as session:
        while True:
            with suppress(*NOT_ANSWERED):
                async with platform.subscribed(session, platform.token, operation) as socket:
                    async for message in socket:
                        if message.json()["type"] == "ping":
                            await socket.send_json({"type": "pong"})
            await asyncio.sleep(RECONNECT_SECONDS)


async def _sample(platform: Platform, name: str) -> None:
    operation = _operation(name)
    with suppress(*NOT_ANSWERED):
        await platform.ask(operation["query"], operation["variables"])


def _operation(name: str) -> dict[str, Any]:
    variables = OPERATIONS / f"{name}.json"
    return {
        "query": (OPERATIONS / f"{name}.graphql").read_text(encoding="utf-8"),
        "variables": json.loads(variables.read_text(encoding="utf-8")) if variables.exists() else {},
    }
