"""`fittracker compose`, `plan`, `explain` and `router` as a stranger uses them: real processes, real files, real ports."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.embedded import free_ports
from deploy.local_http import http_ok
from tests.testkit.running_stack import eventually

ROOT = Path(__file__).parents[2]
PRODUCTS = 'type Query { products: [Product!]! } type Product @key(fields: "id") { id: ID! name: String! }'
REVIEWS = 'type Product @key(fields: "id") { id: ID! stars: Float! }'
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])\n'


async def fittracker(*arguments: str, cwd: Path = ROOT, expect: int = 0) -> str:
    """Runs the command to its end; what it printed, errors included."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", *arguments,
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    output, _ = await process.communicate()
    text = output.decode()
    assert process.returncode == expect, text
    return text


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with two subgraphs' SDL."""
    (tmp_path / "products.graphql").write_text(LINK + PRODUCTS)
    (tmp_path / "reviews.graphql").write_text(LINK + REVIEWS)
    return tmp_path


async def test_settings_are_judged_and_described_without_serving(tmp_path: Path) -> None:
    file = tmp_path / "router.yaml"
    file.write_text("limits: {depth: 20}\nworkers: ${N:-2}\n")
    assert "the settings are good" in await fittracker("router", "--check-config", "--config", str(file))
    file.write_text("limits: {depth: 0, deep: 1}\nheaders: {all: {request: [{insert: x}]}}\n")
    complaint = await fittracker("router", "--check-config", "--config", str(file), expect=1)
    for place in ("limits.depth", "limits.deep", "headers.all.request"):
        assert place in complaint
    schema = json.loads(await fittracker("router", "--config-schema"))
    assert schema["properties"]["limits"]
    assert schema["additionalProperties"] is False


@asynccontextmanager
async def running(*arguments: str, port: int, cwd: Path) -> AsyncIterator[Path]:
    """The command on that port, when it accepts; the file into which it prints."""
    printed = cwd / "printed.txt"
    with printed.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy", *arguments, "--port", str(port),
            cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=output, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            while not await http_ok(port, "/live")():
                assert process.returncode is None
                await asyncio.sleep(0.05)
        yield printed
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def test_a_composed_file_can_be_planned_and_served(shop: Path) -> None:
    told = await fittracker("compose", "products.graphql", "reviews.graphql", "-o", "all.graphql", cwd=shop)
    assert told.startswith("all.graphql: ")
    (shop / "ask.graphql").write_text("{ products { name stars } }")
    plan = json.loads(
        await fittracker("plan", "--supergraph", "all.graphql", "ask.graphql", "--format", "json", cwd=shop)
    )
    assert [step["serviceName"] for step in plan["nodes"]] == ["products", "reviews"]
    port = free_ports(1)[0]
    async with running("router", "--supergraph", "all.graphql", port=port, cwd=shop) as printed:
        answer = await asyncio.to_thread(_ask, port, "{ __schema { queryType { name } } }")
        assert answer == {"data": {"__schema": {"queryType": {"name": "Query"}}}}
    events = [json.loads(line)["event"] for line in printed.read_text().splitlines()]  # for machines, and no panel
    assert {"listening", "supergraph_loaded", "request"} <= set(events)


async def test_in_development_the_router_tells_where_everything_is_and_what_cannot_be_reached(shop: Path) -> None:
    port, nowhere = free_ports(2)
    there = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    (shop / "supergraph.yaml").write_text(
        f"""subgraphs:
  products: {{routing_url: "http://127.0.0.1:{nowhere}/graphql", schema: {{file: products.graphql}}}}
  reviews: {{routing_url: "http://127.0.0.1:{there.sockets[0].getsockname()[1]}/", schema: {{file: reviews.graphql}}}}
"""
    )
    async with there, running("router", "supergraph.yaml", "--dev", port=port, cwd=shop) as printed:
        answer = await asyncio.to_thread(_ask, port, "query Shop { products { name } }")
        await eventually(lambda: _has(printed, "query Shop"))  # a line that people read
    told = " ".join(printed.read_text().replace("│", " ").split())
    origin = f"http://127.0.0.1:{port}"
    assert f"GraphQL, GraphiQL {origin}/graphql console {origin}/ " in told
    assert f"products http://127.0.0.1:{nowhere}/graphql cannot be reached: connection refused reviews http://" in told
    assert isinstance(answer, dict)
    message = answer["errors"][0]["message"]
    assert message.startswith(f"The subgraph cannot be reached. http://127.0.0.1:{nowhere}/graphql: ")
    assert "refused" in message or "Connect call failed" in message


