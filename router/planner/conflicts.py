"""Gives an internal alias to fields that one subgraph would refuse to see under one response key.

Members of a union or interface may have fields of one name and different types. The API allows to select both where
the composed types agree, but a subgraph's own types may not. The two may also stand below one field that is asked twice
under different conditions. `assemble` calls it for every fetch node, before it takes the selections from the draft.
"""

from __future__ import annotations

from collections.abc import Iterator

from router.planner.fetch_graph import FieldEntry, SelectionDraft
from router.query_graph import QueryGraph
from router.query_plan import KeyRename, Path


def resolve_conflicts(graph: QueryGraph, subgraph: str, draft: SelectionDraft) -> tuple[KeyRename, ...]:
    """Sets `sent_key` where needed; the renames bring the answer back to the response keys of the tree.

    Example: `{ thing { ... on Book { size } ... on Film { size } } }` of a subgraph with `Book.size: Int` and
    `Film.size: Int!`. Another subgraph has `Film.size: Int`, so the API has `Int` for both and allows the operation.
    The subgraph would refuse it, and is asked for `... on Book { size } ... on Film { __c0_size: size }` and
    `__typename`. The rename says: of objects at `thing` that are films, `__c0_size` is `size`.
    """
    return _Conflicts(graph, subgraph).resolve(draft, ()) if _may_repeat_keys(draft) else ()


def _may_repeat_keys(draft: SelectionDraft) -> bool:
    """Whether two fields of one object, here or below, may have one response key. That takes a fragment beside a field or
    another fragment, a condition, or custom directives; a draft alone has each key once.
    """
    if draft.fragments:
        if draft.fields or len(draft.fragments) > 1:
            return True
        return any(map(_may_repeat_keys, draft.fragments.values()))
    for (slot, conditions), entry in draft.fields.items():
        if conditions or slot != entry.response_key:
            return True
        if entry.children is not None and _may_repeat_keys(entry.children):
            return True
    return False


class _Conflicts:
    """Of one fetch. Fields are compared by their shape, which is a number: the members of a wide interface have hundreds of
    fields of very few shapes, and any two of one shape agree.
    """

    def __init__(self, graph: QueryGraph, subgraph: str) -> None:
        self._graph = graph
        self._subgraph = subgraph
        self._shapes: dict[tuple[object, ...], int] = {}
        self._shape_of: dict[int, int] = {}  # by the entry's identity, before any key of it is changed
        self._types: dict[tuple[str, str], str | None] = {}
        self._disagreements: dict[tuple[int, int], bool] = {}

    def resolve(self, draft: SelectionDraft, path: Path) -> tuple[KeyRename, ...]:
        renames: list[KeyRename] = []
        seen: dict[str, dict[int, tuple[SelectionDraft, FieldEntry]]] = {}
        for owner, entry in _entries(draft):
            others = seen.get(entry.response_key)
            if others is None:  # the usual case: shapes need not be known
                seen[entry.response_key] = {-1: (owner, entry)}
            elif any(self._disagree(owner, entry, *other) for other in others.values()):
                entry.sent_key = f"__c{len(renames)}_{entry.response_key}"
                types = frozenset(self._possible_types(owner))
                renames.append(KeyRename(path, types, entry.sent_key, entry.response_key))
            else:
                others[self._shape(owner, entry)] = (owner, entry)
            if entry.children is not None:
                declared = self._graph.declared_field(self._subgraph, owner.type, entry.name)
                lists = ("@",) * (declared.list_depth if declared is not None else 0)
                renames += self.resolve(entry.children, (*path, entry.sent_key or entry.response_key, *lists))
        if any(rename.path == path for rename in renames):
            # The type decides which objects are renamed, so it has to be known.
            draft.add_field("__typename", "__typename")
        return tuple(sorted(renames, key=lambda rename: -len(rename.path)))

    def _possible_types(self, owner: SelectionDraft) -> tuple[str, ...]:
        if len(owner.types) > 1:
            return owner.types
        return self._graph.possible_types(self._subgraph, owner.type)

    def _shape(self, owner: SelectionDraft, entry: FieldEntry) -> int:
        """The same number for fields of one type whose subfields have the same keys and shapes, in the same order."""
        known = self._shape_of.get(id(entry))
        if known is None:
            below = None
            if entry.children is not None:
                below = tuple(
                    (inner.response_key, self._shape(above, inner)) for above, inner in _entries(entry.children)
                )
            shape = (entry.name == "__typename", self._type_text(owner, entry), below)
            known = self._shape_of[id(entry)] = self._shapes.setdefault(shape, len(self._shapes))
        return known

    def _type_text(self, owner: SelectionDraft, entry: FieldEntry) -> str | None:
        place = (owner.type, entry.name)
        if place not in self._types:
            declared = self._graph.declared_field(self._subgraph, *place)
            self._types[place] = declared.type_text if declared is not None else None
        return self._types[place]

    def _disagree(
        self, owner: SelectionDraft, entry: FieldEntry, other_owner: SelectionDraft, other: FieldEntry
    ) -> bool:
        """Whether GraphQL's rule of overlapping fields refuses the two in one selection set."""
        if other.sent_key is not None:
            return False
        pair = (self._shape(owner, entry), self._shape(other_owner, other))
        if pair[0] == pair[1]:
            return False
        if pair not in self._disagreements:
            self._disagreements[pair] = self._differ(owner, entry, other_owner, other)
        return self._disagreements[pair]

    def _differ(self, owner: SelectionDraft, entry: FieldEntry, other_owner: SelectionDraft, other: FieldEntry) -> bool:
        if entry.name == "__typename" or other.name == "__typename":
            return entry.name != other.name
        mine, theirs = self._type_text(owner, entry), self._type_text(other_owner, other)
        if mine is None or theirs is None:
            return False
        if entry.children is None or other.children is None:
            return mine != theirs
        if _wrapping(mine) != _wrapping(theirs):
            return True
        others: dict[str, dict[int, tuple[SelectionDraft, FieldEntry]]] = {}
        for below, inner in _entries(other.children):
            if inner.sent_key is None:
                others.setdefault(inner.response_key, {})[self._shape(below, inner)] = (below, inner)
        return any(
            self._disagree(below, inner, *known)
            for below, inner in _entries(entry.children)
            for known in others.get(inner.response_key, {}).values()
        )


def _entries(draft: SelectionDraft) -> Iterator[tuple[SelectionDraft, FieldEntry]]:
    """Its fields and those in its fragments, each with the selection set that it stands in."""
    for entry in list(draft.fields.values()):
        yield draft, entry
    for fragment in draft.fragments.values():
        yield from _entries(fragment)


def _wrapping(type_text: str) -> str:
    return "".join(character for character in type_text if character in "[]!")
