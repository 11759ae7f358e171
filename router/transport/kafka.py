"""How the router's clients reach Kafka."""

from __future__ import annotations

import ssl
from typing import Any

from router.settings import KafkaClient


def client_settings(kafka: KafkaClient) -> dict[str, Any]:
    """Arguments for aiokafka's clients. Raises OSError or ssl.SSLError for a CA file that cannot be read."""
    settings: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap_servers,
        "security_protocol": kafka.security_protocol,
    }
    if kafka.security_protocol.endswith("SSL"):
        settings["ssl_context"] = ssl.create_default_context(cafile=str(kafka.ca_file) if kafka.ca_file else None)
    if kafka.security_protocol.startswith("SASL"):
        settings["sasl_mechanism"] = kafka.sasl_mechanism
        settings["sasl_plain_username"] = kafka.username
        settings["sasl_plain_password"] = kafka.password.get_secret_value() if kafka.password else None
    return settings
