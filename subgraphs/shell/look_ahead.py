"""What an operation selects beneath a field, for a resolver that has it read in the statement of the field itself.

It is a hint, which decides how much one statement brings and never what is answered: whatever a resolver finds not read
yet, its loader reads. So a selection with `@include` or `@skip` counts as not selected, and types of fragments are not
compared.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import strawberry
from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode, SelectionSetNode

#: Fields whose answer is remembered, by each `LookAhead`. Their documents stay in memory as long.
MOST_REMEMBERED = 256
#: The ways from a connection to its nodes.
_TO_NODES = ("edges.node", "nodes")


class LookAhead:
    """Tells which of several parts an operation selects beneath a field; made once, at import.

    Each part is told by its name and the paths that lead to it: `LookAhead(items=("meals.items",))`.
    """

    def __init__(self, **paths: Iterable[str]) -> None:
        self._paths = [(name, path.split(".")) for name, several in paths.items() for path in several]
        self._known: dict[int, tuple[list[FieldNode], frozenset[str]]] = {}

    @classmethod
    def in_connection(cls, **paths: Iterable[str]) -> "LookAhead":
        """The same for the field of a connection; the paths lead from its nodes, whichever way those are asked for."""
        return cls(
            **{name: [f"{way}.{path}" for way in _TO_NODES for path in several] for name, several in paths.items()}
        )

    def of(self, info: strawberry.Info[Any, Any]) -> frozenset[str]:
        """The names of the parts that are selected beneath the field that is being resolved."""
        told: GraphQLResolveInfo[Any] = info._raw_info  # noqa: SLF001 - Strawberry's own view converts all of it each time
        nodes = told.field_nodes
        # By identity: a node's hash is one of its whole tree. The nodes are kept, so no other can have their identity.
        known = self._known.get(id(nodes[0]))
        if known is not None and len(known[0]) == len(nodes) and all(map(_is, known[0], nodes)):
            return known[1]
        parts = frozenset(name for name, path in self._paths if _reaches(nodes, path, told.fragments))
        while len(self._known) >= MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[id(nodes[0])] = (list(nodes), parts)
        return parts


def _is(one: object, other: object) -> bool:
    return one is other


def _reaches(nodes: Iterable[FieldNode], path: Iterable[str], fragments: Mapping[str, Any]) -> bool:
    """Whether a path of field names leads from these fields to one that is selected."""
    level = list(nodes)
    for name in path:
        seen: set[str] = set()
        below = (field for node in level for field in _fields(node.selection_set, fragments, seen))
        level = [field for field in below if field.name.value == name]
    return bool(level)


def _fields(selected: SelectionSetNode | None, fragments: Mapping[str, Any], seen: set[str]) -> Iterator[FieldNode]:
    """Those of a selection set and of the fragments in it, each fragment once; none that a directive may leave out."""
    waiting = [selected]
    while waiting:
        one = waiting.pop()
        for selection in one.selections if one is not None else ():
            if selection.directives:
                continue
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                seen.add(selection.name.value)
                fragment = fragments.get(selection.name.value)
                waiting.append(None if fragment is None else fragment.selection_set)
