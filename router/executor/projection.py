"""The plain projection: merged tree to the client's shape by the letter of the GraphQL specification.

`execute` uses it until a compiled form is ready (so on the first run of every plan) and whenever that form meets something
unusual; `incremental` does so too, and for whatever it has to look into. Tests use it as the oracle for the compiled form. Of the two projections this one
alone words errors, since it alone knows the path of every value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
)

from router.errors import ErrorEntry
from router.exact_json import dumps, is_nested_deeper, written
from router.executor.object_path import ClientPath
from router.selection_set import Condition, Field, SelectionSet

Tree = dict[str, Any]

NO_NAMES: Mapping[str, str] = MappingProxyType({})

INVALID_VALUE = "INVALID_VALUE"
NULL_FOR_NON_NULL = "NULL_FOR_NON_NULL"
MAX_ENTRIES = 200
MAX_SCALAR_DEPTH = 128  # the encoder ends at 254, the selections around a scalar included
INT_RANGE = 2**31


class _NullError(Exception):
    """A non-null position has no value: the nearest nullable position above becomes null."""


def holds(conditions: tuple[Condition, ...], variables: Mapping[str, Any]) -> bool:
    # most fields have no conditions, and a generator for none of them costs more than the field
    return not conditions or all(bool(variables.get(each.variable)) is not each.inverted for each in conditions)


def group_by_key(
    selections: SelectionSet,
    type_: GraphQLObjectType | GraphQLInterfaceType,
    schema: GraphQLSchema,
    variables: Mapping[str, Any],
    grouped: dict[str, list[Field]],
) -> None:
    """CollectFields of the specification, for one type: included fields by response key, in order."""
    for item in selections.items:
        if not holds(item.conditions, variables):
            continue
        if isinstance(item, Field):
            grouped.setdefault(item.response_key, []).append(item)
        elif item.type_condition is None or is_always_of(type_, item.type_condition, schema):
            group_by_key(item.selections, type_, schema, variables, grouped)


def is_always_of(type_: GraphQLObjectType | GraphQLInterfaceType, condition: str, schema: GraphQLSchema) -> bool:
    if type_.name == condition:
        return True
    named = schema.type_map.get(condition)
    return isinstance(named, (GraphQLInterfaceType, GraphQLUnionType)) and schema.is_sub_type(named, type_)


def can_stay_abstract(
    selections: SelectionSet, type_: GraphQLInterfaceType, schema: GraphQLSchema, variables: Mapping[str, Any]
) -> bool:
    """Whether the same is selected of every implementation, so that nobody needs to know which one it is.

    The subgraph of an interface object cannot tell, and a plan does not ask where it does not matter.
    """
    for item in selections.items:
        if not holds(item.conditions, variables):
            continue
        if isinstance(item, Field):
            if item.name == "__typename":
                return False
        elif item.type_condition is not None and not is_always_of(type_, item.type_condition, schema):
            if _selects_anything(item.selections, variables):
                return False
        elif not can_stay_abstract(item.selections, type_, schema, variables):
            return False
    return True


def _selects_anything(selections: SelectionSet, variables: Mapping[str, Any]) -> bool:
    return any(
        holds(item.conditions, variables) and (isinstance(item, Field) or _selects_anything(item.selections, variables))
        for item in selections.items
    )


class _Place(NamedTuple):
    """What stands under a response key in every object of one type."""

    response_key: str  # in the tree
    client_key: str  # in the response
    name: str
    selections: SelectionSet
    type: GraphQLOutputType | None  # None for `__typename` and the root fields of introspection
    where: str  # for messages: type and field


class Projection:
    """One run over one tree; `errors` are those found here, to be added to those of the fetches.

    The client's response keys are those of the tree but for what `names` has. Paths of errors are the tree's.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        variables: Mapping[str, Any],
        known_errors: list[ErrorEntry],
        names: Mapping[str, str] = NO_NAMES,
    ) -> None:
        self.errors: list[ErrorEntry] = []
        self._schema = schema
        self._variables = variables
        self._names = names
        self._explained = [tuple(error.get("path", ())) for error in known_errors]
        #: by the identity of a selection set, which is kept alive beside them, and type: a list has many objects of one
        self._known_places: dict[tuple[int, str], tuple[SelectionSet, list[_Place]]] = {}

    def project(self, selections: SelectionSet, type_name: str, tree: Tree, path: ClientPath = ()) -> Tree | None:
        """The client's `data`, or None where null reached the top, or `tree` is of no type that `type_name` can be.

        Example, with `users: [User!]` and `name: String!`: `{"users": [{"id": 1, "name": null}]}` becomes
        `{"users": null}`. The null goes up from `name` to the user, which must not be null, and to the list, which may.
        There is one error, at `["users", 0, "name"]`; and none if a fetch has already left one at, above or below that
        path.
        """
        type_: Any = self._schema.type_map[type_name]
        if not isinstance(type_, GraphQLObjectType):
            type_ = self._type_of(tree, type_, selections)
        try:
            return self._object(selections, type_, tree, path) if type_ is not None else None
        except _NullError:
            return None

    def project_items(
        self,
        selections: SelectionSet,
        item_type: GraphQLOutputType,
        items: Any,
        path: ClientPath,
        first: int,
        where: str,
    ) -> list[Any] | None:
        """The items of a list from index `first` on, or None where null reached the list."""
        try:
            return [
                self._value(selections, item_type, items[index], (*path, index), where)
                for index in range(first, len(items))
            ]
        except _NullError:
            return None

    def _object(
        self,
        selections: SelectionSet,
        type_: GraphQLObjectType | GraphQLInterfaceType,
        value: Tree,
        path: ClientPath,
    ) -> Tree:
        projected: Tree = {}
        for response_key, client_key, name, inner, field_type, where in self._places_of(selections, type_):
            if field_type is not None:
                projected[client_key] = self._value(
                    inner, field_type, value.get(response_key), (*path, response_key), where
                )
            elif name == "__typename":
                projected[client_key] = type_.name
            else:
                projected[client_key] = value.get(response_key)  # made by `introspection`, already in shape
        return projected

    def _places_of(self, selections: SelectionSet, type_: GraphQLObjectType | GraphQLInterfaceType) -> list[_Place]:
        key = (id(selections), type_.name)
        known = self._known_places.get(key)
        if known is not None:
            return known[1]
        grouped: dict[str, list[Field]] = {}
        group_by_key(selections, type_, self._schema, self._variables, grouped)
        places = []
        for response_key, fields in grouped.items():
            name = fields[0].name
            field_type = type_.fields[name].type if name not in ("__typename", "__schema", "__type") else None
            inner = SelectionSet(tuple([item for each in fields if each.selections for item in each.selections.items]))
            client_key = self._names.get(response_key, response_key)
            places.append(_Place(response_key, client_key, name, inner, field_type, f"{type_.name}.{name}"))
        self._known_places[key] = (selections, places)
        return places

    def _value(
        self, selections: SelectionSet, type_: GraphQLOutputType, value: Any, path: ClientPath, where: str
    ) -> Any:
        if isinstance(type_, GraphQLNonNull):
            projected = self._value(selections, type_.of_type, value, path, where)
            if projected is None:
                if not self._is_explained(path):
                    self._report(f"Cannot return null for non-nullable field {where}.", path, NULL_FOR_NON_NULL)
                raise _NullError
            return projected
        if value is None:
            return None
        if isinstance(type_, GraphQLList):
            return self._list(selections, type_.of_type, value, path, where)
        if isinstance(type_, GraphQLScalarType):
            return self._scalar(type_, value, path, where)
        if isinstance(type_, GraphQLEnumType):
            if value.__class__ is str and value in type_.values:
                return value
            return self._invalid(where, path, f"a value of the enum {type_.name}")
        return self._composite(selections, type_, value, path, where)

    def _list(
        self, selections: SelectionSet, item_type: GraphQLOutputType, value: Any, path: ClientPath, where: str
    ) -> Any:
        if value.__class__ is not list:
            return self._invalid(where, path, "a list")
        try:
            return [self._value(selections, item_type, item, (*path, index), where) for index, item in enumerate(value)]
        except _NullError:
            return None

    def _composite(self, selections: SelectionSet, type_: Any, value: Any, path: ClientPath, where: str) -> Any:
        if value.__class__ is not dict:
            return self._invalid(where, path, "an object")
        concrete = type_
        if isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)):
            concrete = self._type_of(value, type_, selections)
            if concrete is None:
                return self._invalid(where, path, f"an object of a type that is a {type_.name}")
        try:
            return self._object(selections, concrete, value, path)
        except _NullError:
            return None

    def _scalar(self, type_: GraphQLScalarType, value: Any, path: ClientPath, where: str) -> Any:
        read = _SCALAR_READERS.get(type_.name, _custom)
        projected = read(value)
        return self._invalid(where, path, f"a value of type {type_.name}") if projected is None else projected

    def _invalid(self, where: str, path: ClientPath, expected: str) -> None:
        """The value itself is not told: it may be of a type or in an enum that clients must not know."""
        self._report(f"The subgraph's value for {where} is not {expected}.", path, INVALID_VALUE)

    def _report(self, message: str, path: ClientPath, code: str) -> None:
        if len(self.errors) < MAX_ENTRIES:
            self.errors.append({"message": message, "path": list(path), "extensions": {"code": code}})
            self._explained.append(path)

    def _is_explained(self, path: ClientPath) -> bool:
        """Whether an error already tells why there is nothing here: one at, above or below this place."""
        if len(self.errors) >= MAX_ENTRIES:
            return True
        for known in self._explained:
            length = min(len(known), len(path))
            if known[:length] == path[:length]:
                return True
        return False

    def _type_of(
        self, value: Tree, type_: GraphQLInterfaceType | GraphQLUnionType, selections: SelectionSet
    ) -> GraphQLObjectType | GraphQLInterfaceType | None:
        typename = value.get("__typename")
        named = self._schema.type_map.get(typename) if typename.__class__ is str else None
        if isinstance(named, GraphQLObjectType):
            return named if self._schema.is_sub_type(type_, named) else None
        if isinstance(type_, GraphQLInterfaceType) and (typename is None or named is type_):
            return type_ if can_stay_abstract(selections, type_, self._schema, self._variables) else None
        return None


