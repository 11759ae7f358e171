"""graphql-core's executor with a short way for leaves that are plain attributes. Given to a schema by `graphql_schema`.

Most fields of an answer are such leaves. For each, graphql-core makes a path and a resolve info that nobody looks at;
here they are read and serialised at once. Whatever is not simple, errors included, goes the long way.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import GraphQLNonNull, GraphQLObjectType, GraphQLOutputType, is_leaf_type
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar or enum field whose value is read off the object. `serialize` raises for a value that is none of it."""

    read: Callable[[Any], Any]
    serialize: Callable[[Any], Any]
    nullable: bool


#: By type name and field name.
Leaves: TypeAlias = Mapping[str, Mapping[str, Leaf]]


def leaf_of(output_type: GraphQLOutputType, read: Callable[[Any], Any]) -> Leaf | None:
    """None for what has fields of its own, and for lists."""
    named: Any = output_type.of_type if isinstance(output_type, GraphQLNonNull) else output_type
    return Leaf(read, named.coerce_output_value, named is output_type) if is_leaf_type(named) else None


def lean_executor(leaves: Leaves) -> type[StrawberryGraphQLCoreExecutionContext]:
    """The executor of one schema."""

    class LeanExecutor(StrawberryGraphQLCoreExecutionContext):
        def execute_fields(
            self,
            parent_type: GraphQLObjectType,
            source_value: Any,
            path: Any,
            grouped_field_set: Any,
            position_context: Any,
        ) -> Any:
            known = leaves.get(parent_type.name)
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

    return LeanExecutor


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
