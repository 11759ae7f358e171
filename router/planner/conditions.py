"""When something of a plan is needed: alternatives, each of them conditions that must all hold.

`expand` moves conditions down to fields with it, `build` conditions what is fetched for the sake of other fields, and
`fetch_graph` and `assemble` simplify what has come together.
"""

from __future__ import annotations

from collections.abc import Iterable

from router.query_plan import AnyOf
from router.selection_set import Condition, Field, InlineFragment

Conditions = tuple[Condition, ...]

#: No condition at all.
ALWAYS: Conditions = ()
#: Of more alternatives than this only what all of them have in common is kept: plans stay short, and ask a little more.
MAX_ALTERNATIVES = 16


def joined(outer: Conditions, inner: Conditions) -> Conditions:
    """All conditions of both, each once: both must hold."""
    if not outer or not inner:
        return outer or inner
    return outer + without(inner, outer)


def without(conditions: Conditions, known: Conditions) -> Conditions:
    """What is left to check where the `known` hold."""
    if not conditions or not known:
        return conditions
    return tuple(condition for condition in conditions if condition not in known)


def either(alternatives: AnyOf, other: Conditions) -> AnyOf:
    """The alternatives and one more, without those that say nothing new.

    Example: `$a` or `$a and $b` is `$a`; `$a and $b` or `$a and not $b` is `$a` too.
    """
    if not other:
        return (ALWAYS,)
    given = frozenset(other)
    for known in alternatives:
        if given.issuperset(known):
            return alternatives
        differing = given.symmetric_difference(known)
        if len(differing) == 2 and len({condition.variable for condition in differing}) == 1:
            rest = tuple(each for each in alternatives if each is not known)
            return either(rest, tuple(condition for condition in other if condition in known))
    kept = tuple(known for known in alternatives if not given.issubset(known))
    if len(kept) == MAX_ALTERNATIVES:
        return (in_common((*kept, other)),)
    return (*kept, other)


def any_of(all_conditions: Iterable[Conditions]) -> AnyOf:
    alternatives: AnyOf = ()
    for conditions in all_conditions:
        alternatives = either(alternatives, conditions)
    return alternatives


def in_common(alternatives: AnyOf) -> Conditions:
    """The conditions that stand in every alternative. Example: `$a` of `$a and $b` or `$a and $c`."""
    first, *others = alternatives or (ALWAYS,)
    return tuple(condition for condition in first if all(condition in other for other in others))


def is_implied_by(conditions: Conditions, alternatives: AnyOf) -> bool:
    """Whether the conditions hold whichever of the alternatives does."""
    return all(set(conditions).issubset(other) for other in alternatives)


def needed_for(item: Field | InlineFragment) -> AnyOf:
    """When an item asks for anything. A fragment does so when any of its fields is asked.

    Example: `... on Book { x @include(if: $a) y @include(if: $b) }` is needed when `$a` or `$b` holds. With
    `@skip(if: $a)` in place of `$b`, one of the two always holds: the alternatives are `((),)`.
    """
    if not isinstance(item, InlineFragment):
        return (item.conditions,)
    return any_of(
        joined(item.conditions, conditions) for inner in item.selections.items for conditions in needed_for(inner)
    ) or (item.conditions,)


def under(item: Field, conditions: Conditions) -> Field:
    """The field, asked only where these hold too."""
    if not conditions:
        return item
    both = joined(item.conditions, conditions)
    return Field(item.name, item.response_key, item.arguments, item.selections, both, item.streaming)
