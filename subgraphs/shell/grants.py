"""What people let others read of theirs: each subgraph's database keeps the grants, and notes what was read by them.

The users database is the truth, and an event tells the others; where one has not heard of a grant, nothing is open. That
a grant ended is announced over Redis too, upon which every process deletes it from its own database: whoever reads asks
that for each batch of things, on the primary, so no process holds a grant in memory.
"""

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.users import AccessEnded, AccessGranted, UserErased
from events.fanout import EVERYTHING
from events.supervision import Loop, Loops
from events.topics import USERS_GRANT
from events.upcast import read_payload
from loaders.dataloader import DataLoader, load_one
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database
from subgraphs.shell.grant_area import GrantArea
from subgraphs.shell.hastening import hasten
from subgraphs.shell.person_lists import list_of_each
from subgraphs.shell.read_pool import Reader

if TYPE_CHECKING:
    from events.consumer import AfterCommit, Subscription
    from events.envelope import Envelope
    from events.fanout import Fanout

_log = structlog.get_logger("subgraphs.shell.grants")

CHANNEL = "ended-grants"
#: What stands before the id of a grant that goes on for reading, and plans nothing any more.
PLANS_ENDED = "plans:"
READS_KEPT_DAYS = 90
MOST_READS_SHOWN = 100

