"""Logging and taking back drinks. Each command checks, writes the row and its event in one transaction.

`INSERT_DRINK` and `drink_event` also write whole years of drinks, for `sample_data`.
"""

from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.contracts.nutrition import WaterDeleted, WaterLogged
from events.outbox import NewEvent, append_event
from subgraphs.nutrition.commands.deleted_entry import DeletedDrink, keep_deleted_drink
from subgraphs.nutrition.queries.person import person_of
from subgraphs.nutrition.queries.water import DRINK_COLUMNS, DrinkRecord, drinks_by_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import check_day_of, check_instant, local_date
from subgraphs.shell.database import Database
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.idempotency import id_made_before, id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.node import NodeKind, new_node_id
from subgraphs.shell.telemetry import current_traceparent

LARGEST_DRINK_ML = 5000
MOST_DRINKS_A_DAY = 100

INSERT_DRINK = text(
    "INSERT INTO water (id, user_id, amount_ml, at, local_date, time_zone, version, idempotency_key,"
    " idempotency_content) VALUES (:id, :user_id, :amount_ml, :at, :local_date, :time_zone, :version,"
    " :idempotency_key, :idempotency_content)"
    " ON CONFLICT DO NOTHING"
)
_LOCK = text(f"SELECT {DRINK_COLUMNS}, time_zone FROM water WHERE id = :id AND user_id = :user_id FOR UPDATE")  # noqa: S608
_OF_DAY = text("SELECT count(*) FROM water WHERE user_id = :user_id AND local_date = :day")


async def log_water(
    viewer: Viewer,
    amount_ml: int,
    at: datetime,
    request: RequestKey | None,
    *,
    day: date | None = None,
    database: Database,
    now: datetime,
) -> DrinkRecord:
    """Keep a drink of the moment `at`, on `day`, or where that is None on the day by the person's clock.

    Raises ValidationError, and ConflictError for a key used otherwise. The same request again finds the first drink.
    """
    checks = Checks()
    in_range = 1 <= amount_ml <= LARGEST_DRINK_ML
    checks.require(in_range, "amountMl", f"must be from 1 to {LARGEST_DRINK_ML}")
    check_instant(checks, at, now, "at")
    check_day_of(checks, day, at, "localDate")
    checks.done()
    async with database.transaction() as transaction:
        if earlier := await id_made_before(transaction, "water", viewer.id, request):
            return (await drinks_by_id(transaction, [earlier]))[earlier]
        person = await person_of(transaction, viewer)
        drink_id = made_id_of(request) or new_node_id(NodeKind.DRINK)
        day = day or local_date(at, person.time_zone, person.day_start_hour)
        row = {
            "id": drink_id,
            "user_id": viewer.id,
            "amount_ml": amount_ml,
            "at": at,
            "local_date": day,
            "time_zone": person.time_zone,
            "version": 1,
            **key_columns(request),
        }
        if (await transaction.execute(INSERT_DRINK, row)).rowcount == 0:
            earlier = await id_of_request(transaction, "water", viewer.id, request)
            assert earlier is not None  # a new id is nobody else's, so the key is
            return (await drinks_by_id(transaction, [earlier]))[earlier]
        await _refuse_too_many(transaction, viewer.id, day)
        return await _announced(transaction, drink_id, person.time_zone, now)


async def restore_drink(
    transaction: AsyncConnection, user_id: str, drink_id: str, version: int, was: DeletedDrink, now: datetime
) -> DrinkRecord:
    """Bring a deleted drink back as this version. Raises ConflictError where its day is full."""
    row = {
        "id": drink_id,
        "user_id": user_id,
        "amount_ml": was.amount_ml,
        "at": was.at,
        "local_date": was.local_date,
        "time_zone": was.time_zone,
        "version": version,
        **key_columns(None),
    }
    await transaction.execute(INSERT_DRINK, row)
    await _refuse_too_many(transaction, user_id, was.local_date)
    return await _announced(transaction, drink_id, was.time_zone, now)


async def delete_water(
    viewer: Viewer, drink_id: str, *, expected_version: int | None, database: Database, now: datetime
) -> DrinkRecord:
    """What the drink was. Raises NotFoundError, for another person's drink too, and StaleVersionError."""
    async with database.transaction() as transaction:
        row = (await transaction.execute(_LOCK, {"id": drink_id, "user_id": viewer.id})).one_or_none()
        if row is None:
            raise NotFoundError("There is no such drink.")
        drink, time_zone = DrinkRecord(*row[:-1]), row[-1]
        expect_version("drink", expected=expected_version, current=drink.version)
        await keep_deleted_drink(transaction, drink, time_zone, now)
        await transaction.execute(text("DELETE FROM water WHERE id = :id"), {"id": drink_id})
        await append_event(
            transaction,
            NewEvent(
                payload=WaterDeleted(entry_id=drink_id, local_date=drink.local_date),
                aggregate_id=drink_id,
                version=drink.version + 1,
                user_id=viewer.id,
                occurred_at=now,
                local_date=drink.local_date,
                time_zone=time_zone,
                traceparent=current_traceparent(),
            ),
        )
        return drink


async def _announced(transaction: AsyncConnection, drink_id: str, time_zone: str, now: datetime) -> DrinkRecord:
    """The drink that was just written, told to others as it is."""
    drink = (await drinks_by_id(transaction, [drink_id]))[drink_id]
    await append_event(transaction, drink_event(drink, time_zone, now))
    return drink


def drink_event(drink: DrinkRecord, time_zone: str, now: datetime) -> NewEvent:
    """What others are told of a drink as it is."""
    payload = WaterLogged(entry_id=drink.id, amount_ml=drink.amount_ml, at=drink.at, local_date=drink.local_date)
    return NewEvent(
        payload=payload,
        aggregate_id=drink.id,
        version=drink.version,
        user_id=drink.user_id,
        occurred_at=now,
        local_date=drink.local_date,
        time_zone=time_zone,
        traceparent=current_traceparent(),
    )


async def _refuse_too_many(transaction: AsyncConnection, user_id: str, day: date) -> None:
    """After the row was written; raising takes it back."""
    if (await transaction.execute(_OF_DAY, {"user_id": user_id, "day": day})).scalar_one() > MOST_DRINKS_A_DAY:
        raise ConflictError(f"A day has at most {MOST_DRINKS_A_DAY} drinks.", field="at")
