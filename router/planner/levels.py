"""How many requests a choice takes once those of one level that go to one subgraph travel as one, as `assemble` has them.

Called by `choose` between two ways to begin an operation that wait for as many requests. A cost counts the fetches of each
place by itself, which is enough to choose at one place; to begin in one more subgraph may save a fetch of one place that
would have travelled with another's, and then takes a request more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from router.planner.budget import PlanningBudget
from router.planner.candidates import NOTHING, Choice, Excluded, Here, Moved
from router.planner.conditions import ALWAYS, Conditions, joined
from router.planner.expand import Typed
from router.planner.places import Place, child_place, landing_place, typed_place
from router.query_graph import QueryGraph
from router.selection_set import Field, SelectionSet

Choose = Callable[[Place, SelectionSet, Excluded], Choice | None]


class _Position(NamedTuple):
    place: Place
    level: int
    keys: tuple[str, ...]  # which lead here in the response
    conditions: Conditions

    def below(self, place: Place, field: Field) -> _Position:
        """Where the sub-selection of a field is asked, after a move or without one."""
        return _Position(place, self.level, (*self.keys, field.response_key), joined(self.conditions, field.conditions))


class Levels:
    """`choose` is asked again for what it has chosen below, and remembers it."""

    def __init__(self, graph: QueryGraph, budget: PlanningBudget, choose: Choose) -> None:
        self._graph = graph
        self._budget = budget
        self._choose = choose
        #: the conditions that all of a fetch's fields have in common, by its level, subgraph and path
        self._fetches: dict[tuple[int, str, tuple[str, ...]], frozenset[object]] = {}

    def requests(self, place: Place, choice: Choice) -> int:
        """Raises what the budget raises."""
        self._fetches.clear()
        self._add(_Position(place, 0, (), ALWAYS), choice, NOTHING)
        return len({(level, subgraph, needed) for (level, subgraph, _), needed in self._fetches.items()})

    def _add(self, at: _Position, choice: Choice, excluded: Excluded) -> None:
        for step in choice.steps:
            self._budget.look()
            if isinstance(step, Here):
                self._add_below(at, at.place, step.field)
            elif isinstance(step, Typed):
                self._add_chosen(at._replace(place=typed_place(at.place, step.type)), step.selections, excluded)
            else:
                self._add_moved(at, step, excluded)

    def _add_below(self, at: _Position, place: Place, field: Field) -> None:
        if field.selections is not None:
            self._add_chosen(at.below(child_place(self._graph, place, field.name), field), field.selections, NOTHING)

    def _add_chosen(self, at: _Position, selections: SelectionSet, excluded: Excluded) -> int:
        """How many levels they take from this one on."""
        choice = self._choose(at.place, selections, excluded)
        assert choice is not None  # else what is above had not been chosen
        if choice.cost.depth > 0:
            self._add(at, choice, excluded)
        return choice.cost.depth

    def _add_moved(self, at: _Position, step: Moved, excluded: Excluded) -> None:
        """A request on the level after those for its key and for what its field requires."""
        item, target = step.item, step.target
        for_it = at._replace(conditions=joined(at.conditions, item.conditions))
        depth = 0
        if step.key is not None:
            depth = self._add_chosen(for_it, step.key.fields, excluded | {(target.subgraph, None)})
        if step.requires is not None and isinstance(item, Field):
            forbidden = excluded | {(target.subgraph, f"{target.type}.{item.name}")}
            depth = max(depth, self._add_chosen(for_it, step.requires, forbidden))
        landed = at._replace(place=landing_place(self._graph, target), level=at.level + depth + 1)
        fetch = (landed.level, target.subgraph, at.keys)
        needed = frozenset(for_it.conditions)
        self._fetches[fetch] = self._fetches.get(fetch, needed) & needed
        if not isinstance(item, Field):
            self._add_chosen(landed, SelectionSet((item,)), NOTHING)
        elif item.name != "__typename":
            self._add_below(landed, landed.place, item)
