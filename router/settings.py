"""Everything the router can be told: a YAML file, `${NAME}` from the environment, and a few variables of its own.

`deploy` calls `load_settings` before the router starts, `server.settings_reload` when the file changes; the frozen result
is handed down. No other module of the router reads os.environ.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import yaml
from limits import parse as parse_rate
from pydantic import Field, IPvAnyNetwork, SecretStr, ValidationError, field_validator, model_validator

from router.instance_settings import HTTP_ADDRESS, Balancing, Discovery, InstanceAddress, InstanceCheck
from router.settings_complaints import complaint
from router.settings_section import Section
from router.workbench import Console, Workbench

MINIMUM_SECRET_BYTES = 32
HOST_NAME = r"^(\*\.)?[a-z0-9._-]+$|^\[[0-9a-f:.]+\]$"

#: Environment variable -> setting it overrides, dotted. The file is the place for the rest, with `${NAME}`.
ENVIRONMENT = {
    "ROUTER_SUPERGRAPH": "supergraph",
    "ROUTER_HOST": "host",
    "ROUTER_PORT": "port",
    "ROUTER_DEV": "dev",
    "ROUTER_WORKERS": "workers",
    "ROUTER_TRUSTED_PROXIES": "trusted_proxies",
    "ROUTER_ALLOWED_HOSTS": "allowed_hosts",
    "ROUTER_REDIS_URL": "redis_url",
    "ROUTER_LOG_LEVEL": "telemetry.log_level",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "telemetry.otlp_endpoint",
    "OTEL_TRACES_SAMPLER_ARG": "telemetry.sample_ratio",
}

_PLACEHOLDER = re.compile(r"\$(\$)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class SettingsError(Exception):
    """The configuration is wrong; the message names every offending key and what it needs."""


class Cors(Section):
    """Which pages of other origins may call; none by default.

    `origins: ["*"]` allows any, then without credentials; `http://localhost:*` allows every port of that host. WebSockets
    of pages are opened for these origins and for the host that is asked; where a proxy changes `Host`, name the origin.
    """

    origins: tuple[str, ...] = ()
    credentials: bool = False
    request_headers: tuple[str, ...] = (
        "authorization",
        "content-type",
        "x-query-plan",
        "graphql-preflight",
        "x-graphql-event-stream-token",
    )
    response_headers: tuple[str, ...] = ("x-request-id",)
    max_age_seconds: int = 7200

    @field_validator("origins")
    @classmethod
    def _as_browsers_send_them(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*" and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/?#*]+(:\*)?", origin):
                raise ValueError(f"'{origin}' is no origin; write it like 'https://app.example.com', without a path")
        return origins

    @model_validator(mode="after")
    def _no_credentials_for_everybody(self) -> Cors:
        if self.credentials and "*" in self.origins:
            raise ValueError("credentials cannot be combined with origins: ['*']; name the origins")
        return self


class Csrf(Section):
    """What keeps foreign pages from acting for a visitor.

    Bodies have to be application/json, which a browser sends for a foreign page only after asking, and GET runs only
    queries. `protect_get` also asks GET for one of `headers`, for graphs whose queries must not even be triggered.
    """

    protect_get: bool = False
    headers: tuple[str, ...] = ("graphql-preflight", "apollo-require-preflight", "x-apollo-operation-name")


class Batching(Section):
    enabled: bool = False
    max_size: int = Field(default=10, ge=1)


class Uploads(Section):
    """Files beside an operation (graphql-multipart-request). A page of another origin can send such a body without asking
    first, so a request needs one of the headers of `csrf`.
    """

    enabled: bool = False
    max_bytes: int = Field(default=10 * 1024 * 1024, ge=1)  # of the whole body
    max_files: int = Field(default=10, ge=1, le=100)
    #: of all files of requests under way: what is more waits on disk, where TMPDIR says, until the subgraph has it
    memory_bytes: int = Field(default=16 * 1024 * 1024, ge=0)
    disk_bytes: int = Field(default=1024 * 1024 * 1024, ge=0)  # of all of them; then: 503 NO_ROOM_FOR_FILES


class JwtKey(Section):
    """One symmetric key. During a rotation both the new and the old key are listed, told apart by `kid`."""

    secret: SecretStr
    kid: str | None = None

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        return _of_length(secret)


def _of_length(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value().encode()) < MINIMUM_SECRET_BYTES:
        raise ValueError(f"an HS256 secret needs at least {MINIMUM_SECRET_BYTES} bytes")
    return secret


def _split_at_commas(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class EndedSessions(Section):
    """Tokens of sessions that ended are refused before they expire. GET of `path` at the `subgraph`, wherever that is, is
    answered `{"at": 1790000000.5, "ended": {"SESSION": 1790000000.1}}` with seconds since the epoch; with `?since=` only those
    since then. `claim` of a token names its session. No token may hold for longer than `remember_seconds`.
    """

    subgraph: str
    path: str = Field(default="/ended-sessions", pattern="^/")
    claim: str = "sid"
    refresh_seconds: float = Field(default=2.0, ge=0.1)
    remember_seconds: float = Field(default=7_200.0, gt=0)


class Jwt(Section):
    """How callers are known. With neither `keys` nor `jwks` every token is refused and anonymous calls still pass."""

    keys: tuple[JwtKey, ...] = ()
    #: secrets that were rotated out and still verify; a string of them has commas between, so that one environment
    #: variable can hold any number: `previous_secrets: ${JWT_PREVIOUS_SECRETS:-}`
    previous_secrets: tuple[SecretStr, ...] = ()
    jwks: tuple[str, ...] = ()  # https:// URLs or file paths; http:// of this machine only
    jwks_refresh_seconds: float = Field(default=300.0, gt=0)
    algorithms: tuple[str, ...] = ("HS256", "RS256", "ES256", "EdDSA")
    issuers: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    leeway_seconds: float = Field(default=5.0, ge=0)
    required: bool = False
    required_claims: Mapping[str, str] = Field(default_factory=dict)
    max_cached_tokens: int = Field(default=10_000, ge=0)
    ended_sessions: EndedSessions | None = None

    _split = field_validator("previous_secrets", mode="before")(_split_at_commas)

    @field_validator("previous_secrets")
    @classmethod
    def _each_long_enough(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        return tuple(_of_length(secret) for secret in secrets)

    @field_validator("jwks")
    @classmethod
    def _read_where_nobody_listens(cls, locations: tuple[str, ...]) -> tuple[str, ...]:
        """Whoever can change the keys on their way can sign in as anybody."""
        for location in locations:
            scheme, _, rest = location.partition("://")
            host = urlsplit(location).hostname if rest else None
            if scheme.lower() == "http" and host not in ("localhost", "127.0.0.1", "::1"):
                raise ValueError(f"'{location}' would be read in the clear; name it by https://")
        return locations

    @property
    def all_keys(self) -> tuple[JwtKey, ...]:
        """The symmetric keys in use, then those that were rotated out."""
        return (*self.keys, *(JwtKey(secret=secret) for secret in self.previous_secrets))

    @property
    def enabled(self) -> bool:
        return bool(self.keys or self.previous_secrets or self.jwks)

    @field_validator("algorithms")
    @classmethod
    def _signed(cls, algorithms: tuple[str, ...]) -> tuple[str, ...]:
        if any(each.lower() == "none" for each in algorithms):
            raise ValueError("'none' is not a signature")
        return algorithms


class Limits(Section):
    """Bounds on one operation (after fragments are inlined) and on one caller. `rate` is e.g. `100/second`; "" is off."""

    tokens: int = Field(default=15_000, ge=1)
    depth: int = Field(default=100, ge=1)
    aliases: int = Field(default=1_000, ge=0)
    fields: int = Field(default=10_000, ge=1)
    root_fields: int = Field(default=500, ge=1)
    directives: int = Field(default=1_000, ge=0)
    variable_values: int = Field(default=20_000, ge=1)
    body_bytes: int = Field(default=2 * 1024 * 1024, ge=1)
    url_bytes: int = Field(default=64 * 1024, ge=1)
    header_bytes: int = Field(default=128 * 1024, ge=1)  # of a whole head, address included
    #: of a response before compression, of all of a batch, an event of a subscription, a piece of @defer or @stream
    response_bytes: int = Field(default=64 * 1024 * 1024, ge=1_024)
    #: of all subgraphs' answers to one operation together; of one answer: `traffic_shaping.*.max_response_bytes`
    fetched_bytes: int = Field(default=256 * 1024 * 1024, ge=1)
    #: of one process; None: as the file limit allows, half of them from one address
    connections: int | None = Field(default=None, ge=1)
    connections_per_address: int | None = Field(default=None, ge=1)  # of a proxy: as many as it opens
    planning_timeout_seconds: float = Field(default=10.0, gt=0)
    planning_processes: int = Field(default=2, ge=1)  # for what is long; a caller may use all but one of them
    cache_bytes: int = Field(default=128 * 1024 * 1024, ge=1)  # of prepared operations, and as much of plans
    rate: str = ""

    @field_validator("rate")
    @classmethod
    def _is_a_rate(cls, rate: str) -> str:
        if rate:
            try:
                parse_rate(rate)
            except ValueError:
                raise ValueError("a rate is written like '100/second' or '1000 per 15 minutes'") from None
        return rate


class DemandControl(Section):
    """What an operation may cost, by `@cost` and `@listSize`; see `router.access.demand` for the rules.

    `measure` only counts what it finds in metrics, `enforce` refuses what costs more than `max`.
    """

    enabled: bool = False
    mode: Literal["measure", "enforce"] = "measure"
    max: float = Field(default=1_000.0, ge=0)
    list_size: int = Field(default=10, ge=0)  # of lists about which the schema says nothing


class AwsCredentials(Section):
    """Signs requests to S3, or to whatever speaks its protocol (AWS Signature Version 4)."""

    region: str
    access_key_id: str
    secret_access_key: SecretStr
    session_token: SecretStr | None = None


class DocumentAddress(Section):
    """An HTTP server that has each trusted document under its id, such as a bucket of S3; 404 and 403 mean that there is
    none.
    """

    url: str = Field(pattern=r"^https?://[^?#]*\{id\}[^?#]*$")  # {id} stands for the document's id
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)
    aws: AwsCredentials | None = None
    timeout_seconds: float = Field(default=2.0, gt=0)


class PersistedDocuments(Section):
    """`automatic` is APQ (sha256 hashes clients register). Trusted documents are those of `manifest` (a file), of the hash
    `redis_key` in Redis (id to text) and those under `address`, looked up in this order. Texts of other documents are run
    (by default), run and logged (`log_unknown`), or refused (`require`): a text is trusted by its sha256 as id, or in the
    manifest under any id.
    """

    automatic: bool = True
    manifest: Path | None = None
    redis_key: str | None = None
    address: DocumentAddress | None = None
    log_unknown: bool = False
    require: bool = False
    ttl_seconds: int = Field(default=86_400, ge=1)  # of automatic ones in Redis
    max_in_memory: int = Field(default=1_000, ge=1)

    @property
    def has_trusted(self) -> bool:
        return self.manifest is not None or self.redis_key is not None or self.address is not None

    @model_validator(mode="after")
    def _something_to_require(self) -> PersistedDocuments:
        if (self.require or self.log_unknown) and not self.has_trusted:
            raise ValueError("require needs a manifest, a redis_key or an address, and so does log_unknown")
        return self


class WarmUp(Section):
    """Operations that are planned before a graph serves its first request, at start and at every reload: documents of the
    manifest and of `redis_key`, and of a reload those that ran last. None by default.
    """

    operations: int = Field(default=0, ge=0)
    seconds: float = Field(default=10.0, gt=0)  # for all of them; what is not done then is planned when it is asked for


class SharedPlans(Section):
    """Plans that took a planning process, kept in Redis for all routers of the same graph and version; needs `redis_url`.
    Other plans are made faster than Redis answers.
    """

    enabled: bool = False
    ttl_seconds: int = Field(default=86_400, ge=1)
    max_bytes: int = Field(default=4 * 1024 * 1024, ge=1)  # of one plan; larger ones are not shared
    key_prefix: str = "router"


class ResponseCache(Section):
    """Whole answers, for as long as `@cacheControl` allows; needs `redis_url`.

    A field without the directive is kept for `default_max_age_seconds`. After a mutation its viewer reads past the
    cache for `settling_seconds`, as events may still be on their way to a read model.
    """

    enabled: bool = True
    default_max_age_seconds: int = Field(default=0, ge=0)
    max_age_seconds: int = Field(default=3_600, ge=0)
    max_bytes: int = Field(default=1024 * 1024, ge=1)
    settling_seconds: float = Field(default=3.0, ge=0)
    key_prefix: str = "router"


class ChangeRule(Section):
    """Which entity a record or message is about: of `type`, with the `key` fields at these places of its JSON
    (`payload.food_id`), or all of the type. Only records whose values at the places of `when` are those given count.

    What reads a subgraph within `settling_seconds` after the record is not kept: the subgraph may hear of it later than
    the router does.
    """

    type: str
    key: Mapping[str, str] = Field(default_factory=dict)
    when: Mapping[str, str] = Field(default_factory=dict)
    settling_seconds: float = Field(default=0.0, ge=0, le=3_600)


class KafkaClient(Section):
    """How the router reaches Kafka."""

    bootstrap_servers: str
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-256"
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None


class Invalidation(Section):
    """What tells the entity cache that an entity changed: records of Kafka topics and messages of Redis channels, by
    rules, or in the form of the HTTP call where a channel has none; and that call, `POST /actuator/entity-cache` with
    `{"changes": [{"type": "Food", "key": {"id": "7"}}]}` and the token as bearer. Without a token there is no call.
    """

    topics: Mapping[str, tuple[ChangeRule, ...]] = Field(default_factory=dict)
    channels: Mapping[str, tuple[ChangeRule, ...]] = Field(default_factory=dict)
    token: SecretStr | None = None

    @field_validator("token")
    @classmethod
    def _cannot_be_guessed(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token.get_secret_value()) < 16:
            raise ValueError("a token needs at least 16 characters")
        return token


class EntityCacheOfSubgraph(Section):
    enabled: bool | None = None
    default_max_age_seconds: int | None = Field(default=None, ge=0)


class EntityCache(Section):
    """What each subgraph says of each entity, and of root fields, for as long as `@cacheControl` and its Cache-Control
    allow; needs `redis_url`. Private values are kept by the token's issuer and subject. `subgraphs`, by name, says what differs.
    """

    enabled: bool = False
    default_max_age_seconds: int = Field(default=0, ge=0)  # of a field without the directive
    max_age_seconds: int = Field(default=3_600, ge=1)
    missing_max_age_seconds: int = Field(default=10, ge=0)  # of an entity that its subgraph does not know
    max_bytes: int = Field(default=256 * 1024, ge=1)  # of one entry
    max_entities: int = Field(default=1_000, ge=1, le=5_000)  # of one request to a subgraph; more are not looked up
    settling_seconds: float = Field(default=3.0, ge=0)  # after a mutation its viewer reads past the cache so long
    key_prefix: str = "router"
    #: of types and of fields (`Type.field`) in place of what `@cacheControl` says: for those whose changes are told
    max_ages: Mapping[str, int] = Field(default_factory=dict)
    subgraphs: Mapping[str, EntityCacheOfSubgraph] = Field(default_factory=dict)
    invalidation: Invalidation = Invalidation()

    def default_age_of(self, subgraph: str) -> int | None:
        """None where its answers are not kept."""
        own = self.subgraphs.get(subgraph, EntityCacheOfSubgraph())
        if own.enabled is False:
            return None
        return self.default_max_age_seconds if own.default_max_age_seconds is None else own.default_max_age_seconds


class Callbacks(Section):
    """Where subgraphs whose `subscription_protocol` is `callback` tell their events: below `path`, on clients' port or on a
    `port` of its own, in the clear. `public_url` is that path as subgraphs reach it, and names this host where there are
    several. A subscription of which its subgraph says nothing for two heartbeats has ended; 0 asks for none.
    """

    public_url: str = Field(pattern=HTTP_ADDRESS)
    path: str = Field(default="/callback", pattern="^/.*[^/]$")
    port: int | None = Field(default=None, ge=0, le=65_535)
    host: str = "127.0.0.1"
    heartbeat_seconds: float = Field(default=5.0, ge=0)
    max_open: int = Field(default=10_000, ge=1)  # of one process


class Subscriptions(Section):
    max_connections: int = Field(default=10_000, ge=1)
    max_per_connection: int = Field(default=100, ge=1)
    max_per_caller: int = Field(default=1_000, ge=1)  # of a token's subject, or of an address, over all its connections
    init_timeout_seconds: float = Field(default=10.0, gt=0)
    heartbeat_seconds: float = Field(default=15.0, gt=0)
    max_message_bytes: int = Field(default=1024 * 1024, ge=1)  # of a client
    max_event_bytes: int = Field(default=16 * 1024 * 1024, ge=1)  # of a subgraph
    callback: Callbacks | None = None


class BrokerSubscription(Section):
    """Where the events of one subscription field come from: the records of `topic`, which are JSON, whose values at the
    places of `when` are those given, and at the places of `match` those of an argument (`args.date`; null is any) or of
    a claim of the token (`claims.sub`). The field's value is the record, or has the fields of `value`, each with the place
    in the record that it is taken from.
    """

    topic: str
    when: Mapping[str, str] = Field(default_factory=dict)
    match: Mapping[str, Annotated[str, Field(pattern=r"^(args|claims)\..")]] = Field(default_factory=dict)
    value: Mapping[str, str] = Field(default_factory=dict)


class BrokerSubscriptions(Section):
    """Subscription fields, as `Subscription.mealLogged`, that the router serves from Kafka; their subgraph is a schema and no
    server. A client for which more than `max_waiting` events wait is ended with SUBSCRIBER_TOO_SLOW, or loses the oldest.
    What came while the router did not read is told when it does again, up to `max_missed` records of a partition; beyond,
    clients are ended with EVENTS_LOST.
    """

    fields: Mapping[Annotated[str, Field(pattern=r"^\w+\.\w+$")], BrokerSubscription] = Field(default_factory=dict)
    max_waiting: int = Field(default=256, ge=1)
    when_full: Literal["close", "drop_oldest"] = "close"
    max_missed: int = Field(default=10_000, ge=0)


class Subgraph(Section):
    """What differs from the supergraph's own routing data. `headers` are sent with every request.

    `urls` or `discovery` say of several instances where they are; `url`, or the supergraph's, then only serves until one
    is known.
    """

    url: str | None = Field(default=None, pattern=HTTP_ADDRESS)
    urls: tuple[InstanceAddress, ...] = ()
    discovery: Discovery | None = None
    health_check: InstanceCheck | None = None
    subscription_url: str | None = Field(default=None, pattern="^(https?|wss?)://.")
    subscription_protocol: Literal["websocket", "event-stream", "callback"] = "websocket"
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _instances_from_one_place(self) -> Subgraph:
        if self.urls and self.discovery is not None:
            raise ValueError("instances are either listed in `urls` or found by `discovery`")
        if self.health_check is not None and not self.has_instances:
            raise ValueError("health_check needs several instances: `urls` or `discovery`")
        return self

    @property
    def has_instances(self) -> bool:
        return bool(self.urls) or self.discovery is not None


class Retry(Section):
    """Only queries, and only where no answer came or it was 502, 503 or 504; a time-out is not tried again.

    At most `budget_percent` of a subgraph's queries, and ten in a row after a quiet while, are retries.
    """

    max_attempts: int = Field(default=2, ge=1, le=10)  # 1: never again
    pause_seconds: float = Field(default=0.05, ge=0)  # before the second attempt; doubled before each further one
    budget_percent: float = Field(default=20.0, ge=0, le=100)


class CircuitBreaker(Section):
    """Answers SUBGRAPH_CIRCUIT_OPEN at once while a subgraph keeps failing: no connection, time-out or status 5xx."""

    enabled: bool = False
    error_percent: float = Field(default=50.0, gt=0, le=100)
    min_requests: int = Field(default=20, ge=1)
    window_seconds: float = Field(default=10.0, gt=0)
    open_seconds: float = Field(default=5.0, gt=0)
    probes: int = Field(default=3, ge=1)


class SubgraphTls(Section):
    """How https subgraphs are known, beside the system's authorities: `ca` is a PEM file of others, which alone then count.

    `certificate` and `key` are the router's own, where subgraphs ask for one.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> SubgraphTls:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        return self


