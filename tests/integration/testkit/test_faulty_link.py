"""A link does to bytes what its condition says, each kind of fault as its ends see it, and carries them unchanged otherwise."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from tests.testkit.faulty_link import Condition, Link


@dataclass
class Echo:
    """A server behind a link; it says again what it is told, and when somebody's requests have ended, `bye`."""

    link: Link
    told: list[bytes] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):
            while piece := await reader.read(65_536):
                self.told.append(piece)
                writer.write(piece)
            writer.write(b"bye")
            await writer.drain()
        writer.close()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.link.port)


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    ports: list[int] = []
    echo = Echo(Link(lambda: ports[0]))
    server = await asyncio.start_server(echo.answer, "127.0.0.1", 0)
    ports.append(server.sockets[0].getsockname()[1])
    await echo.link.open()
    yield echo
    await echo.link.close()
    server.close()
    await server.wait_closed()


async def said_again(echo: Echo, what: bytes) -> float:
    """Over a new connection; the seconds that it took."""
    reader, writer = await echo.connect()
    began = time.monotonic()
    writer.write(what)
    assert await reader.readexactly(len(what)) == what
    writer.close()
    return time.monotonic() - began


async def test_without_a_condition_bytes_and_ends_of_streams_pass(echo: Echo) -> None:
    reader, writer = await echo.connect()
    sent = bytes(range(256)) * 4_000
    writer.write(sent)
    writer.write_eof()
    assert await reader.read(-1) == sent + b"bye"
    writer.close()


async def test_latency_counts_in_both_directions(echo: Echo) -> None:
    async with echo.link.under(Condition(latency_seconds=1)):
        assert await said_again(echo, b"a") >= 2
    assert await said_again(echo, b"a") < 2


async def test_jitter_is_more_for_one_piece_than_for_another(echo: Echo) -> None:
    async with echo.link.under(Condition(jitter_seconds=0.1)):
        times = [await said_again(echo, b"a") for _ in range(5)]
    assert max(times) - min(times) > 0.01


async def test_a_narrow_link_carries_so_many_bytes_a_second(echo: Echo) -> None:
    async with echo.link.under(Condition(bytes_per_second=100_000)):
        assert 0.4 <= await said_again(echo, b"a" * 20_000) < 20


async def test_a_reset_is_an_error_at_both_ends(echo: Echo) -> None:
    reader, writer = await echo.connect()
    writer.write(b"a")
    assert await reader.read(1) == b"a"
    assert echo.link.reset() == 1
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    assert await said_again(echo, b"a") < 20


async def test_a_silent_link_swallows_and_resets_who_lost_a_byte(echo: Echo) -> None:
    reader, writer = await echo.connect()
    idle_reader, idle_writer = await echo.connect()
    idle_writer.write(b"a")
    assert await idle_reader.read(1) == b"a"
    async with echo.link.under(Condition(is_silent=True)):
        writer.write(b"lost")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read(1)
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    idle_writer.write(b"b")
    assert await idle_reader.read(1) == b"b"
    assert b"lost" not in echo.told
    idle_writer.close()


async def test_after_a_half_close_requests_arrive_and_no_answer_comes(echo: Echo) -> None:
    reader, writer = await echo.connect()
    writer.write(b"a")
    assert await reader.read(1) == b"a"
    assert echo.link.half_close() == 1
    assert await reader.read(1) == b""
    writer.write(b"b")
    async with asyncio.timeout(60):
        while b"b" not in echo.told:
            await asyncio.sleep(0.01)
    writer.close()


async def test_a_connection_ends_in_the_middle_after_so_many_bytes(echo: Echo) -> None:
    reader, writer = await echo.connect()
    writer.write(b"before")
    assert await reader.readexactly(6) == b"before"
    async with echo.link.under(Condition(most_bytes=10)):
        writer.write(b"a" * 8)
        assert await reader.readexactly(8) == b"a" * 8
        writer.write(b"b" * 8)
        assert await reader.read(-1) == b"bb"
    writer.close()
    assert await said_again(echo, b"a" * 100) < 1


async def test_where_nobody_listens_the_connection_is_reset() -> None:
    link = Link(lambda: 1)
    await link.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    writer.close()
    await link.close()