# What a scalar makes of a value that is not null; None where it cannot be one of its values.


def _string(value: Any) -> str | None:
    return value if value.__class__ is str else None


def _id(value: Any) -> str | None:
    return str(value) if value.__class__ is int else _string(value)


def _int(value: Any) -> int | None:
    if value.__class__ is float and value.is_integer():
        value = int(value)
    return value if value.__class__ is int and -INT_RANGE <= value < INT_RANGE else None


def _float(value: Any) -> float | None:
    """Integers of more than 64 bits and decimals of many digits are rounded; none is larger than any double."""
    if value.__class__ is float or (value.__class__ is int and -(2**63) <= value < 2**64):
        return value
    if not isinstance(value, (int, float)) or value.__class__ is bool:
        return None
    try:
        number = float(value) + 0.0  # of an ExactDecimal, too
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _boolean(value: Any) -> bool | None:
    return value if value.__class__ is bool else None


def _custom(value: Any) -> Any:
    is_plain = value.__class__ is not dict and value.__class__ is not list
    return value if is_plain or not is_nested_deeper(value, MAX_SCALAR_DEPTH) else None


_SCALAR_READERS: dict[str, Callable[[Any], Any]] = {
    "String": _string,
    "ID": _id,
    "Int": _int,
    "Float": _float,
    "Boolean": _boolean,
}


def encode_response(
    data: Any, errors: list[ErrorEntry], extensions: Tree | None = None, *, is_checked: bool = True
) -> bytes:
    """The response body; `errors` come first so that a reader sees trouble before a long answer. Raises
    orjson.JSONEncodeError for what is nested too deeply and, unless the data `is_checked`, for an integer of more than
    64 bits, which may stand where GraphQL has none.
    """
    response: Tree = {}
    if errors:
        response["errors"] = errors
    response["data"] = data
    if extensions:
        response["extensions"] = extensions
    return dumps(response) if is_checked else orjson.dumps(response, default=written)


def is_without_data(body: bytes) -> bool:
    """Whether `encode_response` was given None and wrote this."""
    return body.endswith(b'"data":null}') or b',"data":null,"extensions":{' in body
