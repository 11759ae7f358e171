"""Logging and deleting weighings. Each command checks, writes the row and its event in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from events.contracts.users import WeightDeleted, WeightLogged
from events.envelope import new_id
from events.outbox import NewEvent, append_event
from subgraphs.auth import Viewer
from subgraphs.database import Database
from subgraphs.errors import Checks, NotFoundError
from subgraphs.scalars import local_date
from subgraphs.telemetry import current_traceparent
from subgraphs.users.domain.body import check_weighing
from subgraphs.users.queries.account import AccountRecord, accounts_by_id
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
        account = (await accounts_by_id(transaction, [viewer.id])).get(viewer.id)
        if account is None:
            raise NotFoundError("This account does not exist.")
        return await write_weighing(transaction, account, new_id(), new, now)


async def write_weighing(
    transaction: AsyncConnection, account: AccountRecord, entry_id: str, new: NewWeighing, now: datetime
) -> WeightRecord:
    """Write the row and its event; a key used before writes nothing and returns the earlier weighing."""
    day = local_date(new.recorded_at, account.time_zone, account.day_start_hour)
    values = {
        "id": entry_id,
        "user_id": account.id,
        "weight_kg": new.weight_kg,
        "body_fat_percent": new.body_fat_percent,
        "notes": new.notes,
        "recorded_at": new.recorded_at,
        "local_date": day,
        "time_zone": account.time_zone,
        "version": 1,
        "idempotency_key": new.idempotency_key,
    }
    statement = (
        postgresql.insert(WeightEntryRow).values(values).on_conflict_do_nothing().returning(col(WeightEntryRow.id))
    )
    if (await transaction.execute(statement)).one_or_none() is None:
        entry_id = await _earlier(transaction, account.id, entry_id, new.idempotency_key)
        return (await weights_by_id(transaction, [entry_id]))[entry_id]
    payload = WeightLogged(
        entry_id=entry_id,
        weight_kg=new.weight_kg,
        recorded_at=new.recorded_at,
        local_date=day,
        body_fat_percent=new.body_fat_percent,
    )
    await append_event(
        transaction,
        NewEvent(
            payload=payload,
            aggregate_id=entry_id,
            version=1,
            user_id=account.id,
            occurred_at=now,
            local_date=day,
            time_zone=account.time_zone,
            traceparent=current_traceparent(),
        ),
    )
    return (await weights_by_id(transaction, [entry_id]))[entry_id]


async def _earlier(transaction: AsyncConnection, user_id: str, entry_id: str, idempotency_key: str | None) -> str:
    statement = text("SELECT id FROM weight_entry WHERE user_id = :user_id AND (idempotency_key = :key OR id = :id)")
    parameters = {"user_id": user_id, "key": idempotency_key, "id": entry_id}
    return str((await transaction.execute(statement, parameters)).scalar_one())


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
