from pathlib import Path

import pytest

from router.settings import Settings, SettingsError, load_settings

SECRET = "x" * 32


def write(folder: Path, text: str) -> Path:
    file = folder / "router.yaml"
    file.write_text(text)
    return file


def test_the_file_is_overridden_by_the_environment_and_that_by_the_caller(tmp_path: Path) -> None:
    file = write(tmp_path, "supergraph: a.graphql\nport: 1\nhost: 0.0.0.0\n")
    settings = load_settings(file, {"ROUTER_PORT": "2", "ROUTER_HOST": "::1"}, port=3, host=None)
    assert (settings.supergraph, settings.port, settings.host) == (Path("a.graphql"), 3, "::1")


def test_unknown_keys_are_refused_by_name_on_every_level(tmp_path: Path) -> None:
    file = write(tmp_path, "supergraph: a\nprot: 1\njwt: {isuers: [a]}\n")
    with pytest.raises(SettingsError, match=r"unknown setting 'jwt.isuers'; unknown setting 'prot'"):
        load_settings(file, {})


def test_placeholders_take_the_environment_or_their_default(tmp_path: Path) -> None:
    file = write(tmp_path, "supergraph: ${DIR}/${NAME:-super}.graphql\nresponse_cache: {key_prefix: 'a$$b'}\n")
    settings = load_settings(file, {"DIR": "/srv"})
    assert settings.supergraph == Path("/srv/super.graphql")
    assert settings.response_cache.key_prefix == "a$b"


def test_a_placeholder_without_value_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, "supergraph: ${DIR}/${OTHER}\n")
    with pytest.raises(SettingsError, match="not set: DIR, OTHER"):
        load_settings(file, {})


def test_a_missing_supergraph_is_named() -> None:
    with pytest.raises(SettingsError, match="'supergraph': Field required"):
        load_settings(None, {})


def test_short_secrets_are_refused_and_never_printed() -> None:
    with pytest.raises(SettingsError, match="at least 32 bytes") as caught:
        load_settings(None, {}, supergraph=Path("a"), jwt={"keys": [{"secret": "hunter2"}]})
    assert "hunter2" not in str(caught.value)
    settings = load_settings(None, {}, supergraph=Path("a"), jwt={"keys": [{"secret": SECRET}]})
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"cors": {"origins": ["*"], "credentials": True}}, "cannot be combined"),
        ({"jwt": {"algorithms": ["none"]}}, "is not a signature"),
        ({"persisted_documents": {"require": True}}, "require needs a manifest"),
        ({"port": 70_000}, "less than or equal to 65535"),
        ({"path": "graphql"}, "should match pattern"),
        ({"limits": {"rate": "many"}}, "'limits.rate': .*a rate is written like"),
        ({"cors": {"origins": ["app.example.com"]}}, "is no origin"),
        ({"cors": {"origins": ["https://app.example.com/"]}}, "without a path"),
        ({"subgraphs": {"a": {"url": "localhost:4001"}}}, "'subgraphs.a.url': .*should match pattern"),
    ],
)
def test_what_cannot_work_is_refused_at_start(values: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        load_settings(None, {}, supergraph=Path("a"), **values)


def test_graphiql_follows_development_mode_unless_told_otherwise() -> None:
    assert not Settings(supergraph=Path("a")).serves_graphiql
    assert Settings(supergraph=Path("a"), dev=True).serves_graphiql
    assert not Settings(supergraph=Path("a"), dev=True, graphiql=False).serves_graphiql
    assert not Settings(supergraph=Path("a"), dev=True, introspection=False).serves_graphiql


def test_the_example_in_the_readme_is_accepted(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    file = write(tmp_path, readme.partition("```yaml\n")[2].partition("```")[0])
    settings = load_settings(file, {"SEARCH_KEY": "k"})
    assert settings.traffic_shaping.of("search").timeout_seconds == 1
    assert settings.traffic_shaping.of("search").retry.max_attempts == 3
    assert settings.traffic_shaping.of("search").circuit_breaker.enabled


def test_errors_are_shown_unless_they_are_redacted_for_all_or_for_one() -> None:
    assert not load_settings(None, {}, supergraph=Path("a")).subgraph_errors.redacts("search")
    settings = load_settings(
        None, {}, supergraph=Path("a"), subgraph_errors={"all": "redact", "subgraphs": {"search": "show"}}
    )
    assert [settings.subgraph_errors.redacts(name) for name in ("search", "users")] == [False, True]
