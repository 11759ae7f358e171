"""What every transport does with an operation before and around the pipeline: caller, rate, document, cache, labels.

`graphql_http`, `single_connection`, `event_stream` and `websocket` call `FrontDoor`; it hands on to `router.pipeline`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import structlog

from router import pipeline
from router.access.authentication import Authenticator, UnauthenticatedError
from router.access.caller import ANONYMOUS, REFUSED, Caller, Refusal
from router.access.limits import RateLimitedError, RateLimiter
from router.access.persisted_documents import DocumentStore
from router.entity_cache.store import EntityStore
from router.errors import RequestError
from router.exact_json import dumps
from router.pipeline import Response
from router.prepared_request import ChooseLabels, OperationRequest, PreparedRequest
from router.response_cache import CacheQuestion, ResponseCache
from router.server.extensions import Extensions
from router.server.graph_file import GraphFile, ServedGraph
from router.server.header_rules import RequestHeaders, ResponseHeaders, aggregated_cache_control
from router.server.header_values import HeaderFields
from router.server.identical_requests import IdenticalRequests
from router.server.outcomes import count_operation
from router.server.recent_operations import RecentOperations
from router.server.request import OperationParameters
from router.server.response import Stream
from router.server.time_limit import TimeLimit
from router.server.usage import UNNAMED, Client, UsageReports
from router.settings import Settings
from router.telemetry import OPERATIONS, RATE_LIMITED, TOKENS_REFUSED
from router.transport.deadlines import ending_at
from router.transport.protocol import CLIENT_ADDRESS, NOT_VARYING, REQUEST_ID, TOKEN_REFUSED, Headers, telling_apart

log = structlog.get_logger(__name__)


NOTHING: Mapping[str, Any] = MappingProxyType({})


class RequestTimeoutError(RequestError):
    code = "REQUEST_TIMEOUT"
    status = 504


class TooManySubscriptionsError(RequestError):
    code = "TOO_MANY_OPERATIONS"
    status = 429


@dataclass(slots=True)  # frozen it would cost a call for each value of each request
class Visit:
    """Who sent an operation and with what; the same for all operations of one connection."""

    caller: Caller = ANONYMOUS
    address: str = ""
    forwarded: Headers = ()
    wants_plan: bool = False
    client: Client = UNNAMED

    def named(self, request_id: str) -> Visit:
        """The same with this id for what is asked now."""
        others = tuple([each for each in self.forwarded if each[0] != REQUEST_ID])
        return replace(self, forwarded=(*others, (REQUEST_ID, request_id)))


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
        *,
        cache: ResponseCache | None,
        extensions: Extensions | None = None,
        entities: EntityStore | None = None,
        operations: RecentOperations | None = None,
        usage: UsageReports | None = None,
    ) -> None:
        self.settings = settings
        self.graph_file = graph_file
        self.authenticator = authenticator
        self._rate_limiter = rate_limiter
        self._documents = documents
        self._cache = cache
        self._extensions = extensions
        self._entities = entities
        self._operations = operations
        self._usage = usage
        # a header that a subgraph sets, such as a cookie, is for the one client whose request it answers
        is_shared = settings.share_identical_requests and not settings.headers.has_response_rules
        self._identical: IdenticalRequests[Response] | None = IdenticalRequests() if is_shared else None
        self._subscriptions: Counter[str | None] = Counter()  # open ones, by caller
        self.is_closing = asyncio.Event()
        self.open_streams = 0
        self._request_headers = RequestHeaders(settings)
        # the length of the body is not the same
        self._may_visit_again = not self._request_headers.wants(b"content-length")
        self._time_limit = TimeLimit(settings.request_timeout_seconds)
        rules = settings.headers
        self._response_headers = ResponseHeaders(rules) if rules.has_response_rules else None
        self._tells_address = settings.forward_client_address
        self._aggregates_cache_control = rules.aggregate_cache_control
        #: whether anything is done to complete responses; most settings ask for nothing
        self._finishes = (
            rules.has_response_rules or rules.aggregate_cache_control or extensions is not None or usage is not None
        )

    async def visit(
        self,
        headers: HeaderFields,
        address: str,
        authorization: str | None = None,
        connection_init: Mapping[str, Any] = NOTHING,
        request_id: str = "",
    ) -> Visit:
        """`authorization` replaces the header's, as in a WebSocket's first message, whose payload is `connection_init`.
        Subgraphs get `request_id` as `x-request-id`, where there is one already.

        A token that does not hold is nobody's: it goes no further, for a subgraph may trust the router to have verified
        it, and the subgraphs are told why instead. Raises UnauthenticatedError where the whole graph needs a caller.
        """
        given = authorization if authorization is not None else headers.text(b"authorization")
        try:
            caller = await self.authenticator.authenticate(given)
        except UnauthenticatedError as error:
            TOKENS_REFUSED.labels(error.reason.lower()).inc()
            if self.settings.jwt.required:
                raise
            caller, given = REFUSED[error.reason], ""
        forwarded = self._request_headers.collect(headers, given, caller.claims, connection_init)
        if caller.refusal is not Refusal.NO_TOKEN:
            forwarded.append((TOKEN_REFUSED, caller.refusal.value))
        if self._tells_address and address:
            forwarded.append((CLIENT_ADDRESS, address))
        if request_id:
            forwarded = [each for each in forwarded if each[0] != REQUEST_ID]
            forwarded.append((REQUEST_ID, request_id))
        client = Client.in_headers(headers) if self._usage is not None else UNNAMED
        return Visit(caller, address, tuple(forwarded), self._wants_plan(headers, connection_init), client)

    def visit_again(self, visit: Visit, request_id: str) -> Visit | None:
        """The visit of a request with the same headers, over the same connection, but another id. None where they have to be
        looked at anew.
        """
        caller = visit.caller
        if not self._may_visit_again or caller.refusal is not Refusal.NO_TOKEN or not self.authenticator.holds(caller):
            return None
        forwarded = (*visit.forwarded[:-1], (REQUEST_ID, request_id))
        return Visit(caller, visit.address, forwarded, visit.wants_plan, visit.client)

    def _wants_plan(self, headers: HeaderFields, connection_init: Mapping[str, Any]) -> bool:
        """Pages cannot set headers of a WebSocket; they say it in its first message."""
        return self.settings.dev and bool(headers.text(b"x-query-plan") or connection_init.get("x-query-plan"))

    async def request_of(
        self,
        parameters: OperationParameters,
        visit: Visit,
        *,
        only_queries: bool = False,
        incremental: Stream | None = None,
    ) -> OperationRequest:
        """Counts the operation and finds its document. Raises RequestError."""
        if self._rate_limiter.is_on:
            try:
                await self._rate_limiter.count(visit.caller, visit.address)
            except RateLimitedError:
                RATE_LIMITED.inc()
                raise
        document = parameters.document
        if document is None or parameters.extensions or parameters.document_id or self._documents.looks_at_texts:
            document = await self._documents.text(document, parameters.document_id, parameters.extensions)
        request = OperationRequest(
            document,
            parameters.variables,
            parameters.operation_name,
            headers=visit.forwarded,
            caller=visit.caller,
            address=visit.address,
            wants_plan=visit.wants_plan,
            has_files=parameters.has_files,
            only_queries=only_queries,
            takes_pieces=incremental is not None,
            repeats_fields=incremental is Stream.INCREMENTAL_FORMER,
        )
        return request if self._extensions is None else await self._extended(request)

    async def _extended(self, request: OperationRequest) -> OperationRequest:
        """As extensions want it. Who asks, and how, is not theirs to say."""
        assert self._extensions is not None
        wanted = await self._extensions.request(request)
        return replace(
            request,
            query=wanted.query,
            variables=wanted.variables,
            operation_name=wanted.operation_name,
            headers=wanted.headers,
        )

    async def respond(self, parameters: OperationParameters, visit: Visit, *, only_queries: bool = False) -> Response:
        """A query or mutation, start to end. Never raises for what a client or a subgraph did."""
        served = self.graph_file.current
        prepared: PreparedRequest | None = None
        try:
            request = await self.request_of(parameters, visit, only_queries=only_queries)
            prepared = await pipeline.prepare(request, served.graph, served.runtime)
            if parameters.extensions:
                await self._documents.keep(parameters.document, parameters.extensions)
        except RequestError as error:
            response = refused(error)
        else:
            response = await self._respond(prepared, served, visit)
            if self._finishes:
                response = await self._finished(prepared, response, visit)
        self._note(response, prepared)
        return response

    async def begin(
        self,
        parameters: OperationParameters,
        visit: Visit,
        *,
        only_queries: bool = False,
        incremental: Stream | None = None,
    ) -> Response | PayloadStream:
        """Any operation: one response, or the payloads of a subscription, or of `@defer` and `@stream` where the client
        takes them (in the format `incremental`).
        """
        served = self.graph_file.current
        prepared: PreparedRequest | None = None
        try:
            request = await self.request_of(parameters, visit, only_queries=only_queries, incremental=incremental)
            prepared = await pipeline.prepare(request, served.graph, served.runtime)
            if parameters.extensions:
                await self._documents.keep(parameters.document, parameters.extensions)
            if prepared.operation_type == "subscription":
                return await self._subscribe(prepared, visit)
            if prepared.in_pieces:
                begun = await self._begin_in_pieces(prepared, visit)
                if not isinstance(begun, Response):
                    return begun
                response = begun
            else:
                response = await self._respond(prepared, served, visit)
                if self._finishes:
                    response = await self._finished(prepared, response, visit)
        except RequestError as error:
            response = refused(error)
        self._note(response, prepared)
        return response

    def _note(self, response: Response, prepared: PreparedRequest | None) -> None:
        count_operation(response)
        if self._operations is not None:
            self._operations.note(response, prepared)

    def _note_stream(self, prepared: PreparedRequest, visit: Visit) -> None:
        OPERATIONS.labels(prepared.operation_type, "ok").inc()
        if self._operations is not None:
            self._operations.note_stream(prepared)
        if self._usage is not None:
            self._usage.note(prepared, visit.client, has_errors=False)

    async def _subscribe(self, prepared: PreparedRequest, visit: Visit) -> PayloadStream:
        asker, most = prepared.request.asker(), self.settings.subscriptions.max_per_caller
        if self._subscriptions[asker] >= most:
            raise TooManySubscriptionsError(f"A caller may have at most {most} subscriptions open.")
        payloads = self._counted(asker, await pipeline.subscribe(prepared))
        self._note_stream(prepared, visit)
        if self._extensions is not None and self._extensions.watch_events:
            payloads = self._extensions.events(prepared.request, payloads)
        return PayloadStream(payloads, "subscription")

    async def _counted(self, asker: str | None, payloads: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Counts from the moment that somebody listens: what is never begun is never ended."""
        self._subscriptions[asker] += 1
        try:
            async for body in payloads:
                yield body
        finally:
            self._subscriptions[asker] -= 1
            if not self._subscriptions[asker]:
                del self._subscriptions[asker]
            close = getattr(payloads, "aclose", None)
            if close is not None:
                await close()

    async def _finished(self, prepared: PreparedRequest, response: Response, visit: Visit) -> Response:
        if self._usage is not None:
            self._usage.note(prepared, visit.client, has_errors=response.has_errors)
        response = self._with_headers(response)
        if self._extensions is not None:
            response = await self._extensions.response(prepared.request, response)
        return response

    def _with_headers(self, response: Response) -> Response:
        """With what the rules make of the subgraphs' headers."""
        headers = response.headers
        if self._response_headers is not None:
            headers = (*headers, *self._response_headers.made_of(response.answer_headers))
        is_good_query = response.operation_type == "query" and not response.has_errors
        if self._aggregates_cache_control and is_good_query and response.cache_controls:
            headers = (*headers, ("cache-control", aggregated_cache_control(response.cache_controls)))
        return response if headers is response.headers else replace(response, headers=headers)

    async def _begin_in_pieces(self, prepared: PreparedRequest, visit: Visit) -> Response | PayloadStream:
        try:
            parts = await pipeline.respond_in_pieces(prepared)
        finally:
            if prepared.operation_type == "mutation":
                await self._note_write(visit)
        if isinstance(parts, Response):
            return parts
        self._note_stream(prepared, visit)
        return PayloadStream(parts, "incremental")

    def _respond(self, prepared: PreparedRequest, served: ServedGraph, visit: Visit) -> Awaitable[Response]:
        """Waits for an equal query that is under way, with its time limit, or runs this one."""
        if prepared.operation_type == "mutation":
            return self._respond_to_mutation(prepared, served, visit)
        identical, request = self._identical, prepared.request
        if identical is None or prepared.operation_type != "query" or request.has_files:
            return self._respond_in_time(prepared, served, visit)
        key = (
            served.graph,
            request.query,
            request.operation_name,
            dumps(request.variables) if request.variables else b"",
            request.only_queries,
            visit.caller,
            telling_apart(request.headers),
            visit.wants_plan,
        )
        return identical.respond(key, lambda: self._respond_in_time(prepared, served, visit))

    async def _respond_to_mutation(self, prepared: PreparedRequest, served: ServedGraph, visit: Visit) -> Response:
        try:
            return await self._respond_in_time(prepared, served, visit)
        finally:
            await self._note_write(visit)  # also after an error or a time-out: the write may have happened

    async def _note_write(self, visit: Visit) -> None:
        """What was read before must answer nobody who asks from now on."""
        if self._identical is not None:
            self._identical.forget()
        if self._cache is not None:
            await self._cache.note_write(visit.caller.identity)
        if self._entities is not None:
            await self._entities.note_write(visit.caller.identity)

    async def _respond_in_time(self, prepared: PreparedRequest, served: ServedGraph, visit: Visit) -> Response:
        try:
            with self._time_limit.running() as run, ending_at(run.ends_at):
                if self._cache is None:
                    return await pipeline.respond(prepared)
                return await self._respond_from_cache(self._cache, prepared, served, visit)
        except RequestError as error:
            return refused(error)
        except TimeoutError:
            return refused(RequestTimeoutError(f"No answer within {self._time_limit.seconds:g} s."))

    async def _respond_from_cache(
        self, cache: ResponseCache, prepared: PreparedRequest, served: ServedGraph, visit: Visit
    ) -> Response:
        if visit.wants_plan or prepared.request.has_files or prepared.operation_type != "query":
            return await pipeline.respond(prepared)
        policy = cache.policy_of(served.cache_hints, prepared.operation.operation)
        if policy.max_age_seconds <= 0:
            return await pipeline.respond(prepared)
        question = CacheQuestion(
            served.digest,
            prepared.request.query,
            prepared.request.operation_name,
            prepared.variables,
            viewer=visit.caller.identity,
            private_to=visit.caller.private_to,
            varying=self._varying(served, prepared),
        )
        return await cache.respond(question, policy, lambda: pipeline.respond(prepared))

    async def close(self, grace_seconds: float) -> None:
        """Tells the streams to end, and waits for them."""
        self.is_closing.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                while self.open_streams:
                    await asyncio.sleep(0.02)

    def _varying(self, served: ServedGraph, prepared: PreparedRequest) -> tuple[tuple[str, str], ...]:
        request = prepared.request
        headers = [(name, value) for name, value in request.headers if name not in NOT_VARYING]
        denials = served.authorization.authorize(prepared.operation.plannable, request.caller).denials
        return (*headers, *(("denied", f"{'.'.join(each.path)} {each.coordinate}") for each in denials))


def refused(error: RequestError) -> Response:
    response = pipeline.response_of_error(error)
    if isinstance(error, RateLimitedError):
        response = replace(response, headers=(("retry-after", str(error.retry_after_seconds)),))
    return response


def label_choice(always: frozenset[str]) -> ChooseLabels:
    """A label of `@override(label:)` is active `always`, or where the caller's token lists it in `override_labels`."""

    def choose(labels: frozenset[str], caller: Caller) -> frozenset[str]:
        claimed = caller.claims.get("override_labels")
        own = {each for each in claimed if isinstance(each, str)} if isinstance(claimed, list) else frozenset()
        return labels & (always | own)

    return choose
