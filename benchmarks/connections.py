"""What many connections cost one router: `python -m benchmarks.connections`.

First the memory of idle connections: keep-alive ones that have asked once, then subscribers that wait. After that one event of
the subgraph, again and again: how long until the last of the subscribers has it, and the router's processor time for each.

The router has core 0; the subgraph and all clients are this process, on core 1. Subscribers are served as text/event-stream and
all ask the same, so that they share one stream of the subgraph: what is measured is the router's own fan-out.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import yaml

from benchmarks.compare import GATEWAY_CORE, LOAD_CORE
from benchmarks.gateways import OURS, known_gateways
from benchmarks.processes import Server, cpu_seconds, free_port, proportional_mib
from benchmarks.report import write_results
from schema import SubgraphSource, compose

SDL = "type Query { ping: Int } type Subscription { ticks: Tick } type Tick { n: Int! at: String! }"
SUBSCRIPTION = {"query": "subscription { ticks { n at } }"}
EVENT_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
AT_ONCE = 100  # connect at the same time
PATIENCE_SECONDS = 120.0


class Ticker:
    """The subgraph: answers `ping`, and keeps every subscription's stream for the events of `tick`."""

    def __init__(self) -> None:
        self.streams: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                body = await _read_message(reader)
                if b"subscription" in body:
                    writer.write(EVENT_STREAM_HEAD)
                    self.streams.append(writer)
                    continue
                answer = b'{"data":{"ping":1}}'
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer)
                    + answer
                )
        except (
            asyncio.IncompleteReadError,
            ConnectionError,
            asyncio.CancelledError,
        ):  # the last: at the benchmark's end
            writer.close()

    def tick(self, number: int) -> None:
        event = orjson.dumps({"data": {"ticks": {"n": number, "at": "now"}}})
        chunk = b"event: next\ndata: " + event + b"\n\n"
        for stream in self.streams:
            stream.write(b"%x\r\n" % len(chunk) + chunk + b"\r\n")


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    """The body of one request or response that has a Content-Length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(int(length.partition(b":")[2]))


class Clients:
    """Connections to the router. `came` has the moment of each subscriber's last event."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._entering = asyncio.Semaphore(AT_ONCE)
        self._writers: list[asyncio.StreamWriter] = []
        self._reading: list[asyncio.Task[None]] = []
        self.came: list[float] = []

    async def open_idle(self, count: int) -> None:
        await asyncio.gather(*(self._ask_once() for _ in range(count)))

    async def subscribe(self, count: int) -> None:
        await asyncio.gather(*(self._subscribe() for _ in range(count)))

    async def _connect(self, body: dict[str, Any], accept: str) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.append(writer)
        content = orjson.dumps(body)
        writer.write(
            f"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: {accept}\r\n"
            f"content-length: {len(content)}\r\n\r\n".encode()
            + content
        )
        return reader

    async def _ask_once(self) -> None:
        async with self._entering:
            reader = await self._connect({"query": "{ ping }"}, "application/json")
            answer = await _read_message(reader)
            if answer != b'{"data":{"ping":1}}':
                raise SystemExit(f"wrong answer: {answer!r}")

    async def _subscribe(self) -> None:
        async with self._entering:
            reader = await self._connect(SUBSCRIPTION, "text/event-stream")
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head:
                raise SystemExit(f"refused: {head!r}")
        self._reading.append(asyncio.create_task(self._note_events(reader)))

    async def _note_events(self, reader: asyncio.StreamReader) -> None:
        while True:
            line = await reader.readline()
            if not line:
                raise SystemExit("a subscriber was sent away")
            if line.startswith(b"data:") and b"ticks" in line:
                self.came.append(time.monotonic())

    async def close(self) -> None:
        for task in self._reading:
            task.cancel()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._reading, return_exceptions=True)


