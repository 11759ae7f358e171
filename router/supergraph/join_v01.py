"""What join v0.1, the specification of federation 1's supergraphs, leaves unsaid of the subgraphs' views.

It names for each entity its owner and its keys by subgraph, for each field who resolves it, and nothing else. The type

    type User @join__owner(graph: A) @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
    { id: ID! @join__field(graph: A)  name: String @join__field(graph: A)  posts: [Post] @join__field(graph: B) }
    type Post { author: User @join__field(graph: B, provides: "name") }

stands for a subgraph B with `extend type User @key(fields: "id") { id: ID! @external  name: String @external  posts: [Post] }`:
B can tell the `id` of every user that it returns, and the `name` of authors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from graphql import FieldDefinitionNode, InterfaceTypeDefinitionNode, ObjectTypeDefinitionNode

from router.selection_set import InlineFragment, SelectionSet
from router.supergraph.model import SubgraphField, SubgraphType, TypeKind

Views = Mapping[str, dict[str, SubgraphType]]
TypeNodes = Mapping[str, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode]
#: A field as the subgraph that resolves it has it, of the supergraph's definition.
FieldReader = Callable[[FieldDefinitionNode], SubgraphField]


def complete_views(views: Views, types: TypeNodes, field_of: FieldReader) -> None:
    """Give each view the fields that its keys, `@requires` and `@provides` mention, in place."""
    for view in views.values():
        completing = _Completing(view, types, field_of)
        for view_type in list(view.values()):
            if view_type.kind is TypeKind.INTERFACE:
                # Federation 1 resolves no interface by a key.
                view_type.keys.clear()
            for key in view_type.keys:
                completing.add(key.fields, view_type.name, external=False)
        for view_type in list(view.values()):
            for field in list(view_type.fields.values()):
                if field.requires is not None:
                    completing.add(field.requires, view_type.name, external=True)
                if field.provides is not None:
                    completing.add(field.provides, field.type, external=True)


class _Completing:
    def __init__(self, view: dict[str, SubgraphType], types: TypeNodes, field_of: FieldReader) -> None:
        self._view = view
        self._types = types
        self._field_of = field_of

    def add(self, selections: SelectionSet, type_name: str, *, external: bool) -> None:
        """What is there already stays: a key's field is the subgraph's own, whatever else mentions it."""
        for item in selections.items:
            if isinstance(item, InlineFragment):
                self.add(item.selections, item.type_condition or type_name, external=external)
                continue
            field = self._field(type_name, item.name, external=external)
            if field is not None and item.selections is not None:
                self.add(item.selections, field.type, external=external)

    def _field(self, type_name: str, name: str, *, external: bool) -> SubgraphField | None:
        node = self._types.get(type_name)
        definition = next((each for each in node.fields or () if each.name.value == name), None) if node else None
        if node is None or definition is None:
            return None
        kind = TypeKind.OBJECT if isinstance(node, ObjectTypeDefinitionNode) else TypeKind.INTERFACE
        view_type = self._view.setdefault(type_name, SubgraphType(type_name, kind))
        return view_type.fields.setdefault(name, replace(self._field_of(definition), external=external))
