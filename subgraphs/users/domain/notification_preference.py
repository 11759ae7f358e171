"""What of their notifications people want where, and when they want quiet. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from subgraphs.shell.calendar import instant_of_clock
from subgraphs.shell.errors import Checks
from subgraphs.users.domain.notification import NotificationKind


class NotificationChannel(StrEnum):
    IN_APP = "IN_APP"
    EMAIL = "EMAIL"
    PUSH = "PUSH"


#: What somebody is told in the list whatever they want, since it may be that it was not they who did it.
OF_SECURITY = frozenset(
    {
        NotificationKind.NEW_SIGN_IN,
        NotificationKind.PASSWORD_CHANGED,
        NotificationKind.EMAIL_CHANGED,
        NotificationKind.PASSKEY_ADDED,
        NotificationKind.PASSKEY_BLOCKED,
    }
)
#: These are mailed as what they are (`domain.mail`), wanted or not, and not once more.
MAILED_ANYWAY = frozenset(
    {NotificationKind.PASSWORD_CHANGED, NotificationKind.EMAIL_CHANGED, NotificationKind.PASSKEY_ADDED}
)
#: Mailed unless their person does not want it: what is done about them cannot wait until somebody looks.
_MAILED_UNASKED = frozenset({NotificationKind.NEW_SIGN_IN, NotificationKind.PASSKEY_BLOCKED})
#: What comes when its person has set it, or must be known at once, does not wait for the end of the quiet.
NOT_HELD_BACK = OF_SECURITY | {NotificationKind.REMINDER}
#: Of one person in a day; what is beyond is in the list only.
MOST_MAILS_A_DAY = 20

Choice = tuple[NotificationKind, NotificationChannel]


@dataclass(frozen=True, slots=True)
class Quiet:
    """From when until when, by the person's clock, nothing is sent; over midnight where it ends before it begins."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class WorkoutReminders:
    """When somebody is reminded of planned workouts: so many minutes before those that have a time of day, and by the clock of
    those that have none. None: never.
    """

    minutes_before: int | None = 30
    time_of_day: time | None = time(8)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What somebody chose; the rest is as `is_wanted_by_default` says."""

    chosen: Mapping[Choice, bool]
    quiet: Quiet | None = None
    workouts: WorkoutReminders = WorkoutReminders()

    def wants(self, kind: NotificationKind, channel: NotificationChannel) -> bool:
        return self.chosen.get((kind, channel), is_wanted_by_default(kind, channel))


NO_PREFERENCES = Preferences({})


def is_wanted_by_default(kind: NotificationKind, channel: NotificationChannel) -> bool:
    """Everything but mail, of which nobody gets any unasked that does not concern the safety of the account.

    Push messages go to browsers alone in which somebody said yes to them.
    """
    return channel is not NotificationChannel.EMAIL or kind in _MAILED_UNASKED


def check_choice(checks: Checks, choice: Choice, is_on: bool, place: str) -> None:
    kind, channel = choice
    may_hide = is_on or channel is not NotificationChannel.IN_APP or kind not in OF_SECURITY
    checks.require(may_hide, place, "is always in the list, for the safety of the account")
    may_mail = not is_on or channel is not NotificationChannel.EMAIL or kind not in MAILED_ANYWAY
    checks.require(may_mail, place, "has a mail of its own already")


def send_at(kind: NotificationKind, quiet: Quiet | None, zone: str, now: datetime) -> datetime:
    """When something may be sent that is to be told now: at once, or when the quiet is over."""
    return now if kind in NOT_HELD_BACK else quiet_end(quiet, zone, now) or now


def quiet_end(quiet: Quiet | None, zone: str, now: datetime) -> datetime | None:
    """When the quiet is over in which `now` is; None where it is not quiet.

    Each day's quiet is one span of time from the instant of its start to that of its end, by `instant_of_clock`: clocks that go
    back in it do not interrupt it, and a clock that is shown twice begins and ends it the first time. Where one begins as another
    ends, as at a day that a zone skips, both are over with the later.
    """
    if quiet is None:
        return None
    today = now.astimezone(ZoneInfo(zone)).date()
    next_day = timedelta(days=1)
    length = next_day if quiet.end < quiet.start else timedelta(0)
    over = None
    for day in (today - next_day, today, today + next_day):
        start, end = instant_of_clock(day, quiet.start, zone), instant_of_clock(day + length, quiet.end, zone)
        if start <= (over or now) < end:
            over = end
    return over
