"""What John wants to be reminded of. Loading again changes nothing."""

from __future__ import annotations

from datetime import datetime, time

from deploy.sample_data import read_demo
from deploy.sample_data.people import signed_in
from subgraphs.shell.calendar import Weekday
from subgraphs.shell.database import Database
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.scalars import IdempotencyKey
from subgraphs.users.commands.reminder import NewReminder, create_reminder
from subgraphs.users.domain.reminder import ReminderKind

_TRAINING = (Weekday.MONDAY, Weekday.WEDNESDAY, Weekday.FRIDAY)
_REMINDERS = (
    (ReminderKind.WEIGH_IN, time(7), (Weekday.MONDAY,)),
    (ReminderKind.LOG_BREAKFAST, time(8, 30), tuple(Weekday)),
    (ReminderKind.DRINK, time(15), tuple(Weekday)),
    (ReminderKind.TRAIN, time(17, 30), _TRAINING),
)


async def load_reminders(database: Database, now: datetime) -> None:
    """Through the command that clients' requests run."""
    john = read_demo()["people"][0]
    viewer = signed_in(john)
    for kind, clock, weekdays in _REMINDERS:
        request = RequestKey(IdempotencyKey(f"sample:{kind.value}"))
        new = NewReminder(kind=kind, time_of_day=clock, weekdays=weekdays, request=request)
        await create_reminder(viewer, new, database=database, now=now)
