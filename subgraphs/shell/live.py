"""What every live field is made of: it begins with what its subscriber may not know, and goes on with what changes.

A stream ends without its subscriber's doing, and what changes before the next one begins is told to nobody. So each
stream begins with a state, and whoever subscribes again, the router in a client's place or the client, has the last state
of everything then (decision 0181). Two kinds of fields do that. One of few things (a workout, a day, a person's goals)
tells them all as they are. One of many (all days) tells those that changed from an instant on, a little before the stream
began or as its argument `since` says.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar

import structlog

from subgraphs.shell.context import Info
from subgraphs.shell.errors import LiveUpdatesOffError
from subgraphs.shell.hastening import hasten
from subgraphs.shell.read_pool import Reader
from subgraphs.shell.repetition import patiently

#: How long before its beginning a stream without `since` begins to tell. Longer than the router takes to subscribe again:
#: an ending subgraph's ten seconds, and its own tries for three, connections that hang among them.
LOOK_BACK = timedelta(minutes=1)
#: How far a stream of changes looks back behind the newest that it or its client knows: a clock may be put back.
OVERLAP = timedelta(seconds=10)

_State = TypeVar("_State")
_Found = TypeVar("_Found")
#: One thing as it was read: which thing it is, which of its states this is, and the state.
Reading: TypeAlias = tuple[Hashable, object, _State]

_log = structlog.get_logger("subgraphs.shell.live")


async def states(info: Info, channel: str, read: Callable[[], AsyncIterator[Reading[_State]]]) -> AsyncIterator[_State]:
    """Each state that `read` finds and that this stream has not told yet, at first and after each message on the channel.

    `read` finds whatever may be news, in the order in which it is to be told. A message says only that it is worth reading,
    so messages may be lost, doubled or reordered. Ends when the token is another viewer's.

    Raises LiveUpdatesOffError where the subgraph has no Redis, and UnauthenticatedError for a token that has expired meanwhile.
    """
    told: dict[Hashable, object] = {}
    async with aclosing(_heard(info, channel)) as messages:
        async for _ in messages:
            async for thing, which, state in read():
                if thing not in told or told[thing] != which:
                    told[thing] = which
                    info.context.renew_loaders()
                    yield state


async def newest(info: Info, read: Callable[[Reader], Awaitable[_Found]]) -> _Found:
    """What `read` finds in the primary database; where that is away, once it is there again within a minute."""
    database = info.context.resources.database.primary()

    async def once() -> _Found:
        async with database.reading() as connection:
            return await read(connection)

    return await patiently(once)


def beginning(info: Info, since: datetime | None) -> datetime:
    """From when on a stream of changes tells them. `since` is of the newest change that the client knows, if it knows one.

    One that is ahead of our clock would keep changes back until the clock has come to it, so it counts as now.
    """
    now = info.context.resources.now()
    return now - LOOK_BACK if since is None else min(since, now)


async def announce(info: Info, *channels: str) -> None:
    """Tell the streams of these channels that there is something new. What is written stays written where nobody can be told."""
    messages = [(channel, "changed") for channel in channels]
    await hasten(info.context.resources.fanout, messages, _log, "change_not_told")


async def _heard(info: Info, channel: str) -> AsyncGenerator[frozenset[str]]:
    """What is told on a channel, as `Fanout.listen` gives it: at once, and after each change."""
    viewer_id = info.context.viewer.id
    fanout = info.context.resources.fanout
    if fanout is None:
        raise LiveUpdatesOffError
    async with aclosing(fanout.listen(channel)) as told:
        async for keys in told:
            if info.context.viewer.id != viewer_id:  # asking also refuses a token that has expired meanwhile
                return
            yield keys
