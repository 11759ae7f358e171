"""Queries to subgraphs by their hash (automatic persisted queries): the text travels only when a subgraph asks for it.

`app` puts it around the monitor, where a subgraph's traffic settings want it. By GET the answers can be kept by HTTP
caches on the way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from hashlib import sha256
from typing import Literal
from urllib.parse import quote

import orjson

from router.transport.pending_answer import CancellableAnswer, look_at_error
from router.transport.protocol import SubgraphAnswer, SubgraphRequest, SubgraphTransport

#: Ends the query in a request's body; within the query's own JSON string quotes are escaped.
_VARIABLES = b'","variables":{'
MAX_REMEMBERED = 4_096  # texts whose hashes are known
#: Bytes of such a text. Of a longer one the hash is worked out each time, in less time than sending the text takes.
LONGEST_REMEMBERED = 16_384
MAX_QUERY_STRING = 6_000  # longer ones are sent by POST: servers and caches refuse long lines
UNSUPPORTED_SECONDS = 600.0  # a subgraph that knows no hashes is sent texts for so long

Method = Literal["post", "get"]


class PersistedRequests:
    """A `SubgraphTransport` around another; `method_of` says of a subgraph's name how it is asked, None by text."""

    def __init__(self, transport: SubgraphTransport, method_of: Callable[[str], Method | None]) -> None:
        self._transport = transport
        self._method_of = method_of
        self._unsupported_until: dict[str, float] = {}

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        method = self._method_of(request.subgraph)
        if method is None or not request.is_query or request.files or not self._is_supported(request.subgraph):
            return self._transport.send(request)
        answer = CancellableAnswer()
        task = asyncio.ensure_future(self._by_hash(request, method, answer))
        answer.on_cancel = task.cancel
        task.add_done_callback(partial(_settle, answer))
        return answer

    def _is_supported(self, subgraph: str) -> bool:
        return self._unsupported_until.get(subgraph, 0.0) < time.monotonic()

    async def _by_hash(self, request: SubgraphRequest, method: Method, for_: CancellableAnswer) -> SubgraphAnswer:
        end = request.body.find(_VARIABLES)
        if end < 0:
            return await self._sent(request, for_)
        head = request.body[: end + 1]
        extensions = _remembered(head) if len(head) <= LONGEST_REMEMBERED else _extensions_of(head)
        variables = request.body[end + 2 : -1]
        short = replace(request, body=b"{%b,%b}" % (variables, extensions))
        if method == "get":
            query_string = _query_string(variables, extensions)
            if len(query_string) <= MAX_QUERY_STRING:
                short = replace(request, query_string=query_string)
        answer = await self._sent(short, for_)
        refusal = _refusal_in(answer)
        if refusal == "PERSISTED_QUERY_NOT_FOUND":
            return await self._sent(replace(request, body=b"%b,%b}" % (request.body[:-1], extensions)), for_)
        if refusal is not None:
            self._unsupported_until[request.subgraph] = time.monotonic() + UNSUPPORTED_SECONDS
            return await self._sent(request, for_)
        return answer

    async def _sent(self, request: SubgraphRequest, for_: CancellableAnswer) -> SubgraphAnswer:
        """Notes on the answer that it is `for_` which instances were asked: a retry goes to others."""
        sent = self._transport.send(request)
        try:
            return await sent
        finally:
            if isinstance(sent, CancellableAnswer):
                for_.asked = (*for_.asked, *sent.asked)


def _settle(answer: CancellableAnswer, task: asyncio.Future[SubgraphAnswer]) -> None:
    if answer.done():
        look_at_error(task)
    elif task.cancelled():
        answer.cancel()
    elif (error := task.exception()) is not None:
        answer.set_exception(error)
    else:
        answer.set_result(task.result())


def _extensions_of(head: bytes) -> bytes:
    """`head` is the body up to the end of the query."""
    text = orjson.loads(head + b"}")["query"]
    digest = sha256(text.encode()).hexdigest()
    return b'"extensions":{"persistedQuery":{"version":1,"sha256Hash":"%b"}}' % digest.encode()


_remembered = lru_cache(maxsize=MAX_REMEMBERED)(_extensions_of)


def _query_string(variables: bytes, extensions: bytes) -> str:
    """Of members of a JSON object: their values, under their names."""
    given = [
        (each.partition(b":")[0].strip(b'"').decode(), each.partition(b":")[2]) for each in (variables, extensions)
    ]
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in given)


def _refusal_in(answer: SubgraphAnswer) -> str | None:
    """What a subgraph says of hashes: that it has not this one, or knows none; None where it says nothing of them."""
    if b"PersistedQueryNot" not in answer.body and b"PERSISTED_QUERY_NOT" not in answer.body:
        return None
    try:
        payload = orjson.loads(answer.body)
        if payload.get("data") is not None:
            return None
        error = payload["errors"][0]
        told = (error.get("message"), (error.get("extensions") or {}).get("code"))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    if "PersistedQueryNotFound" in told or "PERSISTED_QUERY_NOT_FOUND" in told:
        return "PERSISTED_QUERY_NOT_FOUND"
    if "PersistedQueryNotSupported" in told or "PERSISTED_QUERY_NOT_SUPPORTED" in told:
        return "PERSISTED_QUERY_NOT_SUPPORTED"
    return None
