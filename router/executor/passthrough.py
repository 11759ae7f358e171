"""Answers that one subgraph has already shaped: its bytes are checked and passed on, without making objects of them.

`execute` uses it for plans of a single fetch that asks exactly what the client asks. The check is a typed decoder made
from the API schema: it refuses whatever the projection would have to correct, and then the ordinary way is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
)

from router.query_plan import Fetch, PlanNode
from router.selection_set import Field, SelectionSet
from router.transport.protocol import SubgraphAnswer

Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]

#: Making the check takes some 10 us a field; whatever is larger is projected.
MAX_FIELDS = 1_000

#: The types of values by GraphQL's own scalars.
SCALARS: dict[str, Any] = {"String": str, "ID": str, "Int": Int32, "Float": float, "Boolean": bool}


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    """The same response as `_checked` has it, whose data are wanted as they stand."""

    data: msgspec.Raw
    extensions: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_envelope = msgspec.json.Decoder(_Envelope)


def _checked(data_type: Any) -> Any:
    """A response without `errors`. One that has that key, even with null, or a key that GraphQL does not define, is
    projected in the ordinary way.
    """
    extensions = ("extensions", msgspec.Raw | msgspec.UnsetType, msgspec.UNSET)
    return msgspec.defstruct("Checked", [("data", data_type), extensions], forbid_unknown_fields=True, gc=False)


class NotIdentityError(Exception):
    """The client's shape needs work on the subgraph's data."""


class Passthrough:
    """The check for one operation."""

    def __init__(self, data_type: Any) -> None:
        self._decoder = msgspec.json.Decoder(_checked(data_type))

    def body(self, answer: SubgraphAnswer) -> bytes | None:
        """The response body for the client, or None where the answer is not exactly what the schema promises."""
        if answer.status != 200:
            return None
        try:
            checked = self._decoder.decode(answer.body)
            if checked.extensions is msgspec.UNSET:
                return answer.body  # megabytes, perhaps, of which no copy is made
            bytes(checked.extensions).decode()  # of what is passed over, msgspec looks at the signs of JSON alone
            return b'{"data":%b}' % bytes(_envelope.decode(answer.body).data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


def compile_passthrough(node: PlanNode | None, selections: SelectionSet, schema: GraphQLSchema) -> Passthrough | None:
    """None where the plan is more than one query, or large, or where a shape depends on types or conditions."""
    if not isinstance(node, Fetch) or node.operation_type != "query" or node.renames or node.selections != selections:
        return None
    if _count_fields(selections) > MAX_FIELDS:
        return None
    assert schema.query_type is not None
    try:
        return Passthrough(_object_type(schema.query_type, selections))
    except NotIdentityError:
        return None


def _count_fields(selections: SelectionSet) -> int:
    return sum(1 + (_count_fields(item.selections) if item.selections else 0) for item in selections.items)


def _object_type(type_: GraphQLObjectType, selections: SelectionSet) -> Any:
    fields: list[tuple[str, Any]] = []
    names: dict[str, str] = {}
    for number, item in enumerate(selections.items):
        if not isinstance(item, Field) or item.conditions:
            raise NotIdentityError
        if item.name == "__typename":
            found: Any = Literal[type_.name]
        elif item.name.startswith("__"):
            raise NotIdentityError
        else:
            inner = item.selections or SelectionSet(())
            found = value_type(type_.fields[item.name].type, SCALARS, partial(_object_type, selections=inner))
        # response keys may be words of Python, so attributes get names of our own
        names[f"f{number}"] = item.response_key
        fields.append((f"f{number}", found))
    if not fields or len(set(names.values())) < len(names):
        raise NotIdentityError
    return msgspec.defstruct(type_.name, fields, rename=names, forbid_unknown_fields=True, gc=False)


def value_type(
    type_: GraphQLOutputType, scalars: Mapping[str, Any], object_type: Callable[[GraphQLObjectType], Any]
) -> Any:
    """What msgspec must find for a value of the type, where `object_type` tells it for objects. Raises NotIdentityError."""
    if isinstance(type_, GraphQLNonNull):
        return _present_type(type_.of_type, scalars, object_type)
    return _present_type(type_, scalars, object_type) | None


def _present_type(
    type_: GraphQLOutputType, scalars: Mapping[str, Any], object_type: Callable[[GraphQLObjectType], Any]
) -> Any:
    if isinstance(type_, GraphQLList):
        return list[value_type(type_.of_type, scalars, object_type)]  # type: ignore[misc]
    if isinstance(type_, GraphQLScalarType):
        if type_.name not in scalars:
            raise NotIdentityError  # any JSON at all: null would pass where it must not
        return scalars[type_.name]
    if isinstance(type_, GraphQLEnumType):
        return Literal[tuple(type_.values)]
    if isinstance(type_, GraphQLObjectType):
        return object_type(type_)
    raise NotIdentityError
