"""Ways in which a stub subgraph breaks or lies; named in `cases.yaml`, applied by `subgraph_stub`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StubResponse:
    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class FailureMode:
    """`kind` is a key of CORRUPTIONS or "status", "disconnect"; `delay_seconds` is waited before the answer."""

    kind: str = "none"
    status: int = 500
    body: str | None = None
    delay_seconds: float = 0.0


def apply_failure(mode: FailureMode, response: StubResponse) -> StubResponse:
    if mode.kind == "disconnect":
        raise ConnectionError("the stub subgraph closed the connection")
    if mode.body is not None:
        return StubResponse(mode.status, "application/json", mode.body.encode())
    if mode.kind == "status":
        return StubResponse(mode.status, "text/plain", b"upstream trouble, secret=hunter2")
    if mode.kind == "not_json":
        return StubResponse(200, "text/html", b"<html>secret=hunter2</html>")
    if mode.kind == "truncated":
        return StubResponse(200, response.content_type, response.body[:-3])
    if mode.kind == "none":
        return response
    answer = json.loads(response.body)
    return StubResponse(200, response.content_type, json.dumps(CORRUPTIONS[mode.kind](answer)).encode())


def _entity_lists(answer: Any) -> Any:
    """Each `_entities` list of an answer, with the object and the key that hold it."""
    for key, value in list((answer.get("data") or {}).items()):
        if isinstance(value, list):
            yield answer["data"], key, value


def _rewrite_lists(answer: Any, rewrite: Any) -> Any:
    for holder, key, value in _entity_lists(answer):
        holder[key] = rewrite(value)
    return answer


def _with_typename(entity: Any, typename: str) -> Any:
    return {**entity, "__typename": typename} if isinstance(entity, dict) else entity


def _replace_leaves(value: Any, leaf: Any) -> Any:
    if isinstance(value, dict):
        return {k: v if k == "__typename" else _replace_leaves(v, leaf) for k, v in value.items()}
    if isinstance(value, list):
        return [_replace_leaves(element, leaf) for element in value]
    return leaf


CORRUPTIONS: dict[str, Any] = {
    "json_list": lambda answer: [answer],
    "json_text": lambda _answer: "data",
    "null": lambda _answer: None,
    "empty_object": lambda _answer: {},
    "null_data": lambda _answer: {"data": None},
    "data_is_list": lambda _answer: {"data": [1, 2]},
    "errors_is_text": lambda _answer: {"data": None, "errors": "broken"},
    "errors_of_odd_items": lambda _answer: {"data": None, "errors": [1, None, {"path": "x"}, {"message": 5}]},
    "error_with_odd_path": lambda answer: {
        **answer,
        "errors": [{"message": "odd", "path": ["_entities", 99, "x", {}]}],
    },
    "missing_entity": lambda answer: _rewrite_lists(answer, lambda items: [None for _ in items]),
    "short_list": lambda answer: _rewrite_lists(answer, lambda items: items[:-1]),
    "empty_list": lambda answer: _rewrite_lists(answer, lambda _items: []),
    "long_list": lambda answer: _rewrite_lists(answer, lambda items: items + items),
    "list_is_object": lambda answer: _rewrite_lists(answer, lambda items: {"0": items}),
    "entities_are_text": lambda answer: _rewrite_lists(answer, lambda items: ["x" for _ in items]),
    "unknown_typename": lambda answer: _rewrite_lists(
        answer, lambda items: [_with_typename(i, "Ghost") for i in items]
    ),
    "leaves_are_objects": lambda answer: {**answer, "data": _replace_leaves(answer.get("data"), {"a": 1})},
    "leaves_are_lists": lambda answer: {**answer, "data": _replace_leaves(answer.get("data"), ["x"])},
    "leaves_are_text": lambda answer: {**answer, "data": _replace_leaves(answer.get("data"), "x")},
}
