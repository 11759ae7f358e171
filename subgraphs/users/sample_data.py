"""Bulk loading for samples: accounts that share a password, histories of weighings, measurements, heart rates and steps. Called by `fittracker sample-data`.

Everything goes through the same rows and events as the commands write; loading twice changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Text, literal_column, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.users import UserRegistered
from events.outbox import append_event
from subgraphs.shell.bulk import copy_events, copy_rows
from subgraphs.users.commands.account import NewAccount, insert_account
from subgraphs.users.commands.account_event import account_event
from subgraphs.users.commands.consent import keep_choices
from subgraphs.users.commands.heart_rate import NewHeartRate, heart_rate_row
from subgraphs.users.commands.measurement import NewMeasurement, measurement_logged, measurement_row
from subgraphs.users.commands.password import hash_password
from subgraphs.users.commands.step_count import NewStepCount, step_count_row, steps_counted
from subgraphs.users.commands.weight import NewWeighing, weighing_logged, weighing_row
from subgraphs.users.domain.consent import ConsentWay
from subgraphs.users.queries.account import accounts_by_id
from subgraphs.users.tables import HeartRateRow, MeasurementRow, StepCountRow


@dataclass(frozen=True, slots=True)
class SampleAccount:
    """An account with an id that is the same on every machine."""

    id: str
    account: NewAccount
    registered_at: datetime
    premium_until: datetime | None = None


_PREMIUM = text("UPDATE account SET premium_until = :until WHERE id = :id")


async def load_accounts(connection: AsyncConnection, samples: Iterable[SampleAccount]) -> int:
    """Add accounts in the caller's transaction; ids and addresses that exist are left alone. Returns how many came.

    Equal passwords are hashed once: samples are for trying out, and a hash costs 30 ms.
    """
    hashes: dict[str, str] = {}
    loaded = 0
    for sample in samples:
        password = sample.account.password
        if password not in hashes:
            hashes[password] = await hash_password(password)
        account = await insert_account(connection, sample.account, sample.id, hashes[password], sample.registered_at)
        if account is not None:
            if sample.premium_until is not None:
                await connection.execute(_PREMIUM, {"id": sample.id, "until": sample.premium_until})
            consents, way = sample.account.consents, ConsentWay.REGISTRATION
            await keep_choices(connection, sample.id, consents, way, sample.registered_at)
            await append_event(connection, account_event(UserRegistered, account, sample.registered_at))
            loaded += 1
    return loaded


async def load_weights(connection: AsyncConnection, histories: Sequence[tuple[str, Iterable[NewWeighing]]]) -> int:
    """Log weighings of (user id, weighings) in the caller's transaction, by COPY. Returns how many are new, by key."""
    ids = [user_id for user_id, _ in histories]
    statement = text(
        "SELECT user_id, idempotency_key FROM weight_entry WHERE user_id = ANY(:ids) AND idempotency_key IS NOT NULL"
    )
    known = {(row.user_id, row.idempotency_key) for row in await connection.execute(statement, {"ids": ids})}
    accounts = await accounts_by_id(connection, ids)
    rows = [
        weighing_row(accounts[user_id], weighing)
        for user_id, weighings in histories
        for weighing in weighings
        if weighing.request is None or (user_id, weighing.request.key) not in known
    ]
    await copy_rows(connection, "weight_entry", rows)
    await copy_events(connection, (weighing_logged(row) for row in rows))
    return len(rows)


async def load_measurements(
    connection: AsyncConnection, histories: Sequence[tuple[str, Sequence[NewMeasurement]]]
) -> int:
    """Log measurements of (user id, measurements) in the caller's transaction. Returns how many are new, by key."""
    accounts = await accounts_by_id(connection, [user_id for user_id, _ in histories])
    rows = [measurement_row(accounts[user_id], each) for user_id, history in histories for each in history]
    new = await _insert_new(connection, MeasurementRow, rows)
    await copy_events(connection, (measurement_logged(row) for row in new))
    return len(new)


async def load_heart_rates(
    connection: AsyncConnection, histories: Sequence[tuple[str, Sequence[tuple[NewHeartRate, date]]]]
) -> int:
    """Keep heart rates of (user id, heart rates with their first days) in the caller's transaction. Returns how many are new."""
    rows = [heart_rate_row(user_id, new, since) for user_id, history in histories for new, since in history]
    return len(await _insert_new(connection, HeartRateRow, rows))


async def load_steps(connection: AsyncConnection, histories: Sequence[tuple[str, Sequence[NewStepCount]]]) -> int:
    """Keep counts of steps of (user id, counts with their days) in the caller's transaction. Returns how many are new: of a
    source's day that is there nothing changes.
    """
    accounts = await accounts_by_id(connection, [user_id for user_id, _ in histories])
    rows = [
        step_count_row(user_id, new, new.local_date)
        for user_id, history in histories
        for new in history
        if new.local_date
    ]
    counted = await _insert_new(connection, StepCountRow, rows)
    await copy_events(connection, (steps_counted(row, accounts[row["user_id"]].time_zone) for row in counted))
    return len(counted)


async def _insert_new(
    connection: AsyncConnection,
    table: type[MeasurementRow | HeartRateRow | StepCountRow],
    rows: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Returns those of the rows that were not there before."""
    if not rows:
        return []
    statement = insert(table).on_conflict_do_nothing().returning(literal_column("id", Text))
    made = set((await connection.scalars(statement, rows)).all())
    return [row for row in rows if row["id"] in made]
