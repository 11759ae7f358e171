"""A subgraph's errors as the client may see them: client paths, a code, the subgraph's name, nothing internal.

`fetch` and `nested_root` ask for errors inside an answer and for answers that never came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
)

from router.errors import ErrorEntry, SubgraphError
from router.exact_json import dumps
from router.executor.object_path import ClientPath
from router.selection_set import Field, SelectionSet

log = structlog.get_logger(__name__)

DEFAULT_CODE = "DOWNSTREAM_SERVICE_ERROR"
MAX_ENTRIES = 200
MAX_MESSAGE_CHARACTERS = 4_000
MAX_EXTENSIONS_BYTES = 16_000

#: Extensions in which servers put stack traces, queries and addresses of theirs.
_NOT_FOR_CLIENTS = frozenset(
    ["debug", "exception", "http", "query", "request", "response", "stackTrace", "stacktrace", "trace", "url"]
)


_PARTS_OF_PATHS = frozenset([str, int])


def never(_subgraph: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What clients learn of errors: of a subgraph that `redacts` names only where they are; with `causes` also the address
    of a subgraph that cannot be asked, and why it cannot.
    """

    redacts: Callable[[str], bool] = never
    causes: bool = False


ALL_THEY_SAY = Disclosure()


class ClientErrors:
    """Words errors for the client of one operation."""

    def __init__(
        self,
        schema: GraphQLSchema,
        root_type: str,
        selections: SelectionSet | None,
        disclosure: Disclosure = ALL_THEY_SAY,
    ) -> None:
        self._schema = schema
        self._root_type = schema.type_map[root_type]
        self._selections = selections  # None: paths are not the client's yet
        self._disclosure = disclosure

    def of_answer(
        self, errors: Any, subgraph: str, client_paths: Callable[[ClientPath], list[ClientPath]]
    ) -> list[ErrorEntry]:
        """`client_paths` gives the places in the client's answer for a path in the subgraph's.

        Locations are dropped: they point into a query which the client never wrote.
        """
        if errors.__class__ is not list:
            errors = [{"message": "The subgraph reported errors in an unreadable form."}]
        entries: list[ErrorEntry] = []
        lengths: dict[
            tuple[str | int | None, ...], int
        ] = {}  # of what is visible of a path, by what it is but for indexes
        for error in errors:
            known = error if error.__class__ is dict else {}
            message, extensions = self._told(known, subgraph)
            path: Any = known.get("path")
            is_path = path.__class__ is list and _PARTS_OF_PATHS.issuperset(map(type, path))
            for place in client_paths(tuple(path) if is_path else ()):
                if len(entries) >= MAX_ENTRIES:
                    entries.append(_entry("The subgraph reported more errors.", (), _own_extensions(subgraph)))
                    return entries
                form = tuple([None if isinstance(part, int) and part >= 0 else part for part in place])
                length = lengths.get(form)
                if length is None:
                    length = lengths[form] = len(self.visible(place))
                entries.append(_entry(message, place[:length], extensions))
        return entries

    def of_failure(self, error: SubgraphError, path: ClientPath) -> ErrorEntry:
        tells_cause = self._disclosure.causes and not self._disclosure.redacts(error.subgraph)
        message = error.full_message if tells_cause else error.message
        return _entry(message, self.visible(path), {"code": error.code, **error.extensions})

    def visible(self, path: ClientPath) -> ClientPath:
        """The path as far as the client can follow it: the plan asks for more than the client does."""
        if self._selections is None:
            return path
        within, type_ = [self._selections], self._root_type
        for index, part in enumerate(path):
            plain: Any = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
            if part.__class__ is int:
                if not isinstance(plain, GraphQLList) or part < 0:
                    return path[:index]
                type_ = plain.of_type
                continue
            fields = [found for each in within for found in self._fields(each, plain, str(part))]
            if not fields:
                return path[:index]
            type_ = fields[0][1]
            within = [field.selections for field, _ in fields if field.selections is not None]
        return path

    def _fields(self, selections: SelectionSet, parent: Any, key: str) -> list[tuple[Field, Any]]:
        """The selected fields of a response key, each with its type."""
        found: list[tuple[Field, Any]] = []
        for item in selections.items:
            if not isinstance(item, Field):
                inner = self._schema.type_map[item.type_condition] if item.type_condition else parent
                found += self._fields(item.selections, inner, key)
            elif item.response_key == key and isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType)):
                definition = parent.fields.get(item.name)
                found.append((item, definition.type if definition is not None else None))
        return found

    def _told(self, error: dict[str, Any], subgraph: str) -> tuple[str, dict[str, Any]]:
        message = error.get("message")
        if message.__class__ is not str:
            message = "The subgraph reported an error."
        if self._disclosure.redacts(subgraph):
            log.warning("subgraph_error", subgraph=subgraph, message=message[:MAX_MESSAGE_CHARACTERS])
            return "The subgraph reported an error.", _own_extensions(subgraph)
        if len(message) > MAX_MESSAGE_CHARACTERS:
            message = message[:MAX_MESSAGE_CHARACTERS] + "…"
        return message, _extensions_of(error.get("extensions"), subgraph)


def _entry(message: str, path: ClientPath, extensions: dict[str, Any]) -> ErrorEntry:
    entry: ErrorEntry = {"message": message}
    if path:
        entry["path"] = list(path)
    entry["extensions"] = extensions
    return entry


def _extensions_of(given: Any, subgraph: str) -> dict[str, Any]:
    """The subgraph's own, if they are not too large to be passed on."""
    own = _own_extensions(subgraph)
    if given.__class__ is not dict:
        return own
    visible = {key: value for key, value in given.items() if key not in _NOT_FOR_CLIENTS}
    code = visible.pop("code", None)
    if code.__class__ is str and len(code) <= MAX_MESSAGE_CHARACTERS:
        own["code"] = code
    if not visible or not _can_be_told(visible):
        return own
    return {**own, **visible, "service": subgraph}


def _own_extensions(subgraph: str) -> dict[str, Any]:
    return {"code": DEFAULT_CODE, "service": subgraph}


def _can_be_told(extensions: dict[str, Any]) -> bool:
    try:  # as deep in lists as in an answer, and some more: there the encoder must not come to its end
        return len(dumps([[[[[[[[extensions]]]]]]]])) <= MAX_EXTENSIONS_BYTES
    except orjson.JSONEncodeError:
        return False
