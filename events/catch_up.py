"""Projections brought up to their sources without the broker: for histories that are loaded at once. Called by `sample_data`.

What is handed over is what the consumer would have handed over, through the same inbox: where the broker tells it later, it
is known, and what is newer wins. So nothing here replaces the consumer; it is only overtaken.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from events.consumer import Subscription, project_newer
from events.sources import Sources


async def catch_up(subscription: Subscription, engine: AsyncEngine, sources: Sources, user_ids: Sequence[str]) -> int:
    """Project what the sources tell of these people and the group has not handled; returns how many aggregates that were.

    All in one transaction of the group's own database, whose `engine` this is. Raises what the handler raises.
    """
    envelopes = [
        envelope for user_id in user_ids for envelope in await sources.newest_events(user_id, subscription.topics)
    ]
    if not envelopes:
        return 0
    async with engine.begin() as connection:
        newer, after_commit = await project_newer(subscription, connection, envelopes)
    if after_commit is not None:
        await after_commit()
    return len(newer)
