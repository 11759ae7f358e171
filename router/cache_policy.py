"""How long `@cacheControl` lets a response be kept, and for whom: read from the supergraph, worked out per operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
)
from graphql.type import is_composite_type

from router.access.directives import uses_of
from router.operation import Operation
from router.selection_set import Field, SelectionSet
from router.supergraph import parse_sdl

MAX_REMEMBERED_POLICIES = 2_000


class Scope(Enum):
    PUBLIC = "public"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """How long an answer stays good, and for whom; `max_age_seconds` 0 is "do not keep"."""

    max_age_seconds: int
    scope: Scope = Scope.PUBLIC

    def narrowed_by(self, cache_control: str) -> CachePolicy:
        """With what a subgraph's own Cache-Control header adds; "" adds nothing."""
        policy = self
        for part in cache_control.lower().split(","):
            name, _, value = part.strip().partition("=")
            if name in ("no-store", "no-cache"):
                policy = replace(policy, max_age_seconds=0)
            elif name == "private":
                policy = replace(policy, scope=Scope.PRIVATE)
            elif name == "max-age":
                seconds = int(value) if value.isdigit() else 0
                policy = replace(policy, max_age_seconds=min(policy.max_age_seconds, seconds))
        return policy

    @property
    def header(self) -> str:
        if self.max_age_seconds <= 0:
            return "no-store"
        return f"max-age={self.max_age_seconds}, {self.scope.value}"


NOT_CACHED = CachePolicy(0)


@dataclass(frozen=True, slots=True)
class CacheHint:
    """One `@cacheControl`; None where it does not say."""

    max_age_seconds: int | None = None
    is_private: bool = False
    inherits: bool = False


