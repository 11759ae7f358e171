"""What every transport does with an operation before and around the pipeline: caller, rate, document, cache, labels.

`graphql_http`, `websocket` and `event_stream` call `FrontDoor`; it hands on to `router.pipeline`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace

import orjson
import structlog
from prometheus_client import Counter

from router import pipeline
from router.access.authentication import ANONYMOUS, Authenticator, Caller, UnauthenticatedError
from router.access.limits import RateLimitedError, RateLimiter
from router.access.persisted_documents import DocumentStore
from router.answer_in_pieces import answer_incrementally
from router.errors import RequestError
from router.executor.transport import PER_REQUEST_HEADERS, Headers, telling_apart
from router.operation import Operation
from router.pipeline import ChooseLabels, OperationRequest, Response
from router.response_cache import CachePolicy, CacheQuestion, ResponseCache
from router.server.graph_file import GraphFile, ServedGraph
from router.server.identical_requests import IdenticalRequests
from router.server.request import Headers as RawHeaders
from router.server.request import OperationParameters
from router.server.response import Stream
from router.settings import Settings
from router.telemetry import OPERATIONS, RATE_LIMITED, TOKENS_REFUSED

log = structlog.get_logger(__name__)

#: Forwarded headers that do not change what a subgraph answers, apart from the caller who has a key part of its own.
NOT_VARYING = PER_REQUEST_HEADERS | {"authorization"}


class RequestTimeoutError(RequestError):
    code = "REQUEST_TIMEOUT"
    status = 504


@dataclass(frozen=True, slots=True)
class Visit:
    """Who sent an operation and with what; the same for all operations of one connection."""

    caller: Caller = ANONYMOUS
    address: str = ""
    forwarded: Headers = ()
    wants_plan: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A pipeline response with what its Cache-Control may say; None where nothing is known to be cacheable."""

    response: Response
    cache_policy: CachePolicy | None = None


@dataclass(frozen=True, slots=True)
class PayloadStream:
    """More than one payload: response bodies of a "subscription", or the parts of an "incremental" answer."""

    payloads: AsyncIterator[bytes]
    kind: str


