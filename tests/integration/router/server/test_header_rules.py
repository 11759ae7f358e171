"""Header rules through the whole router: what each subgraph is sent, and what the client gets back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from multidict import CIMultiDict

from router.server.app import create_app
from router.server.header_rules import ResponseHeaders, aggregated_cache_control
from router.settings import SettingsError, load_settings
from router.transport.in_process import InProcessTransport
from schema import SubgraphSource, compose
from tests.testkit.raw_server import RawServer, http_response, server_that
from tests.testkit.running_router import SECRET, token
from tests.testkit.strawberry_shop import serving

A = "type Query { a: Int } type Mutation { m: Int }"
B = "type Query { b: Int }"


OWN = frozenset({"x-deadline-ms", "x-request-id"})


class Subgraphs:
    """Two servers and the router before them; `told` are the headers that each answers with."""

    def __init__(self) -> None:
        self.told: dict[str, str] = {"a": "", "b": ""}
        self.servers: dict[str, RawServer] = {}
        self.url = ""
        self.session: aiohttp.ClientSession

    async def ask(self, query: str, headers: Any = None) -> aiohttp.ClientResponse:
        async with self.session.post(self.url, json={"query": query}, headers=headers) as response:
            await response.read()
            return response

    def heard(self, name: str) -> dict[str, str]:
        """The headers of the last request, in lower case, without those of the router's own that no rule is about."""
        lines = self.servers[name].requests[-1][0].split("\r\n")[1:]
        heard = {line.split(": ")[0].lower(): line.split(": ", 1)[1] for line in lines if line}
        return {name: value for name, value in heard.items() if name not in OWN}


@asynccontextmanager
async def ruled(folder: Path, headers: dict[str, Any], **settings: Any) -> AsyncIterator[Subgraphs]:
    graph = Subgraphs()

    def answerer(name: str) -> Any:
        async def answer(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.02)
            field = "m" if b"mutation" in body else name
            told = f"Content-Type: application/json\r\n{graph.told[name]}"
            writer.write(http_response(orjson.dumps({"data": {field: 1}}), headers=told))

        return answer

    async with server_that(answerer("a")) as first, server_that(answerer("b")) as second:
        graph.servers = {"a": first, "b": second}
        composition = compose([SubgraphSource("a", A, first.url), SubgraphSource("b", B, second.url)])
        assert composition.supergraph_sdl is not None
        file = folder / "supergraph.graphql"
        file.write_text(composition.supergraph_sdl)
        values = {"supergraph": file, "headers": headers, "jwt": {"keys": [{"secret": SECRET}]}, **settings}
        app = create_app(load_settings(None, {}, telemetry={"log_level": "error"}, **values))
        async with serving(app) as port, aiohttp.ClientSession() as session:
            graph.url, graph.session = f"http://127.0.0.1:{port}/graphql", session
            yield graph


REQUEST_RULES = {
    "all": {
        "request": [
            {"propagate": "X-Tenant", "rename": "X-Org", "default": "none"},
            {"propagate_matching": "x-trace-.*"},
            {"insert": "X-User", "from_claim": "sub", "default": "nobody"},
            {"insert": "X-Roles", "from_claim": "roles"},
            {"insert": "X-Key", "value": "hush"},
        ]
    },
    "subgraphs": {
        "b": {
            "request": [{"remove": "x-user"}, {"remove_matching": "x-trace-se.*"}, {"insert": "X-Key", "value": "psst"}]
        }
    },
}


async def test_each_subgraph_gets_the_headers_of_its_rules(tmp_path: Path) -> None:
    async with ruled(tmp_path, REQUEST_RULES, forward_headers=["accept-language"]) as graph:
        lines = CIMultiDict(
            [("X-Tenant", "t1"), ("X-Tenant", "t2"), ("X-Trace-Id", "7"), ("X-Trace-Secret", "s"), ("X-Other", "o")]
        )
        lines.extend({"Accept-Language": "de", "Authorization": token("u1", roles=["R", "S"])})
        await graph.ask("{ a b }", lines)
        a, b = graph.heard("a"), graph.heard("b")
    assert {name: a[name] for name in a if name.startswith(("x-", "accept-l", "auth"))} == {
        "x-org": "t1, t2", "x-trace-id": "7", "x-trace-secret": "s", "x-user": "u1",
        "x-roles": "R,S", "x-key": "hush", "accept-language": "de",
    }  # fmt: skip
    assert {name for name in b if name.startswith("x-")} == {"x-org", "x-trace-id", "x-roles", "x-key"}
    assert b["x-key"] == "psst"


