"""What `choose` weighs: ways to answer one item at a place, what each costs, and the choice that is made of them.

`combine` makes a `Choice` of `Candidate`s; `build` turns its steps into fetches, `alike` compares them, `choices` prints
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from router.planner.expand import Typed
from router.planner.places import RootTarget
from router.query_graph import EntityTarget
from router.selection_set import Field, InlineFragment, SelectionSet
from router.supergraph import Key


class Cost(NamedTuple):
    """Compared in this order. `depth` counts fetches that have to wait for one another; a field counts twice as much
    after each move, so that of two equally deep ways the one that answers more at once wins.

    Depth comes first because a client waits for round trips, not for requests: three fetches side by side are better
    than two in a row. `python -m router choices` prints the costs of every place.
    """

    depth: int
    fetches: int
    fields: int


FREE = Cost(0, 0, 0)
#: What a leaf costs that is answered where we are.
LEAF = Cost(0, 0, 1)

#: Where a move goes: to entities of another subgraph, or to a root operation of any.
Target = EntityTarget | RootTarget

#: Moves that must not be used, since they need what is being looked for: (subgraph, None) is any move to the subgraph,
#: while the way to its key is looked for; (subgraph, "Type.field") is a move for that field, while what it requires is.
Excluded = frozenset[tuple[str, str | None]]
NOTHING: Excluded = frozenset()


@dataclass(slots=True, eq=False)
class Here:
    """The field is answered by the fetch that is already at this place."""

    field: Field


@dataclass(slots=True, eq=False)
class Moved:
    """`item` is answered after a move to another subgraph; `requires` is what the field itself needs besides the key."""

    item: Field | InlineFragment
    target: Target
    key: Key | None
    requires: SelectionSet | None = None


Step = Here | Typed | Moved


@dataclass(slots=True)
class Candidate:
    """One way to answer an item at a place. `target` is None for Here and Typed.

    `cost` is the item's own: it leaves out the fetch that the move makes, and that fetch's key (`key_cost`), since both
    are paid once for all items that move to one target. Example: the `stars` of a product in p, which q answers by
    `id`, have `Cost(depth=1, fetches=0, fields=2)` and `key_cost=Cost(0, 0, 1)`.
    """

    step: Step
    target: Target | None
    cost: Cost
    key_cost: Cost = FREE
    moves: Excluded = NOTHING


@dataclass(slots=True)
class Choice:
    """A step for each item of a selection set, in their order. `moves` are all that they make from this place, also to
    fetch a key or a required field; not those below.
    """

    cost: Cost
    steps: tuple[Step, ...]
    moves: Excluded
