"""The ASGI application of a subgraph: /graphql, probes, metrics, and the loops that live as long as it does.

Each subgraph's own `app.create_app` names its schema, loaders and consumers in a `Subgraph` and calls `build_app`.
"""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from events.measurement import measure
from events.retention import OUTBOX, Forget, forget_in_batches
from events.topics import USERS_GRANT, service_of
from router.garbage import collect_in_short_pauses
from subgraphs.shell import telemetry
from subgraphs.shell.auth import KeyRing
from subgraphs.shell.change_log import forget_tombstones, settle_changes
from subgraphs.shell.context import CLIENT_ADDRESS, TOKEN_REFUSED, Context, MakeLoaders, Resources, utc_now
from subgraphs.shell.database import Database
from subgraphs.shell.grants import EndedGrants, forget_reads, with_grants
from subgraphs.shell.graphql_http import PATH, GraphQLEndpoint
from subgraphs.shell.graphql_schema import SubgraphSchema
from subgraphs.shell.plan_writing import forget_plan_writes
from subgraphs.shell.read_pool import Reader
from subgraphs.shell.recent_clocks import RecentClocks
from subgraphs.shell.revocation import RevokedSessions, forget_ended, with_ended_sessions
from subgraphs.shell.settings import Settings

if TYPE_CHECKING:
    from events.consumer import Subscription
    from events.fanout import Fanout
    from events.kafka_settings import KafkaSettings
    from events.supervision import Loop
    from router.server.whole_request import WholeRequest

_log = structlog.get_logger("subgraphs.shell.app")
_PROBE_SECONDS = 2.0
REDIS_TIMEOUT_SECONDS = 2.0
RETENTION_SECONDS = 6 * 3600
CLOCK_SECONDS = 5.0
UNUSED_SECONDS = 30.0
_CLOCK = text("SELECT extract(epoch FROM clock_timestamp())::float")
_LEAST_FREE_BYTES = 10 * 1024 * 1024

MakeSubscription: TypeAlias = Callable[["Fanout | None", Callable[[], datetime]], "Subscription"]


def _no_routes(_: Resources) -> Sequence[Route]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgraph:
    """What makes a subgraph this one. Each of `consumers` makes a subscription; all are read for ever beside the relay.

    Each of `at_start` is done once while requests are served already, and tried again until it is. Each of `forget`
    deletes rows of its own that nobody needs any more, in the retention loop. Each of `loops` runs as long as the process.
    Each of `measures` sets gauges of its own when the metrics are scraped. `routes` are served beside /graphql and the probes.
    """

    name: str
    schema: SubgraphSchema
    make_loaders: MakeLoaders
    consumers: Sequence[MakeSubscription] = ()
    at_start: Sequence[Callable[[Resources], Awaitable[None]]] = ()
    forget: Sequence[Forget] = ()
    loops: Sequence[Callable[[Resources], Coroutine[Any, Any, None]]] = ()
    measures: Sequence[Callable[[Resources], Awaitable[None]]] = ()
    routes: Callable[[Resources], Sequence[Route]] = _no_routes


_TARGET = PATH.encode()


class SubgraphApp:
    """Routes /graphql straight to its endpoint and everything else through Starlette, which costs more."""

    def __init__(self, endpoint: GraphQLEndpoint, others: ASGIApp, resources: Resources, probes: "_Probes") -> None:
        self._endpoint = endpoint
        self._others = others
        self._probes = probes
        self.resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and scope["path"] == PATH:
            await self._endpoint(scope, receive, send)
        else:
            await self._others(scope, receive, send)

    def takes(self, target: bytes) -> bool:
        """Whether a request for this is one for `answer`."""
        return target == _TARGET

    def answer(self, request: "WholeRequest") -> Awaitable[None]:
        """A POST that arrived whole, as the server hands it on."""
        return self._endpoint.answer(request)

    def begin_draining(self) -> None:
        """From now on `/ready` answers 503; everything else goes on."""
        self._probes.is_stopping = True

    def end_streams(self) -> None:
        """Subscriptions end with their WebSockets, which the server closes."""


def build_app(subgraph: Subgraph, settings: Settings) -> SubgraphApp:
    """The application; nothing is connected before its lifespan starts, or the first request needs it."""
    telemetry.configure(settings)
    resources = open_resources(settings)
    endpoint = GraphQLEndpoint(subgraph.name, subgraph.schema, _context_maker(subgraph, resources))
    probes = _Probes(resources, subgraph.measures)
    others = Starlette(
        routes=[
            Route("/live", probes.live),
            Route("/ready", probes.ready),
            Route("/actuator/health", probes.health),
            Route("/actuator/health/liveness", probes.live),
            Route("/actuator/health/readiness", probes.ready),
            Route("/actuator/prometheus", probes.metrics),
            *subgraph.routes(resources),
        ],
        lifespan=_lifespan(subgraph, resources),
    )
    return SubgraphApp(endpoint, others, resources, probes)


