"""Every table is listed with what bounds it, and old sessions go with their refresh tokens."""

import re
from pathlib import Path

import asyncpg
import pytest

from events.retention import forget_in_batches
from subgraphs.shell.database import Database, migrate
from subgraphs.users.commands.ended_session import forget_old_sessions
from tests.testkit.servers import Postgres

LIST = Path(__file__).parents[4] / "deploy" / "table-growth.md"


@pytest.mark.parametrize("name", ["users", "nutrition", "workouts", "analytics"])
async def test_every_table_is_in_the_list(postgres: Postgres, name: str) -> None:
    url = postgres.create_database(f"growth_{name}")
    await migrate(name, url)
    connection = await asyncpg.connect(url)
    tables = {row[0] for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    await connection.close()
    lines = [line for line in LIST.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    listed = {each for line in lines for each in re.findall(r"[a-z_]+", line.split("|")[1])}
    assert tables - listed == set()


async def test_a_session_that_expired_a_month_ago_goes_with_its_tokens(postgres: Postgres) -> None:
    url = postgres.create_database("growth_sessions")
    await migrate("users", url)
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO account (id, email, email_key, password_hash, display_name, roles, created_at)"
        " VALUES ('u', 'e', 'e', 'h', 'n', '{USER}', now())"
    )
    for name, expired, ended in (
        ("old", 31, "NULL"),
        ("ended", -10, "now() - interval '31 days'"),
        ("new", 29, "NULL"),
    ):
        await connection.execute(
            "INSERT INTO session (id, user_id, created_at, expires_at, revoked_at) VALUES"
            f" ('{name}', 'u', now(), now() - interval '{expired} days', {ended})"
        )
        await connection.execute(
            f"INSERT INTO refresh_token (token_hash, session_id, issued_at) VALUES ('{name}', '{name}', now())"
        )
    database = Database(url)
    assert await forget_in_batches(database.transaction, forget_old_sessions) == 2
    await database.close()
    assert [row[0] for row in await connection.fetch("SELECT session_id FROM refresh_token")] == ["new"]
    await connection.close()
