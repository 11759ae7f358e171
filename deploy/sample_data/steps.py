"""What John's phone, and on most days his watch, counted of the steps of his year. Loading again adds the days that are new."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from deploy.sample_data.people import Person, at_clock
from subgraphs.users.commands.step_count import NewStepCount

_COUNTED_AT = "22:30"
#: On how many days of ten the watch is worn, and how many more it counts than a phone that lies on the desk at times.
_WORN, _MORE = 0.8, (1.02, 1.15)


def daily_steps(person: Person) -> Iterator[NewStepCount]:
    """From the first weighing to the last, the totals as of the evening. The same of each day whenever it is asked: more on
    days with a workout, fewer on Sundays.
    """
    zone = ZoneInfo(person.time_zone)
    trained = {workout.local_date for workout in person.workouts}
    first, last = person.weights[0].local_date, person.weights[-1].local_date
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        chance = random.Random(f"steps:{person.email}:{day}")
        usual = 9_500 if day in trained else 5_500 if day.isoweekday() == 7 else 7_500
        phone = round(max(chance.gauss(usual, 1_500), 800))
        counted_at = at_clock(day, _COUNTED_AT, zone)
        yield NewStepCount(source="Phone", steps=phone, counted_at=counted_at, local_date=day)
        if chance.random() < _WORN:
            watch = round(phone * chance.uniform(*_MORE))
            yield NewStepCount(source="Watch", steps=watch, counted_at=counted_at, local_date=day)
