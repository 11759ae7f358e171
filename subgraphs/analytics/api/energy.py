"""What a body uses a day in GraphQL: seen from intake and trend weight, now and when the running week began."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import strawberry

from subgraphs.analytics.api.summary import clock_of_user
from subgraphs.analytics.domain import expenditure as domain
from subgraphs.analytics.domain.goal import GoalKind, GoalStatus
from subgraphs.analytics.loaders import loaders_of
from subgraphs.analytics.queries.goal import GoalPage
from subgraphs.analytics.queries.weight import Span
from subgraphs.shell.calendar import first_day_of_week
from subgraphs.shell.keyset import LARGEST_PAGE, KeysetList
from subgraphs.shell.scalars import decimal_of_or_none, describe_enum, rounded, rounded_or_none

if TYPE_CHECKING:
    from subgraphs.analytics.queries.goal import GoalRecord
    from subgraphs.shell.context import Info

describe_enum(
    domain.Confidence,
    "How much an expenditure rests on. One level less for under six weeks of weighings or three days without one.",
    FORMULA="Too little was logged: it is what the formula says.",
    LOW="At least 7 days of meals and 3 of weighings over a week.",
    MEDIUM="At least 14 days of meals and 4 of weighings over two weeks.",
    HIGH="At least 21 days of meals and 8 of weighings over three weeks.",
)


@strawberry.type(
    description="What the body uses a day: mean intake less the change of the trend weight times 7,700 kcal a kilogram,"
    " over 28 days, held within 500 kcal of the formula. An estimate for healthy adults."
)
class EnergyExpenditure:
    kcal: float | None = strawberry.field(
        description="In kilocalories a day; null if neither what was logged nor the formula says."
    )
    confidence: domain.Confidence = strawberry.field(description="How much it rests on.")
    first: date = strawberry.field(description="The first of the 28 days.")
    last: date = strawberry.field(description="The last of them, included.")
    days_with_intake: int = strawberry.field(description="How many of them have meals of 200 kcal or more.")
    days_weighed: int = strawberry.field(description="How many weighed days the trend's change was taken from.")
    mean_intake_kcal: float | None = strawberry.field(
        description="Eaten on a day with intake, in kilocalories; null without such a day."
    )
    kg_per_week: float | None = strawberry.field(
        description="How the trend weight changed, in kilograms a week; null where the formula speaks."
    )
    measured_kcal: float | None = strawberry.field(
        description="What was seen before it was held near the formula; null where the formula speaks."
    )


@strawberry.type(
    description="What was known when the person's running week began; entries of this week do not change it."
)
class WeeklyCheckIn:
    week_start: date = strawberry.field(description="The first day of the week.")
    trend_kg: float | None = strawberry.field(
        description="The newest trend weight before it, in kilograms; null if nobody weighed in the seven weeks before."
    )
    expenditure_kcal: float | None = strawberry.field(
        description="What the body used a day, in kilocalories; null if nothing says."
    )
    confidence: domain.Confidence = strawberry.field(description="How much the expenditure rests on.")
    kg_per_week: float | None = strawberry.field(
        description="How the weight is to change by the newest active weight goal, in kilograms a week: by its date, at"
        " most 1 % of the weight down or 0.5 % up; without a date half of that. Null without such a goal or a trend."
    )
    wanted_kg_per_week: float | None = strawberry.field(description="What the goal's date asks for; null without one.")
    is_held_back: bool = strawberry.field(description="Whether the date asks for more than is safe.")


async def read_expenditure(info: Info, user_id: str, before: date, formula_kcal: float | None) -> domain.Expenditure:
    """What was known before a day."""
    span = Span(before - timedelta(days=domain.READ_DAYS), before - timedelta(days=1))
    loading = loaders_of(info).trend_by_user.load((user_id, span))  # while the summaries are read
    days = await loaders_of(info).summaries_of_span_by_user.load((user_id, span))
    intake = {day.local_date: day.calories_consumed for day in days if day.meals_logged}
    return domain.expenditure(intake, await loading, decimal_of_or_none(formula_kcal), before)


async def read_check_in(info: Info, user_id: str, formula_kcal: float | None) -> WeeklyCheckIn:
    clock = await clock_of_user(info, user_id)
    week_start = first_day_of_week(clock.today(info.context.resources.now()), clock.week_start)
    loading = _weight_goal(info, user_id)
    found = await read_expenditure(info, user_id, week_start, formula_kcal)
    goal = await loading
    aim = None
    if goal is not None and found.trend_kg is not None:
        aim = domain.pace(found.trend_kg, goal.target_value, goal.target_date, week_start)
    return WeeklyCheckIn(
        week_start=week_start,
        trend_kg=rounded_or_none(found.trend_kg),
        expenditure_kcal=rounded_or_none(found.kcal),
        confidence=found.confidence,
        kg_per_week=None if aim is None else rounded(aim.kg_per_week, 3),
        wanted_kg_per_week=None if aim is None else rounded_or_none(aim.wanted_kg_per_week, 3),
        is_held_back=aim is not None and aim.is_held_back,
    )


async def _weight_goal(info: Info, user_id: str) -> GoalRecord | None:
    """The newest active weight goal; a person has up to 100 goals, which is a page."""
    page = KeysetList("User.goals", user_id, (str,)).page(LARGEST_PAGE, None, None, None)
    goals = await loaders_of(info).goals_by_user.load((user_id, GoalPage(GoalStatus.ACTIVE.value, page)))
    return next((goal for goal in reversed(goals) if goal.kind == GoalKind.WEIGHT_KG.value), None)


def expenditure_node(found: domain.Expenditure) -> EnergyExpenditure:
    return EnergyExpenditure(
        kcal=rounded_or_none(found.kcal),
        confidence=found.confidence,
        first=found.first,
        last=found.last,
        days_with_intake=found.days_with_intake,
        days_weighed=found.days_weighed,
        mean_intake_kcal=rounded_or_none(found.mean_intake_kcal),
        kg_per_week=rounded_or_none(found.kg_per_week, 3),
        measured_kcal=rounded_or_none(found.measured_kcal),
    )
