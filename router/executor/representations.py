"""Collects the entities of one lookup: what identifies each, once, and all the objects that wait for it.

`execute.StepCompiler` makes one collector per lookup when it compiles a plan. At request time `fetch.CompiledLookup` calls
`collect`, which reads the merged tree and gives back `Collected`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from itertools import chain, repeat
from operator import itemgetter
from typing import Any

import msgspec
import orjson
from graphql import GraphQLInterfaceType, GraphQLNonNull, GraphQLObjectType, GraphQLSchema

from router.exact_json import dumps
from router.executor.left_out_keys import AskedOfPlan
from router.executor.object_path import PathStep, containers_at, steps_of
from router.executor.projection import holds
from router.executor.response_size import PlaceName, place_name
from router.executor.sharing import NEVER_SHARED, Sharing, response_keys_of
from router.query_plan import EntityLookup, Path, RepresentationRule
from router.selection_set import Field, InlineFragment, SelectionSet

Tree = dict[str, Any]

#: Of conditions in representations so many sets of decisions are kept ready.
MAX_DECISIONS_KEPT = 64


class _NoIdentity:
    """Why an object cannot be asked for."""


_MISSING: Hashable = _NoIdentity()
#: A value is nested so deeply that no request can carry it.
_UNSENDABLE: Hashable = _NoIdentity()
_NO_IDENTITIES = frozenset([_MISSING, _UNSENDABLE])
#: The classes of values that tell objects apart as they are: of others `true` and `1`, or `1` and `1.0`, would be equal.
_PLAIN = frozenset([str, int])

#: Equal for objects of one lookup that one representation stands for.
_Key = tuple["CompiledRule", Hashable]

#: The object types that an object of a type can have in the whole graph, `Supergraph.possible_types`.
PossibleTypes = Callable[[str], frozenset[str]]

#: Objects at shared paths, each once, as found by the first lookup that went there; one dict per request.
KnownObjects = dict[Path, list[Tree]]


#: An object of the tree that waits for an entity, with its sharing group.
Target = tuple[Tree, int]


class ByText:
    """Distinct objects of the tree, each with a representation of its own and a text as its key: nearly all lookups find such.
    The objects and the texts say all there is; nothing else is made for each of them.
    """

    __slots__ = ("group", "objects", "rule", "texts")

    def __init__(self, rule: CompiledRule, objects: list[Tree], texts: list[Any], group: int) -> None:
        self.rule = rule
        self.objects = objects
        self.texts = texts
        self.group = group

    def representations(self) -> list[Tree]:
        return [self.rule.represent_text(text) for text in self.texts]

    def written(self) -> bytes:
        """As JSON. Where nothing in the texts is escaped they stand in it as they are, and no representation is made."""
        together: str = "".join(self.texts)
        if not together or len(orjson.dumps(together)) != len(together.encode()) + 2:
            return dumps(self.representations())
        return self.rule.written_texts(self.texts)


class Collected(msgspec.Struct):
    """What one lookup asks for, and for whom: `by_text`, or else lists of representations and of what waits for each."""

    listed: list[Tree] = []
    waiting: list[list[Target]] = []
    by_text: ByText | None = None
    is_repeated: bool = False  # whether a representation stands for several objects
    has_unsendable: bool = False  # some object was left out because what identifies it cannot be written
    left_out_by: dict[Path, str] = {}  # subgraphs that did not send a key, by where it is
    shared: dict[PlaceName, int] | None = None  # how many objects became one at most, where any did
    #: in at most so many places of the response will each entity stand; set by `fetch.CompiledLookup.collect`
    places: int = 1

    @property
    def count(self) -> int:
        return len(self.listed) if self.by_text is None else len(self.by_text.texts)

    @property
    def representations(self) -> list[Tree]:
        if self.by_text is not None and not self.listed:
            self.listed = self.by_text.representations()
        return self.listed

    @property
    def targets(self) -> list[list[Target]]:
        """For each representation the distinct objects that it stands for, each with its sharing group."""
        return self.waiting if self.by_text is None else [[(item, self.by_text.group)] for item in self.by_text.objects]

    def targets_of(self, index: int) -> list[Tree]:
        """The objects alone of one representation."""
        if self.by_text is not None:
            return [self.by_text.objects[index]]
        return [target for target, _ in self.waiting[index]]

    @property
    def groups(self) -> list[list[int]]:
        """Of the targets of each representation. Where all have the same one group, it is told once."""
        if self.by_text is not None:
            return [[self.by_text.group]] if self.by_text.texts else []
        return [[group for _, group in each] for each in self.waiting]

    def written(self) -> bytes:
        """The representations as JSON."""
        return dumps(self.listed) if self.by_text is None else self.by_text.written()

    def note_shared(self, place: PlaceName, most: int) -> None:
        if self.shared is None:
            self.shared = {}
        self.shared[place] = max(most, self.shared.get(place, 1))  # paths may differ in a type filter only

    def note_left_out(self, path: Path, asked_of: AskedOfPlan, item: Tree, keys: frozenset[str]) -> None:
        """Of an object that cannot be identified: whether a subgraph that was asked for its keys left one out."""
        asked = asked_of.at(path)
        if asked is not None and asked.lacks(item, keys):
            self.left_out_by[path] = asked.subgraph


class _Place:
    """One path of a lookup. `starts` are the ways to walk it: from shared objects above that may be known, or the root."""

    __slots__ = ("group", "is_shared", "name", "path", "starts")

    def __init__(self, path: Path, lookup: EntityLookup, sharing: Sharing) -> None:
        self.path = path
        self.name = place_name(response_keys_of(path))
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
        self,
        lookup: EntityLookup,
        sharing: Sharing,
        schema: GraphQLSchema,
        possible_types: PossibleTypes,
        asked: AskedOfPlan | None = None,
        *,
        is_exact: bool = True,
    ) -> None:
        """`is_exact` where the tree may hold values of custom scalars, of which `true` and `1` are not one value."""
        self._asked = asked
        self._is_exact = is_exact
        self._places = [_Place(path, lookup, sharing) for path in lookup.paths]
        self._lookup = lookup
        self._schema = schema
        self._possible_types = possible_types
        self._condition_variables = tuple(sorted(_condition_variables(lookup)))
        self._rules: dict[tuple[bool, ...], _Rules] = {}  # by what the condition variables decide
        self._unconditional: _Rules | None = None  # the only ones where there are no condition variables

    @property
    def groups(self) -> tuple[int, ...]:
        """The sharing group of each of the lookup's paths."""
        return tuple(place.group for place in self._places)

    def collect(self, tree: Tree, known: KnownObjects, variables: Mapping[str, Any]) -> Collected:
        """What to ask for now, and for whom. Example, for the path `users.@` and the key `id`: of
        `{"users": [{"id": "1"}, {"id": "2"}, {"id": "1"}, {"id": null}, null]}` it makes the representations
        `{"__typename": "User", "id": "1"}` and the same for "2". The first and third user have become one object of the
        tree, if the path is shared; if not, both are targets of the first representation.

        Objects that lack a key are left out: there is nothing to ask for, and their missing fields become null. Raises
        TypeError where a `__typename` is nothing that can be looked up.
        """
        collected = Collected()
        alternatives = self._lookup.alternatives
        if alternatives and not any(holds(conditions, variables) for conditions in alternatives):
            return collected
        rules = self._rules_for(variables)
        if len(self._places) == 1:
            self._collect_at(self._places[0], self._find(self._places[0], tree, known, rules, collected), collected)
            return collected
        indexes: dict[_Key, int] = {}
        for place in self._places:
            self._add(collected, indexes, place, self._find(place, tree, known, rules, collected))
        return collected

    def _collect_at(self, place: _Place, found: _Found, collected: Collected) -> None:
        """What was found at a lookup's only place."""
        rule = found.rule
        if rule is None or not found.is_each_told_apart:
            self._add(collected, {}, place, found)
        elif found.are_texts:
            collected.by_text = ByText(rule, found.objects, found.told_by, place.group)
        else:
            collected.listed = [rule.represent(item) for item in found.objects]
            collected.waiting = [[(item, place.group)] for item in found.objects]

    def _add(self, collected: Collected, indexes: dict[_Key, int], place: _Place, found: _Found) -> None:
        """Those at one place; `indexes` are where the representations of objects at others, and at this one, stand."""
        representations, targets, group = collected.listed, collected.waiting, place.group
        of_all = found.rule
        for item, told_by in zip(found.objects, found.told_by, strict=True):
            if of_all is None and told_by is None:
                continue
            key: _Key = told_by if of_all is None else (of_all, told_by)
            rule, identity = key
            if identity.__class__ is _NoIdentity:
                collected.has_unsendable |= identity is _UNSENDABLE
                if self._asked is not None:
                    collected.note_left_out(place.path, self._asked, item, rule.keys)
                continue
            index = indexes.get(key)
            if index is None:
                indexes[key] = len(representations)
                representations.append(rule.represent(item))
                targets.append([(item, group)])
            else:
                collected.is_repeated = True
                targets[index].append((item, group))

    def _find(self, place: _Place, tree: Tree, known: KnownObjects, rules: _Rules, collected: Collected) -> _Found:
        """The distinct objects at a place. Where the place is shared and was not known, equal entities are one object of the
        tree from now on.
        """
        objects = known.get(place.path)
        if objects is not None:
            return rules.tell_apart(objects)
        last, containers = place.containers(tree, known)
        if not place.is_shared:
            return rules.tell_apart(list({id(item): item for item in _objects_in(containers, last)}.values()))
        found = rules.tell_apart(_objects_in(containers, last))
        if not found.is_each_told_apart:
            self._share(place, last, containers, found, collected)
        known[place.path] = found.objects
        return found

    def _rules_for(self, variables: Mapping[str, Any]) -> _Rules:
        if self._unconditional is not None:
            return self._unconditional
        decisions = tuple([bool(variables.get(name)) for name in self._condition_variables])
        rules = self._rules.get(decisions)
        if rules is None:
            if len(self._rules) >= MAX_DECISIONS_KEPT:
                self._rules.clear()
            decided = dict(zip(self._condition_variables, decisions, strict=True))
            rules = self._rules[decisions] = _Rules(self._lookup, decided, self._schema, self._possible_types)
            if not decisions:
                self._unconditional = rules
        return rules

    def _share(self, place: _Place, last: PathStep, containers: list[Any], found: _Found, collected: Collected) -> None:
        """Makes equal entities at a place one object in the tree; leaves the distinct ones in `found`."""
        objects: list[Tree] = []
        told_by: list[Any] = []
        kept: dict[Hashable, Tree] = {}
        others: set[int] = set()  # those that no rule is for, or that have the identity of one that says something else
        times: dict[Hashable, int] = {}  # how many became one
        is_same = _WrittenAlike() if self._is_exact else _is_equal
        slots = _slots_in(containers, last, len(found.objects))
        for (container, slot), item, key in zip(slots, found.objects, found.told_by, strict=True):
            first = kept.get(key)
            if first is item:  # it was met before
                times[key] = times.get(key, 1) + 1
                continue
            if first is None and key is not None:
                kept[key] = item
            elif id(item) in others:
                continue
            elif first is not None and is_same(first, item):
                container[slot] = first
                times[key] = times.get(key, 1) + 1
                continue
            else:
                others.add(id(item))
            objects.append(item)
            told_by.append(key)
        if times:
            collected.note_shared(place.name, max(times.values()))
        found.objects, found.told_by = objects, told_by
        found.is_each_told_apart = not others and kept.keys().isdisjoint(_NO_IDENTITIES)


