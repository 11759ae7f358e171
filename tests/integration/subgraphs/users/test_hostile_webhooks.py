"""Endpoints that stall, drip, lie and never end, and addresses of our own net, beside people whose endpoints answer."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

import pytest
from sqlalchemy import text

from subgraphs.users.commands import webhook_delivery
from subgraphs.users.commands.webhook_delivery import deliver_webhooks
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.accounts import an_account
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test
from tests.testkit.webhook_receiver import webhook_receiver

ATTACKERS = 12  # people with as many endpoints as there may be: three times the places that there are
VICTIMS = 4
MOST_SECONDS = 5.0  # from a weighing to its message, beside what it takes alone; the loop looks every second
MOST_MEMORY_MIB = 100
CREATE = """mutation ($url: String!) { createWebhookEndpoint(input: { url: $url, name: "x", kinds: [WEIGHT_CHANGED] }) {
  webhookEndpoint { id } userErrors { code } } }"""
WEIGH = "mutation { logWeight(input: { weightKg: 81.5 }) { weightEntry { id } } }"
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def stall(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drip(writer: asyncio.StreamWriter) -> None:
    for byte in itertools.cycle(b"HTTP/1.1 200 OK\r\nx: y\r\n"):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in itertools.count():
        writer.write(b"x-%d: %s\r\n" % (number, b"y" * 4_000))
        await writer.drain()


async def endless_line(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        writer.write(b"y" * 65_536)
        await writer.drain()


async def endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 500 Never\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"y" * 65_536 + b"\r\n")
        await writer.drain()


async def endless_continue(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        await writer.drain()


async def bomb(writer: asyncio.StreamWriter) -> None:
    body = gzip.compress(bytes(50_000_000))
    writer.write(b"HTTP/1.1 500 No\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()


async def redirect_inwards(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 307 Here\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


async def lie_about_the_rest(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 503 No\r\nretry-after: 99999999999999999999\r\ncontent-length: -1\r\n\r\n")
    await writer.drain()


ANSWERS: tuple[Answer, ...] = (
    stall, drip, endless_headers, endless_line, endless_body, endless_continue, bomb, redirect_inwards, lie_about_the_rest,
)  # fmt: skip


@asynccontextmanager
async def attacker(answer: Answer) -> AsyncIterator[str]:
    """The address of a server that takes what it is sent and answers so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            await reader.read(1)
            await answer(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    finally:
        server.close()


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("users_hostile_webhooks")
    async with subgraph_under_test("users", url, schema, UsersLoaders) as subgraph:
        key = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
        subgraph.resources.settings = replace(subgraph.resources.settings, webhook_key=key, webhook_loopback=True)
        yield subgraph


@asynccontextmanager
async def delivering(users: SubgraphUnderTest) -> AsyncIterator[None]:
    running = asyncio.create_task(deliver_webhooks(users.resources))
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def test_whose_endpoints_answer_does_not_notice_those_that_stall_and_never_end(
    users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_delivery, "SEND_SECONDS", 3.0)
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(attacker(answer)) for answer in ANSWERS]
        receivers = [await stack.enter_async_context(webhook_receiver()) for _ in range(VICTIMS)]
        victims = [await an_account(users, f"victim-{number}") for number in range(VICTIMS)]
        attackers = [await an_account(users, f"attacker-{number}") for number in range(ATTACKERS)]
        for victim, receiver in zip(victims, receivers, strict=True):
            await users.data(CREATE, victim, {"url": receiver.url})
            await users.data(WEIGH, victim)
        await stack.enter_async_context(delivering(users))
        async with asyncio.timeout(60):  # they are known to answer
            while not all(receiver.received for receiver in receivers):
                await asyncio.sleep(0.05)

        async def seconds_of_round(number: int) -> float:
            began = time.monotonic()
            for victim in victims:
                await users.data(WEIGH, victim)
            async with asyncio.timeout(60):
                while not all(len(receiver.received) >= number for receiver in receivers):
                    await asyncio.sleep(0.02)
            return time.monotonic() - began

        alone = await seconds_of_round(2)  # which is what a busy machine makes slower
        for person in attackers:
            for url in itertools.islice(itertools.cycle(urls), 10):
                await users.data(CREATE, person, {"url": url})
            await users.data(WEIGH, person)
        memory = peak_mib()
        waited = [await seconds_of_round(number) for number in range(3, 7)]
        grown = peak_mib() - memory
    assert max(waited) < MOST_SECONDS + 4 * alone, (alone, waited)
    assert grown < MOST_MEMORY_MIB
    async with users.database.reading() as connection:
        taken = text(
            "SELECT count(*) FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id"
            " WHERE e.user_id LIKE 'attacker%' AND d.status = 'DELIVERED' AND d.response_code <> 200"
        )
        assert await connection.scalar(taken) == 0
        tried = "SELECT count(*) FROM webhook_endpoint WHERE user_id LIKE 'attacker%' AND failures > 0"
        assert int(await connection.scalar(text(tried)) or 0) > 10


async def test_no_address_of_our_own_net_is_ever_asked(users: SubgraphUnderTest) -> None:
    """Nor of an endpoint that was registered before a rule was there: an address is judged whenever it is sent to. What no request
    can be made of is told as such, and stops nobody.
    """
    users.resources.settings = replace(users.resources.settings, webhook_loopback=False)
    asked = 0

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with users.database.transaction() as transaction:
        await transaction.execute(text("DELETE FROM account"))
    hosts = ("127.0.0.1", "localhost", "[::1]", "[::ffff:7f00:1]", "127.1", "2130706433", "0.0.0.0")
    unwritable = ("https://hooks.example.org/a b", f"https://{'a' * 64}.example.org/")
    for number, url in enumerate((*(f"https://{host}:{port}/" for host in hosts), *unwritable)):
        person = await an_account(users, f"person-{number}")
        assert await users.codes(CREATE, person, {"url": url}) == ["VALIDATION_ERROR"]
        await users.data(CREATE, person, {"url": "https://hooks.example.org/"})
        async with users.database.transaction() as transaction:
            row = {"person": person, "url": url}
            await transaction.execute(text("UPDATE webhook_endpoint SET url = :url WHERE user_id = :person"), row)
        await users.data(WEIGH, person)
    async with delivering(users), asyncio.timeout(60):
        found: set[str] = set()
        while len(found) != 1 or None in found:
            await asyncio.sleep(0.1)
            async with users.database.reading() as connection:
                found = set((await connection.scalars(text("SELECT DISTINCT failure FROM webhook_delivery"))).all())
    assert found == {"ADDRESS"}
    assert asked == 0
    server.close()
