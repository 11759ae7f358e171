"""What a contender of the dashboard benchmark is told: what the product's own router is told, but for what is compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.fittracker.contenders import CACHED, IN_PROCESS, OURS, settings_of
from router.settings import load_settings

PRODUCT: dict[str, Any] = {
    "supergraph": "/data/supergraph.graphql",
    "host": "127.0.0.1",
    "port": 8080,
    "dev": True,
    "introspection": True,
    "forward_client_address": True,
    "subgraphs": {"users": {"discovery": {"file": "/data/instances.yaml"}}},
    "limits": {"depth": 20},
    "demand_control": {"enabled": True, "max": 5000},
    "workbench": {"title": "FitTracker"},
    "console": {},
    "telemetry": {"log_format": "console", "log_requests": True},
}


@pytest.fixture
def router_config(tmp_path: Path) -> Path:
    file = tmp_path / "router.yaml"
    file.write_text(yaml.safe_dump(PRODUCT))
    return file


@pytest.mark.parametrize("name", [OURS, IN_PROCESS, CACHED])
def test_bounds_and_costs_are_those_of_the_product(name: str, router_config: Path, tmp_path: Path) -> None:
    told = settings_of(name, router_config, 4000)
    own = tmp_path / "contender.yaml"
    own.write_text(yaml.safe_dump(told))
    settings = load_settings(own, {})
    assert (settings.limits.depth, settings.demand_control.enabled, settings.forward_client_address) == (20, True, True)
    assert (settings.port, settings.serves_graphiql, settings.serves_console) == (4000, False, False)
    assert settings.response_cache.enabled == (name == CACHED)


def test_subgraphs_of_the_product_are_asked_unless_there_are_own_ones(router_config: Path) -> None:
    assert settings_of(OURS, router_config, 1)["subgraphs"] == PRODUCT["subgraphs"]
    assert "subgraphs" not in settings_of(IN_PROCESS, router_config, 1)
