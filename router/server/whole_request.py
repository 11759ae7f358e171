"""A POST that arrived whole, and the protocol that hands it on as one object: the way that nearly every operation takes.

`workers` serves the router with `WholeRequestProtocol`, and subgraphs are served with it; `GraphqlEndpoint.answer` answers. What comes in pieces, asks for leave first,
is pipelined, or is for another path goes by ASGI.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from router.server.answer_lines import ServersLines
from router.server.bounded_http import BoundedHttpProtocol
from router.server.header_values import HeaderFields, Headers

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)[ \t]*\r\n", re.IGNORECASE)
#: Of headers that many people's requests over one connection differ in, the beginning of their line and their value.
_OF_ONE_REQUEST = tuple(
    (name, re.compile(rb"(\r\n%b:[ \t]*)([!-~](?:[ -~]*[!-~])?)\r\n" % name, re.IGNORECASE))
    for name in (b"authorization", b"x-request-id", b"traceparent", b"x-deadline-ms")
)
_PRINTABLE = bytes(range(0x20, 0x7F))
#: Such a header of a known head: its place among the lines, its name, the beginning of its line, its value.
_Varying = tuple[int, bytes, bytes, bytes]
#: A client that sends ever new heads, such as one with a trace, is not learnt from for ever.
_MOST_LEARNT = 8
_MAX_DIGITS = 9  # of a length that is looked at without the parser
_END, _END_AND_CLOSE = b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"
_FAILED = (
    b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 21\r\n"
    b"connection: close\r\n\r\nInternal Server Error"
)


class AnswersWholeRequests(Protocol):
    """An application that need not be told of a request in events."""

    def takes(self, target: bytes) -> bool:
        """Whether it answers whole requests for this target, which is as it was sent: path and query."""

    def answer(self, request: WholeRequest) -> Awaitable[None]:
        """Calls `request.respond`, or answers by ASGI with `request.receive` and `request.send`."""


class Head:
    """The head of a request that arrived whole. Its connection knows the next one by its bytes where only the length differs,
    and what was made of it holds for that one too. Where a token or an id differs as well, the next one is a head of its own.
    """

    __slots__ = (
        "_after", "_before", "_length", "_varying", "address", "facts", "fields", "http_version", "keep_alive", "target",
    )  # fmt: skip

    def __init__(self, target: bytes, lines: Headers, address: str, http_version: str, *, keep_alive: bool) -> None:
        self.target = target
        self.fields = HeaderFields(lines)
        self.address = address
        self.http_version = http_version
        self.keep_alive = keep_alive
        #: what the application makes of the head, for as long as it likes; of `followed_by` it may be that of the head before
        self.facts: Any = None
        self._before = self._length = self._after = b""
        self._varying: tuple[_Varying, ...] = ()

    def learn(self, data: bytes, body_size: int) -> bool:
        """Whether `data`, in which a request began and ended, has this head in the usual form, to be known by."""
        end = data.find(b"\r\n\r\n") + 4
        names = [name for name, _ in self.fields.lines]
        lengths = list(_LENGTH.finditer(data, 0, end))
        if not self.keep_alive or end + body_size != len(data) or len(lengths) != 1:
            return False
        if names.count(b"content-length") != 1 or b"transfer-encoding" in names:
            return False
        start, stop = lengths[0].span(1)
        self._before, self._length, self._after = data[:start], data[start:stop], data[stop:end]
        self._varying = tuple(
            (names.index(name), name, found[0][1], found[0][2])
            for name, line in _OF_ONE_REQUEST
            if names.count(name) == 1 and len(found := list(line.finditer(data, 0, end))) == 1
        )
        return len(self._length) <= _MAX_DIGITS

    def body_in(self, data: bytes) -> bytes | None:
        """The body, where `data` is a whole request with this head; `fields` tell its length then."""
        before, after = self._before, self._after
        if not data.startswith(before):
            return None
        start = len(before)
        stop = data.find(after, start, start + _MAX_DIGITS + len(after))
        length = data[start:stop]
        if stop < 0 or not length.isdigit():
            return None
        begin = stop + len(after)
        if len(data) - begin != int(length):
            return None
        if length != self._length:
            self._tell_length(length)
        return data[begin:]

    def followed_by(self, data: bytes) -> Head | None:
        """A head that differs in who asks, or in an id, and that `data` may have: `body_in` says so. None where it has not.

        One of its own, for whoever still holds this one must not find another's token in it.
        """
        before, after = self._before, self._after
        lines, varying = self.fields.lines.copy(), list(self._varying)
        for place, (index, name, begin, value) in enumerate(self._varying):
            start = data.find(begin) + len(begin)
            given = data[start : data.find(b"\r\n", start)]
            if given == value:
                continue
            if not _is_plain(given):
                return None  # what the parser makes of such a value is its to say
            line, wanted = begin + value + b"\r\n", begin + given + b"\r\n"
            if line in before:
                before = before.replace(line, wanted)
            else:
                after = after.replace(line, wanted)
            lines[index] = (name, given)
            varying[place] = (index, name, begin, given)
        if (before is self._before and after is self._after) or not data.startswith(before):
            return None
        head = Head(self.target, lines, self.address, self.http_version, keep_alive=self.keep_alive)
        head._before, head._length, head._after = before, self._length, after
        head._varying = tuple(varying)
        head.facts = self.facts
        return head

    def _tell_length(self, length: bytes) -> None:
        self._length = self.fields[b"content-length"] = length
        self.fields.lines = [
            (name, length if name == b"content-length" else value) for name, value in self.fields.lines
        ]


def _is_plain(value: bytes) -> bool:
    """Whether any parser of HTTP has to take the value as it stands."""
    return bool(value) and not value.translate(None, _PRINTABLE) and value.strip() == value


class WholeRequest:
    """One POST and its answer. uvicorn's protocol has it in the place of its cycle, and finds there what it asks of one.

    `with request.while_wanted(may_cancel=True):` cancels the block of a client that leaves.
    """

    disconnected = response_started = response_complete = False
    task: asyncio.Task[None] | None = None
    _may_cancel = _is_cancelled = False
    _cycle: RequestResponseCycle | None = None

    def __init__(self, protocol: WholeRequestProtocol, head: Head, body: bytes) -> None:
        self._protocol = protocol
        self.head = head
        self.body = body
        self.keep_alive = head.keep_alive

    def respond(self, status: int, lines: bytes, body: bytes) -> None:
        """Writes a complete answer. `lines` are its headers as `answer_lines.header_lines` makes them, but for the length."""
        self.response_started = True
        if self.disconnected:
            return
        self.response_complete = True
        self._protocol.write_answer(self, status, lines, body)

    @property
    def is_direct(self) -> bool:
        """Whether it can be answered by `respond`: nothing has been done by ASGI."""
        return self._cycle is None

    @property
    def is_congested(self) -> bool:
        """Whether the client has not yet read what was written before: `room` is to be waited for."""
        return self._protocol.flow.write_paused and not self.disconnected

    async def room(self) -> None:
        await self._protocol.flow.drain()

    def while_wanted(self, *, may_cancel: bool) -> Self:
        self._may_cancel = may_cancel
        if self.disconnected:
            self.leave()
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> bool:
        self._may_cancel = False
        if not self._is_cancelled or kind is not asyncio.CancelledError:
            return False
        assert self.task is not None
        self.task.uncancel()
        return True

    @property
    def is_gone(self) -> bool:
        """Whether the block was cancelled for its client has left."""
        return self._is_cancelled

    def leave(self) -> None:
        """The client has left."""
        self.disconnected = True
        if self._may_cancel and self.task is not None:
            self._is_cancelled = True
            self.task.cancel()

    async def receive(self) -> Any:
        """As ASGI's. With this, or `send`, the request goes on as any other."""
        return await self.cycle().receive()

    async def send(self, message: Any) -> None:
        await self.cycle().send(message)

    def cycle(self) -> RequestResponseCycle:
        """That of uvicorn which takes this one's place."""
        if self._cycle is None:
            self._cycle = self._protocol.give_cycle(self)
        return self._cycle

    def scope(self) -> dict[str, Any]:
        """As ASGI has it."""
        return self._protocol.scope_of(self)

    def end(self) -> bool:
        """Whether it was answered, as far as anybody was there; lets go of what holds it."""
        cycle = self._cycle
        if cycle is None:
            return self.response_complete or self.disconnected
        cycle.on_response = lambda: None  # as uvicorn: the protocol holds the cycle
        return cycle.response_complete or cycle.disconnected

    @property
    def is_started(self) -> bool:
        return self.response_started if self._cycle is None else self._cycle.response_started


