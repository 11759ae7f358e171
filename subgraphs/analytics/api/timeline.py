"""The timeline in GraphQL: what a person logged, of whichever subgraph it is, in the order of its moments.

Analytics has the order, from events; what an entry says, its moment included, is asked of the subgraph that has it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from subgraphs.analytics.api.workout import Workout
from subgraphs.analytics.queries.timeline import EntryKind, EntryRecord
from subgraphs.shell.keyset import Page
from subgraphs.shell.node import ID_DESCRIPTION, Loggable
from subgraphs.shell.pagination import Connection, Edge, connect

_ELSEWHERE: dict[EntryKind, tuple[str, str]] = {
    EntryKind.MEAL: ("Meal", "A meal of one person."),
    EntryKind.DRINK: ("Drink", "Water that a person drank."),
    EntryKind.WEIGHT_ENTRY: ("WeightEntry", "One weighing of a person."),
}


def _entry_elsewhere(name: str, description: str) -> Any:
    class Elsewhere(Loggable):
        id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)
        at: datetime = strawberry.federation.field(external=True, default=datetime.max.replace(tzinfo=UTC))
        local_date: date = strawberry.federation.field(external=True, default=date.max)

    key = Key(fields=FieldSet("id"), resolvable=False)
    entity = strawberry.federation.type(Elsewhere, name=name, keys=[key], description=description)
    entity.__name__ = name
    return entity


_TYPES = {kind: _entry_elsewhere(*told) for kind, told in _ELSEWHERE.items()} | {EntryKind.WORKOUT: Workout}
ENTRIES_ELSEWHERE: tuple[type, ...] = tuple(_TYPES.values())


@strawberry.type(description="One entry of a timeline and its place.")
class LoggableEdge(Edge[Loggable | None]):
    node: Loggable | None = strawberry.field(description="The entry; null where its subgraph has lost it already.")


@strawberry.type(description="A page of a timeline, in its order whichever way it is paged.")
class LoggableConnection(Connection[Loggable | None]):
    edges: list[LoggableEdge] = strawberry.field(  # type: ignore[assignment]  # each is an Edge of that node
        description="The page's entries with their cursors."
    )


def timeline_connection(records: list[EntryRecord], page: Page) -> LoggableConnection:
    found = connect(records, page, _entry_node, lambda record: (record.at, record.entry_id))
    edges = [LoggableEdge(mark=edge.mark, node=edge.node) for edge in found.edges]
    return LoggableConnection(edges=edges, page_info=found.page_info)


def _entry_node(record: EntryRecord) -> Loggable:
    entry: Loggable = _TYPES[EntryKind(record.kind)](id=strawberry.ID(record.entry_id))
    return entry
