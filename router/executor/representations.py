"""Collects the entities of one lookup: what identifies each, once, and all the objects that wait for it.

Compiled once per plan by `fetch`; at request time it reads the merged tree and gives back `Collected`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import GraphQLInterfaceType, GraphQLNonNull, GraphQLObjectType, GraphQLSchema

from router.executor.object_path import PathStep, containers_at, steps_of
from router.executor.sharing import NEVER_SHARED, Sharing
from router.query_plan import EntityLookup, Path, RepresentationRule
from router.selection_set import Field, SelectionSet

Tree = dict[str, Any]


class _NoIdentity:
    """Why an object cannot be asked for."""


_MISSING: Hashable = _NoIdentity()
#: A value is nested so deeply that no request can carry it.
_UNSENDABLE: Hashable = _NoIdentity()

#: The object types that an object of a type can have in the whole graph, `Supergraph.possible_types`.
PossibleTypes = Callable[[str], frozenset[str]]

#: Objects at shared paths, each once, as found by the first lookup that went there; one dict per request.
KnownObjects = dict[Path, list[Tree]]


@dataclass(slots=True)
class Collected:
    """`targets[i]` are the distinct objects that `representations[i]` stands for, each with its sharing group."""

    representations: list[Tree] = field(default_factory=list)
    targets: list[list[tuple[Tree, int]]] = field(default_factory=list)
    has_unsendable: bool = False  # some object was left out because what identifies it cannot be written


class _Place:
    """One path of a lookup. `starts` are the ways to walk it: from shared objects above that may be known, or the root."""

    __slots__ = ("group", "is_shared", "path", "starts")

    def __init__(self, path: Path, lookup: EntityLookup, sharing: Sharing) -> None:
        self.path = path
        self.is_shared = path in sharing.shared_paths
        self.group = sharing.group_of(lookup, path)
        above = [path[:length] for length in range(len(path) - 1, 0, -1) if path[:length] in sharing.shared_paths]
        self.starts: list[tuple[Path, tuple[PathStep, ...]]] = [
            (prefix, steps_of(path[len(prefix) :])) for prefix in above if not path[len(prefix)].startswith("|")
        ]
        self.starts.append(((), steps_of(path, sharing.shared_paths)))

    def containers(self, tree: Tree, known: KnownObjects) -> tuple[PathStep, list[Any]]:
        for prefix, steps in self.starts:
            level = known.get(prefix) if prefix else [tree]
            if level is not None:
                return steps[-1], containers_at(level, steps)
        raise AssertionError("the last start is always the root")


class RepresentationCollector:
    """All places and rules of one `EntityLookup`."""

    def __init__(
        self, lookup: EntityLookup, sharing: Sharing, schema: GraphQLSchema, possible_types: PossibleTypes
    ) -> None:
        self._places = [_Place(path, lookup, sharing) for path in lookup.paths]
        self._rules: dict[str, CompiledRule | None] = {}
        self._rule_for_all: CompiledRule | None = None
        for rule in lookup.representations:
            compiled = CompiledRule(rule, schema, possible_types)
            if not rule.source_types:
                self._rule_for_all = compiled
            for typename in rule.source_types:
                self._rules[typename] = compiled

    def collect(self, tree: Tree, known: KnownObjects) -> Collected:
        """Objects that lack a key are left out: there is nothing to ask for, and their missing fields become null. Raises
        TypeError where a `__typename` is nothing that can be looked up.
        """
        collected = Collected()
        indexes: dict[Hashable, int] = {}
        for place in self._places:
            objects = known.get(place.path)
            if objects is None:
                objects = self._find(place, tree, known)
                if place.is_shared:
                    known[place.path] = objects
            group = place.group
            for item in objects:
                rule = self._rules.get(item.get("__typename", ""), self._rule_for_all)
                identity = rule.identify(item) if rule is not None else _MISSING
                if rule is None or identity.__class__ is _NoIdentity:
                    collected.has_unsendable |= identity is _UNSENDABLE
                    continue
                key = (rule, identity)
                index = indexes.get(key)
                if index is None:
                    indexes[key] = len(collected.representations)
                    collected.representations.append(rule.represent(item))
                    collected.targets.append([(item, group)])
                else:
                    collected.targets[index].append((item, group))
        return collected

    def _find(self, place: _Place, tree: Tree, known: KnownObjects) -> list[Tree]:
        """The distinct objects at a place. At a shared one, equal entities become one object in the tree."""
        last, containers = place.containers(tree, known)
        found: dict[int, Tree] = {}
        kept: dict[Hashable, Tree] = {}
        for container in containers:
            slots = enumerate(container) if last.key == "@" else ((last.key, container.get(last.key)),)
            for slot, item in slots:
                if item.__class__ is not dict or id(item) in found:
                    continue
                if last.types is not None and item.get("__typename") not in last.types:
                    continue
                if place.is_shared:
                    rule = self._rules.get(item.get("__typename", ""), self._rule_for_all)
                    if rule is not None:
                        first = kept.setdefault((rule, rule.identify(item)), item)
                        if first is not item and _is_equal(first, item):
                            container[slot] = first
                            continue
                found[id(item)] = item
        return list(found.values())


class CompiledRule:
    """`identify` gives a hashable value that is equal for equal representations; `represent` makes one."""

    def __init__(self, rule: RepresentationRule, schema: GraphQLSchema, possible_types: PossibleTypes) -> None:
        self._typename = rule.typename
        self._build = _builder_of(rule.fields, possible_types)
        self._required = _required_keys(rule, schema)
        leaves = [item for item in rule.fields.items if isinstance(item, Field) and item.selections is None]
        self._pairs = [(leaf.response_key, leaf.name) for leaf in leaves if leaf.name != "__typename"]
        self._is_flat = len(leaves) == len(rule.fields.items)
        self.identify: Callable[[Tree], Hashable] = (
            self._identify_by_values if self._is_flat and self._pairs else self._identify_by_content
        )
        if self._is_flat and len(self._pairs) == 1 and rule.typename is not None:
            self._only_key = self._pairs[0][0]
            self.identify = self._identify_by_one_value

    def represent(self, item: Tree) -> Tree:
        typename = self._typename if self._typename is not None else item.get("__typename")
        built: Tree = {"__typename": typename}
        for key, value in self._build(item).items():
            built.setdefault(key, value)
        return built

    def _identify_by_one_value(self, item: Tree) -> Hashable:
        value: Any = item.get(self._only_key)
        if value is None:
            return _MISSING
        if value.__class__ is list or value.__class__ is dict:
            return self._identify_by_content(item)
        identity: Hashable = value
        return identity

    def _identify_by_values(self, item: Tree) -> Hashable:
        values = tuple([item.get(key, _MISSING) for key, _ in self._pairs])
        if _MISSING in values or not self._has_required(item):
            return _MISSING
        identity = (item.get("__typename"), values) if self._typename is None else values
        try:
            hash(identity)
        except TypeError:
            return self._identify_by_content(item)
        return identity

    def _identify_by_content(self, item: Tree) -> Hashable:
        try:
            built = self._build(item)
            if built is _MISSING or not self._has_required(item):
                return _MISSING
            return orjson.dumps([self._typename or item.get("__typename"), built])
        except (orjson.JSONEncodeError, RecursionError):
            return _UNSENDABLE

    def _has_required(self, item: Tree) -> bool:
        if any(item.get(key) is None for key in self._required):
            return False
        keys = [key for key, _ in self._pairs]
        # a key of nothing but `__typename` makes a type of one object
        return not (self._is_flat and keys and all(item.get(key) is None for key in keys))


def _is_equal(one: Tree, other: Tree) -> bool:
    try:
        return one == other
    except RecursionError:  # they are nested deeper than can be compared
        return False


def _required_keys(rule: RepresentationRule, schema: GraphQLSchema) -> tuple[str, ...]:
    """Keys whose null can only mean that something went wrong before: asking for such an entity would be noise."""
    types = [schema.type_map.get(name) for name in rule.source_types or filter(None, [rule.typename])]
    required = []
    for item in rule.fields.items:
        if not isinstance(item, Field):
            continue
        definitions = [
            type_.fields.get(item.name)
            for type_ in types
            if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType))
        ]
        if definitions and all(each is not None and isinstance(each.type, GraphQLNonNull) for each in definitions):
            required.append(item.response_key)
    return tuple(required)


def _builder_of(selections: SelectionSet, possible_types: PossibleTypes) -> Callable[[Tree], Any]:
    """A function from an object of the tree to the part of it that the selections name, or _MISSING.

    Reads response keys, writes field names. A fragment adds its fields where the object is of its type; an object
    read through fragments carries its `__typename`, without which the subgraph could not read it back.
    """
    leaves: list[tuple[str, str]] = []
    has_typename = False
    objects: list[tuple[str, str, Callable[[Tree], Any]]] = []
    fragments: list[tuple[frozenset[str] | None, Callable[[Tree], Any]]] = []
    for item in selections.items:
        if not isinstance(item, Field):
            condition = item.type_condition
            types = None if condition is None else possible_types(condition) | {condition}
            fragments.append((types, _builder_of(item.selections, possible_types)))
        elif item.name == "__typename":
            has_typename = True
        elif item.selections is None:
            leaves.append((item.response_key, item.name))
        else:
            objects.append((item.response_key, item.name, _builder_of(item.selections, possible_types)))

    def build(source: Tree) -> Any:
        built: Tree = {}
        for read, write in leaves:
            if read not in source:
                return _MISSING
            built[write] = source[read]
        for read, write, build_inner in objects:
            inner = _build_each(source.get(read, _MISSING), build_inner)
            if inner is _MISSING:
                return _MISSING
            built[write] = inner
        for types, build_inner in fragments:
            typename = source.get("__typename")
            if types is not None and typename not in types:
                continue
            inner = build_inner(source)
            if inner is _MISSING:
                return _MISSING
            built.update(inner)
        if (fragments or has_typename) and "__typename" in source:
            built.setdefault("__typename", source["__typename"])
        return built

    return build


def _build_each(value: Any, build: Callable[[Tree], Any]) -> Any:
    if value is None:
        return None
    if value.__class__ is list:
        items = [_build_each(item, build) for item in value]
        return _MISSING if any(item is _MISSING for item in items) else items
    return build(value) if value.__class__ is dict else _MISSING


__all__ = ["NEVER_SHARED", "Collected", "CompiledRule", "Path", "RepresentationCollector"]
