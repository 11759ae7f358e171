"""Random operations, each also under other aliases and in another layout: see `tests.testkit.alike_texts`.

The long run is `python -m tests.testkit.alike_texts --operations 5000`; it prints the operation, both answers and the seed.
"""

from __future__ import annotations

from random import SystemRandom

import pytest

from tests.testkit.alike_texts import differences_of

OPERATIONS_PER_GRAPH = 4


@pytest.mark.parametrize("seed", [101, *range(103, 113)])  # these compose
async def test_each_text_is_answered_in_its_own_names(seed: int) -> None:
    async for difference in differences_of(seed, OPERATIONS_PER_GRAPH):
        if difference is not None:
            pytest.fail(str(difference))


async def test_texts_that_nobody_has_written_are_too() -> None:
    """Other ones at every run; a difference names its seed."""
    for _ in range(3):
        async for difference in differences_of(SystemRandom().randrange(10**9), OPERATIONS_PER_GRAPH):
            if difference is not None:
                pytest.fail(str(difference))
