"""Watches the requests to subgraphs: metrics, trace spans, circuit breakers, and the table behind /actuator/registry.

`app` puts it between the shared-request layer and the HTTP client, so that a shared request counts once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from opentelemetry.trace import Span, Status, StatusCode

from router.errors import SubgraphCircuitOpenError, SubgraphError, SubgraphHttpError, SubgraphTimeoutError
from router.request_metrics import Durations
from router.settings import CircuitBreaker as CircuitBreakerSettings
from router.settings import Subgraph
from router.telemetry import SUBGRAPH_CIRCUIT, SUBGRAPH_NOT_ASKED, SUBGRAPH_REQUESTS, TRACE_HEADERS, Tracing
from router.transport.circuit_breaker import CircuitBreaker
from router.transport.protocol import (
    PROBE_BODY,
    PROBE_HEADERS,
    PROBE_SECONDS,
    SubgraphAnswer,
    SubgraphRequest,
    SubgraphTransport,
    failed,
)

FRESH_SECONDS = 10.0
TELL_EVERY_SECONDS = 10.0  # at most so often the log says that a subgraph fails, however many requests do

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class SubgraphHealth:
    """What this process has seen of one subgraph, in clients' requests and in questions of `ask_the_silent`."""

    requests: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    last_answer_at: float | None = None  # seconds since the epoch
    last_error: str | None = None
    mean_seconds: float = 0.0  # exponentially weighted
    told_at: float = -TELL_EVERY_SECONDS  # by the monotonic clock: when the log last said that it fails
    is_told: bool = False  # and has not yet said that it answers again

    def answered_since(self, instant: float) -> bool:
        """Whether the last question was answered, and not before `instant` (seconds since the epoch)."""
        # an answer that is yet to come was noted while the clock was ahead
        return not self.failures_in_a_row and instant <= (self.last_answer_at or 0.0) <= time.time()

    @property
    def status(self) -> str:
        """UP only if the last question was answered."""
        if self.failures_in_a_row:
            return "DOWN"
        return "UNKNOWN" if self.last_answer_at is None else "UP"


_NEVER_ASKED = SubgraphHealth()


