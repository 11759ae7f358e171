"""The facts that stub subgraphs and the monolith answer from.

Written by hand in `data.json` or by `tests/testkit/random_world.py`; read by `subgraph_stub` and `monolith`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLOutputType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    value_from_ast_untyped,
)
from graphql.execution.values import get_argument_values

JsonObject = dict[str, Any]


@dataclass(slots=True)
class World:
    """Objects by label, root field values, and which object types implement which interface.

    Inside a value, `"@label"` refers to an object, `"!message"` is a field error, `{"$count": "name"}` counts calls.
    The entry `"field@subgraph"` of an object is what one subgraph answers instead of `"field"`.
    """

    objects: Mapping[str, JsonObject]
    roots: Mapping[str, JsonObject]
    implementations: Mapping[str, frozenset[str]]
    counters: dict[str, int] = field(default_factory=dict)
    root_calls: list[str] = field(default_factory=list)  # "subgraph.field", oldest first
    computed: Mapping[tuple[str, str], tuple[SelectionSetNode, str]] = field(default_factory=dict)
    """Fields with `@requires` by (object type, field): the field set and the named type they return."""
    contextual: Mapping[tuple[str, str], tuple[str, SelectionSetNode]] = field(default_factory=dict)
    """Fields whose argument "c" is filled from above: the type further up and what is read there."""

    @classmethod
    def from_json(cls, text: str, implementations: Mapping[str, frozenset[str]]) -> World:
        content = json.loads(text)
        roots = {name: content.get(name, {}) for name in ("Query", "Mutation", "Subscription")}
        return cls(objects=content.get("objects", {}), roots=roots, implementations=implementations)

    def concrete_types(self, type_name: str) -> frozenset[str]:
        return self.implementations.get(type_name, frozenset({type_name}))

    def objects_of(self, type_name: str) -> Iterable[JsonObject]:
        wanted = self.concrete_types(type_name)
        return (fact for fact in self.objects.values() if fact["__typename"] in wanted)

    def read(self, fact: JsonObject, name: str, subgraph: str | None) -> Any:
        """The value of a field with references followed; raises GraphQLError for a planned failure."""
        value = fact.get(f"{name}@{subgraph}", fact.get(name))
        return self._follow(value)

    def _follow(self, value: Any) -> Any:
        if isinstance(value, str):
            if value.startswith("@"):
                return self.objects[value[1:]]
            if value.startswith("!"):
                raise planned_error(value[1:])
        if isinstance(value, list):
            return [self._follow_element(element) for element in value]
        if isinstance(value, dict) and "$count" in value:
            counter = value["$count"]
            self.counters[counter] = self.counters.get(counter, 0) + 1
            return self.counters[counter]
        return value

    def _follow_element(self, element: Any) -> Any:
        """An error inside a list belongs to its element, so it is handed on as a value."""
        try:
            return self._follow(element)
        except GraphQLError as error:
            return error

    def select(self, fact: JsonObject, selections: SelectionSetNode) -> JsonObject:
        """The values of a field set, as a representation carries them (without `__typename`)."""
        selected: JsonObject = {}
        for node in selections.selections:
            if isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                if condition is None or fact["__typename"] in self.concrete_types(condition.name.value):
                    selected.update(self.select(fact, node.selection_set))
            elif isinstance(node, FieldNode) and node.name.value != "__typename":
                arguments = {a.name.value: value_from_ast_untyped(a.value) for a in node.arguments or ()}
                value = with_arguments(self.true_value(fact, node.name.value), None, arguments)
                selected[node.name.value] = self._select_within(value, node.selection_set)
        return selected

    def true_value(self, fact: JsonObject, name: str) -> Any:
        """The value of a field before arguments, as the whole graph sees it: computed where it has `@requires`."""
        rule = self.computed.get((fact.get("__typename", ""), name))
        if rule is not None and name in fact and fact[name] is None:
            return None
        return computed_value(self.select(fact, rule[0]), rule[1]) if rule else self.read(fact, name, None)

    def _select_within(self, value: Any, selections: SelectionSetNode | None) -> Any:
        if isinstance(value, list):
            return [self._select_within(element, selections) for element in value]
        if selections is None or value is None:
            return value
        return self.select(value, selections)


def planned_error(text: str) -> GraphQLError:
    """`CODE: message` or `message`."""
    code, separator, message = text.partition(": ")
    if separator and code.isupper():
        return GraphQLError(message, extensions={"code": code})
    return GraphQLError(text)


def with_arguments(value: Any, return_type: GraphQLOutputType | None, arguments: Mapping[str, Any]) -> Any:
    """What arguments do to a value, by rules simple enough to foretell.

    `first` cuts a list; a list under a non-list field is searched for the element that has the arguments' values;
    a text gets the arguments appended, so that a lost or changed argument is seen.
    """
    if not arguments or value is None:
        return value
    if isinstance(value, list):
        if return_type is not None and not is_list_type(get_nullable_type(return_type)):
            return next((item for item in value if _matches(item, arguments)), None)
        first = arguments.get("first")
        return value[:first] if isinstance(first, int) and first >= 0 else value
    is_text = return_type is None or get_named_type(return_type).name == "String"
    return f"{value}{canonical(arguments)}" if isinstance(value, str) and is_text else value


def with_directives(value: Any, info: GraphQLResolveInfo[Any]) -> Any:
    """A text gets the custom directives of its field appended, so that a lost or changed one is seen."""
    if not isinstance(value, str) or get_named_type(info.return_type).name != "String":
        return value
    told = {
        f"@{node.name.value}{canonical(get_argument_values(definition, node, info.variable_values))}"
        for field_node in info.field_nodes
        for node in field_node.directives or ()
        if node.name.value not in ("skip", "include")
        and (definition := info.schema.get_directive(node.name.value)) is not None
    }
    return value + "".join(sorted(told))


def _matches(item: Any, arguments: Mapping[str, Any]) -> bool:
    return isinstance(item, dict) and all(item.get(name) == value for name, value in arguments.items())


def computed_value(required: JsonObject, type_name: str) -> Any:
    """The value of a field with `@requires`: a function of everything it was given."""
    text = canonical(required)
    return f"from {text}" if type_name == "String" else crc32(text.encode()) % 1000


def project(representation: JsonObject, selections: SelectionSetNode, world: World) -> JsonObject:
    """The part of a representation that a field set names; a missing field raises KeyError."""
    projected: JsonObject = {}
    for node in selections.selections:
        if isinstance(node, InlineFragmentNode):
            if _applies(representation, node, world):
                projected.update(project(representation, node.selection_set, world))
        elif isinstance(node, FieldNode) and node.name.value != "__typename":
            projected[node.name.value] = _project_within(representation[node.name.value], node.selection_set, world)
    return projected


def _applies(representation: JsonObject, fragment: InlineFragmentNode, world: World) -> bool:
    condition, typename = fragment.type_condition, representation.get("__typename")
    if condition is None:
        return True
    if typename is not None:
        return typename == condition.name.value or typename in world.concrete_types(condition.name.value)
    wanted = {node.name.value for node in fragment.selection_set.selections if isinstance(node, FieldNode)}
    return wanted <= representation.keys()


def _project_within(value: Any, selections: SelectionSetNode | None, world: World) -> Any:
    if isinstance(value, list):
        return [_project_within(element, selections, world) for element in value]
    if selections is None or value is None:
        return value
    return project(value, selections, world)


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
