"""`@defer` and `@stream`: what to answer first, what later, and the payloads that say so in the current wire format.

`answer_in_pieces` splits an operation here once for each request, runs its parts, and hands the payloads to the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import orjson
from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
)

from router.errors import ErrorEntry, VariablesError
from router.executor.execute import CompiledPlan
from router.executor.fetch import Execution, Tree
from router.executor.merge import copy_tree
from router.executor.object_path import ClientPath, positions_at
from router.executor.projection import Projection, holds
from router.operation import Operation
from router.query_plan import Path
from router.selection_set import Field, InlineFragment, SelectionSet, Streaming

#: An operation with more parts comes whole: each part is a plan and a run of its own.
MAX_PARTS = 16


@dataclass(frozen=True, slots=True, eq=False)
class DeferredBlock:
    """One deferred fragment: `path` leads to the objects it belongs to, `operation` is the client's with this part (and
    those around it) in place and without the other deferred ones. `nested` ones are announced when it has come.
    """

    label: str | None
    path: Path
    selections: SelectionSet
    type_name: str  # that the fragment's fields are of
    operation: Operation
    nested: tuple[DeferredBlock, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StreamedList:
    """A list of which the first result holds `initial_count` items; no list stands above it."""

    label: str | None
    path: tuple[str, ...]  # response keys
    initial_count: int
    selections: SelectionSet
    item_type: GraphQLOutputType
    coordinate: str


@dataclass(frozen=True, slots=True)
class SplitOperation:
    """`planned` is `primary` with the type names which are needed to know where the blocks belong."""

    primary: Operation
    planned: Operation
    blocks: tuple[DeferredBlock, ...]
    streams: tuple[StreamedList, ...]

    def all_blocks(self) -> Iterator[DeferredBlock]:
        waiting = list(self.blocks)
        while waiting:
            block = waiting.pop(0)
            yield block
            waiting.extend(block.nested)


@dataclass(frozen=True, slots=True)
class _Found:
    label: str | None
    path: Path
    fragment: InlineFragment
    type_name: str
    nested: tuple[_Found, ...]


def split_incremental(
    operation: Operation, schema: GraphQLSchema, variables: Mapping[str, Any]
) -> SplitOperation | None:
    """None where nothing comes later: no such directive, all switched off by their `if`, or too many.

    The lists of a mutation come whole: a step after the one that brings them may write, and nothing is written twice.
    Raises VariablesError for a negative number of items.
    """
    root = schema.mutation_type if operation.operation_type == "mutation" else schema.query_type
    assert root is not None
    found = tuple(_find(operation.selections, root.name, (), schema, variables))
    streams: list[StreamedList] = []
    if operation.operation_type == "query":
        streams = _streams(operation.selections, root, schema, variables, [_keys(each.path) for each in _flat(found)])
    if not 0 < len(list(_flat(found))) + len(streams) <= MAX_PARTS:
        return None
    narrowing = frozenset(id(each.fragment) for each in found if each.path and each.path[-1].startswith("|"))
    return SplitOperation(
        replace(operation, selections=_keep(operation.selections, frozenset(), variables)),
        replace(operation, selections=_keep(operation.selections, frozenset(), variables, typenames_for=narrowing)),
        tuple(_block(each, operation, variables, ()) for each in found),
        tuple(streams),
    )


def plain_selections(selections: SelectionSet) -> SelectionSet:
    """The same without `@defer` and `@stream`."""
    return _keep(selections, frozenset(), {}, keep_all=True)


# -- what comes when -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PendingPiece:
    """A block at one object of the answer, or the rest of a list."""

    id: str
    part: DeferredBlock | StreamedList
    path: ClientPath

    def announcement(self) -> dict[str, Any]:
        label = {} if self.part.label is None else {"label": self.part.label}
        return {"id": self.id, "path": list(self.path), **label}


class Announcer:
    """Finds the pieces of an answer and names them."""

    def __init__(self) -> None:
        self._ids = map(str, count())
        self.pieces: list[PendingPiece] = []

    def blocks_at(
        self, blocks: Iterable[DeferredBlock], tree: Tree, data: Any, at: ClientPath = ()
    ) -> list[PendingPiece]:
        """Every object that a block belongs to within `data`, which is the part of the answer at the path `at`."""
        found = [
            PendingPiece(next(self._ids), block, path)
            for block in blocks
            for path, _ in positions_at(tree, block.path)
            if path[: len(at)] == at and _value_at(data, path[len(at) :]).__class__ is dict
        ]
        self.pieces += found
        return found

    def rest_of(self, stream: StreamedList, data: Any) -> PendingPiece | None:
        """None where null took the list, or an object above it, out of the answer."""
        if _value_at(data, stream.path).__class__ is not list:
            return None
        piece = PendingPiece(next(self._ids), stream, stream.path)
        self.pieces.append(piece)
        return piece

    def of(self, part: DeferredBlock | StreamedList) -> list[PendingPiece]:
        return [piece for piece in self.pieces if piece.part is part]


def are_there(streams: Iterable[StreamedList], tree: Tree) -> bool:
    """Whether all streamed lists have come, so that they can be cut."""
    return all(_value_at(tree, stream.path) is not None for stream in streams)


def cut(stream: StreamedList, tree: Tree) -> Tree | None:
    """Takes what comes later out of the list; gives a tree that holds only this, at its own places in the list, under
    copies of the objects above. None where nothing is left for later.
    """
    items = _value_at(tree, stream.path)
    if items.__class__ is not list or len(items) <= stream.initial_count:
        return None
    rest: Tree = {}
    above, copy = tree, rest
    for key in stream.path[:-1]:
        copy.update((name, value) for name, value in above.items() if value.__class__ not in (dict, list))
        copy[key] = {}
        above, copy = above[key], copy[key]
    copy.update((name, value) for name, value in above.items() if value.__class__ not in (dict, list))
    copy[stream.path[-1]] = [None] * stream.initial_count + items[stream.initial_count :]
    del items[stream.initial_count :]
    return rest


def take_errors_of_rest(stream: StreamedList, errors: list[ErrorEntry]) -> list[ErrorEntry]:
    """Takes out what concerns items that come later, to be told with them."""
    depth = len(stream.path)

    def is_later(error: ErrorEntry) -> bool:
        path = tuple(error.get("path", ()))
        return path[:depth] == stream.path and len(path) > depth and path[depth] >= stream.initial_count

    taken = [error for error in errors if is_later(error)]
    errors[:] = [error for error in errors if not is_later(error)]
    return taken


# -- payloads --------------------------------------------------------------------------------------------------


def initial_payload(data: Any, errors: list[ErrorEntry], pieces: list[PendingPiece]) -> bytes:
    payload: dict[str, Any] = {"errors": errors} if errors else {}
    payload["data"] = data
    if pieces:
        payload["pending"] = [piece.announcement() for piece in pieces]
    payload["hasNext"] = bool(pieces)
    return orjson.dumps(payload)


class DeliveredData:
    """What the client has of the answer so far. No field is sent twice, unless `is_repeated`: the former format wants every
    piece to have all fields of its fragment.
    """

    def __init__(self, data: Any, *, is_repeated: bool = False) -> None:
        self._data = data
        self._is_repeated = is_repeated

    def take_new(self, path: ClientPath, data: Tree) -> list[tuple[ClientPath, Tree]]:
        """The fields of an object's piece that the client lacks, by the object they belong to (below `path`)."""
        known = _value_at(self._data, path)
        found = list(_take_new(known, data, ())) if known.__class__ is dict else []
        return [((), data)] if self._is_repeated else found

    def add_items(self, path: ClientPath, items: list[Any]) -> None:
        known = _value_at(self._data, path)
        if known.__class__ is list:
            known += copy_tree(items)

    def has(self, path: ClientPath) -> bool:
        """Whether the client has been told the value there, be it that there is none."""
        value: Any = self._data
        for part in path:
            if value is None:
                return True
            is_there = part in value if value.__class__ is dict else part in range(len(value))
            if not is_there:
                return False
            value = value[part]
        return value.__class__ not in (dict, list) and not self._is_repeated


