"""Counts failed sign-ins in Redis, so that nobody guesses passwords. Without Redis nothing is counted, and all may try."""

import hashlib
from typing import TYPE_CHECKING

import structlog

from subgraphs.errors import RateLimitedError

if TYPE_CHECKING:
    from redis.asyncio import Redis

_log = structlog.get_logger("users.attempts")

MOST_FAILURES = 10
WINDOW_SECONDS = 300


async def refuse_too_many(redis: "Redis | None", subject: str) -> None:
    """Raises RateLimitedError while the window's failures are used up."""
    if redis is None:
        return
    try:
        failures = int(await redis.get(_key(subject)) or 0)
        remaining = await redis.ttl(_key(subject)) if failures >= MOST_FAILURES else 0
    except OSError as error:
        _log.warning("attempts_not_counted", reason=str(error))
        return
    if failures >= MOST_FAILURES:
        raise RateLimitedError("Too many failed attempts. Try again later.", retry_after_seconds=max(1, int(remaining)))


async def count_failure(redis: "Redis | None", subject: str) -> None:
    if redis is None:
        return
    try:
        async with redis.pipeline(transaction=True) as pipeline:
            pipeline.incr(_key(subject))
            pipeline.expire(_key(subject), WINDOW_SECONDS, nx=True)
            await pipeline.execute()
    except OSError as error:
        _log.warning("attempts_not_counted", reason=str(error))


async def forget_failures(redis: "Redis | None", subject: str) -> None:
    if redis is None:
        return
    try:
        await redis.delete(_key(subject))
    except OSError as error:
        _log.warning("attempts_not_counted", reason=str(error))


def _key(subject: str) -> str:
    """No address is kept in the clear."""
    return "attempts:" + hashlib.sha256(subject.encode()).hexdigest()
