"""`__schema` and `__type`: answered in the router, from the API schema, by graphql-core.

`loaded_graph` asks once per operation and variables; what it gets back is ready for the response.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil, inf
from time import thread_time
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    Executor,
    FieldNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    execute_sync,
    get_introspection_query,
    get_location,
    is_abstract_type,
    parse,
)

from router.bounded_cache import BoundedCache
from router.errors import ErrorEntry, LimitExceededError
from router.executor.subgraph_query import print_selections
from router.operation import Operation, normalize
from router.operation.document import with_incremental_directives
from router.selection_set import Field, InlineFragment, SelectionSet

INTROSPECTION_FIELDS = ("__schema", "__type")
FIELDED = (GraphQLObjectType, GraphQLInterfaceType)
#: An operation may be told so many values, and so many times the whole schema where that is more.
MOST_INTROSPECTED = 20_000
MOST_INTROSPECTIONS = 2


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
    """The introspection part of one operation."""

    def __init__(self, operation: Operation) -> None:
        selections = SelectionSet(tuple(_introspection_fields(operation.selections)))
        used = set(selections.variables())
        self._variables = [each for each in operation.variables if each.name in used]
        declared = ", ".join(f"${each.name}: {each.type}" for each in self._variables)
        self._text = f"query {f'({declared})' if declared else ''} {print_selections(selections)}"

    def question(self, variables: Mapping[str, Any]) -> IntrospectionQuestion:
        wanted = {each.name: variables[each.name] for each in self._variables if each.name in variables}
        return IntrospectionQuestion(self._text, wanted)


class KeptIntrospections:
    """The answers of one graph by question, with the values of the variables it depends on."""

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._kept: BoundedCache[tuple[str, bytes], IntrospectionAnswer] = BoundedCache(
            max_entries,
            max_bytes=max_bytes,
            weigh=lambda key, answer: len(key[0]) + len(key[1]) + sum(map(len, answer.values.values())),
        )

    async def answer(
        self,
        question: IntrospectionQuestion,
        ask: Callable[[IntrospectionQuestion], Awaitable[IntrospectionAnswer]],
    ) -> IntrospectionAnswer:
        """What is kept, or what `ask` gives; raises what it raises."""
        key = (question.text, orjson.dumps(question.variables, option=orjson.OPT_SORT_KEYS))
        return await self._kept.get_or_compute(key, lambda: ask(question))


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


def check_introspection(operation: Operation, schema: GraphQLSchema) -> None:
    """Before it is answered. Raises LimitExceededError for what would tell much more than the whole schema once."""
    most: int | None = schema.extensions.get("router.most_introspected")
    if most is None:
        document = get_introspection_query(
            input_value_deprecation=True, specified_by_url=True, directive_is_repeatable=True
        )
        full = normalize(parse(document, no_location=True), None, schema)
        most = max(MOST_INTROSPECTED, MOST_INTROSPECTIONS * _Telling(schema).values(full.selections, None))
        schema.extensions["router.most_introspected"] = most
    told = _Telling(schema).values(SelectionSet(tuple(_introspection_fields(operation.selections))), None)
    if told > most:
        raise LimitExceededError("INTROSPECTED_VALUE", most, told)


class _Telling:
    """How many values the answer to an introspection would have, by the numbers of what the schema holds."""

    def __init__(self, schema: GraphQLSchema) -> None:
        types = list(schema.type_map.values())
        fields = [each for named in types if isinstance(named, FIELDED) for each in named.fields.values()]
        inputs = sum(len(named.fields) for named in types if isinstance(named, GraphQLInputObjectType))
        values = sum(len(named.values) for named in types if isinstance(named, GraphQLEnumType))
        members = sum(len(schema.get_possible_types(named)) for named in types if is_abstract_type(named))
        arguments = sum(len(each.args) for each in fields)
        arguments += sum(len(directive.args) for directive in schema.directives)
        #: how often what stands below a field is told, for each time that the field itself is: on the average
        self._times = {
            "types": len(types),
            "directives": len(schema.directives),
            "fields": len(fields) / len(types),
            "inputFields": inputs / len(types),
            "enumValues": values / len(types),
            "possibleTypes": members / len(types),
            "args": arguments / (len(fields) + len(schema.directives)),
        }
        # of a type that is named it may be the largest
        self._largest = max((len(named.fields) for named in types if isinstance(named, FIELDED)), default=0)

    def values(self, selections: SelectionSet, outer: str | None) -> int:
        return ceil(self._values(selections, outer, 1.0))

    def _values(self, selections: SelectionSet, outer: str | None, times: float) -> float:
        told = 0.0
        for item in selections.items:
            if isinstance(item, InlineFragment):
                told += self._values(item.selections, outer, times)
                continue
            told += times
            if item.selections is not None:
                often = self._times.get(item.name, 1.0)
                if outer == "__type" and item.name == "fields":
                    often = self._largest
                told += self._values(item.selections, item.name, times * often)
        return told


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