def open_resources(settings: Settings) -> Resources:
    redis = fanout = None
    database = Database.of(settings)
    if settings.redis_url is not None:
        from events.fanout import Fanout
        from router.redis_client import open_redis

        # A Redis that hangs costs a moment, never a request: every use of it can do without.
        redis = open_redis(settings.redis_url, REDIS_TIMEOUT_SECONDS, health_check_interval=30)
        fanout = Fanout(redis)
    return Resources(
        settings=settings,
        database=database,
        key_ring=KeyRing.of(settings, utc_now.seconds),
        revoked_sessions=RevokedSessions(database, fanout, settings.access_token_seconds, utc_now.seconds),
        ended_grants=EndedGrants(database, fanout),
        recent_clocks=RecentClocks(fanout),
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
            refused=headers.get(TOKEN_REFUSED),
            client_address=headers.get(CLIENT_ADDRESS),
            correlation_id=(headers.get("x-correlation-id") or headers.get("x-request-id") or "")[:200] or None,
        )

    return make_context


def _lifespan(subgraph: Subgraph, resources: Resources) -> Callable[[Any], Any]:
    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        with suppress(Exception):  # whoever cannot read it now is not ready either; the loop goes on trying
            async with asyncio.timeout(_PROBE_SECONDS):
                await compare_clock(resources.database)
                await resources.revoked_sessions.read()
        if resources.database.replica is not None:
            await resources.database.replica.look()
        tasks = [asyncio.create_task(loop) for loop in _loops(subgraph, resources)]
        collect_in_short_pauses()
        _log.info("subgraph_started", loops=len(tasks))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError, Exception):
                    await task
            await close_resources(resources)
            await telemetry.flush_traces()
            _log.info("subgraph_stopped")

    return lifespan


def _loops(subgraph: Subgraph, resources: Resources) -> list[Coroutine[Any, Any, None]]:
    """The loops that this process runs; each begins anew for ever, and `resources.loops` knows how it is."""
    settings, loops = resources.settings, resources.loops
    running: list[Coroutine[Any, Any, None]] = []
    if resources.fanout is not None:
        running.append(resources.fanout.run(loops))
    if (replica := resources.database.replica) is not None:
        loop = loops.add("replica", patience_seconds=30)
        running.append(loop.run(lambda: replica.watch(loop.progress)))
    running.append(watch_clock(resources))
    running.append(_close_unused_connections(resources))
    running.append(resources.revoked_sessions.watch(loops))
    running.append(resources.ended_grants.watch(loops))
    running.append(resources.recent_clocks.watch(loops))
    if settings.background_loops:
        running.append(_retain(subgraph, resources))
        running.append(loops.add("settle_changes").run_once(lambda: settle_changes(resources.database)))
        running += [loops.add(task.__name__).run_once(partial(task, resources)) for task in subgraph.at_start]
        running += [loop(resources) for loop in subgraph.loops]
    kafka = settings.kafka
    if kafka is not None and settings.background_loops:
        from events.consumer import run_consumer
        from events.relay import run_relay

        running.append(run_relay(subgraph.name, settings.session_url, kafka, loops, resources.fanout))
        for subscription_of in subgraph.consumers:
            subscription = with_news_of_rights(subgraph.name, subscription_of(resources.fanout, resources.now))
            running.append(run_consumer(subscription, resources.database.writer, kafka, loops, resources.fanout))
    return running


def with_news_of_rights(subgraph: str, subscription: "Subscription") -> "Subscription":
    """The subscription, which also keeps what users tells of ended sessions and of grants; as it is, where users reads."""
    if subgraph == service_of(USERS_GRANT.name):  # its own tables are the truth, and news of them may be late
        return subscription
    return with_grants(with_ended_sessions(subscription))


async def compare_clock(database: Database) -> None:
    """Settle by the database's clock whether the machine's is right. Raises what the driver does."""
    read = database.primary().batch_reader(_read_clock)
    utc_now.compare(await read())


async def _read_clock(connection: Reader) -> float:
    ((seconds,),) = await connection.execute(_CLOCK, {})
    return float(seconds)


async def watch_clock(resources: Resources) -> None:
    """Until cancelled. Health says that the loop is DOWN while the machine's clock is elsewhere than the database's."""
    loop = resources.loops.add("clock", patience_seconds=4 * CLOCK_SECONDS)

    async def session() -> None:
        while True:
            if utc_now.is_in_doubt:
                await compare_clock(resources.database)
            if not utc_now.is_in_doubt:
                loop.progress()
            await asyncio.sleep(CLOCK_SECONDS)

    await loop.run(session)


