"""Runs the router's processes: one in the foreground, or `workers` of them that share a port by SO_REUSEPORT.

`app.serve` calls `run` with what makes the application. Workers share nothing but Redis, their metrics and what
subgraphs call back; the kernel spreads connections over them.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Protocol

import structlog
import uvicorn

from router.garbage import collect_in_short_pauses
from router.interrupts import deaf_to_interrupts
from router.server.bounded_http import BoundedHttpProtocol, ConnectionCaps, bounded_http
from router.server.certificate import check_certificate
from router.server.draining import Drainable, DrainingServer
from router.server.request import Receive, Scope, Send
from router.server.websocket_protocol import StrictWebSocketProtocol
from router.server.whole_request import AnswersWholeRequests, WholeRequestProtocol
from router.settings import Settings, Tls
from router.telemetry import CERTIFICATE_EXPIRES, configure_logging

log = structlog.get_logger(__name__)


class Application(Drainable, AnswersWholeRequests, Protocol):
    """An ASGI application that can be told of its end, and need not be told of a request in events."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    def join_workers(self, folder: Path) -> None: ...


#: Makes the application of one process. A function of a module: workers are given it by its name.
CreateApp = Callable[[Settings], Application]

RESTART_PAUSE_SECONDS = 1.0


def run(
    settings: Settings,
    create_app: CreateApp,
    listener: socket.socket | None = None,
    on_started: Callable[[], None] = lambda: None,
) -> None:
    """Serves until SIGINT or SIGTERM; then drains, and open requests get `shutdown_grace_seconds` to finish.

    A single process can be given a bound `listener`, and calls `on_started` when it accepts.
    """
    configure_logging(settings.telemetry, for_people=settings.logs_for_people)
    if settings.workers == 1:
        run_one(settings, create_app, listener or listening_socket(settings), on_started)
    else:
        _Supervisor(settings, create_app).run()


def run_one(
    settings: Settings,
    create_app: CreateApp,
    listener: socket.socket,
    on_started: Callable[[], None] = lambda: None,
    *,
    siblings: Path | None = None,
) -> None:
    """`siblings` is the folder in which the workers of one router find each other."""
    collect_in_short_pauses()  # no graph is loaded yet
    application = create_app(settings)
    if siblings is not None:
        application.join_workers(siblings)
    server = router_server(settings, application, on_started)
    log.info(
        "listening",
        address="{}://{}:{}".format("https" if settings.tls is not None else "http", *listener.getsockname()[:2]),
        path=settings.path,
        pid=os.getpid(),
    )
    server.run(sockets=[listener])


def router_server(
    settings: Settings, application: Application, on_started: Callable[[], None] = lambda: None
) -> DrainingServer:
    """How every router is served to its clients, whatever else is in its process. `on_started` tells that it accepts.

    Raises CertificateError.
    """
    limits = settings.limits
    tls = settings.tls
    if tls is not None:
        check_certificate(tls.certificate, tls.key)
    config = uvicorn.Config(
        application,
        ssl_certfile=tls.certificate if tls is not None else None,
        ssl_keyfile=tls.key if tls is not None else None,
        headers=_hsts(tls),
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=bounded_http(
            header_bytes=limits.header_bytes,
            max_seconds=settings.request_timeout_seconds,
            caps=ConnectionCaps(limits.connections, limits.connections_per_address),
            # behind a trusted proxy the client's address is in each request's own headers, which uvicorn's middleware reads
            protocol=BoundedHttpProtocol if settings.trusted_proxies else WholeRequestProtocol,
            application=application,
        ),
        ws=StrictWebSocketProtocol,
        ws_max_size=settings.subscriptions.max_message_bytes,
        ws_ping_interval=None,  # the GraphQL protocols have their own pings
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_grace_seconds) + 1),
    )
    return DrainingServer(
        config,
        application,
        accept_seconds=settings.drain_seconds,
        idle_seconds=settings.drain_idle_seconds,
        on_started=on_started,
        on_certificate=lambda file, expires: CERTIFICATE_EXPIRES.labels(file).set(expires.timestamp()),
    )


def _hsts(tls: Tls | None) -> list[tuple[str, str]]:
    """What keeps browsers from asking in the clear, in every answer."""
    if tls is None or not tls.hsts_seconds:
        return []
    return [("strict-transport-security", f"max-age={tls.hsts_seconds}; includeSubDomains")]


def listening_socket(settings: Settings) -> socket.socket:
    """Of the router's own port. Raises OSError where it is taken."""
    return bound_socket(settings.host, settings.port, is_shared=settings.workers > 1)


def bound_socket(host: str, port: int, *, is_shared: bool) -> socket.socket:
    """Raises OSError where the port is taken. One that is shared can be bound by each worker."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _worker(settings: Settings, create_app: CreateApp, siblings: Path) -> None:
    configure_logging(settings.telemetry, for_people=settings.logs_for_people)
    try:
        run_one(settings, create_app, listening_socket(settings), siblings=siblings)
    except Exception:  # multiprocessing would print it as it likes
        log.exception("worker_failed", pid=os.getpid())
        sys.exit(1)


class _Supervisor:
    """Starts the workers, restarts one that died, stops all on a signal."""

    def __init__(self, settings: Settings, create_app: CreateApp) -> None:
        self._create_app = create_app
        # Bound but not listening: holds the port for the workers, and finds a free one where 0 was asked for.
        self._reservation = listening_socket(settings)
        self._settings = settings.model_copy(update={"port": self._reservation.getsockname()[1]})
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[BaseProcess] = []
        self._is_stopping = False
        self._folder = Path(tempfile.mkdtemp(prefix="router-workers-"))

    def run(self) -> None:
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_number, self._stop)
        self._workers = [self._start() for _ in range(self._settings.workers)]
        log.info("workers_started", workers=len(self._workers), port=self._settings.port)
        while not self._is_stopping:
            time.sleep(0.2)
            self._replace_dead()
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            drain_seconds = self._settings.drain_seconds + self._settings.drain_idle_seconds
            worker.join(drain_seconds + self._settings.shutdown_grace_seconds + 5)
            if worker.is_alive():
                worker.kill()
        self._reservation.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> BaseProcess:
        worker = self._context.Process(
            target=_worker, args=(self._settings, self._create_app, self._folder), daemon=True
        )
        resource_tracker.ensure_running()  # at its own start it lets the signals through again
        with deaf_to_interrupts():
            worker.start()
        return worker

    def _replace_dead(self) -> None:
        for index, worker in enumerate(self._workers):
            if worker.is_alive() or self._is_stopping:
                continue
            log.error("worker_died", pid=worker.pid, exit_code=worker.exitcode)
            time.sleep(RESTART_PAUSE_SECONDS)  # a worker that cannot start must not be started in a busy loop
            self._workers[index] = self._start()

    def _stop(self, _: int, __: FrameType | None) -> None:
        self._is_stopping = True
