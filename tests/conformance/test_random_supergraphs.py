"""Random graphs over 2-5 subgraphs, random operations: the federated answer must be the monolith's.

The long run is `python -m tests.testkit.differences --operations 10000`; it prints a small reproduction and the seed.
"""

from __future__ import annotations

from random import SystemRandom

import pytest

from tests.testkit.differences import differences_of
from tests.testkit.shrink import shrink

SEEDS = range(1, 49)
OPERATIONS_PER_GRAPH = 8


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_random_graph_answers_as_one_server_would(seed: int) -> None:
    async for result in differences_of(seed, OPERATIONS_PER_GRAPH):
        if result is not None:
            pytest.fail(str(await shrink(result)))


async def test_graphs_that_nobody_has_seen_do_so_too() -> None:
    """Other ones at every run; a difference names its seed."""
    for _ in range(6):
        async for result in differences_of(SystemRandom().randrange(10**9), OPERATIONS_PER_GRAPH):
            if result is not None:
                pytest.fail(str(await shrink(result)))