class SubgraphTraffic(Section):
    """How requests to one subgraph are sent. `timeout_seconds` is for one attempt, waiting for a connection included."""

    timeout_seconds: float = Field(default=15.0, gt=0)
    tell_deadline: bool = True  # in x-deadline-ms: the milliseconds that are left for the answer
    connect_timeout_seconds: float = Field(default=5.0, gt=0)
    keep_alive_seconds: float = Field(default=30.0, ge=0)
    max_connections: int = Field(default=100, ge=1)
    max_response_bytes: int = Field(default=64 * 1024 * 1024, ge=1)  # after decompression, too
    accept_compressed: bool = False  # worth it where the network is slower than compressing, as between data centres
    compress_requests: Literal["zstd", "br", "gzip"] | None = None  # of what every server of the subgraph can read
    compress_requests_from_bytes: int = Field(default=2_048, ge=0)
    persisted_queries: Literal["post", "get"] | None = None  # queries by hash; their text only where it is asked for
    retry: Retry = Retry()
    circuit_breaker: CircuitBreaker = CircuitBreaker()
    tls: SubgraphTls = SubgraphTls()
    balancing: Balancing = Balancing()


class TrafficShaping(Section):
    """`subgraphs`, by name, says only what differs from `all`."""

    all: SubgraphTraffic = SubgraphTraffic()
    subgraphs: Mapping[str, SubgraphTraffic] = Field(default_factory=dict)

    def every(self) -> tuple[SubgraphTraffic, ...]:
        return (self.all, *self.subgraphs.values())

    def of(self, subgraph: str) -> SubgraphTraffic:
        own = self.subgraphs.get(subgraph)
        return _overlaid(self.all, own) if own is not None else self.all


