"""Finds a directive's uses in a supergraph's SDL, whatever `@link` calls it there.

`authorization`, `demand` and `router.cache_policy` read their rules with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    value_from_ast_untyped,
)

from router.supergraph import links_of


@dataclass(frozen=True, slots=True)
class DirectiveUse:
    """On `type_name`, on its field or input field where `field_name` is given, or on that field's argument."""

    type_name: str
    field_name: str | None
    arguments: dict[str, Any]
    argument_name: str | None = None


def uses_of(document: DocumentNode, directive: str) -> Iterator[DirectiveUse]:
    names = _names_of(document, directive)
    for node in document.definitions:
        if not isinstance(node, TypeDefinitionNode):
            continue
        for use in _with_name(node.directives, names):
            yield DirectiveUse(node.name.value, None, use)
        if isinstance(node, (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode, InputObjectTypeDefinitionNode)):
            for field in node.fields or ():
                for use in _with_name(field.directives, names):
                    yield DirectiveUse(node.name.value, field.name.value, use)
                for argument in field.arguments or () if isinstance(field, FieldDefinitionNode) else ():
                    for use in _with_name(argument.directives, names):
                        yield DirectiveUse(node.name.value, field.name.value, use, argument.name.value)


def _with_name(directives: tuple[ConstDirectiveNode, ...] | None, names: set[str]) -> Iterator[dict[str, Any]]:
    for node in directives or ():
        if node.name.value in names:
            yield {each.name.value: value_from_ast_untyped(each.value) for each in node.arguments or ()}


def _names_of(document: DocumentNode, directive: str) -> set[str]:
    """Its own name, and those that the schema's links give it: by import, by `as`, or prefixed."""
    return {directive}.union(*(link.local_names(directive) for link in links_of(document)))
