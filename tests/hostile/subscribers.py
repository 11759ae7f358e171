"""Very many subscribers on one router process: `python -m tests.hostile.subscribers [--websockets 5000] [--streams 1000]`.

Each has a token and a connection of its own, so that none shares a stream. Writes what came of it to `results/`, and exits
with 1 where a subscriber missed an event, where not all were subscribed at once, or where the router took more memory than
it may.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import yaml

from benchmarks.processes import peak_memory_mib
from deploy.embedded import free_ports
from deploy.local_http import http_ok
from tests.hostile.beside import MOST_MEMORY_MIB
from tests.testkit.running_router import SECRET, token
from tests.testkit.running_stack import ROOT
from tests.testkit.strawberry_shop import SHOP, running_shop

RESULTS = Path(__file__).parent / "results"
AT_ONCE = 100
EVENTS = 3
PATIENCE_SECONDS = 600


@dataclass
class Seen:
    """What the subscribers were told. `late` are seconds that an event came later after the one before than it was told.
    `open_at` tells how many of their streams a subgraph has open, and `most_at_once` is the highest of its answers.
    """

    pause: float
    open_at: Callable[[], int]
    events: int = 0
    complete: int = 0
    most_at_once: int = 0
    late: list[float] = field(default_factory=list)

    def note(self, before: float | None) -> float:
        now = time.monotonic()
        self.events += 1
        self.most_at_once = max(self.most_at_once, self.open_at())
        if before is not None:
            self.late.append(max(0.0, now - before - self.pause))
        return now


class Subscribers:
    """At most `AT_ONCE` connect at a time; who is connected waits for its events beside all others."""

    def __init__(self, url: str, session: aiohttp.ClientSession, seen: Seen) -> None:
        self._url = url
        self._session = session
        self._seen = seen
        self._entering = asyncio.Semaphore(AT_ONCE)
        self._body = {"query": f"subscription {{ ticks(count: {EVENTS}, pause: {seen.pause}) {{ n }} }}"}

    async def over_websocket(self, number: int) -> None:
        url = self._url.replace("http", "ws", 1)
        async with AsyncExitStack() as stack:
            async with self._entering:
                socket = await stack.enter_async_context(
                    self._session.ws_connect(url, protocols=("graphql-transport-ws",))
                )
                authorization = token(f"w{number}", lifetime_seconds=3600)
                await socket.send_json({"type": "connection_init", "payload": {"Authorization": authorization}})
                await socket.receive_json()
                await socket.send_json({"id": "1", "type": "subscribe", "payload": self._body})
            before: float | None = None
            while (message := await socket.receive_json())["type"] in ("next", "ping"):
                if message["type"] == "ping":
                    await socket.send_json({"type": "pong"})
                    continue
                before = self._seen.note(before)
            self._seen.complete += message["type"] == "complete"

    async def over_event_stream(self, number: int) -> None:
        headers = {"accept": "text/event-stream", "authorization": token(f"s{number}", lifetime_seconds=3600)}
        async with AsyncExitStack() as stack:
            async with self._entering:
                response = await stack.enter_async_context(
                    self._session.post(self._url, json=self._body, headers=headers)
                )
            before: float | None = None
            async for line in response.content:
                if line.startswith(b"event: next"):
                    before = self._seen.note(before)
                self._seen.complete += line.startswith(b"event: complete")


@asynccontextmanager
async def router_process(supergraph: str) -> AsyncIterator[tuple[str, int]]:
    """Its GraphQL address and its process id."""
    (port,) = free_ports(1)
    with TemporaryDirectory() as folder:
        (Path(folder) / "supergraph.graphql").write_text(supergraph)
        file = Path(folder) / "router.yaml"
        settings = {
            "supergraph": str(Path(folder) / "supergraph.graphql"),
            "jwt": {"keys": [{"secret": SECRET, "kid": "new"}], "issuers": ["shop"], "audiences": ["shop"]},
            "limits": {"connections_per_address": 10_000},
            "telemetry": {"log_level": "error", "log_requests": False},
        }
        file.write_text(yaml.safe_dump(settings))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy", "router", "--config", str(file), "--port", str(port), cwd=ROOT
        )
        try:
            async with asyncio.timeout(90):
                while not await http_ok(port, "/ready")():
                    await asyncio.sleep(0.1)
            yield f"http://127.0.0.1:{port}/graphql", process.pid
        finally:
            process.terminate()
            await process.wait()


async def run(websockets: int, streams: int, pause: float) -> tuple[Seen, float, float]:
    """What was seen, the router's most memory in MiB, and the seconds that it took."""
    seen, began = Seen(pause, lambda: SHOP.open_ticks), time.monotonic()
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with (
        running_shop() as shop,
        router_process(shop.supergraph) as (url, pid),
        aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
    ):
        subscribers = Subscribers(url, session, seen)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(
                *(subscribers.over_websocket(number) for number in range(websockets)),
                *(subscribers.over_event_stream(number) for number in range(streams)),
            )
        return seen, peak_memory_mib(pid), time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.subscribers", description=__doc__)
    parser.add_argument("--websockets", type=int, default=5_000)
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--pause", type=float, default=60.0, help="seconds between a subscriber's events")
    options = parser.parse_args()
    everybody = options.websockets + options.streams
    seen, memory_mib, seconds = asyncio.run(run(options.websockets, options.streams, options.pause))
    late = sorted(seen.late)
    is_good = (
        seen.events == EVENTS * everybody
        and seen.complete == everybody
        and seen.most_at_once == everybody
        and memory_mib < MOST_MEMORY_MIB
    )
    told = {
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "websockets": options.websockets,
        "event_streams": options.streams,
        "events_expected": EVENTS * everybody,
        "events": seen.events,
        "complete": seen.complete,
        "most_at_once": seen.most_at_once,
        "pause_seconds": options.pause,
        "late_p50_ms": round(late[len(late) // 2] * 1000),
        "late_p99_ms": round(late[int(len(late) * 0.99)] * 1000),
        "router_peak_mib": round(memory_mib),
        "seconds": round(seconds),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
    }
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "subscribers.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(told) + "\n")
    print(json.dumps(told, indent=2))
    raise SystemExit(0 if is_good else 1)


if __name__ == "__main__":
    main()
