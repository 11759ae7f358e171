"""The year before John's week, by the `past` of demo.json: he eats and trains as in that week, with changes, and loses 7 kg."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deploy.sample_data import read_demo
from deploy.sample_data.people import (
    Person,
    PlannedExercise,
    PlannedMeal,
    PlannedWorkout,
    Weighing,
    at_clock,
    in_plates,
)

#: What was lifted a year ago, as a part of what is lifted in the week.
_BEGINNING = 0.7
#: What a weighing differs by from the line, in kg: water, and yesterday's dinner.
_WATER_KG = 0.4


def with_past(john: Person) -> Person:
    """`john` as `demo_people` makes him, with the days before his week. The same days whenever it is called."""
    demo = read_demo()
    past = demo["past"]
    chance = random.Random("john")
    first = john.weights[0].local_date - timedelta(days=past["days"])
    numbers = [number for number in range(past["days"]) if chance.random() >= past["missed"]]
    days = [_Day(number, first + timedelta(days=number), number / past["days"]) for number in numbers]
    zone = ZoneInfo(john.time_zone)
    menu = _Menu({food["name"]: (food["id"], food["energy_kcal"]) for food in demo["foods"]}, past)
    lost = past["startWeightKg"] - john.weights[0].weight_kg
    return replace(
        john,
        weights=(*_weighings(days, past["startWeightKg"], lost, zone, chance), *john.weights),
        meals=(*_meals(days, menu, zone, chance), *john.meals),
        workouts=(*_workouts(days, john.workouts, chance), *john.workouts),
    )


@dataclass(frozen=True, slots=True)
class _Day:
    """`done` is the part of the year that is over."""

    number: int
    day: date
    done: float


@dataclass(frozen=True, slots=True)
class _Menu:
    """`foods` are (id, kcal per 100 g) by name."""

    foods: Mapping[str, tuple[str, float]]
    past: Mapping[str, Any]


def _weighings(
    days: Sequence[_Day], start_kg: float, lost_kg: float, zone: ZoneInfo, chance: random.Random
) -> Iterator[Weighing]:
    for each in days:
        weight = start_kg - lost_kg * each.done + chance.gauss(0, _WATER_KG)
        yield Weighing(each.day, at_clock(each.day, f"07:{chance.randint(10, 50)}", zone), round(weight, 1))


def _meals(days: Sequence[_Day], menu: _Menu, zone: ZoneInfo, chance: random.Random) -> Iterator[PlannedMeal]:
    """Four a day, of which the snack is left out at times; more at weekends."""
    for each in days:
        chosen = {slot: chance.choice(meal["choices"]) for slot, meal in menu.past["meals"].items()}
        if chance.random() < 0.25:
            del chosen["SNACK"]
        planned = sum(menu.foods[name][1] * grams / 100 for items in chosen.values() for name, grams in items)
        eaten = menu.past["kcalADay"] * (1.1 if each.day.weekday() >= 5 else 0.97) * chance.gauss(1, 0.07)
        for slot, items in chosen.items():
            at = at_clock(each.day, menu.past["meals"][slot]["time"], zone) + timedelta(minutes=chance.randint(-25, 25))
            amounts = tuple((menu.foods[name][0], round(grams * eaten / planned / 5) * 5.0) for name, grams in items)
            yield PlannedMeal(each.day, at, slot, amounts, f"demo:past:{each.number}:{slot}")


def _workouts(days: Sequence[_Day], week: Sequence[PlannedWorkout], chance: random.Random) -> Iterator[PlannedWorkout]:
    """Those of the week on their days of it, two of three of them, with weights that grow; every fourth week is a lighter one."""
    for each in days:
        for planned in week:
            if planned.local_date.weekday() == each.day.weekday() and chance.random() < 0.67:
                strength = (_BEGINNING + (1 - _BEGINNING) * each.done) * (0.8 if each.number // 7 % 4 == 3 else 1)
                moved = planned.local_date - each.day
                effort = chance.uniform(0.85, 1.1)
                yield replace(
                    planned,
                    local_date=each.day,
                    started_at=planned.started_at - moved,
                    ended_at=planned.ended_at - moved,
                    exercises=tuple(_exercise(one, strength) for one in planned.exercises),
                    reported_kcal=None if planned.reported_kcal is None else round(planned.reported_kcal * effort),
                    key=f"demo:past:{each.number}",
                )


def _exercise(planned: PlannedExercise, strength: float) -> PlannedExercise:
    sets = tuple((reps, in_plates(weight * strength)) for reps, weight in planned.sets)
    distance = None if planned.distance_km is None else round(planned.distance_km * (0.8 + 0.2 * strength), 1)
    return replace(planned, sets=sets, distance_km=distance)
