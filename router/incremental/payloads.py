"""The pieces of one response: which of their fields the client does not have yet, and which errors are news to it.

`pieces` runs the parts and asks for what to say of each; `formats` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from orjson import Fragment

from router.errors import ErrorEntry
from router.executor.execute import CompiledPlan
from router.executor.fetch import Execution, Tree
from router.executor.merge import copy_tree
from router.executor.object_path import ClientPath, positions_at
from router.executor.projection import Projection
from router.executor.sharing import fetches_of, response_keys_of
from router.incremental.announcer import PendingPiece, value_at
from router.incremental.encoded_pieces import EncodedPieces
from router.incremental.formats import Completed, Extensions, Format, Told
from router.incremental.split import DeferredPart, StreamedList, selects
from router.query_plan import EntityFetch, Path, PlanNode
from router.selection_set import SelectionSet


def are_there(streams: Iterable[StreamedList], tree: Tree) -> bool:
    """Whether all streamed lists have come, so that they can be cut."""
    return all(_is_there(stream, tree) for stream in streams)


def _is_there(stream: StreamedList, tree: Tree) -> bool:
    above = [item for _, item in positions_at(tree, stream.path[:-1])] if len(stream.path) > 1 else [tree]
    return bool(above) and all(item.get(stream.path[-1]) is not None for item in above if item.__class__ is dict)


def is_read_by(node: PlanNode | None, stream: StreamedList) -> bool:
    """Whether a fetch sends the list on, for a key or `@requires` of the object that has it: it must not be cut then."""
    lookups = [lookup for fetch in fetches_of(node) if isinstance(fetch, EntityFetch) for lookup in fetch.lookups]
    read = [(path, rule.fields) for each in lookups for path in each.paths for rule in each.representations]
    read += [(context.ancestor, context.selections) for each in lookups for context in each.contexts]
    for path, selections in read:
        keys, own = response_keys_of(path), response_keys_of(stream.path)
        rest = own[len(keys) :]
        if rest and own[: len(keys)] == keys and selects(selections, rest):
            return True
    return False


@dataclass(frozen=True, slots=True)
class Rests:
    """What comes later of a streamed list: a tree that holds only this, at its own places in the lists, under copies of
    the objects above; and where those lists are in the answer.
    """

    tree: Tree
    cut_at: tuple[ClientPath, ...]

    def take_errors(self, stream: StreamedList, errors: list[ErrorEntry]) -> list[ErrorEntry]:
        """Takes out what concerns items that come later, to be told with them."""
        depth = len(stream.path)
        lists = frozenset(self.cut_at)

        def is_later(error: ErrorEntry) -> bool:
            path = tuple(error.get("path", ()))
            return len(path) > depth and path[:depth] in lists and path[depth] >= stream.initial_count

        taken = [error for error in errors if is_later(error)]
        errors[:] = [error for error in errors if not is_later(error)]
        return taken


def cut(stream: StreamedList, tree: Tree) -> Rests | None:
    """Takes what comes later out of the lists. None where nothing is left for later."""
    cutting = _Cutting(stream)
    rest = cutting.rest_of(tree, stream.path, ())
    return Rests(rest, tuple(cutting.cut_at)) if cutting.cut_at else None


class _Cutting:
    """One stream in one tree, whose equal entities may be one object: a list that stands in two places is cut once."""

    def __init__(self, stream: StreamedList) -> None:
        self._count = stream.initial_count
        self._rests: dict[int, list[Any]] = {}  # by list, which the tree keeps alive
        self.cut_at: list[ClientPath] = []

    def rest_of(self, value: Any, path: Path, at: ClientPath) -> Any:
        """The copy of what is above a list that was cut, None where nothing below was."""
        if not path:
            return self._rest(value, at)
        if path[0] == "@":
            if value.__class__ is not list:
                return None
            below = [self.rest_of(item, path[1:], (*at, index)) for index, item in enumerate(value)]
            return below if any(each is not None for each in below) else None
        found = value.get(path[0]) if value.__class__ is dict else None
        inner = self.rest_of(found, path[1:], (*at, path[0])) if found is not None else None
        if inner is None:
            return None
        return {key: each for key, each in value.items() if each.__class__ not in (dict, list)} | {path[0]: inner}

    def _rest(self, items: Any, at: ClientPath) -> list[Any] | None:
        if items.__class__ is not list:
            return None
        rest = self._rests.get(id(items))
        if rest is None and len(items) > self._count:
            rest = self._rests[id(items)] = [None] * self._count + items[self._count :]
            del items[self._count :]
        if rest is not None:
            self.cut_at.append(at)
        return rest


# -- payloads --------------------------------------------------------------------------------------------------


class DeliveredData:
    """What the client has of the answer so far. No field is sent twice, unless `is_repeated`: the former format wants every
    piece to have all fields of its fragment.
    """

    def __init__(self, data: Any, first_tree: Tree, key_names: frozenset[str], *, is_repeated: bool = False) -> None:
        self._data = data
        self._first_tree = first_tree
        self._key_names = key_names
        self._is_repeated = is_repeated
        self._compared: Tree | None = None  # the tree that was compared last
        self._alike: set[tuple[int, int]] = set()  # objects of the first tree and of that one, by identity

    def is_about(self, tree: Tree, path: ClientPath) -> bool:
        """Whether the objects on the path are the same as in the first result, as far as their keys tell. A list that
        was asked for twice may have changed in between, so that another object stands at the same index.
        """
        if tree is not self._compared:
            self._compared, self._alike = tree, set()
        known: Any = self._first_tree
        other: Any = tree
        for part in path:
            try:
                known, other = known[part], other[part]
            except (KeyError, IndexError, TypeError):
                return True
            if known.__class__ is dict and other.__class__ is dict and (id(known), id(other)) not in self._alike:
                if not self._are_alike(known, other):
                    return False
                self._alike.add((id(known), id(other)))
        return True

    def _are_alike(self, known: Tree, other: Tree) -> bool:
        return not any(
            (value := known[name]).__class__ in (str, int) and name in other and other[name] != value
            for name in self._key_names.intersection(known)
        )

    def take_new(self, path: ClientPath, data: Tree) -> list[tuple[ClientPath, Tree]]:
        """The fields of an object's piece that the client lacks, by the object they belong to (below `path`)."""
        known = value_at(self._data, path)
        found = list(_take_new(known, data, ())) if known.__class__ is dict else []
        return [((), data)] if self._is_repeated else found

    def add_items(self, path: ClientPath, items: list[Any]) -> None:
        known = value_at(self._data, path)
        if known.__class__ is list:
            known += copy_tree(items)

    def has(self, path: ClientPath) -> bool:
        """Whether the client has been told the value there; that it is null counts too."""
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
    """One payload after the first: the pieces of one part. `told_before` are the errors of the first."""

    def __init__(self, told_before: list[ErrorEntry], delivered: DeliveredData) -> None:
        self._told_before = told_before
        self._delivered = delivered
        self.pending: list[PendingPiece] = []
        self._errors: dict[ClientPath, list[ErrorEntry]] | None = None
        self._told: list[Told] = []
        self._completed: list[Completed] = []

    def add(
        self, piece: PendingPiece, plan: CompiledPlan, execution: Execution, encoded: EncodedPieces | None = None
    ) -> Any:
        """The piece from the tree of its own run; gives its data. It is `encoded` for a part that is sent whole."""
        errors: list[ErrorEntry] = []
        if execution.errors:
            errors = [error for error in self._errors_near(piece.path, execution) if self._is_news(error, piece)]
        value: Any = _encoded_piece(piece, execution, encoded) if encoded is not None else None
        if value is None:
            value, errors = self._projected(piece, plan, execution, errors)
        if value is None or not self._delivered.is_about(execution.tree, piece.path):
            self.fail(piece, (errors if value is None else []) or [_gone(piece.path)])
            return None
        told = list(self._news_of(piece, value))
        if errors:
            told = told or [Told(piece, {"data": {}})]
            told[0].content["errors"] = errors
        self._told += told
        self._completed.append(Completed(piece))
        return value

    def _projected(
        self, piece: PendingPiece, plan: CompiledPlan, execution: Execution, known: list[ErrorEntry]
    ) -> tuple[Any, list[ErrorEntry]]:
        projection = Projection(plan.schema, execution.variables, known)
        value = (
            _projected_part(piece.part, piece.path, execution, projection)
            if isinstance(piece.part, DeferredPart)
            else _projected_items(piece.part, piece.path, execution, projection)
        )
        return value, known + [each for each in projection.errors if not self._delivered.has(tuple(each["path"]))]

    def _news_of(self, piece: PendingPiece, value: Any) -> Iterator[Told]:
        if value.__class__ is Fragment:
            yield Told(piece, {"data" if isinstance(piece.part, DeferredPart) else "items": value})
        elif isinstance(piece.part, DeferredPart):
            for below, data in self._delivered.take_new(piece.path, value):
                yield Told(piece, {"data": data}, below)
        else:
            self._delivered.add_items(piece.path, value)
            yield Told(piece, {"items": value})

    def _errors_near(self, path: ClientPath, execution: Execution) -> list[ErrorEntry]:
        """Those at the path, above and below; sorted once, as there may be thousands of pieces, all equally deep."""
        if self._errors is None:
            self._errors = {}
            for error in execution.errors:
                self._errors.setdefault(tuple(error.get("path", ()))[: len(path)], []).append(error)
        return [error for length in range(len(path) + 1) for error in self._errors.get(path[:length], ())]

    def _is_news(self, error: ErrorEntry, piece: PendingPiece) -> bool:
        """A deferred part's run asks for the fields around it too, which told of their own."""
        if not isinstance(piece.part, DeferredPart):
            return True
        path = tuple(error.get("path", ()))
        if len(path) > len(piece.path) and _is_of(error, piece.part.selections, piece.path):
            return not self._delivered.has(path)
        return error not in self._told_before

    def fail(self, piece: PendingPiece, errors: list[ErrorEntry]) -> None:
        self._completed.append(Completed(piece, errors))

    def fail_all(self, pieces: Iterable[PendingPiece], error: ErrorEntry) -> None:
        """In place of what has been added."""
        self.pending, self._told = [], []
        self._completed = [Completed(piece, [{**error, "path": list(piece.path)}]) for piece in pieces]

    def encode(self, written_as: Format, extensions: Extensions, *, has_next: bool) -> bytes:
        return written_as.later(self._told, self._completed, self.pending, extensions, has_next=has_next)


