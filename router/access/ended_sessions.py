"""Sessions that ended before their tokens did, as the subgraph that issues tokens tells: their tokens are refused here too.

`server.app` runs `follow` and tells where the subgraph is; `authentication` asks. Without this a subgraph refuses such a token,
but what a cache here holds for its caller would still be answered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from ssl import SSLContext
from typing import Any
from weakref import WeakValueDictionary

import aiohttp
import msgspec
import structlog

from router.access.caller import Caller
from router.bounded_body import read_at_most
from router.service_clock import ServiceClock
from router.settings import EndedSessions as EndedSessionsSettings

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 2.0
MAX_BYTES = 32 * 1024 * 1024
#: A transaction that ends a session may be seen later than the time that it was given.
OVERLAP_SECONDS = 30.0


class Told(msgspec.Struct):
    """`at` and the times are seconds since the epoch, by the subgraph's clock."""

    at: float
    ended: dict[str, float]


class EndedSessions:
    """The set in this process. It is only added to; nothing takes a session out but the time after which no token holds."""

    def __init__(
        self,
        settings: EndedSessionsSettings,
        address: Callable[[], str],
        tls: SSLContext | None = None,
        clock: ServiceClock | None = None,
    ) -> None:
        """`address` is the URL at which the subgraph tells. `clock` is compared with the subgraph's whenever it does."""
        self.clock = clock or ServiceClock()
        self._settings = settings
        self._address = address
        self._tls = tls
        self._ended_at: dict[str, float] = {}  # by the subgraph's clock
        self._known_since: dict[
            str, float
        ] = {}  # by the monotonic clock, which never leaps past what must be remembered
        self._read_until: float | None = None  # by the subgraph's clock; None: nothing was read yet
        self._is_heard = True
        self._waiting: WeakValueDictionary[str, asyncio.Future[None]] = WeakValueDictionary()

    def has(self, caller: Caller) -> bool:
        """Whether the caller's session is over."""
        return bool(self._ended_at) and self._session_of(caller) in self._ended_at

    def ending(self, caller: Caller) -> asyncio.Future[None] | None:
        """Done once the caller's session is over; None for a caller without one. Shared: not to be cancelled."""
        session = self._session_of(caller)
        if session is None:
            return None
        future = self._waiting.get(session)
        if future is None:
            future = self._waiting[session] = asyncio.get_running_loop().create_future()
            if session in self._ended_at:
                future.set_result(None)
        return future

    def _session_of(self, caller: Caller) -> str | None:
        session = caller.claims.get(self._settings.claim)
        return session if isinstance(session, str) else None

    async def follow(self) -> None:
        """Asks again and again, for ever."""
        while True:
            await asyncio.sleep(self._settings.refresh_seconds)
            await self.read()

    async def read(self) -> None:
        """Once, from whatever was read before. Where nobody tells, what is known stays."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                told = await self._ask()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            if self._is_heard:
                log.warning("ended_sessions_not_read", reason=repr(error))
            self._is_heard = False
            return
        self._is_heard = True
        self._read_until = told.at
        if self.clock.is_in_doubt:
            self.clock.compare(told.at)
        self._add(told.ended)
        oldest = time.monotonic() - self._settings.remember_seconds
        for session in [each for each, since in self._known_since.items() if since < oldest]:
            del self._ended_at[session], self._known_since[session]

    def _add(self, ended: dict[str, float]) -> None:
        for session, ended_at in ended.items():
            if session not in self._ended_at:
                self._ended_at[session] = ended_at
                self._known_since[session] = time.monotonic()
                future = self._waiting.get(session)
                if future is not None and not future.done():
                    future.set_result(None)

    async def _ask(self) -> Told:
        """Raises ValueError for what is no answer."""
        since = {} if self._read_until is None else {"since": f"{self._read_until - OVERLAP_SECONDS:.3f}"}
        options: dict[str, Any] = {"params": since} | ({"ssl": self._tls} if self._tls is not None else {})
        async with aiohttp.ClientSession() as session, session.get(self._address(), **options) as response:
            response.raise_for_status()
            body = await read_at_most(response, MAX_BYTES)
        return msgspec.json.decode(body, type=Told)
