"""Which objects of a tree a path leads to, and which of them stand below a place."""

from __future__ import annotations

from typing import Any

import pytest

from router.executor.object_path import ClientPath, positions_at
from router.query_plan import Path

TREE = {
    "shops": [
        {"__typename": "Shop", "owners": [{"id": 1}, {"id": 2}]},
        {"__typename": "Stall", "owners": [{"id": 3}]},
        None,
        {"__typename": "Shop", "owners": None},
    ]
}
PATHS: list[Path] = [
    (),
    ("shops", "@"),
    ("shops", "@", "|Shop|"),
    ("shops", "@", "owners", "@"),
    ("shops", "@", "|Shop|Stall|", "|Stall|", "owners", "@"),
    ("nothing",),
]
PLACES: list[ClientPath] = [
    (), ("shops",), ("shops", 0), ("shops", 1), ("shops", 2), ("shops", 9), ("shops", "x"), (0,),
    ("shops", 0, "owners", 1), ("shops", 1, "owners", 0), ("shops", 1, "owners", 0, "id"), ("shops", 3, "owners", 0),
]  # fmt: skip


def test_every_object_at_a_path_is_found_with_its_way() -> None:
    assert dict(positions_at(TREE, ("shops", "@", "|Shop|", "owners", "@"))) == {
        ("shops", 0, "owners", 0): {"id": 1},
        ("shops", 0, "owners", 1): {"id": 2},
    }


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("at", PLACES)
def test_below_a_place_are_those_whose_way_begins_there(path: Path, at: ClientPath) -> None:
    every: list[tuple[ClientPath, Any]] = list(positions_at(TREE, path))
    assert list(positions_at(TREE, path, at)) == [each for each in every if each[0][: len(at)] == at]
