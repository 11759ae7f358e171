"""Sessions that ended before their access tokens did: every process of every subgraph refuses those tokens.

The users database is the truth, and an event tells the others, whose databases keep what they were told; so a restart of
anything reads the set anew. Redis only hastens it. Each process holds the set in memory, so that a request asks nobody,
and adds to it: nothing takes a session out but the time after which no token of it can hold.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from functools import partial
from math import inf
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from events.contracts.users import SessionEnded
from events.fanout import EVERYTHING
from events.supervision import Loop, Loops
from events.topics import USERS_SESSION
from events.upcast import read_payload
from subgraphs.shell.database import Database
from subgraphs.shell.hastening import hasten
from subgraphs.shell.read_pool import Reader

if TYPE_CHECKING:
    from events.consumer import AfterCommit, Subscription
    from events.envelope import Envelope
    from events.fanout import Fanout

_log = structlog.get_logger("subgraphs.shell.revocation")

CHANNEL = "ended-sessions"
PATH = "/ended-sessions"
READ_EVERY_SECONDS = 2.0
# Clocks of several machines differ; and a session is remembered for longer than its last token holds.
_SLACK_SECONDS = 300

# Run by the events' own line of migrations, in every subgraph's database.
ENDED_SESSION_DDL: tuple[str, ...] = (
    "CREATE TABLE ended_session (session_id text PRIMARY KEY, ended_at timestamptz NOT NULL)",
    "CREATE INDEX ended_session_by_time ON ended_session (ended_at)",
)
_KEEP = text(
    "INSERT INTO ended_session (session_id, ended_at) SELECT id, at"
    " FROM unnest(CAST(:ids AS text[]), CAST(:times AS timestamptz[])) AS ended (id, at) ON CONFLICT DO NOTHING"
)
_READ = text(
    "SELECT session_id, extract(epoch FROM ended_at)::float AS ended_at FROM ended_session"
    " WHERE ended_at > now() - make_interval(secs => :seconds)"
)
_FORGET = text("DELETE FROM ended_session WHERE ended_at < now() - make_interval(secs => :seconds)")


class RevokedSessions:
    """The set in this process. `watch` must run for it to learn what other processes know."""

    def __init__(
        self,
        database: Database | None = None,
        fanout: "Fanout | None" = None,
        token_seconds: int = 900,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        """`seconds` since the epoch are the time by which sessions end."""
        self._database = database
        self._fanout = fanout
        self._remember_seconds = token_seconds + _SLACK_SECONDS
        self._seconds = seconds
        self._ended_at: dict[str, float] = {}
        self._known_since: dict[
            str, float
        ] = {}  # by the monotonic clock, which never leaps past what must be remembered
        self._read_at: float | None = seconds() if database is None else None

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._ended_at

    async def announce(self, session_ids: Iterable[str]) -> None:
        """Refuse these sessions' tokens here at once, and hasten it elsewhere. Their rows are committed already."""
        ended = list(session_ids)
        self._add(dict.fromkeys(ended, self._seconds()))
        await hasten(self._fanout, ((CHANNEL, each) for each in ended), _log, "revocation_not_hastened")

    async def tell(self, request: Request) -> Response:
        """`GET /ended-sessions?since=SECONDS`: the sessions that ended since then, and until when that is complete; 503 as long
        as the database was not read. For the router, over the net that subgraphs share: it refuses their tokens too.
        """
        try:
            since = float(request.query_params.get("since", "-inf"))
        except ValueError:
            return JSONResponse({"error": "`since` is in seconds since 1970."}, 400)
        if self._read_at is None:
            return JSONResponse({"error": "The database was not read yet."}, 503)
        at = self._read_at if self._database is not None else self._seconds()
        return JSONResponse(
            {"at": at, "ended": {key: ended for key, ended in self._ended_at.items() if ended >= since}}
        )

    async def watch(self, loops: Loops) -> None:
        """Keep the set current until cancelled: by what is announced, and by the database every two seconds."""
        loop = loops.add("revocations", patience_seconds=5 * READ_EVERY_SECONDS)

        async def session() -> None:
            while True:
                await self.read()
                loop.progress()
                await asyncio.sleep(READ_EVERY_SECONDS)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(loop.run(session))
            if self._fanout is not None:
                hearing = loops.add("revocation-news", patience_seconds=inf)  # while nobody signs out there are none
                tasks.create_task(hearing.run(partial(self._hear, self._fanout, hearing)))

    async def read(self) -> None:
        """Add what the database knows, and let go of what is too old to matter."""
        if self._database is None:
            return
        began_at = self._seconds()
        read = self._database.primary().batch_reader(_read_ended)
        ended = await read(self._remember_seconds)
        self._add(ended)
        self._read_at = began_at
        oldest = time.monotonic() - self._remember_seconds
        for session_id in [each for each, since in self._known_since.items() if since < oldest and each not in ended]:
            del self._ended_at[session_id], self._known_since[session_id]

    async def _hear(self, fanout: "Fanout", loop: Loop) -> None:
        async with aclosing(fanout.listen(CHANNEL)) as announced:
            async for session_ids in announced:
                loop.progress()
                self._add(dict.fromkeys(session_ids - {EVERYTHING}, self._seconds()))

    def _add(self, ended_at: Mapping[str, float]) -> None:
        for session_id, moment in ended_at.items():
            self._ended_at.setdefault(session_id, moment)
            self._known_since.setdefault(session_id, time.monotonic())


async def _read_ended(connection: Reader, seconds: int) -> dict[str, float]:
    rows = await connection.execute(_READ, {"seconds": seconds})
    return {session_id: ended_at for session_id, ended_at in rows}  # noqa: C416 - mypy knows of no dict() of rows


async def keep_ended(connection: AsyncConnection, ended_at: Mapping[str, datetime]) -> None:
    """Store ended sessions in this transaction."""
    await connection.execute(_KEEP, {"ids": list(ended_at), "times": list(ended_at.values())})


async def forget_ended(connection: AsyncConnection, token_seconds: int) -> int:
    """Delete the rows of sessions of which no token can hold any more; returns how many."""
    result = await connection.execute(_FORGET, {"seconds": 2 * (token_seconds + _SLACK_SECONDS)})
    return int(result.rowcount)


def with_ended_sessions(subscription: "Subscription") -> "Subscription":
    """The subscription, which also keeps what it is told of ended sessions."""
    handle = subscription.handler

    async def handler(connection: AsyncConnection, envelopes: "Sequence[Envelope]") -> "AfterCommit":
        ended: dict[str, datetime] = {}
        others: list[Envelope] = []
        for envelope in envelopes:
            payload = read_payload(envelope) if envelope.aggregate.type == SessionEnded.aggregate_type else None
            if isinstance(payload, SessionEnded):
                ended[envelope.aggregate.id] = payload.ended_at
            else:
                others.append(envelope)
        if ended:
            await keep_ended(connection, ended)
        return await handle(connection, others) if others else None

    return replace(subscription, topics=(*subscription.topics, USERS_SESSION.name), handler=handler)
