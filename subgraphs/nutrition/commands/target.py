"""Setting what a person aims at from a day on."""

from datetime import date, datetime

from sqlalchemy import text

from events.contracts.nutrition import TargetChanged
from events.outbox import NewEvent, append_event
from subgraphs.auth import Viewer
from subgraphs.database import Database
from subgraphs.errors import Checks
from subgraphs.nutrition.domain.target import Target, check_target
from subgraphs.nutrition.queries.diary import TargetRecord
from subgraphs.nutrition.queries.person import person_of
from subgraphs.scalars import local_date
from subgraphs.telemetry import current_traceparent

# Versions count all changes of one person, so two at once take turns.
_NEXT_VERSION = text("SELECT coalesce(max(version), 0) + 1 FROM nutrition_target WHERE user_id = :user_id")
_LOCK_PERSON = text("SELECT pg_advisory_xact_lock(hashtextextended('nutrition_target:' || :user_id, 0))")
_UPSERT = text(
    "INSERT INTO nutrition_target (user_id, effective_from, energy_kcal, protein_g, carbs_g, fat_g, water_ml, version)"
    " VALUES (:user_id, :effective_from, :energy_kcal, :protein_g, :carbs_g, :fat_g, :water_ml, :version)"
    " ON CONFLICT (user_id, effective_from) DO UPDATE SET energy_kcal = excluded.energy_kcal,"
    " protein_g = excluded.protein_g, carbs_g = excluded.carbs_g, fat_g = excluded.fat_g,"
    " water_ml = excluded.water_ml, version = excluded.version"
)


async def set_target(
    viewer: Viewer, target: Target, effective_from: date | None, *, database: Database, now: datetime
) -> TargetRecord:
    """Aim at this from a day on, today if none is named; earlier days keep theirs. Raises ValidationError."""
    checks = Checks()
    check_target(checks, target)
    checks.done()
    async with database.transaction() as transaction:
        person = await person_of(transaction, viewer)
        day = effective_from or local_date(now, person.time_zone, person.day_start_hour)
        await transaction.execute(_LOCK_PERSON, {"user_id": viewer.id})
        version = int((await transaction.execute(_NEXT_VERSION, {"user_id": viewer.id})).scalar_one())
        row = {
            "user_id": viewer.id,
            "effective_from": day,
            "energy_kcal": target.energy_kcal,
            "protein_g": target.protein_g,
            "carbs_g": target.carbs_g,
            "fat_g": target.fat_g,
            "water_ml": target.water_ml,
            "version": version,
        }
        await transaction.execute(_UPSERT, row)
        payload = TargetChanged(
            effective_from=day,
            energy_kcal=target.energy_kcal,
            protein_g=target.protein_g,
            carbs_g=target.carbs_g,
            fat_g=target.fat_g,
        )
        event = NewEvent(
            payload=payload,
            aggregate_id=viewer.id,
            version=version,
            user_id=viewer.id,
            occurred_at=now,
            local_date=day,
            traceparent=current_traceparent(),
        )
        await append_event(transaction, event)
        return TargetRecord(target, day, version)
