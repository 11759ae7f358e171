"""File uploads through the whole router: what a client sends is what the subgraph gets, within bounds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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

SDL = """
scalar Upload
input Album { title: String! files: [Upload!]! }
type Query { size(file: Upload): Int plain(n: Int): Int }
type Mutation { one(file: Upload!, note: String): Int many(album: Album!): Int }
"""
PREFLIGHT = {"graphql-preflight": "1"}
BINARY = bytes(range(256)) * 20 + b"\r\n--not a boundary\r\n\r\n"
File = tuple[str, str, bytes]  # name, content type, content


@asynccontextmanager
async def routed(folder: Path, **uploads: Any) -> AsyncIterator[tuple[RawServer, aiohttp.ClientSession, str]]:
    async def answer(_head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        field = next(name for name in (b"one", b"many", b"size", b"plain") if name in body)
        writer.write(http_response(b'{"data":{"%b":1}}' % field))

    async with server_that(answer) as server:
        composition = compose([SubgraphSource("a", SDL, server.url)])
        assert composition.supergraph_sdl is not None
        file = folder / "supergraph.graphql"
        file.write_text(composition.supergraph_sdl)
        values = {"supergraph": file, "telemetry": {"log_level": "error"}, "uploads": {"enabled": True, **uploads}}
        async with serving(create_app(load_settings(None, {}, **values))) as port, aiohttp.ClientSession() as session:
            yield server, session, f"http://127.0.0.1:{port}/graphql"


def form(operations: Any, placed: Any, *files: File) -> aiohttp.FormData:
    data = aiohttp.FormData(default_to_multipart=True)
    for name, value in (("operations", operations), ("map", placed)):
        if value is not None:
            data.add_field(name, value if isinstance(value, str) else json.dumps(value))
    for number, (file_name, content_type, content) in enumerate(files):
        data.add_field(str(number), content, filename=file_name, content_type=content_type)
    return data


async def posted(session: aiohttp.ClientSession, url: str, data: Any, headers: Any = PREFLIGHT) -> tuple[int, Any]:
    async with session.post(url, data=data, headers=headers) as response:
        return response.status, await response.json(content_type=None)


def heard(server: RawServer) -> tuple[Any, Any, dict[str, File]]:
    """Operations, map and files of the last request, read by the standard library's parser."""
    from email.parser import BytesParser
    from email.policy import HTTP

    head, body = server.requests[-1]
    content_type = next(line for line in head.split("\r\n") if line.lower().startswith("content-type"))
    message = BytesParser(policy=HTTP).parsebytes(content_type.encode() + b"\r\n\r\n" + body)
    fields: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        fields[str(name)] = (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
    operations, placed = (orjson.loads(fields.pop(name)[2]) for name in ("operations", "map"))
    return operations, placed, fields


ONE = {"query": 'mutation ($f: Upload!) { one(file: $f, note: "n") }', "variables": {"f": None}}


async def test_a_file_reaches_the_subgraph_as_it_was_sent(tmp_path: Path) -> None:
    async with routed(tmp_path) as (server, session, url):
        data = form(ONE, {"0": ["variables.f"]}, ('ä "b".png', "image/png", BINARY))
        assert await posted(session, url, data) == (200, {"data": {"one": 1}})
        operations, placed, files = heard(server)
    assert operations["variables"]["f"] is None
    assert operations["variables"]["_0"] == "n"
    assert placed == {"0": ["variables.f"]}
    assert files["0"][1:] == ("image/png", BINARY)


async def test_files_stand_in_lists_and_input_objects(tmp_path: Path) -> None:
    operations = {
        "query": "mutation ($a: Album!) { many(album: $a) }",
        "variables": {"a": {"title": "t", "files": [None, None]}},
    }
    async with routed(tmp_path) as (server, session, url):
        placed = {"0": ["variables.a.files.0"], "1": ["variables.a.files.1"]}
        data = form(operations, placed, ("a.txt", "text/plain", b"first"), ("b.txt", "text/plain", b"second"))
        assert await posted(session, url, data) == (200, {"data": {"many": 1}})
        sent, told, files = heard(server)
    assert sent["variables"]["a"] == {"title": "t", "files": [None, None]}
    by_path = {paths[0]: files[number][2] for number, paths in told.items()}
    assert by_path == {"variables.a.files.0": b"first", "variables.a.files.1": b"second"}


async def test_queries_with_files_are_neither_shared_nor_kept(tmp_path: Path) -> None:
    operations = {"query": "query ($f: Upload) { size(file: $f) }", "variables": {"f": None}}
    async with routed(tmp_path) as (server, session, url):
        asked = [form(operations, {"0": ["variables.f"]}, ("f", "text/plain", text)) for text in (b"a", b"b", b"c")]
        await asyncio.gather(*(posted(session, url, data) for data in asked))
        assert len(server.requests) == 3


WRONG: dict[str, tuple[aiohttp.FormData, int, str]] = {
    "no operations": (form(None, {"0": []}), 400, "BAD_UPLOAD"),
    "no map": (form(ONE, None, ("f", "text/plain", b"")), 400, "BAD_UPLOAD"),
    "operations are no JSON": (form("{", {}), 400, "BAD_UPLOAD"),
    "map is a list": (form(ONE, []), 400, "BAD_UPLOAD"),
    "a batch": (form([ONE], {"0": ["0.variables.f"]}, ("f", "text/plain", b"")), 400, "BAD_UPLOAD"),
    "a file that is not there": (form(ONE, {"7": ["variables.f"]}), 400, "BAD_UPLOAD"),
    "the operations as a file": (form(ONE, {"operations": ["variables.f"]}), 400, "BAD_UPLOAD"),
    "a path that is no text": (form(ONE, {"0": [5]}, ("f", "text/plain", b"")), 400, "BAD_UPLOAD"),
    "a path to nowhere": (form(ONE, {"0": ["variables.g"]}, ("f", "text/plain", b"")), 400, "BAD_UPLOAD"),
    "a path through a value": (form(ONE, {"0": ["query.0"]}, ("f", "text/plain", b"")), 400, "BAD_UPLOAD"),
    "a path to the query": (form(ONE, {"0": ["query"]}, ("f", "text/plain", b"")), 400, "BAD_UPLOAD"),
    "a path twice": (form(ONE, {"0": ["variables.f", "variables.f"]}, ("f", "text/plain", b"")), 400, "BAD_UPLOAD"),
    "too many places": (form(ONE, {"0": ["variables.f"] * 101}, ("f", "text/plain", b"")), 413, "TOO_MANY_FILES"),
    "too many files": (form(ONE, {}, *[("f", "text/plain", b"")] * 4), 413, "TOO_MANY_FILES"),
    "too large": (form(ONE, {"0": ["variables.f"]}, ("f", "text/plain", b"x" * 100_001)), 413, "REQUEST_TOO_LARGE"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
async def test_a_body_that_is_wrong_is_refused_with_a_code(tmp_path: Path, name: str) -> None:
    data, status, code = WRONG[name]
    async with routed(tmp_path, max_bytes=100_000, max_files=3) as (server, session, url):
        answered, body = await posted(session, url, data)
        assert (answered, body["errors"][0]["extensions"]["code"]) == (status, code)
        assert server.requests == []


async def test_a_file_is_no_value_of_another_type_and_its_content_is_not_told(tmp_path: Path) -> None:
    operations = {"query": "query ($n: Int) { plain(n: $n) }", "variables": {"n": None}}
    async with routed(tmp_path) as (_, session, url):
        data = form(operations, {"0": ["variables.n"]}, ("f", "text/plain", b"hunter2"))
        _, body = await posted(session, url, data)
    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "hunter2" not in str(body)


async def test_a_page_of_another_origin_cannot_upload(tmp_path: Path) -> None:
    async with routed(tmp_path) as (server, session, url):
        data = form(ONE, {"0": ["variables.f"]}, ("f", "text/plain", b""))
        status, body = await posted(session, url, data, headers={})
        assert (status, body["errors"][0]["extensions"]["code"]) == (400, "CSRF_PREVENTION")
        assert server.requests == []


async def test_uploads_are_off_unless_they_are_wanted(tmp_path: Path) -> None:
    async with routed(tmp_path, enabled=False) as (_, session, url):
        data = form(ONE, {"0": ["variables.f"]}, ("f", "text/plain", b""))
        assert (await posted(session, url, data))[0] == 415


@pytest.mark.parametrize(
    "body",
    [b"", b"--b", b"--b--", b"--b\r\n\r\n", b"--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--", b"\x00" * 99],
)
async def test_a_body_that_is_no_form_is_refused(tmp_path: Path, body: bytes) -> None:
    async with routed(tmp_path) as (_, session, url):
        headers = {**PREFLIGHT, "content-type": "multipart/form-data; boundary=b"}
        status, answer = await posted(session, url, body, headers)
        assert (status, answer["errors"][0]["extensions"]["code"]) == (400, "BAD_UPLOAD")
        status, answer = await posted(session, url, body, {**PREFLIGHT, "content-type": "multipart/form-data"})
        assert status == 400