def _objects_in(containers: list[Any], last: PathStep) -> list[Tree]:
    """All objects at the end of a path, as often as they stand there."""
    types = last.types
    if last.key == "@":
        items = [item for container in containers for item in container if item.__class__ is dict]
    else:
        items = [item for container in containers if (item := container.get(last.key)).__class__ is dict]
    return items if types is None else [item for item in items if item.get("__typename") in types]


def _slots_in(containers: list[Any], last: PathStep, objects: int) -> Iterable[tuple[Any, Any]]:
    """Where each of so many `_objects_in` stands: what holds it, and its key or index there."""
    types = last.types
    if last.key == "@":
        return [
            (container, index)
            for container in containers
            for index, item in enumerate(container)
            if item.__class__ is dict and (types is None or item.get("__typename") in types)
        ]
    if objects < len(containers):
        containers = [container for container in containers if _objects_in([container], last)]
    return zip(containers, repeat(last.key), strict=False)


class _Rules:
    """The rules of a lookup, for given values of the variables in its conditions: fields that those switch off were not
    asked for, and are not part of a representation.
    """

    def __init__(
        self,
        lookup: EntityLookup,
        decided: Mapping[str, bool],
        schema: GraphQLSchema,
        possible_types: PossibleTypes,
    ) -> None:
        self.by_type: dict[str, CompiledRule | None] = {}
        self.for_all: CompiledRule | None = None
        for rule in lookup.representations:
            asked = replace(rule, fields=_asked(rule.fields, decided))
            # nothing of what identifies these objects was asked for: all that is wanted of them is switched off
            is_off = _identifies(rule.fields) and not _identifies(asked.fields)
            compiled = CompiledRule(asked, schema, possible_types) if not is_off else None
            if not rule.source_types:
                self.for_all = compiled
            for typename in rule.source_types:
                self.by_type[typename] = compiled

    def tell_apart(self, objects: list[Tree]) -> _Found:
        """Raises TypeError where a `__typename` is nothing that can be looked up."""
        rule = self.for_all if not self.by_type else None
        if rule is None:
            return _Found(objects, [self.key_of(item) for item in objects])
        texts = rule.texts_of(objects)
        if texts is not None:
            return _Found(objects, texts, rule, True, len(set(texts)) == len(objects))
        identities = rule.plain_values_of(objects)
        if identities is not None:
            return _Found(objects, identities, rule, False, len(set(identities)) == len(objects))
        identities = [rule.identify(item) for item in objects]
        told_apart = set(identities)
        is_each = len(told_apart) == len(objects) and told_apart.isdisjoint(_NO_IDENTITIES)
        return _Found(objects, identities, rule, False, is_each)

    def key_of(self, item: Tree) -> _Key | None:
        """The rule for an object and what it identifies it by; None where there is no rule. Raises TypeError where the
        `__typename` is nothing that can be looked up.
        """
        rule = self.by_type.get(item.get("__typename", ""), self.for_all)
        return (rule, rule.identify(item)) if rule is not None else None


