"""What nutrition adds to a person: meals, diary days, targets and the foods logged last."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from subgraphs.context import Info
from subgraphs.errors import ValidationError
from subgraphs.nutrition.api.diary import DiaryDay, NutritionTarget, need_node, target_node
from subgraphs.nutrition.api.food import Food, food_node
from subgraphs.nutrition.api.meal import Meal, meal_node
from subgraphs.nutrition.domain import target as domain
from subgraphs.nutrition.domain.meal import MealSlot
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.nutrition.queries.meal import MealPage
from subgraphs.nutrition.queries.person import PersonRecord, person_from_token
from subgraphs.pagination import LARGEST_PAGE, Connection, connect, read_page
from subgraphs.scalars import CACHE_PRIVATE_BRIEFLY, decimal_of, local_date

strawberry.enum(domain.Sex)
strawberry.enum(domain.ActivityLevel)


@strawberry.federation.type(shareable=True, description="The body as of now, for other subgraphs' formulas.")
class Physiology:
    weight_kg: float | None
    height_cm: float | None
    age_years: int | None
    sex: domain.Sex | None
    activity_level: domain.ActivityLevel | None


@strawberry.type(description="A food that was logged, how often and when last.")
class RecentFood:
    food: Food
    times_logged: int
    last_logged_at: datetime


@strawberry.federation.type(keys=["id"], directives=[CACHE_PRIVATE_BRIEFLY])
class User:
    id: strawberry.ID
    display_name: str = strawberry.federation.field(external=True, default="")
    physiology: Physiology | None = strawberry.federation.field(external=True, default=None)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, physiology: Mapping[str, Any] | None = None, **_: object) -> "User":
        return cls(id=id, physiology=None if physiology is None else _physiology(physiology))

    @strawberry.field(description="Newest first; `from` and `to` are local dates, both included.")
    async def meals(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        from_: Annotated[date | None, strawberry.argument(name="from")] = None,
        to: date | None = None,
        slot: MealSlot | None = None,
    ) -> Connection[Meal]:
        info.context.reader_of(self.id)
        page = read_page(first, after, (datetime, str))
        wanted = MealPage(
            first_day=from_,
            last_day=to,
            slot=slot.value if slot else None,
            after=page.after,
            limit=page.limit,
        )
        records = await loaders_of(info).meals_by_user.load((self.id, wanted))
        return connect(records, page, meal_node, lambda record: (record.at, record.id))

    @strawberry.field(description="A day of the diary, by the person's calendar; today if none is named.")
    async def diary_day(self, info: Info, date: date | None = None) -> DiaryDay:
        info.context.reader_of(self.id)
        return DiaryDay(user_id=self.id, date=date or await self._today(info))

    @strawberry.field(description="The foods logged last, newest first.")
    async def recent_foods(self, info: Info, first: int = 10) -> list[RecentFood]:
        info.context.reader_of(self.id)
        if not 1 <= first <= LARGEST_PAGE:
            raise ValidationError(("first", f"must be from 1 to {LARGEST_PAGE}"))
        loaders = loaders_of(info)
        recent = await loaders.recent_foods_by_user.load((self.id, first))
        foods = await loaders.food_by_id.load_many([each.food_id for each in recent])
        return [
            RecentFood(food=food_node(food), times_logged=each.times, last_logged_at=each.last_at)
            for each, food in zip(recent, foods, strict=True)
            if food is not None
        ]

    @strawberry.field(description="The target in force on a day; today if none is named.")
    async def nutrition_target(self, info: Info, date: date | None = None) -> NutritionTarget | None:
        info.context.reader_of(self.id)
        record = await loaders_of(info).target_by_day.load((self.id, date or await self._today(info)))
        return None if record is None else target_node(record.target, record.effective_from)

    @strawberry.federation.field(
        requires=["physiology { weightKg heightCm ageYears sex activityLevel }"],
        description="What would keep the weight, by Mifflin and St Jeor; null while weight, height or age are unknown.",
    )
    def suggested_target(self, info: Info) -> NutritionTarget | None:
        info.context.reader_of(self.id)
        body = self.physiology
        if body is None or body.weight_kg is None or body.height_cm is None or body.age_years is None:
            return None
        weight_kg, height_cm = decimal_of(body.weight_kg), decimal_of(body.height_cm)
        return need_node(domain.suggest_target(weight_kg, height_cm, body.age_years, body.sex, body.activity_level))

    async def _today(self, info: Info) -> date:
        person = await _person(info, self.id)
        return local_date(info.context.resources.now(), person.time_zone, person.day_start_hour)


def _physiology(known: Mapping[str, Any]) -> Physiology:
    """What the router fetched from users for us, as JSON."""
    sex, activity = known.get("sex"), known.get("activityLevel")
    return Physiology(
        weight_kg=known.get("weightKg"),
        height_cm=known.get("heightCm"),
        age_years=known.get("ageYears"),
        sex=domain.Sex(sex) if sex else None,
        activity_level=domain.ActivityLevel(activity) if activity else None,
    )


async def _person(info: Info, user_id: str) -> PersonRecord:
    """A person who registered a moment ago is known by the token only; anybody else unknown has UTC."""
    known = await loaders_of(info).person_by_id.load(user_id)
    if known is not None:
        return known
    viewer = info.context.viewer
    return person_from_token(viewer) if viewer.id == user_id else PersonRecord(user_id, "", "UTC", 0)


async def load_named_user(info: Info, user_id: str) -> User:
    """The person with the name that nutrition holds a copy of, as `@provides` promises."""
    return User(id=strawberry.ID(user_id), display_name=(await _person(info, user_id)).display_name)
