"""`__schema` and `__type`: answered in the router, from the API schema, by graphql-core.

`pipeline` calls it once per operation that asks for introspection; what it gives back is ready for the response.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    execute_sync,
    get_location,
    parse,
)

from router.errors import ErrorEntry
from router.executor.subgraph_query import print_selections
from router.operation import Operation
from router.operation.document import with_incremental_directives
from router.selection_set import Field, InlineFragment, SelectionSet

INTROSPECTION_FIELDS = ("__schema", "__type")


class Introspection:
    """The introspection part of one operation; answers are kept per set of variable values it depends on."""

    MAX_KEPT_ANSWERS = 16

    def __init__(self, operation: Operation, schema: GraphQLSchema) -> None:
        self._fields = list(_introspection_fields(operation.selections))
        self._schema = with_incremental_directives(schema)
        used = set().union(*(_variables_of(field) for field in self._fields))
        self._variables = [each for each in operation.variables if each.name in used]
        declared = ", ".join(f"${each.name}: {each.type}" for each in self._variables)
        text = f"query {f'({declared})' if declared else ''} {print_selections(SelectionSet(tuple(self._fields)))}"
        self._document = parse(text) if self._fields else None
        self._kept: dict[bytes, tuple[dict[str, orjson.Fragment], list[ErrorEntry]]] = {}

    def answer(self, variables: Mapping[str, Any]) -> tuple[dict[str, orjson.Fragment], list[ErrorEntry]]:
        """Encoded values by response key, and errors."""
        if self._document is None:
            return {}, []
        wanted = {each.name: variables[each.name] for each in self._variables if each.name in variables}
        key = orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS)
        if key not in self._kept:
            result = execute_sync(self._schema, self._document, variable_values=wanted)
            values = {name: orjson.Fragment(orjson.dumps(value)) for name, value in (result.data or {}).items()}
            errors: list[ErrorEntry] = [
                {"message": error.message, "extensions": {"code": "INTROSPECTION_FAILED"}}
                for error in result.errors or ()
            ]
            if len(self._kept) >= self.MAX_KEPT_ANSWERS:
                self._kept.clear()
            self._kept[key] = (values, errors)
        return self._kept[key]


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
    return replace(operation, selections=_rest(operation.selections))


def _is_introspection(item: Field | InlineFragment) -> bool:
    return isinstance(item, Field) and item.name in INTROSPECTION_FIELDS


def _introspection_fields(selections: SelectionSet) -> Iterator[Field]:
    """Also within a deferred fragment, the only kind that can stand around a root field of a normalised operation."""
    for item in selections.items:
        if isinstance(item, InlineFragment):
            yield from _introspection_fields(item.selections)
        elif _is_introspection(item):
            yield item


def _asks(selections: SelectionSet) -> bool:
    return any(True for _ in _introspection_fields(selections))


def _rest(selections: SelectionSet) -> SelectionSet:
    items: list[Field | InlineFragment] = []
    for item in selections.items:
        if isinstance(item, InlineFragment):
            inner = _rest(item.selections)
            if inner.items:
                items.append(replace(item, selections=inner))
        elif not _is_introspection(item):
            items.append(item)
    return SelectionSet(tuple(items))


def _variables_of(item: Field | InlineFragment) -> set[str]:
    used = {condition.variable for condition in item.conditions}
    if isinstance(item, Field):
        used.update(*(argument.variables for argument in item.arguments))
    for inner in item.selections.items if item.selections else ():
        used |= _variables_of(inner)
    return used
