"""Operations for every root field and every entity of a schema, made from the schema alone, and what an answer lets a caller do.

Used by the access matrix: what a schema offers is asked as each kind of caller, so that nothing new can be left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    ast_from_value,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
    print_ast,
)

_MACHINERY = {"_entities", "_service"}
_NOTHING = {"NOT_FOUND", "FORBIDDEN", "UNAUTHORIZED_FIELD_OR_TYPE"}
_MOMENTS = {"LocalDate": "%Y-%m-%d", "DateTime": "%Y-%m-%dT%H:%M:%SZ"}
_SCALARS: Mapping[str, Any] = {
    "Int": 5,
    "Float": 50.0,
    "Boolean": False,
    "TimeZone": "UTC",
    "LocalTime": "07:30",
    "IdempotencyKey": "once",
}


class Outcome(StrEnum):
    """What a caller gets: a question who it is, nothing of what is there, or let in, if only to be told what is wrong."""

    WHO = "U"
    NOTHING = "N"
    LET_IN = "Y"


@dataclass(frozen=True)
class Asked:
    """An operation of one root field, ready to send."""

    coordinate: str
    field: str
    body: dict[str, Any]

    def outcome(self, answer: Mapping[str, Any]) -> Outcome:
        """What the answer to it was. Raises AssertionError for an answer that is none of this operation's."""
        found = (answer.get("data") or {}).get(self.field)
        errors = answer.get("errors") or ()
        assert not any(error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED" for error in errors), answer
        # What is nested deeper has a cell of its own, as a field of its entity.
        codes = [error["extensions"]["code"] for error in errors if len(error.get("path", ())) < 2]
        codes += [error["code"] for error in (found or {}).get("userErrors", ())] if isinstance(found, dict) else []
        return judged(found, codes)


def judged(found: Any, codes: list[str]) -> Outcome:
    if "UNAUTHENTICATED" in codes:
        return Outcome.WHO
    if _NOTHING.intersection(codes) or (found is None and not codes) or found == [None]:
        return Outcome.NOTHING
    return Outcome.LET_IN


class Asker:
    """Makes operations for one schema. `values` are what stands at places such as `DeleteMealInput.id`; a place that holds an
    id and is not among them raises KeyError.
    """

    def __init__(self, schema: GraphQLSchema, values: Mapping[str, Any]) -> None:
        self._schema = schema
        self._values = values

    def roots(self) -> Iterator[Asked]:
        """One operation for each query and mutation."""
        for root, kind in ((self._schema.query_type, "query"), (self._schema.mutation_type, "mutation")):
            for name, field in (root.fields if root else {}).items():
                if root is not None and name not in _MACHINERY:
                    yield self._asked(root, kind, name, field)

    def entity(self, name: str, representation: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each field of one entity with a body that asks a subgraph for it, as `entity`, by a representation."""
        for field, selection in self._fields(name):
            query = f"query($of: [_Any!]!) {{ entity: _entities(representations: $of) {{ {selection} }} }}"
            yield field, {"query": query, "variables": {"of": [{"__typename": name, **representation}]}}

    def node(self, name: str, node_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each field of one entity with a body that asks the router for it, as `entity`, by its id."""
        for field, selection in self._fields(name):
            query = f"query($id: ID!) {{ entity: node(id: $id) {{ {selection} }} }}"
            yield field, {"query": query, "variables": {"id": node_id}}

    def _fields(self, name: str) -> Iterator[tuple[str, str]]:
        entity = self._schema.type_map[name]
        assert isinstance(entity, GraphQLObjectType)
        for field, found in entity.fields.items():
            yield field, f"... on {name} {{ {field}{self._selected(f'{name}.{field}', found)} }}"

    def _asked(self, root: GraphQLObjectType, kind: str, name: str, field: GraphQLField) -> Asked:
        coordinate = f"{root.name}.{name}"
        required = {each: argument for each, argument in field.args.items() if is_required_argument(argument)}
        variables = {each: self._value(argument.type, f"{coordinate}.{each}") for each, argument in required.items()}
        declared = ", ".join(f"${each}: {argument.type}" for each, argument in required.items())
        given = ", ".join(f"{each}: ${each}" for each in required)
        text = f"{kind}{f'({declared})' if declared else ''} {{ {name}{f'({given})' if given else ''}{_selection(field.type, 2)} }}"
        return Asked(coordinate, name, {"query": text, "variables": variables})

    def _selected(self, coordinate: str, field: GraphQLField) -> str:
        """Arguments and selection of an entity's field; the arguments in place, as they are few and simple."""
        required = {name: argument for name, argument in field.args.items() if is_required_argument(argument)}
        given = ", ".join(
            f"{name}: {_literal(self._value(argument.type, f'{coordinate}.{name}'), argument.type)}"
            for name, argument in required.items()
        )
        return f"{f'({given})' if given else ''}{_selection(field.type, 1)}"

    def _value(self, kind: GraphQLInputType, place: str) -> Any:
        if place in self._values:
            return self._values[place]
        if isinstance(kind, GraphQLNonNull):
            return self._value(kind.of_type, place)
        if isinstance(kind, GraphQLList):
            return [self._value(kind.of_type, place)]
        if isinstance(kind, GraphQLEnumType):
            return next(iter(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            return {
                name: self._value(field.type, f"{kind.name}.{name}")
                for name, field in kind.fields.items()
                if is_required_input_field(field) or f"{kind.name}.{name}" in self._values
            }
        return self._scalar(kind.name, place)

    def _scalar(self, name: str, place: str) -> Any:
        if name == "ID":
            raise KeyError(f"the matrix needs an id for {place}")
        if name in _MOMENTS:
            return datetime.now(UTC).strftime(_MOMENTS[name])
        return _SCALARS.get(name, "Something")


def _literal(value: Any, kind: GraphQLInputType) -> str:
    node = ast_from_value(value, kind)
    assert node is not None
    return print_ast(node)


def _selection(kind: GraphQLOutputType, depth: int) -> str:
    """Everything that can be selected without arguments, down to `depth` levels of objects; of a User, the id alone.

    What is shut of a person would take the rest with it, and every field of a User has a cell of its own.
    """
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    if named.name == "User":
        return " { __typename id }"
    fields = named.fields if isinstance(named, GraphQLObjectType | GraphQLInterfaceType) else {}
    parts = ["__typename"]
    for name, field in fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        below = get_named_type(field.type)
        if is_leaf_type(below):
            parts.append(name)
        elif name == "userErrors" or (depth > 1 and not isinstance(below, GraphQLUnionType)):
            parts.append(f"{name}{_selection(field.type, depth - 1)}")
    return f" {{ {' '.join(parts)} }}"
