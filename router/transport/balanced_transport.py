"""Sends each request to one of a subgraph's instances, to another where that one cannot be reached, to two where it is slow.

`server.app` puts it between the monitor and the HTTP client where settings name several instances; without them it is not
there. A request that `shared_requests` sends again names the instances to avoid.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from router.errors import SubgraphError, SubgraphHttpError
from router.instance_settings import Hedging
from router.telemetry import SUBGRAPH_HEDGES
from router.transport.budget import Budget
from router.transport.instances import Instance, InstancePool
from router.transport.pending_answer import CancellableAnswer
from router.transport.protocol import SubgraphAnswer, SubgraphRequest, SubgraphTransport

CUT_OFF = "The request to the subgraph was cut off."


class BalancedTransport:
    """A `SubgraphTransport` around another. Subgraphs that are not in `pools` are asked where the request says."""

    def __init__(
        self, transport: SubgraphTransport, pools: Mapping[str, InstancePool], hedging: Mapping[str, Hedging]
    ) -> None:
        self._transport = transport
        self._pools = pools
        self._hedging = {
            name: (each.after_seconds, Budget(each.budget_percent)) for name, each in hedging.items() if each.enabled
        }

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        pool = self._pools.get(request.subgraph)
        instance = pool.pick(request.avoided) if pool is not None else None
        if pool is None or instance is None:
            return self._transport.send(request)
        sending = _Sending(self._transport, pool, request)
        sending.ask(instance)
        if request.is_query and not request.files and (hedging := self._hedging.get(request.subgraph)) is not None:
            after_seconds, budget = hedging
            budget.earn()
            sending.hedge_after(after_seconds, budget)
        return sending.answer


class _Sending:
    """One request and all its attempts; `answer` is the first good one, or the last bad one."""

    def __init__(self, transport: SubgraphTransport, pool: InstancePool, request: SubgraphRequest) -> None:
        self._transport = transport
        self._pool = pool
        self._request = request
        self._under_way: dict[asyncio.Future[SubgraphAnswer], Instance] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.answer = CancellableAnswer()
        self.answer.on_cancel = self._give_up

    def ask(self, instance: Instance) -> None:
        self._pool.begin(instance)
        self.answer.asked = (*self.answer.asked, instance.url)
        sent = self._transport.send(replace(self._request, url=instance.url))
        self._under_way[sent] = instance
        sent.add_done_callback(partial(self._land, time.perf_counter()))

    def hedge_after(self, seconds: float, budget: Budget) -> None:
        """Ask a second instance then, where the budget has it and the first has not answered."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._hedge, budget)

    def _hedge(self, budget: Budget) -> None:
        other = self._another()
        if other is not None and self._under_way and budget.spend():
            SUBGRAPH_HEDGES.labels(self._request.subgraph).inc()
            self.ask(other)

    def _land(self, started: float, sent: asyncio.Future[SubgraphAnswer]) -> None:
        instance = self._under_way.pop(sent)
        failure = failure_of(sent)
        self._pool.end(instance, failure, time.perf_counter() - started, is_known=not sent.cancelled())
        if self.answer.done():
            return
        if failure is None and not sent.cancelled():
            self._settle(sent)
        elif _was_not_sent(sent) and (other := self._another()) is not None:
            self.ask(other)  # nobody can have acted on it: mutations, too, and it costs no budget
        elif not self._under_way:
            self._settle(sent)

    def _another(self) -> Instance | None:
        """One that was not asked yet."""
        if len(self.answer.asked) >= len(self._pool):
            return None
        other = self._pool.pick((*self._request.avoided, *self.answer.asked))
        return None if other is None or other.url in self.answer.asked else other

    def _settle(self, sent: asyncio.Future[SubgraphAnswer]) -> None:
        if sent.cancelled():
            self.answer.set_exception(SubgraphHttpError(CUT_OFF, self._request.subgraph))
        elif (error := sent.exception()) is not None:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(sent.result())
        self._give_up()

    def _give_up(self) -> None:
        """What is still under way is of no use."""
        if self._timer is not None:
            self._timer.cancel()
        for sent in list(self._under_way):
            sent.cancel()


def failure_of(sent: asyncio.Future[SubgraphAnswer]) -> str | None:
    """The name of what says that an instance is in trouble; None for an answer, also to a request that is wrong."""
    if sent.cancelled():
        return None
    error = sent.exception()
    if error is not None:
        return error.code if isinstance(error, SubgraphError) else "error"
    status = sent.result().status
    return f"status {status}" if status >= 500 else None


def _was_not_sent(sent: asyncio.Future[SubgraphAnswer]) -> bool:
    if sent.cancelled():
        return False
    error = sent.exception()
    return isinstance(error, SubgraphHttpError) and not error.was_sent