# Run by the events' own line of migrations, in every subgraph's database.
ACCESS_GRANT_DDL: tuple[str, ...] = (
    """
    CREATE TABLE access_grant (
        id text PRIMARY KEY,
        owner_id text NOT NULL,
        reader_id text NOT NULL,
        relation text NOT NULL,
        areas text[] NOT NULL,
        granted_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX access_grant_by_owner ON access_grant (owner_id, granted_at, id)",
    "CREATE INDEX access_grant_by_reader ON access_grant (reader_id, granted_at, id)",
    """
    CREATE TABLE access_read (
        grant_id text NOT NULL,
        what text NOT NULL,
        hour timestamptz NOT NULL,
        owner_id text NOT NULL,
        reader_id text NOT NULL,
        reader_name text NOT NULL,
        PRIMARY KEY (grant_id, what, hour)
    )
    """,
    "CREATE INDEX access_read_newest ON access_read (owner_id, hour DESC, what, grant_id)",
    "CREATE INDEX access_read_by_reader ON access_read (reader_id)",
    "CREATE INDEX access_read_by_time ON access_read (hour)",
)
_KEEP = text(
    "INSERT INTO access_grant (id, owner_id, reader_id, relation, areas, granted_at, expires_at, plans)"
    " VALUES (:id, :owner_id, :reader_id, :relation, :areas, :granted_at, :expires_at, :plans)"
    " ON CONFLICT (id) DO UPDATE SET owner_id = excluded.owner_id, reader_id = excluded.reader_id,"
    " relation = excluded.relation, areas = excluded.areas, granted_at = excluded.granted_at,"
    " expires_at = excluded.expires_at, plans = excluded.plans"
)
_END = text("DELETE FROM access_grant WHERE id = ANY(:ids)")
_END_PLANS = text("UPDATE access_grant SET plans = '{}' WHERE id = ANY(:ids)")
_FORGET_PERSON = (
    text("DELETE FROM access_grant WHERE owner_id = :id OR reader_id = :id"),
    text("DELETE FROM access_read WHERE owner_id = :id OR reader_id = :id"),
    text(
        "WITH gone AS (DELETE FROM plan_write WHERE owner_id = :id OR writer_id = :id RETURNING id)"
        " DELETE FROM outbox WHERE aggregate_type = 'plan_write' AND aggregate_id IN (SELECT id FROM gone)"
    ),
)
_FORGET_READS = text(
    "DELETE FROM access_read WHERE (grant_id, what, hour) IN (SELECT grant_id, what, hour FROM access_read"
    " WHERE hour < now() - make_interval(days => :days) LIMIT :rows)"
)
# In the order of the key, so that operations of one reader that run at once wait for each other and never in a circle.
_ADMIT = text(
    "WITH wanted AS (SELECT * FROM unnest(CAST(:owners AS text[]), CAST(:areas AS text[]), CAST(:names AS text[]))"
    " AS each (owner_id, area, what)),"
    " admitted AS (SELECT wanted.*, access_grant.id AS grant_id FROM wanted JOIN access_grant"
    " ON access_grant.owner_id = wanted.owner_id AND access_grant.reader_id = :reader_id"
    " AND access_grant.expires_at > now() AND (wanted.area = '' OR wanted.area = ANY(access_grant.areas))),"
    " noted AS (INSERT INTO access_read (grant_id, what, hour, owner_id, reader_id, reader_name)"
    " SELECT DISTINCT grant_id, what, date_trunc('hour', now(), 'UTC'), owner_id, :reader_id, CAST(:reader_name AS text)"
    " FROM admitted ORDER BY grant_id, what ON CONFLICT DO NOTHING)"
    " SELECT DISTINCT owner_id, area, what FROM admitted"
)
_READS = text(
    "SELECT found.* FROM unnest(CAST(:owner_ids AS text[])) AS person (owner_id) CROSS JOIN LATERAL ("
    " SELECT owner_id, grant_id, reader_id, reader_name, what, hour FROM access_read"
    " WHERE access_read.owner_id = person.owner_id ORDER BY hour DESC, what, grant_id LIMIT :most) AS found"
)


@dataclass(frozen=True, slots=True)
class Grant:
    """A person lets another read areas of theirs, and plan in some of them, until a moment."""

    id: str
    owner_id: str
    reader_id: str
    relation: str
    areas: tuple[str, ...]
    granted_at: datetime
    expires_at: datetime
    plans: tuple[str, ...] = ()


class Wanted(NamedTuple):
    """Something of a person that somebody wants to read: an area, or None for what any grant opens, and its name."""

    owner_id: str
    area: GrantArea | None
    what: str


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """That somebody read something of a person by a grant in one hour. `what` is a field, `User.meals`, or a type."""

    owner_id: str
    grant_id: str
    reader_id: str
    reader_name: str
    what: str
    hour: datetime


def grant_reads(database: Database, viewer: Viewer) -> "DataLoader[Wanted, bool | None]":
    """Whether the viewer may read things of other people by grants; what is admitted is noted in the same statement."""
    admit = database.primary().batch_reader(_admit)
    return load_one("grant_reads", partial(admit, viewer))


async def _admit(connection: Reader, viewer: Viewer, wanted: Sequence[Wanted]) -> dict[Wanted, bool]:
    parameters = {
        "owners": [each.owner_id for each in wanted],
        "areas": [each.area or "" for each in wanted],
        "names": [each.what for each in wanted],
        "reader_id": viewer.id,
        "reader_name": viewer.display_name,
    }
    rows = await connection.execute(_ADMIT, parameters)
    return {Wanted(row[0], GrantArea(row[1]) if row[1] else None, row[2]): True for row in rows}


async def reads_by_owner(connection: Reader, owner_ids: Sequence[str]) -> dict[str, list[ReadRecord]]:
    """What was read of each person here by grants, the latest hours first; 100 entries of each at most."""
    parameters = {"owner_ids": list(owner_ids), "most": MOST_READS_SHOWN}
    return await list_of_each(connection, _READS, parameters, ReadRecord, owner=0)


async def keep_grant(connection: AsyncConnection, grant: Grant) -> None:
    """Store a grant in this transaction."""
    await connection.execute(_KEEP, asdict(grant) | {"areas": list(grant.areas), "plans": list(grant.plans)})


async def end_grants(connection: AsyncConnection, grant_ids: Iterable[str]) -> None:
    """Forget grants in this transaction: nothing is open by them from its commit on."""
    await connection.execute(_END, {"ids": sorted(grant_ids)})


async def end_plans(connection: AsyncConnection, grant_ids: Iterable[str]) -> None:
    """Let these grants plan nothing any more, from this transaction's commit on; reading goes on."""
    await connection.execute(_END_PLANS, {"ids": sorted(grant_ids)})


async def forget_grants_of(connection: AsyncConnection, user_id: str) -> None:
    """Forget what a person gave and was given, and what was read and planned by it: the person is erased."""
    for statement in _FORGET_PERSON:
        await connection.execute(statement, {"id": user_id})


async def forget_reads(connection: AsyncConnection, rows: int) -> int:
    """Delete notes of reads that are 90 days old; returns how many."""
    result = await connection.execute(_FORGET_READS, {"days": READS_KEPT_DAYS, "rows": rows})
    return int(result.rowcount)


class EndedGrants:
    """News of grants that ended, or plan no more. `watch` must run for this process's database to follow before the event does."""

    def __init__(self, database: Database | None = None, fanout: "Fanout | None" = None) -> None:
        self._database = database
        self._fanout = fanout

    async def announce(self, grant_ids: Iterable[str]) -> None:
        """Tell every process that these grants ended; the users database knows it already."""
        await hasten(self._fanout, ((CHANNEL, each) for each in grant_ids), _log, "end_of_grant_not_hastened")

    async def announce_plans(self, grant_id: str) -> None:
        """Tell every process that this grant plans nothing any more; the users database knows it already."""
        await hasten(self._fanout, [(CHANNEL, f"{PLANS_ENDED}{grant_id}")], _log, "end_of_plans_not_hastened")

    async def watch(self, loops: Loops) -> None:
        """Delete what is announced as ended, until cancelled."""
        if self._database is None or self._fanout is None:
            return
        hearing = loops.add("grant-news", patience_seconds=inf)  # while nobody takes a grant back there are none
        await hearing.run(partial(self._hear, self._database, self._fanout, hearing))

    async def _hear(self, database: Database, fanout: "Fanout", loop: Loop) -> None:
        async with aclosing(fanout.listen(CHANNEL)) as announced:
            async for grant_ids in announced:
                told = grant_ids - {EVERYTHING}
                if told:
                    reading = {each.removeprefix(PLANS_ENDED) for each in told if each.startswith(PLANS_ENDED)}
                    async with database.transaction() as transaction:
                        await end_plans(transaction, reading)
                        await end_grants(transaction, (each for each in told if not each.startswith(PLANS_ENDED)))
                loop.progress()


def with_grants(subscription: "Subscription") -> "Subscription":
    """The subscription, which also keeps what it is told of grants. Not for users, whose own table is the truth.

    It is one that reads accounts: grants of a person who is erased go with the account's last event.
    """
    handle = subscription.handler

    async def handler(connection: AsyncConnection, envelopes: "Sequence[Envelope]") -> "AfterCommit":
        others: list[Envelope] = []
        for envelope in envelopes:
            if envelope.aggregate.type == AccessGranted.aggregate_type:
                await _apply(connection, envelope)
                continue
            others.append(envelope)
            if envelope.type == UserErased.__name__:
                await forget_grants_of(connection, envelope.user_id)
        return await handle(connection, others) if others else None

    return replace(subscription, topics=(*subscription.topics, USERS_GRANT.name), handler=handler)


async def _apply(connection: AsyncConnection, envelope: "Envelope") -> None:
    payload = read_payload(envelope)
    if isinstance(payload, AccessGranted):
        grant = Grant(
            id=envelope.aggregate.id,
            owner_id=envelope.user_id,
            reader_id=payload.reader_id,
            relation=payload.relation,
            areas=payload.areas,
            granted_at=payload.granted_at,
            expires_at=payload.expires_at,
            plans=payload.plans,
        )
        await keep_grant(connection, grant)
    elif isinstance(payload, AccessEnded):
        await end_grants(connection, [envelope.aggregate.id])
