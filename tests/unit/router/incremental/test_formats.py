"""What the payloads of a response in pieces say, in both formats."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from graphql import GraphQLString

from router.executor.object_path import ClientPath
from router.incremental.announcer import PendingPiece
from router.incremental.formats import Completed, CurrentFormat, FormerFormat, Told
from router.incremental.split import DeferredPart, StreamedList
from router.operation import Operation
from router.selection_set import SelectionSet

NOTHING = SelectionSet()
ERRORS = [{"message": "gone"}]


def deferred(id_: str, path: ClientPath, label: str | None = None) -> PendingPiece:
    part = DeferredPart(label, (), NOTHING, "Item", Operation("query", None, NOTHING))
    return PendingPiece(id_, part, path)


def streamed(id_: str, path: ClientPath, initial_count: int) -> PendingPiece:
    part = StreamedList(None, (), initial_count, NOTHING, GraphQLString, "Query.names")
    return PendingPiece(id_, part, path)


def written(body: bytes) -> Any:
    return orjson.loads(body)


def test_pieces_are_announced_and_told_by_their_ids_in_the_current_format() -> None:
    one, other = deferred("0", ("a", 1), "l"), deferred("1", ())
    current = CurrentFormat()

    assert written(current.initial({"a": []}, ERRORS, [one, other], {"cost": 1})) == {
        "errors": ERRORS,
        "data": {"a": []},
        "pending": [{"id": "0", "path": ["a", 1], "label": "l"}, {"id": "1", "path": []}],
        "extensions": {"cost": 1},
        "hasNext": True,
    }
    later = deferred("2", ("a", 1, "c"))
    told = [Told(one, {"data": {"b": 1}, "errors": ERRORS}, ("c", 0))]
    assert written(current.later(told, [Completed(one), Completed(other, ERRORS)], [later], None, has_next=True)) == {
        "pending": [{"id": "2", "path": ["a", 1, "c"]}],
        "incremental": [{"id": "0", "subPath": ["c", 0], "data": {"b": 1}, "errors": ERRORS}],
        "completed": [{"id": "0"}, {"id": "1", "errors": ERRORS}],
        "hasNext": True,
    }


def test_pieces_have_paths_and_labels_in_the_former_format() -> None:
    one, other = deferred("0", ("a",), "l"), deferred("1", ())
    former = FormerFormat()

    assert written(former.initial({"a": {}}, [], [one, other], None)) == {"data": {"a": {}}, "hasNext": True}
    told = [Told(one, {"data": {"b": 1}, "errors": ERRORS}, ("c", 0))]
    assert written(former.later(told, [Completed(one)], [deferred("2", ())], {"cost": 1}, has_next=True)) == {
        "incremental": [{"data": {"b": 1}, "errors": ERRORS, "path": ["a", "c", 0], "label": "l"}],
        "extensions": {"cost": 1},
        "hasNext": True,
    }
    assert written(former.later([], [Completed(other, ERRORS)], [], None, has_next=False)) == {
        "incremental": [{"data": None, "errors": ERRORS, "path": []}],
        "hasNext": False,
    }


def test_items_tell_where_they_begin_in_the_former_format() -> None:
    rest = streamed("0", ("a",), 2)
    former = FormerFormat()

    assert written(former.later([Told(rest, {"items": [3, 4]})], [Completed(rest)], [], None, has_next=False)) == {
        "incremental": [{"items": [3, 4], "path": ["a", 2]}],
        "hasNext": False,
    }
    assert written(former.later([], [Completed(rest, ERRORS)], [], None, has_next=False)) == {
        "incremental": [{"items": None, "errors": ERRORS, "path": ["a", 2]}],
        "hasNext": False,
    }


@pytest.mark.parametrize("format_", [CurrentFormat(), FormerFormat()])
def test_a_first_payload_that_nothing_follows_is_the_last(format_: CurrentFormat | FormerFormat) -> None:
    assert written(format_.initial(None, ERRORS, [], None)) == {"errors": ERRORS, "data": None, "hasNext": False}
