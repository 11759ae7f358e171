"""How far the read replica is behind its primary, and whether it may be read from. Asked by `database` for each read.

A replica that is late answers as if the last minutes had not been, and says nothing of it; one that lost its primary says
that it has replayed all that it received. So the positions of both are compared, and when the primary wrote what the
replica has not replayed yet is known from here.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from time import monotonic

import asyncpg
import structlog
from prometheus_client import Gauge

_log = structlog.get_logger("subgraphs.shell.replica")

LOOK_SECONDS = 1.0
ANSWER_SECONDS = 2.0
MOST_POSITIONS = 3_600
_WRITTEN = "SELECT pg_current_wal_lsn() - '0/0'"
# Null of a server that is no replica (any more): it is its own primary, and never behind.
_REPLAYED = "SELECT pg_last_wal_replay_lsn() - '0/0' WHERE pg_is_in_recovery()"

_LAG = Gauge("database_replica_lag_seconds", "How long the replica has not replayed what its primary wrote", ["pool"])
_IN_USE = Gauge("database_replica_in_use", "1 where reads go to the replica, 0 where to the primary", ["pool"])

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class ReplicaGuard:
    """`is_fit` says whether reads may go to the replica; not before the first `look`, nor where it is too late or away."""

    def __init__(self, primary: Connect, replica: Connect, *, most_seconds: float, name: str) -> None:
        self._primary = _Question(primary, _WRITTEN)
        self._replica = _Question(replica, _REPLAYED)
        self._most_seconds = most_seconds
        self._name = name
        #: when the primary was seen at a position that the replica has not replayed yet, the oldest first
        self._not_replayed: deque[tuple[float, int]] = deque(maxlen=MOST_POSITIONS)
        self._last_written = -1
        self.is_fit = False
        self.lag_seconds = inf

    async def watch(self, progress: Callable[[], None]) -> None:
        """Look for ever."""
        while True:
            await self.look()
            progress()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """A primary that does not answer writes nothing either: what the replica has is all there is."""
        with suppress(Exception):
            written = await self._primary.ask() or 0
            if written != self._last_written:
                self._not_replayed.append((monotonic(), written))
                self._last_written = written
        try:
            replayed = await self._replica.ask()
        except Exception as failure:
            self._note(inf, f"{type(failure).__name__}: {failure}")
            return
        while self._not_replayed and (replayed is None or self._not_replayed[0][1] <= replayed):
            self._not_replayed.popleft()
        self._note(monotonic() - self._not_replayed[0][0] if self._not_replayed else 0.0, "")

    async def close(self) -> None:
        await self._primary.close()
        await self._replica.close()

    def _note(self, lag_seconds: float, reason: str) -> None:
        was_fit, self.lag_seconds = self.is_fit, lag_seconds
        self.is_fit = lag_seconds <= self._most_seconds
        _LAG.labels(self._name).set(lag_seconds)
        _IN_USE.labels(self._name).set(self.is_fit)
        if was_fit and not self.is_fit:
            _log.warning("replica_left", lag_seconds=round(lag_seconds, 1), reason=reason)
        elif self.is_fit and not was_fit:
            _log.info("replica_used", lag_seconds=round(lag_seconds, 1))


class _Question:
    """One statement over a connection of its own, which is opened again after a failure."""

    def __init__(self, connect: Connect, statement: str) -> None:
        self._connect = connect
        self._statement = statement
        self._connection: asyncpg.Connection | None = None

    async def ask(self) -> int | None:
        """Bytes since the beginning of the log. Raises what the driver does, and TimeoutError."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await self._connect()
                position = await self._connection.fetchval(self._statement)
                return None if position is None else int(position)
        except BaseException:
            if self._connection is not None:
                self._connection.terminate()
                self._connection = None
            raise

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
