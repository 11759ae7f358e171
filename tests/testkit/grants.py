"""Grants as a subgraph that only hears of them is told: that there is one, by events, and over Redis that one ended.

For integration tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from events.envelope import Aggregate, Envelope, Payload, encode_payload, new_id
from events.fanout import Fanout
from events.supervision import Loops
from router.redis_client import open_redis
from subgraphs.shell.app import with_news_of_rights
from subgraphs.shell.grants import EndedGrants
from tests.testkit.servers import Valkey
from tests.testkit.subgraph import SubgraphUnderTest


async def tell(
    subgraph: SubgraphUnderTest, subscription: Callable[..., Any], *events: tuple[Payload, str, int, str]
) -> None:
    """Hand events (payload, aggregate id, version, user id) to what the process consumes: its subscription, with the rights."""
    now = datetime.now(UTC)
    envelopes = [
        Envelope(
            event_id=new_id(),
            type=type(payload).__name__,
            schema_version=1,
            aggregate=Aggregate(payload.aggregate_type, aggregate_id, version),
            user_id=user_id,
            occurred_at=now,
            recorded_at=now,
            payload=encode_payload(payload),
        )
        for payload, aggregate_id, version, user_id in events
    ]
    consumed = with_news_of_rights(subgraph.resources.settings.subgraph, subscription(None, lambda: now))
    async with subgraph.database.transaction() as transaction:
        await consumed.handler(transaction, envelopes)


@asynccontextmanager
async def hearing_of_ends(subgraph: SubgraphUnderTest, valkey: Valkey) -> AsyncIterator[EndedGrants]:
    """While the block lasts, its process hears over Redis of grants that end. What is given announces them, as users does."""
    async with open_redis(valkey.url, 2.0) as redis:
        fanout, loops = Fanout(redis), Loops()
        tasks = [
            asyncio.create_task(each)
            for each in (fanout.run(loops), EndedGrants(subgraph.database, fanout).watch(loops))
        ]
        try:
            yield EndedGrants(fanout=fanout)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
