"""GraphQL over HTTP and WebSocket for one subgraph: raw ASGI for POST, Strawberry's view for streams. Mounted by `app`."""

import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType
from structlog.contextvars import bind_contextvars

from events.lineage import begin_request
from router.exact_json import parsed
from subgraphs.shell.allowance import (
    LARGEST_ANSWER_BYTES,
    AnswerTooLargeError,
    AskerLeftError,
    DeadlineExceededError,
    Stoppable,
    TookTooLongError,
)
from subgraphs.shell.context import Context
from subgraphs.shell.errors import SubgraphError, UnavailableError
from subgraphs.shell.graphql_schema import SubgraphSchema
from subgraphs.shell.repetition import Repetition
from subgraphs.shell.telemetry import operation_span, requests_like_it

if TYPE_CHECKING:
    from router.server.whole_request import WholeRequest

CLIENT_CLOSED_REQUEST = 499
SERVICE_UNAVAILABLE = 503
GATEWAY_TIMEOUT = 504
#: How many milliseconds the router, or whoever asks, still waits for the answer.
DEADLINE_MS = "x-deadline-ms"
LARGEST_BODY_BYTES = 4 * 1024 * 1024
PATH = "/graphql"
_RESPONSE_JSON = "application/graphql-response+json"
_CONTENT_TYPES = {
    media_type: b"content-type: %b; charset=utf-8\r\n" % media_type.encode()
    for media_type in (_RESPONSE_JSON, "application/json")
}
_ANSWERED_AT_ONCE = (OperationType.QUERY, OperationType.MUTATION)
_NEVER_EXECUTED = frozenset({"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"})

MakeContext = Callable[[Mapping[str, str]], Context]


