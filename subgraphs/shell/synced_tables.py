"""Which tables hold things that clients keep a copy of, and the triggers that note their changes in `entity_change`.

Each subgraph's `synced.py` declares its tables. Once the revisions have run, `migrate` makes the triggers of what is declared,
so that a table joins with its line there. Triggers, because no command, loader or statement by hand can go past them.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Run by the events' own line of migrations, in every subgraph's database. One row for each thing that somebody has or has
# had of late; `changed_in` is the id of the transaction that wrote it last.
ENTITY_CHANGE_DDL: tuple[str, ...] = (
    """
    CREATE TABLE entity_change (
        user_id text NOT NULL,
        kind text NOT NULL,
        entity_id text NOT NULL,
        changed_in bigint NOT NULL,
        changed_at timestamptz NOT NULL,
        is_deleted boolean NOT NULL,
        PRIMARY KEY (user_id, kind, entity_id)
    )
    """,
    "CREATE INDEX entity_change_in_order ON entity_change (user_id, changed_in, kind, entity_id)",
    "CREATE INDEX entity_change_deleted ON entity_change (changed_at) WHERE is_deleted",
)
#: The transaction's id, which is never used again in one life of the database. A column's own type would be xid8, which
#: the driver does not read.
TRANSACTION = "CAST(CAST(pg_current_xact_id() AS text) AS bigint)"

#: A table that joins, and the record of changes after a restore, are gone through in so many blocks of 8 kB at once: some
#: ten thousand rows.
_BLOCKS_AT_ONCE = 500

#: Tables that every database has, and why nobody keeps a copy of what is in them.
NOT_SYNCED_ANYWHERE = {
    "outbox": "events, for other subgraphs",
    "outbox_relay": "a row of the relay",
    "inbox": "what consumers have heard of",
    "inbox_partition": "where consumers stand",
    "parked_record": "records for an operator",
    "park_order": "an operator's orders",
    "ended_session": "what tokens are refused by",
    "access_grant": "rights are asked of the server, never of a copy",
    "access_read": "notes for the owner, who reads them as a list",
    "plan_write": "notes for the owner, who reads them as a list",
    "entity_change": "this record of changes itself",
    "change_life": "a row of this record of changes",
    "alembic_version": "which revisions have run",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedTable:
    """A table each of whose rows is a thing of a person, or changes one.

    `kind` is what `api/changes.py` finds the GraphQL type by. `owner`, `entity` and `gone` are SQL over the row: whose it is
    (null: nobody's, and not noted), the thing's id, and whether a row that is there counts as deleted. Where
    `keeps_entity` the row only changes a thing that stays when the row goes. With `only_with_version`, updates count
    where they change `version`, and others are housekeeping. With `only_deletions` the things are told as parts of others, and
    only that one is gone is noted, so that its id is not used again.
    """

    table: str
    kind: str
    owner: str = "user_id"
    entity: str = "id"
    gone: str = "false"
    keeps_entity: bool = False
    only_with_version: bool = False
    only_deletions: bool = False

    @property
    def function(self) -> str:
        return f"note_change_of_{self.table}"

    @property
    def statements(self) -> tuple[str, ...]:
        """What makes the triggers; running them again changes nothing."""
        condition = ""
        if self.only_with_version:
            condition = (
                f" AND EXISTS (SELECT FROM before_rows WHERE before_rows.id = {self.table}.id"
                f" AND before_rows.version <> {self.table}.version)"
            )
        deleted = "false" if self.keeps_entity else "true"
        body = f"""
            CREATE OR REPLACE FUNCTION {self.function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF TG_OP = 'DELETE' THEN
                    {self._note("before_rows", deleted)};
                ELSIF TG_OP = 'UPDATE' THEN
                    {self._note("after_rows", self.gone, condition)};
                ELSE
                    {self._note("after_rows", self.gone)};
                END IF;
                RETURN NULL;
            END $$
        """
        events = {
            "insert": "NEW TABLE AS after_rows",
            "update": "OLD TABLE AS before_rows NEW TABLE AS after_rows",
            "delete": "OLD TABLE AS before_rows",
        }
        if self.only_deletions:
            events = {"delete": events["delete"]}
        return (
            body,
            *(
                f"CREATE OR REPLACE TRIGGER {self.function}_{name} AFTER {name} ON {self.table}"
                f" REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {self.function}()"
                for name, rows in events.items()
            ),
        )

    @property
    def fingerprint(self) -> str:
        """Kept as the function's comment once the rows of before have been noted too."""
        return hashlib.sha256("\0".join(self.statements).encode()).hexdigest()[:16]

    @property
    def note_rows_of_before(self) -> str:
        """Notes what stands in the blocks from :first on, below :last; what a trigger noted already stays as it is."""
        return (
            f"INSERT INTO entity_change (user_id, kind, entity_id, changed_in, changed_at, is_deleted)"  # noqa: S608
            f" SELECT DISTINCT {self.owner}, '{self.kind}', {self.entity}, {TRANSACTION}, now(), false FROM {self.table}"
            f" WHERE ctid >= CAST(:first AS tid) AND ctid < CAST(:last AS tid) AND {self.owner} IS NOT NULL"
            f" AND NOT ({self.gone}) ON CONFLICT DO NOTHING"
        )

    def _note(self, rows: str, deleted: str, condition: str = "") -> str:
        """In the order of the key, so that statements that note several wait for each other and never in a circle."""
        return (
            "INSERT INTO entity_change AS known (user_id, kind, entity_id, changed_in, changed_at, is_deleted)"  # noqa: S608
            f" SELECT DISTINCT {self.owner}, '{self.kind}', {self.entity}, {TRANSACTION}, now(), {deleted}"
            f" FROM {rows} AS {self.table} WHERE {self.owner} IS NOT NULL{condition} ORDER BY 1, 3"
            " ON CONFLICT (user_id, kind, entity_id) DO UPDATE SET changed_in = excluded.changed_in,"
            " changed_at = excluded.changed_at, is_deleted = excluded.is_deleted"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedTables:
    """What a subgraph decided of each of its tables.

    `parts` are tables whose rows belong to a thing of another table, which is written in every transaction that changes
    them; by name, with that table's. `not_synced` says why nobody keeps a copy.
    """

    tables: Sequence[SyncedTable]
    parts: dict[str, str]
    not_synced: dict[str, str]


_FINGERPRINT = text("SELECT obj_description(to_regprocedure(CAST(:function AS text) || '()'), 'pg_proc')")
_BLOCKS = text("SELECT pg_relation_size(CAST(:table AS regclass)) / current_setting('block_size')::bigint + 1")


async def portions_of(connection: AsyncConnection, table: str) -> list[dict[str, tuple[int, int]]]:
    """Where each portion of a table begins and ends, which one transaction goes through: `first` and, excluded, `last`, as ctid."""
    blocks = await connection.scalar(_BLOCKS, {"table": table}) or 0
    return [{"first": (at, 0), "last": (at + _BLOCKS_AT_ONCE, 0)} for at in range(0, blocks, _BLOCKS_AT_ONCE)]


async def track_changes(connection: AsyncConnection, tables: Iterable[SyncedTable]) -> None:
    """Make the triggers of each table that has others or none, and note the rows that it had before.

    Commits as it goes: the triggers first, for a moment's lock, then the rows in portions. What was interrupted is begun anew.
    """
    for table in tables:
        if await connection.scalar(_FINGERPRINT, {"function": table.function}) == table.fingerprint:
            continue
        for statement in table.statements:
            await connection.exec_driver_sql(statement)
        await connection.commit()
        for portion in [] if table.only_deletions else await portions_of(connection, table.table):
            await connection.execute(text(table.note_rows_of_before), portion)
            await connection.commit()
        await connection.exec_driver_sql(f"COMMENT ON FUNCTION {table.function}() IS '{table.fingerprint}'")
        await connection.commit()
