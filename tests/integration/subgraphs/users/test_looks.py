"""Loops that send what is due: a look that finds nothing is one small read, and one that finds something sends it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from subgraphs.users.app import SUBGRAPH
from subgraphs.users.commands.mail import queue_mail
from subgraphs.users.domain.mail import MailKind
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
QUEUES = ("pending_mail", "reminder", "pending_push", "webhook_endpoint")


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("users_looks")
    async with subgraph_under_test("users", url, schema, UsersLoaders) as subgraph:
        yield subgraph


@asynccontextmanager
async def looking(users: SubgraphUnderTest, spool: Path) -> AsyncIterator[None]:
    """Every loop of users, each of which looks at once and then not for a second."""
    settings = replace(users.resources.settings, mail_spool=str(spool), web_push_key=KEY, webhook_key=KEY)
    resources = replace(users.resources, settings=settings)
    running = [asyncio.create_task(loop(resources)) for loop in SUBGRAPH.loops]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def test_a_look_that_finds_nothing_is_one_read_and_no_transaction(
    users: SubgraphUnderTest, tmp_path: Path
) -> None:
    with users.counted_statements() as statements:
        async with looking(users, tmp_path), asyncio.timeout(10):
            while len(statements) < len(QUEUES):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)  # for what would follow
    assert len(statements) == len(QUEUES)
    for queue in QUEUES:
        (look,) = [each for each in statements if queue in each]
        assert look.startswith("SELECT EXISTS")


async def test_a_mail_that_waits_is_sent_at_the_next_look(users: SubgraphUnderTest, tmp_path: Path) -> None:
    async with users.database.transaction() as transaction:
        await queue_mail(transaction, MailKind.PASSWORD_CHANGED, "ann@example.com", users.resources.now())
    async with looking(users, tmp_path), asyncio.timeout(10):
        while not list(tmp_path.iterdir()):
            await asyncio.sleep(0.01)
