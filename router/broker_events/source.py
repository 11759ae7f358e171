"""A subscription's events from the broker, where the settings say so, and from its subgraph otherwise.

The subgraph of such a field is a schema and no server: it has the field and the keys of what comes. The plan asks it for
no more than that, and completes each event from the subgraphs that have the rest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    get_named_type,
    parse,
    value_from_ast_untyped,
)

from router.access.caller import Caller
from router.broker_events.hub import BrokerEvents, object_of
from router.errors import SubgraphError
from router.exact_json import loads, value_at
from router.transport.protocol import SubgraphRequest
from router.transport.subscription_source import SubscriptionSource

Payload = dict[str, Any]


class EventWithheldError(SubgraphError):
    """Whose events they are is told by a claim that the caller's token has not."""

    code = "FORBIDDEN"


class BrokerSource:
    """A `SubscriptionSource` for one caller; `otherwise` serves the fields that no topic does."""

    def __init__(
        self, events: BrokerEvents, schema: GraphQLSchema, caller: Caller, otherwise: SubscriptionSource
    ) -> None:
        self._events = events
        self._schema = schema
        self._caller = caller
        self._otherwise = otherwise

    def open(self, request: SubgraphRequest) -> AsyncIterator[Payload]:
        body = loads(request.body)
        operation = parse(body["query"], no_location=True).definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        node = _first_field(operation.selection_set)
        root = self._schema.subscription_type
        if node is None or root is None or f"{root.name}.{node.name.value}" not in self._events.fields:
            return self._otherwise.open(request)
        return self._from_broker(request, root, node, body["variables"])

    async def _from_broker(
        self, request: SubgraphRequest, root: GraphQLObjectType, node: FieldNode, variables: Payload
    ) -> AsyncIterator[Payload]:
        name = f"{root.name}.{node.name.value}"
        field = self._events.fields[name]
        definition = root.fields[node.name.value]
        arguments = {name: each.default_value for name, each in definition.args.items()}
        arguments |= {each.name.value: value_from_ast_untyped(each.value, variables) for each in node.arguments or ()}
        arguments = {name: None if value is Undefined else value for name, value in arguments.items()}
        wanted = {place: self._wanted(text, arguments, request.subgraph) for place, text in field.match.items()}
        key = node.alias.value if node.alias else node.name.value
        type_name = get_named_type(definition.type).name
        async with aclosing(self._events.subscribe(name, wanted, request.subgraph)) as records:
            async for record in records:
                yield {"data": {key: self._shaped(node.selection_set, type_name, object_of(field, record))}}

    def _wanted(self, text: str, arguments: Mapping[str, Any], subgraph: str) -> Any:
        kind, _, place = text.partition(".")
        if kind == "args":
            return value_at(arguments, place)
        value = value_at(self._caller.claims, place)
        if value is None:
            raise EventWithheldError("These events are for those whose token says who they are.", subgraph)
        return value

    def _shaped(self, selections: SelectionSetNode | None, type_name: str, value: Any) -> Any:
        """The fields that are asked for, under the names under which they are."""
        if isinstance(value, list):
            return [self._shaped(selections, type_name, each) for each in value]
        if selections is None or not isinstance(value, dict):
            return value
        told = value.get("__typename", type_name)
        shaped: Payload = {}
        for item in selections.selections:
            if isinstance(item, FieldNode):
                inner = told if item.name.value == "__typename" else value.get(item.name.value)
                key = item.alias.value if item.alias else item.name.value
                shaped[key] = self._shaped(item.selection_set, self._type_below(told, item.name.value), inner)
            elif isinstance(item, InlineFragmentNode) and self._applies(item, told):
                shaped |= self._shaped(item.selection_set, told, value)
        return shaped

    def _type_below(self, type_name: str, field_name: str) -> str:
        fields = getattr(self._schema.type_map.get(type_name), "fields", {})
        return get_named_type(fields[field_name].type).name if field_name in fields else ""

    def _applies(self, fragment: InlineFragmentNode, type_name: str) -> bool:
        if fragment.type_condition is None or fragment.type_condition.name.value == type_name:
            return True
        condition = self._schema.type_map.get(fragment.type_condition.name.value)
        own = self._schema.type_map.get(type_name)
        return condition in getattr(own, "interfaces", ()) or own in getattr(condition, "types", ())


def _first_field(selections: SelectionSetNode) -> FieldNode | None:
    """A subscription has one field, perhaps in a fragment."""
    for item in selections.selections:
        if isinstance(item, FieldNode):
            return item
        if isinstance(item, InlineFragmentNode) and (found := _first_field(item.selection_set)) is not None:
            return found
    return None