AnySection = TypeVar("AnySection", bound=Section)


def _overlaid(under: AnySection, over: AnySection) -> AnySection:
    """What was written in `over`, on every level; the rest is `under`'s."""
    update = {}
    for name in over.model_fields_set:
        value = getattr(over, name)
        update[name] = _overlaid(getattr(under, name), value) if isinstance(value, Section) else value
    return under.model_copy(update=update)


class SubgraphErrors(Section):
    """What clients are told of errors that subgraphs report: `show` is message and extensions without stack traces and
    addresses, `redact` only that there was an error, and where. `subgraphs`, by name, says only what differs from `all`.
    """

    all: Literal["show", "redact"] = "show"
    subgraphs: Mapping[str, Literal["show", "redact"]] = Field(default_factory=dict)

    def redacts(self, subgraph: str) -> bool:
        return self.subgraphs.get(subgraph, self.all) == "redact"


#: Headers of one connection or one body, which no rule can set; the others are the operator's to choose.
UNRULED_HEADERS = frozenset(
    {"accept", "connection", "content-encoding", "content-length", "content-type", "host", "keep-alive", "te", "trailer",
     "transfer-encoding", "upgrade"}
)  # fmt: skip
HEADER_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"


class RequestHeaderRule(Section):
    """One of five: `propagate` a header (under another name with `rename`, with a `default` where the client sent none), or
    all that match; `insert` one with a `value`, from a claim of the token or from the payload of `connection_init`;
    `remove` one, or all that match. Patterns are of whole names, in any case.
    """

    propagate: str | None = Field(default=None, pattern=HEADER_NAME)
    propagate_matching: str | None = None
    insert: str | None = Field(default=None, pattern=HEADER_NAME)
    remove: str | None = Field(default=None, pattern=HEADER_NAME)
    remove_matching: str | None = None
    rename: str | None = Field(default=None, pattern=HEADER_NAME)
    default: str | None = None
    value: SecretStr | None = None
    from_claim: str | None = None
    from_connection_init: str | None = None

    @field_validator("propagate_matching", "remove_matching")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"'{pattern}' is no regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _does_one_thing(self) -> RequestHeaderRule:
        kinds = (self.propagate, self.propagate_matching, self.insert, self.remove, self.remove_matching)
        if sum(each is not None for each in kinds) != 1:
            raise ValueError("a rule has one of propagate, propagate_matching, insert, remove and remove_matching")
        sources = [self.value, self.from_claim, self.from_connection_init]
        if sum(each is not None for each in sources) != (self.insert is not None):
            raise ValueError("insert needs one of value, from_claim and from_connection_init, and nothing else has one")
        if self.rename is not None and self.propagate is None:
            raise ValueError("rename belongs to propagate")
        for name in (self.rename or self.propagate, self.insert):
            if name is not None and name.lower() in UNRULED_HEADERS:
                raise ValueError(f"'{name}' belongs to one connection or body and cannot be set by a rule")
        return self


