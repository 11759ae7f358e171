"""Plans of meals for days to come: what a plan may hold, and which day of it falls on which date. Pure."""

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from subgraphs.nutrition.domain.meal import MOST_ITEMS, MealSlot, check_amounts, check_quick_adds
from subgraphs.nutrition.domain.saved_meal import SavedContent, check_name
from subgraphs.shell.errors import Checks

MOST_PLANS = 50
MOST_PLAN_DAYS = 28
MOST_MEALS_A_PLAN_DAY = 10
MOST_PLAN_ITEMS = 400
FURTHEST_DAYS = 366


class PlanMeal(msgspec.Struct, frozen=True, kw_only=True):
    """A meal of a plan; each of its items tells its grams once it is kept."""

    slot: MealSlot
    custom_slot: str | None = None
    content: SavedContent


PlanDays = tuple[tuple[PlanMeal, ...], ...]

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(PlanDays)


def encode_days(days: PlanDays) -> str:
    return _encoder.encode(days).decode()


def decode_days(text: str) -> PlanDays:
    return _decoder.decode(text)


def place_of(day: int, meal: int) -> str:
    """What a client calls a meal of a plan, both counted from 0."""
    return f"days.{day}.meals.{meal}"


def check_plan(checks: Checks, name: str, days: Sequence[Sequence[PlanMeal]]) -> None:
    check_name(checks, name)
    if not checks.require(1 <= len(days) <= MOST_PLAN_DAYS, "days", f"must have 1 to {MOST_PLAN_DAYS} entries"):
        return
    items = sum(len(meal.content.items) for day in days for meal in day)
    if not checks.require(
        items <= MOST_PLAN_ITEMS, "days", f"may have at most {MOST_PLAN_ITEMS} items together, they have {items}"
    ):
        return
    for number, day in enumerate(days):
        limits = f"may have at most {MOST_MEALS_A_PLAN_DAY} entries"
        if checks.require(len(day) <= MOST_MEALS_A_PLAN_DAY, f"days.{number}.meals", limits):
            for position, meal in enumerate(day):
                _check_meal(checks, place_of(number, position), meal.content)


def _check_meal(checks: Checks, place: str, content: SavedContent) -> None:
    checks.require(bool(content.items or content.quick_adds), place, "needs items or quickAdds")
    if checks.require(len(content.items) <= MOST_ITEMS, f"{place}.items", f"may have at most {MOST_ITEMS} entries"):
        check_amounts(checks, content.items, f"{place}.items")
    of_meal = Checks()
    check_quick_adds(of_meal, content.quick_adds)
    checks.violations += [(f"{place}.{name}", message) for name, message in of_meal.violations]


def dates_of(days: PlanDays, start: date, first_day: int, count: int | None, checks: Checks, today: date) -> list[date]:
    """The dates of the plan's days from `first_day` on, counted from 1, the first on `start`; empty where something is refused."""
    if not checks.require(1 <= first_day <= len(days), "firstDay", f"must be from 1 to {len(days)}"):
        return []
    left = len(days) - first_day + 1
    wanted = left if count is None else count
    checks.require(1 <= wanted <= left, "days", f"must be from 1 to {left}")
    last = start + timedelta(days=wanted - 1)
    checks.require(start >= today, "from", f"must not be before today, {today}: what was eaten is logged")
    checks.require(last <= today + timedelta(days=FURTHEST_DAYS), "from", f"must be within {FURTHEST_DAYS} days")
    return [] if checks.violations else [start + timedelta(days=number) for number in range(wanted)]
