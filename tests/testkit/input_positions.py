"""Every place of a schema at which a client can put a value, with an operation that puts it there.

Made from a committed SDL by the test of hostile inputs, so that a new argument or input field is tried without a word.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

_MACHINERY = {"_service", "_entities"}
_DEEPEST = 2

#: A sensible value for a leaf, by its input type and name: `valid("ID", "foodId", "Mutation.logMeal")`.
Valid = Callable[[str, str, str], Any]


@dataclass(frozen=True, slots=True)
class Position:
    """An argument or input field. `path` leads to it from the operation's arguments; 0 is the only entry of a list."""

    coordinate: str
    path: tuple[str | int, ...]
    leaf: str
    is_list: bool
    field: str
    entity: str | None
    kind: str


def positions(schema: GraphQLSchema) -> Iterator[Position]:
    """All positions of root fields, and of the fields of entities, which a router reaches by representation."""
    roots = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}
    for kind, root in roots.items():
        if root is not None:
            yield from _of_type(root, kind, None)
    entities = schema.type_map.get("_Entity")
    for entity in getattr(entities, "types", ()):
        yield from _of_type(entity, "query", entity.name)


def _of_type(owner: GraphQLObjectType, kind: str, entity: str | None) -> Iterator[Position]:
    for name, field in owner.fields.items():
        if name in _MACHINERY:
            continue
        for argument, declared in field.args.items():
            coordinate = f"{owner.name}.{name}({argument}:)"
            for place, path, input_type in _inside(coordinate, (argument,), declared.type, ()):
                named = get_named_type(input_type)
                is_list = is_list_type(get_nullable_type(input_type))
                yield Position(place, path, leaf=named.name, is_list=is_list, field=name, entity=entity, kind=kind)


def _inside(
    coordinate: str, path: tuple[str | int, ...], declared: GraphQLInputType, above: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str | int, ...], GraphQLInputType]]:
    yield coordinate, path, declared
    nullable = get_nullable_type(declared)
    inner, path = (nullable.of_type, (*path, 0)) if is_list_type(nullable) else (declared, path)
    named = get_named_type(inner)
    if isinstance(named, GraphQLInputObjectType) and named.name not in above:
        for name, field in named.fields.items():
            yield from _inside(f"{coordinate}.{name}", (*path, name), field.type, (*above, named.name))


class Operations:
    """Writes operations of one schema."""

    def __init__(self, schema: GraphQLSchema, valid: Valid, also: Collection[str] = ()) -> None:
        """`also` names optional input fields that sensible input has too, where a rule asks for one of several."""
        self._schema = schema
        self._valid = valid
        self._also = also

    def owner(self, position: Position) -> GraphQLObjectType:
        if position.entity is not None:
            owner = self._schema.type_map[position.entity]
        else:
            owner = getattr(self._schema, f"{position.kind}_type")
        assert isinstance(owner, GraphQLObjectType)
        return owner

    def arguments(self, position: Position, value: Any) -> dict[str, Any]:
        """What the field needs, all of it valid, and the value in its place."""
        field = self.owner(position).fields[position.field]
        where = f"{self.owner(position).name}.{position.field}"
        arguments = {
            name: self._value(name, argument.type, where)
            for name, argument in field.args.items()
            if is_non_null_type(argument.type)
        }
        self._put(arguments, position.path, value, {name: one.type for name, one in field.args.items()}, where)
        return arguments

    def with_variables(self, position: Position, value: Any) -> tuple[str, dict[str, Any]]:
        arguments = self.arguments(position, value)
        field = self.owner(position).fields[position.field]
        declared = ", ".join(f"${name}: {field.args[name].type}" for name in arguments)
        passed = ", ".join(f"{name}: ${name}" for name in arguments)
        return self._document(position, declared, passed), arguments

    def with_literals(self, position: Position, value: Any) -> tuple[str, dict[str, Any]]:
        arguments = self.arguments(position, value)
        field = self.owner(position).fields[position.field]
        passed = ", ".join(f"{name}: {_literal(value, field.args[name].type)}" for name, value in arguments.items())
        return self._document(position, "", passed), {}

    def _document(self, position: Position, declared: str, passed: str) -> str:
        field = self.owner(position).fields[position.field]
        call = f"{position.field}{f'({passed})' if passed else ''} {selection(field.type)}"
        if position.entity is None:
            return f"{position.kind} {f'({declared})' if declared else ''} {{ {call} }}"
        representation = json.dumps(self._valid("_Any", position.entity, "_Entity"))
        literal = re.sub(r'"(\w+)":', r"\1:", representation)
        head = f"query {f'({declared})' if declared else ''}"
        return f"{head} {{ _entities(representations: [{literal}]) {{ ... on {position.entity} {{ {call} }} }} }}"

    def _value(self, name: str, declared: GraphQLInputType, where: str) -> Any:
        nullable = get_nullable_type(declared)
        if is_list_type(nullable):
            return [self._value(name, nullable.of_type, where)]
        if isinstance(nullable, GraphQLInputObjectType):
            return {
                field_name: self._value(field_name, field.type, where)
                for field_name, field in nullable.fields.items()
                if is_non_null_type(field.type) or field_name in self._also
            }
        if isinstance(nullable, GraphQLEnumType):
            return next(iter(nullable.values))
        return self._valid(get_named_type(nullable).name, name, where)

    def _put(
        self,
        container: Any,
        path: tuple[str | int, ...],
        value: Any,
        types: Mapping[str, GraphQLInputType],
        where: str,
    ) -> None:
        """Set the value at the path; objects and lists on the way that are not required are made."""
        for place, step in enumerate(path[:-1]):
            declared = types[str(step)] if isinstance(step, str) else None
            if isinstance(step, str) and step not in container:
                assert declared is not None
                container[step] = self._value(step, declared, where)
            container = container[step]
            if isinstance(container, list) and not container:
                inner = get_nullable_type(declared).of_type  # type: ignore[union-attr]
                container.append(self._value(str(path[place]), inner, where))
            named = get_named_type(declared) if declared is not None else None
            if isinstance(named, GraphQLInputObjectType):
                types = {name: field.type for name, field in named.fields.items()}
        container[path[-1]] = value


def selection(output_type: Any, depth: int = 0) -> str:
    """Everything that needs no argument, to a depth: what was stored must be answerable."""
    named = get_named_type(output_type)
    if is_leaf_type(named):
        return ""
    fields = ["__typename"]
    for name, field in getattr(named, "fields", {}).items():
        if any(is_non_null_type(argument.type) for argument in field.args.values()):
            continue
        if is_leaf_type(get_named_type(field.type)):
            fields.append(name)
        elif depth < _DEEPEST:
            fields.append(f"{name} {selection(field.type, depth + 1)}")
    return f"{{ {' '.join(fields)} }}"


def _literal(value: Any, declared: GraphQLInputType) -> str:
    named = get_named_type(declared)
    if isinstance(value, dict):
        fields = named.fields if isinstance(named, GraphQLInputObjectType) else {}
        inner = (f"{name}: {_literal(each, fields[name].type)}" for name, each in value.items() if name in fields)
        return f"{{ {', '.join(inner)} }}"
    if isinstance(value, list):
        return f"[{', '.join(_literal(each, declared) for each in value)}]"
    if isinstance(named, GraphQLEnumType) and isinstance(value, str) and value.isidentifier():
        return value
    return json.dumps(value)
