"""Subgraphs from files, running services, Python and supergraph.yaml, and what is said where one cannot be had."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from schema import compose
from schema.sources import SourceError, read_sources

SDL = "type Query { a: Int }"


@contextmanager
def service(status: int, body: object) -> Iterator[tuple[str, list[Any]]]:
    """An HTTP service that gives one answer; its URL and the requests that it got."""
    requests: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append((json.loads(self.rfile.read(int(self.headers["Content-Length"]))), dict(self.headers)))
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/graphql", requests
    finally:
        server.shutdown()
        server.server_close()


def refused(*arguments: str) -> str:
    with pytest.raises(SourceError) as caught:
        read_sources(list(arguments))
    return str(caught.value)


def test_a_file_names_its_subgraph_or_is_given_a_name(tmp_path: Path) -> None:
    file = tmp_path / "products.graphql"
    file.write_text(SDL)

    sources = read_sources([str(file), f"other={file}"])

    assert [(source.name, source.sdl, source.url) for source in sources] == [("products", SDL, ""), ("other", SDL, "")]


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.graphql").write_bytes(b"type Query { \xe4: Int }")

    assert refused(f"a={tmp_path}/none.graphql") == f"subgraph a: {tmp_path}/none.graphql: no such file or directory"
    assert refused(f"{tmp_path}/latin.graphql") == f"subgraph latin: {tmp_path}/latin.graphql is not UTF-8 text"
    (tmp_path / "empty.graphql").write_text("\n")
    assert refused(f"{tmp_path}/empty.graphql") == f"subgraph empty: {tmp_path}/empty.graphql is empty"


def test_a_service_is_asked_for_its_sdl() -> None:
    with service(200, {"data": {"_service": {"sdl": SDL}}}) as (url, requests):
        (source,) = read_sources([f"a={url}"])

    assert (source.name, source.sdl, source.url) == ("a", SDL, url)
    assert requests[0][0] == {"query": "{ _service { sdl } }"}


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (404, b"not here", "gives no SDL: HTTP 404"),
        (400, {"errors": [{"message": "no introspection"}]}, "gives no SDL: HTTP 400: no introspection"),
        (200, b"<html>", "gives no SDL: its answer is no JSON"),
        (200, {"errors": [{"message": "Cannot query field _service"}]}, "gives no SDL: Cannot query field _service"),
        (200, {"data": {}}, "gives no SDL: it answers without _service.sdl"),
    ],
)
def test_a_service_without_sdl_is_quoted(status: int, body: object, told: str) -> None:
    with service(status, body) as (url, _):
        assert refused(f"a={url}") == f"subgraph a: {url} {told}"


def test_a_service_that_is_not_there_is_told_with_the_reason() -> None:
    with service(200, {}) as (url, _):
        pass

    assert refused(f"a={url}") == f"subgraph a: {url} cannot be reached: [Errno 111] Connection refused"
    assert refused("http://127.0.0.1/graphql") == "http://127.0.0.1/graphql: a URL needs a name"
    assert refused("a=ftp://127.0.0.1/sdl") == "subgraph a: ftp://127.0.0.1/sdl is neither http:// nor https://"


def test_a_strawberry_schema_is_taken_from_its_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop_source.py").write_text(
        "import strawberry\n@strawberry.type\nclass Query:\n    a: int = 1\n"
        "class api:\n    schema = strawberry.federation.Schema(Query)\nnumber = 5\n"
    )
    (tmp_path / "broken_source.py").write_text("1 / 0")
    (tmp_path / "needing_source.py").write_text("import no_such_thing")

    (source,) = read_sources(["shop=shop_source:api.schema"])

    assert "\n  a: Int!\n}" in source.sdl
    assert compose([source]).api_sdl == "type Query {\n  a: Int!\n}\n"
    assert [each.name for each in read_sources(["shop_source:api.schema"])] == ["shop_source"]
    assert (
        refused("a=nothing_here:schema")
        == "subgraph a: there is no module nothing_here, which nothing_here:schema needs"
    )
    assert refused("a=needing_source:x") == "subgraph a: there is no module no_such_thing, which needing_source:x needs"
    assert refused("a=shop_source:other") == "subgraph a: the module shop_source has no other"
    assert refused("a=shop_source:number") == "subgraph a: shop_source:number is no Strawberry schema but of type int"
    assert refused("a=broken_source:schema") == (
        "subgraph a: the module broken_source cannot be imported: ZeroDivisionError: division by zero"
    )


def test_a_supergraph_yaml_lists_subgraphs_of_all_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.graphql").write_text(SDL)
    file = tmp_path / "supergraph.yaml"
    with service(200, {"data": {"_service": {"sdl": SDL}}}) as (url, requests):
        monkeypatch.setenv("SUBGRAPH_URL", url)
        file.write_text(
            "federation_version: =2.9.0\n"
            "subgraphs:\n"
            "  a:\n    routing_url: http://a\n    schema:\n      sdl: |\n        type Query { a: Int }\n"
            "  b:\n    routing_url: http://b\n    schema: {file: ./sub/b.graphql}\n"
            "  c:\n    schema:\n      subgraph_url: ${env.SUBGRAPH_URL}\n      introspection_headers: {X-Key: secret}\n"
        )
        sources = read_sources([str(file)])

    assert [(source.name, source.sdl.strip(), source.url) for source in sources] == [
        ("a", SDL, "http://a"),
        ("b", SDL, "http://b"),
        ("c", SDL, url),
    ]
    assert requests[0][1]["X-Key"] == "secret"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("subgraphs:\n  a: [\n", ":3:1 is not YAML: expected the node content, but found '<stream end>'"),
        ("subgraphs:\n\ta: 1\n", ":2:1 is not YAML: found character '\\t' that cannot start any token"),
        ("- a\n", " has no `subgraphs`"),
        ("", " has no `subgraphs`"),
        ("subgraphs: {a: 1}\n", ": subgraphs.a has no `schema`"),
        (
            "subgraphs: {a: {schema: {url: x}}}\n",
            ": subgraphs.a.schema needs one of `file`, `subgraph_url` and `sdl`",
        ),
        (
            "subgraphs: {a: {schema: {graphref: x@y}}}\n",
            ": subgraphs.a.schema is in a registry, which is not asked here",
        ),
    ],
)
def test_a_wrong_supergraph_yaml_is_told_with_the_place(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "supergraph.yaml"
    file.write_text(text)

    assert refused(str(file)) == f"{file}{told}"


def test_what_a_supergraph_yaml_names_and_is_missing_is_told(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.yaml"
    file.write_text("subgraphs: {a: {schema: {file: none.graphql}}}\n")
    assert refused(str(file)) == f"subgraph a: {tmp_path}/none.graphql: no such file or directory"

    file.write_text('subgraphs: {a: {schema: {subgraph_url: "${NOT_SET_ANYWHERE}"}}}\n')
    assert refused(str(file)) == "${NOT_SET_ANYWHERE}: the environment variable NOT_SET_ANYWHERE is not set"


def test_a_file_may_stand_for_a_service_that_is_reached_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "products.graphql"
    file.write_text(SDL)

    (source,) = read_sources([f"shop=http://shop:4001/graphql?a=b={file}"])

    assert (source.name, source.sdl, source.url) == ("shop", SDL, "http://shop:4001/graphql?a=b")