class FrontDoor:
    """Shared by all connections of a process."""

    def __init__(
        self,
        settings: Settings,
        graph_file: GraphFile,
        authenticator: Authenticator,
        rate_limiter: RateLimiter,
        documents: DocumentStore,
        cache: ResponseCache | None,
    ) -> None:
        self.settings = settings
        self.graph_file = graph_file
        self.authenticator = authenticator
        self._rate_limiter = rate_limiter
        self._documents = documents
        self._cache = cache
        self._identical: IdenticalRequests[Answer] | None = (
            IdenticalRequests() if settings.share_identical_requests else None
        )
        self.is_closing = asyncio.Event()
        self.open_streams = 0
        self._forward = frozenset(name.lower().encode() for name in settings.forward_headers)

    async def visit(self, headers: RawHeaders, address: str, authorization: str | None = None) -> Visit:
        """Raises UnauthenticatedError. `authorization` replaces the header's, as in a WebSocket's first message."""
        given = authorization
        forwarded: list[tuple[str, str]] = []
        wants_plan = False
        for name, value in headers:
            if name == b"authorization":
                given = value.decode("latin-1") if given is None else given
            elif name in self._forward:
                forwarded.append((name.decode("latin-1"), value.decode("latin-1")))
            elif name == b"x-query-plan":
                wants_plan = self.settings.dev
        try:
            caller = await self.authenticator.authenticate(given or "")
        except UnauthenticatedError as error:
            TOKENS_REFUSED.labels("expired" if error.expired else "invalid").inc()
            raise
        if given and b"authorization" in self._forward:
            forwarded.append(("authorization", given))
        return Visit(caller, address, tuple(forwarded), wants_plan)

    async def request_of(
        self,
        parameters: OperationParameters,
        visit: Visit,
        *,
        only_queries: bool = False,
    ) -> OperationRequest:
        """Counts the operation and finds its document. Raises RequestError."""
        try:
            await self._rate_limiter.count(visit.caller, visit.address)
        except RateLimitedError:
            RATE_LIMITED.inc()
            raise
        document = parameters.document
        if document is None or parameters.extensions or parameters.document_id or self._documents.is_closed:
            document = await self._documents.text(document, parameters.document_id, parameters.extensions)
        return OperationRequest(
            document,
            parameters.variables,
            parameters.operation_name,
            parameters.extensions,
            visit.forwarded,
            visit,
            only_queries,
        )

    async def answer(self, parameters: OperationParameters, visit: Visit, *, only_queries: bool = False) -> Answer:
        """A query or mutation, start to end. Never raises for what a client or a subgraph did."""
        served = self.graph_file.current
        try:
            request = await self.request_of(parameters, visit, only_queries=only_queries)
        except RequestError as error:
            answer = refused(error)
        else:
            answer = await self._answer_once(request, served, visit)
        count_operation(answer.response)
        return answer

    async def begin(
        self,
        parameters: OperationParameters,
        visit: Visit,
        *,
        only_queries: bool = False,
        incremental: Stream | None = None,
    ) -> Answer | PayloadStream:
        """Any operation: an answer in one piece, or the payloads of a subscription, or of `@defer` and `@stream` where the
        client takes them (in the format `incremental`).
        """
        served = self.graph_file.current
        try:
            request = await self.request_of(parameters, visit, only_queries=only_queries)
            prepared = await served.graph.prepare(request.query, request.operation_name)
            if prepared.operation.operation_type == "subscription":
                payloads = await pipeline.subscribe(request, served.graph, served.runtime)
                OPERATIONS.labels("subscription", "ok").inc()
                return PayloadStream(payloads, "subscription")
            if incremental is not None and ("@defer" in request.query or "@stream" in request.query):
                kind = prepared.operation.operation_type
                request = replace(request, repeats_fields=incremental is Stream.INCREMENTAL_FORMER)
                try:
                    parts = await answer_incrementally(request, served.graph, served.runtime)
                finally:
                    if kind == "mutation":
                        await self._note_write(visit)
                if not isinstance(parts, Response):
                    OPERATIONS.labels(kind, "ok").inc()
                    return PayloadStream(parts, "incremental")
                answer = Answer(parts)
            else:
                answer = await self._answer_once(request, served, visit)
        except RequestError as error:
            answer = refused(error)
        count_operation(answer.response)
        return answer

    async def _note_write(self, visit: Visit) -> None:
        """What was read before must answer nobody who asks from now on."""
        if self._identical is not None:
            self._identical.forget()
        if self._cache is not None:
            await self._cache.note_write(visit.caller.subject)

    async def _answer_in_time(self, request: OperationRequest, served: ServedGraph, visit: Visit) -> Answer:
        seconds = self.settings.request_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(request, served, visit)
        except RequestError as error:
            return refused(error)
        except TimeoutError:
            return refused(RequestTimeoutError(f"No answer within {seconds:g} s."))

    async def close(self, grace_seconds: float) -> None:
        """Tells the streams to end, and waits for them."""
        self.is_closing.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                while self.open_streams:
                    await asyncio.sleep(0.02)

    async def _answer_once(self, request: OperationRequest, served: ServedGraph, visit: Visit) -> Answer:
        """Waits for an equal query that is under way, with its time limit, or runs this one."""
        identical = self._identical
        if identical is None:
            return await self._answer_in_time(request, served, visit)
        try:
            prepared = await served.graph.prepare(request.query, request.operation_name)
        except RequestError as error:
            return refused(error)
        if prepared.operation.operation_type != "query":
            try:
                return await self._answer_in_time(request, served, visit)
            finally:
                identical.forget()
        key = (
            served.graph,
            request.query,
            request.operation_name,
            orjson.dumps(request.variables) if request.variables else b"",
            request.only_queries,
            visit.caller,
            telling_apart(visit.forwarded),
            visit.wants_plan,
        )
        return await identical.answer(key, lambda: self._answer_in_time(request, served, visit))

    async def _answer(self, request: OperationRequest, served: ServedGraph, visit: Visit) -> Answer:
        if self._cache is None or visit.wants_plan:
            return Answer(await self._ask(request, served))
        prepared = await served.graph.prepare(request.query, request.operation_name)
        if prepared.operation.operation_type == "mutation":
            try:
                return Answer(await self._ask(request, served))
            finally:
                # also after an error or a time-out: the write may have happened
                await self._cache.note_write(visit.caller.subject)
        policy = self._cache.policy_of(served.cache_hints, prepared.operation)
        if policy.max_age_seconds <= 0:
            return Answer(await self._ask(request, served))
        pipeline.refuse_wrong_kind(prepared.operation, request)
        question = CacheQuestion(
            served.digest,
            request.query,
            request.operation_name,
            prepared.coercion.coerce(request.variables),
            visit.caller.subject,
            self._varying(served, prepared.plannable, visit),
        )
        response, policy = await self._cache.answer(question, policy, lambda: self._ask(request, served))
        return Answer(response, policy)

    async def _ask(self, request: OperationRequest, served: ServedGraph) -> Response:
        return await pipeline.answer(request, served.graph, served.runtime)

    def _varying(self, served: ServedGraph, operation: Operation, visit: Visit) -> tuple[tuple[str, str], ...]:
        headers = [(name, value) for name, value in visit.forwarded if name not in NOT_VARYING]
        denials = served.authorization.authorize(operation, visit.caller).denials
        return (*headers, *(("denied", f"{'.'.join(each.path)} {each.coordinate}") for each in denials))


def refused(error: RequestError) -> Answer:
    response = pipeline.response_of_error(error)
    if isinstance(error, RateLimitedError):
        response = replace(response, headers=(("retry-after", str(error.retry_after_seconds)),))
    return Answer(response)


def count_operation(response: Response) -> None:
    outcome = "refused" if response.is_request_error else "errors" if response.has_errors else "ok"
    kind = (response.operation_type, outcome)
    counter = _COUNTERS.get(kind)
    if counter is None:
        counter = _COUNTERS[kind] = OPERATIONS.labels(*kind)
    counter.inc()


#: prometheus_client's own look-up costs several times the increment
_COUNTERS: dict[tuple[str, str], Counter] = {}


def label_choice(always: frozenset[str]) -> ChooseLabels:
    """A label of `@override(label:)` is active `always`, or where the caller's token lists it in `override_labels`."""

    def choose(labels: frozenset[str], request: OperationRequest) -> frozenset[str]:
        claimed = request.caller.caller.claims.get("override_labels") if isinstance(request.caller, Visit) else None
        own = {each for each in claimed if isinstance(each, str)} if isinstance(claimed, list) else frozenset()
        return labels & (always | own)

    return choose
