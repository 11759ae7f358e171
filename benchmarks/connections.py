"""What many connections cost a router, ours and the peers: `python -m benchmarks.connections`.

First the memory of idle connections: keep-alive ones that have asked once, then subscribers that wait. After that one event of
the subgraph, again and again: how long until the last of the subscribers has it, and the router's processor time for each.

The router has core 0; the subgraph and all clients are this process, on core 1. Subscribers are served as text/event-stream and
all ask the same, so that a router may share one stream of the subgraph among them: what is measured is the router's own fan-out.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from benchmarks.compare import GATEWAY_CORE, LOAD_CORE
from benchmarks.gateways import Gateway, Wanted, known_gateways
from benchmarks.processes import Server, cpu_seconds, free_port, proportional_mib
from benchmarks.report import write_results
from schema import SubgraphSource, compose

SDL = "type Query { ping: Int } type Subscription { ticks: Tick } type Tick { n: Int! at: String! }"
SUBSCRIPTION = {"query": "subscription { ticks { n at } }"}
EVENT_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
AT_ONCE = 100  # connect at the same time
PATIENCE_SECONDS = 60.0
#: No new stream of the subgraph for so long means that there are as many as there will be.
SETTLED_SECONDS = 0.5


class WrongConnectionError(Exception):
    """A gateway refused a client, sent it away, answered wrongly or did not tell it of an event."""


def allow_files(needed: int, welcome: int) -> None:
    """Of this process and of what it starts: as many as are welcome, where the system allows that. Says so where fewer than needed are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limits in ((welcome, max(welcome, hard)), (min(welcome, hard), hard)):
        if soft < welcome:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
                break
            except (ValueError, OSError):  # only the superuser raises the hard one
                continue
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < needed:
        print(f"{allowed} open files are allowed, and {needed} are needed: ulimit -n {needed}", flush=True)


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
    """Connections to the router. `came` has the moments at which subscribers were told of the `awaited` event."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._entering = asyncio.Semaphore(AT_ONCE)
        self._writers: list[asyncio.StreamWriter] = []
        self._reading: list[asyncio.Task[None]] = []
        self.awaited = b""
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
                raise WrongConnectionError(f"a wrong answer: {answer!r}")

    async def _subscribe(self) -> None:
        async with self._entering:
            reader = await self._connect(SUBSCRIPTION, "text/event-stream")
            async with asyncio.timeout(PATIENCE_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head:
                raise WrongConnectionError(f"a subscriber is refused: {head!r}")
        self._reading.append(asyncio.create_task(self._note_events(reader)))

    async def _note_events(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if self.awaited in line and line.startswith(b"data:"):
                self.came.append(time.monotonic())

    async def close(self) -> None:
        for task in self._reading:
            task.cancel()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._reading, return_exceptions=True)


async def fan_out(ticker: Ticker, clients: Clients, subscribers: int, number: int) -> list[float]:
    """Milliseconds until each subscriber had the event. Raises WrongConnectionError where not all of them get it."""
    clients.came.clear()
    clients.awaited = b'{"ticks":{"n":%d,"at":"now"}}' % number
    began = time.monotonic()
    ticker.tick(number)
    while len(clients.came) < subscribers:
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise WrongConnectionError(f"only {len(clients.came)} of {subscribers} subscribers were told of an event")
        await asyncio.sleep(0.005)
    return sorted((moment - began) * 1000 for moment in clients.came)


async def measure(gateway: Gateway, subscribers: int, options: argparse.Namespace) -> dict[str, Any]:
    """Raises WrongConnectionError, and RuntimeError where the gateway does not start."""
    ticker = Ticker()
    subgraph = await asyncio.start_server(ticker.serve, "127.0.0.1", 0, backlog=1024)
    with tempfile.TemporaryDirectory() as name:
        server, port = _start(gateway, Path(name), subgraph.sockets[0].getsockname()[1])
        clients = Clients(port)
        try:
            await asyncio.to_thread(server.wait_until_answering, gateway.url(port))
            await clients.open_idle(AT_ONCE)  # what the first connections make is not theirs
            return await _measured(server, ticker, clients, subscribers, options)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError) as error:
            raise WrongConnectionError(f"a client was sent away or kept waiting: {error!r}") from None
        finally:
            await clients.close()
            server.stop()
            subgraph.close()


async def _measured(
    server: Server, ticker: Ticker, clients: Clients, subscribers: int, options: argparse.Namespace
) -> dict[str, Any]:
    before = proportional_mib(server.pid)
    await clients.open_idle(options.connections)
    idle = proportional_mib(server.pid)
    await clients.subscribe(subscribers)
    await _settled(ticker)
    waiting = proportional_mib(server.pid)
    await fan_out(ticker, clients, subscribers, 0)
    used = cpu_seconds(server.pid)
    times = [await fan_out(ticker, clients, subscribers, number) for number in range(1, options.events + 1)]
    used = cpu_seconds(server.pid) - used
    return {
        "idle_connection_kib": round((idle - before) * 1024 / options.connections, 1),
        "waiting_subscriber_kib": round((waiting - idle) * 1024 / subscribers, 1),
        "upstream_streams": len(ticker.streams),
        "median_ms": round(median(each[len(each) // 2] for each in times), 1),
        "last_ms": round(median(each[-1] for each in times), 1),
        "cpu_microseconds_per_delivery": round(used * 1e6 / (options.events * subscribers), 1),
        "resident_mib": round(proportional_mib(server.pid)),
    }


async def _settled(ticker: Ticker) -> None:
    known = 0
    while not known or len(ticker.streams) > known:
        known = len(ticker.streams)
        await asyncio.sleep(SETTLED_SECONDS)


def _start(gateway: Gateway, directory: Path, subgraph_port: int) -> tuple[Server, int]:
    composed = compose([SubgraphSource("ticker", SDL, url=f"http://127.0.0.1:{subgraph_port}/")])
    if composed.supergraph_sdl is None:
        raise SystemExit(f"the ticker does not compose: {composed.errors}")
    supergraph, port = directory / "supergraph.graphql", free_port()
    supergraph.write_text(composed.supergraph_sdl)
    (directory / "subgraphs").mkdir()
    (directory / "subgraphs" / "ticker.graphql").write_text(SDL)
    command = gateway.command(supergraph, port, Wanted(subscriptions=True))
    log = directory / f"{gateway.name}.log"
    return Server(gateway.name, command, GATEWAY_CORE, log=log, environment=gateway.environment), port


def print_table(figures: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Rows as the README has them."""
    print(
        "\n| subscribers | gateway | half have it | the last | CPU each | an idle connection | a subscriber | in all |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for subscribers, by_gateway in figures.items():
        for name, f in by_gateway.items():
            print(
                f"| {subscribers} | {name} | {f['median_ms']:.0f} ms | {f['last_ms']:.0f} ms | {f['cpu_microseconds_per_delivery']} µs "
                f"| {f['idle_connection_kib']} KiB | {f['waiting_subscriber_kib']} KiB | {f['resident_mib']} MiB |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", action="append", choices=[g.name for g in known_gateways()])
    parser.add_argument("--connections", type=int, default=2_000, help="idle ones")
    parser.add_argument("--subscribers", type=int, default=[1_000, 5_000, 10_000], nargs="+")
    parser.add_argument("--events", type=int, default=20, help="each of which goes to all subscribers")
    parser.add_argument("--no-results", action="store_true", help="do not write into benchmarks/results")
    options = parser.parse_args()
    clients = max(options.subscribers) + options.connections
    allow_files(clients + 1_000, 2 * clients + 1_000)  # twice as many where subscribers share no stream of the subgraph
    os.sched_setaffinity(0, {LOAD_CORE})
    figures: dict[str, dict[str, dict[str, Any]]] = {str(each): {} for each in options.subscribers}
    left_out: dict[str, str] = {}
    for gateway in known_gateways():
        if options.gateway and gateway.name not in options.gateway:
            continue
        if why := gateway.missing or gateway.lacks.get("subscriptions"):
            left_out[gateway.name] = why
            print(f"{gateway.name} is left out: {why}", flush=True)
            continue
        for subscribers in options.subscribers:
            try:
                measured = asyncio.run(measure(gateway, subscribers, options))
            except (WrongConnectionError, RuntimeError) as error:
                left_out[gateway.name] = f"from {subscribers} subscribers on: {error}"
                print(f"{gateway.name} is left out {left_out[gateway.name]}", flush=True)
                break
            figures[str(subscribers)][gateway.name] = measured
            print(f"{gateway.name}, {subscribers} subscribers: {measured}", flush=True)
    print_table(figures)
    if not options.no_results:
        write_results("connections", vars(options), {"by_subscribers": figures, "left_out": left_out})


if __name__ == "__main__":
    main()
