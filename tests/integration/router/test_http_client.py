"""Our HTTP client and aiohttp's against one misbehaving server: both must tell the same story."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from router.content_coding import decode, encode
from router.errors import SubgraphError, SubgraphTimeoutError
from router.transport.aiohttp_client import AiohttpClient
from router.transport.http_client import HttpClient, HttpLimits
from router.transport.http_messages import may_forward
from router.transport.protocol import SubgraphAnswer, SubgraphRequest
from router.transport.shared_requests import SharedRequests
from tests.testkit.raw_server import Answerer, http_response, server_that

LIMITS = HttpLimits(
    max_connections=4, connect_timeout_seconds=1, total_timeout_seconds=0.5, pool_timeout_seconds=0.3,
    max_response_bytes=10_000,
)  # fmt: skip

CLIENTS = [HttpClient, AiohttpClient]
Client = HttpClient | AiohttpClient


async def ok(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(http_response(body))


async def ask(client: Client, url: str, body: bytes = b'{"query":"{a}"}', *, is_query: bool = True) -> SubgraphAnswer:
    return await client.send(SubgraphRequest("shop", url, body, (("authorization", "Bearer t"),), is_query))


async def outcome(client: Client, url: str) -> tuple[object, ...]:
    """What both clients must agree on."""
    try:
        answer = await ask(client, url)
    except SubgraphError as error:
        return (error.code, error.extensions)
    finally:
        await client.close()
    return (answer.status, answer.body, answer.content_type, answer.cache_control)


async def chunked(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=5\r\n\r\n")
    for part in (b'4\r\n{"da\r\n', b'6\r\nta":1}\r\n', b"0\r\n\r\n"):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.01)


async def until_close(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}")
    writer.close()


async def broken_off(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    writer.close()


async def refused(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(http_response(b"secret stack trace", "503 Service Unavailable", "Content-Type: text/plain\r\n"))


async def redirected(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(http_response(b"", "302 Found", "Location: http://127.0.0.1:1/\r\n"))


async def too_large(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(http_response(b"x" * 20_000))


async def too_large_in_chunks(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(20):
        writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
    writer.write(b"0\r\n\r\n")


async def never(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    await asyncio.sleep(3)


async def reset(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def two_lengths(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}")


async def not_modified(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n")


async def not_http(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.org ESMTP\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ok, (200, b'{"query":"{a}"}', "application/json", "")),
        (chunked, (200, b'{"data":1}', "", "max-age=5")),
        (until_close, (200, b"{}", "", "")),
        (refused, (503, b"secret stack trace", "text/plain", "")),
        (redirected, (302, b"", "", "")),
        (broken_off, ("SUBREQUEST_HTTP_ERROR", {"service": "shop"})),
        (too_large, ("SUBGRAPH_RESPONSE_TOO_LARGE", {"service": "shop"})),
        (too_large_in_chunks, ("SUBGRAPH_RESPONSE_TOO_LARGE", {"service": "shop"})),
        (never, ("SUBGRAPH_TIMEOUT", {"service": "shop"})),
        (reset, ("SUBREQUEST_HTTP_ERROR", {"service": "shop"})),
        (two_lengths, ("SUBREQUEST_HTTP_ERROR", {"service": "shop"})),
        (not_modified, (304, b"", "", "")),
        (not_http, ("SUBREQUEST_HTTP_ERROR", {"service": "shop"})),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_both_clients_say_the_same(answer: Answerer, expected: tuple[object, ...]) -> None:
    async with server_that(answer) as server:
        ours = await outcome(HttpClient(LIMITS), server.url)
        theirs = await outcome(AiohttpClient(LIMITS), server.url)
    if expected[0] == 200 and answer is not ok:
        theirs = (*theirs[:2], expected[2], theirs[3])  # aiohttp names a default content type
    assert ours == expected
    assert theirs == expected


@pytest.mark.parametrize("make", CLIENTS)
async def test_a_closed_port_is_an_http_error_that_does_not_tell_the_address(make: type[Client]) -> None:
    client = make(LIMITS)
    with pytest.raises(SubgraphError) as caught:
        await ask(client, "http://127.0.0.1:1/graphql")
    await client.close()

    assert caught.value.code == "SUBREQUEST_HTTP_ERROR"
    assert "127.0.0.1" not in str(caught.value.entries())


@pytest.mark.parametrize("make", CLIENTS)
async def test_connections_are_kept_and_bounded(make: type[Client]) -> None:
    async def slowly(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(http_response(body))

    async with server_that(slowly) as server:
        client = make(LIMITS)
        answers = await asyncio.gather(*(ask(client, server.url, b"%d" % number) for number in range(20)))
        await client.close()

    assert [answer.body for answer in answers] == [b"%d" % number for number in range(20)]
    assert server.connections == 4


@pytest.mark.parametrize(
    "surplus",
    [http_response(b"stolen"), b"HTTP/1.1 200 OK\r\nX-Part: ", b"garbage", b"\r\n\r\n" + http_response(b"stolen")],
    ids=["an answer", "half an answer", "garbage", "an answer after empty lines"],
)
async def test_what_follows_an_answer_is_not_taken_for_the_next_askers(surplus: bytes) -> None:
    async def too_much(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.01)
        writer.write(http_response(body) + (surplus if body == b"1" else b""))

    async with server_that(too_much) as server:
        client = HttpClient(HttpLimits(max_connections=1, total_timeout_seconds=2))
        answers = await asyncio.gather(*(ask(client, server.url, b"%d" % number) for number in range(1, 4)))
        answers.append(await ask(client, server.url, b"4"))
        await client.close()

    assert [answer.body for answer in answers] == [b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("make", CLIENTS)
async def test_an_answer_that_drips_is_not_waited_for_longer_than_any_other(make: type[Client]) -> None:
    async def drip(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with server_that(drip) as server:
        client = make(LIMITS)
        started = time.perf_counter()
        with pytest.raises(SubgraphTimeoutError):
            await ask(client, server.url)
        assert time.perf_counter() - started < 10  # it would drip for twenty
        await client.close()


async def test_an_answer_may_come_in_two_parts_wherever_it_is_cut() -> None:
    whole = http_response(b'{"data":{"a":1}}', headers="Content-Type: application/json\r\nCache-Control: max-age=5\r\n")

    async def in_two(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        cut = int(body)
        writer.write(whole[:cut])
        await writer.drain()
        await asyncio.sleep(0.001)
        writer.write(whole[cut:])

    async with server_that(in_two) as server:
        client = HttpClient(HttpLimits(total_timeout_seconds=10))
        for cut in range(1, len(whole) + 1):  # the last is not cut
            answer = await ask(client, server.url, b"%d" % cut)
            assert answer == SubgraphAnswer(200, b'{"data":{"a":1}}', "application/json", "max-age=5")
        await client.close()
    assert server.connections == 1


async def test_each_request_has_its_own_time_though_one_timer_serves_all() -> None:
    async def after(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(float(body))
        writer.write(http_response(body))

    async def ended_after(client: Client, url: str, delay: bytes) -> float | None:
        """Seconds until it was given up; None where it was answered."""
        started = time.perf_counter()
        try:
            await ask(client, url, delay)
        except SubgraphTimeoutError:
            return time.perf_counter() - started
        return None

    async with server_that(after) as server:
        client = HttpClient(HttpLimits(total_timeout_seconds=1.5, max_connections=8))
        for _ in range(2):  # the second time, the timer of the first has gone off with nothing under way
            asked = [asyncio.create_task(ended_after(client, server.url, delay)) for delay in (b"9", b"0", b"0.01")]
            await asyncio.sleep(0.2)
            asked += [asyncio.create_task(ended_after(client, server.url, delay)) for delay in (b"9", b"0")]
            first, *answered, late, quick = await asyncio.gather(*asked)
            assert answered == [None, None]
            assert quick is None
            assert first is not None
            assert late is not None
            assert first >= 1.48
            assert late >= 1.48
            await asyncio.sleep(1.6)
        await client.close()


async def test_waiting_for_a_free_connection_ends() -> None:
    async with server_that(never) as server:
        client = HttpClient(HttpLimits(max_connections=1, total_timeout_seconds=1, pool_timeout_seconds=0.05))
        first = client.send(SubgraphRequest("shop", server.url, b"1"))
        with pytest.raises(SubgraphError, match="No connection to the subgraph became free"):
            await ask(client, server.url)
        first.cancel()
        await client.close()


async def test_a_query_goes_out_again_when_the_idle_connection_was_already_closed() -> None:
    seen = 0

    async def dies_on_second(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        if seen == 2:  # the client has sent on a connection that the server is just giving up
            writer.transport.abort()
        else:
            writer.write(http_response(body))

    async with server_that(dies_on_second) as server:
        client = HttpClient(LIMITS)
        await ask(client, server.url, b"1")
        assert (await ask(client, server.url, b"2")).body == b"2"
        await client.close()
    assert [body for _, body in server.requests] == [b"1", b"2", b"2"]


async def test_a_mutation_is_never_sent_twice() -> None:
    seen = 0

    async def dies_on_second(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        if seen == 2:
            writer.transport.abort()
        else:
            writer.write(http_response(body))

    async with server_that(dies_on_second) as server:
        client = HttpClient(LIMITS)
        await ask(client, server.url, b"1", is_query=False)
        with pytest.raises(SubgraphError, match="closed the connection"):
            await ask(client, server.url, b"2", is_query=False)
        await client.close()
    assert [body for _, body in server.requests] == [b"1", b"2"]


async def test_forwarded_headers_reach_the_subgraph_and_cannot_break_the_message() -> None:
    async with server_that(ok) as server:
        client = HttpClient(LIMITS)
        headers = (("x-tenant", "a"), ("x-evil", "1\r\nX-Injected: 2"), ("transfer-encoding", "chunked"))
        await client.send(SubgraphRequest("shop", server.url, b"{}", headers))
        await client.close()
    head = server.requests[0][0].lower()

    assert "x-tenant: a\r\n" in head
    assert "injected" not in head
    assert "transfer-encoding" not in head
    assert not may_forward("host", "evil.example.org")


async def test_equal_queries_under_way_are_sent_once_and_a_leaver_disturbs_nobody() -> None:
    async def slowly(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(http_response(body))

    async with server_that(slowly) as server:
        client = HttpClient(LIMITS)
        shared = SharedRequests(client)
        request = SubgraphRequest("shop", server.url, b"1", (("authorization", "a"),))
        other_viewer = SubgraphRequest("shop", server.url, b"1", (("authorization", "b"),))
        write = SubgraphRequest("shop", server.url, b"2", is_query=False)
        leaver, *rest = [shared.send(each) for each in (request, request, request, other_viewer, write, write)]
        leaver.cancel()
        answers = await asyncio.gather(*rest)
        await client.close()

    assert [answer.body for answer in answers] == [b"1", b"1", b"1", b"2", b"2"]
    assert sorted(body for _, body in server.requests) == [b"1", b"1", b"2", b"2"]


async def test_a_request_id_or_a_trace_does_not_keep_queries_apart() -> None:
    async def slowly(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(http_response(body))

    async with server_that(slowly) as server:
        client = HttpClient(LIMITS)
        shared = SharedRequests(client)
        answers = await asyncio.gather(
            *(
                shared.send(
                    SubgraphRequest("shop", server.url, b"1", (("x-request-id", str(number)), ("x-tenant", "a")))
                )
                for number in range(3)
            ),
            shared.send(SubgraphRequest("shop", server.url, b"1", (("x-request-id", "9"), ("x-tenant", "b")))),
        )
        await client.close()

    assert [answer.body for answer in answers] == [b"1"] * 4
    assert len(server.requests) == 2


@pytest.mark.parametrize("make", CLIENTS)
async def test_a_server_that_accepts_no_connection_costs_the_connect_time_out_only(make: type[Client]) -> None:
    with socket.socket() as deaf, ExitStack() as stack:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(3):  # until its queue is full
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        client = make(HttpLimits(connect_timeout_seconds=0.2, total_timeout_seconds=60))
        started = time.perf_counter()
        with pytest.raises(SubgraphTimeoutError):
            await ask(client, f"http://127.0.0.1:{deaf.getsockname()[1]}/graphql")
        assert time.perf_counter() - started < 30
        await client.close()


async def test_whoever_asks_after_a_write_does_not_share_a_query_begun_before_it() -> None:
    async def by_body(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1 if body == b"read" else 0)
        writer.write(http_response(body))

    async with server_that(by_body) as server:
        client = HttpClient(LIMITS)
        shared = SharedRequests(client)
        read = SubgraphRequest("shop", server.url, b"read")
        before = shared.send(read)
        await shared.send(SubgraphRequest("shop", server.url, b"write", is_query=False))
        after = shared.send(read)
        await asyncio.gather(before, after)
        await client.close()

    assert [body for _, body in server.requests] == [b"read", b"write", b"read"]


async def test_an_asker_that_comes_right_after_the_last_one_left_gets_an_answer() -> None:
    async with server_that(ok) as server:
        client = HttpClient(LIMITS)
        shared = SharedRequests(client)
        request = SubgraphRequest("shop", server.url, b"1")
        shared.send(request).cancel()
        assert (await shared.send(request)).body == b"1"
        await client.close()


@pytest.mark.parametrize("make", CLIENTS)
async def test_an_address_that_is_none_is_an_error_every_time(make: type[Client]) -> None:
    client = make(LIMITS)
    shared = SharedRequests(client)
    for _ in range(2):
        with pytest.raises(SubgraphError) as caught:
            await asyncio.wait_for(shared.send(SubgraphRequest("shop", "http://host:port/graphql", b"{}")), 60)
        assert caught.value.code == "SUBREQUEST_HTTP_ERROR"
    await client.close()


@pytest.mark.parametrize("client_class", CLIENTS)
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
async def test_requests_and_answers_may_be_compressed(client_class: type[Client], coding: str) -> None:
    limits = replace(LIMITS, accept_compressed=True, request_coding=coding, coded_from_bytes=10)
    heard: list[tuple[str, bytes]] = []

    async def answer(head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        heard.append((head.lower(), body))
        writer.write(http_response(encode(b'{"data":1}' * 50, coding), headers=f"Content-Encoding: {coding}\r\n"))

    async with server_that(answer) as server:
        client = client_class(limits)
        assert (await ask(client, server.url)).body == b'{"data":1}' * 50
        assert (await ask(client, server.url, b"{}")).body == b'{"data":1}' * 50
        await client.close()
    (head, body), (short_head, short) = heard
    assert "accept-encoding: zstd, br, gzip\r\n" in head
    assert f"content-encoding: {coding}\r\n" in head
    assert decode(body, coding, 1_000) == b'{"query":"{a}"}'
    assert "content-encoding" not in short_head
    assert short == b"{}"


@pytest.mark.parametrize("client_class", CLIENTS)
@pytest.mark.parametrize(
    ("body", "code"),
    [(encode(b" " * 1_000_000, "zstd"), "SUBGRAPH_RESPONSE_TOO_LARGE"), (b"garbage", "SUBREQUEST_HTTP_ERROR")],
)
async def test_a_compressed_answer_is_bounded_and_has_to_be_one(
    client_class: type[Client], body: bytes, code: str
) -> None:
    async def answer(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(http_response(body, headers="Content-Encoding: zstd\r\n"))

    async with server_that(answer) as server:
        assert (await outcome(client_class(replace(LIMITS, accept_compressed=True)), server.url))[0] == code


@pytest.mark.parametrize("client_class", CLIENTS)
async def test_headers_of_answers_are_kept_where_somebody_wants_them(client_class: type[Client]) -> None:
    async def answer(_head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(http_response(b"{}", headers="Set-Cookie: a=1\r\nX-Other: 2\r\nSET-COOKIE: b=2\r\n"))

    async with server_that(answer) as server:
        client = client_class(replace(LIMITS, kept_headers=frozenset({"set-cookie"})))
        for _ in range(2):
            assert (await ask(client, server.url)).headers == (("set-cookie", "a=1"), ("set-cookie", "b=2"))
        await client.close()


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_query_with_a_query_string_is_sent_by_get(client: type[Client]) -> None:
    told = "variables=%7B%22a%22%3A%22x%26y%3D%2B%20z%22%7D&extensions=%7B%7D"
    async with server_that(ok) as server:
        asking = client(LIMITS)
        await asking.send(SubgraphRequest("shop", f"{server.url}?at=1", b"{}", query_string=told))
        await asking.close()
    (request,) = server.requests
    line = request[0].split("\r\n")[0] if isinstance(request, tuple) else str(request)
    method, target, _ = line.split(" ")
    assert method == "GET"
    assert parse_qs(target.partition("?")[2]) == {"at": ["1"], "variables": ['{"a":"x&y=+ z"}'], "extensions": ["{}"]}
