"""Merging the types of fields and arguments: the widest of outputs, the strictest of inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode, ValueNode, print_ast, value_from_ast_untyped

from schema.subgraph import Kind, Subgraph


class TypeRelations:
    """Which named type is a subtype of which, in any subgraph."""

    def __init__(self, subgraphs: Sequence[Subgraph]) -> None:
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
    """The one of the types that every other one fits into; None where there is none."""
    if len(types) == 1:
        return types[0]
    return next((wide for wide in types if all(fits(node, wide, relations) for node in types)), None)


def fits(narrow: TypeNode, wide: TypeNode, relations: TypeRelations | None = None) -> bool:
    """Whether each value of the one type is one of the other; without relations of names, of the same name only."""
    if isinstance(wide, NonNullTypeNode):
        return isinstance(narrow, NonNullTypeNode) and fits(narrow.type, wide.type, relations)
    if isinstance(narrow, NonNullTypeNode):
        return fits(narrow.type, wide, relations)
    if isinstance(narrow, ListTypeNode) and isinstance(wide, ListTypeNode):
        return fits(narrow.type, wide.type, relations)
    if isinstance(narrow, NamedTypeNode) and isinstance(wide, NamedTypeNode):
        name, of = narrow.name.value, wide.name.value
        return name == of or (relations is not None and relations.is_subtype(name, of))
    return False


def strictest_input(types: list[TypeNode]) -> TypeNode | None:
    """The one of the types whose values every other one accepts; None where there is none."""
    return next((strict for strict in types if all(fits(strict, node) for node in types)), None)


def same_defaults(defaults: Mapping[str, ValueNode | None]) -> bool:
    """Whether all subgraphs agree on a default, or all have none."""
    values = [value_from_ast_untyped(value) if value is not None else ... for value in defaults.values()]
    return all(value == values[0] for value in values[1:])


def value_text(value: ValueNode | None) -> str | None:
    return print_ast(value) if value is not None else None
