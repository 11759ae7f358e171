"""Random subscriptions over random graphs: the federated event must be the monolith's answer.

The long run is `python -m tests.testkit.random_subscriptions --operations 5000`; it prints the seed.
"""

from __future__ import annotations

from random import SystemRandom

import pytest

from tests.testkit.random_subscriptions import differences_of

OPERATIONS_PER_GRAPH = 5


@pytest.mark.parametrize("seed", range(1, 33))
async def test_an_event_says_what_one_server_would(seed: int) -> None:
    async for result in differences_of(seed, OPERATIONS_PER_GRAPH):
        if result is not None:
            pytest.fail(str(result))


async def test_events_of_graphs_that_nobody_has_seen_do_so_too() -> None:
    """Other ones at every run; a difference names its seed."""
    for _ in range(6):
        async for result in differences_of(SystemRandom().randrange(10**9), OPERATIONS_PER_GRAPH):
            if result is not None:
                pytest.fail(str(result))
