"""`@defer` and `@stream` read: which parts an operation falls into, and what each of them selects.

`pieces` asks for every request anew, since `if` and `initialCount` may be variables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
)

from router.errors import VariablesError
from router.executor.projection import holds
from router.executor.sharing import response_keys_of
from router.incremental.at_once import is_deferred, with_some_at_once
from router.object_types import object_types_of
from router.operation import Operation
from router.query_plan import Path
from router.selection_set import Field, InlineFragment, SelectionSet, Streaming

#: Deferred fragments beyond these come at once: each part is a plan and a run of its own.
MAX_PARTS = 32


@dataclass(frozen=True, slots=True, eq=False)
class DeferredPart:
    """One deferred fragment, which is a part of the operation. `path` leads to the objects it belongs to. `operation`
    is the client's, with this part and those around it in place and without the other deferred ones. The `nested` parts
    are announced to the client when this one is sent.
    """

    label: str | None
    path: Path
    selections: SelectionSet
    type_name: str  # that the fragment's fields are of
    operation: Operation
    nested: tuple[DeferredPart, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StreamedList:
    """A list of which the first result holds `initial_count` items, or several where lists stand above it."""

    label: str | None
    path: Path  # of the list itself: response keys, and "@" for each list above
    initial_count: int
    selections: SelectionSet
    item_type: GraphQLOutputType
    coordinate: str


@dataclass(frozen=True, slots=True)
class SplitOperation:
    """`planned` is `primary` with the type names which are needed to know where the deferred parts belong."""

    primary: Operation
    planned: Operation
    deferred: tuple[DeferredPart, ...]
    streams: tuple[StreamedList, ...]

    def all_deferred(self) -> Iterator[DeferredPart]:
        waiting = list(self.deferred)
        while waiting:
            part = waiting.pop(0)
            yield part
            waiting.extend(part.nested)


@dataclass(frozen=True, slots=True)
class _Found:
    label: str | None
    path: Path
    fragment: InlineFragment
    type_name: str
    nested: tuple[_Found, ...]


def split_incremental(
    operation: Operation,
    schema: GraphQLSchema,
    variables: Mapping[str, Any],
    keyed_types: frozenset[str] = frozenset(),
) -> SplitOperation | None:
    """None where nothing comes later: no such directive, all switched off by their `if`, or `with_some_at_once` leaves none.
    `keyed_types` are the object types that some subgraph can be asked for by a key.

    Raises VariablesError for a negative number of items.
    """
    root = schema.mutation_type if operation.operation_type == "mutation" else schema.query_type
    assert root is not None
    selections = with_some_at_once(operation.selections, root, schema, variables, keyed_types, MAX_PARTS)
    operation = replace(operation, selections=selections)
    found = tuple(_find(operation.selections, root.name, (), schema, variables))
    lists = _StreamedLists(schema, variables, list(_flat(found)))
    lists.walk(operation.selections, root, ())
    streams = list(lists.found.values())[:MAX_PARTS]
    if not found and not streams:
        return None
    planned = _keep(operation.selections, frozenset(), variables, typenames_for=_narrowing(found))
    return SplitOperation(
        replace(operation, selections=_keep(operation.selections, frozenset(), variables)),
        replace(operation, selections=planned),
        tuple(_deferred_part(each, operation, variables, ()) for each in found),
        tuple(streams),
    )


def way_to(part: DeferredPart, selections: SelectionSet) -> SelectionSet:
    """Those of the selections, and of their subfields, that lead to the objects which the deferred part belongs to."""
    return _way(selections, response_keys_of(part.path))


def plain_selections(selections: SelectionSet) -> SelectionSet:
    """The same without `@defer` and `@stream`."""
    return _keep(selections, frozenset(), {}, keep_all=True)


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
            if is_deferred(item, variables):
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


def _deferred_part(
    found: _Found, operation: Operation, variables: Mapping[str, Any], around: tuple[InlineFragment, ...]
) -> DeferredPart:
    in_place = (*around, found.fragment)
    return DeferredPart(
        found.label,
        found.path,
        _keep(found.fragment.selections, frozenset(), variables),
        found.type_name,
        replace(
            operation,
            selections=_keep(
                operation.selections,
                frozenset(map(id, in_place)),
                variables,
                typenames_for=_narrowing(found.nested),
            ),
        ),
        tuple(_deferred_part(each, operation, variables, in_place) for each in found.nested),
    )


def _way(selections: SelectionSet, keys: tuple[str, ...]) -> SelectionSet:
    items: list[Field | InlineFragment] = []
    for item in selections.items if keys else ():
        if isinstance(item, InlineFragment):
            inner = _way(item.selections, keys)
            if inner.items:
                items.append(replace(item, selections=inner))
        elif item.response_key == keys[0] and item.selections is not None:
            items.append(replace(item, selections=_way(item.selections, keys[1:])))
    return SelectionSet(tuple(items))


def _narrowing(found: Iterable[_Found]) -> frozenset[int]:
    """Fragments that belong to objects of some types only."""
    return frozenset(id(each.fragment) for each in found if each.path and each.path[-1].startswith("|"))


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
        if not keep_all and id(item) not in wanted and is_deferred(item, variables):
            if id(item) in typenames_for:
                items.append(Field("__typename", "__typename"))
            continue
        inner = _keep(item.selections, wanted, variables, keep_all=keep_all, typenames_for=typenames_for)
        if inner.items:
            items.append(replace(item, selections=inner, deferral=None))
    return SelectionSet(tuple(items))


class _StreamedLists:
    """Finds the lists that can be cut: none that a deferred fragment has to do with, and none that has the place of a
    field which is not streamed.
    """

    def __init__(self, schema: GraphQLSchema, variables: Mapping[str, Any], deferred: list[_Found]) -> None:
        self._schema = schema
        self._variables = variables
        self._deferred = deferred
        self.found: dict[Path, StreamedList] = {}
        self._whole: set[Path] = set()

    def walk(self, inside: SelectionSet, parent: GraphQLObjectType | GraphQLInterfaceType, path: Path) -> None:
        for item in inside.items:
            if not holds(item.conditions, self._variables):
                continue
            if isinstance(item, InlineFragment):
                type_ = self._schema.type_map[item.type_condition or parent.name]
                if not is_deferred(item, self._variables):
                    self.walk(item.selections, type_, path)  # type: ignore[arg-type]
            elif not item.name.startswith("__"):
                self._visit(item, parent, (*path, item.response_key))

    def _visit(self, item: Field, parent: GraphQLObjectType | GraphQLInterfaceType, path: Path) -> None:
        type_ = _nullable(parent.fields[item.name].type) if hasattr(parent, "fields") else None
        is_taken = isinstance(type_, GraphQLList) and self._take(item, type_, f"{parent.name}.{item.name}", path)
        if type_ is not None and item.selections is not None and not is_taken:
            self.walk(item.selections, get_named_type(type_), (*path, *_list_marks(type_)))

    def _take(self, item: Field, type_: GraphQLList[Any], coordinate: str, path: Path) -> bool:
        """Whether the list is one to cut: as a whole, with all that is streamed in it."""
        below = plain_selections(item.selections) if item.selections is not None else SelectionSet()
        known = self.found.get(path)
        if known is not None and known.coordinate == coordinate:  # the same field once more, with other subfields
            both = known.selections.items + below.items
            self.found[path] = replace(known, selections=SelectionSet(both))
            return True
        is_streamed = _is_streamed(item.streaming, self._variables)
        if known is not None or path in self._whole or not is_streamed:
            # objects of different types may have different fields in one place
            self.found.pop(path, None)
            self._whole.add(path)
            return False
        if any(_meets(each, response_keys_of(path)) for each in self._deferred):
            return False
        assert item.streaming is not None
        count = _initial_count(item.streaming, self._variables)
        self.found[path] = StreamedList(item.streaming.label, path, count, below, type_.of_type, coordinate)
        return True


def _meets(found: _Found, path: tuple[str, ...]) -> bool:
    """Whether the deferred fragment stands at or below the path, or selects a field at the path itself."""
    keys = response_keys_of(found.path)
    if keys[: len(path)] == path:
        return True
    return path[: len(keys)] == keys and selects(found.fragment.selections, path[len(keys) :])


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


def _type_filter(type_name: str, schema: GraphQLSchema) -> str:
    return f"|{'|'.join(each.name for each in object_types_of(schema, schema.type_map[type_name]))}|"


def _list_marks(type_: Any) -> Path:
    if isinstance(type_, GraphQLNonNull):
        return _list_marks(type_.of_type)
    return ("@", *_list_marks(type_.of_type)) if isinstance(type_, GraphQLList) else ()


def selects(selections: SelectionSet | None, path: tuple[str, ...]) -> bool:
    """Whether the selections have a field at the path of response keys. Below a leaf everything counts as selected."""
    if not path or selections is None:
        return True
    return any(
        selects(item.selections, path)
        if isinstance(item, InlineFragment)
        else item.response_key == path[0] and selects(item.selections, path[1:])
        for item in selections.items
    )