class CompiledRule:
    """`identify` gives a hashable value that is equal for equal representations; `represent` makes a representation.

    A single key of plain values is identified by its value, several by the tuple, nested ones by their JSON. Example,
    for books by `id owner { email }`: `{"__typename": "Book", "id": 1, "owner": {"email": "e", "age": 9}}` has the
    identity `b'["Book",{"id":1,"owner":{"email":"e"}}]'`; without `owner` it would have none, and be left out.
    """

    def __init__(self, rule: RepresentationRule, schema: GraphQLSchema, possible_types: PossibleTypes) -> None:
        self._typename = rule.typename
        self._build = _builder_of(rule.fields, possible_types)
        self._required = _required_keys(rule, schema)
        self.keys = frozenset(item.response_key for item in rule.fields.items if isinstance(item, Field))
        leaves = _leaves_of(rule.fields)
        self._pairs = [(leaf.response_key, leaf.name) for leaf in leaves if leaf.name != "__typename"]
        self._is_flat = len(leaves) == len(rule.fields.items)
        self.identify: Callable[[Tree], Hashable] = (
            self._identify_by_values if self._is_flat and self._pairs else self._identify_by_content
        )
        self.represent: Callable[[Tree], Tree] = self._represent  # of an object that has an identity
        self._read_only: Callable[[Tree], Any] | None = None  # the value, where one alone identifies objects
        self._read_all: Callable[[Tree], Any] | None = None  # all values, where they are several
        if self._is_flat and len(self._pairs) == 1 and rule.typename is not None:
            self._only_key, self._only_name = self._pairs[0]
            self._read_only = itemgetter(self._only_key)
            self.identify = self._identify_by_one_value
            self.represent = self._represent_by_one_value
            head = {"__typename": rule.typename, self._only_name: ""}
            self._head = dumps(head)[: -len('"}')]
        elif self._is_flat and len(self._pairs) > 1 and rule.typename is not None:
            self._read_all = itemgetter(*[key for key, _ in self._pairs])

    def texts_of(self, objects: list[Tree]) -> list[Any] | None:
        """The identities of the objects, if they are the texts under the only key; `identify` gives any others."""
        if self._read_only is None:
            return None
        try:
            texts = [*map(self._read_only, objects)]
            "".join(texts)  # the quickest that Python has to see that all are texts
        except (KeyError, TypeError):
            return None
        return texts

    def plain_values_of(self, objects: list[Tree]) -> list[Hashable] | None:
        """The identities of the objects, if there are texts or integers under all of several keys; `identify` gives any others."""
        if self._read_all is None:
            return None
        try:
            values = [*map(self._read_all, objects)]
        except KeyError:
            return None
        return values if _PLAIN.issuperset(map(type, chain.from_iterable(values))) else None

    def represent_text(self, text: str) -> Tree:
        """Of an object with that text under the only key."""
        return {"__typename": self._typename, self._only_name: text}

    def written_texts(self, texts: list[str]) -> bytes:
        """A list of what `represent_text` makes of each, as JSON. Nothing in the texts is escaped there, and there is one at least."""
        between = '"},' + self._head.decode()
        return b'[%b%b"}]' % (self._head, between.join(texts).encode())

    def _represent_by_one_value(self, item: Tree) -> Tree:
        return {"__typename": self._typename, self._only_name: item[self._only_key]}

    def _represent(self, item: Tree) -> Tree:
        if self._is_flat and self._typename is not None:
            return {"__typename": self._typename, **{name: item[key] for key, name in self._pairs}}
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
        return value if value.__class__ is str else _exact(value)

    def _identify_by_values(self, item: Tree) -> Hashable:
        values: list[Hashable] = []
        for key, _ in self._pairs:
            value = item.get(key, _MISSING)
            if value.__class__ is not str:
                if value.__class__ is _NoIdentity:
                    return _MISSING
                if value.__class__ is list or value.__class__ is dict:
                    return self._identify_by_content(item)
                value = _exact(value)
            values.append(value)
        if not self._has_required(item):
            return _MISSING
        if self._typename is None:
            values.append(item.get("__typename"))
        return tuple(values)

    def _identify_by_content(self, item: Tree) -> Hashable:
        try:
            built = self._build(item)
            if built is _MISSING or not self._has_required(item):
                return _MISSING
            return dumps([self._typename or item.get("__typename"), built])
        except (orjson.JSONEncodeError, RecursionError):
            return _UNSENDABLE

    def _has_required(self, item: Tree) -> bool:
        if any(item.get(key) is None for key in self._required):
            return False
        keys = [key for key, _ in self._pairs]
        # a key of nothing but `__typename` makes a type of one object
        return not (self._is_flat and keys and all(item.get(key) is None for key in keys))


