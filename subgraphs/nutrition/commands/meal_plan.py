"""Plans of meals: kept, changed, deleted; put on the days to come; logged when they are eaten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from events.envelope import new_id
from subgraphs.nutrition.commands.custom_slot import placed
from subgraphs.nutrition.commands.meal import NewMeal, new_row, priced_foods, write_meal
from subgraphs.nutrition.domain.meal import MealSlot, price_items
from subgraphs.nutrition.domain.meal_plan import (
    MOST_PLANS,
    PlanDays,
    PlanMeal,
    check_plan,
    dates_of,
    decode_days,
    encode_days,
    place_of,
)
from subgraphs.nutrition.domain.saved_meal import SavedContent, decode_content, draft_of, encode_content
from subgraphs.nutrition.queries.meal import MealRecord, meals_by_id
from subgraphs.nutrition.queries.meal_plan import (
    PLAN_COLUMNS,
    PLANNED_COLUMNS,
    MealPlanRecord,
    PlannedMealRecord,
    meal_plans_by_id,
)
from subgraphs.nutrition.queries.person import person_of
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import check_instant, local_date
from subgraphs.shell.database import Database, take_turns
from subgraphs.shell.errors import Checks, ConflictError, NotFoundError, expect_version
from subgraphs.shell.grant_area import PlanArea
from subgraphs.shell.idempotency import id_of_request, key_columns
from subgraphs.shell.inputs import RequestKey, made_id_of
from subgraphs.shell.plan_writing import PlanKind, PlanWriter, plan_writer, writer_of_row

DAYS_KEPT = 90
_NO_PLAN = "There is no such plan."
_COUNT = text("SELECT count(*) FROM meal_plan WHERE user_id = :user_id")
_INSERT = text(
    "INSERT INTO meal_plan (id, user_id, name, days, author_id, created_at, idempotency_key, idempotency_content)"
    " VALUES (:id, :user_id, :name, CAST(:days AS jsonb), :author_id, :created_at, :idempotency_key, :idempotency_content)"
)
_UPDATE = text(
    "UPDATE meal_plan SET name = :name, days = CAST(:days AS jsonb), author_id = :author_id, version = version + 1"
    " WHERE id = :id"
)
_LOCK = text(f"SELECT {PLAN_COLUMNS} FROM meal_plan WHERE id = :id AND user_id = :user_id FOR UPDATE")  # noqa: S608
_LOCK_PLANNED = text(
    f"SELECT {PLANNED_COLUMNS} FROM planned_meal WHERE id = :id AND user_id = :user_id FOR UPDATE"  # noqa: S608
)
_INSERT_PLANNED = text(
    "INSERT INTO planned_meal (id, user_id, local_date, position, slot, custom_slot, content, author_id)"
    " VALUES (:id, :user_id, :local_date, :position, :slot, :custom_slot, CAST(:content AS jsonb), :author_id)"
)
# What was logged stays with its day: it says what was planned for what was eaten.
_CLEAR = text(
    "DELETE FROM planned_meal WHERE user_id = :user_id AND local_date >= :first_day AND local_date <= :last_day"
    " AND meal_id IS NULL"
)
_FORGET = text(
    "DELETE FROM planned_meal WHERE id IN (SELECT id FROM planned_meal"
    " WHERE local_date < CAST(now() AT TIME ZONE 'UTC' AS date) - CAST(:days AS integer) LIMIT :rows)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMealPlan:
    """A plan as it is told: the meals of each of its days. It is for this person, who lets the viewer plan by a grant; for
    the viewer where None.
    """

    name: str
    days: Sequence[Sequence[PlanMeal]]
    person_id: str | None = None
    request: RequestKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanUse:
    """Which days of a plan are put on which: its day `first_day`, from 1, on `start`, and those after it; `days` None: all."""

    start: date
    first_day: int = 1
    days: int | None = None


async def create_meal_plan(viewer: Viewer, new: NewMealPlan, *, database: Database, now: datetime) -> MealPlanRecord:
    """Keep a plan. Raises ValidationError, NotFoundError, for a person for whom the viewer may not plan too, RateLimitedError,
    and ConflictError for too many or a key used otherwise.
    """
    _check(new)
    async with database.transaction() as transaction:
        writer = await plan_writer(transaction, viewer, new.person_id, PlanArea.MEALS)
        owner, request = writer.owner, writer.key(new.request)
        await take_turns(transaction, "meal_plan", owner.id)
        plan_id = await id_of_request(transaction, "meal_plan", owner.id, request)
        if plan_id is None:
            if (await transaction.execute(_COUNT, {"user_id": owner.id})).scalar_one() >= MOST_PLANS:
                raise ConflictError(f"There may be at most {MOST_PLANS} plans: delete one first.")
            plan_id = made_id_of(request) or new_id()
            row = {
                "id": plan_id,
                "user_id": owner.id,
                "name": new.name.strip(),
                "days": encode_days(await _weighed(transaction, owner, new.days)),
                "author_id": writer.author_id,
                "created_at": now,
                **key_columns(request),
            }
            await transaction.execute(_INSERT, row)
            await writer.note(transaction, PlanKind.MEAL_PLAN, plan_id, now)
        return (await meal_plans_by_id(transaction, [plan_id]))[plan_id]


async def update_meal_plan(
    viewer: Viewer,
    plan_id: str,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None,
    database: Database,
    now: datetime,
) -> MealPlanRecord:
    """Change a plan of the viewer, or of a person for whom the viewer may plan; `changes` are fields of NewMealPlan. What is
    planned already stays as it is.

    Raises NotFoundError, StaleVersionError, ValidationError, RateLimitedError.
    """
    async with database.transaction() as transaction:
        writer = await writer_of_row(transaction, viewer, "meal_plan", plan_id, PlanArea.MEALS, missing=_NO_PLAN)
        plan = await _locked(transaction, writer.owner, plan_id, expected_version)
        days = decode_days(plan.days)
        new = replace(NewMealPlan(name=plan.name, days=days), **changes)
        _check(new)
        if "days" in changes:  # what stays is not looked at again: a food of it may be gone by now
            days = await _weighed(transaction, writer.owner, new.days)
        row = {"id": plan_id, "name": new.name.strip(), "days": encode_days(days), "author_id": writer.author_id}
        await transaction.execute(_UPDATE, row)
        await writer.note(transaction, PlanKind.MEAL_PLAN, plan_id, now)
        return (await meal_plans_by_id(transaction, [plan_id]))[plan_id]


async def delete_meal_plan(viewer: Viewer, plan_id: str, *, expected_version: int | None, database: Database) -> None:
    """What was planned by it stays planned. Raises NotFoundError, StaleVersionError."""
    async with database.transaction() as transaction:
        await _locked(transaction, viewer, plan_id, expected_version)
        await transaction.execute(text("DELETE FROM meal_plan WHERE id = :id"), {"id": plan_id})


async def apply_meal_plan(
    viewer: Viewer, plan_id: str, use: PlanUse, *, database: Database, now: datetime
) -> tuple[str, list[date]]:
    """Plan these days as the plan has them, in place of what was planned for them and not eaten: days of the viewer, or of a
    person for whom the viewer may plan. Returns whose days, and which.

    The same again changes nothing but ids. Raises NotFoundError, ValidationError, RateLimitedError.
    """
    async with database.transaction() as transaction:
        writer = await writer_of_row(transaction, viewer, "meal_plan", plan_id, PlanArea.MEALS, missing=_NO_PLAN)
        owner = writer.owner
        await take_turns(transaction, "planned_meal", owner.id)
        plan = await _locked(transaction, owner, plan_id, None)
        person = await person_of(transaction, owner)
        days, checks = decode_days(plan.days), Checks()
        today = local_date(now, person.time_zone, person.day_start_hour)
        dates = dates_of(days, use.start, use.first_day, use.days, checks, today)
        checks.done()
        await _clear(transaction, owner.id, dates[0], dates[-1])
        rows = [
            _planned_row(writer, day, position, meal)
            for day, meals in zip(dates, days[use.first_day - 1 :], strict=False)
            for position, meal in enumerate(meals)
        ]
        if rows:
            await transaction.execute(_INSERT_PLANNED, rows)
        await writer.note(transaction, PlanKind.PLANNED_MEALS, plan_id, now)
        return owner.id, dates


async def clear_planned_meals(viewer: Viewer, first_day: date, last_day: date, *, database: Database) -> int:
    """Take back what is planned for these days and not eaten. Returns how many meals that were. Raises ValidationError."""
    checks = Checks()
    checks.require(first_day <= last_day, "to", f"must not be before `from`, {first_day}")
    checks.done()
    async with database.transaction() as transaction:
        await take_turns(transaction, "planned_meal", viewer.id)
        return await _clear(transaction, viewer.id, first_day, last_day)


async def log_planned_meal(
    viewer: Viewer, planned_id: str, at: datetime, time_zone: str | None, *, database: Database, now: datetime
) -> MealRecord:
    """Log a planned meal at the nutrients that its foods have now; one that was logged already is answered as it is.

    Raises NotFoundError, and ValidationError for a moment to come and for foods that are gone.
    """
    checks = Checks()
    check_instant(checks, at, now, "at")
    checks.done()
    async with database.transaction() as transaction:
        row = (await transaction.execute(_LOCK_PLANNED, {"id": planned_id, "user_id": viewer.id})).one_or_none()
        if row is None:
            raise NotFoundError("There is no such planned meal.")
        planned = PlannedMealRecord(*row)
        if planned.meal_id and (earlier := (await meals_by_id(transaction, [planned.meal_id])).get(planned.meal_id)):
            return earlier
        content = decode_content(planned.content)
        items = price_items(content.items, await priced_foods(transaction, viewer.id, content.items))
        new = NewMeal(
            slot=MealSlot(planned.slot),
            at=at,
            quick_adds=content.quick_adds,
            time_zone=time_zone,
            custom_slot=planned.custom_slot,
        )
        meal = await write_meal(transaction, new_row(await person_of(transaction, viewer), new), items, now)
        statement = text("UPDATE planned_meal SET meal_id = :meal_id WHERE id = :id")
        await transaction.execute(statement, {"id": planned_id, "meal_id": meal.id})
        return meal


async def forget_planned(connection: AsyncConnection, rows: int) -> int:
    """What was planned for days more than 90 days ago, at most so many; returns how many went."""
    return int((await connection.execute(_FORGET, {"days": DAYS_KEPT, "rows": rows})).rowcount)


def _check(new: NewMealPlan) -> None:
    """Raises ValidationError."""
    checks = Checks()
    check_plan(checks, new.name, new.days)
    checks.done()


async def _weighed(transaction: AsyncConnection, viewer: Viewer, days: Sequence[Sequence[PlanMeal]]) -> PlanDays:
    """The days with the grams of each item, and each meal in a slot that there is. Raises ValidationError, NotFoundError."""
    foods = await priced_foods(
        transaction, viewer.id, [item for day in days for meal in day for item in meal.content.items]
    )
    weighed = []
    for number, day in enumerate(days):
        meals = []
        for position, meal in enumerate(day):
            items = price_items(meal.content.items, foods, place=f"{place_of(number, position)}.items")
            content = SavedContent(items=tuple(map(draft_of, items)), quick_adds=meal.content.quick_adds)
            slot, own_slot = await placed(transaction, viewer.id, meal.slot, meal.custom_slot)
            meals.append(PlanMeal(slot=slot, custom_slot=own_slot, content=content))
        weighed.append(tuple(meals))
    return tuple(weighed)


def _planned_row(writer: PlanWriter, day: date, position: int, meal: PlanMeal) -> dict[str, Any]:
    return {
        "id": new_id(),
        "user_id": writer.owner.id,
        "author_id": writer.author_id,
        "local_date": day,
        "position": position,
        "slot": meal.slot.value,
        "custom_slot": meal.custom_slot,
        "content": encode_content(meal.content),
    }


async def _clear(transaction: AsyncConnection, user_id: str, first_day: date, last_day: date) -> int:
    parameters = {"user_id": user_id, "first_day": first_day, "last_day": last_day}
    return int((await transaction.execute(_CLEAR, parameters)).rowcount)


async def _locked(
    transaction: AsyncConnection, viewer: Viewer, plan_id: str, expected_version: int | None
) -> MealPlanRecord:
    row = (await transaction.execute(_LOCK, {"id": plan_id, "user_id": viewer.id})).one_or_none()
    if row is None:
        raise NotFoundError(_NO_PLAN)
    plan = MealPlanRecord(*row)
    expect_version("plan", expected=expected_version, current=plan.version)
    return plan
