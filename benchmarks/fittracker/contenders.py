"""Who answers the dashboard: our router, ours with the subgraphs in its process, ours with its cache, and the peers.

Used by `dashboard`. All stand in front of the subgraphs of one running product and forward the caller's token.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.fittracker.product import Product
from benchmarks.gateways import known_gateways
from benchmarks.processes import Server, free_port
from deploy.embedded import DOMAINS

OURS, IN_PROCESS, CACHED = "ours", "ours in-process", "ours cached"
PEERS = ("apollo-gateway", "hive-gateway")
NAMES = (OURS, IN_PROCESS, CACHED, *PEERS)


@dataclass(frozen=True, slots=True)
class Contender:
    """A gateway that runs. `others` are the processes behind it, by name."""

    name: str
    product: Product
    server: Server
    url: str

    @property
    def others(self) -> Mapping[str, int]:
        servers = {name: self.product.state.pids[name] for name in ("postgres", "valkey")}
        return servers if self.name == IN_PROCESS else {**self.product.subgraph_pids, **servers}


@contextmanager
def running(name: str, product: Product, directory: Path, *, label: str = "", source: Path) -> Iterator[Contender]:
    """One of NAMES, until the block ends. Raises RuntimeError where it does not start."""
    port = free_port()
    label = label or name
    log = directory / f"{label.replace(' ', '-')}.log"
    if name in PEERS:
        gateway = next(each for each in known_gateways() if each.name == name)
        if gateway.missing:
            raise RuntimeError(gateway.missing)
        environment = {**gateway.environment, "FORWARD_AUTHORIZATION": "1"}
        server = Server(
            label, gateway.command(product.directory.supergraph, port), None, log=log, environment=environment
        )
        url = gateway.url(port)
    else:
        config = directory / f"{label.replace(' ', '-')}.yaml"
        config.write_text(yaml.safe_dump(settings_of(name, product.directory.router_config, port)), encoding="utf-8")
        environment = {**product.environment(), "PYTHONPATH": str(source)}
        server = Server(label, _command(name, config), None, log=log, environment=environment)
        url = f"http://127.0.0.1:{port}/graphql"
    try:
        server.wait_until_answering(url)
        yield Contender(label, product, server, url)
    finally:
        server.stop()


def settings_of(name: str, router_config: Path, port: int) -> dict[str, Any]:
    """Those that the product's own router was started with (`router_config`), so that what is measured is what runs; but as
    in production, without pages and the console's notes of every operation, which no contender takes, and without its
    cache of whole answers, unless the name says so.

    Cached, types that say nothing of their age (edges, nutrients) last as long as those that do: 5 s.
    """
    settings: dict[str, Any] = yaml.safe_load(router_config.read_text(encoding="utf-8"))
    for pages in ("workbench", "console"):
        settings.pop(pages, None)
    if name == IN_PROCESS:
        settings.pop("subgraphs", None)  # where the product's own subgraphs are
    return {
        **settings,
        "port": port,
        "dev": False,
        "response_cache": {"enabled": name == CACHED, "default_max_age_seconds": 5},
        "telemetry": {"log_level": "warning", "log_requests": False},
    }


def _command(name: str, config: Path) -> list[str]:
    command = [sys.executable, "-m", "deploy"]
    if name != IN_PROCESS:
        return [*command, "router", "--config", str(config)]
    ports = ",".join(f"{domain}={free_port()}" for domain in DOMAINS)
    return [*command, "in-process", "--config", str(config), "--ports", ports]
