"""Keeping what a source has counted of a day's steps, and taking it back. Each change and its event are one transaction."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, text

from events.contracts.users import StepsCounted, StepsDeleted
from events.envelope import new_id
from events.outbox import NewEvent, append_event
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import local_date
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.telemetry import current_traceparent
from subgraphs.users.domain.step_count import MOST_STEP_COUNTS, check_step_count
from subgraphs.users.queries.account import lock_account, lock_existing_account
from subgraphs.users.queries.step_count import (
    StepCountRecord,
    step_count_counts,
    step_count_of_source,
    step_counts_by_id,
)
from subgraphs.users.tables import StepCountRow

_UPDATE = text("UPDATE step_count SET steps = :steps, counted_at = :counted_at, version = :version WHERE id = :id")
_DELETE = text("DELETE FROM step_count WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStepCount:
    """The total of a source's day so far, as of `counted_at`. `local_date` None is the person's day of that instant."""

    source: str
    steps: int
    counted_at: datetime
    local_date: date | None = None


async def log_steps(viewer: Viewer, new: NewStepCount, *, database: Database, now: datetime) -> StepCountRecord:
    """Keep the latest total of the source's day: what holds answers, be it this one or one that was counted later.

    Raises ValidationError, and ConflictError for too many. The same total again changes nothing and tells nobody.
    """
    async with database.transaction() as transaction:
        # The lock makes calls of one person take turns: for the source's day and for the quota.
        account = await lock_existing_account(transaction, viewer.id)
        day = new.local_date or local_date(new.counted_at, account.time_zone, account.day_start_hour)
        checks = Checks()
        check_step_count(checks, steps=new.steps, source=new.source, local_date=day, counted_at=new.counted_at, now=now)
        checks.done()
        row = step_count_row(account.id, new, day)
        stored = await step_count_of_source(transaction, account.id, day, row["source"])
        if stored is None:
            if (await step_count_counts(transaction, [viewer.id])).get(viewer.id, 0) >= MOST_STEP_COUNTS:
                raise ConflictError(f"There may be at most {MOST_STEP_COUNTS} counts of steps: delete one first.")
            await transaction.execute(insert(StepCountRow), [row])
        elif new.counted_at < stored.counted_at or (new.counted_at, new.steps) == (stored.counted_at, stored.steps):
            return stored
        else:
            row |= {"id": stored.id, "version": stored.version + 1}
            await transaction.execute(_UPDATE, row)
        await append_event(transaction, steps_counted(row, account.time_zone))
        return StepCountRecord(**row)


def step_count_row(user_id: str, new: NewStepCount, day: date) -> dict[str, Any]:
    """The columns of a new count of the calendar day `day`."""
    return {
        "id": new_id(),
        "user_id": user_id,
        "local_date": day,
        "source": new.source.strip(),
        "steps": new.steps,
        "counted_at": new.counted_at,
        "version": 1,
    }


def steps_counted(row: dict[str, Any], time_zone: str) -> NewEvent:
    """The event of a count that was written with these columns."""
    return NewEvent(
        payload=StepsCounted(
            entry_id=row["id"],
            local_date=row["local_date"],
            source=row["source"],
            steps=row["steps"],
            counted_at=row["counted_at"],
        ),
        aggregate_id=row["id"],
        version=row["version"],
        user_id=row["user_id"],
        occurred_at=row["counted_at"],
        local_date=row["local_date"],
        time_zone=time_zone,
        traceparent=current_traceparent(),
    )


async def delete_steps(
    viewer: Viewer, entry_id: str, *, expected_version: int | None, database: Database, now: datetime
) -> None:
    """Take back what a source counted of a day; what other sources counted of it stays.

    Raises NotFoundError, for another person's too, and StaleVersionError.
    """
    async with database.transaction() as transaction:
        account = await lock_account(transaction, viewer.id)
        stored = (await step_counts_by_id(transaction, [entry_id])).get(entry_id)
        if account is None or stored is None or stored.user_id != viewer.id:
            raise NotFoundError("There is no such count of steps.")
        expect_version("count of steps", expected=expected_version, current=stored.version)
        await transaction.execute(_DELETE, {"id": entry_id})
        await append_event(
            transaction,
            NewEvent(
                payload=StepsDeleted(entry_id=entry_id, local_date=stored.local_date),
                aggregate_id=entry_id,
                version=stored.version + 1,
                user_id=viewer.id,
                occurred_at=now,
                local_date=stored.local_date,
                time_zone=account.time_zone,
                traceparent=current_traceparent(),
            ),
        )
