"""GraphQL over HTTP, the way out: which media type the client prefers, which status it gets, the bytes on the wire.

`graphql_http` calls it for single answers; `event_stream` uses its negotiation and header building.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import orjson

from router.errors import RequestError, RouterError
from router.server.errors import HttpError
from router.server.request import Headers, Send

GRAPHQL_RESPONSE = b"application/graphql-response+json; charset=utf-8"
JSON = b"application/json; charset=utf-8"


class Stream(Enum):
    """The ways in which a client can take more than one payload."""

    EVENTS = "text/event-stream"
    MULTIPART_SUBSCRIPTION = "multipart/mixed;subscriptionSpec=1.0"
    INCREMENTAL = "multipart/mixed;incrementalSpec=v0.2"  # pending / incremental / completed; also without a version
    INCREMENTAL_FORMER = "multipart/mixed;deferSpec=20220824"  # path / label / data


@dataclass(frozen=True, slots=True)
class Accepted:
    """`content_type` is for a single answer, None where the client takes none of ours; `streams` in its own order."""

    content_type: bytes | None
    streams: tuple[Stream, ...] = ()
    html: bool = False

    @property
    def is_legacy_json(self) -> bool:
        """Clients of `application/json` get 200 for every well-formed request, as they always did."""
        return self.content_type == JSON


@lru_cache(maxsize=512)
def negotiate(accept: str) -> Accepted:
    """Reads an Accept header; `*/*` and no header at all mean `application/json`, as the specification advises."""
    if not accept.strip():
        return Accepted(JSON)
    ranges = sorted((_media_range(part) for part in accept.split(",")), key=lambda each: -each[0])
    content_type: bytes | None = None
    streams: list[Stream] = []
    html = False
    for quality, name, parameters in ranges:
        if quality <= 0:
            continue
        if name == "text/html":
            html = html or content_type is None
        elif name == "text/event-stream":
            streams.append(Stream.EVENTS)
        elif name == "multipart/mixed":
            kind = _multipart_kind(parameters)
            if kind is not None:
                streams.append(kind)
        elif content_type is None:
            if name == "application/graphql-response+json":
                content_type = GRAPHQL_RESPONSE
            elif name in ("application/json", "application/*", "*/*"):
                content_type = JSON
    return Accepted(content_type, tuple(streams), html)


def _media_range(part: str) -> tuple[float, str, dict[str, str]]:
    name, *rest = (piece.strip() for piece in part.split(";"))
    parameters = {key.strip().lower(): value.strip(' "') for key, _, value in (piece.partition("=") for piece in rest)}
    try:
        quality = float(parameters.pop("q", "1"))
    except ValueError:
        quality = 0.0
    return quality, name.lower(), parameters


def _multipart_kind(parameters: dict[str, str]) -> Stream | None:
    """None for a version of the incremental formats that is not ours."""
    if "subscriptionspec" in parameters:
        return Stream.MULTIPART_SUBSCRIPTION
    if "deferspec" in parameters:
        return Stream.INCREMENTAL_FORMER if parameters["deferspec"] == "20220824" else None
    return Stream.INCREMENTAL if parameters.get("incrementalspec", "v0.2") == "v0.2" else None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One complete response."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


def error_answer(error: RouterError, accepted: Accepted) -> HttpAnswer:
    """An answer without `data`: the request was not executed."""
    content_type = accepted.content_type or JSON
    body = orjson.dumps({"errors": error.entries()})
    if isinstance(error, HttpError):
        return HttpAnswer(error.status, body, content_type, error.headers)
    status = error.status if isinstance(error, RequestError) else 500
    if status == 400 and content_type == JSON:  # 401, 405, 429 keep their meaning for everybody
        status = 200
    return HttpAnswer(status, body, content_type)


def compress(body: bytes, accept_encoding: str, from_bytes: int) -> bytes | None:
    """The gzip form where it is wanted and worth the time, else None. Level 1: four fifths of the gain, a third of the time."""
    if not from_bytes or len(body) < from_bytes or not accepts_gzip(accept_encoding):
        return None
    return gzip.compress(body, compresslevel=1, mtime=0)


@lru_cache(maxsize=128)
def accepts_gzip(accept_encoding: str) -> bool:
    for part in accept_encoding.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


async def send_answer(send: Send, answer: HttpAnswer, extra: Headers, *, body: bytes | None = None) -> None:
    """`body` replaces the answer's, e.g. with its compressed form; `extra` holds CORS and the like."""
    payload = answer.body if body is None else body
    headers: list[tuple[bytes, bytes]] = [*answer.headers, *extra]
    if answer.status not in (204, 304):
        headers += [(b"content-type", answer.content_type), (b"content-length", str(len(payload)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": payload})


def json_answer(status: int, value: Any) -> HttpAnswer:
    return HttpAnswer(status, orjson.dumps(value), b"application/json")
