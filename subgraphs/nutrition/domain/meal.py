"""What a meal is made of and what it amounts to. Prices are snapshots: a food that changes later changes no past meal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from subgraphs.errors import Checks, ValidationError
from subgraphs.nutrition.domain.food import Portion
from subgraphs.nutrition.domain.nutrients import Nutrients, of_grams, scale

MOST_ITEMS = 50
LONGEST_NOTES = 500
STORED_PLACES = 3
HEAVIEST_GRAMS = 5000
LIGHTEST_COPY_GRAMS = Decimal("0.01")
HEAVIEST_COPY_GRAMS = 250_000
MOST_PORTIONS = 50
# Clocks of phones run ahead a little; a meal of tomorrow is a plan, not a meal.
CLOCK_TOLERANCE = timedelta(minutes=5)


class MealSlot(StrEnum):
    BREAKFAST = "BREAKFAST"
    LUNCH = "LUNCH"
    DINNER = "DINNER"
    SNACK = "SNACK"


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """What somebody says was eaten: grams, or a number of one of the food's portions."""

    food_id: str
    grams: Decimal | None = None
    portion: str | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PricedFood:
    """A food as far as pricing needs it."""

    id: str
    name: str
    version: int
    per_100: Nutrients
    portions: Sequence[Portion]


@dataclass(frozen=True, slots=True)
class Item:
    """A portion of a food with the nutrients that it had when it was logged."""

    food_id: str
    food_name: str
    food_version: int
    grams: Decimal
    portion: str | None
    quantity: Decimal | None
    nutrients: Nutrients


def check_meal(checks: Checks, *, items: Sequence[ItemDraft], notes: str | None, at: datetime, now: datetime) -> None:
    checks.require(1 <= len(items) <= MOST_ITEMS, "items", f"must have 1 to {MOST_ITEMS} entries")
    checks.require(notes is None or len(notes) <= LONGEST_NOTES, "notes", f"may have {LONGEST_NOTES} characters")
    check_instant(checks, at, now)
    for position, item in enumerate(items):
        _check_amount(checks, f"items.{position}", item)


def check_instant(checks: Checks, at: datetime, now: datetime) -> None:
    checks.require(at <= now + CLOCK_TOLERANCE, "at", "must not be in the future")
    checks.require(at.year >= 1900, "at", "must be after 1900")


def price_items(
    drafts: Sequence[ItemDraft], foods: Mapping[str, PricedFood], earlier: Mapping[str, Item] | None = None
) -> list[Item]:
    """The items with their nutrients. Of foods that an `earlier` version of the meal held, its prices are kept.

    Raises ValidationError for foods and portions that are not known.
    """
    items, violations = [], []
    for position, draft in enumerate(drafts):
        food = foods.get(draft.food_id)
        grams = None if food is None else _grams(draft, food)
        if food is None:
            violations.append((f"items.{position}.foodId", "names no food"))
        elif grams is None:
            labels = ", ".join(portion.label for portion in food.portions) or "none"
            violations.append((f"items.{position}.portion", f"is no portion of {food.name}; it has: {labels}"))
        else:
            items.append(_priced(draft, food, grams, (earlier or {}).get(food.id)))
    if violations:
        raise ValidationError(*violations)
    return items


def scale_items(items: Sequence[Item], factor: Decimal) -> list[Item]:
    """The same foods at the same prices, more or less of each. Raises ValidationError where that leaves the scales."""
    if any(not LIGHTEST_COPY_GRAMS <= item.grams * factor <= HEAVIEST_COPY_GRAMS for item in items):
        raise ValidationError(("scale", "makes too little or too much of a food"))
    return [
        Item(
            item.food_id,
            item.food_name,
            item.food_version,
            round(item.grams * factor, STORED_PLACES),
            item.portion,
            None if item.quantity is None else round(item.quantity * factor, STORED_PLACES),
            scale(item.nutrients, factor),
        )
        for item in items
    ]


def _priced(draft: ItemDraft, food: PricedFood, grams: Decimal, earlier: Item | None) -> Item:
    if earlier is None:
        nutrients, name, version = of_grams(food.per_100, grams), food.name, food.version
    else:
        nutrients = scale(earlier.nutrients, grams / earlier.grams)
        name, version = earlier.food_name, earlier.food_version
    return Item(food.id, name, version, grams, draft.portion, draft.quantity, nutrients)


def _grams(draft: ItemDraft, food: PricedFood) -> Decimal | None:
    if draft.grams is not None:
        return draft.grams
    label = (draft.portion or "").casefold()
    portion = next((portion for portion in food.portions if portion.label.casefold() == label), None)
    if portion is None or draft.quantity is None:
        return None
    return round(portion.grams * draft.quantity, STORED_PLACES)


def _check_amount(checks: Checks, name: str, item: ItemDraft) -> None:
    by_grams, by_portion = item.grams is not None, item.portion is not None and item.quantity is not None
    if not checks.require(by_grams or by_portion, name, "needs grams, or a portion with its quantity"):
        return
    if item.grams is not None:
        in_range = Decimal("0.1") <= item.grams <= HEAVIEST_GRAMS
        checks.require(in_range, f"{name}.grams", f"must be from 0.1 to {HEAVIEST_GRAMS}")
    elif item.quantity is not None:
        in_range = Decimal("0.1") <= item.quantity <= MOST_PORTIONS
        checks.require(in_range, f"{name}.quantity", f"must be from 0.1 to {MOST_PORTIONS}")
