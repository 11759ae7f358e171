"""How large a response would be, told before it is written: one entity that stands in many places is written in each of them.

Encoding it to find out would take the memory that the bound is there to keep: a text of 1 MB in 10,000 places is 10 GB. So
`fetch` and `nested_root` add up, in `Execution.spread_bytes`, how much each answer can come to where it stands, which costs
little and is never too low (`Occurrences`); `execute` weighs the tree itself, by `response_bytes`, where that sum is too high.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any, ClassVar, NamedTuple

import orjson

from router.errors import ErrorEntry, RouterError
from router.exact_json import dumps
from router.executor.projection import NO_NAMES, holds
from router.selection_set import Field, SelectionSet

DEFAULT_RESPONSE_BYTES = 64 * 1024 * 1024
DEFAULT_FETCHED_BYTES = 256 * 1024 * 1024

Fields = dict[str, list[SelectionSet]]

#: A plan's path without list marks and type filters, `sharing.response_keys_of`.
ResponseKeys = tuple[str, ...]
#: A place of a response: its response keys, each with a full stop behind it. One text, as that is hashed once and a tuple each time.
PlaceName = str
#: The places of all objects that one passes, from below the root to the object meant.
Way = tuple[PlaceName, ...]


class ResponseTooLargeError(RouterError):
    """What was asked for has run, and its response is not sent. `maximum` is in bytes, of the body before compression."""

    code: ClassVar[str] = "RESPONSE_TOO_LARGE"

    def __init__(self, maximum: int, operation_type: str = "query", *, of_batch: bool = False) -> None:
        what = "With this one, the batch's responses are" if of_batch else "The response is"
        has_run = " The mutation has run." if operation_type == "mutation" else ""
        super().__init__(f"{what} larger than {maximum} bytes.{has_run}", extensions={"maximum": maximum})

    def entry(self) -> ErrorEntry:
        return self.entries()[0]


class Destination(NamedTuple):
    """One of the paths that a lookup goes to. Of the objects that wait for one entity, those of one `group` (`sharing`) get
    the very objects that are nested in it, where `may_share`; the others get copies, or nothing is nested.
    """

    way: Way
    group: int
    may_share: bool


class Occurrences:
    """In at most how many places of one response an object of the tree stands, by the path where it was looked up.

    Two things give an object more places than one. Equal entities at a path become one object (`sharing`), and the objects
    that wait for one entity get the very objects that are nested in it (`CompiledLookup.place`). Example: ten posts, all by
    one author, whose city is asked elsewhere. The author is one object in ten places, and so is the city that is
    put into the author. Were there a hundred likes by one person beside the posts, their places would not matter to either:
    what multiplies is what stands on one path, not what was fetched.

    Sharing never changes a response, so what was added up before stays right when objects above come to be shared later.
    """

    __slots__ = ("_below", "_shared")

    def __init__(self) -> None:
        self._shared: dict[PlaceName, int] = {}  # how many objects became one there
        self._below: dict[PlaceName, int] = {}  # places of one object that came with what was put there

    def of_lookup(
        self,
        destinations: Iterable[Destination],
        shared: Mapping[PlaceName, int] | None,
        groups: Iterable[list[int]],
    ) -> int:
        """In at most how many places an entity of a lookup will stand. For each entity, or for several once, `groups` has the
        group of each distinct object that waits for it; at the paths in `shared`, so many equal objects have just become one.
        """
        if shared is not None:
            self._share(shared)
        of_target: dict[int, int] = {}  # by group
        for way, group, _ in destinations:
            places = self._of_object(way) * self._shared.get(way[-1], 1)
            if places > of_target.get(group, 0):
                of_target[group] = places
        waiting = [*groups]
        for way, group, may_share in destinations:
            places = of_target[group]
            if may_share:
                places *= max([1, *[each.count(group) for each in waiting]])
            self._note(way[-1], places)
        return max([sum([of_target[group] for group in each]) for each in waiting], default=1)

    def _share(self, shared: Mapping[PlaceName, int]) -> None:
        for path, times in shared.items():
            self._shared[path] = max(times, self._shared.get(path, 1))
            for known in self._below:
                if len(known) > len(path) and known.startswith(path):
                    self._below[known] *= times

    def of_repeated(self, way: Way, times: int) -> None:
        """So many objects at the end of the way were one as soon as they were read (`repeated_objects`)."""
        path = way[-1]
        self._shared[path] = max(times, self._shared.get(path, 1))
        self._note(path, self._of_object(way) * times)

    def of_nested_root(self, way: Way, positions: int) -> int:
        """In how many places the data of a root fetch will stand that goes to the objects at `positions` of the response."""
        places = max(positions, self._of_object(way))
        self._note(way[-1], places)
        return places

    def _of_object(self, way: Way) -> int:
        """Of an object at the end, before objects there were shared: it came with what was put somewhere above."""
        return max([1, *map(self._below.get, way[:-1], repeat(1))]) if self._below else 1

    def _note(self, path: PlaceName, places: int) -> None:
        if places > self._below.get(path, 1):
            self._below[path] = places


def way_of(path: ResponseKeys) -> Way:
    return tuple(place_name(path[:length]) for length in range(1, len(path) + 1))


def place_name(path: ResponseKeys) -> PlaceName:
    return "".join([f"{key}." for key in path])


def response_bytes(
    selections: SelectionSet,
    tree: dict[str, Any] | list[Any],
    variables: Mapping[str, Any],
    names: Mapping[str, str] = NO_NAMES,
) -> int:
    """About as many bytes as the selected part of the tree, or of a list of objects of it, takes as JSON, at least one a
    character.

    Each object is looked at once for each set of selections, however many places it stands in, so this takes as long as
    the tree is large and not as the response would be. What a wrong value below would make null is counted.
    """
    return _Scales(variables, names).weigh((selections,), tree)


class _Scales:
    """For one response. The tree keeps alive what is known by its `id`."""

    def __init__(self, variables: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self._variables = variables
        self._names = names
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
            len(self._names.get(key, key)) + 4 + self.weigh(tuple(inner), value[key])
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
