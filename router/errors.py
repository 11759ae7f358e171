"""The router's exceptions that several rooms raise or handle, with their stable codes and what a client may read of them.

Further subclasses of `RequestError` stand beside the code that raises them, in `access/`, `server/` and `pipeline`; so does
`server.errors.HttpError`, for a request that is refused before it is read as GraphQL.

RouterError
├── SupergraphError             INVALID_SUPERGRAPH             the router cannot start (or reload) with this graph
│   └── UnsupportedLinkedFeatureError  UNSUPPORTED_LINKED_FEATURE     it links what this router does not know
├── RequestError               the request cannot run; nothing was executed; answered without `data`
│   ├── DocumentSyntaxError        GRAPHQL_PARSE_FAILED           400
│   ├── DocumentInvalidError       GRAPHQL_VALIDATION_FAILED      400 (one entry per broken rule)
│   ├── OperationNotFoundError     OPERATION_RESOLUTION_FAILURE   400
│   ├── IntrospectionDisabledError INTROSPECTION_DISABLED         400
│   ├── VariablesError             BAD_USER_INPUT                 400 (one entry per bad value)
│   ├── LimitExceededError         <WHAT>_LIMIT_EXCEEDED          400
│   ├── PlanningLimitError         PLANNING_LIMIT_EXCEEDED        400
│   ├── PlanningTimeoutError       PLANNING_TIMEOUT               503
│   └── PlanningFailedError        PLANNING_FAILED                500 (a defect of ours; details only in the log)
└── SubgraphError              one fetch failed; the rest of the answer stands
    ├── SubgraphHttpError          SUBREQUEST_HTTP_ERROR
    ├── SubgraphTimeoutError       SUBGRAPH_TIMEOUT
    ├── SubgraphMalformedError     SUBGRAPH_MALFORMED_RESPONSE
    ├── SubgraphCircuitOpenError   SUBGRAPH_CIRCUIT_OPEN
    └── SubgraphResponseTooLargeError  SUBGRAPH_RESPONSE_TOO_LARGE

`message` and `extensions` may be shown to clients. `detail` is for logs, and for clients of a router with `dev` alone: it
may name hosts and bodies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

#: One entry of a response's `errors`, in the wire's own shape: message, locations, path, extensions.
ErrorEntry = dict[str, Any]


class RouterError(Exception):
    """Base of everything the router raises on purpose."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"

    def __init__(self, message: str, *, detail: str = "", extensions: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.extensions = extensions or {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Travels between processes whatever its constructor asks for."""
        return _restored, (type(self), self.args, self.__dict__)

    def entries(self) -> list[ErrorEntry]:
        """The error as the client sees it."""
        return [{"message": self.message, "extensions": {"code": self.code, **self.extensions}}]


class SupergraphError(RouterError):
    """The text given as supergraph is none, or contradicts itself."""

    code: ClassVar[str] = "INVALID_SUPERGRAPH"


class UnsupportedLinkedFeatureError(SupergraphError):
    """The supergraph asks for something that this router would pass over."""

    code: ClassVar[str] = "UNSUPPORTED_LINKED_FEATURE"


def _restored(kind: type[RouterError], args: tuple[Any, ...], facts: dict[str, Any]) -> RouterError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(facts)
    return error


class RequestError(RouterError):
    """The whole request is refused; `status` is the HTTP status of `application/graphql-response+json`."""

    code: ClassVar[str] = "BAD_REQUEST"
    status: ClassVar[int] = 400


class DocumentSyntaxError(RequestError):
    code: ClassVar[str] = "GRAPHQL_PARSE_FAILED"

    def __init__(self, message: str, locations: Sequence[dict[str, int]] = ()) -> None:
        super().__init__(message)
        self.locations = list(locations)

    def entries(self) -> list[ErrorEntry]:
        return [{"message": self.message, "locations": self.locations, "extensions": {"code": self.code}}]


class DocumentInvalidError(RequestError):
    """`broken_rules` holds (message, locations), in document order."""

    code: ClassVar[str] = "GRAPHQL_VALIDATION_FAILED"

    def __init__(self, broken_rules: Sequence[tuple[str, Sequence[dict[str, int]]]]) -> None:
        super().__init__(broken_rules[0][0])
        self.broken_rules = tuple(broken_rules)

    def entries(self) -> list[ErrorEntry]:
        return [
            {"message": message, "locations": list(locations), "extensions": {"code": self.code}}
            for message, locations in self.broken_rules
        ]


class OperationNotFoundError(RequestError):
    code: ClassVar[str] = "OPERATION_RESOLUTION_FAILURE"


class IntrospectionDisabledError(RequestError):
    code: ClassVar[str] = "INTROSPECTION_DISABLED"

    def __init__(self, locations: Sequence[dict[str, int]] = ()) -> None:
        super().__init__("This graph does not tell its schema: introspection is switched off.")
        self.locations = list(locations)

    def entries(self) -> list[ErrorEntry]:
        return [{"message": self.message, "locations": self.locations, "extensions": {"code": self.code}}]


class VariablesError(RequestError):
    code: ClassVar[str] = "BAD_USER_INPUT"

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__(messages[0])
        self.messages = tuple(messages)

    def entries(self) -> list[ErrorEntry]:
        return [{"message": message, "extensions": {"code": self.code}} for message in self.messages]


class LimitExceededError(RequestError):
    """`limit` names what ran over: TOKEN, DEPTH, ALIAS, FIELD, DIRECTIVE, ROOT_FIELD, VARIABLE_VALUE,
    INTROSPECTED_VALUE, REPEATED_FIELD.
    """

    def __init__(self, limit: str, maximum: int, found: int | None = None) -> None:
        more = f"; it has {found}" if found is not None else ""
        super().__init__(
            f"The operation exceeds the {limit.lower().replace('_', ' ')} limit of {maximum}{more}.",
            extensions={"maximum": maximum},
        )
        self.limit = limit

    def entries(self) -> list[ErrorEntry]:
        return [{"message": self.message, "extensions": {"code": f"{self.limit}_LIMIT_EXCEEDED", **self.extensions}}]


def json_kind(value: object) -> str:
    """What a value is called in JSON, with its article: "a string", "null"."""
    if value is None:
        return "null"
    kinds = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
    }
    return kinds.get(type(value), "a value")


class PlanningLimitError(RequestError):
    """The search for a plan, or the plan itself, grew past its bound."""

    code: ClassVar[str] = "PLANNING_LIMIT_EXCEEDED"


class PlanningTimeoutError(RequestError):
    code: ClassVar[str] = "PLANNING_TIMEOUT"
    status: ClassVar[int] = 503


class PlanningFailedError(RequestError):
    code: ClassVar[str] = "PLANNING_FAILED"
    status: ClassVar[int] = 500


class SubgraphError(RouterError):
    """One request to one subgraph failed as a whole."""

    code: ClassVar[str] = "SUBGRAPH_ERROR"

    def __init__(self, message: str, subgraph: str, *, detail: str = "", **extensions: Any) -> None:
        super().__init__(message, detail=detail, extensions={"service": subgraph, **extensions})
        self.subgraph = subgraph
        self.address = ""  # where it was asked, of a subgraph that cannot be reached

    @property
    def full_message(self) -> str:
        """With address and cause, for those who run the router."""
        where = f" {self.address}:" if self.address else ""
        return f"{self.message}{where} {self.detail}" if self.detail else self.message


class SubgraphHttpError(SubgraphError):
    code: ClassVar[str] = "SUBREQUEST_HTTP_ERROR"
    was_sent = True  # False: no connection came about, so that nobody can have acted on the request


class SubgraphTimeoutError(SubgraphError):
    code: ClassVar[str] = "SUBGRAPH_TIMEOUT"


class SubgraphMalformedError(SubgraphError):
    code: ClassVar[str] = "SUBGRAPH_MALFORMED_RESPONSE"


class SubgraphCircuitOpenError(SubgraphError):
    """It was not asked: it has been failing."""

    code: ClassVar[str] = "SUBGRAPH_CIRCUIT_OPEN"


class SubgraphResponseTooLargeError(SubgraphError):
    code: ClassVar[str] = "SUBGRAPH_RESPONSE_TOO_LARGE"


def unreachable(subgraph: str, address: str, error: Exception) -> SubgraphHttpError:
    """No connection came about; nothing of the request was sent."""
    unsent = SubgraphHttpError("The subgraph cannot be reached.", subgraph, detail=str(error))
    unsent.address, unsent.was_sent = address, False
    return unsent


def response_too_large(subgraph: str, max_bytes: int) -> SubgraphResponseTooLargeError:
    """Says the limit: `traffic_shaping.max_response_bytes`, of an event `subscriptions.max_event_bytes`."""
    return SubgraphResponseTooLargeError(f"The subgraph's answer is larger than {max_bytes} bytes.", subgraph)
