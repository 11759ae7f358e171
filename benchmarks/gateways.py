"""How each gateway is started on a supergraph: ours and the peers that are installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from router.supergraph import read_supergraph

HERE = Path(__file__).parent
PEERS = HERE / "peers"
OURS = "ours"
#: Far above what `benchmarks.connections` opens by itself.
MOST_CONNECTIONS = 50_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a gateway is set up for beyond queries over HTTP.

    `subscriptions`: of clients and to subgraphs, both over text/event-stream. `jwks_url`: every caller has to send a token that one of
    its keys signed, which goes on to the subgraphs. `reloads`: the graph's file is watched. `defers`: answers come in parts.
    """

    subscriptions: bool = False
    jwks_url: str = ""
    reloads: bool = False
    defers: bool = False

    def names(self) -> list[str]:
        return [name for name, value in asdict(self).items() if value]


PLAIN = Wanted()
NOT_SET_UP = dict.fromkeys(PLAIN.__slots__, "this benchmark has no settings of it for that")


@dataclass(frozen=True, slots=True)
class Gateway:
    """`start` gets the supergraph file, the port and what is wanted, and hands back the command; `graph_file` names the file that the
    gateway started so reads its graph from, and watches where it reloads.

    `missing` says why a gateway cannot run here, or is empty; `lacks` why it cannot do something that is wanted.
    """

    name: str
    language: str
    start: Callable[[Path, int, Wanted], list[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""
    path: str = "/graphql"
    lacks: Mapping[str, str] = field(default_factory=dict)
    graph_file: Callable[[Path, int], Path] = lambda supergraph, _port: supergraph

    def command(self, supergraph: Path, port: int, wanted: Wanted = PLAIN) -> list[str]:
        """Raises RuntimeError where it cannot do what is wanted, or cannot compose the graph."""
        for name in wanted.names():
            if name in self.lacks:
                raise RuntimeError(f"no {name}: {self.lacks[name]}")
        return self.start(supergraph, port, wanted)

    def url(self, port: int) -> str:
        return f"http://127.0.0.1:{port}{self.path}"


def known_gateways() -> list[Gateway]:
    """Ours first."""
    return [
        our_gateway(),
        _compiled(),
        _apollo_gateway(),
        _hive_gateway(),
        _hive_router(),
        _apollo_router(),
        _cosmo_router(),
    ]


def our_gateway() -> Gateway:
    def start(supergraph: Path, port: int, wanted: Wanted) -> list[str]:
        arguments = ["--supergraph", str(supergraph), "--port", str(port)]
        if settings := _our_settings(supergraph, wanted):
            config = supergraph.with_name(f"ours-{port}.yaml")
            config.write_text(yaml.safe_dump(settings))
            arguments += ["--config", str(config)]
        if wanted.reloads:
            arguments.append("--watch")
        return [sys.executable, "-m", "deploy", "router", *arguments]

    return Gateway(OURS, "Python", start, {"PYTHONPATH": str(HERE.parent)})


def _our_settings(supergraph: Path, wanted: Wanted) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if wanted.subscriptions:
        names = read_supergraph(supergraph.read_text()).subgraphs
        settings = {
            "subgraphs": {name: {"subscription_protocol": "event-stream"} for name in names},
            "limits": {"connections": MOST_CONNECTIONS, "connections_per_address": MOST_CONNECTIONS},
            "subscriptions": {"max_connections": MOST_CONNECTIONS, "max_per_caller": MOST_CONNECTIONS},
            "telemetry": {"log_level": "error", "log_requests": False},
        }
    if wanted.jwks_url:
        settings["jwt"] = {"jwks": [wanted.jwks_url], "required": True}
    return settings


def _compiled() -> Gateway:
    """Ours with compiled modules, in the folder that `python -m tests.testkit.compiled_tree --into` made and $COMPILED_TREE names."""
    tree = os.environ.get("COMPILED_TREE", "")
    missing = "" if tree and Path(tree).is_dir() else "set COMPILED_TREE to a tree with compiled modules"
    return replace(
        our_gateway(), name="ours-compiled", environment={"PYTHONPATH": tree, "PYTHONSAFEPATH": "1"}, missing=missing
    )


def _apollo_gateway() -> Gateway:
    def start(supergraph: Path, port: int, _wanted: Wanted) -> list[str]:
        return ["node", str(PEERS / "apollo-gateway.mjs"), str(supergraph), str(port)]

    environment, missing = {"NODE_ENV": "production"}, missing_package("@apollo/gateway")
    return Gateway("apollo-gateway", "JavaScript", start, environment, missing, path="/", lacks=NOT_SET_UP)


def _hive_gateway() -> Gateway:
    def start(supergraph: Path, port: int, _wanted: Wanted) -> list[str]:
        program = str(PEERS / "node_modules" / ".bin" / "hive-gateway")
        options = ["--jit", "--fork", "1", "--port", str(port), "--host", "127.0.0.1"]
        return [program, "supergraph", str(supergraph), *options, "--config-path", str(PEERS / "gateway.config.mjs")]

    environment, missing = {"NODE_ENV": "production"}, missing_package("@graphql-hive/gateway")
    return Gateway("hive-gateway", "JavaScript", start, environment, missing, lacks=NOT_SET_UP)


def _hive_router() -> Gateway:
    """Built from crates outside this repository and named by $HIVE_ROUTER_BINARY."""
    binary = os.environ.get("HIVE_ROUTER_BINARY", "")

    def start(supergraph: Path, port: int, wanted: Wanted) -> list[str]:
        source = {"source": "file", "path": str(supergraph)} | ({"poll_interval": "200ms"} if wanted.reloads else {})
        router: dict[str, Any] = {"dedupe": {"enabled": True}}
        settings: dict[str, Any] = {
            "supergraph": source,
            "http": {"host": "127.0.0.1", "port": port},
            "log": {"level": "error"},
            "traffic_shaping": {"router": router},
        }
        if wanted.subscriptions:
            settings["subscriptions"] = {"enabled": True}
            router["max_long_lived_clients"] = MOST_CONNECTIONS
        if wanted.jwks_url:
            provider = {"source": "remote", "url": wanted.jwks_url, "prefetch": True}
            settings["jwt"] = {"enabled": True, "require_authentication": True, "jwks_providers": [provider]}
            settings["headers"] = {"all": {"request": [{"propagate": {"named": "authorization"}}]}}
        config = supergraph.with_name(f"hive-router-{port}.yaml")
        config.write_text(yaml.safe_dump(settings))
        return ["env", f"ROUTER_CONFIG_FILE_PATH={config}", binary]

    environment = {"ROUTER_HTTP_WORKERS": "1", "ROUTER_HTTP_KEEP_ALIVE": "600s"}
    lacks = {"defers": "Hive Router has no @defer"}
    return Gateway("hive-router", "Rust", start, environment, _missing_binary("HIVE_ROUTER_BINARY"), lacks=lacks)


def _apollo_router() -> Gateway:
    """Built outside this repository and named by $APOLLO_ROUTER_BINARY; settings as in the public benchmark."""
    binary = os.environ.get("APOLLO_ROUTER_BINARY", "")

    def start(supergraph: Path, port: int, wanted: Wanted) -> list[str]:
        settings = {
            "supergraph": {"path": "/graphql", "listen": f"127.0.0.1:{port}"},
            "health_check": {"enabled": False},
            "traffic_shaping": {"all": {"deduplicate_query": True}},
            "include_subgraph_errors": {"all": True},
        }
        config = supergraph.with_name(f"apollo-router-{port}.yaml")
        config.write_text(yaml.safe_dump(settings))
        watching = ["--hot-reload"] if wanted.reloads else []
        return [binary, "--supergraph", str(supergraph), "--config", str(config), "--log", "error", *watching]

    environment = {"APOLLO_TELEMETRY_DISABLED": "true"}
    lacks = dict.fromkeys(("subscriptions", "jwks_url"), "Apollo Router wants a licence of GraphOS for it")
    missing = _missing_binary("APOLLO_ROUTER_BINARY")
    return Gateway("apollo-router", "Rust", start, environment, missing, lacks=lacks)


def _cosmo_router() -> Gateway:
    """Built outside this repository and named by $COSMO_ROUTER_BINARY; composes with `wgc`, named by $WGC_BINARY, from the
    subgraphs' schemas, which stand in `subgraphs/` beside the supergraph. Tells errors of subgraphs singly, as all others do.
    """
    binary = os.environ.get("COSMO_ROUTER_BINARY", "")

    def start(supergraph: Path, port: int, wanted: Wanted) -> list[str]:
        plan = _cosmo_plan(supergraph, port)
        _compose_for_cosmo(supergraph, plan, wanted)
        config = supergraph.with_name(f"cosmo-{port}.yaml")
        config.write_text(yaml.safe_dump(_cosmo_settings(wanted)))
        watches = ("EXECUTION_CONFIG_FILE_WATCH=true", "EXECUTION_CONFIG_FILE_WATCH_INTERVAL=200ms")
        place = (f"LISTEN_ADDR=127.0.0.1:{port}", f"EXECUTION_CONFIG_FILE_PATH={plan}", f"CONFIG_PATH={config}")
        return ["env", *place, *(watches if wanted.reloads else ()), binary]

    switches = ("TRACING_ENABLED", "METRICS_ENABLED", "METRICS_OTLP_ENABLED", "GRAPHQL_METRICS_ENABLED")
    environment = {
        "LOG_LEVEL": "fatal",
        "PROMETHEUS_ENABLED": "false",
        "GOMAXPROCS": "1",
        "SUBGRAPH_ERROR_PROPAGATION_MODE": "pass-through",
        **dict.fromkeys(switches, "false"),
    }
    missing = _missing_binary("COSMO_ROUTER_BINARY") or _missing_binary("WGC_BINARY")
    return Gateway("cosmo-router", "Go", start, environment, missing, graph_file=_cosmo_plan)


def _cosmo_plan(supergraph: Path, port: int) -> Path:
    return supergraph.with_name(f"cosmo-{port}-plan.json")


def _compose_for_cosmo(supergraph: Path, plan: Path, wanted: Wanted) -> None:
    """Writes what Cosmo Router reads instead of a supergraph. Raises RuntimeError."""
    subgraphs = [
        {
            "name": name,
            "routing_url": url,
            "schema": {"file": str(supergraph.parent / "subgraphs" / f"{name}.graphql")},
            **({"subscription": {"url": url, "protocol": "sse_post"}} if wanted.subscriptions else {}),
        }
        for name, url in read_supergraph(supergraph.read_text()).subgraphs.items()
    ]
    graph = plan.with_name(f"{plan.stem}-subgraphs.json")
    graph.write_text(json.dumps({"version": 1, "subgraphs": subgraphs}))  # JSON is YAML
    compose = [os.environ["WGC_BINARY"], "router", "compose", "--input", str(graph), "--out", str(plan)]
    done = subprocess.run(compose, check=False, capture_output=True, text=True, env={**os.environ, "DO_NOT_TRACK": "1"})
    if done.returncode:
        raise RuntimeError(f"wgc does not compose: {(done.stderr or done.stdout)[-2000:]}")


def _cosmo_settings(wanted: Wanted) -> dict[str, Any]:
    settings: dict[str, Any] = {"version": "1"}
    if wanted.defers:
        settings["engine"] = {"enable_defer": True}
    if wanted.jwks_url:
        settings["authentication"] = {"jwt": {"jwks": [{"url": wanted.jwks_url}]}}
        settings["authorization"] = {"require_authentication": True}
        settings["headers"] = {"all": {"request": [{"op": "propagate", "named": "Authorization"}]}}
    return settings


def _missing_binary(variable: str) -> str:
    return "" if shutil.which(os.environ.get(variable, "")) else f"set {variable} to a built one"


def missing_package(name: str) -> str:
    if shutil.which("node") is None:
        return "node is not installed"
    return "" if (PEERS / "node_modules" / name).is_dir() else "run `npm ci --ignore-scripts` in benchmarks/peers"
