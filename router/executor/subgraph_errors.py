"""A subgraph's errors as the client may see them: client paths, a code, the subgraph's name, nothing internal.

`fetch` calls it for errors inside an answer and for answers that never came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from router.errors import ErrorEntry, SubgraphError
from router.executor.object_path import ClientPath

DEFAULT_CODE = "DOWNSTREAM_SERVICE_ERROR"
MAX_ENTRIES = 200

#: Extensions in which servers put stack traces and queries of theirs.
_NOT_FOR_CLIENTS = frozenset({"exception", "stacktrace", "stackTrace", "debug", "trace", "query"})


def entries_of(errors: Any, subgraph: str, client_paths: Callable[[ClientPath], list[ClientPath]]) -> list[ErrorEntry]:
    """`client_paths` gives the places in the client's answer for a path in the subgraph's.

    Locations are dropped: they point into a query which the client never wrote.
    """
    if errors.__class__ is not list:
        errors = [{"message": "The subgraph reported errors in an unreadable form."}]
    entries: list[ErrorEntry] = []
    for error in errors[:MAX_ENTRIES]:
        known = error if error.__class__ is dict else {}
        message = known.get("message")
        path = known.get("path")
        is_path = isinstance(path, list) and all(part.__class__ in (str, int) for part in path)
        for place in client_paths(tuple(path) if path and is_path else ()):
            entry: ErrorEntry = {"message": message if message.__class__ is str else "The subgraph reported an error."}
            visible = _without_internal_keys(place)
            if visible:
                entry["path"] = list(visible)
            entry["extensions"] = _extensions_of(known.get("extensions"), subgraph)
            entries.append(entry)
            if len(entries) >= MAX_ENTRIES:
                return entries
    return entries


def entry_of_failure(error: SubgraphError, path: ClientPath) -> ErrorEntry:
    entry: ErrorEntry = {"message": error.message}
    visible = _without_internal_keys(path)
    if visible:
        entry["path"] = list(visible)
    entry["extensions"] = {"code": error.code, **error.extensions}
    return entry


def _extensions_of(given: Any, subgraph: str) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": DEFAULT_CODE}
    if given.__class__ is dict:
        extensions.update((key, value) for key, value in given.items() if key not in _NOT_FOR_CLIENTS)
        if extensions["code"].__class__ is not str:
            extensions["code"] = DEFAULT_CODE
    extensions["service"] = subgraph
    return extensions


def _without_internal_keys(path: ClientPath) -> ClientPath:
    """The path up to the first key that only the plan knows: the client sees the object around it."""
    for index, part in enumerate(path):
        if isinstance(part, str) and part.startswith("__") and part != "__typename":
            return path[:index]
    return path
