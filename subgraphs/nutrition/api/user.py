"""What nutrition adds to a person: meals, drinks, diary days, targets and the foods logged last."""

import datetime as dt
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from subgraphs.nutrition.api.changes import ChangesOfUser
from subgraphs.nutrition.api.custom_slot import CustomSlots, custom_slots_node
from subgraphs.nutrition.api.diary import DiaryDay, diary_day
from subgraphs.nutrition.api.dietary_preference import DietaryPreferences, dietary_preferences_node
from subgraphs.nutrition.api.energy import BasalEstimate, WeeklyTarget, weekly_target_node
from subgraphs.nutrition.api.fast import Fast, fast_node
from subgraphs.nutrition.api.foods_of_user import FoodsOfUser
from subgraphs.nutrition.api.meal import PATHS_TO_PARTS, Meal, meal_node
from subgraphs.nutrition.api.target import NutritionTarget, need_node, target_node
from subgraphs.nutrition.api.water import Drink, drink_node
from subgraphs.nutrition.domain import target as domain
from subgraphs.nutrition.domain.basal import BasalFormula, Body, basal_by, maintenance_factor
from subgraphs.nutrition.domain.basal import basal_estimates as estimates_of
from subgraphs.nutrition.domain.meal import MealSlot
from subgraphs.nutrition.domain.weekly_target import GoalAdjustment, weekly_target
from subgraphs.nutrition.loaders import loaders_of
from subgraphs.nutrition.queries.meal import MealPage
from subgraphs.nutrition.queries.water import DrinkPage
from subgraphs.shell.calendar import local_date
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.day_range import read_day_range
from subgraphs.shell.errors import ValidationError
from subgraphs.shell.grant_area import GrantArea
from subgraphs.shell.keyset import KeysetList
from subgraphs.shell.look_ahead import LookAhead
from subgraphs.shell.node import ID_DESCRIPTION
from subgraphs.shell.pagination import After, Before, Connection, First, FromDay, Last, ToDay, connect
from subgraphs.shell.physiology import ActivityLevel, FitnessGoal, Sex
from subgraphs.shell.physiology_type import Physiology
from subgraphs.shell.plan_write_type import PlanWrite, write_node
from subgraphs.shell.replicated_person import PersonRecord, person_from_token
from subgraphs.shell.scalars import CACHE_PRIVATE_BRIEFLY, decimal_of, decimal_of_or_none, rounded
from subgraphs.shell.scopes import reads
from subgraphs.shell.sharing import SHARED_DIARY, AccessRead, read_node
from subgraphs.shell.viewer_field import viewer_field

MOST_DAYS = 31
#: What is selected of the meals of a list, and is read with the list.
_OF_MEALS = LookAhead.in_connection(**PATHS_TO_PARTS)

Day = Annotated[date | None, strawberry.argument(description="The day of the person's calendar. Null: today.")]


@strawberry.type(description="What analytics knew when the person's week began.")
class WeeklyCheckIn:
    week_start: date = strawberry.federation.field(external=True, description="The first day of the week.")
    expenditure_kcal: float | None = strawberry.federation.field(
        external=True, description="What the body used a day, in kilocalories; null if nothing says."
    )
    kg_per_week: float | None = strawberry.federation.field(
        external=True, description="How the weight is to change, in kilograms a week; null without an aim."
    )