class CacheHints:
    """The `@cacheControl` directives of one supergraph.

    As in every implementation of the directive: a root field or a field of composite type without a hint has the
    default age, a leaf has its parent's, and the answer has the least age and the strictest scope of all.

    One rule is stricter. A type's hint speaks for the subgraph that wrote it, which the supergraph does not tell: a
    field that another subgraph adds to the type is private unless it has a hint of its own.
    """

    def __init__(
        self,
        api_schema: GraphQLSchema,
        hints: Mapping[tuple[str, str | None], CacheHint],
        owners: Mapping[tuple[str, str | None], frozenset[str]] | None = None,
        hinted: frozenset[tuple[str, str | None]] | None = None,
    ) -> None:
        self._schema = api_schema
        self._hints = hints
        self._owners = owners or {}
        #: what a subgraph itself has hinted about: an age that the operator sets makes nothing public
        self._hinted = hinted if hinted is not None else frozenset(hints)
        self._policies: dict[tuple[Operation, int], CachePolicy] = {}

    @classmethod
    def from_sdl(cls, sdl: str, api_schema: GraphQLSchema) -> CacheHints:
        document = parse_sdl(sdl)
        hints: dict[tuple[str, str | None], CacheHint] = {}
        for use in uses_of(document, "cacheControl"):
            place = (use.type_name, use.field_name)
            age = use.arguments.get("maxAge")
            hint = CacheHint(
                int(age) if age is not None else None,
                use.arguments.get("scope") == "PRIVATE",
                bool(use.arguments.get("inheritMaxAge")),
            )
            hints[place] = _stricter(hints[place], hint) if place in hints else hint
        return cls(api_schema, hints, _owners_in(document))

    def with_max_ages(self, seconds: Mapping[str, int]) -> CacheHints:
        """With these ages, by type or `Type.field`, in place of those of the supergraph; the scopes stay."""
        hints = dict(self._hints)
        for coordinate, age in seconds.items():
            type_name, _, field_name = coordinate.partition(".")
            place = (type_name, field_name or None)
            hints[place] = replace(hints.get(place, CacheHint()), max_age_seconds=age)
        return CacheHints(self._schema, hints, self._owners, self._hinted)

    def policy_of(self, operation: Operation, default_max_age_seconds: int) -> CachePolicy:
        if operation.operation_type != "query" or not self._hints or self._schema.query_type is None:
            return NOT_CACHED
        key = (operation, default_max_age_seconds)
        policy = self._policies.get(key)
        if policy is None:
            if len(self._policies) >= MAX_REMEMBERED_POLICIES:
                self._policies.clear()
            policy = self._least(
                operation.selections, self._schema.query_type.name, None, None, default_max_age_seconds
            )
            self._policies[key] = policy or NOT_CACHED
        return self._policies[key]

    def policy_of_entity(self, type_name: str, selections: SelectionSet, default_max_age_seconds: int) -> CachePolicy:
        """Of what one subgraph says of an entity, where `selections` are a lookup's: fragments on entity types.

        Which subgraph wrote the type's hint is unknown here as well. Where several add fields to the type, a field
        without a hint of its own is private.
        """
        own = self._hints.get((type_name, None), CacheHint())
        age = own.max_age_seconds if own.max_age_seconds is not None else default_max_age_seconds
        owners = frozenset({""}) if len(self._contributors(type_name)) > 1 else None
        least: CachePolicy | None = None
        try:
            for item in selections.items:
                if isinstance(item, Field):
                    inner = SelectionSet((item,))
                elif item.type_condition is None or self._overlap(item.type_condition, type_name):
                    inner = item.selections
                else:
                    continue
                least = _least_of(least, self._least(inner, type_name, age, owners, default_max_age_seconds))
        except KeyError:  # a type or field that clients cannot see, fetched for another's sake
            return NOT_CACHED
        if least is None:
            return NOT_CACHED
        return replace(least, scope=Scope.PRIVATE) if own.is_private else least

    def policy_of_root(self, selections: SelectionSet, default_max_age_seconds: int) -> CachePolicy:
        """Of what one subgraph says of root fields of queries."""
        if self._schema.query_type is None:
            return NOT_CACHED
        try:
            least = self._least(selections, self._schema.query_type.name, None, None, default_max_age_seconds)
        except KeyError:
            return NOT_CACHED
        return least or NOT_CACHED

    def _contributors(self, type_name: str) -> frozenset[str]:
        """The subgraphs that alone, or with few others, resolve some field of the type."""
        owners = [found for (name, field), found in self._owners.items() if name == type_name and field is not None]
        return frozenset().union(*owners)

    def _overlap(self, one: str, other: str) -> bool:
        return one == other or one in self._possible(other) or other in self._possible(one)

    def _least(
        self,
        selections: SelectionSet,
        type_name: str,
        parent_age: int | None,
        parent_owners: frozenset[str] | None,
        default: int,
    ) -> CachePolicy | None:
        """None where nothing is selected that has an age, such as `__typename` alone."""
        least: CachePolicy | None = None
        for item in selections.items:
            if not isinstance(item, Field):
                condition = item.type_condition or type_name
                found = self._least(item.selections, condition, parent_age, parent_owners, default)
            elif item.name.startswith("__"):
                continue
            else:
                found = self._field(item, type_name, parent_age, parent_owners, default)
            least = _least_of(least, found)
        return least

    def _field(
        self,
        field: Field,
        type_name: str,
        parent_age: int | None,
        parent_owners: frozenset[str] | None,
        default: int,
    ) -> CachePolicy | None:
        result_type = self._type_of(type_name, field.name)
        owners = self._owners_of(type_name, field.name)
        has_own_hint = (type_name, field.name) in self._hinted
        is_foreign = not has_own_hint and parent_owners is not None and owners.isdisjoint(parent_owners)
        hint = self._hint_of(type_name, field.name, result_type)
        age = hint.max_age_seconds
        if age is None:
            may_inherit = field.selections is None or hint.inherits
            age = parent_age if parent_age is not None and may_inherit else default
        policy = CachePolicy(age, Scope.PRIVATE if is_foreign or hint.is_private else Scope.PUBLIC)
        if field.selections is None:
            return policy
        return _least_of(policy, self._least(field.selections, result_type, age, owners, default))

    def _hint_of(self, type_name: str, field_name: str, result_type: str) -> CacheHint:
        """All that is hinted about a field: its own age wins over its type's; among the possible types the least counts."""
        age: int | None = None
        says_age = inherits = is_private = False
        for place in self._places(type_name, field_name, result_type):
            hint = self._hints.get(place)
            if hint is None:
                continue
            is_private = is_private or hint.is_private
            inherits = inherits or hint.inherits
            if hint.max_age_seconds is not None and not (says_age and place[1] is None):
                age = hint.max_age_seconds if age is None else min(age, hint.max_age_seconds)
                says_age = says_age or place[1] is not None
        return CacheHint(age, is_private, inherits)

    def _owners_of(self, type_name: str, field_name: str) -> frozenset[str]:
        """The subgraphs that resolve the field; unknown in a schema without join directives, as if all did."""
        return self._owners.get((type_name, field_name), self._owners.get((type_name, None), frozenset({""})))

    def _places(self, type_name: str, field_name: str, result_type: str) -> list[tuple[str, str | None]]:
        """Fields first, then the types of the result, with every type that can stand for an abstract one."""
        fields = [(name, field_name) for name in (type_name, *self._possible(type_name))]
        return [*fields, *((name, None) for name in (result_type, *self._possible(result_type)))]

    def _type_of(self, type_name: str, field_name: str) -> str:
        type_ = self._schema.type_map[type_name]
        assert isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType))
        return str(get_named_type(type_.fields[field_name].type).name)

    def _possible(self, type_name: str) -> list[str]:
        type_ = self._schema.type_map[type_name]
        if is_composite_type(type_) and is_abstract_type(type_):
            return [each.name for each in self._schema.get_possible_types(type_)]
        return []


def _owners_in(document: DocumentNode) -> dict[tuple[str, str | None], frozenset[str]]:
    """The graphs of each type, and of each field that not all of them resolve."""
    owners: dict[tuple[str, str | None], frozenset[str]] = {}
    for name, is_resolved in (("join__type", lambda _: True), ("join__field", _is_resolved)):
        for use in uses_of(document, name):
            if "graph" in use.arguments and is_resolved(use.arguments):
                place = (use.type_name, use.field_name)
                owners[place] = owners.get(place, frozenset()) | {use.arguments["graph"]}
    return owners


def _is_resolved(arguments: dict[str, Any]) -> bool:
    is_overridden = arguments.get("usedOverridden") and not arguments.get("overrideLabel")
    return not arguments.get("external") and not is_overridden


def _least_of(one: CachePolicy | None, other: CachePolicy | None) -> CachePolicy | None:
    if one is None or other is None:
        return one or other
    scope = Scope.PRIVATE if Scope.PRIVATE in (one.scope, other.scope) else Scope.PUBLIC
    return CachePolicy(min(one.max_age_seconds, other.max_age_seconds), scope)


def _stricter(one: CacheHint, other: CacheHint) -> CacheHint:
    ages = [each.max_age_seconds for each in (one, other) if each.max_age_seconds is not None]
    return CacheHint(min(ages, default=None), one.is_private or other.is_private, one.inherits and other.inherits)
