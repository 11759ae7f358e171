"""What a meal is made of and what it amounts to. Prices are snapshots: a food that changes later changes no past meal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from subgraphs.nutrition.domain.food import Portion
from subgraphs.nutrition.domain.nutrients import Nutrients, QuickAdd, of_grams, scale
from subgraphs.shell.calendar import check_instant
from subgraphs.shell.errors import Checks, ValidationError
from subgraphs.shell.text import check_line

MOST_ITEMS = 50
LONGEST_NOTES = 500
STORED_PLACES = 3
# One rule for every way into the diary: what a copy made can be edited.
LIGHTEST_GRAMS, HEAVIEST_GRAMS = Decimal("0.01"), Decimal(50_000)
FEWEST_PORTIONS, MOST_PORTIONS = Decimal("0.01"), Decimal(1000)
SMALLEST_SCALE, LARGEST_SCALE = Decimal("0.1"), Decimal(10)
MOST_MEALS_A_DAY = 50
MOST_QUICK_ADDS = 20
MOST_QUICK_KCAL, MOST_QUICK_G = 20_000, 2500
LONGEST_QUICK_NAME = 100
_GRAMS_LIMITS = f"must be from {LIGHTEST_GRAMS} to {HEAVIEST_GRAMS} g"


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


def check_meal(
    checks: Checks,
    *,
    items: Sequence[ItemDraft] | None,
    quick_adds: Sequence[QuickAdd],
    notes: str | None,
    at: datetime,
    now: datetime,
) -> None:
    """`items` is None where those that are there stay. A meal of quick adds needs none."""
    checks.require(
        notes is None or len(notes) <= LONGEST_NOTES, "notes", f"may have at most {LONGEST_NOTES} characters"
    )
    check_instant(checks, at, now, "at")
    check_quick_adds(checks, quick_adds)
    least = 0 if quick_adds else 1
    if items is None or not checks.require(
        least <= len(items) <= MOST_ITEMS, "items", f"must have {least} to {MOST_ITEMS} entries"
    ):
        return
    check_amounts(checks, items)


def check_amounts(checks: Checks, items: Sequence[ItemDraft], place: str = "items") -> None:
    """Each tells how much, within the limits; `place` is what the client calls the list."""
    for position, item in enumerate(items):
        _check_amount(checks, f"{place}.{position}", item)


def check_quick_adds(checks: Checks, quick_adds: Sequence[QuickAdd]) -> None:
    within = checks.require(
        len(quick_adds) <= MOST_QUICK_ADDS, "quickAdds", f"may have at most {MOST_QUICK_ADDS} entries"
    )
    for position, each in enumerate(quick_adds if within else ()):
        check_quick_add(checks, each, f"quickAdds.{position}.")


def check_quick_add(checks: Checks, quick: QuickAdd, place: str = "") -> None:
    """`place` is what stands before the names of its fields."""
    if quick.name is not None:
        check_line(checks, quick.name, f"{place}name", longest=LONGEST_QUICK_NAME)
    amounts = (
        ("energyKcal", quick.energy_kcal, MOST_QUICK_KCAL),
        ("proteinG", quick.protein_g, MOST_QUICK_G),
        ("carbsG", quick.carbs_g, MOST_QUICK_G),
        ("fatG", quick.fat_g, MOST_QUICK_G),
    )
    for name, amount, most in amounts:
        checks.require(amount is None or 0 <= amount <= most, f"{place}{name}", f"must be from 0 to {most}")


def check_scale(checks: Checks, scale: Decimal) -> None:
    in_range = SMALLEST_SCALE <= scale <= LARGEST_SCALE
    checks.require(in_range, "scale", f"must be from {SMALLEST_SCALE} to {LARGEST_SCALE}")


def price_items(
    drafts: Sequence[ItemDraft],
    foods: Mapping[str, PricedFood],
    earlier: Mapping[str, Item] | None = None,
    place: str = "items",
) -> list[Item]:
    """The items with their nutrients. Of foods that an `earlier` version of the meal held, its prices are kept.

    Raises ValidationError for foods and portions that are not known; `place` is what the client calls the list.
    """
    items, violations = [], []
    for position, draft in enumerate(drafts):
        food = foods.get(draft.food_id)
        grams = None if food is None else _grams(draft, food)
        if food is None:
            violations.append((f"{place}.{position}.foodId", "names no food"))
        elif grams is None:
            labels = ", ".join(portion.label for portion in food.portions) or "none"
            violations.append((f"{place}.{position}.portion", f"is no portion of {food.name}; it has: {labels}"))
        elif not LIGHTEST_GRAMS <= grams <= HEAVIEST_GRAMS:
            violations.append((f"{place}.{position}.quantity", f"makes {float(grams):g} g; it {_GRAMS_LIMITS}"))
        else:
            items.append(_priced(draft, food, grams, (earlier or {}).get(food.id)))
    if violations:
        raise ValidationError(*violations)
    return items


def scale_items(items: Sequence[Item], factor: Decimal) -> list[Item]:
    """The same foods at the same prices, more or less of each. Raises ValidationError where that leaves the scales."""
    for item in items:
        if not LIGHTEST_GRAMS <= item.grams * factor <= HEAVIEST_GRAMS:
            raise ValidationError(
                ("scale", f"makes {float(item.grams * factor):g} g of {item.food_name}; it {_GRAMS_LIMITS}")
            )
    return [
        Item(
            item.food_id,
            item.food_name,
            item.food_version,
            grams=round(item.grams * factor, STORED_PLACES),
            portion=item.portion,
            quantity=None if item.quantity is None else round(item.quantity * factor, STORED_PLACES),
            nutrients=scale(item.nutrients, factor),
        )
        for item in items
    ]


def recounted(items: Sequence[Item], food_id: str, name: str, version: int, per_100: Nutrients) -> list[Item]:
    """The same items at the same grams, those of one food with the numbers that it has now."""
    return [
        Item(
            item.food_id,
            name,
            version,
            grams=item.grams,
            portion=item.portion,
            quantity=item.quantity,
            nutrients=of_grams(per_100, item.grams),
        )
        if item.food_id == food_id
        else item
        for item in items
    ]


def _priced(draft: ItemDraft, food: PricedFood, grams: Decimal, earlier: Item | None) -> Item:
    if earlier is None:
        nutrients, name, version = of_grams(food.per_100, grams), food.name, food.version
    else:
        nutrients = scale(earlier.nutrients, grams / earlier.grams)
        name, version = earlier.food_name, earlier.food_version
    return Item(
        food.id, name, version, grams=grams, portion=draft.portion, quantity=draft.quantity, nutrients=nutrients
    )


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
        in_range = LIGHTEST_GRAMS <= item.grams <= HEAVIEST_GRAMS
        checks.require(in_range, f"{name}.grams", f"must be from {LIGHTEST_GRAMS} to {HEAVIEST_GRAMS}")
    if item.quantity is not None:
        in_range = FEWEST_PORTIONS <= item.quantity <= MOST_PORTIONS
        checks.require(in_range, f"{name}.quantity", f"must be from {FEWEST_PORTIONS} to {MOST_PORTIONS}")
