"""Nodes: what a client can fetch again by its id alone, since the id tells what it is of.

An id is its kind, `_` and what tells it from its like: `meal_0199b1c2-…`. Each subgraph makes and resolves the ids of its
own entities; `users` answers `Query.node` for all of them.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import strawberry

from events.envelope import new_id
from subgraphs.shell.errors import NotFoundError

_NodeT = TypeVar("_NodeT")

LONGEST_NODE_LIST = 100


class NodeKind(StrEnum):
    """What an id begins with, for each entity of the graph."""

    USER = "user"
    WEIGHT_ENTRY = "weight"
    MEASUREMENT = "measurement"
    FOOD = "food"
    MEAL = "meal"
    DRINK = "drink"
    DIARY_DAY = "diary"
    EXERCISE = "exercise"
    WORKOUT = "workout"
    WORKOUT_SET = "set"
    GOAL = "goal"
    DAILY_SUMMARY = "summary"


ID_DESCRIPTION = "Identifies it in the whole graph; begins with what it is of, and is opaque otherwise."
KEY_DESCRIPTION = "The same id as a key that is checked: NOT_FOUND for what is absent or another's."


@strawberry.federation.interface(description="What can be fetched again by its id, with the query `node`.")
class Node:
    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)

    @strawberry.federation.field(inaccessible=True, description=KEY_DESCRIPTION)  # type: ignore[untyped-decorator]
    def node_id(self) -> strawberry.ID:
        return self.id

    @classmethod
    async def load(cls, info: Any, node_id: str, **required: Any) -> Any:
        """The entity with this id; null where there is none that the viewer may read. By its key, if that is the id.

        `required` is what the router fetched elsewhere for fields with @requires, as in `resolve_reference`.
        """
        return await cls.resolve_reference(info=info, id=node_id, **required)  # type: ignore[attr-defined]  # an entity's, as this is

    @classmethod
    async def resolve_node(cls, info: Any, node_id: str, **required: Any) -> Any:
        """As `load`, but raises NotFoundError: the router has no other way to tell a client that there is nothing."""
        return found(await cls.load(info, node_id, **required))


@strawberry.interface(description="What a person logs at a moment: a meal, a drink, a weighing or a workout.")
class Loggable:
    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)
    at: datetime = strawberry.field(description="When it happened; of a workout, when it began.")
    local_date: date = strawberry.field(
        description="The person's calendar day of it, by time zone and day start of then."
    )


def found(node: _NodeT | None) -> _NodeT:
    """Raises NotFoundError for null, with the same words for what is absent and for what is another's."""
    if node is None:
        raise NotFoundError("There is nothing with this id.")
    return node


_KINDS = {kind.value: kind for kind in NodeKind}


def new_node_id(kind: NodeKind) -> str:
    """An id for a new thing: of things of one kind, the ids sort by the millisecond they were made in."""
    return f"{kind}_{new_id()}"


def day_id(kind: NodeKind, user_id: str, local_date: date) -> strawberry.ID:
    """The id of a person's day, which has no row that could hold one."""
    return strawberry.ID(f"{kind}_{user_id}:{local_date.isoformat()}")


class PersonsDay(NamedTuple):
    user_id: str
    date: date


def read_day_id(node_id: str) -> PersonsDay | None:
    """What `day_id` was made of; None for an id that it did not make."""
    user_id, _, day = node_id.partition("_")[2].rpartition(":")
    try:
        return PersonsDay(user_id, date.fromisoformat(day))
    except ValueError:
        return None


def type_name_of(kind: NodeKind) -> str:
    """The GraphQL type of a kind's things: `WeightEntry` of WEIGHT_ENTRY."""
    return kind.name.title().replace("_", "")


def kind_of(node_id: str) -> NodeKind | None:
    """None for an id without a kind."""
    return _KINDS.get(node_id.partition("_")[0])
