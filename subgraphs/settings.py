"""What a subgraph is told by its environment; the only module of the subgraphs that reads it.

Read once by `__main__` or `create_app` and passed down. All wrong or missing names are reported together.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from events.broker import KafkaSettings

SECRET_BYTES = 32
_T = TypeVar("_T")


class SettingsError(ValueError):
    """The environment does not describe a subgraph that can run; the message names every variable to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One subgraph's settings. Secrets are kept out of `repr`."""

    subgraph: str
    database_url: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    jwt_previous_secrets: tuple[str, ...] = field(default=(), repr=False)
    database_replica_url: str | None = field(default=None, repr=False)
    database_pool_size: int = 10
    redis_url: str | None = field(default=None, repr=False)
    kafka_bootstrap_servers: str | None = None
    kafka_idempotent: bool = True
    kafka_fetch_max_wait_ms: int = 500
    access_token_seconds: int = 900
    refresh_token_seconds: int = 30 * 24 * 3600
    environment: str = "dev"
    log_level: str = "INFO"
    otlp_endpoint: str | None = None
    trace_sample_ratio: float = 0.1
    # Off where the relay and the consumers run as processes of their own.
    background_loops: bool = True

    @property
    def kafka(self) -> "KafkaSettings | None":
        """None runs the subgraph without events leaving it: they wait in the outbox."""
        if self.kafka_bootstrap_servers is None:
            return None
        from events.broker import KafkaSettings

        return KafkaSettings(
            bootstrap_servers=self.kafka_bootstrap_servers,
            idempotent=self.kafka_idempotent,
            fetch_max_wait_ms=self.kafka_fetch_max_wait_ms,
        )


def read_settings(subgraph: str, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of one subgraph. Raises SettingsError."""
    reader = _Reader(os.environ if environment is None else environment)
    domain = subgraph.upper()
    access_default = reader.number("JWT_EXPIRATION", 900_000) // 1000
    settings = Settings(
        subgraph=subgraph,
        database_url=reader.required(f"DATABASE_URL_{domain}"),
        database_replica_url=reader.optional(f"DATABASE_REPLICA_URL_{domain}"),
        database_pool_size=reader.number("DATABASE_POOL_SIZE", 10),
        redis_url=reader.optional("REDIS_URL"),
        kafka_bootstrap_servers=reader.optional("KAFKA_BOOTSTRAP_SERVERS"),
        kafka_idempotent=reader.flag("KAFKA_IDEMPOTENT", True),
        kafka_fetch_max_wait_ms=reader.number("KAFKA_FETCH_MAX_WAIT_MS", 500),
        jwt_secret=reader.secret("JWT_SECRET"),
        jwt_previous_secrets=reader.words("JWT_PREVIOUS_SECRETS"),
        access_token_seconds=reader.number("ACCESS_TOKEN_SECONDS", access_default),
        refresh_token_seconds=reader.number("REFRESH_TOKEN_SECONDS", 30 * 24 * 3600),
        environment=reader.choice("FITTRACKER_ENV", "dev", ("dev", "prod")),
        log_level=reader.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        otlp_endpoint=reader.optional("OTEL_EXPORTER_OTLP_ENDPOINT"),
        trace_sample_ratio=reader.ratio("OTEL_TRACES_SAMPLER_ARG", 0.1),
        background_loops=reader.flag("BACKGROUND_LOOPS", True),
    )
    if reader.problems:
        raise SettingsError(f"The {subgraph} subgraph cannot start. " + " ".join(reader.problems))
    return settings


class _Reader:
    """Reads variables and remembers what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def optional(self, name: str) -> str | None:
        return self._environment.get(name, "").strip() or None

    def required(self, name: str) -> str:
        value = self.optional(name)
        if value is None:
            self.problems.append(f"{name} is not set.")
        return value or ""

    def secret(self, name: str) -> str:
        value = self.optional(name)
        if value is None or len(value.encode()) < SECRET_BYTES:
            self.problems.append(f"{name} must be set, to at least {SECRET_BYTES} bytes.")
        return value or ""

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in self._environment.get(name, "").split(",") if word.strip())

    def number(self, name: str, default: int) -> int:
        return self._converted(name, default, int, "a whole number above 0", lambda number: number > 0)

    def ratio(self, name: str, default: float) -> float:
        return self._converted(name, default, float, "a number from 0 to 1", lambda ratio: 0 <= ratio <= 1)

    def flag(self, name: str, default: bool) -> bool:
        values = {"1": True, "true": True, "0": False, "false": False}
        return self._converted(name, default, lambda text: values[text.lower()], "0 or 1", lambda _: True)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        return self._converted(name, default, str, f"one of {', '.join(allowed)}", lambda value: value in allowed)

    def _converted(
        self, name: str, default: _T, convert: Callable[[str], _T], wanted: str, allowed: Callable[[_T], bool]
    ) -> _T:
        text = self.optional(name)
        if text is None:
            return default
        try:
            value = convert(text)
            if allowed(value):
                return value
        except (ValueError, KeyError):
            pass
        self.problems.append(f"{name} must be {wanted}.")
        return default
