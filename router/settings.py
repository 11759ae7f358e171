"""Everything the router can be told: a YAML file, `${NAME}` from the environment, and a few variables of its own.

`deploy` or `server.app` call `load_settings` once; the frozen result is handed down. Nothing else here reads os.environ.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from limits import parse as parse_rate
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

MINIMUM_SECRET_BYTES = 32

#: Environment variable -> setting it overrides, dotted. The file is the place for the rest, with `${NAME}`.
ENVIRONMENT = {
    "ROUTER_SUPERGRAPH": "supergraph",
    "ROUTER_HOST": "host",
    "ROUTER_PORT": "port",
    "ROUTER_DEV": "dev",
    "ROUTER_WORKERS": "workers",
    "ROUTER_REDIS_URL": "redis_url",
    "ROUTER_LOG_LEVEL": "telemetry.log_level",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "telemetry.otlp_endpoint",
}

_PLACEHOLDER = re.compile(r"\$(\$)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class SettingsError(Exception):
    """The configuration is wrong; the message names every offending key and what it needs."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Cors(Section):
    """Which pages of other origins may call; none by default. `origins: ["*"]` allows any, then without credentials."""

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
            if origin != "*" and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/?#]+", origin):
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


class JwtKey(Section):
    """One symmetric key. During a rotation both the new and the old key are listed, told apart by `kid`."""

    secret: SecretStr
    kid: str | None = None

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value().encode()) < MINIMUM_SECRET_BYTES:
            raise ValueError(f"an HS256 secret needs at least {MINIMUM_SECRET_BYTES} bytes")
        return secret


class Jwt(Section):
    """How callers are known. With neither `keys` nor `jwks` every token is refused and anonymous calls still pass."""

    keys: tuple[JwtKey, ...] = ()
    jwks: tuple[str, ...] = ()  # https:// URLs or file paths
    jwks_refresh_seconds: float = Field(default=300.0, gt=0)
    algorithms: tuple[str, ...] = ("HS256", "RS256", "ES256", "EdDSA")
    issuers: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    leeway_seconds: float = Field(default=5.0, ge=0)
    required: bool = False
    required_claims: Mapping[str, str] = Field(default_factory=dict)
    max_cached_tokens: int = Field(default=10_000, ge=0)

    @property
    def enabled(self) -> bool:
        return bool(self.keys or self.jwks)

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
    body_bytes: int = Field(default=2 * 1024 * 1024, ge=1)
    url_bytes: int = Field(default=64 * 1024, ge=1)
    header_bytes: int = Field(default=128 * 1024, ge=1)  # of a whole head, address included
    planning_timeout_seconds: float = Field(default=10.0, gt=0)
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


class PersistedDocuments(Section):
    """`automatic` is APQ (sha256 hashes clients register). `manifest` is a file of trusted documents by id."""

    automatic: bool = True
    manifest: Path | None = None
    require: bool = False
    ttl_seconds: int = Field(default=86_400, ge=1)
    max_in_memory: int = Field(default=1_000, ge=1)

    @model_validator(mode="after")
    def _something_to_require(self) -> PersistedDocuments:
        if self.require and self.manifest is None:
            raise ValueError("require needs a manifest")
        return self


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


class Subscriptions(Section):
    max_connections: int = Field(default=10_000, ge=1)
    max_per_connection: int = Field(default=100, ge=1)
    init_timeout_seconds: float = Field(default=10.0, gt=0)
    heartbeat_seconds: float = Field(default=15.0, gt=0)
    max_message_bytes: int = Field(default=1024 * 1024, ge=1)


class Subgraph(Section):
    """What differs from the supergraph's own routing data. `headers` are sent with every request."""

    url: str | None = Field(default=None, pattern="^https?://.")
    subscription_url: str | None = Field(default=None, pattern="^(https?|wss?)://.")
    subscription_protocol: Literal["websocket", "event-stream"] = "websocket"
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)


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


