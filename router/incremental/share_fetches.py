"""Changes the plans of the parts of one answer, so that what several parts need is asked by one request in the same
words.

Called by `plan_parts`, which has planned each part alone. The parts then run at the same time, each in a tree of its own,
and `answers` sends a request that several of them make in the same words only once. What a part asks beyond the parts
around it becomes a request of its own; only keys are added to theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Listed
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TypeVar

from router.incremental.by_key import asked_by_key
from router.incremental.unread_fetches import Reading, without_unread
from router.query_plan import (
    ConditionNode,
    EntityFetch,
    EntityLookup,
    Fetch,
    Parallel,
    PlanNode,
    QueryPlan,
    Sequence,
)
from router.selection_set import Condition, Field, InlineFragment, SelectionSet
from router.supergraph import Key, SubgraphType, Supergraph, TypeKind

Conditions = tuple[Condition, ...]
_AnyFetch = TypeVar("_AnyFetch", Fetch, EntityFetch)


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """`selections` are the client's, of this part and those around it; `outer` is the index of the part that this one
    stands in, None for the one that comes first. `reading` is what of its tree is looked at; None for all.
    """

    plan: QueryPlan
    selections: SelectionSet
    outer: int | None
    reading: Reading | None = None


class HarmlessFields:
    """Fields that can be added to a fetch without delay or conflict: fields of keys, if they are of the same type
    wherever the subgraph has them.
    """

    def __init__(self, supergraph: Supergraph) -> None:
        self.supergraph = supergraph
        views = [
            (subgraph, type_)
            for subgraph, view in supergraph.views.items()
            for type_ in view.values()
            if type_.kind in (TypeKind.OBJECT, TypeKind.INTERFACE)
        ]
        self.names = frozenset(name for _, type_ in views for key in type_.keys for name in _names(key.fields))
        alone = dict.fromkeys((type_.name for _, type_ in views), True)
        for _, type_ in views:
            alone[type_.name] &= _can_be_asked_alone(type_)
        #: types whose objects every subgraph that says something of them can be asked for by a plain key
        self.keyed_types = frozenset(name for name, is_keyed in alone.items() if is_keyed)
        self._with_stand_ins = {subgraph for subgraph, type_ in views if type_.is_interface_object}
        self._types: dict[tuple[str, str], set[str]] = {}
        for subgraph, type_ in views:
            for name in self.names & type_.fields.keys():
                self._types.setdefault((subgraph, name), set()).add(type_.fields[name].type_text)

    def has(self, subgraph: str, name: str) -> bool:
        """`__typename` counts, but where a subgraph has interface objects: it names those by the interface, and the part
        that was given such a name would keep it beside the object type that another subgraph tells.
        """
        if name == "__typename":
            return subgraph not in self._with_stand_ins
        return len(self._types.get((subgraph, name), ())) == 1

    def identified(self, node: PlanNode | None, taken: set[str]) -> PlanNode | None:
        """The plan, with the key of the items asked for in every list whose items have one: two answers with the list
        can then be compared item by item. No key with a field name that is `taken` is used.
        """

        def identify(fetch: Fetch | EntityFetch, _: Conditions) -> PlanNode:
            if isinstance(fetch, Fetch):
                root = self.supergraph.root_types[fetch.operation_type]
                return replace(fetch, selections=self._identified(fetch.selections, fetch.subgraph, root, taken))
            lookups = [
                replace(each, selections=self._identified(each.selections, fetch.subgraph, "", taken))
                for each in fetch.lookups
            ]
            return replace(fetch, lookups=tuple(lookups))

        return _rewritten(node, identify)

    def _identified(
        self, selections: SelectionSet, subgraph: str, type_name: str, taken: set[str], *, is_item: bool = False
    ) -> SelectionSet:
        items: list[Field | InlineFragment] = []
        type_ = self.supergraph.views[subgraph].get(type_name)
        for item in selections.items:
            inner, inner_type, is_list = item.selections, type_name, is_item
            if isinstance(item, InlineFragment):
                inner_type = item.type_condition or type_name
            else:
                field = type_.fields.get(item.name) if type_ is not None else None
                inner_type, is_list = (field.type, field.list_depth > 0) if field is not None else ("", False)
            if inner is not None:
                inner = self._identified(inner, subgraph, inner_type, taken, is_item=is_list)
            items.append(replace(item, selections=inner))  # type: ignore[arg-type] # None for a leaf only
        found = SelectionSet(tuple(items))
        return _plus(found, self._identity_of(type_, found, subgraph, taken)) if is_item else found

    def _identity_of(
        self, type_: SubgraphType | None, selections: SelectionSet, subgraph: str, taken: set[str]
    ) -> SelectionSet:
        """What tells an item from others: its key; where it may be of several types, its type and the key of that."""
        if type_ is not None and type_.possible_types and type_.kind is not TypeKind.OBJECT:
            view = self.supergraph.views[subgraph]
            keys = {name: self._plain_key(view.get(name), subgraph, taken) for name in sorted(type_.possible_types)}
            if not all(keys.values()):
                return SelectionSet()
            of_all = next(iter(keys.values()))
            if {*keys.values()} == {of_all} and type_.fields.keys() >= {*of_all}:
                return _fields(("__typename", *of_all))
            fragments = (InlineFragment(name, _fields(key)) for name, key in keys.items())
            return SelectionSet((Field("__typename", "__typename"), *fragments))
        present = {item.response_key for item in selections.items if isinstance(item, Field)}
        return _fields(tuple(name for name in self._plain_key(type_, subgraph, taken) if name not in present))

    def _plain_key(self, type_: SubgraphType | None, subgraph: str, taken: set[str]) -> tuple[str, ...]:
        """The fields of the first key that has neither objects nor fragments in it; one to ask by, where there is one."""
        for key in sorted(type_.keys, key=lambda each: not each.resolvable) if type_ is not None else ():
            names = _plain_names(key)
            if names and not taken.intersection(names) and all(self.has(subgraph, name) for name in names):
                return names
        return ()


def share_fetches(parts: Listed[PlannedPart], harmless: HarmlessFields) -> list[QueryPlan]:
    """The plans in the same order, outer parts before inner ones. Empty where a later part would have to send a mutation
    once more.

    Example: of `{ items { id ... @defer { name } } }` over live (`items`) and names (`name` by `id`), the first part is
    planned as `live: items { id }`, the second as `live: items { id }`, then `names: name` by `id`. Both ask live in the same
    words, so `answers` sends that once. Had the client not asked for `id` itself, the first would not ask for it and
    the two would differ. That is what the four steps are for, each of which only adds keys or takes away what is asked:

    1. every list gets the key of its items, so that two answers with the list can be told to mean the same items;
    2. an outer part asks for the keys that its inner parts ask for in the same place (inner parts first: theirs go outward);
    3. a part takes over the fetches of the parts around it that answer some of its own, and asks only for the rest;
    4. a part does without what brings it nothing that it tells, nor leads there.
    """
    taken = {key for part in parts for key in keys_of_other_fields(part.selections)}
    sharing = _Sharing(harmless, taken)
    nodes = [harmless.identified(part.plan.node, taken) for part in parts]
    for index in reversed(range(len(parts))):
        outer = parts[index].outer
        if outer is not None:
            nodes[outer] = sharing.widened(nodes[outer], nodes[index])
    for index, part in enumerate(parts):
        outer = part.outer
        while outer is not None:
            nodes[index] = sharing.reduced(nodes[index], nodes[outer])
            outer = parts[outer].outer
    sent = _mutations(nodes[0])
    if any(_mutations(node) != sent for node in nodes):
        return []
    common = _fetches_of_several(nodes)
    return [
        replace(part.plan, node=node if part.reading is None else without_unread(node, part.reading, common))
        for part, node in zip(parts, nodes, strict=True)
    ]


def _fetches_of_several(nodes: Listed[PlanNode | None]) -> set[Fetch | EntityFetch]:
    """The fetches that more than one of the plans sends."""
    times = Counter(fetch for node in nodes for fetch in {each for each, _ in _fetches(node)})
    return {fetch for fetch, number in times.items() if number > 1}


def asks_again(plan: QueryPlan, around: Iterable[QueryPlan]) -> bool:
    """Whether one of the plan's own fetches starts from the same root fields, or from the same entities, as a fetch of
    the parts around. A subgraph then resolves the fields that lead to the part a second time, and demand control
    charges twice.

    Example: `{ items { id name ... @defer { note } } }` of one subgraph: the part asks it for `items { id note }` by
    itself.
    """
    known = [fetch for outer in around for fetch, _ in _fetches(outer.node)]
    own = [fetch for fetch, _ in _fetches(plan.node) if not any(fetch is each for each in known)]
    return any(_is_about_the_same(fetch, other) for fetch in own for other in known)


def in_levels(plan: QueryPlan) -> QueryPlan:
    """The plan as one sequence: what could begin earlier waits for the others of its level.

    Example: `Parallel(Sequence(a, b), c)` becomes `Sequence(Parallel(a, c), b)`.
    """
    levels = _levels(plan.node) if plan.node is not None else []
    nodes = [each[0] if len(each) == 1 else Parallel(tuple(each)) for each in levels]
    return replace(plan, node=Sequence(tuple(nodes)) if len(nodes) > 1 else plan.node)


def _levels(node: PlanNode) -> list[list[PlanNode]]:
    match node:
        case Sequence(nodes):
            return [level for each in nodes for level in _levels(each)]
        case Parallel(nodes):
            parts = [_levels(each) for each in nodes]
            return [[each for one in level for each in one] for level in zip_longest(*parts, fillvalue=[])]
    return [[node]]


@dataclass(frozen=True, slots=True)
class _Sharing:
    harmless: HarmlessFields
    taken: set[str]  # response keys that stand for another field somewhere in the operation

    def widened(self, node: PlanNode | None, inner: PlanNode | None) -> PlanNode | None:
        """`node`, asked also for those keys that `inner` asks for in the same places; of a mutation, for all that
        `inner` asks.

        Example: `shop: items { name }`, around a part that needs `items { name id }` for a lookup, becomes
        `shop: items { name id }`. The two texts are then equal, and sent once.
        """
        asked = list(_fetches(inner))

        def widen(fetch: Fetch | EntityFetch, conditions: Conditions) -> PlanNode:
            for other, others in asked:
                if others == conditions:
                    fetch = self._widened_fetch(fetch, other)
            return fetch

        return _rewritten(node, widen)

    def reduced(self, node: PlanNode | None, outer: PlanNode | None) -> PlanNode | None:
        """`node` with the fetches of `outer` in place of what these answer of it.

        Example: `shop: items { id name note }`, inside a part that asks `shop: items { id name }`, becomes
        `Parallel(shop: items { id name }, shop: items { id note })`: the first is the outer part's own text, and sent
        once; the second has the key, by which the items of both answers are compared.
        """
        known = list(_fetches(outer))

        def reduce(fetch: Fetch | EntityFetch, conditions: Conditions) -> PlanNode:
            taken: list[PlanNode] = []
            rest: Fetch | EntityFetch | None = fetch
            for other, others in known:
                if rest is not None and others == conditions and self._is_within(other, rest):
                    taken.append(other)
                    rest = self._without(rest, other)
            entities: EntityFetch | None = None
            if isinstance(rest, Fetch):
                answered = [each for each in taken if isinstance(each, Fetch)]
                rest, entities = asked_by_key(rest, answered, self.harmless.supergraph)
            nodes = (*taken, rest) if rest is not None else tuple(taken)
            first = nodes[0] if len(nodes) == 1 else Parallel(nodes)
            return first if entities is None else Sequence((first, entities))

        return _rewritten(node, reduce)

    def _widened_fetch(self, fetch: Fetch | EntityFetch, other: Fetch | EntityFetch) -> Fetch | EntityFetch:
        if isinstance(fetch, Fetch) and isinstance(other, Fetch):
            if not _is_one_question(fetch, other):
                return fetch
            selections = self._widened_selections(fetch, other, fetch.subgraph, fetch.operation_type == "mutation")
            names = dict(fetch.variables) | dict(other.variables)
            return _using(replace(fetch, selections=selections), tuple(names.items()))
        if isinstance(fetch, EntityFetch) and isinstance(other, EntityFetch) and fetch.subgraph == other.subgraph:
            lookups = [
                replace(each, selections=self._widened_selections(each, same, fetch.subgraph))
                if (same := _counterpart(each, other)) is not None
                else each
                for each in fetch.lookups
            ]
            names = dict(fetch.variables) | dict(other.variables)
            return _using(replace(fetch, lookups=tuple(lookups)), tuple(names.items()))
        return fetch

    def _widened_selections(
        self, own: Fetch | EntityLookup, other: Fetch | EntityLookup, subgraph: str, all_of_it: bool = False
    ) -> SelectionSet:
        fits = (
            not own.renames and not other.renames and self._adds_only_keys(own.selections, other.selections, subgraph)
        )
        if fits and (all_of_it or self._adds_only_keys(other.selections, own.selections, subgraph)):
            return _plus(own.selections, other.selections)
        return own.selections

    def _is_within(self, known: Fetch | EntityFetch, fetch: Fetch | EntityFetch) -> bool:
        """Whether `known` can answer some of `fetch`, and brings nothing else that could stand in its way."""
        if isinstance(known, Fetch) and isinstance(fetch, Fetch):
            return _is_one_question(known, fetch) and self._can_stand_for(known, fetch, known.subgraph)
        if isinstance(known, EntityFetch) and isinstance(fetch, EntityFetch) and known.subgraph == fetch.subgraph:
            return all(
                (same := _counterpart(each, fetch)) is not None and self._can_stand_for(each, same, known.subgraph)
                for each in known.lookups
            )
        return False

    def _can_stand_for(self, known: Fetch | EntityLookup, asked: Fetch | EntityLookup, subgraph: str) -> bool:
        if not self._adds_only_keys(known.selections, asked.selections, subgraph) or known.renames != asked.renames:
            return False
        return not asked.renames or not _minus(asked.selections, known.selections).items

    def _without(self, fetch: Fetch | EntityFetch, known: Fetch | EntityFetch) -> Fetch | EntityFetch | None:
        """What `known` does not answer of the fetch; with the keys of the objects, so that both answers can be
        compared.
        """
        if isinstance(fetch, Fetch):
            assert isinstance(known, Fetch)
            rest = self._rest(fetch.selections, known.selections, fetch.subgraph)
            return _using(replace(fetch, selections=rest), fetch.variables) if rest.items else None
        assert isinstance(known, EntityFetch)
        lookups = []
        for lookup in fetch.lookups:
            same = _counterpart(lookup, known)
            rest = lookup.selections
            if same is not None:
                rest = self._rest(lookup.selections, same.selections, fetch.subgraph)
            if rest.items:
                lookups.append(replace(lookup, selections=rest))
        return _using(replace(fetch, lookups=tuple(lookups)), fetch.variables) if lookups else None

    def _rest(self, selections: SelectionSet, others: SelectionSet, subgraph: str) -> SelectionSet:
        known = {_identity(item): item.selections for item in others.items}
        rest: list[Field | InlineFragment] = []
        keys: list[Field] = []
        for item in selections.items:
            if item.selections is None and item.conditions and _identity(replace(item, conditions=())) in known:
                continue
            if _identity(item) not in known:
                rest.append(item)
            elif item.selections is not None:
                inner = self._rest(item.selections, known[_identity(item)] or SelectionSet(), subgraph)
                if inner.items:
                    rest.append(replace(item, selections=inner))
            elif item.name in self.harmless.names and self._is_key(item, subgraph):
                keys.append(item)
        return SelectionSet((*keys, *rest) if rest else ())

    def _adds_only_keys(self, selections: SelectionSet, others: SelectionSet, subgraph: str) -> bool:
        """Whether `selections` have nothing but keys that `others` lack."""
        known = {_identity(item): item.selections for item in others.items}
        for item in selections.items:
            is_known = _identity(item) in known
            if not is_known and (
                not self._is_key(item, subgraph) if isinstance(item, Field) else bool(item.conditions)
            ):
                return False
            inner = known.get(_identity(item)) or SelectionSet()
            if item.selections is not None and not self._adds_only_keys(item.selections, inner, subgraph):
                return False
        return True

    def _is_key(self, field: Field, subgraph: str) -> bool:
        is_plain = field.response_key == field.name and not field.arguments
        return is_plain and field.name not in self.taken and self.harmless.has(subgraph, field.name)


# -- fetches -------------------------------------------------------------------------------------------------------


def _is_one_question(one: Fetch, other: Fetch) -> bool:
    if (one.subgraph, one.operation_type, one.path) != (other.subgraph, other.operation_type, other.path):
        return False
    return one.operation_type != "mutation" or _top_keys(one) == _top_keys(other)


def _is_about_the_same(one: Fetch | EntityFetch, other: Fetch | EntityFetch) -> bool:
    if isinstance(one, Fetch) and isinstance(other, Fetch):
        return _is_one_question(one, other)
    if isinstance(one, EntityFetch) and isinstance(other, EntityFetch) and one.subgraph == other.subgraph:
        return any(_counterpart(lookup, other) is not None for lookup in one.lookups)
    return False


def _top_keys(fetch: Fetch) -> list[str]:
    return [item.response_key for item in fetch.selections.items if isinstance(item, Field)]


def _counterpart(lookup: EntityLookup, fetch: EntityFetch) -> EntityLookup | None:
    """The lookup for the same entities in another fetch."""
    question = (lookup.paths, lookup.representations)
    same = (each for each in fetch.lookups if (each.paths, each.representations) == question and not each.contexts)
    return next(same, None) if not lookup.contexts else None


def _using(fetch: _AnyFetch, variables: tuple[tuple[str, str], ...]) -> _AnyFetch:
    """The fetch with those of the variables that it mentions."""
    if isinstance(fetch, Fetch):
        used = set(fetch.selections.variables())
    else:
        used = {name for lookup in fetch.lookups for name in lookup.selections.variables()}
    return replace(fetch, variables=tuple(each for each in variables if each[0] in used))


def _rewritten(
    node: PlanNode | None,
    rewrite: Callable[[Fetch | EntityFetch, Conditions], PlanNode],
    conditions: Conditions = (),
) -> PlanNode | None:
    match node:
        case Fetch() | EntityFetch():
            return rewrite(node, conditions)
        case Sequence(nodes):
            return Sequence(tuple(filter(None, (_rewritten(each, rewrite, conditions) for each in nodes))))
        case Parallel(nodes):
            inner = [each for each in (_rewritten(each, rewrite, conditions) for each in nodes) if each is not None]
            flat = (each for one in inner for each in (one.nodes if isinstance(one, Parallel) else (one,)))
            return Parallel(tuple(dict.fromkeys(flat)))
        case ConditionNode(own, inner_node):
            inner_node = _rewritten(inner_node, rewrite, conditions + own) or inner_node
            return ConditionNode(own, inner_node)
    return node


def _fetches(node: PlanNode | None, conditions: Conditions = ()) -> Iterator[tuple[Fetch | EntityFetch, Conditions]]:
    match node:
        case Fetch() | EntityFetch():
            yield node, conditions
        case Sequence(nodes) | Parallel(nodes):
            for each in nodes:
                yield from _fetches(each, conditions)
        case ConditionNode(own, inner):
            yield from _fetches(inner, conditions + own)


def _mutations(node: PlanNode | None) -> list[Fetch]:
    return [each for each, _ in _fetches(node) if isinstance(each, Fetch) and each.operation_type == "mutation"]


# -- selections ----------------------------------------------------------------------------------------------------


def _identity(item: Field | InlineFragment) -> tuple[object, ...]:
    if isinstance(item, Field):
        return (item.response_key, item.name, item.arguments, item.conditions)
    return (item.type_condition, item.conditions)


def _minus(selections: SelectionSet, others: SelectionSet) -> SelectionSet:
    known = {_identity(item): item for item in others.items}
    rest: list[Field | InlineFragment] = []
    for item in selections.items:
        same = known.get(_identity(item))
        if same is None:
            rest.append(item)
        elif item.selections is not None:
            inner = _minus(item.selections, same.selections or SelectionSet())
            if inner.items:
                rest.append(replace(item, selections=inner))
    return SelectionSet(tuple(rest))


def _plus(selections: SelectionSet, more: SelectionSet) -> SelectionSet:
    items = {_identity(item): item for item in selections.items}
    for item in more.items:
        same = items.get(_identity(item))
        if same is None:
            items[_identity(item)] = item
        elif item.selections is not None and same.selections is not None:
            items[_identity(item)] = replace(same, selections=_plus(same.selections, item.selections))
    return SelectionSet(tuple(items.values()))


def _fields(names: tuple[str, ...]) -> SelectionSet:
    return SelectionSet(tuple(Field(name, name) for name in names))


def _plain_names(key: Key) -> tuple[str, ...]:
    """The key's fields; none where one of them has fields of its own."""
    fields = [item for item in key.fields.items if isinstance(item, Field) and item.selections is None]
    return tuple(field.name for field in fields) if len(fields) == len(key.fields.items) else ()


def _can_be_asked_alone(type_: SubgraphType) -> bool:
    """Whether all that the subgraph resolves of an object can be asked by a key."""
    if any(key.resolvable and _plain_names(key) for key in type_.keys):
        return True
    in_keys = {name for key in type_.keys for name in _names(key.fields)}
    return bool(type_.keys) and all(field.external or field.name in in_keys for field in type_.fields.values())


def _names(selections: SelectionSet) -> Iterator[str]:
    for item in selections.items:
        if isinstance(item, Field):
            yield item.name
        if item.selections is not None:
            yield from _names(item.selections)


def keys_of_other_fields(selections: SelectionSet) -> Iterator[str]:
    """Response keys that do not stand for the field of their name."""
    for item in selections.items:
        if isinstance(item, Field) and (item.name != item.response_key or item.arguments):
            yield item.response_key
        if item.selections is not None:
            yield from keys_of_other_fields(item.selections)
