"""Where the entity cache hears what changed: Kafka topics, Redis channels, and an HTTP call.

`app` runs `EntityChanges` beside the server. A change counts as heard when its marks stand in Redis: a record of Kafka is
acknowledged after that, and until then nothing further is read.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import msgspec
import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from router.entity_cache.cache import EntityCache
from router.entity_cache.store import EntityStore
from router.entity_cache.tags import Change, UnknownEntityError
from router.exact_json import scalar_text, value_at
from router.server.response import json_answer
from router.settings import ChangeRule, KafkaClient
from router.settings import EntityCache as EntityCacheSettings
from router.telemetry import ENTITY_CACHE_CHANGES
from router.transport.kafka import consuming

log = structlog.get_logger(__name__)

PATH = "/actuator/entity-cache"
MAX_BODY_BYTES = 1024 * 1024
MAX_CHANGES = 1_000
PAUSE_SECONDS = 1.0
POLL_SECONDS = 0.5
Source = Literal["kafka", "redis", "http"]


class ChangeMessage(msgspec.Struct, forbid_unknown_fields=True):
    """One change as callers write it: `type` with or without `key`, or `subgraph`."""

    type: str | None = None
    key: dict[str, Any] | None = None
    subgraph: str | None = None

    def change(self) -> Change:
        """Raises ValueError."""
        if (self.type is None) == (self.subgraph is None) or (self.key is not None and self.type is None):
            raise ValueError("a change has 'type', with or without 'key', or 'subgraph'")
        return Change(self.type, self.key, self.subgraph)


class Changes(msgspec.Struct, forbid_unknown_fields=True):
    changes: list[ChangeMessage]


class EntityChanges:
    """`cache` gives that of the graph in use: what a change means is the graph's to say."""

    def __init__(
        self,
        settings: EntityCacheSettings,
        kafka: KafkaClient | None,
        redis: Redis,
        store: EntityStore,
        cache: Callable[[], EntityCache],
    ) -> None:
        self._settings = settings.invalidation
        self._group = f"{settings.key_prefix}-entity-cache"
        self._kafka = kafka
        self._redis = redis
        self._store = store
        self._cache = cache

    @property
    def listens(self) -> bool:
        """Whether the settings name any source but HTTP."""
        return bool((self._settings.topics and self._kafka is not None) or self._settings.channels)

    async def run(self) -> None:
        """Listens for ever, to all sources that the settings name."""
        async with asyncio.TaskGroup() as group:
            if self._settings.topics and self._kafka is not None:
                group.create_task(self._again_and_again("kafka", self._read_topics))
            if self._settings.channels:
                group.create_task(self._again_and_again("redis", self._read_channels))

    def routes(self) -> list[Route]:
        return [Route(PATH, self.tell, methods=["POST"])] if self._settings.token is not None else []

    async def tell(self, request: Request) -> Response:
        """204 when the marks stand; 400 for what is no change, 404 for what the graph has not, 503 without Redis."""
        assert self._settings.token is not None
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self._settings.token.get_secret_value()}".encode()):
            return _refused(401, "UNAUTHENTICATED", "The token is missing or wrong.")
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return _refused(413, "PAYLOAD_TOO_LARGE", f"At most {MAX_BODY_BYTES} bytes.")
        try:
            changes = _read(body)
            await self._mark("http", changes, 0.0)
        except UnknownEntityError as error:
            ENTITY_CACHE_CHANGES.labels("http", "unknown").inc()
            return _refused(404, "UNKNOWN_ENTITY", error.message)
        except ValueError as error:
            ENTITY_CACHE_CHANGES.labels("http", "malformed").inc()
            return _refused(400, "BAD_REQUEST", str(error))
        except (RedisError, OSError):
            return _refused(503, "REDIS_UNAVAILABLE", "The change could not be noted; tell it again.")
        return Response(status_code=204)

    async def _again_and_again(self, source: Source, listen: Callable[[], Any]) -> None:
        from aiokafka.errors import KafkaError

        while True:
            self._store.deaf_to.add(source)
            try:
                await listen()
            except (KafkaError, RedisError, OSError, TimeoutError) as error:
                log.warning("entity_changes_not_heard", source=source, reason=repr(error))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _read_topics(self) -> None:
        assert self._kafka is not None
        topics = self._settings.topics
        async with consuming(
            self._kafka, *topics, group_id=self._group, enable_auto_commit=False, auto_offset_reset="latest"
        ) as consumer:
            self._store.deaf_to.discard("kafka")
            while True:
                batches = await consumer.getmany(timeout_ms=round(POLL_SECONDS * 1000))
                for partition, records in batches.items():
                    for record in records:
                        await self._note("kafka", topics[partition.topic], record.value)
                if batches:
                    await consumer.commit()

    async def _read_channels(self) -> None:
        """What was published while nobody listened is lost: so all that the channels' rules speak of is void first."""
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(*self._settings.channels)
            await self._forget_what_was_missed()
            self._store.deaf_to.discard("redis")
            while True:
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=POLL_SECONDS)
                if message is not None:
                    channel = message["channel"].decode()
                    await self._note("redis", self._settings.channels.get(channel, ()), message["data"])

    async def _forget_what_was_missed(self) -> None:
        for rules in self._settings.channels.values():
            for rule in rules:
                await self._tell_cache("redis", [Change(rule.type)], rule.settling_seconds)
            if not rules:  # its messages may have been about anything
                everything = [Change(subgraph=name) for name in sorted(self._cache().tags.subgraphs)]
                await self._tell_cache("redis", everything, 0.0)

    async def _note(self, source: Source, rules: Sequence[ChangeRule], value: bytes | None) -> None:
        """Raises RedisError or OSError: then it is read again."""
        try:
            if not rules:
                await self._tell_cache(source, _read(value or b""), 0.0)
            else:
                record = orjson.loads(value or b"null")
                for rule in rules:
                    if (change := change_of(rule, record)) is not None:
                        await self._tell_cache(source, [change], rule.settling_seconds)
        except ValueError as error:
            ENTITY_CACHE_CHANGES.labels(source, "malformed").inc()
            log.warning("entity_change_malformed", source=source, reason=str(error)[:200])

    async def _tell_cache(self, source: Source, changes: Sequence[Change], settling_seconds: float) -> None:
        try:
            await self._mark(source, changes, settling_seconds)
        except UnknownEntityError as error:
            ENTITY_CACHE_CHANGES.labels(source, "unknown").inc()
            log.warning("entity_change_unknown", source=source, reason=error.message)

    async def _mark(self, source: Source, changes: Iterable[Change], settling_seconds: float) -> None:
        of_change = self._cache().tags.of_change
        tags = dict.fromkeys(tag for change in changes for tag in of_change(change))
        if tags:
            await self._store.mark(list(tags), settling_seconds)
        ENTITY_CACHE_CHANGES.labels(source, "marked").inc()


def change_of(rule: ChangeRule, record: Any) -> Change | None:
    """What the record says changed; None where the rule is not about it. Raises ValueError where it lacks a key."""
    if any(scalar_text(value_at(record, place)) != value for place, value in rule.when.items()):
        return None
    if not rule.key:
        return Change(rule.type)
    key = {name: value_at(record, place) for name, place in rule.key.items()}
    lacking = sorted(rule.key[name] for name, value in key.items() if value is None)
    if lacking:
        raise ValueError(f"a record has no {', '.join(lacking)}, which identifies the {rule.type} that it is about")
    return Change(rule.type, key)


def _read(body: bytes) -> list[Change]:
    """Raises ValueError."""
    try:
        told = msgspec.json.decode(body, type=Changes).changes
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    if len(told) > MAX_CHANGES:
        raise ValueError(f"at most {MAX_CHANGES} changes at a time")
    return [each.change() for each in told]


def _refused(status: int, code: str, message: str) -> Response:
    answer = json_answer(status, {"error": {"code": code, "message": message}})
    return Response(answer.body, status, media_type=answer.content_type.decode())
