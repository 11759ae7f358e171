"""Pages by sort keys, which stay right while rows are inserted: cursors, what a page asks for, and its SQL.

`pagination` makes connections of them; `queries` read `Page` and write their statements with `SortOrder`.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import orjson

from subgraphs.shell.errors import Checks, ValidationError

LARGEST_PAGE = 100
DEFAULT_PAGE = 20
_VERSION = 2
_LONGEST_CURSOR = 1_000


class BigInteger:
    """Among the types of sort keys: an integer of 64 bits, where `int` is one of 32."""


_BELOW: Mapping[type, int] = {int: 2**31, BigInteger: 2**63}


class PageShape(NamedTuple):
    """What of a page its statement depends on: one text each, so that statements are compiled and prepared once."""

    backward: bool
    has_cursor: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A checked request for a page: `size` rows beyond the row with the sort keys `after`, or from the list's end.

    `backward` pages are before that row, or the list's last. Hashable, for loader keys.
    """

    size: int
    after: tuple[Any, ...] | None = None
    backward: bool = False
    # Not compared: the same page of several people's lists is one read.
    list_tag: str = field(default="", compare=False)

    @property
    def limit(self) -> int:
        """One more row than the page shows tells whether another page follows."""
        return self.size + 1

    @property
    def shape(self) -> PageShape:
        return PageShape(self.backward, self.after is not None)

    @property
    def keys(self) -> Mapping[str, Any]:
        """The parameters of `SortOrder.beyond`."""
        return {f"key_{position}": key for position, key in enumerate(self.after or ())}


@dataclass(frozen=True, slots=True)
class KeysetList:
    """A list that is paged: its name, whose or of what it is, and the types of its sort keys. Cursors fit no other."""

    name: str
    of: str
    key_types: tuple[type, ...]

    @property
    def tag(self) -> str:
        return hashlib.sha256(f"{self.name}\0{self.of}".encode()).hexdigest()[:12]

    def page(
        self, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> Page:
        """Raises ValidationError for a size outside 1..100, both directions at once, or a cursor of another list."""
        checks = Checks()
        for name, size in (("first", first), ("last", last)):
            valid = size is None or 1 <= size <= LARGEST_PAGE
            checks.require(valid, name, f"must be from 1 to {LARGEST_PAGE}")
        backward = last is not None or before is not None
        one_way = not (backward and (first is not None or after is not None))
        checks.require(one_way, "last", "cannot be combined: give first and after, or last and before")
        checks.done()
        size, cursor = (last, before) if backward else (first, after)
        keys = None if cursor is None else self.read_cursor("before" if backward else "after", cursor)
        return Page(DEFAULT_PAGE if size is None else size, keys, backward, self.tag)

    def read_cursor(self, argument: str, cursor: str) -> tuple[Any, ...]:
        """The sort keys that it was made of. Raises ValidationError at `argument` for one that is not of this list."""
        try:
            if len(cursor) <= _LONGEST_CURSOR:
                return _decode_cursor(cursor, self.tag, self.key_types)
        except (ValueError, TypeError, OverflowError, binascii.Error):
            pass
        raise ValidationError((argument, "is not a cursor of this list"))


def encode_cursor(list_tag: str, keys: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([_VERSION, list_tag, *keys], default=str)).decode().rstrip("=")


def _decode_cursor(cursor: str, list_tag: str, key_types: tuple[type, ...]) -> tuple[Any, ...]:
    """Raises ValueError, TypeError, OverflowError or binascii.Error for what is none."""
    version, tag, *keys = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    if (version, tag) != (_VERSION, list_tag):
        raise ValueError("another list's")
    return tuple(_read_key(key, kind) for key, kind in zip(keys, key_types, strict=True))


def _read_key(key: Any, kind: type) -> Any:
    if kind is datetime:
        instant = datetime.fromisoformat(key)
        if instant.tzinfo is None:
            raise ValueError("no zone")
        return instant.astimezone(UTC)  # which the first and the last day of the calendar do not have everywhere
    if kind is date:
        return date.fromisoformat(key)
    if type(key) is not (int if kind is BigInteger else kind):
        raise TypeError(f"no {kind.__name__}")
    if (isinstance(key, str) and "\0" in key) or (isinstance(key, int) and abs(key) >= _BELOW[kind]):
        raise ValueError("no column holds it")
    return key


@dataclass(frozen=True, slots=True)
class SortOrder:
    """The columns that a list is sorted by, unique together, all in one direction."""

    columns: tuple[str, ...]
    descending: bool = False

    def order_by(self, shape: PageShape) -> str:
        """A backward page is read from its end, and turned by `pagination.connect`."""
        direction = "DESC" if self.descending != shape.backward else "ASC"
        return ", ".join(f"{column} {direction}" for column in self.columns)

    def beyond(self, shape: PageShape) -> str:
        """The condition for rows beyond the page's cursor, with the parameters of `Page.keys`."""
        if not shape.has_cursor:
            return "TRUE"
        sign = "<" if self.descending != shape.backward else ">"
        places = ", ".join(f":key_{position}" for position in range(len(self.columns)))
        return f"({', '.join(self.columns)}) {sign} ({places})"