async def fan_out(ticker: Ticker, clients: Clients, subscribers: int, number: int) -> list[float]:
    """Milliseconds until each subscriber had the event."""
    clients.came.clear()
    began = time.monotonic()
    ticker.tick(number)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(clients.came) < subscribers:
            await asyncio.sleep(0.005)
    return sorted((moment - began) * 1000 for moment in clients.came)


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    os.sched_setaffinity(0, {LOAD_CORE})
    ticker = Ticker()
    subgraph = await asyncio.start_server(ticker.serve, "127.0.0.1", 0, backlog=1024)
    with tempfile.TemporaryDirectory() as name:
        server, port = _start_router(Path(name), subgraph.sockets[0].getsockname()[1])
        clients = Clients(port)
        try:
            await asyncio.to_thread(server.wait_until_answering, f"http://127.0.0.1:{port}/graphql")
            await clients.open_idle(AT_ONCE)  # what the first connections make is not theirs
            return await _measured(server, ticker, clients, options)
        finally:
            await clients.close()
            server.stop()
            subgraph.close()


async def _measured(server: Server, ticker: Ticker, clients: Clients, options: argparse.Namespace) -> dict[str, Any]:
    before = proportional_mib(server.pid)
    await clients.open_idle(options.connections)
    idle = proportional_mib(server.pid)
    await clients.subscribe(options.subscribers)
    waiting = proportional_mib(server.pid)
    while not ticker.streams:
        await asyncio.sleep(0.01)
    await fan_out(ticker, clients, options.subscribers, 0)
    used = cpu_seconds(server.pid)
    times = [await fan_out(ticker, clients, options.subscribers, number) for number in range(1, options.events + 1)]
    used = cpu_seconds(server.pid) - used
    return {
        "idle_connection_kib": round((idle - before) * 1024 / options.connections, 1),
        "waiting_subscriber_kib": round((waiting - idle) * 1024 / options.subscribers, 1),
        "upstream_streams": len(ticker.streams),
        "median_ms": round(median(each[len(each) // 2] for each in times), 1),
        "last_ms": round(median(each[-1] for each in times), 1),
        "cpu_microseconds_per_delivery": round(used * 1e6 / (options.events * options.subscribers), 1),
        "resident_mib": round(proportional_mib(server.pid)),
    }


def _start_router(directory: Path, subgraph_port: int) -> tuple[Server, int]:
    composed = compose([SubgraphSource("ticker", SDL, url=f"http://127.0.0.1:{subgraph_port}/")])
    if composed.supergraph_sdl is None:
        raise SystemExit(f"the ticker does not compose: {composed.errors}")
    supergraph, config, port = directory / "supergraph.graphql", directory / "router.yaml", free_port()
    supergraph.write_text(composed.supergraph_sdl)
    settings = {
        "subgraphs": {"ticker": {"subscription_protocol": "event-stream"}},
        "limits": {"connections": 30_000, "connections_per_address": 30_000},
        "subscriptions": {"max_connections": 30_000, "max_per_caller": 30_000},
        "telemetry": {"log_level": "error", "log_requests": False},
    }
    config.write_text(yaml.safe_dump(settings))
    ours = next(each for each in known_gateways() if each.name == OURS)
    command = [*ours.command(supergraph, port), "--config", str(config)]
    log = directory / "router.log"
    return Server(OURS, command, GATEWAY_CORE, log=log, environment=ours.environment), port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=2_000, help="idle ones")
    parser.add_argument("--subscribers", type=int, default=[1_000, 5_000], nargs="+")
    parser.add_argument("--events", type=int, default=20, help="each of which goes to all subscribers")
    parser.add_argument("--no-results", action="store_true", help="do not write into benchmarks/results")
    options = parser.parse_args()
    figures = {}
    for subscribers in options.subscribers:
        one = argparse.Namespace(**{**vars(options), "subscribers": subscribers})
        figures[str(subscribers)] = asyncio.run(measure(one))
        print(f"{subscribers} subscribers: {figures[str(subscribers)]}", flush=True)
    if not options.no_results:
        write_results("connections", vars(options), {"by_subscribers": figures})


if __name__ == "__main__":
    main()
