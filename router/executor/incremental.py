"""`@defer`: what to answer first, what later, and the payloads that say so in the current wire format.

`pipeline` splits an operation here once per text, runs its parts, and hands the payloads to the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from graphql import GraphQLInterfaceType, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, get_named_type

from router.errors import ErrorEntry
from router.executor.execute import CompiledPlan
from router.executor.fetch import Execution
from router.executor.object_path import ClientPath, positions_at
from router.executor.projection import Projection, holds
from router.operation import Operation
from router.query_plan import Path
from router.selection_set import Field, InlineFragment, SelectionSet

#: More deferred fragments than this come in one piece: each piece of its own is a plan and a run of its own.
MAX_BLOCKS = 8


@dataclass(frozen=True, slots=True)
class DeferredBlock:
    """One deferred fragment: `path` leads to the objects it belongs to, `operation` is the client's with this part in
    place and without the other deferred ones.
    """

    label: str | None
    path: Path
    selections: SelectionSet
    type_name: str  # that the fragment's fields are of
    operation: Operation


@dataclass(frozen=True, slots=True)
class SplitOperation:
    """`planned` is `primary` with the type names which are needed to know where the blocks belong."""

    primary: Operation
    planned: Operation
    blocks: tuple[DeferredBlock, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    label: str | None
    path: Path
    fragment: InlineFragment
    type_name: str


def split_deferred(operation: Operation, schema: GraphQLSchema, variables: Mapping[str, Any]) -> SplitOperation | None:
    """None where nothing is deferred: no such fragment, all switched off by their `if`, or not a query.

    A mutation cannot be run again for its deferred part, so it is answered whole; the specification leaves that to us.
    A deferred fragment inside another comes with the outer one.
    """
    root = schema.query_type
    if operation.operation_type != "query" or root is None:
        return None
    found = list(_find(operation.selections, root.name, (), schema, variables))
    if not found or len(found) > MAX_BLOCKS:
        return None
    primary = replace(operation, selections=_keep(operation.selections, None, variables))
    narrowing = frozenset(id(each.fragment) for each in found if each.path and each.path[-1].startswith("|"))
    planned = replace(operation, selections=_keep(operation.selections, None, variables, typenames_for=narrowing))
    blocks = tuple(
        DeferredBlock(
            each.label,
            each.path,
            plain_selections(each.fragment.selections),
            each.type_name,
            replace(operation, selections=_keep(operation.selections, each.fragment, variables)),
        )
        for each in found
    )
    return SplitOperation(primary, planned, blocks)


def plain_selections(selections: SelectionSet) -> SelectionSet:
    """The same without `@defer`."""
    return _keep(selections, None, {}, keep_all=True)


@dataclass(frozen=True, slots=True)
class PendingPiece:
    """A block at one object of the answer."""

    id: str
    block: DeferredBlock
    path: ClientPath

    def announcement(self) -> dict[str, Any]:
        label = {} if self.block.label is None else {"label": self.block.label}
        return {"id": self.id, "path": list(self.path), **label}


def pieces_of(split: SplitOperation, execution: Execution, data: Any) -> list[PendingPiece]:
    """Every object of the first result that a deferred block belongs to; `data` decides which objects are there."""
    pieces: list[PendingPiece] = []
    for block in split.blocks:
        for path, _ in positions_at(execution.tree, block.path):
            if _value_at(data, path).__class__ is dict:
                pieces.append(PendingPiece(str(len(pieces)), block, path))
    return pieces


def initial_payload(data: Any, errors: list[ErrorEntry], pieces: list[PendingPiece]) -> bytes:
    payload: dict[str, Any] = {"errors": errors} if errors else {}
    payload["data"] = data
    if pieces:
        payload["pending"] = [piece.announcement() for piece in pieces]
    payload["hasNext"] = bool(pieces)
    return orjson.dumps(payload)


def later_payload(
    block: DeferredBlock, pieces: list[PendingPiece], plan: CompiledPlan, execution: Execution, *, has_next: bool
) -> bytes:
    """The pieces of one block, from the tree of its own run."""
    incremental: list[dict[str, Any]] = []
    completed: list[dict[str, Any]] = []
    if execution.withhold is not None:
        execution.errors.extend(execution.withhold(execution.tree))
    for piece in pieces:
        found = _value_at(execution.tree, piece.path)
        known = [error for error in execution.errors if _touches(error, piece.path)]
        projection = Projection(plan.schema, execution.variables, known)
        data = None
        if found.__class__ is dict:
            type_name = _object_type(found, block.type_name, plan.schema)
            data = projection.project(block.selections, type_name, found, piece.path) if type_name else None
        errors = known + projection.errors
        if data is None:
            errors = errors or [_gone(piece.path)]
            completed.append({"id": piece.id, "errors": errors})
        else:
            incremental.append({"id": piece.id, "data": data} | ({"errors": errors} if errors else {}))
            completed.append({"id": piece.id})
    payload: dict[str, Any] = {"incremental": incremental} if incremental else {}
    payload["completed"] = completed
    payload["hasNext"] = has_next
    return orjson.dumps(payload)


def _find(
    selections: SelectionSet, type_name: str, path: Path, schema: GraphQLSchema, variables: Mapping[str, Any]
) -> Iterator[_Found]:
    for item in selections.items:
        if not holds(item.conditions, variables) or item.selections is None:
            continue
        if isinstance(item, InlineFragment):
            inner_type = item.type_condition or type_name
            narrowed = path if inner_type == type_name else (*path, _type_filter(inner_type, schema))
            if _is_deferred(item, variables):
                label = item.deferral.label if item.deferral is not None else None
                yield _Found(label, narrowed, item, inner_type)
            else:
                yield from _find(item.selections, inner_type, narrowed, schema, variables)
        elif not item.name.startswith("__"):
            parent = schema.type_map[type_name]
            assert isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType))
            type_ = parent.fields[item.name].type
            inner_path = (*path, item.response_key, *_list_marks(type_))
            yield from _find(item.selections, get_named_type(type_).name, inner_path, schema, variables)


def _keep(
    selections: SelectionSet,
    wanted: InlineFragment | None,
    variables: Mapping[str, Any],
    *,
    keep_all: bool = False,
    typenames_for: frozenset[int] = frozenset(),
) -> SelectionSet:
    """The selections with deferred fragments made plain (`wanted`, or all) or taken out."""
    items: list[Field | InlineFragment] = []
    for item in selections.items:
        if item.selections is None:
            items.append(item)
            continue
        everything = keep_all or item is wanted
        if isinstance(item, InlineFragment) and not everything and _is_deferred(item, variables):
            if id(item) in typenames_for:
                items.append(Field("__typename", "__typename"))
            continue
        inner = _keep(item.selections, wanted, variables, keep_all=everything, typenames_for=typenames_for)
        if isinstance(item, InlineFragment):
            if inner.items:
                items.append(replace(item, selections=inner, deferral=None))
        else:
            items.append(replace(item, selections=inner))
    return SelectionSet(tuple(items))


def _is_deferred(item: InlineFragment, variables: Mapping[str, Any]) -> bool:
    if item.deferral is None:
        return False
    condition = item.deferral.condition
    return condition is None or variables.get(condition.variable) is not False


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


def _gone(path: ClientPath) -> ErrorEntry:
    return {
        "message": "The object that this part belongs to is no longer there.",
        "path": list(path),
        "extensions": {"code": "DEFERRED_OBJECT_GONE"},
    }
