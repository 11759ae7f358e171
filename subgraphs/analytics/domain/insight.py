"""What a report shows, in words that carry their numbers. Pure.

Each rule is one of the report's own (`domain.report`: how large a change must be to have a name, how many days it rests on), applied to the
report's measures or to two kinds of its days. Whatever no rule says anything of is not mentioned. They describe what was logged: none names
a cause, a risk or what to do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from subgraphs.analytics.domain.report import (
    LEAST_DAYS,
    Comparison,
    Day,
    Report,
    ReportedPeriod,
    ReportKind,
    Trend,
    compare_intake,
    days_that_count,
)

#: Energy of protein, carbohydrate and fat in kcal a gram: Regulation (EU) 1169/2011, annex XIV.
_KCAL_OF_PROTEIN, _KCAL_OF_CARBS, _KCAL_OF_FAT = Decimal(4), Decimal(4), Decimal(9)
_SATURDAY = 5
_WEEK_DAYS = 7


class InsightCode(StrEnum):
    ENERGY_CHANGED = "ENERGY_CHANGED"
    PROTEIN_CHANGED = "PROTEIN_CHANGED"
    WATER_CHANGED = "WATER_CHANGED"
    ENERGY_SPLIT = "ENERGY_SPLIT"
    WEEKEND_ENERGY = "WEEKEND_ENERGY"
    WORKOUT_DAY_ENERGY = "WORKOUT_DAY_ENERGY"
    WORKOUTS_CHANGED = "WORKOUTS_CHANGED"
    VOLUME_CHANGED = "VOLUME_CHANGED"
    WEIGHT_CHANGED = "WEIGHT_CHANGED"
    STEPS_CHANGED = "STEPS_CHANGED"


class FigureRole(StrEnum):
    VALUE = "VALUE"
    COMPARED_WITH = "COMPARED_WITH"
    CHANGE_PERCENT = "CHANGE_PERCENT"
    DAYS = "DAYS"
    DAYS_COMPARED_WITH = "DAYS_COMPARED_WITH"
    PROTEIN_SHARE = "PROTEIN_SHARE"
    CARBS_SHARE = "CARBS_SHARE"
    FAT_SHARE = "FAT_SHARE"


class FigureUnit(StrEnum):
    KCAL_PER_DAY = "KCAL_PER_DAY"
    G_PER_DAY = "G_PER_DAY"
    ML_PER_DAY = "ML_PER_DAY"
    WORKOUTS_PER_WEEK = "WORKOUTS_PER_WEEK"
    KG_PER_WEEK = "KG_PER_WEEK"
    STEPS_PER_DAY = "STEPS_PER_DAY"
    KG = "KG"
    PERCENT = "PERCENT"
    DAYS = "DAYS"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of an insight, rounded as its text has it."""

    role: FigureRole
    value: Decimal
    unit: FigureUnit


@dataclass(frozen=True, slots=True)
class Insight:
    """Something that the days of a period show. `trend` is the way of a change, None where nothing changed."""

    code: InsightCode
    trend: Trend | None
    figures: tuple[Figure, ...]

    def value(self, role: FigureRole) -> Decimal | None:
        return next((each.value for each in self.figures if each.role is role), None)


def insights(period: ReportedPeriod, days: Sequence[Day], report: Report, today: date) -> list[Insight]:
    """At most one of each code, in the order of the codes. The `report` is the one of this period and these days."""
    counted, _ = days_that_count(period, days, today)
    found = (
        _changed(InsightCode.ENERGY_CHANGED, report.energy_kcal, FigureUnit.KCAL_PER_DAY),
        _changed(InsightCode.PROTEIN_CHANGED, report.protein_g, FigureUnit.G_PER_DAY),
        _changed(InsightCode.WATER_CHANGED, report.water_ml, FigureUnit.ML_PER_DAY),
        _energy_split(report),
        _kinds_of_days(InsightCode.WEEKEND_ENERGY, counted, lambda day: day.local_date.weekday() >= _SATURDAY),
        _kinds_of_days(InsightCode.WORKOUT_DAY_ENERGY, counted, lambda day: day.workouts_completed > 0),
        _changed(InsightCode.WORKOUTS_CHANGED, report.workouts, FigureUnit.WORKOUTS_PER_WEEK, _WEEK_DAYS),
        _changed(InsightCode.VOLUME_CHANGED, report.volume_kg, FigureUnit.KG_PER_WEEK, _WEEK_DAYS),
        _weight_changed(report),
        _changed(InsightCode.STEPS_CHANGED, report.steps, FigureUnit.STEPS_PER_DAY),
    )
    return [insight for insight in found if insight is not None]


def _changed(code: InsightCode, measure: Comparison, unit: FigureUnit, times: int = 1) -> Insight | None:
    """A measure whose change has a name, with its daily means, or what they come to in so many days."""
    if measure.trend in (None, Trend.STEADY) or measure.daily_mean is None or measure.daily_mean_before is None:
        return None
    figures = [
        _figure(FigureRole.VALUE, measure.daily_mean * times, unit),
        _figure(FigureRole.COMPARED_WITH, measure.daily_mean_before * times, unit),
        _figure(FigureRole.DAYS, Decimal(measure.days_counted), FigureUnit.DAYS),
        _figure(FigureRole.DAYS_COMPARED_WITH, Decimal(measure.days_counted_before), FigureUnit.DAYS),
    ]
    if measure.change_percent is not None:
        figures.append(_figure(FigureRole.CHANGE_PERCENT, measure.change_percent, FigureUnit.PERCENT))
    return Insight(code, measure.trend, tuple(figures))


