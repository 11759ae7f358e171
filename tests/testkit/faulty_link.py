"""A TCP proxy between two parts of the platform, whose link can be slow, narrow, silent or broken while it is in use.

`campaign_servers` puts one before each server and each subgraph. The faults are those that toxiproxy knows, and a half-close;
decision 0227 says why toxiproxy itself is not used.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

# As with a TCP window of this size, no more is on its way at once in one direction of a connection.
WINDOW_BYTES = 65_536
HOST = "127.0.0.1"
#: For SO_LINGER: closing sends a reset instead of an orderly end.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a link does to bytes of either direction; as it is without arguments, nothing.

    Each piece is late by `latency_seconds` and up to `jitter_seconds` more. `most_bytes` is how much of answers a connection
    carries before it ends, in the middle of a message where it falls so. A link that `is_silent` swallows everything; when
    it speaks again, connections that lost a byte are reset, as TCP ends them in the end.
    """

    latency_seconds: float = 0.0
    jitter_seconds: float = 0.0
    bytes_per_second: float | None = None
    most_bytes: int | None = None
    is_silent: bool = False


class Link:
    """Listens on `port` and carries each connection to the port that `target` says, both of the loopback address.

    Where nobody listens there, or `target` raises OSError, a connection is reset after it was made: a proxy cannot refuse one.
    """

    def __init__(self, target: Callable[[], int], *, seed: int = 0) -> None:
        self._target = target
        self.port = 0
        self.condition = Condition()
        self.random = random.Random(seed)
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, 0, limit=WINDOW_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self.reset()
            await self._server.wait_closed()

    @asynccontextmanager
    async def under(self, condition: Condition) -> AsyncIterator[None]:
        """The link is so while the block runs."""
        self.condition = condition
        for connection in self._connections:
            connection.answered_bytes = 0
        try:
            yield
        finally:
            self.condition = Condition()
            for connection in [each for each in self._connections if each.has_lost_bytes]:
                connection.reset()

    def reset(self) -> int:
        """Both ends of every connection get a reset. How many there were."""
        for connection in (connections := list(self._connections)):
            connection.reset()
        return len(connections)

    def half_close(self) -> int:
        """Whoever connected is told that no more answers come; what they send still arrives. How many connections there were."""
        for connection in (connections := list(self._connections)):
            connection.end_answers()
        return len(connections)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            connection = _Connection(self, writer, *await asyncio.open_connection(HOST, self._target()))
        except OSError:
            _reset(writer)
            return
        self._connections.add(connection)
        try:
            await connection.carry(reader)
        finally:
            self._connections.discard(connection)


class _Connection:
    """One connection through the link: `client` is towards whoever made it, `server` towards the target."""

    def __init__(
        self, link: Link, client: asyncio.StreamWriter, answers: asyncio.StreamReader, server: asyncio.StreamWriter
    ) -> None:
        self._link = link
        self._client = client
        self._answers = answers
        self._server = server
        self._is_half_closed = False
        self.has_lost_bytes = False
        self.answered_bytes = 0

    async def carry(self, requests: asyncio.StreamReader) -> None:
        """Until both directions have ended, or one of them failed."""
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(requests, self._server, is_answers=False))
                both.create_task(self._pump(self._answers, self._client, is_answers=True))
        except* OSError:
            self.reset()
        finally:
            self._client.close()
            self._server.close()

    def reset(self) -> None:
        _reset(self._client)
        _reset(self._server)

    def end_answers(self) -> None:
        if not self._is_half_closed and not self._client.is_closing():
            self._is_half_closed = True
            with contextlib.suppress(OSError):
                self._client.write_eof()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_answers: bool) -> None:
        while piece := await source.read(WINDOW_BYTES):
            condition = self._link.condition
            if late := condition.latency_seconds + self._link.random.uniform(0, condition.jitter_seconds):
                await asyncio.sleep(late)
            if condition.bytes_per_second is not None:
                await asyncio.sleep(len(piece) / condition.bytes_per_second)
            if self._link.condition.is_silent:
                self.has_lost_bytes = True
                continue
            if is_answers and self._is_half_closed:
                continue
            if is_answers and condition.most_bytes is not None:
                piece = piece[: condition.most_bytes - self.answered_bytes]
                self.answered_bytes += len(piece)
            sink.write(piece)
            await sink.drain()
            if is_answers and condition.most_bytes is not None and self.answered_bytes >= condition.most_bytes:
                self._client.close()  # after what was written
                self._server.close()
                return
        if not (is_answers and self._is_half_closed) and sink.can_write_eof():
            sink.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    one = writer.get_extra_info("socket")
    if one is not None and not writer.is_closing():
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
