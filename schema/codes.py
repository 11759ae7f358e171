"""Every error and hint of composition as data: code, level, what it means and how to mend it.

The codes are the published federation error codes, so that tools and searches made for them keep working.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from graphql import Location as GraphQLLocation
from graphql import Node, TokenKind

#: How many lines of a finding are shown, and how much of each.
_EXCERPTS = 3
_EXCERPT = 120
_LINE_END = re.compile(r"[\n\r]")


class Level(enum.StrEnum):
    ERROR = "error"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Code:
    code: str
    level: Level
    meaning: str


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a subgraph's SDL; line and column count from 1. `source` is the whole line there, for people."""

    subgraph: str
    line: int
    column: int
    source: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.subgraph}:{self.line}:{self.column}"

    def excerpt(self) -> str:
        """The line with a caret under the place, as much of it as fits a terminal."""
        start = max(0, self.column - _EXCERPT // 2) if len(self.source) > _EXCERPT else 0
        line, place = self.source[start : start + _EXCERPT].rstrip(), f"{self.subgraph}:{self.line}"
        # Tabs stay in front of the caret, so that it stands right however wide a terminal makes them.
        before = "".join(char if char == "\t" else " " for char in line[: self.column - 1 - start])
        return f"  {place} | {line}\n  {' ' * len(place)} | {before}^"


def locations_of(subgraph: str, *nodes: Node | None) -> tuple[Location, ...]:
    """Where nodes of the subgraph's document stand, behind their descriptions; those that composition added itself stand nowhere."""
    places = [(node.loc.source.body, _begin(node, node.loc)) for node in nodes if node is not None and node.loc]
    return tuple(Location(subgraph, *_line_and_column(body, begin), line_at(body, begin)) for body, begin in places)


def _begin(node: Node, place: GraphQLLocation) -> int:
    description = getattr(node, "description", None)
    token = description.loc.end_token.next if description is not None and description.loc is not None else None
    while token is not None and token.kind is TokenKind.COMMENT:
        token = token.next
    return place.start if token is None else token.start


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Both count from 1; a line ends with a carriage return, a line feed, or both."""
    begin = _begin_of_line(text, offset)
    ends = text.count("\n", 0, begin) + text.count("\r", 0, begin) - text.count("\r\n", 0, begin)
    return ends + 1, offset - begin + 1


def line_at(text: str, offset: int) -> str:
    """The line that a character stands in."""
    end = _LINE_END.search(text, offset)
    return text[_begin_of_line(text, offset) : end.start() if end is not None else len(text)]


def _begin_of_line(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One error or hint. `coordinates` are schema coordinates, `subgraphs` the ones concerned."""

    code: str
    message: str
    subgraphs: tuple[str, ...] = ()
    coordinates: tuple[str, ...] = ()
    locations: tuple[Location, ...] = ()

    def __str__(self) -> str:
        places = ", ".join(map(str, self.locations))
        return f"[{self.code}] {places}: {self.message}" if places else f"[{self.code}] {self.message}"

    def told(self) -> str:
        """For people: with the lines that it is about, a few of them."""
        shown = [each for each in self.locations if each.source][:_EXCERPTS]
        return "\n".join([str(self), *(each.excerpt() for each in shown)])

    @property
    def level(self) -> Level:
        return CODES[self.code].level

    def as_json(self) -> dict[str, object]:
        """What machines are told: the fields, and the level."""
        places = [{"subgraph": each.subgraph, "line": each.line, "column": each.column} for each in self.locations]
        return {"level": self.level.value, **asdict(self), "locations": places}


def quoted(names: Sequence[str]) -> str:
    """`subgraph "a"`, `subgraphs "a" and "b"`, `subgraphs "a", "b" and "c"`."""
    words = [f'"{name}"' for name in names]
    if len(words) == 1:
        return f"subgraph {words[0]}"
    return f"subgraphs {', '.join(words[:-1])} and {words[-1]}"


def _errors(table: dict[str, str]) -> list[Code]:
    return [Code(code, Level.ERROR, meaning) for code, meaning in table.items()]


def _hints(table: dict[str, str]) -> list[Code]:
    return [Code(code, Level.HINT, meaning) for code, meaning in table.items()]


_SUBGRAPH_ERRORS = {
    "INVALID_GRAPHQL": "A subgraph, or what the subgraphs are together, is not valid GraphQL. Mend the schema at the line and column given.",
    "INVALID_SUBGRAPH_NAME": "A subgraph's name cannot be used. Choose another one.",
    "UNKNOWN_FEDERATION_LINK_VERSION": "`@link` asks for a federation version that does not exist or is not known here.",
    "UNKNOWN_LINK_VERSION": "`@link` asks for a version of the link specification that is not known here.",
    "INVALID_LINK_DIRECTIVE_USAGE": "`@link` is not used as its specification says, for example it imports an unknown name.",
    "INVALID_LINK_IDENTIFIER": "The URL of a `@link` is not valid.",
    "DIRECTIVE_DEFINITION_INVALID": "A subgraph defines a federation directive in a way that contradicts it.",
    "TYPE_DEFINITION_INVALID": "A subgraph defines a federation type in a way that contradicts it.",
    "KEY_INVALID_FIELDS": "The fields of a `@key` are not a valid selection of the type's fields.",
    "KEY_INVALID_FIELDS_TYPE": "The `fields` of a `@key` must be a string.",
    "KEY_FIELDS_HAS_ARGS": "A `@key` selects a field that has arguments.",
    "KEY_FIELDS_SELECT_INVALID_TYPE": "A `@key` selects a field of union or interface type.",
    "KEY_DIRECTIVE_IN_FIELDS_ARG": "The fields of a `@key` may not carry directives.",
    "KEY_UNSUPPORTED_ON_INTERFACE": "`@key` on interfaces needs federation 2.3.",
    "PROVIDES_INVALID_FIELDS": "The fields of a `@provides` are not a valid selection of the returned type.",
    "PROVIDES_INVALID_FIELDS_TYPE": "The `fields` of a `@provides` must be a string.",
    "PROVIDES_FIELDS_HAS_ARGS": "A `@provides` selects a field that has arguments.",
    "PROVIDES_FIELDS_MISSING_EXTERNAL": "A `@provides` selects a field that this subgraph resolves anyway: mark it `@external` or drop it.",
    "PROVIDES_ON_NON_OBJECT_FIELD": "`@provides` stands on a field that returns no object, interface or union.",
    "PROVIDES_DIRECTIVE_IN_FIELDS_ARG": "The fields of a `@provides` may not carry directives.",
    "PROVIDES_UNSUPPORTED_ON_INTERFACE": "`@provides` may not stand on a field of an interface.",
    "REQUIRES_INVALID_FIELDS": "The fields of a `@requires` are not a valid selection of the type's fields.",
    "REQUIRES_INVALID_FIELDS_TYPE": "The `fields` of a `@requires` must be a string.",
    "REQUIRES_FIELDS_MISSING_EXTERNAL": "A `@requires` selects a field that this subgraph resolves itself: mark it `@external`.",
    "REQUIRES_DIRECTIVE_IN_FIELDS_ARG": "The fields of a `@requires` may not carry directives.",
    "REQUIRES_UNSUPPORTED_ON_INTERFACE": "`@requires` may not stand on a field of an interface.",
    "EXTERNAL_UNUSED": "A field is `@external` but nothing in its subgraph uses it: remove it or use it.",
    "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE": "A field is `@external` and has `@provides`, which contradict each other.",
    "EXTERNAL_ON_INTERFACE": "A field of an interface cannot be `@external`.",
    "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL": "A directive that reaches the graph stands on an `@external` field: apply it where the field is resolved.",
    "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE": "`@authenticated`, `@requiresScopes` and `@policy` may not stand on interfaces: put them on the implementations.",
    "TYPE_WITH_ONLY_UNUSED_EXTERNAL": "A federation 1 subgraph returns a type all of whose fields are `@external` and unused.",
    "INVALID_SHAREABLE_USAGE": "`@shareable` stands where it has no meaning, for example on an interface field.",
    "OVERRIDE_FROM_SELF_ERROR": "A field overrides itself: `from` names its own subgraph.",
    "OVERRIDE_SOURCE_HAS_OVERRIDE": "A field is overridden in two directions at once.",
    "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE": "`@override` cannot be combined with `@external`, `@provides` or `@requires` there.",
    "OVERRIDE_LABEL_INVALID": "The label of an `@override` must be `percent(0-100)` or a name.",
    "OVERRIDE_ON_INTERFACE": "A field of an interface cannot be overridden.",
    "INTERFACE_OBJECT_USAGE_ERROR": "An `@interfaceObject` type needs a `@key` and must not be combined with its implementations.",
    "INTERFACE_KEY_NOT_ON_IMPLEMENTATION": "A key of an interface must also be a key of every type that implements it in that subgraph.",
    "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE": "A subgraph with a key on an interface must define all its implementations.",
    "ROOT_QUERY_USED": "`Query` is the name of a type that is not the query root.",
    "ROOT_MUTATION_USED": "`Mutation` is the name of a type that is not the mutation root.",
    "ROOT_SUBSCRIPTION_USED": "`Subscription` is the name of a type that is not the subscription root.",
    "DISALLOWED_INACCESSIBLE": "`@inaccessible` stands on an argument of a composed directive, which every reader of the supergraph must see whole.",
    "DIRECTIVE_COMPOSITION_ERROR": "`@composeDirective` names a directive that cannot be composed.",
    "CONTEXT_NAME_INVALID": "The name of a `@context` is not valid.",
    "CONTEXT_NAME_CONTAINS_UNDERSCORE": "The name of a `@context` may not contain an underscore.",
    "CONTEXT_NO_RESOLVABLE_KEY": "A type whose fields use `@fromContext` needs a resolvable `@key`, for the router comes back to it.",
    "CONTEXT_NOT_SET": "`@fromContext` uses a context that no type sets.",
    "NO_CONTEXT_IN_SELECTION": "The text of a `@fromContext` names no context.",
    "NO_SELECTION_FOR_CONTEXT": "The text of a `@fromContext` selects nothing.",
    "CONTEXT_INVALID_SELECTION": "The selection of a `@fromContext` does not fit the types that set the context.",
    "COST_APPLIED_TO_INTERFACE_FIELD": "`@cost` may not stand on a field of an interface.",
    "LIST_SIZE_APPLIED_TO_NON_LIST": "`@listSize` stands on a field that is no list and has no `sizedFields`.",
    "LIST_SIZE_INVALID_ASSUMED_SIZE": "`@listSize(assumedSize:)` must not be negative.",
    "LIST_SIZE_INVALID_SLICING_ARGUMENT": "`@listSize(slicingArguments:)` must name arguments of type Int.",
    "LIST_SIZE_INVALID_SIZED_FIELD": "`@listSize(sizedFields:)` must name list fields of the returned type.",
}  # fmt: skip
_MERGE_ERRORS = {
    "NO_QUERIES": "No subgraph has a query: a graph needs at least one field on Query.",
    "TYPE_KIND_MISMATCH": "One name stands for different kinds of type in different subgraphs.",
    "FIELD_TYPE_MISMATCH": "A field has types in different subgraphs that have no common type.",
    "FIELD_ARGUMENT_TYPE_MISMATCH": "An argument has incompatible types in different subgraphs.",
    "FIELD_ARGUMENT_DEFAULT_MISMATCH": "An argument has different default values in different subgraphs.",
    "INPUT_FIELD_DEFAULT_MISMATCH": "An input field has different default values in different subgraphs.",
    "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH": "An argument is mandatory in one subgraph and unknown in another.",
    "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH": "An input field is mandatory in one subgraph and unknown in another.",
    "EMPTY_MERGED_INPUT_TYPE": "The subgraphs have no common field for an input type.",
    "EMPTY_MERGED_ENUM_TYPE": "The subgraphs have no common value for an enum that is used as input.",
    "ENUM_VALUE_MISMATCH": "An enum used as both input and output must have the same values in all subgraphs.",
    "INVALID_FIELD_SHARING": "A field is resolved by several subgraphs but not marked `@shareable` in all of them.",
    "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS": "An argument that one subgraph fills from a context is mandatory in another. Where it is optional there, this is a hint and the graph leaves it out.",
    "LINK_IMPORT_NAME_MISMATCH": "A directive of federation that reaches the graph is imported under different names.",
    "EXTERNAL_MISSING_ON_BASE": "A field is `@external` wherever it is defined: no subgraph resolves it.",
    "EXTERNAL_TYPE_MISMATCH": "An `@external` field has another type than the subgraph that resolves it says.",
    "EXTERNAL_ARGUMENT_MISSING": "An `@external` field lacks an argument of the field it stands for.",
    "EXTERNAL_ARGUMENT_TYPE_MISMATCH": "An argument of an `@external` field has another type than in the subgraph that resolves it.",
    "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH": "An argument of an `@external` field has another default than in the subgraph that resolves it.",
    "EXTENSION_WITH_NO_BASE": "A type is only ever extended, never defined.",
    "INTERFACE_FIELD_NO_IMPLEM": "After merging, a type lacks a field of an interface that it implements.",
    "REFERENCED_INACCESSIBLE": "Something visible in the API refers to something `@inaccessible`.",
    "DEFAULT_VALUE_USES_INACCESSIBLE": "A visible default value uses something `@inaccessible`.",
    "REQUIRED_INACCESSIBLE": "A mandatory argument or input field is `@inaccessible`, so nobody could give it.",
    "IMPLEMENTED_BY_INACCESSIBLE": "A visible interface's field is `@inaccessible` on a type that implements it.",
    "ONLY_INACCESSIBLE_CHILDREN": "A visible type has only `@inaccessible` members.",
    "QUERY_ROOT_TYPE_INACCESSIBLE": "The query root is `@inaccessible`.",
    "MISSING_TRANSITIVE_AUTH_REQUIREMENTS": "A field reaches, by `@requires` or `@fromContext`, data that asks for more rights than the field itself.",
    "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES": "Subgraphs share a field of abstract type and have no object type of it in common, so that they cannot answer alike.",
    "SATISFIABILITY_ERROR": "A query is valid in the API but cannot be answered: no way of keys leads to a subgraph that resolves it.",
}  # fmt: skip
_HINT_MEANINGS = {
    "INCONSISTENT_ARGUMENT_PRESENCE": "An optional argument is not in every subgraph and is left out of the graph.",
    "INCONSISTENT_INPUT_OBJECT_FIELD": "An input field is not in every subgraph and is left out of the graph.",
    "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM": "A value is not in every subgraph and cannot be used as input.",
    "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM": "An output enum has a value that not every subgraph knows.",
    "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE": "A field has different but compatible types; the widest is used.",
    "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE": "An argument has different but compatible types; the strictest is used.",
    "INCONSISTENT_DEFAULT_VALUE_PRESENCE": "An argument or input field has a default value in some subgraphs only; the graph has none.",
    "INCONSISTENT_DESCRIPTION": "An element is described in different words; the most common description is used.",
    "INCONSISTENT_ENTITY": "A type has a `@key` in some subgraphs only.",
    "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD": "A type without key has a field in some subgraphs only.",
    "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD": "An interface without key has a field in some subgraphs only.",
    "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN": "Subgraphs share a field of abstract type, but not all of its object types.",
    "IMPLICITLY_UPGRADED_FEDERATION_VERSION": "A subgraph links a specification that came with a newer federation version than any subgraph links.",
    "INCONSISTENT_UNION_MEMBER": "A union has a member that not every subgraph knows.",
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE": "An executable directive is not in every subgraph and is left out.",
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS": "An executable directive has different locations; the common ones are used.",
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE": "An executable directive is repeatable in some subgraphs only and is not in the graph.",
    "NO_EXECUTABLE_DIRECTIVE_INTERSECTION": "An executable directive has no location in common and is left out.",
    "DIRECTIVE_COMPOSITION_INFO": "`@composeDirective` is not needed, or specifications of which nothing is composed are linked in different versions.",
    "DIRECTIVE_COMPOSITION_WARN": "A composed directive has another name in a subgraph that does not compose it.",
    "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS": "A directive is applied with different arguments, which are merged to the strictest.",
    "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS": "A directive is applied with different arguments; the most common are used.",
    "FROM_SUBGRAPH_DOES_NOT_EXIST": "`@override(from:)` names a subgraph that does not exist.",
    "OVERRIDDEN_FIELD_CAN_BE_REMOVED": "A field is overridden elsewhere and can be removed.",
    "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED": "An `@override` has nothing left to override.",
    "OVERRIDE_MIGRATION_IN_PROGRESS": "A progressive `@override` is under way.",
    "UNUSED_ENUM_TYPE": "An enum is used nowhere.",
}  # fmt: skip

CODES: dict[str, Code] = {
    code.code: code for code in (*_errors(_SUBGRAPH_ERRORS), *_errors(_MERGE_ERRORS), *_hints(_HINT_MEANINGS))
}


def print_table() -> str:
    """The catalogue as the Markdown table of this room's README."""
    rows = [f"| `{code.code}` | {code.level.value} | {code.meaning} |" for code in CODES.values()]
    return "\n".join(["| code | level | meaning |", "|---|---|---|", *rows]) + "\n"
