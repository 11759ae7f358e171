"""Chooses, for every field at every place, the subgraph that answers it: the cheapest way by sequential fetches,
then by fetches, then by fields.

`build` asks for choices and turns them into fetches, `alike` asks for them to compare types. Choices are remembered by
place, selection set and forbidden moves (`Excluded`), so that the same question is not searched again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from router.planner.beginnings import all_lack, outdone
from router.planner.budget import PlanningBudget
from router.planner.candidates import FREE, LEAF, NOTHING, Candidate, Choice, Cost, Excluded, Here, Moved, Step, Target
from router.planner.combine import combine
from router.planner.expand import Item, Typed, expand, interface_targets
from router.planner.levels import Levels
from router.planner.places import (
    Place,
    RootTarget,
    child_place,
    landing_place,
    possible_types_at,
    remembered,
    resolved_here,
    typed_place,
)
from router.query_graph import EntityTarget, QueryGraph
from router.selection_set import Field, InlineFragment, SelectionSet
from router.supergraph import Key

#: Of more subgraphs than this that resolve one field, only the most promising are compared.
_MAX_COMPARED_TARGETS = 8

_NO_KEY = Choice(FREE, (), NOTHING)
_MemoKey = tuple[str | None, str, int, frozenset[str], int, Excluded]


class ChoiceObserver(Protocol):
    """Is told what the chooser weighs, place by place. `planner.choices` is one; planning for a request has none."""

    def enter(self, place: Place, selections: SelectionSet, excluded: Excluded) -> None:
        """A search begins; others, of the places below and of keys, come before it ends."""

    def reject(self, item: Field | InlineFragment, target: Target, reason: str) -> None:
        """A move that cannot be made, in the search that began last."""

    def leave(self, weighed: list[list[Candidate]], choice: Choice | None) -> None:
        """The search that began last ends: the candidates of each item, and what was chosen of them."""


@dataclass(slots=True, eq=False)
class _Need:
    """What a field needs of the place that is left for it, besides a key. `moves` are those that bring it there, and the
    field's own.
    """

    requires: SelectionSet | None
    cost: Cost
    moves: Excluded


@dataclass(slots=True, eq=False)
class _Apart:
    """A root field that several subgraphs begin with and none has all of; `index` is the item's among those of its place."""

    index: int
    item: Field
    targets: list[RootTarget]
    pieces: list[list[Candidate]]


