"""Whole answers kept in Redis for as long as `@cacheControl` allows, each only for those who may see it.

`server.front_door` wraps the pipeline in it. Doubt means no caching: errors, mutations, unknown viewers, no hint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha256
from typing import Any

import orjson
import structlog
from graphql import (
    DocumentNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
)
from graphql.type import is_composite_type
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router import telemetry
from router.access.directives import uses_of
from router.operation import Operation
from router.pipeline import Response
from router.selection_set import Field, SelectionSet
from router.settings import ResponseCache as ResponseCacheSettings
from router.supergraph import parse_sdl

log = structlog.get_logger(__name__)

MAX_REMEMBERED_POLICIES = 2_000


class Scope(Enum):
    PUBLIC = "public"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """How long an answer stays good, and for whom; `max_age_seconds` 0 is "do not keep"."""

    max_age_seconds: int
    scope: Scope = Scope.PUBLIC

    def narrowed_by(self, cache_control: str) -> CachePolicy:
        """With what a subgraph's own Cache-Control header adds; "" adds nothing."""
        policy = self
        for part in cache_control.lower().split(","):
            name, _, value = part.strip().partition("=")
            if name in ("no-store", "no-cache"):
                policy = replace(policy, max_age_seconds=0)
            elif name == "private":
                policy = replace(policy, scope=Scope.PRIVATE)
            elif name == "max-age":
                seconds = int(value) if value.isdigit() else 0
                policy = replace(policy, max_age_seconds=min(policy.max_age_seconds, seconds))
        return policy

    @property
    def header(self) -> str:
        if self.max_age_seconds <= 0:
            return "no-store"
        return f"max-age={self.max_age_seconds}, {self.scope.value}"


NOT_CACHED = CachePolicy(0)


@dataclass(frozen=True, slots=True)
class CacheHint:
    """One `@cacheControl`; None where it does not say."""

    max_age_seconds: int | None = None
    is_private: bool = False
    inherits: bool = False


