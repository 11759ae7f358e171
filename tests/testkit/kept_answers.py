"""Random operations over the entity cache: what is kept of one answer must do for another, and for no other.

Run by `tests/integration/router/test_entity_cache_at_random.py` for a few dozen graphs, and for many by
`python -m tests.testkit.kept_answers --operations 5000`, which starts a Redis-protocol server of its own.
"""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from random import Random
from typing import Any

from redis.asyncio import Redis

from router.access.caller import Caller
from router.cache_policy import CacheHints
from router.entity_cache.cache import EntityCache
from router.entity_cache.store import EntityStore
from router.redis_client import open_redis
from router.settings import EntityCache as EntityCacheSettings
from tests.testkit.differences import TOO_LARGE, Difference, agree, make_trial
from tests.testkit.federated_graph import CompositionFailedError, FederatedGraph
from tests.testkit.long_run import LongRun
from tests.testkit.monolith import Monolith
from tests.testkit.random_operation import RandomOperation, random_operation
from tests.testkit.servers import Valkey

LABELS = frozenset({"on_beta"})
#: What several subgraphs add to a type is private, and not kept for those whom nobody knows.
SOMEBODY = Caller("somebody")


async def differences_of(redis_url: str, seed: int, operations: int) -> AsyncIterator[Difference | None]:
    """Asks some operations over the seed's graph, and then all of them again, from what was kept of each."""
    trial = make_trial(seed)
    if trial is None:
        return
    try:
        graph = trial.compose()
    except CompositionFailedError:
        return  # what `differences` is about
    schema = graph.graph.api_schema
    oracle = Monolith(schema, trial.world)
    asked = [random_operation(schema, Random(f"{seed}/{index}")) for index in range(operations)]
    async with open_redis(redis_url, 5.0) as redis:
        await redis.flushdb()
        cache = _cache_of(graph, redis)
        for operation in (*asked, *reversed(asked)):
            expected = oracle.answer(operation.text, operation.variables)
            received = await _answer(graph, operation, cache)
            codes = {error.get("extensions", {}).get("code") for error in received.get("errors") or ()}
            if not codes & TOO_LARGE and not agree(expected, received):
                yield Difference(trial, operation, expected, received)
                return
            yield None


async def _answer(graph: FederatedGraph, operation: RandomOperation, cache: EntityCache) -> Any:
    try:
        answer = await graph.answer(
            operation.text, operation.variables, override_labels=LABELS, entity_cache=cache, caller=SOMEBODY
        )
    except Exception:
        return {"data": "CRASH", "errors": [{"message": traceback.format_exc(limit=-3)}]}
    return answer


def _cache_of(graph: FederatedGraph, redis: Redis) -> EntityCache:
    supergraph = graph.graph.supergraph
    assert supergraph is not None
    settings = EntityCacheSettings(enabled=True, default_max_age_seconds=60, key_prefix="random", settling_seconds=0)
    hints = CacheHints.from_sdl(graph.supergraph_sdl, graph.graph.api_schema)
    return EntityCache(EntityStore(settings, redis), hints, supergraph)


async def _told(found: Difference) -> str:
    return str(found)


if __name__ == "__main__":
    server = Valkey()
    server.start()
    try:
        LongRun(
            "operations", "differences", lambda seed, count: differences_of(server.url, seed, count), _told,
            default=5_000, per_graph=8,
        ).main(__doc__)  # fmt: skip
    finally:
        server.kill()
