"""The cache as one graph uses it: rules by fetch, work under way, and what an answer from it looks like."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from weakref import WeakKeyDictionary

from router.cache_policy import NOT_CACHED, CacheHints, CachePolicy
from router.entity_cache.store import EntityStore, Entry, Found
from router.entity_cache.tags import EntityTags
from router.executor.fetch import CompiledLookup, EntityFetchStep, RootFetch
from router.executor.subgraph_query import print_selections
from router.single_flight import SingleFlight
from router.supergraph import Supergraph
from router.transport.protocol import SubgraphAnswer
from router.weak_key import WeakKey

ROOT = "Query"
#: A look-up that was answered before an entry was written may be read so long after it.
LANDING_SECONDS = 0.1


class EntityCache:
    """The cache as one graph uses it: its rules by fetch, and the flights under way in this process."""

    def __init__(self, store: EntityStore, hints: CacheHints, supergraph: Supergraph) -> None:
        self.store = store
        self.tags = EntityTags(supergraph)
        #: both by key and by how many marks there were: what was begun before a change is for nobody who asks after it
        self.flights: SingleFlight[tuple[str, int], bytes | None] = SingleFlight()
        self.landing: dict[tuple[str, int], bytes] = {}
        self._hints = hints
        self._lookups: WeakKeyDictionary[WeakKey, LookupRule] = WeakKeyDictionary()
        self._roots: WeakKeyDictionary[WeakKey, RootRule] = WeakKeyDictionary()
        self._background: set[asyncio.Task[None]] = set()

    def rule_of(self, step: EntityFetchStep, lookup: CompiledLookup) -> LookupRule:
        rule = self._lookups.get(lookup.key)
        if rule is None:
            default_age = self.store.settings.default_age_of(step.subgraph)
            rule = self._lookups[lookup.key] = LookupRule(step, lookup, default_age)
        return rule

    def policy_of(self, rule: LookupRule, lookup: CompiledLookup, type_name: str) -> CachePolicy:
        policy = rule.policies.get(type_name)
        if policy is None:
            policy = NOT_CACHED
            if rule.default_age is not None:
                policy = self._bounded(self._hints.policy_of_entity(type_name, lookup.selections, rule.default_age))
            rule.policies[type_name] = policy
        return policy

    def root_rule_of(self, fetch: RootFetch) -> RootRule:
        rule = self._roots.get(fetch.key)
        if rule is None:
            default = self.store.settings.default_age_of(fetch.subgraph)
            policy = NOT_CACHED if default is None else self._hints.policy_of_root(fetch.selections, default)
            rule = self._roots[fetch.key] = RootRule(self._bounded(policy), sha256(fetch.query.encode()).hexdigest())
        return rule

    def _bounded(self, policy: CachePolicy) -> CachePolicy:
        return CachePolicy(min(policy.max_age_seconds, self.store.settings.max_age_seconds), policy.scope)

    def keep(self, entries: list[Entry], found: Found) -> None:
        """Nobody waits for it: whoever looked up in vain meanwhile finds the bodies in `landing`."""
        if not entries:
            return
        bodies = {(key, found.marks): body for key, body, _, _ in entries}
        self.landing.update(bodies)
        task = asyncio.ensure_future(self.store.keep(entries, found.now_milliseconds))
        self._background.add(task)
        task.add_done_callback(lambda _: task.get_loop().call_later(LANDING_SECONDS, self._forget, task, bodies))

    def _forget(self, task: asyncio.Task[None], bodies: dict[tuple[str, int], bytes]) -> None:
        self._background.discard(task)
        for key in bodies:
            self.landing.pop(key, None)


@dataclass(frozen=True, slots=True)
class RootRule:
    policy: CachePolicy
    digest: str  # of the query's text


class LookupRule:
    """What its entries' keys begin with, and its policies by the type that a representation names.

    `default_age` is for what has no hint of its own; None where nothing of the subgraph is kept.
    """

    def __init__(self, step: EntityFetchStep, lookup: CompiledLookup, default_age: int | None) -> None:
        self.default_age = default_age
        self.digest = sha256(f"{step.subgraph} {print_selections(lookup.selections)}".encode()).hexdigest()
        self.policies: dict[str, CachePolicy] = {}


def time_left(policy: CachePolicy, age_seconds: float) -> CachePolicy:
    return CachePolicy(max(1, policy.max_age_seconds - int(age_seconds)), policy.scope)


def narrowed(policy: CachePolicy, answer: SubgraphAnswer) -> CachePolicy | None:
    """With what the subgraph's own Cache-Control adds; None where the answer is not to be kept under the policy's key."""
    if answer.headers or answer.status != 200:
        return None
    narrowed = policy.narrowed_by(answer.cache_control)
    return narrowed if narrowed.max_age_seconds > 0 and narrowed.scope is policy.scope else None


def answer_of(
    parts: list[bytes], policies: list[CachePolicy], answers: Sequence[SubgraphAnswer] = ()
) -> SubgraphAnswer:
    """As a subgraph would have given it. Its Cache-Control is what that of all parts allows; a subgraph that was asked and
    said nothing beside parts that are kept allows nothing.
    """
    told = [answer.cache_control for answer in answers]
    headers = tuple(each for answer in answers for each in answer.headers)
    control = (
        "no-store"
        if "" in told and policies
        else ", ".join([*told, *(policy.header for policy in dict.fromkeys(policies))])
    )
    return SubgraphAnswer(200, b"{%b}" % b",".join(parts), cache_control=control, headers=headers)
