"""Logging and deleting weighings. Each command checks, writes the row and its event in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from events.contracts.users import WeightDeleted, WeightLogged
from events.envelope import new_id
from events.outbox import NewEvent, append_event, append_events
from subgraphs.auth import Viewer
from subgraphs.database import Database
from subgraphs.errors import Checks, NotFoundError
from subgraphs.scalars import local_date
from subgraphs.telemetry import current_traceparent
from subgraphs.users.domain.body import check_weighing
from subgraphs.users.queries.account import AccountRecord, lock_account
from subgraphs.users.queries.weight import WeightRecord, weights_by_id
from subgraphs.users.tables import WeightEntryRow


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWeighing:
    """A weighing about to be logged, in kg. The same `idempotency_key` again finds the first one."""

    weight_kg: Decimal
    recorded_at: datetime
    body_fat_percent: Decimal | None = None
    notes: str | None = None
    idempotency_key: str | None = None


async def log_weight(viewer: Viewer, new: NewWeighing, *, database: Database, now: datetime) -> WeightRecord:
    """Store a weighing and announce it, or neither. Raises ValidationError."""
    checks = Checks()
    check_weighing(
        checks,
        weight_kg=new.weight_kg,
        body_fat_percent=new.body_fat_percent,
        notes=new.notes,
        recorded_at=new.recorded_at,
        now=now,
    )
    checks.done()
    async with database.transaction() as transaction:
        # The lock makes two calls with one idempotency key take turns, so that the second sees the first.
        account = await lock_account(transaction, viewer.id)
        if account is None:
            raise NotFoundError("This account does not exist.")
        entry_id = await _id_by_key(transaction, viewer.id, new.idempotency_key)
        if entry_id is None:
            (entry_id,) = await write_weighings(transaction, account, [new])
        return (await weights_by_id(transaction, [entry_id]))[entry_id]


async def write_weighings(
    transaction: AsyncConnection, account: AccountRecord, weighings: Sequence[NewWeighing]
) -> list[str]:
    """Write rows and events of weighings whose idempotency keys are new; returns their ids."""
    rows = [_row(account, new) for new in weighings]
    if rows:
        await transaction.execute(insert(WeightEntryRow), rows)
        await append_events(transaction, [_logged(row) for row in rows])
    return [row["id"] for row in rows]


async def _id_by_key(transaction: AsyncConnection, user_id: str, key: str | None) -> str | None:
    statement = select(col(WeightEntryRow.id)).where(
        col(WeightEntryRow.user_id) == user_id, col(WeightEntryRow.idempotency_key) == key
    )
    return None if key is None else (await transaction.execute(statement)).scalar_one_or_none()


def _row(account: AccountRecord, new: NewWeighing) -> dict[str, Any]:
    return {
        "id": new_id(),
        "user_id": account.id,
        "weight_kg": new.weight_kg,
        "body_fat_percent": new.body_fat_percent,
        "notes": new.notes,
        "recorded_at": new.recorded_at,
        "local_date": local_date(new.recorded_at, account.time_zone, account.day_start_hour),
        "time_zone": account.time_zone,
        "version": 1,
        "idempotency_key": new.idempotency_key,
    }


def _logged(row: dict[str, Any]) -> NewEvent:
    payload = WeightLogged(
        entry_id=row["id"],
        weight_kg=row["weight_kg"],
        recorded_at=row["recorded_at"],
        local_date=row["local_date"],
        body_fat_percent=row["body_fat_percent"],
    )
    return NewEvent(
        payload=payload,
        aggregate_id=row["id"],
        version=1,
        user_id=row["user_id"],
        occurred_at=row["recorded_at"],
        local_date=row["local_date"],
        time_zone=row["time_zone"],
        traceparent=current_traceparent(),
    )


async def delete_weight(viewer: Viewer, entry_id: str, *, database: Database, now: datetime) -> None:
    """Take a weighing back. Raises NotFoundError, for another person's too."""
    async with database.transaction() as transaction:
        statement = text(
            "DELETE FROM weight_entry WHERE id = :id AND user_id = :user_id RETURNING version, local_date, time_zone"
        )
        row = (await transaction.execute(statement, {"id": entry_id, "user_id": viewer.id})).one_or_none()
        if row is None:
            raise NotFoundError("There is no such weighing.")
        await append_event(
            transaction,
            NewEvent(
                payload=WeightDeleted(entry_id=entry_id, local_date=row.local_date),
                aggregate_id=entry_id,
                version=row.version + 1,
                user_id=viewer.id,
                occurred_at=now,
                local_date=row.local_date,
                time_zone=row.time_zone,
                traceparent=current_traceparent(),
            ),
        )
