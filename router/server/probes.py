"""What operators and orchestrators ask: alive, ready, healthy, metrics, and which subgraphs there are.

`app` mounts these routes beside the GraphQL endpoint.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import time
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from router.server.background_loops import BackgroundLoops
from router.server.graph_file import GraphFile
from router.server.response import json_answer
from router.server.worker_metrics import WorkerMetrics
from router.telemetry import metrics_text
from router.transport.instance_directory import InstanceDirectory
from router.transport.subgraph_monitor import FRESH_SECONDS, SubgraphMonitor

REDIS_TIMEOUT_SECONDS = 1.0
MINIMUM_FREE_BYTES = 10 * 1024 * 1024


class Probes:
    def __init__(
        self,
        graph_file: GraphFile,
        monitor: SubgraphMonitor,
        redis: Redis | None,
        instances: InstanceDirectory | None = None,
        *,
        tells_errors: bool,
    ) -> None:
        self._graph_file = graph_file
        self._monitor = monitor
        self._redis = redis
        self._instances = instances
        self.loops = BackgroundLoops()
        self._tells_errors = tells_errors  # what is wrong with a supergraph file names subgraphs and types
        self.is_stopping = False
        self.metrics = WorkerMetrics(metrics_text)
        self._started_at = time.time()

    def routes_for_clients(self) -> list[Route]:
        """What load balancers ask; it names no address."""
        return [
            Route("/live", self.live),
            Route("/ready", self.ready),
            Route("/health", self.by_question),
        ]

    def routes(self) -> list[Route]:
        return [
            *self.routes_for_clients(),
            Route("/actuator/health", self.health),
            Route("/actuator/info", self.info),
            Route("/actuator/health/liveness", self.live),
            Route("/actuator/health/readiness", self.ready),
            Route("/actuator/prometheus", self.prometheus),
            Route("/actuator/registry", self.registry),
        ]

    async def live(self, _: Request) -> Response:
        return _json(200, {"status": "UP"})

    async def ready(self, _: Request) -> Response:
        """503 until a graph is loaded and again while stopping; a refused reload is told and does not make unready."""
        is_ready = self._graph_file.is_loaded and not self.is_stopping
        status = "UP" if is_ready else "OUT_OF_SERVICE" if self.is_stopping else "DOWN"
        return _json(200 if is_ready else 503, {"status": status, "components": {"supergraph": self._supergraph()}})

    async def by_question(self, request: Request) -> Response:
        """`/health?ready` and `/health?live`, as probes made for other routers ask."""
        return await (self.ready if "ready" in request.query_params else self.live)(request)

    async def health(self, _: Request) -> Response:
        """The shape Spring Boot made common. Redis, a subgraph or a loop being down degrades the router but not its
        health.
        """
        await self._ask_the_silent()
        components: dict[str, Any] = {
            "supergraph": self._supergraph(),
            "subgraphs": self._subgraphs(),
            "loops": self._loop_states(),
            "diskSpace": _disk_space(),
            "ping": {"status": "UP"},
        }
        if self._redis is not None:
            components["redis"] = await self._redis_state()
        is_up = components["supergraph"]["status"] == "UP" and not self.is_stopping
        return _json(200 if is_up else 503, {"status": "UP" if is_up else "DOWN", "components": components})

    def _loop_states(self) -> dict[str, Any]:
        states = self.loops.states()
        is_up = all(each["status"] == "UP" for each in states.values())
        return {"status": "UP" if is_up else "DOWN", "components": states}

    async def info(self, _: Request) -> Response:
        """Which process this is, and which graph it serves."""
        process = {"pid": os.getpid(), "startedAt": self._started_at, "python": platform.python_version()}
        return _json(200, {"process": process, "supergraph": self._supergraph().get("details", {})})

    async def prometheus(self, _: Request) -> Response:
        self._graph_file.count_caches()
        if self._instances is not None:
            self._instances.count()
        return Response(await self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def registry(self, request: Request) -> Response:
        """The subgraphs of the graph in use and their instances, with what this process has seen of them, now or within
        ten seconds. For whoever accepts text/plain, and not JSON: a line each.
        """
        await self._ask_the_silent()
        rows = [{**row, "instances": self._instances_of(row)} for row in self._table()]
        if "text/plain" in request.headers.get("accept", "") and "json" not in request.headers["accept"]:
            return Response(registry_text(rows), headers={"cache-control": "no-store"}, media_type="text/plain")
        return _json(200, {"subgraphs": rows})

    def _instances_of(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        rows = self._instances.rows(row["name"]) if self._instances is not None else None
        return rows or [{"url": row["url"], "status": row["status"]}]

    async def _ask_the_silent(self) -> None:
        await self._monitor.ask_the_silent(self._graph_file.subgraph_urls)
        if self._instances is not None:
            await self._instances.ask_the_silent(time.time() - FRESH_SECONDS)

    def _table(self) -> list[dict[str, Any]]:
        return self._monitor.table(self._graph_file.subgraph_urls)

    def _supergraph(self) -> dict[str, Any]:
        details: dict[str, Any] = {}
        if self._graph_file.is_loaded:
            served = self._graph_file.current
            details = {
                "generation": served.generation,
                "digest": served.digest[:12],
                "loadedAt": served.loaded_at,
                "subgraphs": sorted(served.graph.subgraph_urls),
            }
        if self._graph_file.error is not None:
            details["error"] = self._graph_file.error if self._tells_errors else "The file on disk was refused."
        return {"status": "UP" if self._graph_file.is_loaded else "DOWN", "details": details}

    def _subgraphs(self) -> dict[str, Any]:
        states = {row["name"]: row["status"] for row in self._table()}
        status = "DOWN" if "DOWN" in states.values() else "UP"
        return {"status": status, "details": states}

    async def _redis_state(self) -> dict[str, Any]:
        assert self._redis is not None
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_SECONDS):
                await self._redis.get("router:ping")
        except (RedisError, OSError, TimeoutError) as error:
            return {"status": "DOWN", "details": {"error": type(error).__name__}}
        return {"status": "UP"}


def registry_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """As service registries print it: NUTRITION-SERVICE: 3 instances, then one line for each."""
    lines = []
    for row in rows:
        instances = row["instances"]
        lines.append(f"{row['name'].upper()}-SERVICE: {len(instances)} instance{'' if len(instances) == 1 else 's'}")
        lines += [f"  {each['status']:14} {each['url']}" for each in instances]
    return "\n".join(lines) + "\n"


def _disk_space() -> dict[str, Any]:
    usage = shutil.disk_usage(".")
    status = "UP" if usage.free > MINIMUM_FREE_BYTES else "DOWN"
    return {"status": status, "details": {"total": usage.total, "free": usage.free, "threshold": MINIMUM_FREE_BYTES}}


def _json(status: int, value: Any) -> Response:
    answer = json_answer(status, value)
    return Response(answer.body, status, {"cache-control": "no-store"}, media_type=answer.content_type.decode())
