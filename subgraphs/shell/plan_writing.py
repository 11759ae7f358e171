"""Who may write a person's plans: the person, and whoever has a grant for it. Asked for by commands, in their transaction.

A grant is locked until the plan is written: a grant that ended is none, in every process that reaches this database, and one
that ends meanwhile waits for the plan. What is written by a grant is noted in `plan_write`, for the person to see, and told
as an event, upon which users notifies the person.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.analytics import GoalPlanned
from events.contracts.nutrition import MealsPlanned
from events.contracts.plan_write import PlanWritten
from events.contracts.workouts import TrainingPlanned
from events.envelope import new_id
from events.outbox import NewEvent, append_event
from subgraphs.shell.auth import Viewer
from subgraphs.shell.errors import NotFoundError, RateLimitedError
from subgraphs.shell.grant_area import PlanArea
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.person_lists import list_of_each
from subgraphs.shell.read_pool import Reader
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.shell.telemetry import current_traceparent

WRITES_KEPT_DAYS = 90
MOST_WRITES_SHOWN = 100
#: By one grant: more in a day is a program that went astray.
MOST_WRITES_A_DAY = 500

# Run by the events' own line of migrations, in every subgraph's database.
PLAN_WRITE_DDL: tuple[str, ...] = (
    "ALTER TABLE access_grant ADD COLUMN plans text[] NOT NULL DEFAULT '{}'",
    """
    CREATE TABLE plan_write (
        id text PRIMARY KEY,
        grant_id text NOT NULL,
        owner_id text NOT NULL,
        writer_id text NOT NULL,
        writer_name text NOT NULL,
        what text NOT NULL,
        subject_id text NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX plan_write_newest ON plan_write (owner_id, at DESC, id)",
    "CREATE INDEX plan_write_by_grant ON plan_write (grant_id, at)",
    "CREATE INDEX plan_write_by_writer ON plan_write (writer_id)",
    "CREATE INDEX plan_write_by_time ON plan_write (at)",
)
# A lock that others share: writers by one grant do not wait for each other, whoever takes it back waits for them.
_GRANT = text(
    "SELECT id FROM access_grant WHERE owner_id = :owner_id AND reader_id = :writer_id AND :area = ANY(plans)"
    " AND expires_at > now() ORDER BY expires_at DESC, id LIMIT 1 FOR SHARE"
)
_TODAY = text(
    "SELECT count(*) FROM plan_write WHERE grant_id = :grant_id AND at > CAST(:now AS timestamptz) - interval '1 day'"
)
_NOTE = text(
    "INSERT INTO plan_write (id, grant_id, owner_id, writer_id, writer_name, api_key_id, what, subject_id, at)"
    " VALUES (:id, :grant_id, :owner_id, :writer_id, :writer_name, :api_key_id, :what, :subject_id, :at)"
)
_WRITES = text(
    "SELECT found.* FROM unnest(CAST(:owner_ids AS text[])) AS person (owner_id) CROSS JOIN LATERAL ("
    " SELECT owner_id, grant_id, writer_id, writer_name, api_key_id, what, subject_id, at FROM plan_write"
    " WHERE plan_write.owner_id = person.owner_id ORDER BY at DESC, id LIMIT :most) AS found"
)
_FORGET = text(
    "WITH gone AS (DELETE FROM plan_write WHERE id IN (SELECT id FROM plan_write"
    " WHERE at < now() - make_interval(days => :days) LIMIT :rows) RETURNING id),"
    " told AS (DELETE FROM outbox WHERE aggregate_type = 'plan_write' AND aggregate_id IN (SELECT id FROM gone))"
    " SELECT count(*) FROM gone"
)
_EVENTS: dict[PlanArea, type[PlanWritten]] = {
    PlanArea.MEALS: MealsPlanned,
    PlanArea.TRAINING: TrainingPlanned,
    PlanArea.GOALS: GoalPlanned,
}


class PlanKind(StrEnum):
    TEMPLATE = "TEMPLATE"
    ROUTINE = "ROUTINE"
    PLANNED_WORKOUT = "PLANNED_WORKOUT"
    MEAL_PLAN = "MEAL_PLAN"
    PLANNED_MEALS = "PLANNED_MEALS"
    NUTRITION_TARGET = "NUTRITION_TARGET"
    GOAL = "GOAL"


