"""What a report's insights say, what they rest on, and when they keep silent."""

import random
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from subgraphs.analytics.domain.insight import FigureRole, Insight, InsightCode, insights, text_of
from subgraphs.analytics.domain.report import ReportKind, Trend, report, reported_period
from subgraphs.analytics.domain.weight_trend import TrendPoint
from subgraphs.analytics.queries.summary import DailySummaryRecord, empty_summary
from subgraphs.shell.calendar import WeekStart

D = Decimal
MONDAY = date(2026, 3, 9)
SUNDAY_MARCH_1 = date(2026, 3, 1)
NOW = datetime(2026, 3, 9, tzinfo=UTC)


def day(on: date, kcal: int = 0, **numbers: int) -> DailySummaryRecord:
    """A day with a meal where it has energy; of the energy a fifth is protein and three tenths are fat."""
    macros = {"protein_g": D(kcal) / 20, "carbs_g": D(kcal) / 8, "fat_g": D(kcal) / 30}
    empty = empty_summary("ann", on, NOW)
    others = {
        name: D(number) if isinstance(getattr(empty, name), Decimal) else number for name, number in numbers.items()
    }
    return empty._replace(calories_consumed=D(kcal), meals_logged=int(kcal > 0), **macros, **others)


def of(
    kind: ReportKind, first: date, days: list[DailySummaryRecord], trend: tuple[TrendPoint, ...] = ()
) -> dict[InsightCode, Insight]:
    period = reported_period(kind, first, WeekStart.MONDAY)
    today = period.last + timedelta(days=1)
    found = insights(period, days, report(period, days, trend, today), today)
    assert len({each.code for each in found}) == len(found)
    return {each.code: each for each in found}


def two_weeks(before: dict[str, int], now: dict[str, int], days: int = 7) -> list[DailySummaryRecord]:
    return [
        day(start + timedelta(days=offset), **numbers)
        for start, numbers in ((MONDAY - timedelta(days=7), before), (MONDAY, now))
        for offset in range(days)
    ]


#: A week in which everything changed.
CHANGED = two_weeks(
    {"kcal": 2000, "water_ml": 1000, "workouts_completed": 1, "volume_kg": 4000, "steps": 5000},
    {"kcal": 2500, "water_ml": 1600, "workouts_completed": 0, "volume_kg": 5000, "steps": 6000},
)
WEIGHED = (
    TrendPoint(MONDAY - timedelta(days=1), D("80.0"), D("80.0")),
    TrendPoint(MONDAY + timedelta(days=6), D("78.9"), D("78.9")),
)


def test_a_week_that_changed_says_so_with_its_numbers() -> None:
    found = of(ReportKind.WEEK, MONDAY, CHANGED, WEIGHED)
    texts = {code: text_of(each, ReportKind.WEEK) for code, each in found.items()}
    assert texts == {
        "ENERGY_CHANGED": "You ate 2,500 kcal a day, 25 % more than the 2,000 of the week before (7 and 7 days with a meal).",
        "PROTEIN_CHANGED": "You ate 125 g of protein a day, 25 % more than the 100 of the week before (7 and 7 days with a meal).",
        "WATER_CHANGED": "You drank 1,600 ml a day, 60 % more than the 1,000 of the week before (7 and 7 days with a drink).",
        "ENERGY_SPLIT": "Of the energy that you ate, 20 % came from protein, 50 % from carbohydrates and 30 % from fat (7 days with a meal).",
        "WORKOUTS_CHANGED": "You trained at a rate of 0 workouts a week, 100 % less than the 7.0 of the week before (7 and 7 days with an entry).",
        "VOLUME_CHANGED": "You lifted at a rate of 35,000 kg a week, 25 % more than the 28,000 of the week before (7 and 7 days with an entry).",
        "WEIGHT_CHANGED": "Your trend weight fell by 1.1 kg.",
        "STEPS_CHANGED": "You took 6,000 steps a day, 20 % more than the 5,000 of the week before (7 and 7 days that were counted).",
    }
    assert found[InsightCode.ENERGY_CHANGED].trend is Trend.RISING
    assert found[InsightCode.ENERGY_SPLIT].trend is None


def test_a_steady_week_and_one_of_two_days_say_next_to_nothing() -> None:
    same = {"kcal": 2000, "water_ml": 1500, "workouts_completed": 1, "volume_kg": 4000}
    assert set(of(ReportKind.WEEK, MONDAY, two_weeks(same, same))) == {InsightCode.ENERGY_SPLIT}
    assert of(ReportKind.WEEK, MONDAY, [each for each in CHANGED if each.local_date.weekday() < 2]) == {}
    assert of(ReportKind.WEEK, MONDAY, []) == {}
    running = reported_period(ReportKind.WEEK, MONDAY, WeekStart.MONDAY)
    today = MONDAY + timedelta(days=2)  # two days are over
    assert insights(running, CHANGED, report(running, CHANGED, (), today), today) == []


