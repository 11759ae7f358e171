"""multipart/form-data (RFC 7578) read as it comes: heads and pieces of content, never a whole body.

`uploads` reads bodies with files by it. It knows nothing of GraphQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAX_HEAD_BYTES = 16 * 1024  # of one part


class FormDataError(ValueError):
    """The body is no form; the message says why, as the end of a sentence about the body."""


@dataclass(frozen=True, slots=True)
class PartHead:
    """A part begins; names of headers are in lower case."""

    headers: dict[str, str]


class FormDataParser:
    """Feed it what comes; it gives heads, and between them the content of the part whose head came last."""

    def __init__(self, boundary: str) -> None:
        self._delimiter = b"\r\n--" + boundary.encode("latin-1")
        self._rest = b"\r\n"  # so that a delimiter can begin the body
        self._is_in_head = False
        self._has_part = False
        self.is_complete = False

    def feed(self, data: bytes) -> Iterator[PartHead | bytes]:
        """Raises FormDataError."""
        rest = self._rest + data
        while not self.is_complete:
            if self._is_in_head:
                if rest.startswith(b"--"):
                    self.is_complete = True
                    break
                end = rest.find(b"\r\n\r\n")
                if end < 0 and len(rest) <= MAX_HEAD_BYTES:
                    break
                if not 0 <= end <= MAX_HEAD_BYTES or self._delimiter in rest[:end]:
                    raise FormDataError("has a part without an end of its headers")
                yield PartHead(_headers(rest[:end]))
                rest = rest[end + 4 :]
                self._is_in_head, self._has_part = False, True

            at = rest.find(self._delimiter)
            content = rest[:at] if at >= 0 else rest[: max(0, len(rest) - len(self._delimiter) + 1)]
            if content and self._has_part:
                yield content
            if at < 0:
                rest = rest[len(content) :]
                break
            rest = rest[at + len(self._delimiter) :]
            self._is_in_head = True
        self._rest = b"" if self.is_complete else rest


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("utf-8", "replace").split("\r\n")
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
