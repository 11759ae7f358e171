"""What a client makes of the payloads of an answer in pieces, in either wire format; strict about what it is told.

Written from the specification texts alone: it shares nothing with the router, whose payloads it judges.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

JsonObject = dict[str, Any]


class ProtocolViolationError(Exception):
    """The payloads are not what the format allows."""


def merge_payloads(payloads: Iterable[JsonObject]) -> JsonObject:
    """The current format (`pending`, `incremental`, `completed`): the data of all payloads in one, and all errors.

    Raises ProtocolViolationError: every piece is announced once, completed once and in a place that is there, and no
    value is sent twice.
    """
    first, *rest = payloads
    data, errors = first["data"], list(first.get("errors", ()))
    pending = _announced(first, {}, data)
    _check_end([first, *rest])
    for payload in rest:
        _require("data" not in payload, "only the first payload has `data`")
        pending = _announced(payload, pending, None)
        for piece in payload.get("incremental", ()):
            _require(piece["id"] in pending, f"{piece['id']} is not pending")
            target = _at(data, [*pending[piece["id"]], *piece.get("subPath", ())])
            if "items" in piece:
                _require(isinstance(target, list), f"there is no list for {piece}")
                target.extend(piece["items"])
            else:
                _add_once(target, piece["data"], piece)
            errors += piece.get("errors", ())
        for completed in payload.get("completed", ()):
            _require(pending.pop(completed["id"], None) is not None, f"{completed['id']} is not pending")
            errors += completed.get("errors", ())
    _require(not pending, f"{pending} never came")
    return {"data": data} | ({"errors": errors} if errors else {})


def merge_former_payloads(payloads: Iterable[JsonObject]) -> JsonObject:
    """The format of August 2022 (`path`, `label`): pieces may repeat what is known already, but must not contradict it."""
    first, *rest = payloads
    data, errors = first["data"], list(first.get("errors", ()))
    _check_end([first, *rest])
    for payload in rest:
        _require(payload.keys() <= {"incremental", "hasNext"}, f"{payload.keys()} is not of this format")
        for piece in payload.get("incremental", ()):
            errors += piece.get("errors", ())
            if piece.get("items") is not None:
                *path, index = piece["path"]
                target = _at(data, path)
                _require(isinstance(target, list) and len(target) == index, f"no list goes on at {piece['path']}")
                target.extend(piece["items"])
            elif piece.get("data") is not None:
                _add(_at(data, piece["path"]), piece["data"], piece)
    return {"data": data} | ({"errors": errors} if errors else {})


def _announced(payload: JsonObject, pending: dict[str, list[Any]], data: Any) -> dict[str, list[Any]]:
    for each in payload.get("pending", ()):
        _require(each["id"] not in pending, f"{each['id']} is announced twice")
        if data is not None:
            _at(data, each["path"])
    return pending | {each["id"]: each["path"] for each in payload.get("pending", ())}


def _check_end(payloads: list[JsonObject]) -> None:
    _require([each["hasNext"] for each in payloads] == [True] * (len(payloads) - 1) + [False], "hasNext is wrong")


def _at(data: Any, path: Iterable[str | int]) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            raise ProtocolViolationError(f"{list(path)} is not there") from None
    _require(isinstance(data, (dict, list)), f"nothing can be added at {list(path)}")
    return data


def _add_once(target: Any, data: JsonObject, piece: JsonObject) -> None:
    for key, value in data.items():
        if key not in target:
            target[key] = value
        elif isinstance(value, dict) and isinstance(target[key], dict):
            _add_once(target[key], value, piece)
        else:
            raise ProtocolViolationError(f"{key} is sent twice: {piece}")


def _add(target: Any, data: Any, piece: JsonObject) -> None:
    """A null that an error below made is the null of one piece: what another one says of the object stays."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        if isinstance(target, dict) and key not in target:
            target[key] = value
        elif value is None and isinstance(target[key], (dict, list)):
            _require(bool(piece.get("errors")), f"{key} is null for no reason: {piece}")
        elif isinstance(value, (dict, list)):
            same = target[key].__class__ is value.__class__ and (
                isinstance(value, dict) or len(target[key]) == len(value)
            )
            _require(same, f"{key} is another one: {piece}")
            _add(target[key], value, piece)
        else:
            _require(target[key] == value, f"{key} has another value: {piece}")


def _require(is_so: bool, complaint: str) -> None:
    if not is_so:
        raise ProtocolViolationError(complaint)
