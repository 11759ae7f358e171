from typing import Any

import pytest

from router.server.errors import HttpError
from router.server.header_values import HeaderFields, element
from router.server.request import (
    ClientGoneError,
    OperationParameters,
    check_csrf,
    operation_from_json,
    operation_from_query_string,
    operations_from_body,
    read_body,
)
from router.settings import Csrf


def test_a_body_becomes_parameters() -> None:
    body = b'{"query":"{ a }","operationName":"A","variables":{"x":1},"extensions":{"y":2}}'
    assert operations_from_body(element("application/json; charset=utf-8"), body, 0) == OperationParameters(
        "{ a }", "A", {"x": 1}, {"y": 2}
    )


def test_nulls_are_as_absent() -> None:
    assert operation_from_json(
        {"query": "{ a }", "variables": None, "operationName": None, "extensions": None}
    ) == OperationParameters("{ a }")


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        ("", b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("text/plain", b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("application/json; charset=latin-1", b"{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("application/json", b"", 400, "MALFORMED_JSON"),
        ("application/json", b"{", 400, "MALFORMED_JSON"),
        ("application/json", b"[" * 100_000, 400, "MALFORMED_JSON"),
        ("application/json", b"1", 400, "BAD_REQUEST"),
        ("application/json", b"[]", 400, "BATCHING_DISABLED"),
        ("application/json", b"{}", 400, "MISSING_QUERY"),
        ("application/json", b'{"query":""}', 400, "MISSING_QUERY"),
        ("application/json", b'{"query":{}}', 400, "BAD_REQUEST"),
        ("application/json", b'{"query":"{a}","operationName":[]}', 400, "BAD_REQUEST"),
        ("application/json", b'{"query":"{a}","variables":"{}"}', 400, "BAD_REQUEST"),
        ("application/json", b'{"query":"{a}","extensions":0.5}', 400, "BAD_REQUEST"),
    ],
)
def test_what_is_wrong_with_a_body_has_a_code(content_type: str, body: bytes, status: int, code: str) -> None:
    with pytest.raises(HttpError) as caught:
        operations_from_body(element(content_type), body, 0)
    assert (caught.value.status, caught.value.error_code) == (status, code)


def test_a_batch_is_a_list_within_its_bounds() -> None:
    batch = b'[{"query":"{ a }"},{"query":"{ b }"}]'
    assert operations_from_body(element("application/json"), batch, 2) == [
        OperationParameters("{ a }"),
        OperationParameters("{ b }"),
    ]
    for body in (b"[]", batch):
        with pytest.raises(HttpError, match="holds 1 to 1"):
            operations_from_body(element("application/json"), body, 1)


def test_a_query_string_is_decoded_with_its_json_parts() -> None:
    assert operation_from_query_string(b"query=%7B%20a%20%7D&variables=%7B%22x%22%3A1%7D&operationName=", 100) == (
        OperationParameters("{ a }", None, {"x": 1})
    )


@pytest.mark.parametrize(
    ("query_string", "status"),
    [(b"", 400), (b"query={a}&variables=x", 400), (b"query=%ff", 400), (b"query=" + b"a" * 200, 414), (b"\xff", 400)],
)
def test_a_query_string_that_cannot_be_used_is_refused(query_string: bytes, status: int) -> None:
    with pytest.raises(HttpError) as caught:
        operation_from_query_string(query_string, 100)
    assert caught.value.status == status


def receiver(*events: dict[str, Any]) -> Any:
    waiting = list(events)

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    return receive


async def test_chunks_are_joined_and_counted() -> None:
    chunks = [{"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.request", "body": b"c"}]
    assert await read_body(HeaderFields([]), receiver(*chunks), 3) == b"abc"
    with pytest.raises(HttpError, match="larger than 2 bytes"):
        await read_body(HeaderFields([]), receiver(*chunks), 2)


async def test_an_announced_length_is_believed_before_anything_is_read() -> None:
    with pytest.raises(HttpError, match="larger than 2 bytes"):
        await read_body(HeaderFields([(b"content-length", b"3")]), receiver(), 2)


async def test_a_client_that_leaves_while_sending_gets_no_answer() -> None:
    with pytest.raises(ClientGoneError):
        await read_body(HeaderFields([]), receiver({"type": "http.disconnect"}), 10)


def test_get_can_be_made_to_need_a_header_of_its_own() -> None:
    check_csrf(HeaderFields([]), Csrf())
    check_csrf(HeaderFields([(b"graphql-preflight", b"1")]), Csrf(protect_get=True))
    with pytest.raises(HttpError, match="cross-site"):
        check_csrf(HeaderFields([]), Csrf(protect_get=True))
