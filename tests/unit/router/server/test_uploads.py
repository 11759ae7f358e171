"""Forms with files, read in pieces: the same operation however the body is cut, and bounds of what is kept meanwhile."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from router.server.errors import HttpError
from router.server.header_values import HeaderFields, element
from router.server.request import OperationParameters
from router.server.uploads import MAX_HEADER_BYTES, MAX_HEADERS, UploadReader
from router.settings import Limits, Uploads

PART = b'--b\r\nContent-Disposition: form-data; name="%b"'
OPERATIONS = PART % b"operations" + b'\r\n\r\n{"query":"mutation($f: Upload) { a(f: $f) }","variables":{"f":null}}\r\n'
MAP = PART % b"map" + b'\r\n\r\n{"0":["variables.f"]}\r\n'
CONTENT = b"first\r\n-\r\n--\r\n--c\r\n\r\n\r"
FILE = PART % b"0" + b'; filename="a \xc3\xa4.txt"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n' + CONTENT
BODY = b"before\r\n" + OPERATIONS + MAP + FILE + b"\r\n--b--\r\nafter --b"


async def operation_of(*pieces: bytes) -> OperationParameters:
    """Raises HttpError."""
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    reader = UploadReader(Uploads(enabled=True), Limits())
    return await reader.operation(HeaderFields([]), element("multipart/form-data; boundary=b"), receive, 5.0)


@pytest.mark.parametrize("size", [*range(1, 40), len(BODY)])
async def test_a_form_is_the_same_however_it_is_cut(size: int) -> None:
    pieces = [BODY[at : at + size] for at in range(0, len(BODY), size)]
    parameters = await operation_of(*pieces, b"")
    assert parameters.variables is not None
    file = parameters.variables["f"]
    assert await file.read() == CONTENT
    assert (file.name, file.content_type) == ("a ä.txt", "text/plain; charset=utf-8")
    file.close()


async def test_a_form_that_is_cut_off_is_refused() -> None:
    for length in range(0, len(BODY) - len(b"--\r\nafter --b"), 3):
        with pytest.raises(HttpError) as refused:
            await operation_of(BODY[:length])
        assert (refused.value.status, refused.value.error_code) == (400, "BAD_UPLOAD"), length


@pytest.mark.parametrize(
    "head",
    [
        b"A: " + b"x" * MAX_HEADER_BYTES + b"\r\n",
        b"A: " + b"x" * MAX_HEADER_BYTES * 4,
        b"".join(b"A-%d: 1\r\n" % number for number in range(MAX_HEADERS)),
        b"A: 1\r\n--b\r\n",
        b"no header\r\n",
        b"Content-Length: 10\r\nContent-Length: 10\r\n",
        b"Content-Length: 99\r\n",
    ],
)
async def test_a_part_with_a_head_that_is_none_is_refused(head: bytes) -> None:
    body = BODY.replace(b'name="0"', b'name="0"\r\n' + head + b"X: y")
    for pieces in ([body], [body[at : at + 100] for at in range(0, len(body), 100)]):
        with pytest.raises(HttpError) as refused:
            await operation_of(*pieces)
        assert (refused.value.status, refused.value.error_code) == (400, "BAD_UPLOAD")


async def test_little_is_kept_of_what_belongs_to_no_file() -> None:
    """Before the first boundary, and in parts that the map does not name."""
    pieces = [b"x" * 65_536] * 100
    tracemalloc.start()
    try:
        with pytest.raises(HttpError):
            await operation_of(*pieces)
        await operation_of(
            BODY.partition(b"\r\n--b--")[0] + b"\r\n" + PART % b"spare" + b"\r\n\r\n", *pieces, b"\r\n--b--"
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
