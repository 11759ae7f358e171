"""Lies about one subgraph answer: its bytes changed at one place, or as a whole, in every way that a broken server can.

Used by `lies`; reproducible from a seeded `Random`.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Lie:
    """`place` is where in `data` it stands, None for the whole answer. A lie that a server could tell with a good
    conscience (a null, a field left out, another type's name) needs no error: nobody can find it out.
    """

    kind: str
    body: bytes
    status: int = 200
    place: Path | None = None
    needs_errors: bool = True


def random_lie(body: bytes, type_names: list[str], rng: Random) -> Lie:
    """One lie about an honest body. `type_names` are those of the API schema."""
    answer = json.loads(body)
    if rng.random() < 0.6 and isinstance(answer.get("data"), dict) and answer["data"]:
        return _lie_in_data(answer, type_names, rng)
    kind = rng.choice(list(_ABOUT_ALL))
    return _ABOUT_ALL[kind](kind, answer, body, rng)


# -- at one place ----------------------------------------------------------------------------------------------


def _lie_in_data(answer: Any, type_names: list[str], rng: Random) -> Lie:
    place = rng.choice([path for path in _places(answer["data"], ()) if path])
    *above, last = place
    holder = answer["data"]
    for step in above:
        holder = holder[step]
    value = holder[last]
    kind, needs_errors = "another kind of value", True
    roll = rng.random()
    if last == "__typename":
        kind, needs_errors = "another type name", False
        holder[last] = rng.choice([*type_names, "Ghost", "__Ghost", "", None, 7, ["Query"], {"a": 1}, True])
    elif roll < 0.12 and isinstance(holder, dict):
        kind, needs_errors = "a key left out", False
        del holder[last]
    elif roll < 0.24:
        kind, needs_errors = "null", False
        holder[last] = None
    elif roll < 0.45 and isinstance(value, list):
        kind, needs_errors = "another list", False
        holder[last] = _another_list(value, rng)
    elif roll < 0.55 and isinstance(value, dict):
        kind, needs_errors = "more keys", False
        value.update(
            {"__proto__": {"x": 1}, "__c0_x": "y", "__k0_id": [1], "constructor": None, "": 1, "_entities": []}
        )
    else:
        needs_errors = False  # a custom scalar may have any value, a list none, an enum another
        holder[last] = rng.choice([odd for odd in _ODD_VALUES if odd != value])  # `1` for `true` goes unnoticed
    return Lie(kind, _dumps(answer), place=place, needs_errors=needs_errors)


def _places(value: Any, path: Path) -> Iterator[Path]:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, (*path, index))


def _another_list(items: list[Any], rng: Random) -> Any:
    return rng.choice(
        [
            items[:-1],
            items + items[:1] + [None],
            items[::-1],
            [None for _ in items],
            {"0": items},
            [items],
            [[] for _ in items],
            [7 for _ in items],
            items * 50,
        ]
    )


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


_ODD_VALUES: tuple[Any, ...] = (
    0, -1, 2**31, 2**63, 2**70, -(2**65), 1.5, 1e300, True, "", "GHOST", "x" * 5_000, "\0\u2028", [], [None], [[]], {},
    {"a": {"b": [1]}}, {"__typename": "Ghost"}, {"__typename": ["Query"]}, ["x", 1], _nested(100), _nested(200), _nested(300), _nested(700),
)  # fmt: skip


# -- about the whole answer ------------------------------------------------------------------------------------


def _raw(make: Callable[[bytes], bytes], status: int = 200) -> Callable[[str, Any, bytes, Random], Lie]:
    return lambda kind, _answer, body, _rng: Lie(kind, make(body), status)


def _json(make: Callable[[Any], Any], status: int = 200) -> Callable[[str, Any, bytes, Random], Lie]:
    return lambda kind, answer, _body, _rng: Lie(kind, _dumps(make(answer)), status)


def _truncated(kind: str, _answer: Any, body: bytes, rng: Random) -> Lie:
    return Lie(kind, body[: rng.randrange(len(body))])


def _with_errors(errors: Any, *, keeps_data: bool = True) -> Callable[[str, Any, bytes, Random], Lie]:
    return _json(lambda answer: {"data": answer.get("data") if keeps_data else None, "errors": errors})


def _odd_paths(kind: str, answer: Any, _body: bytes, rng: Random) -> Lie:
    places = list(_places(answer.get("data") or {}, ()))
    errors = [
        {"message": "odd", "path": path, "extensions": {"code": "ODD"}}
        for path in (
            [*rng.choice(places), "__c0_x"],
            [*rng.choice(places), -1, 10**6],
            [*rng.choice(places)][::-1],
            ["_entities", 99, "x"],
            ["_entities", -1],
            ["_e0", 0, "x"],
            ["nowhere", 0],
            [True],
            [1.5],
            [None],
            [{}],
            "path",
            {},
            [["a"]],
            ["x"] * 3_000,
            [2**70],
        )
    ]
    return Lie(kind, _dumps({**answer, "errors": errors}))


_ABOUT_ALL: dict[str, Callable[[str, Any, bytes, Random], Lie]] = {
    "nothing": _raw(lambda _: b""),
    "spaces": _raw(lambda body: b" \n" + body + b"\n "),
    "HTML": _raw(lambda _: b"<html>hunter2</html>"),
    "HTML and 502": _raw(lambda _: b"<html>hunter2</html>", 502),
    "GraphQL and 500": _raw(lambda body: body, 500),
    "204": _raw(lambda _: b"", 204),
    "304": _raw(lambda _: b"", 304),
    "a redirect": _raw(lambda _: b"", 307),
    "a byte order mark": _raw(lambda body: b"\xef\xbb\xbf" + body),
    "UTF-16": _raw(lambda body: body.decode().encode("utf-16")),
    "Latin-1": _raw(lambda body: body.replace(b'"data"', b'"\xe9":1,"data"', 1)),
    "odd bytes in a text": _raw(lambda body: re.sub(rb'(":\s*")', b"\\1\xff", body, count=1)),
    "a lone surrogate in a text": _raw(lambda body: re.sub(rb'(":\s*")', rb"\1\\udc00", body, count=1)),
    "compressed": _raw(gzip.compress),
    "cut off": _truncated,
    "twice": _raw(lambda body: body + body),
    "NaN": _raw(lambda body: body.replace(b":", b":NaN,", 1)),
    "Infinity": _raw(lambda _: b'{"data":{"a":Infinity}}'),
    "a lone surrogate": _raw(lambda _: b'{"data":{"a":"\\ud800"}}'),
    "keys twice": _raw(lambda body: b'{"data":{"a":1},' + body.lstrip()[1:]),
    "deep brackets": _raw(lambda _: b'{"data":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "deep objects": _raw(lambda _: b'{"data":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001),
    "a list of answers": _json(lambda answer: [answer]),
    "text": _json(lambda _: "data"),
    "null": _json(lambda _: None),
    "no keys": _json(lambda _: {}),
    "null data": _json(lambda _: {"data": None}),
    "null data, no errors": _json(lambda _: {"data": None, "errors": []}),
    "errors and no data": _json(lambda _: {"errors": [{"message": "no"}]}),
    "no errors and no data": _json(lambda _: {"errors": []}),
    "data is a list": _json(lambda answer: {"data": [answer["data"]]}),
    "data is text": _json(lambda _: {"data": "hunter2"}),
    "data is a number": _json(lambda _: {"data": 1}),
    "no keys in data": lambda kind, _answer, _body, _rng: Lie(kind, b'{"data":{}}', needs_errors=False),
    "errors are text": _with_errors("broken", keeps_data=False),
    "errors are an object": _with_errors({"message": "x"}, keeps_data=False),
    "errors are a number": _with_errors(1, keeps_data=False),
    "errors of odd items": _with_errors([1, None, {"path": "x"}, {"message": 5}, [], "e"], keeps_data=False),
    "errors about nothing": _with_errors([{"message": "late", "path": ["nowhere"]}], keeps_data=False),
    "errors and whole data": _with_errors([{"message": "beside"}]),
    "odd paths": _odd_paths,
    "thousands of errors": _with_errors(
        [{"message": f"e{index}", "path": ["_entities", index % 7, "x"]} for index in range(5_000)]
    ),
    "a huge message": _with_errors([{"message": "m" * 3_000_000, "path": ["_entities", 0]}]),
    "huge extensions": _with_errors([{"message": "m", "extensions": {f"k{index}": "v" * 99 for index in range(20_000)}}]),
    "deep extensions": _with_errors([{"message": "m", "extensions": {"a": _nested(400)}}]),
    "odd extensions": _with_errors([{"message": "m", "extensions": "x"}, {"message": "m", "extensions": {"code": {}}}]),
    "extensions with a trace": _with_errors(
        [{"message": "m", "extensions": {"exception": {"stacktrace": ["hunter2"]}, "service": 7, "http": {"url": "hunter2"}}}]
    ),
    "extensions beside data": _json(lambda answer: {**answer, "extensions": [{"hunter2": _nested(300)}]}),
}  # fmt: skip


def _dumps(value: Any) -> bytes:
    return json.dumps(value).encode()