class CacheHints:
    """The `@cacheControl` directives of one supergraph.

    As in every implementation of the directive: a root field or a field of composite type without a hint has the
    default age, a leaf has its parent's, and the answer has the least age and the strictest scope of all.

    One rule is stricter. A type's hint speaks for the subgraph that wrote it, which the supergraph does not tell: a
    field that another subgraph adds to the type is private unless it has a hint of its own.
    """

    def __init__(
        self,
        api_schema: GraphQLSchema,
        hints: Mapping[tuple[str, str | None], CacheHint],
        owners: Mapping[tuple[str, str | None], frozenset[str]] | None = None,
    ) -> None:
        self._schema = api_schema
        self._hints = hints
        self._owners = owners or {}
        self._policies: dict[tuple[Operation, int], CachePolicy] = {}

    @classmethod
    def from_sdl(cls, sdl: str, api_schema: GraphQLSchema) -> CacheHints:
        document = parse_sdl(sdl)
        hints: dict[tuple[str, str | None], CacheHint] = {}
        for use in uses_of(document, "cacheControl"):
            place = (use.type_name, use.field_name)
            age = use.arguments.get("maxAge")
            hint = CacheHint(
                int(age) if age is not None else None,
                use.arguments.get("scope") == "PRIVATE",
                bool(use.arguments.get("inheritMaxAge")),
            )
            hints[place] = _stricter(hints[place], hint) if place in hints else hint
        return cls(api_schema, hints, _owners_in(document))

    def policy_of(self, operation: Operation, default_max_age_seconds: int) -> CachePolicy:
        if operation.operation_type != "query" or not self._hints or self._schema.query_type is None:
            return NOT_CACHED
        key = (operation, default_max_age_seconds)
        policy = self._policies.get(key)
        if policy is None:
            if len(self._policies) >= MAX_REMEMBERED_POLICIES:
                self._policies.clear()
            policy = self._least(
                operation.selections, self._schema.query_type.name, None, None, default_max_age_seconds
            )
            self._policies[key] = policy or NOT_CACHED
        return self._policies[key]

    def _least(
        self,
        selections: SelectionSet,
        type_name: str,
        parent_age: int | None,
        parent_owners: frozenset[str] | None,
        default: int,
    ) -> CachePolicy | None:
        """None where nothing is selected that has an age, such as `__typename` alone."""
        least: CachePolicy | None = None
        for item in selections.items:
            if not isinstance(item, Field):
                condition = item.type_condition or type_name
                found = self._least(item.selections, condition, parent_age, parent_owners, default)
            elif item.name.startswith("__"):
                continue
            else:
                found = self._field(item, type_name, parent_age, parent_owners, default)
            least = _least_of(least, found)
        return least

    def _field(
        self,
        field: Field,
        type_name: str,
        parent_age: int | None,
        parent_owners: frozenset[str] | None,
        default: int,
    ) -> CachePolicy | None:
        result_type = self._type_of(type_name, field.name)
        is_leaf = field.selections is None
        age: int | None = None
        says_age = inherits = False
        owners = self._owners_of(type_name, field.name)
        has_own_hint = (type_name, field.name) in self._hints
        is_private = not has_own_hint and parent_owners is not None and owners.isdisjoint(parent_owners)
        for place in self._places(type_name, field.name, result_type):
            hint = self._hints.get(place)
            if hint is None:
                continue
            is_private = is_private or hint.is_private
            inherits = inherits or hint.inherits
            # the field's own age wins over its type's; among the possible types the least counts
            if hint.max_age_seconds is not None and not (says_age and place[1] is None):
                age = hint.max_age_seconds if age is None else min(age, hint.max_age_seconds)
                says_age = says_age or place[1] is not None
        if age is None:
            age = parent_age if parent_age is not None and (is_leaf or inherits) else default
        policy = CachePolicy(age, Scope.PRIVATE if is_private else Scope.PUBLIC)
        if field.selections is None:
            return policy
        return _least_of(policy, self._least(field.selections, result_type, age, owners, default))

    def _owners_of(self, type_name: str, field_name: str) -> frozenset[str]:
        """The subgraphs that resolve the field; unknown in a schema without join directives, as if all did."""
        return self._owners.get((type_name, field_name), self._owners.get((type_name, None), frozenset({""})))

    def _places(self, type_name: str, field_name: str, result_type: str) -> list[tuple[str, str | None]]:
        """Fields first, then the types of the result, with every type that can stand for an abstract one."""
        fields = [(name, field_name) for name in (type_name, *self._possible(type_name))]
        return [*fields, *((name, None) for name in (result_type, *self._possible(result_type)))]

    def _type_of(self, type_name: str, field_name: str) -> str:
        type_ = self._schema.type_map[type_name]
        assert isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType))
        return str(get_named_type(type_.fields[field_name].type).name)

    def _possible(self, type_name: str) -> list[str]:
        type_ = self._schema.type_map[type_name]
        if is_composite_type(type_) and is_abstract_type(type_):
            return [each.name for each in self._schema.get_possible_types(type_)]
        return []


def _owners_in(document: DocumentNode) -> dict[tuple[str, str | None], frozenset[str]]:
    """The graphs of each type, and of each field that not all of them resolve."""
    owners: dict[tuple[str, str | None], frozenset[str]] = {}
    for name, is_resolved in (("join__type", lambda _: True), ("join__field", _is_resolved)):
        for use in uses_of(document, name):
            if "graph" in use.arguments and is_resolved(use.arguments):
                place = (use.type_name, use.field_name)
                owners[place] = owners.get(place, frozenset()) | {use.arguments["graph"]}
    return owners


def _is_resolved(arguments: dict[str, Any]) -> bool:
    is_overridden = arguments.get("usedOverridden") and not arguments.get("overrideLabel")
    return not arguments.get("external") and not is_overridden