class _Found(msgspec.Struct):
    """Objects at a place, and what tells each apart: identities where one `rule` is for all of them, else their keys, None for
    an object that no rule is for.
    """

    objects: list[Tree]
    told_by: list[Any]
    rule: CompiledRule | None = None
    are_texts: bool = False
    is_each_told_apart: bool = False


def _leaves_of(selections: SelectionSet) -> list[Field]:
    return [item for item in selections.items if isinstance(item, Field) and item.selections is None]


def _exact(value: Any) -> Hashable:
    """Equal for equal JSON numbers, booleans and nulls only: to Python `true`, `1` and `1.0` are one value, and `-0.0` is
    `0.0`.
    """
    kind = value.__class__
    identity: Hashable = value if kind is str or kind is int else (kind, repr(value))
    return identity


def _condition_variables(lookup: EntityLookup) -> set[str]:
    waiting = [rule.fields for rule in lookup.representations]
    names: set[str] = set()
    while waiting:
        for item in waiting.pop().items:
            names.update(condition.variable for condition in item.conditions)
            if item.selections is not None:
                waiting.append(item.selections)
    return names


def _asked(selections: SelectionSet, decided: Mapping[str, bool]) -> SelectionSet:
    """What is not switched off, without its conditions and each field once."""
    items: dict[object, Field | InlineFragment] = {}
    for item in selections.items:
        if not holds(item.conditions, decided):
            continue
        inner = _asked(item.selections, decided) if item.selections is not None else None
        name = item.response_key if isinstance(item, Field) else (item.type_condition,)
        known = items.get(name)
        if known is not None and known.selections is not None and inner is not None:
            inner = _asked(SelectionSet(known.selections.items + inner.items), decided)
        if inner is None and not item.conditions:
            items[name] = item
        else:
            items[name] = replace(item, selections=inner, conditions=())  # type: ignore[arg-type] # None for a leaf only
    return SelectionSet(tuple(items.values()))


