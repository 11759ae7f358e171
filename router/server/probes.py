"""What operators and orchestrators ask: alive, ready, healthy, metrics, and which subgraphs there are.

`app` mounts these routes beside the GraphQL endpoint.
"""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from router.server.graph_file import GraphFile
from router.server.response import json_answer
from router.server.subgraph_monitor import SubgraphMonitor
from router.telemetry import metrics_text

REDIS_TIMEOUT_SECONDS = 1.0
MINIMUM_FREE_BYTES = 10 * 1024 * 1024


class Probes:
    def __init__(
        self, graph_file: GraphFile, monitor: SubgraphMonitor, redis: Redis | None, *, tells_errors: bool
    ) -> None:
        self._graph_file = graph_file
        self._monitor = monitor
        self._redis = redis
        self._tells_errors = tells_errors  # what is wrong with a supergraph file names subgraphs and types
        self.is_stopping = False

    def routes(self) -> list[Route]:
        return [
            Route("/live", self.live),
            Route("/ready", self.ready),
            Route("/health", self.by_question),
            Route("/actuator/health", self.health),
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
        """The shape Spring Boot made common. Redis or a subgraph being down degrades the router but not its health."""
        components: dict[str, Any] = {
            "supergraph": self._supergraph(),
            "subgraphs": self._subgraphs(),
            "diskSpace": _disk_space(),
            "ping": {"status": "UP"},
        }
        if self._redis is not None:
            components["redis"] = await self._redis_state()
        is_up = components["supergraph"]["status"] == "UP" and not self.is_stopping
        return _json(200 if is_up else 503, {"status": "UP" if is_up else "DOWN", "components": components})

    async def prometheus(self, _: Request) -> Response:
        if self._graph_file.is_loaded:
            self._graph_file.count_caches()
        return Response(metrics_text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def registry(self, _: Request) -> Response:
        """The subgraphs of the graph in use, with what this process has seen of them."""
        return _json(200, {"subgraphs": self._table()})

    def _table(self) -> list[dict[str, Any]]:
        if not self._graph_file.is_loaded:
            return []
        return self._monitor.table(self._graph_file.current.graph.subgraph_urls)

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


def _disk_space() -> dict[str, Any]:
    usage = shutil.disk_usage(".")
    status = "UP" if usage.free > MINIMUM_FREE_BYTES else "DOWN"
    return {"status": status, "details": {"total": usage.total, "free": usage.free, "threshold": MINIMUM_FREE_BYTES}}


def _json(status: int, value: Any) -> Response:
    answer = json_answer(status, value)
    return Response(answer.body, status, {"cache-control": "no-store"}, media_type=answer.content_type.decode())
