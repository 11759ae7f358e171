"""Insights of a report in GraphQL: a code and its numbers for programs, and a sentence for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from subgraphs.analytics.domain import insight as domain
from subgraphs.analytics.domain.report import Trend
from subgraphs.shell.cost import list_size
from subgraphs.shell.scalars import describe_enum

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from subgraphs.analytics.domain.report import Day, Report, ReportedPeriod

describe_enum(
    Trend,
    "What became of a measure since the period before. Of what was eaten or drunk, a change has a name if the daily means"
    " differ by 5 % (portions and labels are no truer) and by two standard errors, so that the days' scatter alone seldom"
    " has one. Of workouts, minutes and volume, which are known, if they differ by 10 %: one session more in a month is"
    " less. Of the weight, if its trend moved by 0.5 % of it: water alone seldom moves it so far.",
    RISING="It is more.",
    FALLING="It is less.",
    STEADY="It is as before, as far as can be told.",
)
describe_enum(
    domain.InsightCode,
    "What an insight is about. The list may grow.",
    ENERGY_CHANGED="What was eaten a day is more or less than in the period before.",
    PROTEIN_CHANGED="The protein eaten a day is more or less than in the period before.",
    WATER_CHANGED="What was drunk a day is more or less than in the period before.",
    ENERGY_SPLIT="Which shares of the energy came from protein, carbohydrates and fat, at 4, 4 and 9 kcal a gram (Regulation (EU)"
    " 1169/2011, annex XIV); with three days with a meal or more.",
    WEEKEND_ENERGY="What was eaten on Saturdays and Sundays is more or less than on the other days of the period. A week has too"
    " few of them.",
    WORKOUT_DAY_ENERGY="What was eaten on days with a workout is more or less than on the other days of the period.",
    WORKOUTS_CHANGED="There were more or fewer workouts than in the period before.",
    VOLUME_CHANGED="More or less was lifted than in the period before.",
    WEIGHT_CHANGED="The trend weight has risen or fallen.",
    STEPS_CHANGED="There were more or fewer steps a day than in the period before.",
)
describe_enum(
    domain.FigureRole,
    "What a number of an insight is. The list may grow.",
    VALUE="What it was; of the weight, by how much it changed.",
    COMPARED_WITH="What it is compared with: the period before, or the other days.",
    CHANGE_PERCENT="The difference in per cent of what it is compared with.",
    DAYS="The days that it rests on.",
    DAYS_COMPARED_WITH="The days that what it is compared with rests on.",
    PROTEIN_SHARE="Of the energy, from protein.",
    CARBS_SHARE="Of the energy, from carbohydrates.",
    FAT_SHARE="Of the energy, from fat: what the other shares leave of 100.",
)
describe_enum(
    domain.FigureUnit,
    "What a number of an insight is counted in.",
    KCAL_PER_DAY="Kilocalories on a day that counts.",
    G_PER_DAY="Grams on a day that counts.",
    ML_PER_DAY="Millilitres on a day that counts.",
    WORKOUTS_PER_WEEK="Workouts on seven days that count.",
    KG_PER_WEEK="Kilograms on seven days that count.",
    STEPS_PER_DAY="Steps on a day that was counted.",
    KG="Kilograms.",
    PERCENT="Per cent.",
    DAYS="Days.",
)


@strawberry.type(description="One number that an insight rests on.")
class InsightFigure:
    role: domain.FigureRole = strawberry.field(description="What it is.")
    value: float = strawberry.field(description="The number, rounded as the insight's text has it.")
    unit: domain.FigureUnit = strawberry.field(description="What it is counted in.")


@strawberry.type(
    description="Something that a report's numbers show. It describes what was logged, and is no medical advice, nor any other."
)
class Insight:
    id: strawberry.ID = strawberry.field(
        description="Identifies the insight in the whole graph: the same for as long as the report has one of the code."
    )
    code: domain.InsightCode = strawberry.field(description="What it is about.")
    trend: Trend | None = strawberry.field(
        description="Whether it is more or less than what it is compared with; null where nothing is compared."
    )
    figures: list[InsightFigure] = strawberry.field(
        description="Its numbers, each role once at most.", directives=[list_size(5)]
    )
    text: str = strawberry.field(
        description="It in a sentence with these numbers, in English and metric units: for clients without words of their own."
    )


def insight_nodes(
    report_id: str, period: ReportedPeriod, days: Sequence[Day], report: Report, today: date
) -> list[Insight]:
    return [
        Insight(
            id=strawberry.ID(f"{report_id}:{found.code}"),
            code=found.code,
            trend=found.trend,
            figures=[InsightFigure(role=each.role, value=float(each.value), unit=each.unit) for each in found.figures],
            text=domain.text_of(found, period.kind),
        )
        for found in domain.insights(period, days, report, today)
    ]
