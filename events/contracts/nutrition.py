"""What the nutrition subgraph tells: meals, water, targets and foods."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from events import topics
from events.contracts.moderation import PublicationModerated
from events.contracts.plan_write import PlanWritten
from events.envelope import Payload


class Nutrients(msgspec.Struct, frozen=True, kw_only=True):
    """Energy in kcal, the rest in g and mg. None means not known, which is not zero."""

    energy_kcal: Decimal
    protein_g: Decimal
    carbs_g: Decimal
    fat_g: Decimal
    fiber_g: Decimal | None = None
    sugar_g: Decimal | None = None
    sodium_mg: Decimal | None = None


class MealItem(msgspec.Struct, frozen=True, kw_only=True):
    """A portion of a food, with the nutrients it had when it was logged."""

    food_id: str
    grams: Decimal
    nutrients: Nutrients
    food_name: str | None = None
    food_version: int | None = None


class QuickAdd(msgspec.Struct, frozen=True, kw_only=True):
    """Energy in kcal that was eaten without telling of what food; the macronutrients in g where they were told."""

    energy_kcal: Decimal
    protein_g: Decimal | None = None
    carbs_g: Decimal | None = None
    fat_g: Decimal | None = None
    name: str | None = None


class MealState(Payload, frozen=True, kw_only=True):
    """A whole meal after a change. Aggregate `meal`, id = meal id. `totals` holds items and quick adds together."""

    topic = topics.NUTRITION_DIARY.name
    aggregate_type = "meal"

    meal_id: str
    slot: str
    at: datetime
    local_date: date
    items: tuple[MealItem, ...]
    totals: Nutrients
    prev_local_date: date | None = None
    quick_adds: tuple[QuickAdd, ...] = ()


class MealLogged(MealState, frozen=True, kw_only=True):
    """Version 1 of a meal, copied meals included."""


class MealUpdated(MealState, frozen=True, kw_only=True):
    """A meal changed, or came back after it was deleted; `prev_local_date` is set when its day changed."""


class MealDeleted(Payload, frozen=True, kw_only=True):
    """A meal was taken out of the diary."""

    topic = topics.NUTRITION_DIARY.name
    aggregate_type = "meal"
    tombstone = True

    meal_id: str
    local_date: date


class WaterLogged(Payload, frozen=True, kw_only=True):
    """A drink; a version above 1 came back after it was deleted. Aggregate `water`, id = entry id."""

    topic = topics.NUTRITION_DIARY.name
    aggregate_type = "water"

    entry_id: str
    amount_ml: int
    at: datetime
    local_date: date


class WaterDeleted(Payload, frozen=True, kw_only=True):
    """A drink was taken back."""

    topic = topics.NUTRITION_DIARY.name
    aggregate_type = "water"
    tombstone = True

    entry_id: str
    local_date: date


class TargetChanged(Payload, frozen=True, kw_only=True):
    """The daily target from a day on. Aggregate `nutrition_target`, id = user id."""

    topic = topics.NUTRITION_DIARY.name
    aggregate_type = "nutrition_target"

    effective_from: date
    energy_kcal: Decimal
    protein_g: Decimal | None = None
    carbs_g: Decimal | None = None
    fat_g: Decimal | None = None


class FoodUpserted(Payload, frozen=True, kw_only=True):
    """A food as it is now. Aggregate `food`, id = food id; `per_100` is for 100 g or 100 ml."""

    topic = topics.NUTRITION_CATALOG.name
    aggregate_type = "food"

    food_id: str
    name: str
    per_100: Nutrients
    brand: str | None = None
    gtin: str | None = None
    category: str | None = None


class FoodRetired(Payload, frozen=True, kw_only=True):
    """A food left the catalogue; meals keep their snapshots of it."""

    topic = topics.NUTRITION_CATALOG.name
    aggregate_type = "food"
    tombstone = True

    food_id: str


class MealsPlanned(PlanWritten, frozen=True, kw_only=True):
    """Somebody wrote a plan of meals, planned days or a target for a person, by a grant."""

    topic = topics.NUTRITION_DIARY.name


class FoodModerated(PublicationModerated, frozen=True, kw_only=True):
    """An administrator decided about a food that a person, who is the event's user, had shown to others.

    Aggregate `published_food`, id = its id. `before` and `after` say who saw it.
    """

    topic = topics.NUTRITION_DIARY.name
    aggregate_type = "published_food"
