"""Requests to addresses that clients gave, which reach the internet and nothing of our own, and end, whoever answers.

An address is judged as it is given (`public_address`), and again in every address that its name has: the connection is made
to one that was judged, so a name cannot change its mind in between (DNS rebinding). Redirects are not followed, proxies of
the environment not asked, connections not kept; of an answer no more is read than its status and its headers, up to a bound.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import h11

from subgraphs.shell.public_address import (
    HTTPS_PORT,
    Reach,
    is_loopback_address,
    is_public_address,
    may_be_sent_to,
    origin_of,
)

HTTP_PORT = 80
#: Of an answer, everything before its body, preliminary answers (1xx) too.
MOST_BYTES = 32_768
_READ_BYTES = 4_096
#: Of the addresses that a name has.
MOST_ADDRESSES = 3
CONNECT_SECONDS = 4.0


class AddressRefusedError(OSError):
    """It is no address that may be sent to, or its name leads to none."""


class NoAnswerError(OSError):
    """What came is no answer of HTTP/1.1, ends too early, or begins longer than is read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's status and its headers, by names in small letters; of several of one name the last."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


class PublicClient:
    """Posts, `most` requests at once, each of which may take `timeout_seconds` as a whole. To be closed."""

    def __init__(self, reach: Reach, *, most: int, timeout_seconds: float) -> None:
        self._reach = reach
        self._timeout_seconds = timeout_seconds
        # Threads of its own: a slow name server holds up nobody else.
        self._threads = ThreadPoolExecutor(max_workers=most, thread_name_prefix="public-resolver")
        self._tls = ssl.create_default_context()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises AddressRefusedError, NoAnswerError, TimeoutError, ssl.SSLError, and OSError for what cannot be reached."""
        if not may_be_sent_to(address, self._reach):
            raise AddressRefusedError("it is no address of the internet")
        async with asyncio.timeout(self._timeout_seconds):
            url = urlsplit(address)
            reader, writer = await self._connect(url)
            try:
                return await _exchange(reader, writer, _request(url, body, headers), body)
            finally:
                writer.transport.abort()  # without a word: whoever answers for ever is not waited for

    async def addresses_of(self, url: SplitResult) -> list[str]:
        """Those of the host that may be connected to. Raises AddressRefusedError where it has only others, else OSError."""
        host, port = url.hostname or "", _port_of(url)
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        numeric = list(dict.fromkeys(str(address[0]) for *_, address in found))
        allowed = [each for each in numeric if self._may_be_connected_to(url, each)]
        if not allowed:
            raise AddressRefusedError("its name leads to no address of the internet")
        return allowed[:MOST_ADDRESSES]

    def _may_be_connected_to(self, url: SplitResult, numeric: str) -> bool:
        if origin_of(url) in self._reach.trusted or is_public_address(numeric):
            return True
        return self._reach.loopback and is_loopback_address(numeric)

    async def _connect(self, url: SplitResult) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To the first of its addresses that takes the connection; of none, the last one's failure is raised."""
        tls = self._tls if url.scheme == "https" else None
        failure: OSError | None = None
        for numeric in await self.addresses_of(url):
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(
                        numeric,
                        _port_of(url),
                        limit=_READ_BYTES,
                        ssl=tls,
                        server_hostname=url.hostname if tls else None,
                    )
            except OSError as refused:
                failure = refused
        assert failure is not None  # there is an address
        raise failure


def _port_of(url: SplitResult) -> int:
    return url.port or (HTTPS_PORT if url.scheme == "https" else HTTP_PORT)


def _request(url: SplitResult, body: bytes, headers: Mapping[str, str]) -> h11.Request:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    host = url.netloc.rpartition("@")[2]
    own = {"Host": host, "Content-Length": str(len(body)), "Connection": "close", "Accept-Encoding": "identity"}
    return h11.Request(method="POST", target=target, headers=list({**own, **headers}.items()))


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: h11.Request, body: bytes
) -> Answer:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_BYTES)
    for part in (request, h11.Data(data=body), h11.EndOfMessage()):
        writer.write(connection.send(part) or b"")
    await writer.drain()
    read = 0
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                return Answer(
                    event.status_code, {name.decode(): value.decode("latin-1") for name, value in event.headers}
                )
            if event is h11.NEED_DATA:
                if read > MOST_BYTES:
                    raise NoAnswerError("it begins longer than is read")
                data = await reader.read(_READ_BYTES)
                read += len(data)
                connection.receive_data(data)
            elif not isinstance(event, h11.InformationalResponse):
                raise NoAnswerError("it ended before it answered")
    except h11.RemoteProtocolError as failure:
        raise NoAnswerError("it is no answer of HTTP/1.1") from failure
