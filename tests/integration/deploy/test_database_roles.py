"""`deploy/postgres/roles.sql` on a real Postgres: who may do what, tried out."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import asyncpg
import pytest

from deploy.database_views import show
from deploy.databases import libpq_environment, postgres_program
from deploy.errors import FriendlyError
from subgraphs.shell.database import migrate
from tests.testkit.servers import Postgres

FILE = Path(__file__).parents[3] / "deploy" / "postgres" / "roles.sql"
PASSWORDS = {name: f"{name}-only-for-tests" for name in ("owner", "runtime", "reader", "backup")}


@pytest.fixture(scope="module")
async def server(postgres: Postgres) -> Postgres:
    for _ in range(2):  # it may run again
        _run(postgres)
    await migrate("users", _url(postgres, "fittracker_owner", "users", "owner"))
    return postgres


def _run(postgres: Postgres) -> None:
    variables = [argument for name, value in PASSWORDS.items() for argument in ("-v", f"{name}_password={value}")]
    environment = {**libpq_environment(postgres.url()), "PATH": "/usr/bin:/bin"}
    subprocess.run([postgres_program("psql"), "-Xq", *variables, "-f", str(FILE)], check=True, env=environment)


def _url(postgres: Postgres, role: str, domain: str, password: str) -> str:
    return f"postgresql://{role}:{PASSWORDS[password]}@127.0.0.1:{postgres.port}/fittracker_{domain}"


async def _try(postgres: Postgres, role: str, password: str, statement: str, domain: str = "users") -> None:
    connection = await asyncpg.connect(_url(postgres, role, domain, password))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_the_slow_statements_of_each_subgraph_are_told_and_no_others() -> None:
    server = Postgres("-c", "shared_preload_libraries=pg_stat_statements")
    server.start()
    try:
        _run(server)
        urls = {domain: _url(server, f"fittracker_{domain}", domain, "runtime") for domain in ("users", "nutrition")}
        connection = await asyncpg.connect(urls["users"])
        await connection.execute("SELECT pg_sleep(0.05) /* of users */")
        await connection.close()
        of_users, of_nutrition = [await asyncio.to_thread(show, "slow", {domain: url}) for domain, url in urls.items()]
        assert "pg_sleep" in of_users
        assert "pg_sleep" not in of_nutrition
    finally:
        server.stop()


async def test_an_audit_names_who_changed_roles_and_tables_and_no_password() -> None:
    server = Postgres(
        "-c", "shared_preload_libraries=pg_stat_statements", "-c", "log_statement=ddl", "-c", "log_min_duration_statement=0",
        "-c", "log_line_prefix=%u@%d ", "-c", "logging_collector=on", "-c", "log_directory=audit",
    )  # fmt: skip
    server.start()
    try:
        _run(server)
        _run(server)  # the second time roles are there, and passwords are set all the same
        await _try(server, "fittracker_owner", "owner", "CREATE TABLE audited (id int)")
        reader = await asyncpg.connect(_in_postgres(server, "fittracker_reader", "reader"))
        statements = "\n".join(
            row["query"] for row in await reader.fetch("SELECT coalesce(query, '') AS query FROM pg_stat_statements")
        )
        folder = Path(await _of_superuser(server, "SHOW data_directory")) / "audit"
        await reader.close()
        async with asyncio.timeout(60):
            while "audited" not in (log := await asyncio.to_thread(_read_all, folder)):
                await asyncio.sleep(0.1)
    finally:
        server.stop()
    assert "fittracker_owner@fittracker_users LOG:  statement: CREATE TABLE audited" in log
    assert "CREATE TABLE audited" in statements
    for password in PASSWORDS.values():
        assert password not in log
        assert password not in statements


def _in_postgres(postgres: Postgres, role: str, password: str) -> str:
    """Where the extension is: in the database that is nobody's."""
    return f"postgresql://{role}:{PASSWORDS[password]}@127.0.0.1:{postgres.port}/postgres"


def _read_all(folder: Path) -> str:
    return "\n".join(file.read_text() for file in folder.iterdir())


async def _of_superuser(postgres: Postgres, statement: str) -> str:
    connection = await asyncpg.connect(postgres.url())
    try:
        return str(await connection.fetchval(statement))
    finally:
        await connection.close()


async def test_a_postgres_without_statistics_is_told(server: Postgres) -> None:
    with pytest.raises(FriendlyError, match="keeps no statistics"):
        await asyncio.to_thread(show, "slow", {"users": _url(server, "fittracker_users", "users", "runtime")})


async def test_a_subgraph_reads_and_writes_what_migrations_made(server: Postgres) -> None:
    await _try(server, "fittracker_users", "runtime", "SELECT count(*) FROM account")
    await _try(server, "fittracker_users", "runtime", "DELETE FROM account WHERE false")


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE mine (id int)", "DROP TABLE account", "ALTER TABLE account ADD COLUMN x int", "CREATE ROLE mine"],
)
async def test_a_subgraph_cannot_change_the_schema(server: Postgres, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _try(server, "fittracker_users", "runtime", statement)


async def test_a_subgraph_reaches_no_other_database(server: Postgres) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
        await _try(server, "fittracker_users", "runtime", "SELECT 1", domain="nutrition")


async def test_readers_read_and_do_not_write(server: Postgres) -> None:
    for role, password in (("fittracker_reader", "reader"), ("fittracker_backup", "backup")):
        await _try(server, role, password, "SELECT count(*) FROM account")
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)):
            await _try(server, role, password, "DELETE FROM account WHERE false")


async def test_nobody_else_may_connect(server: Postgres) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute("DROP ROLE IF EXISTS stranger")
        await connection.execute("CREATE ROLE stranger LOGIN")
    finally:
        await connection.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
        await asyncpg.connect(f"postgresql://stranger@127.0.0.1:{server.port}/fittracker_users")
