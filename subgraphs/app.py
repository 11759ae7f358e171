"""The ASGI application of a subgraph: /graphql, probes, metrics, and the loops that live as long as it does.

Each subgraph's own `app.create_app` names its schema, loaders and consumers in a `Subgraph` and calls `build_app`.
"""

import asyncio
import gc
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from subgraphs import telemetry
from subgraphs.auth import KeyRing
from subgraphs.context import Context, MakeLoaders, Resources
from subgraphs.database import Database
from subgraphs.graphql_http import PATH, GraphQLEndpoint
from subgraphs.graphql_schema import SubgraphSchema
from subgraphs.revocation import RevokedSessions
from subgraphs.settings import Settings

_log = structlog.get_logger("subgraphs.app")
_PROBE_SECONDS = 2.0
_LEAST_FREE_BYTES = 10 * 1024 * 1024

Loop = Callable[[Resources], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgraph:
    """What makes a subgraph this one. `loops` run for ever beside the relay, each given the resources."""

    name: str
    schema: SubgraphSchema
    make_loaders: MakeLoaders
    loops: Sequence[Loop] = ()


class SubgraphApp:
    """Routes /graphql straight to its endpoint and everything else through Starlette, which costs more."""

    def __init__(self, endpoint: GraphQLEndpoint, others: ASGIApp, resources: Resources) -> None:
        self._endpoint = endpoint
        self._others = others
        self.resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and scope["path"] == PATH:
            await self._endpoint(scope, receive, send)
        else:
            await self._others(scope, receive, send)


def build_app(subgraph: Subgraph, settings: Settings) -> SubgraphApp:
    """The application; nothing is connected before its lifespan starts, or the first request needs it."""
    telemetry.configure(settings)
    resources = open_resources(settings)
    endpoint = GraphQLEndpoint(subgraph.name, subgraph.schema, _context_maker(subgraph, resources))
    probes = _Probes(resources)
    others = Starlette(
        routes=[
            Route("/live", probes.live),
            Route("/ready", probes.ready),
            Route("/actuator/health", probes.health),
            Route("/actuator/health/liveness", probes.live),
            Route("/actuator/health/readiness", probes.ready),
            Route("/actuator/prometheus", probes.metrics),
        ],
        lifespan=_lifespan(subgraph, resources),
    )
    return SubgraphApp(endpoint, others, resources)


def open_resources(settings: Settings) -> Resources:
    redis = fanout = None
    if settings.redis_url is not None:
        from redis.asyncio import Redis

        from events.fanout import Fanout

        redis = Redis.from_url(settings.redis_url, socket_connect_timeout=2, health_check_interval=30)
        fanout = Fanout(redis)
    return Resources(
        settings=settings,
        database=Database.of(settings),
        key_ring=KeyRing.of(settings),
        revoked_sessions=RevokedSessions(redis, fanout, settings.access_token_seconds),
        redis=redis,
        fanout=fanout,
    )


async def close_resources(resources: Resources) -> None:
    await resources.database.close()
    if resources.redis is not None:
        await resources.redis.aclose()


def _context_maker(subgraph: Subgraph, resources: Resources) -> Callable[[Mapping[str, str]], Context]:
    make_loaders = subgraph.make_loaders

    def make_context(headers: Mapping[str, str]) -> Context:
        return Context(
            resources,
            make_loaders,
            authorization=headers.get("authorization"),
            correlation_id=headers.get("x-correlation-id"),
        )

    return make_context


def _lifespan(subgraph: Subgraph, resources: Resources) -> Callable[[Any], Any]:
    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(loop, name=name) for name, loop in _loops(subgraph, resources)]
        _leave_the_code_alone()
        _log.info("subgraph_started", loops=[task.get_name() for task in tasks])
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError, Exception):
                    await task
            await close_resources(resources)
            _log.info("subgraph_stopped")

    return lifespan


def _leave_the_code_alone() -> None:
    """What is loaded by now stays: the collector need not walk it again, nor run after every few hundred objects.

    An answer of 1,000 fields costs a fifth less for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _loops(subgraph: Subgraph, resources: Resources) -> list[tuple[str, Any]]:
    """The loops that this process runs; each reconnects by itself for ever."""
    loops: list[tuple[str, Any]] = []
    settings = resources.settings
    if resources.fanout is not None:
        loops.append(("fanout", resources.fanout.run()))
        loops.append(("revocations", resources.revoked_sessions.watch()))
    kafka = settings.kafka
    if kafka is not None and settings.background_loops:
        from events.relay import run_relay

        loops.append(("relay", run_relay(subgraph.name, settings.database_url, kafka)))
        loops.extend((getattr(loop, "__name__", "loop"), loop(resources)) for loop in subgraph.loops)
    return loops


class _Probes:
    """Whether the process lives, may be given requests, and how each thing that it needs is doing."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def live(self, _: Request) -> Response:
        return JSONResponse({"status": "UP"})

    async def ready(self, _: Request) -> Response:
        """Without Redis or Kafka a subgraph still answers, and events wait in the outbox; without Postgres it cannot."""
        is_up = await _holds(self._resources.database.ping())
        return JSONResponse({"status": "UP" if is_up else "OUT_OF_SERVICE"}, 200 if is_up else 503)

    async def health(self, _: Request) -> Response:
        components = {name: {"status": "UP" if is_up else "DOWN"} for name, is_up in (await self._components()).items()}
        is_up = all(component["status"] == "UP" for component in components.values())
        return JSONResponse({"status": "UP" if is_up else "DOWN", "components": components}, 200 if is_up else 503)

    async def metrics(self, _: Request) -> Response:
        telemetry.measure_pools(self._resources.database)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def _components(self) -> dict[str, bool]:
        checks: dict[str, Any] = {"db": self._resources.database.ping()}
        if self._resources.redis is not None:
            checks["redis"] = self._resources.redis.ping()
        if self._resources.settings.kafka_bootstrap_servers:
            checks["kafka"] = _can_connect(self._resources.settings.kafka_bootstrap_servers)
        results = await asyncio.gather(*(_holds(check) for check in checks.values()))
        has_space = shutil.disk_usage(".").free > _LEAST_FREE_BYTES
        return {**dict(zip(checks, results, strict=True)), "diskSpace": has_space, "ping": True}


async def _holds(check: Awaitable[Any]) -> bool:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            await check
    except Exception:  # whatever it is, the thing is down
        return False
    return True


async def _can_connect(bootstrap_servers: str) -> None:
    """Raises the last OSError unless one of the brokers accepts a connection."""
    failure = OSError("no broker is named")
    for server in bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError as error:
            failure = error
        else:
            writer.close()
            return
    raise failure
