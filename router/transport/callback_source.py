"""Subscriptions by Apollo's HTTP callback protocol, `callback/1.0`: no connection is held; the subgraph POSTs each event.

https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/callback-protocol. The subgraph is sent the operation, an
address, an id and a verifier; it POSTs a check to that address before it answers, and again every heartbeat; each event as
`next`, and the end as `complete`. `server.callbacks` takes those.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson

from router.errors import SubgraphMalformedError
from router.transport.callback_inbox import CallbackInbox, CallbackSubscription
from router.transport.protocol import SubgraphRequest
from router.transport.subscription_source import Payload, WebSocketSource

ACCEPT = "application/json;callbackSpec=1.0"


class CallbackSource:
    """A `SubscriptionSource`: for those `subgraphs` by callback; `otherwise` serves all others, and sends for this one."""

    def __init__(
        self,
        inbox: CallbackInbox,
        public_url: str,
        subgraphs: frozenset[str],
        otherwise: WebSocketSource,
        *,
        accept_timeout_seconds: float = 10.0,
    ) -> None:
        self.inbox = inbox
        self._public_url = public_url.rstrip("/")
        self._subgraphs = subgraphs
        self._otherwise = otherwise
        self._accept_timeout_seconds = accept_timeout_seconds

    def open(self, request: SubgraphRequest) -> AsyncIterator[Payload]:
        return self._told(request) if request.subgraph in self._subgraphs else self._otherwise.open(request)

    async def _told(self, request: SubgraphRequest) -> AsyncIterator[Payload]:
        """Events until the end. A client that leaves ends it, and the subgraph learns of it by the next 404."""
        subscription = self.inbox.open(request.subgraph)
        try:
            refusal = await self._begin(request, subscription)
            if refusal is not None:
                yield refusal
                return
            while (payload := await subscription.next()) is not None:
                yield payload
        finally:
            subscription.close()

    async def _begin(self, request: SubgraphRequest, subscription: CallbackSubscription) -> Payload | None:
        """None when the subgraph has accepted, otherwise what it says instead. Events may have come before its answer.

        Raises SubgraphHttpError, SubgraphTimeoutError, and SubgraphMalformedError where it does not speak the protocol.
        """
        body = self._body(request, subscription)
        async with self._otherwise.post(request, body, ACCEPT, max_seconds=self._accept_timeout_seconds) as response:
            told = await self._otherwise.result_in(response, request.subgraph)
        if not 200 <= response.status < 300 or told.get("errors"):
            return told
        if told.get("data") is not None:
            raise SubgraphMalformedError(
                "The subgraph answered a subscription as if it were a query.", request.subgraph
            )
        if not subscription.is_confirmed:
            message = "The subgraph accepted the subscription without a check, as the callback protocol asks for it."
            raise SubgraphMalformedError(message, request.subgraph)
        return None

    def _body(self, request: SubgraphRequest, subscription: CallbackSubscription) -> bytes:
        extension = {
            "callbackUrl": f"{self._public_url}/{subscription.id}",
            "subscriptionId": subscription.id,
            "verifier": subscription.verifier,
            "heartbeatIntervalMs": round(self.inbox.heartbeat_seconds * 1000),
        }
        return b'%b,"extensions":{"subscription":%b}}' % (request.body[:-1], orjson.dumps(extension))
