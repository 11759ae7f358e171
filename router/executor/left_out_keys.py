"""Which keys a subgraph is asked for together with the objects they identify. A subgraph that leaves such a key out is
named in an error.

`execute` makes one `AskedOfPlan` for a plan; `representations` asks it when an object cannot be identified, which happens to
few plans. A key that is null, or that another fetch did not bring, is nobody's fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.executor.sharing import response_keys_of
from router.query_plan import EntityFetch, Fetch, Path
from router.selection_set import Field, SelectionSet

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AskedKeys:
    """Leaves that `subgraph` was asked for, of every object at a place or of those of one type."""

    subgraph: str
    of_all: frozenset[str]
    of_type: Mapping[str, frozenset[str]]

    def lacks(self, item: Tree, keys: frozenset[str]) -> bool:
        """Whether one of the keys is not in the object though it was asked for."""
        asked = self.of_all | self.of_type.get(item.get("__typename", ""), frozenset())
        return any(key in asked and key not in item for key in keys)

    def common_with(self, other: AskedKeys) -> AskedKeys:
        of_type = {
            name: (self.of_type.get(name, frozenset()) | self.of_all)
            & (other.of_type.get(name, frozenset()) | other.of_all)
            for name in self.of_type.keys() | other.of_type.keys()
        }
        return AskedKeys(self.subgraph, self.of_all & other.of_all, of_type)


class AskedOfPlan:
    """What `asked_keys` finds in a plan, worked out when somebody first asks."""

    def __init__(self, fetches: Sequence[Fetch | EntityFetch]) -> None:
        self._fetches = fetches
        self._found: dict[tuple[str, ...], AskedKeys] | None = None

    def at(self, path: Path) -> AskedKeys | None:
        """Of the objects at the path of a lookup; None where not all of them are one subgraph's."""
        if self._found is None:
            self._found = asked_keys(self._fetches)
        return self._found.get(response_keys_of(path))


def asked_keys(fetches: Sequence[Fetch | EntityFetch]) -> dict[tuple[str, ...], AskedKeys]:
    """Of the places that entities are looked up at, by the response keys of the way to the objects; only where all of them are
    one subgraph's.
    """
    wanted = _places_of_lookups(fetches)
    found: dict[tuple[str, ...], AskedKeys | None] = {}
    for fetch in fetches:
        if isinstance(fetch, Fetch):
            questions = [(response_keys_of(fetch.path), fetch.selections)]
        else:
            questions = [(response_keys_of(path), each.selections) for each in fetch.lookups for path in each.paths]
        for above, selections in questions:
            for place, below in _composites(selections, above):
                if place not in wanted:
                    continue
                asked = AskedKeys(fetch.subgraph, _leaves(below), _leaves_by_type(below))
                known = found.setdefault(place, asked)
                if known is not asked and known is not None:
                    found[place] = known.common_with(asked) if known.subgraph == fetch.subgraph else None
    return {place: asked for place, asked in found.items() if asked is not None}


def _places_of_lookups(fetches: Sequence[Fetch | EntityFetch]) -> set[tuple[str, ...]]:
    lookups = [lookup for fetch in fetches if isinstance(fetch, EntityFetch) for lookup in fetch.lookups]
    return {response_keys_of(path) for lookup in lookups for path in lookup.paths}


def _composites(selections: SelectionSet, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], SelectionSet]]:
    for item in selections.items:
        if not isinstance(item, Field):
            yield from _composites(item.selections, above)
        elif item.selections is not None:
            place = (*above, item.response_key)
            yield place, item.selections
            yield from _composites(item.selections, place)


def _leaves(selections: SelectionSet) -> frozenset[str]:
    """The leaves that are asked for under no condition."""
    return frozenset(
        item.response_key
        for item in selections.items
        if isinstance(item, Field) and item.selections is None and not item.conditions
    )


def _leaves_by_type(selections: SelectionSet) -> dict[str, frozenset[str]]:
    by_type: dict[str, frozenset[str]] = {}
    for item in selections.items:
        if not isinstance(item, Field) and item.type_condition is not None and not item.conditions:
            by_type[item.type_condition] = by_type.get(item.type_condition, frozenset()) | _leaves(item.selections)
    return by_type
