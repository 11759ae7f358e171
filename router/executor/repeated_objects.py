"""Reads an answer in which objects occur many times over: text that was read before is not read again.

`execute.StepCompiler` makes one for a fetch of whose objects equal ones may be one object of the tree (`sharing`); `fetch` reads
answers with it. What comes of it is what `orjson.loads` gives, but for objects of one text, which are one object.
"""

from __future__ import annotations

import marshal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from keyword import iskeyword
from typing import Annotated, Any

import msgspec
import orjson
from msgspec.structs import asdict

from router.executor.response_size import Occurrences, Way, way_of
from router.executor.sharing import NEVER_SHARED, Sharing, response_keys_of
from router.query_plan import EntityLookup, Fetch, Path
from router.selection_set import Field, InlineFragment, SelectionSet
from router.transport.protocol import SubgraphAnswer

Tree = dict[str, Any]
#: What is read of an answer, whoever asked: the payload, how many objects became one at a path, and the distinct ones.
_Read = tuple[Tree, list[tuple[Path, int]], dict[Path, list[Tree]]]

#: Smaller answers are read sooner than compared.
MIN_BYTES = 1_000
#: Where less of an answer than one part in so many was repeated, that many answers are read in the ordinary way.
WORTHWHILE = 4
ANSWERS_PASSED_BY = 100
#: Making a reader pays where more answers come than these.
ANSWERS_BEFORE = 1
#: What begins alike is compared, and what differs nevertheless is not looked for again.
HEAD_BYTES = 96

#: Numbers as `orjson.loads` reads them. Of others, and of what is no JSON, it alone knows what becomes.
_SCALAR = str | bool | None | Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | float
_LEAF = _SCALAR | list[_SCALAR]

_UNREADABLE = (msgspec.DecodeError, orjson.JSONDecodeError, UnicodeDecodeError, RecursionError)


class RepeatedObjects:
    """What reads the answers to one fetch. `places` are the ways to where the objects of the selections at a path will stand,
    for each path whose equal objects may be one.
    """

    def __init__(self, selections: SelectionSet, places: Mapping[Path, tuple[Way, ...]]) -> None:
        self._selections = selections
        self._places = places
        self._reader: _Answer | None = None
        self._passed_by = ANSWERS_BEFORE  # so many answers are still read in the ordinary way

    def read(self, answer: SubgraphAnswer, known_occurrences: Occurrences | None) -> ReadAnswer | None:
        """None where the answer has to be read in the ordinary way."""
        body = answer.body
        if len(body) < MIN_BYTES:
            return None
        readings = answer.readings
        kept = readings.get(self) if readings is not None else None
        if kept is not None:
            payload, times, found = marshal.loads(kept)  # noqa: S302 - written below, by this process  # nosec B302
        else:
            read = self._read(body)
            if read is None:
                return None
            payload, times, found = read
            if readings is not None:
                readings[self] = marshal.dumps(read)  # before anything is merged into it
        return ReadAnswer(payload, self._occurrences(known_occurrences, times), found)

    def _read(self, body: bytes) -> _Read | None:
        if self._passed_by:
            self._passed_by -= 1
            return None
        if self._reader is None:
            data = _Compiler(self._places).object_of(self._selections, ())
            if data is None:
                self._passed_by = sys.maxsize
                return None
            self._reader = _Answer(data)
        reading = _Reading()
        try:
            payload = self._reader.read(body, reading)
        except _UNREADABLE:
            self._passed_by = ANSWERS_PASSED_BY
            return None
        if reading.repeated_bytes() * WORTHWHILE < len(body):
            self._passed_by = ANSWERS_PASSED_BY
        found = {path: objects for path, objects in reading.objects.items() if len(self._places[path]) == 1}
        return payload, reading.times(), found

    def _occurrences(self, known: Occurrences | None, times: list[tuple[Path, int]]) -> Occurrences | None:
        """With those of the objects that were read."""
        for path, each in times:
            known = known if known is not None else Occurrences()
            for way in self._places[path]:
                known.of_repeated(way, each)
        return known


class ReadAnswer(msgspec.Struct):
    """`occurrences` where some objects stand in several places. `found` are the distinct objects at the paths that stand for one
    place of the tree each.
    """

    payload: Tree
    occurrences: Occurrences | None
    found: dict[Path, list[Tree]]


class _Known:
    """An object that was read."""

    __slots__ = ("length", "raw", "times", "value")

    def __init__(self, raw: msgspec.Raw, length: int, value: Any) -> None:
        self.raw = raw
        self.length = length
        self.value = value
        self.times = 1


