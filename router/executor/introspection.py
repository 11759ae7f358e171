"""`__schema` and `__type`: answered in the router, from the API schema, by graphql-core.

`loaded_graph` asks once per operation and variables; what it gets back is ready for the response.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf
from time import thread_time
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    Executor,
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    execute_sync,
    get_location,
    parse,
)

from router.bounded_cache import BoundedCache
from router.errors import ErrorEntry
from router.executor.subgraph_query import print_selections
from router.operation import Operation
from router.operation.document import with_incremental_directives
from router.selection_set import Field, InlineFragment, SelectionSet

INTROSPECTION_FIELDS = ("__schema", "__type")


@dataclass(frozen=True, slots=True)
class IntrospectionQuestion:
    """A query of nothing but `__schema` and `__type`, with the values of its variables."""

    text: str
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class IntrospectionAnswer:
    """`values` are JSON by response key."""

    values: dict[str, bytes]
    errors: list[ErrorEntry]

    def fragments(self) -> dict[str, orjson.Fragment]:
        return {name: orjson.Fragment(value) for name, value in self.values.items()}


class Introspection:
    """The introspection part of one operation; answers are kept per set of variable values it depends on."""

    MAX_KEPT_ANSWERS = 16

    def __init__(self, operation: Operation) -> None:
        selections = SelectionSet(tuple(_introspection_fields(operation.selections)))
        used = set(selections.variables())
        self._variables = [each for each in operation.variables if each.name in used]
        declared = ", ".join(f"${each.name}: {each.type}" for each in self._variables)
        self._text = f"query {f'({declared})' if declared else ''} {print_selections(selections)}"
        self._kept: BoundedCache[bytes, IntrospectionAnswer] = BoundedCache(self.MAX_KEPT_ANSWERS)

    async def answer(
        self,
        variables: Mapping[str, Any],
        ask: Callable[[IntrospectionQuestion], Awaitable[IntrospectionAnswer]],
    ) -> IntrospectionAnswer:
        """What is kept, or what `ask` gives; raises what it raises."""
        wanted = {each.name: variables[each.name] for each in self._variables if each.name in variables}
        key = orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS)
        return await self._kept.get_or_compute(key, lambda: ask(IntrospectionQuestion(self._text, wanted)))


def answer_introspection(
    question: IntrospectionQuestion, schema: GraphQLSchema, max_seconds: float | None = None
) -> IntrospectionAnswer | None:
    """None where it would take more than `max_seconds` of this thread's CPU time: schemas may have thousands of types."""
    try:
        result = execute_sync(
            with_incremental_directives(schema),
            parse(question.text, no_location=True),
            context_value=thread_time() + max_seconds if max_seconds is not None else inf,
            variable_values=dict(question.variables),
            executor_class=_TimedExecutor,
        )
    except _OutOfTimeError:
        return None
    values = {name: orjson.dumps(value) for name, value in (result.data or {}).items()}
    errors: list[ErrorEntry] = [
        {"message": error.message, "extensions": {"code": "INTROSPECTION_FAILED"}} for error in result.errors or ()
    ]
    return IntrospectionAnswer(values, errors)


class _OutOfTimeError(BaseException):
    """Not an Exception: the executor would make a field's error of it and go on."""


class _TimedExecutor(Executor[None]):
    """Its context value is the thread's CPU time at which to give up."""

    def execute_field(self, *arguments: Any) -> Any:
        if thread_time() > self.context_value:
            raise _OutOfTimeError
        return super().execute_field(*arguments)


def asks_for_introspection(operation: Operation) -> bool:
    return _asks(operation.selections)


def introspection_locations(document: DocumentNode) -> list[dict[str, int]]:
    """Where a document asks, in any of its operations and fragments."""
    fields: list[FieldNode] = []
    waiting: list[Any] = [node.selection_set for node in document.definitions if hasattr(node, "selection_set")]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode) and node.name.value in INTROSPECTION_FIELDS:
                fields.append(node)
            elif isinstance(node, (FieldNode, InlineFragmentNode)) and node.selection_set is not None:
                waiting.append(node.selection_set)
    places = [get_location(node.loc.source, node.loc.start) for node in fields if node.loc is not None]
    return [{"line": place.line, "column": place.column} for place in places]


def without_introspection(operation: Operation) -> Operation:
    """What is left to plan."""
    return replace(operation, selections=operation.selections.without(INTROSPECTION_FIELDS))


def _introspection_fields(selections: SelectionSet) -> Iterator[Field]:
    """Also within a deferred fragment, the only kind that can stand around a root field of a normalised operation."""
    for item in selections.items:
        if isinstance(item, InlineFragment):
            yield from _introspection_fields(item.selections)
        elif item.name in INTROSPECTION_FIELDS:
            yield item


def _asks(selections: SelectionSet) -> bool:
    return any(True for _ in _introspection_fields(selections))
