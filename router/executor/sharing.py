"""Which objects of the merged tree may be one object: decided from the plan alone, without data.

`execute` asks when it compiles a plan. Where entities may be shared, equal ones are merged and serialised once,
however often they occur; sharing is refused wherever a later step could treat two occurrences differently.
"""

from __future__ import annotations

from collections import Counter
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

#: Objects that get copies of their own of whatever is nested in an entity.
NEVER_SHARED = -1


@dataclass(frozen=True, slots=True)
class Sharing:
    """`shared_paths` are lookup paths whose equal objects become one; `groups` gives each (lookup, path) a number:
    objects of one group meet the same later steps, so they may share what an entity brings along.
    """

    shared_paths: frozenset[Path]
    groups: dict[tuple[int, Path], int]

    def group_of(self, lookup: EntityLookup, path: Path) -> int:
        return self.groups.get((id(lookup), path), NEVER_SHARED)


def analyse_sharing(fetches: Listed[Fetch | EntityFetch]) -> Sharing:
    """Which lookup paths may have one object for equal entities, and which of them may share nested objects too.

    Example: `{ posts { author { city { name } } } likes { author { city { id } } } }`. a answers the authors' ids, one
    lookup in b at `posts.@.author` and `likes.@.author` their cities, and one in c at `posts.@.author.city` the names.
    All three paths are shared: an author who wrote ten posts is one dict at `posts.@.author`, is looked up once and
    encoded once. But the two author paths are of different groups, as only the cities of the first are looked up later:
    an author who occurs in both lists gets a copy of the city in each, else the name would appear below `likes` as
    well.

    Were there a second fetch that also answers a list of `posts` itself, nothing in it would be shared: the two lists
    are merged by position, and an object that stands at two positions would be merged with the wrong partner.
    """
    lookups = [lookup for fetch in fetches if isinstance(fetch, EntityFetch) for lookup in fetch.lookups]
    if not lookups and not any(fetch.path for fetch in fetches if isinstance(fetch, Fetch)):
        return Sharing(frozenset(), {})
    visits = _visits(lookups, fetches)
    paths = {path for _, path in visits}
    written_twice = _composites_written_twice(fetches)
    shared = frozenset(
        path
        for path in paths
        if _may_share(path, paths, written_twice) and not any(_is_told_apart(path, lookup) for lookup in lookups)
    )
    return Sharing(shared, _groups(lookups, shared, visits))


def fetches_of(node: PlanNode | None) -> Iterator[Fetch | EntityFetch]:
    """All of a plan, in its order."""
    match node:
        case Fetch() | EntityFetch():
            yield node
        case Sequence(nodes) | Parallel(nodes):
            for inner in nodes:
                yield from fetches_of(inner)
        case ConditionNode(node=inner):
            yield from fetches_of(inner)
        case Subscription(primary, rest):
            yield primary
            yield from fetches_of(rest)
        case None:
            return


def response_keys_of(path: Path) -> tuple[str, ...]:
    """The path without list marks and type filters."""
    return tuple(segment for segment in path if segment != "@" and not segment.startswith("|"))


def _may_share(path: Path, paths: set[Path], written_twice: set[tuple[str, ...]]) -> bool:
    keys = response_keys_of(path)
    if any(keys[:length] in written_twice for length in range(1, len(keys) + 1)):
        return False
    return all(_same_way(path, other) for other in paths if response_keys_of(other)[: len(keys)] == keys)


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


def _composites_written_twice(fetches: Listed[Fetch | EntityFetch]) -> set[tuple[str, ...]]:
    """Response-key paths of objects and lists that two fetches write: merging there goes by position, not by entity."""
    writers: Counter[tuple[str, ...]] = Counter()
    for fetch in fetches:
        if isinstance(fetch, Fetch):
            writers.update(set(_composites(fetch.selections, response_keys_of(fetch.path))))
        else:
            for lookup in fetch.lookups:
                for start in {response_keys_of(path) for path in lookup.paths}:
                    writers.update(set(_composites(lookup.selections, start)))
    return {keys for keys, count in writers.items() if count > 1}


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