def _least_of(one: CachePolicy | None, other: CachePolicy | None) -> CachePolicy | None:
    if one is None or other is None:
        return one or other
    scope = Scope.PRIVATE if Scope.PRIVATE in (one.scope, other.scope) else Scope.PUBLIC
    return CachePolicy(min(one.max_age_seconds, other.max_age_seconds), scope)


def _stricter(one: CacheHint, other: CacheHint) -> CacheHint:
    ages = [each.max_age_seconds for each in (one, other) if each.max_age_seconds is not None]
    return CacheHint(min(ages, default=None), one.is_private or other.is_private, one.inherits and other.inherits)


@dataclass(frozen=True, slots=True)
class CacheQuestion:
    """All that an answer depends on. `viewer` is the verified subject, None where nobody is known."""

    graph_digest: str
    document: str
    operation_name: str | None
    variables: Mapping[str, Any]
    viewer: str | None
    varying: tuple[tuple[str, str], ...]  # forwarded headers that a subgraph may read, and what authorization allowed

    def key(self, prefix: str, scope: Scope) -> str:
        parts = [
            self.graph_digest,
            self.document,
            self.operation_name,
            self.variables,
            self.viewer if scope is Scope.PRIVATE else None,
            scope.value,
            self.varying,
        ]
        return f"{prefix}:answer:{sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()}"


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
        self._under_way: dict[str, asyncio.Future[Response]] = {}

    def policy_of(self, hints: CacheHints, operation: Operation) -> CachePolicy:
        policy = hints.policy_of(operation, self._settings.default_max_age_seconds)
        return replace(policy, max_age_seconds=min(policy.max_age_seconds, self._settings.max_age_seconds))

    async def answer(
        self, question: CacheQuestion, policy: CachePolicy, ask: Callable[[], Awaitable[Response]]
    ) -> tuple[Response, CachePolicy]:
        """The kept answer, or the one `ask` gives; with the policy that holds for the client's Cache-Control."""
        if policy.max_age_seconds <= 0 or (policy.scope is Scope.PRIVATE and question.viewer is None):
            telemetry.CACHE_GETS.labels("response", "bypass").inc()
            return await ask(), NOT_CACHED
        key = question.key(self._settings.key_prefix, policy.scope)
        found, now_milliseconds, is_settling = await self._get(key, question.viewer)
        if found is not None:
            telemetry.CACHE_GETS.labels("response", "hit").inc()
            body, age_seconds = found
            return Response(200, body), replace(policy, max_age_seconds=max(1, policy.max_age_seconds - age_seconds))
        telemetry.CACHE_GETS.labels("response", "miss").inc()
        # the viewer is part of the flight's name also for public answers: they may have just written, others not
        flight = f"{key}:{question.viewer}"
        if now_milliseconds is None or is_settling:
            response = await ask()  # a flight under way may have begun before the viewer's write
        elif flight in self._under_way:
            response = await asyncio.shield(self._under_way[flight])
        else:
            response = await self._lead(flight, ask)
            narrowed = self._narrow(policy, response)
            if narrowed.max_age_seconds > 0 and narrowed.scope is policy.scope:
                await self._put(key, response.body, now_milliseconds, narrowed.max_age_seconds)
        return response, self._narrow(policy, response)

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

    async def _lead(self, flight: str, ask: Callable[[], Awaitable[Response]]) -> Response:
        # a task of its own: a client that goes away must not take the answer from those who wait for the same
        task = asyncio.ensure_future(ask())
        self._under_way[flight] = task
        task.add_done_callback(lambda _: self._under_way.pop(flight, None))
        return await asyncio.shield(task)

    def _narrow(self, policy: CachePolicy, response: Response) -> CachePolicy:
        # `errors` stand first in a body; those that shaping the answer found are only there
        if response.has_errors or response.status != 200 or response.body.startswith(b'{"errors"'):
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