class ResponseHeaderRule(Section):
    """A header of subgraphs' answers that clients get: the `first` or `last` that came, all joined (`append`), or all as
    lines of their own, as Set-Cookie needs it.
    """

    propagate: str = Field(pattern=HEADER_NAME)
    rename: str | None = Field(default=None, pattern=HEADER_NAME)
    algorithm: Literal["first", "last", "append", "all"] = "last"

    @model_validator(mode="after")
    def _can_be_sent(self) -> ResponseHeaderRule:
        name = (self.rename or self.propagate).lower()
        if name in UNRULED_HEADERS | {"cache-control"}:
            raise ValueError(f"'{name}' is the router's own; Cache-Control is aggregated with aggregate_cache_control")
        if name == "set-cookie" and self.algorithm == "append":
            raise ValueError("Set-Cookie cannot be joined; use all, first or last")
        return self


class SubgraphHeaderRules(Section):
    request: tuple[RequestHeaderRule, ...] = ()
    response: tuple[ResponseHeaderRule, ...] = ()


class HeaderRules(Section):
    """Rules beside `forward_headers`, in order: those of `all`, then the subgraph's own. With `aggregate_cache_control`
    clients get what all answers allow.
    """

    all: SubgraphHeaderRules = SubgraphHeaderRules()
    subgraphs: Mapping[str, SubgraphHeaderRules] = Field(default_factory=dict)
    aggregate_cache_control: bool = False

    def of(self, subgraph: str) -> tuple[SubgraphHeaderRules, ...]:
        own = self.subgraphs.get(subgraph)
        return (self.all,) if own is None else (self.all, own)

    def every(self) -> tuple[SubgraphHeaderRules, ...]:
        return (self.all, *self.subgraphs.values())

    @property
    def has_request_rules(self) -> bool:
        return any(each.request for each in self.every())

    @property
    def has_response_rules(self) -> bool:
        return any(each.response for each in self.every())