def _identifies(selections: SelectionSet) -> bool:
    """Whether there is anything but type names."""
    return any(
        item.name != "__typename" if isinstance(item, Field) else _identifies(item.selections)
        for item in selections.items
    )


def _is_equal(one: Tree, other: Tree) -> bool:
    try:
        return one == other
    except RecursionError:  # they are nested deeper than can be compared
        return False


class _WrittenAlike:
    """Whether two objects are the same JSON. Python's own equality is quick to tell what differs, but to it `true` is `1`."""

    __slots__ = ("_written",)

    def __init__(self) -> None:
        self._written: dict[int, bytes] = {}  # of the first of several, by its identity

    def __call__(self, first: Tree, other: Tree) -> bool:
        if not _is_equal(first, other):
            return False
        try:
            written = self._written.get(id(first))
            if written is None:
                written = self._written[id(first)] = dumps(first)
            return written == dumps(other)
        except (RecursionError, orjson.JSONEncodeError):  # they are nested deeper than can be written
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
    """A function from an object of the tree to what of it the selections name, or _MISSING.

    Example: for `owner { email }` and `id` under the response key `__k0_id`, since the client has given the key `id` to
    another field, `{"id": "x", "__k0_id": "7", "owner": {"email": "e", "name": "n"}}` gives
    `{"id": "7", "owner": {"email": "e"}}`.

    Reads response keys, writes field names. A fragment adds its fields where the object is of its type; an object
    read through fragments carries its `__typename`, without which the subgraph could not read it back.
    """
    leaves, objects, fragments = _kinds_of(selections, possible_types)
    has_typename = any(isinstance(item, Field) and item.name == "__typename" for item in selections.items)

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


