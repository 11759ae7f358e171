"""What a router sends of an entity, held against the entity's own fields before a reference resolver sees it.

Used by `graphql_schema`. A representation is an `_Any`, so GraphQL itself looks at nothing in it.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLID,
    GraphQLObjectType,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)


class RepresentationReader:
    """Reads those of one entity."""

    __slots__ = ("_entity", "_ids")

    def __init__(self, entity: GraphQLObjectType) -> None:
        self._entity = entity
        #: Fields of which any text is a value, as of most keys.
        self._ids = frozenset(name for name, each in entity.fields.items() if get_nullable_type(each.type) is GraphQLID)

    def read(self, representation: Mapping[str, Any]) -> dict[str, Any]:
        """Its keys and required fields without `__typename`, ids as text. Raises GraphQLError for a value of a wrong type."""
        values: dict[str, Any] = {}
        for name, value in representation.items():
            if name == "__typename":
                continue
            if not (type(value) is str and name in self._ids):
                field = self._entity.fields.get(name)
                if field is not None:
                    values[name] = _read(field.type, value, f"{self._entity.name}.{name}")
                    continue
            values[name] = value
        return values


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
