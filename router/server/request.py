"""GraphQL over HTTP, the way in: query strings and bodies to `OperationParameters`s, or an `HttpError`.

`graphql_http` calls it; `operation_from_json` also reads uploads, and what arrives over a WebSocket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from router.content_coding import (
    ACCEPT_ENCODING,
    ContentTooLargeError,
    CorruptContentError,
    UnknownCodingError,
    decode,
)
from router.exact_json import fault, is_nested_deeper, loads
from router.server.errors import HttpError, bad_request
from router.server.header_values import Element, HeaderFields
from router.settings import Csrf

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON_TYPES = frozenset({"application/json", "application/graphql-response+json"})

#: JSON that is deeper can be read, but not be walked or written again.
MAX_VARIABLE_DEPTH = 128


@dataclass(slots=True)  # frozen it would cost a call for each value of each request
class OperationParameters:
    """What a client asked: `document` is None where `extensions` or `document_id` name a persisted one."""

    document: str | None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None
    has_files: bool = False  # among the variables


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete; there is nobody to answer."""


async def read_body(headers: HeaderFields, receive: Receive, max_bytes: int, max_seconds: float = 30.0) -> bytes:
    """The whole body. Raises HttpError 413 as soon as it is known to be too long, without reading the rest, and 408.

    Nearly every body is there with the first event, which is worth no timer.
    """
    _check_announced(headers, max_bytes)
    chunk, is_last = await _next_chunk(receive)
    if len(chunk) > max_bytes:
        raise too_large(max_bytes)
    if is_last:
        return chunk
    try:
        async with asyncio.timeout(max_seconds):
            return await _read_rest(chunk, receive, max_bytes)
    except TimeoutError:
        raise HttpError(408, "REQUEST_TIMEOUT", f"The body did not arrive within {max_seconds:g} s.") from None


async def _read_rest(first: bytes, receive: Receive, max_bytes: int) -> bytes:
    chunks = [first]
    size = len(first)
    is_last = False
    while not is_last:
        chunk, is_last = await _next_chunk(receive)
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            raise too_large(max_bytes)
    return b"".join(chunks)


async def body_chunks(headers: HeaderFields, receive: Receive, max_bytes: int) -> AsyncIterator[bytes]:
    """The body as it comes. Raises HttpError 413 as soon as it is known to be too long, and ClientGoneError."""
    _check_announced(headers, max_bytes)
    size, is_last = 0, False
    while not is_last:
        chunk, is_last = await _next_chunk(receive)
        size += len(chunk)
        if size > max_bytes:
            raise too_large(max_bytes)
        yield chunk


def _check_announced(headers: HeaderFields, max_bytes: int) -> None:
    announced = headers.text(b"content-length")
    if announced.isdigit() and int(announced) > max_bytes:
        raise too_large(max_bytes)


async def _next_chunk(receive: Receive) -> tuple[bytes, bool]:
    """The chunk, and whether it is the last."""
    event = await receive()
    if event["type"] == "http.disconnect":
        raise ClientGoneError
    return event.get("body", b""), not event.get("more_body", False)


async def until_disconnected(receive: Receive) -> None:
    """Returns when the client has gone away, of a request whose body was read."""
    while (await receive())["type"] != "http.disconnect":
        pass


def decoded_body(body: bytes, codings: str, max_bytes: int) -> bytes:
    """A body that came with a Content-Encoding. Raises HttpError 400, 413 or 415."""
    try:
        return decode(body, codings, max_bytes)
    except CorruptContentError:
        raise bad_request("The body is not what its Content-Encoding says.", "MALFORMED_CONTENT") from None
    except ContentTooLargeError:
        raise too_large(max_bytes) from None
    except UnknownCodingError:
        accepted = ((b"accept-encoding", ACCEPT_ENCODING.encode()),)
        message = f"The Content-Encoding must be one of {ACCEPT_ENCODING}."
        raise HttpError(415, "UNSUPPORTED_MEDIA_TYPE", message, headers=accepted) from None


def too_large(max_bytes: int) -> HttpError:
    return HttpError(413, "REQUEST_TOO_LARGE", f"The request body is larger than {max_bytes} bytes.")


