"""Expenditure from intake and trend, its confidence and bounds, the pace of a goal, and when a goal will be reached."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest

from subgraphs.analytics.domain.expenditure import Confidence, Expenditure, expenditure, pace
from subgraphs.analytics.domain.projection import project, slope_per_day
from subgraphs.analytics.domain.weight_trend import TrendPoint, weight_trend

TODAY = date(2026, 3, 2)


def days(count: int, step: int = 1) -> list[date]:
    """The last `count` days before today, every `step`th, oldest first."""
    return [TODAY - timedelta(days=number) for number in range(count, 0, -step)]


def line(per_day: str, weighed: list[date]) -> list[TrendPoint]:
    """A trend that has followed for long: it moves as the weight does."""
    weights = [Decimal(80) + Decimal(per_day) * (day - TODAY).days for day in weighed]
    return [TrendPoint(day, weight, weight) for day, weight in zip(weighed, weights, strict=True)]


def seen(
    per_day: str, intake: str, *, weighed: list[date], eaten: list[date], formula: str | None = None
) -> Expenditure:
    known = dict.fromkeys(eaten, Decimal(intake))
    return expenditure(known, line(per_day, weighed), None if formula is None else Decimal(formula), TODAY)


def test_what_was_eaten_and_what_the_weight_lost_is_what_was_used() -> None:
    found = seen("-0.05", "2200", weighed=days(49), eaten=days(28))
    assert found.kcal == Decimal(2585)  # 2,200 and 50 g of 7,700 kcal a kilogram
    assert found.confidence is Confidence.HIGH
    assert (found.days_with_intake, found.days_weighed) == (28, 28)
    assert found.kg_per_week == Decimal("-0.35")


def test_a_rising_weight_took_a_part_of_what_was_eaten() -> None:
    assert seen("0.02", "2800", weighed=days(49), eaten=days(28)).kcal == Decimal(2646)


def test_it_stays_within_500_kcal_of_the_formula() -> None:
    found = seen("-0.05", "2200", weighed=days(49), eaten=days(28), formula="2000")
    assert (found.kcal, found.measured_kcal) == (Decimal(2500), Decimal(2585))
    assert seen("0.2", "2200", weighed=days(49), eaten=days(28), formula="2000").kcal == 1500


@pytest.mark.parametrize(
    ("weighed", "eaten", "confidence"),
    [
        (days(49), days(28), Confidence.HIGH),
        (days(49), days(20), Confidence.MEDIUM),
        (days(49), days(13), Confidence.LOW),
        (days(49), days(6), Confidence.FORMULA),
        (days(30), days(28), Confidence.MEDIUM),  # six weeks have not gone by
        (days(49, step=5), days(28), Confidence.LOW),  # days without a weighing: six of them, one level less
        (days(10), days(28), Confidence.FORMULA),  # the line has not followed for a week
        ([], days(28), Confidence.FORMULA),
    ],
)
def test_confidence_is_what_was_logged(weighed: list[date], eaten: list[date], confidence: Confidence) -> None:
    found = seen("-0.05", "2200", weighed=weighed, eaten=eaten, formula="2400")
    assert found.confidence is confidence
    assert (found.kcal == 2400) == (confidence is Confidence.FORMULA)


def test_days_hardly_logged_are_no_days_of_fasting() -> None:
    known = dict.fromkeys(days(28), Decimal(2200)) | dict.fromkeys(days(5), Decimal(150))
    found = expenditure(known, line("0", days(49)), None, TODAY)
    assert (found.days_with_intake, found.kcal) == (23, 2200)


def test_neither_logged_nor_formula_is_not_known() -> None:
    found = expenditure({}, [], None, TODAY)
    assert (found.kcal, found.confidence, found.trend_kg) == (None, Confidence.FORMULA, None)


def test_what_the_smoothed_line_of_a_true_loss_gives_is_near_the_truth() -> None:
    truth = [(day, Decimal(90) - Decimal("0.06") * number) for number, day in enumerate(days(120))]
    recent = [point for point in weight_trend(truth) if point.local_date >= TODAY - timedelta(days=49)]
    found = expenditure(dict.fromkeys(days(28), Decimal(2000)), recent, None, TODAY)
    assert found.kcal is not None
    assert abs(found.kcal - (2000 + Decimal("0.06") * 7700)) < 5


def test_a_pace_comes_to_the_target_by_its_date_and_no_faster_than_is_safe() -> None:
    by_date = pace(Decimal(80), Decimal(78), TODAY + timedelta(days=70), TODAY)
    assert (by_date.kg_per_week, by_date.is_held_back) == (Decimal("-0.2"), False)
    hurried = pace(Decimal(80), Decimal(60), TODAY + timedelta(days=70), TODAY)
    assert (hurried.kg_per_week, hurried.wanted_kg_per_week) == (Decimal("-0.80"), -2)
    assert hurried.is_held_back
    assert pace(Decimal(80), Decimal(90), TODAY + timedelta(days=7), TODAY).kg_per_week == Decimal("0.400")


def test_without_a_date_the_pace_is_the_usual_one() -> None:
    assert pace(Decimal(80), Decimal(70), None, TODAY).kg_per_week == Decimal("-0.400")
    assert pace(Decimal(80), Decimal(90), TODAY - timedelta(days=1), TODAY).kg_per_week == Decimal("0.2")
    assert pace(Decimal(80), Decimal("79.9"), None, TODAY).kg_per_week == Decimal("-0.1")
    assert pace(Decimal(80), Decimal(80), None, TODAY).kg_per_week == 0


def test_a_goal_is_reached_when_the_line_comes_to_the_target() -> None:
    trend = line("-0.05", days(28))
    found = project(trend, Decimal(78), is_reached=False, target_date=TODAY + timedelta(days=70), today=TODAY)
    assert found is not None
    assert found.kg_per_week == Decimal("-0.35")
    assert found.remaining_kg == Decimal("-2.05")
    assert found.reached_on == TODAY + timedelta(days=41)
    assert found.needed_kg_per_week == Decimal("-0.205")


def test_a_line_that_leads_away_or_too_slowly_has_no_day() -> None:
    for per_day, target in (("0.05", "78"), ("-0.05", "82"), ("0", "78"), ("-0.0005", "78")):
        found = project(line(per_day, days(28)), Decimal(target), is_reached=False, target_date=None, today=TODAY)
        assert found is not None
        assert found.reached_on is None


def test_what_was_reached_has_nothing_left_and_what_was_not_weighed_no_line() -> None:
    reached = project(line("-0.05", days(28)), Decimal(85), is_reached=True, target_date=None, today=TODAY)
    assert reached is not None
    assert (reached.remaining_kg, reached.reached_on) == (0, TODAY)
    assert project([], Decimal(70), is_reached=False, target_date=None, today=TODAY) is None
    assert slope_per_day(line("-0.05", days(2))) is None
    assert slope_per_day(line("-0.05", days(6))) is None


def scattered(per_day: float, scatter_kg: float, seed: int, days_before: int) -> list[TrendPoint]:
    """28 days of weighings about a line, behind as many days more of the same."""
    chance = random.Random(seed)
    first = TODAY - timedelta(days=27 + days_before)
    weights = [
        (first + timedelta(days=n), Decimal(str(round(80 + per_day * n + chance.gauss(0, scatter_kg), 2))))
        for n in range(28 + days_before)
    ]
    return weight_trend(weights)[-28:]


@pytest.mark.parametrize("days_before", [0, 60])
def test_the_band_of_a_projection_holds_the_true_pace_as_often_as_it_says(days_before: int) -> None:
    held = 0
    for seed in range(200):
        trend = scattered(-0.05, 0.6, seed, days_before)
        found = project(trend, Decimal(70), is_reached=False, target_date=None, today=TODAY)
        assert found is not None
        assert found.band is not None
        assert found.kg_per_week is not None
        low, high = found.band.low_kg_per_week, found.band.high_kg_per_week
        assert low <= found.kg_per_week <= high
        held += low <= Decimal("-0.35") <= high
    assert (
        held >= 186
    )  # of 95 per cent, 186 or fewer of 200 come less than once in 30 tries, and the tries are the same each time


def test_the_interval_is_that_of_the_textbook() -> None:
    """Weights of 80 and 81 by turns on 16 days have a closed form."""
    first = TODAY - timedelta(days=15)
    trend = [TrendPoint(first + timedelta(days=n), Decimal(80 + n % 2), Decimal(80)) for n in range(16)]
    found = project(trend, Decimal(70), is_reached=False, target_date=None, today=TODAY)
    assert found is not None
    assert found.band is not None
    # Sxx = n (n² - 1) / 12 = 340, Sxy = n / 4 = 4, Syy = n / 4 = 4; b = Sxy / Sxx, s² = (Syy - b Sxy) / 14, t = 2.145
    slope = Decimal(4) / 340
    error = ((4 - slope * 4) / 14 / 340).sqrt()
    assert found.band.high_kg_per_week == pytest.approx(7 * (slope + Decimal("2.145") * error))
    assert found.band.low_kg_per_week == pytest.approx(7 * (slope - Decimal("2.145") * error))


def test_a_band_has_the_days_of_its_ends_and_none_where_too_little_was_weighed() -> None:
    sure = project(line("-0.05", days(28)), Decimal(78), is_reached=False, target_date=None, today=TODAY)
    assert sure is not None
    assert sure.band is not None
    assert (sure.band.earliest, sure.band.latest) == (sure.reached_on, sure.reached_on)
    wide = project(scattered(-0.01, 1.0, 3, 60), Decimal(70), is_reached=False, target_date=None, today=TODAY)
    assert wide is not None
    assert wide.band is not None
    assert wide.band.earliest is not None
    assert (wide.band.high_kg_per_week > 0, wide.band.latest) == (True, None)
    for few in (line("-0.05", days(14)), line("-0.05", days(28))[::4]):
        found = project(few, Decimal(70), is_reached=False, target_date=None, today=TODAY)
        assert found is not None
        assert (found.kg_per_week is not None, found.band) == (True, None)
    there = project(line("-0.05", days(28)), Decimal(85), is_reached=True, target_date=None, today=TODAY)
    assert there is not None
    assert there.band is not None
    assert (there.band.earliest, there.band.latest) == (TODAY, TODAY)
