"""The quiet of a night is one span of time, and the report of a week comes when the week is over, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.shell.calendar import WeekStart, first_day_of_week, instant_of_clock, latest_day, local_date
from subgraphs.shell.errors import Checks
from subgraphs.shell.physiology import HeartRateKind
from subgraphs.users.commands.logged_entry import KEPT_DAYS as LOGGED_DAYS
from subgraphs.users.domain.heart_rate import check_heart_rate
from subgraphs.users.domain.notification import NotificationKind
from subgraphs.users.domain.notification_preference import Quiet, WorkoutReminders, quiet_end, send_at
from subgraphs.users.domain.reminder import MOST_LATE_REPORT, REPORT_CLOCK, report_due
from subgraphs.users.domain.step_count import check_step_count
from subgraphs.users.domain.workout_reminder import KEPT_DAYS as PLAN_DAYS
from subgraphs.users.domain.workout_reminder import workout_due
from tests.testkit.zones import ZONES, day_starts, near_changes

DAY = timedelta(days=1)
clocks = st.times().map(lambda each: each.replace(second=0, microsecond=0))
quiets = st.tuples(clocks, clocks).filter(lambda each: each[0] != each[1]).map(lambda each: Quiet(*each))


@pytest.mark.parametrize(
    ("start", "end", "at", "over"),
    [
        # the night in which Berlin's clocks show two to three twice: 00:00 to 01:00 UTC, and 01:00 to 02:00 UTC
        ("22:00", "07:00", "2026-10-25T01:30", "2026-10-25T06:00"),
        ("02:15", "06:00", "2026-10-25T00:10", None),
        ("02:15", "06:00", "2026-10-25T00:20", "2026-10-25T05:00"),
        ("02:15", "06:00", "2026-10-25T01:10", "2026-10-25T05:00"),  # 02:10 again: the quiet has begun, and goes on
        ("22:00", "02:30", "2026-10-25T00:20", "2026-10-25T00:30"),
        ("22:00", "02:30", "2026-10-25T01:20", None),  # 02:20 again: it ended the first time
        ("02:45", "02:15", "2026-10-25T01:05", "2026-10-26T01:15"),  # ... and the next began at 02:45 the first time
        # the night in which two becomes three at 01:00 UTC
        ("22:00", "02:30", "2026-03-29T00:59", "2026-03-29T01:00"),
        ("02:30", "06:00", "2026-03-29T01:00", "2026-03-29T04:00"),
        ("02:10", "02:50", "2026-03-29T01:00", None),
    ],
)
def test_the_quiet_of_a_night_in_which_clocks_change(start: str, end: str, at: str, over: str | None) -> None:
    quiet = Quiet(time.fromisoformat(start), time.fromisoformat(end))
    found = quiet_end(quiet, "Europe/Berlin", datetime.fromisoformat(at).replace(tzinfo=UTC))
    assert found == (None if over is None else datetime.fromisoformat(over).replace(tzinfo=UTC))


def test_the_quiet_goes_on_over_a_day_that_a_zone_skips() -> None:
    evening = datetime(2011, 12, 30, 9, tzinfo=UTC)  # 23:00 on the 29th in Samoa; its next day is the 31st
    over = quiet_end(Quiet(time(22), time(7)), "Pacific/Apia", evening)
    assert over == datetime(2011, 12, 30, 17, tzinfo=UTC)
    assert over.astimezone(ZoneInfo("Pacific/Apia")).isoformat() == "2011-12-31T07:00:00+14:00"


@given(near=near_changes, quiet=quiets, minutes=st.integers(1, 3000))
def test_the_quiet_lasts_until_its_end_and_no_longer(near: tuple[str, datetime], quiet: Quiet, minutes: int) -> None:
    zone, now = near
    over = quiet_end(quiet, zone, now)
    if over is None:
        assert send_at(NotificationKind.WEEKLY_REPORT_READY, quiet, zone, now) == now
        return
    assert now < over
    assert quiet_end(quiet, zone, over) is None
    assert send_at(NotificationKind.WEEKLY_REPORT_READY, quiet, zone, now) == over
    between = min(now + timedelta(minutes=minutes), over - timedelta(seconds=1))
    assert quiet_end(quiet, zone, between) == over


@given(near=near_changes, quiet=quiets)
def test_away_from_changes_it_is_quiet_where_the_clock_says_so(near: tuple[str, datetime], quiet: Quiet) -> None:
    zone, now = near
    here = ZoneInfo(zone)
    if len({(now + hours * timedelta(hours=1)).astimezone(here).utcoffset() for hours in range(-49, 50)}) > 1:
        now += timedelta(days=7)
    clock = now.astimezone(here).time()
    over_midnight = quiet.end < quiet.start
    shown = clock >= quiet.start or clock < quiet.end if over_midnight else quiet.start <= clock < quiet.end
    over = quiet_end(quiet, zone, now)
    assert (over is not None) == shown
    if over is not None:
        assert over.astimezone(here).time() == quiet.end
        assert over - now <= DAY


@given(near=near_changes, week_start=st.sampled_from(list(WeekStart)), day_start=day_starts)
def test_the_report_of_a_week_is_told_once_its_last_day_is_over_and_while_its_entries_are_kept(
    near: tuple[str, datetime], week_start: WeekStart, day_start: int
) -> None:
    zone, at = near
    week = first_day_of_week(local_date(at, zone, day_start), week_start)
    due = report_due(week, zone, day_start)
    assert local_date(due, zone, day_start) == week + 7 * DAY
    shown = due.astimezone(ZoneInfo(zone))
    assert shown.time().hour >= max(REPORT_CLOCK.hour, day_start)
    # what was logged of the week's first day is deleted when the database's date is more than so many days later
    assert (due + MOST_LATE_REPORT).date() - LOGGED_DAYS * DAY <= week


@given(at=near_changes, zones=st.tuples(st.sampled_from(ZONES), st.sampled_from(ZONES)), day_start=day_starts)
def test_whoever_moves_has_the_report_of_the_same_week_by_the_new_clock(
    at: tuple[str, datetime], zones: tuple[str, str], day_start: int
) -> None:
    week = first_day_of_week(local_date(at[1], zones[0], day_start))
    before, after = (report_due(week, zone, day_start) for zone in zones)
    assert abs(before - after) <= timedelta(hours=26)
    assert local_date(after, zones[1], day_start) == week + 7 * DAY


@given(near=near_changes, clock=st.none() | clocks, chosen=clocks, quiet=st.none() | quiets)
def test_a_planned_workout_is_kept_until_nobody_can_be_reminded_of_it(
    near: tuple[str, datetime], clock: time | None, chosen: time, quiet: Quiet | None
) -> None:
    zone, at = near
    day = at.astimezone(ZoneInfo(zone)).date()
    due = workout_due(day, clock, zone, WorkoutReminders(30, chosen), quiet)
    assert due is not None
    assert due.until.date() - PLAN_DAYS * DAY <= day


@given(near=near_changes, day_start=day_starts)
def test_steps_and_heart_rates_of_today_are_taken_wherever_somebody_is(
    near: tuple[str, datetime], day_start: int
) -> None:
    zone, now = near
    today = local_date(now, zone, day_start)
    for day, is_right in ((today, True), (today - DAY, True), (latest_day(now) + DAY, False)):
        checks = Checks()
        check_step_count(checks, steps=9000, source="watch", local_date=day, counted_at=now, now=now)
        check_heart_rate(checks, kind=HeartRateKind.RESTING, beats_per_minute=50, since=day, notes=None, now=now)
        assert [field for field, _ in checks.violations] == ([] if is_right else ["date", "since"])


def test_a_day_of_the_quiet_is_of_the_calendar_and_not_of_the_person() -> None:
    quiet, night = Quiet(time(0, 30), time(5)), datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert quiet_end(quiet, "UTC", night) == instant_of_clock(date(2026, 3, 2), time(5), "UTC")
