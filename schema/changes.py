"""What changed between two API schemas: breaking, dangerous or safe, weighed by recorded operations.

graphql-core finds the changes, this module says whom they touch.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLSchema,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    Visitor,
    find_schema_changes,
    get_named_type,
    is_interface_type,
    parse,
    type_from_ast,
    visit,
)
from graphql.utilities import BreakingChange, DangerousChange, SchemaChange

from schema.graphql_wording import coordinates_of_change


class ChangeLevel(enum.StrEnum):
    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class RecordedOperation:
    """An operation that clients really send; `count` is how often it was seen."""

    name: str
    document: DocumentNode
    count: int = 1


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `used_by` names the recorded operations that touch it, most frequent first."""

    level: ChangeLevel
    code: str
    message: str
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SchemaDiff:
    """All differences, the most severe first. `weighed` tells whether recorded operations were given."""

    changes: tuple[Change, ...]
    weighed: bool = field(default=False)

    def breaks_clients(self) -> bool:
        """Whether the change should be refused: a breaking change that is used, or of unknown use."""
        return any(
            change.level is ChangeLevel.BREAKING and (change.used_by or not self.weighed) for change in self.changes
        )


class OperationRecordError(ValueError):
    """A recorded operation could not be read; the message names file and line."""


def diff_schemas(
    old: GraphQLSchema, new: GraphQLSchema, operations: Iterable[RecordedOperation] | None = None
) -> SchemaDiff:
    """Compare two API schemas.

    >>> diff_schemas(build_schema("type Query { a: Int b: Int }"), build_schema("type Query { a: Int }")).changes
    (Change(level=<ChangeLevel.BREAKING>, code='FIELD_REMOVED', message='Field Query.b was removed.', used_by=()),)
    """
    usage = _usage(old, operations or ())
    order = list(ChangeLevel)
    changes = sorted(
        (_weigh(change, usage) for change in find_schema_changes(old, new)),
        key=lambda change: (order.index(change.level), not change.used_by, change.code, change.message),
    )
    return SchemaDiff(tuple(changes), weighed=operations is not None)


def _usage(schema: GraphQLSchema, operations: Iterable[RecordedOperation]) -> dict[str, frozenset[str]]:
    """What is touched under each name, the most frequent first. An operation may be recorded often, by interval and client,
    and clients may send different ones under one name.
    """
    counts: dict[str, int] = {}
    used: dict[str, frozenset[str]] = {}
    for operation in operations:
        counts[operation.name] = counts.get(operation.name, 0) + operation.count
        touched = used_coordinates(schema, operation.document)
        used[operation.name] = used.get(operation.name, frozenset()) | touched
    return {name: used[name] for name in sorted(counts, key=lambda name: (-counts[name], name))}


def used_coordinates(schema: GraphQLSchema, document: DocumentNode) -> frozenset[str]:
    """The schema coordinates an operation touches: `Type`, `Type.field`, `Type.field(argument:)`, `Enum.VALUE`.

    A variable of an input type counts as a use of every field of that type, for its value is not recorded.
    """
    collector = _CoordinateCollector(schema)
    visit(document, TypeInfoVisitor(collector.type_info, collector))
    return frozenset(collector.coordinates)


def read_operations(path: Path) -> list[RecordedOperation]:
    """Read a folder of `.graphql` files, one such file, or JSON lines of `{"query", "operationName"?, "count"?}`.

    Raises OperationRecordError.
    """
    if path.is_dir():
        return [operation for file in sorted(path.rglob("*.graphql")) for operation in read_operations(file)]
    text = path.read_text()
    if path.suffix != ".jsonl":
        return [RecordedOperation(path.stem, _parse(text, str(path)))]
    operations = []
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            record = orjson.loads(line)
            query, name, count = record["query"], record.get("operationName") or where, int(record.get("count", 1))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise OperationRecordError(f'{where}: not a line of the form {{"query": "...", "count": 1}}') from error
        operations.append(RecordedOperation(str(name), _parse(str(query), where), count))
    return operations


def _parse(text: str, where: str) -> DocumentNode:
    try:
        return parse(text)
    except GraphQLError as error:
        raise OperationRecordError(f"{where}: {error.message}") from error


def _weigh(change: SchemaChange, usage: Mapping[str, frozenset[str]]) -> Change:
    watched = coordinates_of_change(change)
    used_by = tuple(name for name, coordinates in usage.items() if not watched.isdisjoint(coordinates))
    return Change(_level(change), change.type.name, change.description, used_by)


def _level(change: SchemaChange) -> ChangeLevel:
    if isinstance(change, BreakingChange):
        return ChangeLevel.BREAKING
    return ChangeLevel.DANGEROUS if isinstance(change, DangerousChange) else ChangeLevel.SAFE


class _CoordinateCollector(Visitor):
    """Walks a document with type information and notes every coordinate it meets."""

    def __init__(self, schema: GraphQLSchema) -> None:
        super().__init__()
        self.schema = schema
        self.type_info = TypeInfo(schema)
        self.coordinates: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent, output = self.type_info.get_parent_type(), self.type_info.get_type()
        if parent is None:
            return
        coordinate = f"{parent.name}.{node.name.value}"
        self.coordinates |= {parent.name, coordinate}
        # A field selected on an interface is a use of the same field of every implementation.
        for implementation in self.schema.get_implementations(parent).objects if is_interface_type(parent) else ():
            self.coordinates.add(f"{implementation.name}.{node.name.value}")
        self.coordinates |= {f"{coordinate}({argument.name.value}:)" for argument in node.arguments or ()}
        if output is not None:
            self.coordinates.add(get_named_type(output).name)

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        self.coordinates.add(f"@{node.name.value}")

    def enter_inline_fragment(self, *_: object) -> None:
        self._note_type_condition()

    def enter_fragment_definition(self, *_: object) -> None:
        self._note_type_condition()

    def enter_object_field(self, node: ObjectFieldNode, *_: object) -> None:
        parent = self.type_info.get_parent_input_type()
        if parent is not None:
            name = get_named_type(parent).name
            self.coordinates |= {name, f"{name}.{node.name.value}"}

    def enter_enum_value(self, node: EnumValueNode, *_: object) -> None:
        input_type = self.type_info.get_input_type()
        named = get_named_type(input_type) if input_type is not None else None
        if isinstance(named, GraphQLEnumType):
            self.coordinates |= {named.name, f"{named.name}.{node.value}"}

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: object) -> None:
        variable_type = type_from_ast(self.schema, node.type)
        if variable_type is not None:
            self._note_input_type(get_named_type(variable_type))

    def _note_type_condition(self) -> None:
        condition = self.type_info.get_type()
        if condition is not None:
            self.coordinates.add(get_named_type(condition).name)

    def _note_input_type(self, input_type: GraphQLNamedType) -> None:
        if input_type.name in self.coordinates and not isinstance(input_type, GraphQLInputObjectType):
            return
        self.coordinates.add(input_type.name)
        if isinstance(input_type, GraphQLEnumType):
            self.coordinates |= {f"{input_type.name}.{value}" for value in input_type.values}
        if isinstance(input_type, GraphQLInputObjectType):
            for name, input_field in input_type.fields.items():
                coordinate = f"{input_type.name}.{name}"
                if coordinate not in self.coordinates:
                    self.coordinates.add(coordinate)
                    self._note_input_type(get_named_type(input_field.type))
