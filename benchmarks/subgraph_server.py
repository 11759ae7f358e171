"""A fast server for the subgraphs of one graph: `python -m benchmarks.subgraph_server --graph shop --port 4200`.

Raw asyncio and httptools, one process. Answers are computed from the query and the representations of each request;
parsed queries and the encoded objects that are the same in each request are kept.
"""

from __future__ import annotations

import argparse
import asyncio

import httptools
import orjson
import uvloop

from benchmarks.compiled_query import CompiledQuery, compile_query
from benchmarks.depot.facts import DEPOT
from benchmarks.served_graph import ServedGraph
from benchmarks.shop.facts import SHOP

#: Those that `--graph` names.
GRAPHS = {graph.name: graph for graph in (SHOP, DEPOT)}
MAX_QUERIES = 20_000


class Subgraphs:
    """Answers request bodies by path, and with the key set at /jwks; counts requests."""

    def __init__(self, graph: ServedGraph = SHOP, key_set: bytes = b"{}") -> None:
        self._graph, self._key_set = graph, key_set
        self._compiled: dict[tuple[str, str], CompiledQuery] = {}
        self.requests = 0

    def answer(self, path: str, body: bytes) -> bytes:
        subgraph = path.strip("/")
        if subgraph == "jwks":
            return self._key_set
        if subgraph not in self._graph.sdl:
            return orjson.dumps({"requests": self.requests})
        self.requests += 1
        request = orjson.loads(body)
        key = (subgraph, request["query"])
        compiled = self._compiled.get(key)
        try:
            if compiled is None:
                if len(self._compiled) >= MAX_QUERIES:
                    self._compiled.clear()
                compiled = compile_query(self._graph, request["query"], subgraph, remember=True)
                self._compiled[key] = compiled
            return orjson.dumps(compiled.answer(request.get("variables") or {}))
        except Exception as error:  # a server must answer; the gateway's verification shows what went wrong
            return orjson.dumps({"data": None, "errors": [{"message": f"{subgraph}: {error!r}"}]})


class Connection(asyncio.Protocol):
    def __init__(self, subgraphs: Subgraphs, latency_seconds: float) -> None:
        self._subgraphs, self._latency = subgraphs, latency_seconds
        self._parser = httptools.HttpRequestParser(self)
        self._path, self._body = "", b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path, self._body = url.decode(), b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        answer = self._subgraphs.answer(self._path, self._body)
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer)
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._write, head + answer)
        else:
            self._write(head + answer)

    def _write(self, response: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(response)


async def serve(graph: ServedGraph, port: int, latency_ms: float, key_set: bytes) -> None:
    loop = asyncio.get_running_loop()
    subgraphs = Subgraphs(graph, key_set)
    server = await loop.create_server(lambda: Connection(subgraphs, latency_ms / 1000), "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graph", choices=GRAPHS, default=SHOP.name)
    parser.add_argument("--port", type=int, default=4200)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added before every answer")
    parser.add_argument("--key-set", default="{}", help="JSON, served at /jwks")
    options = parser.parse_args()
    uvloop.run(serve(GRAPHS[options.graph], options.port, options.latency_ms, options.key_set.encode()))


if __name__ == "__main__":
    main()