def _least_depth(target: RootTarget, pieces: list[list[Candidate]]) -> int:
    """How many fetches one after the other it takes at least to have all pieces from the target: a piece for which it has no
    candidate another subgraph answers earlier.
    """
    return max(
        min([each.cost.depth for each in candidates if each.target == target], default=0)
        or 1 + min([each.cost.depth for each in candidates])
        for candidates in pieces
    )


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
        self._sets: dict[tuple[int, ...], SelectionSet] = {}
        self._parts: dict[int, tuple[Field | InlineFragment, ...]] = {}
        self._outdone: dict[tuple[str, int], dict[RootTarget, RootTarget]] = {}  # by field and selection set
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
        memo = self._memo
        key = (place.subgraph, place.type, id(place.provided), place.sharers, id(selections), excluded)
        if key in memo:
            return memo[key]
        if excluded:
            # Forbidding moves only makes the choice smaller. If the cheapest way of all makes none of the forbidden
            # moves, it is also the cheapest of those that remain, and need not be searched again: most searches for
            # keys end here.
            choice = self.choose(place, selections)
            if choice is not None and choice.moves.isdisjoint(excluded):
                return choice
        self.budget.spend()
        self._kept_alive += (selections, place.provided)  # the memo knows them by identity
        memo[key] = None  # if this question leads to itself: going round once more answers nothing
        choice = memo[key] = self._search(place, selections, excluded)
        return choice

    # -- one place ---------------------------------------------------------------------------------------------

    def _search(self, place: Place, selections: SelectionSet, excluded: Excluded) -> Choice | None:
        if self._observer is None:  # who is told of every candidate
            return self._all_here(place, selections) or self._weigh(place, selections, excluded)[1]
        self._observer.enter(place, selections, excluded)
        weighed, choice = self._weigh(place, selections, excluded)
        self._observer.leave(weighed, choice)
        return choice

    def _all_here(self, place: Place, selections: SelectionSet) -> Choice | None:
        """What `_weigh` finds where all that is asked are fields of this place that need no fetch, as at most places; else
        None.
        """
        fields = 0
        steps: list[Step] = []
        for item in selections.items:
            here = self._cost_here(place, item) if isinstance(item, Field) else None
            if here is None or here.depth > 0:
                return None
            fields += here.fields
            steps.append(Here(item))  # type: ignore[arg-type] # only a field has a cost here
        return Choice(Cost(0, 0, fields), tuple(steps), NOTHING)

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
        apart: list[_Apart] = []
        may_split_for_speed = False
        for item in self._items(place, selections):
            if (later := self._apart(place, item, excluded, selections, len(whole))) is not None:
                apart.append(later)
                whole.append([])  # until it is known which of them are worth a search
                split.extend(later.pieces)
                continue
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
        if apart:
            return self._weigh_apart(place, excluded, whole, split, apart)
        parts = combine(split, self.budget) if may_split_for_speed else None
        return self._better(place, whole, split, parts)

    def _better(
        self, place: Place, whole: list[list[Candidate]], split: list[list[Candidate]], parts: Choice | None
    ) -> tuple[list[list[Candidate]], Choice | None]:
        """The whole, unless `parts`, which are the best choice of `split`, are better."""
        best = combine(whole, self.budget)
        if parts is not None and (best is None or self._is_better(place, parts, best)):
            return split, parts
        return whole, best

    def _apart(self, place: Place, item: Item, excluded: Excluded, around: SelectionSet, index: int) -> _Apart | None:
        """The parts of a root field, where several subgraphs are worth beginning in and none has all of it: they are weighed
        first, for they mostly are the better way, and what they cost tells which of those subgraphs need not be weighed for the
        whole. None for any other item, and where a part cannot be had.
        """
        if place.subgraph is not None or not isinstance(item, Field) or not self.budget.is_generous:
            return None
        if len(self._targets(place, item)) < 2:
            return None  # as most root fields, for which nothing more is to be made or looked at
        if place.type != self.graph.supergraph.root_types.get("query") or len(self._parts_of(item)) < 2:
            return None
        outdone_by = self._outdone_by(place, item)
        targets = [target for target in self._roots(place, item) if target not in outdone_by]
        if not 1 < len(targets) <= _MAX_COMPARED_TARGETS or not all_lack(self.graph, item, targets):
            return None
        pieces = self._split(place, item, excluded, around)
        return _Apart(index, item, targets, pieces) if pieces is not None else None

    def _weigh_apart(
        self,
        place: Place,
        excluded: Excluded,
        whole: list[list[Candidate]],
        split: list[list[Candidate]],
        apart: list[_Apart],
    ) -> tuple[list[list[Candidate]], Choice | None]:
        """As `_weigh` ends, without a search in a subgraph that would have the whole only later than all parts are there."""
        best = combine(split, self.budget)
        assert best is not None  # since each piece has candidates
        for each in apart:
            for target in each.targets:
                self.budget.look()
                if _least_depth(target, each.pieces) > best.cost.depth:
                    self._reject(each.item, target, "all of it takes longer from there than its parts from several")
                elif (candidate := self._move(target, place, each.item, excluded)) is not None:
                    whole[each.index].append(candidate)
            if not whole[each.index]:
                return split, best
        return self._better(place, whole, split, best)

    def _is_better(self, place: Place, one: Choice, other: Choice) -> bool:
        """Where an operation begins, of two ways that are equally deep the one that takes fewer requests in all is better."""
        if place.subgraph is not None or one.cost.depth != other.cost.depth:
            return one.cost < other.cost
        levels = Levels(self.graph, self.budget, self.choose)
        return (levels.requests(place, one), one.cost) < (levels.requests(place, other), other.cost)

    def _items(self, place: Place, selections: SelectionSet) -> list[Item]:
        return [
            Typed(item.type, self._set_of(item.selections.items)) if isinstance(item, Typed) else item
            for item in expand(self.graph, place, selections)
        ]

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
            return None if self.graph.is_interface_object(place.subgraph, place.type) else LEAF
        if place.provided is not None:
            edge, _ = resolved_here(self.graph, place, field.name)
            if edge is None or edge.requires is not None or edge.context_arguments:
                return None
        elif field.name not in self.graph.plain_fields(place.subgraph, place.type):
            return None
        return LEAF if field.selections is None else self._cost_below(place, field)

    def _cost_below(self, place: Place, field: Field) -> Cost | None:
        if field.selections is None:
            return LEAF
        below = child_place(self.graph, place, field.name)
        inner = self.choose(below, field.selections)
        return Cost(inner.cost.depth, inner.cost.fetches, inner.cost.fields + 1) if inner is not None else None

    def _promising_moves(
        self, place: Place, item: Field | InlineFragment, excluded: Excluded, around: SelectionSet
    ) -> list[Candidate]:
        """All moves where there are at most `_MAX_COMPARED_TARGETS`. Of more, those to the subgraphs that have most of
        the field names which are asked; those to the others only if none of these can be made.
        """
        targets = self._targets(place, item)
        if place.subgraph is None and len(targets) > 1 and isinstance(item, Field):
            targets = self._worth_beginning_in(place, item)
        if len(targets) > _MAX_COMPARED_TARGETS:
            targets = [*targets]
            own, others = self._names_in(item), self._names_in(InlineFragment(None, around))
            known = self.graph.field_names
            targets.sort(key=lambda to: -len(own & known(to.subgraph)) - len(others & known(to.subgraph)))
        for first in range(0, len(targets), _MAX_COMPARED_TARGETS):
            found = []
            for target in targets[first : first + _MAX_COMPARED_TARGETS]:
                self.budget.look()
                candidate = self._move(target, place, item, excluded)
                if candidate is not None:
                    found.append(candidate)
            if found:
                return found
        return []

    def _worth_beginning_in(self, place: Place, item: Field) -> list[RootTarget]:
        """Without those that another outdoes, so that nothing is searched there."""
        outdone_by = self._outdone_by(place, item)
        for target, other in outdone_by.items():
            self._reject(
                item, target, f"{other.subgraph} would be asked as well, and answers it without {target.subgraph}"
            )
        return [target for target in self._roots(place, item) if target not in outdone_by]

    def _roots(self, place: Place, item: Field) -> list[RootTarget]:
        return [target for target in self._targets(place, item) if isinstance(target, RootTarget)]

    def _outdone_by(self, place: Place, item: Field) -> dict[RootTarget, RootTarget]:
        key = (item.name, id(item.selections))
        if key not in self._outdone:
            self._kept_alive.append(item.selections)
            self._outdone[key] = outdone(self.graph, item, self._roots(place, item))
        return self._outdone[key]

    def _names_in(self, item: Field | InlineFragment) -> frozenset[str]:
        if item.selections is None:
            return frozenset((item.name,))
        known = self._names.get(id(item.selections))
        if known is None:
            self._kept_alive.append(item.selections)
            known = frozenset().union(*map(self._names_in, item.selections.items))
            self._names[id(item.selections)] = known
        return known | {item.name} if isinstance(item, Field) else known

    def _move(self, target: Target, place: Place, item: Field | InlineFragment, excluded: Excluded) -> Candidate | None:
        """The item after a move to the target; None where it cannot be made, or gains nothing.

        It costs what the key and the required fields cost here (the deeper of the two, since both are fetched before
        it), one round trip, and what is below the field there. The key's own fetches, and the move's, are left to
        `combine`, which counts them once for all items that go to one target.
        """
        if (target.subgraph, None) in excluded:
            self._reject(item, target, "its key, or what it requires, is what is being looked for")
            return None
        need = self._need(target, place, item, excluded)
        if need is None:
            return None
        cost = self._cost_there(target, item)
        if cost is None:
            self._reject(item, target, "nothing there leads to what is asked below the field")
            return None
        key, key_choice = self._cheapest_key(place, target, excluded)
        if key_choice is None:
            self._reject(item, target, f"none of the keys of {target.type} can be had here")
            return None
        return Candidate(
            Moved(item, target, key, need.requires),
            target,
            Cost(
                max(need.cost.depth, key_choice.cost.depth) + 1 + cost.depth,
                need.cost.fetches + cost.fetches,
                need.cost.fields + (cost.fields if place.subgraph is None else 2 * cost.fields),
            ),
            key_choice.cost,
            need.moves | key_choice.moves if key_choice.moves else need.moves,
        )

    def _need(self, target: Target, place: Place, item: Field | InlineFragment, excluded: Excluded) -> _Need | None:
        """What has to be fetched here for the item, the key aside; None where the target does not answer it, or where
        that cannot be had. What an object is (`__typename`, or a fragment) needs nothing more.
        """
        if isinstance(item, InlineFragment) or item.name == "__typename":
            return _Need(None, FREE, self._moves_to(target.subgraph, None))
        edge = self.graph.field(target.subgraph, target.type, item.name)
        coordinate = f"{target.type}.{item.name}"
        if edge is None:
            self._reject(item, target, f"does not resolve {coordinate}")
            return None
        if (target.subgraph, coordinate) in excluded:
            self._reject(item, target, f"what {coordinate} requires is what is being looked for")
            return None
        moves = self._moves_to(target.subgraph, coordinate)
        if edge.requires is None:
            # a fetch to where we are gains nothing, unless it is for what a context gives the field there
            is_here_anyway = target.subgraph == place.subgraph and not edge.context_arguments
            return None if is_here_anyway else _Need(None, FREE, moves)
        needed = self.choose(place, edge.requires, excluded | {(target.subgraph, coordinate)})
        if needed is None:
            self._reject(item, target, f"nothing here leads to what {coordinate} requires")
            return None
        return _Need(edge.requires, needed.cost, moves | needed.moves)

    def _moves_to(self, subgraph: str, coordinate: str | None) -> Excluded:
        """The move to a subgraph, and for a field of it."""
        return remembered(
            self.graph, ("moves", subgraph, coordinate), lambda: frozenset(((subgraph, None), (subgraph, coordinate)))
        )

    def _cost_there(self, target: Target, item: Field | InlineFragment) -> Cost | None:
        """What the item costs where the move arrives; None where nothing there answers it."""
        landing = landing_place(self.graph, target)
        if isinstance(item, Field) and item.name != "__typename":
            return self._cost_below(landing, item)
        inner = self.choose(landing, self._set_of((item,)))
        return inner.cost if inner is not None else None

    def _reject(self, item: Field | InlineFragment, target: Target, reason: str) -> None:
        if self._observer is not None:
            self._observer.reject(item, target, reason)

    def _targets(self, place: Place, item: Field | InlineFragment) -> Sequence[Target]:
        """The subgraphs, and the types there, that could answer the item after a move; whether a key leads to them is seen
        later. The same at every such place for every field of the name.
        """
        name = item.name if isinstance(item, Field) else None
        key = ("targets", place.subgraph, place.type, place.type in self._root_types, name)
        return remembered(self.graph, key, lambda: tuple(self._find_targets(place, name)))

    def _find_targets(self, place: Place, name: str | None) -> Iterable[Target]:
        """`name` is that of a field; None stands for a fragment.

        At a root type, and where nothing is fetched yet, these are all subgraphs that resolve the field: they are asked
        anew, without a key. What an object really is (`__typename`, or a fragment on one of its types) is asked of those
        that have the type as an interface. Example: reviews have `type Media @interfaceObject`, media have `interface Media`;
        at a `Media` in reviews, `... on Book { title }` can be had by a move to media only.
        """
        graph = self.graph
        if place.subgraph is None or (place.type in self._root_types and name is not None):
            subgraphs = graph.subgraphs_resolving(place.type, name or "")
            return [RootTarget(subgraph, place.type) for subgraph in subgraphs]
        if name is None or name == "__typename":
            return self._interfaces_of(place)
        if graph.is_abstract(place.subgraph, place.type):
            return interface_targets(graph, place, name)
        targets = [
            target
            for target in graph.entity_targets(place.type)
            if graph.field(target.subgraph, target.type, name) is not None
        ]
        if graph.is_interface_object(place.subgraph, place.type):
            return [replace(target, typename=place.type) for target in targets if self._may_answer(target, name)]
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

    def _cheapest_key(self, place: Place, target: Target, excluded: Excluded) -> tuple[Key | None, Choice | None]:
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

        Above the root fetches only queries are split, as a mutation is run once, and below only where the subgraph that
        is here may not be alone to know the object.
        """
        if not isinstance(item, Field) or item.selections is None or not self.budget.is_generous:
            return False
        whole = (
            1 if place.subgraph is None else 0
        )  # the depth where no fetch follows: above the roots one is made anyway
        if min(candidate.cost.depth for candidate in candidates) <= whole or len(self._parts_of(item)) < 2:
            return False
        if place.subgraph is None:
            return place.type == self.graph.supergraph.root_types.get("query") and len(candidates) > 1
        return len(self.graph.subgraphs_resolving(place.type, item.name)) > 1

    def _split(
        self, place: Place, item: Item, excluded: Excluded, around: SelectionSet
    ) -> list[list[Candidate]] | None:
        """Candidates for each part of an item; None where a part has none. A part that no subgraph answers whole, or that
        several could share, is split in its turn: of `a { b { c d } e }`, which no one answers, first `a { b { c d } }`
        and `a { e }` are tried, and where the former has no candidates, `a { b { c } }` and `a { b { d } }`.
        """
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
        """The item once for each of its children, or, where there is one child, for each part of that; a leaf is its own
        part. `a { b c }` gives `a { b }` and `a { c }`; `a { b { c d } }` gives `a { b { c } }` and `a { b { d } }`.

        Asked again, it gives parts with the identical selection sets, by which choices are remembered.
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
            return (item,)  # one leaf within the other to the end: there is nothing to part
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