class Coprocessor(Section):
    """A server of the operator's own that is asked at `stages`, in any language; `router.server.coprocessor` has the
    contract. Where it gives no verdict in time, `refuse` refuses the request and `go_on` goes on without one.
    """

    url: str = Field(pattern=HTTP_ADDRESS)
    stages: tuple[Literal["request", "subgraph_request", "subgraph_answer", "response", "event"], ...] = Field(
        min_length=1
    )
    when_it_fails: Literal["refuse", "go_on"] = "refuse"
    timeout_seconds: float = Field(default=1.0, gt=0)
    max_bytes: int = Field(default=16 * 1024 * 1024, ge=1)  # of one verdict
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)


class UsageReporting(Section):
    """Which operations clients really send, without their values: one line for each signature, operation name and client
    in an interval, to `file`, to `topic`, or as log records to the collector at `otlp_endpoint`. Off where none is named.
    """

    file: Path | None = None
    topic: str | None = None
    otlp_endpoint: str | None = Field(default=None, pattern=HTTP_ADDRESS)  # such as http://otel-collector:4318
    interval_seconds: float = Field(default=10.0, gt=0)
    max_operations: int = Field(default=5_000, ge=1)  # different ones in an interval; further ones are not counted
    max_file_bytes: int = Field(default=100 * 1024 * 1024, ge=1)  # then FILE becomes FILE.1

    @property
    def is_on(self) -> bool:
        return self.file is not None or self.topic is not None or self.otlp_endpoint is not None


