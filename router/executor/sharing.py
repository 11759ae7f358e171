"""Which objects of the merged tree may be one object: decided from the plan alone, without data.

`execute` asks when it compiles a plan. Where entities may be shared, equal ones are merged and serialised once,
however often they occur; sharing is refused wherever a later step could treat two occurrences differently.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Listed
from dataclasses import dataclass

from router.query_plan import (
    ConditionNode,
    EntityFetch,
    EntityLookup,
    Fetch,
    Parallel,
    Path,
    PlanNode,
    Sequence,
    Subscription,
)
from router.selection_set import Field, SelectionSet

#: A lookup, or a root fetch below the root, by its identity, and a path that it goes to.
_Visit = tuple[int, Path]

#: By the response keys of objects or lists.
_Writers = dict[tuple[str, ...], list[Fetch | EntityFetch]]
#: Response keys where a fetch begins to write.
_Starts = list[tuple[tuple[str, ...], Fetch | EntityFetch]]

#: Objects that get copies of their own of whatever is nested in an entity.
NEVER_SHARED = -1


@dataclass(frozen=True, slots=True)
class Sharing:
    """`shared_paths` are lookup paths whose equal objects become one; `groups` gives each (lookup, path) a number:
    objects of one group meet the same later steps, so they may share what an entity brings along. At the paths in `when_read`
    equal objects of an answer may be one as soon as they are read, since no other answer says anything of them by position.
    """

    shared_paths: frozenset[Path]
    groups: dict[tuple[int, Path], int]
    when_read: frozenset[Path] = frozenset()

    def group_of(self, lookup: EntityLookup, path: Path) -> int:
        return self.groups.get((id(lookup), path), NEVER_SHARED)


def analyse_sharing(node: PlanNode | None) -> Sharing:
    """Which lookup paths of a plan may have one object for equal entities, and which of them may share nested objects too.

    Example: `{ posts { author { city { name } } } likes { author { city { id } } } }`. a answers the authors' ids, one
    lookup in b at `posts.@.author` and `likes.@.author` their cities, and one in c at `posts.@.author.city` the names.
    All three paths are shared: an author who wrote ten posts is one dict at `posts.@.author`, is looked up once and
    encoded once. But the two author paths are of different groups, as only the cities of the first are looked up later:
    an author who occurs in both lists gets a copy of the city in each, else the name would appear below `likes` as
    well.

    Were there a second fetch that also answers a list of `posts` itself, at the same time as a lookup in it or later, nothing
    in it would be shared: the two lists are merged by position, and an object that stands at two positions would be merged with
    the wrong partner. Where both lists have come before anybody looks into them, they are as one.
    """
    fetches = fetches_of(node)
    lookups = [lookup for fetch in fetches if isinstance(fetch, EntityFetch) for lookup in fetch.lookups]
    if not lookups and not any(fetch.path for fetch in fetches if isinstance(fetch, Fetch)):
        return Sharing(frozenset(), {})
    visits = _visits(lookups, fetches)
    paths = {path for _, path in visits}
    writers, starts = _writers_of_composites(fetches)
    written_late = _composites_written_late(writers, starts, node)
    shared = frozenset(
        path
        for path in paths
        if _may_share(path, paths, written_late) and not any(_is_told_apart(path, lookup) for lookup in lookups)
    )
    return Sharing(shared, _groups(lookups, shared, visits), _shared_when_read(fetches, shared, writers))


def fetches_of(node: PlanNode | None) -> list[Fetch | EntityFetch]:
    """All of a plan, in its order."""
    match node:
        case Fetch() | EntityFetch():
            return [node]
        case Sequence(nodes) | Parallel(nodes):
            return [fetch for inner in nodes for fetch in fetches_of(inner)]
        case ConditionNode(node=inner):
            return fetches_of(inner)
        case Subscription(primary, rest):
            return [primary, *fetches_of(rest)]
        case None:
            return []


def response_keys_of(path: Path) -> tuple[str, ...]:
    """The path without list marks and type filters."""
    return tuple([segment for segment in path if segment != "@" and not segment.startswith("|")])


def _may_share(path: Path, paths: set[Path], written_late: set[tuple[str, ...]]) -> bool:
    keys = response_keys_of(path)
    if any(keys[:length] in written_late for length in range(1, len(keys) + 1)):
        return False
    return all(_same_way(path, other) for other in paths if response_keys_of(other)[: len(keys)] == keys)


def _shared_when_read(
    fetches: Listed[Fetch | EntityFetch], shared: frozenset[Path], writers: _Writers
) -> frozenset[Path]:
    if any(isinstance(fetch, Fetch) and fetch.path for fetch in fetches):
        return frozenset()  # such a fetch writes to objects by their positions
    return frozenset(
        path
        for path in shared
        if not any(segment.startswith("|") for segment in path) and _is_written_once(response_keys_of(path), writers)
    )


def _is_written_once(keys: tuple[str, ...], writers: _Writers) -> bool:
    """Whether what stands at the keys, and above, comes from one fetch each."""
    return all(len(writers.get(keys[:length], ())) < 2 for length in range(1, len(keys) + 1))


def _is_told_apart(path: Path, lookup: EntityLookup) -> bool:
    """Whether equal objects at the path get different answers, because of what stands above them (`@fromContext`)."""
    keys = response_keys_of(path)
    targets = [response_keys_of(target) for target in lookup.paths]
    return any(
        len(keys) > len(response_keys_of(context.ancestor)) and any(keys == target[: len(keys)] for target in targets)
        for context in lookup.contexts
    )


def _same_way(path: Path, other: Path) -> bool:
    """Whether `other`, which passes through the same response keys, passes the same type filters above the end."""
    own = path[:-1] if path and path[-1].startswith("|") else path
    return other[: len(own)] == own


class _Order:
    """Which fetches of a plan are over before others begin."""

    def __init__(self, node: PlanNode | None) -> None:
        #: the ways to each fetch, by its identity: at each branching whether it is a sequence, and the index of the branch
        self._ways: dict[int, list[tuple[tuple[bool, int], ...]]] = {}
        self._note(node, ())

    def _note(self, node: PlanNode | None, way: tuple[tuple[bool, int], ...]) -> None:
        match node:
            case Fetch() | EntityFetch():
                self._ways.setdefault(id(node), []).append(way)
            case Sequence(nodes) | Parallel(nodes):
                for index, inner in enumerate(nodes):
                    self._note(inner, (*way, (isinstance(node, Sequence), index)))
            case ConditionNode(node=inner):
                self._note(inner, way)
            case Subscription(primary, rest):
                self._note(primary, (*way, (True, 0)))
                self._note(rest, (*way, (True, 1)))

    def is_before(self, one: Fetch | EntityFetch, other: Fetch | EntityFetch) -> bool:
        """Wherever the two stand in the plan."""
        return all(_is_before(first, then) for first in self._ways[id(one)] for then in self._ways[id(other)])


def _is_before(one: tuple[tuple[bool, int], ...], other: tuple[tuple[bool, int], ...]) -> bool:
    for (in_sequence, first), (_, then) in zip(one, other, strict=False):
        if first != then:
            return in_sequence and first < then
    return False


def _writers_of_composites(fetches: Listed[Fetch | EntityFetch]) -> tuple[_Writers, _Starts]:
    """The fetches that write the objects or lists at each response-key path, and where each fetch begins to write."""
    writers: _Writers = {}
    visits: _Starts = []
    for fetch in fetches:
        lookups = [(fetch.selections, (fetch.path,))] if isinstance(fetch, Fetch) else _asked_at(fetch)
        for selections, paths in lookups:
            for start in {response_keys_of(path) for path in paths}:
                visits.append((start, fetch))
                for keys in set(_composites(selections, start)):
                    writers.setdefault(keys, []).append(fetch)
    return writers, visits


def _composites_written_late(writers: _Writers, visits: _Starts, node: PlanNode | None) -> set[tuple[str, ...]]:
    """Response-key paths of objects and lists that two fetches write, one of them perhaps when a third has begun to look for
    objects there or below: merging goes by position, not by entity.
    """
    twice = {keys: several for keys, several in writers.items() if len(several) > 1}
    order = _Order(node if twice else None)
    return {
        keys
        for keys, several in twice.items()
        if any(
            not order.is_before(writer, visitor)
            for start, visitor in visits
            if start[: len(keys)] == keys
            for writer in several
        )
    }


def _asked_at(fetch: EntityFetch) -> list[tuple[SelectionSet, tuple[Path, ...]]]:
    return [(lookup.selections, lookup.paths) for lookup in fetch.lookups]


def _composites(selections: SelectionSet, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for item in selections.items:
        if not isinstance(item, Field):
            yield from _composites(item.selections, above)
        elif item.selections is not None:
            yield (*above, item.response_key)
            yield from _composites(item.selections, (*above, item.response_key))


def _visits(lookups: Listed[EntityLookup], fetches: Listed[Fetch | EntityFetch]) -> list[_Visit]:
    visits = [(id(lookup), path) for lookup in lookups for path in lookup.paths]
    return visits + [(id(fetch), fetch.path) for fetch in fetches if isinstance(fetch, Fetch) and fetch.path]


def _groups(
    lookups: Listed[EntityLookup], shared: frozenset[Path], visits: list[_Visit]
) -> dict[tuple[int, Path], int]:
    """A number for each lookup at each shared path: the same for those below whose objects the same steps follow."""
    groups: dict[tuple[int, Path], int] = {}
    numbers: dict[frozenset[_Visit], int] = {}
    for lookup in lookups:
        for path in lookup.paths:
            if path in shared:
                later = _later_steps_below(path, visits)
                groups[(id(lookup), path)] = numbers.setdefault(later, len(numbers))
    return groups


def _later_steps_below(path: Path, visits: list[_Visit]) -> frozenset[_Visit]:
    """Who goes to the path or further down, and where to from there."""
    return frozenset((step, other[len(path) :]) for step, other in visits if other[: len(path)] == path)
