"""Of the ways to answer each item at one place, those that cost least together. Called by `choose` for every place, and by
`choices` to tell what another way would have cost.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from router.planner.budget import PlanningBudget
from router.planner.candidates import NOTHING, Candidate, Choice, Cost, Excluded, Target

#: More optional targets than this at one place are chosen greedily; 2^6 combinations are tried below it.
_MAX_SEARCHED_TARGETS = 6


def combine(items: list[list[Candidate]], budget: PlanningBudget) -> Choice | None:
    """One candidate for each item, such that all of them together cost least; None where an item has none.

    Items cannot be decided one by one: a fetch costs once, however many items it answers. So it is decided to which
    targets to move, and each item takes its cheapest candidate among them. Example: `a` can be had from X or Y, `b` from
    Y or Z, `c` from Z only. `c` forces the fetch from Z, so that `b` costs no further fetch there. Tried are then Z with
    nothing, with X, with Y, and with both. Z and X, two fetches, is the first of the cheapest.

    Raises what the budget raises.
    """
    key_costs, forced = _targets_of(items)
    if len(forced) == len(key_costs):
        return _evaluate(items, forced, key_costs)
    optional = [target for target in key_costs if target not in forced]
    if len(optional) > _MAX_SEARCHED_TARGETS:
        return _greedy(items, forced, key_costs, budget)
    best: Choice | None = None
    for size in range(len(optional) + 1):
        for extra in combinations(optional, size):
            budget.look()
            choice = _evaluate(items, forced.union(extra), key_costs)
            if choice is not None and (best is None or choice.cost < best.cost):
                best = choice
    return best


def _targets_of(items: list[list[Candidate]]) -> tuple[dict[Target, Cost], set[Target]]:
    """What the key of each target costs, and the targets of items that can be had from nowhere else."""
    key_costs: dict[Target, Cost] = {}
    forced: set[Target] = set()
    for candidates in items:
        first = candidates[0].target if candidates else None
        for candidate in candidates:
            if candidate.target is not None:
                key_costs[candidate.target] = candidate.key_cost
        if first is not None and all(candidate.target == first for candidate in candidates[1:]):
            forced.add(first)
    return key_costs, forced


def _greedy(
    items: list[list[Candidate]], allowed: set[Target], key_costs: dict[Target, Cost], budget: PlanningBudget
) -> Choice | None:
    """Adds the target that answers most of the items which are still open, until none is. Those that turn out not to be
    needed cost nothing, as no item takes a candidate from them.
    """

    def is_open(candidates: list[Candidate]) -> bool:
        return not any(candidate.target is None or candidate.target in allowed for candidate in candidates)

    open_items = [candidates for candidates in items if is_open(candidates)]
    while open_items:
        budget.look()
        answers = Counter(candidate.target for candidates in open_items for candidate in candidates)
        allowed.add(max(key_costs, key=lambda target: answers[target]))
        open_items = [candidates for candidates in open_items if is_open(candidates)]
    return _evaluate(items, allowed, key_costs)


def _evaluate(items: list[list[Candidate]], allowed: set[Target], key_costs: dict[Target, Cost]) -> Choice | None:
    """Every item answered by its cheapest candidate among the `allowed` targets; None where an item has none of
    them.
    """
    depth = fetches = fields = 0
    steps = []
    used: set[Target] = set()
    moves: Excluded = NOTHING
    for candidates in items:
        best: Candidate | None = None
        for candidate in candidates:
            if (candidate.target is None or candidate.target in allowed) and (
                best is None or candidate.cost < best.cost
            ):
                best = candidate
        if best is None:
            return None
        steps.append(best.step)
        cost = best.cost
        depth = max(depth, cost.depth)
        fetches += cost.fetches
        fields += cost.fields
        if best.target is not None:
            used.add(best.target)
        if best.moves:
            moves |= best.moves
    # the move's own fetch and its key, once for all items that use it
    for target in used:
        fetches += 1 + key_costs[target].fetches
        fields += key_costs[target].fields
    return Choice(Cost(depth, fetches, fields), tuple(steps), moves)
