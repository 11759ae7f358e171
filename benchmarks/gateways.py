"""How each gateway is started on a supergraph: ours and the peers that are installed. Used by `compare`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

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
    return [_ours(), _apollo_gateway(), _hive_gateway(), _hive_router()]


def _ours() -> Gateway:
    def command(supergraph: Path, port: int) -> list[str]:
        arguments = ["--supergraph", str(supergraph), "--port", str(port)]
        return [sys.executable, "-m", "deploy", "router", *arguments]

    return Gateway(OURS, "Python", command, {"PYTHONPATH": str(HERE.parent)})


def _apollo_gateway() -> Gateway:
    def command(supergraph: Path, port: int) -> list[str]:
        return ["node", str(PEERS / "apollo-gateway.mjs"), str(supergraph), str(port)]

    missing = _missing_package("@apollo/gateway")
    return Gateway("apollo-gateway", "JavaScript", command, {"NODE_ENV": "production"}, missing, path="/")


def _hive_gateway() -> Gateway:
    def command(supergraph: Path, port: int) -> list[str]:
        program = str(PEERS / "node_modules" / ".bin" / "hive-gateway")
        options = ["--jit", "--fork", "1", "--port", str(port), "--host", "127.0.0.1"]
        return [program, "supergraph", str(supergraph), *options, "--config-path", str(PEERS / "gateway.config.mjs")]

    return Gateway(
        "hive-gateway", "JavaScript", command, {"NODE_ENV": "production"}, _missing_package("@graphql-hive/gateway")
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

    missing = "" if binary and shutil.which(binary) else "set HIVE_ROUTER_BINARY to a built hive_router"
    return Gateway("hive-router", "Rust", command, {"ROUTER_THREADS": "1"}, missing)


def _missing_package(name: str) -> str:
    if shutil.which("node") is None:
        return "node is not installed"
    return "" if (PEERS / "node_modules" / name).is_dir() else "run `npm ci --ignore-scripts` in benchmarks/peers"