def check_csrf(headers: HeaderFields, csrf: Csrf) -> None:
    """For GET. Raises HttpError 400 where a browser may have sent this for a foreign page without asking us first."""
    if csrf.protect_get:
        check_is_preflighted(headers, csrf)


def check_is_preflighted(headers: HeaderFields, csrf: Csrf) -> None:
    """Raises HttpError 400 without one of the headers which no page of another origin can send without asking first."""
    if any(name.decode("latin-1") in csrf.headers for name in headers):
        return
    raise bad_request(
        "Refused as a possible cross-site request forgery: send a body of content type application/json, "
        f"or one of the headers {', '.join(csrf.headers)}.",
        "CSRF_PREVENTION",
    )


def operation_from_query_string(query_string: bytes, max_bytes: int) -> OperationParameters:
    """The parameters of a GET. Raises HttpError 400 or 414."""
    if len(query_string) > max_bytes:
        raise HttpError(414, "URI_TOO_LONG", f"The query string is longer than {max_bytes} bytes.")
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except (UnicodeDecodeError, ValueError):
        raise bad_request("The query string cannot be decoded.") from None
    parameters: dict[str, Any] = dict(pairs)
    for name in ("variables", "extensions"):
        text = parameters.get(name)
        if text is None or text == "":
            parameters.pop(name, None)
            continue
        try:
            parameters[name] = loads(text)
        except orjson.JSONDecodeError as error:
            raise bad_request(f"The parameter '{name}' {fault(error)}.") from None
    return operation_from_json(parameters)


def operations_from_body(
    content_type: Element, body: bytes, max_batch: int
) -> OperationParameters | list[OperationParameters]:
    """One operation, or a list of them where batching is on (`max_batch` > 0). Raises HttpError 400 or 415."""
    if content_type.name not in JSON_TYPES:
        raise HttpError(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "The body must be application/json.",
            headers=((b"accept-post", b"application/json"),),
        )
    charset = content_type.parameter("charset")
    if charset and charset.lower() not in ("utf-8", "utf8"):
        raise HttpError(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be encoded in UTF-8.")
    try:
        value = loads(body)
    except orjson.JSONDecodeError as error:
        raise HttpError(
            400,
            "MALFORMED_JSON",
            f"The body {fault(error)}.",
            extensions={"line": error.lineno, "column": error.colno},
        ) from None
    if not isinstance(value, list):
        return operation_from_json(value)
    if not max_batch:
        raise bad_request("The body must be a JSON object; batches of operations are not enabled.", "BATCHING_DISABLED")
    if not 1 <= len(value) <= max_batch:
        raise bad_request(f"A batch holds 1 to {max_batch} operations.", "BATCH_TOO_LARGE" if value else "BAD_REQUEST")
    return [operation_from_json(each) for each in value]


#: What an operation's object can hold; anything else in it is nobody's.
_PARAMETERS: Mapping[str, tuple[type, str]] = {
    "query": (str, "a string"),
    "operationName": (str, "a string"),
    "documentId": (str, "a string"),
    "variables": (dict, "an object"),
    "extensions": (dict, "an object"),
}


def operation_from_json(value: Any) -> OperationParameters:
    """One `{query, operationName, variables, extensions}` object. Raises HttpError 400 naming what has a wrong type."""
    if not isinstance(value, dict):
        raise bad_request("The request must be a JSON object.")
    for name, given in value.items():
        wanted = _PARAMETERS.get(name)
        if wanted is not None and given is not None and not isinstance(given, wanted[0]):
            raise bad_request(f"'{name}' must be {wanted[1]}.")
    get = value.get
    document = get("query")
    extensions = get("extensions") or {}
    document_id = get("documentId")
    if not document and document_id is None and "persistedQuery" not in extensions:
        raise bad_request("The request has no 'query'.", "MISSING_QUERY")
    return OperationParameters(
        document or None, get("operationName") or None, _variables(get("variables")), extensions, document_id
    )


def _variables(variables: dict[str, Any] | None) -> dict[str, Any] | None:
    levels = MAX_VARIABLE_DEPTH + 1  # of what variables hold, and the object around them
    if variables and is_nested_deeper(variables, levels):
        raise bad_request(f"'variables' are nested more than {MAX_VARIABLE_DEPTH} levels deep.", "BAD_USER_INPUT")
    return variables
