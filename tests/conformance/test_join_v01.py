"""Random graphs told as federation 1's supergraphs were: join v0.1 leaves much unsaid, and the answers are the same."""

from __future__ import annotations

from random import Random

import pytest

from tests.testkit.differences import difference, make_trial
from tests.testkit.federated_graph import CompositionFailedError, FederatedGraph
from tests.testkit.join_v01 import as_join_v01
from tests.testkit.random_operation import random_operation
from tests.testkit.random_sdl import print_subgraphs

#: Of these graphs, a few use nothing that federation 1 had no words for.
SEEDS = range(1, 801)
OPERATIONS_PER_GRAPH = 3
ENOUGH = 8


async def test_a_random_graph_of_join_v0_1_answers_as_one_server_would() -> None:
    told = 0
    for seed in SEEDS:
        trial = make_trial(seed)
        try:
            composed = trial.compose() if trial is not None else None
        except CompositionFailedError:
            continue
        text = as_join_v01(composed.supergraph_sdl) if composed is not None else None
        if trial is None or text is None:
            continue
        told += 1
        graph = FederatedGraph.from_supergraph(text, print_subgraphs(trial.supergraph), trial.world)
        for index in range(OPERATIONS_PER_GRAPH):
            operation = random_operation(graph.graph.api_schema, Random(f"{seed}/{index}/v0.1"))
            found = await difference(trial, graph, operation)
            if found is not None:
                pytest.fail(str(found))
        if told == ENOUGH:
            return
    pytest.fail(f"only {told} graphs could be told")
