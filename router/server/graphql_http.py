"""The GraphQL endpoint as raw ASGI: one request in, one answer or one stream out, one log line.

`app` sends it every HTTP request for the GraphQL path; a stream is handed to `event_stream`.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Self

import structlog

from router.access.authentication import UnauthenticatedError
from router.access.caller import Refusal
from router.access.limits import RateLimitedError
from router.content_coding import encode
from router.errors import RequestError, RouterError
from router.log_lines import shown_subject
from router.pipeline import Response
from router.request_metrics import Durations
from router.server.batch import batch_body
from router.server.cors import ALLOWED_METHODS, CorsPolicy
from router.server.errors import HttpError, method_not_allowed, out_of_memory
from router.server.event_stream import EventStreams, Framing
from router.server.exchange import Exchange
from router.server.front_door import FrontDoor, PayloadStream, Visit
from router.server.graphiql_page import GraphiqlPage
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
)
from router.server.response import Accepted, HttpAnswer, Stream, coding_for, error_answer, negotiate, send_answer
from router.server.single_connection import SingleConnections, token_of
from router.server.uploads import MULTIPART, UploadReader, closing_files
from router.telemetry import HTTP_REQUESTS, REQUESTS_IN_FLIGHT, RequestLog, Tracing

log = structlog.get_logger(__name__)

#: A request that takes longer is worth a task that waits for its client to go away.
WATCH_AFTER_SECONDS = 0.2
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
        headers = HeaderFields(scope["headers"])
        exchange = Exchange(scope, headers, send, [VARIES_BY_ACCEPT, *self._cors.headers_for(headers)])
        REQUESTS_IN_FLIGHT.value += 1
        try:
            if self._tracing.is_on:
                with self._tracing.operation(headers.lines, exchange.request_id) as span:
                    await self._serve(exchange, receive)
                    span.set_attribute("graphql.operation.name", exchange.operation_name or "")
                    span.set_attribute("http.response.status_code", exchange.status)
            else:
                await self._serve(exchange, receive)
        finally:
            REQUESTS_IN_FLIGHT.value -= 1
            self._record(exchange)

    async def _serve(self, exchange: Exchange, receive: Receive) -> None:
        accepted = negotiate(exchange.headers.text(b"accept"))
        try:
            await self._route(exchange, accepted, receive)
        except ClientGoneError:
            exchange.status = CLIENT_CLOSED_REQUEST
        except (HttpError, RequestError) as error:
            await self._send(exchange, refusal(error, accepted))
        except MemoryError:
            log.error("out_of_memory", request_id=exchange.request_id)  # a stack trace would take more of it
            if exchange.is_started:
                raise
            await self._send(exchange, refusal(out_of_memory(), accepted))
        except Exception:
            log.exception("request_failed", request_id=exchange.request_id)
            if exchange.is_started:
                raise
            await self._send(exchange, error_answer(RouterError("Internal server error."), accepted))

    async def _route(self, exchange: Exchange, accepted: Accepted, receive: Receive) -> None:
        method = exchange.method
        if not self._hosts.admits(exchange.headers):
            raise HttpError(421, "MISDIRECTED_REQUEST", "This server does not answer to the name that it was asked by.")
        if method == "POST":
            await self._post(exchange, accepted, receive)
        elif method in ("GET", "HEAD"):
            if method == "HEAD":  # as a GET is answered; the server leaves the body out
                accepted = replace(accepted, streams=())
            await self._get(exchange, accepted, receive)
        elif method == "PUT" and self._connections.is_offered and exchange.headers.text(b"content-length") in ("", "0"):
            await self._send(exchange, self._connections.reserve(await self._visit(exchange)))
        elif method == "DELETE" and (token := token_of(exchange)):
            visit = await self._visit(exchange)
            await self._send(exchange, self._connections.stop(token, exchange.parameter("operationId"), visit))
        elif method == "OPTIONS":
            extra = self._cors.headers_for(exchange.headers, is_preflight=True)
            exchange.extra = [*exchange.request_id_header, *extra]
            await self._send(exchange, HttpAnswer(204, b"", headers=((b"allow", ALLOWED_METHODS),)))
        else:
            raise method_not_allowed(
                ALLOWED_METHODS.decode(), f"{method} is not supported; use POST, or GET for queries."
            )

    async def _get(self, exchange: Exchange, accepted: Accepted, receive: Receive) -> None:
        if accepted.html and self._page is not None:
            await self._send(exchange, self._page.answer())
            return
        _require_acceptable(accepted)
        if Stream.EVENTS in accepted.streams and (token := token_of(exchange)):
            await self._connections.open(token, exchange, receive, await self._visit(exchange))
            return
        check_csrf(exchange.headers, self._settings.csrf)
        parameters = operation_from_query_string(exchange.query_string, self._settings.limits.url_bytes)
        await self._operation(exchange, accepted, receive, parameters, only_queries=True)

    async def _post(self, exchange: Exchange, accepted: Accepted, receive: Receive) -> None:
        _require_acceptable(accepted)
        settings = self._settings
        content_type = element(exchange.headers.single(b"content-type"))
        has_files = settings.uploads.enabled and content_type.name == MULTIPART
        if has_files:
            check_is_preflighted(exchange.headers, settings.csrf)
            asked: OperationParameters | list[OperationParameters] = await self._uploads.operation(
                exchange.headers, content_type, receive, settings.request_timeout_seconds
            )
        else:
            max_bytes = settings.limits.body_bytes
            body = await read_body(exchange.headers, receive, max_bytes, settings.request_timeout_seconds)
            if encoding := exchange.headers.text(b"content-encoding"):
                body = decoded_body(body, encoding, max_bytes)
            max_batch = settings.batching.max_size if settings.batching.enabled else 0
            asked = operations_from_body(content_type, body, max_batch)
        if isinstance(asked, OperationParameters):
            if token := token_of(exchange):
                started = await self._connections.start(token, asked, await self._visit(exchange))
                await self._send(
                    exchange, started if isinstance(started, HttpAnswer) else http_answer(started, accepted)
                )
            else:
                with closing_files(asked):
                    await self._operation(exchange, accepted, receive, asked)
            return
        visit = await self._visit(exchange)
        pending = [self._door.respond(each, visit) for each in asked]
        body = await batch_body(pending, self._settings.limits.response_bytes)
        await self._send(exchange, HttpAnswer(200, body, accepted.content_type or b"application/json"))

    async def _operation(
        self,
        exchange: Exchange,
        accepted: Accepted,
        receive: Receive,
        parameters: OperationParameters,
        *,
        only_queries: bool = False,
    ) -> None:
        exchange.operation_name = parameters.operation_name
        visit = await self._visit(exchange)
        begun: Response | tuple[PayloadStream, Framing]
        with _ClientWatch(receive, parameters) as watch:
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
            await self._streams.send(exchange, receive, stream, framing, visit)

    async def _visit(self, exchange: Exchange) -> Visit:
        visit = await self._door.visit(exchange.headers, exchange.address, request_id=exchange.request_id)
        exchange.subject = visit.caller.subject
        if visit.caller.refusal is not Refusal.NO_TOKEN:
            exchange.extra = [*exchange.extra, (b"www-authenticate", INVALID_TOKEN)]
        return visit

    async def _send(self, exchange: Exchange, answer: HttpAnswer) -> None:
        exchange.status = answer.status
        exchange.is_started = True
        extra = exchange.extra
        body: bytes | None = None
        from_bytes = self._settings.compress_from_bytes
        if from_bytes and len(answer.body) >= from_bytes:
            coding = coding_for(len(answer.body), exchange.headers.text(b"accept-encoding"), from_bytes)
            extra = [*extra, (b"vary", b"accept-encoding")]
            if coding is not None:
                body = encode(answer.body, coding)
                extra.append((b"content-encoding", coding.encode()))
        exchange.size = len(answer.body if body is None else body)
        await send_answer(exchange.send, answer, extra, body=body)

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


class _ClientWatch:
    """Cancels the request of a client that went away, so that nobody works for nobody.

    A mutation is let finish: half of one is worse than an unread answer.
    """

    def __init__(self, receive: Receive, parameters: OperationParameters) -> None:
        self._receive = receive
        self._may_cancel = parameters.document is not None and "mutation" not in parameters.document
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self.is_gone = False

    def __enter__(self) -> Self:
        if self._may_cancel:
            request = asyncio.current_task()
            assert request is not None
            self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_SECONDS, self._start, request)
        return self

    def __exit__(self, kind: object, *_: object) -> bool:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        if not self.is_gone or kind is not asyncio.CancelledError:
            return False
        request = asyncio.current_task()
        assert request is not None
        request.uncancel()
        return True

    def _start(self, request: asyncio.Task[None]) -> None:
        self._task = asyncio.ensure_future(self._wait(request))

    async def _wait(self, request: asyncio.Task[None]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_gone = True
        request.cancel()


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
    headers: list[tuple[bytes, bytes]] = [*answer.headers, (b"cache-control", b"no-store")]
    if isinstance(error, UnauthenticatedError):
        headers.append((b"www-authenticate", INVALID_TOKEN))
    elif isinstance(error, RateLimitedError):
        headers.append((b"retry-after", str(error.retry_after_seconds).encode()))
    return HttpAnswer(answer.status, answer.body, answer.content_type, tuple(headers))


def _require_acceptable(accepted: Accepted) -> None:
    if accepted.content_type is None and not accepted.streams:
        raise HttpError(
            406,
            "NOT_ACCEPTABLE",
            "Answers are application/graphql-response+json or application/json; streams are text/event-stream or "
            "multipart/mixed.",
        )