async def test_who_ask_over_one_connection_are_each_told_to_the_subgraph_as_themselves(tmp_path: Path) -> None:
    """A proxy sends the requests of many people over one connection, which knows a head again but for who asks."""
    rules = {"all": {"request": [{"insert": "X-User", "from_claim": "sub", "default": "nobody"}]}}
    people = ["ann", "bob", "bob", "", "ann", "wrong", "bob"]
    authorizations = {name: token(name) for name in ("ann", "bob")} | {"wrong": token("ann", secret="x" * 32)}
    async with ruled(tmp_path, rules) as graph:
        for number, person in enumerate(people):
            lines = {"X-Request-Id": f"id-{number}", "Traceparent": f"00-{number:032x}-{1:016x}-01"}
            if person:
                lines["Authorization"] = authorizations[person]
            answer = await graph.ask("{ a }", lines)
            assert answer.headers["x-request-id"] == f"id-{number}"
            assert ("www-authenticate" in answer.headers) == (person == "wrong")
            heard = graph.heard("a")
            assert heard["x-user"] == (person if person in ("ann", "bob") else "nobody")
            assert heard.get("authorization", "") == (authorizations.get(person, "") if person != "wrong" else "")
            assert heard["traceparent"] == lines["Traceparent"]
            assert f"\r\nx-request-id: id-{number}\r\n" in graph.servers["a"].requests[-1][0]


async def test_defaults_stand_in_for_what_a_client_did_not_send(tmp_path: Path) -> None:
    async with ruled(tmp_path, REQUEST_RULES) as graph:
        await graph.ask("{ a }")
        heard = graph.heard("a")
    assert (heard["x-org"], heard["x-user"]) == ("none", "nobody")
    assert "x-roles" not in heard
    assert not any(":" in name for name in heard)


async def test_a_websocket_fills_rules_from_its_first_message(tmp_path: Path) -> None:
    rules = {"all": {"request": [{"insert": "X-Device", "from_connection_init": "device"}]}}
    async with ruled(tmp_path, rules) as graph:
        url = graph.url.replace("http", "ws")
        async with graph.session.ws_connect(url, protocols=("graphql-transport-ws",)) as socket:
            await socket.send_json({"type": "connection_init", "payload": {"device": "watch", "other": 1}})
            await socket.receive_json()
            await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": "{ a }"}})
            assert (await socket.receive_json())["payload"] == {"data": {"a": 1}}
        assert graph.heard("a")["x-device"] == "watch"


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [("first", ["1"]), ("last", ["2"]), ("append", ["1, 2"]), ("all", ["1", "2"])],
)
async def test_headers_of_answers_come_back_by_rule(tmp_path: Path, algorithm: str, expected: list[str]) -> None:
    rules = {"all": {"response": [{"propagate": "X-Took", "algorithm": algorithm}]}}
    async with ruled(tmp_path, rules) as graph:
        graph.told = {"a": "X-Took: 1\r\nX-Took: 2\r\nX-Other: 3\r\n", "b": ""}
        response = await graph.ask("{ a b }")
    assert response.headers.getall("x-took") == expected
    assert "x-other" not in response.headers


async def test_cookies_come_back_each_on_its_line_and_only_from_whom_they_may(tmp_path: Path) -> None:
    rules = {"subgraphs": {"a": {"response": [{"propagate": "set-cookie", "algorithm": "all"}]}}}
    async with ruled(tmp_path, rules) as graph:
        graph.told = {"a": "Set-Cookie: s=1; Path=/\r\nSet-Cookie: t=2\r\n", "b": "Set-Cookie: u=3\r\n"}
        response = await graph.ask("{ a b }")
        assert response.headers.getall("set-cookie") == ["s=1; Path=/", "t=2"]
        assert (await graph.ask("mutation { m }")).headers.getall("set-cookie") == ["s=1; Path=/", "t=2"]


