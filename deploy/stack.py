"""The whole platform as children of one supervisor: servers, schema, sample data, then subgraphs and router together.

`fittracker up` and the end-to-end tests run it; `data_directory` holds what it keeps.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from deploy.child import ChildError, ChildSpec, Gate
from deploy.data_directory import DataDirectory, StackState, write_whole
from deploy.embedded import (
    DOMAINS,
    HIGHEST_PORT,
    HOST,
    SERVER_NAMES,
    EmbeddedPorts,
    EmbeddedServers,
    broker_spec,
    cache_spec,
    create_databases,
    postgres_spec,
    valkey_spec,
)
from deploy.environment import value_of
from deploy.errors import FriendlyError
from deploy.fleet import Fleet
from deploy.forking import ForkServer
from deploy.last_preparation import LastPreparation, digest_of_code
from deploy.local_http import http_ok, json_of
from deploy.own_settings import check_merged, laid_over, read_own_settings
from deploy.preparation import Preparation
from deploy.server_secret import ServerSecret
from deploy.subgraph_ports import SUBGRAPH_PORTS
from deploy.supervisor import Supervisor
from deploy.terminal import ChildLog, Terminal
from deploy.workbench import console_settings, workbench_settings

BACKLOG = 2048
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - where somebody asks for it by --host  # nosec B104
ROUTER_PATIENCE_SECONDS = 10.0
PRODUCTION_ROUTER = Path(__file__).parent / "compose" / "router.yaml"


class PortTakenError(FriendlyError):
    """Somebody listens there already."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """`port` 0 takes free ports for everything, as tests do. `host` is where the router listens, and it alone; `config` has
    settings of the router that count more than ours.
    """

    data_dir: Path
    port: int = 8080
    sample_data: bool = True
    in_process: bool = False
    watch: bool = False
    cors_origins: tuple[str, ...] = ()
    scale: Mapping[str, int] = field(default_factory=dict)
    host: str = HOST
    config: Path | None = None


class Stack:
    """Started once by `start`; its supervisor keeps the children alive until `stop`."""

    def __init__(self, options: StackOptions, directory: DataDirectory, terminal: Terminal) -> None:
        self.options = options
        self.directory = directory
        self.terminal = terminal
        self._log = ChildLog(terminal, directory.logs, SERVER_NAMES)
        self.supervisor = Supervisor(self._log.line, self._log.news)
        self.port = options.port
        self.subgraph_ports: dict[str, int] = {}
        self._router_listener: socket.socket | None = None
        self.fleet = Fleet(self.supervisor, directory.instances, self._subgraph_spec)
        self.changing = asyncio.Lock()  # of processes: by hand, or because their code changed
        self.control = ""
        self.environment: dict[str, str] = {}
        self._preparation: Preparation | None = None
        self._fork_server: ForkServer | None = None
        self._gate = Gate()
        self._serving: asyncio.Task[None] | None = None

    @property
    def router_url(self) -> str:
        return f"http://{HOST}:{self.port}/graphql"

    @property
    def serves_pages(self) -> bool:
        """Whether the router has its pages for development."""
        return not self._in_production

    @property
    def subgraph_urls(self) -> dict[str, str]:
        return {name: f"http://{HOST}:{port}/graphql" for name, port in self.subgraph_ports.items()}

    async def start(self) -> None:
        """Everything up, the first federated query can be asked. Raises ChildError, and what `choose_ports` does."""
        own_settings = read_own_settings(self.options.config) if self.options.config is not None else {}
        self.choose_ports()
        named = {name: value for name, value in os.environ.items() if value and _names_a_server(name)}
        if self._in_production:
            _refuse_development(named)
        servers = EmbeddedServers(EmbeddedPorts.beside(self.options.port), ServerSecret.of(self.directory.path))
        self.environment = self._environment_beside(servers, named)
        if not self.options.in_process:
            self._fork_server = await ForkServer.start({**os.environ, **self._child_environment()})
        beginning = None
        if not self._last_preparation.is_remembered or self._lacks_people:  # known without a database
            beginning = asyncio.create_task(self._begin_preparation())  # first, because everything waits for it
        if not self.options.in_process:  # they import beside the servers' start, and wait at the gate
            self._serving = asyncio.create_task(self.supervisor.start_together(self._serving_specs()))
        try:
            await self._start_servers(servers, named)
        finally:
            if beginning is not None:  # `stop` ends what has begun
                await beginning
        await self._prepare()
        self.directory.complaint.unlink(missing_ok=True)  # of an earlier run
        self._write_router_config(own_settings)
        await self._start_serving()
        if self.options.scale and not self.options.in_process:
            with self.terminal.step("Start further instances"):
                await self.fleet.scale(self.options.scale, self.news)
        await self._end_of_forks()
        self.write_state()

    def choose_ports(self) -> None:
        """Listens where router and subgraphs will; each generation of a subgraph inherits its socket.

        Raises PortTakenError, PermissionError for a privileged port, and FriendlyError for another `host` than these two.
        """
        if self.options.host not in (HOST, EVERY_ADDRESS):
            raise FriendlyError(
                f"the stack asks its own router at {HOST}, so it cannot listen at {self.options.host} alone",
                f"--host {EVERY_ADDRESS} listens at every address of this machine",
            )
        self._router_listener = _listening(self.port, self.options.host)
        if self._router_listener is None:
            raise PortTakenError(f"port {self.port} is taken by another program", "choose another with --port")
        self.port = self.fleet.router_port = self._router_listener.getsockname()[1]
        for name, usual in SUBGRAPH_PORTS.items():
            wanted = usual - 8080 + self.options.port if self.options.port else 0
            listener = (_listening(wanted) if wanted <= HIGHEST_PORT else None) or _listening(0)
            assert listener is not None
            self.fleet.add_first(name, listener)
            self.subgraph_ports[name] = listener.getsockname()[1]
            if wanted and self.subgraph_ports[name] != wanted:
                why = "taken" if wanted <= HIGHEST_PORT else "beyond the highest"
                self.news(f"port {wanted} is {why}; {name} listens on {self.subgraph_ports[name]}")

    async def change(self, request: Mapping[str, Any], tell: Callable[[str], None]) -> None:
        """What `fittracker scale` and `roll` ask. Raises FriendlyError."""
        if self.options.in_process:
            raise FriendlyError(
                "subgraphs and router are one process here", "start it without --in-process to scale and roll"
            )
        async with self.changing:
            if request.get("verb") == "scale":
                await self.fleet.scale(request["wanted"], tell)
            elif request.get("verb") == "roll":
                await self.fleet.roll(request["names"], tell)
            else:
                raise FriendlyError("the running stack is of another version")
        self.write_state()

    async def stop(self) -> None:
        """All children end, in reverse order; what they stored stays."""
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
        if self._preparation is not None:
            await self._preparation.stop()
        await self._end_of_forks()
        await self.supervisor.stop()
        self._gate.close()
        self._close_listeners()
        self._log.close()

    def news(self, text: str) -> None:
        self._log.news("stack", text)

    def write_state(self) -> None:
        public = {
            name: value for name, value in self.environment.items() if "SECRET" not in name and "PASSWORD" not in name
        }
        self.directory.write_state(
            StackState(self.router_url, os.getpid(), self.supervisor.pids, self.supervisor.ports, public, self.control)
        )

    async def running_sdls(self) -> dict[str, str]:
        """What each subgraph that serves now says its SDL is. Raises OSError."""
        ports = self.subgraph_ports.values()
        answers = await asyncio.gather(
            *(asyncio.to_thread(json_of, port, "/graphql", {"query": "{ _service { sdl } }"}) for port in ports)
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

    async def _start_servers(self, servers: EmbeddedServers, named: Mapping[str, str]) -> None:
        """Those that the environment does not name, side by side, with their empty databases. Raises ChildError."""
        specs = await self._embedded_specs(named, servers)
        if specs:
            with self.terminal.step(f"Start {', '.join(spec.name for spec in specs)}"):
                await self.supervisor.start_together(specs)
        if _needs_postgres(named):
            await create_databases(servers)

    def _environment_beside(self, servers: EmbeddedServers, named: Mapping[str, str]) -> dict[str, str]:
        """The subgraphs' whole environment."""
        environment = _environment_of(servers, named)
        environment["JWT_SECRET"] = os.environ.get("JWT_SECRET") or self.directory.jwt_secret()
        if not self._in_production:
            self._give_keys(environment)
        environment["FITTRACKER_ENV"] = os.environ.get("FITTRACKER_ENV", "dev")
        if not self._in_production and not any(
            os.environ.get(name) for name in ("SMTP_URL", "SMTP_URL_FILE", "MAIL_SPOOL")
        ):
            environment["MAIL_SPOOL"] = str(self.directory.mail)  # read by `fittracker mail`
        return environment

    def _give_keys(self, environment: dict[str, str]) -> None:
        """Push messages, second factors and webhooks have keys of their own in development. Webhooks may go to this machine, unless others can
        reach the stack, who would reach what else is on it.
        """
        for name, own_key in (
            ("WEB_PUSH_KEY", self.directory.web_push_key),
            ("SECOND_FACTOR_KEY", self.directory.second_factor_key),
            ("WEBHOOK_KEY", self.directory.webhook_key),
        ):
            if not os.environ.get(f"{name}_FILE"):
                environment[name] = os.environ.get(name) or own_key()
        is_alone = self.options.host == HOST
        environment["WEBHOOK_LOOPBACK"] = os.environ.get("WEBHOOK_LOOPBACK") or ("1" if is_alone else "0")

    @property
    def _last_preparation(self) -> LastPreparation:
        urls = {name: value_of(f"DATABASE_URL_{name.upper()}", self.environment) or "" for name in DOMAINS}
        return LastPreparation(self.directory.preparation, self.directory.supergraph, self.subgraph_ports, urls)

    async def _begin_preparation(self) -> None:
        arguments = ["--supergraph", str(self.directory.supergraph), "--ports", self._ports_argument]
        if self._lacks_people:
            arguments += ["--sample-data", str(self.directory.path)]
        log = self.directory.logs / "prepare.log"
        self._preparation = await Preparation.begin(arguments, self._child_environment(), log, self._fork_server)

    async def _prepare(self) -> None:
        """Migrations and the composed graph, unless both are there from an earlier start."""
        if self._preparation is None and await self._last_preparation.holds():
            return
        code = await asyncio.to_thread(digest_of_code)
        if self._preparation is None:
            await self._begin_preparation()
        assert self._preparation is not None
        with self.terminal.step("Migrate four databases, compose the graph"):
            await self._preparation.prepared()
        await self._last_preparation.remember(code)

    async def _start_serving(self) -> None:
        """Subgraphs and router; the first time, the sample data come in beside them."""
        what = "router and subgraphs in one process" if self.options.in_process else "four subgraphs and the router"
        also = ", load sample foods, exercises and people (once)" if self._lacks_people else ""
        with self.terminal.step(f"Start {what}{also}"):
            self._gate.open()
            starts: list[Awaitable[None]] = [self._serving or self.supervisor.start_together(self._serving_specs())]
            if self._preparation is not None:
                starts.append(self._preparation.finished())
            for outcome in await asyncio.gather(*starts, return_exceptions=True):
                if outcome is not None:
                    raise outcome
        if self._lacks_people:
            self.directory.mark_loaded("sample-data")

    def _serving_specs(self) -> list[ChildSpec]:
        config = str(self.directory.router_config)
        if self.options.in_process:
            self._close_listeners()
            arguments = ("deploy", "in-process", "--config", config, "--ports", self._ports_argument)
            return [self._own_spec("router", self.port, arguments, "/ready")]
        self.fleet.write()
        router = self._own_spec("router", self.port, ("deploy.served", "router", config), "/ready")
        return [*self.fleet.first_specs(), replace(router, listener=self._router_listener)]

    async def _embedded_specs(self, named: Mapping[str, str], servers: EmbeddedServers) -> list[ChildSpec]:
        """Of the servers that are not among those `named`."""
        specs: list[ChildSpec] = []
        if _needs_postgres(named):
            with self.terminal.step("Prepare Postgres"):
                specs.append(await asyncio.to_thread(postgres_spec, self.directory.path, servers.ports.postgres))
        if "REDIS_URL" not in named:
            specs.append(valkey_spec(self.directory.path, servers.ports.valkey))
            if "ROUTER_REDIS_URL" not in named:
                specs.append(cache_spec(self.directory.path, servers.ports.cache))
        if "KAFKA_BOOTSTRAP_SERVERS" not in named:
            specs.append(broker_spec(servers.ports.broker))
        return specs

    @property
    def _own_pages(self) -> tuple[str, ...]:
        """The pages of whoever develops a front end on this machine, on whatever port its server took."""
        return () if self._in_production else ("http://localhost:*", "http://127.0.0.1:*")

    @property
    def _has_people(self) -> bool:
        """Whether the sample people are there when the start has come to its end."""
        wants = self.options.sample_data and not self._in_production
        return wants or self.directory.has_loaded("sample-data")

    @property
    def _lacks_people(self) -> bool:
        """Whether this start is to load the sample people."""
        return self._has_people and not self.directory.has_loaded("sample-data")

    @property
    def _in_production(self) -> bool:
        return os.environ.get("FITTRACKER_ENV") == "prod"

    @property
    def _ports_argument(self) -> str:
        return ",".join(f"{name}={port}" for name, port in self.subgraph_ports.items())

    async def _end_of_forks(self) -> None:
        """Who is started from now on has the code and the libraries of then."""
        if self._fork_server is not None:
            await self._fork_server.close()
            self._fork_server = None

    def _close_listeners(self) -> None:
        self.fleet.close()
        if self._router_listener is not None:
            self._router_listener.close()

    def _subgraph_spec(self, child: str, subgraph: str, listener: socket.socket) -> ChildSpec:
        spec = self._own_spec(child, listener.getsockname()[1], ("deploy.served", "subgraph", subgraph), "/ready")
        # Relay and consumers run in the first instance: groups of several members are not the embedded broker's strength.
        alone = {} if child == subgraph else {"BACKGROUND_LOOPS": "0"}
        return replace(spec, listener=listener, environment={**(spec.environment or {}), **alone})

    def _served_graph(self) -> dict[str, Any]:
        """What the router says of its graph; empty where it does not answer."""
        try:
            details: dict[str, Any] = json_of(self.port, "/ready")["components"]["supergraph"]["details"]
        except (OSError, ValueError, KeyError):
            return {}
        return details

    def _own_spec(self, name: str, port: int, arguments: tuple[str, ...], probe: str) -> ChildSpec:
        return ChildSpec(
            name=name,
            command=(sys.executable, "-m", *arguments),
            port=port,
            ready=http_ok(port, probe),
            gate=self._gate,
            fork_server=self._fork_server,
            environment=self._child_environment(),
        )

    def _child_environment(self) -> dict[str, str]:
        root = Path(__file__).parents[1]
        path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
        colours = {"FORCE_COLOR": "1"} if self.terminal.console.is_terminal else {}
        return {**self.environment, **colours, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}

    def _write_router_config(self, own_settings: Mapping[str, Any]) -> None:
        """The router's settings; secrets are named here and travel in the environment. Raises FriendlyError for own ones that
        do not hold.
        """
        in_production = self._in_production
        config: dict[str, Any] = {
            "supergraph": str(self.directory.supergraph),
            "host": self.options.host,
            "port": self.port,
            "dev": not in_production,
            "introspection": not in_production,
            "forward_client_address": True,
            "cors": {"origins": [*self._own_pages, *self.options.cors_origins], "credentials": True},
            "redis_url": "${ROUTER_REDIS_URL}",
            "jwt": {
                "keys": [{"secret": "${JWT_SECRET}"}],
                "previous_secrets": "${JWT_PREVIOUS_SECRETS:-}",
                "issuers": ["fittracker"],
                "audiences": ["fittracker"],
                "ended_sessions": {"subgraph": "users"},
            },
            # idle connections are dropped long before a subgraph that stops would close them (DRAIN_IDLE_SECONDS)
            "traffic_shaping": {"all": {"keep_alive_seconds": 1}},
            "subgraphs": self._instance_settings(),
            "telemetry": {"log_format": "json" if in_production else "console", "log_requests": not in_production},
            **_bounds(in_production=in_production),
        }
        if not in_production:
            config["workbench"] = workbench_settings(has_people=self._has_people)
            config["console"] = console_settings(self.directory.path)
        config = laid_over(config, own_settings)
        self.directory.router_config.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        if self.options.config is not None:
            environment = {**os.environ, **self.environment}
            own = self.options.config
            for sentence in check_merged(self.directory.router_config, own, environment, self.subgraph_ports):
                self.news(f"warning: {sentence}")

    def _instance_settings(self) -> dict[str, Any]:
        if self.options.in_process:
            return {}
        return {name: {"discovery": {"file": str(self.directory.instances)}} for name in self.subgraph_ports}

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