@strawberry.federation.type(keys=["id"], description="A person.", directives=[CACHE_PRIVATE_BRIEFLY])
class User(FoodsOfUser, ChangesOfUser):
    id: strawberry.ID = strawberry.field(description=ID_DESCRIPTION)
    display_name: str = strawberry.federation.field(external=True, default="", description="How the person is called.")
    physiology: Physiology | None = strawberry.federation.field(
        external=True, default=None, description="The body as of now; null if nothing is known."
    )
    weekly_check_in: WeeklyCheckIn | None = strawberry.federation.field(
        external=True,
        default=None,
        description="What was known when the running week began. Null if it may not be read.",
    )

    @classmethod
    def resolve_reference(
        cls,
        id: strawberry.ID,
        physiology: Mapping[str, Any] | None = None,
        weeklyCheckIn: Mapping[str, Any] | None = None,  # noqa: N803
        **_: object,
    ) -> "User":
        return cls(
            id=id,
            physiology=None if physiology is None else _physiology(physiology),
            weekly_check_in=None if weeklyCheckIn is None else _check_in(weeklyCheckIn),
        )

    @strawberry.field(
        description="The person's meals, newest first. `totalCount` is null: it would read all years.",
        directives=[SHARED_DIARY],
    )
    async def meals(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        from_: FromDay = None,
        to: ToDay = None,
        slot: Annotated[
            MealSlot | None, strawberry.argument(description="Meals of this kind only. Null: of any.")
        ] = None,
    ) -> Connection[Meal]:
        page = KeysetList("User.meals", self.id, (datetime, str)).page(first, after, last, before)
        wanted = MealPage(read_day_range(from_, to), slot.value if slot else None, page)
        records = await loaders_of(info).meal_page_with(_OF_MEALS.of(info), self.id, wanted)
        return connect(records, page, meal_node, lambda record: (record.at, record.id))

    @strawberry.field(
        description="The person's drinks, newest first. `totalCount` is null: it would read all years.",
        directives=[SHARED_DIARY],
    )
    async def drinks(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        from_: FromDay = None,
        to: ToDay = None,
    ) -> Connection[Drink]:
        page = KeysetList("User.drinks", self.id, (datetime, str)).page(first, after, last, before)
        wanted = DrinkPage(read_day_range(from_, to), page)
        records = await loaders_of(info).drinks_by_user.load((self.id, wanted))
        return connect(records, page, drink_node, lambda record: (record.at, record.id))

    @strawberry.field(description="The slots of the day that the person made.", directives=[SHARED_DIARY])
    async def custom_slots(self, info: Info) -> CustomSlots:
        return custom_slots_node(await loaders_of(info).custom_slots_by_user.load(self.id))

    @strawberry.field(description="A day of the diary, by the person's calendar.", directives=[SHARED_DIARY])
    async def diary_day(self, info: Info, date: Day = None) -> DiaryDay:
        return diary_day(self.id, date or await self._today(info))

    @strawberry.field(
        description=f"Days of the diary in the calendar's order, empty ones too; at most {MOST_DAYS}.",
        directives=[SHARED_DIARY, list_size(MOST_DAYS)],
    )
    async def diary_days(
        self,
        from_: Annotated[date, strawberry.argument(name="from", description="The first local day, included.")],
        to: Annotated[date, strawberry.argument(description="The last local day, included.")],
    ) -> list[DiaryDay]:
        read_day_range(from_, to)
        count = (to - from_).days + 1
        if count > MOST_DAYS:
            raise ValidationError(("to", f"makes {count} days; there may be {MOST_DAYS}"))
        return [diary_day(self.id, from_ + dt.timedelta(days=number)) for number in range(count)]

    @strawberry.field(
        description="The person's fasts, newest first. `totalCount` is null: a page reads itself only.",
        directives=[SHARED_DIARY],
    )
    async def fasts(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Fast]:
        page = KeysetList("User.fasts", self.id, (datetime, str)).page(first, after, last, before)
        records = await loaders_of(info).fasts_by_user.load((self.id, page))
        return connect(records, page, fast_node, lambda record: (record.started_at, record.id))

    @strawberry.field(description="The fast that runs; null while none does.", directives=[SHARED_DIARY])
    async def current_fast(self, info: Info) -> Fast | None:
        record = await loaders_of(info).running_fast_by_user.load(self.id)
        return None if record is None else fast_node(record)

    @strawberry.field(description="The target in force on a day; null without one.", directives=[SHARED_DIARY])
    async def nutrition_target(self, info: Info, date: Day = None) -> NutritionTarget | None:
        record = await loaders_of(info).target_by_day.load((self.id, date or await self._today(info)))
        return None if record is None else target_node(record)

    @strawberry.federation.field(
        requires=["physiology { weightKg heightCm ageYears sex activityLevel fitnessGoal }"],
        description=(
            "What the body needs by Mifflin and St Jeor, for the person's goal and never less than is safe; null while"
            " weight, height or age are unknown."
        ),
        directives=[reads(GrantArea.DIARY, GrantArea.BODY), SHARED_DIARY],
    )
    def suggested_target(self) -> NutritionTarget | None:
        body = self.physiology
        if body is None or body.weight_kg is None or body.height_cm is None or body.age_years is None:
            return None
        need = domain.suggest_target(
            decimal_of(body.weight_kg),
            decimal_of(body.height_cm),
            body.age_years,
            body.sex,
            body.activity_level,
            body.fitness_goal,
        )
        return need_node(need)

    @strawberry.federation.field(
        requires=["physiology { weightKg heightCm ageYears sex activityLevel }"],
        description="What keeps the weight by formula, in kilocalories a day: Mifflin and St Jeor's energy at rest times"
        " the activity's factor, which holds an average of exercise. Null while weight, height or age are unknown.",
        directives=[reads(GrantArea.DIARY, GrantArea.BODY), SHARED_DIARY],
    )
    def maintenance_kcal(self) -> float | None:
        body = body_of(self.physiology)
        if body is None or self.physiology is None:
            return None
        basal = basal_by(BasalFormula.MIFFLIN_ST_JEOR, body)
        if basal is None or basal <= 0:
            return None
        return rounded(basal * maintenance_factor(self.physiology.activity_level))

    @strawberry.federation.field(
        requires=["physiology { weightKg heightCm ageYears sex activityLevel bodyFatPercent }"],
        description="The energy at rest by each formula that has what it needs; empty while weight, height or age are"
        " unknown. Katch and McArdle's and Cunningham's need a weighing with the body fat.",
        directives=[reads(GrantArea.DIARY, GrantArea.BODY), SHARED_DIARY, list_size(5)],
    )
    def basal_estimates(self) -> list[BasalEstimate]:
        body = body_of(self.physiology)
        if body is None or self.physiology is None:
            return []
        return [
            BasalEstimate(formula=formula, basal_kcal=rounded(basal), maintenance_kcal=rounded(keeps))
            for formula, basal, keeps in estimates_of(body, self.physiology.activity_level)
        ]

    @strawberry.federation.field(
        requires=[
            "physiology { weightKg heightCm ageYears sex bodyFatPercent }",
            "weeklyCheckIn { weekStart expenditureKcal kgPerWeek }",
        ],
        description="What to eat on each day of the running week: what the body was seen to use, less or more for the"
        " pace of the weight goal, else of the fitness goal. It changes when the person's week begins. Null while"
        " weight, height, age or the expenditure are unknown.",
        directives=[reads(GrantArea.DIARY, GrantArea.BODY, GrantArea.PROGRESS), SHARED_DIARY],
    )
    def weekly_target(
        self,
        adjustment: Annotated[
            GoalAdjustment | None,
            strawberry.argument(description="How much less or more to eat, in place of the pace. Null: by the pace."),
        ] = None,
    ) -> WeeklyTarget | None:
        body, known = body_of(self.physiology), self.weekly_check_in
        if body is None or known is None or known.expenditure_kcal is None:
            return None
        pace = decimal_of(known.kg_per_week or 0.0)
        found = weekly_target(decimal_of(known.expenditure_kcal), pace, body, adjustment)
        return weekly_target_node(known.week_start, found)

    @strawberry.field(
        description="What the person avoids in food. It is about health: no grant opens it, and no API key."
    )
    async def dietary_preferences(self, info: Info) -> DietaryPreferences:
        return dietary_preferences_node(await loaders_of(info).dietary_preferences_by_user.load(self.id))

    @strawberry.field(
        description="Who read the diary by a grant, the latest hours first; the latest 100 entries of 90 days.",
        directives=[list_size(20)],
    )
    async def diary_reads(self, info: Info) -> list[AccessRead]:
        return [read_node(record) for record in await loaders_of(info).reads_by_owner.load(self.id)]

    @strawberry.field(
        description="Which plans of meals, planned days and targets others wrote for the person by a grant, the latest first; the latest 100 of 90 days.",
        directives=[list_size(20)],
    )
    async def diary_writes(self, info: Info) -> list[PlanWrite]:
        return [write_node(record) for record in await loaders_of(info).writes_by_owner.load(self.id)]

    async def _today(self, info: Info) -> date:
        viewer = info.context.viewer
        is_recent = viewer.id == self.id and viewer.clock_is_recent
        person = person_from_token(viewer) if is_recent else await _person(info, self.id)
        return local_date(info.context.resources.now(), person.time_zone, person.day_start_hour)


