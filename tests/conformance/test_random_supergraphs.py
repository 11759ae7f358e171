"""Random graphs over 2-5 subgraphs, random operations: the federated answer must be the monolith's.

The long run is `python -m tests.testkit.differences --operations 10000`; it prints a small reproduction and the seed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random, SystemRandom

import pytest

from tests.testkit.differences import Trial, difference, differences_of, make_trial
from tests.testkit.failure_modes import CORRUPTIONS, FailureMode
from tests.testkit.federated_graph import FederatedGraph
from tests.testkit.incremental_client import merge_former_payloads, merge_payloads
from tests.testkit.random_deferral import deferring, with_other_values
from tests.testkit.random_operation import RandomOperation, random_operation
from tests.testkit.shrink import shrink
from tests.testkit.world import JsonObject

SEEDS = range(1, 49)
OPERATIONS_PER_GRAPH = 8


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_random_graph_answers_as_one_server_would(seed: int) -> None:
    async for result in differences_of(seed, OPERATIONS_PER_GRAPH):
        if result is not None:
            pytest.fail(str(await shrink(result)))


@pytest.mark.parametrize("seed", range(201, 213))
async def test_types_that_are_alike_answer_the_same_when_they_are_planned_together(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of interfaces with very many members, of which random graphs have none."""
    monkeypatch.setattr("router.planner.alike.MIN_GROUP", 2)
    monkeypatch.setattr("router.planner.build.MIN_GROUP", 2)
    async for result in differences_of(seed, OPERATIONS_PER_GRAPH):
        if result is not None:
            pytest.fail(str(await shrink(result)))


def _deferring_operations(seed: int, number: int) -> Iterator[tuple[Trial, FederatedGraph, RandomOperation, Random]]:
    """Of so many random operations on the seed's graph those in which something can be deferred, with what draws on."""
    trial, rng = make_trial(seed), Random(seed)
    if trial is None:
        return
    graph = trial.compose()
    for _ in range(number):
        operation = deferring(random_operation(graph.graph.api_schema, rng), graph.graph.api_schema, rng)
        if operation is not None:
            yield trial, graph, operation, rng


@pytest.mark.parametrize("seed", [101, *range(103, 113)])  # these compose
async def test_pieces_follow_their_format_whatever_a_subgraph_does(seed: int) -> None:
    """What the merging client raises for pieces out of place, told twice or never told is the failure here."""
    for _, graph, operation, rng in _deferring_operations(seed, 4):
        kind = rng.choice([*CORRUPTIONS, "status", "disconnect", "not_json", "truncated"])
        failures = {rng.choice(sorted(graph.stubs)): FailureMode(kind)}
        for merge in (merge_payloads, merge_former_payloads):
            payloads = await graph.payloads(
                operation.text, operation.variables, former=merge is merge_former_payloads, failures=failures
            )
            merged = merge(payloads) if "hasNext" in payloads[0] else payloads[0]
            assert "data" in merged, (kind, operation.text)


@pytest.mark.parametrize("seed", [101, *range(103, 113)])
async def test_pieces_are_the_same_when_their_code_is_compiled(seed: int) -> None:
    """From the second time on: the first is the plain projection's. One subgraph or none fails, in a way that repeats itself."""
    for _, graph, operation, rng in _deferring_operations(seed, OPERATIONS_PER_GRAPH):
        kind, failing = rng.choice([None, *CORRUPTIONS]), rng.choice(sorted(graph.stubs))
        failures = {failing: FailureMode(kind)} if kind is not None else {}
        for former in (False, True):
            plain, *others = [
                await graph.payloads(operation.text, operation.variables, former=former, failures=failures)
                for _ in range(3)
            ]
            for other in others:
                assert sorted(map(json.dumps, _told(other))) == sorted(map(json.dumps, _told(plain))), operation.text


def _told(payloads: list[JsonObject]) -> Iterator[JsonObject]:
    """What all payloads say, without their order: parts come as their subgraphs answer. The ids of pieces follow that order."""
    for payload in payloads:
        yield {"data": payload.get("data"), "errors": payload.get("errors")}
        yield from (_without_id(each) for each in payload.get("incremental", ()))
        yield from (_without_id(each) for each in payload.get("completed", ()))


def _without_id(told: JsonObject) -> JsonObject:
    return {name: value for name, value in told.items() if name != "id"}


@pytest.mark.parametrize("seed", [101, *range(103, 113)])
async def test_what_comes_later_follows_the_variables_of_each_request(seed: int) -> None:
    """Whatever was asked before in the same words."""
    for trial, graph, operation, rng in _deferring_operations(seed, OPERATIONS_PER_GRAPH):
        other = with_other_values(operation, rng)
        for asked in (operation, other, operation, other) if other.variables != operation.variables else ():
            assert await difference(trial, graph, asked) is None


async def test_graphs_that_nobody_has_seen_do_so_too() -> None:
    """Other ones at every run; a difference names its seed."""
    for _ in range(6):
        async for result in differences_of(SystemRandom().randrange(10**9), OPERATIONS_PER_GRAPH):
            if result is not None:
                pytest.fail(str(await shrink(result)))


PRINT_TRIALS = """
from tests.testkit.differences import make_trial
from tests.testkit.random_sdl import print_subgraphs
for seed in range(100, 140):
    if trial := make_trial(seed):
        print(print_subgraphs(trial.supergraph), trial.world.objects, trial.world.roots)
"""


def test_a_seed_that_was_told_gives_the_same_graph_and_facts_in_every_process() -> None:
    printing = [
        subprocess.Popen(
            [sys.executable, "-c", PRINT_TRIALS],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONHASHSEED": seed},  # in which order sets are walked
            stdout=subprocess.PIPE,
        )
        for seed in ("0", "2")
    ]
    one, other = (process.communicate()[0] for process in printing)
    assert one
    assert one == other
