"""A federated subgraph served from SDL and a World, strict about what a router may ask of it.

Used in-process by the conformance runner and the property test. Asking for an `@external` field that is not provided,
sending a representation without a whole key or without what `@requires` names is an error, as it is in real subgraphs.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
    execute,
    get_named_type,
    parse,
    validate,
)

from tests.testkit.failure_modes import FailureMode, StubResponse, apply_failure
from tests.testkit.subgraph_schema import FieldFacts, TypeFacts, read_subgraph_schema
from tests.testkit.world import JsonObject, World, canonical, computed_value, project, with_arguments, with_directives

NO_FACTS = FieldFacts()


@dataclass(frozen=True, slots=True)
class Node:
    """An object in resolution: its facts, what `@provides` allows below it, the representation it came by."""

    fact: JsonObject
    provided: tuple[SelectionSetNode, ...] = ()
    representation: JsonObject | None = None
    typename: str | None = None  # of an interface object


@dataclass(slots=True)
class SubgraphStub:
    """One subgraph. `requests` keeps every request body, oldest first."""

    name: str
    sdl: str
    world: World
    failure: FailureMode | None = None
    requests: list[JsonObject] = field(default_factory=list)
    resolved: set[tuple[str, str]] = field(default_factory=set)  # (type, field) of all answers since the last request
    entity_types: set[str] = field(default_factory=set)  # of all representations since the last request
    _subgraph: Any = None
    _documents: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._subgraph = read_subgraph_schema(self.sdl)

    async def answer(self, body: bytes) -> StubResponse:
        """The HTTP answer to a POSTed GraphQL request."""
        request = json.loads(body)
        self.requests.append(request)
        if self.failure is not None and self.failure.delay_seconds:
            await asyncio.sleep(self.failure.delay_seconds)
        response = StubResponse(200, "application/json", self._execute(request))
        return apply_failure(self.failure, response) if self.failure is not None else response

    def _execute(self, request: JsonObject) -> bytes:
        try:
            document = self._document(request["query"])
        except GraphQLError as error:
            return json.dumps({"errors": [error.formatted]}).encode()
        if isinstance(document, list):
            return json.dumps({"errors": [error.formatted for error in document]}).encode()
        result = execute(
            self._subgraph.schema,
            document,
            root_value=Node({}),
            variable_values=request.get("variables"),
            operation_name=request.get("operationName"),
            field_resolver=self._resolve,
            type_resolver=self._resolve_type,
        )
        return json.dumps(result.formatted).encode()  # type: ignore[union-attr]

    def _document(self, query: str) -> Any:
        """The parsed document, or its validation errors."""
        if query not in self._documents:
            document = parse(query)
            self._documents[query] = validate(self._subgraph.schema, document) or document
        return self._documents[query]

    def _resolve(self, source: Node, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        type_name, name = info.parent_type.name, info.field_name
        self.resolved.add((type_name, name))
        root = self._subgraph.root_names.get(type_name)
        if root is not None:
            if name == "_entities":
                return [self._entity_or_error(r) for r in arguments["representations"]]
            if name == "_service":
                return Node({"__typename": "_Service", "sdl": self.sdl})
            self.world.root_calls.append(f"{self.name}.{name}")
            source = Node(self.world.roots[root])
        facts = self._field_facts(type_name, name)
        if facts.requires is not None:
            computed = self._compute(source, facts.requires, info, arguments)
            return self._wrap(with_directives(computed, info), facts, source, name)
        if facts.external and not self._is_reachable_external(source, type_name, name):
            raise GraphQLError(f"{self.name} was asked for the external field {type_name}.{name}")
        value = self.world.read(source.fact, name, self.name)
        value = with_directives(with_arguments(value, info.return_type, arguments), info)
        return self._wrap(value, facts, source, name)

    def _compute(self, source: Node, requires: SelectionSetNode, info: GraphQLResolveInfo[Any], arguments: Any) -> Any:
        planned = self.world.read(source.fact, info.field_name, self.name)  # raises a planned error
        required = self._required_values(source, requires, info)
        if isinstance(planned, (dict, list)) or (planned is None and info.field_name in source.fact):
            return with_arguments(planned, info.return_type, arguments)  # an object-valued or null field
        return with_arguments(
            computed_value(required, get_named_type(info.return_type).name), info.return_type, arguments
        )

    def _required_values(self, source: Node, requires: SelectionSetNode, info: GraphQLResolveInfo[Any]) -> JsonObject:
        given: JsonObject = dict(source.representation or {})
        for item in requires.selections:
            if isinstance(item, FieldNode) and item.name.value not in given and _allows(source, item.name.value):
                given.update(self.world.select(source.fact, SelectionSetNode(selections=(item,))))
        try:
            return project(given, requires, self.world)
        except KeyError as missing:
            place = f"{info.parent_type.name}.{info.field_name}"
            raise GraphQLError(f"{self.name}: {place} requires {missing} which was not sent") from None

    def _is_reachable_external(self, source: Node, type_name: str, name: str) -> bool:
        return name in self._subgraph.types[type_name].key_fields or _allows(source, name)

    def _wrap(self, value: Any, facts: FieldFacts, source: Node, name: str) -> Any:
        if isinstance(value, list):
            return [self._wrap(element, facts, source, name) for element in value]
        if isinstance(value, dict) and "__typename" in value:
            provided = tuple(s for p in source.provided for s in _below(p, name))
            own = (facts.provides,) if facts.provides is not None else ()
            return Node(value, provided + own)
        return value

    def _entity_or_error(self, representation: JsonObject) -> Any:
        try:
            return self._entity(representation)
        except GraphQLError as error:
            return error

    def _entity(self, representation: JsonObject) -> Node | None:
        typename = representation.get("__typename", "")
        self.entity_types.add(typename)
        facts: TypeFacts | None = self._subgraph.types.get(typename)
        if facts is None or not facts.keys:
            raise GraphQLError(f"{self.name} has no entity {typename!r}")
        unknown = representation.keys() - facts.fields.keys() - {"__typename"}
        if unknown:
            raise GraphQLError(f"{self.name}: representation of {typename} has unknown fields {sorted(unknown)}")
        for key in facts.keys:
            try:
                wanted = project(representation, key, self.world)
            except (KeyError, TypeError):
                continue
            if None in wanted.values():
                continue
            for fact in self.world.objects_of(typename):
                # as JSON: to Python `true` is `1`
                is_meant = canonical(self.world.select(fact, key)) == canonical(wanted)
                if is_meant and fact.get("@missing") != self.name:
                    return Node(fact, (), representation, typename if facts.interface_object else None)
            return None
        raise GraphQLError(f"{self.name}: representation {representation} has no whole key of {typename}")

    def _resolve_type(self, value: Node, _info: GraphQLResolveInfo[Any], _abstract_type: Any) -> str:
        if value.typename is not None:
            return value.typename
        concrete = str(value.fact["__typename"])
        if concrete in self._subgraph.types:
            return concrete
        return next((n for n, t in self._subgraph.types.items() if self._stands_for(n, t, concrete)), concrete)

    def _stands_for(self, name: str, facts: TypeFacts, concrete: str) -> bool:
        return facts.interface_object and concrete in self.world.concrete_types(name)

    def _field_facts(self, type_name: str, name: str) -> FieldFacts:
        facts: TypeFacts | None = self._subgraph.types.get(type_name)
        return facts.fields.get(name, NO_FACTS) if facts is not None else NO_FACTS


def _allows(source: Node, name: str) -> bool:
    return any(name in _field_names(s, source.fact["__typename"]) for s in source.provided)


def _field_names(selections: SelectionSetNode, typename: str) -> set[str]:
    names: set[str] = set()
    for item in selections.selections:
        if isinstance(item, FieldNode):
            names.add(item.name.value)
        elif isinstance(item, InlineFragmentNode):
            names |= _field_names(item.selection_set, typename)
    return names


def _below(selections: SelectionSetNode, name: str) -> list[SelectionSetNode]:
    """The sub-selections that a field set has under a field, fragments opened."""
    found: list[SelectionSetNode] = []
    for item in selections.selections:
        if isinstance(item, FieldNode) and item.name.value == name and item.selection_set is not None:
            found.append(item.selection_set)
        elif isinstance(item, InlineFragmentNode):
            found += _below(item.selection_set, name)
    return found
