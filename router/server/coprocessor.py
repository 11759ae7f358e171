"""Code of the operator's own in another process and any language: an extension whose stages are HTTP calls.

The contract is the structs of this module, as JSON. For each stage that the settings name, the coprocessor is sent a
`Call` by POST and answers 200 with a `Verdict`: what goes on changed, or who is refused. `{}` changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
import orjson
import structlog

from router.bounded_body import BodyTooLargeError, read_at_most
from router.errors import RequestError, SubgraphError
from router.exact_json import dumps, loads
from router.pipeline import Response
from router.prepared_request import OperationRequest
from router.settings import Coprocessor as CoprocessorSettings
from router.telemetry import COPROCESSOR_CALLS
from router.transport.protocol import SubgraphAnswer, SubgraphRequest

log = structlog.get_logger(__name__)

VERSION = 1
CODE = "COPROCESSOR_FAILED"


class Refusal(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    message: str
    status: int = 403


class Verdict(msgspec.Struct, forbid_unknown_fields=True):
    """What of the call's members is to be another, of those that its stage has; or a refusal."""

    query: str | None = None
    variables: dict[str, Any] | None = None
    headers: dict[str, str] | None = None  # all of them: those that are left out go
    body: Any = msgspec.UNSET
    refuse: Refusal | None = None


class RefusedByCoprocessorError(RequestError):
    """The coprocessor says that this may not be, or cannot be asked and the settings let nothing pass then."""

    def __init__(self, code: str, message: str, status: int, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.code = code  # type: ignore[misc] # of this one refusal
        self.status = status  # type: ignore[misc]


class _FailedError(Exception):
    """No verdict came."""


class Coprocessor:
    """One server for all stages."""

    def __init__(self, settings: CoprocessorSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    def as_extension(self) -> SimpleNamespace:
        """With the stages of the settings and no others: what is not asked for costs nothing."""
        stages: Mapping[str, Callable[..., Awaitable[Any]]] = {
            "request": self._on_request,
            "subgraph_request": self._on_subgraph_request,
            "subgraph_answer": self._on_subgraph_answer,
            "response": self._on_response,
            "event": self._on_event,
        }
        return SimpleNamespace(**{f"on_{name}": stages[name] for name in self._settings.stages})

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _on_request(self, request: OperationRequest) -> OperationRequest:
        verdict = await self._ask("request", _told_of(request))
        if verdict is None:
            return request
        return replace(
            request,
            query=request.query if verdict.query is None else verdict.query,
            variables=request.variables if verdict.variables is None else verdict.variables,
            headers=request.headers if verdict.headers is None else tuple(verdict.headers.items()),
        )

    async def _on_subgraph_request(self, request: SubgraphRequest) -> SubgraphRequest:
        told = {"headers": dict(request.headers), "body": loads(request.body)}
        verdict = await self._ask_of("subgraph_request", request, told)
        if verdict is None:
            return request
        return replace(
            request,
            headers=request.headers if verdict.headers is None else tuple(verdict.headers.items()),
            body=request.body if verdict.body is msgspec.UNSET else dumps(verdict.body),
        )

    async def _on_subgraph_answer(self, request: SubgraphRequest, answer: SubgraphAnswer) -> SubgraphAnswer:
        told = {"status": answer.status, "body": _json_or_text(answer.body)}
        verdict = await self._ask_of("subgraph_answer", request, told)
        if verdict is None or verdict.body is msgspec.UNSET:
            return answer
        return replace(answer, body=dumps(verdict.body))

    async def _on_response(self, request: OperationRequest, response: Response) -> Response:
        told = {**_told_of(request), "status": response.status, "body": _json_or_text(response.body)}
        verdict = await self._ask("response", told)
        if verdict is None or verdict.body is msgspec.UNSET:
            return response
        return replace(response, body=dumps(verdict.body))

    async def _on_event(self, request: OperationRequest, body: bytes) -> bytes | None:
        """None, of which the client hears nothing, where the verdict's body is null."""
        verdict = await self._ask("event", {**_told_of(request), "body": _json_or_text(body)})
        if verdict is None or verdict.body is msgspec.UNSET:
            return body
        return None if verdict.body is None else dumps(verdict.body)

    async def _ask_of(self, stage: str, request: SubgraphRequest, told: dict[str, Any]) -> Verdict | None:
        """Of a request to a subgraph, whose fields a refusal belongs to. Raises SubgraphError."""
        try:
            return await self._ask(stage, {"subgraph": request.subgraph, **told})
        except RequestError as error:
            raise _as_subgraph_error(error, request.subgraph) from error

    async def _ask(self, stage: str, told: dict[str, Any]) -> Verdict | None:
        """None where none came and the settings let that pass. Raises RefusedByCoprocessorError."""
        try:
            verdict = await self._verdict(dumps({"version": VERSION, "stage": stage, **told}))
        except _FailedError as error:
            COPROCESSOR_CALLS.labels(stage, "failed").inc()
            log.warning("coprocessor_failed", stage=stage, reason=str(error))
            if self._settings.when_it_fails == "go_on":
                return None
            raise RefusedByCoprocessorError(CODE, "The request could not be judged.", 503, str(error)) from error
        if verdict.refuse is not None:
            COPROCESSOR_CALLS.labels(stage, "refused").inc()
            status = verdict.refuse.status if 400 <= verdict.refuse.status <= 599 else 403
            raise RefusedByCoprocessorError(verdict.refuse.code, verdict.refuse.message, status)
        COPROCESSOR_CALLS.labels(stage, "ok").inc()
        return verdict

    async def _verdict(self, body: bytes) -> Verdict:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._settings.timeout_seconds)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        headers = {"content-type": "application/json"}
        headers |= {name: value.get_secret_value() for name, value in self._settings.headers.items()}
        try:
            async with self._session.post(
                self._settings.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise _FailedError(f"status {response.status}")
                answer = await read_at_most(response, self._settings.max_bytes)
        except BodyTooLargeError as error:
            raise _FailedError(str(error)) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _FailedError(repr(error)) from error
        try:
            return msgspec.convert(loads(answer), Verdict)
        except (orjson.JSONDecodeError, msgspec.ValidationError) as error:
            raise _FailedError(str(error)) from error


def _told_of(request: OperationRequest) -> dict[str, Any]:
    return {
        "query": request.query,
        "operationName": request.operation_name,
        "variables": request.variables,
        "headers": dict(request.headers),
        "subject": request.caller.subject,
        "claims": dict(request.caller.claims),
    }


def _json_or_text(body: bytes) -> Any:
    try:
        return loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")


def _as_subgraph_error(error: RequestError, subgraph: str) -> SubgraphError:
    found = SubgraphError(error.message, subgraph, detail=error.detail)
    found.code = error.code  # type: ignore[misc] # of this one refusal
    return found
