"""The whole platform as children of one supervisor: servers, schema, sample data, subgraphs, router, in that order.

`fittracker up` and the end-to-end tests run it; `data_directory` holds what it keeps.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import yaml

from deploy.child import ChildError, ChildSpec
from deploy.data_directory import DataDirectory, StackState
from deploy.embedded import (
    DOMAINS,
    HOST,
    EmbeddedPorts,
    EmbeddedServers,
    broker_spec,
    create_databases,
    free_ports,
    postgres_spec,
    valkey_spec,
)
from deploy.errors import FriendlyError
from deploy.supervisor import Supervisor
from deploy.terminal import ChildLog, Terminal

SUBGRAPH_PORTS = {"users": 8081, "nutrition": 8082, "workouts": 8083, "analytics": 8084}
BACKLOG = 2048
ROUTER_PATIENCE_SECONDS = 10.0


class PortTakenError(RuntimeError):
    """Somebody listens there already."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """`port` 0 takes free ports for everything, as tests do."""

    data_dir: Path
    port: int = 8080
    sample_data: bool = True
    in_process: bool = False
    watch: bool = False


class Stack:
    """Started once by `start`; `run_until` then keeps it alive. `async with` stops it."""

    def __init__(self, options: StackOptions, directory: DataDirectory, terminal: Terminal) -> None:
        self.options = options
        self.directory = directory
        self.terminal = terminal
        self._log = ChildLog(terminal, directory.logs)
        self.supervisor = Supervisor(self._log.line, self._log.news)
        self.port = options.port
        self.subgraph_ports: dict[str, int] = {}
        self._listeners: dict[str, socket.socket] = {}
        self.environment: dict[str, str] = {}

    @property
    def router_url(self) -> str:
        return f"http://{HOST}:{self.port}/graphql"

    @property
    def subgraph_urls(self) -> dict[str, str]:
        return {name: f"http://{HOST}:{port}/graphql" for name, port in self.subgraph_ports.items()}

    async def start(self) -> None:
        """Everything up, the first federated query can be asked. Raises ChildError, PortTakenError."""
        self._choose_ports()
        self.environment = await self._start_servers()
        with self.terminal.step("Migrate four databases, compose the graph"):
            await self._run_to_end(
                "prepare", "prepare", "--supergraph", str(self.directory.supergraph), "--ports", self._ports_argument
            )
        self.directory.complaint.unlink(missing_ok=True)  # of an earlier run
        if self.options.sample_data and not self.directory.has_loaded("sample-data"):
            with self.terminal.step("Load sample foods, exercises and people (once)"):
                await self._run_to_end("sample-data", "sample-data", "--data-dir", str(self.directory.path))
                self.directory.mark_loaded("sample-data")
        self._write_router_config()
        config = ("--config", str(self.directory.router_config))
        if self.options.in_process:
            self._close_listeners()
            arguments = ("in-process", *config, "--ports", self._ports_argument)
            with self.terminal.step("Start router and subgraphs in one process"):
                await self.supervisor.start(self._own_spec("router", self.port, arguments, "/ready"))
        else:
            specs = [self._subgraph_spec(name) for name in self.subgraph_ports]
            specs.append(self._own_spec("router", self.port, ("router", *config, "--watch"), "/ready"))
            with self.terminal.step("Start four subgraphs and the router"):
                await self.supervisor.start_together(specs)
        self.write_state()

    async def stop(self) -> None:
        """All children end, in reverse order; what they stored stays."""
        await self.supervisor.stop()
        self._close_listeners()
        self._log.close()

    def news(self, text: str) -> None:
        self._log.news("stack", text)

    def write_state(self) -> None:
        public = {name: value for name, value in self.environment.items() if "SECRET" not in name}
        self.directory.write_state(
            StackState(self.router_url, os.getpid(), self.supervisor.pids, self.supervisor.ports, public)
        )

    async def running_sdls(self) -> dict[str, str]:
        """What each subgraph that serves now says its SDL is. Raises OSError."""
        ports = self.subgraph_ports.values()
        answers = await asyncio.gather(
            *(asyncio.to_thread(_json_of, port, "/graphql", {"query": "{ _service { sdl } }"}) for port in ports)
        )
        return {
            name: answer["data"]["_service"]["sdl"] for name, answer in zip(self.subgraph_ports, answers, strict=True)
        }

    async def migrate(self) -> None:
        """Bring the databases to the revision of the code as it is now. Raises ChildError."""
        await self._run_to_end("migrate", "migrate")

    async def serve_graph(self, supergraph: str) -> None:
        """Write the graph and wait until the router has taken it. Raises FriendlyError where the router refuses it.

        A router that does not answer takes it when it is back.
        """
        from deploy.composition import write_whole

        await asyncio.to_thread(write_whole, self.directory.supergraph, supergraph)
        digest = sha256(supergraph.encode()).hexdigest()
        end = asyncio.get_running_loop().time() + ROUTER_PATIENCE_SECONDS
        served: dict[str, Any] = {}
        while asyncio.get_running_loop().time() < end:
            served = await asyncio.to_thread(self._served_graph)
            if digest.startswith(served.get("digest", "none")):
                return
            await asyncio.sleep(0.1)
        if complaint := served.get("error"):
            raise FriendlyError(f"the router refuses the new graph: {complaint}")

    async def _start_servers(self) -> dict[str, str]:
        """Those that the environment does not name, side by side. Hands back the subgraphs' whole environment."""
        named = {name: value for name, value in os.environ.items() if value and _names_a_server(name)}
        servers = EmbeddedServers(EmbeddedPorts.free())
        environment = {**servers.environment(), **named}
        if "KAFKA_BOOTSTRAP_SERVERS" in named:  # a real Kafka has neither of the embedded broker's gaps
            for name in ("KAFKA_IDEMPOTENT", "KAFKA_FETCH_MAX_WAIT_MS"):
                if name not in named:
                    del environment[name]
        specs: list[ChildSpec] = []
        needs_postgres = not all(f"DATABASE_URL_{domain.upper()}" in named for domain in DOMAINS)
        if needs_postgres:
            with self.terminal.step("Prepare Postgres"):
                specs.append(await asyncio.to_thread(postgres_spec, self.directory.path, servers.ports.postgres))
        if "REDIS_URL" not in named:
            specs.append(valkey_spec(self.directory.path, servers.ports.valkey))
        if "KAFKA_BOOTSTRAP_SERVERS" not in named:
            specs.append(broker_spec(servers.ports.broker))
        if specs:
            with self.terminal.step(f"Start {', '.join(spec.name for spec in specs)}"):
                await self.supervisor.start_together(specs)
        if needs_postgres:
            await create_databases(servers.ports.postgres)
        environment["JWT_SECRET"] = os.environ.get("JWT_SECRET") or self.directory.jwt_secret()
        environment["FITTRACKER_ENV"] = os.environ.get("FITTRACKER_ENV", "dev")
        return environment

    @property
    def _ports_argument(self) -> str:
        return ",".join(f"{name}={port}" for name, port in self.subgraph_ports.items())

    def _choose_ports(self) -> None:
        """The subgraphs' ports are ours from here on: each generation of a subgraph inherits its socket."""
        for name, usual in SUBGRAPH_PORTS.items():
            wanted = usual - 8080 + self.port if self.port else 0
            listener = _listening(wanted) or _listening(0)
            assert listener is not None
            self._listeners[name] = listener
            self.subgraph_ports[name] = listener.getsockname()[1]
            if wanted and self.subgraph_ports[name] != wanted:
                self.news(f"port {wanted} is taken; {name} listens on {self.subgraph_ports[name]}")
        if self.port == 0:
            self.port = free_ports(1)[0]
        elif (probe := _listening(self.port)) is not None:
            probe.close()
        else:
            raise PortTakenError(f"port {self.port} is taken by another program; choose another with --port")

    def _close_listeners(self) -> None:
        for listener in self._listeners.values():
            listener.close()
        self._listeners.clear()

    def _subgraph_spec(self, name: str) -> ChildSpec:
        spec = self._own_spec(name, self.subgraph_ports[name], ("subgraph", name), "/ready")
        return replace(spec, listener=self._listeners[name])

    def _served_graph(self) -> dict[str, Any]:
        """What the router says of its graph; empty where it does not answer."""
        try:
            details: dict[str, Any] = _json_of(self.port, "/ready")["components"]["supergraph"]["details"]
        except (OSError, ValueError, KeyError):
            return {}
        return details

    def _own_spec(self, name: str, port: int, arguments: tuple[str, ...], probe: str) -> ChildSpec:
        return ChildSpec(
            name=name,
            command=(sys.executable, "-m", "deploy", *arguments),
            port=port,
            ready=http_ok(port, probe),
            environment=self._child_environment(),
        )

    def _child_environment(self) -> dict[str, str]:
        root = Path(__file__).parents[1]
        path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
        colours = {"FORCE_COLOR": "1"} if self.terminal.console.is_terminal else {}
        return {**self.environment, **colours, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}

    def _write_router_config(self) -> None:
        """The router's settings in development; the secret is named here and travels in the environment."""
        config = {
            "supergraph": str(self.directory.supergraph),
            "host": HOST,
            "port": self.port,
            "dev": True,
            "redis_url": "${REDIS_URL}",
            "jwt": {"keys": [{"secret": "${JWT_SECRET}"}], "issuers": ["fittracker"], "audiences": ["fittracker"]},
            "telemetry": {"log_format": "console", "log_requests": False},
        }
        self.directory.router_config.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")

    async def _run_to_end(self, name: str, *arguments: str) -> None:
        """One of our own commands; its output goes to its log file, and into the error where it fails."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy", *arguments,
            env={**os.environ, **self._child_environment()},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
        text = output.decode(errors="replace")
        (self.directory.logs / f"{name}.log").write_text(text, encoding="utf-8")
        if process.returncode != 0:
            raise ChildError(f"{name} failed:\n{text.strip()[-3000:]}")


def http_ok(port: int, path: str) -> Callable[[], Awaitable[bool]]:
    """Ready means: a GET of `path` is answered with 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()

    async def ready() -> bool:
        try:
            async with asyncio.timeout(5.0):
                reader, writer = await asyncio.open_connection(HOST, port)
                try:
                    writer.write(request)
                    status = await reader.readline()
                finally:
                    writer.close()
        except OSError:
            return False
        return status.split(b" ")[1:2] == [b"200"]

    return ready


def _json_of(port: int, path: str, body: object = None) -> Any:
    """The answer to a GET, or to a POST of `body`. Raises OSError, ValueError."""
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        if body is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        return json.load(connection.getresponse())
    except HTTPException as error:
        raise OSError(f"port {port} does not speak HTTP: {error!r}") from None
    finally:
        connection.close()


def _names_a_server(variable: str) -> bool:
    return variable.startswith(("DATABASE_URL_", "DATABASE_REPLICA_URL_", "REDIS_", "KAFKA_"))


def _listening(port: int) -> socket.socket | None:
    """None where the port is taken. Until somebody accepts, connections wait."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        return None
    return listener
