"""Query plan nodes: what the planner hands to the executor; of each other the two know nothing more.

The names are those of every federation router, so that plans can be compared. Nodes are plain immutable data.
"""

from __future__ import annotations

from dataclasses import dataclass

from router.selection_set import Condition, SelectionSet

#: Any one of these, with all its conditions, is enough.
AnyOf = tuple[tuple[Condition, ...], ...]

#: Where entities are found in the merged response tree: response keys, "@" for "every element of this list" and
#: "|A|B" for "go on only where __typename is A or B".
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyRename:
    """Rename a response key of a subgraph answer before it is merged.

    Needed where two members of a union or interface have fields of one name and conflicting types: the subgraph is
    asked under an internal alias. What the object has under the key already is merged with it. `path` is relative to
    the fetch's root (or to the entity) and ends at the object that holds the key; `types` limits it to objects with one
    of these `__typename`s (empty: all).
    """

    path: Path
    types: frozenset[str]
    received_key: str
    response_key: str


@dataclass(frozen=True, slots=True)
class RepresentationRule:
    """How to make a representation from an object of the merged tree.

    Applies to objects whose `__typename` is in `source_types` (empty: every object, the type is statically known).
    `typename` is sent as `__typename` (an interface name for interface objects); None sends the object's own.
    An object that lacks a field of `fields`, or has null where the key needs a value, is not fetched. A field under
    conditions that do not hold was not asked for, and is not sent.
    """

    source_types: frozenset[str]
    typename: str | None
    fields: SelectionSet


@dataclass(frozen=True, slots=True)
class ContextVariable:
    """A variable of a fetch that is filled from an object further up (`@fromContext`).

    `ancestor` is the path of that object, a beginning of the lookup's own path; `selections` leads to the one value,
    read like the fields of a `RepresentationRule`.
    """

    name: str
    ancestor: Path
    selections: SelectionSet


@dataclass(frozen=True, slots=True)
class EntityLookup:
    """One `_entities` selection: where the entities are, what identifies them, what is asked of them.

    `selections` holds inline fragments on entity types. Objects at several `paths` share one list of
    representations, de-duplicated by value. Where none of the `alternatives` holds nobody is asked for: all that is
    selected is switched off. No alternatives stand for "always".
    """

    paths: tuple[Path, ...]
    representations: tuple[RepresentationRule, ...]
    selections: SelectionSet
    renames: tuple[KeyRename, ...] = ()
    contexts: tuple[ContextVariable, ...] = ()
    alternatives: AnyOf = ()


@dataclass(frozen=True, slots=True)
class Fetch:
    """A root operation sent to a subgraph; its data is merged into the tree's root.

    With a `path`, its data belongs to the objects there: objects of the root type that stand deeper in the tree
    (`{ pay { query { me } } }`). A query is sent once for all of them, a mutation for each; neither where there are none.
    """

    subgraph: str
    operation_type: str  # "query" | "mutation" | "subscription"
    selections: SelectionSet
    variables: tuple[tuple[str, str], ...] = ()  # (name, type as the subgraph knows it), only those used
    renames: tuple[KeyRename, ...] = ()
    reason: str = ""
    path: Path = ()


@dataclass(frozen=True, slots=True)
class EntityFetch:
    """One `_entities` request to a subgraph; more than one lookup makes it a batch of aliased `_entities` fields."""

    subgraph: str
    lookups: tuple[EntityLookup, ...]
    variables: tuple[tuple[str, str], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sequence:
    nodes: tuple[PlanNode, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    nodes: tuple[PlanNode, ...]


@dataclass(frozen=True, slots=True)
class ConditionNode:
    """Run `node` only where all conditions hold, so that a skipped selection costs no fetch."""

    conditions: tuple[Condition, ...]
    node: PlanNode


@dataclass(frozen=True, slots=True)
class Subscription:
    """`primary` opens the stream; `rest` completes every event with other subgraphs' fields."""

    primary: Fetch
    rest: PlanNode | None


PlanNode = Fetch | EntityFetch | Sequence | Parallel | ConditionNode | Subscription


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """`node` is None where the router answers alone (introspection, `__typename`, everything skipped)."""

    operation_type: str
    node: PlanNode | None
