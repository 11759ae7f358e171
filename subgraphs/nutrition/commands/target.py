"""Setting what a person aims at from a day on."""

from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.nutrition import TargetChanged
from events.outbox import NewEvent, append_event
from subgraphs.nutrition.domain.nutrient_aim import encode_aims
from subgraphs.nutrition.domain.target import Target, check_target
from subgraphs.nutrition.domain.training_target import encode_training
from subgraphs.nutrition.domain.weekday_target import encode_variations
from subgraphs.nutrition.queries.person import person_of
from subgraphs.nutrition.queries.target import TARGET_COLUMNS, TargetRecord, read_target, targets_by_day
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import local_date
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, expect_version
from subgraphs.shell.grant_area import PlanArea
from subgraphs.shell.idempotency import key_columns
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.plan_writing import PlanKind, plan_writer
from subgraphs.shell.telemetry import current_traceparent

# Versions count all changes of one person; `set_target` has them take turns.
_NEXT_VERSION = text(
    "SELECT coalesce((SELECT version FROM nutrition_target WHERE user_id = :user_id ORDER BY version DESC LIMIT 1), 0) + 1"
)
_UPSERT = text(
    "INSERT INTO nutrition_target (user_id, effective_from, energy_kcal, protein_g, carbs_g, fat_g, water_ml,"
    " nutrient_aims, weekday_targets, training_target, version, author_id, idempotency_key, idempotency_content)"
    " VALUES (:user_id, :effective_from, :energy_kcal, :protein_g, :carbs_g, :fat_g, :water_ml,"
    " CAST(:nutrient_aims AS jsonb), CAST(:weekday_targets AS jsonb), CAST(:training_target AS jsonb), :version, :author_id,"
    " :idempotency_key, :idempotency_content)"
    " ON CONFLICT (user_id, effective_from) DO UPDATE SET energy_kcal = excluded.energy_kcal,"
    " protein_g = excluded.protein_g, carbs_g = excluded.carbs_g, fat_g = excluded.fat_g,"
    " water_ml = excluded.water_ml, nutrient_aims = excluded.nutrient_aims,"
    " weekday_targets = excluded.weekday_targets, training_target = excluded.training_target, version = excluded.version, author_id = excluded.author_id,"
    " idempotency_key = excluded.idempotency_key, idempotency_content = excluded.idempotency_content"
)
_EARLIER = text(
    f"SELECT {TARGET_COLUMNS.format(day='effective_from')}, idempotency_content"  # noqa: S608 - our names
    " FROM nutrition_target WHERE user_id = :user_id AND idempotency_key = CAST(:key AS text)"
)


async def set_target(
    viewer: Viewer,
    target: Target,
    effective_from: date | None,
    request: RequestKey | None,
    *,
    expected_version: int | None,
    person_id: str | None = None,
    database: Database,
    now: datetime,
) -> TargetRecord:
    """Aim at this from a day on, today if none is named; earlier days keep theirs. It is the target of this person, who lets
    the viewer plan by a grant; the viewer's where None.

    The same request again answers with what it set, unless that day's target was set anew since. Raises ValidationError,
    NotFoundError for a person for whom the viewer may not plan, RateLimitedError, ConflictError for a key used otherwise, and StaleVersionError where another version is in force on that day, 0 for none.
    """
    checks = Checks()
    check_target(checks, target)
    checks.done()
    async with database.transaction() as transaction:
        writer = await plan_writer(transaction, viewer, person_id, PlanArea.MEALS)
        owner, key = writer.owner, writer.key(request)
        person = await person_of(transaction, owner)
        day = effective_from or local_date(now, person.time_zone, person.day_start_hour)
        await take_turns(transaction, "nutrition_target", owner.id)
        if key is not None and (earlier := await _earlier(transaction, owner.id, key)) is not None:
            return earlier
        before = (await targets_by_day(transaction, [(owner.id, day)])).get((owner.id, day))
        expect_version("target", expected=expected_version, current=before.version if before else 0)
        version = int((await transaction.execute(_NEXT_VERSION, {"user_id": owner.id})).scalar_one())
        record = TargetRecord(target, day, day, version, writer.author_id)
        await transaction.execute(_UPSERT, _row(owner.id, record) | key_columns(key))
        record = (await targets_by_day(transaction, [(owner.id, day)]))[owner.id, day]
        await append_event(transaction, _event(owner.id, target, day, version, now))
        await writer.note(transaction, PlanKind.NUTRITION_TARGET, day.isoformat(), now)
        return record


def _row(user_id: str, record: TargetRecord) -> dict[str, object]:
    target = record.usual
    return {
        "user_id": user_id,
        "effective_from": record.effective_from,
        "energy_kcal": target.energy_kcal,
        "protein_g": target.protein_g,
        "carbs_g": target.carbs_g,
        "fat_g": target.fat_g,
        "water_ml": target.water_ml,
        "nutrient_aims": encode_aims(target.nutrients),
        "weekday_targets": encode_variations(target.weekdays),
        "training_target": encode_training(target.training_day),
        "version": record.version,
        "author_id": record.author_id,
    }


def _event(user_id: str, target: Target, day: date, version: int, now: datetime) -> NewEvent:
    payload = TargetChanged(
        effective_from=day,
        energy_kcal=target.energy_kcal,
        protein_g=target.protein_g,
        carbs_g=target.carbs_g,
        fat_g=target.fat_g,
    )
    return NewEvent(
        payload=payload,
        aggregate_id=user_id,
        version=version,
        user_id=user_id,
        occurred_at=now,
        local_date=day,
        traceparent=current_traceparent(),
    )


async def _earlier(transaction: AsyncConnection, user_id: str, request: RequestKey) -> TargetRecord | None:
    row = (await transaction.execute(_EARLIER, {"user_id": user_id, "key": request.key})).one_or_none()
    if row is None:
        return None
    request.refuse_other_content(row.idempotency_content)
    return read_target(row[:-1], row.effective_from)
