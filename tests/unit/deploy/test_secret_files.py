"""The secrets of a production stack: strong, once made never changed, and in nobody else's reach."""

import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from deploy.errors import FriendlyError
from deploy.secret_files import write_secrets
from subgraphs.shell.settings import read_settings

COMPOSE = Path(__file__).parents[3] / "deploy" / "compose" / "compose.yaml"


def test_every_secret_that_compose_names_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    made = set(write_secrets(folder))
    named = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["secrets"]
    assert {Path(secret["file"]).name for secret in named.values()} <= made
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    write_secrets(folder)
    before = {file.name: file.read_text() for file in folder.iterdir()}
    assert write_secrets(folder) == []
    assert {file.name: file.read_text() for file in folder.iterdir()} == before


def test_a_folder_that_others_can_read_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o755)
    with pytest.raises(FriendlyError, match="open to other users"):
        write_secrets(folder)


def test_production_accepts_what_was_made(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    write_secrets(folder)
    settings = read_settings(
        "users",
        {
            "FITTRACKER_ENV": "prod",
            "DATABASE_URL_USERS_FILE": str(folder / "database_url_users"),
            "JWT_SECRET_FILE": str(folder / "jwt_secret"),
            "REDIS_URL_FILE": str(folder / "redis_url"),
        },
    )
    url = urlsplit(settings.database_url)
    assert (url.username, url.password, url.path) == (
        "fittracker_users",
        (folder / "postgres_runtime_password").read_text(),
        "/fittracker_users",
    )
    assert f"requirepass {urlsplit(settings.redis_url or '').password}\n" in (folder / "redis_conf").read_text()