async def _has(file: Path, text: str) -> bool:
    return text in file.read_text()


async def test_a_composition_that_fails_says_every_code_and_what_to_ask_next(shop: Path) -> None:
    (shop / "reviews.graphql").write_text(LINK + REVIEWS.replace("stars: Float!", "name: String!"))
    told = await fittracker("compose", "products.graphql", "reviews.graphql", cwd=shop, expect=1)
    assert "[INVALID_FIELD_SHARING]" in told
    assert "fittracker explain INVALID_FIELD_SHARING" in told
    assert "Traceback" not in told


async def test_explain_tells_what_a_code_means() -> None:
    told = await fittracker("explain", "satisfiability_error")
    assert told.startswith("SATISFIABILITY_ERROR (error)\n")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("compose", "absent.graphql"), "absent.graphql: no such file or directory"),
        (("compose", "http://127.0.0.1:1/graphql"), "a URL needs a name"),
        (("compose", "one=http://127.0.0.1:1/graphql"), "cannot be reached"),
        (("explain", "NO_SUCH_CODE"), "no error or hint is called NO_SUCH_CODE"),
        (("router", "--supergraph", "absent.graphql"), "absent.graphql: no such file"),
        (("router", "absent.graphql", "--watch"), "absent.graphql: no such file"),
        (("router", "--config", "absent.yaml"), "absent.yaml cannot be read"),
        (("router", "--config", "bad.yaml"), "unknown setting 'prot'"),
        (("router", "--supergraph", "no.graphql"), "is not a usable supergraph"),
        (("plan", "--supergraph", "no.graphql", "ask.graphql"), "ask.graphql: no such file or directory"),
        (("subgraph", "users"), "is not set"),
    ],
)
async def test_a_mistake_is_answered_with_a_sentence(tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    (tmp_path / "bad.yaml").write_text("supergraph: x.graphql\nprot: 1\n")
    (tmp_path / "no.graphql").write_text("type Query { a: Int }")
    told = await fittracker(*arguments, cwd=tmp_path, expect=1)
    assert expected in told
    assert "Traceback" not in told


async def test_an_operation_that_is_refused_is_shown_with_a_caret_under_each_place(shop: Path) -> None:
    await fittracker("compose", "products.graphql", "-o", "one.graphql", cwd=shop)
    (shop / "ask.graphql").write_text("query Q {\n  products { nam id price }\n}\n")
    told = await fittracker("plan", "--supergraph", "one.graphql", "ask.graphql", cwd=shop, expect=1)
    assert [line.rstrip() for line in told.splitlines()] == [
        "error: Cannot query field 'nam' on type 'Product'. Did you mean 'name'?",
        "  ask.graphql:2 |   products { nam id price }",
        "                |              ^",
        "Cannot query field 'price' on type 'Product'.",
        "  ask.graphql:2 |   products { nam id price }",
        "                |                     ^",
    ]


async def test_a_taken_port_is_named(shop: Path) -> None:
    await fittracker("compose", "products.graphql", "-o", "one.graphql", cwd=shop)
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        told = await fittracker("router", "--supergraph", "one.graphql", "--port", str(port), cwd=shop, expect=1)
    assert f"cannot listen on 127.0.0.1:{port}" in told
    assert "choose another with --port" in told


def _ask(port: int, query: str) -> object:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)
