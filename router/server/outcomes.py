"""How operations ended, counted: by kind, by code, by name. Called by `front_door` for every answer.

GraphQL answers failures with HTTP 200, so alerts need these numbers rather than the status. An error is the client's
own where its code says so; every other one, and one without a code, is a failure of the platform.
"""

from __future__ import annotations

from typing import Literal

from prometheus_client import Counter

from router.executor.projection import is_without_data
from router.pipeline import Response
from router.request_metrics import Count
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

#: By kind, outcome and name: a look-up for each would cost several times the increments.
_known: dict[tuple[str, Outcome, str | None], tuple[Count, Count]] = {}
_known_names: set[str] = set()
_codes: dict[str, Counter] = {}


def count_operation(response: Response) -> None:
    """Counts one answer by kind and name, and each different code of its errors once."""
    outcome = outcome_of(response)
    key = (response.operation_type, outcome, response.operation_name)
    of_kind, of_name = _known.get(key) or _counts_of(*key)
    of_kind.value += 1
    of_name.value += 1
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


def _counts_of(kind: str, outcome: Outcome, name: str | None) -> tuple[Count, Count]:
    label = name or OTHER
    of_kind = OPERATIONS.labels(kind, outcome)
    if label not in _known_names and len(_known_names) >= MOST_NAMES:
        return of_kind, NAMED_OPERATIONS.labels(OTHER, outcome)
    _known_names.add(label)
    counts = _known[kind, outcome, name] = of_kind, NAMED_OPERATIONS.labels(label, outcome)
    return counts


def _counter_of_code(code: str) -> Counter:
    counter = _codes.get(code)
    if counter is not None:
        return counter
    if len(_codes) >= MOST_CODES or len(code) > 64:
        return OPERATION_ERRORS.labels(OTHER)
    counter = _codes[code] = OPERATION_ERRORS.labels(code or "none")
    return counter
