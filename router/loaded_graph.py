"""All that derives from one supergraph: API schema, planner, and the caches of prepared operations and plans.

`server` makes one from SDL and swaps it as one object on reload; requests under way finish on the graph they began on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

from graphql import (
    DocumentNode,
    GraphQLSchema,
)

from router.alike_texts import AlikeTexts
from router.background import in_background
from router.bounded_cache import BoundedCache
from router.errors import LimitExceededError, PlanningFailedError, PlanningTimeoutError, RequestError
from router.executor.execute import CompiledPlan, compile_plan
from router.executor.subgraph_errors import ALL_THEY_SAY, Disclosure
from router.introspection import (
    Introspection,
    IntrospectionAnswer,
    IntrospectionQuestion,
    KeptIntrospections,
    answer_introspection,
)
from router.operation import (
    DEFAULT_LIMITS,
    DocumentLimits,
    Operation,
    parse_document,
)
from router.operation.document import check_limits, with_incremental_directives
from router.operation.text_form import TextForm
from router.planner import OverrideLabels, PlanningOverrunError, QueryPlanner
from router.planning_pool import Asker, NamesAsker, PlanningPool, Spent, nobody
from router.planning_process import PlanJob, PrepareJob
from router.prepared_operation import PlanKey, PreparedKey, PreparedOperation, Weighing
from router.query_plan import QueryPlan
from router.shared_plans import SharedPlans
from router.supergraph import Supergraph, check_served, read_supergraph

Derived = TypeVar("Derived")

MAX_SHORTCUTS = 16
#: What may be parsed, validated and planned on the event loop: some 10 ms of work. More goes to another process.
MAX_INLINE_CHARACTERS = 16_000
MAX_INLINE_TOKENS = 1_000
MAX_INLINE_FIELDS = 150
#: A plan, or an introspection, that turns out to take more CPU time is given up and made in another process.
MAX_INLINE_SECONDS = 0.015

#: A caller whose new operations took more of the event loop lately has them made in another process too.
MAX_INLINE_SECONDS_EACH = 4.0
MAX_REFUSALS = 1_000
MAX_REFUSAL_BYTES = 8 * 1024 * 1024
MAX_INTROSPECTIONS = 64
MAX_INTROSPECTION_BYTES = 32 * 1024 * 1024

#: Pure and CPU-bound; the labels are the active ones of `@override(label:)`. May raise PlanningOverrunError.
PlanFunction = Callable[[Operation, frozenset[str]], QueryPlan]


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """How a graph is used; the same for every graph of a router."""

    limits: DocumentLimits = DEFAULT_LIMITS
    max_prepared_operations: int = 2_000
    max_plans: int = 2_000
    max_cache_bytes: int = 128 * 1024 * 1024  # of prepared operations, and as much of plans
    planning_processes: int = 2
    hide_suggestions: bool = False
    introspection: bool = True
    planning_timeout_seconds: float = 10.0
    subgraph_urls: Mapping[str, str] = field(default_factory=dict)  # over those in the supergraph
    disclosure: Disclosure = ALL_THEY_SAY
    shared_plans: SharedPlans | None = None


class LoadedGraph:
    """One supergraph, ready to answer operations."""

    def __init__(
        self,
        api_schema: GraphQLSchema,
        subgraph_urls: Mapping[str, str],
        plan: PlanFunction,
        options: GraphOptions | None = None,
        *,
        override_labels: frozenset[str] = frozenset(),
        supergraph: Supergraph | None = None,
        planner: QueryPlanner | None = None,
    ) -> None:
        self.api_schema = api_schema
        self.options = options or GraphOptions()
        self.subgraph_urls = {**subgraph_urls, **self.options.subgraph_urls}
        self.override_labels = override_labels
        #: `percent(25)` is active for a quarter of all requests; what other labels mean is the server's to say
        self.percent_labels = {label: share for label in override_labels if (share := _percent_of(label)) is not None}
        self.custom_labels = override_labels - self.percent_labels.keys()
        self.supergraph = supergraph
        self.planner = planner
        self._labels = OverrideLabels(supergraph) if supergraph is not None else None
        self._plan = plan
        self._supergraph_sdl = supergraph.sdl if supergraph is not None else None
        self._digest = sha256((self._supergraph_sdl or "").encode()).digest()
        self._planning: PlanningPool | None = None
        self._spent = Spent()
        limits = self.options.limits
        self._inline_limits = replace(limits, tokens=min(limits.tokens, MAX_INLINE_TOKENS))
        self._alike = AlikeTexts(self._inline_limits.tokens)
        shortcuts = min(MAX_SHORTCUTS, 2 ** len(override_labels))
        self._prepared: BoundedCache[PreparedKey, PreparedOperation] = BoundedCache(
            self.options.max_prepared_operations,
            max_bytes=self.options.max_cache_bytes,
            weigh=lambda key, prepared: sys.getsizeof(key[0]) + prepared.bytes(shortcuts),
        )
        self._plans: BoundedCache[PlanKey, CompiledPlan] = BoundedCache(
            self.options.max_plans,
            max_bytes=self.options.max_cache_bytes,
            weigh=lambda key, _: key.bytes,
        )
        #: long texts that cannot be run, and why
        self._refused: BoundedCache[PreparedKey, RequestError] = BoundedCache(
            MAX_REFUSALS,
            max_bytes=MAX_REFUSAL_BYTES,
            weigh=lambda key, error: sys.getsizeof(key[0]) + len(repr(error.entries())),
        )
        self._introspections = KeptIntrospections(MAX_INTROSPECTIONS, MAX_INTROSPECTION_BYTES)
        self._derived: dict[object, Any] = {}

    @classmethod
    def from_sdl(cls, supergraph_sdl: str, options: GraphOptions | None = None) -> LoadedGraph:
        """Raises what `read_supergraph` and `check_served` of `router.supergraph` raise: it is no supergraph, or none for us."""
        supergraph = read_supergraph(supergraph_sdl)
        check_served(has_connectors=supergraph.has_connectors)
        planner = QueryPlanner(supergraph)
        planner.graph()  # these are built here and not by the first request
        with_incremental_directives(supergraph.api_schema)
        return cls(
            supergraph.api_schema,
            supergraph.subgraphs,
            partial(planner.plan, max_seconds=MAX_INLINE_SECONDS),
            options,
            override_labels=frozenset(supergraph.override_labels),
            supergraph=supergraph,
            planner=planner,
        )

    def retire(self) -> None:
        """For a graph that is no longer served; requests under way still finish."""
        if self._planning is not None:
            self._planning.retire()

    def close(self) -> None:
        """Frees what it holds; requests under way fail."""
        if self._planning is not None:
            self._planning.close()

    def derived(self, kind: Callable[[LoadedGraph], Derived]) -> Derived:
        """What a room above this one keeps for each graph; `kind` is its class, and makes it when it is first asked for.

        It must not refer to the graph: a graph that was replaced would then wait for a full collection.
        """
        found: Derived | None = self._derived.get(kind)
        if found is None:
            found = self._derived[kind] = kind(self)
        return found

    @property
    def caches(self) -> dict[str, BoundedCache[Any, Any]]:
        """By the name that metrics give them."""
        return {"operation": self._prepared, "plan": self._plans}

    def known_operations(self) -> list[tuple[str, str | None]]:
        """Text and operation name of what is prepared, from the least to the most recently used."""
        return [(text, name) for text, name, keeps_pieces in self._prepared.keys() if not keeps_pieces]  # noqa: SIM118

    async def prepare(
        self,
        text: str,
        operation_name: str | None,
        *,
        keep_incremental: bool = False,
        may_share: bool = False,
        asker: NamesAsker = nobody,
    ) -> PreparedOperation:
        """Raises RequestError for a document that cannot be run. `asker` is whom the work is done for. With `may_share` a
        text that is new may get what was prepared for others that are alike; it then has `names`.
        """
        key = (text, operation_name, keep_incremental)
        known = self._prepared.get(key)
        if known is not None:
            return known
        form = self._alike.form_of(text, operation_name) if may_share and not keep_incremental else None
        if form is not None:
            is_prepared = self.has_prepared(form.text, operation_name)  # by the warm-up, too
            if self._alike.serves(form, text, operation_name, is_prepared=is_prepared):
                shared = await self._prepare_form(form, key, asker)
                if shared is not None:
                    return shared
        prepared = self._prepared.compute_at_once(
            key, lambda: self._prepare_at_once(key, asker())
        ) or await self._prepared.get_or_compute(key, lambda: self._prepare_aside(key, asker()))
        if form is not None and prepared.can_be_shared:
            self._alike.note(form, operation_name)
        return prepared

    async def _prepare_form(self, form: TextForm, key: PreparedKey, asker: NamesAsker) -> PreparedOperation | None:
        """What serves all texts of the form, for the one in `key`. None where the form cannot be run, or has no place for
        the text's literals: what is wrong is then told of the text itself.
        """
        try:
            prepared = await self.prepare(form.text, key[1], asker=asker)
        except RequestError:
            return None
        if not prepared.can_be_shared:
            return None
        slots = prepared.slots(form.literals)
        if not slots.are_complete:
            self._alike.keep_literals(form, key[1])
            return None
        values = slots.values(form.literals)
        if values is None:
            return None
        made = prepared.for_text(form.names, values)
        if not form.names:
            self._prepared.put(key, made)  # it has the form's response keys, so it can have its plans for good
        return made

    async def plan(
        self,
        prepared: PreparedOperation,
        allowed: Operation,
        override_labels: frozenset[str] = frozenset(),
        asker: NamesAsker = nobody,
    ) -> CompiledPlan:
        """`allowed` is `prepared.plannable`, or what authorization left of it. Raises RequestError."""
        is_whole = allowed is prepared.plannable
        if is_whole and (known := prepared.plans.get(override_labels)) is not None:
            self._plans.hits += 1
            return known
        # planned with all active labels, which the planner has a graph for; the plan is the same with only these
        key = PlanKey(allowed, prepared.operation, self.deciding(allowed, override_labels))
        is_long = prepared.is_long if is_whole else self._is_long(allowed)
        compiled = (
            self._plans.get(key)
            or self._plans.compute_at_once(
                key,
                lambda: self._compile_at_once(allowed, prepared.operation, override_labels, asker(), is_long=is_long),
            )
            or await self._plans.get_or_compute(
                key, lambda: self._compile_aside(allowed, prepared.operation, override_labels, asker())
            )
        )
        if is_whole and len(prepared.plans) < MAX_SHORTCUTS:
            prepared.plans[override_labels] = compiled
        return compiled

    def deciding(self, operation: Operation, override_labels: frozenset[str]) -> frozenset[str]:
        """Those of the labels that can change the operation's plan."""
        if not override_labels:
            return override_labels
        return override_labels & self._labels.deciding(operation) if self._labels is not None else override_labels

    def has_prepared(self, text: str, operation_name: str | None, *, keep_incremental: bool = False) -> bool:
        """Whether `prepare` would find it done."""
        return (text, operation_name, keep_incremental) in self._prepared

    def has_planned(
        self, prepared: PreparedOperation, allowed: Operation, override_labels: frozenset[str] = frozenset()
    ) -> bool:
        """Whether `plan` would find it done."""
        if allowed is prepared.plannable and override_labels in prepared.plans:
            return True
        return PlanKey(allowed, prepared.operation, self.deciding(allowed, override_labels)) in self._plans

    async def introspect(
        self, introspection: Introspection, variables: Mapping[str, Any], asker: NamesAsker = nobody
    ) -> IntrospectionAnswer:
        """Raises RequestError where it takes too long."""
        question = introspection.question(variables)
        return await self._introspections.answer(question, lambda question: self._introspect(question, asker()))

    def _prepare_at_once(self, key: PreparedKey, asker: Asker) -> PreparedOperation | None:
        """None where it would hold up the event loop."""
        if self._has_had_its_share(asker):
            return None
        began = time.perf_counter()
        try:
            document = self._parsed_inline(key[0])
            if document is None and self._supergraph_sdl is not None:
                return None
            operation = self._prepare_job(key).run(self.api_schema, document)
            return PreparedOperation(operation, self.api_schema, self.options.limits)
        finally:
            self._spent.add(asker, time.perf_counter() - began)

    async def _prepare_aside(self, key: PreparedKey, asker: Asker) -> PreparedOperation:
        if (known := self._refused.get(key)) is not None:
            raise known.with_traceback(None)
        job = self._prepare_job(key)
        async with self._planning_pool().turn(job, asker) as process:
            try:
                operation = await process.prepare(job)
            except (PlanningFailedError, PlanningTimeoutError):
                raise
            except RequestError as error:
                self._refused.put(key, error)
                raise
            return await in_background(PreparedOperation, operation, self.api_schema, self.options.limits)

    def _has_had_its_share(self, asker: Asker) -> bool:
        """Of the event loop, lately: what it asks anew must not keep others from what they ask."""
        return (
            asker is not None and self._supergraph_sdl is not None and self._spent.of(asker) > MAX_INLINE_SECONDS_EACH
        )

    def _prepare_job(self, key: PreparedKey) -> PrepareJob:
        options = self.options
        return PrepareJob(*key, options.limits, options.hide_suggestions, options.introspection)

    def _parsed_inline(self, text: str) -> DocumentNode | None:
        """The document, checked against the limits; None where the text, or what it stands for, is long."""
        limits = self.options.limits
        if len(text) > MAX_INLINE_CHARACTERS:
            return None
        try:
            document = parse_document(text, self._inline_limits)
        except LimitExceededError as error:
            if error.limit == "TOKEN" and self._inline_limits.tokens < limits.tokens:
                return None
            raise
        return document if check_limits(document, limits) <= MAX_INLINE_FIELDS else None

    async def _introspect(self, question: IntrospectionQuestion, asker: Asker) -> IntrospectionAnswer:
        if not self._has_had_its_share(asker):
            max_seconds = MAX_INLINE_SECONDS if self._supergraph_sdl is not None else None
            began = time.perf_counter()
            answer = answer_introspection(question, self.api_schema, max_seconds)
            self._spent.add(asker, time.perf_counter() - began)
            if answer is not None:
                return answer
        async with self._planning_pool().turn(question, asker) as process:
            return await process.introspect(question)

    async def query_plan(
        self, operation: Operation, override_labels: frozenset[str] = frozenset(), asker: NamesAsker = nobody
    ) -> QueryPlan:
        """Planned at once, or in another process where that takes long. Raises RequestError."""
        plan = self._planned_inline(operation, override_labels, asker(), is_long=self._is_long(operation))
        if plan is not None:
            return plan
        return await self._planned_aside(operation, override_labels, asker())

    def compile(self, plan: QueryPlan, shape: Operation) -> CompiledPlan:
        """`shape` is what the client's data looks like."""
        possible_types = self.supergraph.possible_types if self.supergraph is not None else None
        return compile_plan(plan, shape, self.api_schema, self.subgraph_urls, possible_types, self.options.disclosure)

    def _compile_at_once(
        self, allowed: Operation, shape: Operation, override_labels: frozenset[str], asker: Asker, *, is_long: bool
    ) -> CompiledPlan | None:
        plan = self._planned_inline(allowed, override_labels, asker, is_long=is_long)
        return self.compile(plan, shape) if plan is not None else None

    async def _compile_aside(
        self, allowed: Operation, shape: Operation, override_labels: frozenset[str], asker: Asker
    ) -> CompiledPlan:
        return await in_background(self.compile, await self._planned_aside(allowed, override_labels, asker), shape)

    async def _planned_aside(self, operation: Operation, override_labels: frozenset[str], asker: Asker) -> QueryPlan:
        """By another router that shares its plans, or in another process."""
        shared = self.options.shared_plans
        known = await shared.find(self._digest, operation, override_labels) if shared is not None else None
        if known is not None:
            return known
        job = PlanJob(operation, override_labels)
        async with self._planning_pool().turn(job, asker) as process:
            plan = await process.plan(job)
        if shared is not None:
            await shared.keep(self._digest, operation, override_labels, plan)
        return plan

    def _is_long(self, operation: Operation) -> bool:
        return not Weighing(self.api_schema).fits(operation)

    def _planned_inline(
        self, operation: Operation, override_labels: frozenset[str], asker: Asker, *, is_long: bool
    ) -> QueryPlan | None:
        """None where it would hold up the event loop."""
        if (is_long and self._supergraph_sdl is not None) or self._has_had_its_share(asker):
            return None
        began = time.perf_counter()
        try:
            return self._plan(operation, override_labels)
        except PlanningOverrunError:
            return None
        except RecursionError as error:
            if self._supergraph_sdl is not None:
                return None  # the planning process may go deeper
            raise PlanningFailedError("The router could not plan this operation.", detail=repr(error)) from error
        except RequestError:
            raise
        except Exception as error:
            raise PlanningFailedError("The router could not plan this operation.", detail=repr(error)) from error
        finally:
            self._spent.add(asker, time.perf_counter() - began)

    def _planning_pool(self) -> PlanningPool:
        if self._planning is None:
            assert self._supergraph_sdl is not None
            self._planning = PlanningPool(
                self._supergraph_sdl,
                self._spent,
                processes=self.options.planning_processes,
                timeout_seconds=self.options.planning_timeout_seconds,
            )
        return self._planning


def _percent_of(label: str) -> float | None:
    if not (label.startswith("percent(") and label.endswith(")")):
        return None
    try:
        return float(label[len("percent(") : -1])
    except ValueError:
        return None
