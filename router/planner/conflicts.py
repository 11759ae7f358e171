"""Gives an internal alias to fields that one subgraph would refuse to see under one response key.

Members of a union or interface may have fields of one name and different types. The API allows to select both where
the composed types agree, but a subgraph's own types may not. The two may also stand below one field that is asked twice
under different conditions. Called by `assemble` before a fetch is printed.
"""

from __future__ import annotations

from collections.abc import Iterator

from router.planner.fetch_graph import FieldEntry, SelectionDraft
from router.query_graph import QueryGraph
from router.query_plan import KeyRename, Path


def resolve_conflicts(
    graph: QueryGraph, subgraph: str, draft: SelectionDraft, path: Path = ()
) -> tuple[KeyRename, ...]:
    """Sets `sent_key` where needed; the renames bring the answer back to the response keys of the tree."""
    renames: list[KeyRename] = []
    seen: dict[str, list[tuple[SelectionDraft, FieldEntry]]] = {}
    for owner, entry in _entries(draft):
        others = seen.setdefault(entry.response_key, [])
        for other_owner, other in others:
            if _disagree(graph, subgraph, owner, entry, other_owner, other):
                entry.sent_key = f"__c{len(renames)}_{entry.response_key}"
                types = frozenset(graph.possible_types(subgraph, owner.type))
                renames.append(KeyRename(path, types, entry.sent_key, entry.response_key))
                break
        others.append((owner, entry))
        if entry.children is not None:
            declared = graph.declared_field(subgraph, owner.type, entry.name)
            lists = ("@",) * (declared.list_depth if declared is not None else 0)
            below = (*path, entry.sent_key or entry.response_key, *lists)
            renames += resolve_conflicts(graph, subgraph, entry.children, below)
    if any(rename.path == path for rename in renames):
        # The type decides which objects are renamed, so it has to be known.
        draft.add_field("__typename", "__typename")
    return tuple(sorted(renames, key=lambda rename: -len(rename.path)))


def _entries(draft: SelectionDraft) -> Iterator[tuple[SelectionDraft, FieldEntry]]:
    for entry in list(draft.fields.values()):
        yield draft, entry
    for fragment in draft.fragments.values():
        yield from _entries(fragment)


def _disagree(
    graph: QueryGraph,
    subgraph: str,
    owner: SelectionDraft,
    entry: FieldEntry,
    other_owner: SelectionDraft,
    other: FieldEntry,
) -> bool:
    """Whether GraphQL's rule of overlapping fields refuses the two in one selection set."""
    if entry.name == "__typename" or other.name == "__typename":
        return entry.name != other.name
    if other.sent_key is not None:
        return False
    mine = graph.declared_field(subgraph, owner.type, entry.name)
    theirs = graph.declared_field(subgraph, other_owner.type, other.name)
    if mine is None or theirs is None:
        return False
    if entry.children is None or other.children is None:
        return mine.type_text != theirs.type_text
    if _wrapping(mine.type_text) != _wrapping(theirs.type_text):
        return True
    return any(
        child.response_key == other_child.response_key
        and _disagree(graph, subgraph, child_owner, child, other_child_owner, other_child)
        for child_owner, child in _entries(entry.children)
        for other_child_owner, other_child in _entries(other.children)
    )


def _wrapping(type_text: str) -> str:
    return "".join(character for character in type_text if character in "[]!")
