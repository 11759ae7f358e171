"""How large a response would be, told before it is written: one entity that stands in many places is written in each of them.

`execute` asks where the subgraphs' answers do not rule it out by their size alone. Encoding it to find out would take the
memory that the bound is there to keep: a text of 1 MB in 10,000 places is 10 GB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson

from router.errors import ErrorEntry, RouterError
from router.exact_json import dumps
from router.executor.projection import holds
from router.selection_set import Field, SelectionSet

DEFAULT_RESPONSE_BYTES = 64 * 1024 * 1024
DEFAULT_FETCHED_BYTES = 256 * 1024 * 1024

Fields = dict[str, list[SelectionSet]]


class ResponseTooLargeError(RouterError):
    """What was asked for has run, and its response is not sent. `maximum` is in bytes, of the body before compression."""

    code: ClassVar[str] = "RESPONSE_TOO_LARGE"

    def __init__(self, maximum: int, operation_type: str = "query", *, of_batch: bool = False) -> None:
        what = "With this one, the batch's responses are" if of_batch else "The response is"
        has_run = " The mutation has run." if operation_type == "mutation" else ""
        super().__init__(f"{what} larger than {maximum} bytes.{has_run}", extensions={"maximum": maximum})

    def entry(self) -> ErrorEntry:
        return self.entries()[0]


def response_bytes(selections: SelectionSet, tree: dict[str, Any], variables: Mapping[str, Any]) -> int:
    """About as many bytes as the selected part of the tree takes as JSON, at least one a character.

    Each object is looked at once for each set of selections, however many places it stands in, so this takes as long as
    the tree is large and not as the response would be. What a wrong value below would make null is counted.
    """
    return _Scales(variables).weigh((selections,), tree)


class _Scales:
    """For one response. The tree keeps alive what is known by its `id`."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._fields: dict[tuple[int, ...], Fields] = {}
        self._known: dict[tuple[int, tuple[int, ...]], int] = {}

    def weigh(self, selections: tuple[SelectionSet, ...], value: Any) -> int:
        if value.__class__ is str:
            return len(value) + 2
        if value.__class__ is not list and value.__class__ is not dict:
            return 1
        about = (id(value), tuple(map(id, selections)))
        known = self._known.get(about)
        if known is None:
            known = self._known[about] = self._sum(selections, value)
        return known

    def _sum(self, selections: tuple[SelectionSet, ...], value: Any) -> int:
        if not selections:  # of a custom scalar
            try:
                return len(dumps(value))
            except orjson.JSONEncodeError:  # nested too deeply: it will be null
                return 0
        if value.__class__ is list:
            return 2 + sum(self.weigh(selections, item) + 1 for item in value)
        return 2 + sum(
            len(key) + 4 + self.weigh(tuple(inner), value[key])
            for key, inner in self._fields_of(selections).items()
            if key in value
        )

    def _fields_of(self, selections: tuple[SelectionSet, ...]) -> Fields:
        about = tuple(map(id, selections))
        fields = self._fields.get(about)
        if fields is None:
            fields = self._fields[about] = {}
            for each in selections:
                self._collect(each, fields)
        return fields

    def _collect(self, selections: SelectionSet, fields: Fields) -> None:
        """Of all type conditions: an object has only what its own type was asked for."""
        for item in selections.items:
            if not holds(item.conditions, self._variables):
                continue
            if isinstance(item, Field):
                inner = fields.setdefault(item.response_key, [])
                if item.selections is not None:
                    inner.append(item.selections)
            else:
                self._collect(item.selections, fields)
