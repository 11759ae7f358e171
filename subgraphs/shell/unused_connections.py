"""SQLAlchemy's connections that nobody uses any more are closed: its pools grow and never shrink by themselves.

What a start or a rush opened at once is 1.5 to 8 MB of Postgres each, for as long as the process lives. `database` has one for each engine;
the loaders' pool sees to its own.
"""

from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn


class UnusedConnections:
    """Of one engine, all of them or none: of those that are in use by turns, nobody can tell which one is too many."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._is_used = False
        event.listen(engine.sync_engine, "checkout", self._note_use)

    async def close(self) -> None:
        """If nobody took one since the last call."""
        pool = self._engine.pool
        was_used, self._is_used = self._is_used, False
        if was_used or pool.checkedout() or not pool.checkedin():  # type: ignore[attr-defined]  # it is always a QueuePool
            return
        await self._engine.dispose(close=False)  # it has a new pool before anybody can take what is closed here
        await greenlet_spawn(pool.dispose)

    def _note_use(self, *_: Any) -> None:
        self._is_used = True
