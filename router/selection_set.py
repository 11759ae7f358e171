"""SelectionSet: the one data type for operations, field sets, representations and fetches.

`operation.normalize` and `supergraph.field_set` make them, the planner splits and merges them,
the executor compiles them. All values are immutable and hashable, so that equal selections can be
shared and used as cache keys.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class Argument:
    """What a field is asked with, as it is sent: an argument, or a custom directive, which changes what the field means no
    less. `value` is the printed GraphQL value, or the directive's printed arguments with their parentheses.
    """

    name: str
    value: str
    variables: frozenset[str] = frozenset()
    #: where a directive stands: at the "field", or at a "fragment" around it
    directive_at: Literal["field", "fragment"] | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """`@include(if: $variable)`, or `@skip(if: $variable)` when `inverted`.

    Literal conditions are decided by normalisation and never reach this form.
    """

    variable: str
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Streaming:
    """`@stream(initialCount:, label:, if:)` on a list; `initial_count` is a variable's name where it is a text."""

    initial_count: int | str = 0
    label: str | None = None
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a selection set.

    `response_key` names the entry in the merged response tree; inside a `RepresentationRule` it is the key
    to read from the tree while `name` is the key to write to the representation. Who does not stream may read past
    `streaming`: the list is then answered whole.
    """

    name: str
    response_key: str
    arguments: tuple[Argument, ...] = ()
    selections: SelectionSet | None = None  # None for a leaf
    conditions: tuple[Condition, ...] = ()
    streaming: Streaming | None = None

    def with_selections(self, selections: SelectionSet | None) -> Field:
        """The same with these below it; planning makes many, and `dataclasses.replace` takes four times as long."""
        return Field(self.name, self.response_key, self.arguments, selections, self.conditions, self.streaming)


@dataclass(frozen=True, slots=True)
class Deferral:
    """`@defer(label:, if:)` on a fragment; a literal `if` is decided by normalisation, a variable one is `condition`."""

    label: str | None = None
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class InlineFragment:
    """`... on Type @include(if: $v) { }`; `type_condition` is None for a bare conditional or deferred group.

    Who does not plan `@defer` may read past `deferral`: the fragment is then answered with the rest.
    """

    type_condition: str | None
    selections: SelectionSet
    conditions: tuple[Condition, ...] = ()
    deferral: Deferral | None = None

    def with_selections(self, selections: SelectionSet) -> InlineFragment:
        """As `Field.with_selections`."""
        return InlineFragment(self.type_condition, selections, self.conditions, self.deferral)


@dataclass(frozen=True, slots=True)
class SelectionSet:
    """An ordered list of fields and inline fragments; named fragments do not exist after normalisation."""

    items: tuple[Field | InlineFragment, ...] = ()

    def variables(self) -> Iterator[str]:
        """The names of those that conditions and arguments mention, as often as they do."""
        for item in self.items:
            for condition in item.conditions:
                yield condition.variable
            if isinstance(item, Field):
                for argument in item.arguments:
                    yield from argument.variables
            if item.selections is not None:
                yield from item.selections.variables()

    def count(self) -> int:
        """All fields and fragments, at every depth."""
        found = len(self.items)
        for item in self.items:
            if item.selections is not None:
                found += item.selections.count()
        return found

    def without(self, names: Container[str]) -> SelectionSet:
        """What is left at the top, and in fragments there, of fields other than these."""
        if not any(isinstance(item, InlineFragment) or item.name in names for item in self.items):
            return self
        items: list[Field | InlineFragment] = []
        for item in self.items:
            if isinstance(item, InlineFragment):
                inner = item.selections.without(names)
                if inner.items:
                    items.append(replace(item, selections=inner))
            elif item.name not in names:
                items.append(item)
        return SelectionSet(tuple(items))