class BadRequestError(Exception):
    """The HTTP request is no GraphQL request."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class GraphQLEndpoint:
    """The ASGI application behind /graphql."""

    def __init__(self, name: str, schema: SubgraphSchema, make_context: MakeContext) -> None:
        self._name = name
        self._schema = schema
        self._make_context = make_context
        self._streams = _StreamView(schema, make_context)
        self._repetition = Repetition()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._streams(scope, receive, send)
            return
        if _wants_stream(scope):
            await self._stream(scope, receive, send)
            return
        started = time.perf_counter()
        method, headers = scope["method"], _headers_of(scope["headers"])
        try:
            _check_request(method, headers)
            status, body = await self._answered(await _read_body(headers, receive), headers, receive)
        except BadRequestError as error:
            status, body = error.status, _bad_request(error)
        except MemoryError:  # for the body
            status, body = SERVICE_UNAVAILABLE, _refusal(UnavailableError())
        await _send(send, status, _media_type(headers), body)
        self._count(method, status, started)

    async def answer(self, request: "WholeRequest") -> None:
        """A POST that arrived whole, which is told of and answered by no events: those cost as much as a small answer."""
        fields = request.head.fields
        if b"text/event-stream" in fields.get(b"accept", b""):
            await self(request.scope(), request.receive, request.send)
            return
        started = time.perf_counter()
        headers = _headers_of(fields.lines)
        try:
            _check_request("POST", headers)
            if len(request.body) > LARGEST_BODY_BYTES:
                raise _too_large()
            status, body = await self._answered(request.body, headers, None, request)
        except BadRequestError as error:
            status, body = error.status, _bad_request(error)
        request.respond(status, _CONTENT_TYPES[_media_type(headers)], body)
        self._count("POST", status, started)

    async def _answered(
        self,
        body: bytes,
        headers: Mapping[str, str],
        receive: Receive | None,
        whole: "WholeRequest | None" = None,
    ) -> tuple[int, bytes]:
        """Status and body. That the asker leaves is told by `receive` or by `whole`. Raises BadRequestError."""
        try:
            request = _read_request(body)
            seconds = _seconds_left(headers)
            stoppable = Stoppable(receive, is_query="mutation" not in request["query"], seconds=seconds)
            work = self._execute(request, headers, stoppable)
            result = await (stoppable.run(work) if whole is None else _while_wanted(whole, stoppable, work))
            return _status(result, headers), _encode(result)
        except AskerLeftError:
            return CLIENT_CLOSED_REQUEST, b""
        except (AnswerTooLargeError, TookTooLongError) as error:
            return 200, _refusal(error)
        except DeadlineExceededError as error:  # an asker that counts failures is to count this one
            return GATEWAY_TIMEOUT, _refusal(error)
        except MemoryError:  # outside of execution, which tells it of each field
            return SERVICE_UNAVAILABLE, _refusal(UnavailableError())

    def _count(self, method: str, status: int, started: float) -> None:
        outcome = "SUCCESS" if status < 400 else "CLIENT_ERROR" if status < 500 else "SERVER_ERROR"
        requests_like_it(self._name, method, PATH, str(status), outcome).observe(time.perf_counter() - started)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Strawberry's view reads a body of any size: here it is read within the bound of every other one, and given again."""
        headers = _headers_of(scope["headers"])
        try:
            _check_request(scope["method"], headers)
            body = await _read_body(headers, receive)
        except BadRequestError as error:
            await _send(send, error.status, _media_type(headers), _bad_request(error))
            return
        await self._streams(scope, _given_again(body, receive), send)

    async def _execute(
        self, request: dict[str, Any], headers: Mapping[str, str], stoppable: Stoppable
    ) -> ExecutionResult:
        operation_name = request.get("operationName")

        async def execute() -> ExecutionResult:
            context = self._make_context(headers)  # loaders remember failures: each attempt has its own
            context.stoppable = stoppable
            begin_request(context.correlation_id)
            bind_contextvars(correlation_id=context.correlation_id)
            return await self._schema.execute(
                request["query"],
                variable_values=request.get("variables"),
                context_value=context,
                operation_name=operation_name,
                allowed_operation_types=_ANSWERED_AT_ONCE,
            )

        with operation_span(operation_name or "graphql", headers):
            try:
                return await self._repetition.until_available(execute, request, stoppable.is_over)
            except InvalidOperationTypeError:
                raise BadRequestError(
                    400, "BAD_REQUEST", "Subscriptions need a WebSocket, or Accept: text/event-stream."
                ) from None
            except CannotGetOperationTypeError:
                raise BadRequestError(
                    400, "OPERATION_RESOLUTION_FAILURE", "operationName names no operation of the document."
                ) from None


class _StreamView(GraphQL[Context, None]):
    """Strawberry's own view, for graphql-transport-ws and server-sent events."""

    def __init__(self, schema: SubgraphSchema, make_context: MakeContext) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
        )
        self._make_context = make_context

    async def get_context(self, request: HTTPConnection, response: Any) -> Context:  # noqa: ARG002 - Strawberry's signature
        return self._make_context(request.headers)

    async def on_ws_connect(self, context: Context) -> Any:
        """A token that does not hold is refused with the connection; no token is an anonymous caller."""
        try:
            context.check_token()
        except SubgraphError as error:
            raise ConnectionRejectionError({"message": str(error), **error.extensions}) from None
        return await super().on_ws_connect(context)

    def encode_json(self, data: Any) -> str:
        """An answer as a message of either protocol; one that is larger than any may be is the refusal of it."""
        message = orjson.dumps(data)
        if len(message) > LARGEST_ANSWER_BYTES:
            refused = orjson.loads(_refusal(AnswerTooLargeError.of_bytes()))
            message = orjson.dumps(data | {"payload": refused} if "payload" in data else refused)
        return message.decode()

    def decode_json(self, data: str | bytes) -> Any:
        return parsed(data)


async def _while_wanted(
    whole: "WholeRequest", stoppable: Stoppable, work: Coroutine[Any, Any, ExecutionResult]
) -> ExecutionResult:
    """What the work gives. Raises AskerLeftError, and what `stoppable` raises."""
    with whole.while_wanted(may_cancel=stoppable.is_query):
        return await stoppable.run(work)
    stoppable.end_reads()  # of the block that was left because the asker did
    raise AskerLeftError


