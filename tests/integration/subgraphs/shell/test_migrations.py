"""Migrations: what they make is what the SQLModel tables say, and running them twice or at once is harmless."""

import asyncio
import importlib

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from subgraphs.shell.database import Database, migrate
from tests.testkit.servers import Postgres

# Written and read by events/ and shell.search, which have no tables of ours.
_OTHERS = {
    "outbox",
    "outbox_relay",
    "inbox",
    "inbox_partition",
    "parked_record",
    "park_order",
    "ended_session",
    "access_grant",
    "access_read",
    "plan_write",
    "search_entry",
    "search_word",
    "entity_change",
    "change_life",
}


@pytest.mark.parametrize("name", ["users", "nutrition", "workouts"])
async def test_tables_and_migrations_say_the_same(postgres: Postgres, name: str) -> None:
    url = postgres.create_database(f"migrated_{name}")
    await asyncio.gather(migrate(name, url), migrate(name, url))
    await migrate(name, url)

    metadata: MetaData = importlib.import_module(f"subgraphs.{name}.tables").metadata
    database = Database(url)
    async with database.transaction() as transaction:
        differences = await transaction.run_sync(_differences, metadata)
    await database.close()
    assert differences == []


def _differences(connection: Connection, metadata: MetaData) -> list[str]:
    """Tables and columns that only one side has, or that allow null on one side only."""
    options = {"compare_type": False, "include_object": _is_ours}
    context = MigrationContext.configure(connection, opts=options)
    found = compare_metadata(context, metadata)
    flat = [each for part in found for each in (part if isinstance(part, list) else [part])]
    return [
        str(each)
        for each in flat
        if each[0] in {"add_table", "remove_table", "add_column", "remove_column", "modify_nullable"}
    ]


def _is_ours(_item: object, name: str | None, kind: str, *_: object) -> bool:
    return kind != "table" or name not in _OTHERS
