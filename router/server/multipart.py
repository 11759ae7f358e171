"""@defer and @stream on the wire: one multipart response whose parts follow the initial result, in either of the two formats.

`event_stream` writes with it. The pipeline speaks the current format (`pending`, `incremental`, `completed`); the former
one, which clients ask for with `deferSpec=20220824`, is made of it here.
"""

from __future__ import annotations

from typing import Any

import orjson

from router.errors import RouterError
from router.exact_json import dumps, loads


class IncrementalParts:
    """The current format: parts pass as they are. Its version is told also to who did not ask for one."""

    content_type = b'multipart/mixed; boundary="-"; incrementalSpec=v0.2'
    start = b"\r\n---"
    heartbeat = b""

    def part(self, body: bytes) -> bytes:
        """With the boundary after it: a client knows only by it that the part is complete, and shows it then."""
        return b"\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: %d\r\n\r\n%b\r\n---" % (
            len(body),
            body,
        )

    def end(self, error: RouterError | None) -> bytes:
        last = b""
        if error is not None:
            last = self.part(orjson.dumps({"errors": error.entries(), "hasNext": False}))
        return last + b"--\r\n"


class FormerIncrementalParts(IncrementalParts):
    """The format of August 2022: every piece names its own `path` and `label`, items the index of the first of them."""

    content_type = b'multipart/mixed; boundary="-"; deferSpec=20220824'

    def __init__(self) -> None:
        self._pending: dict[str, dict[str, Any]] = {}
        self._streamed: set[str] = set()

    def part(self, body: bytes) -> bytes:
        return super().part(dumps(self._former(loads(body))))

    def _former(self, payload: dict[str, Any]) -> dict[str, Any]:
        for each in payload.pop("pending", ()):
            first = _length_at(payload.get("data"), each["path"])
            self._pending[each["id"]] = each
            if first is not None:
                self._streamed.add(each["id"])
                self._pending[each["id"]] = each | {"path": [*each["path"], first]}
        pieces = [self._piece(each) for each in payload.pop("incremental", ())]
        for completed in payload.pop("completed", ()):
            pending = self._pending.pop(completed["id"])
            if "errors" in completed:  # the whole piece came to nothing
                name = "items" if completed["id"] in self._streamed else "data"
                pieces.append(_place(pending, {name: None, "errors": completed["errors"]}))
        if pieces:
            payload["incremental"] = pieces
        return payload

    def _piece(self, incremental: dict[str, Any]) -> dict[str, Any]:
        pending = self._pending[incremental["id"]]
        piece: dict[str, Any] = {name: incremental[name] for name in ("data", "items", "errors") if name in incremental}
        return _place(pending, piece, incremental.get("subPath", ()))


def _length_at(data: Any, path: list[Any]) -> int | None:
    """How many items of a streamed list came first; None for an object."""
    for part in path if data is not None else ():
        data = data[part]
    return len(data) if isinstance(data, list) else None


def _place(pending: dict[str, Any], piece: dict[str, Any], sub_path: Any = ()) -> dict[str, Any]:
    piece["path"] = [*pending["path"], *sub_path]
    if "label" in pending:
        piece["label"] = pending["label"]
    return piece
