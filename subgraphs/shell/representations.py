"""What a router sends of an entity, held against the entity's own fields before a reference resolver sees it.

Used by `graphql_schema`. A representation is an `_Any`, so GraphQL itself looks at nothing in it.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLID,
    GraphQLNonNull,
    GraphQLObjectType,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)


def read_representation(entity: GraphQLObjectType, representation: Mapping[str, Any]) -> dict[str, Any]:
    """Its keys and required fields without `__typename`, ids as text. Raises GraphQLError for a value of a wrong type."""
    values = {name: value for name, value in representation.items() if name != "__typename"}
    for name, value in values.items():
        field = entity.fields.get(name)
        if field is not None and not (type(value) is str and _is_id(field.type)):
            values[name] = _read(field.type, value, f"{entity.name}.{name}")
    return values


def _is_id(declared: Any) -> bool:
    """Whether any text is a value of the type, as of most keys."""
    return (declared.of_type if type(declared) is GraphQLNonNull else declared) is GraphQLID


def _read(declared: Any, value: Any, place: str) -> Any:
    if value is None:
        if is_non_null_type(declared):
            raise refused(f"{place} cannot be null in a representation.")
        return None
    kind = get_nullable_type(declared)
    if is_leaf_type(kind):
        return _read_leaf(kind, value, place)
    if is_list_type(kind):
        if not isinstance(value, list):
            raise refused(f"{place} must be a list in a representation.")
        return [_read(kind.of_type, each, place) for each in value]
    if not isinstance(value, dict):
        raise refused(f"{place} must be an object in a representation.")
    fields = getattr(kind, "fields", {})  # a union's members are told apart by whoever resolves them
    return {
        name: _read(fields[name].type, each, f"{place}.{name}") if name in fields else each
        for name, each in value.items()
    }


def _read_leaf(kind: Any, value: Any, place: str) -> Any:
    """The value as it came, for reference resolvers read scalars their own way; an id is always text."""
    try:
        read = kind.coerce_input_value(value)
    except GraphQLError as error:
        raise refused(f"{place}: {error.message}") from None
    return read if kind.name == "ID" else value


def refused(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})
