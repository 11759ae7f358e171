"""The body's energy in GraphQL: what it uses at rest by formula, what to eat in a week, what exercise earns."""

import datetime as dt

import strawberry

from subgraphs.nutrition.api.target import NutritionTarget, target_of_domain
from subgraphs.nutrition.domain.basal import BasalFormula
from subgraphs.nutrition.domain.budget import Budget, CalorieMode
from subgraphs.nutrition.domain.weekly_target import GoalAdjustment
from subgraphs.nutrition.domain.weekly_target import WeeklyTarget as TargetOfWeek
from subgraphs.shell.scalars import describe_enum, rounded

describe_enum(
    BasalFormula,
    "Formulas of the energy at rest. For other sexes than two it is the mean of both lines.",
    MIFFLIN_ST_JEOR="Mifflin and St Jeor 1990, of weight, height, age and sex: the usual one.",
    HARRIS_BENEDICT="Harris and Benedict 1919, of the same.",
    REVISED_HARRIS_BENEDICT="Roza and Shizgal 1984, of the same.",
    KATCH_MCARDLE="Katch and McArdle, of the lean mass.",
    CUNNINGHAM="Cunningham 1980, of the lean mass: for athletes.",
)
describe_enum(
    GoalAdjustment,
    "How much less or more than the body uses somebody wants to eat. No medical advice.",
    MAINTAIN="As much.",
    RECOMPOSITION="10 % less: to lose fat slowly while strength is trained.",
    CUT="15 % less.",
    HARD_CUT="20 % less.",
    LEAN_BULK="10 % more, the lower end of what Iraki et al. 2019 recommend to gain muscle.",
    BULK="20 % more, the upper end.",
)
describe_enum(
    CalorieMode,
    "How exercise counts in what a day may hold.",
    FIXED="It does not: for targets whose activity factor holds an average of exercise.",
    EARN_BACK="A share of its net energy, above rest, is added: for targets that leave exercise out.",
)


@strawberry.type(description="The energy at rest by one formula.")
class BasalEstimate:
    formula: BasalFormula = strawberry.field(description="Which formula.")
    basal_kcal: float = strawberry.field(description="At rest, in kilocalories a day.")
    maintenance_kcal: float = strawberry.field(description="Times the activity's factor: what keeps the weight.")


@strawberry.type(description="What to eat on each day of a week, and how it came about. Guidance for healthy adults.")
class WeeklyTarget:
    week_start: dt.date = strawberry.field(description="The first day of the person's week that it holds for.")
    target: NutritionTarget = strawberry.field(
        description="Protein by lean mass where body fat is known: 2 g a kilogram, 2.3 in a deficit; else 1.6 g a kilogram."
    )
    expenditure_kcal: float = strawberry.field(description="What the body uses a day, in kilocalories.")
    daily_difference_kcal: float = strawberry.field(
        description="What the pace asks for a day, 7,700 kcal a kilogram, or the adjustment: negative to lose weight."
    )
    is_at_floor: bool = strawberry.field(
        description="Whether less would have been asked for than is safe: 1,500 kcal for men, 1,200 for women."
    )


@strawberry.type(description="What a day may hold, in kilocalories.")
class CalorieBudget:
    mode: CalorieMode = strawberry.field(description="How exercise counts.")
    target_kcal: float = strawberry.field(description="The target in force on the day.")
    earned_kcal: float = strawberry.field(description="What exercise adds to it.")
    eaten_kcal: float = strawberry.field(description="What was eaten.")
    remaining_kcal: float = strawberry.field(description="What is left to eat; negative where it was exceeded.")


def weekly_target_node(week_start: dt.date, found: TargetOfWeek) -> WeeklyTarget:
    return WeeklyTarget(
        week_start=week_start,
        target=target_of_domain(found.target),
        expenditure_kcal=rounded(found.expenditure_kcal),
        daily_difference_kcal=rounded(found.daily_difference_kcal),
        is_at_floor=found.is_at_floor,
    )


def budget_node(budget: Budget, mode: CalorieMode) -> CalorieBudget:
    return CalorieBudget(
        mode=mode,
        target_kcal=rounded(budget.target_kcal),
        earned_kcal=rounded(budget.earned_kcal),
        eaten_kcal=rounded(budget.target_kcal + budget.earned_kcal - budget.remaining_kcal),
        remaining_kcal=rounded(budget.remaining_kcal),
    )