class SubgraphTraffic(Section):
    """How requests to one subgraph are sent. `timeout_seconds` is for one attempt, waiting for a connection included."""

    timeout_seconds: float = Field(default=15.0, gt=0)
    connect_timeout_seconds: float = Field(default=5.0, gt=0)
    keep_alive_seconds: float = Field(default=30.0, ge=0)
    max_connections: int = Field(default=100, ge=1)
    max_response_bytes: int = Field(default=64 * 1024 * 1024, ge=1)
    retry: Retry = Retry()
    circuit_breaker: CircuitBreaker = CircuitBreaker()


class TrafficShaping(Section):
    """`subgraphs`, by name, says only what differs from `all`."""

    all: SubgraphTraffic = SubgraphTraffic()
    subgraphs: Mapping[str, SubgraphTraffic] = Field(default_factory=dict)

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


class Telemetry(Section):
    service_name: str = "router"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    log_requests: bool = True
    otlp_endpoint: str = ""
    sample_ratio: float = Field(default=0.1, ge=0, le=1)


class Settings(Section):
    """`supergraph` is the path of a composed schema; `dev` adds GraphiQL, query plans and the full text of errors."""

    supergraph: Path
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)
    path: str = Field(default="/graphql", pattern="^/")
    workers: int = Field(default=1, ge=1)
    watch: bool = False
    dev: bool = False
    graphiql: bool | None = None  # None: as `dev`, unless `introspection` is off, which it cannot do without
    introspection: bool = True
    redis_url: SecretStr | None = None
    request_timeout_seconds: float = Field(default=30.0, gt=0)
    shutdown_grace_seconds: float = Field(default=10.0, ge=0)
    share_identical_requests: bool = True  # equal queries of one caller that are under way at the same time run once
    compress_from_bytes: int = Field(default=2_048, ge=0)  # 0: never
    forward_headers: tuple[str, ...] = ("authorization", "x-request-id", "accept-language", "traceparent", "tracestate")
    override_labels: Mapping[str, bool] = Field(default_factory=dict)  # of `@override(label:)`, for every request
    cors: Cors = Cors()
    csrf: Csrf = Csrf()
    batching: Batching = Batching()
    jwt: Jwt = Jwt()
    limits: Limits = Limits()
    demand_control: DemandControl = DemandControl()
    persisted_documents: PersistedDocuments = PersistedDocuments()
    response_cache: ResponseCache = ResponseCache()
    subscriptions: Subscriptions = Subscriptions()
    subgraphs: Mapping[str, Subgraph] = Field(default_factory=dict)
    traffic_shaping: TrafficShaping = TrafficShaping()
    subgraph_errors: SubgraphErrors = SubgraphErrors()
    telemetry: Telemetry = Telemetry()

    @property
    def serves_graphiql(self) -> bool:
        return self.dev and self.introspection if self.graphiql is None else self.graphiql


def load_settings(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    **overrides: Any,
) -> Settings:
    """The file's values, then the environment's, then `overrides` that are not None. Raises SettingsError."""
    environment = os.environ if environment is None else environment
    values = _read_file(file, environment) if file is not None else {}
    for variable, dotted in ENVIRONMENT.items():
        if environment.get(variable):
            _put(values, dotted, environment[variable])
    values.update({name: value for name, value in overrides.items() if value is not None})
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        where = f"{file}: " if file is not None else ""
        raise SettingsError(where + "; ".join(_complaints(error))) from None


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
    """`${NAME}` and `${NAME:-default}` replaced in every string; `$$` is one dollar sign."""
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
        if default is None:
            missing.append(name)
        return default or ""

    return _PLACEHOLDER.sub(replace, value)


def _put(values: dict[str, Any], dotted: str, value: str) -> None:
    *sections, name = dotted.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[name] = value


def _complaints(error: ValidationError) -> list[str]:
    complaints = []
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        place = ".".join(str(part) for part in each["loc"])
        if each["type"] == "extra_forbidden":
            complaints.append(f"unknown setting '{place}'")
        else:
            complaints.append(f"'{place}': {each['msg']}")
    return complaints
