"""A subgraph that breaks HTTP, JSON or its promises: the rest of the answer stands, and nothing of its insides gets out."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from router.server.app import create_app
from router.settings import load_settings
from schema import SubgraphSource, compose
from tests.testkit.raw_server import RawServer, http_response, server_that
from tests.testkit.strawberry_shop import serving

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@external", "@requires"])\n'
)
HONEST = (
    LINK
    + """
scalar JSON
type Query { products: [Product!]! }
type Product @key(fields: "id") {
  id: ID! name: String form: JSON @external size: Int @requires(fields: "form")
}
"""
)
LIAR = (
    LINK
    + """
type Query { motto: String weight: Float thing: Thing things: [Thing] document(like: JSON): JSON }
scalar JSON
union Thing = Product | Note
type Note { text: String }
type Product @key(fields: "id") { id: ID! price: Int notes: [Note!] form: JSON }
"""
)
PRODUCTS = (
    b'{"data":{"products":[{"__typename":"Product","id":"1","name":"A"},{"__typename":"Product","id":"2","name":"B"}]}}'
)
ENTITIES = b'{"data":{"_entities":[{"__typename":"Product","price":1},{"__typename":"Product","price":2}]}}'
NAMES = b'{"data":{"_entities":[{"__typename":"Product","name":"B"}]}}'
MOTTO = b'{"data":{"motto":"whole"}}'
SECRETS = (b"hunter2", b"Traceback", b"127.0.0.1", b"orjson", b"msgspec")

#: What goes over the wire, made of the honest body.
Wire = Callable[[bytes], bytes]


def body_of(change: Callable[[bytes], bytes]) -> Wire:
    return lambda body: http_response(change(body))


def with_data(value: str) -> Wire:
    return lambda _: http_response(b'{"data":%b}' % value.encode())


BROKEN: dict[str, tuple[Wire, str]] = {
    "another status and no GraphQL": (
        lambda _: http_response(b"secret=hunter2", "500 Internal Server Error", "Content-Type: text/plain\r\n"),
        "SUBREQUEST_HTTP_ERROR",
    ),
    "HTML": (body_of(lambda _: b"<html>hunter2</html>"), "SUBGRAPH_MALFORMED_RESPONSE"),
    "nothing": (body_of(lambda _: b""), "SUBGRAPH_MALFORMED_RESPONSE"),
    "204": (lambda _: b"HTTP/1.1 204 No Content\r\n\r\n", "SUBGRAPH_MALFORMED_RESPONSE"),
    "a redirect": (
        lambda _: http_response(b"", "302 Found", "Location: http://127.0.0.1:1/hunter2\r\n"),
        "SUBREQUEST_HTTP_ERROR",
    ),
    "half of a body": (lambda body: http_response(body)[:-5] + b"CLOSE", "SUBREQUEST_HTTP_ERROR"),
    "a body shorter than its length, then nothing": (lambda body: http_response(body)[:-5], "SUBGRAPH_TIMEOUT"),
    "half of the headers": (lambda _: b"HTTP/1.1 200 OK\r\nContent-TyCLOSE", "SUBREQUEST_HTTP_ERROR"),
    "another protocol": (lambda _: b"220 mail.example.org ESMTP hunter2\r\n\r\n", "SUBREQUEST_HTTP_ERROR"),
    "no answer": (lambda _: b"CLOSE", "SUBREQUEST_HTTP_ERROR"),
    "silence": (lambda _: b"", "SUBGRAPH_TIMEOUT"),
    "a broken chunk": (
        lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhunter2\r\n",
        "SUBREQUEST_HTTP_ERROR",
    ),
    "headers without end": (lambda _: b"HTTP/1.1 200 OK\r\n" + b"X-A: hunter2\r\n" * 20_000, "SUBREQUEST_HTTP_ERROR"),
    "a huge body": (lambda _: http_response(b'{"data":"' + b"x" * 70_000 + b'"}'), "SUBGRAPH_RESPONSE_TOO_LARGE"),
    "a compressed body nobody asked for": (
        lambda body: http_response(gzip.compress(body), headers="Content-Encoding: gzip\r\n"),
        "SUBGRAPH_MALFORMED_RESPONSE",
    ),
    "invalid UTF-8": (
        body_of(lambda body: body.replace(b'"data"', b'"x":"\xff","data"')),
        "SUBGRAPH_MALFORMED_RESPONSE",
    ),
    "invalid UTF-8 in a value": (
        body_of(lambda body: body.replace(b"whole", b"who\xffle").replace(b"Product", b"Prod\xffuct")),
        "SUBGRAPH_MALFORMED_RESPONSE",
    ),
    "UTF-16": (body_of(lambda body: body.decode().encode("utf-16")), "SUBGRAPH_MALFORMED_RESPONSE"),
    "a byte order mark": (body_of(lambda body: b"\xef\xbb\xbf" + body), "SUBGRAPH_MALFORMED_RESPONSE"),
    "NaN": (with_data("NaN"), "SUBGRAPH_MALFORMED_RESPONSE"),
    "brackets without end": (with_data("[" * 30_000), "SUBGRAPH_MALFORMED_RESPONSE"),
    "deep brackets": (with_data("[" * 30_000 + "]" * 30_000), "SUBGRAPH_MALFORMED_RESPONSE"),
    "two documents": (body_of(lambda body: body + body), "SUBGRAPH_MALFORMED_RESPONSE"),
    "a list of answers": (body_of(lambda body: b"[" + body + b"]"), "SUBGRAPH_MALFORMED_RESPONSE"),
    "neither data nor errors": (body_of(lambda _: b'{"hunter2":1}'), "SUBGRAPH_MALFORMED_RESPONSE"),
    "no data, and no word about it": (with_data("null"), "SUBGRAPH_MALFORMED_RESPONSE"),
    "data is text": (with_data('"hunter2"'), "SUBGRAPH_MALFORMED_RESPONSE"),
    "errors only": (
        body_of(lambda _: b'{"errors":[{"message":"no","extensions":{"exception":"Traceback hunter2"}}]}'),
        "DOWNSTREAM_SERVICE_ERROR",
    ),
    "errors of no shape": (
        body_of(lambda _: b'{"data":null,"errors":[1,null,{"message":{}}]}'),
        "DOWNSTREAM_SERVICE_ERROR",
    ),
}


class Liar:
    """The graph of one honest subgraph and one that answers as `wire` says."""

    def __init__(self, url: str, session: aiohttp.ClientSession, server: RawServer) -> None:
        self._url = url
        self._session = session
        self._server = server

    async def ask(self, query: str, wire: Wire) -> dict[str, Any]:
        """The router's answer, checked to be one."""

        async def answer(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
            sent = wire(ENTITIES if b"_entities" in body else MOTTO)
            writer.write(sent.removesuffix(b"CLOSE"))
            if sent.endswith(b"CLOSE"):
                writer.close()

        self._server.answer = answer
        status, parsed = await self.post(orjson.dumps({"query": query}))
        assert status == 200
        return parsed

    async def post(self, request: bytes) -> tuple[int, dict[str, Any]]:
        headers = {"content-type": "application/json"}
        async with self._session.post(self._url, data=request, headers=headers) as response:
            body = await response.read()
        assert not [secret for secret in SECRETS if secret in body]
        parsed: dict[str, Any] = orjson.loads(body)
        assert parsed.keys() <= {"data", "errors"}
        return response.status, parsed


@asynccontextmanager
async def lying_graph(folder: Path, **settings_of_router: Any) -> AsyncIterator[Liar]:
    async def products(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(http_response(NAMES if b"_entities" in body else PRODUCTS))

    async with AsyncExitStack() as stack:
        honest = await stack.enter_async_context(server_that(products))
        lying = await stack.enter_async_context(server_that(products))
        composed = compose([SubgraphSource("honest", HONEST, honest.url), SubgraphSource("liar", LIAR, lying.url)])
        assert composed.supergraph_sdl is not None, composed.errors
        supergraph = folder / "supergraph.graphql"
        supergraph.write_text(composed.supergraph_sdl)
        settings = load_settings(
            None,
            {},
            supergraph=supergraph,
            telemetry={"log_level": "error"},
            traffic_shaping={"all": {"timeout_seconds": 0.3, "max_response_bytes": 65_536}},
            **settings_of_router,
        )
        port = await stack.enter_async_context(serving(create_app(settings)))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Liar(f"http://127.0.0.1:{port}/graphql", session, lying)


@pytest.fixture
async def liar(tmp_path: Path) -> AsyncIterator[Liar]:
    async with lying_graph(tmp_path) as graph:
        yield graph


@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_no_answer_is_one_error_at_its_place(liar: Liar, name: str) -> None:
    wire, code = BROKEN[name]
    for known in (False, True):  # the first time nothing is compiled
        if known:
            await liar.ask("{ motto }", http_response)
        root = await liar.ask("{ motto }", wire)
        assert root["data"] == {"motto": None}
        assert {error["extensions"]["code"] for error in root["errors"]} == {code}
        assert {error["extensions"]["service"] for error in root["errors"]} == {"liar"}

    entities = await liar.ask("{ products { name price } }", wire)
    assert entities["data"] == {"products": [{"name": "A", "price": None}, {"name": "B", "price": None}]}
    assert {error["extensions"]["code"] for error in entities["errors"]} == {code}
    assert all(error["path"][0] == "products" for error in entities["errors"] if "path" in error)


@pytest.mark.parametrize(
    ("query", "data", "told", "code"),
    [
        ("{ motto }", '{"motto":1}', {"motto": None}, "INVALID_VALUE"),
        ("{ motto }", '{"motto":{"a":"hunter2"}}', {"motto": None}, "INVALID_VALUE"),
        ("{ motto }", '{"motto":"a","motto":"b","more":"hunter2"}', {"motto": "b"}, None),
        ("{ motto }", '{"motto":"\\u0000\\ud83d\\ude00"}', {"motto": "\0😀"}, None),
        ("{ motto }", "{}", {"motto": None}, None),
        ("{ weight }", '{"weight":1e400}', {"weight": None}, "INVALID_VALUE"),
        ("{ weight }", '{"weight":"1"}', {"weight": None}, "INVALID_VALUE"),
        ("{ thing { __typename } }", '{"thing":{"__typename":"Ghost"}}', {"thing": None}, "INVALID_VALUE"),
        ("{ thing { __typename } }", '{"thing":{"__typename":["Note"]}}', {"thing": None}, "INVALID_VALUE"),
        ("{ thing { ... on Note { text } } }", '{"thing":{"__typename":"Query","text":"x"}}', {"thing": None}, "INVALID_VALUE"),
        ("{ thing { ... on Note { text } } }", '{"thing":[]}', {"thing": None}, "INVALID_VALUE"),
        # without its key nobody can be asked for its name, and the client is told who left it out
        (
            "{ thing { ... on Product { name } } }", '{"thing":{"__typename":"Product"}}', {"thing": {"name": None}},
            "SUBGRAPH_MALFORMED_RESPONSE",
        ),
        ("{ document }", '{"document":' + "[" * 900 + "]" * 900 + "}", {"document": None}, "INVALID_VALUE"),
        ("{ document }", '{"document":123456789012345678901234567890}', {"document": 1.2345678901234568e29}, None),
    ],
    ids=str,
)  # fmt: skip
async def test_a_value_that_is_not_what_the_schema_says_is_null(
    liar: Liar, query: str, data: str, told: Any, code: str | None
) -> None:
    for _ in range(3):  # the first time, compiled, and from then on
        answer = await liar.ask(query, with_data(data))
        assert answer["data"] == told
        assert {error["extensions"]["code"] for error in answer.get("errors", ())} == ({code} if code else set())


@pytest.mark.parametrize(
    ("entities", "prices"),
    [
        ('[{"price":1}]', [None, None]),
        ('[{"price":1},{"price":2},{"price":3}]', [None, None]),
        ("[null,null]", [None, None]),
        ('[{"price":1},"hunter2"]', [1, None]),
        ('[{"price":"1"},{"price":2}]', [None, 2]),
        ('[{"price":2147483648},{"price":2}]', [None, 2]),
        ('[{"__typename":"Ghost","price":1},{"__typename":7,"price":2}]', [1, 2]),
        ('{"0":{"price":1}}', [None, None]),
        ("null", [None, None]),
    ],
)
async def test_entities_that_are_not_those_asked_for_spoil_only_themselves(
    liar: Liar, entities: str, prices: list[int | None]
) -> None:
    answer = await liar.ask("{ products { name price } }", with_data(f'{{"_entities":{entities}}}'))
    assert [each["name"] for each in answer["data"]["products"]] == ["A", "B"]
    told = [each["price"] for each in answer["data"]["products"]]
    assert all(price in (wanted, None) for price, wanted in zip(told, prices, strict=True))


async def test_a_value_too_deep_to_be_sent_on_costs_what_needs_it(liar: Liar) -> None:
    form = "[" * 500 + "]" * 500
    answer = await liar.ask(
        "{ products { name size price } }",
        lambda _: http_response(
            f'{{"data":{{"_entities":[{{"form":{form},"price":1}},{{"form":{form},"price":2}}]}}}}'.encode()
        ),
    )
    assert answer["data"] == {
        "products": [{"name": "A", "size": None, "price": 1}, {"name": "B", "size": None, "price": 2}]
    }
    assert [error["extensions"] for error in answer["errors"]] == [
        {"code": "SUBGRAPH_MALFORMED_RESPONSE", "service": "honest"}
    ]


@pytest.mark.parametrize("levels", [300, 1_000, 5_000])
async def test_a_client_that_nests_its_variables_too_deeply_is_told_so(liar: Liar, levels: int) -> None:
    query = "query($like: JSON) { document(like: $like) }"
    variables = b'{"like":' + b"[" * levels + b"]" * levels + b"}"
    status, answer = await liar.post(b'{"query":%b,"variables":%b}' % (orjson.dumps(query), variables))
    assert (status, answer["errors"][0]["extensions"]["code"]) in ((400, "BAD_USER_INPUT"), (400, "MALFORMED_JSON"))

    literal = "{ document(like: " + "[" * levels + "]" * levels + ") }"
    status, answer = await liar.post(orjson.dumps({"query": literal}))
    assert status == 200
    assert answer["errors"][0]["extensions"]["code"] in ("BAD_USER_INPUT", "DEPTH_LIMIT_EXCEEDED")


FAILING = b"""{"data":{"_entities":[{"price":1},{"price":null}]},"errors":[{"message":"no price in hunter2",
"path":["_entities",1,"price"],"extensions":{"code":"NO_PRICE","request":"hunter2","since":3}}]}"""


async def test_what_a_redacted_subgraph_says_of_its_errors_is_not_told(tmp_path: Path) -> None:
    async with lying_graph(tmp_path, subgraph_errors={"subgraphs": {"liar": "redact"}}) as liar:
        answer = await liar.ask("{ products { price } }", lambda _: http_response(FAILING))
    assert answer == {
        "errors": [
            {
                "message": "The subgraph reported an error.",
                "path": ["products", 1, "price"],
                "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR", "service": "liar"},
            }
        ],
        "data": {"products": [{"price": 1}, {"price": None}]},
    }


async def test_what_other_subgraphs_say_is_told_without_their_insides(liar: Liar) -> None:
    answer = await liar.ask("{ products { price } }", lambda _: http_response(FAILING.replace(b" in hunter2", b"")))
    assert answer["errors"] == [
        {
            "message": "no price",
            "path": ["products", 1, "price"],
            "extensions": {"code": "NO_PRICE", "service": "liar", "since": 3},
        }
    ]


async def test_a_type_name_that_is_no_text_costs_its_object(liar: Liar) -> None:
    things = b'{"data":{"things":[{"__typename":["Product"],"id":"1"},{"__typename":"Product","id":"2"}]}}'
    query = "{ things { ... on Product { id name } } }"
    answer = await liar.ask(query, lambda _: http_response(things))
    assert answer["data"] == {"things": [None, {"id": "2", "name": "B"}]}
    assert [error["path"] for error in answer["errors"]] == [["things", 0]]


async def test_a_subgraph_cannot_answer_introspection(liar: Liar) -> None:
    query = '{ type: __type(name: "Note") { name } motto }'
    for lie in ('"hunter2"', '{"name":"hunter2"}', "null"):
        answer = await liar.ask(query, with_data(f'{{"motto":"m","type":{lie},"__schema":{lie}}}'))
        assert answer == {"data": {"type": {"name": "Note"}, "motto": "m"}}


async def test_the_router_goes_on_after_all_of_it(liar: Liar) -> None:
    for wire, _ in BROKEN.values():
        await liar.ask("{ motto }", wire)
    assert await liar.ask("{ motto products { price } }", http_response) == {
        "data": {"motto": "whole", "products": [{"price": 1}, {"price": 2}]}
    }
