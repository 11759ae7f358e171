"""One stack for all end-to-end tests that do not stop it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.testkit.running_stack import RunningStack, running_stack


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    async with running_stack(tmp_path_factory.mktemp("stack") / "data", "--no-sample-data") as stack:
        yield stack