class Telemetry(Section):
    service_name: str = "router"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] | None = None  # None: `console` with `dev`, which people read, else `json`
    log_requests: bool = True
    otlp_endpoint: str = ""
    sample_ratio: float = Field(default=0.1, ge=0, le=1)


class Tls(Section):
    """The certificate (with its chain) and key that clients' port serves, PEM files that are read again when they change.

    `hsts_seconds` tells browsers to come by https only for so long; 0 says nothing.
    """

    certificate: Path
    key: Path
    hsts_seconds: int = Field(default=0, ge=0)


class Management(Section):
    """Where health, metrics and the registry are answered; with a `port`, clients' port has only `/live` and `/ready`."""

    port: int | None = Field(default=None, ge=0, le=65_535)
    host: str = "127.0.0.1"


class Settings(Section):
    """`supergraph` is the path of a composed schema; `dev` adds GraphiQL, query plans and the full text of errors.

    `zone` is where this router runs, as `subgraphs.NAME.urls` say it of instances.
    """

    supergraph: Path
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)
    path: str = Field(default="/graphql", pattern="^/")  # with and without a slash at the end
    further_paths: tuple[Annotated[str, Field(pattern="^/")], ...] = ()
    workers: int = Field(default=1, ge=1)
    watch: bool = False
    dev: bool = False
    graphiql: bool | None = None  # None: as `dev`, unless `introspection` is off, which it cannot do without
    console: Console = Console()
    workbench: Workbench = Workbench()  # what GraphiQL's page offers
    introspection: bool = True
    redis_url: SecretStr | None = None
    request_timeout_seconds: float = Field(default=30.0, gt=0)
    shutdown_grace_seconds: float = Field(default=10.0, ge=0)
    drain_seconds: float = Field(default=0.0, ge=0)  # after SIGTERM: /ready says 503, connections are still accepted
    drain_idle_seconds: float = Field(default=2.0, ge=0)  # then: for idle connections to be used once more, or closed
    #: equal queries of one caller that are under way at the same time run once; an event that equal subscribers are told is completed once
    share_identical_requests: bool = True
    compress_from_bytes: int = Field(default=2_048, ge=0)  # 0: never
    forward_headers: tuple[str, ...] = ("authorization", "x-request-id", "accept-language", "traceparent", "tracestate")
    #: `x-client-address` to every subgraph: who connected, or whom the `trusted_proxies` say they ask for
    forward_client_address: bool = False
    #: addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, nobody else's; as a string
    #: with commas between. `limits.connections_per_address` counts who connects all the same
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    #: names in `Host` that operations are answered for, without ports, `*.example.org` for all below; as a string with
    #: commas between. None: all. Probes and operators' paths answer to every name
    allowed_hosts: tuple[Annotated[str, Field(pattern=HOST_NAME)], ...] = ()
    headers: HeaderRules = HeaderRules()
    extensions: tuple[str, ...] = ()  # Python modules, files or entry points; see `router.server.extensions`
    zone: str = ""
    override_labels: Mapping[str, bool] = Field(default_factory=dict)  # of `@override(label:)`, for every request
    cors: Cors = Cors()
    csrf: Csrf = Csrf()
    batching: Batching = Batching()
    uploads: Uploads = Uploads()
    jwt: Jwt = Jwt()
    limits: Limits = Limits()
    demand_control: DemandControl = DemandControl()
    persisted_documents: PersistedDocuments = PersistedDocuments()
    warm_up: WarmUp = WarmUp()
    shared_plans: SharedPlans = SharedPlans()
    response_cache: ResponseCache = ResponseCache()
    entity_cache: EntityCache = EntityCache()
    kafka: KafkaClient | None = None
    subscriptions: Subscriptions = Subscriptions()
    broker_subscriptions: BrokerSubscriptions = BrokerSubscriptions()
    subgraphs: Mapping[str, Subgraph] = Field(default_factory=dict)
    traffic_shaping: TrafficShaping = TrafficShaping()
    subgraph_errors: SubgraphErrors = SubgraphErrors()
    coprocessor: Coprocessor | None = None
    usage_reporting: UsageReporting = UsageReporting()
    telemetry: Telemetry = Telemetry()
    management: Management = Management()
    tls: Tls | None = None

    _split = field_validator("trusted_proxies", "allowed_hosts", mode="before")(_split_at_commas)

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Settings:
        if self.entity_cache.enabled and self.redis_url is None:
            raise ValueError("entity_cache needs redis_url")
        if self.shared_plans.enabled and self.redis_url is None:
            raise ValueError("shared_plans needs redis_url")
        if self.persisted_documents.redis_key is not None and self.redis_url is None:
            raise ValueError("persisted_documents.redis_key needs redis_url")
        if self.entity_cache.invalidation.topics and self.kafka is None:
            raise ValueError("entity_cache.invalidation.topics needs kafka")
        if self.usage_reporting.topic is not None and self.kafka is None:
            raise ValueError("usage_reporting.topic needs kafka")
        if self.broker_subscriptions.fields and self.kafka is None:
            raise ValueError("broker_subscriptions needs kafka")
        if self.subscriptions.callback is None and self.subgraphs_that_call_back:
            raise ValueError("subscription_protocol 'callback' needs subscriptions.callback")
        return self

    @property
    def subgraphs_that_call_back(self) -> frozenset[str]:
        return frozenset(name for name, each in self.subgraphs.items() if each.subscription_protocol == "callback")

    @property
    def logs_for_people(self) -> bool:
        """Readable lines in place of JSON."""
        wanted = self.telemetry.log_format
        return self.dev if wanted is None else wanted == "console"

    @property
    def graphql_paths(self) -> frozenset[str]:
        """All at which operations are answered."""
        stems = [path.rstrip("/") for path in (self.path, *self.further_paths)]
        return frozenset(f"{stem}/" for stem in stems) | frozenset(stem for stem in stems if stem)

    @property
    def serves_graphiql(self) -> bool:
        return self.dev and self.introspection if self.graphiql is None else self.graphiql

    @property
    def serves_console(self) -> bool:
        return self.dev if self.console.enabled is None else self.console.enabled


