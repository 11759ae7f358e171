"""graphql-core's executor with short ways for leaves that are plain attributes, and a bound on the number of objects.

Given to a schema by `graphql_schema`.

Most fields of an answer are such leaves. For each, graphql-core makes a path and a resolve info that nobody looks at;
here they are read and serialised at once. Whatever is not simple, errors included, goes the long way.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar, TypeAlias

from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLString,
    Undefined,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
)
from strawberry import Info
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import CustomGraphQLEnumType
from strawberry.types.field import StrawberryField

from subgraphs.shell.allowance import MOST_OBJECTS, too_many_objects

#: Of GraphQL's Int.
LEAST_INT, MOST_INT = -(2**31), 2**31 - 1


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar or enum field whose value is read off the object. `serialize` raises for a value that is none of it."""

    read: Callable[[Any], Any]
    serialize: Callable[[Any], Any]
    nullable: bool
    #: The class whose instances are serialised as they are, floats that are finite and ints of 32 bits; None where there is none.
    exact: type | None


@dataclass(frozen=True, slots=True)
class OfSource:
    """A resolver that looks at the object and at nothing else: an attribute, or a method without arguments."""

    read: Callable[[Any], Any]

    def __call__(self, source: Any, _info: Any) -> Any:
        return self.read(source)


@dataclass(frozen=True, slots=True)
class OfInfo:
    """A resolver that looks at the object and at Strawberry's info, and at nothing else."""

    function: Callable[[Any, Info], Any]
    field: StrawberryField

    def __call__(self, source: Any, info: GraphQLResolveInfo[Any]) -> Any:
        return self.function(source, Info(_raw_info=info, _field=self.field))


#: By type name and field name.
Leaves: TypeAlias = Mapping[str, Mapping[str, Leaf]]


def leaf_of(output_type: GraphQLOutputType, read: Callable[[Any], Any]) -> Leaf | None:
    """None for what has fields of its own, and for lists."""
    named: Any = output_type.of_type if isinstance(output_type, GraphQLNonNull) else output_type
    if not is_leaf_type(named):
        return None
    return Leaf(read, serializer_of(named), named is output_type, _EXACT.get(named))


_EXACT: dict[Any, type] = {
    GraphQLString: str,
    GraphQLID: str,
    GraphQLBoolean: bool,
    GraphQLFloat: float,
    GraphQLInt: int,
}


def serializer_of(leaf_type: Any) -> Callable[[Any], Any]:
    """The type's own, with a short way for members of its enum and for ordinary numbers."""
    serialize: Callable[[Any], Any] = leaf_type.coerce_output_value
    if isinstance(leaf_type, CustomGraphQLEnumType):
        members: Any = leaf_type.wrapped_cls
        names = {member: serialize(member) for member in members}
        return lambda value: names[value] if type(value) is members else serialize(value)
    if leaf_type is GraphQLInt:
        return lambda value: value if type(value) is int and LEAST_INT <= value <= MOST_INT else serialize(value)
    if leaf_type is GraphQLFloat:
        return lambda value: value if type(value) is float and isfinite(value) else serialize(value)
    return serialize


@dataclass(frozen=True, slots=True)
class _Way:
    """How a value of a type is completed: by which of the executor's methods, as which type within the non-null one."""

    type: Any
    complete: str
    is_leaf: bool = False


def _way_of(output_type: GraphQLOutputType) -> _Way:
    named: Any = output_type.of_type if isinstance(output_type, GraphQLNonNull) else output_type
    if is_list_type(named):
        return _Way(named, "complete_list_value")
    if is_leaf_type(named):
        return _Way(named, "complete_leaf_value", is_leaf=True)
    return _Way(named, "complete_abstract_value" if is_abstract_type(named) else "complete_object_value")


class LeanExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation; `lean_executor` makes the class of one schema."""

    leaves: ClassVar[Leaves]
    ways: ClassVar[dict[GraphQLOutputType, _Way]]
    _objects_left = MOST_OBJECTS

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Any,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        self._objects_left -= 1
        if self._objects_left < 0:
            raise too_many_objects(self.context_value)
        known = self.leaves.get(parent_type.name)
        if not known:
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        results: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for response_name, details in grouped_field_set.items():
            leaf = known.get(details[0].node.name.value)
            value = _NOT_SIMPLE if leaf is None else _value(leaf, source_value)
            if value is _NOT_SIMPLE:
                others[response_name] = details
            results[response_name] = value  # the others have a place, for the order is the client's
        if not others:
            return results
        rest = super().execute_fields(parent_type, source_value, path, others, position_context)
        if isinstance(rest, dict):
            results.update(rest)
            return results
        return _completed(results, rest)

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: Any,
        info: Any,
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        """The type is looked up once, where graphql-core asks it up to seven times what kind it is."""
        way = self.ways.get(return_type)
        if way is None:
            way = self.ways[return_type] = _way_of(return_type)
        if result is not None and result is not Undefined and not isinstance(result, Exception):
            if way.is_leaf:
                completed = self.complete_leaf_value(way.type, result)
            else:
                complete = getattr(self, way.complete)
                completed = complete(way.type, field_details_list, info, path, result, position_context)
            if completed is not None:
                return completed
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    def with_abort_signal(self, awaitable: Any) -> Any:
        """There is no signal that could abort: `Stoppable` cancels the task. graphql-core wraps each awaitable all the same."""
        return awaitable

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: Any,
        info: Any,
        path: Any,
        items: Any,
        position_context: Any,
    ) -> Any:
        """A list that would be too long is not begun."""
        if isinstance(items, list) and len(items) > self._objects_left:
            self._objects_left = 0
            raise too_many_objects(self.context_value)
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)


def lean_executor(leaves: Leaves) -> type[LeanExecutor]:
    """The executor of one schema."""
    return type("SchemaExecutor", (LeanExecutor,), {"leaves": leaves, "ways": {}})


_NOT_SIMPLE = object()


def _value(leaf: Leaf, source: Any) -> Any:
    """_NOT_SIMPLE where there is an error to be told."""
    try:
        value = leaf.read(source)
        if value is not None:
            value = leaf.serialize(value)
            return _NOT_SIMPLE if value is None else value
    except Exception:  # the long way raises it again, with its place in the answer
        return _NOT_SIMPLE
    return None if leaf.nullable else _NOT_SIMPLE


async def _completed(results: dict[str, Any], rest: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    results.update(await rest)
    return results
