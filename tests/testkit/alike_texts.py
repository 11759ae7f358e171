"""Texts that are alike but for aliases, literals and layout: each must get its own answer, whatever was prepared for the others.

Run by `tests/conformance/test_alike_texts_at_random.py` for a few dozen graphs, and for many by
`python -m tests.testkit.alike_texts --operations 5000`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    IntValueNode,
    NameNode,
    StringValueNode,
    Visitor,
    parse,
    print_ast,
    strip_ignored_characters,
    visit,
)

from tests.testkit.differences import Difference, Trial, agree, answer_or_crash, composed_trial, is_too_large
from tests.testkit.failure_modes import CORRUPTIONS, FailureMode
from tests.testkit.federated_graph import FederatedGraph
from tests.testkit.long_run import LongRun
from tests.testkit.monolith import Monolith
from tests.testkit.random_model import ACTIVE_LABELS
from tests.testkit.random_operation import RandomOperation, random_operation
from tests.testkit.world import JsonObject

#: New aliases; some look like what the router itself may choose.
ALIASES = [*(f"_{number}" for number in range(6)), "a", "b", "zz", "on", "type", "query", "a_very_long_alias_indeed"]
#: Integers from here on may be the last ones of their type.
SMALL = 1_000_000


class _Aliases(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.aliases: list[str] = []
        self.keys_without_alias: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if node.alias is None:
            self.keys_without_alias.add(node.name.value)
        elif node.alias.value not in self.aliases:
            self.aliases.append(node.alias.value)


class _Renamer(Visitor):
    """Literals are changed one for one too: those that were equal stay equal, and the others different."""

    def __init__(self, names: dict[str, str], number: int) -> None:
        super().__init__()
        self.names = names
        self.number = number

    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return None if node.name.value == "fmt" else self.SKIP

    def leave_int_value(self, node: IntValueNode, *_: Any) -> IntValueNode | None:
        value = int(node.value)
        return replace(node, value=str(value + 5 * self.number)) if abs(value) < SMALL else None

    def leave_string_value(self, node: StringValueNode, *_: Any) -> StringValueNode:
        return replace(node, value=f"{node.value}{'x' * self.number}")

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        if node.alias is None or node.alias.value not in self.names:
            return None
        return replace(node, alias=NameNode(value=self.names[node.alias.value]))


def alike(operation: RandomOperation, rng: Random) -> RandomOperation:
    """The operation with other aliases and literals, one for one, and laid out in another way."""
    document = parse(operation.text, no_location=True)
    found = _Aliases()
    visit(document, found)
    renamed = [alias for alias in found.aliases if alias not in found.keys_without_alias]
    taken = found.keys_without_alias
    free = [alias for alias in [*ALIASES, *renamed, *(f"m{n}" for n in range(len(renamed)))] if alias not in taken]
    names = dict(zip(renamed, rng.sample(sorted(set(free)), len(renamed)), strict=True))
    changed: DocumentNode = visit(document, _Renamer(names, rng.choice((0, 0, 1, 2, 3))))
    text = print_ast(changed)
    if rng.random() < 0.3:
        text = strip_ignored_characters(text)
    return RandomOperation(f"{text} # {rng.random()}", operation.variables)


async def differences_of(seed: int, operations: int) -> AsyncIterator[Difference | None]:
    """For each random operation over the seed's graph: None, or how an answer to one of the texts like it differs."""
    composed = composed_trial(seed)
    if composed is None:
        return
    trial, graph = composed
    oracle = Monolith(graph.graph.api_schema, trial.world)
    rng = Random(f"{seed}/alike")
    for index in range(operations):
        operation = random_operation(graph.graph.api_schema, Random(f"{seed}/{index}"))
        for asked in (operation, alike(operation, rng), alike(operation, rng), alike(operation, rng)):
            for _ in range(2):  # the second time by a plan of its own
                received = await answer_or_crash(_answer(graph, asked))
                expected = oracle.answer(asked.text, asked.variables)
                if not is_too_large(received) and not agree(expected, received):
                    yield Difference(trial, asked, expected, received)
                    return
        yield await _difference_in_trouble(trial, graph, alike(operation, rng), rng)


async def _difference_in_trouble(
    trial: Trial, graph: FederatedGraph, operation: RandomOperation, rng: Random
) -> Difference | None:
    """Whether the first answer, by a plan for several texts, and the second tell the same where a subgraph fails."""
    kind = rng.choice([*CORRUPTIONS, "status", "disconnect", "not_json", "truncated"])
    failures = {rng.choice(sorted(graph.stubs)): FailureMode(kind)}
    shared = await answer_or_crash(_answer(graph, operation, failures))
    own = await answer_or_crash(_answer(graph, operation, failures))
    if _told(shared) == _told(own):
        return None
    return Difference(trial, operation, own, {f"by a plan for several texts, {failures}": shared})


def _told(answer: JsonObject) -> tuple[str, list[str]]:
    """Data in their order, errors in any: of requests that are under way together either may fail first."""
    return json.dumps(answer.get("data")), sorted(map(json.dumps, answer.get("errors") or ()))


async def _answer(
    graph: FederatedGraph, operation: RandomOperation, failures: dict[str, FailureMode] | None = None
) -> JsonObject:
    return await graph.answer(operation.text, operation.variables, override_labels=ACTIVE_LABELS, failures=failures)


if __name__ == "__main__":
    LongRun("operations", "differences", differences_of, default=5_000, per_graph=8).main(__doc__)