class _Reading:
    """Of one answer."""

    __slots__ = ("known", "objects")

    def __init__(self) -> None:
        self.known: dict[Path, dict[bytes, _Known]] = {}  # by path and the beginning of the text
        self.objects: dict[Path, list[Tree]] = {}  # all distinct ones, by path

    def repeated_bytes(self) -> int:
        """Of what need not be read again."""
        return sum([(each.times - 1) * each.length for known in self.known.values() for each in known.values()])

    def times(self) -> list[tuple[Path, int]]:
        """In how many places an object of each path stands at most, where it is more than one; paths further up first."""
        most = [
            (path, max([each.times for each in self.known[path].values()], default=1))
            for path in sorted(self.known, key=len)
        ]
        return [(path, times) for path, times in most if times > 1]


class _Value:
    """What stands under a response key, as JSON that is not read yet; below so many lists in one another, as far as they have
    to be told.
    """

    def __init__(self, lists: int = 0) -> None:
        self._lists = lists

    @property
    def type(self) -> Any:
        return _in_lists(msgspec.Raw, self._lists)

    def read(self, values: list[Any], reading: _Reading) -> list[Any]:
        """Of each object what stands there."""
        return _below_lists(self._read_each, values, self._lists, reading)

    def _read_each(self, texts: list[Any], _reading: _Reading) -> list[Any]:
        return [orjson.loads(bytes(text)) for text in texts]


class _Repeated(_Value):
    """Objects of which those of one text are one object."""

    def __init__(self, lists: int, path: Path, inner: _Object | None) -> None:
        super().__init__(lists)
        self._path = path
        self._inner = inner
        self._decode = msgspec.json.Decoder(inner.type | None).decode if inner is not None else orjson.loads

    def _read_each(self, texts: list[Any], reading: _Reading) -> list[Any]:
        known = reading.known.get(self._path)
        if known is None:
            known = reading.known[self._path] = {}
            reading.objects[self._path] = []
        values = []
        alike: _Known | None = None
        for raw in texts:
            if alike is not None and raw == alike.raw:  # as that before it
                alike.times += 1
                values.append(alike.value)
                continue
            text = bytes(raw)
            alike = known.get(text[:HEAD_BYTES])
            if alike is not None and alike.raw == raw:
                alike.times += 1
                values.append(alike.value)
                continue
            value = self._decode(text)
            if self._inner is not None:
                (value,) = self._inner.read([value], reading)
            values.append(value)
            if value.__class__ is dict:
                reading.objects[self._path].append(value)
                if alike is None:
                    alike = known[text[:HEAD_BYTES]] = _Known(raw, len(text), value)
        return values


class _Object:
    """Objects with something below them that may be repeated, below so many lists in one another. `type` has a field for each response key."""

    def __init__(self, fields: list[tuple[str, str, Any]], below: list[tuple[str, _Value | _Objects]]) -> None:
        """`fields` are names of attributes, response keys and types."""
        self._below = below
        self._renamed = [(name, key) for name, key, _ in fields if name != key]
        self.type = msgspec.defstruct(
            "Object",
            [(name, type_) for name, _, type_ in fields],
            rename={name: key for name, key, _ in fields},
            forbid_unknown_fields=True,
            gc=False,
        )

    def read(self, items: list[Any], reading: _Reading) -> list[Tree | None]:
        there = [item for item in items if item is not None]
        for name, value in self._below:
            read = value.read([getattr(item, name) for item in there], reading)
            for item, found in zip(there, read, strict=True):
                setattr(item, name, found)
        made: list[Tree | None] = [None if item is None else asdict(item) for item in items]
        if self._renamed:
            for each in made:
                if each is not None:
                    for name, key in self._renamed:
                        each[key] = each.pop(name)
        return made


class _Objects:
    """Such objects below so many lists in one another."""

    def __init__(self, lists: int, inner: _Object) -> None:
        self._lists = lists
        self._inner = inner
        self.type = _in_lists(inner.type | None, lists)

    def read(self, values: list[Any], reading: _Reading) -> list[Any]:
        return _below_lists(self._inner.read, values, self._lists, reading)


def _below_lists(
    read: Callable[[list[Any], _Reading], list[Any]], values: list[Any], lists: int, reading: _Reading
) -> list[Any]:
    """What `read` makes of all items of the innermost of so many lists in one another; the lists may be null."""
    if lists == 0:
        return read(values, reading)
    if lists == 1:
        return [None if items is None else read(items, reading) for items in values]
    return [None if items is None else _below_lists(read, items, lists - 1, reading) for items in values]