@dataclass(frozen=True, slots=True)
class PlanWriteRecord:
    """That somebody wrote a plan of a person, by a grant. `subject_id` is the plan's id, `api_key_id` that of the writer's key,
    where a program of theirs wrote it.
    """

    owner_id: str
    grant_id: str
    writer_id: str
    writer_name: str
    api_key_id: str | None
    what: str
    subject_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PlanWriter:
    """Who writes a plan in this transaction, and for whom. `grant_id` is None where that is one and the same.

    `owner` is the person whose plan it is, by whose quotas, clock, foods and exercises it is judged: of another person a
    viewer without name, session and rights.
    """

    viewer: Viewer
    owner: Viewer
    area: PlanArea
    grant_id: str | None = None

    @property
    def author_id(self) -> str | None:
        """What the plan's row keeps of who wrote it last: None for its person."""
        return None if self.grant_id is None else self.viewer.id

    def key(self, request: RequestKey | None) -> RequestKey | None:
        """What the row keeps of the request: keys of somebody else are not the person's, and meet none of theirs.

        An id that a client made stays: it is one thing's, whoever makes it.
        """
        if request is None or self.grant_id is None or request.key == made_id_of(request):
            return request
        told = hashlib.sha256(f"{self.viewer.id}:{request.key}".encode()).hexdigest()  # nobody's id stays with it
        return replace(request, key=IdempotencyKey(f"by-grant:{told}"))

    async def note(self, transaction: AsyncConnection, what: PlanKind, subject_id: str, now: datetime) -> None:
        """Note and tell that the plan was written by a grant; nothing where its person wrote it.

        Raises RateLimitedError for more in a day than anybody plans, upon which nothing is written.
        """
        if self.grant_id is None:
            return
        written = int(await transaction.scalar(_TODAY, {"grant_id": self.grant_id, "now": now}) or 0)
        if written >= MOST_WRITES_A_DAY:
            raise RateLimitedError(
                f"By one grant at most {MOST_WRITES_A_DAY} plans may be written in a day.", retry_after_seconds=3_600
            )
        row = {
            "id": new_id(),
            "grant_id": self.grant_id,
            "owner_id": self.owner.id,
            "writer_id": self.viewer.id,
            "writer_name": self.viewer.display_name,
            "api_key_id": self.viewer.api_key_id,
            "what": what.value,
            "subject_id": subject_id,
            "at": now,
        }
        await transaction.execute(_NOTE, row)
        payload = _EVENTS[self.area](
            grant_id=self.grant_id, writer_id=self.viewer.id, what=what.value, subject_id=subject_id
        )
        event = NewEvent(
            payload=payload,
            aggregate_id=str(row["id"]),
            version=1,
            user_id=self.owner.id,
            occurred_at=now,
            traceparent=current_traceparent(),
        )
        await append_event(transaction, event)


async def plan_writer(
    transaction: AsyncConnection, viewer: Viewer, person_id: str | None, area: PlanArea
) -> PlanWriter:
    """The viewer as the writer of plans of this person, of their own where None.

    Raises NotFoundError where the person lets the viewer plan nothing of the kind; whether there is one is not told.
    """
    if person_id is None or person_id == viewer.id:
        return PlanWriter(viewer, viewer, area)
    writer = await _by_grant(transaction, viewer, person_id, area)
    if writer is None:
        raise NotFoundError("There is nobody with this id for whom you may plan that.", field="personId")
    return writer


async def writer_of_row(
    transaction: AsyncConnection, viewer: Viewer, table: str, row_id: str, area: PlanArea, *, missing: str
) -> PlanWriter:
    """The viewer as the writer of a plan that there is, by its table and id.

    Raises NotFoundError with the message `missing` where there is none, and for one that the viewer may not write.
    """
    owner_id = await transaction.scalar(_owner(table), {"id": row_id})
    if owner_id == viewer.id:
        return PlanWriter(viewer, viewer, area)
    writer = None if owner_id is None else await _by_grant(transaction, viewer, owner_id, area)
    if writer is None:
        raise NotFoundError(missing)
    return writer


async def _by_grant(transaction: AsyncConnection, viewer: Viewer, owner_id: str, area: PlanArea) -> PlanWriter | None:
    """None without a grant that holds, and for an API key that was not made to plan for clients, and to read, this area."""
    if not viewer.plans_for_others(area):
        return None
    wanted = {"owner_id": owner_id, "writer_id": viewer.id, "area": area.value}
    grant_id = await transaction.scalar(_GRANT, wanted)
    if grant_id is None:
        return None
    owner = Viewer(owner_id, "", frozenset(), session_id="", expires_at=0)
    return PlanWriter(viewer, owner, area, str(grant_id))


async def writes_by_owner(connection: Reader, owner_ids: Sequence[str]) -> dict[str, list[PlanWriteRecord]]:
    """What others wrote of each person's plans here, the latest first; 100 entries of each at most."""
    parameters = {"owner_ids": list(owner_ids), "most": MOST_WRITES_SHOWN}
    return await list_of_each(connection, _WRITES, parameters, PlanWriteRecord, owner=0)


async def forget_plan_writes(connection: AsyncConnection, rows: int) -> int:
    """Delete notes of plans that were written 90 days ago, and what was told of them; returns how many notes."""
    gone: Any = await connection.scalar(_FORGET, {"days": WRITES_KEPT_DAYS, "rows": rows})
    return int(gone)


@cache
def _owner(table: str) -> TextClause:
    return text(f"SELECT user_id FROM {table} WHERE id = :id")  # noqa: S608 - our names
