"""Names that a supergraph's links have changed, put back: the rest of the room knows each specification by its own.

Composers rename: what a subgraph writes as `@federation__context` is so called in their supergraphs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    InputObjectTypeDefinitionNode,
    NamedTypeNode,
    NameNode,
    Node,
    ScalarTypeDefinitionNode,
    Visitor,
    visit,
)

from router.supergraph.links import Link

_HOME = "https://specs.apollo.dev/"
#: Directives that are not join's and that the reader and the API schema act on, by their specification.
_DIRECTIVES = {f"{_HOME}inaccessible": "inaccessible", f"{_HOME}context": "context"}
_JOIN = f"{_HOME}join"


def with_canonical_names(document: DocumentNode, links: Sequence[Link]) -> DocumentNode:
    """The document itself where nothing was renamed."""
    directives: dict[str, str] = {}
    namespaces: dict[str, str] = {}
    for link in links:
        name = _DIRECTIVES.get(link.identity)
        if name is not None:
            directives |= {local: name for local in link.local_names(name) if local != name}
        if link.identity == _JOIN and link.namespace != "join":
            namespaces[f"{link.namespace}__"] = "join__"
    return visit(document, _Renaming(directives, namespaces)) if directives or namespaces else document


class _Renaming(Visitor):
    """Of directives by name; of directives, types and what refers to them by prefix."""

    def __init__(self, directives: Mapping[str, str], namespaces: Mapping[str, str]) -> None:
        super().__init__()
        self._directives = directives
        self._namespaces = namespaces

    def leave_directive(self, node: ConstDirectiveNode, *_: object) -> Node | None:
        canonical = self._directives.get(node.name.value)
        return _named(node, canonical) if canonical is not None else self._by_namespace(node)

    def leave_named_type(self, node: NamedTypeNode, *_: object) -> Node | None:
        return self._by_namespace(node)

    def leave_directive_definition(self, node: DirectiveDefinitionNode, *_: object) -> Node | None:
        return self._by_namespace(node)

    def leave_enum_type_definition(self, node: EnumTypeDefinitionNode, *_: object) -> Node | None:
        return self._by_namespace(node)

    def leave_scalar_type_definition(self, node: ScalarTypeDefinitionNode, *_: object) -> Node | None:
        return self._by_namespace(node)

    def leave_input_object_type_definition(self, node: InputObjectTypeDefinitionNode, *_: object) -> Node | None:
        return self._by_namespace(node)

    def _by_namespace(self, node: Any) -> Node | None:
        for prefix, canonical in self._namespaces.items():
            if node.name.value.startswith(prefix):
                return _named(node, canonical + node.name.value.removeprefix(prefix))
        return None


def _named(node: Any, name: str) -> Node:
    changed: Node = type(node)(**{key: getattr(node, key) for key in node.keys} | {"name": NameNode(value=name)})
    return changed
