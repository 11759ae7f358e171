"""How the router's clients reach Kafka."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from router.bounded_fetch import bound_fetches
from router.settings import KafkaClient

if TYPE_CHECKING:  # loaded only where there is a consumer
    from aiokafka import AIOKafkaConsumer


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


@asynccontextmanager
async def consuming(kafka: KafkaClient, *topics: str, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer with these options of aiokafka's, until the block ends. Raises what `client_settings` and its start raise."""
    from aiokafka import AIOKafkaConsumer

    consumer = AIOKafkaConsumer(*topics, **client_settings(kafka), **options)
    bound_fetches(consumer)
    try:  # a start that failed has connections and tasks too
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()
