"""`fittracker restore` and `verify-backup`: a backup's databases put in the place of those that are there, or beside them."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from deploy.backup.create import ORDER
from deploy.backup.encryption import is_encrypted, plain_file
from deploy.backup.manifest import Dump, Manifest, check_files, read_manifest
from deploy.backup.rows import count_rows
from deploy.databases import run_postgres
from deploy.errors import FriendlyError

_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
#: A table may have got or lost rows between the count and the dump's snapshot; a larger difference is told.
TOLERATED_DIFFERENCE = 0.001


def restore_backup(
    folder: Path, urls: dict[str, str], domains: Sequence[str], *, passphrase: str | None, force: bool
) -> None:
    """Each database becomes what the backup holds, in one transaction. Raises FriendlyError and then that one is unchanged.

    Refused while anything else is connected, unless `force`: a subgraph that runs would go on with what it has cached.
    """
    manifest = read_manifest(folder)
    chosen = [manifest.of(domain) for domain in ORDER if domain in domains]
    require_passphrase(folder, chosen, passphrase)
    check_files(folder, manifest)
    if not force:
        for dump in chosen:
            _refuse_company(dump.domain, urls[dump.domain])
    for dump in chosen:
        with plain_file(folder / dump.file, passphrase) as file:
            run_postgres(
                "pg_restore", urls[dump.domain], "--dbname", _database(urls[dump.domain]), "--clean", "--if-exists",
                "--single-transaction", "--no-owner", "--no-privileges", str(file),
            )  # fmt: skip
        run_postgres("psql", urls[dump.domain], "-XAtqc", "ANALYZE")


async def verify_backup(folder: Path, *, passphrase: str | None, server: str | None = None) -> list[str]:
    """Restores everything beside what is there and compares. What differs, a sentence each; none is a good backup.

    Into databases that are made and dropped again on `server`, or without one into a Postgres of its own. Raises
    FriendlyError where a file was changed or cannot be restored at all.
    """
    manifest = read_manifest(folder)
    require_passphrase(folder, manifest.dumps, passphrase)
    await asyncio.to_thread(check_files, folder, manifest)
    async with _scratch_cluster() if server is None else _scratch_databases(server) as urls:
        await asyncio.to_thread(
            restore_backup, folder, urls, [dump.domain for dump in manifest.dumps], passphrase=passphrase, force=True
        )
        return await asyncio.to_thread(_differences, manifest, urls)


def _differences(manifest: Manifest, urls: dict[str, str]) -> list[str]:
    return [sentence for dump in manifest.dumps for sentence in _of_one(dump, urls[dump.domain])]


def _of_one(dump: Dump, url: str) -> Iterator[str]:
    found = count_rows(url)
    for table in sorted(set(dump.rows) | set(found)):
        wanted, there = dump.rows.get(table), found.get(table)
        if wanted is None or there is None:
            yield f"{dump.domain}: table {table} is {'not in the backup' if there is None else 'new'}"
        elif abs(wanted - there) > max(1, wanted) * TOLERATED_DIFFERENCE:
            yield f"{dump.domain}: {table} has {there} rows, {wanted} were counted"
    revisions = "SELECT string_agg(version_num, ' ' ORDER BY version_num) FROM alembic_version"
    revision = run_postgres("psql", url, "-XAtqc", revisions).decode().strip()
    if revision != dump.revision:
        yield f"{dump.domain}: its schema is at revision {revision}, {dump.revision} was noted"


@asynccontextmanager
async def _scratch_cluster() -> AsyncIterator[dict[str, str]]:
    """Domain -> URL of an empty database in a Postgres of its own, gone at the end."""
    from deploy.embedded import EmbeddedPorts, EmbeddedServers, create_databases, postgres_spec
    from deploy.server_secret import ServerSecret
    from deploy.supervisor import Supervisor

    with tempfile.TemporaryDirectory(prefix="fittracker-verify-") as folder:
        ports = EmbeddedPorts.free()
        async with Supervisor(lambda *_: None, lambda *_: None) as supervisor:
            await supervisor.start(await asyncio.to_thread(postgres_spec, Path(folder), ports.postgres))
            servers = EmbeddedServers(ports, ServerSecret.of(Path(folder)))
            await create_databases(servers)
            yield {domain: servers.database_url(domain) for domain in ORDER}


@asynccontextmanager
async def _scratch_databases(server: str) -> AsyncIterator[dict[str, str]]:
    """Domain -> URL of an empty database on `server`, dropped at the end."""
    suffix = secrets.token_hex(4)
    names = {domain: f"verify_{domain}_{suffix}" for domain in ORDER}
    try:
        for name in names.values():
            await asyncio.to_thread(run_postgres, "psql", server, "-XAtqc", f'CREATE DATABASE "{name}"')
        yield {domain: urlsplit(server)._replace(path=f"/{name}").geturl() for domain, name in names.items()}
    finally:
        for name in names.values():
            await asyncio.to_thread(run_postgres, "psql", server, "-XAtqc", f'DROP DATABASE IF EXISTS "{name}"')


def require_passphrase(folder: Path, dumps: Iterable[Dump], passphrase: str | None) -> None:
    """Before anybody is asked or anything starts. Raises FriendlyError where a dump is encrypted and there is no passphrase."""
    for file in (folder / dump.file for dump in dumps):
        if passphrase is None and file.exists() and is_encrypted(file):
            raise FriendlyError(f"{file} is encrypted", "name the file with its passphrase: --passphrase-file")


def _refuse_company(domain: str, url: str) -> None:
    count = int(run_postgres("psql", url, "-XAtqc", _OTHERS))
    if count:
        raise FriendlyError(
            f"{count} other connections use the database of {domain}",
            "stop the subgraphs first, or restore all the same with --force, as in the stack of `fittracker up`, whose Postgres "
            "ends with it",
        )


def _database(url: str) -> str:
    return url.rpartition("/")[2].partition("?")[0]
