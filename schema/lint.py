"""Naming and documentation rules for subgraph schemas: what a reader of the API will stumble over.

Its findings never stop a composition.
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
    ListTypeNode,
    Node,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    TypeDefinitionNode,
    TypeNode,
    parse,
    print_ast,
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
_SCALARS = frozenset({"ID", "Int", "Float", "String", "Boolean"})
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
        is_list = isinstance(field, FieldDefinitionNode) and _is_list(field.type)
        if is_list and field.name.value not in MACHINERY_QUERIES and not field.arguments:
            yield f"Query.{field.name.value}", "a list without any argument can only grow; give it `first`"


def everything_has_a_description(definition: Node, name: str) -> Iterator[tuple[str, str]]:
    """External fields are described where they are resolved; the root types need none, for their fields are the API."""
    if not isinstance(definition, TypeDefinitionNode):
        return
    if name not in _ROOTS and definition.description is None:
        yield name, "a type says what it is"
    for field in _members(definition, (*_COMPOSITES, *_INPUTS)):
        if field.name.value in MACHINERY_QUERIES or _has_directive(field, "external"):
            continue
        if field.description is None:
            yield f"{name}.{field.name.value}", "a field says what it means, in which unit, and what null is"
        for argument in getattr(field, "arguments", None) or ():
            if argument.description is None:
                yield f"{name}.{field.name.value}({argument.name.value}:)", "an argument says what it does"
    for value in getattr(definition, "values", None) or ():
        if value.description is None:
            yield f"{name}.{value.name.value}", "an enum's value says what it stands for"


def mutations_have_one_shape(definition: Node, name: str) -> Iterator[tuple[str, str]]:
    """One `input`, and a nullable payload: a mutation that fails nulls neither its siblings nor their parents."""
    if name != "Mutation":
        return
    for field in _members(definition, _COMPOSITES):
        coordinate = f"Mutation.{field.name.value}"
        declared = {argument.name.value: print_ast(argument.type) for argument in field.arguments or ()}
        if list(declared) != ["input"] or not re.fullmatch(r"\w+Input!", declared["input"]):
            yield coordinate, "a mutation has one argument, `input`, of a required input type"
        if not re.fullmatch(r"\w+Payload", print_ast(field.type)):
            yield coordinate, "a mutation answers with a nullable type whose name ends in Payload"


def payloads_have_user_errors(definition: Node, name: str) -> Iterator[tuple[str, str]]:
    if not name.endswith("Payload"):
        return
    fields = {field.name.value: field for field in _members(definition, _COMPOSITES)}
    if fields and ("userErrors" not in fields or print_ast(fields["userErrors"].type) != "[UserError!]!"):
        yield name, "a payload has `userErrors: [UserError!]!` for what a person can mend"
    for field in fields.values():
        if field.name.value != "userErrors" and isinstance(field.type, NonNullTypeNode):
            yield f"{name}.{field.name.value}", "a payload's field is nullable: a refused mutation has nothing to show"


def connections_are_relays(definition: Node, name: str) -> Iterator[tuple[str, str]]:
    """https://relay.dev/graphql/connections.htm, both ways, with the two shortcuts that clients ask for."""
    fields = _members(definition, _COMPOSITES)
    if name.endswith("Connection") and fields:
        missing = {"edges", "nodes", "pageInfo", "totalCount"} - {field.name.value for field in fields}
        if missing:
            yield name, f"a connection has {', '.join(sorted(missing))}"
    for field in fields:
        if isinstance(field, FieldDefinitionNode) and re.fullmatch(r"\w+Connection!?", print_ast(field.type)):
            missing = {"first", "after", "last", "before"} - {one.name.value for one in field.arguments or ()}
            if missing:
                yield f"{name}.{field.name.value}", f"a connection takes {', '.join(sorted(missing))}"


def lists_have_sizes(definition: Node, name: str) -> Iterator[tuple[str, str]]:
    """What demand control multiplies by. A connection's own lists are sized by the field that answers with it."""
    for field in _members(definition, _COMPOSITES):
        if not isinstance(field, FieldDefinitionNode) or _has_directive(field, "external"):
            continue
        coordinate, kind = f"{name}.{field.name.value}", print_ast(field.type)
        if re.fullmatch(r"\w+Connection!?", kind):
            if not _has_directive(field, "listSize"):
                yield coordinate, "a field with a connection has @listSize, sliced by `first` and `last`"
        elif (
            _is_list(field.type)
            and field.name.value not in MACHINERY_QUERIES
            and not name.endswith("Connection")
            and kind.strip("[]!") not in _SCALARS
            and not _has_directive(field, "listSize")
        ):
            yield coordinate, "a list has @listSize: how many entries a long one has"


#: In the order in which findings of one line are shown.
RULES: tuple[Rule, ...] = (
    type_names_are_pascal_case,
    field_names_are_camel_case,
    enum_values_are_capitals,
    query_names_have_no_verb,
    inputs_end_in_input,
    deprecations_have_a_reason,
    lists_of_root_fields_are_bounded,
    everything_has_a_description,
    mutations_have_one_shape,
    payloads_have_user_errors,
    connections_are_relays,
    lists_have_sizes,
)


def _members(definition: Node, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    return tuple(getattr(definition, "fields", None) or ()) if isinstance(definition, kinds) else ()


def _has_directive(node: Any, name: str) -> bool:
    return any(directive.name.value == name for directive in node.directives or ())


def _is_list(node: TypeNode) -> bool:
    return isinstance(node.type if isinstance(node, NonNullTypeNode) else node, ListTypeNode)


def _line(definition: Any, coordinate: str) -> int:
    """Where the element of the coordinate stands in the text."""
    member = coordinate.partition(".")[2].partition("(")[0]
    for node in (*(getattr(definition, "fields", None) or ()), *(getattr(definition, "values", None) or ())):
        if node.name.value == member and node.name.loc is not None:
            return int(node.name.loc.start_token.line)
    return int(definition.name.loc.start_token.line) if definition.name.loc is not None else 0
