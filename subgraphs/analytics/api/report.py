"""Reports in GraphQL: a week or a month of a person, beside the one before it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from subgraphs.analytics.api.insight import Insight, insight_nodes
from subgraphs.analytics.api.summary import clock_of_user
from subgraphs.analytics.domain import report as domain
from subgraphs.analytics.loaders import loaders_of
from subgraphs.analytics.queries.weight import Span
from subgraphs.shell.context import Info
from subgraphs.shell.cost import Cost, list_size
from subgraphs.shell.day_range import read_day_range
from subgraphs.shell.errors import Checks
from subgraphs.shell.quantities import Mass, MassIn, mass
from subgraphs.shell.scalars import CACHE_PRIVATE_BRIEFLY, describe_enum, rounded, rounded_or_none
from subgraphs.shell.scopes import PREMIUM_ONLY
from subgraphs.shell.units import MassUnit

if TYPE_CHECKING:
    from subgraphs.analytics.queries.summary import DailySummaryRecord

#: Up to 732 days are read for one, where a month's are 62.
RANGE_COST = Cost(weight=50)
#: Dates of the graph begin in 1900, and as many days before must be dates too.
_FIRST_DAY = date(1902, 1, 1)

describe_enum(
    domain.ReportKind,
    "How long the time is that a report is of.",
    WEEK="Seven days, from the day on which the person's week begins.",
    MONTH="A calendar month.",
    RANGE="As many days as were asked for.",
)


@strawberry.type(description="One measure of a report, over the period's full days that count for it.")
class ReportedMeasure:
    total: float = strawberry.field(description="Over the days that count.")
    days_counted: int = strawberry.field(
        description="Full days with a meal for what was eaten, with a drink for water, with a count for steps, with any entry"
        " for training: there a day without a workout is a zero. Steps, which a device counts by itself, are no entry."
    )
    daily_mean: float | None = strawberry.field(description="Of a day that counts; null without one.")
    daily_mean_before: float | None = strawberry.field(
        description="Of a day that counts in the period before; null without one."
    )
    change: float | None = strawberry.field(
        description="Of the daily mean since the period before; null where there is nothing to compare."
    )
    change_percent: float | None = strawberry.field(
        description="The same in per cent of the mean before; null where there is none, or it was nothing."
    )
    trend: domain.Trend | None = strawberry.field(
        description="The change by its name; null with under three days that count in either period."
    )


@strawberry.type(description="What the trend weight did in a period. It is the trend's, not the scale's.")
class ReportedWeight:
    change: strawberry.Private[Decimal]
    change_kg: float = strawberry.field(
        description="In kilograms, to the period's last weighing, from where the trend stood when it began: the newest of"
        " the seven days before, else its first."
    )
    change_kg_before: float | None = strawberry.field(
        description="The same of the period before; null without two weighings there."
    )
    trend: domain.Trend | None = strawberry.field(
        description="The change by its name; null with under three days between its weighings."
    )

    @strawberry.field(description="`changeKg` in a unit.")
    def weight_change(self, unit: MassIn = MassUnit.KG) -> Mass:
        return mass(self.change, unit)


@strawberry.type(
    description="A week or a month of a person in numbers, beside the one before it. It is made of the days as they are now:"
    " what is entered late or corrected is in it. It counts full days alone; today is not over. It describes, and advises"
    " nothing."
)
class Report:
    id: strawberry.ID = strawberry.field(description="Identifies the report in the whole graph, for caches.")
    kind: domain.ReportKind = strawberry.field(description="How long a time it is of.")
    first: date = strawberry.field(description="Its first day.")
    last: date = strawberry.field(description="Its last day, included.")
    first_before: date = strawberry.field(description="The first day of the period that it is compared with.")
    is_over: bool = strawberry.field(description="Whether its last day is over on the person's clock.")
    revision: int = strawberry.field(
        description="Counts the changes of the days in it and in the period before; 0 if nothing was ever known of them. An"
        " earlier weighing that is corrected moves the weight alone and does not count."
    )
    as_of: datetime | None = strawberry.field(
        description="When one of these days last changed; null if nothing was ever known of them."
    )
    full_days: int = strawberry.field(description="How many of its days are over.")
    days_with_entries: int = strawberry.field(description="On how many of them something was logged.")
    days_without_entries: int = strawberry.field(
        description="Of how many of them nothing was said. They are no zeros, and no mean counts them."
    )
    energy_kcal: ReportedMeasure = strawberry.field(description="Eaten, in kilocalories.")
    protein_g: ReportedMeasure = strawberry.field(description="Eaten, in grams.")
    carbs_g: ReportedMeasure = strawberry.field(description="Eaten, in grams.")
    fat_g: ReportedMeasure = strawberry.field(description="Eaten, in grams.")
    water_ml: ReportedMeasure = strawberry.field(description="Drunk, in millilitres.")
    workouts: ReportedMeasure = strawberry.field(description="Completed workouts.")
    active_minutes: ReportedMeasure = strawberry.field(description="Of workouts, in motion, in minutes.")
    volume_kg: ReportedMeasure = strawberry.field(description="Lifted: repetitions times load, in kilograms.")
    steps: ReportedMeasure = strawberry.field(description="Taken, by the source of each day that counted the most.")
    weight: ReportedWeight | None = strawberry.field(
        description="What the trend weight did; null without two weighings."
    )
    insights: list[Insight] = strawberry.field(
        description="What its numbers show, in words: at most one of each code, in their order, and none of what no rule says"
        " anything. Each change has a name by the rules of Trend.",
        directives=[list_size(4)],
    )


@strawberry.type
class ReportQuery:
    @strawberry.field(
        description="The viewer's days from one to another in numbers, beside as many days before them; for the role PREMIUM."
        " Settles a moment after a write."
        f" Up to {domain.LONGEST_RANGE_DAYS} days: a season, a diet, a year. VALIDATION_ERROR for days that no report can be of.",
        directives=[PREMIUM_ONLY, RANGE_COST, CACHE_PRIVATE_BRIEFLY],
    )
    async def range_report(
        self,
        info: Info,
        first: Annotated[date, strawberry.argument(name="from", description="The first day, included.")],
        last: Annotated[date, strawberry.argument(name="to", description="The last day, included.")],
    ) -> Report:
        read_day_range(first, last)
        checks = Checks()
        in_bounds = (last - first).days < domain.LONGEST_RANGE_DAYS
        checks.require(in_bounds, "to", f"must be within {domain.LONGEST_RANGE_DAYS} days of `from`")
        checks.require(first >= _FIRST_DAY, "from", f"must not be before {_FIRST_DAY}")
        checks.done()
        viewer_id = info.context.viewer.id
        today = (await clock_of_user(info, viewer_id)).today(info.context.resources.now())
        return await _read(info, viewer_id, domain.reported_range(first, last), today)


async def read_report(info: Info, user_id: str, kind: domain.ReportKind, day: date | None) -> Report:
    """The report of the period that a day is in, or that is running; of a person whom the viewer may read."""
    clock = await clock_of_user(info, user_id)
    today = clock.today(info.context.resources.now())
    return await _read(info, user_id, domain.reported_period(kind, day or today, clock.week_start), today)


async def _read(info: Info, user_id: str, period: domain.ReportedPeriod, today: date) -> Report:
    trend_span = Span(period.first_before - timedelta(days=domain.BASELINE_DAYS), period.last)
    loading = loaders_of(info).trend_of_report_by_user.load((user_id, trend_span))  # while the days are read
    days = await loaders_of(info).days_of_report_by_user.load((user_id, Span(period.first_before, period.last)))
    return _report_node(user_id, period, days, domain.report(period, days, await loading, today), today)


def _report_node(
    user_id: str, period: domain.ReportedPeriod, days: list[DailySummaryRecord], found: domain.Report, today: date
) -> Report:
    return Report(
        id=strawberry.ID(_id_of(user_id, period)),
        kind=period.kind,
        first=period.first,
        last=period.last,
        first_before=period.first_before,
        is_over=period.last < today,
        revision=sum(day.revision for day in days),
        as_of=max((day.computed_at for day in days), default=None),
        full_days=found.full_days,
        days_with_entries=found.days_with_entries,
        days_without_entries=found.full_days - found.days_with_entries,
        energy_kcal=_measure_node(found.energy_kcal),
        protein_g=_measure_node(found.protein_g),
        carbs_g=_measure_node(found.carbs_g),
        fat_g=_measure_node(found.fat_g),
        water_ml=_measure_node(found.water_ml),
        workouts=_measure_node(found.workouts),
        active_minutes=_measure_node(found.active_minutes),
        volume_kg=_measure_node(found.volume_kg),
        steps=_measure_node(found.steps),
        weight=None if found.weight is None else _weight_node(found.weight),
        insights=insight_nodes(_id_of(user_id, period), period, days, found, today),
    )


def _id_of(user_id: str, period: domain.ReportedPeriod) -> str:
    end = f":{period.last}" if period.kind is domain.ReportKind.RANGE else ""
    return f"{user_id}:{period.kind}:{period.first}{end}"


def _measure_node(found: domain.Comparison) -> ReportedMeasure:
    return ReportedMeasure(
        total=rounded(found.total),
        days_counted=found.days_counted,
        daily_mean=rounded_or_none(found.daily_mean),
        daily_mean_before=rounded_or_none(found.daily_mean_before),
        change=rounded_or_none(found.change),
        change_percent=rounded_or_none(found.change_percent, 1),
        trend=found.trend,
    )


def _weight_node(found: domain.WeightChange) -> ReportedWeight:
    return ReportedWeight(
        change=found.kg,
        change_kg=rounded(found.kg),
        change_kg_before=rounded_or_none(found.kg_before),
        trend=found.trend,
    )
