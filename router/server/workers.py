"""Runs the router's processes: one in the foreground, or `workers` of them that share a port by SO_REUSEPORT.

`app.serve` calls `run`. Workers share nothing but Redis; the kernel spreads connections over them.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import sys
import time
from multiprocessing.process import BaseProcess
from types import FrameType

import structlog
import uvicorn

from router.server.bounded_http import bounded_http
from router.settings import Settings
from router.telemetry import configure_logging

log = structlog.get_logger(__name__)

RESTART_PAUSE_SECONDS = 1.0
BACKLOG = 2048


def run(settings: Settings) -> None:
    """Serves until SIGINT or SIGTERM; then open requests get `shutdown_grace_seconds` to finish."""
    configure_logging(settings.telemetry)
    if settings.workers == 1:
        run_one(settings, listening_socket(settings))
    else:
        _Supervisor(settings).run()


def run_one(settings: Settings, listener: socket.socket) -> None:
    from router.server.app import create_app

    # Answers are thousands of short-lived dicts without cycles: the default of 700 has the collector walk them, and
    # the schema, all the time. Not gc.freeze(): a graph that was replaced must go.
    gc.set_threshold(50_000, 20, 100)
    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=bounded_http(settings.limits, settings.request_timeout_seconds),
        ws="websockets-sansio",
        ws_max_size=settings.subscriptions.max_message_bytes,
        ws_ping_interval=None,  # the GraphQL protocols have their own pings
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_grace_seconds) + 1),
    )
    log.info(
        "listening", address="http://{}:{}".format(*listener.getsockname()[:2]), path=settings.path, pid=os.getpid()
    )
    uvicorn.Server(config).run(sockets=[listener])


def listening_socket(settings: Settings) -> socket.socket:
    """Bound; raises OSError where the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.workers > 1:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError:
        listener.close()
        raise
    return listener


def _worker(settings: Settings) -> None:
    configure_logging(settings.telemetry)
    run_one(settings, listening_socket(settings))


class _Supervisor:
    """Starts the workers, restarts one that died, stops all on a signal."""

    def __init__(self, settings: Settings) -> None:
        # Bound but not listening: holds the port for the workers, and finds a free one where 0 was asked for.
        self._reservation = listening_socket(settings)
        self._settings = settings.model_copy(update={"port": self._reservation.getsockname()[1]})
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[BaseProcess] = []
        self._is_stopping = False

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
            worker.join(self._settings.shutdown_grace_seconds + 5)
            if worker.is_alive():
                worker.kill()
        self._reservation.close()

    def _start(self) -> BaseProcess:
        worker = self._context.Process(target=_worker, args=(self._settings,), daemon=True)
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
