"""A broker that the test may kill, and a pipeline over it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.testkit.event_pipeline import Pipeline, open_pipeline
from tests.testkit.servers import Broker, Postgres


@pytest.fixture
def own_broker() -> Iterator[Broker]:
    server = Broker()
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def pipeline(postgres: Postgres, own_broker: Broker) -> AsyncIterator[Pipeline]:
    async with open_pipeline(postgres, own_broker) as pipeline:
        yield pipeline
