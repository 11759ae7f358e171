"""Random graphs of which one subgraph lies once: see `tests.testkit.lies` for what must hold whatever it says.

The long run is `python -m tests.testkit.lies --lies 20000`; it prints the lie, both answers and the seed.
"""

from __future__ import annotations

from random import SystemRandom

import pytest

from tests.testkit.lies import complaints_of

SEEDS = range(1, 25)
OPERATIONS_PER_GRAPH = 3


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_answer_stays_an_answer_and_honest_about_the_rest(seed: int) -> None:
    async for complaint in complaints_of(seed, OPERATIONS_PER_GRAPH):
        if complaint is not None:
            pytest.fail(str(complaint))


async def test_lies_that_nobody_has_heard_are_borne_too() -> None:
    """Other ones at every run; a complaint names its seed."""
    for _ in range(4):
        async for complaint in complaints_of(SystemRandom().randrange(10**9), OPERATIONS_PER_GRAPH):
            if complaint is not None:
                pytest.fail(str(complaint))
