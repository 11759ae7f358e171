"""`Query.node` and `Query.nodes`: users tells from an id which entity it is of, and the entity's own subgraph the rest.

The entities of other subgraphs are only named here, by a key: the router asks their subgraph for all fields, the id
included, so that it is the owner who says whether there is such a thing for this viewer.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, cast

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.errors import SubgraphError, ValidationError
from subgraphs.shell.node import KEY_DESCRIPTION, LONGEST_NODE_LIST, Node, NodeKind, found, kind_of
from subgraphs.users.api.measurement import load_measurement
from subgraphs.users.api.user import load_user
from subgraphs.users.api.weight import load_weight

#: The entities of other subgraphs by the kind that their ids begin with: name, and description in their owner's words.
_NAMED: Mapping[NodeKind, tuple[str, str]] = {
    NodeKind.FOOD: ("Food", "Something to eat or drink."),
    NodeKind.MEAL: ("Meal", "A meal of one person."),
    NodeKind.DRINK: ("Drink", "Water that a person drank."),
    NodeKind.DIARY_DAY: ("DiaryDay", "A person's calendar day at the table."),
    NodeKind.EXERCISE: ("Exercise", "Something to do in a workout."),
    NodeKind.WORKOUT: ("Workout", "A training session of one person."),
    NodeKind.WORKOUT_SET: ("WorkoutSet", "One set as it was done."),
    NodeKind.GOAL: ("Goal", "Something a person wants to reach or to keep to."),
    NodeKind.DAILY_SUMMARY: ("DailySummary", "A person's day in numbers."),
}


def _entity_elsewhere(name: str, description: str) -> Any:
    class Elsewhere(Node):
        id: strawberry.ID = strawberry.federation.field(external=True, default=strawberry.ID(""))
        node_id: strawberry.ID = strawberry.federation.field(
            inaccessible=True, default=strawberry.ID(""), description=KEY_DESCRIPTION
        )

    entity = strawberry.federation.type(
        Elsewhere,
        name=name,
        keys=[Key(fields=FieldSet("nodeId"), resolvable=False)],
        description=description,
    )
    entity.__name__ = name
    return entity


_ELSEWHERE = {kind: _entity_elsewhere(*entity) for kind, entity in _NAMED.items()}
NAMES_ELSEWHERE: Mapping[NodeKind, str] = {kind: name for kind, (name, _) in _NAMED.items()}
ENTITIES_ELSEWHERE: tuple[type, ...] = tuple(_ELSEWHERE.values())


async def _load_node(info: Info, node_id: str) -> Node:
    """Raises NotFoundError for what is certainly not there; of another subgraph's kind that subgraph says so."""
    kind = kind_of(node_id)
    if kind is NodeKind.USER:
        return found(await load_user(info, node_id))
    if kind is NodeKind.WEIGHT_ENTRY:
        return found(await load_weight(info, node_id))
    if kind is NodeKind.MEASUREMENT:
        return found(await load_measurement(info, node_id))
    named: Node | None = None if kind is None else _ELSEWHERE[kind](node_id=strawberry.ID(node_id))
    return found(named)


async def _load_or_tell(info: Info, node_id: str) -> Node:
    """As `_load_node`, but an error is returned: in a list it is the error of its own place."""
    try:
        return await _load_node(info, node_id)
    except SubgraphError as error:
        told: Any = error  # graphql-core raises it where it stands
        return cast("Node", told)


@strawberry.type
class NodeQuery:
    @strawberry.field(
        description="Whatever has this id. Null with NOT_FOUND where there is nothing, or nothing the viewer may read."
    )
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The `id` of any node.")]
    ) -> Node | None:
        return await _load_node(info, id)

    @strawberry.field(
        description="Whatever has these ids, in their order; null with NOT_FOUND in the place of each that is not there.",
        directives=[list_size(LONGEST_NODE_LIST)],
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"The `id`s of any nodes, at most {LONGEST_NODE_LIST}."),
        ],
    ) -> list[Node | None]:
        if len(ids) > LONGEST_NODE_LIST:
            raise ValidationError(("ids", f"has {len(ids)} entries; there may be {LONGEST_NODE_LIST}"))
        return await asyncio.gather(*(_load_or_tell(info, node_id) for node_id in ids))
