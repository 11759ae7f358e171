"""The graph in use, and how it changes while the router runs.

`app` loads it at start and, with `watch`, follows the file. A request takes `current` once and finishes on that graph,
so a swap cuts nobody off; a file that cannot be used leaves the last good graph in place and its complaint in `error`.
Whoever composes can leave a complaint of its own in `<file>.error`, which is told in the same way until it is removed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import structlog

from router.access.authorization import AuthorizationRules
from router.cache_policy import CacheHints
from router.errors import RouterError
from router.file_changes import changes_of
from router.incremental.plan_parts import PartPlans
from router.loaded_graph import GraphOptions, LoadedGraph
from router.prepared_request import Runtime
from router.server.graph_memory import ReplacedSchemas, short_collections
from router.settings import SettingsError
from router.telemetry import CACHE_GETS, CACHE_SIZE, GRAPH_GENERATION, GRAPH_LOADS

log = structlog.get_logger(__name__)

#: What requests need of a graph: made from its SDL, the graph, and what the SDL says of rights and of caching.
MakeRuntime = Callable[[str, LoadedGraph, AuthorizationRules, CacheHints], Runtime]


@dataclass(frozen=True, slots=True)
class ServedGraph:
    """One generation: the graph and what the server derives from the same SDL."""

    graph: LoadedGraph
    runtime: Runtime
    authorization: AuthorizationRules
    cache_hints: CacheHints
    digest: str
    generation: int
    loaded_at: float


class GraphFile:
    """Holds the current generation of one supergraph file."""

    def __init__(self, file: Path, options: GraphOptions, make_runtime: MakeRuntime) -> None:
        self._file = file
        self._complaint_file = file.with_name(file.name + ".error")
        self._options = options
        self._make_runtime = make_runtime
        #: plans on a graph what is likely to be asked, given the one before it; awaited before it serves
        self.warm: Callable[[LoadedGraph, LoadedGraph | None], Awaitable[None]] | None = None
        self._served: ServedGraph | None = None
        self._replaced = ReplacedSchemas()
        self._file_error: str | None = None
        self._composition_error: str | None = None

    @property
    def error(self) -> str | None:
        """Why what is served is not the newest there could be."""
        return self._file_error or self._composition_error

    @property
    def current(self) -> ServedGraph:
        if self._served is None:
            raise SettingsError(f"{self._file} has not been loaded")
        return self._served

    @property
    def is_loaded(self) -> bool:
        return self._served is not None

    @property
    def subgraph_urls(self) -> Mapping[str, str]:
        """Of the graph in use; none before one is loaded."""
        return self._served.graph.subgraph_urls if self._served is not None else {}

    async def load(self) -> None:
        """Reads the file for the first time. Raises SettingsError where there is nothing usable to serve."""
        if not await self.reload():
            raise SettingsError(f"{self._file} is not a usable supergraph: {self.error}")

    async def reload(self) -> bool:
        """Whether the file, as it is now, is what is served."""
        try:
            sdl = await asyncio.to_thread(self._file.read_text, encoding="utf-8")
            digest = sha256(sdl.encode()).hexdigest()
            if self._served is not None and self._served.digest == digest:
                self._file_error = None
                return True
            with short_collections():
                served = await asyncio.to_thread(self._derive, sdl, digest)
            if self.warm is not None:
                await self.warm(served.graph, self._served.graph if self._served is not None else None)
        except Exception as error:  # whatever is wrong with the file, the last good graph goes on
            self._file_error = error.message if isinstance(error, RouterError) else str(error) or repr(error)
            log.error("supergraph_refused", file=str(self._file), error=self._file_error)
            GRAPH_LOADS.labels("refused").inc()
            return False
        self.count_caches()
        previous, self._served = self._served, served
        if previous is not None:
            previous.graph.retire()
            self._replaced.add(previous.graph.api_schema)
        self._file_error = None
        log.info("supergraph_loaded", file=str(self._file), generation=served.generation, digest=digest[:12])
        GRAPH_LOADS.labels("loaded").inc()
        GRAPH_GENERATION.set(served.generation)
        return True

    def count_caches(self) -> None:
        """Brings the metrics of the graph's caches up to date; counting at every look-up would cost more than it."""
        if self._served is None:
            return
        for name, cache in self._served.graph.caches.items():
            for result, count in cache.take_counts().items():
                CACHE_GETS.labels(name, result).inc(count)
            CACHE_SIZE.labels(name).set(len(cache))

    def close(self) -> None:
        if self._served is not None:
            self._served.graph.close()

    async def watch(self) -> None:
        """Follows the file for ever."""
        async for _ in changes_of(self._file, self._complaint_file):
            await asyncio.to_thread(self._read_complaint)
            if self._file.exists():
                await self.reload()

    def _read_complaint(self) -> None:
        try:
            self._composition_error = self._complaint_file.read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError):
            self._composition_error = None

    def _derive(self, sdl: str, digest: str) -> ServedGraph:
        self._replaced.free()
        graph = LoadedGraph.from_sdl(sdl, self._options)
        graph.derived(PartPlans)  # now, and not by the first request
        rules = AuthorizationRules.from_sdl(sdl, graph.api_schema)
        hints = CacheHints.from_sdl(sdl, graph.api_schema)
        return ServedGraph(
            graph=graph,
            runtime=self._make_runtime(sdl, graph, rules, hints),
            authorization=rules,
            cache_hints=hints,
            digest=digest,
            generation=self._served.generation + 1 if self._served is not None else 1,
            loaded_at=time.time(),
        )
