"""Random rights over random graphs: see `tests.testkit.rights` for what must hold whoever asks.

The long run is `python -m tests.testkit.rights --operations 10000`; it prints the operation, the rights and the seed.
"""

from __future__ import annotations

from random import SystemRandom

import pytest

from tests.testkit.rights import leaks_of

SEEDS = range(1, 19)
OPERATIONS_PER_GRAPH = 6


@pytest.mark.parametrize("seed", SEEDS)
async def test_nobody_is_told_what_is_withheld_and_all_else_is_there(seed: int) -> None:
    async for leak in leaks_of(seed, OPERATIONS_PER_GRAPH):
        if leak is not None:
            pytest.fail(str(leak))


async def test_rights_that_nobody_has_seen_hold_too() -> None:
    """Other ones at every run; a leak names its seed."""
    for _ in range(3):
        async for leak in leaks_of(SystemRandom().randrange(10**9), OPERATIONS_PER_GRAPH):
            if leak is not None:
                pytest.fail(str(leak))
