"""The nutrition database as SQLModel sees it: migrations are compared with it, rows are written through it."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Column, DateTime, ForeignKey, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

metadata = MetaData()


class NutritionTable(SQLModel):
    """Gives the tables of this subgraph their own metadata."""

    metadata = metadata
    #: Nobody validates a row, and each start would make a validator for each table.
    model_config = {"defer_build": True}


def _instant() -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=False)


def _json() -> Column[str]:
    """Nutrients or totals, encoded by `domain.nutrients`, which keeps decimals exact."""
    return Column(JSONB, nullable=False)


class FoodRow(NutritionTable, table=True):
    """A food, per 100 g. `created_by` is None for the catalogue and a user id for a person's own."""

    __tablename__ = "food"

    id: str = Field(primary_key=True)
    name: str
    brand: str | None = None
    gtin: str | None = None
    category: str
    source: str
    verified: bool = False
    created_by: str | None = None
    per_100: str = Field(sa_column=_json())
    version: int = 1
    created_at: datetime = Field(sa_column=_instant())
    idempotency_key: str | None = None
    idempotency_content: bytes | None = None
    deleted_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    digest: bytes | None = None  # of what a database of products told; None for every other food
    contains: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))  # None: nothing is told
    free_from: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))


class FoodPortionRow(NutritionTable, table=True):
    __tablename__ = "food_portion"

    food_id: str = Field(sa_column=Column(Text, ForeignKey("food.id", ondelete="CASCADE"), primary_key=True))
    position: int = Field(primary_key=True)
    label: str
    grams: Decimal = Field(sa_column=Column(Numeric(8, 2), nullable=False))


class MealRow(NutritionTable, table=True):
    """A meal with its sums, on the person's calendar day of its moment."""

    __tablename__ = "meal"

    id: str = Field(primary_key=True)
    user_id: str
    slot: str
    at: datetime = Field(sa_column=_instant())
    local_date: date
    time_zone: str
    notes: str | None = None
    totals: str = Field(sa_column=_json())
    quick_adds: str = Field(sa_column=_json())
    version: int = 1
    idempotency_key: str | None = None
    idempotency_content: bytes | None = None
    custom_slot: str | None = None


class MealItemRow(NutritionTable, table=True):
    """A portion of a food, with the nutrients it had when it was logged."""

    __tablename__ = "meal_item"

    meal_id: str = Field(sa_column=Column(Text, ForeignKey("meal.id", ondelete="CASCADE"), primary_key=True))
    position: int = Field(primary_key=True)
    user_id: str
    at: datetime = Field(sa_column=_instant())
    food_id: str = Field(foreign_key="food.id")
    food_name: str
    food_version: int
    grams: Decimal = Field(sa_column=Column(Numeric(10, 3), nullable=False))
    portion: str | None = None
    quantity: Decimal | None = Field(default=None, sa_column=Column(Numeric(8, 3)))
    nutrients: str = Field(sa_column=_json())


class RecentFoodRow(NutritionTable, table=True):
    """How often a person logged a food and when last; kept with every change of a meal."""

    __tablename__ = "recent_food"

    user_id: str = Field(primary_key=True)
    food_id: str = Field(sa_column=Column(Text, ForeignKey("food.id", ondelete="CASCADE"), primary_key=True))
    times: int
    last_at: datetime = Field(sa_column=_instant())


class FavouriteFoodRow(NutritionTable, table=True):
    __tablename__ = "favourite_food"

    user_id: str = Field(primary_key=True)
    food_id: str = Field(sa_column=Column(Text, ForeignKey("food.id", ondelete="CASCADE"), primary_key=True))
    added_at: datetime = Field(sa_column=_instant())


class DietaryPreferenceRow(NutritionTable, table=True):
    """What a person avoids in food."""

    __tablename__ = "dietary_preference"

    user_id: str = Field(primary_key=True)
    avoid: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    diet: str | None = None
    version: int


class DeletedEntryRow(NutritionTable, table=True):
    """A meal or drink that was deleted of late, as it was, so that it can be brought back."""

    __tablename__ = "deleted_entry"

    id: str = Field(primary_key=True)
    user_id: str
    version: int
    deleted_at: datetime = Field(sa_column=_instant())
    content: str = Field(sa_column=_json())


class RecipeVersionRow(NutritionTable, table=True):
    """What a food whose source is RECIPE was made of at one of its versions; the highest holds."""

    __tablename__ = "recipe_version"

    food_id: str = Field(sa_column=Column(Text, ForeignKey("food.id", ondelete="CASCADE"), primary_key=True))
    version: int = Field(primary_key=True)
    written_at: datetime = Field(sa_column=_instant())
    content: str = Field(sa_column=_json())


