"""The console at `/` in development: one page, and the JSON that it asks for while somebody looks at it.

`app` mounts its routes. It tells of this process; in production it is not there.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from prometheus_client import Counter, Gauge
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from router import telemetry
from router.content_coding import encode
from router.server.console_panels import ProductPanels
from router.server.graph_file import GraphFile
from router.server.graph_picture import graph_picture
from router.server.page_files import page_answer
from router.server.recent_operations import RecentOperations
from router.server.response import coding_for
from router.settings import Settings
from router.transport.subgraph_monitor import SubgraphMonitor

NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Console:
    """Raises SettingsError for panels that cannot be made."""

    def __init__(
        self, settings: Settings, graph_file: GraphFile, monitor: SubgraphMonitor, operations: RecentOperations
    ) -> None:
        self._settings = settings
        self._graph_file = graph_file
        self._monitor = monitor
        self._operations = operations
        self._panels = ProductPanels(settings.console.panels)
        self._started_at = time.time()
        title = settings.workbench.title if settings.workbench.title != "GraphiQL" else "Router"
        self._page = page_answer(
            f"{title} console",
            "console_page.js",
            ("uplot.css", "theme.css", "console_page.css"),
            ("react.js", "uplot.js"),
            product=title,
        )
        self._picture: tuple[str, bytes] = ("", b"")

    def routes(self) -> list[Route]:
        return [
            Route("/", self.page),
            Route("/console/state.json", self.state),
            Route("/console/graph.json", self.graph),
            Route("/console/log/{name}", self.log),
        ]

    async def page(self, request: Request) -> Response:
        headers = {name.decode(): value.decode() for name, value in self._page.headers}
        return await self._answer(request, self._page.body, headers, "text/html")

    async def state(self, request: Request) -> Response:
        """Everything that changes; asked for every two seconds by an open page."""
        await self._monitor.ask_the_silent(self._graph_file.subgraph_urls)
        settings = self._settings
        answer = {
            "now": time.time(),
            "router": self._router(),
            "subgraphs": self._monitor.table(self._graph_file.subgraph_urls),
            "caches": self._caches(),
            "live": {
                "subscribers": _sum(telemetry.SUBSCRIPTIONS),
                "delivered": _sum(telemetry.SUBSCRIPTION_EVENTS),
                "sockets": _sum(telemetry.CONNECTIONS),
            },
            **self._operations.as_json(),
            "panels": await self._panels.panels(),
            "links": [
                *([{"title": "GraphiQL", "url": settings.path}] if settings.serves_graphiql else []),
                *(each.model_dump() for each in settings.workbench.links),
                {"title": "Metrics", "url": "/actuator/prometheus"},
                {"title": "Health", "url": "/actuator/health"},
                {"title": "Registry", "url": "/actuator/registry"},
            ],
        }
        return await self._answer(request, orjson.dumps(answer))

    async def graph(self, request: Request) -> Response:
        """The picture of the graph in use; made anew when that changes."""
        if not self._graph_file.is_loaded:
            return Response(status_code=503)
        served = self._graph_file.current
        if self._picture[0] != served.digest and served.graph.supergraph is not None:
            picture = await asyncio.to_thread(graph_picture, served.graph.supergraph)
            self._picture = (served.digest, orjson.dumps({"digest": served.digest[:12], **picture}))
        return await self._answer(request, self._picture[1])

    async def log(self, request: Request) -> Response:
        lines = await self._panels.log(request.path_params["name"])
        if lines is None:
            return Response(status_code=404)
        return await self._answer(request, orjson.dumps({"lines": lines}))

    async def _answer(
        self, request: Request, body: bytes, headers: Mapping[str, str] = NO_STORE, media_type: str = "application/json"
    ) -> Response:
        """Compressed as the answers of the graph are; in a thread, for a picture of a large graph takes milliseconds."""
        told = {**headers, "vary": "accept-encoding"}
        accepted = request.headers.get("accept-encoding", "")
        coding = coding_for(len(body), accepted, self._settings.compress_from_bytes)
        if coding is not None:
            told["content-encoding"] = coding
            body = await asyncio.to_thread(encode, body, coding)
        return Response(body, headers=told, media_type=media_type)

    def _router(self) -> dict[str, Any]:
        graph_file = self._graph_file
        served = graph_file.current if graph_file.is_loaded else None
        return {
            "pid": os.getpid(),
            "workers": self._settings.workers,
            "startedAt": self._started_at,
            "digest": served.digest[:12] if served is not None else None,
            "generation": served.generation if served is not None else 0,
            "loadedAt": served.loaded_at if served is not None else None,
            "error": graph_file.error,
        }

    def _caches(self) -> list[dict[str, Any]]:
        self._graph_file.count_caches()
        found: dict[str, dict[str, Any]] = {}
        for labels, value in _samples(telemetry.CACHE_GETS):
            found.setdefault(labels["cache"], {})[labels["result"]] = value
        for labels, value in _samples(telemetry.ENTITY_CACHE_GETS):  # by subgraph and type too: their sum
            counts = found.setdefault("entity", {})
            counts[labels["result"]] = counts.get(labels["result"], 0) + value
        sizes = {labels["cache"]: value for labels, value in _samples(telemetry.CACHE_SIZE)}
        return [{"name": name, "size": sizes.get(name), "counts": counts} for name, counts in sorted(found.items())]


def _samples(metric: Counter | Gauge) -> Iterator[tuple[dict[str, str], float]]:
    for family in metric.collect():
        for sample in family.samples:
            yield sample.labels, sample.value


def _sum(metric: Counter | Gauge) -> float:
    return sum(value for _, value in _samples(metric))