class WholeRequestProtocol(BoundedHttpProtocol):
    """Hands requests that arrive whole to its application at once; the others are its `app`'s, as ever."""

    application: ClassVar[AnswersWholeRequests]
    cycle: Any  # uvicorn's, a WholeRequest, or none

    _known: Head | None = None  # of the request before
    _learnt = 0  # heads since one was known again
    _coming: list[bytes] | None = None  # what there is of the body of a request that may be whole
    _begun: WholeRequest | None = None  # by the data that is being read
    _answering: WholeRequest | None = None
    _servers_lines = ServersLines()

    def connection_lost(self, exc: Exception | None) -> None:
        self._known = None
        request, self._answering = self._answering, None
        if request is not None:
            self._forget(request)
            request.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        known = self._known
        if known is not None and self._is_complete and self._begin_known(known, data):
            return
        is_first = self._is_complete or (self._is_in_head and not self._head_bytes)
        super().data_received(data)
        if self._coming is not None:
            self._begin_by_asgi()
        begun, self._begun = self._begun, None
        if begun is not None and is_first and self._learnt < _MOST_LEARNT:
            self._learnt += 1
            if begun.head.learn(data, len(begun.body)):
                self._known = begun.head

    def _begin_known(self, known: Head, data: bytes) -> bool:
        """Whether `data` is a whole request with the known head, or one that follows it, and has been begun."""
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        head: Head | None = known
        body = known.body_in(data)
        if body is None:
            head = known.followed_by(data)
            body = head.body_in(data) if head is not None else None
        if head is None or body is None or not self.application.takes(head.target):
            return False
        self._known = head
        self._idle_since = None
        self._learnt = 0
        self._begin_whole(WholeRequest(self, head, body))
        return True

    def on_body(self, body: bytes) -> None:
        if self._coming is None:
            super().on_body(body)
        else:
            self._coming.append(body)

    def on_message_complete(self) -> None:
        parts, self._coming = self._coming, None
        if parts is None:
            super().on_message_complete()
            return
        self._note_end()
        version = self.parser.get_http_version()
        keep_alive = version != "1.0" and self.parser.should_keep_alive()
        head = Head(self.url, self.headers, self._address, version, keep_alive=keep_alive)
        self._begun = WholeRequest(self, head, b"".join(parts))
        self._begin_whole(self._begun)

    def give_cycle(self, request: WholeRequest) -> RequestResponseCycle:
        """A cycle of uvicorn's own, for a request that goes on by ASGI, from its body on."""
        cycle = RequestResponseCycle(
            scope=self.scope_of(request),  # type: ignore[arg-type] # made as uvicorn makes it
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=request.keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.body += request.body
        cycle.more_body = False
        cycle.disconnected = request.disconnected
        cycle.message_event.set()
        self._answering = None
        if self.cycle is request:
            self.cycle = cycle
        return cycle

    def scope_of(self, request: WholeRequest) -> dict[str, Any]:
        head = request.head
        url = httptools.parse_url(head.target)
        return {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": head.http_version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": "POST",
            "root_path": "",
            "path": unquote(url.path.decode("ascii")),
            "raw_path": url.path,
            "query_string": url.query or b"",
            "headers": head.fields.lines,
            "state": self.app_state.copy(),
        }

    def write_answer(self, request: WholeRequest, status: int, lines: bytes, body: bytes) -> None:
        own = self._servers_lines
        own.update(self.server_state.default_headers)
        is_last = own.are_last or not request.keep_alive
        head = b"%b%b%bcontent-length: %d%b" % (
            STATUS_LINE[status],
            own.lines,
            lines,
            len(body),
            _END_AND_CLOSE if is_last and not own.are_last else _END,
        )
        self.transport.writelines((head, body))
        self._answering = None
        self._forget(request)
        if is_last:
            self.transport.close()
        self.on_response_complete()

    def _forget(self, request: WholeRequest) -> None:
        """A connection that lies idle holds no request."""
        if self.cycle is request:
            self.cycle = None

    def _begin_exchange(self) -> None:
        if self._may_be_whole():
            self._coming = []
        else:
            super()._begin_exchange()

    def _may_be_whole(self) -> bool:
        parser, cycle = self.parser, self.cycle
        return (
            (cycle is None or cycle.response_complete)
            and parser.get_method() == b"POST"
            and self.application.takes(self.url)
            and not self.expect_100_continue
            and not parser.should_upgrade()
        )

    def _begin_by_asgi(self) -> None:
        """More of the body is to come, if it comes."""
        parts, self._coming = self._coming, None
        if parts is not None and not self.transport.is_closing():
            super()._begin_exchange()
            for part in parts:
                super().on_body(part)

    def _begin_whole(self, request: WholeRequest) -> None:
        self._answering = self.cycle = request
        request.task = self.loop.create_task(self._answer(request))
        self.tasks.add(request.task)

    async def _answer(self, request: WholeRequest) -> None:
        try:
            await self.application.answer(request)
            if not request.end():
                self.logger.error("A request was not answered.")
                self._fail(request)
        except BaseException as error:
            self.logger.error("Exception in ASGI application\n", exc_info=error)
            request.end()
            self._fail(request)
        finally:
            assert request.task is not None
            self.tasks.discard(request.task)

    def _fail(self, request: WholeRequest) -> None:
        if not request.is_started and not self.transport.is_closing():
            self.transport.write(_FAILED)
        self.transport.close()
