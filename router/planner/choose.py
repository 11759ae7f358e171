"""Chooses, for every field at every place, the subgraph that answers it: the cheapest way by sequential fetches,
then by fetches, then by fields.

`build` asks for choices and turns them into fetches; `alike` compares them, `stages` prints them. Choices are remembered by
place, selection set and forbidden moves (`Excluded`), so that the same question is not searched again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple, Protocol

from router.planner.budget import PlanningBudget
from router.planner.expand import Item, Typed, expand, interface_targets
from router.planner.places import (
    Place,
    RootTarget,
    child_place,
    landing_place,
    possible_types_at,
    resolved_here,
    typed_place,
)
from router.query_graph import EntityTarget, QueryGraph
from router.selection_set import Field, InlineFragment, SelectionSet
from router.supergraph import Key

#: More optional subgraphs than this at one place are chosen greedily; 2^6 combinations are tried below it.
_MAX_SEARCHED_TARGETS = 6
#: Of more subgraphs than this that resolve one field, only the most promising are compared.
_MAX_COMPARED_TARGETS = 8


class Cost(NamedTuple):
    """Compared in this order. `depth` counts fetches that have to wait for one another; a field counts twice as much
    after each move, so that of two equally deep ways the one that answers more at once wins.

    Depth comes first because a client waits for round trips, not for requests: three fetches side by side are better
    than two in a row. `python -m router choices` prints the costs of every place.
    """

    depth: int
    fetches: int
    fields: int


FREE = Cost(0, 0, 0)


#: Moves that must not be used: (subgraph, None) for any field, because the way to its key is being looked for;
#: (subgraph, "Type.field") because what that field requires is being looked for.
Excluded = frozenset[tuple[str, str | None]]
NOTHING: Excluded = frozenset()


@dataclass(frozen=True, slots=True)
class Here:
    """The field is answered by the fetch that is already at this place."""

    field: Field


@dataclass(frozen=True, slots=True)
class Moved:
    """`item` is answered after a move to another subgraph; `requires` is what the field itself needs besides the key."""

    item: Field | InlineFragment
    target: EntityTarget | RootTarget
    key: Key | None
    requires: SelectionSet | None = None


Step = Here | Typed | Moved


@dataclass(slots=True)
class Choice:
    """`moves` are all that it makes from its own place, also those that fetch a key or a required field; not those
    below.
    """

    cost: Cost
    steps: tuple[Step, ...]
    moves: Excluded


_NO_KEY = Choice(FREE, (), NOTHING)
_MemoKey = tuple[str | None, str, int, frozenset[str], int, Excluded]


@dataclass(slots=True)
class Candidate:
    """One way to answer an item at a place. `target` is None for Here and Typed."""

    step: Step
    target: EntityTarget | RootTarget | None
    cost: Cost  # of the item alone, without the move's own fetch and key
    key_cost: Cost = FREE
    moves: Excluded = NOTHING


Target = EntityTarget | RootTarget


class ChoiceObserver(Protocol):
    """Is told what the chooser weighs, place by place. `planner.choices` is one; planning for a request has none."""

    def enter(self, place: Place, selections: SelectionSet, excluded: Excluded) -> None:
        """A search begins; others, of the places below and of keys, come before it ends."""

    def reject(self, item: Field | InlineFragment, target: Target, reason: str) -> None:
        """A move that cannot be made, in the search that began last."""

    def leave(self, weighed: list[list[Candidate]], choice: Choice | None) -> None:
        """The search that began last ends: the candidates of each item, and what was chosen of them."""


class Chooser:
    """One per plan."""

    def __init__(self, graph: QueryGraph, budget: PlanningBudget, observer: ChoiceObserver | None = None) -> None:
        self.graph = graph
        self.budget = budget
        self._observer = observer
        self._memo: dict[_MemoKey, Choice | None] = {}
        self._kept_alive: list[object] = []
        roots = graph.supergraph.root_types
        self._mutation_type = roots.get("mutation")
        #: Of these every subgraph can be asked anew, wherever such an object stands.
        self._root_types = frozenset(roots[kind] for kind in ("query", "mutation") if kind in roots)
        self._in_progress: set[_MemoKey] = set()
        self._unrestricted_in_progress: set[tuple[object, ...]] = set()
        self._sets: dict[tuple[int, ...], SelectionSet] = {}
        self._parts: dict[int, tuple[Field | InlineFragment, ...]] = {}
        self._names: dict[int, frozenset[str]] = {}  # of fields, by the selection set's identity

    def choose(self, place: Place, selections: SelectionSet, excluded: Excluded = NOTHING) -> Choice | None:
        """The cheapest way to answer all of `selections` at `place`; None where there is no way.

        The search asks itself for the selections below a field, for keys and for what fields require. `excluded` keeps
        it from going round in circles. Example: `{ me { posts } }`, where one answers `me { id }`, two knows users by
        `id` and by `email`, and three knows their `posts` by `email`. At `me` in one:

        1. `posts` is to be had from three only, by `email`: choose `{ email }` here, but not by a move to three;
        2. `email` is to be had from two, by `id`: choose `{ id }` here, by a move to neither of them. It is here, at no
           cost;
        3. so `email` costs one fetch and `posts` two, one after the other: `Cost(depth=2, fetches=2, fields=5)`.

        Raises what its budget raises when the search grows past its bound.
        """
        memo_key = (place.subgraph, place.type, id(place.provided), place.sharers, id(selections), excluded)
        if memo_key in self._memo:
            return self._memo[memo_key]
        if memo_key in self._in_progress:
            return None
        if excluded and memo_key[:-1] not in self._unrestricted_in_progress:
            # Forbidding moves only makes the choice smaller. If the cheapest way of all makes none of the forbidden
            # moves, it is also the cheapest of those that remain, and need not be searched again: most searches for
            # keys end here.
            choice = self.choose(place, selections)
            if choice is not None and choice.moves.isdisjoint(excluded):
                return choice
        self.budget.spend()
        self._kept_alive += (selections, place.provided)  # the memo knows them by identity
        self._in_progress.add(memo_key)
        if not excluded:
            self._unrestricted_in_progress.add(memo_key[:-1])
        try:
            choice = self._search(place, selections, excluded)
        finally:
            self._in_progress.discard(memo_key)
            if not excluded:
                self._unrestricted_in_progress.discard(memo_key[:-1])
        self._memo[memo_key] = choice
        return choice

    # -- one place ---------------------------------------------------------------------------------------------

    def _search(self, place: Place, selections: SelectionSet, excluded: Excluded) -> Choice | None:
        if self._observer is None:
            return self._weigh(place, selections, excluded)[1]
        self._observer.enter(place, selections, excluded)
        weighed, choice = self._weigh(place, selections, excluded)
        self._observer.leave(weighed, choice)
        return choice

    def _weigh(
        self, place: Place, selections: SelectionSet, excluded: Excluded
    ) -> tuple[list[list[Candidate]], Choice | None]:
        """The candidates for each item, and the best choice of them; None where an item has none.

        An item is first weighed whole: `product { name stars }` from one subgraph, with a fetch for what that one lacks. Where
        several subgraphs answer the field, or none of them whole, it is also weighed in parts, `product { name }` from one and
        `product { stars }` from another at the same time. Where p knows the name and q the stars, the whole costs two
        fetches one after the other (depth 2), the parts two fetches side by side (depth 1). Both lists are combined as
        a whole at the end, since it depends on where the other items go whether splitting one saves anything.
        """
        whole: list[list[Candidate]] = []
        split: list[list[Candidate]] = []
        may_split_for_speed = False
        for item in self._items(place, selections):
            candidates = self._candidates(place, item, excluded, selections)
            if candidates and not self._is_worth_splitting(place, item, candidates):
                whole.append(candidates)
                split.append(candidates)
                continue
            pieces = self._split(place, item, excluded, selections)
            if pieces is None and not candidates:
                return [*whole, []], None
            if candidates:
                may_split_for_speed |= pieces is not None
                whole.append(candidates)
                split.extend(pieces or [candidates])
            else:
                whole.extend(pieces or [])
                split.extend(pieces or [])
        best = self.combine(whole)
        if may_split_for_speed:
            alternative = self.combine(split)
            if alternative is not None and (best is None or alternative.cost < best.cost):
                return split, alternative
        return whole, best

    def _items(self, place: Place, selections: SelectionSet) -> Iterator[Item]:
        for item in expand(self.graph, place, selections):
            yield Typed(item.type, self._set_of(item.selections.items)) if isinstance(item, Typed) else item

    # -- candidates --------------------------------------------------------------------------------------------

    def _candidates(self, place: Place, item: Item, excluded: Excluded, around: SelectionSet) -> list[Candidate]:
        """`around` is everything that is asked at the place; it decides which moves are looked at where there are
        many.
        """
        if isinstance(item, Typed):
            inner = self.choose(typed_place(place, item.type), item.selections, excluded)
            return [Candidate(item, None, inner.cost, FREE, inner.moves)] if inner is not None else []
        candidates = []
        if isinstance(item, Field):
            here = self._cost_here(place, item)
            if here is not None:
                candidates.append(Candidate(Here(item), None, here))
                if here.depth == 0:
                    return candidates  # nothing can be cheaper
        candidates.extend(self._promising_moves(place, item, excluded, around))
        return candidates

    def _cost_here(self, place: Place, field: Field) -> Cost | None:
        if place.subgraph is None:
            return None
        if field.name == "__typename":
            return None if self.graph.is_interface_object(place.subgraph, place.type) else Cost(0, 0, 1)
        edge, _ = resolved_here(self.graph, place, field.name)
        if edge is None or edge.requires is not None or edge.context_arguments:
            return None
        return self._cost_below(place, field)

    def _cost_below(self, place: Place, field: Field) -> Cost | None:
        if field.selections is None:
            return Cost(0, 0, 1)
        below = child_place(self.graph, place, field.name)
        inner = self.choose(below, field.selections)
        return Cost(inner.cost.depth, inner.cost.fetches, inner.cost.fields + 1) if inner is not None else None

    def _promising_moves(
        self, place: Place, item: Field | InlineFragment, excluded: Excluded, around: SelectionSet
    ) -> list[Candidate]:
        """All moves where there are at most `_MAX_COMPARED_TARGETS`. Of more, those to the subgraphs that have most of
        the field names which are asked; those to the others only if none of these can be made.
        """
        targets = list(self._targets(place, item))
        if len(targets) > _MAX_COMPARED_TARGETS:
            own, others = self._names_in(item), self._names_in(InlineFragment(None, around))
            known = self.graph.field_names
            targets.sort(key=lambda to: -len(own & known(to.subgraph)) - len(others & known(to.subgraph)))
        for first in range(0, len(targets), _MAX_COMPARED_TARGETS):
            found = list(self._moves(targets[first : first + _MAX_COMPARED_TARGETS], place, item, excluded))
            if found:
                return found
        return []

    def _names_in(self, item: Field | InlineFragment) -> frozenset[str]:
        if item.selections is None:
            return frozenset((item.name,))
        known = self._names.get(id(item.selections))
        if known is None:
            self._kept_alive.append(item.selections)
            known = frozenset().union(*map(self._names_in, item.selections.items))
            self._names[id(item.selections)] = known
        return known | {item.name} if isinstance(item, Field) else known

    # A move costs what the key and the required fields cost here (the deeper of the two, since both are fetched before
    # it), one round trip, and what is below the field there. The key's own fetches, and the move's, are left to
    # `_evaluate`, which counts them once for all items that go to one target. Example: `stars` of a product in p, by
    # `id`, from q gives `Cost(depth=1, fetches=0, fields=2)` and `key_cost=Cost(0, 0, 1)`.
    def _moves(
        self,
        targets: Iterable[EntityTarget | RootTarget],
        place: Place,
        item: Field | InlineFragment,
        excluded: Excluded,
    ) -> Iterator[Candidate]:
        for target in targets:
            self.budget.look()
            if (target.subgraph, None) in excluded:
                self._reject(item, target, "its key, or what it requires, is what is being looked for")
                continue
            landing = landing_place(self.graph, target)
            requires: SelectionSet | None = None
            requires_cost = FREE
            moves: Excluded = frozenset(((target.subgraph, None),))
            if isinstance(item, InlineFragment) or item.name == "__typename":
                inner = self.choose(landing, self._set_of((item,)))
                cost = inner.cost if inner is not None else None
            else:
                edge = self.graph.field(target.subgraph, target.type, item.name)
                if edge is None:
                    self._reject(item, target, f"does not resolve {target.type}.{item.name}")
                    continue
                field_mark = (target.subgraph, f"{target.type}.{item.name}")
                if field_mark in excluded:
                    self._reject(item, target, f"what {field_mark[1]} requires is what is being looked for")
                    continue
                moves |= {field_mark}
                requires = edge.requires
                if requires is not None:
                    needed = self.choose(place, requires, excluded | {field_mark})
                    if needed is None:
                        self._reject(item, target, f"nothing here leads to what {field_mark[1]} requires")
                        continue
                    requires_cost = needed.cost
                    moves |= needed.moves
                elif target.subgraph == place.subgraph and not edge.context_arguments:
                    continue  # a fetch to where we are gains nothing
                cost = self._cost_below(landing, item)
            if cost is None:
                self._reject(item, target, "nothing there leads to what is asked below the field")
                continue
            key, key_choice = self._cheapest_key(place, target, excluded)
            if key_choice is None:
                self._reject(item, target, f"none of the keys of {target.type} can be had here")
                continue
            key_cost = key_choice.cost
            yield Candidate(
                Moved(item, target, key, requires),
                target,
                Cost(
                    max(requires_cost.depth, key_cost.depth) + 1 + cost.depth,
                    requires_cost.fetches + cost.fetches,
                    requires_cost.fields + (cost.fields if place.subgraph is None else 2 * cost.fields),
                ),
                key_cost,
                moves | key_choice.moves,
            )

    def _reject(self, item: Field | InlineFragment, target: Target, reason: str) -> None:
        if self._observer is not None:
            self._observer.reject(item, target, reason)

    def _targets(self, place: Place, item: Field | InlineFragment) -> Iterable[EntityTarget | RootTarget]:
        """The subgraphs, and the types there, that could answer the item after a move; whether a key leads to them is seen
        later.

        At a root type, and where nothing is fetched yet, these are all subgraphs that resolve the field: they are asked
        anew, without a key. What an object really is (`__typename`, or a fragment on one of its types) is asked of those
        that have the type as an interface. Example: reviews have `type Media @interfaceObject`, media have `interface Media`;
        at a `Media` in reviews, `... on Book { title }` can be had by a move to media only.
        """
        graph = self.graph
        if place.subgraph is None or (place.type in self._root_types and isinstance(item, Field)):
            name = item.name if isinstance(item, Field) else ""
            return [RootTarget(subgraph, place.type) for subgraph in graph.subgraphs_resolving(place.type, name)]
        if isinstance(item, InlineFragment) or item.name == "__typename":
            return self._interfaces_of(place)
        if graph.is_abstract(place.subgraph, place.type):
            return interface_targets(graph, place, item.name)
        targets = [
            target
            for target in graph.entity_targets(place.type)
            if graph.field(target.subgraph, target.type, item.name) is not None
        ]
        if graph.is_interface_object(place.subgraph, place.type):
            return [replace(target, typename=place.type) for target in targets if self._may_answer(target, item.name)]
        return targets

    def _interfaces_of(self, place: Place) -> list[EntityTarget]:
        """Where the place's type is an interface of which a key leads to the object itself."""
        return [
            replace(target, typename=place.type)
            for target in self.graph.entity_targets(place.type)
            if self.graph.is_abstract(target.subgraph, target.type)
        ]

    def _may_answer(self, target: EntityTarget, field_name: str) -> bool:
        """Whether a subgraph that is told an interface's name in place of the object's can answer the field: an object of
        that name can, and an interface all of whose objects resolve the field there. With any other it would depend on
        which object it is, and that cannot be told.
        """
        graph = self.graph
        return not graph.is_abstract(target.subgraph, target.type) or graph.resolves_on_interface(
            target.subgraph, target.type, field_name
        )

    def _cheapest_key(
        self, place: Place, target: EntityTarget | RootTarget, excluded: Excluded
    ) -> tuple[Key | None, Choice | None]:
        if isinstance(target, RootTarget):
            return None, _NO_KEY
        best: tuple[Key | None, Choice | None] = (None, None)
        for key in target.keys:
            # not by a move to the target itself: its key would lead to its key, and so on for ever
            choice = self.choose(place, key.fields, excluded | {(target.subgraph, None)})
            if choice is not None and (best[1] is None or choice.cost < best[1].cost):
                best = (key, choice)
        return best

    # -- splitting ---------------------------------------------------------------------------------------------

    def _is_worth_splitting(self, place: Place, item: Item, candidates: list[Candidate]) -> bool:
        """Whether to ask several subgraphs for some of the field's subfields each: not if one of them answers the field
        without a further fetch, nor where only one subgraph has it.
        """
        if not isinstance(item, Field) or item.selections is None or not self.budget.is_generous:
            return False
        landed = 1 if place.subgraph is None else 0
        if min(candidate.cost.depth for candidate in candidates) <= landed or len(self._parts_of(item)) < 2:
            return False
        if place.subgraph is None:
            return place.type == self.graph.supergraph.root_types.get("query") and len(candidates) > 1
        return len(self.graph.subgraphs_resolving(place.type, item.name)) > 1

    def _split(
        self, place: Place, item: Item, excluded: Excluded, around: SelectionSet
    ) -> list[list[Candidate]] | None:
        """Candidates for each part of an item that no single subgraph answers whole; None where a part has none."""
        if isinstance(item, Typed) or place.type == self._mutation_type:
            return None  # a mutation is run once, by one subgraph
        parts = self._parts_of(item)
        if len(parts) <= 1 and parts[0] is item:
            return self._split_by_type(place, item, excluded, around)
        pieces: list[list[Candidate]] = []
        for part in parts:
            self.budget.spend()
            candidates = self._candidates(place, part, excluded, around)
            if candidates and not self._is_worth_splitting(place, part, candidates):
                pieces.append(candidates)
                continue
            deeper = self._split(place, part, excluded, around)
            if deeper is None and not candidates:
                return None
            pieces.extend(deeper if deeper is not None else [candidates])
        return pieces

    def _parts_of(self, item: Field | InlineFragment) -> tuple[Field | InlineFragment, ...]:
        """The item once for each of its children; a leaf is its own part. Asked again, it gives parts with the
        identical selection sets, by which choices are remembered.

        `a { b { c d } }` gives `a { b { c } }` and `a { b { d } }`.
        """
        if item.selections is None or not item.selections.items:
            return (item,)
        known = self._parts.get(id(item.selections))
        if known is None:
            children: Iterable[Field | InlineFragment] = item.selections.items
            if len(item.selections.items) == 1:
                children = self._parts_of(item.selections.items[0])
            known = self._parts[id(item.selections)] = tuple(children)
            self._kept_alive.append(item.selections)
        if known == item.selections.items and len(known) == 1:
            return (item,)
        return tuple([item.with_selections(self._set_of((child,))) for child in known])

    def _set_of(self, items: tuple[Field | InlineFragment, ...]) -> SelectionSet:
        """The same selection set for the same items, since choices are remembered by identity."""
        key = tuple(map(id, items))
        if key not in self._sets:
            self._sets[key] = SelectionSet(items)
        return self._sets[key]

    def _split_by_type(
        self, place: Place, item: Field | InlineFragment, excluded: Excluded, around: SelectionSet
    ) -> list[list[Candidate]] | None:
        """Candidates for a field of an interface on each type it can have here: the types may have keys that lead to
        who answers what is below the field, where the interface has none.
        """
        if place.subgraph is None or not self.graph.is_abstract(place.subgraph, place.type):
            return None
        pieces = [
            self._candidates(place, Typed(name, SelectionSet((item,))), excluded, around)
            for name in possible_types_at(self.graph, place)
        ]
        return pieces if pieces and all(pieces) else None

    # -- combination -------------------------------------------------------------------------------------------

    def combine(self, items: list[list[Candidate]]) -> Choice | None:
        """The set of subgraphs to move to such that every item is answered at the lowest total cost.

        Items cannot be decided one by one: a fetch costs once, however many items it answers. Example: `a` can be had from
        X or Y, `b` from Y or Z, `c` from Z only. `c` forces the fetch from Z, so that `b` costs no further fetch there.
        Tried are then Z with nothing, with X, with Y, and with both. Z and X, two fetches, is the first of the
        cheapest.
        """
        targets: dict[EntityTarget | RootTarget, Cost] = {}
        for candidates in items:
            for candidate in candidates:
                if candidate.target is not None:
                    targets[candidate.target] = candidate.key_cost
        forced: set[EntityTarget | RootTarget] = {
            candidates[0].target
            for candidates in items
            if candidates[0].target is not None and len({candidate.target for candidate in candidates}) == 1
        }
        optional = [target for target in targets if target not in forced]
        if len(optional) > _MAX_SEARCHED_TARGETS:
            return self._greedy(items, forced, targets)
        best: Choice | None = None
        for size in range(len(optional) + 1):
            for extra in combinations(optional, size):
                self.budget.look()
                choice = _evaluate(items, forced.union(extra), targets)
                if choice is not None and (best is None or choice.cost < best.cost):
                    best = choice
        return best

    def _greedy(
        self,
        items: list[list[Candidate]],
        allowed: set[EntityTarget | RootTarget],
        targets: dict[EntityTarget | RootTarget, Cost],
    ) -> Choice | None:
        """Cover items by the subgraph that answers most of what is still open, then drop what is not needed."""

        def is_open(candidates: list[Candidate]) -> bool:
            return not any(candidate.target is None or candidate.target in allowed for candidate in candidates)

        open_items = [candidates for candidates in items if is_open(candidates)]
        while open_items:
            self.budget.look()
            answers = Counter(candidate.target for candidates in open_items for candidate in candidates)
            allowed.add(max(targets, key=lambda target: answers[target]))
            open_items = [candidates for candidates in open_items if is_open(candidates)]
        return _evaluate(items, allowed, targets)


def _evaluate(
    items: list[list[Candidate]],
    allowed: set[EntityTarget | RootTarget],
    key_costs: dict[EntityTarget | RootTarget, Cost],
) -> Choice | None:
    """Every item answered by its cheapest candidate among the `allowed` targets; None where an item has none of
    them.
    """
    depth = fetches = fields = 0
    steps = []
    used: set[EntityTarget | RootTarget] = set()
    moves: Excluded = NOTHING
    for candidates in items:
        usable = [candidate for candidate in candidates if candidate.target is None or candidate.target in allowed]
        if not usable:
            return None
        best = min(usable, key=lambda candidate: candidate.cost)
        steps.append(best.step)
        depth = max(depth, best.cost.depth)
        fetches += best.cost.fetches
        fields += best.cost.fields
        if best.target is not None:
            used.add(best.target)
        if best.moves:
            moves |= best.moves
    # the move's own fetch and its key, once for all items that use it
    for target in used:
        fetches += 1 + key_costs[target].fetches
        fields += key_costs[target].fields
    return Choice(Cost(depth, fetches, fields), tuple(steps), moves)
