"""Random rights over random graphs: nobody is told what the rights keep from them, and of the rest nothing is lost.

Run by `tests/conformance/test_random_rights.py` for a few hundred operations, and for many by
`python -m tests.testkit.rights --operations 10000`.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    is_abstract_type,
    is_interface_type,
    is_object_type,
    parse,
    print_schema,
    visit,
)

from router.access.authorization import Authorization, AuthorizationRules, Requirement
from router.access.caller import Caller
from router.operation import Operation
from tests.testkit.differences import Trial, composed_trial, is_too_large
from tests.testkit.federated_graph import FederatedGraph
from tests.testkit.incremental_client import merge_payloads
from tests.testkit.long_run import LongRun
from tests.testkit.monolith import Monolith
from tests.testkit.random_deferral import deferring, is_deferring, without_deferral
from tests.testkit.random_model import ACTIVE_LABELS
from tests.testkit.random_operation import RandomOperation, random_operation, with_decided_conditions
from tests.testkit.random_sdl import print_subgraphs
from tests.testkit.shrink import smallest
from tests.testkit.world import JsonObject, canonical

CODES = frozenset({"UNAUTHORIZED_FIELD_OR_TYPE", "UNAUTHENTICATED"})
REQUIREMENTS = (
    Requirement(is_authenticated=True),
    Requirement(scopes=(frozenset({"a"}),)),
    Requirement(scopes=(frozenset({"a", "b"}), frozenset({"c"}))),
    Requirement(policies=(frozenset({"p"}),)),
)
CALLERS = (
    Caller(),
    Caller("someone"),
    Caller("someone", scopes=frozenset({"a"})),
    Caller("someone", scopes=frozenset({"b", "c"}), claims={"policies": "p"}),
)
MOST_ATTEMPTS_TO_SHRINK = 600


@dataclass(frozen=True, slots=True)
class Rights:
    """What objects, their fields and leaf types ask for, by (type, field or None), and who asks. Who may read what is worked
    out anew here, not by the router's rules.
    """

    requirements: dict[tuple[str, str | None], Requirement]
    caller: Caller
    schema: GraphQLSchema
    rules: AuthorizationRules

    @classmethod
    def random(cls, schema: GraphQLSchema, rng: Random) -> Rights:
        requirements: dict[tuple[str, str | None], Requirement] = {}
        for type_ in schema.type_map.values():
            is_root = type_ in (schema.query_type, schema.mutation_type)
            if type_.name.startswith("__"):
                continue
            if not is_root and not is_abstract_type(type_) and rng.random() < (0.1 if is_object_type(type_) else 0.03):
                requirements[type_.name, None] = rng.choice(REQUIREMENTS)
            if isinstance(type_, GraphQLObjectType):
                for name in type_.fields:
                    if rng.random() < 0.12:
                        requirements[type_.name, name] = rng.choice(REQUIREMENTS)
        return cls(requirements, rng.choice(CALLERS), schema, AuthorizationRules(schema, requirements))

    def may_read(self, type_name: str, field_name: str) -> bool:
        """Of an object of just that type."""
        type_ = self.schema.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType)
        value = get_named_type(type_.fields[field_name].type).name
        places = ((type_name, None), (type_name, field_name), (value, None))
        return all(self._is_met(self.requirements.get(place)) for place in places)

    def may_read_of_all(self, type_name: str, field_name: str) -> bool:
        """Of objects of every type that can stand where the type does."""
        type_ = self.schema.type_map[type_name]
        named = self.schema.get_possible_types(type_) if is_abstract_type(type_) else [type_]
        if is_interface_type(type_) and not self._is_met(
            self.requirements.get((get_named_type(type_.fields[field_name].type).name, None))
        ):
            return False
        return all(self.may_read(each.name, field_name) for each in named)

    def _is_met(self, requirement: Requirement | None) -> bool:
        if requirement is None:
            return True
        caller = self.caller
        if not caller.is_authenticated:
            return False
        policies = frozenset(str(caller.claims.get("policies", "")).split())
        return _has_one(requirement.scopes, caller.scopes) and _has_one(requirement.policies, policies)


def _has_one(wanted: tuple[frozenset[str], ...], held: frozenset[str]) -> bool:
    return not wanted or any(each <= held for each in wanted)


@dataclass(frozen=True, slots=True)
class Leak:
    """What of an answer is wrong: `why`, and all that was told."""

    trial: Trial
    rights: Rights
    operation: RandomOperation
    why: str
    told: Any

    def __str__(self) -> str:
        sdls = "".join(f"\n# --- {name}\n{sdl}" for name, sdl in print_subgraphs(self.trial.supergraph).items())
        rights = "\n".join(f"{place}: {requirement}" for place, requirement in self.rights.requirements.items())
        return (
            f"seed {self.trial.seed}\n{sdls}\n# rights of {self.rights.caller}\n{rights}\n# operation\n"
            f"{self.operation.text}\n# variables\n{json.dumps(self.operation.variables)}\n# {self.why}\n{self.told}\n"
        )


async def leaks_of(seed: int, operations: int) -> AsyncIterator[Leak | None]:
    """For each random operation over the seed's graph: None, or what was told that must not be, or is missing."""
    composed = composed_trial(seed)
    if composed is None:
        return
    trial, graph = composed
    schema = graph.graph.api_schema
    rights = Rights.random(schema, Random(f"{seed}/rights"))
    judge = Judge(trial, graph, rights)
    for index in range(operations):
        operation = random_operation(schema, Random(f"{seed}/{index}"))
        yield await judge.leak(operation)
        later = deferring(operation, schema, Random(f"{seed}/{index}/later")) if index % 3 == 0 else None
        if later is not None:
            yield await judge.leak(later)