def _headers_of(lines: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """By their names, which the server gives in small letters; of several with one name the first, as Starlette has it."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(lines)}


def _wants_stream(scope: Scope) -> bool:
    for name, value in scope["headers"]:  # noqa: SIM110 - every request asks, and a generator costs ten times as much
        if name == b"accept" and b"text/event-stream" in value:
            return True
    return False


def _given_again(body: bytes, receive: Receive) -> Receive:
    """What was read already, and then whatever comes: that the asker goes away."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive_again() -> Any:
        return next(messages, None) or await receive()

    return receive_again


def _bad_request(error: BadRequestError) -> bytes:
    return orjson.dumps({"errors": [{"message": str(error), "extensions": {"code": error.code}}]})


def _check_request(method: str, headers: Mapping[str, str]) -> None:
    if method != "POST":
        raise BadRequestError(405, "METHOD_NOT_ALLOWED", "Send GraphQL requests with POST.")
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise BadRequestError(415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json.")


def _seconds_left(headers: Mapping[str, str]) -> float | None:
    """None where the asker says nothing, or nothing that is a number of milliseconds."""
    told = headers.get(DEADLINE_MS, "")
    return int(told) / 1000 if told.isascii() and told.isdigit() and len(told) < 10 else None


async def _read_body(headers: Mapping[str, str], receive: Receive) -> bytes:
    if int(headers.get("content-length", "0")) > LARGEST_BODY_BYTES:
        raise _too_large()
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequestError(400, "BAD_REQUEST", "The request ended early.")
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY_BYTES:
            raise _too_large()
        if not message.get("more_body"):
            return bytes(body)


def _too_large() -> BadRequestError:
    return BadRequestError(413, "PAYLOAD_TOO_LARGE", f"A request may have at most {LARGEST_BODY_BYTES} bytes.")


def _read_request(body: bytes) -> dict[str, Any]:
    try:
        request = parsed(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(400, "BAD_REQUEST", f"The body is no JSON: {error}.") from None
    if not isinstance(request, dict):
        raise BadRequestError(400, "BAD_REQUEST", "The body must be a JSON object.")
    if not isinstance(request.get("query"), str) or not request["query"]:
        raise BadRequestError(400, "BAD_REQUEST", "The body needs a text `query`.")
    if not isinstance(request.get("variables"), dict | None):
        raise BadRequestError(400, "BAD_REQUEST", "`variables` must be an object.")
    if not isinstance(request.get("operationName"), str | None):
        raise BadRequestError(400, "BAD_REQUEST", "`operationName` must be a text.")
    return request


def _media_type(headers: Mapping[str, str]) -> str:
    return _RESPONSE_JSON if _RESPONSE_JSON in headers.get("accept", "") else "application/json"


def _status(result: ExecutionResult, headers: Mapping[str, str]) -> int:
    """400 for a document that was never executed, where the client speaks the newer media type."""
    if result.data is not None or not result.errors or _media_type(headers) != _RESPONSE_JSON:
        return 200
    codes = {(error.extensions or {}).get("code") for error in result.errors if error.path is None}
    return 400 if codes & _NEVER_EXECUTED else 200


def _encode(result: ExecutionResult) -> bytes:
    """Raises AnswerTooLargeError. Encoding what is within the bound takes some milliseconds at most."""
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        answer["extensions"] = result.extensions
    body = orjson.dumps(answer)
    if len(body) > LARGEST_ANSWER_BYTES:
        raise AnswerTooLargeError.of_bytes()
    return body


def _refusal(error: SubgraphError) -> bytes:
    return orjson.dumps({"data": None, "errors": [{"message": str(error), "extensions": error.extensions}]})


async def _send(send: Callable[[Any], Awaitable[None]], status: int, media_type: str, body: bytes) -> None:
    headers = [
        (b"content-type", media_type.encode() + b"; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    if status == 405:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
