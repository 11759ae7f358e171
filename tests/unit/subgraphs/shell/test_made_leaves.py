"""The code that is made for leaves gives what reading them one by one gives, whatever their values are."""

from __future__ import annotations

from datetime import date
from enum import Enum
from operator import attrgetter
from typing import Any

import pytest
import strawberry
from graphql import Undefined
from strawberry.types import Info
from structlog.testing import capture_logs

from subgraphs.shell import compiled_operation
from subgraphs.shell.graphql_schema import SubgraphSchema
from subgraphs.shell.lean_executor import Leaf
from subgraphs.shell.made_leaves import made_reader
from tests.testkit.executions import OrdinarySchema


class Size(Enum):
    SMALL = "small"


class Text(str):
    """Is written as any text."""

    __slots__ = ()


@strawberry.type
class Thing:
    name: str
    title: str | None
    count: int
    length: int | None
    weight: float
    height: float | None
    is_new: bool
    is_old: bool | None
    size: Size
    other_size: Size | None
    day: date
    other_day: date | None
    id: strawberry.ID

    @strawberry.field
    def twice(self) -> str:
        return self.name * 2

    @strawberry.field
    def itself(self) -> Thing:
        return self


ORDINARY: dict[str, Any] = {
    "name": "a",
    "title": "b",
    "count": 1,
    "length": 2,
    "weight": 1.5,
    "height": 2.5,
    "is_new": True,
    "is_old": False,
    "size": Size.SMALL,
    "other_size": Size.SMALL,
    "day": date(2026, 12, 1),
    "other_day": date(2026, 12, 2),
    "id": strawberry.ID("c"),
}
ODD = [
    None, Text("text"), 7, 2**31, -(2**31), -(2**31) - 1, 2**70, 0.0, -0.0, float("nan"), float("inf"), True, b"bytes", [], Size.SMALL, ValueError("no"),
]  # fmt: skip
ASKED = "__typename called: name title itself { count kind: __typename length } weight height isNew isOld size otherSize day otherDay id twice"


@strawberry.type
class Query:
    @strawberry.field
    def things(self, info: Info) -> list[Thing | None]:
        return info.root_value  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ORDINARY)
async def test_a_value_is_written_or_refused_as_by_graphql_core(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_operation, "OBJECTS_BEFORE_CODE", 1)
    ours, ordinary = SubgraphSchema(query=Query), OrdinarySchema(query=Query)
    things = [Thing(**ORDINARY), *[Thing(**ORDINARY | {name: value}) for value in ODD], Thing(**ORDINARY)]
    with capture_logs():  # which are long, for each value that is none
        made = await ours.execute(f"{{ things {{ {ASKED} }} }}", root_value=things)
        known = await ordinary.execute(f"{{ things {{ {ASKED} }} }}", root_value=things)
    assert repr(made.data) == repr(known.data)
    assert _complaints(made) == _complaints(known)
    assert made.data["things"][-1]["called"] == "a"


def _complaints(result: Any) -> list[Any]:
    return sorted((repr(error.path), repr(error.locations), error.extensions["code"]) for error in result.errors or [])


@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize("nothing", [None, Undefined])
def test_what_is_serialised_to_nothing_is_read_in_the_ordinary_way(nothing: Any, nullable: bool) -> None:
    leaves = [
        ("name", Leaf(attrgetter("name"), str, False, str)),
        ("day", Leaf(attrgetter("day"), lambda _: nothing, nullable, None)),
    ]
    results: dict[str, Any] = {}
    assert not made_reader(leaves)(Thing(**ORDINARY), results)
    assert results == {"name": "a"}


def test_null_is_never_serialised() -> None:
    read = made_reader([("title", Leaf(attrgetter("title"), str, False, None))])
    assert not read(Thing(**ORDINARY | {"title": None}), {})