def _take_new(known: Tree, data: Tree, path: ClientPath) -> Iterator[tuple[ClientPath, Tree]]:
    new = {key: value for key, value in data.items() if key not in known}
    if new:
        yield path, new
    for key, value in data.items():
        if key not in known:
            known[key] = copy_tree(value)
        elif value.__class__ in (dict, list):
            yield from _take_new_below(known[key], value, (*path, key))


def _take_new_below(known: Any, value: Any, path: ClientPath) -> Iterator[tuple[ClientPath, Tree]]:
    if known.__class__ is dict and value.__class__ is dict:
        yield from _take_new(known, value, path)
    elif known.__class__ is list and value.__class__ is list and len(known) == len(value):
        for index, (one, other) in enumerate(zip(known, value, strict=True)):
            yield from _take_new_below(one, other, (*path, index))


class LaterPayload:
    """One payload after the first, part by part. `told` are the errors of the first."""

    def __init__(self, told: list[ErrorEntry], delivered: DeliveredData) -> None:
        self._told = told
        self._delivered = delivered
        self.pending: list[PendingPiece] = []
        self._incremental: list[dict[str, Any]] = []
        self._completed: list[dict[str, Any]] = []

    def add(self, piece: PendingPiece, plan: CompiledPlan, execution: Execution) -> Any:
        """The piece from the tree of its own run; gives its data."""
        part = piece.part
        known = [error for error in execution.errors if self._is_news(error, piece)]
        projection = Projection(plan.schema, execution.variables, known)
        value = (
            _projected_block(part, piece.path, plan, execution, projection)
            if isinstance(part, DeferredBlock)
            else _projected_items(part, execution, projection)
        )
        errors = known + [each for each in projection.errors if not self._delivered.has(tuple(each["path"]))]
        if value is None:
            self.fail(piece, errors or [_gone(piece.path)])
            return None
        entries: list[dict[str, Any]] = []
        if isinstance(part, DeferredBlock):
            for below, data in self._delivered.take_new(piece.path, value):
                entries.append({"id": piece.id} | ({"subPath": list(below)} if below else {}) | {"data": data})
        else:
            self._delivered.add_items(piece.path, value)
            entries.append({"id": piece.id, "items": value})
        if errors:
            entries = entries or [{"id": piece.id, "data": {}}]
            entries[0]["errors"] = errors
        self._incremental += entries
        self._completed.append({"id": piece.id})
        return value

    def _is_news(self, error: ErrorEntry, piece: PendingPiece) -> bool:
        """A deferred part's run asks for the fields around it too, which told of their own."""
        if not _touches(error, piece.path):
            return False
        if not isinstance(piece.part, DeferredBlock):
            return True
        path = tuple(error.get("path", ()))
        if len(path) > len(piece.path) and _is_of(error, piece.part.selections, piece.path):
            return not self._delivered.has(path)
        return error not in self._told

    def fail(self, piece: PendingPiece, errors: list[ErrorEntry]) -> None:
        self._completed.append({"id": piece.id, "errors": errors})

    def encode(self, *, has_next: bool) -> bytes:
        payload: dict[str, Any] = {}
        if self.pending:
            payload["pending"] = [piece.announcement() for piece in self.pending]
        if self._incremental:
            payload["incremental"] = self._incremental
        payload["completed"] = self._completed
        payload["hasNext"] = has_next
        return orjson.dumps(payload)


