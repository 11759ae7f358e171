"""The record of people's changed things as it is read: a page of what changed since a place, and what is forgotten.

Triggers write it, which `synced_tables` makes. A transaction's id is drawn when it first writes, and its rows are seen when it
commits, so an older id can come to be seen after a younger one. A page therefore ends below the oldest transaction that
still runs anywhere in the server: of all below that, what is to be seen is seen (decision 0212).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.outbox import INCARNATION
from subgraphs.shell.database import Database
from subgraphs.shell.read_pool import Reader
from subgraphs.shell.synced_tables import TRANSACTION, portions_of

#: Longer than any token holds, so that a token that holds has missed no deletion.
TOMBSTONE_DAYS = 100

# Of which life of the database the transaction ids of `entity_change` are; run by the events' own line of migrations.
CHANGE_LIFE_DDL: tuple[str, ...] = (
    "CREATE TABLE change_life (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), incarnation text NOT NULL)",
    f"INSERT INTO change_life (incarnation) {INCARNATION}",
)
_PAGE = text(
    f"""
    WITH moment AS MATERIALIZED (
        SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) AS horizon, ({INCARNATION}) AS incarnation
    )
    SELECT person.user_id, moment.horizon, moment.incarnation = (SELECT incarnation FROM change_life),
        left(md5(concat_ws(':', moment.incarnation, (SELECT source_epoch FROM outbox_relay))), 16),
        found.changed_in, found.kind, found.entity_id, found.is_deleted
    FROM unnest(CAST(:user_ids AS text[])) AS person (user_id) CROSS JOIN moment LEFT JOIN LATERAL (
        SELECT changed_in, kind, entity_id, is_deleted FROM entity_change AS change
        WHERE change.user_id = person.user_id AND change.changed_in < moment.horizon
            AND (change.changed_in, change.kind, change.entity_id) > (:changed_in, :kind, :entity_id)
        ORDER BY changed_in, kind, entity_id LIMIT :limit
    ) AS found ON true
    """  # noqa: S608 - our own words
)
_FORGET_TOMBSTONES = text(
    "DELETE FROM entity_change WHERE (user_id, kind, entity_id) IN (SELECT user_id, kind, entity_id FROM entity_change"
    " WHERE is_deleted AND changed_at < now() - make_interval(days => :days) LIMIT :rows)"
)
_FORGET_PERSON = text("DELETE FROM entity_change WHERE user_id = :user_id")
_IS_GONE = text(
    "SELECT EXISTS (SELECT FROM entity_change WHERE user_id = :user_id AND kind = :kind AND entity_id = :id AND is_deleted)"
)
_IS_ANOTHER_LIFE = text(f"SELECT incarnation <> ({INCARNATION}) FROM change_life")  # noqa: S608 - our own words
# To have changed now is to be told to everybody once more, which is never wrong.
_CHANGED_NOW = text(
    f"UPDATE entity_change SET changed_in = {TRANSACTION} WHERE ctid >= CAST(:first AS tid)"  # noqa: S608 - our own words
    f" AND ctid < CAST(:last AS tid) AND changed_in > {TRANSACTION}"
)
_ENTER_LIFE = text(f"UPDATE change_life SET incarnation = ({INCARNATION})")  # noqa: S608 - our own words


class Place(NamedTuple):
    """Where in the order of a person's changes somebody stands: behind the last change that was told."""

    changed_in: int = 0
    kind: str = ""
    entity_id: str = ""


class ChangeRecord(NamedTuple):
    """That a thing came to be, changed or was deleted."""

    changed_in: int
    kind: str
    entity_id: str
    is_deleted: bool

    @property
    def place(self) -> Place:
        return Place(self.changed_in, self.kind, self.entity_id)


class ChangePage(NamedTuple):
    """What changed behind a place, at most so many."""

    after: Place
    size: int


class ChangesRecord(NamedTuple):
    """One person's page, which has one change more than was asked for where more follow.

    Everything below transaction `horizon` is told by now. `life` tells the database's lives apart; `is_settled` is False for
    a moment after the database was restored.
    """

    horizon: int
    is_settled: bool
    life: str
    changes: Sequence[ChangeRecord]


async def changes_by_user(connection: Reader, user_ids: Sequence[str], page: ChangePage) -> dict[str, ChangesRecord]:
    """The same page of several people's changes, in order. `connection` must be the primary's."""
    parameters = {"user_ids": list(user_ids), "limit": page.size + 1, **page.after._asdict()}
    found: defaultdict[str, list[ChangeRecord]] = defaultdict(list)
    moments: dict[str, tuple[int, bool, str]] = {}
    for user_id, horizon, is_settled, life, *change in await connection.execute(_PAGE, parameters):
        moments[user_id] = (horizon, is_settled, life)
        if change[0] is not None:
            found[user_id].append(ChangeRecord(*change))
    return {user_id: ChangesRecord(*moment, found[user_id]) for user_id, moment in moments.items()}


async def is_gone(connection: AsyncConnection, user_id: str, kind: str, entity_id: str) -> bool:
    """Whether the person had this thing and deleted it, within the last hundred days."""
    return bool(await connection.scalar(_IS_GONE, {"user_id": user_id, "kind": kind, "id": entity_id}))


async def forget_changes_of(connection: AsyncConnection, user_id: str) -> None:
    """Forget what a person had and changed, once all of it is deleted in this transaction: the person is erased."""
    await connection.execute(_FORGET_PERSON, {"user_id": user_id})


async def forget_tombstones(connection: AsyncConnection, rows: int) -> int:
    """What is left of things that were deleted 100 days ago; returns how many went."""
    result = await connection.execute(_FORGET_TOMBSTONES, {"days": TOMBSTONE_DAYS, "rows": rows})
    return int(result.rowcount)


async def settle_changes(database: Database) -> None:
    """After a restore into another server, whose transactions count anew: bring what seems to lie ahead to now.

    Does nothing in a database that lives on. Tokens of the life before do not hold (`ChangesRecord.life`).
    """
    async with database.transaction() as connection:
        if not await connection.scalar(_IS_ANOTHER_LIFE):
            return
        portions = await portions_of(connection, "entity_change")
    for portion in portions:
        async with database.transaction() as connection:
            await connection.execute(_CHANGED_NOW, portion)
    async with database.transaction() as connection:
        await connection.execute(_ENTER_LIFE)