class _Answer:
    """A GraphQL response whose data are such an object."""

    def __init__(self, data: _Object) -> None:
        self._data = data
        others: list[Any] = [
            (name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in ("errors", "extensions")
        ]
        fields: list[Any] = [("data", data.type | None), *others]
        self._decode = msgspec.json.Decoder(
            msgspec.defstruct("Answer", fields, forbid_unknown_fields=True, gc=False)
        ).decode

    def read(self, body: bytes, reading: _Reading) -> Tree:
        answer: Any = self._decode(body)
        payload: Tree = {"data": self._data.read([answer.data], reading)[0]}
        for name, value in (("errors", answer.errors), ("extensions", answer.extensions)):
            if value is not msgspec.UNSET:  # msgspec passes over what is no UTF-8
                payload[name] = orjson.loads(bytes(value))
        return payload


class _Compiler:
    def __init__(self, paths: Mapping[Path, object]) -> None:
        self._paths = paths

    def object_of(self, selections: SelectionSet, path: Path) -> _Object | None:
        """None where nothing below may be repeated, or what is there depends on more than the selections."""
        if not any(len(each) > len(path) and each[: len(path)] == path for each in self._paths):
            return None
        fields: dict[str, tuple[str, str, Any]] = {}  # by response key
        below: list[tuple[str, _Value | _Objects]] = []
        for item in selections.items:
            if isinstance(item, InlineFragment) or item.conditions or item.response_key in fields:
                return None
            key = item.response_key
            # attributes cannot be named by words of Python, nor by names that Python changes
            name = f"_{len(fields)}" if key.startswith("_") or iskeyword(key) else key
            if item.selections is None:
                fields[key] = (name, key, _LEAF)
            else:
                value = self._value_of(item, (*path, key))
                fields[key] = (name, key, value.type)
                below.append((name, value))
        return _Object([*fields.values()], below)

    def _value_of(self, field: Field, path: Path) -> _Value | _Objects:
        assert field.selections is not None
        beneath = [each for each in self._paths if each[: len(path)] == path]
        if not beneath:
            return _Value()
        lists = 0
        while beneath[0][len(path) :][:1] == ("@",):
            path, lists = (*path, "@"), lists + 1
        inner = self.object_of(field.selections, path)
        if path in self._paths:
            return _Repeated(lists, path, inner)
        return _Value() if inner is None else _Objects(lists, inner)


def repeated_in_root(fetch: Fetch, sharing: Sharing) -> RepeatedObjects | None:
    """None where a root fetch asks for nothing that may be repeated."""
    if fetch.renames or fetch.path:
        return None
    places = {
        path: (way_of(response_keys_of(path)),)
        for path in sharing.when_read
        if _is_worth_comparing(fetch.selections, path)
    }
    return RepeatedObjects(fetch.selections, places) if places else None


def repeated_in_entities(
    lookups: Sequence[EntityLookup], response_keys: Sequence[str], sharing: Sharing
) -> RepeatedObjects | None:
    """The same for a request of entities; each lookup has one of the response keys."""
    places: dict[Path, tuple[Way, ...]] = {}
    fields: list[Field] = []
    for lookup, response_key in zip(lookups, response_keys, strict=True):
        selections = _of_one_type(lookup.selections)
        fields.append(Field("_entities", response_key, selections=selections))
        if not lookup.renames and not lookup.contexts and _may_bring_along(lookup, sharing):
            for below, ways in _below_entities(lookup, sharing):
                if _is_worth_comparing(selections, below):
                    places[(response_key, "@", *below)] = ways
    return RepeatedObjects(SelectionSet(tuple(fields)), places) if places else None


def _may_bring_along(lookup: EntityLookup, sharing: Sharing) -> bool:
    """Whether entities at all paths of a lookup may have nested objects in common."""
    groups = {sharing.group_of(lookup, path) for path in lookup.paths}
    return len(lookup.paths) == 1 or (len(groups) == 1 and NEVER_SHARED not in groups)


def _below_entities(lookup: EntityLookup, sharing: Sharing) -> Iterator[tuple[Path, tuple[Way, ...]]]:
    """The paths from the entities on at which equal objects may be one when they are read, wherever the entities stand."""
    first = lookup.paths[0]
    for path in sharing.when_read:
        below = path[len(first) :]
        everywhere = [(*each, *below) for each in lookup.paths]
        if path[: len(first)] == first and below and sharing.when_read.issuperset(everywhere):
            yield below, tuple(way_of(response_keys_of(each)) for each in everywhere)


def _of_one_type(selections: SelectionSet) -> SelectionSet:
    """What is asked of entities that are all of one type, without the fragment around it."""
    if len(selections.items) == 1:
        only = selections.items[0]
        if isinstance(only, InlineFragment) and only.type_condition and not only.conditions:
            return only.selections
    return selections


def _is_worth_comparing(selections: SelectionSet, path: Path) -> bool:
    """Whether the selections lead along the path to objects with others in them; those of leaves alone are soon read."""
    for segment in path:
        if segment == "@":
            continue
        below = [item for item in selections.items if isinstance(item, Field) and item.response_key == segment]
        if not below or below[0].selections is None:
            return False
        selections = below[0].selections
    return any(item.selections is not None for item in selections.items)


def _in_lists(of: Any, lists: int) -> Any:
    for _ in range(lists):
        of = list[of] | None
    return of
