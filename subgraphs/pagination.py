"""Relay connections over keyset pages: opaque cursors that stay right while rows are inserted.

`read_page` checks the arguments, the query fetches `page.limit` rows, `connect` cuts them to the page.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

import orjson
import strawberry

from subgraphs.errors import ValidationError

LARGEST_PAGE = 100
DEFAULT_PAGE = 20
_VERSION = 1

NodeT = TypeVar("NodeT")
RecordT = TypeVar("RecordT")


@strawberry.federation.type(shareable=True)
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[NodeT]):
    cursor: str
    node: NodeT


@strawberry.type
class Connection(Generic[NodeT]):
    edges: list[Edge[NodeT]]
    page_info: PageInfo


@dataclass(frozen=True, slots=True)
class Page:
    """A checked request for a page. `after` holds the sort keys of the row before it; hashable, for loader keys."""

    first: int
    after: tuple[Any, ...] | None

    @property
    def limit(self) -> int:
        """One more row than the page shows tells whether another page follows."""
        return self.first + 1


def read_page(first: int | None, after: str | None, key_types: tuple[type, ...]) -> Page:
    """Raises ValidationError for a page size outside 1..100 or a cursor that is none of ours."""
    size = DEFAULT_PAGE if first is None else first
    if not 1 <= size <= LARGEST_PAGE:
        raise ValidationError(("first", f"must be from 1 to {LARGEST_PAGE}"))
    return Page(size, None if after is None else _decode_cursor(after, key_types))


def connect(
    rows: Sequence[RecordT],
    page: Page,
    to_node: Callable[[RecordT], NodeT],
    sort_keys: Callable[[RecordT], tuple[Any, ...]],
) -> Connection[NodeT]:
    """The page's connection from up to `page.limit` rows in order."""
    shown = rows[: page.first]
    edges = [Edge(cursor=encode_cursor(*sort_keys(row)), node=to_node(row)) for row in shown]
    info = PageInfo(
        has_next_page=len(rows) > page.first,
        has_previous_page=page.after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(edges=edges, page_info=info)


def encode_cursor(*keys: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([_VERSION, *keys], default=str)).decode().rstrip("=")


def _decode_cursor(cursor: str, key_types: tuple[type, ...]) -> tuple[Any, ...]:
    try:
        version, *keys = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if version == _VERSION and len(keys) == len(key_types):
            return tuple(_read_key(key, kind) for key, kind in zip(keys, key_types, strict=True))
    except (ValueError, TypeError, binascii.Error):
        pass
    raise ValidationError(("after", "is not a cursor of this list"))


def _read_key(key: Any, kind: type) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(key)
    if kind is date:
        return date.fromisoformat(key)
    if not isinstance(key, kind):
        raise TypeError(f"{key!r} is no {kind.__name__}")
    return key
