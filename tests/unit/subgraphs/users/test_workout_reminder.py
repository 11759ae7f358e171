"""Reminders of planned workouts come before them, by the clock of their person, and not in the person's quiet."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.shell.calendar import instant_of_clock
from subgraphs.shell.errors import Checks, ValidationError
from subgraphs.users.domain.notification import NotificationKind, Wording, planned_detail, wording
from subgraphs.users.domain.notification_preference import Quiet, WorkoutReminders, quiet_end
from subgraphs.users.domain.reminder import MOST_LATE
from subgraphs.users.domain.workout_reminder import LONGEST_MINUTES, check_minutes, until, workout_due

# An hour, half an hour and none; north, south, and beyond the date line.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Chatham")
CLOCKS = st.times(timezones=st.none()).map(lambda each: each.replace(second=0, microsecond=0, fold=0))
#: With days of 23 and of 25 hours of each zone.
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31)) | st.sampled_from(
    [date(2026, month, day) for month, day in ((3, 8), (3, 29), (4, 5), (9, 27), (10, 4), (10, 25), (11, 1))]
)
QUIETS = st.none() | st.tuples(CLOCKS, CLOCKS).filter(lambda each: each[0] != each[1]).map(lambda each: Quiet(*each))
NIGHT = Quiet(time(22), time(7))
WANTED = WorkoutReminders(30, time(8))


@pytest.mark.parametrize(
    ("day", "clock", "quiet", "at"),
    [
        ("2026-03-28", "18:00", None, "2026-03-28T16:30:00"),
        ("2026-03-29", "18:00", None, "2026-03-29T15:30:00"),  # summer time
        ("2026-03-29", "03:15", None, "2026-03-29T00:45:00"),  # half an hour before, which clocks show as 01:45
        ("2026-03-29", "02:30", None, "2026-03-29T00:30:00"),  # clocks skip it: before the first moment after
        ("2026-10-25", "02:10", None, "2026-10-24T23:40:00"),  # twice: before the first time
        ("2026-03-28", "00:10", None, "2026-03-27T22:40:00"),  # of the day before
        ("2026-03-28", None, None, "2026-03-28T07:00:00"),
        ("2026-03-29", None, None, "2026-03-29T06:00:00"),
        ("2026-03-28", "18:00", NIGHT, "2026-03-28T16:30:00"),
        ("2026-03-28", "07:10", NIGHT, "2026-03-28T06:00:00"),  # not at 06:40, but when the quiet ends
        ("2026-03-28", "07:00", NIGHT, "2026-03-28T06:00:00"),  # at the latest moment
        ("2026-03-28", "06:30", NIGHT, "2026-03-28T05:00:00"),  # begins in the quiet: as if there were none, and hushed
        ("2026-03-28", None, Quiet(time(6), time(9)), "2026-03-28T08:00:00"),
        ("2026-03-28", None, Quiet(time(7), time(6)), "2026-03-28T07:00:00"),  # ends on another day
    ],
)
def test_a_reminder_is_before_its_workout_and_after_the_quiet(
    day: str, clock: str | None, quiet: Quiet | None, at: str
) -> None:
    due = workout_due(
        date.fromisoformat(day), None if clock is None else time.fromisoformat(clock), "Europe/Berlin", WANTED, quiet
    )
    assert due is not None
    assert due.at == datetime.fromisoformat(at).replace(tzinfo=UTC)


@given(zone=st.sampled_from(ZONES), day=DAYS, clock=CLOCKS, minutes=st.integers(0, LONGEST_MINUTES), quiet=QUIETS)
def test_what_has_a_time_is_reminded_of_so_many_minutes_before_it_or_when_the_quiet_ends(
    zone: str, day: date, clock: time, minutes: int, quiet: Quiet | None
) -> None:
    begins = instant_of_clock(day, clock, zone)
    wanted = begins - timedelta(minutes=minutes)
    due = workout_due(day, clock, zone, WorkoutReminders(minutes, None), quiet)
    assert due is not None
    assert wanted <= due.at <= begins
    end = quiet_end(quiet, zone, wanted)
    if end is None:
        assert due.at == wanted
    elif due.at == wanted:  # it is told, in the list only, where the quiet lasts beyond the beginning
        assert end > begins
    else:
        assert due.at == end
        assert quiet_end(quiet, zone, due.at) is None
    assert due.until == max(begins, due.at + MOST_LATE) == until(day, clock, zone, due.at)


@given(zone=st.sampled_from(ZONES), day=DAYS, chosen=CLOCKS, quiet=QUIETS)
def test_what_has_no_time_is_reminded_of_on_its_own_day(
    zone: str, day: date, chosen: time, quiet: Quiet | None
) -> None:
    due = workout_due(day, None, zone, WorkoutReminders(None, chosen), quiet)
    assert due is not None
    shown = due.at.astimezone(ZoneInfo(zone))
    assert shown.date() == day
    assert shown.time().replace(fold=0) >= chosen
    if quiet is None:
        assert due.at == instant_of_clock(day, chosen, zone)
    assert due.until == due.at + MOST_LATE


@given(zones=st.tuples(st.sampled_from(ZONES), st.sampled_from(ZONES)), day=DAYS, clock=CLOCKS)
def test_whoever_moves_is_reminded_before_what_the_new_clock_shows(
    zones: tuple[str, str], day: date, clock: time
) -> None:
    due = [workout_due(day, clock, zone, WANTED, None) for zone in zones]
    for zone, each in zip(zones, due, strict=True):
        assert each is not None
        begins = each.at + timedelta(minutes=30)
        assert begins.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) >= datetime.combine(day, clock)


def test_who_wants_none_has_none_and_what_cannot_be_is_refused() -> None:
    day = date(2026, 3, 28)
    assert workout_due(day, time(18), "UTC", WorkoutReminders(None, time(8)), None) is None
    assert workout_due(day, None, "UTC", WorkoutReminders(30, None), None) is None
    for minutes, is_right in (
        (None, True),
        (0, True),
        (LONGEST_MINUTES, True),
        (-1, False),
        (LONGEST_MINUTES + 1, False),
    ):
        checks = Checks()
        check_minutes(checks, minutes)
        if is_right:
            checks.done()
        else:
            with pytest.raises(ValidationError):
                checks.done()


def test_words_name_what_is_planned_and_for_when() -> None:
    said = planned_detail(date(2026, 3, 30), time(18), "Legs and a run")
    assert said == "TRAIN 2026-03-30 18:00 Legs and a run"
    assert wording(NotificationKind.REMINDER, said) == Wording("Planned: Legs and a run", "For 18:00 on 2026-03-30.")
    said = planned_detail(date(2026, 3, 30), None, "Legs")
    assert wording(NotificationKind.REMINDER, said) == Wording("Planned: Legs", "For 2026-03-30.")
    assert wording(NotificationKind.REMINDER, "TRAIN") == Wording("Time to train")
