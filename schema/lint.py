"""Naming and documentation rules for subgraph schemas: what a reader of the API will stumble over.

Called by `fittracker schema lint`; findings never stop a composition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    TypeDefinitionNode,
    parse,
    value_from_ast_untyped,
)

from schema.federation import MACHINERY_QUERIES, MACHINERY_TYPES

_COMPOSITES = (
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
)
_INPUTS = (InputObjectTypeDefinitionNode, InputObjectTypeExtensionNode)
_ENUMS = (EnumTypeDefinitionNode, EnumTypeExtensionNode)
_ROOTS = frozenset({"Query", "Mutation", "Subscription"})
_CAMEL = re.compile(r"^[a-z][a-zA-Z0-9]*$")
_PASCAL = re.compile(r"^[A-Z][a-zA-Z0-9]*$")
_CAPITALS = re.compile(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")


@dataclass(frozen=True, slots=True)
class LintFinding:
    rule: str
    coordinate: str
    message: str
    line: int

    def __str__(self) -> str:
        return f"{self.line}: {self.coordinate}: {self.message} [{self.rule}]"


Rule = Callable[[Any, str], Iterator[tuple[str, str]]]


def lint_sdl(sdl: str) -> list[LintFinding]:
    """All findings in the order of the text. Raises GraphQLSyntaxError for a text that is no SDL."""
    findings = []
    for definition in parse(sdl).definitions:
        name = getattr(getattr(definition, "name", None), "value", "")
        if not name or name in MACHINERY_TYPES or "__" in name:
            continue
        for rule in RULES:
            for coordinate, message in rule(definition, name):
                findings.append(LintFinding(rule.__name__, coordinate, message, _line(definition, coordinate)))
    return sorted(findings, key=lambda finding: (finding.line, finding.coordinate, finding.rule))


def type_names_are_pascal_case(definition: Node, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(definition, TypeDefinitionNode) and not _PASCAL.match(name):
        yield name, "a type's name is written LikeThis"


def field_names_are_camel_case(definition: Node, name: str) -> Iterator[tuple[str, str]]:
    for field in _members(definition, (*_COMPOSITES, *_INPUTS)):
        if field.name.value in MACHINERY_QUERIES:
            continue
        if not _CAMEL.match(field.name.value):
            yield f"{name}.{field.name.value}", "a field's name is written likeThis"
        for argument in getattr(field, "arguments", None) or ():
            if not _CAMEL.match(argument.name.value):
                yield f"{name}.{field.name.value}({argument.name.value}:)", "an argument's name is written likeThis"


def enum_values_are_capitals(definition: Node, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(definition, _ENUMS):
        for value in definition.values or ():
            if not _CAPITALS.match(value.name.value):
                yield f"{name}.{value.name.value}", "an enum's value is written LIKE_THIS"


def query_names_have_no_verb(definition: Node, name: str) -> Iterator[tuple[str, str]]:
    if name == "Query":
        for field in _members(definition, _COMPOSITES):
            if re.match(r"(get|list|find|fetch)[A-Z]", field.name.value):
                yield f"Query.{field.name.value}", "a query is a noun: what it gives, not what it does"


def inputs_end_in_input(definition: Node, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(definition, _INPUTS) and not name.endswith("Input"):
        yield name, "an input type's name ends in Input"


def deprecations_have_a_reason(definition: Node, name: str) -> Iterator[tuple[str, str]]:
    for field in (*_members(definition, (*_COMPOSITES, *_INPUTS)), *(getattr(definition, "values", None) or ())):
        for directive in field.directives or ():
            if directive.name.value == "deprecated":
                reasons = [value_from_ast_untyped(argument.value) for argument in directive.arguments or ()]
                if not any(isinstance(reason, str) and len(reason.split()) > 1 for reason in reasons):
                    yield f"{name}.{field.name.value}", "a deprecation says why, and what to use in its place"


def lists_of_root_fields_are_bounded(definition: Node, name: str) -> Iterator[tuple[str, str]]:
    if name != "Query":
        return
    for field in _members(definition, _COMPOSITES):
        is_list = isinstance(field, FieldDefinitionNode) and "ListTypeNode" in _wrappings(field.type)
        if is_list and field.name.value not in MACHINERY_QUERIES and not field.arguments:
            yield f"Query.{field.name.value}", "a list without any argument can only grow; give it `first`"


#: In the order in which findings of one line are shown.
RULES: tuple[Rule, ...] = (
    type_names_are_pascal_case,
    field_names_are_camel_case,
    enum_values_are_capitals,
    query_names_have_no_verb,
    inputs_end_in_input,
    deprecations_have_a_reason,
    lists_of_root_fields_are_bounded,
)


def _members(definition: Node, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    return tuple(getattr(definition, "fields", None) or ()) if isinstance(definition, kinds) else ()


def _wrappings(node: Node) -> list[str]:
    names = []
    while hasattr(node, "type"):
        names.append(type(node).__name__)
        node = node.type
    return names


def _line(definition: Any, coordinate: str) -> int:
    """Where the element of the coordinate stands in the text."""
    member = coordinate.partition(".")[2].partition("(")[0]
    for node in (*(getattr(definition, "fields", None) or ()), *(getattr(definition, "values", None) or ())):
        if node.name.value == member and node.loc is not None:
            return int(node.loc.start_token.line)
    return int(definition.loc.start_token.line) if definition.loc is not None else 0
