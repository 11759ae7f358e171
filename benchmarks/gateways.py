"""How each gateway is started on a supergraph: ours and the peers that are installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from router.supergraph import read_supergraph

HERE = Path(__file__).parent
PEERS = HERE / "peers"
OURS = "ours"


@dataclass(frozen=True, slots=True)
class Gateway:
    """`command` gets the supergraph file and the port; `missing` says why a gateway cannot run here, or is empty."""

    name: str
    language: str
    command: Callable[[Path, int], list[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""
    path: str = "/graphql"

    def url(self, port: int) -> str:
        return f"http://127.0.0.1:{port}{self.path}"


def known_gateways() -> list[Gateway]:
    """Ours first."""
    return [_ours(), _apollo_gateway(), _hive_gateway(), _hive_router(), _apollo_router(), _cosmo_router()]


def _ours() -> Gateway:
    def command(supergraph: Path, port: int) -> list[str]:
        arguments = ["--supergraph", str(supergraph), "--port", str(port)]
        return [sys.executable, "-m", "deploy", "router", *arguments]

    return Gateway(OURS, "Python", command, {"PYTHONPATH": str(HERE.parent)})


def _apollo_gateway() -> Gateway:
    def command(supergraph: Path, port: int) -> list[str]:
        return ["node", str(PEERS / "apollo-gateway.mjs"), str(supergraph), str(port)]

    missing = missing_package("@apollo/gateway")
    return Gateway("apollo-gateway", "JavaScript", command, {"NODE_ENV": "production"}, missing, path="/")


def _hive_gateway() -> Gateway:
    def command(supergraph: Path, port: int) -> list[str]:
        program = str(PEERS / "node_modules" / ".bin" / "hive-gateway")
        options = ["--jit", "--fork", "1", "--port", str(port), "--host", "127.0.0.1"]
        return [program, "supergraph", str(supergraph), *options, "--config-path", str(PEERS / "gateway.config.mjs")]

    return Gateway(
        "hive-gateway", "JavaScript", command, {"NODE_ENV": "production"}, missing_package("@graphql-hive/gateway")
    )


def _hive_router() -> Gateway:
    """Built from crates outside this repository and named by $HIVE_ROUTER_BINARY."""
    binary = os.environ.get("HIVE_ROUTER_BINARY", "")

    def command(supergraph: Path, port: int) -> list[str]:
        config = supergraph.with_name(f"hive-router-{port}.yaml")
        config.write_text(
            f"supergraph:\n  source: file\n  path: {supergraph}\nhttp:\n  host: 127.0.0.1\n  port: {port}\n"
            "log:\n  level: error\ntraffic_shaping:\n  router:\n    dedupe:\n      enabled: true\n"
        )
        return ["env", f"ROUTER_CONFIG_FILE_PATH={config}", binary]

    missing = _missing_binary("HIVE_ROUTER_BINARY")
    return Gateway("hive-router", "Rust", command, {"ROUTER_HTTP_WORKERS": "1"}, missing)


def _apollo_router() -> Gateway:
    """Built outside this repository and named by $APOLLO_ROUTER_BINARY; settings as in the public benchmark."""
    binary = os.environ.get("APOLLO_ROUTER_BINARY", "")

    def command(supergraph: Path, port: int) -> list[str]:
        config = supergraph.with_name(f"apollo-router-{port}.yaml")
        config.write_text(
            f"supergraph:\n  path: /graphql\n  listen: 127.0.0.1:{port}\nhealth_check:\n  enabled: false\n"
            "traffic_shaping:\n  all:\n    deduplicate_query: true\n"
        )
        return [binary, "--supergraph", str(supergraph), "--config", str(config), "--log", "error"]

    environment = {"APOLLO_TELEMETRY_DISABLED": "true"}
    return Gateway("apollo-router", "Rust", command, environment, _missing_binary("APOLLO_ROUTER_BINARY"))


def _cosmo_router() -> Gateway:
    """Built outside this repository and named by $COSMO_ROUTER_BINARY; composes with `wgc`, named by $WGC_BINARY, from the
    subgraphs' schemas, which stand in `subgraphs/` beside the supergraph. Tells errors of subgraphs singly, as all others do.
    """
    binary = os.environ.get("COSMO_ROUTER_BINARY", "")

    def command(supergraph: Path, port: int) -> list[str]:
        urls = read_supergraph(supergraph.read_text()).subgraphs
        subgraphs = [
            {
                "name": name,
                "routing_url": url,
                "schema": {"file": str(supergraph.parent / "subgraphs" / f"{name}.graphql")},
            }
            for name, url in urls.items()
        ]
        graph, execution = (supergraph.with_name(f"cosmo-{port}-{name}.json") for name in ("subgraphs", "plan"))
        graph.write_text(json.dumps({"version": 1, "subgraphs": subgraphs}))  # JSON is YAML
        compose = [os.environ["WGC_BINARY"], "router", "compose", "--input", str(graph), "--out", str(execution)]
        done = subprocess.run(
            compose, check=False, capture_output=True, text=True, env={**os.environ, "DO_NOT_TRACK": "1"}
        )
        if done.returncode:
            raise RuntimeError(f"wgc does not compose: {(done.stderr or done.stdout)[-2000:]}")
        return ["env", f"LISTEN_ADDR=127.0.0.1:{port}", f"ROUTER_CONFIG_PATH={execution}", binary]

    switches = ("TRACING_ENABLED", "METRICS_ENABLED", "METRICS_OTLP_ENABLED", "GRAPHQL_METRICS_ENABLED")
    environment = {
        "LOG_LEVEL": "fatal",
        "PROMETHEUS_ENABLED": "false",
        "GOMAXPROCS": "1",
        "SUBGRAPH_ERROR_PROPAGATION_MODE": "pass-through",
        **dict.fromkeys(switches, "false"),
    }
    missing = _missing_binary("COSMO_ROUTER_BINARY") or _missing_binary("WGC_BINARY")
    return Gateway("cosmo-router", "Go", command, environment, missing)


def _missing_binary(variable: str) -> str:
    return "" if shutil.which(os.environ.get(variable, "")) else f"set {variable} to a built one"


def missing_package(name: str) -> str:
    if shutil.which("node") is None:
        return "node is not installed"
    return "" if (PEERS / "node_modules" / name).is_dir() else "run `npm ci --ignore-scripts` in benchmarks/peers"
