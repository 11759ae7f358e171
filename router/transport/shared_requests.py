"""Equal queries to a subgraph that are under way at the same time are sent once; what failed in passing is sent again.

`server.app` puts it around the transport of the process, so that all operations share.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import partial
from itertools import count

from router.errors import SubgraphHttpError
from router.single_flight import Flight, SingleFlight
from router.transport.deadlines import operation_ends_at
from router.transport.pending_answer import again, when_landed
from router.transport.protocol import Headers, SubgraphAnswer, SubgraphRequest, SubgraphTransport, telling_apart
from router.transport.retries import Retries, may_pass

#: What of its time an asker may lose by joining the request of one who has less.
SMALL_LOSS_SECONDS = 1.0
#: All of a query that its answer may depend on.
_Key = tuple[str, str, bytes, Headers, int]


class SharedRequests:
    """Sends equal queries that are under way at the same time once, and hands all askers the one answer.

    Equal means same subgraph, same body, same forwarded headers but for those of tracing: two viewers never share. What
    fails in passing is sent again as `retries` allow.
    """

    def __init__(
        self,
        transport: SubgraphTransport,
        retries: Retries | None = None,
        *,
        is_for_one: Callable[[str], bool] = lambda _: False,
        seconds_of: Callable[[str], float] = lambda _: 0.0,
    ) -> None:
        """`is_for_one` says of a subgraph's name that its answers, with their headers, are each for one asker only;
        `seconds_of`, how long one attempt may take whoever asks.
        """
        self._transport = transport
        self._retries = retries
        self._is_for_one = is_for_one
        self._for_one: dict[str, bool] = {}  # what that said, by name: every request asks
        self._seconds_of = seconds_of
        self._numbers = count()
        self._flights: SingleFlight[_Key, SubgraphAnswer] = SingleFlight()

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        if not request.is_query:
            written = self._transport.send(request)
            # who asks after a write must not get an answer that was begun before it
            when_landed(written, lambda _: self._flights.clear())
            return written
        subgraph = request.subgraph
        key = (subgraph, request.url, request.body, telling_apart(request.headers), request.epoch)
        for_one = self._for_one.get(subgraph)
        if for_one is None:
            for_one = self._for_one[subgraph] = self._is_for_one(subgraph)
        if for_one:
            key = (*key[:3], (("", str(next(self._numbers))),), request.epoch)
        flight = self._flights.get(key)
        if flight is not None and self._may_join(flight):
            return flight.join()
        query = self._flights[key] = _Query(self._flights, key, request)
        if self._retries is not None:
            self._retries.count(subgraph)
        answer = query.join()
        self._attempt(query)
        return answer

    def _may_join(self, flight: Flight[SubgraphAnswer]) -> bool:
        """Not where the subgraph was told of an asker with so little time left that the answer may fail for it alone."""
        assert isinstance(flight, _Query)
        if flight.ends_at == math.inf or flight.ends_at + SMALL_LOSS_SECONDS >= operation_ends_at():
            return True
        return flight.ends_at - flight.began_at >= self._seconds_of(flight.request.subgraph)

    def _attempt(self, query: _Query) -> None:
        query.attempts += 1
        query.began_at = asyncio.get_running_loop().time()
        query.timer = None
        sent = query.sent = self._transport.send(query.request)
        when_landed(sent, partial(self._land, query))

    def _land(self, query: _Query, answer: asyncio.Future[SubgraphAnswer]) -> None:
        if may_pass(answer) and self._retries is not None and query.is_wanted:  # which few are
            pause = self._retries.pause_before(query.request.subgraph, query.attempts + 1)
            if pause is not None:
                query.request = again(query.request, answer)
                query.timer = asyncio.get_running_loop().call_later(pause, self._attempt, query)
                return
        self._flights.end(query.key, query)
        if answer.cancelled():
            query.fail(SubgraphHttpError("The request to the subgraph was cut off.", query.request.subgraph))
        elif (error := answer.exception()) is not None:
            query.fail(error)
        else:
            result = answer.result()
            if query.waiting > 1:
                result.readings = {}
            query.succeed(result)


class _Query(Flight[SubgraphAnswer]):
    """One query under way: its present attempt, or the timer of the next. It ends when nobody waits any more."""

    __slots__ = ("_flights", "attempts", "began_at", "ends_at", "key", "request", "sent", "timer")

    def __init__(self, flights: SingleFlight[_Key, SubgraphAnswer], key: _Key, request: SubgraphRequest) -> None:
        self._waiting = []  # as every flight has: a call of its `__init__` would cost as much as all of this one
        self._flights = flights
        self.key = key
        self.request = request
        self.began_at = 0.0  # of the present attempt
        self.ends_at = operation_ends_at()  # for the asker that began it
        self.attempts = 0
        self.sent: asyncio.Future[SubgraphAnswer] | None = None
        self.timer: asyncio.TimerHandle | None = None

    def when_deserted(self) -> None:
        self._flights.end(self.key, self)  # whoever asks from now on must not get the cut-off answer
        if self.timer is not None:
            self.timer.cancel()
            self.cancel()
        elif self.sent is not None:
            self.sent.cancel()