def _projected_block(
    block: DeferredBlock, path: ClientPath, plan: CompiledPlan, execution: Execution, projection: Projection
) -> Any:
    found = _value_at(execution.tree, path)
    type_name = _object_type(found, block.type_name, plan.schema) if found.__class__ is dict else None
    return projection.project(block.selections, type_name, found, path) if type_name else None


def _projected_items(stream: StreamedList, execution: Execution, projection: Projection) -> Any:
    items = _value_at(execution.tree, stream.path)
    return projection.project_items(
        stream.selections, stream.item_type, items, stream.path, stream.initial_count, stream.coordinate
    )


# -- splitting -------------------------------------------------------------------------------------------------


def _find(
    selections: SelectionSet, type_name: str, path: Path, schema: GraphQLSchema, variables: Mapping[str, Any]
) -> Iterator[_Found]:
    for item in selections.items:
        if not holds(item.conditions, variables) or item.selections is None:
            continue
        if isinstance(item, InlineFragment):
            inner_type = item.type_condition or type_name
            narrowed = path if inner_type == type_name else (*path, _type_filter(inner_type, schema))
            inside = _find(item.selections, inner_type, narrowed, schema, variables)
            if _is_deferred(item, variables):
                label = item.deferral.label if item.deferral is not None else None
                yield _Found(label, narrowed, item, inner_type, tuple(inside))
            else:
                yield from inside
        elif not item.name.startswith("__"):
            parent = schema.type_map[type_name]
            assert isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType))
            type_ = parent.fields[item.name].type
            inner_path = (*path, item.response_key, *_list_marks(type_))
            yield from _find(item.selections, get_named_type(type_).name, inner_path, schema, variables)


