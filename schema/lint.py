"""Style of a schema: names, descriptions, deprecations and shapes that clients stumble over.

Called by `schema lint`; the rules are a tuple of functions over one parsed document, federation's machinery left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLError,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    parse,
    value_from_ast_untyped,
)

from schema.federation import MACHINERY_QUERIES, MACHINERY_TYPES

_PASCAL = re.compile(r"^[A-Z][A-Za-z0-9]*$")
_CAMEL = re.compile(r"^[a-z][A-Za-z0-9]*$")
_SCREAMING = re.compile(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")
_WORDS_IN_ROOT_NAMES = re.compile(r"^(get|fetch|list)[A-Z]|(Query|Mutation|Subscription)$")
_WITH_FIELDS = (ObjectTypeDefinitionNode, ObjectTypeExtensionNode, InterfaceTypeDefinitionNode)


@dataclass(frozen=True, slots=True)
class LintFinding:
    """`line` counts from 1."""

    rule: str
    coordinate: str
    message: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.line}: {self.coordinate}: {self.message} ({self.rule})"


def lint_sdl(sdl: str) -> list[LintFinding]:
    """Every finding, in the order of the text. A text that is no GraphQL gives one finding that says so."""
    try:
        document = parse(sdl)
    except GraphQLError as error:
        line = error.locations[0].line if error.locations else 0
        return [LintFinding("valid-graphql", "schema", error.message, line)]
    return sorted((finding for rule in RULES for finding in rule(document)), key=lambda each: each.line)


def type_names_are_pascal_case(document: DocumentNode) -> Iterator[LintFinding]:
    for node in _types(document):
        if not _PASCAL.match(node.name.value):
            yield _finding("type-name", node.name.value, "write type names in PascalCase", node)


def fields_and_arguments_are_camel_case(document: DocumentNode) -> Iterator[LintFinding]:
    for coordinate, field in _fields(document):
        if not _CAMEL.match(field.name.value):
            yield _finding("field-name", coordinate, "write field names in camelCase", field)
        for argument in getattr(field, "arguments", None) or ():
            if not _CAMEL.match(argument.name.value):
                place = f"{coordinate}({argument.name.value}:)"
                yield _finding("argument-name", place, "write argument names in camelCase", argument)


def enum_values_are_screaming(document: DocumentNode) -> Iterator[LintFinding]:
    for node in _types(document):
        for value in (node.values or ()) if isinstance(node, EnumTypeDefinitionNode) else ():
            if not _SCREAMING.match(value.name.value):
                coordinate = f"{node.name.value}.{value.name.value}"
                yield _finding("enum-value-name", coordinate, "write enum values in SCREAMING_SNAKE_CASE", value)


def input_types_end_in_input(document: DocumentNode) -> Iterator[LintFinding]:
    for node in _types(document):
        if isinstance(node, InputObjectTypeDefinitionNode) and not node.name.value.endswith("Input"):
            yield _finding("input-name", node.name.value, 'end the names of input types in "Input"', node)


def root_fields_name_things(document: DocumentNode) -> Iterator[LintFinding]:
    for coordinate, field in _fields(document):
        if coordinate.startswith("Query.") and _WORDS_IN_ROOT_NAMES.search(field.name.value):
            yield _finding("query-name", coordinate, "name what a query gives, without get, fetch, list or Query", field)


def deprecations_say_why(document: DocumentNode) -> Iterator[LintFinding]:
    for coordinate, field in _fields(document):
        for directive in field.directives or ():
            if directive.name.value == "deprecated":
                reasons = [value_from_ast_untyped(argument.value) for argument in directive.arguments or ()]
                if not any(str(reason).strip() for reason in reasons):
                    yield _finding("deprecation-reason", coordinate, "say in the reason what to use instead", field)


def types_have_descriptions(document: DocumentNode) -> Iterator[LintFinding]:
    """Of a schema that describes some of its types; one that describes none has made another choice."""
    nodes = [node for node in _types(document) if node.name.value not in ("Query", "Mutation", "Subscription")]
    if any(getattr(node, "description", None) for node in nodes):
        for node in nodes:
            if isinstance(node, TypeDefinitionNode) and not node.description:
                yield _finding("type-description", node.name.value, "describe the type", node)


def mutations_can_fail_alone(document: DocumentNode) -> Iterator[LintFinding]:
    """A non-null mutation field that fails takes the answers of the other mutations of its request away."""
    for node in _types(document):
        if node.name.value == "Mutation" and isinstance(node, _WITH_FIELDS) and len(node.fields or ()) > 1:
            for field in node.fields or ():
                if isinstance(field.type, NonNullTypeNode) and _is_scalar_name(field):
                    coordinate = f"Mutation.{field.name.value}"
                    yield _finding("mutation-result", coordinate, "return an object that can grow, not a scalar", field)


_SCALARS = frozenset({"Int", "Float", "String", "ID"})


def _is_scalar_name(field: FieldDefinitionNode) -> bool:
    node: Any = field.type
    while hasattr(node, "type"):
        node = node.type
    return node.name.value in _SCALARS


RULES: tuple[Callable[[DocumentNode], Iterator[LintFinding]], ...] = (
    type_names_are_pascal_case,
    fields_and_arguments_are_camel_case,
    enum_values_are_screaming,
    input_types_end_in_input,
    root_fields_name_things,
    deprecations_say_why,
    types_have_descriptions,
    mutations_can_fail_alone,
)


def _types(document: DocumentNode) -> Iterator[Any]:
    for node in document.definitions:
        if isinstance(node, TypeDefinitionNode | TypeExtensionNode):
            name = node.name.value
            if name not in MACHINERY_TYPES and "__" not in name and not _is_specification_type(name, node):
                yield node


def _is_specification_type(name: str, node: Any) -> bool:
    return name.startswith("_") or (name == "CacheControlScope" and isinstance(node, EnumTypeDefinitionNode))


def _fields(document: DocumentNode) -> Iterator[tuple[str, Any]]:
    for node in _types(document):
        for field in getattr(node, "fields", None) or ():
            if field.name.value not in MACHINERY_QUERIES:
                yield f"{node.name.value}.{field.name.value}", field


def _finding(rule: str, coordinate: str, message: str, node: Any) -> LintFinding:
    return LintFinding(rule, coordinate, message, node.loc.start_token.line if node.loc else 0)
