"""Logging, correcting and deleting weighings. Each command checks, writes the row and its event in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.users import WeightDeleted, WeightEdited, WeightLogged
from events.outbox import NewEvent, append_event, append_events
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import check_day_of, local_date
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.shell.telemetry import current_traceparent
from subgraphs.users.commands.webhook_events import queue_webhooks
from subgraphs.users.domain.body import MOST_WEIGHINGS, check_weighing
from subgraphs.users.domain.webhook import WebhookEvent, WebhookEventKind
from subgraphs.users.queries.account import AccountRecord, lock_account, lock_existing_account
from subgraphs.users.queries.weight import WeightRecord, weight_counts, weights_by_id
from subgraphs.users.tables import WeightEntryRow

_UPDATE = text(
    "UPDATE weight_entry SET weight_kg = :weight_kg, body_fat_percent = :body_fat_percent,"
    " muscle_mass_kg = :muscle_mass_kg, notes = :notes, recorded_at = :recorded_at, local_date = :local_date,"
    " time_zone = :time_zone, version = :version WHERE id = :id"
)

_ZONE = text("SELECT time_zone FROM weight_entry WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWeighing:
    """A weighing about to be logged, in kg. The same request again finds the first one."""

    weight_kg: Decimal
    recorded_at: datetime
    body_fat_percent: Decimal | None = None
    muscle_mass_kg: Decimal | None = None
    notes: str | None = None
    local_date: date | None = None
    request: RequestKey | None = None


class WeighingChanges(TypedDict, total=False):
    """What is to be different; what is absent stays as it is, and None takes it away."""

    weight_kg: Decimal
    recorded_at: datetime
    body_fat_percent: Decimal | None
    muscle_mass_kg: Decimal | None
    notes: str | None


async def log_weight(viewer: Viewer, new: NewWeighing, *, database: Database, now: datetime) -> WeightRecord:
    """Store a weighing and announce it, or neither. Raises ValidationError, and ConflictError for too many or a key
    used otherwise.
    """
    _check(new, now)
    async with database.transaction() as transaction:
        # The lock makes calls of one person take turns: for the idempotency key and for the quota.
        account = await lock_existing_account(transaction, viewer.id)
        entry_id = await id_of_request(transaction, "weight_entry", viewer.id, new.request)
        if entry_id is None:
            if (await weight_counts(transaction, [viewer.id])).get(viewer.id, 0) >= MOST_WEIGHINGS:
                raise ConflictError(f"There may be at most {MOST_WEIGHINGS} weighings: delete one first.")
            (entry_id,) = await write_weighings(transaction, account, [new])
            await _tell_endpoints(transaction, viewer.id, entry_id, 1, now)
        return (await weights_by_id(transaction, [entry_id]))[entry_id]


async def edit_weight(
    viewer: Viewer,
    entry_id: str,
    changes: WeighingChanges,
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> WeightRecord:
    """Correct a weighing and announce what it is now. One of another moment belongs to that moment's calendar day, by
    the clock of where it was taken: a correction after a flight moves it to no other.

    Raises ValidationError, StaleVersionError, and NotFoundError for another person's too.
    """
    async with database.transaction() as transaction:
        account = await lock_account(transaction, viewer.id)
        stored = (await weights_by_id(transaction, [entry_id])).get(entry_id)
        if account is None or stored is None or stored.user_id != viewer.id:
            raise NotFoundError("There is no such weighing.")
        expect_version("weighing", expected=expected_version, current=stored.version)
        before = NewWeighing(
            weight_kg=stored.weight_kg,
            recorded_at=stored.recorded_at,
            body_fat_percent=stored.body_fat_percent,
            muscle_mass_kg=stored.muscle_mass_kg,
            notes=stored.notes,
        )
        after = replace(before, **changes)
        _check(after, now)
        zone = await transaction.scalar(_ZONE, {"id": entry_id})
        row = weighing_row(account._replace(time_zone=zone), after) | {"id": entry_id, "version": stored.version + 1}
        if after.recorded_at == before.recorded_at:  # of the clock of then
            row["local_date"] = stored.local_date
        await transaction.execute(_UPDATE, row)
        await append_event(transaction, _weighing_event(WeightEdited, row))
        await _tell_endpoints(transaction, viewer.id, entry_id, row["version"], now)
        return (await weights_by_id(transaction, [entry_id]))[entry_id]


def _check(new: NewWeighing, now: datetime) -> None:
    checks = Checks()
    check_day_of(checks, new.local_date, new.recorded_at, "localDate")
    check_weighing(
        checks,
        weight_kg=new.weight_kg,
        body_fat_percent=new.body_fat_percent,
        muscle_mass_kg=new.muscle_mass_kg,
        notes=new.notes,
        recorded_at=new.recorded_at,
        now=now,
    )
    checks.done()


async def write_weighings(
    transaction: AsyncConnection, account: AccountRecord, weighings: Sequence[NewWeighing]
) -> list[str]:
    """Write rows and events of weighings whose idempotency keys are new; returns their ids."""
    rows = [weighing_row(account, new) for new in weighings]
    if rows:
        await transaction.execute(insert(WeightEntryRow), rows)
        await append_events(transaction, [weighing_logged(row) for row in rows])
    return [row["id"] for row in rows]


def weighing_row(account: AccountRecord, new: NewWeighing) -> dict[str, Any]:
    """The columns of a new weighing; its calendar day is the one that was told, else the account's."""
    return {
        "id": made_id_of(new.request) or new_node_id(NodeKind.WEIGHT_ENTRY),
        "user_id": account.id,
        "weight_kg": new.weight_kg,
        "body_fat_percent": new.body_fat_percent,
        "muscle_mass_kg": new.muscle_mass_kg,
        "notes": new.notes,
        "recorded_at": new.recorded_at,
        "local_date": new.local_date or local_date(new.recorded_at, account.time_zone, account.day_start_hour),
        "time_zone": account.time_zone,
        "version": 1,
        **key_columns(new.request),
    }


