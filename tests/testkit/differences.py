"""Compares a router's answers with the monolith's over random graphs; a difference is shrunk until it is small.

Run by `tests/conformance/test_random_supergraphs.py` for a few hundred operations, and for many by
`python -m tests.testkit.differences --operations 10000`.
"""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import FieldNode, Visitor, parse, visit

from tests.testkit.federated_graph import CompositionFailedError, FederatedGraph
from tests.testkit.incremental_client import merge_former_payloads, merge_payloads
from tests.testkit.long_run import LongRun
from tests.testkit.monolith import Monolith
from tests.testkit.random_deferral import deferring, is_deferring, without_deferral
from tests.testkit.random_model import ACTIVE_LABELS, RandomSupergraph, UnplaceableError, key_field_names
from tests.testkit.random_operation import RandomOperation, random_operation, with_decided_conditions
from tests.testkit.random_sdl import print_subgraphs
from tests.testkit.random_supergraph import Generator
from tests.testkit.random_world import random_world
from tests.testkit.world import JsonObject, World, canonical

#: Composition refuses some random graphs for a good reason; any other code is a difference too.
EXPECTED_REFUSALS = frozenset({"SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES", "INTERFACE_FIELD_NO_IMPLEM"})
#: One operation of so many is asked in pieces as well.
DEFERRED_ONE_OF = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """A random graph with facts, enough to ask it any operation again."""

    seed: int
    supergraph: RandomSupergraph
    world: World

    def compose(self) -> FederatedGraph:
        return FederatedGraph.compose(print_subgraphs(self.supergraph), self.world)


@dataclass(frozen=True, slots=True)
class Difference:
    trial: Trial
    operation: RandomOperation | None  # None: composition failed
    expected: Any
    received: Any

    def __str__(self) -> str:
        sdls = "".join(f"\n# --- {name}\n{_body(sdl)}" for name, sdl in print_subgraphs(self.trial.supergraph).items())
        if self.operation is None:
            return f"seed {self.trial.seed}: composition failed: {self.received}\n{sdls}"
        return (
            f"seed {self.trial.seed}\n{sdls}\n# operation\n{self.operation.text}\n"
            f"# variables\n{json.dumps(self.operation.variables, ensure_ascii=False)}\n"
            f"# expected\n{json.dumps(self.expected, ensure_ascii=False)}\n"
            f"# received\n{json.dumps(self.received, ensure_ascii=False)}\n"
        )


def _body(sdl: str) -> str:
    """Without the lines that every subgraph has."""
    return "\n".join(sdl.splitlines()[4:]) + "\n"


def make_trial(seed: int) -> Trial | None:
    """None where the random choices of a seed contradict each other."""
    rng = Random(seed)
    try:
        supergraph = Generator(rng).generate()
        return Trial(seed, supergraph, random_world(supergraph, rng))
    except UnplaceableError:
        return None


def composed_trial(seed: int) -> tuple[Trial, FederatedGraph] | None:
    """For whoever asks of other things than composition: None where the seed's graph does not compose."""
    trial = make_trial(seed)
    try:
        return None if trial is None else (trial, trial.compose())
    except CompositionFailedError:
        return None


async def differences_of(seed: int, operations: int) -> AsyncIterator[Difference | None]:
    """For each random operation over the seed's graph: None, or how the answers differ."""
    trial = make_trial(seed)
    if trial is None:
        return
    try:
        graph = trial.compose()
    except Exception as error:
        if not (isinstance(error, CompositionFailedError) and EXPECTED_REFUSALS.issuperset(error.codes)):
            yield Difference(trial, None, None, f"{error!r}")
        return
    for index in range(operations):
        operation = random_operation(graph.graph.api_schema, Random(f"{seed}/{index}"))
        yield await difference(trial, graph, operation)
        if index % DEFERRED_ONE_OF == 0:
            later = deferring(operation, graph.graph.api_schema, Random(f"{seed}/{index}/later"))
            if later is not None:
                yield await difference(trial, graph, later)


async def answer_or_crash(answer: Awaitable[JsonObject]) -> JsonObject:
    """In place of an answer that the router did not come to, one that agrees with none: what it raised."""
    try:
        return await answer
    except Exception:
        return {"data": "CRASH", "errors": [{"message": traceback.format_exc(limit=-3)}]}


def is_too_large(answer: JsonObject) -> bool:
    """Whether the router refused an operation of fragments within fragments, larger than any should take."""
    codes = {error.get("extensions", {}).get("code") for error in answer.get("errors") or ()}
    return not codes.isdisjoint({"FIELD_LIMIT_EXCEEDED", "DIRECTIVE_LIMIT_EXCEEDED"})


async def difference(trial: Trial, graph: FederatedGraph, operation: RandomOperation) -> Difference | None:
    if is_deferring(operation):
        return await _difference_in_pieces(trial, graph, operation)
    expected = Monolith(graph.graph.api_schema, trial.world).answer(operation.text, operation.variables)
    received = await answer_or_crash(graph.answer(operation.text, operation.variables, override_labels=ACTIVE_LABELS))
    if is_too_large(received):
        return None
    if not agree(expected, received):
        return Difference(trial, operation, expected, received)
    return await _difference_in_work(trial, graph, operation)


