"""What a subgraph is told by its environment; the only module of the subgraphs that reads it.

Read once by `command_line`, or by an application that is made without any, and passed down. All wrong or missing names are
reported together.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log2
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from events.kafka_settings import MECHANISMS, PROTOCOLS, KafkaSecurity, KafkaSettings

SECRET_BYTES = 32
SENDER = "FitTracker Pro <no-reply@fittracker.example>"
CELL_NAME = re.compile(r"[a-z0-9-]{1,32}")
_DOMAIN = re.compile(
    r"localhost|(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_ANDROID_APP = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{43}")
_VERSION = re.compile(r"[A-Za-z0-9._-]{1,50}")
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=?")
SMTP_SCHEMES = ("smtp", "smtp+starttls", "smtps")
_LONGEST_HEADER_TEXT = 200
SECRET_BITS = 120  # 32 random characters of base64 have some 150, words and repetitions have far less
_T = TypeVar("_T")


class SettingsError(ValueError):
    """The environment does not describe a subgraph that can run; the message names every variable to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentVersions:
    """Which versions of the texts that people agree to are in force; a purpose without one is not asked about."""

    terms: str | None = None
    health_data: str | None = None
    emails: str | None = None
    statistics: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One subgraph's settings. Secrets are kept out of `repr`."""

    subgraph: str
    database_url: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    jwt_previous_secrets: tuple[str, ...] = field(default=(), repr=False)
    # Past a pooler that gives a connection to each transaction, for what needs a session of its own; None: the same.
    database_direct_url: str | None = field(default=None, repr=False)
    database_replica_url: str | None = field(default=None, repr=False)
    database_replica_most_lag_seconds: float = 5.0
    database_pool_size: int = 10
    redis_url: str | None = field(default=None, repr=False)
    kafka: KafkaSettings | None = None  # None runs without events leaving: they wait in the outbox
    access_token_seconds: int = 900
    refresh_token_seconds: int = 30 * 24 * 3600
    environment: str = "dev"
    log_level: str = "INFO"
    otlp_endpoint: str | None = None
    trace_sample_ratio: float = 0.1
    trace_background: bool = False  # statements of relay, consumers and other loops that no request asked for
    # Off where the relay and the consumers run as processes of their own.
    background_loops: bool = True
    drain_seconds: float = 0.0
    drain_idle_seconds: float = 2.0
    # Of what is served: PEM files, read again when they change. Without them it is plain http.
    tls_certificate: str | None = None
    tls_key: str | None = None
    # Mail goes to a server, or into files in a folder; with neither it waits in the database until it is of no use.
    smtp_url: str | None = field(default=None, repr=False)
    mail_spool: str | None = None
    mail_from: str = SENDER
    mail_link: str | None = None
    confirm_registration: bool = False
    consents: ConsentVersions = ConsentVersions()
    # Push messages: the number of the key that signs them, who answers for them, and push services that may be anywhere.
    web_push_key: str | None = field(default=None, repr=False)
    web_push_contact: str = "mailto:no-reply@fittracker.example"
    web_push_trusted: tuple[str, ...] = ()
    # Passkeys: their domain, None where there are none, and the origins of pages that ask for them; empty: http://localhost.
    passkey_rp_id: str | None = None
    passkey_origins: tuple[str, ...] = ()
    # Second factors: what seals the secrets of apps. Without it no new factor is taken.
    second_factor_key: str | None = field(default=None, repr=False)
    second_factor_previous_keys: tuple[str, ...] = field(default=(), repr=False)
    # Webhooks: what seals their secrets, and whether they may go to this machine, which is for development alone.
    webhook_key: str | None = field(default=None, repr=False)
    webhook_previous_keys: tuple[str, ...] = field(default=(), repr=False)
    webhook_loopback: bool = False
    # Where people are divided between several such platforms: this one's name, and what proves whoever looks for accounts.
    cell: str | None = None
    cell_secret: str | None = field(default=None, repr=False)
    # Where nutrition looks for barcodes that it does not know; None asks nobody. Who calls has to be told there.
    open_food_facts_url: str | None = None
    open_food_facts_contact: str | None = None
    open_food_facts_timeout_seconds: float = 2.0
    open_food_facts_per_minute: int = 60

    @property
    def session_url(self) -> str:
        """Of the primary, where a session lasts as long as its connection: for the relay's LISTEN and lock, and for migrations."""
        return self.database_direct_url or self.database_url