def weighing_logged(row: dict[str, Any]) -> NewEvent:
    """The event of a new weighing that was written with these columns."""
    return _weighing_event(WeightLogged, row)


def _weighing_event(kind: type[WeightLogged | WeightEdited], row: dict[str, Any]) -> NewEvent:
    payload = kind(
        entry_id=row["id"],
        weight_kg=row["weight_kg"],
        recorded_at=row["recorded_at"],
        local_date=row["local_date"],
        body_fat_percent=row["body_fat_percent"],
        muscle_mass_kg=row["muscle_mass_kg"],
    )
    return NewEvent(
        payload=payload,
        aggregate_id=row["id"],
        version=row["version"],
        user_id=row["user_id"],
        occurred_at=row["recorded_at"],
        local_date=row["local_date"],
        time_zone=row["time_zone"],
        traceparent=current_traceparent(),
    )


async def delete_weight(
    viewer: Viewer, entry_id: str, *, expected_version: int | None, database: Database, now: datetime
) -> None:
    """Take a weighing back. Raises NotFoundError, for another person's too, and StaleVersionError."""
    async with database.transaction() as transaction:
        statement = text(
            "DELETE FROM weight_entry WHERE id = :id AND user_id = :user_id RETURNING version, local_date, time_zone"
        )
        row = (await transaction.execute(statement, {"id": entry_id, "user_id": viewer.id})).one_or_none()
        if row is None:
            raise NotFoundError("There is no such weighing.")
        expect_version("weighing", expected=expected_version, current=row.version)
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
        await _tell_endpoints(transaction, viewer.id, entry_id, row.version + 1, now)


async def _tell_endpoints(
    transaction: AsyncConnection, user_id: str, entry_id: str, version: int, now: datetime
) -> None:
    """Webhooks are told which weighing changed, and nothing of it."""
    changed = WebhookEvent(
        user_id=user_id,
        kind=WebhookEventKind.WEIGHT_CHANGED,
        cause=f"weight:{entry_id}:{version}:{now.timestamp()}",  # an id of a client's making may come again
        occurred_at=now,
        data={"id": entry_id},
        subject=entry_id,
    )
    await queue_webhooks(transaction, [changed], now)