def _environment_of(servers: EmbeddedServers, named: Mapping[str, str]) -> dict[str, str]:
    """Where the servers are: those `named`, and ours for the rest."""
    environment = {**servers.environment(), **named}
    if "REDIS_URL" in named and "ROUTER_REDIS_URL" not in named:  # one server for both, as whoever names it wants
        environment["ROUTER_REDIS_URL"] = named["REDIS_URL"]
    if "KAFKA_BOOTSTRAP_SERVERS" in named:  # a real Kafka has neither of the embedded broker's gaps
        for name in ("KAFKA_IDEMPOTENT", "KAFKA_FETCH_MAX_WAIT_MS", "KAFKA_ANNOUNCED"):
            if name not in named:
                del environment[name]
    return environment


def _refuse_development(named: Mapping[str, str]) -> None:
    """In production nothing is made up: neither servers, whose data nobody backs up, nor the secret. Raises FriendlyError."""
    wanted = [f"DATABASE_URL_{domain.upper()}" for domain in DOMAINS]
    wanted += ["REDIS_URL", "KAFKA_BOOTSTRAP_SERVERS", "JWT_SECRET"]
    if missing := [name for name in wanted if name not in named and not os.environ.get(name)]:
        raise FriendlyError(
            f"FITTRACKER_ENV=prod starts no servers and makes no secrets of its own; not set: {', '.join(missing)}",
            "deploy/compose/.env.example lists every variable; without FITTRACKER_ENV=prod this is a development stack",
        )


def _needs_postgres(named: Mapping[str, str]) -> bool:
    return not all(f"DATABASE_URL_{domain.upper()}" in named for domain in DOMAINS)


def _names_a_server(variable: str) -> bool:
    databases = ("DATABASE_URL_", "DATABASE_DIRECT_URL_", "DATABASE_REPLICA_URL_")
    return variable.startswith((*databases, "REDIS_", "ROUTER_REDIS_", "KAFKA_"))


def _listening(port: int, host: str = HOST) -> socket.socket | None:
    """None where the port is taken. Until somebody accepts, connections wait. Raises PermissionError for a port that is not
    this user's to take.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except PermissionError:
        listener.close()
        raise
    except OSError:
        listener.close()
        return None
    return listener


def _bounds(*, in_production: bool) -> dict[str, Any]:
    """What one operation may be and cost: as the production file says, so that what runs here runs there. Without a rate
    during development, where one address is everybody.
    """
    production = yaml.safe_load(PRODUCTION_ROUTER.read_text(encoding="utf-8"))
    limits = dict(production["limits"])
    if not in_production:
        del limits["rate"]
    return {"limits": limits, "demand_control": production["demand_control"]}
