"""What the planner weighed for each place, as text: the ways there were, what each would have cost, why one was taken.

`router.stages` prints it, for a reader who is surprised by a plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from router.planner.budget import PlanningBudget
from router.planner.candidates import Candidate, Choice, Cost, Excluded, Here, Moved, Target
from router.planner.combine import combine
from router.planner.expand import Typed
from router.planner.places import Place
from router.selection_set import Field, InlineFragment, SelectionSet
from router.supergraph import print_field_set

_INDENT = "  "
_MAX_SHOWN = 100  # characters of a selection


@dataclass(slots=True)
class _Search:
    """One place and what is asked there."""

    place: Place
    selections: SelectionSet
    excluded: Excluded
    rejected: list[tuple[Field | InlineFragment, Target, str]] = field(default_factory=list)
    weighed: list[list[Candidate]] = field(default_factory=list)
    choice: Choice | None = None
    below: list[_Search] = field(default_factory=list)


class Choices:
    """A `ChoiceObserver` that remembers. What it tells afterwards is worked out within the chooser's own `budget`."""

    def __init__(self, budget: PlanningBudget) -> None:
        self._budget = budget
        self._top: list[_Search] = []
        self._open: list[_Search] = []

    def enter(self, place: Place, selections: SelectionSet, excluded: Excluded) -> None:
        search = _Search(place, selections, excluded)
        (self._open[-1].below if self._open else self._top).append(search)
        self._open.append(search)

    def reject(self, item: Field | InlineFragment, target: Target, reason: str) -> None:
        if self._open:
            self._open[-1].rejected.append((item, target, reason))

    def leave(self, weighed: list[list[Candidate]], choice: Choice | None) -> None:
        search = self._open.pop()
        search.weighed, search.choice = weighed, choice

    def as_text(self) -> str:
        """Example, of `{ products { name stars } }` over two subgraphs:

        Query, before any fetch: { products { name stars } }
          is answered 2 deep, by 2 fetches, with weight 7
          products { name stars }
            + a fetch from products
          Product in products: { name stars }
            is answered 1 deep, by 1 fetch, with weight 4
            here: name
            stars
              + a fetch from reviews by key "id"

        Before what was taken stands `+`, before what would have cost more `-`, before what cannot be done `x`.
        """
        return "\n".join(line for search in self._top for line in self._lines(search, 0))

    def _lines(self, search: _Search, depth: int) -> Iterator[str]:
        pad = _INDENT * depth
        yield f"{pad}{_where(search)}: {{ {_short(print_field_set(search.selections))} }}"
        if search.choice is None:
            yield f"{pad}{_INDENT}cannot be answered"
        else:
            yield f"{pad}{_INDENT}is answered {_cost(search.choice.cost)}"
        if settled := [_item(each[0]) for each in search.weighed if _is_settled(each)]:
            yield f"{pad}{_INDENT}here: {_short(' '.join(_name(item) for item in settled))}"
        for number, candidates in enumerate(search.weighed):
            if candidates and not _is_settled(candidates):
                yield from (f"{pad}{_INDENT}{line}" for line in self._item_lines(search, number, candidates))
        told = {id(_item(each)) for candidates in search.weighed for each in candidates}
        for item, target, reason in search.rejected:
            if id(item) not in told:
                yield f"{pad}{_INDENT}{_text(item)}"
                yield f"{pad}{_INDENT * 2}x {target.subgraph}: {reason}"
        for inner in search.below:
            yield from self._lines(inner, depth + 1)

    def _item_lines(self, search: _Search, number: int, candidates: list[Candidate]) -> Iterator[str]:
        item = _item(candidates[0])
        yield _text(item)
        taken = search.choice.steps if search.choice is not None else ()
        for candidate in candidates:
            if any(candidate.step is step for step in taken):
                yield f"{_INDENT}+ {_way(candidate)}"
            else:
                yield f"{_INDENT}- {_way(candidate)}: {self._instead(search, number, candidate)}"
        for rejected, target, reason in search.rejected:
            if rejected is item:
                yield f"{_INDENT}x {target.subgraph}: {reason}"

    def _instead(self, search: _Search, number: int, candidate: Candidate) -> str:
        """What the whole place would have cost with this candidate in place of the one that was taken."""
        forced = [*search.weighed]
        forced[number] = [candidate]
        choice = combine(forced, self._budget)
        if choice is None:
            return "not with the others"
        is_equal = search.choice is not None and choice.cost == search.choice.cost
        return "as good, and came later" if is_equal else f"it would be {_cost(choice.cost)}"


def _where(search: _Search) -> str:
    place = search.place
    where = f"{place.type} in {place.subgraph}" if place.subgraph is not None else f"{place.type}, before any fetch"
    without = [
        f"{subgraph}" if name is None else f"{name} of {subgraph}"
        for subgraph, name in sorted(search.excluded, key=str)
    ]
    return f"{where}, without {', '.join(without)}" if without else where


def _cost(cost: Cost) -> str:
    """The field's weight, not its number: it doubles with each move."""
    fetches = "1 fetch" if cost.fetches == 1 else f"{cost.fetches} fetches"
    return f"{cost.depth} deep, by {fetches}, with weight {cost.fields}"


def _way(candidate: Candidate) -> str:
    match candidate.step:
        case Here():
            return "here"
        case Typed():
            return "type by type"
        case Moved(_, target, key, requires):
            by = f' by key "{key.text}"' if key is not None else ""
            needs = f", which requires {{ {_short(print_field_set(requires))} }}" if requires is not None else ""
            return f"a fetch from {target.subgraph}{by}{needs}"


def _is_settled(candidates: list[Candidate]) -> bool:
    """Whether the item is answered where we are, and nothing else came into question."""
    return len(candidates) == 1 and candidates[0].target is None


def _name(item: Field | InlineFragment) -> str:
    return item.response_key if isinstance(item, Field) else f"... on {item.type_condition}"


def _item(candidate: Candidate) -> Field | InlineFragment:
    match candidate.step:
        case Here(item):
            return item
        case Typed(name, selections):
            return InlineFragment(name, selections)
        case Moved(item):
            return item


def _text(item: Field | InlineFragment) -> str:
    return _short(print_field_set(SelectionSet((item,))))


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]} ..."
