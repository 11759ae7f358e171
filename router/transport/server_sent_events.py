"""Event streams of subgraphs, parsed by the WHATWG rules (HTML, 9.2.6 "Interpreting an event stream").

`subscription_source` feeds it what comes off the wire, in whatever pieces it comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")


class EventTooLargeError(ValueError):
    """An event has more bytes than its reader allows."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """`data` is None where there was no `data` line: a browser dispatches no such event, so most should be passed over."""

    type: str
    data: str | None


class EventStreamParser:
    """One stream. What it ends with has to be ended by a blank line, or it never was."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._data_size = self._line_size = 0  # of the unfinished event and of the unfinished line, in bytes
        self._unfinished: list[bytes] = []
        self._is_first_line = True
        self._may_follow_return = False  # a line feed now belongs to the carriage return before it
        self._type = ""
        self._data: list[str] = []

    def feed(self, received: bytes) -> Iterator[ServerSentEvent]:
        """The events that are complete with these bytes. Raises EventTooLargeError for one that is longer than `max_bytes`."""
        start = 0
        if received and self._may_follow_return:
            start = 1 if received.startswith(b"\n") else 0
            self._may_follow_return = False
        for end in _LINE_END.finditer(received, start):
            line = b"".join([*self._unfinished, received[start : end.start()]])
            self._unfinished.clear()
            self._line_size = 0
            start = end.end()
            self._may_follow_return = end.group() == b"\r" and start == len(received)
            yield from self._take(line)
        if start < len(received):
            self._unfinished.append(received[start:])
            self._line_size += len(received) - start
            self._check_size()

    def _take(self, line: bytes) -> Iterator[ServerSentEvent]:
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix(_BOM)
        if not line:
            if self._data or self._type:
                yield ServerSentEvent(self._type or "message", "\n".join(self._data) if self._data else None)
            self._type = ""
            self._data = []
            self._data_size = 0
            return
        name, _, value = line.decode("utf-8", "replace").partition(":")  # a comment has no name
        value = value.removeprefix(" ")
        if name == "event":
            self._type = value
        elif name == "data":
            self._data.append(value)
            self._data_size += len(line)
            self._check_size()
        # `id` and `retry` serve reconnecting, which a POST has no use for

    def _check_size(self) -> None:
        if self._data_size + self._line_size > self._max_bytes:
            raise EventTooLargeError("an event is too large")