async def _difference_in_work(trial: Trial, graph: FederatedGraph, operation: RandomOperation) -> Difference | None:
    """Whether what variables switch off costs the subgraphs something all the same: fields, or entities on the way to
    them, that nobody asks for when the operation is written without what is off.
    """
    decided = with_decided_conditions(operation)
    if decided.text == operation.text:
        return None
    types = trial.supergraph.types
    members = {name: kind.name for kind in types.values() if kind.kind == "entity_interface" for name in kind.members}
    keys = {name for kind in types.values() for key in kind.keys for name in key_field_names(key)}

    asked = {node.name.value for node in _fields_of(decided)}
    wants_types = "__typename" in asked
    interfaces = {*members, *members.values()}

    def told(resolved: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        fields = {(members.get(type_name, type_name), name) for type_name, name in resolved}
        return {f for f in fields if f[1] not in keys and f[1][0] != "_" and not f[0].startswith("Key")}

    def entities(*, on_the_way: bool) -> set[tuple[str, str]]:
        """All, or those of subgraphs that were asked for nothing but the way to others, and not for what the client wants of it.
        Where it wants type names, those of an interface that has interface objects may be what a lookup was for.
        """
        return {
            (subgraph, members.get(type_name, type_name))
            for subgraph, stub in graph.stubs.items()
            if not on_the_way or (not told(stub.resolved) and asked.isdisjoint(name for _, name in stub.resolved))
            for type_name in stub.entity_types
            if not (on_the_way and wants_types and type_name in interfaces)
        }

    fields, way = told(graph.resolved), entities(on_the_way=True)
    answer = await graph.answer(decided.text, decided.variables, override_labels=ACTIVE_LABELS)
    if any(not _is_null_at(answer["data"], error["path"]) for error in answer.get("errors") or ()):
        return None  # a null travelled upwards: how much was resolved below its end is each subgraph's own matter
    enough = told(graph.resolved)
    if fields - enough:
        return Difference(trial, operation, {"fields": sorted(enough)}, {"too many": sorted(fields - enough)})
    # Who is only passed through may be one who tells something where less is asked of others.
    needless = way - entities(on_the_way=False)
    if fields == enough and needless:
        return Difference(
            trial, operation, {"entities": sorted(entities(on_the_way=False))}, {"too many": sorted(needless)}
        )
    return None


def _fields_of(operation: RandomOperation) -> list[FieldNode]:
    found: list[FieldNode] = []

    class Finder(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            found.append(node)

    visit(parse(operation.text, no_location=True), Finder())
    return found


async def _difference_in_pieces(trial: Trial, graph: FederatedGraph, operation: RandomOperation) -> Difference | None:
    """The pieces of both formats, put together, against the monolith's whole answer."""
    plain = without_deferral(operation)
    expected = Monolith(graph.graph.api_schema, trial.world).answer(plain.text, plain.variables)
    for former in (False, True):
        payloads: Any = None
        others = asyncio.all_tasks()
        try:
            payloads = await graph.payloads(
                operation.text, operation.variables, former=former, override_labels=ACTIVE_LABELS
            )
            # What a null has made needless may be under way still: it is no work of the next operation's.
            if left := asyncio.all_tasks() - others:
                await asyncio.wait(left)
            original = json.loads(json.dumps(payloads))
            if "hasNext" not in payloads[0]:
                received = payloads[0]
            else:
                received = (merge_former_payloads if former else merge_payloads)(payloads)
            payloads = original
        except Exception:
            received = {"data": "CRASH", "errors": [{"message": traceback.format_exc(limit=-3)}]}
        if not agree_in_pieces(expected, received):
            return Difference(trial, operation, expected, {"merged": received, "payloads": payloads})
    return None


def agree_in_pieces(expected: JsonObject, received: JsonObject) -> bool:
    """Equal data in any order, errors in both or in none. A null that travels upwards stops at a piece: there the pieces
    may know more, or lack what did not come.
    """
    errors, others = expected.get("errors"), received.get("errors")
    if not errors and not others:
        return canonical(expected["data"]) == canonical(received["data"])
    return bool(errors) and bool(others) and _is_compatible(expected["data"], received["data"])


def _is_compatible(expected: Any, received: Any) -> bool:
    if expected is None:
        return True
    if isinstance(expected, dict):
        return isinstance(received, dict) and all(
            key in expected and _is_compatible(expected[key], value) for key, value in received.items()
        )
    if isinstance(expected, list):
        return isinstance(received, list) and all(map(_is_compatible, expected, received))
    return canonical(expected) == canonical(received)


def agree(expected: JsonObject, received: JsonObject) -> bool:
    """Equal data, in the same order; errors in both or in none, at equal paths where no null travelled upwards. Of very
    many errors a router tells some, and by one without a path that there are more.
    """
    if json.dumps(expected.get("data")) != json.dumps(received.get("data")):
        return False
    errors, others = expected.get("errors") or [], received.get("errors") or []
    if bool(errors) != bool(others):
        return False
    if not errors or not all(_is_null_at(expected["data"], error["path"]) for error in errors):
        return True
    places = {json.dumps(error["path"]) for error in errors}
    told = {json.dumps(error["path"]) for error in others if "path" in error}
    return told <= places if any("path" not in error for error in others) else told == places


def _is_null_at(data: Any, path: list[str | int]) -> bool:
    for step in path:
        if data is None:
            return False
        data = data[step]
    return data is None


async def _told(found: Difference) -> str:
    from tests.testkit.shrink import shrink

    return str(await shrink(found))


def _of_composition(found: list[Difference]) -> str:
    return f" ({sum(each.operation is None for each in found)} of composition)"


if __name__ == "__main__":
    run = LongRun(
        "operations", "differences", differences_of, default=10_000, per_graph=12, tell=_told, summary=_of_composition
    )
    run.main(__doc__)
