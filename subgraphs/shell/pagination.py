"""Relay connections over keyset pages, forward and backward.

A list field takes `First`, `After`, `Last` and `Before`; `keyset.KeysetList` checks them, the query fetches `page.limit`
rows, and `connect` makes the connection. One that may be narrowed to days also takes `FromDay` and `ToDay`.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from subgraphs.shell.keyset import DEFAULT_PAGE, LARGEST_PAGE, Page, encode_cursor
from subgraphs.shell.worked_out import WorkedOut, worked_out

NodeT = TypeVar("NodeT")
RecordT = TypeVar("RecordT")

_SIZE = f"1 to {LARGEST_PAGE}"
First = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many from the list's start, or after `after`: {_SIZE}. Null: {DEFAULT_PAGE}."
    ),
]
After = Annotated[
    str | None, strawberry.argument(description="A cursor of this list; the page begins behind it. Null: the start.")
]
Last = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many from the list's end, or before `before`: {_SIZE}. Null: {DEFAULT_PAGE} with `before`."
    ),
]
Before = Annotated[
    str | None, strawberry.argument(description="A cursor of this list; the page ends in front of it. Null: the end.")
]
# Of lists whose things are of a day of the person's calendar.
FromDay = Annotated[
    date | None, strawberry.argument(name="from", description="The first local day, included. Null: all.")
]
ToDay = Annotated[date | None, strawberry.argument(description="The last local day, included. Null: all.")]


@strawberry.federation.type(shareable=True, description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether the list goes on behind this page.")
    has_previous_page: bool = strawberry.field(description="Whether the list has something in front of this page.")
    ends: strawberry.Private[Sequence[Callable[[], str]]]
    start_cursor: WorkedOut[str | None] = worked_out(
        lambda self: self.ends[0]() if self.ends else None,
        description="The first edge's cursor; null on an empty page.",
    )
    end_cursor: WorkedOut[str | None] = worked_out(
        lambda self: self.ends[-1]() if self.ends else None,
        description="The last edge's cursor; null on an empty page.",
    )


@strawberry.type(description="One entry of a list and its place.")
class Edge(Generic[NodeT]):
    mark: strawberry.Private[Callable[[], str]]
    cursor: WorkedOut[str] = worked_out(
        lambda self: self.mark(),
        description="The entry's place in this list, for `after` and `before`. Opaque.",
    )
    node: NodeT = strawberry.field(description="The entry.")


@strawberry.type(description="A page of a list, in the list's order whichever way it is paged.")
class Connection(Generic[NodeT]):
    edges: list[Edge[NodeT]] = strawberry.field(description="The page's entries with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in its list.")
    count: strawberry.Private[Callable[[], Awaitable[int | None]] | None] = None

    @strawberry.field(description="The page's entries without their cursors.")
    def nodes(self) -> list[NodeT]:
        return [edge.node for edge in self.edges]

    @strawberry.field(
        description="How many entries the whole list has; null where counting would cost more than the page itself."
    )
    async def total_count(self) -> int | None:
        return None if self.count is None else await self.count() or 0


def connect(
    rows: Sequence[RecordT],
    page: Page,
    to_node: Callable[[RecordT], NodeT],
    sort_keys: Callable[[RecordT], tuple[Any, ...]],
    count: Callable[[], Awaitable[int | None]] | None = None,
) -> Connection[NodeT]:
    """The page's connection from up to `page.limit` rows, nearest to the cursor first.

    `count` runs only if asked for; None is of a list that has nothing.
    """
    shown = rows[: page.size]
    if page.backward:
        shown = shown[::-1]
    goes_on, came_from = len(rows) > page.size, page.after is not None

    def mark(row: RecordT) -> str:
        return encode_cursor(page.list_tag, sort_keys(row))

    edges = [Edge(mark=partial(mark, row), node=to_node(row)) for row in shown]
    info = PageInfo(
        has_next_page=came_from if page.backward else goes_on,
        has_previous_page=goes_on if page.backward else came_from,
        ends=[edge.mark for edge in edges],
    )
    return Connection(edges=edges, page_info=info, count=count)
