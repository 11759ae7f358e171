"""Query plans that all routers of one graph share through Redis: those that took long to make, and no others.

`loaded_graph` asks before it gives an operation to a planning process, and stores what came of it. A plan is found by what it
depends on: the supergraph, the operation as the planner sees it, the labels of overrides, and the planner's own source. It is
written as plain data of a few known kinds, never as a pickle: whoever can write to Redis cannot make a router run anything.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from router import planner, query_graph, query_plan, selection_set, supergraph
from router.background import in_background
from router.operation import Operation
from router.query_plan import (
    ConditionNode,
    ContextVariable,
    EntityFetch,
    EntityLookup,
    Fetch,
    KeyRename,
    Parallel,
    QueryPlan,
    RepresentationRule,
    Sequence,
    Subscription,
)
from router.selection_set import Argument, Condition, Deferral, Field, InlineFragment, SelectionSet, Streaming
from router.settings import SharedPlans as SharedPlansSettings
from router.telemetry import SHARED_PLANS

log = structlog.get_logger(__name__)

#: What plans are made of. A place in this list is a kind's number in what is stored; the source digest tells other lists apart.
_KINDS: tuple[type, ...] = (
    QueryPlan, Fetch, EntityFetch, EntityLookup, RepresentationRule, KeyRename, ContextVariable,
    Sequence, Parallel, ConditionNode, Subscription,
    SelectionSet, Field, InlineFragment, Argument, Condition, Streaming, Deferral,
)  # fmt: skip
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}
_NAMES = {kind: tuple(each.name for each in fields(kind)) for kind in _KINDS}
_TUPLE, _SET = -1, -2
_SCALARS = (str, int, bool, type(None))


class SharedPlans:
    """Of one router process, for all its graphs."""

    def __init__(self, settings: SharedPlansSettings, redis: Redis) -> None:
        self._settings = settings
        self._redis = redis

    async def find(self, supergraph_digest: bytes, operation: Operation, labels: frozenset[str]) -> QueryPlan | None:
        """None also where Redis does not answer, or what it has is no plan."""
        try:
            key = await in_background(self._key, supergraph_digest, operation, labels)
            stored = await cast("Awaitable[bytes | None]", self._redis.get(key))
            plan = None if stored is None else await in_background(decoded, stored)
        except (RedisError, OSError, ValueError, RecursionError) as error:
            log.warning("shared_plan_not_read", reason=repr(error)[:200])
            SHARED_PLANS.labels("failed").inc()
            return None
        SHARED_PLANS.labels("miss" if plan is None else "hit").inc()
        return plan

    async def keep(
        self, supergraph_digest: bytes, operation: Operation, labels: frozenset[str], plan: QueryPlan
    ) -> None:
        """Nothing happens where Redis does not answer, or the plan is too large."""
        try:
            key = await in_background(self._key, supergraph_digest, operation, labels)
            stored = await in_background(encoded, plan)
            if len(stored) <= self._settings.max_bytes:
                await self._redis.set(key, stored, ex=self._settings.ttl_seconds)
                SHARED_PLANS.labels("stored").inc()
        except (RedisError, OSError, RecursionError) as error:
            log.warning("shared_plan_not_kept", reason=repr(error)[:200])
            SHARED_PLANS.labels("failed").inc()

    def _key(self, supergraph_digest: bytes, operation: Operation, labels: frozenset[str]) -> str:
        """Of what `Operation` compares by: name and values of literals make no other plan."""
        variables = [(each.name, each.type, each.default, each.directives) for each in operation.variables]
        directives = [(_plain(each.applied), sorted(each.operation_types)) for each in operation.directives]
        asked = (operation.operation_type, _plain(operation.selections), variables, directives, sorted(labels))
        digest = sha256(source_digest() + supergraph_digest + msgspec.msgpack.encode(asked)).hexdigest()
        return f"{self._settings.key_prefix}:plan:{digest}"


@functools.cache
def source_digest() -> bytes:
    """Of the code that plans are made by: another version of the router may plan otherwise."""
    modules = (planner, query_graph, supergraph, query_plan, selection_set)
    files = [Path(module.__file__) for module in modules if module.__file__ is not None]
    folders = [file.parent.rglob("*.py") if file.name == "__init__.py" else (file,) for file in files]
    found = sha256()
    for file in sorted(file for folder in folders for file in folder):
        found.update(file.read_bytes())
    return found.digest()


def encoded(plan: QueryPlan) -> bytes:
    """Raises RecursionError for one that is nested too deeply."""
    return msgspec.msgpack.encode(_plain(plan))


def decoded(stored: bytes) -> QueryPlan:
    """Raises ValueError for what is no plan, and RecursionError."""
    plan = _built(msgspec.msgpack.decode(stored))
    if not isinstance(plan, QueryPlan):
        raise ValueError("it is no plan")  # noqa: TRY004 - of what is stored, not of what the caller gave
    return plan


def _plain(value: Any) -> Any:
    """Lists that begin with the number of their kind, and scalars."""
    number = _NUMBERS.get(value.__class__)
    if number is not None:
        return [number, *(_plain(getattr(value, name)) for name in _NAMES[value.__class__])]
    if isinstance(value, tuple):
        return [_TUPLE, *map(_plain, value)]
    if isinstance(value, frozenset):
        return [_SET, *sorted(value)]
    assert isinstance(value, _SCALARS), value
    return value


def _built(value: Any) -> Any:
    """Raises ValueError."""
    if not isinstance(value, list):
        if isinstance(value, _SCALARS):
            return value
        raise ValueError("it has a value of no kind")
    number, *parts = value or (None,)
    if number == _TUPLE:
        return tuple(map(_built, parts))
    if number == _SET:
        if not all(isinstance(each, str) for each in parts):
            raise ValueError("it has a set of something else than names")
        return frozenset(parts)
    if not isinstance(number, int) or not 0 <= number < len(_KINDS) or len(parts) != len(_NAMES[_KINDS[number]]):
        raise ValueError("it has an object of no kind")
    return _KINDS[number](*map(_built, parts))
