"""GraphQL over HTTP, the way out: which media type the client prefers, which status it gets, the bytes on the wire.

`graphql_http` calls it for single answers; `event_stream` uses its negotiation and header building.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import orjson

from router.content_coding import chosen_coding
from router.errors import RequestError, RouterError
from router.server.errors import HttpError
from router.server.header_values import Element, Headers, elements
from router.server.request import Send

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
    """Reads an Accept header (RFC 9110, 12.5.1: the most specific range counts, then its quality, then the order).

    `*/*` and no header at all mean `application/json`, as the GraphQL-over-HTTP specification advises.
    """
    ranges = [(each.name, each.quality, each) for each in elements(accept)]
    if not ranges:
        return Accepted(JSON)
    chosen = min((_rank(ranges, JSON, 0), _rank(ranges, GRAPHQL_RESPONSE, 1)))
    pages = [(-quality, index) for index, (name, quality, _) in enumerate(ranges) if name == "text/html" and quality]
    streams = [_stream(each) for _, quality, each in sorted(ranges, key=lambda ranked: -ranked[1]) if quality]
    return Accepted(
        chosen[3] if chosen[0] < 0 else None,
        tuple(each for each in streams if each is not None),
        html=bool(pages) and (chosen[0] >= 0 or min(pages) < chosen[:2]),
    )


def _rank(
    ranges: list[tuple[str, float, Element]], content_type: bytes, preference: int
) -> tuple[float, int, int, bytes]:
    """(negative quality, place in the header, `preference` where one wildcard stands for both, the type)."""
    name = content_type.decode().partition(";")[0]
    for wanted in (name, "application/*", "*/*"):
        for index, (given, quality, _) in enumerate(ranges):
            if given == wanted:
                return -quality, index, preference, content_type
    return 0.0, len(ranges), preference, content_type


def _stream(range_: Element) -> Stream | None:
    """None for what is no stream, and for a version of the incremental formats that is not ours."""
    if range_.name == "text/event-stream":
        return Stream.EVENTS
    if range_.name != "multipart/mixed":
        return None
    if range_.parameter("subscriptionspec") is not None:
        return Stream.MULTIPART_SUBSCRIPTION
    former = range_.parameter("deferspec")
    if former is not None:
        return Stream.INCREMENTAL_FORMER if former == "20220824" else None
    return Stream.INCREMENTAL if range_.parameter("incrementalspec") in (None, "v0.2") else None


@dataclass(slots=True)  # frozen it would cost a call for each value of each request
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


def coding_for(size: int, accept_encoding: str, from_bytes: int) -> str | None:
    """The content coding of a body of that size; None where it is not wanted or not worth the time."""
    return coding_of(accept_encoding) if from_bytes and size >= from_bytes else None


@lru_cache(maxsize=128)
def coding_of(accept_encoding: str) -> str | None:
    return chosen_coding({each.name: each.quality for each in elements(accept_encoding)})


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