class Judge:
    def __init__(self, trial: Trial, graph: FederatedGraph, rights: Rights) -> None:
        self._trial, self._graph, self._rights = trial, graph, rights
        self._without_ends = _with_nullable_fields(rights.schema)

    async def leak(self, operation: RandomOperation) -> Leak | None:
        plain = without_deferral(operation) if is_deferring(operation) else operation
        upper = self._answer(self._without_ends, plain, self._may_read)
        try:
            received = await (self._in_pieces(operation) if is_deferring(operation) else self._at_once(operation))
        except Exception:
            return Leak(self._trial, self._rights, operation, "the router failed", traceback.format_exc(limit=-3))
        why = self._complaint(received, plain, upper, in_pieces=is_deferring(operation))
        if why is None:
            return None
        return Leak(self._trial, self._rights, operation, why, json.dumps({"told": received, "at most": upper["data"]}))

    def _complaint(
        self, received: JsonObject, operation: RandomOperation, upper: JsonObject, *, in_pieces: bool
    ) -> str | None:
        if is_too_large(received):
            return None
        codes = {error.get("extensions", {}).get("code") for error in received.get("errors") or ()}
        if not _is_within(None, received["data"], upper["data"]):
            return "more is told than may be, or something else"
        schema = self._rights.schema
        least = self._answer(schema, operation, self._strictly(operation.text))
        if not in_pieces and not _is_within(least["data"], received["data"], upper["data"]):
            return f"less is told than could be: {json.dumps(least['data'])}"
        if codes & CODES and not self._asks_for_what_is_withheld(operation):
            return "nothing is withheld, and it is complained of"
        if not codes & CODES and upper["data"] != self._answer(self._without_ends, operation, lambda _: True)["data"]:
            return None if least["data"] is None else "something is withheld, and nobody complains"
        return None

    async def _at_once(self, operation: RandomOperation) -> JsonObject:
        return await self._graph.answer(
            operation.text, operation.variables, override_labels=ACTIVE_LABELS, authorize=self._authorize
        )

    async def _in_pieces(self, operation: RandomOperation) -> JsonObject:
        payloads = await self._graph.payloads(
            operation.text, operation.variables, override_labels=ACTIVE_LABELS, authorize=self._authorize
        )
        return payloads[0] if "hasNext" not in payloads[0] else merge_payloads(payloads)

    def _authorize(self, operation: Operation, _: Caller) -> Authorization:
        return self._rights.rules.authorize(operation, self._rights.caller)

    def _answer(
        self, schema: GraphQLSchema, operation: RandomOperation, may_resolve: Callable[[GraphQLResolveInfo[Any]], bool]
    ) -> JsonObject:
        return Monolith(schema, self._trial.world, may_resolve).answer(operation.text, operation.variables)

    def _may_read(self, info: GraphQLResolveInfo[Any]) -> bool:
        return self._rights.may_read(info.parent_type.name, info.field_name)

    def _asks_for_what_is_withheld(self, operation: RandomOperation) -> bool:
        """Whether or not there is an object that has it."""
        asked = _PlacesOfFields(self._rights.schema, with_decided_conditions(operation).text).asked
        return not all(self._rights.may_read_of_all(*each) for each in asked)

    def _strictly(self, text: str) -> Callable[[GraphQLResolveInfo[Any]], bool]:
        """A field that is asked of an interface is had only where it could be had of all its members."""
        places = _PlacesOfFields(self._rights.schema, text).found

        def may_read(info: GraphQLResolveInfo[Any]) -> bool:
            asked_of = {places[node.loc.start] for node in info.field_nodes if node.loc is not None}
            return self._may_read(info) and all(
                self._rights.may_read_of_all(each, info.field_name) for each in asked_of
            )

        return may_read


