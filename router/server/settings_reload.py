"""Changed settings taken over while the router serves: an application of the new ones takes every request from then on.

`app.serve` has a `ReloadableRouter` served where the settings are watched. The application before goes on with the
requests, connections and subscriptions that it has, and ends with the last of them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.errors import RouterError
from router.file_changes import changes_of
from router.server.callbacks import Callbacks, receiving_end
from router.server.management import management_server
from router.server.whole_request import WholeRequest
from router.server.worker_metrics import WorkerMetrics
from router.server.workers import Application
from router.settings import Settings, SettingsError, load_settings
from router.telemetry import SETTINGS_LOADS, metrics_text

log = structlog.get_logger(__name__)

#: What belongs to the process and its sockets.
FIXED = (
    "host",
    "port",
    "workers",
    "management",
    "tls",
    "trusted_proxies",
    "telemetry",
    "limits.header_bytes",
    "limits.connections",
    "limits.connections_per_address",
    "subscriptions.max_message_bytes",
    "subscriptions.callback",
    "watch",
)
#: So many earlier applications may still have clients; of an older one the clients are told to come again.
MAX_RETIRED = 3


class Replaceable(Application, Protocol):
    """An application that can be one of several in a process, whose own things are served by somebody else."""

    @property
    def management(self) -> ASGIApp: ...

    def leave_process_to(self, metrics: WorkerMetrics, callbacks: Callbacks | None) -> None: ...


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """Where settings come from; `overrides` are of the command line. Can be sent to another process."""

    file: Path
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Settings:
        """Raises SettingsError."""
        return load_settings(self.file, **self.overrides)


class _Generation:
    """One application, whose lifespan is run here, and how many requests and connections it has."""

    def __init__(self, settings: Settings, app: Replaceable) -> None:
        self.settings = settings
        self.app = app
        self.open = 0
        self.is_idle = asyncio.Event()
        self.is_idle.set()
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._is_started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lifespan: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises SettingsError where the application does not start."""
        self._events.put_nowait({"type": "lifespan.startup"})
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._lifespan = asyncio.ensure_future(self.app(scope, self._events.get, self._note))
        self._lifespan.add_done_callback(self._note_end)
        await self._is_started

    async def stop(self) -> None:
        """Its streams are told to end, and get the grace of its settings."""
        self._events.put_nowait({"type": "lifespan.shutdown"})
        if self._lifespan is not None:
            with suppress(Exception):  # it is over, and has logged why
                await self._lifespan

    async def serve(self, request: Awaitable[None]) -> None:
        self.open += 1
        self.is_idle.clear()
        try:
            await request
        finally:
            self.open -= 1
            if not self.open:
                self.is_idle.set()

    async def _note(self, message: Message) -> None:
        if self._is_started.done():
            return
        if message["type"] == "lifespan.startup.complete":
            self._is_started.set_result(None)
        elif message["type"] == "lifespan.startup.failed":
            self._is_started.set_exception(SettingsError(_reason_in(message.get("message", ""))))

    def _note_end(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if not self._is_started.done():
            self._is_started.set_exception(SettingsError(str(error) or "the application ended"))


class ReloadableRouter:
    """An ASGI application in front of those that `create_app` makes, one for each state of the settings."""

    def __init__(self, create_app: Callable[[Settings], Replaceable], settings: Settings, source: SettingsFile) -> None:
        self._create_app = create_app
        self._first = settings
        self._source = source
        self._current: _Generation | None = None
        self._retired: list[_Generation] = []
        self._duties: set[asyncio.Task[None]] = set()
        self._metrics = WorkerMetrics(metrics_text)
        self._callbacks = receiving_end(settings)

    @property
    def settings(self) -> Settings:
        """Those that are served."""
        return self._first if self._current is None else self._current.settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._run(receive, send)
        else:
            assert self._current is not None
            await self._current.serve(self._current.app(scope, receive, send))

    def takes(self, target: bytes) -> bool:
        return self._current is not None and self._current.app.takes(target)

    def answer(self, request: WholeRequest) -> Awaitable[None]:
        assert self._current is not None
        return self._current.serve(self._current.app.answer(request))

    def join_workers(self, folder: Path) -> None:
        """The other workers' metrics are in every scrape, and ours in theirs; callbacks find their worker."""
        self._metrics = WorkerMetrics(metrics_text, folder)
        if self._callbacks is not None:
            self._callbacks.join_workers(folder, str(os.getpid()))

    def begin_draining(self) -> None:
        for each in self._all():
            each.app.begin_draining()

    def end_streams(self) -> None:
        for each in self._all():
            each.app.end_streams()

    def _all(self) -> list[_Generation]:
        return [*self._retired, *([self._current] if self._current is not None else [])]

    async def _run(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                self._current = await self._started(self._first)
                stack.push_async_callback(self._stop_all)
                await stack.enter_async_context(self._metrics.shared())
                await stack.enter_async_context(management_server(self._manage, self._first))
                if self._callbacks is not None:
                    await stack.enter_async_context(self._callbacks.served())
            except (SettingsError, OSError) as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            watching = asyncio.ensure_future(self._watch())
            await receive()
            for task in (watching, *self._duties):
                task.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def _started(self, settings: Settings) -> _Generation:
        """Raises what keeps the application from starting; nothing of it is left then."""
        app = self._create_app(settings)
        app.leave_process_to(self._metrics, self._callbacks)
        generation = _Generation(settings, app)
        try:
            await generation.start()
        except BaseException:
            await generation.stop()
            raise
        return generation

    async def _stop_all(self) -> None:
        await asyncio.gather(*(each.stop() for each in self._all()))

    async def _manage(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._current is not None
        await self._current.app.management(scope, receive, send)

    async def _watch(self) -> None:
        """The first step is taken too: the file may have changed since this process was told of it."""
        async for _ in changes_of(self._source.file):
            await self.reload()

    async def reload(self) -> bool:
        """Whether the file, as it is now, is what is served."""
        assert self._current is not None
        try:
            settings = await asyncio.to_thread(self._source.load)
            if settings == self._current.settings:
                return True
            _refuse_fixed(self._current.settings, settings)
            fresh = await self._started(settings)
        except Exception as error:  # whatever is wrong with it, what served goes on
            reason = error.message if isinstance(error, RouterError) else str(error) or repr(error)
            log.error("settings_refused", file=str(self._source.file), error=reason)
            SETTINGS_LOADS.labels("refused").inc()
            return False
        changed = sorted(name for name in Settings.model_fields if _differs(self._current.settings, settings, name))
        self._retire(self._current)
        self._current = fresh
        log.info("settings_loaded", file=str(self._source.file), changed=changed)
        SETTINGS_LOADS.labels("loaded").inc()
        return True

    def _retire(self, generation: _Generation) -> None:
        self._retired.append(generation)
        self._do(self._end(generation))
        while len(self._retired) > MAX_RETIRED:
            self._do(self._retired.pop(0).stop())

    async def _end(self, generation: _Generation) -> None:
        await generation.is_idle.wait()
        if generation in self._retired:
            self._retired.remove(generation)
            await generation.stop()

    def _do(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._duties.add(task)
        task.add_done_callback(self._duties.discard)


def _refuse_fixed(old: Settings, new: Settings) -> None:
    """Raises SettingsError for what cannot change while the process lives."""
    changed = [name for name in FIXED if _differs(old, new, name)]
    if changed:
        raise SettingsError(f"{', '.join(changed)} cannot change while the router runs; restart it")


def _differs(old: Settings, new: Settings, dotted: str) -> bool:
    one: Any = old
    other: Any = new
    for name in dotted.split("."):
        one, other = getattr(one, name), getattr(other, name)
    return bool(one != other)


def _reason_in(message: str) -> str:
    """The last line of a traceback, which Starlette sends whole."""
    lines = [line for line in message.splitlines() if line.strip()]
    return lines[-1] if lines else "the application does not start"
