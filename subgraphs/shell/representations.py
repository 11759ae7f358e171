"""What a router sends of an entity, held against the entity's own fields before a reference resolver sees it.

Used by `graphql_schema`. A representation is an `_Any`, so GraphQL itself looks at nothing in it.
"""

from collections.abc import Callable, Mapping
from sys import float_info
from typing import Any, TypeAlias

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLString,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

#: Gives what a value, which is not null, is read as. It is told the value's place, and raises GraphQLError for one of a wrong type.
_Read: TypeAlias = Callable[[Any, str], Any]

#: Of scalars, the class whose values are right without being looked at any further, and the least and most of them that are.
_ORDINARY: dict[Any, tuple[Any, float, float]] = {
    GraphQLFloat: (float, -float_info.max, float_info.max),
    GraphQLInt: (int, -(2**31), 2**31 - 1),
    GraphQLBoolean: (bool, False, True),
}
_NOTHING: tuple[Any, float, float] = (None, 0.0, 0.0)


class RepresentationReader:
    """Reads those of one entity, and the objects in them. How the values of a field are read is worked out when it comes first, for types
    refer to one another.
    """

    __slots__ = ("_declared", "_ids", "_readers", "_types")

    def __init__(self, kind: Any, types: "dict[str, RepresentationReader] | None" = None) -> None:
        """`types` are all that were met so far, by name. A union has no fields: its members are told apart by whoever resolves them."""
        self._types = {} if types is None else types
        self._types[kind.name] = self
        self._declared: Mapping[str, Any] = getattr(kind, "fields", {})
        #: Fields of which any text is a value, as of most keys.
        self._ids = frozenset(
            name for name, each in self._declared.items() if get_nullable_type(each.type) is GraphQLID
        )
        self._readers: dict[str, tuple[_Read, bool]] = {}

    def read(self, values: Mapping[str, Any], place: str) -> dict[str, Any]:
        """Its keys and required fields, ids as text; what is no field of the type, such as `__typename`, stays as it came.

        Raises GraphQLError for a value of a wrong type.
        """
        found: dict[str, Any] = {}
        for name, value in values.items():
            if (type(value) is str and name in self._ids) or name not in self._declared:
                found[name] = value
                continue
            reader = self._readers.get(name)
            if reader is None:
                declared = self._declared[name].type
                reader = self._readers[name] = self._reader(declared), get_nullable_type(declared) is declared
            found[name] = _read(reader, value, f"{place}.{name}")
        return found

    def _reader(self, declared: Any) -> _Read:
        kind = get_nullable_type(declared)
        if is_leaf_type(kind):
            return _leaf_reader(kind)
        if is_list_type(kind):
            of_item = self._reader(kind.of_type), get_nullable_type(kind.of_type) is kind.of_type

            def read_list(value: Any, place: str) -> Any:
                if not isinstance(value, list):
                    raise refused(f"{place} must be a list in a representation.")
                return [_read(of_item, each, place) for each in value]

            return read_list
        fields = self._types.get(kind.name) or RepresentationReader(kind, self._types)

        def read_object(value: Any, place: str) -> Any:
            if not isinstance(value, dict):
                raise refused(f"{place} must be an object in a representation.")
            return fields.read(value, place)

        return read_object


def _read(reader: tuple[_Read, bool], value: Any, place: str) -> Any:
    read, is_nullable = reader
    if value is not None:
        return read(value, place)
    if not is_nullable:
        raise refused(f"{place} cannot be null in a representation.")
    return None


def _leaf_reader(kind: Any) -> _Read:
    """Gives the value as it came, for reference resolvers read scalars their own way; an id is always text."""
    exact, least, most = _ORDINARY.get(kind, _NOTHING)
    texts = kind.values if isinstance(kind, GraphQLEnumType) else {}
    is_text, is_id = kind is GraphQLString, kind.name == "ID"

    def read_leaf(value: Any, place: str) -> Any:
        if type(value) is str:
            if is_text or value in texts:
                return value
        elif type(value) is exact and least <= value <= most:
            return value
        try:
            read = kind.coerce_input_value(value)
        except GraphQLError as error:
            raise refused(f"{place}: {error.message}") from None
        return read if is_id else value

    return read_leaf


def refused(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})