def _kinds_of(
    selections: SelectionSet, possible_types: PossibleTypes
) -> tuple[
    list[tuple[str, str]],
    list[tuple[str, str, Callable[[Tree], Any]]],
    list[tuple[frozenset[str] | None, Callable[[Tree], Any]]],
]:
    """Leaves and objects, each by the key to read and the name to write, and fragments by the types that they are for;
    of objects and fragments also what builds them.
    """
    leaves: list[tuple[str, str]] = []
    objects: list[tuple[str, str, Callable[[Tree], Any]]] = []
    fragments: list[tuple[frozenset[str] | None, Callable[[Tree], Any]]] = []
    for item in selections.items:
        if not isinstance(item, Field):
            condition = item.type_condition
            types = None if condition is None else possible_types(condition) | {condition}
            fragments.append((types, _builder_of(item.selections, possible_types)))
        elif item.selections is not None:
            objects.append((item.response_key, item.name, _builder_of(item.selections, possible_types)))
        elif item.name != "__typename":
            leaves.append((item.response_key, item.name))
    return leaves, objects, fragments


def _build_each(value: Any, build: Callable[[Tree], Any]) -> Any:
    if value is None:
        return None
    if value.__class__ is list:
        items = [_build_each(item, build) for item in value]
        return _MISSING if any(item is _MISSING for item in items) else items
    return build(value) if value.__class__ is dict else _MISSING


__all__ = ["NEVER_SHARED", "Collected", "Path", "RepresentationCollector"]
