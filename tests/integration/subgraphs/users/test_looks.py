"""Loops that send what is due: a look that finds nothing is one small read, and one that finds something sends it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from subgraphs.users.app import SUBGRAPH
from subgraphs.users.commands import due
from subgraphs.users.commands.mail import queue_mail
from subgraphs.users.domain.mail import MailKind
from subgraphs.users.loaders import UsersLoaders
from subgraphs.users.schema import schema
from tests.testkit.explained import Explained
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
PEOPLE, OF_EACH = 1_000, 10
# Much waits for tomorrow, and nothing is due.
_POPULATION = (
    f"""
    INSERT INTO account (id, email, email_key, password_hash, display_name, roles, created_at)
    SELECT 'p' || n, n, n, '', 'P', '{{USER}}', now() FROM generate_series(1, {PEOPLE}) AS n
    """,
    f"""
    INSERT INTO reminder (id, user_id, kind, time_of_day, weekdays, next_at, next_day)
    SELECT 'p' || person || '-' || n, 'p' || person, 'DRINK', '08:00', '{{MONDAY}}', now() + interval '1 day', current_date
    FROM generate_series(1, {PEOPLE}) AS person CROSS JOIN generate_series(1, {OF_EACH}) AS n
    """,
    f"""
    INSERT INTO plan_ahead (planned_id, user_id, local_date, name, remind_at, is_done)
    SELECT person || '-' || n, 'p' || person, current_date, 'Legs', now() + (n - 0.5) * interval '1 day', n < 1
    FROM generate_series(1, {PEOPLE}) AS person CROSS JOIN generate_series(1 - {OF_EACH}, {OF_EACH}) AS n
    """,
    f"""
    INSERT INTO report_due (user_id, week, due_at)
    SELECT 'p' || n, current_date, now() + interval '1 day' FROM generate_series(1, {PEOPLE}) AS n
    """,
    f"""
    INSERT INTO webhook_endpoint (id, user_id, name, url, kinds, secret, version, created_at, next_at, is_slow)
    SELECT 'p' || person || '-' || n, 'p' || person, 'x', 'x', '{{}}', '', 1, now(), now() + interval '1 day', n % 2 = 0
    FROM generate_series(1, {PEOPLE}) AS person CROSS JOIN generate_series(1, {OF_EACH}) AS n
    """,
    f"""
    INSERT INTO pending_mail (id, kind, recipient, created_at, due_at, first_due_at)
    SELECT n, 'PASSWORD_CHANGED', n, now(), now() + interval '1 day', now() + interval '1 day' FROM generate_series(1, {PEOPLE}) AS n
    """,
    f"""
    INSERT INTO notification (id, user_id, kind, cause, created_at)
    SELECT 'p' || n, 'p' || n, 'EMAIL_CHANGED', n, now() FROM generate_series(1, {PEOPLE}) AS n
    """,
    f"""
    INSERT INTO push_subscription (id, user_id, endpoint, p256dh, auth, session_id, created_at)
    SELECT 'p' || person || '-' || n, 'p' || person, person || '/' || n, '', '', 's', now()
    FROM generate_series(1, {PEOPLE}) AS person CROSS JOIN generate_series(1, {OF_EACH}) AS n
    """,
    f"""
    INSERT INTO pending_push (id, subscription_id, notification_id, created_at, due_at)
    SELECT 'p' || person || '-' || n, 'p' || person || '-' || n, 'p' || person, now(), now() + interval '1 day'
    FROM generate_series(1, {PEOPLE}) AS person CROSS JOIN generate_series(1, {OF_EACH}) AS n
    """,
    "ANALYZE",
)
QUEUES = ("pending_mail", "reminder", "pending_push", "webhook_endpoint")


@pytest.fixture(scope="module")
async def users(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("users_looks")
    async with subgraph_under_test("users", url, schema, UsersLoaders) as subgraph:
        async with subgraph.database.transaction() as transaction:
            for statement in _POPULATION:
                await transaction.execute(text(statement))
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


async def test_a_look_that_finds_nothing_is_one_read_for_all_queues_and_no_transaction(
    users: SubgraphUnderTest, tmp_path: Path
) -> None:
    with users.counted_statements() as statements:
        async with looking(users, tmp_path), asyncio.timeout(60):
            while not _looks(statements):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)  # for what would follow
    (look,) = _looks(statements)
    assert look.startswith("SELECT")
    assert all(queue in look for queue in QUEUES)
    explained = await explained_without_values(users, look)
    assert explained.whole_tables == set(), explained
    assert explained.buffers <= 12 * len(QUEUES), (explained.buffers, explained)


def _looks(statements: Sequence[str]) -> list[str]:
    """What loops ask again and again; what is sealed anew is asked once, when a process starts."""
    return [each for each in statements if "totp_secret" not in each]


async def explained_without_values(users: SubgraphUnderTest, statement: str) -> Explained:
    """As Postgres executes what it has prepared for whatever moment: it takes a third of a table to be due then."""
    async with users.database.transaction() as transaction:
        await transaction.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        await transaction.exec_driver_sql(f"PREPARE look (timestamptz) AS {statement}")
        told = await transaction.scalar(text("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE look (now())"))
        await transaction.execute(text("DEALLOCATE look"))
    (answer,) = orjson.loads(told) if isinstance(told, str) else told
    return Explained(statement, answer["Plan"])


async def test_each_loop_hears_of_its_own_queue_and_a_look_that_nobody_waits_for_is_none(
    users: SubgraphUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "LOOK_EVERY_SECONDS", 0.05)
    resources = replace(users.resources, own={})
    found: dict[str, list[bool]] = {}
    for queue, table, moment in (
        ("none", "pending_mail", "due_at"),
        ("MAIL", "pending_mail", "due_at"),
        ("REMINDERS", "plan_ahead", "remind_at"),
        ("PUSHES", "pending_push", "due_at"),
        ("WEBHOOKS", "webhook_endpoint", "next_at"),
        ("ERASURES", "account", "erase_at"),
    ):
        later = "1 day" if queue == "none" else "-1 day"
        where = "WHERE NOT is_done" if table == "plan_ahead" else ""
        async with users.database.transaction() as transaction:
            change = f"UPDATE {table} SET {moment} = now() + interval '{later}' {where}"
            await transaction.execute(text(change))
        found[queue] = await asyncio.gather(*(due.is_due(resources, each) for each in due.Queue))
        async with users.database.transaction() as transaction:
            await transaction.execute(text(change.replace(later, "1 day")))
    assert found.pop("none") == [False] * len(due.Queue)
    assert found == {queue.name: [each is queue for each in due.Queue] for queue in due.Queue}

    with users.counted_statements() as statements:
        waiting = asyncio.ensure_future(due.is_due(resources, due.Queue.MAIL))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0.1)
    assert not statements


async def test_a_mail_that_waits_is_sent_at_the_next_look(users: SubgraphUnderTest, tmp_path: Path) -> None:
    async with users.database.transaction() as transaction:
        await queue_mail(transaction, MailKind.PASSWORD_CHANGED, "ann@example.com", users.resources.now())
    async with looking(users, tmp_path), asyncio.timeout(60):
        while not list(tmp_path.iterdir()):
            await asyncio.sleep(0.01)
