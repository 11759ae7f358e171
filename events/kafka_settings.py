"""How Kafka is reached, in the clear or by TLS, with or without a password, and how topics are made there."""

import ssl
from dataclasses import dataclass, field, replace
from typing import Any

from events.topics import DAY_MS, Topic

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """`protocol` and `mechanism` are Kafka's own words. Files are PEM: the authority of the brokers (the system's where none
    is named), and the certificate and key of this client, where the brokers ask for one.
    """

    protocol: str = "PLAINTEXT"
    mechanism: str = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None

    def problems(self) -> list[str]:
        """What is missing, in whole sentences with the names of the variables."""
        problems = []
        if self.protocol.startswith("SASL") and not (self.username and self.password):
            problems.append(f"KAFKA_SECURITY_PROTOCOL={self.protocol} needs KAFKA_USERNAME and KAFKA_PASSWORD.")
        if (self.certificate_file is None) != (self.key_file is None):
            problems.append("KAFKA_CERTIFICATE_PATH and KAFKA_KEY_PATH belong together.")
        return problems

    def arguments(self) -> dict[str, Any]:
        """For aiokafka's clients. Raises OSError and ssl.SSLError for files that cannot be read."""
        arguments: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol.endswith("SSL"):
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.certificate_file is not None:
                context.load_cert_chain(self.certificate_file, self.key_file)
            arguments["ssl_context"] = context
        if self.protocol.startswith("SASL"):
            arguments["sasl_mechanism"] = self.mechanism
            arguments["sasl_plain_username"] = self.username
            arguments["sasl_plain_password"] = self.password
        return arguments


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """How to reach Kafka, and how topics are made there.

    `idempotent` is off for brokers without InitProducerId v0, the embedded one among them. `partitions` and `retention_days`
    replace what `topics` says, `retention_days` only where records are let go of after some time. What clients know of
    topics is at most `metadata_max_age_ms` old: so late they see partitions that were added.
    `announced` is on where a fetch cannot wait at the broker until there is something: then relays announce what they
    published, and consumers rest until they hear of it.
    """

    bootstrap_servers: str
    idempotent: bool = True
    fetch_max_wait_ms: int = 500
    announced: bool = False
    replication_factor: int = 1
    min_insync_replicas: int = 1
    partitions: int | None = None
    retention_days: int | None = None
    metadata_max_age_ms: int = 30_000
    security: KafkaSecurity = KafkaSecurity()

    def arguments(self) -> dict[str, Any]:
        """What each of aiokafka's clients is given. Raises OSError and ssl.SSLError for files that cannot be read."""
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "metadata_max_age_ms": self.metadata_max_age_ms,
            **self.security.arguments(),
        }

    def applied_to(self, topic: Topic) -> Topic:
        """The topic as these settings want it."""
        retention_ms = topic.retention_ms
        if self.retention_days is not None and retention_ms > 0:
            retention_ms = self.retention_days * DAY_MS
        return replace(topic, partitions=self.partitions or topic.partitions, retention_ms=retention_ms)

    def configuration_of(self, topic: Topic) -> dict[str, str]:
        """The broker's own settings of the topic."""
        return {**topic.configuration, "min.insync.replicas": str(self.min_insync_replicas)}