def _flat(found: Iterable[_Found]) -> Iterator[_Found]:
    for each in found:
        yield each
        yield from _flat(each.nested)


def _block(
    found: _Found, operation: Operation, variables: Mapping[str, Any], around: tuple[InlineFragment, ...]
) -> DeferredBlock:
    in_place = (*around, found.fragment)
    return DeferredBlock(
        found.label,
        found.path,
        _keep(found.fragment.selections, frozenset(), variables),
        found.type_name,
        replace(operation, selections=_keep(operation.selections, frozenset(map(id, in_place)), variables)),
        tuple(_block(each, operation, variables, in_place) for each in found.nested),
    )


def _keep(
    selections: SelectionSet,
    wanted: frozenset[int],
    variables: Mapping[str, Any],
    *,
    keep_all: bool = False,
    typenames_for: frozenset[int] = frozenset(),
) -> SelectionSet:
    """The selections with deferred fragments made plain (`wanted` by identity, or all) or taken out."""
    items: list[Field | InlineFragment] = []
    for item in selections.items:
        if isinstance(item, Field):
            inner = item.selections
            if inner is not None:
                inner = _keep(inner, wanted, variables, keep_all=keep_all, typenames_for=typenames_for)
            items.append(
                item if inner is None and item.streaming is None else replace(item, selections=inner, streaming=None)
            )
            continue
        if not keep_all and id(item) not in wanted and _is_deferred(item, variables):
            if id(item) in typenames_for:
                items.append(Field("__typename", "__typename"))
            continue
        inner = _keep(item.selections, wanted, variables, keep_all=keep_all, typenames_for=typenames_for)
        if inner.items:
            items.append(replace(item, selections=inner, deferral=None))
    return SelectionSet(tuple(items))


def _is_deferred(item: InlineFragment, variables: Mapping[str, Any]) -> bool:
    if item.deferral is None:
        return False
    condition = item.deferral.condition
    return condition is None or variables.get(condition.variable) is not False


