"""Changes to plans of meals in GraphQL: kept, changed, deleted, put on days, taken off them, logged."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.nutrition.api.meal import LazyDiaryDay, Meal, meal_node
from subgraphs.nutrition.api.meal_mutations import DAY, MEAL, MealItemInput, QuickAddEntryInput, day_of
from subgraphs.nutrition.api.meal_plan import MealPlan, meal_plan_node
from subgraphs.nutrition.commands import meal_plan as commands
from subgraphs.nutrition.domain import meal as domain
from subgraphs.nutrition.domain.meal_plan import (
    FURTHEST_DAYS,
    MOST_MEALS_A_PLAN_DAY,
    MOST_PLAN_DAYS,
    MOST_PLAN_ITEMS,
    PlanMeal,
)
from subgraphs.nutrition.domain.saved_meal import LONGEST_NAME, SavedContent
from subgraphs.shell.context import Info
from subgraphs.shell.cost import list_size
from subgraphs.shell.inputs import client_made_id, expected_version, given, idempotency_key, request_key
from subgraphs.shell.key_scope import KeyScope
from subgraphs.shell.mutation import Payload, mutation
from subgraphs.shell.plan_write_type import PERSON
from subgraphs.shell.scalars import IdempotencyKey, TimeZone
from subgraphs.shell.sharing import may_read

if TYPE_CHECKING:
    from subgraphs.nutrition.api.user import User

LazyUser = Annotated["User", strawberry.lazy("subgraphs.nutrition.api.user")]
_ID = "The plan's id."


@strawberry.input(description="A meal of a plan: foods and quick adds.")
class PlanMealInput:
    slot: domain.MealSlot = strawberry.field(description="Which meal of the day it is.")
    custom_slot: str | None = strawberry.field(
        default=None,
        description="The name of one of the viewer's own slots, which says what it counts as. Null: none.",
    )
    items: list[MealItemInput] = strawberry.field(
        default_factory=list,
        description=f"Foods with amounts, up to {domain.MOST_ITEMS}; at least one unless there are `quickAdds`.",
    )
    quick_adds: list[QuickAddEntryInput] = strawberry.field(
        default_factory=list, description=f"Energy without a food, up to {domain.MOST_QUICK_ADDS} entries."
    )

    def to_meal(self) -> PlanMeal:
        content = SavedContent(
            items=tuple(each.to_draft() for each in self.items),
            quick_adds=tuple(each.to_quick_add() for each in self.quick_adds),
        )
        return PlanMeal(slot=self.slot, custom_slot=self.custom_slot, content=content)


@strawberry.input(description="A day of a plan.")
class PlanDayInput:
    meals: list[PlanMealInput] = strawberry.field(
        description=f"Its meals in order, up to {MOST_MEALS_A_PLAN_DAY}; empty leaves the day open."
    )


_DAYS = f"1 to {MOST_PLAN_DAYS}, with up to {MOST_PLAN_ITEMS} items together."


@strawberry.input(description="A plan of meals to keep.")
class CreateMealPlanInput:
    name: str = strawberry.field(description=f"What to call it, 1 to {LONGEST_NAME} characters.")
    days: list[PlanDayInput] = strawberry.field(description=f"Its days, {_DAYS}")
    id: strawberry.ID | None = client_made_id("meal_plan")
    person_id: strawberry.ID | None = strawberry.field(default=None, description=PERSON)
    idempotency_key: IdempotencyKey | None = idempotency_key()


@strawberry.input(description="What to change of a plan; what is absent stays.")
class UpdateMealPlanInput:
    id: strawberry.ID = strawberry.field(description=_ID)
    expected_version: int | None = expected_version()
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"The new name, 1 to {LONGEST_NAME} characters. Null is refused."
    )
    days: list[PlanDayInput] | None = strawberry.field(
        default=strawberry.UNSET, description=f"All days anew, {_DAYS} Null is refused."
    )


@strawberry.input(description="Which plan to delete.")
class DeleteMealPlanInput:
    id: strawberry.ID = strawberry.field(description=_ID)
    expected_version: int | None = expected_version()


@strawberry.input(description="Which days of a plan to put on which days of the calendar.")
class ApplyMealPlanInput:
    id: strawberry.ID = strawberry.field(description=_ID)
    from_: date = strawberry.field(
        name="from", description=f"The first day of the calendar, from today to {FURTHEST_DAYS} days ahead."
    )
    first_day: int = strawberry.field(default=1, description="The day of the plan that falls on it, from 1.")
    days: int | None = strawberry.field(
        default=None, description="How many days, 1 for a single one. Null: all from `firstDay` on."
    )


@strawberry.input(description="For which days to take back what is planned and not eaten.")
class ClearPlannedMealsInput:
    from_: date = strawberry.field(name="from", description="The first of the days.")
    to: date = strawberry.field(description="The last of the days.")


@strawberry.input(description="Which planned meal to log, and when it was eaten.")
class LogPlannedMealInput:
    id: strawberry.ID = strawberry.field(description="The planned meal's id.")
    at: datetime | None = strawberry.field(default=None, description="When it was eaten, not in the future. Null: now.")
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="Where it was eaten, which decides its day. Null: at home, as the settings say."
    )


@strawberry.type(description="What came of keeping a plan.")
class CreateMealPlanPayload(Payload):
    meal_plan: MealPlan | None = strawberry.field(
        default=None, description="The plan as it was kept; null if it was refused."
    )


@strawberry.type(description="What came of changing a plan.")
class UpdateMealPlanPayload(Payload):
    meal_plan: MealPlan | None = strawberry.field(
        default=None, description="The plan as it is now; null if it was refused."
    )


@strawberry.type(description="What came of deleting a plan.")
class DeleteMealPlanPayload(Payload):
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of what is gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(
        default=None, description="The person without that plan; null if it was refused."
    )


@strawberry.type(description="What came of putting a plan on days.")
class ApplyMealPlanPayload(Payload):
    diary_days: list[LazyDiaryDay] | None = strawberry.field(
        default=None,
        description="The days with what is planned for them now; null if it was refused, and where the viewer reads no"
        " diary of the person any more.",
        directives=[list_size(7)],
    )


@strawberry.type(description="What came of taking back what was planned.")
class ClearPlannedMealsPayload(Payload):
    cleared: int | None = strawberry.field(
        default=None, description="How many planned meals are gone; null if it was refused."
    )
    user: LazyUser | None = strawberry.field(default=None, description="Whose they were; null if it was refused.")


@strawberry.type(description="What came of logging a planned meal.")
class LogPlannedMealPayload(Payload):
    meal: Meal | None = strawberry.field(default=None, description=MEAL)
    diary_day: LazyDiaryDay | None = strawberry.field(default=None, description=DAY)


@strawberry.type
class MealPlanMutation:
    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Keep a plan of meals of the viewer, or of somebody for whom the viewer may plan. CONFLICT for more than there may be.",
    )
    async def create_meal_plan(self, info: Info, input: CreateMealPlanInput) -> CreateMealPlanPayload | None:
        resources = info.context.resources
        days = [[meal.to_meal() for meal in day.meals] for day in input.days]
        new = commands.NewMealPlan(name=input.name, days=days, person_id=input.person_id, request=request_key(input))
        viewer = info.context.viewer
        record = await commands.create_meal_plan(viewer, new, database=resources.database, now=resources.now())
        info.context.renew_loaders()
        return CreateMealPlanPayload(meal_plan=meal_plan_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Change a plan of the viewer, or of somebody for whom the viewer may plan; what is planned by it already stays as"
        " it is.",
    )
    async def update_meal_plan(self, info: Info, input: UpdateMealPlanInput) -> UpdateMealPlanPayload | None:
        changes = given(input, never_null=("name", "days"))
        if "days" in changes:
            changes["days"] = [[meal.to_meal() for meal in day.meals] for day in changes["days"]]
        record = await commands.update_meal_plan(
            info.context.viewer,
            input.id,
            changes,
            expected_version=input.expected_version,
            database=info.context.resources.database,
            now=info.context.resources.now(),
        )
        info.context.renew_loaders()
        return UpdateMealPlanPayload(meal_plan=meal_plan_node(record))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY, description="Delete a plan of the viewer; what is planned by it stays planned."
    )
    async def delete_meal_plan(self, info: Info, input: DeleteMealPlanInput) -> DeleteMealPlanPayload | None:
        from subgraphs.nutrition.api.user import load_named_user

        viewer, database = info.context.viewer, info.context.resources.database
        await commands.delete_meal_plan(viewer, input.id, expected_version=input.expected_version, database=database)
        info.context.renew_loaders()
        return DeleteMealPlanPayload(deleted_id=input.id, user=await load_named_user(info, viewer.id))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Plan days as a plan has them, of the viewer or of somebody for whom the viewer may plan, in place of what was"
        " planned for them and not eaten. The same again changes nothing but the planned meals' ids.",
    )
    async def apply_meal_plan(self, info: Info, input: ApplyMealPlanInput) -> ApplyMealPlanPayload | None:
        from subgraphs.nutrition.api.diary import DiaryDay, diary_day

        resources, viewer = info.context.resources, info.context.viewer
        use = commands.PlanUse(start=input.from_, first_day=input.first_day, days=input.days)
        owner_id, days = await commands.apply_meal_plan(
            viewer, input.id, use, database=resources.database, now=resources.now()
        )
        info.context.renew_loaders()
        if not await may_read(info, DiaryDay, owner_id):  # and if so, it is noted that somebody else read the days
            return ApplyMealPlanPayload()
        return ApplyMealPlanPayload(diary_days=[diary_day(owner_id, day) for day in days])

    @mutation(key_scope=KeyScope.WRITE_DIARY, description="Take back what is planned for days and not eaten.")
    async def clear_planned_meals(self, info: Info, input: ClearPlannedMealsInput) -> ClearPlannedMealsPayload | None:
        from subgraphs.nutrition.api.user import load_named_user

        viewer, database = info.context.viewer, info.context.resources.database
        cleared = await commands.clear_planned_meals(viewer, input.from_, input.to, database=database)
        info.context.renew_loaders()
        return ClearPlannedMealsPayload(cleared=cleared, user=await load_named_user(info, viewer.id))

    @mutation(
        key_scope=KeyScope.WRITE_DIARY,
        description="Log a planned meal, at the nutrients that its foods have now. One that was logged already is answered"
        " as it is.",
    )
    async def log_planned_meal(self, info: Info, input: LogPlannedMealInput) -> LogPlannedMealPayload | None:
        resources = info.context.resources
        now = resources.now()
        viewer, at = info.context.viewer, input.at or now
        record = await commands.log_planned_meal(
            viewer, input.id, at, input.time_zone, database=resources.database, now=now
        )
        return LogPlannedMealPayload(meal=meal_node(record), diary_day=day_of(info, record))
