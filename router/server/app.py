"""The router as an ASGI application, and how it is served: routes, start, stop, worker processes.

`create_app` is for whoever brings a server; `serve` runs uvicorn. The GraphQL path is raw ASGI, the rest is Starlette.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.applications import Starlette
from starlette.routing import Route

from router.access.authentication import Authenticator
from router.access.authorization import Authorization, AuthorizationRules
from router.access.demand import DemandControl
from router.access.limits import RateLimiter, document_limits
from router.access.persisted_documents import DocumentStore
from router.executor.http_client import HttpLimits
from router.executor.retries import Retries
from router.executor.subgraph_client import SubgraphClient
from router.executor.subscribe import SubscriptionSource, WebSocketSource
from router.executor.transport import SharedRequests, SubgraphTransport
from router.loaded_graph import GraphOptions, LoadedGraph
from router.operation import Operation
from router.pipeline import OperationRequest, Runtime
from router.response_cache import ResponseCache
from router.server import workers
from router.server.event_stream import EventStreams
from router.server.front_door import FrontDoor, Visit, label_choice
from router.server.graph_file import GraphFile
from router.server.graphiql_page import GraphiqlPage
from router.server.graphql_http import GraphqlEndpoint
from router.server.plan_extension import plan_extension
from router.server.probes import Probes
from router.server.request import Receive, Scope, Send
from router.server.subgraph_monitor import SubgraphMonitor
from router.server.websocket import WebSocketEndpoint
from router.settings import Settings, SubgraphTraffic
from router.telemetry import SUBGRAPH_RETRIES, Tracing

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
        self._source = None if subscriptions else _subscription_source(settings)
        self._subscriptions = subscriptions or self._source
        traffic = settings.traffic_shaping
        self._client = None if transport else SubgraphClient(lambda name: _http_limits(traffic.of(name)))
        self._tracing = Tracing(settings.telemetry)
        inner = transport or self._client
        assert inner is not None
        self.monitor = SubgraphMonitor(
            inner, settings.subgraphs, self._tracing, lambda name: traffic.of(name).circuit_breaker
        )
        retries = Retries(lambda name: traffic.of(name).retry, lambda name: SUBGRAPH_RETRIES.labels(name).inc())
        self._transport = SharedRequests(self.monitor, retries)
        self._redis = _redis(settings)
        self.graph_file = GraphFile(settings.supergraph, _graph_options(settings), self._runtime)
        self._authenticator = Authenticator(settings.jwt)
        redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
        cache = ResponseCache(settings.response_cache, self._redis) if self._redis and _caches(settings) else None
        self.door = FrontDoor(
            settings,
            self.graph_file,
            self._authenticator,
            RateLimiter(settings.limits.rate, redis_url, self._redis),
            DocumentStore(settings.persisted_documents, self._redis, settings.response_cache.key_prefix),
            cache,
        )
        page = GraphiqlPage() if settings.serves_graphiql else None
        self.streams = EventStreams(self.door)
        self._http = GraphqlEndpoint(self.door, self.streams, page, self._tracing)
        self._websocket = WebSocketEndpoint(self.door)
        self._probes = Probes(self.graph_file, self.monitor, self._redis, tells_errors=settings.dev)
        routes = self._probes.routes()
        if page is not None:
            routes.append(Route("/graphiql/{name}", page.asset))
        self._starlette = Starlette(routes=routes, lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["path"] == self.settings.path:
                await self._http(scope, receive, send)
            else:
                await self._starlette(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._starlette(scope, receive, send)

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
            await self._authenticator.start()
            await self.graph_file.load()
            self._warn_of_unknown_names()
            stack.callback(self.graph_file.close)
            if self.settings.watch:
                stack.push_async_callback(_cancelled, asyncio.create_task(self.graph_file.watch()))
            yield
            self._probes.is_stopping = True
            await self.door.close(self.settings.shutdown_grace_seconds)

    def _warn_of_unknown_names(self) -> None:
        """A name may also be of a graph to come, so this is no error."""
        graph = self.graph_file.current.graph
        names = {
            "subgraphs": self.settings.subgraphs.keys() - graph.subgraph_urls.keys(),
            "subgraph_errors.subgraphs": self.settings.subgraph_errors.subgraphs.keys() - graph.subgraph_urls.keys(),
            "traffic_shaping.subgraphs": self.settings.traffic_shaping.subgraphs.keys() - graph.subgraph_urls.keys(),
            "override_labels": self.settings.override_labels.keys() - graph.override_labels,
        }
        for setting, unknown in names.items():
            if unknown:
                log.warning("setting_names_nothing_in_the_graph", setting=setting, names=sorted(unknown))

    def _runtime(self, sdl: str, graph: LoadedGraph, rules: AuthorizationRules) -> Runtime:
        def authorize(operation: Operation, request: OperationRequest, _: LoadedGraph) -> Authorization:
            visit = request.caller
            assert isinstance(visit, Visit)
            return rules.authorize(operation, visit.caller)

        cost = self.settings.demand_control
        demand = DemandControl(sdl, graph.api_schema, cost) if cost.enabled else None
        return Runtime(
            self._transport,
            self._subscriptions,
            authorize if rules else None,
            label_choice(frozenset(name for name, is_on in self.settings.override_labels.items() if is_on)),
            demand.check if demand is not None else None,
            plan_extension,
        )


def create_app(
    settings: Settings,
    transport: SubgraphTransport | None = None,
    subscriptions: SubscriptionSource | None = None,
) -> RouterApp:
    """Nothing is read or connected before the application's lifespan starts."""
    return RouterApp(settings, transport, subscriptions)


def serve(settings: Settings) -> None:
    """Runs until a signal asks it to stop. Raises SettingsError, or OSError where the port is taken."""
    workers.run(settings)


def _graph_options(settings: Settings) -> GraphOptions:
    return GraphOptions(
        limits=document_limits(settings.limits),
        hide_suggestions=not settings.dev,
        introspection=settings.introspection,
        planning_timeout_seconds=settings.limits.planning_timeout_seconds,
        subgraph_urls={name: each.url for name, each in settings.subgraphs.items() if each.url is not None},
        redacts_errors_of=settings.subgraph_errors.redacts,
    )


def _http_limits(traffic: SubgraphTraffic) -> HttpLimits:
    return HttpLimits(
        max_connections=traffic.max_connections,
        connect_timeout_seconds=traffic.connect_timeout_seconds,
        total_timeout_seconds=traffic.timeout_seconds,
        pool_timeout_seconds=traffic.timeout_seconds,
        keep_alive_seconds=traffic.keep_alive_seconds,
        max_response_bytes=traffic.max_response_bytes,
    )


def _subscription_source(settings: Settings) -> WebSocketSource:
    return WebSocketSource(
        {name: each.subscription_url for name, each in settings.subgraphs.items() if each.subscription_url},
        frozenset(name for name, each in settings.subgraphs.items() if each.subscription_protocol == "event-stream"),
    )


def _caches(settings: Settings) -> bool:
    return settings.response_cache.enabled


def _redis(settings: Settings) -> Redis | None:
    """A client that gives up at once: a slow cache is worse than none."""
    if settings.redis_url is None:
        return None
    return Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
