"""`fittracker secrets FOLDER`: every secret of the production stack, random, as files that compose and systemd mount.

Files that exist stay as they are, so the command may run again after a release that needs one more.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from deploy.embedded import DOMAINS
from deploy.errors import FriendlyError

ENTROPY_BYTES = 32
#: Where alerts go until an operator names the real receiver; Alertmanager refuses to start without an URL.
UNSET_WEBHOOK = "http://127.0.0.1:9/replace-me"


def write_secrets(folder: Path, *, postgres_host: str = "postgres", redis_host: str = "redis") -> list[str]:
    """Make what is absent and return the names of the files made. Raises FriendlyError where the folder is open to others.

    Passwords are 43 characters of URL-safe base64 (256 bits), the JWT secret 64 (384 bits).
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        raise FriendlyError(f"{folder} is open to other users", f"chmod 0700 {folder}")
    made: list[str] = []
    for name, content in _contents(folder, postgres_host, redis_host).items():
        if not (folder / name).exists():
            _write(folder / name, content())
            made.append(name)
    return made


def _contents(folder: Path, postgres_host: str, redis_host: str) -> dict[str, Callable[[], str]]:
    """File name -> what it shall hold, in an order in which each may read those before it."""

    def read(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8").strip()

    def database_url(role: str, password: str, domain: str) -> Callable[[], str]:
        return lambda: f"postgresql://{role}:{read(password)}@{postgres_host}:5432/fittracker_{domain}"

    contents: dict[str, Callable[[], str]] = {
        **{f"postgres_{role}_password": _password for role in ("superuser", "owner", "runtime", "reader", "backup")},
        "redis_password": _password,
        "redis_cache_password": _password,
        "jwt_secret": lambda: secrets.token_urlsafe(48),
        "web_push_key": lambda: secrets.token_urlsafe(32),
        "second_factor_key": lambda: secrets.token_urlsafe(32),
        "webhook_key": lambda: secrets.token_urlsafe(32),
        "grafana_admin_password": _password,
        "backup_passphrase": _password,
        "alert_webhook_url": lambda: UNSET_WEBHOOK,
    }
    for domain in DOMAINS:
        contents[f"database_url_owner_{domain}"] = database_url("fittracker_owner", "postgres_owner_password", domain)
        contents[f"database_url_{domain}"] = database_url(f"fittracker_{domain}", "postgres_runtime_password", domain)
    contents["redis_url"] = lambda: f"redis://:{read('redis_password')}@{redis_host}:6379/0"
    contents["router_redis_url"] = lambda: f"redis://:{read('redis_cache_password')}@{redis_host}-cache:6379/0"
    contents["redis_password_map"] = lambda: f'{{"redis://{redis_host}:6379": "{read("redis_password")}"}}'
    contents["redis_conf"] = lambda: _redis_configuration(read("redis_password"), keeps=True)
    contents["redis_cache_conf"] = lambda: _redis_configuration(read("redis_cache_password"), keeps=False)
    return contents


def _password() -> str:
    return secrets.token_urlsafe(ENTROPY_BYTES)


def _redis_configuration(password: str, *, keeps: bool) -> str:
    """`keeps`: nothing is evicted and everything is on disk within a second. Otherwise a cache and nothing else."""
    kept = ["maxmemory 384mb", "maxmemory-policy noeviction", "appendonly yes", "appendfsync everysec", "save 60 1000"]
    lost = ["maxmemory 512mb", "maxmemory-policy allkeys-lru", "appendonly no", 'save ""']
    return "\n".join([f"requirepass {password}", "dir /data", *(kept if keeps else lost)]) + "\n"


def _write(file: Path, content: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)
