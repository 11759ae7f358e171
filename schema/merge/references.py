"""Merging the types of fields and arguments: the widest of outputs, the strictest of inputs."""

from __future__ import annotations

from collections.abc import Mapping

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode, ValueNode, print_ast, value_from_ast_untyped

from schema.subgraph import Kind, Subgraph


class TypeRelations:
    """Which named type is a subtype of which, in any subgraph."""

    def __init__(self, subgraphs: list[Subgraph]) -> None:
        self._supertypes: dict[str, set[str]] = {}
        for subgraph in subgraphs:
            for definition in subgraph.types.values():
                self._supertypes.setdefault(definition.name, set()).update(definition.interfaces)
                if definition.kind is Kind.UNION:
                    for member in definition.members:
                        self._supertypes.setdefault(member, set()).add(definition.name)

    def is_subtype(self, name: str, of: str) -> bool:
        return name == of or of in self._supertypes.get(name, ())


def widest_output(types: list[TypeNode], relations: TypeRelations) -> TypeNode | None:
    """A type that every given one fits into, nullable where any is; None where there is none."""
    widest: TypeNode | None = types[0]
    for node in types[1:]:
        widest = _wider(widest, node, relations) if widest is not None else None
    return widest


def _wider(left: TypeNode, right: TypeNode, relations: TypeRelations) -> TypeNode | None:
    if isinstance(left, NonNullTypeNode) and isinstance(right, NonNullTypeNode):
        inner = _wider(left.type, right.type, relations)
        return NonNullTypeNode(type=inner) if inner is not None else None  # type: ignore[arg-type]
    if isinstance(left, NonNullTypeNode):
        return _wider(left.type, right, relations)
    if isinstance(right, NonNullTypeNode):
        return _wider(left, right.type, relations)
    if isinstance(left, ListTypeNode) and isinstance(right, ListTypeNode):
        inner = _wider(left.type, right.type, relations)
        return ListTypeNode(type=inner) if inner is not None else None
    if isinstance(left, NamedTypeNode) and isinstance(right, NamedTypeNode):
        if relations.is_subtype(left.name.value, right.name.value):
            return right
        if relations.is_subtype(right.name.value, left.name.value):
            return left
    return None


def strictest_input(types: list[TypeNode]) -> TypeNode | None:
    """A type whose values every given one accepts, non-null where any is; None where the types differ."""
    strictest: TypeNode | None = types[0]
    for node in types[1:]:
        strictest = _stricter(strictest, node) if strictest is not None else None
    return strictest


def _stricter(left: TypeNode, right: TypeNode) -> TypeNode | None:
    if isinstance(left, NonNullTypeNode) or isinstance(right, NonNullTypeNode):
        inner = _stricter(_nullable(left), _nullable(right))
        return NonNullTypeNode(type=inner) if inner is not None else None  # type: ignore[arg-type]
    if isinstance(left, ListTypeNode) and isinstance(right, ListTypeNode):
        inner = _stricter(left.type, right.type)
        return ListTypeNode(type=inner) if inner is not None else None
    if isinstance(left, NamedTypeNode) and isinstance(right, NamedTypeNode) and left.name.value == right.name.value:
        return left
    return None


def _nullable(node: TypeNode) -> TypeNode:
    return node.type if isinstance(node, NonNullTypeNode) else node


def same_defaults(defaults: Mapping[str, ValueNode | None]) -> bool:
    """Whether all subgraphs agree on a default, or all have none."""
    values = [value_from_ast_untyped(value) if value is not None else ... for value in defaults.values()]
    return all(value == values[0] for value in values[1:])


def value_text(value: ValueNode | None) -> str | None:
    return print_ast(value) if value is not None else None
