"""Which deferred fragments are not run as parts of their own, but come with what they stand in: those in which an error
of one list item could not be kept from its siblings, those that say something of a field that others select too, and those
beyond the number that a router should run at a time.

Called by `split` before an operation is taken apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
)

from router.executor.object_path import ClientPath
from router.executor.projection import holds
from router.object_types import object_types_of
from router.selection_set import Field, InlineFragment, SelectionSet


def with_some_at_once(
    selections: SelectionSet,
    root: GraphQLObjectType,
    schema: GraphQLSchema,
    variables: Mapping[str, Any],
    keyed_types: frozenset[str],
    max_parts: int,
) -> SelectionSet:
    """The selections without the `@defer` of fragments that come at once.

    Example: `{ lines { text ... @defer { price } } }` with `lines: [Line!]`, `price: Int!` and a `Line` without key is one
    list to its subgraph: null for one price is null for the list, so the prices come with the texts.
    """
    divided = _Directives(variables).divided(selections)
    return _Decision(schema, variables, keyed_types, max_parts, divided).made(selections, root, spoils=False)


def is_deferred(item: InlineFragment, variables: Mapping[str, Any]) -> bool:
    if item.deferral is None:
        return False
    condition = item.deferral.condition
    return condition is None or variables.get(condition.variable) is not False


class _Directives:
    """Where custom directives stand, which say something of a field as a whole, wherever it is selected.

    Example: `{ product { name @upper ... @defer { name @trimmed price } } }` is answered by one server with a name that both
    directives have changed. Its subgraph is sent both where the name is asked for once, so the fragment comes at once.
    """

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._directed: set[ClientPath] = set()
        #: for each occurrence of a field, the deferred fragments around it
        self._around: dict[ClientPath, list[frozenset[int]]] = {}

    def divided(self, selections: SelectionSet) -> frozenset[int]:
        """Deferred fragments, by identity, that have some but not all occurrences of a field with a custom directive."""
        self._walk(selections, (), frozenset())
        found: set[int] = set()
        for path in self._directed:
            occurrences = self._around[path]
            found |= frozenset.union(*occurrences) - frozenset.intersection(*occurrences)
        return frozenset(found)

    def _walk(self, selections: SelectionSet, path: ClientPath, around: frozenset[int]) -> None:
        for item in selections.items:
            if not holds(item.conditions, self._variables):
                continue
            if isinstance(item, InlineFragment):
                inside = around | {id(item)} if is_deferred(item, self._variables) else around
                self._walk(item.selections, path, inside)
                continue
            own = (*path, item.response_key)
            self._around.setdefault(own, []).append(around)
            if any(argument.directive_at is not None for argument in item.arguments):
                self._directed.add(own)
            if item.selections is not None:
                self._walk(item.selections, own, around)


@dataclass(slots=True)
class _Decision:
    """`divided` are fragments that come at once whatever is in them."""

    schema: GraphQLSchema
    variables: Mapping[str, Any]
    keyed_types: frozenset[str]
    parts_left: int
    divided: frozenset[int]

    def made(self, selections: SelectionSet, type_: Any, *, spoils: bool) -> SelectionSet:
        """`spoils`: null for this object would make the list that it stands in null, and the object has no key by which
        it could be asked for alone.
        """
        items: list[Field | InlineFragment] = []
        for item in selections.items:
            if item.selections is None or not holds(item.conditions, self.variables):
                items.append(item)
            elif isinstance(item, InlineFragment):
                items.append(self._fragment(item, type_, spoils=spoils))
            elif item.name.startswith("__"):
                items.append(item)
            else:
                below = type_.fields[item.name].type
                inner = self.made(item.selections, get_named_type(below), spoils=self._spoils(below, spoils=spoils))
                items.append(replace(item, selections=inner))
        return SelectionSet(tuple(items))

    def _fragment(self, item: InlineFragment, type_: Any, *, spoils: bool) -> InlineFragment:
        inner_type = self.schema.type_map[item.type_condition] if item.type_condition else type_
        if is_deferred(item, self.variables):
            is_divided = id(item) in self.divided
            if self.parts_left == 0 or is_divided or (spoils and self._may_be_nulled(item.selections, inner_type)):
                item = replace(item, deferral=None)
            else:
                self.parts_left -= 1
        return replace(item, selections=self.made(item.selections, inner_type, spoils=spoils))

    def _spoils(self, type_: GraphQLOutputType, *, spoils: bool) -> bool:
        """The same for what a field of this type leads to."""
        inner: Any = type_
        while True:
            is_non_null = isinstance(inner, GraphQLNonNull)
            inner = inner.of_type if is_non_null else inner
            spoils = spoils and is_non_null
            if not isinstance(inner, GraphQLList):
                return spoils and not self._has_key(inner)
            inner, spoils = inner.of_type, True

    def _has_key(self, type_: Any) -> bool:
        return all(each.name in self.keyed_types for each in object_types_of(self.schema, type_))

    def _may_be_nulled(self, selections: SelectionSet, type_: Any) -> bool:
        """Whether null for one of the fields would be null for their object."""
        for item in selections.items:
            if isinstance(item, InlineFragment):
                inner_type = self.schema.type_map[item.type_condition] if item.type_condition else type_
                if self._may_be_nulled(item.selections, inner_type):
                    return True
                continue
            field = type_.fields.get(item.name) if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) else None
            if field is not None and isinstance(field.type, GraphQLNonNull):
                return True
        return False
