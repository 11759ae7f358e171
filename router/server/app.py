"""The router as an ASGI application, and how it is served: routes, start, stop, worker processes.

`create_app` is for whoever brings a server; `serve` runs uvicorn. The GraphQL path is raw ASGI, the rest is Starlette.
"""

from __future__ import annotations

import asyncio
import functools
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urljoin

import structlog
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response as Answer
from starlette.routing import Route
from starlette.types import ASGIApp

from router.access.authentication import Authenticator
from router.access.authorization import AuthorizationRules
from router.access.demand import DemandControl
from router.access.ended_sessions import EndedSessions
from router.access.limits import RateLimiter, document_limits
from router.access.persisted_documents import DocumentStore
from router.broker_events.hub import BrokerEvents
from router.cache_policy import CacheHints
from router.entity_cache.cache import EntityCache
from router.entity_cache.store import EntityStore
from router.executor.subgraph_errors import Disclosure
from router.loaded_graph import GraphOptions, LoadedGraph
from router.prepared_request import Runtime
from router.process_metrics import watch_event_loop
from router.redis_client import open_redis
from router.response_cache import ResponseCache
from router.server import workers
from router.server.callbacks import Callbacks, receiving_end
from router.server.console import Console
from router.server.coprocessor import Coprocessor
from router.server.entity_changes import EntityChanges
from router.server.event_stream import EventStreams
from router.server.extensions import ExtendedTransport, Extensions, load_extensions
from router.server.front_door import FrontDoor, label_choice
from router.server.graph_file import GraphFile
from router.server.graphiql_page import GraphiqlPage
from router.server.graphql_http import GraphqlEndpoint
from router.server.header_rules import ResponseHeaders, SubgraphHeaders
from router.server.management import management_server
from router.server.page_files import BUILT, MODULES, PageFiles, site_routes
from router.server.page_files import PATH as PAGES
from router.server.plan_extension import plan_extension
from router.server.probes import Probes
from router.server.recent_operations import RecentOperations
from router.server.request import Receive, Scope, Send
from router.server.settings_reload import ReloadableRouter, SettingsFile
from router.server.usage import UsageReports
from router.server.warm_up import WarmUp
from router.server.websocket import WebSocketEndpoint
from router.server.whole_request import WholeRequest
from router.server.worker_metrics import WorkerMetrics
from router.settings import Settings, SubgraphTraffic
from router.settings_complaints import settings_by_subgraph
from router.shared_plans import SharedPlans
from router.telemetry import EVENT_LOOP_LAG, SUBGRAPH_RETRIES, Tracing, metrics_text
from router.transport.balanced_transport import BalancedTransport
from router.transport.callback_source import CallbackSource
from router.transport.client_tls import client_context
from router.transport.deadlines import Deadlines
from router.transport.http_client import HttpLimits
from router.transport.instance_directory import InstanceDirectory
from router.transport.persisted_requests import PersistedRequests
from router.transport.protocol import SubgraphRequest, SubgraphTransport
from router.transport.retries import Retries
from router.transport.shared_requests import SharedRequests
from router.transport.shared_streams import SharedStreams
from router.transport.subgraph_client import SubgraphClient
from router.transport.subgraph_monitor import SubgraphMonitor
from router.transport.subscription_source import SubscriptionSource, WebSocketSource

log = structlog.get_logger(__name__)

REDIS_TIMEOUT_SECONDS = 0.5


