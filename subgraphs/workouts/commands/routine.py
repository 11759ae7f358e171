"""Routines: kept, changed, deleted, and put on the calendar. Nobody else is told of them, but of what they plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, ValidationError, expect_version
from subgraphs.shell.grant_area import PlanArea
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.plan_writing import PlanKind, plan_writer, writer_of_row
from subgraphs.workouts.commands.exercise import check_exercises_at
from subgraphs.workouts.commands.planned_workout import (
    Origin,
    check_room,
    insert_planned,
    planned_exercises,
    planned_row,
    today_of,
)
from subgraphs.workouts.domain.plan import Plan
from subgraphs.workouts.domain.routine import (
    MOST_ROUTINES,
    RoutineDay,
    RoutineSchedule,
    check_routine,
    check_use,
    decode_days,
    encode_days,
    slots_of,
)
from subgraphs.workouts.queries.routine import ROUTINE_COLUMNS, RoutineRecord, routine_counts, routines_by_id
from subgraphs.workouts.queries.template import exercises_by_template, templates_by_id

_NO_ROUTINE = "There is no such routine."
_INSERT = text(
    "INSERT INTO routine (id, user_id, name, schedule, days, created_at, planned_at, author_id, idempotency_key, idempotency_content) VALUES"
    " (:id, :user_id, :name, :schedule, CAST(:days AS jsonb), :created_at, :planned_at, :author_id,"
    " :idempotency_key, :idempotency_content)"
)
_UPDATE = text(
    "UPDATE routine SET name = :name, days = CAST(:days AS jsonb), planned_at = :planned_at, author_id = :author_id,"
    " version = version + 1"
    " WHERE id = :id"
)
_LOCK = text(f"SELECT {ROUTINE_COLUMNS} FROM routine WHERE id = :id AND user_id = :user_id FOR UPDATE")  # noqa: S608
_DELETE = text("DELETE FROM routine WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldDay:
    """A day of a routine as it is told: with a template, whose name and exercises it takes, or with exercises of its own."""

    day: RoutineDay
    template_id: str | None = None
    exercises: Sequence[tuple[str, Plan]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRoutine:
    """A routine to keep. The same request again finds the first. It is for this person, who lets the viewer plan by a grant;
    for the viewer where None.
    """

    name: str
    schedule: RoutineSchedule
    days: Sequence[ToldDay]
    person_id: str | None = None
    request: RequestKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutineUse:
    """Where a routine is put on the calendar: so many weeks from `start` on; `first_day` of a cycle falls on it."""

    start: date
    weeks: int
    first_day: int = 1


@dataclass(frozen=True, slots=True)
class Scheduled:
    """How many planned workouts a routine brought, and how many of those weeks were there already; whose they are."""

    added: int
    present: int
    owner_id: str


async def create_routine(viewer: Viewer, new: NewRoutine, *, database: Database, now: datetime) -> RoutineRecord:
    """Keep a routine. Raises ValidationError, NotFoundError for a person for whom the viewer may not plan, RateLimitedError, and
    ConflictError for too many or a key used otherwise.
    """
    async with database.transaction() as transaction:
        writer = await plan_writer(transaction, viewer, new.person_id, PlanArea.TRAINING)
        owner, request = writer.owner, writer.key(new.request)
        await take_turns(transaction, "routine", owner.id)
        routine_id = await id_of_request(transaction, "routine", owner.id, request)
        if routine_id is None:
            if (await routine_counts(transaction, [owner.id])).get(owner.id, 0) >= MOST_ROUTINES:
                raise ConflictError(f"There may be at most {MOST_ROUTINES} routines: delete one first.")
            days = await _filled(transaction, owner, new.days)
            await _check(transaction, owner, new.name, new.schedule, days)
            routine_id = made_id_of(request) or new_id()
            row = {
                "id": routine_id,
                "user_id": owner.id,
                "author_id": writer.author_id,
                "name": new.name.strip(),
                "schedule": new.schedule.value,
                "days": encode_days(days),
                "created_at": now,
                "planned_at": now,
                **key_columns(request),
            }
            await transaction.execute(_INSERT, row)
            await writer.note(transaction, PlanKind.ROUTINE, routine_id, now)
        return (await routines_by_id(transaction, [routine_id]))[routine_id]


async def update_routine(
    viewer: Viewer,
    routine_id: str,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> RoutineRecord:
    """Change `name` or `days` of a routine, of the viewer or of a person for whom the viewer may plan; what is planned
    by it already stays as it is.

    Raises ValidationError, NotFoundError, StaleVersionError, RateLimitedError.
    """
    async with database.transaction() as transaction:
        writer = await writer_of_row(transaction, viewer, "routine", routine_id, PlanArea.TRAINING, missing=_NO_ROUTINE)
        owner = writer.owner
        routine = await _locked(transaction, owner, routine_id, expected_version)
        name: str = changes.get("name", routine.name)
        is_told = "days" in changes  # what stays is not looked at again
        days = await _filled(transaction, owner, changes["days"]) if is_told else decode_days(routine.days)
        await _check(transaction, owner, name, RoutineSchedule(routine.schedule), days, is_told=is_told)
        planned_at = now if is_told else routine.planned_at
        row = {
            "id": routine_id,
            "name": name.strip(),
            "days": encode_days(days),
            "planned_at": planned_at,
            "author_id": writer.author_id,
        }
        await transaction.execute(_UPDATE, row)
        await writer.note(transaction, PlanKind.ROUTINE, routine_id, now)
        return (await routines_by_id(transaction, [routine_id]))[routine_id]


async def delete_routine(viewer: Viewer, routine_id: str, *, expected_version: int | None, database: Database) -> None:
    """What was planned by it stays planned. Raises NotFoundError, StaleVersionError."""
    async with database.transaction() as transaction:
        await _locked(transaction, viewer, routine_id, expected_version)
        await transaction.execute(_DELETE, {"id": routine_id})


async def schedule_routine(
    viewer: Viewer, routine_id: str, use: RoutineUse, *, database: Database, now: datetime
) -> Scheduled:
    """Plan the workouts of a routine, of the viewer or of a person for whom the viewer may plan, for its weeks.
    What it has on a date already stays, moved or skipped or done as it may be.

    Raises ValidationError, NotFoundError, RateLimitedError, and ConflictError where more would be planned than may be.
    """
    async with database.transaction() as transaction:
        writer = await writer_of_row(transaction, viewer, "routine", routine_id, PlanArea.TRAINING, missing=_NO_ROUTINE)
        owner = writer.owner
        await take_turns(transaction, "planned_workout", owner.id)
        routine = await _locked(transaction, owner, routine_id, None)
        days, checks = decode_days(routine.days), Checks()
        check_use(checks, days, (use.start, use.weeks, use.first_day), await today_of(transaction, owner, now))
        checks.done()
        slots = slots_of(days, use.start, use.weeks, use.first_day)
        rows = [
            planned_row(writer, slot.day, slot.session, Origin(routine_id, slot.day, slot.number, slot.index + 1), now)
            for slot in slots
        ]
        added = await insert_planned(transaction, rows, now)
        await check_room(transaction, owner.id)
        await writer.note(transaction, PlanKind.PLANNED_WORKOUT, routine_id, now)
        return Scheduled(added, len(rows) - added, owner.id)


async def _filled(transaction: AsyncConnection, viewer: Viewer, told: Sequence[ToldDay]) -> tuple[RoutineDay, ...]:
    """The days with the exercises that they were told or that their templates have. Raises ValidationError, NotFoundError."""
    wanted = sorted({each.template_id for each in told if each.template_id is not None})
    templates = await templates_by_id(transaction, wanted)
    exercises = await exercises_by_template(transaction, wanted)
    days = []
    for number, each in enumerate(told):
        if each.template_id is None:
            days.append(msgspec.structs.replace(each.day, exercises=planned_exercises(each.exercises or ())))
            continue
        template = templates.get(each.template_id)
        if template is None or template.user_id != viewer.id:
            raise NotFoundError("There is no such template.", field=f"days.{number}.templateId")
        if each.exercises is not None:
            raise ValidationError((f"days.{number}.exercises", "may not be told beside a template"))
        planned = planned_exercises([(one.exercise_id, one.plan) for one in exercises.get(template.id, [])])
        days.append(
            msgspec.structs.replace(
                each.day, name=each.day.name or template.name, notes=each.day.notes or template.notes, exercises=planned
            )
        )
    return tuple(days)


async def _check(
    transaction: AsyncConnection,
    viewer: Viewer,
    name: str,
    schedule: RoutineSchedule,
    days: Sequence[RoutineDay],
    *,
    is_told: bool = True,
) -> None:
    """Raises ValidationError with each place that is refused."""
    checks = Checks()
    check_routine(checks, name, schedule, days)
    checks.done()
    if not is_told:
        return
    told = {
        f"days.{number}.exercises.{position}.exerciseId": each.exercise_id
        for number, day in enumerate(days)
        for position, each in enumerate(day.exercises)
    }
    await check_exercises_at(transaction, viewer, told)


async def _locked(
    transaction: AsyncConnection, viewer: Viewer, routine_id: str, expected_version: int | None
) -> RoutineRecord:
    row = (await transaction.execute(_LOCK, {"id": routine_id, "user_id": viewer.id})).one_or_none()
    if row is None:
        raise NotFoundError(_NO_ROUTINE)
    routine = RoutineRecord(*row)
    expect_version("routine", expected=expected_version, current=routine.version)
    return routine
