"""What John drank on the days of his year on which he ate. Loading again adds the days that are new."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from deploy.sample_data.people import Person, at_clock
from subgraphs.nutrition.sample_data import NewDrink
from subgraphs.shell.inputs import RequestKey
from subgraphs.shell.scalars import IdempotencyKey

#: When a glass or a bottle is usually finished, and the millilitres that it may have.
_TIMES = ("08:00", "10:30", "13:00", "15:30", "18:00", "20:30")
_AMOUNTS_ML = (250, 300, 330, 500)
_TRAINING_ML = 750
_MISSED = 0.2  # of the times, nothing is logged


def daily_drinks(person: Person) -> Iterator[NewDrink]:
    """With a bottle more on the days with a workout. The same of each day whenever it is asked."""
    zone = ZoneInfo(person.time_zone)
    trained = {workout.local_date for workout in person.workouts}
    for day in sorted({meal.local_date for meal in person.meals}):
        chance = random.Random(f"drinks:{person.email}:{day}")
        drunk = [(clock, chance.choice(_AMOUNTS_ML)) for clock in _TIMES if chance.random() >= _MISSED]
        if day in trained:
            drunk.append(("19:15", _TRAINING_ML))
        for clock, amount_ml in drunk:
            at = at_clock(day, clock, zone) + timedelta(minutes=chance.randint(-20, 20))
            yield NewDrink(amount_ml, at, day, RequestKey(IdempotencyKey(f"sample:{day}:{clock}")))