def _kinds_of_days(code: InsightCode, days: Sequence[Day], is_of_kind: Callable[[Day], bool]) -> Insight | None:
    """Energy of one kind of days beside that of the others, where these differ as two periods must to have a trend."""
    eaten = [day for day in days if day.meals_logged > 0]
    these = [day.calories_consumed for day in eaten if is_of_kind(day)]
    others = [day.calories_consumed for day in eaten if not is_of_kind(day)]
    return _changed(code, compare_intake(these, others), FigureUnit.KCAL_PER_DAY)


def _energy_split(report: Report) -> Insight | None:
    protein = report.protein_g.total * _KCAL_OF_PROTEIN
    carbs = report.carbs_g.total * _KCAL_OF_CARBS
    fat = report.fat_g.total * _KCAL_OF_FAT
    whole = protein + carbs + fat
    if report.energy_kcal.days_counted < LEAST_DAYS or whole <= 0:
        return None
    # The third is what the others leave, so that they make 100.
    shares = [_rounded(part * 100 / whole, FigureUnit.PERCENT) for part in (protein, carbs)]
    figures = (
        Figure(FigureRole.PROTEIN_SHARE, shares[0], FigureUnit.PERCENT),
        Figure(FigureRole.CARBS_SHARE, shares[1], FigureUnit.PERCENT),
        Figure(FigureRole.FAT_SHARE, max(Decimal(100) - shares[0] - shares[1], Decimal(0)), FigureUnit.PERCENT),
        _figure(FigureRole.DAYS, Decimal(report.energy_kcal.days_counted), FigureUnit.DAYS),
    )
    return Insight(InsightCode.ENERGY_SPLIT, None, figures)


def _weight_changed(report: Report) -> Insight | None:
    weight = report.weight
    if weight is None or weight.trend in (None, Trend.STEADY):
        return None
    figures = [_figure(FigureRole.VALUE, weight.kg, FigureUnit.KG)]
    if weight.kg_before is not None:
        figures.append(_figure(FigureRole.COMPARED_WITH, weight.kg_before, FigureUnit.KG))
    return Insight(InsightCode.WEIGHT_CHANGED, weight.trend, tuple(figures))


_DECIMALS = {FigureUnit.KG: Decimal("0.1"), FigureUnit.WORKOUTS_PER_WEEK: Decimal("0.1")}


def _figure(role: FigureRole, value: Decimal, unit: FigureUnit) -> Figure:
    return Figure(role, _rounded(value, unit), unit)


def _rounded(value: Decimal, unit: FigureUnit) -> Decimal:
    return value.quantize(_DECIMALS.get(unit, Decimal(1)), ROUND_HALF_UP)


#: What is said of a measure: its subject and verb, what its number is called, and which of its days count.
_SENTENCES = {
    InsightCode.ENERGY_CHANGED: ("You ate", "kcal a day", "with a meal"),
    InsightCode.PROTEIN_CHANGED: ("You ate", "g of protein a day", "with a meal"),
    InsightCode.WATER_CHANGED: ("You drank", "ml a day", "with a drink"),
    InsightCode.WORKOUTS_CHANGED: ("You trained at a rate of", "workouts a week", "with an entry"),
    InsightCode.VOLUME_CHANGED: ("You lifted at a rate of", "kg a week", "with an entry"),
    InsightCode.STEPS_CHANGED: ("You took", "steps a day", "that were counted"),
    InsightCode.WEEKEND_ENERGY: ("On Saturdays and Sundays you ate", "kcal a day", "with a meal"),
    InsightCode.WORKOUT_DAY_ENERGY: ("On days with a workout you ate", "kcal a day", "with a meal"),
}
_OTHERS = {InsightCode.WEEKEND_ENERGY: "of the other days", InsightCode.WORKOUT_DAY_ENERGY: "of the days without"}
_PERIODS = {
    ReportKind.WEEK: "of the week before",
    ReportKind.MONTH: "of the month before",
    ReportKind.RANGE: "of the time before",
}


def text_of(insight: Insight, kind: ReportKind) -> str:
    """An insight of a report of this kind in English: one sentence, with every number that it rests on."""
    if insight.code is InsightCode.ENERGY_SPLIT:
        return (
            f"Of the energy that you ate, {_said(insight, FigureRole.PROTEIN_SHARE)} % came from protein,"
            f" {_said(insight, FigureRole.CARBS_SHARE)} % from carbohydrates and {_said(insight, FigureRole.FAT_SHARE)} % from fat"
            f" ({_said(insight, FigureRole.DAYS)} days with a meal)."
        )
    if insight.code is InsightCode.WEIGHT_CHANGED:
        way = "rose" if insight.trend is Trend.RISING else "fell"
        before = insight.value(FigureRole.COMPARED_WITH)
        beside = "" if before is None else f" In the time before it was {before:+,} kg."
        return f"Your trend weight {way} by {abs(insight.value(FigureRole.VALUE) or 0):,} kg.{beside}"
    verb, measure, counted = _SENTENCES[insight.code]
    compared = _OTHERS.get(insight.code, _PERIODS[kind])
    change = insight.value(FigureRole.CHANGE_PERCENT)
    way = "more" if insight.trend is Trend.RISING else "less"
    by = way if change is None else f"{abs(change):,} % {way}"
    return (
        f"{verb} {_said(insight, FigureRole.VALUE)} {measure}, {by} than the {_said(insight, FigureRole.COMPARED_WITH)}"
        f" {compared} ({_said(insight, FigureRole.DAYS)} and {_said(insight, FigureRole.DAYS_COMPARED_WITH)} days {counted})."
    )


def _said(insight: Insight, role: FigureRole) -> str:
    return f"{insight.value(role) or Decimal(0):,}"
