"""Whether an answer can hold values of custom scalars: only their numbers may have digits that GraphQL's own types lack.

`execute` asks for each fetch when it compiles a plan, so that other answers are parsed without looking.
"""

from __future__ import annotations

from collections.abc import Iterable

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    is_specified_scalar_type,
)

from router.selection_set import SelectionSet
from router.supergraph.api_schema import hidden_fields

_REMEMBERED = "router.fields_without_custom_scalars"


def may_hold_custom_scalars(all_selections: Iterable[SelectionSet], schema: GraphQLSchema) -> bool:
    """Whether one of the selected leaves may be a custom scalar. It is decided by the names of fields alone; one that is
    hidden from clients on some type may be of any type there.
    """
    known: frozenset[str] | None = schema.extensions.get(_REMEMBERED)
    if known is None:
        known = schema.extensions[_REMEMBERED] = _fields_without(schema)
    waiting = [item for selections in all_selections for item in selections.items]
    while waiting:
        item = waiting.pop()
        if item.selections is not None:
            waiting.extend(item.selections.items)
        elif item.name not in known:
            return True
    return False


def _fields_without(schema: GraphQLSchema) -> frozenset[str]:
    found, excepted = {"__typename"}, set(hidden_fields(schema))
    for type_ in schema.type_map.values():
        if not isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)):
            continue
        for name, field in type_.fields.items():
            named = get_named_type(field.type)
            is_custom = isinstance(named, GraphQLScalarType) and not is_specified_scalar_type(named)
            (excepted if is_custom else found).add(name)
    return frozenset(found - excepted)
