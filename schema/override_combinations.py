"""Which labels of progressive `@override`s are looked at together: all combinations of few, the telling ones of many.

The graph is walked once for each of them, so there is a bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, islice

from router.supergraph import Supergraph

#: Up to so many labels every combination is walked.
MAX_EXHAUSTIVE_LABELS = 4
#: A graph with more labels than that is in no state that anybody oversees; the rest of its pairs is left out.
MAX_COMBINATIONS = 64


def label_combinations(supergraph: Supergraph) -> list[frozenset[str]]:
    """Sets of active labels: none and all, and for many labels each alone, all but each, and pairs that meet."""
    labels = sorted(supergraph.override_labels)
    if len(labels) <= MAX_EXHAUSTIVE_LABELS:
        chosen: Iterable[frozenset[str]] = (
            frozenset(some) for size in range(len(labels) + 1) for some in combinations(labels, size)
        )
    else:
        chosen = _telling(labels, supergraph)
    return list(islice(dict.fromkeys(chosen), MAX_COMBINATIONS))


def _telling(labels: Sequence[str], supergraph: Supergraph) -> Iterator[frozenset[str]]:
    everything = frozenset(labels)
    yield frozenset()
    yield everything
    for label in labels:
        yield frozenset((label,))
        yield everything - {label}
    touched = _types_by_label(supergraph)
    for one, other in combinations(labels, 2):
        if touched[one] & touched[other]:
            yield frozenset((one, other))
            yield everything - {one, other}


def _types_by_label(supergraph: Supergraph) -> dict[str, set[str]]:
    """The types that have the label's fields, and those that the fields lead to."""
    types: dict[str, set[str]] = {}
    for view in supergraph.views.values():
        for view_type in view.values():
            for field in view_type.fields.values():
                if field.override_label is not None:
                    types.setdefault(field.override_label, set()).update((view_type.name, field.type))
    return types


def describe(failing: Sequence[frozenset[str]], walked: Sequence[frozenset[str]], labels: Sequence[str]) -> str | None:
    """Under which labels something fails, in the fewest words; None where it always does."""
    if len(failing) == len(walked):
        return None
    on = [label for label in sorted(labels) if all(label in active for active in failing)]
    off = [label for label in sorted(labels) if not any(label in active for active in failing)]
    same = [active for active in walked if active.issuperset(on) and active.isdisjoint(off)]
    if len(same) > len(failing):
        # No label alone decides: one combination stands for all.
        on = sorted(failing[0])
        off = sorted(set(labels) - failing[0])
    return " and ".join(f"{_quoted(names)} {state}" for state, names in (("on", on), ("off", off)) if names)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
