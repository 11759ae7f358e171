"""Every `extensions.code` that an operation can be answered with, by router or subgraphs: its cause and what to do.

`explain` prints them; a test holds them against the codes that stand in the sources of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AnswerCode:
    """`reasons` are the values of `extensions.reason` beside it, where the code alone leaves open what to do."""

    code: str
    cause: str
    cure: str
    reasons: Mapping[str, str] = field(default_factory=dict)


_LIMITS = "The setting `limits` bounds what one operation may ask; `extensions` tell the limit and what was found."

_KNOWN = (
    AnswerCode(
        "UNAUTHENTICATED",
        "A field needs a caller, and nobody is known; or nobody may sign in with what was given.",
        "By `reason`: renew the token and ask again, or let the person sign in.",
        {
            "NO_TOKEN": "none was sent: send `Authorization: Bearer TOKEN`, over WebSockets in `connection_init`",
            "EXPIRED": "it was good once: call `refresh`, then ask again; an expired refresh token needs a sign-in",
            "INVALID": "no token of this graph, or one for another use: sign in",
            "SESSION_ENDED": "signed out, suspended, or the password was changed: sign in",
            "BAD_CREDENTIALS": "no account has this address and this password, or it is suspended",
            "SECOND_FACTOR": "address and password fit: ask for the code and call `login` again with `secondFactor`",
            "REUSED": "a refresh token that was used before; its session has ended for whoever holds it: sign in",
        },
    ),
    AnswerCode(
        "UNAUTHORIZED_FIELD_OR_TYPE",
        "The caller is known and may not read this: a scope or policy of the graph is missing.",
        "Leave the field out, or have the scope or policy granted. `coordinate` names the field.",
        {"NOT_GRANTED": "the token lists no scope or policy that the field asks for"},
    ),
    AnswerCode("FORBIDDEN", "The thing is another person's.", "Ask for the viewer's own."),
    AnswerCode("NOT_FOUND", "There is no such thing, or none the viewer may know of.", "Read the list again."),
    AnswerCode("CONFLICT", "It contradicts what exists, such as an address that has an account.", "See `field`."),
    AnswerCode("STALE_VERSION", "Somebody changed it since it was read.", "Read it again; change `currentVersion`."),
    AnswerCode(
        "SYNC_TOKEN_EXPIRED",
        "What changed since a token is not known any more: it is old, or the database was restored.",
        "Synchronise anew, without a token; `reason` says why.",
    ),
    AnswerCode("VALIDATION_ERROR", "The input breaks a rule.", "`validationErrors` or `userErrors` name every field."),
    AnswerCode("RATE_LIMITED", "Too many requests or attempts.", "Wait `retryAfterSeconds`, or what `retry-after` says."),
    AnswerCode("UNAVAILABLE", "A server behind a subgraph does not answer.", "Try again after `retryAfterSeconds`."),
    AnswerCode("SERVICE_UNAVAILABLE", "Live updates are not to be had now.", "Subscribe again in a moment."),
    AnswerCode("BAD_USER_INPUT", "A variable or argument is not of its type, or past a bound.", "The message names it."),
    AnswerCode("BAD_REQUEST", "The request is no GraphQL request.", "Send JSON with a text `query`."),
    AnswerCode("MALFORMED_JSON", "The body is not JSON.", "The message says where it ends to be."),
    AnswerCode("MALFORMED_CONTENT", "The body is not in the coding it claims.", "Check `content-encoding`."),
    AnswerCode("MISSING_QUERY", "The request has no document.", "Send `query`, or a persisted document's id."),
    AnswerCode("UNSUPPORTED_MEDIA_TYPE", "The body's `content-type` is not taken.", "Send application/json."),
    AnswerCode("NOT_ACCEPTABLE", "`accept` allows no format we have.", "Accept application/json, or a stream."),
    AnswerCode("METHOD_NOT_ALLOWED", "The HTTP method is wrong, or GET asked for a mutation.", "Use POST."),
    AnswerCode("CSRF_PREVENTION", "A page could send this without being asked.", "Send application/json or a preflight header."),
    AnswerCode("REQUEST_TOO_LARGE", "The body is larger than `limits.body_bytes`.", "Send less, or raise the limit."),
    AnswerCode("PAYLOAD_TOO_LARGE", "The body is larger than this address takes.", "Send less at a time."),
    AnswerCode("HEADERS_TOO_LARGE", "The head of the request is too large.", "Send fewer or shorter headers."),
    AnswerCode("URI_TOO_LONG", "The address is longer than `limits.url_bytes`.", "Send the operation with POST."),
    AnswerCode("REQUEST_TIMEOUT", "No whole request, or no answer, within the time.", "Ask for less; see the plan's times."),
    AnswerCode("BATCHING_DISABLED", "A list of operations was sent.", "Send one, or enable `batching`."),
    AnswerCode("BATCH_TOO_LARGE", "Too many operations in one request.", "Send fewer; `batching.max_size`."),
    AnswerCode("BAD_UPLOAD", "The multipart request breaks the upload specification.", "The message says which part."),
    AnswerCode("TOO_MANY_FILES", "More files than `uploads` allows.", "Send fewer."),
    AnswerCode("NO_ROOM_FOR_FILES", "Files of other requests take all room that `uploads` gives them.", "Try again after `retry-after`; `uploads.disk_bytes`."),
    AnswerCode("GRAPHQL_PARSE_FAILED", "The document is not GraphQL.", "`locations` say where."),
    AnswerCode("GRAPHQL_VALIDATION_FAILED", "The document does not fit the schema.", "`locations` say where; the message what."),
    AnswerCode("OPERATION_RESOLUTION_FAILURE", "`operationName` picks no operation.", "Name one of the document's."),
    AnswerCode("INTROSPECTION_DISABLED", "This graph does not tell its schema.", "Use the published schema, or `introspection: true`."),
    AnswerCode("INTROSPECTION_FAILED", "The schema could not be told.", "A defect: report it with the request id."),
    AnswerCode("SUBSCRIPTION_NOT_SUPPORTED", "The transport carries one answer only.", "Use a WebSocket, SSE or multipart."),
    AnswerCode("TOKEN_LIMIT_EXCEEDED", "The document has too many tokens.", _LIMITS),
    AnswerCode("DEPTH_LIMIT_EXCEEDED", "Selections are nested too deep.", _LIMITS),
    AnswerCode("FIELD_LIMIT_EXCEEDED", "Too many fields with fragments expanded.", _LIMITS),
    AnswerCode("ALIAS_LIMIT_EXCEEDED", "Too many aliases.", _LIMITS),
    AnswerCode("ROOT_FIELD_LIMIT_EXCEEDED", "Too many fields at the root.", _LIMITS),
    AnswerCode("DIRECTIVE_LIMIT_EXCEEDED", "Too many directives.", _LIMITS),
    AnswerCode("VARIABLE_VALUE_LIMIT_EXCEEDED", "The variables hold too many values.", _LIMITS),
    AnswerCode("INTROSPECTED_VALUE_LIMIT_EXCEEDED", "The answer would tell the whole schema more than twice.", _LIMITS),
    AnswerCode("REPEATED_FIELD_LIMIT_EXCEEDED", "One field is asked for too often under other names.", _LIMITS),
    AnswerCode(
        "TOO_MANY_CONNECTIONS",
        "The router has as many connections as it takes, in all or from this address.",
        "Keep connections open and send several operations over each; raise `limits.connections`.",
    ),
    AnswerCode("OUT_OF_MEMORY", "The process found no memory for the request.", "Try again later; give it more, or ask for less at a time."),
    AnswerCode("MISDIRECTED_REQUEST", "The router does not answer to the name in `Host`.", "Ask it by one of its `allowed_hosts`, or add the name."),
    AnswerCode("COST_ESTIMATED_TOO_EXPENSIVE", "The operation may cost more than `demand_control.max`.", "Ask for shorter lists."),
    AnswerCode("COST_QUERY_PARSE_FAILURE", "The cost cannot be told.", "Give list sizes that are numbers."),
    AnswerCode("PLANNING_LIMIT_EXCEEDED", "The operation has too many possible plans.", "Split it."),
    AnswerCode("PLANNING_TIMEOUT", "No plan was found in time.", "Try again; split the operation if it stays."),
    AnswerCode("PLANNING_FAILED", "The planner is at fault.", "A defect: report it with operation and supergraph."),
    AnswerCode("PERSISTED_QUERY_NOT_FOUND", "The router does not know this hash yet.", "Send it again with the text, as clients do."),
    AnswerCode("PERSISTED_QUERY_REFUSED", "The text is not that of the hash.", "Send the SHA-256 of the text."),
    AnswerCode("DOCUMENT_NOT_TRUSTED", "Only documents of the manifest run here.", "Publish it with the others."),
    AnswerCode("DOCUMENT_STORE_UNAVAILABLE", "The store of persisted documents does not answer.", "Try again in a moment."),
    AnswerCode("ANSWER_TOO_LARGE", "One operation asked a subgraph for more values than it may.", "Ask for shorter lists, or in several operations."),
    AnswerCode("TOOK_TOO_LONG", "A subgraph worked on the operation for longer than it may.", "Ask for less at a time."),
    AnswerCode("DEADLINE_EXCEEDED", "The time for the whole operation was over while a subgraph worked on it.", "Ask for less at a time; `request_timeout_seconds`."),
    AnswerCode("SUBGRAPH_ERROR", "A subgraph reported an error that is not shown.", "See its log, or `subgraph_errors`."),
    AnswerCode("SUBREQUEST_HTTP_ERROR", "A subgraph cannot be reached, or answers no 200.", "`service` names it: is it up, is its URL right?"),
    AnswerCode("SUBGRAPH_TIMEOUT", "A subgraph did not answer in time.", "See its log; `traffic_shaping.timeout_seconds`."),
    AnswerCode("SUBGRAPH_MALFORMED_RESPONSE", "A subgraph's answer is no GraphQL answer.", "Is its URL that of its GraphQL endpoint?"),
    AnswerCode("SUBGRAPH_RESPONSE_TOO_LARGE", "A subgraph's answer is too large.", "Ask for less; `traffic_shaping.max_response_bytes`, `limits.fetched_bytes`, `subscriptions.max_event_bytes`."),
    AnswerCode("RESPONSE_TOO_LARGE", "The response is larger than `limits.response_bytes`; a mutation has run all the same.", "Ask for less at a time."),
    AnswerCode("SUBGRAPH_CIRCUIT_OPEN", "A subgraph has been failing and is left alone.", "Try again later; see its log."),
    AnswerCode("TOO_MANY_OPERATIONS", "The connection has too many operations open, or its caller too many subscriptions.", "End some; `subscriptions.max_per_connection`, `max_per_caller`."),
    AnswerCode("TOO_MANY_STREAMS", "The router has no room for another stream.", "Try again later; `subscriptions.max_connections`."),
    AnswerCode("STREAM_INTERRUPTED", "The router stops before the stream is over.", "Subscribe again."),
    AnswerCode("STREAM_NOT_FOUND", "No such reserved event stream.", "Reserve one with PUT."),
    AnswerCode("STREAM_ALREADY_OPEN", "The reserved event stream is open.", "Reserve another with PUT."),
    AnswerCode("MISSING_OPERATION_ID", "An operation of a reserved stream has no id.", "Send the extension `operationId`."),
    AnswerCode("OPERATION_ID_IN_USE", "The stream has an operation of that id.", "Use another `operationId`."),
    AnswerCode("EVENTS_LOST", "Events came that the router can no longer tell.", "Read again from the present state, then subscribe."),
    AnswerCode("SUBSCRIBER_TOO_SLOW", "Events came faster than the client read them.", "Read again from the present state, then subscribe."),
    AnswerCode("DEFERRED_OBJECT_GONE", "What a deferred part belongs to is no longer there.", "Read it again."),
    AnswerCode("UNKNOWN_ENTITY", "A purge of the entity cache names no type of the graph.", "Name a type and its key fields."),
    AnswerCode("REDIS_UNAVAILABLE", "The purge was not made: Redis does not answer.", "Send it again."),
    AnswerCode("SUBSCRIPTION_NOT_FOUND", "A subgraph called back about a subscription that is not open.", "Tell nothing more about it."),
    AnswerCode("WORKER_UNAVAILABLE", "The router's worker that has the subscription does not answer.", "Send the callback again."),
    AnswerCode("INVALID_SUPERGRAPH", "The router's graph cannot be served.", "The router's log says what is wrong with it."),
    AnswerCode("UNSUPPORTED_LINKED_FEATURE", "The supergraph asks for what this router would pass over.", "Compose without the feature."),
    AnswerCode("INTERNAL_SERVER_ERROR", "A defect, masked.", "The log has it under the request id."),
)  # fmt: skip

ANSWER_CODES: Mapping[str, AnswerCode] = {each.code: each for each in _KNOWN}
