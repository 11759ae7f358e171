"""`@defer` and `@stream` read: which parts an operation falls into, and what each of them selects.

`answer_in_pieces` asks once for each request, since `if` and `initialCount` may be variables.
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
        streams = _streams(operation.selections, root, schema, variables, list(_flat(found)))
    if not 0 < len(list(_flat(found))) + len(streams) <= MAX_PARTS:
        return None
    planned = _keep(operation.selections, frozenset(), variables, typenames_for=_narrowing(found))
    return SplitOperation(
        replace(operation, selections=_keep(operation.selections, frozenset(), variables)),
        replace(operation, selections=planned),
        tuple(_block(each, operation, variables, ()) for each in found),
        tuple(streams),
    )


def way_to(block: DeferredBlock, selections: SelectionSet) -> SelectionSet:
    """What of the selections leads to the objects that the block belongs to."""
    return _way(selections, response_keys_of(block.path))


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
        replace(
            operation,
            selections=_keep(
                operation.selections,
                frozenset(map(id, in_place)),
                variables,
                typenames_for=_narrowing(found.nested),
            ),
        ),
        tuple(_block(each, operation, variables, in_place) for each in found.nested),
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
    deferred: list[_Found],
) -> list[StreamedList]:
    """Lists that can be cut: none within a list, and none that a deferred fragment has to do with."""
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
            elif _is_streamed(item.streaming, variables) and not any(_meets(each, path) for each in deferred):
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


def _meets(found: _Found, path: tuple[str, ...]) -> bool:
    """Whether the deferred fragment stands in what is at the path, or selects it too."""
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
    type_ = schema.type_map[type_name]
    if isinstance(type_, GraphQLObjectType):
        return f"|{type_name}|"
    return f"|{'|'.join(each.name for each in schema.get_possible_types(type_))}|"  # type: ignore[arg-type]


def _list_marks(type_: Any) -> Path:
    if isinstance(type_, GraphQLNonNull):
        return _list_marks(type_.of_type)
    return ("@", *_list_marks(type_.of_type)) if isinstance(type_, GraphQLList) else ()


def selects(selections: SelectionSet | None, path: tuple[str, ...]) -> bool:
    """Whether the way of response keys is one of the selections, or leads on within one."""
    if not path or selections is None:
        return True
    return any(
        selects(item.selections, path)
        if isinstance(item, InlineFragment)
        else item.response_key == path[0] and selects(item.selections, path[1:])
        for item in selections.items
    )
