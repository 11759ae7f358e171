"""Every environment variable that a part of the platform reads, and `.env.example` made from them.

`python -m deploy.environment` prints the file; a test holds this list against what the settings really ask for.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable. `default` is what an unset one means; None: it has to be set where its reader runs."""

    name: str
    meaning: str
    default: str | None = ""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    variables: tuple[Variable, ...]


_DOMAINS = ("users", "nutrition", "workouts", "analytics")

SECTIONS: tuple[Section, ...] = (
    Section(
        "Databases: one a subgraph. postgresql://role:password@host:5432/fittracker_<domain>?sslmode=verify-full",
        (
            *(
                Variable(f"DATABASE_URL_{domain.upper()}", f"the primary of {domain}", None, secret=True)
                for domain in _DOMAINS
            ),
            *(
                Variable(
                    f"DATABASE_DIRECT_URL_{domain.upper()}",
                    f"the primary of {domain} past a pooler in transaction mode, for its relay and for commands",
                    secret=True,
                )
                for domain in _DOMAINS
            ),
            *(
                Variable(
                    f"DATABASE_REPLICA_URL_{domain.upper()}", f"a replica that {domain} may read from", secret=True
                )
                for domain in _DOMAINS
            ),
            Variable("DATABASE_REPLICA_MOST_LAG_SECONDS", "a replica that is later is not read from", "5"),
            Variable("DATABASE_POOL_SIZE", "connections a pool; a process has two pools", "10"),
        ),
    ),
    Section(
        "Redis and Kafka",
        (
            Variable("REDIS_URL", "what subgraphs keep: sign-outs, live channels. Must not evict", secret=True),
            Variable("ROUTER_REDIS_URL", "the router's caches, persisted documents and rates", secret=True),
            Variable("KAFKA_BOOTSTRAP_SERVERS", "host:port, with commas between; unset: events wait in the outbox"),
            Variable("KAFKA_IDEMPOTENT", "1: the producer asks for idempotence; 0 for the embedded broker", "1"),
            Variable("KAFKA_FETCH_MAX_WAIT_MS", "how long a fetch waits for records", "500"),
            Variable(
                "KAFKA_ANNOUNCED", "1: consumers rest until relays tell them over Redis; for the embedded broker", "0"
            ),
            Variable("KAFKA_METADATA_MAX_AGE_MS", "so late partitions that were added are seen", "30000"),
            Variable("KAFKA_SECURITY_PROTOCOL", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL", "PLAINTEXT"),
            Variable("KAFKA_SASL_MECHANISM", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", "SCRAM-SHA-512"),
            Variable("KAFKA_USERNAME", "of SASL"),
            Variable("KAFKA_PASSWORD", "of SASL", secret=True),
            Variable("KAFKA_CA_PATH", "PEM file of the brokers' authority; unset: the system's"),
            Variable("KAFKA_CERTIFICATE_PATH", "PEM file of our own certificate, where the brokers ask for one"),
            Variable("KAFKA_KEY_PATH", "PEM file of its key"),
            Variable("KAFKA_REPLICATION_FACTOR", "of topics that are made: 3 in production", "1"),
            Variable("KAFKA_MIN_INSYNC_REPLICAS", "that must have a record before it counts: 2 of 3", "1"),
            Variable("KAFKA_PARTITIONS", "of topics that are made; unset: six"),
            Variable("KAFKA_RETENTION_DAYS", "of records; unset: what events/topics.py says, 1 to 90 days"),
        ),
    ),
    Section(
        "Identity. Rotation: the new secret here, the old one into JWT_PREVIOUS_SECRETS; nobody is signed out",
        (
            Variable("JWT_SECRET", "signs access tokens: 32 bytes or more", None, secret=True),
            Variable("JWT_PREVIOUS_SECRETS", "secrets that still verify, with commas between", secret=True),
            Variable(
                "JWT_EXPIRATION", "life of an access token in milliseconds, as the former system named it", "900000"
            ),
            Variable("ACCESS_TOKEN_SECONDS", "the same in seconds; wins over JWT_EXPIRATION", "900"),
            Variable("REFRESH_TOKEN_SECONDS", "life of a session that is not used", "2592000"),
        ),
    ),
    Section(
        "Mail of users: proofs of addresses, new passwords. Without SMTP_URL and MAIL_SPOOL it waits and is forgotten",
        (
            Variable(
                "SMTP_URL",
                "smtps://NAME:PASSWORD@HOST, smtp+starttls://..., or smtp://HOST on a trusted net",
                secret=True,
            ),
            Variable("MAIL_SPOOL", "without SMTP_URL, for development: the folder that mails are written to"),
            Variable("MAIL_FROM", "the sender", "FitTracker Pro <no-reply@fittracker.example>"),
            Variable(
                "MAIL_LINK",
                "the page that takes tokens, such as https://app.example.org/account; unset: the bare token",
            ),
            Variable(
                "CONFIRM_REGISTRATION", "1: accounts are made once their mail was read; unset: 1 in prod with SMTP_URL"
            ),
        ),
    ),
    Section(
        "Consents. A version in force is asked of everybody anew; unset: nobody is asked. The first two are required to register",
        (
            Variable("CONSENT_TERMS_VERSION", "of the terms of use, such as 2026-11"),
            Variable("CONSENT_HEALTH_DATA_VERSION", "of the text about data concerning health (GDPR, article 9)"),
            Variable("CONSENT_EMAILS_VERSION", "of the text about mails of reports, reminders and news"),
            Variable("CONSENT_STATISTICS_VERSION", "of the text about the operator's statistics"),
        ),
    ),
    Section(
        "Products of nutrition. Unset: a barcode that the catalogue does not have is nowhere looked for",
        (
            Variable("OPEN_FOOD_FACTS_URL", "asked for unknown barcodes, such as https://world.openfoodfacts.org"),
            Variable("OPEN_FOOD_FACTS_CONTACT", "an address to write to, which Open Food Facts wants to be told"),
            Variable("OPEN_FOOD_FACTS_TIMEOUT_SECONDS", "then the barcode counts as unknown for now", "2"),
            Variable("OPEN_FOOD_FACTS_PER_MINUTE", "requests of each process; Open Food Facts allows 100", "60"),
        ),
    ),
    Section(
        "Web push of users. Without WEB_PUSH_KEY no browser can be registered",
        (
            Variable("WEB_PUSH_KEY", "the VAPID private key: 32 bytes in base64url", secret=True),
            Variable("WEB_PUSH_CONTACT", "whom push services write to", "mailto:no-reply@fittracker.example"),
            Variable(
                "WEB_PUSH_TRUSTED_ORIGINS",
                "of push services of our own, with commas between: they may have private addresses, and http",
            ),
        ),
    ),
    Section(
        "Passkeys of users. Unset: those of http://localhost in development, none in production",
        (
            Variable(
                "PASSKEY_RP_ID",
                "the domain that passkeys belong to, such as example.org; another one is other passkeys",
            ),
            Variable(
                "PASSKEY_ORIGINS",
                "of pages of that domain or below, with commas between, such as https://app.example.org",
            ),
        ),
    ),
    Section(
        "Second factors of users. Without SECOND_FACTOR_KEY none can be enrolled; those of before hold",
        (
            Variable("SECOND_FACTOR_KEY", "seals the secrets of apps: 32 bytes in base64url", secret=True),
            Variable("SECOND_FACTOR_PREVIOUS_KEYS", "further keys, which only open, with commas between", secret=True),
        ),
    ),
    Section(
        "Webhooks of users. Without WEBHOOK_KEY no endpoint can be registered",
        (
            Variable("WEBHOOK_KEY", "seals the secrets of endpoints: 32 bytes in base64url", secret=True),
            Variable("WEBHOOK_PREVIOUS_KEYS", "keys before it, which only open, with commas between", secret=True),
            Variable("WEBHOOK_LOOPBACK", "1: endpoints may be on this machine, over http; prod refuses it", "0"),
        ),
    ),
    Section(
        "Cells: several whole platforms with people divided between them (deploy/cells). Unset: there is one",
        (
            Variable("CELL", "this platform's name; what it issues carries it, for the cell router"),
            Variable("CELL_SECRET", "users tells whoever knows it which cell an address is of", secret=True),
        ),
    ),
    Section(
        "Process",
        (
            Variable("FITTRACKER_ENV", "dev or prod: JSON logs, no development aids", "dev"),
            Variable("LOG_LEVEL", "subgraphs: DEBUG, INFO, WARNING or ERROR", "INFO"),
            Variable("BACKGROUND_LOOPS", "0 where relay and consumers run as processes of their own", "1"),
            Variable("DRAIN_SECONDS", "subgraphs, after SIGTERM: unready, connections are still accepted", "0"),
            Variable("DRAIN_IDLE_SECONDS", "then: idle connections wait for their client; above the router's", "2"),
            Variable("TLS_CERTIFICATE_PATH", "subgraphs serve https with this PEM file, read again when it changes"),
            Variable("TLS_KEY_PATH", "and this key"),
            Variable("OTEL_EXPORTER_OTLP_ENDPOINT", "where traces go, such as http://otel-collector:4318"),
            Variable(
                "OTEL_TRACES_SAMPLER_ARG",
                "share of traces that router or, asked directly, subgraphs begin and all keep, 0 to 1",
                "0.1",
            ),
            Variable("TRACE_BACKGROUND", "1: traces of statements that no request asked for, too", "0"),
        ),
    ),
    Section(
        "Router: these win over its configuration file",
        (
            Variable("ROUTER_SUPERGRAPH", "the supergraph file"),
            Variable("ROUTER_HOST", "the address to listen on", "127.0.0.1"),
            Variable("ROUTER_PORT", "the port to listen on", "8080"),
            Variable("ROUTER_DEV", "true: GraphiQL, query plans, full error texts. Never in production", "false"),
            Variable("ROUTER_WORKERS", "processes that share the port", "1"),
            Variable("ROUTER_TRUSTED_PROXIES", "addresses and networks whose X-Forwarded-For is believed"),
            Variable(
                "ROUTER_ALLOWED_HOSTS", "names in Host that operations are answered for, with commas between; none: all"
            ),
            Variable("ROUTER_LOG_LEVEL", "debug, info, warning or error", "info"),
        ),
    ),
)


def value_of(name: str, environment: Mapping[str, str]) -> str | None:
    """The variable, or what the file holds that NAME_FILE names. Raises OSError where that cannot be read."""
    file = environment.get(f"{name}_FILE")
    return environment.get(name) or (Path(file).read_text(encoding="utf-8").strip() if file else None)


def session_url_of(domain: str, environment: Mapping[str, str]) -> str | None:
    """Of its primary, past a pooler in transaction mode where both are named. Raises OSError where a file cannot be read."""
    return value_of(f"DATABASE_DIRECT_URL_{domain.upper()}", environment) or value_of(
        f"DATABASE_URL_{domain.upper()}", environment
    )


def variables() -> tuple[Variable, ...]:
    return tuple(variable for section in SECTIONS for variable in section.variables)


def example() -> str:
    """The text of `.env.example`: defaults as comments, what must be set as empty assignments."""
    lines = [
        "# Every variable of the platform. Copy to `.env`, set what is needed, remove the `#` of what shall differ.",
        "# Made by `python -m deploy.environment`; a test keeps it current.",
        "# Any NAME can be given as NAME_FILE, the path of a file that holds the value: the way for secrets.",
    ]
    for section in SECTIONS:
        lines += ["", f"# {section.title}"]
        for variable in section.variables:
            note = f"{variable.meaning}{' (secret)' if variable.secret else ''}"
            lines.append(f"# {note}")
            lines.append(f"{variable.name}=" if variable.default is None else f"# {variable.name}={variable.default}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(example())
