"""One stack for all end-to-end tests that do not stop it; it is a cell of its own name, which only test_cells.py looks at."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.testkit.running_stack import RunningStack, running_stack

CELL_SECRET = "the secret that the cells of the tests share"


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    cell = {"CELL": "first", "CELL_SECRET": CELL_SECRET}
    async with running_stack(tmp_path_factory.mktemp("stack") / "data", "--no-sample-data", **cell) as stack:
        yield stack
