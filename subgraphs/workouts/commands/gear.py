"""Gear: kept, changed, retired, deleted; and what a workout is done with where its person names nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.workouts.commands.exercise import check_exercises_at
from subgraphs.workouts.domain.gear import MOST_GEAR, GearDraft, GearKind, check_gear
from subgraphs.workouts.queries.gear import GearRecord, gear_by_id, gear_counts

_INSERT = text(
    "INSERT INTO gear (id, user_id, name, kind, start_distance_m, life_distance_m, retired_on, default_for, created_at,"
    " idempotency_key, idempotency_content) VALUES (:id, :user_id, :name, :kind, :start_distance_m, :life_distance_m,"
    " :retired_on, :default_for, :created_at, :idempotency_key, :idempotency_content)"
)
_UPDATE = text(
    "UPDATE gear SET name = :name, kind = :kind, start_distance_m = :start_distance_m, life_distance_m = :life_distance_m,"
    " retired_on = :retired_on, default_for = :default_for, version = version + 1 WHERE id = :id"
)
# An exercise has one default at most: the one that was told last.
_TAKE_DEFAULTS = text(
    "UPDATE gear SET default_for = ARRAY(SELECT each FROM unnest(default_for) AS each WHERE NOT each = ANY(:exercises)),"
    " version = version + 1 WHERE user_id = :user_id AND id <> :id AND default_for && CAST(:exercises AS text[])"
)
_LOCK = text("SELECT id FROM gear WHERE id = :id AND user_id = :user_id FOR UPDATE")
_DELETE = text("DELETE FROM gear WHERE id = :id")
_DEFAULT = text(
    "SELECT id FROM gear WHERE user_id = :user_id AND retired_on IS NULL AND CAST(:exercise_id AS text) = ANY(default_for)"
    " ORDER BY id LIMIT 1"
)


class GearChanges(TypedDict, total=False):
    """What is to be different; what is absent stays as it is, and None takes it away."""

    name: str
    kind: GearKind
    start_distance_m: Decimal
    life_distance_m: Decimal | None
    retired_on: date | None
    default_for: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedGear:
    """What a workout is done with: gear by its id, or None for what its first exercise has by default, unless `without`."""

    gear_id: str | None = None
    without: bool = False


#: What nobody chose.
DEFAULT_GEAR = WantedGear()


async def create_gear(
    viewer: Viewer, new: GearDraft, request: RequestKey | None, *, database: Database, now: datetime
) -> GearRecord:
    """Keep gear of the viewer. The same request again finds the first.

    Raises ValidationError, and ConflictError for more than there may be or a key used otherwise.
    """
    async with database.transaction() as transaction:
        await take_turns(transaction, "gear", viewer.id)
        gear_id = await id_of_request(transaction, "gear", viewer.id, request)
        if gear_id is None:
            if (await gear_counts(transaction, [viewer.id])).get(viewer.id, 0) >= MOST_GEAR:
                raise ConflictError(f"There may be at most {MOST_GEAR} pieces of gear: delete one first.")
            gear_id = made_id_of(request) or new_id()
            row = await _checked(transaction, viewer, gear_id, new)
            columns = {"user_id": viewer.id, "created_at": now, **key_columns(request)}
            await transaction.execute(_INSERT, row | columns)
        return (await gear_by_id(transaction, [gear_id]))[gear_id]


async def update_gear(
    viewer: Viewer, gear_id: str, changes: GearChanges, *, expected_version: int | None, database: Database
) -> GearRecord:
    """Change what is said of gear of the viewer. Raises ValidationError, StaleVersionError, and NotFoundError, for another's too."""
    async with database.transaction() as transaction:
        await take_turns(transaction, "gear", viewer.id)
        gear = await _lock(transaction, viewer, gear_id)
        expect_version("gear", expected=expected_version, current=gear.version)
        stored = GearDraft(
            name=gear.name,
            kind=GearKind(gear.kind),
            start_distance_m=gear.start_distance_m,
            life_distance_m=gear.life_distance_m,
            retired_on=gear.retired_on,
            default_for=gear.default_for,
        )
        if changes.get("retired_on") is not None:
            stored = replace(stored, default_for=())  # what is retired is nobody's default
        row = await _checked(transaction, viewer, gear_id, replace(stored, **changes))
        await transaction.execute(_UPDATE, row)
        return (await gear_by_id(transaction, [gear_id]))[gear_id]


async def delete_gear(viewer: Viewer, gear_id: str, *, expected_version: int | None, database: Database) -> None:
    """Let gear go; workouts that were done with it stay, with none. Raises NotFoundError, for another's too, StaleVersionError."""
    async with database.transaction() as transaction:
        gear = await _lock(transaction, viewer, gear_id)
        expect_version("gear", expected=expected_version, current=gear.version)
        await transaction.execute(_DELETE, {"id": gear_id})


async def gear_of_workout(
    transaction: AsyncConnection, user_id: str, wanted: WantedGear, exercise_ids: Sequence[str]
) -> str | None:
    """The id of what a workout of these exercises, in order, is done with. Raises NotFoundError for another's gear."""
    if wanted.gear_id is not None:
        await require_gear(transaction, user_id, wanted.gear_id)
        return wanted.gear_id
    if wanted.without or not exercise_ids:
        return None
    found: str | None = await transaction.scalar(_DEFAULT, {"user_id": user_id, "exercise_id": exercise_ids[0]})
    return found


async def require_gear(transaction: AsyncConnection, user_id: str, gear_id: str) -> None:
    """Raises NotFoundError with the field `gearId` unless this person has gear with this id."""
    gear = (await gear_by_id(transaction, [gear_id])).get(gear_id)
    if gear is None or gear.user_id != user_id:
        raise NotFoundError("There is no such gear.", field="gearId")


async def _checked(transaction: AsyncConnection, viewer: Viewer, gear_id: str, gear: GearDraft) -> dict[str, object]:
    """The columns of gear that may be so; its exercises are other gear's default no more."""
    checks = Checks()
    check_gear(checks, gear)
    checks.done()
    default_for = list(dict.fromkeys(gear.default_for))
    if default_for:
        told = {f"defaultForExerciseIds.{number}": each for number, each in enumerate(default_for)}
        await check_exercises_at(transaction, viewer, told)
        await transaction.execute(_TAKE_DEFAULTS, {"user_id": viewer.id, "id": gear_id, "exercises": default_for})
    return {
        "id": gear_id,
        "name": gear.name.strip(),
        "kind": gear.kind.value,
        "start_distance_m": gear.start_distance_m,
        "life_distance_m": gear.life_distance_m,
        "retired_on": gear.retired_on,
        "default_for": default_for,
    }


async def _lock(transaction: AsyncConnection, viewer: Viewer, gear_id: str) -> GearRecord:
    """The viewer's gear, locked until the transaction ends. Raises NotFoundError, for another's too."""
    if await transaction.scalar(_LOCK, {"id": gear_id, "user_id": viewer.id}) is None:
        raise NotFoundError("There is no such gear.")
    return (await gear_by_id(transaction, [gear_id]))[gear_id]
