"""Subscriptions whose events subgraphs bring by HTTP POST, and what waits for their clients.

`callback_source` opens them; `server.callbacks` hands in what comes. One inbox for all of a process, however often its settings
are loaded again.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from typing import Any

from router.errors import SubgraphTimeoutError
from router.transport.subscription_source import Payload, TooManyStreamsError
from router.transport.waiting_events import WaitingEvents

#: Events of one subscription that may wait for its client. In bytes, all of them may be as large as one.
MAX_WAITING = 256
#: One check may come late, or be lost, before a subscription counts as over.
HEARTBEATS = 2


class CallbackInbox:
    """The subscriptions that are open, by their ids."""

    def __init__(self, heartbeat_seconds: float, max_open: int, max_waiting_bytes: int) -> None:
        self.heartbeat_seconds = heartbeat_seconds
        self.worker = ""  # of several: the name that ids begin with
        self._max_open = max_open
        self._max_waiting_bytes = max_waiting_bytes
        self._open: dict[str, CallbackSubscription] = {}

    def open(self, subgraph: str) -> CallbackSubscription:
        """A new one, which whoever asked for it ends with `close`. Raises TooManyStreamsError."""
        if len(self._open) >= self._max_open:
            message = "The router has as many subscriptions open as it may; try again later."
            raise TooManyStreamsError(message, subgraph)
        name = f"{self.worker}-{secrets.token_hex(16)}" if self.worker else secrets.token_hex(16)
        subscription = self._open[name] = CallbackSubscription(self, name, subgraph, self._max_waiting_bytes)
        return subscription

    def find(self, subscription_id: str) -> CallbackSubscription | None:
        return self._open.get(subscription_id)

    def close(self, subscription: CallbackSubscription) -> None:
        """From now on nobody knows its id."""
        self._open.pop(subscription.id, None)


class CallbackSubscription:
    """One subscription: `verifier` is what messages about it have to know; the rest is what they did."""

    def __init__(self, inbox: CallbackInbox, subscription_id: str, subgraph: str, max_waiting_bytes: int) -> None:
        self.id = subscription_id
        self.verifier = secrets.token_urlsafe(32)
        self.is_confirmed = False  # somebody has shown that callbacks arrive
        self._inbox = inbox
        self._subgraph = subgraph
        self._waiting = WaitingEvents[Payload](subgraph, MAX_WAITING, max_waiting_bytes)
        self._silence_ends = 0.0

    def is_known_to(self, verifier: str) -> bool:
        return hmac.compare_digest(self.verifier.encode(), verifier.encode("utf-8", "surrogatepass"))

    def note_alive(self) -> None:
        """The subgraph said anything at all."""
        self.is_confirmed = True
        self._silence_ends = asyncio.get_running_loop().time() + HEARTBEATS * self._inbox.heartbeat_seconds

    def take(self, payload: Payload, size: int) -> bool:
        """Whether the event waits now; otherwise the subscription has ended, for its client is too slow."""
        if self._waiting.take(payload, size):
            return True
        self.close()
        return False

    def complete(self, errors: list[Any]) -> None:
        """The stream's end, or its failure where there are errors. What waits is told before."""
        self._waiting.end(last={"data": None, "errors": errors} if errors else None)
        self.close()

    def close(self) -> None:
        self._inbox.close(self)

    async def next(self) -> Payload | None:
        """What waits comes first, then the failure, or None at the end. Raises SubgraphTimeoutError after too long a silence
        and SubscriberTooSlowError.
        """
        while True:
            try:
                async with asyncio.timeout_at(self._silence_ends if self._inbox.heartbeat_seconds else None):
                    return await self._waiting.next()
            except TimeoutError:
                if asyncio.get_running_loop().time() >= self._silence_ends:
                    message = "The subgraph did not tell in time that the subscription goes on."
                    self._waiting.end(SubgraphTimeoutError(message, self._subgraph))
                    self.close()