def _physiology(known: Mapping[str, Any]) -> Physiology:
    """What the router fetched from users for us, as JSON."""
    sex, activity, goal = known.get("sex"), known.get("activityLevel"), known.get("fitnessGoal")
    return Physiology(
        weight_kg=known.get("weightKg"),
        height_cm=known.get("heightCm"),
        age_years=known.get("ageYears"),
        sex=Sex(sex) if sex else None,
        activity_level=ActivityLevel(activity) if activity else None,
        fitness_goal=FitnessGoal(goal) if goal else None,
        body_fat_percent=known.get("bodyFatPercent"),
    )


def _check_in(known: Mapping[str, Any]) -> WeeklyCheckIn:
    """What the router fetched from analytics for us, as JSON."""
    return WeeklyCheckIn(
        week_start=date.fromisoformat(known["weekStart"]),
        expenditure_kcal=known.get("expenditureKcal"),
        kg_per_week=known.get("kgPerWeek"),
    )


def body_of(known: Physiology | None) -> Body | None:
    """What the formulas ask for; None while weight, height or age are unknown."""
    if known is None or known.weight_kg is None or known.height_cm is None or known.age_years is None:
        return None
    fat = decimal_of_or_none(known.body_fat_percent)
    return Body(decimal_of(known.weight_kg), decimal_of(known.height_cm), known.age_years, known.sex, fat)


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


@strawberry.type
class UserQuery:
    @viewer_field
    def me(self, info: Info) -> User:
        """Whoever the token names, and nothing is read: an account's end ends its sessions, whose tokens are refused."""
        return User(id=strawberry.ID(info.context.viewer.id))