def _streams(
    selections: SelectionSet,
    root: GraphQLObjectType,
    schema: GraphQLSchema,
    variables: Mapping[str, Any],
    deferred: list[tuple[str, ...]],
) -> list[StreamedList]:
    """Lists that can be cut: none within a list or a deferred fragment, and none with a deferred fragment in it."""
    found: dict[tuple[str, ...], StreamedList] = {}

    def walk(inside: SelectionSet, parent: GraphQLObjectType | GraphQLInterfaceType, path: tuple[str, ...]) -> None:
        for item in inside.items:
            if not holds(item.conditions, variables):
                continue
            if isinstance(item, InlineFragment):
                type_ = schema.type_map[item.type_condition or parent.name]
                if not _is_deferred(item, variables):
                    walk(item.selections, type_, path)  # type: ignore[arg-type]
            elif not item.name.startswith("__"):
                visit(item, parent, (*path, item.response_key))

    def visit(item: Field, parent: GraphQLObjectType | GraphQLInterfaceType, path: tuple[str, ...]) -> None:
        below = plain_selections(item.selections) if item.selections is not None else SelectionSet()
        type_ = _nullable(parent.fields[item.name].type) if hasattr(parent, "fields") else None
        if isinstance(type_, GraphQLList):
            known = found.get(path)
            if known is not None:  # the same field once more, with other subfields
                both = known.selections.items + below.items
                found[path] = replace(known, selections=SelectionSet(both))
            elif _is_streamed(item.streaming, variables) and not any(each[: len(path)] == path for each in deferred):
                assert item.streaming is not None
                found[path] = StreamedList(
                    item.streaming.label,
                    path,
                    _initial_count(item.streaming, variables),
                    below,
                    type_.of_type,
                    f"{parent.name}.{item.name}",
                )
        elif type_ is not None and item.selections is not None:
            walk(item.selections, get_named_type(type_), path)

    walk(selections, root, ())
    return list(found.values())


def _is_streamed(streaming: Streaming | None, variables: Mapping[str, Any]) -> bool:
    if streaming is None:
        return False
    return streaming.condition is None or variables.get(streaming.condition.variable) is not False


def _initial_count(streaming: Streaming, variables: Mapping[str, Any]) -> int:
    given = streaming.initial_count
    initial_count = int(variables.get(given) or 0) if isinstance(given, str) else given
    if initial_count < 0:
        raise VariablesError([f'The initialCount of @stream, "${given}", cannot be negative.'])
    return initial_count


def _nullable(type_: GraphQLOutputType) -> Any:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def _keys(path: Path) -> tuple[str, ...]:
    return tuple(segment for segment in path if segment != "@" and not segment.startswith("|"))


def _type_filter(type_name: str, schema: GraphQLSchema) -> str:
    type_ = schema.type_map[type_name]
    if isinstance(type_, GraphQLObjectType):
        return f"|{type_name}|"
    return f"|{'|'.join(each.name for each in schema.get_possible_types(type_))}|"  # type: ignore[arg-type]


def _list_marks(type_: Any) -> Path:
    if isinstance(type_, GraphQLNonNull):
        return _list_marks(type_.of_type)
    return ("@", *_list_marks(type_.of_type)) if isinstance(type_, GraphQLList) else ()


def _object_type(value: dict[str, Any], type_name: str, schema: GraphQLSchema) -> str | None:
    if isinstance(schema.type_map[type_name], GraphQLObjectType):
        return type_name
    named = schema.type_map.get(value.get("__typename", ""))
    return named.name if isinstance(named, GraphQLObjectType) else None


def _value_at(value: Any, path: ClientPath) -> Any:
    for part in path:
        if value.__class__ is dict:
            value = value.get(part)
        elif value.__class__ is list and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def _touches(error: ErrorEntry, path: ClientPath) -> bool:
    known = tuple(error.get("path", ()))
    length = min(len(known), len(path))
    return known[:length] == path[:length]


def _is_of(error: ErrorEntry, selections: SelectionSet, path: ClientPath) -> bool:
    """Whether the error's way on from the object at `path` is one of the selections."""
    return _leads([part for part in error.get("path", ())[len(path) :] if isinstance(part, str)], selections)


def _leads(keys: list[str], selections: SelectionSet | None) -> bool:
    if not keys or selections is None:
        return True
    return any(
        _leads(keys, item.selections)
        if isinstance(item, InlineFragment)
        else item.response_key == keys[0] and _leads(keys[1:], item.selections)
        for item in selections.items
    )


def _gone(path: ClientPath) -> ErrorEntry:
    return {
        "message": "The object that this part belongs to is no longer there.",
        "path": list(path),
        "extensions": {"code": "DEFERRED_OBJECT_GONE"},
    }
