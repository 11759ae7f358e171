"""News over Redis that make something known sooner; what they tell is committed already, and known without them later."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from structlog.typing import FilteringBoundLogger

if TYPE_CHECKING:
    from events.fanout import Fanout

ANNOUNCE_SECONDS = 1.0


async def hasten(
    fanout: "Fanout | None", messages: Iterable[tuple[str, str]], log: FilteringBoundLogger, otherwise: str
) -> None:
    """Publish (channel, message) pairs, if there is a Redis, and wait for it no longer than ANNOUNCE_SECONDS.

    Where that fails, `otherwise` is the log's event, and nothing else comes of it.
    """
    told = list(messages)
    if fanout is None or not told:
        return
    try:
        async with asyncio.timeout(ANNOUNCE_SECONDS):
            await fanout.publish(told)
    except (RedisError, OSError) as error:
        log.warning(otherwise, reason=f"{type(error).__name__}: {error}")
