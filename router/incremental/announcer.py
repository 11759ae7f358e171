"""The pieces of one response: what is sent of each part at each of its places, and by which id it is named.

`pieces` asks for those of a part when what they stand in is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any

from router.executor.fetch import Tree
from router.executor.object_path import ClientPath, positions_at
from router.incremental.split import DeferredPart, StreamedList


@dataclass(slots=True)  # frozen it would cost a call for each value of each piece
class PendingPiece:
    """What is sent of a part at one place: of a deferred part at one object of the response, or the rest of a list."""

    id: str
    part: DeferredPart | StreamedList
    path: ClientPath


class Announcer:
    """Finds the pieces of a response and names them."""

    def __init__(self) -> None:
        self._ids = map(str, count())
        self._pieces: dict[DeferredPart | StreamedList, list[PendingPiece]] = {}

    def deferred_at(
        self, parts: Iterable[DeferredPart], tree: Tree, data: Any, at: ClientPath = ()
    ) -> list[PendingPiece]:
        """Every object that a deferred part belongs to within `data`, which is the part of the response at the path `at`."""
        return [
            self._piece(part, path)
            for part in parts
            for path, _ in positions_at(tree, part.path, at)
            if value_at(data, path[len(at) :]).__class__ is dict
        ]

    def rests_of(self, stream: StreamedList, cut_at: Iterable[ClientPath], data: Any) -> list[PendingPiece]:
        """One for each list that was cut, unless null took it, or an object above it, out of the response."""
        return [self._piece(stream, path) for path in cut_at if value_at(data, path).__class__ is list]

    def of(self, part: DeferredPart | StreamedList) -> list[PendingPiece]:
        return self._pieces.get(part, [])

    def _piece(self, part: DeferredPart | StreamedList, path: ClientPath) -> PendingPiece:
        piece = PendingPiece(next(self._ids), part, path)
        self._pieces.setdefault(part, []).append(piece)
        return piece


def value_at(value: Any, path: ClientPath) -> Any:
    """What stands there in objects and lists; None where nothing does."""
    try:
        for part in path:
            value = value[part]
    except (KeyError, IndexError, TypeError):
        return None
    return value
