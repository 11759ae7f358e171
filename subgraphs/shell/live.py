"""What every live field listens by: the fan-out of its process, for as long as its subscriber may hear."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from subgraphs.shell.context import Info
from subgraphs.shell.errors import LiveUpdatesOffError


async def heard(info: Info, channel: str) -> AsyncIterator[frozenset[str]]:
    """The keys told on a channel, as `Fanout.listen` gives them, at first and after each change; ends for another viewer.

    Raises LiveUpdatesOffError where the subgraph has no Redis, and UnauthenticatedError for a token that has expired meanwhile.
    """
    viewer_id = info.context.viewer.id
    fanout = info.context.resources.fanout
    if fanout is None:
        raise LiveUpdatesOffError
    async with aclosing(fanout.listen(channel)) as told:
        async for keys in told:
            if info.context.viewer.id != viewer_id:  # asking also refuses a token that has expired meanwhile
                return
            yield keys
