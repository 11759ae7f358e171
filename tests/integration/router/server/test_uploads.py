"""File uploads through the whole router: what a client sends is what the subgraph gets, within bounds."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from router.server.app import create_app
from router.settings import load_settings
from router.telemetry import REGISTRY
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

    async with server_that(answer) as server, routed_by(server.url, folder, **uploads) as (session, url):
        yield server, session, url


@asynccontextmanager
async def routed_by(url: str, folder: Path, **uploads: Any) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    composition = compose([SubgraphSource("a", SDL, url)])
    assert composition.supergraph_sdl is not None
    file = folder / "supergraph.graphql"
    file.write_text(composition.supergraph_sdl)
    values = {"supergraph": file, "telemetry": {"log_level": "error"}, "uploads": {"enabled": True, **uploads}}
    async with serving(create_app(load_settings(None, {}, **values))) as port, aiohttp.ClientSession() as session:
        yield session, f"http://127.0.0.1:{port}/graphql"


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


# -- large ones, which wait on disk ----------------------------------------------------------------------------

PIECE = bytes(range(256)) * 256  # 64 KiB
MEBIBYTES_8 = 128


class Digesting:
    """A subgraph that keeps nothing of a body but its length and digest; `refuses` it when it has read the head."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.bodies: list[tuple[int, str]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        left = size = int(head.partition("content-length:")[2].split()[0])
        if self.refuses:
            writer.write(http_response(b"too much", "413 Content Too Large", "Connection: close\r\n"))
            await writer.drain()
        else:
            digest, tail = hashlib.sha256(), b""
            while left and (received := await reader.read(min(left, 65_536))):
                digest.update(received)
                left -= len(received)
                tail = (tail + received)[-200:]
            if not left:
                self.bodies.append((size, digest.hexdigest()))
                writer.write(http_response(b'{"data":{"one":1}}'))
                await writer.drain()
        writer.close()


@asynccontextmanager
async def routed_to(
    subgraph: Digesting, folder: Path, **uploads: Any
) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    listener = await asyncio.start_server(subgraph.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/graphql"
    async with routed_by(url, folder, **uploads) as (session, address):
        yield session, address
    listener.close()


async def large_form(pieces: int, *, pause_at: int = -1, paused: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    """A form whose file has so many pieces; it says when it comes to one, and never goes on then."""
    yield b'--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n' + orjson.dumps(ONE)
    yield b'\r\n--b\r\nContent-Disposition: form-data; name="map"\r\n\r\n{"0":["variables.f"]}'
    yield b'\r\n--b\r\nContent-Disposition: form-data; name="0"; filename="f"\r\nContent-Type: video/mp4\r\n\r\n'
    for number in range(pieces):
        if number == pause_at:
            assert paused is not None
            paused.set()
            await asyncio.Event().wait()
        yield PIECE
    yield b"\r\n--b--\r\n"


FORM = {**PREFLIGHT, "content-type": "multipart/form-data; boundary=b"}


def held(place: str) -> float:
    return REGISTRY.get_sample_value("router_upload_bytes", {"place": place}) or 0.0


async def test_memory_does_not_grow_with_what_is_uploaded(tmp_path: Path) -> None:
    """Eight files of 8 MiB at a time, of which 100 kB may stay in memory."""
    subgraph = Digesting()
    async with routed_to(subgraph, tmp_path, max_bytes=9 * 2**20, memory_bytes=100_000) as (session, url):
        assert await posted(session, url, large_form(1), FORM) == (200, {"data": {"one": 1}})
        tracemalloc.start()
        try:
            asked = (posted(session, url, large_form(MEBIBYTES_8), FORM) for _ in range(8))
            answers = await asyncio.gather(*asked)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert answers == [(200, {"data": {"one": 1}})] * 8
    assert [size - 8 * 2**20 for size, _ in subgraph.bodies[1:]] == [subgraph.bodies[0][0] - 65_536] * 8
    assert peak < 24 * 2**20
    assert (held("memory"), held("disk")) == (0, 0)


async def test_a_file_on_disk_is_the_one_that_was_sent_in_each_of_its_places(tmp_path: Path) -> None:
    operations = {
        "query": "mutation ($a: Album!) { many(album: $a) }",
        "variables": {"a": {"title": "t", "files": [None, None]}},
    }
    content = PIECE * 3 + b"\r\n--b\r\n" + PIECE
    async with routed(tmp_path) as (server, session, url):
        data = form(operations, {"0": ["variables.a.files.0", "variables.a.files.1"]}, ("f", "video/mp4", content))
        assert await posted(session, url, data) == (200, {"data": {"many": 1}})
        _, _, files = heard(server)
    assert [each[2] for each in files.values()] == [content, content]
    assert (held("memory"), held("disk")) == (0, 0)


async def test_a_client_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    subgraph = Digesting()
    async with routed_to(subgraph, tmp_path) as (session, url):
        paused = asyncio.Event()
        asked = asyncio.ensure_future(posted(session, url, large_form(9, pause_at=5, paused=paused), FORM))
        await asyncio.wait_for(paused.wait(), 60)
        async with asyncio.timeout(60):
            while held("disk") < 4 * len(PIECE):
                await asyncio.sleep(0.01)
        asked.cancel()
        async with asyncio.timeout(60):
            while held("disk"):
                await asyncio.sleep(0.01)
    assert subgraph.bodies == []


async def test_a_subgraph_that_refuses_early_is_an_error_in_its_place(tmp_path: Path) -> None:
    async with routed_to(Digesting(refuses=True), tmp_path) as (session, url):
        status, body = await posted(session, url, large_form(MEBIBYTES_8), FORM)
    assert status == 200
    assert body["data"] == {"one": None}
    assert body["errors"][0]["path"] == ["one"]
    assert body["errors"][0]["extensions"]["code"] == "SUBREQUEST_HTTP_ERROR"
    assert (held("memory"), held("disk")) == (0, 0)


async def test_without_room_on_disk_the_client_is_told_to_come_back(tmp_path: Path) -> None:
    subgraph = Digesting()
    async with routed_to(subgraph, tmp_path, disk_bytes=4 * len(PIECE)) as (session, url):
        async with session.post(url, data=large_form(9), headers=FORM) as response:
            body = await response.json(content_type=None)
            assert (response.status, response.headers["retry-after"]) == (503, "5")
            assert body["errors"][0]["extensions"]["code"] == "NO_ROOM_FOR_FILES"
        assert await posted(session, url, large_form(3), FORM) == (200, {"data": {"one": 1}})
    assert len(subgraph.bodies) == 1
    assert (held("memory"), held("disk")) == (0, 0)