class PublishedFoodRow(NutritionTable, table=True):
    """What others may see of an own food, copied when it was published."""

    __tablename__ = "published_food"

    id: str = Field(primary_key=True)
    food_id: str = Field(sa_column=Column(Text, ForeignKey("food.id", ondelete="CASCADE"), nullable=False))
    user_id: str
    food_version: int
    audience: str
    shows_author: bool
    name: str
    brand: str | None = None
    gtin: str | None = None
    category: str
    labels: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    content: str = Field(sa_column=_json())
    published_at: datetime = Field(sa_column=_instant())
    withdrawn_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    version: int = 1
    reports: int = 0
    reported_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class FoodReportRow(NutritionTable, table=True):
    """That somebody finds a published food out of place."""

    __tablename__ = "food_report"

    published_food_id: str = Field(
        sa_column=Column(Text, ForeignKey("published_food.id", ondelete="CASCADE"), primary_key=True, nullable=False)
    )
    reporter_id: str = Field(primary_key=True)
    reason: str
    at: datetime = Field(sa_column=_instant())
    decided_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class SavedMealRow(NutritionTable, table=True):
    __tablename__ = "saved_meal"

    id: str = Field(primary_key=True)
    user_id: str
    name: str
    slot: str | None = None
    content: str = Field(sa_column=_json())
    version: int = 1
    created_at: datetime = Field(sa_column=_instant())
    idempotency_key: str | None = None
    idempotency_content: bytes | None = None


class MealPlanRow(NutritionTable, table=True):
    __tablename__ = "meal_plan"

    id: str = Field(primary_key=True)
    user_id: str
    name: str
    days: str = Field(sa_column=_json())
    version: int = 1
    author_id: str | None = None
    created_at: datetime = Field(sa_column=_instant())
    idempotency_key: str | None = None
    idempotency_content: bytes | None = None


class PlannedMealRow(NutritionTable, table=True):
    """A meal that is planned for a day; `meal_id` is what it was logged as."""

    __tablename__ = "planned_meal"

    id: str = Field(primary_key=True)
    user_id: str
    local_date: date
    position: int
    slot: str
    custom_slot: str | None = None
    content: str = Field(sa_column=_json())
    meal_id: str | None = None
    author_id: str | None = None


class CustomSlotListRow(NutritionTable, table=True):
    """The slots of the day that a person made, in order."""

    __tablename__ = "custom_slot_list"

    user_id: str = Field(primary_key=True)
    slots: str = Field(sa_column=_json())
    version: int


class FastRow(NutritionTable, table=True):
    """From when to when a person ate nothing; `ended_at` is None while it runs."""

    __tablename__ = "fast"

    id: str = Field(primary_key=True)
    user_id: str
    started_at: datetime = Field(sa_column=_instant())
    ended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    target_minutes: int | None = None
    version: int = 1
    idempotency_key: str | None = None
    idempotency_content: bytes | None = None


class WaterRow(NutritionTable, table=True):
    __tablename__ = "water"

    id: str = Field(primary_key=True)
    user_id: str
    amount_ml: int
    at: datetime = Field(sa_column=_instant())
    local_date: date
    time_zone: str
    version: int = 1
    idempotency_key: str | None = None
    idempotency_content: bytes | None = None


class NutritionTargetRow(NutritionTable, table=True):
    """What a person aims at from a day on, until the next row. `version` counts all of the person's changes."""

    __tablename__ = "nutrition_target"

    user_id: str = Field(primary_key=True)
    effective_from: date = Field(primary_key=True)
    energy_kcal: Decimal = Field(sa_column=Column(Numeric(8, 2), nullable=False))
    protein_g: Decimal | None = Field(default=None, sa_column=Column(Numeric(8, 2)))
    carbs_g: Decimal | None = Field(default=None, sa_column=Column(Numeric(8, 2)))
    fat_g: Decimal | None = Field(default=None, sa_column=Column(Numeric(8, 2)))
    water_ml: int | None = None
    nutrient_aims: str = Field(sa_column=_json())
    weekday_targets: str = Field(sa_column=_json())
    training_target: str | None = Field(default=None, sa_column=Column(JSONB))
    version: int
    author_id: str | None = None
    idempotency_key: str | None = None
    idempotency_content: bytes | None = None


class TrainingEntryRow(NutritionTable, table=True):
    """A workout, or a plan of one, that makes its day one of training; replicated from workouts. `kept_at` is when it was first told."""

    __tablename__ = "training_entry"

    id: str = Field(primary_key=True)
    user_id: str
    local_date: date
    kept_at: datetime = Field(sa_column=_instant())


class PersonRow(NutritionTable, table=True):
    """What nutrition must know of a person, replicated from `users.account.v1`."""

    __tablename__ = "person"

    user_id: str = Field(primary_key=True)
    display_name: str
    time_zone: str
    day_start_hour: int
    status: str = "ACTIVE"
    registered_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