def read_settings(subgraph: str, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of one subgraph. Raises SettingsError."""
    reader = _Reader(os.environ if environment is None else environment)
    domain = subgraph.upper()
    access_default = reader.number("JWT_EXPIRATION", 900_000) // 1000
    environment_name = reader.choice("FITTRACKER_ENV", "dev", ("dev", "prod"))
    settings = Settings(
        subgraph=subgraph,
        database_url=reader.required(f"DATABASE_URL_{domain}"),
        database_direct_url=reader.optional(f"DATABASE_DIRECT_URL_{domain}"),
        database_replica_url=reader.optional(f"DATABASE_REPLICA_URL_{domain}"),
        database_replica_most_lag_seconds=reader.seconds("DATABASE_REPLICA_MOST_LAG_SECONDS", 5.0),
        database_pool_size=reader.number("DATABASE_POOL_SIZE", 10),
        redis_url=reader.optional("REDIS_URL"),
        kafka=_kafka(reader),
        jwt_secret=reader.secret("JWT_SECRET", must_be_strong=environment_name == "prod"),
        jwt_previous_secrets=reader.words("JWT_PREVIOUS_SECRETS"),
        access_token_seconds=reader.number("ACCESS_TOKEN_SECONDS", access_default),
        refresh_token_seconds=reader.number("REFRESH_TOKEN_SECONDS", 30 * 24 * 3600),
        environment=environment_name,
        log_level=reader.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        otlp_endpoint=reader.optional("OTEL_EXPORTER_OTLP_ENDPOINT"),
        trace_sample_ratio=reader.ratio("OTEL_TRACES_SAMPLER_ARG", 0.1),
        trace_background=reader.flag("TRACE_BACKGROUND", False),
        background_loops=reader.flag("BACKGROUND_LOOPS", True),
        drain_seconds=reader.seconds("DRAIN_SECONDS", 0.0),
        drain_idle_seconds=reader.seconds("DRAIN_IDLE_SECONDS", 2.0),
        tls_certificate=reader.optional("TLS_CERTIFICATE_PATH"),
        tls_key=reader.optional("TLS_KEY_PATH"),
        smtp_url=(smtp_url := reader.smtp_url("SMTP_URL")),
        mail_spool=reader.optional("MAIL_SPOOL"),
        mail_from=reader.optional("MAIL_FROM") or SENDER,
        mail_link=reader.web_address("MAIL_LINK"),
        confirm_registration=reader.flag("CONFIRM_REGISTRATION", environment_name == "prod" and smtp_url is not None),
        consents=_consents(reader),
        web_push_key=reader.key("WEB_PUSH_KEY"),
        web_push_contact=reader.optional("WEB_PUSH_CONTACT") or "mailto:no-reply@fittracker.example",
        web_push_trusted=reader.words("WEB_PUSH_TRUSTED_ORIGINS"),
        passkey_rp_id=(passkeys := reader.passkeys(in_production=environment_name == "prod"))[0],
        passkey_origins=passkeys[1],
        second_factor_key=reader.key("SECOND_FACTOR_KEY"),
        second_factor_previous_keys=reader.keys("SECOND_FACTOR_PREVIOUS_KEYS"),
        webhook_key=reader.key("WEBHOOK_KEY"),
        webhook_previous_keys=reader.keys("WEBHOOK_PREVIOUS_KEYS"),
        webhook_loopback=reader.flag("WEBHOOK_LOOPBACK", False),
        cell=reader.cell("CELL"),
        cell_secret=reader.optional_secret("CELL_SECRET", must_be_strong=environment_name == "prod"),
        open_food_facts_url=reader.web_address("OPEN_FOOD_FACTS_URL"),
        open_food_facts_contact=reader.header_text("OPEN_FOOD_FACTS_CONTACT"),
        open_food_facts_timeout_seconds=reader.seconds("OPEN_FOOD_FACTS_TIMEOUT_SECONDS", 2.0),
        open_food_facts_per_minute=reader.number("OPEN_FOOD_FACTS_PER_MINUTE", 60),
    )
    _check_together(settings, reader)
    if reader.problems:
        raise SettingsError(f"The {subgraph} subgraph cannot start. " + " ".join(reader.problems))
    return settings


def _check_together(settings: Settings, reader: "_Reader") -> None:
    """Adds to the reader's problems what settings must not be beside each other."""
    if settings.open_food_facts_url is not None and settings.open_food_facts_contact is None:
        reader.problems.append("OPEN_FOOD_FACTS_URL needs OPEN_FOOD_FACTS_CONTACT, an address to write to.")
    if settings.webhook_loopback and settings.environment == "prod":
        reader.problems.append("WEBHOOK_LOOPBACK is for development: it lets webhooks reach this machine's own ports.")
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        reader.problems.append("TLS_CERTIFICATE_PATH and TLS_KEY_PATH belong together.")


def read_kafka(environment: Mapping[str, str]) -> KafkaSettings | None:
    """Kafka's part alone; None where no brokers are named. Raises SettingsError."""
    reader = _Reader(environment)
    kafka = _kafka(reader)
    if reader.problems:
        raise SettingsError(" ".join(reader.problems))
    return kafka


def _kafka(reader: "_Reader") -> KafkaSettings | None:
    security = KafkaSecurity(
        protocol=reader.choice("KAFKA_SECURITY_PROTOCOL", "PLAINTEXT", PROTOCOLS),
        mechanism=reader.choice("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512", MECHANISMS),
        username=reader.optional("KAFKA_USERNAME"),
        password=reader.optional("KAFKA_PASSWORD"),
        ca_file=reader.optional("KAFKA_CA_PATH"),
        certificate_file=reader.optional("KAFKA_CERTIFICATE_PATH"),
        key_file=reader.optional("KAFKA_KEY_PATH"),
    )
    servers = reader.optional("KAFKA_BOOTSTRAP_SERVERS")
    kafka = KafkaSettings(
        bootstrap_servers=servers or "",
        idempotent=reader.flag("KAFKA_IDEMPOTENT", True),
        fetch_max_wait_ms=reader.number("KAFKA_FETCH_MAX_WAIT_MS", 500),
        announced=reader.flag("KAFKA_ANNOUNCED", False),
        metadata_max_age_ms=reader.number("KAFKA_METADATA_MAX_AGE_MS", 30_000),
        replication_factor=reader.number("KAFKA_REPLICATION_FACTOR", 1),
        min_insync_replicas=reader.number("KAFKA_MIN_INSYNC_REPLICAS", 1),
        partitions=reader.optional_number("KAFKA_PARTITIONS"),
        retention_days=reader.optional_number("KAFKA_RETENTION_DAYS"),
        security=security,
    )
    reader.problems += security.problems()
    if kafka.min_insync_replicas > kafka.replication_factor:
        reader.problems.append("KAFKA_MIN_INSYNC_REPLICAS cannot be more than KAFKA_REPLICATION_FACTOR.")
    return kafka if servers else None


def _consents(reader: "_Reader") -> ConsentVersions:
    return ConsentVersions(
        terms=reader.version("CONSENT_TERMS_VERSION"),
        health_data=reader.version("CONSENT_HEALTH_DATA_VERSION"),
        emails=reader.version("CONSENT_EMAILS_VERSION"),
        statistics=reader.version("CONSENT_STATISTICS_VERSION"),
    )


def _bits(secret: str) -> float:
    """Shannon's entropy of its characters times their number: an upper bound on what it is worth, in bits."""
    counts = Counter(secret)
    return -sum(count * log2(count / len(secret)) for count in counts.values())


class _Reader:
    """Reads variables and remembers what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def optional(self, name: str) -> str | None:
        """The variable, or what the file holds that NAME_FILE names: container engines mount secrets as files."""
        value = self._environment.get(name, "").strip()
        if value:
            return value
        file = self._environment.get(f"{name}_FILE", "").strip()
        if not file:
            return None
        try:
            return Path(file).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{name}_FILE names a file that cannot be read: {error}.")
            return None

    def required(self, name: str) -> str:
        value = self.optional(name)
        if value is None:
            self.problems.append(f"{name} is not set.")
        return value or ""

    def cell(self, name: str) -> str | None:
        """A name that can stand in front of a token: small letters, digits and hyphens."""
        value = self.optional(name)
        if value is not None and not CELL_NAME.fullmatch(value):
            self.problems.append(f"{name} must be up to 32 small letters, digits and hyphens, such as eu-1.")
        return value

    def version(self, name: str) -> str | None:
        """What names a version of a text: letters, digits, dots, hyphens and underscores."""
        value = self.optional(name)
        if value is not None and not _VERSION.fullmatch(value):
            self.problems.append(
                f"{name} must be up to 50 letters, digits, dots, hyphens and underscores, such as 2026-11."
            )
        return value

    def key(self, name: str) -> str | None:
        """32 bytes in base64url, as the tools of web push write a VAPID private key."""
        value = self.optional(name)
        if value is not None and not _KEY.fullmatch(value):
            self.problems.append(f"{name} must be 32 bytes in base64url; `fittracker secrets` makes one.")
        return value

    def passkeys(self, *, in_production: bool) -> tuple[str | None, tuple[str, ...]]:
        """The domain of passkeys and the origins that ask for them. Without both: this machine in development, else none."""
        domain, origins = self.optional("PASSKEY_RP_ID"), self.words("PASSKEY_ORIGINS")
        if domain is None and not origins:
            return (None, ()) if in_production else ("localhost", ())
        if domain is None or not _DOMAIN.fullmatch(domain) or not origins:
            self.problems.append(
                "PASSKEY_RP_ID and PASSKEY_ORIGINS belong together: a domain, such as example.org, and origins of pages."
            )
            return None, ()
        for origin in origins:
            self._check_passkey_origin(origin, domain, in_production=in_production)
        return domain, origins

    def _check_passkey_origin(self, origin: str, domain: str, *, in_production: bool) -> None:
        """Of the domain or below it, and encrypted: browsers let no other page ask. Android apps have no host."""
        if _ANDROID_APP.fullmatch(origin):
            return
        url = urlsplit(origin)
        host = url.hostname or ""
        is_page = origin == f"{url.scheme}://{url.netloc}" and url.scheme in ("https", "http") and "*" not in origin
        is_safe = url.scheme == "https" or (host == "localhost" and not in_production)
        if not (is_page and is_safe and (host == domain or host.endswith(f".{domain}"))):
            self.problems.append(
                f"PASSKEY_ORIGINS has {origin}, which is no https origin of {domain} or below, such as https://{domain}."
            )

    def keys(self, name: str) -> tuple[str, ...]:
        """Such keys, with commas between."""
        values = self.words(name)
        if not all(_KEY.fullmatch(each) for each in values):
            self.problems.append(f"{name} must be keys of 32 bytes in base64url, with commas between.")
        return values

    def optional_secret(self, name: str, *, must_be_strong: bool) -> str | None:
        return None if self.optional(name) is None else self.secret(name, must_be_strong=must_be_strong)

    def secret(self, name: str, *, must_be_strong: bool) -> str:
        value = self.optional(name)
        if value is None or len(value.encode()) < SECRET_BYTES:
            self.problems.append(f"{name} must be set, to at least {SECRET_BYTES} bytes.")
        elif must_be_strong and _bits(value) < SECRET_BITS:
            self.problems.append(
                f"{name} is too easily guessed for production; make one with `openssl rand -base64 48`."
            )
        return value or ""

    def smtp_url(self, name: str) -> str | None:
        """smtp://, smtp+starttls:// or smtps://; a password only where it travels encrypted."""
        value = self.optional(name)
        if value is None:
            return None
        url = urlsplit(value)
        if url.scheme not in SMTP_SCHEMES or not url.hostname:
            self.problems.append(f"{name} must be {', '.join(f'{scheme}://HOST' for scheme in SMTP_SCHEMES)}.")
        elif url.scheme == "smtp" and url.password:
            self.problems.append(f"{name} has a password, which smtp:// would send in the clear: use smtps://.")
        return value

    def web_address(self, name: str) -> str | None:
        value = self.optional(name)
        if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            self.problems.append(f"{name} must be the address of a page, such as https://app.example.org/account.")
        return value

    def header_text(self, name: str) -> str | None:
        """What can stand in a header of a request: printable ASCII of at most 200 characters."""
        value = self.optional(name)
        if value is not None and not (value.isascii() and value.isprintable() and len(value) <= _LONGEST_HEADER_TEXT):
            self.problems.append(f"{name} must be up to {_LONGEST_HEADER_TEXT} printable characters of ASCII.")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in (self.optional(name) or "").split(",") if word.strip())

    def number(self, name: str, default: int) -> int:
        return self._converted(name, default, int, "a whole number above 0", lambda number: number > 0)

    def optional_number(self, name: str) -> int | None:
        return self.number(name, 1) if self.optional(name) is not None else None

    def ratio(self, name: str, default: float) -> float:
        return self._converted(name, default, float, "a number from 0 to 1", lambda ratio: 0 <= ratio <= 1)

    def seconds(self, name: str, default: float) -> float:
        return self._converted(name, default, float, "seconds, from 0 to 600", lambda number: 0 <= number <= 600)

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