async def test_a_cookie_is_for_the_client_whose_request_it_answers(tmp_path: Path) -> None:
    """Equal anonymous queries at the same time run once otherwise."""
    rules = {"subgraphs": {"a": {"response": [{"propagate": "set-cookie", "algorithm": "all"}]}}}
    async with ruled(tmp_path, rules) as graph:
        graph.told["a"] = "Set-Cookie: s=1\r\n"
        await asyncio.gather(*(graph.ask("{ a }") for _ in range(5)))
        assert len(graph.servers["a"].requests) == 5
        await asyncio.gather(*(graph.ask("{ b }") for _ in range(5)))
        assert len(graph.servers["b"].requests) < 5


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["max-age=60", "public, max-age=30"], "max-age=30, public"),
        (["max-age=60, private", "max-age=90"], "max-age=60, private"),
        (["max-age=60", ""], "no-store"),
        (["max-age=60", "no-store"], "no-store"),
        (["Max-Age=60 , No-Cache"], "no-store"),
        (["max-age=x"], "no-store"),
        ([], "no-store"),
    ],
)
def test_cache_control_is_what_all_answers_allow(values: list[str], expected: str) -> None:
    assert aggregated_cache_control(values) == expected


async def test_clients_get_the_aggregated_cache_control(tmp_path: Path) -> None:
    async with ruled(tmp_path, {"aggregate_cache_control": True}) as graph:
        graph.told = {"a": "Cache-Control: max-age=60\r\n", "b": "Cache-Control: private, max-age=30\r\n"}
        assert (await graph.ask("{ a b }")).headers.getall("cache-control") == ["max-age=30, private"]
        assert (await graph.ask("{ a }")).headers["cache-control"] == "max-age=60, public"
        assert (await graph.ask("mutation { m }")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ({}, "a rule has one of"),
        ({"propagate": "a", "remove": "b"}, "a rule has one of"),
        ({"insert": "a"}, "insert needs one of"),
        ({"insert": "a", "value": "x", "from_claim": "y"}, "insert needs one of"),
        ({"propagate": "a", "value": "x"}, "insert needs one of"),
        ({"propagate_matching": "("}, "no regular expression"),
        ({"insert": "Content-Length", "value": "1"}, "belongs to one connection"),
        ({"propagate": "a", "rename": "transfer-encoding"}, "belongs to one connection"),
        ({"insert": "a b", "value": "1"}, "pattern"),
        ({"remove": "a", "rename": "b"}, "rename belongs to propagate"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_at_start(rule: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        load_settings(None, {}, supergraph="s.graphql", headers={"all": {"request": [rule]}})


@pytest.mark.parametrize(
    "rule",
    [
        {"propagate": "cache-control"},
        {"propagate": "set-cookie", "algorithm": "append"},
        {"propagate": "x", "rename": "host"},
    ],
)
def test_a_rule_for_answers_that_cannot_be_followed_is_refused_at_start(rule: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"router's own|cannot be joined"):
        load_settings(None, {}, supergraph="s.graphql", headers={"all": {"response": [rule]}})


async def test_rules_hold_for_subgraphs_in_this_process(tmp_path: Path) -> None:
    heard: dict[str, dict[bytes, bytes]] = {}

    def subgraph(name: str) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            heard[name] = dict(scope["headers"])
            headers = [(b"content-type", b"application/json"), (b"x-from", name.encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": orjson.dumps({"data": {name: 1}})})

        return app

    supergraph = tmp_path / "supergraph.graphql"
    supergraph.write_text(compose([SubgraphSource("a", A), SubgraphSource("b", B)]).supergraph_sdl or "")
    rules = {
        "all": {"request": [{"propagate": "x-team", "rename": "x-tenant"}]},
        "subgraphs": {"b": {"response": [{"propagate": "x-from"}]}},
    }
    settings = load_settings(None, {}, supergraph=supergraph, headers=rules)
    transport = InProcessTransport(
        {name: subgraph(name) for name in "ab"}, kept_headers=ResponseHeaders(settings.headers).names_of
    )
    async with serving(create_app(settings, transport)) as port, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{port}/graphql"
        async with session.post(url, json={"query": "{ a b }"}, headers={"x-team": "red"}) as response:
            assert (await response.json(content_type=None))["data"] == {"a": 1, "b": 1}
            assert response.headers.getall("x-from") == ["b"]
    assert {name: headers.get(b"x-tenant") for name, headers in heard.items()} == {"a": b"red", "b": b"red"}
