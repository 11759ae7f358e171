"""How operations ended, counted: by kind, by code, by name. Called by `front_door` for every answer.

GraphQL answers failures with HTTP 200, so alerts need these numbers rather than the status. An error is the client's
own where its code says so; every other one, and one without a code, is a failure of the platform.
"""

from __future__ import annotations

from typing import Literal

from prometheus_client import Counter

from router.executor.projection import is_without_data
from router.pipeline import Response
from router.telemetry import NAMED_OPERATIONS, OPERATION_ERRORS, OPERATIONS

Outcome = Literal["ok", "refused", "partly_failed", "failed"]

#: Codes by which a subgraph, or the router for one field, says that the client asked for what it may not have or what
#: cannot be. They are those that GraphQL servers commonly use; an answer without data is judged by its status.
CLIENT_CODES = frozenset({
    "BAD_REQUEST", "BAD_USER_INPUT", "CONFLICT", "FORBIDDEN", "NOT_FOUND", "RATE_LIMITED",
    "RESPONSE_TOO_LARGE", "STALE_VERSION", "UNAUTHENTICATED", "UNAUTHORIZED_FIELD_OR_TYPE", "VALIDATION_ERROR",
})  # fmt: skip
#: A label's values live as long as the process: a client that makes up names or codes must not fill its memory.
MOST_NAMES = 200
MOST_CODES = 100
OTHER = "other"

#: prometheus_client's own look-up costs several times the increment
_kinds: dict[tuple[str, str], Counter] = {}
_names: dict[tuple[str, str], Counter] = {}
_known_names: set[str] = set()
_codes: dict[str, Counter] = {}


def count_operation(response: Response) -> None:
    """Counts one answer by kind and name, and each different code of its errors once."""
    outcome = outcome_of(response)
    kind = (response.operation_type, outcome)
    counter = _kinds.get(kind)
    if counter is None:
        counter = _kinds[kind] = OPERATIONS.labels(*kind)
    counter.inc()
    name = (response.operation_name or OTHER, outcome)
    counter = _names.get(name)
    if counter is None:
        counter = _counter_of_name(*name)
    counter.inc()
    if response.error_codes:
        for code in set(response.error_codes):
            _counter_of_code(code).inc()


def outcome_of(response: Response) -> Outcome:
    if not response.has_errors:
        return "ok"
    if response.is_request_error:
        return "refused" if response.status < 500 else "failed"
    if all(code in CLIENT_CODES for code in response.error_codes):
        return "refused"
    return "failed" if is_without_data(response.body) else "partly_failed"


def _counter_of_name(name: str, outcome: str) -> Counter:
    if name not in _known_names and len(_known_names) >= MOST_NAMES:
        return NAMED_OPERATIONS.labels(OTHER, outcome)
    _known_names.add(name)
    counter = _names[name, outcome] = NAMED_OPERATIONS.labels(name, outcome)
    return counter


def _counter_of_code(code: str) -> Counter:
    counter = _codes.get(code)
    if counter is not None:
        return counter
    if len(_codes) >= MOST_CODES or len(code) > 64:
        return OPERATION_ERRORS.labels(OTHER)
    counter = _codes[code] = OPERATION_ERRORS.labels(code or "none")
    return counter
