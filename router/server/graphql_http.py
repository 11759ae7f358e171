"""The GraphQL endpoint: one request in, as raw ASGI or whole, one answer or one stream out, one log line.

`app` sends it every HTTP request for the GraphQL path; a stream is handed to `event_stream`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import replace

import orjson
import structlog

from router.access.authentication import UnauthenticatedError
from router.access.caller import Refusal
from router.access.limits import RateLimitedError
from router.content_coding import encode
from router.errors import RequestError, RouterError
from router.log_lines import shown_subject
from router.pipeline import Response
from router.request_metrics import Durations
from router.server.answer_lines import header_lines, kept_header_lines
from router.server.batch import batch_body
from router.server.client_watch import ClientWatch
from router.server.cors import ALLOWED_METHODS, CorsPolicy
from router.server.errors import HttpError, method_not_allowed, out_of_memory
from router.server.event_stream import EventStreams, Framing
from router.server.exchange import Exchange
from router.server.front_door import FrontDoor, PayloadStream, Visit
from router.server.graphiql_page import GraphiqlPage
from router.server.head_facts import HeadFacts, id_in
from router.server.header_values import HeaderFields, element
from router.server.host_names import HostNames
from router.server.request import (
    ClientGoneError,
    OperationParameters,
    Receive,
    Scope,
    Send,
    check_csrf,
    check_is_preflighted,
    decoded_body,
    operation_from_query_string,
    operations_from_body,
    read_body,
    too_large,
)
from router.server.response import JSON, Accepted, HttpAnswer, Stream, coding_for, error_answer, negotiate, send_answer
from router.server.single_connection import TOKEN_HEADER, SingleConnections, token_of
from router.server.uploads import MULTIPART, UploadReader, closing_files
from router.server.whole_request import WholeRequest
from router.telemetry import HTTP_REQUESTS, REQUESTS_IN_FLIGHT, RequestLog, Tracing

log = structlog.get_logger(__name__)

#: In bytes: brotli, the slowest coding, takes a few milliseconds for so many.
MOST_CODED_ON_THE_LOOP = 256 * 1024
CLIENT_CLOSED_REQUEST = 499
MAX_SHOWN_NAME = 40
INVALID_TOKEN = b'Bearer error="invalid_token"'
#: Of every answer but a preflight's: a page, JSON of either media type, a stream or a refusal in one of them.
VARIES_BY_ACCEPT = (b"vary", b"accept")
KNOWN_METHODS = frozenset({"GET", "POST", "OPTIONS", "PUT", "DELETE", "HEAD", "PATCH"})


class GraphqlEndpoint:
    """An ASGI callable for `http` scopes."""

    def __init__(self, door: FrontDoor, streams: EventStreams, page: GraphiqlPage | None, tracing: Tracing) -> None:
        self._door = door
        self._settings = door.settings
        self._streams = streams
        self._connections = SingleConnections(door, streams)
        self._uploads = UploadReader(door.settings.uploads, door.settings.limits)
        self._page = page
        self._tracing = tracing
        self._cors = CorsPolicy(door.settings.cors)
        self._hosts = HostNames(door.settings.allowed_hosts)
        self._service = door.settings.telemetry.service_name
        self._observed: dict[tuple[str, int], Durations] = {}
        self.log = RequestLog(door.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        await self._exchange(
            Exchange(
                scope["method"],
                self._facts_of(HeaderFields(scope["headers"])),
                receive,
                send,
                query_string=scope.get("query_string", b""),
                address=client[0] if client else "",
            )
        )

    def answer(self, request: WholeRequest) -> Awaitable[None]:
        """A POST that arrived whole, for one of the paths without a query."""
        head = request.head
        facts: HeadFacts | None = head.facts
        if facts is None or facts.made_by is not self:
            facts = head.facts = self._facts_of(head.fields)
        elif facts.headers is not head.fields:
            facts = head.facts = facts.of_another(head.fields)
        return self._exchange(
            Exchange("POST", facts, request.receive, request.send, address=head.address, whole=request)
        )

    def _facts_of(self, headers: HeaderFields) -> HeadFacts:
        return HeadFacts(
            self,
            headers,
            negotiate(headers.text(b"accept")),
            element(headers.single(b"content-type")),
            headers.text(b"content-encoding"),
            is_admitted=self._hosts.admits(headers),
            request_id=id_in(headers),
            stream_token=headers.text(TOKEN_HEADER),
            extra=(VARIES_BY_ACCEPT, *self._cors.headers_for(headers)),
        )

    def _exchange(self, exchange: Exchange) -> Awaitable[None]:
        return self._traced(exchange) if self._tracing.is_on else self._serve(exchange)

    async def _traced(self, exchange: Exchange) -> None:
        with self._tracing.operation(exchange.headers.lines, exchange.request_id) as span:
            await self._serve(exchange)
            span.set_attribute("graphql.operation.name", exchange.operation_name or "")
            span.set_attribute("http.response.status_code", exchange.status)

    async def _serve(self, exchange: Exchange) -> None:
        accepted = exchange.facts.accepted
        REQUESTS_IN_FLIGHT.value += 1
        try:
            await self._route(exchange, accepted)
        except ClientGoneError:
            exchange.status = CLIENT_CLOSED_REQUEST
        except (HttpError, RequestError) as error:
            await self._send(exchange, refusal(error, accepted))
        except MemoryError:
            log.error("out_of_memory", request_id=exchange.request_id)  # a stack trace would take more of it
            if exchange.is_started:
                raise
            await self._send(exchange, HttpAnswer(503, _OUT_OF_MEMORY, accepted.content_type or JSON, _NOT_STORED))
        except Exception:
            log.exception("request_failed", request_id=exchange.request_id)
            if exchange.is_started:
                raise
            await self._send(exchange, error_answer(RouterError("Internal server error."), accepted))
        finally:
            REQUESTS_IN_FLIGHT.value -= 1
            self._record(exchange)

    def _route(self, exchange: Exchange, accepted: Accepted) -> Awaitable[None]:
        if not exchange.facts.is_admitted:
            raise HttpError(421, "MISDIRECTED_REQUEST", "This server does not answer to the name that it was asked by.")
        if exchange.method == "POST":
            return self._post(exchange, accepted)
        if exchange.method == "GET":
            return self._get(exchange, accepted)
        if exchange.method == "HEAD":  # as a GET is answered; the server leaves the body out
            return self._get(exchange, replace(accepted, streams=()))
        return self._other(exchange)

    async def _other(self, exchange: Exchange) -> None:
        method = exchange.method
        if method == "PUT" and self._connections.is_offered and exchange.headers.text(b"content-length") in ("", "0"):
            await self._send(exchange, self._connections.reserve(await self._visit(exchange)))
        elif method == "DELETE" and (token := token_of(exchange)):
            visit = await self._visit(exchange)
            await self._send(exchange, self._connections.stop(token, exchange.parameter("operationId"), visit))
        elif method == "OPTIONS":
            exchange.extra = tuple(self._cors.headers_for(exchange.headers, is_preflight=True))
            await self._send(exchange, HttpAnswer(204, b"", headers=((b"allow", ALLOWED_METHODS),)))
        else:
            raise method_not_allowed(
                ALLOWED_METHODS.decode(), f"{method} is not supported; use POST, or GET for queries."
            )

    async def _get(self, exchange: Exchange, accepted: Accepted) -> None:
        if accepted.html and self._page is not None:
            await self._send(exchange, self._page.answer())
            return
        _require_acceptable(accepted)
        if Stream.EVENTS in accepted.streams and (token := token_of(exchange)):
            await self._connections.open(token, exchange, await self._visit(exchange))
            return
        check_csrf(exchange.headers, self._settings.csrf)
        parameters = operation_from_query_string(exchange.query_string, self._settings.limits.url_bytes)
        await self._operation(exchange, accepted, parameters, only_queries=True)

    async def _post(self, exchange: Exchange, accepted: Accepted) -> None:
        _require_acceptable(accepted)
        settings = self._settings
        content_type = exchange.facts.content_type
        has_files = settings.uploads.enabled and content_type.name == MULTIPART
        if has_files:
            check_is_preflighted(exchange.headers, settings.csrf)
            asked: OperationParameters | list[OperationParameters] = await self._uploads.operation(
                exchange.headers, content_type, exchange.receive, settings.request_timeout_seconds
            )
        else:
            body = await self._body_of(exchange)
            max_batch = settings.batching.max_size if settings.batching.enabled else 0
            asked = operations_from_body(content_type, body, max_batch)
        if isinstance(asked, OperationParameters):
            if token := token_of(exchange):
                started = await self._connections.start(token, asked, await self._visit(exchange))
                await self._send(
                    exchange, started if isinstance(started, HttpAnswer) else http_answer(started, accepted)
                )
            elif has_files:
                with closing_files(asked):
                    await self._operation(exchange, accepted, asked)
            else:
                await self._operation(exchange, accepted, asked)
            return
        visit = await self._visit(exchange)
        pending = [self._door.respond(each, visit) for each in asked]
        body = await batch_body(pending, self._settings.limits.response_bytes)
        await self._send(exchange, HttpAnswer(200, body, accepted.content_type or b"application/json"))

    async def _body_of(self, exchange: Exchange) -> bytes:
        max_bytes = self._settings.limits.body_bytes
        whole = exchange.whole
        if whole is None:
            seconds = self._settings.request_timeout_seconds
            body = await read_body(exchange.headers, exchange.receive, max_bytes, seconds)
        else:
            if whole.disconnected:
                raise ClientGoneError
            body = whole.body
            if len(body) > max_bytes:
                raise too_large(max_bytes)
        encoding = exchange.facts.content_encoding
        return decoded_body(body, encoding, max_bytes) if encoding else body

    async def _operation(
        self,
        exchange: Exchange,
        accepted: Accepted,
        parameters: OperationParameters,
        *,
        only_queries: bool = False,
    ) -> None:
        exchange.operation_name = parameters.operation_name
        visit = await self._visit(exchange)
        begun: Response | tuple[PayloadStream, Framing]
        # a mutation is let finish: half of one is worse than an unread answer
        may_cancel = parameters.document is not None and "mutation" not in parameters.document
        whole = exchange.whole
        with (
            whole.while_wanted(may_cancel=may_cancel)
            if whole is not None and whole.is_direct
            else ClientWatch(exchange.receive, may_cancel=may_cancel)
        ) as watch:
            if accepted.streams:
                begun = await self._streams.begin(accepted, parameters, visit, only_queries=only_queries)
            else:
                begun = await self._door.respond(parameters, visit, only_queries=only_queries)
        if watch.is_gone:
            raise ClientGoneError
        if isinstance(begun, Response):
            exchange.note(begun)
            await self._send(exchange, http_answer(begun, accepted))
        else:
            stream, framing = begun
            await self._streams.send(exchange, stream, framing, visit)

    async def _visit(self, exchange: Exchange) -> Visit:
        facts = exchange.facts
        visit = self._door.visit_again(facts.visit, exchange.request_id) if facts.visit is not None else None
        if visit is None:
            visit = await self._door.visit(exchange.headers, exchange.address, request_id=exchange.request_id)
            facts.visit = visit
        exchange.subject = visit.caller.subject
        if visit.caller.refusal is not Refusal.NO_TOKEN:
            exchange.extra = (*exchange.extra, (b"www-authenticate", INVALID_TOKEN))
        return visit

    async def _send(self, exchange: Exchange, answer: HttpAnswer) -> None:
        exchange.status = answer.status
        exchange.is_started = True
        body = answer.body
        from_bytes = self._settings.compress_from_bytes
        if from_bytes and len(body) >= from_bytes:
            coding = coding_for(len(body), exchange.headers.text(b"accept-encoding"), from_bytes)
            exchange.extra = (*exchange.extra, (b"vary", b"accept-encoding"))
            if coding is not None:
                is_long = len(body) > MOST_CODED_ON_THE_LOOP  # the libraries let go of the interpreter
                body = await asyncio.to_thread(encode, body, coding) if is_long else encode(body, coding)
                exchange.extra = (*exchange.extra, (b"content-encoding", coding.encode()))
        exchange.size = len(body)
        whole = exchange.whole
        lines = answer_lines(exchange, answer) if whole is not None and whole.is_direct else None
        if whole is None or lines is None:
            await send_answer(exchange.send, answer, exchange.answer_headers, body=body)
            return
        if whole.is_congested:
            await whole.room()
        whole.respond(answer.status, lines, body)

    def _record(self, exchange: Exchange) -> None:
        seconds = time.perf_counter() - exchange.started
        kind = (exchange.method if exchange.method in KNOWN_METHODS else "OTHER", exchange.status)
        observed = self._observed.get(kind)
        if observed is None:
            status = str(exchange.status)
            observed = self._observed[kind] = HTTP_REQUESTS.labels(
                kind[0], self._settings.path, status, _OUTCOMES.get(status[0], "UNKNOWN"), self._service
            )
        observed.observe(seconds)
        if self.log.is_on and self.log.is_for_people:
            self._tell_people(exchange, seconds)
        elif self.log.is_on:
            self.log.write(
                method=exchange.method,
                status=exchange.status,
                duration_ms=round(seconds * 1000, 2),
                operation_type=exchange.operation_type,
                operation_name=exchange.operation_name,
                has_errors=exchange.has_errors,
                bytes=exchange.size,
                user=shown_subject(exchange.subject),
                request_id=exchange.request_id,
            )

    def _tell_people(self, exchange: Exchange, seconds: float) -> None:
        """A line for each operation: its kind and name, its time, what it took, its errors. Pages get none."""
        response = exchange.response
        if response is None and exchange.operation_type is None:
            return
        name = "".join(char for char in exchange.operation_name or "" if char.isprintable())[:MAX_SHOWN_NAME]
        facts = [f"{exchange.operation_type or 'operation'} {name}".ljust(28), f"{seconds * 1000:8.1f} ms"]
        if response is None:
            facts.append("stream")
        elif fetches := len(response.cache_controls):
            facts.append(f"{fetches} fetch{'es' if fetches > 1 else ''}")
        elif response.cache_policy is not None:
            facts.append("from the cache")
        if response is not None and response.has_errors:
            codes = dict.fromkeys(code or "no code" for code in response.error_codes)
            facts.append(f"{exchange.status} {len(response.error_codes)} errors: {', '.join(codes)}"[:200])
        self.log.write_line("request  " + "  ".join(facts))


_OUTCOMES = {"1": "INFORMATIONAL", "2": "SUCCESS", "3": "REDIRECTION", "4": "CLIENT_ERROR", "5": "SERVER_ERROR"}


def answer_lines(exchange: Exchange, answer: HttpAnswer) -> bytes | None:
    """The header lines of an answer but for its length; None where the server must see to them."""
    if answer.status in (204, 304):
        return None
    headers = (*answer.headers, *exchange.extra, (b"content-type", answer.content_type))
    response = exchange.response
    # a header of a subgraph may be a cookie
    lines = kept_header_lines(headers) if response is None or not response.headers else header_lines(headers)
    return b"%bx-request-id: %b\r\n" % (lines, exchange.request_id.encode()) if lines is not None else None


def http_answer(response: Response, accepted: Accepted) -> HttpAnswer:
    headers: list[tuple[bytes, bytes]] = []
    if response.headers:
        headers += [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in response.headers]
    if headers and any(name == b"cache-control" for name, _ in headers):
        headers.append((b"vary", b"authorization"))
    elif response.cache_policy is not None:
        headers.append((b"cache-control", response.cache_policy.header.encode()))
        headers.append((b"vary", b"authorization"))
    elif response.has_errors or response.operation_type != "query":
        headers.append((b"cache-control", b"no-store"))
    status = response.status
    if status == 400 and accepted.is_legacy_json:
        status = 200
    return HttpAnswer(status, response.body, accepted.content_type or b"application/json", tuple(headers))


def refusal(error: RouterError, accepted: Accepted) -> HttpAnswer:
    answer = error_answer(error, accepted)
    headers: list[tuple[bytes, bytes]] = [*answer.headers, *_NOT_STORED]
    if isinstance(error, UnauthenticatedError):
        headers.append((b"www-authenticate", INVALID_TOKEN))
    elif isinstance(error, RateLimitedError):
        headers.append((b"retry-after", str(error.retry_after_seconds).encode()))
    return HttpAnswer(answer.status, answer.body, answer.content_type, tuple(headers))


_NOT_STORED = ((b"cache-control", b"no-store"),)
#: Made beforehand: orjson ends the process where it finds no memory to write to.
_OUT_OF_MEMORY = orjson.dumps({"errors": out_of_memory().entries()})


def _require_acceptable(accepted: Accepted) -> None:
    if accepted.content_type is None and not accepted.streams:
        raise HttpError(
            406,
            "NOT_ACCEPTABLE",
            "Answers are application/graphql-response+json or application/json; streams are text/event-stream or "
            "multipart/mixed.",
        )
