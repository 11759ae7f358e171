"""Watches the requests to subgraphs: metrics, trace spans, circuit breakers, and the table behind /actuator/registry.

`app` puts it between the shared-request layer and the HTTP client, so that a shared request counts once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from opentelemetry.trace import Span, Status, StatusCode

from router.errors import SubgraphCircuitOpenError, SubgraphError, SubgraphHttpError, SubgraphTimeoutError
from router.request_metrics import Durations
from router.settings import CircuitBreaker as CircuitBreakerSettings
from router.settings import Subgraph
from router.telemetry import SUBGRAPH_CIRCUIT, SUBGRAPH_NOT_ASKED, SUBGRAPH_REQUESTS, TRACE_HEADERS, Tracing
from router.transport.circuit_breaker import CircuitBreaker
from router.transport.pending_answer import failed, when_landed
from router.transport.protocol import (
    PROBE_BODY,
    PROBE_HEADERS,
    PROBE_SECONDS,
    Headers,
    SubgraphAnswer,
    SubgraphRequest,
    SubgraphTransport,
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


@dataclass(slots=True)
class _Watched:
    """All that every request to one subgraph needs; found once for each request."""

    name: str
    headers: Headers  # of the settings
    breaker: CircuitBreaker | None
    health: SubgraphHealth | None = None  # None until something came of a request
    observed: dict[str, Durations] = field(default_factory=dict)  # by outcome


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
        self._watched: dict[str, _Watched] = {}
        self.health: dict[str, SubgraphHealth] = {}

    def send(self, request: SubgraphRequest) -> asyncio.Future[SubgraphAnswer]:
        name = request.subgraph
        watched = self._watched.get(name) or self._watch(name)
        breaker = watched.breaker
        ticket = breaker.admit() if breaker is not None else 0
        if ticket is None:
            SUBGRAPH_NOT_ASKED.labels(name).inc()
            return failed(SubgraphCircuitOpenError("The subgraph has been failing and is not asked for now.", name))
        span = self._tracing.start_fetch(name) if self._tracing.is_on else None
        if span is not None:
            request = request.with_headers(
                (
                    *[each for each in request.headers if each[0] not in TRACE_HEADERS],
                    *watched.headers,
                    *self._tracing.outgoing_headers(span).items(),
                )
            )
        elif watched.headers:
            request = request.with_headers((*request.headers, *watched.headers))
        started = time.perf_counter()
        sent = self._transport.send(request)
        when_landed(sent, partial(self._note, watched, request, started, span))
        if breaker is not None:
            when_landed(sent, partial(self._note_circuit, name, breaker, ticket))
        return sent

    def table(self, urls: Mapping[str, str]) -> list[dict[str, Any]]:
        """One row for each subgraph of the graph, asked or not."""
        return [
            _row(name, url, self.health.get(name, _NEVER_ASKED), self._breaker_of(name)) for name, url in urls.items()
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
            self._note_health(self._watched[name], SubgraphTimeoutError.code, PROBE_SECONDS)

    def _watch(self, name: str) -> _Watched:
        settings = self._breaker_settings(name)
        breaker = CircuitBreaker(settings) if settings.enabled else None
        watched = self._watched[name] = _Watched(name, self._headers.get(name, ()), breaker)
        return watched

    def _breaker_of(self, name: str) -> CircuitBreaker | None:
        """None also where the subgraph was never asked."""
        watched = self._watched.get(name)
        return watched.breaker if watched is not None else None

    def _note(
        self,
        watched: _Watched,
        request: SubgraphRequest,
        started: float,
        span: Span | None,
        answer: asyncio.Future[SubgraphAnswer],
    ) -> None:
        seconds = time.perf_counter() - started
        outcome = _outcome(answer)
        observed = watched.observed.get(outcome)
        if observed is None:
            observed = watched.observed[outcome] = SUBGRAPH_REQUESTS.labels(watched.name, outcome)
        observed.observe(seconds)
        health = self._note_health(watched, outcome, seconds)
        if outcome != "ok" or health.is_told:
            self._tell(health, request, answer)
        if span is not None:
            if outcome not in ("ok", "cancelled"):
                span.set_status(Status(StatusCode.ERROR, outcome))
            span.end()

    def _tell(self, health: SubgraphHealth, request: SubgraphRequest, answer: asyncio.Future[SubgraphAnswer]) -> None:
        """The log names address and cause, which clients are not told."""
        if request.body is PROBE_BODY:  # a subgraph that only starts later than the router is nobody's trouble yet
            return
        fails = _is_failure(answer)
        if fails and time.monotonic() - health.told_at >= TELL_EVERY_SECONDS:
            health.told_at, health.is_told = time.monotonic(), True
            log.warning("subgraph_fails", subgraph=request.subgraph, url=request.url, reason=_reason(answer))
        elif fails is False and health.is_told:
            health.is_told = False
            log.info("subgraph_answers_again", subgraph=request.subgraph, url=request.url)

    def _note_circuit(
        self, name: str, breaker: CircuitBreaker, ticket: int, answer: asyncio.Future[SubgraphAnswer]
    ) -> None:
        breaker.note(ticket, is_failure=_is_failure(answer))
        SUBGRAPH_CIRCUIT.labels(name).set(breaker.state)

    def _note_health(self, watched: _Watched, outcome: str, seconds: float) -> SubgraphHealth:
        health = watched.health
        if health is None:
            health = watched.health = self.health[watched.name] = SubgraphHealth()
        health.requests += 1
        if outcome == "ok":
            health.failures_in_a_row = 0
            health.last_answer_at = time.time()
            health.mean_seconds += 0.1 * (seconds - health.mean_seconds) if health.mean_seconds else seconds
        elif outcome != "cancelled":
            health.failures += 1
            health.failures_in_a_row += 1
            health.last_error = outcome
        return health


def _outcome(answer: asyncio.Future[SubgraphAnswer]) -> str:
    """As metrics and the table name it."""
    if answer.cancelled():
        return "cancelled"
    error = answer.exception()
    if error is not None:
        return error.code if isinstance(error, SubgraphError) else "error"
    return "ok" if answer.result().status < 400 else "http_error"


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
