"""Recognises a GraphQL result in the body of an answer, whatever its status: the protocol allows errors in any."""

from __future__ import annotations

from typing import Any

import orjson

from router.exact_json import loads, loads_rounded


def graphql_result(body: bytes, *, is_exact: bool = True) -> dict[str, Any] | None:
    """The result, or None where the body is none: it has neither `data` nor a list of `errors`.

    `is_exact` where it may hold numbers of custom scalars, which keep digits that no type of GraphQL's own has.
    """
    try:
        payload = loads(body) if is_exact else orjson.loads(body)
    except orjson.JSONDecodeError:
        payload = None if is_exact else _read_again(body)
    is_result = payload.__class__ is dict and ("data" in payload or payload.get("errors").__class__ is list)
    return payload if is_result else None


def _read_again(body: bytes) -> Any:
    """What orjson refused: it may have found no memory, or a number too large for a double. None where it was right."""
    try:
        return loads_rounded(body)
    except orjson.JSONDecodeError:
        return None