class SubgraphMonitor:
    """A `SubgraphTransport` around another; `breaker_settings` gives what holds for a subgraph by its name."""

    def __init__(
        self,
        transport: SubgraphTransport,
        subgraphs: Mapping[str, Subgraph],
        tracing: Tracing,
        breaker_settings: Callable[[str], CircuitBreakerSettings],
    ) -> None:
        self._transport = transport
        self._tracing = tracing
        self._headers = {
            name: tuple((key, value.get_secret_value()) for key, value in each.headers.items())
            for name, each in subgraphs.items()
        }
        self._breaker_settings = breaker_settings
        self._breakers: dict[str, CircuitBreaker | None] = {}
        self.health: dict[str, SubgraphHealth] = {}
        self._observed: dict[tuple[str, str], Durations] = {}

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        name = request.subgraph
        breaker = self._breakers[name] if name in self._breakers else self._new_breaker(name)
        ticket = breaker.admit() if breaker is not None else 0
        if ticket is None:
            SUBGRAPH_NOT_ASKED.labels(name).inc()
            return failed(SubgraphCircuitOpenError("The subgraph has been failing and is not asked for now.", name))
        span = self._tracing.start_fetch(name) if self._tracing.is_on else None
        extra = self._headers.get(name, ())
        if span is not None:
            request = request.with_headers(tuple([each for each in request.headers if each[0] not in TRACE_HEADERS]))
            extra = (*extra, *self._tracing.outgoing_headers(span).items())
        if extra:
            request = request.with_headers((*request.headers, *extra))
        started = time.perf_counter()
        sent = self._transport.send(request)
        sent.add_done_callback(lambda answer: self._note(request, answer, time.perf_counter() - started, span))
        if breaker is not None:
            sent.add_done_callback(lambda answer: self._note_circuit(name, breaker, ticket, answer))
        return sent

    def table(self, urls: Mapping[str, str]) -> list[dict[str, Any]]:
        """One row for each subgraph of the graph, asked or not."""
        return [
            _row(name, url, self.health.get(name, SubgraphHealth()), self._breakers.get(name))
            for name, url in urls.items()
        ]

    async def ask_the_silent(self, urls: Mapping[str, str]) -> None:
        """Ask each subgraph that failed or has not answered lately the smallest question, so that `table` tells of now.

        A subgraph that nobody asks would otherwise stay UP for ever after its last answer. Takes at most PROBE_SECONDS.
        """
        oldest = time.time() - FRESH_SECONDS
        # a subgraph without an address is a schema only: the events of its fields come from elsewhere
        addressed = [name for name, url in urls.items() if url]
        silent = [name for name in addressed if not self.health.get(name, _NEVER_ASKED).answered_since(oldest)]
        await asyncio.gather(*(self._probe(name, urls[name]) for name in silent))

    async def _probe(self, name: str, url: str) -> None:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self.send(SubgraphRequest(name, url, PROBE_BODY, PROBE_HEADERS))
        except SubgraphError:
            pass  # `_note` has seen it
        except TimeoutError:  # which `_note` takes for a client that left
            self._note_health(name, SubgraphTimeoutError.code, PROBE_SECONDS)

    def _note(
        self, request: SubgraphRequest, answer: asyncio.Future[SubgraphAnswer], seconds: float, span: Span | None
    ) -> None:
        name = request.subgraph
        error = None if answer.cancelled() else answer.exception()
        if answer.cancelled():
            outcome = "cancelled"
        elif error is not None:
            outcome = error.code if isinstance(error, SubgraphError) else "error"
        else:
            outcome = "ok" if answer.result().status < 400 else "http_error"
        observed = self._observed.get((name, outcome))
        if observed is None:
            observed = self._observed[name, outcome] = SUBGRAPH_REQUESTS.labels(name, outcome)
        observed.observe(seconds)
        self._note_health(name, outcome, seconds)
        if outcome != "ok" or self.health[name].is_told:
            self._tell(request, answer)
        if span is not None:
            if outcome not in ("ok", "cancelled"):
                span.set_status(Status(StatusCode.ERROR, outcome))
            span.end()

    def _tell(self, request: SubgraphRequest, answer: asyncio.Future[SubgraphAnswer]) -> None:
        """The log names address and cause, which clients are not told."""
        if request.body is PROBE_BODY:  # a subgraph that only starts later than the router is nobody's trouble yet
            return
        health, fails = self.health[request.subgraph], _is_failure(answer)
        if fails and time.monotonic() - health.told_at >= TELL_EVERY_SECONDS:
            health.told_at, health.is_told = time.monotonic(), True
            log.warning("subgraph_fails", subgraph=request.subgraph, url=request.url, reason=_reason(answer))
        elif fails is False and health.is_told:
            health.is_told = False
            log.info("subgraph_answers_again", subgraph=request.subgraph, url=request.url)

    def _new_breaker(self, name: str) -> CircuitBreaker | None:
        settings = self._breaker_settings(name)
        breaker = self._breakers[name] = CircuitBreaker(settings) if settings.enabled else None
        return breaker

    def _note_circuit(
        self, name: str, breaker: CircuitBreaker, ticket: int, answer: asyncio.Future[SubgraphAnswer]
    ) -> None:
        breaker.note(ticket, is_failure=_is_failure(answer))
        SUBGRAPH_CIRCUIT.labels(name).set(breaker.state)

    def _note_health(self, name: str, outcome: str, seconds: float) -> None:
        health = self.health.get(name)
        if health is None:
            health = self.health[name] = SubgraphHealth()
        health.requests += 1
        if outcome == "cancelled":
            return
        if outcome == "ok":
            health.failures_in_a_row = 0
            health.last_answer_at = time.time()
            health.mean_seconds += 0.1 * (seconds - health.mean_seconds) if health.mean_seconds else seconds
        else:
            health.failures += 1
            health.failures_in_a_row += 1
            health.last_error = outcome


def _is_failure(answer: asyncio.Future[SubgraphAnswer]) -> bool | None:
    """Whether the subgraph is in trouble; None where the request was broken off. A wrong answer is still an answer."""
    if answer.cancelled():
        return None
    error = answer.exception()
    if error is not None:
        return isinstance(error, (SubgraphHttpError, SubgraphTimeoutError))
    return answer.result().status >= 500


def _reason(answer: asyncio.Future[SubgraphAnswer]) -> str:
    """Why it counts as a failure."""
    error = answer.exception()
    if error is None:
        return f"status {answer.result().status}"
    return f"{error.message} {error.detail}".strip() if isinstance(error, SubgraphError) else repr(error)


def _row(name: str, url: str, health: SubgraphHealth, breaker: CircuitBreaker | None) -> dict[str, Any]:
    return {
        "name": name,
        "url": url,
        "status": health.status,
        "circuit": breaker.state.name if breaker is not None else None,
        "requests": health.requests,
        "failures": health.failures,
        "lastError": health.last_error,
        "lastAnswerAt": health.last_answer_at,
        "meanMilliseconds": round(health.mean_seconds * 1000, 2),
    }
