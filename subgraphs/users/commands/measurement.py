"""Logging and taking back measurements. Each change and its event are one transaction."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.users import MeasurementDeleted, MeasurementLogged
from events.outbox import NewEvent, append_event, append_events
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import check_day_of, local_date
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.measurement_kind import MeasurementKind
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.shell.telemetry import current_traceparent
from subgraphs.users.domain.measurement import MOST_MEASUREMENTS, check_measurement
from subgraphs.users.queries.account import AccountRecord, lock_existing_account
from subgraphs.users.queries.measurement import MeasurementRecord, measurement_counts, measurements_by_id
from subgraphs.users.tables import MeasurementRow

_DELETE = text("DELETE FROM measurement WHERE id = :id AND user_id = :user_id RETURNING local_date")
# What an earlier release logged and told nobody.
_UNTOLD = text(
    "SELECT id FROM measurement WHERE NOT EXISTS (SELECT FROM outbox"
    "  WHERE outbox.aggregate_type = 'measurement' AND outbox.aggregate_id = measurement.id)"
    " ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeasurement:
    """A measurement about to be logged, in cm. The same request again finds the first one."""

    kind: MeasurementKind
    value_cm: Decimal
    recorded_at: datetime
    notes: str | None = None
    local_date: date | None = None
    request: RequestKey | None = None


async def log_measurement(
    viewer: Viewer, new: NewMeasurement, *, database: Database, now: datetime
) -> MeasurementRecord:
    """Store a measurement. Raises ValidationError, and ConflictError for too many or a key used otherwise."""
    checks = Checks()
    check_day_of(checks, new.local_date, new.recorded_at, "localDate")
    check_measurement(checks, value_cm=new.value_cm, notes=new.notes, recorded_at=new.recorded_at, now=now)
    checks.done()
    async with database.transaction() as transaction:
        # The lock makes calls of one person take turns: for the idempotency key and for the quota.
        account = await lock_existing_account(transaction, viewer.id)
        entry_id = await id_of_request(transaction, "measurement", viewer.id, new.request)
        if entry_id is None:
            if (await measurement_counts(transaction, [viewer.id])).get(viewer.id, 0) >= MOST_MEASUREMENTS:
                raise ConflictError(f"There may be at most {MOST_MEASUREMENTS} measurements: delete one first.")
            row = measurement_row(account, new)
            entry_id = row["id"]
            await transaction.execute(insert(MeasurementRow), [row])
            await append_event(transaction, measurement_logged(row))
        return (await measurements_by_id(transaction, [entry_id]))[entry_id]


def measurement_row(account: AccountRecord, new: NewMeasurement) -> dict[str, Any]:
    """The columns of a new measurement; its calendar day is the one that was told, else the account's."""
    return {
        "id": made_id_of(new.request) or new_node_id(NodeKind.MEASUREMENT),
        "user_id": account.id,
        "kind": new.kind.value,
        "value_cm": new.value_cm,
        "notes": new.notes,
        "recorded_at": new.recorded_at,
        "local_date": new.local_date or local_date(new.recorded_at, account.time_zone, account.day_start_hour),
        **key_columns(new.request),
    }


def measurement_logged(row: Mapping[str, Any]) -> NewEvent:
    """The event of a measurement that was written with these columns."""
    payload = MeasurementLogged(
        entry_id=row["id"],
        kind=row["kind"],
        value_cm=row["value_cm"],
        recorded_at=row["recorded_at"],
        local_date=row["local_date"],
    )
    return NewEvent(
        payload=payload,
        aggregate_id=row["id"],
        version=1,
        user_id=row["user_id"],
        occurred_at=row["recorded_at"],
        local_date=row["local_date"],
        traceparent=current_traceparent(),
    )


async def tell_untold_measurements(transaction: AsyncConnection, limit: int) -> int:
    """Tell up to `limit` of what an earlier release logged and told nobody; returns how many there were."""
    ids = list(await transaction.scalars(_UNTOLD, {"limit": limit}))
    records = await measurements_by_id(transaction, ids) if ids else {}
    await append_events(transaction, [measurement_logged(asdict(records[entry_id])) for entry_id in ids])
    return len(ids)


async def delete_measurement(viewer: Viewer, entry_id: str, *, database: Database, now: datetime) -> None:
    """Take a measurement back. Raises NotFoundError, for another person's too."""
    async with database.transaction() as transaction:
        day = await transaction.scalar(_DELETE, {"id": entry_id, "user_id": viewer.id})
        if day is None:
            raise NotFoundError("There is no such measurement.")
        await append_event(
            transaction,
            NewEvent(
                payload=MeasurementDeleted(entry_id=entry_id, local_date=day),
                aggregate_id=entry_id,
                version=2,
                user_id=viewer.id,
                occurred_at=now,
                local_date=day,
                traceparent=current_traceparent(),
            ),
        )