async def _close_unused_connections(resources: Resources) -> None:
    """Until cancelled: a process that nobody asks keeps two connections, not as many as its busiest moment took."""
    loop = resources.loops.add("unused-connections", patience_seconds=4 * UNUSED_SECONDS)

    async def session() -> None:
        while True:
            await asyncio.sleep(UNUSED_SECONDS)
            await resources.database.close_unused(UNUSED_SECONDS)
            loop.progress()

    await loop.run(session)


async def _retain(subgraph: Subgraph, resources: Resources) -> None:
    """Let go, four times a day, of what outbox, ended sessions, reads and plans by grants, deleted things and the subgraph's
    own tables need no longer.
    """
    loop = resources.loops.add("retention", patience_seconds=3 * RETENTION_SECONDS)

    async def forget_sessions(connection: AsyncConnection, _rows: int) -> int:
        return await forget_ended(connection, resources.settings.access_token_seconds)

    async def session() -> None:
        while True:
            await asyncio.sleep(RETENTION_SECONDS * random.uniform(0.1, 1.0))  # noqa: S311 - spreads the work
            for forget in (
                *OUTBOX,
                forget_sessions,
                forget_reads,
                forget_plan_writes,
                forget_tombstones,
                *subgraph.forget,
            ):
                await forget_in_batches(resources.database.transaction, forget)
            loop.progress()

    await loop.run(session)


class _Probes:
    """Whether the process lives, may be given requests, and how each thing that it needs is doing."""

    def __init__(self, resources: Resources, measures: Sequence[Callable[[Resources], Awaitable[None]]] = ()) -> None:
        self._resources = resources
        self._measures = measures
        self.is_stopping = False

    async def live(self, _: Request) -> Response:
        return JSONResponse({"status": "UP"})

    async def ready(self, _: Request) -> Response:
        """Without Redis or Kafka a subgraph still answers, and events wait in the outbox; without Postgres it cannot."""
        is_up = not self.is_stopping and await _holds(self._resources.database.ping())
        return JSONResponse({"status": "UP" if is_up else "OUT_OF_SERVICE"}, 200 if is_up else 503)

    async def health(self, _: Request) -> Response:
        """What each thing that it needs answers now, and how each background loop is."""
        components: dict[str, Any] = {
            name: {"status": "UP" if is_up else "DOWN"} for name, is_up in (await self._components()).items()
        }
        for loop in self._resources.loops:
            name = loop.name if loop.group is None else f"{loop.name}:{loop.group}"
            components[name] = {"status": "UP" if loop.is_well else "DOWN", "details": _details(loop)}
        is_up = all(component["status"] == "UP" for component in components.values())
        return JSONResponse({"status": "UP" if is_up else "DOWN", "components": components}, 200 if is_up else 503)

    async def metrics(self, _: Request) -> Response:
        resources = self._resources
        telemetry.measure_pools(resources.database)
        await measure(resources.settings.subgraph, resources.database.writer, resources.loops)
        for measures in self._measures:
            await measures(resources)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def _components(self) -> dict[str, bool]:
        checks: dict[str, Any] = {"db": self._resources.database.ping_writer()}
        if self._resources.settings.database_replica_url is not None:
            checks["dbReader"] = self._resources.database.ping_replica()
        if self._resources.redis is not None:
            checks["redis"] = self._resources.redis.ping()
        if (kafka := self._resources.settings.kafka) is not None:
            checks["kafka"] = _answers(kafka)
        results = await asyncio.gather(*(_holds(check) for check in checks.values()))
        has_space = shutil.disk_usage(".").free > _LEAST_FREE_BYTES
        return {**dict(zip(checks, results, strict=True)), "diskSpace": has_space, "ping": True}


async def _holds(check: Awaitable[Any]) -> bool:
    try:
        with telemetry.untraced():
            async with asyncio.timeout(_PROBE_SECONDS):
                await check
    except Exception:  # whatever it is, the thing is down
        return False
    return True


async def _answers(kafka: "KafkaSettings") -> None:
    """Raises unless a broker answers a question about its topics: a stopped one still accepts connections."""
    from events.broker import connect_broker

    async with connect_broker(kafka) as broker:
        await broker.read_epoch()


def _details(loop: "Loop") -> dict[str, Any]:
    """For operators; what failed is in the log, for it may name hosts and roles."""
    return {"secondsSinceProgress": round(loop.seconds_since_progress, 1), "restarts": loop.restarts}
