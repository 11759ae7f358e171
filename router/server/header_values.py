"""Values of HTTP headers by RFC 9110: several lines of one name, lists, parameters, qualities.

Whatever of the HTTP edge reads a header reads it with this.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

Headers = list[tuple[bytes, bytes]]

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ELEMENT = re.compile(rf"(?:{_QUOTED}|[^,\"]|\")+?(?=,|$)")
_PARAMETER = re.compile(rf";\s*([^\s=;,\"]+)\s*=\s*({_QUOTED}|[^;]*)")


class HeaderFields(dict[bytes, bytes]):
    """A request's headers by their lower-case names, read in one pass: lines of one name are one list (RFC 9110, 5.3)."""

    __slots__ = ("lines",)

    def __init__(self, lines: Headers) -> None:
        super().__init__(lines)
        self.lines = lines
        if len(self) < len(lines):
            self._join()

    def text(self, name: bytes) -> str:
        """The value of that name, or ""."""
        value = self.get(name)
        return value.decode("latin-1") if value is not None else ""

    def single(self, name: bytes) -> str:
        """Of a header that is no list: the value, also where it was sent twice. Two values come out as one that fits nothing."""
        if len(self) == len(self.lines):
            return self.text(name)
        return b", ".join(dict.fromkeys([value for key, value in self.lines if key == name])).decode("latin-1")

    def _join(self) -> None:
        self.clear()
        for name, value in self.lines:
            self[name] = _joined(name, self[name], value) if name in self else value


def _joined(name: bytes, first: bytes, second: bytes) -> bytes:
    """Two lines as one; cookies are the one header with a separator of its own (RFC 9113, 8.2.3)."""
    return first + (b"; " if name == b"cookie" else b", ") + second


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a list such as `text/html;level=1;q=0.5`; names are in lower case."""

    name: str
    parameters: tuple[tuple[str, str], ...] = ()

    def parameter(self, name: str) -> str | None:
        if not self.parameters:
            return None
        return next((value for key, value in self.parameters if key == name), None)

    @property
    def quality(self) -> float:
        """From 0 (not wanted) to 1; 0 also where it is no number."""
        try:
            quality = float(self.parameter("q") or "1")
        except ValueError:
            return 0.0
        return min(max(quality, 0.0), 1.0) if math.isfinite(quality) else 0.0


def elements(value: str) -> Iterator[Element]:
    """Of a comma-separated list; commas in quotes separate nothing, empty elements are none."""
    for match in _ELEMENT.finditer(value):
        text = match.group().strip(" \t,")
        if text:
            yield element(text)


@lru_cache(maxsize=512)
def element(text: str) -> Element:
    name, semicolon, _ = text.partition(";")
    found = _PARAMETER.findall(text, len(name)) if semicolon else ()
    return Element(name.strip().lower(), tuple((key.lower(), _unquoted(value.strip())) for key, value in found))


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
