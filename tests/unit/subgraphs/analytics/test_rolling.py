"""Rolling means count the days that are over and of which something was said."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from subgraphs.analytics.domain.rolling import LONG_DAYS, SHORT_DAYS, day_means
from subgraphs.analytics.queries.summary import DailySummaryRecord, empty_summary

D = Decimal
TODAY = date(2026, 3, 30)
NOON = datetime(2026, 3, 30, 12, tzinfo=UTC)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def fed(days_ago: int, kcal: int, minutes: int = 0) -> DailySummaryRecord:
    empty = empty_summary("ann", ago(days_ago), NOON)
    return empty._replace(
        calories_consumed=D(kcal), protein_g=D(kcal) / 20, meals_logged=3, active_minutes=D(minutes), revision=1
    )


def test_means_are_over_the_days_that_say_something() -> None:
    drunk = empty_summary("ann", ago(3), NOON)._replace(water_ml=1500, weight_kg=D(80), steps=4000, revision=1)
    walked = empty_summary("ann", ago(4), NOON)._replace(steps=9000, revision=1)
    taken_back = empty_summary("ann", ago(2), NOON)._replace(revision=2)
    days = [fed(30, 9000), fed(7, 1400, 30), fed(6, 2000), walked, drunk, taken_back, fed(1, 3000, 60)]
    week = day_means(days, ago(1), SHORT_DAYS, TODAY)
    assert (week.first, week.last, week.days_with_meals, week.days_with_entries) == (ago(7), ago(1), 3, 4)
    assert (week.energy_kcal, week.protein_g) == (D(6400) / 3, D(320) / 3)
    assert (week.active_minutes, week.water_ml, week.weight_kg) == (D("22.5"), 1500, 80)
    assert week.steps == 6500  # by whatever counted them: they make no entry, of which training would be a zero
    month = day_means(days, ago(3), LONG_DAYS, TODAY)
    assert (month.first, month.days_with_meals, month.energy_kcal) == (ago(30), 3, D(12400) / 3)


def test_today_is_not_over_and_nothing_has_no_mean() -> None:
    days = [fed(0, 500), fed(1, 2000)]
    assert day_means(days, TODAY, SHORT_DAYS, TODAY).energy_kcal == 2000
    assert day_means(days, TODAY, SHORT_DAYS, TODAY + timedelta(days=1)).energy_kcal == 1250
    nothing = day_means([fed(0, 500)], TODAY, LONG_DAYS, TODAY)
    assert (nothing.days_with_meals, nothing.energy_kcal, nothing.active_minutes, nothing.weight_kg) == (
        0,
        None,
        None,
        None,
    )