def load_settings(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    **overrides: Any,
) -> Settings:
    """The file's values, then the environment's, then `overrides` that are not None. Raises SettingsError."""
    environment = os.environ if environment is None else environment
    values = _read_file(file, environment) if file is not None else {}
    for variable, dotted in ENVIRONMENT.items():
        if value := environment.get(variable) or _read_secret(variable, environment):
            _put(values, dotted, value)
    values.update({name: value for name, value in overrides.items() if value is not None})
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        where, text = (f"{file}: ", file.read_text(encoding="utf-8")) if file is not None else ("", "")
        raise SettingsError(where + complaint(error, Settings, text)) from None


def _read_file(file: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SettingsError(f"{file} must hold a mapping of setting names to values")
    missing: list[str] = []
    filled = _fill_in(values, environment, missing)
    if missing:
        raise SettingsError(f"{file} names environment variables that are not set: {', '.join(sorted(set(missing)))}")
    return dict(filled)


def _fill_in(value: Any, environment: Mapping[str, str], missing: list[str]) -> Any:
    """`${NAME}` and `${NAME:-default}` replaced in every string; `$$` is one dollar sign.

    Where NAME is not set and NAME_FILE is, the value is that file's content.
    """
    if isinstance(value, dict):
        return {key: _fill_in(item, environment, missing) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill_in(item, environment, missing) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        dollar, name, default = match.groups()
        if dollar:
            return "$"
        if name in environment:
            return environment[name]
        if mounted := _read_secret(name, environment):
            return mounted
        if default is None:
            missing.append(name)
        return default or ""

    return _PLACEHOLDER.sub(replace, value)


def _read_secret(name: str, environment: Mapping[str, str]) -> str | None:
    """What the file holds that NAME_FILE names, as container engines mount secrets. Raises SettingsError."""
    file = environment.get(f"{name}_FILE")
    if not file:
        return None
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}_FILE names a file that cannot be read: {error}") from None


def _put(values: dict[str, Any], dotted: str, value: str) -> None:
    *sections, name = dotted.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[name] = value