class RouterApp:
    """One router in one process. `transport` replaces the HTTP client, for subgraphs mounted in this process."""

    def __init__(
        self,
        settings: Settings,
        transport: SubgraphTransport | None = None,
        subscriptions: SubscriptionSource | None = None,
    ) -> None:
        self.settings = settings
        self._paths = settings.graphql_paths
        self._targets = frozenset(path.encode() for path in self._paths if path.isascii())
        self._traffic_of = traffic_of = functools.cache(settings.traffic_shaping.of)  # each subgraph request asks
        kept = functools.cache(ResponseHeaders(settings.headers).names_of)
        self._client = None if transport else SubgraphClient(lambda name: _http_limits(traffic_of(name), kept(name)))
        self._instances = _instances(settings, self._client)
        self._callbacks = receiving_end(settings)
        self._source = None if subscriptions else _subscription_source(settings, self._instances)
        self._called_back = _called_back(settings, self._callbacks, self._source)
        self._subscriptions = _shared(subscriptions, self._called_back, self._source)
        self._tracing = Tracing(settings.telemetry)
        inner = transport or self._client
        assert inner is not None
        self.monitor = SubgraphMonitor(
            _balanced(inner, self._instances, settings),
            settings.subgraphs,
            self._tracing,
            lambda name: traffic_of(name).circuit_breaker,
        )
        self._coprocessor = Coprocessor(settings.coprocessor) if settings.coprocessor is not None else None
        self._extensions = _extensions(settings, self._coprocessor)
        self._usage = _usage_reports(settings)
        self._transport = self._shared_transport(kept, self._extensions)
        self._redis = _redis(settings)
        self.graph_file = GraphFile(settings.supergraph, _graph_options(settings, self._redis), self._runtime)
        self._ended_sessions = self._told_of_ended_sessions()
        self._entities = self._entity_store()
        self._changes = self._entity_changes()
        self._broker_events = _broker_events(settings)
        cache = ResponseCache(settings.response_cache, self._redis) if self._redis and _caches(settings) else None
        self._documents = DocumentStore(settings.persisted_documents, self._redis, settings.response_cache.key_prefix)
        self.graph_file.warm = WarmUp(settings.warm_up, self._documents).warm if settings.warm_up.operations else None
        self._operations = RecentOperations() if settings.serves_console else None
        self.door = FrontDoor(
            settings,
            self.graph_file,
            Authenticator(settings.jwt, self._ended_sessions),
            _rate_limiter(settings, self._redis),
            self._documents,
            cache=cache,
            extensions=self._extensions if settings.extensions or settings.coprocessor else None,
            entities=self._entities,
            operations=self._operations,
            usage=self._usage,
        )
        self._page = GraphiqlPage(settings) if settings.serves_graphiql else None
        self.streams = EventStreams(self.door)
        self._http = GraphqlEndpoint(self.door, self.streams, self._page, self._tracing)
        self._websocket = WebSocketEndpoint(self.door, self._tracing, self._http.log)
        self._probes = Probes(self.graph_file, self.monitor, self._redis, self._instances, tells_errors=settings.dev)
        self._management = Starlette(routes=self._probes.routes())
        self._owns_process = True
        self._starlette = Starlette(routes=self._routes(), lifespan=self._lifespan)

    def _shared_transport(
        self, kept_headers: Callable[[str], frozenset[str]], extensions: Extensions
    ) -> SubgraphTransport:
        """What operations send with: equal requests once, failed ones again, with the headers of the rules."""
        traffic_of = self._traffic_of
        retries = Retries(lambda name: traffic_of(name).retry, lambda name: SUBGRAPH_RETRIES.labels(name).inc())
        sent: SubgraphTransport = self.monitor
        if self._client is not None and any(each.persisted_queries for each in self.settings.traffic_shaping.every()):
            sent = PersistedRequests(sent, lambda name: traffic_of(name).persisted_queries)
        transport: SubgraphTransport = SharedRequests(
            Deadlines(sent, lambda name: traffic_of(name).timeout_seconds if traffic_of(name).tell_deadline else None),
            retries,
            seconds_of=lambda name: traffic_of(name).timeout_seconds,
            is_for_one=lambda name: bool(kept_headers(name)),
        )
        if self.settings.headers.has_request_rules:
            ruled = SubgraphHeaders(transport, self._subscriptions, self.settings)
            transport, self._subscriptions = ruled, ruled
        return ExtendedTransport(transport, extensions) if extensions.watch_subgraphs else transport

    def _routes(self) -> list[Route]:
        is_apart = self.settings.management.port is not None
        routes = self._probes.routes_for_clients() if is_apart else self._probes.routes()
        if self._changes is not None:
            routes.extend(self._changes.routes())
        if self._callbacks is not None and not self._callbacks.is_apart:
            routes.append(Route(self._callbacks.path, self._call_back, methods=["POST"]))
        if self._operations is not None:
            routes += Console(self.settings, self.graph_file, self.monitor, self._operations).routes()
        if self._page is not None:
            routes.append(Route(f"{PAGES}/workbench.json", self._page.workbench))
        if self._page is not None or self._operations is not None:
            routes.append(Route(f"{PAGES}/{{name}}", PageFiles(MODULES, BUILT).file))
        if self.settings.dev:
            for site in self.settings.workbench.sites:
                routes += site_routes(site)
        return routes

    async def _call_back(self, request: Request) -> Answer:
        assert self._callbacks is not None
        return await self._callbacks.receive(request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["path"] in self._paths:
                await self._http(scope, receive, send)
            else:
                await self._starlette(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._starlette(scope, receive, send)

    def takes(self, target: bytes) -> bool:
        """Whether `answer` is for requests to this path and query."""
        return target in self._targets

    def answer(self, request: WholeRequest) -> Awaitable[None]:
        """One that arrived whole, as `__call__` would by ASGI."""
        return self._http.answer(request)

    @property
    def management(self) -> ASGIApp:
        """What operators ask, for a port of its own."""
        return self._management

    def join_workers(self, folder: Path) -> None:
        """The other workers' metrics are in every scrape, and ours in theirs; callbacks find their worker."""
        self._probes.metrics = WorkerMetrics(metrics_text, folder)
        if self._callbacks is not None:
            self._callbacks.join_workers(folder, str(os.getpid()))

    def leave_process_to(self, metrics: WorkerMetrics, callbacks: Callbacks | None) -> None:
        """Somebody runs several applications in this process, and serves the management port, the metrics of all, and
        what subgraphs call back.
        """
        self._probes.metrics = metrics
        self._owns_process = False
        self._callbacks = callbacks
        if self._called_back is not None and callbacks is not None:
            self._called_back.inbox = callbacks.inbox

    def begin_draining(self) -> None:
        self._probes.is_stopping = True

    def end_streams(self) -> None:
        self.door.is_closing.set()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.to_thread, self._tracing.close)  # waits for the collector
            stack.callback(self._http.log.flush)
            if self._client is not None:
                stack.push_async_callback(self._client.close)
            if self._source is not None:
                stack.push_async_callback(self._source.close)
            if self._redis is not None:
                stack.push_async_callback(self._redis.aclose)
            if self._instances is not None:
                await stack.enter_async_context(self._instances.running())
            stack.push_async_callback(self._documents.close)
            if self._coprocessor is not None:
                stack.push_async_callback(self._coprocessor.close)
            if self._owns_process:
                await stack.enter_async_context(self._probes.metrics.shared())
                await stack.enter_async_context(management_server(self.management, self.settings))
                if self._callbacks is not None:
                    await stack.enter_async_context(self._callbacks.served())
            await self.graph_file.load()
            await self.door.authenticator.start()
            self._warn_of_unknown_names()
            self._warn_of_missing_addresses()
            stack.callback(self.graph_file.close)
            stack.push_async_callback(self._probes.loops.stop)
            self._start_loops()
            yield
            self.begin_draining()
            await self.door.close(self.settings.shutdown_grace_seconds)

    def _start_loops(self) -> None:
        loops = self._probes.loops
        if self.settings.watch:
            loops.start("supergraph", self.graph_file.watch)
        if self._usage is not None:
            loops.start("usage", self._usage.run)
        if self._ended_sessions is not None:
            loops.start("endedSessions", self._ended_sessions.follow)
        if self._broker_events is not None:
            loops.start("brokerEvents", self._broker_events.run)
        if self._changes is not None and self._changes.listens:
            loops.start("entityChanges", self._changes.run)
        loops.start("eventLoop", partial(watch_event_loop, EVENT_LOOP_LAG))

    def _warn_of_unknown_names(self) -> None:
        """A name may also be of a graph to come, so this is no error."""
        graph = self.graph_file.current.graph
        names = {
            **{
                section: named.keys() - graph.subgraph_urls.keys()
                for section, named in settings_by_subgraph(self.settings)
            },
            "broker_subscriptions.fields": self.settings.broker_subscriptions.fields.keys()
            - _subscription_fields(graph),
            "override_labels": self.settings.override_labels.keys() - graph.override_labels,
        }
        for setting, unknown in names.items():
            if unknown:
                log.warning("setting_names_nothing_in_the_graph", setting=setting, names=sorted(unknown))

    def _warn_of_missing_addresses(self) -> None:
        """A supergraph composed from schema files or modules alone does not say where its subgraphs are."""
        for name, url in self.graph_file.current.graph.subgraph_urls.items():
            settings = self.settings.subgraphs.get(name)
            if not url and (settings is None or not settings.has_instances):
                advice = f"set `subgraphs: {{{name}: {{url: ...}}}}`, or compose it from NAME=URL=FILE"
                log.warning("subgraph_without_address", subgraph=name, advice=advice)

    def _runtime(self, sdl: str, graph: LoadedGraph, rules: AuthorizationRules, hints: CacheHints) -> Runtime:
        cost = self.settings.demand_control
        demand = DemandControl(sdl, graph.api_schema, cost) if cost.enabled else None
        return Runtime(
            self._transport,
            self._subscriptions,
            rules.authorize if rules else None,
            label_choice(frozenset(name for name, is_on in self.settings.override_labels.items() if is_on)),
            demand.check if demand is not None else None,
            plan_extension,
            entity_cache=self._entity_cache(hints, graph),
            broker_events=self._broker_events,
            traces_all=self.settings.serves_console,
            on_plan=self._extensions.plan if self._extensions.watch_plans else None,
            shares_events=self.settings.share_identical_requests,
            max_response_bytes=self.settings.limits.response_bytes,
            max_fetched_bytes=self.settings.limits.fetched_bytes,
        )

    def _entity_cache(self, hints: CacheHints, graph: LoadedGraph) -> EntityCache | None:
        if self._entities is None or graph.supergraph is None:
            return None
        kept_for = hints.with_max_ages(self.settings.entity_cache.max_ages)
        return EntityCache(self._entities, kept_for, graph.supergraph)

    def _told_of_ended_sessions(self) -> EndedSessions | None:
        """Asked wherever operations for its subgraph would go now."""
        wanted = self.settings.jwt.ended_sessions
        if wanted is None:
            return None
        name, path = wanted.subgraph, wanted.path

        def address() -> str:
            url = self.graph_file.current.graph.subgraph_urls.get(name, "")
            if self._instances is not None:
                url = self._instances.address_for_stream(SubgraphRequest(name, url, b"", ()))
            return urljoin(url, path)

        return EndedSessions(wanted, address, client_context(self._traffic_of(name).tls))

    def _entity_store(self) -> EntityStore | None:
        settings = self.settings.entity_cache
        return EntityStore(settings, self._redis) if settings.enabled and self._redis is not None else None

    def _entity_changes(self) -> EntityChanges | None:
        settings = self.settings
        if self._entities is None or self._redis is None:
            return None

        def current() -> EntityCache:
            cache = self.graph_file.current.runtime.entity_cache
            assert cache is not None
            return cache

        return EntityChanges(settings.entity_cache, settings.kafka, self._redis, self._entities, current)


def create_app(
    settings: Settings,
    transport: SubgraphTransport | None = None,
    subscriptions: SubscriptionSource | None = None,
) -> RouterApp:
    """Nothing is read or connected before the application's lifespan starts."""
    return RouterApp(settings, transport, subscriptions)


def serve(
    settings: Settings,
    listener: socket.socket | None = None,
    on_started: Callable[[], None] = lambda: None,
    source: SettingsFile | None = None,
) -> None:
    """Runs until a signal asks it to stop; with `watch`, changes of the settings' `source` are taken over. Raises
    SettingsError, or OSError where the port is taken.

    A bound `listener` takes the place of the settings' host and port, for one process; `on_started` tells that it accepts.
    """
    make: workers.CreateApp = create_app
    if source is not None and settings.watch:
        make = partial(create_reloadable, source)
    workers.run(settings, make, listener, on_started)


def create_reloadable(source: SettingsFile, settings: Settings) -> ReloadableRouter:
    return ReloadableRouter(create_app, settings, source)


def _graph_options(settings: Settings, redis: Redis | None) -> GraphOptions:
    shares = settings.shared_plans
    return GraphOptions(
        limits=document_limits(settings.limits),
        hide_suggestions=not settings.dev,
        introspection=settings.introspection,
        planning_timeout_seconds=settings.limits.planning_timeout_seconds,
        planning_processes=settings.limits.planning_processes,
        max_cache_bytes=settings.limits.cache_bytes,
        subgraph_urls={name: each.url for name, each in settings.subgraphs.items() if each.url is not None},
        disclosure=Disclosure(settings.subgraph_errors.redacts, causes=settings.dev),
        shared_plans=SharedPlans(shares, redis) if shares.enabled and redis is not None else None,
    )


def _http_limits(traffic: SubgraphTraffic, kept_headers: frozenset[str]) -> HttpLimits:
    return HttpLimits(
        max_connections=traffic.max_connections,
        connect_timeout_seconds=traffic.connect_timeout_seconds,
        total_timeout_seconds=traffic.timeout_seconds,
        pool_timeout_seconds=traffic.timeout_seconds,
        keep_alive_seconds=traffic.keep_alive_seconds,
        max_response_bytes=traffic.max_response_bytes,
        kept_headers=kept_headers,
        accept_compressed=traffic.accept_compressed,
        tls=client_context(traffic.tls),
        request_coding=traffic.compress_requests,
        coded_from_bytes=traffic.compress_requests_from_bytes,
    )


def _instances(settings: Settings, client: SubgraphClient | None) -> InstanceDirectory | None:
    """None where each subgraph has one address, which then costs nothing more."""
    if client is None or not any(each.has_instances for each in settings.subgraphs.values()):
        return None
    return InstanceDirectory(settings, client)


def _balanced(
    transport: SubgraphTransport, instances: InstanceDirectory | None, settings: Settings
) -> SubgraphTransport:
    if instances is None:
        return transport
    hedging = {name: settings.traffic_shaping.of(name).balancing.hedging for name in instances.pools}
    return BalancedTransport(transport, instances.pools, hedging)


def _subscription_source(settings: Settings, instances: InstanceDirectory | None) -> WebSocketSource:
    return WebSocketSource(
        {name: each.subscription_url for name, each in settings.subgraphs.items() if each.subscription_url},
        frozenset(name for name, each in settings.subgraphs.items() if each.subscription_protocol == "event-stream"),
        addresses=instances,
        tls_of=lambda name: client_context(settings.traffic_shaping.of(name).tls),
        max_message_bytes=settings.subscriptions.max_event_bytes,
    )


def _called_back(
    settings: Settings, callbacks: Callbacks | None, otherwise: WebSocketSource | None
) -> CallbackSource | None:
    own = settings.subscriptions.callback
    if own is None or callbacks is None or otherwise is None:
        return None
    return CallbackSource(callbacks.inbox, own.public_url, settings.subgraphs_that_call_back, otherwise)


def _shared(*sources: SubscriptionSource | None) -> SubscriptionSource | None:
    """The first that there is."""
    source = next((each for each in sources if each is not None), None)
    return SharedStreams(source) if source is not None else None


def _extensions(settings: Settings, coprocessor: Coprocessor | None) -> Extensions:
    return load_extensions(settings.extensions, [coprocessor.as_extension()] if coprocessor is not None else [])


def _usage_reports(settings: Settings) -> UsageReports | None:
    reporting = settings.usage_reporting
    return UsageReports(reporting, settings.kafka, settings.telemetry.service_name) if reporting.is_on else None


def _broker_events(settings: Settings) -> BrokerEvents | None:
    fields = settings.broker_subscriptions
    return BrokerEvents(fields, settings.kafka) if fields.fields and settings.kafka is not None else None


def _subscription_fields(graph: LoadedGraph) -> set[str]:
    root = graph.api_schema.subscription_type
    return {f"{root.name}.{name}" for name in root.fields} if root is not None else set()


def _rate_limiter(settings: Settings, redis: Redis | None) -> RateLimiter:
    url = settings.redis_url.get_secret_value() if settings.redis_url else None
    return RateLimiter(settings.limits.rate, url, redis)


def _caches(settings: Settings) -> bool:
    return settings.response_cache.enabled


def _redis(settings: Settings) -> Redis | None:
    """A client that gives up at once: a slow cache is worse than none."""
    if settings.redis_url is None:
        return None
    return open_redis(settings.redis_url.get_secret_value(), REDIS_TIMEOUT_SECONDS)