def test_a_week_has_too_few_weekends_and_a_month_has_enough() -> None:
    month = [SUNDAY_MARCH_1 + timedelta(days=offset) for offset in range(31)]
    days = [day(on, 2400 if on.weekday() >= 5 else 2000, workouts_completed=int(on.weekday() == 0)) for on in month]
    found = of(ReportKind.MONTH, SUNDAY_MARCH_1, days)
    assert text_of(found[InsightCode.WEEKEND_ENERGY], ReportKind.MONTH) == (
        "On Saturdays and Sundays you ate 2,400 kcal a day, 20 % more than the 2,000 of the other days (9 and 22 days with a meal)."
    )
    assert InsightCode.WEEKEND_ENERGY not in of(ReportKind.WEEK, MONDAY, days)


def test_days_with_a_workout_are_compared_with_days_without() -> None:
    days = [day(MONDAY + timedelta(days=n), 2000 + 300 * (n % 2), workouts_completed=n % 2) for n in range(7)]
    found = of(ReportKind.WEEK, MONDAY, days)[InsightCode.WORKOUT_DAY_ENERGY]
    assert text_of(found, ReportKind.WEEK) == (
        "On days with a workout you ate 2,300 kcal a day, 15 % more than the 2,000 of the days without (3 and 4 days with a meal)."
    )


def drawn(generator: random.Random, *, weekend: int = 0) -> list[DailySummaryRecord]:
    """A month of somebody who eats 2,200 kcal, give or take 350, and so much more on weekends."""
    month = [SUNDAY_MARCH_1 + timedelta(days=offset) for offset in range(31)]
    return [day(on, round(generator.gauss(2200 + weekend * (on.weekday() >= 5), 350))) for on in month]


def test_days_of_one_habit_are_seldom_told_apart_by_their_kind() -> None:
    generator = random.Random(197)
    months = [of(ReportKind.MONTH, SUNDAY_MARCH_1, drawn(generator)) for _ in range(300)]
    assert sum(InsightCode.WEEKEND_ENERGY in each for each in months) <= 30
    generator = random.Random(197)
    others = [of(ReportKind.MONTH, SUNDAY_MARCH_1, drawn(generator, weekend=600)) for _ in range(300)]
    assert sum(InsightCode.WEEKEND_ENERGY in each for each in others) >= 270


def random_months(count: int) -> list[tuple[ReportKind, Insight]]:
    generator, found = random.Random(7), []
    for number in range(count):
        days = [
            day(
                date(2026, 2, 1) + timedelta(days=offset),
                generator.choice([0, round(generator.gauss(2000 + offset * 15, 300))]),
                water_ml=generator.choice([0, 800, 2500]),
                workouts_completed=generator.choice([0, 0, 1, 2]),
                volume_kg=generator.choice([0, 3000, 9000]),
                steps=(9000 if offset % 3 else 4000) + number % 5 * 60 * offset,
            )
            for offset in range(59)
        ]
        kind = ReportKind.MONTH if number % 2 else ReportKind.WEEK
        trend = (
            TrendPoint(date(2026, 2, 27), D("80"), D("80")),
            TrendPoint(date(2026, 3, 14), D("80"), D(80 + number % 7 - 3)),
        )
        found += [(kind, each) for each in of(kind, date(2026, 3, 11), days, trend).values()]
    return found


SAID = random_months(120)
NUMBER = re.compile(r"(?<![\d,.])[+-]?\d[\d,]*(?:\.\d+)?")


def test_random_months_say_everything_once_in_a_while() -> None:
    assert {each.code for _, each in SAID} >= set(InsightCode) - {InsightCode.WEEKEND_ENERGY}


def test_every_number_of_a_sentence_is_a_figure() -> None:
    for kind, insight in SAID:
        said = {abs(D(number.replace(",", ""))) for number in NUMBER.findall(text_of(insight, kind))}
        assert said == {abs(each.value) for each in insight.figures}, text_of(insight, kind)
        assert len({each.role for each in insight.figures}) == len(insight.figures)


def test_shares_make_a_hundred() -> None:
    for _, insight in SAID:
        if insight.code is InsightCode.ENERGY_SPLIT:
            roles = (FigureRole.PROTEIN_SHARE, FigureRole.CARBS_SHARE, FigureRole.FAT_SHARE)
            assert sum(insight.value(role) or D(0) for role in roles) == 100


@pytest.mark.parametrize(
    "word", ["should", "must", "try", "need", "risk", "healthy", "because", "recommend", "good", "bad", "too"]
)
def test_no_sentence_advises_or_judges(word: str) -> None:
    assert not [
        text_of(each, kind) for kind, each in SAID if re.search(rf"\b{word}\b", text_of(each, kind), re.IGNORECASE)
    ]
