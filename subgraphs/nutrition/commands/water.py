"""Logging and taking back drinks. Each command checks, writes the row and its event in one transaction."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text

from events.contracts.nutrition import WaterDeleted, WaterLogged
from events.envelope import new_id
from events.outbox import NewEvent, append_event
from subgraphs.auth import Viewer
from subgraphs.database import Database
from subgraphs.errors import Checks, NotFoundError
from subgraphs.nutrition.domain.meal import check_instant
from subgraphs.nutrition.queries.person import person_of
from subgraphs.scalars import local_date
from subgraphs.telemetry import current_traceparent

LARGEST_DRINK_ML = 5000

_INSERT = text(
    "INSERT INTO water (id, user_id, amount_ml, at, local_date, time_zone, idempotency_key)"
    " VALUES (:id, :user_id, :amount_ml, :at, :local_date, :time_zone, :idempotency_key) ON CONFLICT DO NOTHING"
)
_EARLIER = text("SELECT id, local_date FROM water WHERE user_id = :user_id AND idempotency_key = :key")
_DELETE = text("DELETE FROM water WHERE id = :id AND user_id = :user_id RETURNING local_date, version, time_zone")


@dataclass(frozen=True, slots=True)
class Drink:
    """A drink that was logged or taken back, and its day."""

    id: str
    local_date: date


async def log_water(
    viewer: Viewer, amount_ml: int, at: datetime, idempotency_key: str | None, *, database: Database, now: datetime
) -> Drink:
    """Raises ValidationError. Logging twice with one idempotency key returns the first drink."""
    checks = Checks()
    in_range = 1 <= amount_ml <= LARGEST_DRINK_ML
    checks.require(in_range, "amountMl", f"must be from 1 to {LARGEST_DRINK_ML}")
    check_instant(checks, at, now)
    checks.done()
    async with database.transaction() as transaction:
        person = await person_of(transaction, viewer)
        drink = Drink(new_id(), local_date(at, person.time_zone, person.day_start_hour))
        row = {
            "id": drink.id,
            "user_id": viewer.id,
            "amount_ml": amount_ml,
            "at": at,
            "local_date": drink.local_date,
            "time_zone": person.time_zone,
            "idempotency_key": idempotency_key,
        }
        if (await transaction.execute(_INSERT, row)).rowcount == 0:
            earlier = await transaction.execute(_EARLIER, {"user_id": viewer.id, "key": idempotency_key})
            return Drink(*earlier.one())
        payload = WaterLogged(entry_id=drink.id, amount_ml=amount_ml, at=at, local_date=drink.local_date)
        await append_event(
            transaction,
            NewEvent(
                payload=payload,
                aggregate_id=drink.id,
                version=1,
                user_id=viewer.id,
                occurred_at=now,
                local_date=drink.local_date,
                time_zone=person.time_zone,
                traceparent=current_traceparent(),
            ),
        )
        return drink


async def delete_water(viewer: Viewer, entry_id: str, *, database: Database, now: datetime) -> Drink:
    """Raises NotFoundError, for another person's drink too."""
    async with database.transaction() as transaction:
        row = (await transaction.execute(_DELETE, {"id": entry_id, "user_id": viewer.id})).one_or_none()
        if row is None:
            raise NotFoundError("There is no such drink.")
        await append_event(
            transaction,
            NewEvent(
                payload=WaterDeleted(entry_id=entry_id, local_date=row.local_date),
                aggregate_id=entry_id,
                version=row.version + 1,
                user_id=viewer.id,
                occurred_at=now,
                local_date=row.local_date,
                time_zone=row.time_zone,
                traceparent=current_traceparent(),
            ),
        )
        return Drink(entry_id, row.local_date)
