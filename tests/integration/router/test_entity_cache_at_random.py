"""Random operations over the entity cache and a real Redis-protocol server, each asked twice: see `tests.testkit.kept_answers`."""

from __future__ import annotations

from random import SystemRandom

import pytest

from tests.testkit.kept_answers import differences_of
from tests.testkit.servers import Valkey

OPERATIONS_PER_GRAPH = 5


@pytest.mark.parametrize("seed", range(1, 17))
async def test_what_is_kept_of_one_answer_does_for_others(valkey: Valkey, seed: int) -> None:
    async for result in differences_of(valkey.url, seed, OPERATIONS_PER_GRAPH):
        if result is not None:
            pytest.fail(str(result))


async def test_graphs_that_nobody_has_seen_are_answered_from_it_too(valkey: Valkey) -> None:
    """Other ones at every run; a difference names its seed."""
    for _ in range(3):
        async for result in differences_of(valkey.url, SystemRandom().randrange(10**9), OPERATIONS_PER_GRAPH):
            if result is not None:
                pytest.fail(str(result))
