"""`.env.example` names every variable that the settings ask for, and nothing else."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from deploy.environment import example, session_url_of, variables
from router.settings import ENVIRONMENT
from subgraphs.shell.settings import SettingsError, read_settings

FILE = Path(__file__).parents[3] / "deploy" / "compose" / ".env.example"


class AskedFor(Mapping[str, str]):
    """An empty environment that remembers which names were looked up."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_the_list_is_what_the_settings_ask_for() -> None:
    asked = AskedFor()
    for subgraph in ("users", "nutrition", "workouts", "analytics"):
        with pytest.raises(SettingsError):
            read_settings(subgraph, asked)
    names = {name for name in asked.names if not name.endswith("_FILE")} | set(ENVIRONMENT)
    assert {variable.name for variable in variables()} == names


def test_the_committed_file_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == example()


NUMBERS = ("DATABASE_POOL_SIZE", "DATABASE_REPLICA_MOST_LAG_SECONDS")


def test_every_secret_is_said_to_be_one() -> None:
    for variable in variables():
        looks_secret = any(
            word in variable.name
            for word in (
                "SECRET",
                "DATABASE_",
                "REDIS_URL",
                "SMTP_URL",
                "PASSWORD",
                "PUSH_KEY",
                "WEBHOOK_KEY",
                "FACTOR_KEY",
                "PREVIOUS_KEYS",
            )
        )
        assert variable.secret == (looks_secret and variable.name not in NUMBERS), variable.name


def test_a_variable_may_be_given_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://host/db\n")
    (tmp_path / "old").write_text(f"{'a' * 40},{'b' * 40}")
    settings = read_settings(
        "users",
        {
            "DATABASE_URL_USERS_FILE": str(tmp_path / "url"),
            "JWT_SECRET": "x" * 32,
            "JWT_PREVIOUS_SECRETS_FILE": str(tmp_path / "old"),
        },
    )
    assert settings.database_url == "postgresql://host/db"
    assert settings.jwt_previous_secrets == ("a" * 40, "b" * 40)


def test_what_needs_a_session_goes_past_a_pooler_where_it_is_told_how() -> None:
    pooled = {"DATABASE_URL_USERS": "postgresql://pooler/users", "JWT_SECRET": "x" * 32}
    direct = pooled | {"DATABASE_DIRECT_URL_USERS": "postgresql://server/users"}
    assert (read_settings("users", pooled).session_url, session_url_of("users", pooled)) == (
        "postgresql://pooler/users",
        "postgresql://pooler/users",
    )
    settings = read_settings("users", direct)
    assert (settings.database_url, settings.session_url) == ("postgresql://pooler/users", "postgresql://server/users")
    assert session_url_of("users", direct) == "postgresql://server/users"
    assert "server" not in repr(settings)


def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="JWT_SECRET_FILE names a file that cannot be read"):
        read_settings("users", {"DATABASE_URL_USERS": "x", "JWT_SECRET_FILE": str(tmp_path / "absent")})


@pytest.mark.parametrize(
    "secret", ["x" * 64, "passwordpasswordpasswordpassword", "0123" * 10, "change me change me change me!!"]
)
def test_production_refuses_a_secret_that_is_guessed_easily(secret: str) -> None:
    environment = {"DATABASE_URL_USERS": "x", "JWT_SECRET": secret}
    assert secret not in repr(read_settings("users", environment | {"JWT_SECRET": secret + "x"}))
    with pytest.raises(SettingsError, match="JWT_SECRET"):
        read_settings("users", environment | {"FITTRACKER_ENV": "prod"})
