"""What this room reads out of graphql-core's sentences: they are no interface, so each phrase has its test.

`tests/unit/schema/test_graphql_wording.py` provokes every sentence; a release of graphql-core that words one otherwise
fails there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from graphql import GraphQLError
from graphql.utilities import SchemaChange

# What GraphQL asks of a whole schema and federation does not ask of a part, or has never asked.
_TOLERATED = re.compile(
    "Query root type must be provided|cannot be deprecated"
    r"""|invalid default value.*non-enum value: "(?P<value>\w+)"\. Did you mean .*'(?P=value)'"""
)
_UNKNOWN_DIRECTIVE = re.compile(r"Unknown directive '@(?P<name>\w+)'")
_LACKING_FIELD = re.compile(r"Interface field \S+ expected but \S+ does not provide it")
_LACKING_INTERFACE = "because it is implemented by"
_COORDINATE = re.compile(r"[A-Za-z]\w*(?:\.\w+)?")


# -- errors of a schema --------------------------------------------------------------------------------------------------


def is_tolerated(error: GraphQLError, roots: Iterable[str]) -> bool:
    """Whether it is no error in a subgraph, which may leave its roots empty, or out."""
    if _TOLERATED.search(error.message):
        return True
    return any(error.message == f"Type {name} must define one or more fields." for name in roots)


def unknown_directive(message: str) -> str | None:
    """The directive that an SDL uses and nothing defines, without @."""
    match = _UNKNOWN_DIRECTIVE.search(message)
    return match["name"] if match else None


def lacks_interface_field(message: str) -> bool:
    """Whether a type lacks a field of an interface that it implements."""
    return bool(_LACKING_FIELD.search(message))


def lacks_interface_of_interface(message: str) -> bool:
    """Whether a type implements an interface, but not one that this implements."""
    return _LACKING_INTERFACE in message


def coordinates_in(message: str) -> list[str]:
    """Whatever looks like a schema coordinate; the sentence's own words do too."""
    return list(dict.fromkeys(_COORDINATE.findall(message)))


# -- differences of two schemas ------------------------------------------------------------------------------------------

_FIELD_COORDINATE = re.compile(r"(?<![\w.@])[A-Za-z_]\w*\.\w+(?:\(\w+:\))?")
# These touch whoever uses the thing that contains the coordinate, not only who names the coordinate itself.
_TOUCHES_FIELD = frozenset({"REQUIRED_ARG_ADDED", "OPTIONAL_ARG_ADDED"})
_TOUCHES_TYPE = frozenset(
    {"REQUIRED_INPUT_FIELD_ADDED", "OPTIONAL_INPUT_FIELD_ADDED", "VALUE_ADDED_TO_ENUM", "VALUE_REMOVED_FROM_ENUM"}
)
_TOUCHES_ABSTRACT_TYPE = frozenset(
    {
        "TYPE_ADDED_TO_UNION",
        "TYPE_REMOVED_FROM_UNION",
        "IMPLEMENTED_INTERFACE_ADDED",
        "IMPLEMENTED_INTERFACE_REMOVED",
    }
)


def coordinates_of_change(change: SchemaChange) -> frozenset[str]:
    """What an operation has to use for the change to touch it."""
    if directive := re.search(r"@\w+", change.description):
        return frozenset({directive.group()})
    words = change.description.rstrip(".").split(" ")
    if change.type.name in _TOUCHES_ABSTRACT_TYPE:
        # "Run was removed from union type Item", "Run no longer implements interface Loggable"
        return frozenset({words[0], words[-1]})
    coordinate = match.group() if (match := _FIELD_COORDINATE.search(change.description)) else words[0]
    if change.type.name in _TOUCHES_FIELD:
        return frozenset({coordinate.partition("(")[0]})
    if change.type.name in _TOUCHES_TYPE:
        return frozenset({coordinate.partition(".")[0]})
    return frozenset({coordinate})