class _PlacesOfFields(Visitor):
    """The type that each field of a text is asked of, by where it stands; without what is switched off by a literal."""

    def __init__(self, schema: GraphQLSchema, text: str) -> None:
        super().__init__()
        self.found: dict[int, str] = {}
        self.asked: set[tuple[str, str]] = set()
        self._types = TypeInfo(schema)
        visit(parse(text), TypeInfoVisitor(self._types, self))

    def enter(self, node: Node, *_: Any) -> Any:
        if isinstance(node, (FieldNode, InlineFragmentNode, FragmentSpreadNode)) and any(
            map(_is_off, node.directives or ())
        ):
            return self.SKIP
        parent = self._types.get_parent_type()
        if isinstance(node, FieldNode) and parent is not None and not node.name.value.startswith("__"):
            assert node.loc is not None
            self.found[node.loc.start] = parent.name
            self.asked.add((parent.name, node.name.value))
        return None


def _is_off(directive: DirectiveNode) -> bool:
    value = directive.arguments[0].value if directive.arguments else None
    wanted = {"skip": True, "include": False}.get(directive.name.value)
    return isinstance(value, BooleanValueNode) and value.value is wanted


def _with_nullable_fields(schema: GraphQLSchema) -> GraphQLSchema:
    """The same in which no null travels upwards."""
    copy = build_schema(print_schema(schema))
    for type_ in copy.type_map.values():
        if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)):
            for each in type_.fields.values():
                each.type = _nullable(each.type)
    return copy


def _nullable(type_: Any) -> Any:
    if isinstance(type_, GraphQLNonNull):
        return _nullable(type_.of_type)
    return GraphQLList(_nullable(type_.of_type)) if isinstance(type_, GraphQLList) else type_


def _is_within(least: Any, received: Any, most: Any) -> bool:
    """Whether all of `least` is there, and nothing beyond `most`."""
    if received is None:
        return least is None
    if isinstance(received, dict):
        return (
            isinstance(most, dict)
            and received.keys() <= most.keys()
            and (least is None or received.keys() == least.keys())
            and all(_is_within((least or {}).get(key), value, most[key]) for key, value in received.items())
        )
    if isinstance(received, list):
        pairs = zip(least or [None] * len(received), received, most or (), strict=False)
        return isinstance(most, list) and len(received) == len(most) and all(_is_within(*each) for each in pairs)
    return canonical(received) == canonical(most)


async def _told(found: Leak) -> str:
    """The smallest operation with the same fault."""
    judge = Judge(found.trial, found.trial.compose(), found.rights)
    return str(await smallest(found, found.operation, found.rights.schema, judge.leak, MOST_ATTEMPTS_TO_SHRINK))


if __name__ == "__main__":
    LongRun("operations", "leaks", leaks_of, default=10_000, per_graph=12, tell=_told).main(__doc__)
