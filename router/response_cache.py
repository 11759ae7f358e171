"""Whole responses kept in Redis for as long as `@cacheControl` allows, each only for those who may see it.

`server.front_door` wraps the pipeline in it. Doubt means no caching: errors, mutations, unknown viewers, no hint.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router import telemetry
from router.cache_policy import NOT_CACHED, CacheHints, CachePolicy, Scope
from router.exact_json import dumps
from router.operation import Operation
from router.pipeline import Response
from router.settings import ResponseCache as ResponseCacheSettings
from router.single_flight import SingleFlight

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CacheQuestion:
    """All that an answer depends on. `viewer` is the verified caller's identity, and `private_to` what tells apart its tokens
    that may do different things; None where nobody is known.
    """

    graph_digest: str
    document: str
    operation_name: str | None
    variables: Mapping[str, Any]
    viewer: str | None
    private_to: str | None
    varying: tuple[tuple[str, str], ...]  # forwarded headers that a subgraph may read, and what authorization allowed

    def key(self, prefix: str, scope: Scope) -> str:
        parts = [
            self.graph_digest,
            self.document,
            self.operation_name,
            self.variables,
            self.private_to if scope is Scope.PRIVATE else None,
            scope.value,
            self.varying,
        ]
        return f"{prefix}:answer:{sha256(dumps(parts, orjson.OPT_SORT_KEYS)).hexdigest()}"


#: KEYS: the entry, the viewer's mark. Returns both and the server's clock, which is the only clock that is compared.
LOOK_UP = "local t = redis.call('TIME') return {redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]), t[1], t[2]}"
#: KEYS: the viewer's mark. ARGV: settling time, life of the mark, both in milliseconds.
MARK = (
    "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000) "
    "redis.call('SET', KEYS[1], string.format('%.0f', now + ARGV[1]), 'PX', ARGV[2])"
)
STAMP_LENGTH = 14


class ResponseCache:
    """Answers by question. Redis trouble of any kind is a miss, never an error."""

    def __init__(self, settings: ResponseCacheSettings, redis: Redis) -> None:
        self._settings = settings
        self._redis = redis
        self._look_up = redis.register_script(LOOK_UP)
        self._mark = redis.register_script(MARK)
        self._flights: SingleFlight[str, Response] = SingleFlight()

    def policy_of(self, hints: CacheHints, operation: Operation) -> CachePolicy:
        policy = hints.policy_of(operation, self._settings.default_max_age_seconds)
        return replace(policy, max_age_seconds=min(policy.max_age_seconds, self._settings.max_age_seconds))

    async def respond(
        self, question: CacheQuestion, policy: CachePolicy, ask: Callable[[], Awaitable[Response]]
    ) -> Response:
        """The kept response, or the one `ask` gives; with the policy that holds for the client's Cache-Control."""
        if policy.max_age_seconds <= 0 or (policy.scope is Scope.PRIVATE and question.viewer is None):
            telemetry.CACHE_GETS.labels("response", "bypass").inc()
            return replace(await ask(), cache_policy=NOT_CACHED)
        key = question.key(self._settings.key_prefix, policy.scope)
        found, now_milliseconds, is_settling = await self._get(key, question.viewer)
        if found is not None:
            telemetry.CACHE_GETS.labels("response", "hit").inc()
            body, age_seconds = found
            left = replace(policy, max_age_seconds=max(1, policy.max_age_seconds - age_seconds))
            return Response(200, body, cache_policy=left)
        telemetry.CACHE_GETS.labels("response", "miss").inc()
        # the viewer is part of the flight's name also for public answers: they may have just written, others not
        flight = f"{key}:{question.viewer}"
        if now_milliseconds is None or is_settling:
            response = await ask()  # a flight under way may have begun before the viewer's write
        else:
            response = await self._flights.run(flight, lambda: self._ask_and_keep(key, policy, ask, now_milliseconds))
        return replace(response, cache_policy=self._narrow(policy, response))

    async def _ask_and_keep(
        self, key: str, policy: CachePolicy, ask: Callable[[], Awaitable[Response]], started_milliseconds: int
    ) -> Response:
        response = await ask()
        narrowed = self._narrow(policy, response)
        if narrowed.max_age_seconds > 0 and narrowed.scope is policy.scope:
            await self._put(key, response.body, started_milliseconds, narrowed.max_age_seconds)
        return response

    async def note_write(self, viewer: str | None) -> None:
        """After a mutation: its viewer reads past everything kept before now, and a little longer."""
        if viewer is None:
            return
        settling = round(self._settings.settling_seconds * 1000)
        life = self._settings.max_age_seconds * 1000 + settling + 1
        try:
            await self._mark(keys=[self._viewer_key(viewer)], args=[settling, life])
        except RedisError as error:
            log.warning("cache_write_not_noted", reason=repr(error))

    def _narrow(self, policy: CachePolicy, response: Response) -> CachePolicy:
        # `errors` stand first in a body; those that shaping the answer found are only there
        if (
            response.answer_headers
            or response.has_errors
            or response.status != 200
            or response.body.startswith(b'{"errors"')
        ):
            return NOT_CACHED
        for cache_control in response.cache_controls:
            policy = policy.narrowed_by(cache_control)
        return policy

    async def _get(self, key: str, viewer: str | None) -> tuple[tuple[bytes, int] | None, int | None, bool]:
        """The body and its age in seconds, if there is one to use; Redis's time, None where it is down; whether the
        viewer's last write may still be on its way.
        """
        try:
            entry, mark, seconds, microseconds = await self._look_up(keys=[key, self._viewer_key(viewer or "")])
        except RedisError as error:
            log.warning("cache_not_read", reason=repr(error))
            return None, None, False
        now = int(seconds) * 1000 + int(microseconds) // 1000
        written = int(mark) if mark is not None else 0
        started = int(entry[:STAMP_LENGTH]) if entry is not None else 0
        if entry is None or started <= written:
            return None, now, now <= written
        return (entry[STAMP_LENGTH:], (now - started) // 1000), now, False

    async def _put(self, key: str, body: bytes, started_milliseconds: int, max_age_seconds: int) -> None:
        if len(body) > self._settings.max_bytes:
            return
        stamp = str(started_milliseconds).zfill(STAMP_LENGTH).encode()
        try:
            await self._redis.set(key, stamp + body, ex=max_age_seconds)
        except RedisError as error:
            log.warning("cache_not_written", reason=repr(error))

    def _viewer_key(self, viewer: str) -> str:
        return f"{self._settings.key_prefix}:wrote:{sha256(viewer.encode()).hexdigest()}"
