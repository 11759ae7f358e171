"""Random operations over the entity cache: what is kept of one answer must do for another, and for no other.

Run by `tests/integration/router/test_entity_cache_at_random.py` for a few dozen graphs, and for many by
`python -m tests.testkit.kept_answers --operations 5000`, which starts a Redis-protocol server of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from random import Random

from redis.asyncio import Redis

from router.access.caller import Caller
from router.cache_policy import CacheHints
from router.entity_cache.cache import EntityCache
from router.entity_cache.store import EntityStore
from router.redis_client import open_redis
from router.settings import EntityCache as EntityCacheSettings
from tests.testkit.differences import Difference, agree, answer_or_crash, composed_trial, is_too_large
from tests.testkit.federated_graph import FederatedGraph
from tests.testkit.long_run import LongRun
from tests.testkit.monolith import Monolith
from tests.testkit.random_model import ACTIVE_LABELS
from tests.testkit.random_operation import RandomOperation, random_operation
from tests.testkit.servers import Valkey
from tests.testkit.world import JsonObject

#: What several subgraphs add to a type is private, and not kept for those whom nobody knows.
SOMEBODY = Caller("somebody")


async def differences_of(redis_url: str, seed: int, operations: int) -> AsyncIterator[Difference | None]:
    """Asks some operations over the seed's graph, and then all of them again, from what was kept of each."""
    composed = composed_trial(seed)
    if composed is None:
        return
    trial, graph = composed
    schema = graph.graph.api_schema
    oracle = Monolith(schema, trial.world)
    asked = [random_operation(schema, Random(f"{seed}/{index}")) for index in range(operations)]
    async with open_redis(redis_url, 5.0) as redis:
        await redis.flushdb()
        cache = _cache_of(graph, redis)
        for operation in (*asked, *reversed(asked)):
            expected = oracle.answer(operation.text, operation.variables)
            received = await answer_or_crash(_answer(graph, operation, cache))
            if not is_too_large(received) and not agree(expected, received):
                yield Difference(trial, operation, expected, received)
                return
            yield None


def _answer(graph: FederatedGraph, operation: RandomOperation, cache: EntityCache) -> Awaitable[JsonObject]:
    return graph.answer(
        operation.text, operation.variables, override_labels=ACTIVE_LABELS, entity_cache=cache, caller=SOMEBODY
    )


def _cache_of(graph: FederatedGraph, redis: Redis) -> EntityCache:
    supergraph = graph.graph.supergraph
    assert supergraph is not None
    settings = EntityCacheSettings(enabled=True, default_max_age_seconds=60, key_prefix="random", settling_seconds=0)
    hints = CacheHints.from_sdl(graph.supergraph_sdl, graph.graph.api_schema)
    return EntityCache(EntityStore(settings, redis), hints, supergraph)


if __name__ == "__main__":
    server = Valkey()
    server.start()
    try:
        LongRun(
            "operations", "differences", lambda seed, count: differences_of(server.url, seed, count),
            default=5_000, per_graph=8,
        ).main(__doc__)  # fmt: skip
    finally:
        server.kill()