def _encoded_piece(piece: PendingPiece, execution: Execution, encoded: EncodedPieces) -> Fragment | None:
    found = value_at(execution.tree, piece.path)
    if isinstance(piece.part, DeferredPart):
        return encoded.of_object(found)
    return encoded.of_items(found[piece.part.initial_count :]) if found.__class__ is list else None


def _projected_part(part: DeferredPart, path: ClientPath, execution: Execution, projection: Projection) -> Any:
    found = value_at(execution.tree, path)
    return projection.project(part.selections, part.type_name, found, path) if found.__class__ is dict else None


def _projected_items(stream: StreamedList, path: ClientPath, execution: Execution, projection: Projection) -> Any:
    items = value_at(execution.tree, path)
    return projection.project_items(
        stream.selections, stream.item_type, items, path, stream.initial_count, stream.coordinate
    )


def _is_of(error: ErrorEntry, selections: SelectionSet, path: ClientPath) -> bool:
    """Whether the error's way on from the object at `path` is one of the selections."""
    return selects(selections, tuple(part for part in error.get("path", ())[len(path) :] if isinstance(part, str)))


def _gone(path: ClientPath) -> ErrorEntry:
    return {
        "message": "The object that this part belongs to is no longer there.",
        "path": list(path),
        "extensions": {"code": "DEFERRED_OBJECT_GONE"},
    }
