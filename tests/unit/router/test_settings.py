from pathlib import Path

import pytest

from router.settings import Settings, SettingsError, load_settings
from router.settings_complaints import unknown_subgraphs

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


def test_a_complaint_says_the_line_what_was_meant_and_what_yaml_wants(tmp_path: Path) -> None:
    text = "supergraph: a\nlimits:\n  dept: 15\nport: 99999\nheaders:\n  subgraphs:\n    a:\n      request: {propagate: x}\n"
    file = write(tmp_path, text + "subgraphs:\n  users: {ulr: 'http://a'}\nwatch: perhaps\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    first, *hints = str(caught.value).splitlines()
    assert "'port': must be less than or equal to 65535" in first
    assert "'watch': must be true or false" in first
    assert "'headers.subgraphs.a.request': must be a list" in first
    assert "  line 3: limits.dept, did you mean 'depth'?" in hints
    assert "  line 10: subgraphs.users.ulr, did you mean 'url'?" in hints
    assert "  line 4: port" in hints


def test_settings_for_a_subgraph_that_is_not_there_are_told() -> None:
    traffic = {"subgraphs": {"orders": {"timeout_seconds": 1}}}
    settings = load_settings(None, {}, supergraph="a", subgraphs={"userz": {}, "users": {}}, traffic_shaping=traffic)
    assert unknown_subgraphs(settings, ["users", "meals"]) == [
        "'subgraphs.userz': the graph has no such subgraph, did you mean 'users'?",
        "'traffic_shaping.subgraphs.orders': the graph has no such subgraph; there are meals, users",
    ]


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


def test_secrets_rotated_out_come_in_one_variable(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        'supergraph: a\njwt: {keys: [{secret: "${JWT_SECRET}"}], previous_secrets: "${JWT_PREVIOUS_SECRETS:-}"}\n',
    )
    none = load_settings(file, {"JWT_SECRET": SECRET})
    assert [key.secret.get_secret_value() for key in none.jwt.all_keys] == [SECRET]
    two = load_settings(file, {"JWT_SECRET": SECRET, "JWT_PREVIOUS_SECRETS": f"{'y' * 32}, {'z' * 32}"})
    assert [key.secret.get_secret_value() for key in two.jwt.all_keys] == [SECRET, "y" * 32, "z" * 32]
    with pytest.raises(SettingsError, match="at least 32 bytes"):
        load_settings(file, {"JWT_SECRET": SECRET, "JWT_PREVIOUS_SECRETS": "short"})


def test_a_placeholder_takes_a_mounted_secret_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    file = write(tmp_path, 'supergraph: a\njwt: {keys: [{secret: "${JWT_SECRET}"}]}\n')
    settings = load_settings(file, {"JWT_SECRET_FILE": str(tmp_path / "secret")})
    assert settings.jwt.keys[0].secret.get_secret_value() == SECRET
    with pytest.raises(SettingsError, match="JWT_SECRET_FILE names a file that cannot be read"):
        load_settings(file, {"JWT_SECRET_FILE": str(tmp_path / "absent")})


@pytest.mark.parametrize("location", ["http://login.example.org/jwks.json", "HTTP://10.0.0.1/jwks"])
def test_keys_are_not_read_in_the_clear_from_elsewhere(location: str) -> None:
    with pytest.raises(SettingsError, match="would be read in the clear"):
        load_settings(None, {}, supergraph="a", jwt={"jwks": [location]})
    own = ["http://127.0.0.1:1/jwks", "https://login.example.org/jwks.json", "keys.json"]
    assert load_settings(None, {}, supergraph="a", jwt={"jwks": own}).jwt.jwks == tuple(own)


def test_allowed_hosts_come_in_one_variable() -> None:
    settings = load_settings(None, {"ROUTER_ALLOWED_HOSTS": "api.example, *.api.example"}, supergraph="a")
    assert settings.allowed_hosts == ("api.example", "*.api.example")
