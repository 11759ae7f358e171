"""@authenticated, @requiresScopes and @policy: takes out of an operation what its caller may not have, before any fetch.

`server.app` gives `AuthorizationRules.authorize` to the pipeline. What was taken out is null in the answer and has
an error with its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_named_type
from graphql.type import is_composite_type

from router.access.caller import Caller, Refusal
from router.access.directives import uses_of
from router.bounded_cache import BoundedCache
from router.errors import ErrorEntry
from router.object_types import object_types_of
from router.operation import Operation
from router.selection_set import Condition, Field, InlineFragment, SelectionSet
from router.supergraph import parse_sdl

MAX_REMEMBERED = 2_000
MAX_REMEMBERED_BYTES = 64 * 1024 * 1024
BYTES_PER_FIELD = 800  # of an operation, and of what was left of it
MAX_REPORTED = 100

#: The tree and the request's variables to the errors of what was made null in it.
Withhold = Callable[[dict[str, Any], Mapping[str, Any]], list[ErrorEntry]]

#: Any one of these sets, in full, is enough.
AnyOf = tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Requirement:
    """All three must be met; an empty one asks for nothing. Scopes and policies imply an authenticated caller."""

    is_authenticated: bool = False
    scopes: AnyOf = ()
    policies: AnyOf = ()

    def is_met_by(self, grants: Grants) -> bool:
        if not grants.is_authenticated:
            return not (self.is_authenticated or self.scopes or self.policies)
        return _holds_one(self.scopes, grants.scopes) and _holds_one(self.policies, grants.policies)

    def with_also(self, other: Requirement) -> Requirement:
        return Requirement(
            self.is_authenticated or other.is_authenticated,
            _both(self.scopes, other.scopes),
            _both(self.policies, other.policies),
        )


NOTHING = Requirement()


@dataclass(frozen=True, slots=True)
class Grants:
    """The part of a caller that decides; equal grants see the same graph, and are told the same where they do not."""

    is_authenticated: bool
    scopes: frozenset[str]
    policies: frozenset[str]
    refusal: Refusal = Refusal.NO_TOKEN

    @classmethod
    def of(cls, caller: Caller) -> Grants:
        """Policies are those that whoever issued the token lists in its claim `policies`."""
        policies = caller.claims.get("policies", ())
        names = policies.split() if isinstance(policies, str) else policies if isinstance(policies, list) else ()
        return cls(caller.is_authenticated, caller.scopes, frozenset(str(each) for each in names), caller.refusal)


@dataclass(frozen=True, slots=True)
class Denial:
    """One selection that was taken out. `path` are response keys, and for each of them `others` has the object types that
    can stand there and are not asked for it: `{ items { ... on A { x: secret } ... on B { x: open } } }` asks B's for
    something else by the same key. It is asked at all only where the `conditions` on the way to it hold.
    """

    path: tuple[str, ...]
    others: tuple[frozenset[str], ...]
    coordinate: str
    refusal: Refusal | None  # None for a caller who is known, and may not have this
    conditions: tuple[Condition, ...] = ()

    def is_asked(self, variables: Mapping[str, Any]) -> bool:
        return all(bool(variables.get(each.variable)) is not each.inverted for each in self.conditions)

    def entry(self, path: Iterable[str | int]) -> ErrorEntry:
        message = f"{_ADVICE[self.refusal]} {self.coordinate}."
        code = "UNAUTHORIZED_FIELD_OR_TYPE" if self.refusal is None else "UNAUTHENTICATED"
        reason = "NOT_GRANTED" if self.refusal is None else self.refusal.value
        extensions = {"code": code, "reason": reason, "coordinate": self.coordinate}
        return {"message": message, "path": list(path), "extensions": extensions}


_ADVICE: Mapping[Refusal | None, str] = {
    None: "You are not allowed to read",
    Refusal.NO_TOKEN: "Log in to read",
    Refusal.EXPIRED: "The token has expired: renew it to read",
    Refusal.SESSION_ENDED: "The session has ended: log in to read",
    Refusal.INVALID: "The token is not valid: log in to read",
}


@dataclass(frozen=True, slots=True)
class Authorization:
    """What is left of an operation. `withhold` must run on the merged tree before it is shaped for the client."""

    allowed: Operation
    denials: tuple[Denial, ...] = ()

    @property
    def withholding(self) -> Withhold | None:
        """`withhold`, or None where nothing was denied."""
        return self.withhold if self.denials else None

    def withhold(self, tree: dict[str, Any], variables: Mapping[str, Any]) -> list[ErrorEntry]:
        """Makes null what was denied, also where the plan fetched it for its own needs; one error for each place. What the
        variables switch off is no part of the operation: nothing is said of it.
        """
        entries: dict[tuple[str | int, ...], ErrorEntry] = {}
        for denial in self.denials:
            if denial.is_asked(variables):
                for place in list(_withhold(tree, denial, 0, ())) or [denial.path[:1]]:
                    entries.setdefault(place, denial.entry(place))
        return list(entries.values())[:MAX_REPORTED]


@dataclass(frozen=True, slots=True)
class _Way:
    """From the root to a selection set: response keys, for each the object types that are not asked for it, and the
    conditions on fields and fragments. At its end may stand objects of the types `possible`; `asked` are some of them.
    """

    possible: frozenset[str]
    asked: frozenset[str]
    path: tuple[str, ...] = ()
    others: tuple[frozenset[str], ...] = ()
    conditions: tuple[Condition, ...] = ()

    def into(self, fragment: InlineFragment, types: frozenset[str]) -> _Way:
        """Into a fragment on objects of those types."""
        return replace(self, asked=self.asked & types, conditions=self.conditions + fragment.conditions)

    def to(self, item: Field, possible: frozenset[str]) -> _Way:
        others = (*self.others, self.possible - self.asked)
        return _Way(possible, possible, (*self.path, item.response_key), others, self.conditions + item.conditions)


class AuthorizationRules:
    """The requirements of one supergraph, and the operations already judged by them."""

    def __init__(self, api_schema: GraphQLSchema, requirements: dict[tuple[str, str | None], Requirement]) -> None:
        self._schema = api_schema
        self._requirements = requirements
        self._asked: dict[tuple[str, str], tuple[Requirement, ...]] = {}  # by type and field, as far as anybody asked
        self._possible_types: dict[str, frozenset[str]] = {}  # by type, as far as anybody asked
        #: by the operation's identity, which is held here: its hash walks all of it
        self._judged: BoundedCache[tuple[int, Grants], tuple[Operation, Authorization]] = BoundedCache(
            MAX_REMEMBERED,
            max_bytes=MAX_REMEMBERED_BYTES,
            weigh=lambda _, judged: judged[0].selections.count() * BYTES_PER_FIELD,
        )

    @classmethod
    def from_sdl(cls, sdl: str, api_schema: GraphQLSchema) -> AuthorizationRules:
        document = parse_sdl(sdl)
        requirements: dict[tuple[str, str | None], Requirement] = {}

        def add(type_name: str, field_name: str | None, requirement: Requirement) -> None:
            place = (type_name, field_name)
            requirements[place] = requirements.get(place, NOTHING).with_also(requirement)

        for use in uses_of(document, "authenticated"):
            add(use.type_name, use.field_name, Requirement(is_authenticated=True))
        for use in uses_of(document, "requiresScopes"):
            add(use.type_name, use.field_name, Requirement(scopes=_any_of(use.arguments.get("scopes"))))
        for use in uses_of(document, "policy"):
            add(use.type_name, use.field_name, Requirement(policies=_any_of(use.arguments.get("policies"))))
        return cls(api_schema, requirements)

    def __bool__(self) -> bool:
        return bool(self._requirements)

    def authorize(self, operation: Operation, caller: Caller) -> Authorization:
        """The operation itself where nothing had to be taken out."""
        if not self._requirements:
            return Authorization(operation)
        grants = Grants.of(caller)
        key = (id(operation), grants)
        judged = self._judged.get(key)
        if judged is None:
            judged = operation, self._judge(operation, grants)
            self._judged.put(key, judged)
        known = judged[1]
        return known if known.denials else Authorization(operation)

    def _judge(self, operation: Operation, grants: Grants) -> Authorization:
        roots = {
            "query": self._schema.query_type,
            "mutation": self._schema.mutation_type,
            "subscription": self._schema.subscription_type,
        }
        root = roots[operation.operation_type]
        assert root is not None  # validation has refused an operation of a kind that the schema lacks
        denials: list[Denial] = []
        at_root = frozenset({root.name})
        selections = self._prune(operation.selections, root.name, grants, _Way(at_root, at_root), denials)
        return Authorization(replace(operation, selections=selections), tuple(denials))

    def _prune(
        self, selections: SelectionSet, type_name: str, grants: Grants, way: _Way, denials: list[Denial]
    ) -> SelectionSet:
        items: list[Field | InlineFragment] = []
        for item in selections.items:
            if isinstance(item, InlineFragment):
                inner_type = item.type_condition or type_name
                inside = way.into(item, self._possible(inner_type))
                inner = self._prune(item.selections, inner_type, grants, inside, denials)
                if inner.items:
                    items.append(replace(item, selections=inner))
                continue
            below = way.to(item, self._possible(self._type_of(type_name, item.name)))
            broken = self._broken(type_name, item.name, grants)
            if broken is not None:
                coordinate = f"{type_name}.{item.name}"
                refusal = None if grants.is_authenticated else grants.refusal
                denials.append(Denial(below.path, below.others, coordinate, refusal, below.conditions))
            elif item.selections is None:
                items.append(item)
            else:
                inner = self._prune(item.selections, self._type_of(type_name, item.name), grants, below, denials)
                if not inner.items and item.selections.items:
                    # all below is denied; the object itself is asked for by its type name, so that it can stand there
                    inner = SelectionSet((Field("__typename", "__typename"),))
                items.append(replace(item, selections=inner))
        return SelectionSet(tuple(items))

    def _broken(self, type_name: str, field_name: str, grants: Grants) -> Requirement | None:
        """The first requirement that is not met: of the field, its type, or either on any type that can stand there.

        An interface asks for what its strictest member asks: whoever wants the open members alone uses fragments.
        """
        if field_name.startswith("__"):
            return None
        asked = self._asked.get((type_name, field_name))
        if asked is None:
            asked = self._asked[type_name, field_name] = tuple(self._requirements_of(type_name, field_name))
        return next((each for each in asked if not each.is_met_by(grants)), None)

    def _requirements_of(self, type_name: str, field_name: str) -> list[Requirement]:
        places: list[tuple[str, str | None]] = [(type_name, None), (type_name, field_name)]
        for possible in self._possible(type_name):
            places += [(possible, None), (possible, field_name)]
        places.append((self._type_of(type_name, field_name), None))
        return list(dict.fromkeys(self._requirements[place] for place in places if place in self._requirements))

    def _type_of(self, type_name: str, field_name: str) -> str:
        if field_name.startswith("__"):
            return "String"
        type_ = self._schema.type_map[type_name]
        assert isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType))
        return str(get_named_type(type_.fields[field_name].type).name)

    def _possible(self, type_name: str) -> frozenset[str]:
        """The object types that can stand where the type does; none for a leaf."""
        known = self._possible_types.get(type_name)
        if known is None:
            type_ = self._schema.type_map[type_name]
            members = object_types_of(self._schema, type_) if is_composite_type(type_) else ()
            known = self._possible_types[type_name] = frozenset(each.name for each in members)
        return known


def _withhold(value: Any, denial: Denial, depth: int, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _withhold(item, denial, depth, (*path, index))
    elif isinstance(value, dict):
        key = denial.path[depth]
        # without a type name it is of the one type that can stand here; a name that is no object type's is doubted
        if value.get("__typename") in denial.others[depth]:
            return
        if depth + 1 < len(denial.path):
            yield from _withhold(value.get(key), denial, depth + 1, (*path, key))
        else:
            value[key] = None
            yield (*path, key)


def _any_of(value: Any) -> AnyOf:
    """`[["a", "b"], ["c"]]`: a and b, or c. A single list or name is read as the obvious."""
    if not isinstance(value, list):
        value = [value] if isinstance(value, str) else []
    sets = [frozenset([each] if isinstance(each, str) else each) for each in value]
    return tuple(sets) or (frozenset({"\0 no caller has this"}),)


def _both(one: AnyOf, other: AnyOf) -> AnyOf:
    if not one or not other:
        return one or other
    return tuple(dict.fromkeys(left | right for left in one for right in other))


def _holds_one(wanted: AnyOf, held: frozenset[str]) -> bool:
    return not wanted or any(each <= held for each in wanted)
