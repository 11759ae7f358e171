"""Sessions that ended before their access tokens did. Users announces them; every subgraph refuses their tokens.

The set lives in Redis until the last such token expires, and in memory here, so that a request asks nobody. Without
Redis an access token is good until it expires, a quarter of an hour by default.
"""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from events.fanout import Fanout

_log = structlog.get_logger("subgraphs.revocation")

_KEY = "revoked-sessions"


class RevokedSessions:
    """The copy of the set in this process. `watch` must run for it to hear of the others' announcements."""

    def __init__(
        self, redis: "Redis | None" = None, fanout: "Fanout | None" = None, remember_seconds: int = 900
    ) -> None:
        self._redis = redis
        self._fanout = fanout
        self._remember_seconds = remember_seconds
        self._known: frozenset[str] = frozenset()

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._known

    async def announce(self, session_ids: Iterable[str]) -> None:
        """Refuse these sessions' tokens here at once, and everywhere as soon as Redis tells."""
        ended = list(session_ids)
        self._known |= frozenset(ended)
        if self._redis is None or self._fanout is None or not ended:
            return
        until = time.time() + self._remember_seconds
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.zadd(_KEY, dict.fromkeys(ended, until))
                pipeline.expire(_KEY, self._remember_seconds)
                await pipeline.execute()
            await self._fanout.publish([(_KEY, "changed")])
        except OSError as error:
            _log.warning("revocation_not_announced", reason=str(error))

    async def watch(self) -> None:
        """Keep the copy current until cancelled."""
        if self._fanout is None:
            return
        async for _ in self._fanout.listen(_KEY):
            try:
                await self._read()
            except OSError as error:  # the next message, or the reconnect, reads it again
                _log.warning("revocations_not_read", reason=str(error))

    async def _read(self) -> None:
        if self._redis is None:
            return
        await self._redis.zremrangebyscore(_KEY, "-inf", time.time())
        members: Any = await self._redis.zrange(_KEY, 0, -1)
        self._known = frozenset(member.decode() for member in members)
