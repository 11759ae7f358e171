"""A Redis client for a cache or a channel that one can do without: it gives up soon, and loses no cancellation.

`server.app` opens one for the router, and each subgraph's shell one for itself.
"""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError  # noqa: A004 - its callers expect this one

#: How uvloop says that the connection was lost, until everybody has been told.
_CLOSED = "the handler is closed"


def open_redis(url: str, timeout_seconds: float, **options: Any) -> Redis:
    """A client with a pool of its own, which connects when it is first used. Raises ValueError for an address that is none.

    It never tries twice by itself: a slow cache is worse than none, and a subscriber has to hear that it missed messages.
    `options` are those of redis-py.
    """
    redis: Redis = Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
        **options,
    )
    pool = redis.connection_pool
    pool.connection_class = _telling_its_ends(pool.connection_class)
    return redis


def _telling_its_ends(connection_class: type[AbstractConnection]) -> type[AbstractConnection]:
    """The same kind of connection (in the clear, by TLS, over a Unix socket) under which a cancellation is not forgotten, and
    whose loss is a ConnectionError of redis-py's always.

    redis-py sends by `asyncio.wait_for`. Python 3.11's returns as if nothing had happened where the cancellation comes in
    the moment in which its work is done, and a task that works for ever then cannot be ended (decision 0167). And uvloop raises
    a RuntimeError for what is written to a connection that was reset a moment ago, which redis-py hands on.
    """

    class TellingItsEnds(connection_class):  # type: ignore[misc, valid-type]  # one of three, known when it runs
        async def send_packed_command(self, *arguments: Any, **keywords: Any) -> None:
            task = asyncio.current_task()
            before = task.cancelling() if task is not None else 0
            try:
                await super().send_packed_command(*arguments, **keywords)
            except RuntimeError as error:
                if _CLOSED not in str(error):
                    raise
                raise ConnectionError(f"Error while writing to socket. {error}.") from error
            finally:
                if task is not None and task.cancelling() > before:
                    await self.disconnect(nowait=True)  # nobody will read the answer of what was sent
                    raise asyncio.CancelledError

    TellingItsEnds.__name__ = connection_class.__name__
    return TellingItsEnds
