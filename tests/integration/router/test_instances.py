"""Several instances of a subgraph behind a router: raw servers on real ports, found by list, file and DNS."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import dns.flags
import dns.message
import dns.rrset
import pytest
from aiohttp import web

from router.instance_settings import DnsNames
from router.server.app import create_app
from router.settings import load_settings
from router.transport.discovery import DiscoveryError, read_instances, resolve
from router.transport.http_exchange import HttpExchange
from router.transport.protocol import SubgraphRequest
from schema import SubgraphSource, compose
from tests.testkit.raw_server import RawServer, http_response, server_that
from tests.testkit.running_stack import eventually
from tests.testkit.strawberry_shop import serving

SDL = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])\n'
    "type Query { a: String } type Mutation { write: String }"
)
NOBODY = "http://127.0.0.1:9/graphql"
BUSY = http_response(b"busy", "503 Service Unavailable", "Content-Type: text/plain\r\n")


@dataclass
class Instances:
    """A router over the subgraph `alpha`, and its three servers; each answers with its own letter."""

    servers: tuple[RawServer, ...]
    origin: str
    session: aiohttp.ClientSession

    async def ask(self, query: str = "{ a }", number: int = 0) -> Any:
        headers = {"accept-language": str(number)}  # tells equal queries apart
        async with self.session.post(f"{self.origin}/graphql", json={"query": query}, headers=headers) as response:
            return await response.json()

    async def rows(self) -> list[dict[str, Any]]:
        async with self.session.get(f"{self.origin}/actuator/registry") as response:
            return list((await response.json())["subgraphs"][0]["instances"])

    @property
    def asked(self) -> list[int]:
        return [sum(b"__typename" not in body for _, body in each.requests) for each in self.servers]


def says(letter: str) -> Any:
    body = http_response(b'{"data":{"a":"%b","write":"%b"}}' % (letter.encode(), letter.encode()))
    return sends(body)


def sends(answer: bytes, *, after: float = 0.0) -> Any:
    async def send(head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(after)
        writer.write(http_response(b"{}") if head.startswith("GET /ready") else answer)
        if not answer:
            writer.close()

    return send


Start = Callable[..., AbstractAsyncContextManager[Instances]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    @asynccontextmanager
    async def run(subgraph: Callable[[list[str]], dict[str, Any]], **balancing: Any) -> AsyncIterator[Instances]:
        async with AsyncExitStack() as stack:
            servers = [await stack.enter_async_context(server_that(says(letter))) for letter in "xyz"]
            composed = compose([SubgraphSource("alpha", SDL, NOBODY)])
            assert composed.supergraph_sdl is not None
            file = tmp_path / "supergraph.graphql"
            file.write_text(composed.supergraph_sdl)
            settings = load_settings(
                None,
                {},
                supergraph=file,
                telemetry={"log_level": "error"},
                subgraphs={"alpha": subgraph([each.url for each in servers])},
                traffic_shaping={
                    "all": {"balancing": balancing, "retry": {"pause_seconds": 0.001, "budget_percent": 100}}
                },
            )
            port = await stack.enter_async_context(serving(create_app(settings)))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            yield Instances(tuple(servers), f"http://127.0.0.1:{port}", session)

    return run


async def test_a_listed_subgraphs_instances_share_the_requests_and_are_in_the_registry(start: Start) -> None:
    async with start(lambda urls: {"urls": urls}) as alpha:
        letters = [(await alpha.ask(number=number))["data"]["a"] for number in range(60)]
        assert set(letters) == {"x", "y", "z"}
        assert sum(alpha.asked) == 60
        rows = await alpha.rows()
        assert {row["url"] for row in rows} == {each.url for each in alpha.servers}
        assert [row["status"] for row in rows] == ["UP"] * 3
        assert sorted(row["requests"] for row in rows) == sorted(alpha.asked)
        headers = {"accept": "text/plain"}
        async with alpha.session.get(f"{alpha.origin}/actuator/registry", headers=headers) as response:
            assert (await response.text()).startswith("ALPHA-SERVICE: 3 instances\n  UP")
        async with alpha.session.get(f"{alpha.origin}/actuator/prometheus") as response:
            assert 'router_subgraph_instances{status="UP",subgraph="alpha"} 3.0' in await response.text()


@pytest.mark.parametrize("trouble", [b"", BUSY], ids=["closed", "503"])
async def test_a_retry_goes_to_another_instance(start: Start, trouble: bytes) -> None:
    async with start(lambda urls: {"urls": urls[:2]}, outliers={"failures_in_a_row": 1_000}) as alpha:
        alpha.servers[0].answer = sends(trouble)
        for number in range(30):
            assert await alpha.ask(number=number) == {"data": {"a": "y"}}
        assert alpha.asked[0] > 0
        assert alpha.asked[1] == 30


@pytest.mark.parametrize("trouble", [None, b"", BUSY], ids=["answers", "closed", "503"])
async def test_no_request_is_kept_once_it_is_answered(start: Start, trouble: bytes | None) -> None:
    """What refers to itself would keep its body until the collector, which a router has run seldom, comes to it."""
    async with start(lambda urls: {"urls": urls[:2]}, outliers={"failures_in_a_row": 1_000}) as alpha:
        if trouble is not None:
            alpha.servers[0].answer = sends(trouble)
        await alpha.ask()
        gc.collect()
        gc.disable()
        try:
            before = requests_in_memory()
            for number in range(20):
                await alpha.ask(number=number)
            kept = requests_in_memory() - before
        finally:
            gc.enable()
        assert kept <= 4  # the last one's may still be under way to their end


def requests_in_memory() -> int:
    return sum(type(each) in (SubgraphRequest, HttpExchange) for each in gc.get_objects())


async def test_an_instance_that_cannot_be_reached_costs_nobody_a_request_not_even_a_mutation(start: Start) -> None:
    async with start(lambda urls: {"urls": [urls[0], NOBODY]}) as alpha:
        writes = [await alpha.ask("mutation { write }", number) for number in range(20)]
        assert writes == [{"data": {"write": "x"}}] * 20
        assert alpha.asked[0] == 20
        assert {row["url"]: row["status"] for row in await alpha.rows()}[NOBODY] == "EJECTED"


async def test_a_failing_instance_is_left_alone(start: Start) -> None:
    async with start(lambda urls: {"urls": urls}, outliers={"failures_in_a_row": 3, "eject_seconds": 60}) as alpha:
        alpha.servers[0].answer = sends(BUSY)
        for number in range(40):
            assert "errors" not in await alpha.ask(number=number)
        assert alpha.asked[0] == 3


async def test_a_slow_query_is_asked_of_a_second_instance_and_a_mutation_never(start: Start) -> None:
    hedging = {"enabled": True, "after_seconds": 0.05, "budget_percent": 100}
    async with start(lambda urls: {"urls": urls}, hedging=hedging, slow_start_seconds=0) as alpha:
        slow = http_response(b'{"data":{"a":"slow","write":"slow"}}')
        alpha.servers[0].answer = alpha.servers[1].answer = sends(slow, after=60)
        alpha.servers[2].answer = sends(slow, after=0.4)
        writing = asyncio.create_task(alpha.ask("mutation { write }"))
        await eventually(lambda: _true(sum(alpha.asked) == 1))
        await asyncio.sleep(0.2)
        assert sum(alpha.asked) == 1
        writing.cancel()
        alpha.servers[0].answer = alpha.servers[1].answer = alpha.servers[2].answer = sends(slow, after=0.4)
        before = sum(alpha.asked)
        assert await alpha.ask(number=9) == {"data": {"a": "slow"}}
        assert sum(alpha.asked) == before + 2


async def _true(holds: bool) -> bool:
    return holds


async def test_a_watched_file_adds_and_removes_instances_and_a_broken_one_changes_nothing(
    start: Start, tmp_path: Path
) -> None:
    file = tmp_path / "instances.yaml"

    def put(text: str) -> None:
        partial = tmp_path / "instances.part"
        partial.write_text(text)
        partial.replace(file)

    async with start(lambda urls: [put(f"alpha: [{urls[0]}]"), {"discovery": {"file": str(file)}}][1]) as alpha:
        assert await alpha.ask() == {"data": {"a": "x"}}
        put(f"alpha: [{{url: {alpha.servers[1].url}, weight: 2}}]")
        await eventually(lambda: _answers(alpha, "y"), seconds=60)
        for wrong in ("alpha: 1", "[]", "alpha: [{url: nowhere}]", "alpha: []", "{"):
            put(wrong)
            await asyncio.sleep(0.3)
            assert await alpha.ask() == {"data": {"a": "y"}}
        put(f"alpha: [{alpha.servers[2].url}]")
        await eventually(lambda: _answers(alpha, "z"), seconds=60)


async def _answers(alpha: Instances, letter: str) -> bool:
    return bool(await alpha.ask() == {"data": {"a": letter}})


def test_what_is_wrong_in_a_file_of_instances_is_said(tmp_path: Path) -> None:
    file = tmp_path / "instances.yaml"
    file.write_text("alpha: [{url: 'http://a', region: b}]")
    with pytest.raises(DiscoveryError, match=r"an instance of 'alpha': Extra inputs"):
        read_instances(file, "alpha")
    assert read_instances(file, "beta") == ()


async def test_an_instance_that_says_that_it_is_stopping_gets_no_requests(start: Start) -> None:
    check = {"interval_seconds": 0.05, "path": "/ready"}
    async with start(lambda urls: {"urls": urls[:2], "health_check": check}) as alpha:
        seen = alpha.servers[0]

        async def stopping(head: str, _body: bytes, writer: asyncio.StreamWriter) -> None:
            writer.write(BUSY if head.startswith("GET /ready") else http_response(b'{"data":{"a":"x"}}'))

        seen.answer = stopping
        await eventually(lambda: _has_status(alpha, seen.url, "OUT_OF_SERVICE"), seconds=60)
        before = sum(head.startswith("POST") and b"typename" not in body for head, body in seen.requests)
        for number in range(20):
            assert await alpha.ask(number=number) == {"data": {"a": "y"}}
        assert sum(head.startswith("POST") and b"typename" not in body for head, body in seen.requests) == before
        seen.answer = says("x")
        await eventually(lambda: _has_status(alpha, seen.url, "UP"), seconds=60)


async def _has_status(alpha: Instances, url: str, status: str) -> bool:
    return any(row["url"] == url and row["status"] == status for row in await alpha.rows())


class NameServer(asyncio.DatagramProtocol):
    """Answers every question from `records`: (name, kind) to lines of a zone file."""

    def __init__(self, records: dict[tuple[str, str], list[str]]) -> None:
        self.records = records

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        asked = dns.message.from_wire(data)
        question = asked.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        lines = self.records.get((question.name.to_text(omit_final_dot=True), kind))
        if lines:
            answer.answer.append(dns.rrset.from_text(question.name, 1, "IN", kind, *lines))
        self.transport.sendto(answer.to_wire(), address)


@asynccontextmanager
async def name_server(records: dict[tuple[str, str], list[str]]) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: NameServer(records), ("127.0.0.1", 0))
    try:
        yield "{}:{}".format(*transport.get_extra_info("sockname"))
    finally:
        transport.close()


async def test_dns_tells_addresses_and_services_with_their_weights() -> None:
    records = {
        ("alpha.internal", "A"): ["10.0.0.2", "10.0.0.1"],
        ("alpha.internal", "AAAA"): ["fd00::1"],
        ("_graphql._tcp.alpha.internal", "SRV"): [
            "0 300 8081 one.internal.",
            "0 100 8082 two.internal.",
            "9 100 8083 spare.internal.",
        ],
    }
    async with name_server(records) as server:
        hosts, seconds = await resolve(DnsNames(name="alpha.internal", port=4000, nameservers=(server,)))
        assert [each.url for each in hosts] == [
            "http://10.0.0.1:4000/graphql",
            "http://10.0.0.2:4000/graphql",
            "http://[fd00::1]:4000/graphql",
        ]
        assert seconds == 1
        services, _ = await resolve(
            DnsNames(name="_graphql._tcp.alpha.internal", record="SRV", nameservers=(server,), path="/", scheme="https")
        )
        assert [(each.url, each.weight) for each in services] == [
            ("https://one.internal:8081/", 100),
            ("https://two.internal:8082/", 33),
        ]
        literal, _ = await resolve(DnsNames(name="127.0.0.1", port=4000, nameservers=(server,)))
        assert [each.url for each in literal] == ["http://127.0.0.1:4000/graphql"]
        with pytest.raises(DiscoveryError, match=r"nobody\.internal"):
            await resolve(DnsNames(name="nobody.internal", port=1, nameservers=(server,)))


async def test_a_router_follows_what_dns_says(start: Start) -> None:
    records: dict[tuple[str, str], list[str]] = {}
    name = "_graphql._tcp.alpha.internal"

    def told(url: str) -> None:
        records[name, "SRV"] = [f"0 1 {url.split(':')[2].split('/', maxsplit=1)[0]} 127.0.0.1."]

    async with name_server(records) as server:
        found = {"dns": {"name": name, "record": "SRV", "refresh_seconds": 1, "nameservers": [server]}}
        async with start(lambda urls: [told(urls[0]), {"discovery": found}][1]) as alpha:
            assert await alpha.ask() == {"data": {"a": "x"}}
            told(alpha.servers[1].url)
            await eventually(lambda: _answers(alpha, "y"), seconds=60)
            records.clear()
            await asyncio.sleep(1.2)
            assert await alpha.ask() == {"data": {"a": "y"}}


async def test_a_router_follows_what_a_registry_says_and_goes_on_without_it(start: Start) -> None:
    listed: dict[str, Any] = {}
    asked: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.headers.get("x-registry-token"))
        if "status" in listed:
            return web.Response(status=listed["status"], headers={"location": "/elsewhere"})
        return web.Response(text=listed.get("text") or json.dumps({"alpha": listed["alpha"]}))

    application = web.Application()
    application.router.add_get("/instances", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/instances"
    registry = {"url": url, "headers": {"x-registry-token": "a secret"}, "refresh_seconds": 0.5}

    def told(urls: list[str]) -> dict[str, Any]:
        listed["alpha"] = [urls[0]]
        return {"discovery": {"http": registry}}

    async with start(told) as alpha:
        assert await alpha.ask() == {"data": {"a": "x"}}
        listed["alpha"] = [{"url": alpha.servers[1].url, "weight": 2}]
        await eventually(lambda: _answers(alpha, "y"), seconds=60)
        for wrong in ({"status": 500}, {"status": 302}, {"text": "no JSON"}, {"text": "[]"}, {"alpha": ["nowhere"]}):
            listed |= wrong
            seen = len(asked)
            await eventually(lambda seen=seen: _true(len(asked) >= seen + 2), seconds=60)
            assert await alpha.ask() == {"data": {"a": "y"}}
            for name in wrong:
                del listed[name]
            listed.setdefault("alpha", [alpha.servers[1].url])
        await runner.cleanup()
        await asyncio.sleep(0.6)
        assert await alpha.ask() == {"data": {"a": "y"}}
    assert set(asked) == {"a secret"}
