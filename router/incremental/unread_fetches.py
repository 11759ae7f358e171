"""Takes out of the plan of a deferred part what the part does not read: it was planned with all fields around it, so that its
fetches meet those of the parts around.

`share_fetches` calls it when they have met.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from router.executor.sharing import fetches_of, response_keys_of
from router.incremental.by_key import used_variables
from router.query_plan import (
    ConditionNode,
    EntityFetch,
    EntityLookup,
    Fetch,
    Parallel,
    Path,
    PlanNode,
    Sequence,
)
from router.selection_set import Field, SelectionSet

_Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is told of a part: the `selections` of the objects at `path`."""

    path: Path
    selections: SelectionSet


def without_unread(
    node: PlanNode | None, reading: Reading, known: Container[Fetch | EntityFetch] = frozenset()
) -> PlanNode | None:
    """The plan without fetches, lookups and places of lookups that bring nothing of what is read, nor anything that is needed
    to find or ask for it. `known` are fetches that other plans have in the same words: they stay as they are, or go.

    Example: of `{ items { id left ... @defer { maker { name } } } }` over shop (`items`, `maker { code }`), stock (`left`)
    and people (`name`), the part is planned as `shop: items { id maker { code } }`, then `stock: left` beside `people: name`.
    What stock says of the items was told with the first result, so the part does without stock.
    """
    return _Reader(node, reading, known).kept(node)


class _Reader:
    """Goes from what is read back to what brings it, until nothing more is found."""

    def __init__(self, node: PlanNode | None, reading: Reading, known: Container[Fetch | EntityFetch]) -> None:
        self._needed: set[_Keys] = set()
        self._read: set[tuple[int, int, Path]] = set()  # a fetch by identity, the index of a lookup, one of its paths
        self._need(response_keys_of(reading.path), reading.selections)
        fetches = fetches_of(node)
        found = -1
        while found < len(self._read):
            found = len(self._read)
            for fetch in reversed(fetches):
                if isinstance(fetch, Fetch):
                    self._visit_root(fetch)
                else:
                    self._visit_entities(fetch, is_whole=fetch in known)

    def kept(self, node: PlanNode | None) -> PlanNode | None:
        match node:
            case Fetch():
                return node if (id(node), 0, node.path) in self._read else None
            case EntityFetch():
                return self._kept_entities(node)
            case Sequence(nodes):
                inner = tuple(each for each in map(self.kept, nodes) if each is not None)
                return Sequence(inner) if len(inner) > 1 else next(iter(inner), None)
            case Parallel(nodes):
                inner = tuple(each for each in map(self.kept, nodes) if each is not None)
                return Parallel(inner) if len(inner) > 1 else next(iter(inner), None)
            case ConditionNode(conditions, below):
                kept = self.kept(below)
                return ConditionNode(conditions, kept) if kept is not None else None
        return node

    def _kept_entities(self, fetch: EntityFetch) -> EntityFetch | None:
        lookups: list[EntityLookup] = []
        for index, lookup in enumerate(fetch.lookups):
            paths = tuple(path for path in lookup.paths if (id(fetch), index, path) in self._read)
            if paths:
                lookups.append(lookup if paths == lookup.paths else replace(lookup, paths=paths))
        if not lookups or lookups == [*fetch.lookups]:
            return fetch if lookups else None
        variables = used_variables(dict(fetch.variables), (lookup.selections for lookup in lookups))
        return replace(fetch, lookups=tuple(lookups), variables=variables)

    def _visit_root(self, fetch: Fetch) -> None:
        use = (id(fetch), 0, fetch.path)
        keys = response_keys_of(fetch.path)
        if use not in self._read and (
            fetch.operation_type == "mutation" or fetch.renames or self._brings(fetch.selections, keys)
        ):
            self._read.add(use)
            self._need(keys)

    def _visit_entities(self, fetch: EntityFetch, *, is_whole: bool) -> None:
        uses = [(index, lookup, path) for index, lookup in enumerate(fetch.lookups) for path in lookup.paths]
        read = [use for use in uses if use[1].renames or self._brings(use[1].selections, response_keys_of(use[2]))]
        for index, lookup, path in uses if is_whole and read else read:
            if (id(fetch), index, path) in self._read:
                continue
            self._read.add((id(fetch), index, path))
            for rule in lookup.representations:
                self._need(response_keys_of(path), rule.fields)
            for context in lookup.contexts:
                self._need(response_keys_of(context.ancestor), context.selections)

    def _brings(self, selections: SelectionSet, keys: _Keys) -> bool:
        return any(each in self._needed for each in _paths(selections, keys))

    def _need(self, keys: _Keys, selections: SelectionSet | None = None) -> None:
        """The way to the objects, their type names and those on the way, and their selections."""
        for length in range(1, len(keys) + 1):
            self._needed |= {keys[:length], (*keys[:length], "__typename")}
        if selections is not None:
            for path in _paths(selections, keys):
                self._needed.add(path)
            self._needed |= {(*path, "__typename") for path in _paths(selections, keys, only_objects=True)}


def _paths(selections: SelectionSet, keys: _Keys, *, only_objects: bool = False) -> Iterator[_Keys]:
    """The response keys that lead to each field."""
    for item in selections.items:
        path = (*keys, item.response_key) if isinstance(item, Field) else keys
        if isinstance(item, Field) and (item.selections is not None or not only_objects):
            yield path
        if item.selections is not None:
            yield from _paths(item.selections, path, only_objects=only_objects)
