"""What each gateway is told in the benchmarks, and what is said of one that cannot do what is wanted."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from benchmarks.compare import compose_shop
from benchmarks.gateways import Wanted, known_gateways, our_gateway
from router.settings import load_settings


@pytest.fixture
def supergraph(tmp_path: Path) -> Path:
    file = tmp_path / "supergraph.graphql"
    file.write_text(compose_shop(4200))
    return file


def test_our_router_takes_the_settings_of_all_that_is_wanted(supergraph: Path) -> None:
    wanted = Wanted(subscriptions=True, jwks_url="http://127.0.0.1:4200/jwks", reloads=True)
    command = our_gateway().command(supergraph, 4000, wanted)
    assert "--watch" in command
    settings = load_settings(Path(command[command.index("--config") + 1]), {}, supergraph=str(supergraph))
    assert {each.subscription_protocol for each in settings.subgraphs.values()} == {"event-stream"}
    assert (settings.jwt.required, settings.jwt.jwks) == (True, ("http://127.0.0.1:4200/jwks",))
    assert settings.limits.connections_per_address == settings.subscriptions.max_per_caller == 50_000


def test_our_router_has_no_settings_where_nothing_is_wanted(supergraph: Path) -> None:
    assert not {"--config", "--watch"} & set(our_gateway().command(supergraph, 4000))


def test_hive_router_is_told_of_the_same_in_its_own_words(supergraph: Path) -> None:
    hive = next(each for each in known_gateways() if each.name == "hive-router")
    command = hive.command(supergraph, 4000, Wanted(jwks_url="http://127.0.0.1:4200/jwks"))
    settings = yaml.safe_load(Path(command[1].partition("=")[2]).read_text())
    assert settings["jwt"]["require_authentication"] is True
    assert settings["headers"]["all"]["request"] == [{"propagate": {"named": "authorization"}}]
    assert "subscriptions" not in settings


@pytest.mark.parametrize("name", [each.name for each in known_gateways() if each.lacks])
def test_what_a_gateway_lacks_is_said_and_not_started(name: str, supergraph: Path) -> None:
    gateway = next(each for each in known_gateways() if each.name == name)
    assert set(gateway.lacks) <= set(Wanted.__slots__)
    for lacking, why in gateway.lacks.items():
        wanted = Wanted(**{lacking: "http://127.0.0.1/jwks" if lacking == "jwks_url" else True})  # type: ignore[arg-type]
        with pytest.raises(RuntimeError, match=f"no {lacking}: {why}"):
            gateway.command(supergraph, 4000, wanted)
