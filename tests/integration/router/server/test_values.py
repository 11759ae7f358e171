"""Values at and beyond the limits of their types, as literals, variables and defaults: through the router a subgraph says
what it says when it is asked directly.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from graphql import GraphQLScalarType, build_schema, graphql, value_from_ast_untyped

from router.server.app import create_app
from router.settings import load_settings
from schema import SubgraphSource, compose
from tests.testkit.raw_server import http_response, server_that
from tests.testkit.strawberry_shop import serving

SDL = """
scalar Any
enum Colour { RED GREEN }
input In { f: Float i: Int = 2147483647 any: Any = 18446744073709551616 tags: [ID!] = ["a"] in: In c: Colour = GREEN big: Float = 100000000000000000000000 }
type Query {
  i(x: Int = -2147483648): String
  f(x: Float = 1e23): String
  id(x: ID = 123456789012345678901234567890): String
  s(x: String = "\\u0000"): String
  b(x: Boolean = true): String
  c(x: Colour = RED): String
  any(x: Any = 18446744073709551616): String
  fs(x: [Float]): String
  fss(x: [[Float!]!]): String
  anys(x: [Any]): String
  in(x: In): String
  ins(x: [In!]): String
  must(x: Float! = 9007199254740993): String
}
"""
SCHEMA = build_schema(SDL)
scalar = SCHEMA.type_map["Any"]
assert isinstance(scalar, GraphQLScalarType)
scalar.parse_literal = value_from_ast_untyped  # type: ignore[method-assign,assignment]


def say(_source: Any, _info: Any, **given: Any) -> str:
    """Every difference that Python can tell: `true`, `1`, `1.0` and `-0.0` are four values."""
    return repr(given)


for each in SCHEMA.type_map["Query"].fields.values():  # type: ignore[union-attr]
    each.resolve = say


async def answer(request: web.Request) -> web.Response:
    asked = json.loads(await request.read())
    result = await graphql(SCHEMA, asked["query"], variable_values=asked.get("variables"))
    errors = [{"message": error.message} for error in result.errors or ()]
    body = {"data": result.data} | ({"errors": errors} if errors else {})
    return web.Response(text=json.dumps(body), content_type="application/json")


@asynccontextmanager
async def routed(
    sdl: str, url: str, folder: Path, *, dev: bool = False
) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    composition = compose([SubgraphSource("a", sdl, url)])
    assert composition.supergraph_sdl is not None, composition.errors
    supergraph = folder / "supergraph.graphql"
    supergraph.write_text(composition.supergraph_sdl)
    app = create_app(load_settings(None, {}, supergraph=supergraph, dev=dev, telemetry={"log_level": "error"}))
    async with serving(app) as port, aiohttp.ClientSession() as session:
        yield f"http://127.0.0.1:{port}/graphql", session


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """The way to ask the subgraph directly and through the router."""
    application = web.Application()
    application.router.add_post("/graphql", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    direct = f"http://127.0.0.1:{runner.addresses[0][1]}/graphql"
    async with routed(SDL, direct, tmp_path_factory.mktemp("values")) as (url, session):

        async def ask(operation: str, variables: str) -> list[Any]:
            body = f'{{"query":{json.dumps(operation)},"variables":{variables}}}'
            answers = []
            for address in (direct, url):
                headers = {"content-type": "application/json"}
                async with session.post(address, data=body, headers=headers) as response:
                    answers.append((response.status, await response.json()))
            return answers

        yield ask
    await runner.cleanup()


INTEGERS = [
    "0", "-0", "1", "2147483648", "-2147483649", "9007199254740993", "-9223372036854775809", "18446744073709551615",
    "18446744073709551616", "123456789012345678901234567890",
]  # fmt: skip
DECIMALS = ["0.0", "-0.0", "1.0", "1e23", "5e-324", "0.1234567890123456789"]
OTHERS = ["null", "true", '"a \\u00e9"', "[1]", "[]"]
LITERALS = [*INTEGERS, *DECIMALS, *OTHERS, "RED"]
FIELDS = ["i", "f", "id", "s", "b", "c", "any", "fs", "fss", "anys", "must"]
TYPES = {"i": "Int", "f": "Float", "id": "ID", "s": "String", "b": "Boolean", "c": "Colour", "any": "Any", "fs": "[Float]",
         "fss": "[[Float!]!]", "anys": "[Any]", "must": "Float", "in": "In", "ins": "[In!]"}  # fmt: skip


def agree(direct: tuple[int, Any], through: tuple[int, Any]) -> None:
    """Also in whether there is an error; whose words those are is another matter."""
    assert through[0] == 200
    if "errors" in direct[1]:
        assert "errors" in through[1], through[1]
    else:
        assert through[1] == direct[1]


@pytest.mark.parametrize("field", FIELDS)
async def test_literals(both: Any, field: str) -> None:
    for literal in LITERALS:
        agree(*await both(f"{{ {field}(x: {literal}) }}", "{}"))


@pytest.mark.parametrize("field", FIELDS)
async def test_variable_defaults_and_argument_defaults(both: Any, field: str) -> None:
    agree(*await both(f"{{ {field} }}", "{}") if field != "must" else await both("{ must }", "{}"))
    for literal in LITERALS:
        operation = f"query ($x: {TYPES[field]} = {literal}) {{ {field}(x: $x) }}"
        agree(*await both(operation, "{}"))


@pytest.mark.parametrize("field", FIELDS)
async def test_variables(both: Any, field: str) -> None:
    operation = f"query ($x: {TYPES[field]}{'!' if field == 'must' else ''}) {{ {field}(x: $x) }}"
    for value in [*INTEGERS, *DECIMALS, *OTHERS, '"RED"', "{}"]:
        direct, through = await both(operation, f'{{"x":{value}}}')
        if _is_float_that_servers_refuse(field, value):
            # asked directly graphql-core refuses the integer; the router makes it the double that it is in a literal
            assert "errors" not in through[1], through[1]
            direct = (await both(f"{{ {field}(x: {value}) }}", "{}"))[0]
        agree(direct, through)


def _is_float_that_servers_refuse(field: str, value: str) -> bool:
    is_integer = value.lstrip("-").isdigit() and int(float(value)) != int(value)
    return field in ("f", "fs", "fss", "must") and is_integer


@pytest.mark.parametrize(
    "value",
    [
        "{}", "{f: 18446744073709551616}", "{f: -0.0, i: -0}", "{f: 9007199254740993}", "{any: 123456789012345678901234567890}",
        "{any: [1, 1.0, true, -0.0, null, RED]}", "{any: {a: 0.1234567890123456789}}", "{tags: 123456789012345678901}",
        "{in: {in: {c: RED, any: 1.0}}}", "{c: null, i: null}", "{f: 1, any: true}", "{f: 1.0, any: 1}",
    ],
)  # fmt: skip
async def test_input_objects(both: Any, value: str) -> None:
    for field in ("in", "ins"):
        agree(*await both(f"{{ {field}(x: {value}) }}", "{}"))
        agree(*await both(f"query ($x: {TYPES[field]} = {value}) {{ {field}(x: $x) }}", "{}"))
    agree(*await both(f"query ($f: Float = 100000000000000000000) {{ in(x: {{f: $f, in: {value}}}) }}", "{}"))


@pytest.mark.parametrize(
    "value",
    [
        "{}", '{"f":-0.0,"i":2}', '{"any":123456789012345678901234567890}', '{"any":[1,1.0,true,-0.0,null,"RED"]}',
        '{"any":{"a":18446744073709551616}}', '{"tags":5}', '{"tags":123456789012345678901234567890}', '{"in":{"in":{"c":"RED"}}}',
        '{"c":null}', '{"nope":1}', '{"i":2147483648}', '{"i":1.0}', '{"f":true}', "[]", "null", "7",
    ],
)  # fmt: skip
async def test_input_objects_as_variables(both: Any, value: str) -> None:
    for field in ("in", "ins"):
        agree(*await both(f"query ($x: {TYPES[field]}) {{ {field}(x: $x) }}", f'{{"x":{value}}}'))


async def test_values_that_python_takes_for_one_are_several_in_one_operation(both: Any) -> None:
    aliases = " ".join(
        f"a{n}: any(x: {text}) b{n}: anys(x: [{text}])"
        for n, text in enumerate(("1", "1.0", "true", "-0.0", "0.0", "0", "false"))
    )
    floats = " ".join(f"f{n}: f(x: {text})" for n, text in enumerate(("1", "1.0", "-0.0", "0.0", "0", "-0")))
    agree(*await both(f"{{ {aliases} {floats} }}", "{}"))
    variables = {f"v{n}": value for n, value in enumerate((1, 1.0, True, -0.0, 0.0, 0, False))}
    declared = " ".join(f"${name}: Any" for name in variables)
    fields = " ".join(f"{name}: any(x: ${name})" for name in variables)
    agree(*await both(f"query ({declared}) {{ {fields} }}", json.dumps(variables)))


async def test_a_literal_that_no_double_holds_is_the_subgraphs_to_judge(both: Any) -> None:
    for literal in ("1e400", "-1e400", "1" + "0" * 400):
        agree(*await both(f"{{ f(x: {literal}) }}", "{}"))
        direct, through = await both(f"query ($x: Float = {literal}) {{ f(x: $x) }}", "{}")
        agree(direct, through)


@pytest.mark.parametrize("field", FIELDS)
async def test_a_number_of_thousands_of_digits_is_no_failure_of_the_router(both: Any, field: str) -> None:
    for number in ("7" * 5_000, "-0." + "7" * 5_000):
        for operation in (f"{{ {field}(x: {number}) }}", f"query ($x: {TYPES[field]} = {number}) {{ {field}(x: $x) }}"):
            _, (status, through) = await both(operation, "{}")
            assert (status, "Internal" in str(through)) == (200, False), through


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400])
async def test_a_variable_that_no_double_holds_is_refused(both: Any, number: str) -> None:
    _, (status, through) = await both("query ($x: Float) { f(x: $x) }", f'{{"x":{number}}}')
    assert (status, through["errors"][0]["extensions"]["code"]) == (200, "BAD_USER_INPUT")


NUMBERS = [
    "18446744073709551616", "-9223372036854775809", "123456789012345678901234567890", "0.1234567890123456789", "1e400",
    "9007199254740993.0", "-0.0", "1", "1.0", "1E-7", "9" * 300,
]  # fmt: skip


async def test_numbers_of_custom_scalars_keep_their_digits_both_ways(tmp_path: Path) -> None:
    """What the client sends is on the wire to the subgraph, and what that says is on the wire to the client."""
    sdl = "scalar Any type Query { echo(x: Any): Any all: [Any] one: One f: Float } type One { any: Any }"
    listed = ",".join(NUMBERS)
    told = f'{{"data":{{"echo":[{listed}],"all":[{listed}],"one":{{"any":{{"deep":[{listed}]}}}},"f":{NUMBERS[0]}}}}}'.encode()

    async def tell(_head: str, _body: bytes, writer: Any) -> None:
        writer.write(http_response(told))

    async with server_that(tell) as server, routed(sdl, server.url, tmp_path) as (url, session):
        query = "query ($x: Any, $y: [Any]) { echo(x: $x) all one { any } f }"
        body = b'{"query":%b,"variables":{"x":[%b],"y":null}}' % (
            orjson.dumps(query.replace(", $y: [Any]", "")),
            listed.encode(),
        )
        for _ in range(3):
            async with session.post(url, data=body, headers={"content-type": "application/json"}) as response:
                answered = await response.text()
    sent = json.loads(server.requests[0][1], parse_int=str, parse_float=str)["variables"]["x"]
    data = json.loads(answered, parse_int=str, parse_float=str)["data"]
    assert sent == [number if number != "1E-7" else "1e-7" for number in NUMBERS]
    expected = [number if number != "1E-7" else "1e-7" for number in NUMBERS]
    assert data == {
        "echo": expected,
        "all": expected,
        "one": {"any": {"deep": expected}},
        "f": "1.8446744073709552e+19",
    }


async def test_an_error_beside_a_large_number_is_told_once(tmp_path: Path) -> None:
    async def tell(_head: str, _body: bytes, writer: Any) -> None:
        writer.write(http_response(b'{"data":{"any":%b,"i":"x"}}' % NUMBERS[0].encode()))

    async with (
        server_that(tell) as server,
        routed("scalar Any type Query { any: Any i: Int }", server.url, tmp_path) as (url, session),
    ):
        for _ in range(3):
            async with session.post(url, json={"query": "{ any i }"}) as response:
                answered = await response.json()
            assert answered["data"] == {"any": int(NUMBERS[0]), "i": None}
            assert [error["path"] for error in answered["errors"]] == [["i"]]


async def test_a_number_that_no_double_holds_is_no_float_in_an_answer(tmp_path: Path) -> None:
    async def tell(_head: str, _body: bytes, writer: Any) -> None:
        writer.write(http_response(b'{"data":{"f":1e400,"g":1}}'))

    async with (
        server_that(tell) as server,
        routed("type Query { f: Float g: Int }", server.url, tmp_path) as (url, session),
    ):
        for _ in range(3):
            async with session.post(url, json={"query": "{ f g }"}) as response:
                answered = await response.json()
            assert answered["data"] == {"f": None, "g": 1}
            assert answered["errors"][0]["extensions"]["code"] == "INVALID_VALUE"


async def test_what_records_a_request_reads_the_numbers_that_it_sent(tmp_path: Path) -> None:
    """In development, the values that went to a subgraph are shown; a number that no double holds is one of them."""
    number = "1e" + "9" * 400

    async def tell(_head: str, _body: bytes, writer: Any) -> None:
        writer.write(http_response(b'{"data":{"any":1}}'))

    sdl = "scalar Any type Query { any(x: Any): Any }"
    async with server_that(tell) as server, routed(sdl, server.url, tmp_path, dev=True) as (url, session):
        for headers in ({}, {"x-query-plan": "1"}):
            body = f'{{"query":"query ($x: Any) {{ any(x: $x) __typename }}","variables":{{"x":{number}}}}}'
            given = {"content-type": "application/json", **headers}
            async with session.post(url, data=body, headers=given) as response:
                answered = await response.text()
            assert response.status == 200, answered
            assert '"any":1' in answered
    assert number in answered


async def test_introspection_beside_a_large_number(tmp_path: Path) -> None:
    sdl = "scalar Any type Query { any(x: Any): Any }"
    async with routed(sdl, "http://127.0.0.1:9/graphql", tmp_path) as (url, session):
        query = "query ($x: Any = 18446744073709551616, $n: String!) { __type(name: $n) { name @include(if: true) } any(x: $x) }"
        for value in ("", f',"x":{NUMBERS[2]}', ',"x":1e400'):
            body = f'{{"query":{json.dumps(query)},"variables":{{"n":"Query"{value}}}}}'
            async with session.post(url, data=body, headers={"content-type": "application/json"}) as response:
                answered = await response.json()
            assert answered["data"]["__type"] == {"name": "Query"}, answered


async def test_an_integer_of_more_digits_than_are_read_is_told(tmp_path: Path) -> None:
    body = '{"query":"query ($x: Any) { any(x: $x) }","variables":{"x":%s}}' % ("7" * 4_301)
    async with routed("scalar Any type Query { any(x: Any): Any }", "http://127.0.0.1:9", tmp_path) as (url, session):
        async with session.post(url, data=body, headers={"content-type": "application/json"}) as response:
            answered = await response.json()
        assert (response.status, answered["errors"][0]["extensions"]["code"]) == (400, "MALFORMED_JSON")
        assert answered["errors"][0]["message"] == "The body has an integer of more than 4,300 digits."
