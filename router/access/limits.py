"""How much one operation and one caller may ask for. Structural bounds are checked by `operation.document`.

`server.front_door` counts every operation here before it reads the document.
"""

from __future__ import annotations

import time
from typing import ClassVar

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import Redis

from router.access.caller import Caller
from router.errors import RequestError
from router.operation import DocumentLimits
from router.settings import Limits

log = structlog.get_logger(__name__)


class RateLimitedError(RequestError):
    """`retry_after_seconds` is a whole number, at least 1."""

    code: ClassVar[str] = "RATE_LIMITED"
    status: ClassVar[int] = 429

    def __init__(self, rate: str, retry_after_seconds: int) -> None:
        super().__init__(
            f"More than {rate}; try again in {retry_after_seconds} s.",
            extensions={"retryAfterSeconds": retry_after_seconds},
        )
        self.retry_after_seconds = retry_after_seconds


def document_limits(limits: Limits) -> DocumentLimits:
    return DocumentLimits(
        tokens=limits.tokens,
        depth=limits.depth,
        aliases=limits.aliases,
        fields=limits.fields,
        root_fields=limits.root_fields,
        directives=limits.directives,
        variable_values=limits.variable_values,
    )


class RateLimiter:
    """Counts operations by user, or by address for anonymous callers; shared by all routers that share a Redis.

    A Redis that is down lets everybody pass: refusing all clients would be the worse failure.
    """

    def __init__(self, rate: str, redis_url: str | None = None, redis: Redis | None = None) -> None:
        """`redis` is the client of `redis_url`, whose connections are shared and closed by whoever made it."""
        self.rate: RateLimitItem | None = parse(rate) if rate else None
        self._storage: Storage = MemoryStorage()
        if self.rate is not None and redis_url and redis is not None:
            self._storage = RedisStorage(
                f"async+{redis_url}",
                wrap_exceptions=True,
                connection_pool=redis.connection_pool,  # type: ignore[arg-type] # coredis's is meant too
                implementation="redispy",
            )
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    @property
    def is_on(self) -> bool:
        return self.rate is not None

    async def count(self, caller: Caller, address: str) -> None:
        """Raises RateLimitedError."""
        if self.rate is None:
            return
        who = f"user:{caller.identity}" if caller.identity is not None else f"address:{address}"
        try:
            if await self._limiter.hit(self.rate, who):
                return
            window = await self._limiter.get_window_stats(self.rate, who)
        except StorageError as error:
            log.warning("rate_limit_not_counted", reason=repr(error))
            return
        raise RateLimitedError(str(self.rate), max(1, round(window.reset_time - time.time())))
