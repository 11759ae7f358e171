"""What the payloads of a response in pieces say, in either of the two formats: that of today (`pending`, `incremental`, `completed`),
and that of August 2022, in which every piece names its own `path` and `label`.

`pieces` chooses one for a request; `payloads` collects what there is to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from router.errors import ErrorEntry
from router.exact_json import dumps
from router.executor.object_path import ClientPath
from router.incremental.announcer import PendingPiece
from router.incremental.split import StreamedList

#: Of a part of the response; None where nobody wants to see any.
Extensions = dict[str, Any] | None


@dataclass(slots=True)
class Told:
    """Some of a piece: `content` has the fields of the object at `below` it as `data`, or `items`, and `errors` where there are some."""

    piece: PendingPiece
    content: dict[str, Any]
    below: ClientPath = ()


@dataclass(slots=True)
class Completed:
    """The last word of a piece. With errors the whole piece came to nothing."""

    piece: PendingPiece
    errors: list[ErrorEntry] | None = None


class Format(Protocol):
    """`initial` is the first payload, to which `announced` pieces follow; `later` is any other."""

    def initial(
        self, data: Any, errors: list[ErrorEntry], announced: list[PendingPiece], extensions: Extensions
    ) -> bytes: ...

    def later(
        self,
        told: Iterable[Told],
        completed: Iterable[Completed],
        announced: list[PendingPiece],
        extensions: Extensions,
        *,
        has_next: bool,
    ) -> bytes: ...


class CurrentFormat:
    """Pieces have ids, by which they are announced, told and completed."""

    def initial(
        self, data: Any, errors: list[ErrorEntry], announced: list[PendingPiece], extensions: Extensions
    ) -> bytes:
        payload = _first_result(data, errors) | self._pending(announced)
        return _written(payload, extensions, has_next=bool(announced))

    def later(
        self,
        told: Iterable[Told],
        completed: Iterable[Completed],
        announced: list[PendingPiece],
        extensions: Extensions,
        *,
        has_next: bool,
    ) -> bytes:
        payload = self._pending(announced)
        incremental = [
            {"id": each.piece.id} | ({"subPath": list(each.below)} if each.below else {}) | each.content
            for each in told
        ]
        if incremental:
            payload["incremental"] = incremental
        payload["completed"] = [
            {"id": each.piece.id} if each.errors is None else {"id": each.piece.id, "errors": each.errors}
            for each in completed
        ]
        return _written(payload, extensions, has_next=has_next)

    def _pending(self, announced: list[PendingPiece]) -> dict[str, Any]:
        pending = [{"id": piece.id, "path": list(piece.path), **_label(piece)} for piece in announced]
        return {"pending": pending} if pending else {}


class FormerFormat:
    """Nothing is announced, and only what came to nothing has a last word: null, and why."""

    def initial(
        self, data: Any, errors: list[ErrorEntry], announced: list[PendingPiece], extensions: Extensions
    ) -> bytes:
        return _written(_first_result(data, errors), extensions, has_next=bool(announced))

    def later(
        self,
        told: Iterable[Told],
        completed: Iterable[Completed],
        announced: list[PendingPiece],  # noqa: ARG002 - of the other format
        extensions: Extensions,
        *,
        has_next: bool,
    ) -> bytes:
        pieces = [self._placed(each.piece, each.content, each.below) for each in told]
        for each in completed:
            if each.errors is not None:
                name = "items" if isinstance(each.piece.part, StreamedList) else "data"
                pieces.append(self._placed(each.piece, {name: None, "errors": each.errors}))
        return _written({"incremental": pieces} if pieces else {}, extensions, has_next=has_next)

    def _placed(self, piece: PendingPiece, content: dict[str, Any], below: ClientPath = ()) -> dict[str, Any]:
        """Items are told the index of the first of them."""
        part = piece.part
        first = (part.initial_count,) if isinstance(part, StreamedList) else ()
        return {**content, "path": [*piece.path, *first, *below], **_label(piece)}


def _first_result(data: Any, errors: list[ErrorEntry]) -> dict[str, Any]:
    return {"errors": errors, "data": data} if errors else {"data": data}


def _label(piece: PendingPiece) -> dict[str, str]:
    return {} if piece.part.label is None else {"label": piece.part.label}


def _written(payload: dict[str, Any], extensions: Extensions, *, has_next: bool) -> bytes:
    if extensions:
        payload["extensions"] = extensions
    payload["hasNext"] = has_next
    return dumps(payload)
