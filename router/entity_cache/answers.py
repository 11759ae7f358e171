"""Answers made of kept entities and of what the subgraph is still asked for.

`prepared_request` gives each query's execution a `KeptForRequest`; `executor.fetch` asks it before it sends. What comes of
it is an answer as the subgraph would have given it: the executor does not know whether it was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import orjson

from router.access.caller import Caller
from router.cache_policy import CachePolicy, Scope
from router.entity_cache.cache import ROOT, EntityCache, RootRule, answer_of, narrowed, time_left
from router.entity_cache.entity_request import EntityRequest, Slot
from router.entity_cache.tags import UnknownEntityError
from router.errors import SubgraphError
from router.exact_json import dumps
from router.executor.fetch import EntityFetchStep, Execution, RootFetch, decode_answer
from router.executor.representations import Collected
from router.telemetry import ENTITY_CACHE_GETS
from router.transport.pending_answer import look_at_error
from router.transport.protocol import NOT_VARYING, Headers, SubgraphAnswer

Tree = dict[str, Any]


class KeptForRequest:
    """The cache as one request may use it: by its caller, and the headers that subgraphs may read."""

    def __init__(self, cache: EntityCache, caller: Caller, headers: Headers) -> None:
        self._cache = cache
        self._caller = caller
        self._viewer = caller.identity
        varying = tuple(each for each in headers if each[0] not in NOT_VARYING)
        self._varying = dumps(varying) if varying else b""

    # ---- root fields

    def of_root(self, fetch: RootFetch, execution: Execution) -> asyncio.Future[SubgraphAnswer] | None:
        rule = self._cache.root_rule_of(fetch)
        if not self._may_keep(rule.policy):
            return None
        return _task(self._root(fetch, rule, execution))

    async def _root(self, fetch: RootFetch, rule: RootRule, execution: Execution) -> SubgraphAnswer:
        request = fetch.request(execution)
        key = self._key("root", rule.policy, rule.digest.encode(), request.body)
        found = await self._cache.store.look_up(self._viewer, [key])
        if found is None:
            ENTITY_CACHE_GETS.labels(fetch.subgraph, ROOT, "bypass").inc()
            return await execution.transport.send(request)
        if (kept := found.bodies[0]) is not None:
            ENTITY_CACHE_GETS.labels(fetch.subgraph, ROOT, "hit").inc()
            if execution.note_kept is not None:
                execution.note_kept(fetch.subgraph, ROOT, 1)
            return answer_of([b'"data":' + kept[0]], [time_left(rule.policy, kept[1])])
        ENTITY_CACHE_GETS.labels(fetch.subgraph, ROOT, "miss").inc()
        answer = await execution.transport.send(replace(request, epoch=found.marks))
        policy = narrowed(rule.policy, answer)
        if policy is None:
            return answer
        try:
            payload = decode_answer(fetch.subgraph, answer)
            if isinstance(payload.get("data"), dict) and "errors" not in payload:
                tags = self._cache.tags.of_root(fetch.subgraph, fetch.selections, payload["data"])
                entry = (key, dumps(payload["data"]), tags, policy.max_age_seconds)
                self._cache.keep([entry], found)
        except (SubgraphError, UnknownEntityError, RecursionError, orjson.JSONEncodeError):
            pass  # the executor tells what is wrong with it; what cannot be tagged is not kept
        return answer

    # ---- entities

    def of_entities(
        self, step: EntityFetchStep, execution: Execution, collected: list[Collected], variables: Tree
    ) -> asyncio.Future[SubgraphAnswer] | None:
        slots = self._slots(step, collected, variables)
        if not slots or len(slots) > self._cache.store.settings.max_entities:
            return None
        return _task(EntityRequest(self._cache, step, execution, collected, variables, slots).answer(self._viewer))

    def _slots(self, step: EntityFetchStep, collected: list[Collected], variables: Tree) -> list[Slot]:
        slots: list[Slot] = []
        used: bytes | None = None
        for number, (lookup, each) in enumerate(zip(step.lookups, collected, strict=True)):
            rule = self._cache.rule_of(step, lookup)
            if rule.default_age is None:
                continue
            for index, representation in enumerate(each.representations):
                type_name = str(representation.get("__typename"))
                policy = self._cache.policy_of(rule, lookup, type_name)
                if not self._may_keep(policy):
                    continue
                if used is None:
                    used = dumps({name: variables[name] for name in step.variable_names if name in variables})
                identity = dumps(representation, orjson.OPT_SORT_KEYS)
                key = self._key("entity", policy, rule.digest.encode(), identity, used)
                slots.append(Slot(number, index, key, type_name, policy))
        return slots

    def _may_keep(self, policy: CachePolicy) -> bool:
        return policy.max_age_seconds > 0 and (policy.scope is Scope.PUBLIC or self._viewer is not None)

    @cached_property
    def _private_to(self) -> bytes:
        return (self._caller.private_to or "").encode()

    def _key(self, kind: str, policy: CachePolicy, *parts: bytes) -> str:
        private_to = self._private_to if policy.scope is Scope.PRIVATE else b""
        digest = sha256()
        for part in (policy.scope.value.encode(), private_to, self._varying, *parts):
            digest.update(b"%d:" % len(part) + part)
        return f"{kind}:{digest.hexdigest()}"


def _task(work: Coroutine[Any, Any, SubgraphAnswer]) -> asyncio.Future[SubgraphAnswer]:
    task = asyncio.ensure_future(work)
    task.add_done_callback(look_at_error)
    return task
