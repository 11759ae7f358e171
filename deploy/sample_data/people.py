"""People with a history: the five of demo.json, and synthetic ones whose true energy balance is known.

`load` writes them through the domains' own functions. The same seed, size and last day give the same people everywhere.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from deploy.sample_data import read_demo, sample_id
from subgraphs.shell.auth import Viewer
from subgraphs.shell.calendar import local_date
from subgraphs.shell.key_scope import READ, WRITE

KCAL_PER_KG = 7700.0
ZONES = (
    "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Pacific/Honolulu", "Australia/Lord_Howe",
    "America/Sao_Paulo", "Asia/Tokyo",
)  # fmt: skip
_FIRST = (
    "Ada",
    "Bela",
    "Chen",
    "Dina",
    "Emil",
    "Farah",
    "Goran",
    "Hana",
    "Ines",
    "Jonas",
    "Kemi",
    "Luca",
    "Mira",
    "Noor",
)
_LAST = (
    "Abel",
    "Brandt",
    "Costa",
    "Diaz",
    "Eriksen",
    "Fischer",
    "Gruber",
    "Haddad",
    "Ivanov",
    "Jansen",
    "Kovacs",
    "Lind",
)
_REPERTOIRE_FOODS = 80  # what somebody eats again and again
_ACTIVITY = {"SEDENTARY": 1.2, "LIGHT": 1.375, "MODERATE": 1.55, "ACTIVE": 1.725, "VERY_ACTIVE": 1.9}


@dataclass(frozen=True, slots=True)
class Weighing:
    local_date: date
    at: datetime
    weight_kg: float


@dataclass(frozen=True, slots=True)
class PlannedMeal:
    """`items` are (food id, grams). `key` names the meal, whatever day the week was moved to: loading again finds it."""

    local_date: date
    at: datetime
    slot: str
    items: tuple[tuple[str, float], ...]
    key: str
    custom_slot: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedExercise:
    """Either `sets` of (repetitions, kilograms), or `minutes` and perhaps kilometres."""

    name: str
    sets: tuple[tuple[int, float], ...] = ()
    minutes: float | None = None
    distance_km: float | None = None


@dataclass(frozen=True, slots=True)
class PlannedWorkout:
    local_date: date
    started_at: datetime
    ended_at: datetime
    name: str
    exercises: tuple[PlannedExercise, ...]
    reported_kcal: float | None
    key: str
    session_rpe: float | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """`heart_rates` are (kind, beats a minute, first day). `girths_cm` are measured, and `body_fat_percent` is told, with the newest weighing. `daily_balance_kcal` is the truth behind a synthetic person's weights; None for the five."""

    id: str
    email: str
    display_name: str
    date_of_birth: date
    sex: str
    height_cm: float
    activity_level: str
    fitness_goal: str
    target_weight_kg: float
    time_zone: str
    day_start_hour: int
    units: str
    weights: tuple[Weighing, ...]
    meals: tuple[PlannedMeal, ...]
    workouts: tuple[PlannedWorkout, ...]
    girths_cm: tuple[tuple[str, float], ...] = ()
    heart_rates: tuple[tuple[str, int, date], ...] = ()
    body_fat_percent: float | None = None
    daily_balance_kcal: float | None = None


def day_of_john(now: datetime) -> date:
    """The day of John's calendar at `now`; his days begin at four in the morning, in Berlin.

    Sample data end with the day before it: by another calendar that day might not be over for him, or one might be missing.
    """
    john = read_demo()["people"][0]
    return local_date(now, john["timeZone"], john["dayStartHour"])


def last_day_of_john(now: datetime) -> date:
    """The day with which the sample data of the five end."""
    return day_of_john(now) - timedelta(days=1)


def last_day_of_everybody(now: datetime) -> date:
    """The last day that is over in every zone of synthetic people: what they ate in Honolulu is not told before they ate it."""
    return min(local_date(now, zone, 0) for zone in ZONES) - timedelta(days=1)


def demo_people(last_day: date) -> list[Person]:
    """The five; John's week ends on `last_day`: 28 meals of 1,674 kcal a day, 5 workouts of 305 min and 2,080 kcal.

    `past` gives him the year before it.
    """
    demo = read_demo()
    foods = {food["name"]: food["id"] for food in demo["foods"]}
    return [
        _demo_person(row, demo["john"] if row is demo["people"][0] else None, foods, last_day) for row in demo["people"]
    ]


def signed_in(person: Mapping[str, Any]) -> Viewer:
    """A person of demo.json as who runs the commands that write what they keep; with the scopes of a sign-in, as no key has."""
    return Viewer(
        person["id"],
        person["displayName"],
        frozenset({"USER"}),
        session_id="sample",
        expires_at=0,
        scopes=frozenset({READ, WRITE}),
    )


def synthetic_people(
    count: int, days: int, seed: int, last_day: date, foods: Sequence[tuple[str, float]]
) -> Iterator[Person]:
    """`foods` are (id, kcal per 100 g) to draw meals from."""
    for number in range(count):
        yield synthetic_person(number, days, seed, last_day, foods)


def synthetic_person(number: int, days: int, seed: int, last_day: date, foods: Sequence[tuple[str, float]]) -> Person:
    """One of them, the same whoever else is made."""
    return _synthetic_person(number, days, random.Random(f"{seed}:{number}"), last_day, foods)


def _demo_person(row: dict[str, Any], week: dict[str, Any] | None, foods: dict[str, str], last_day: date) -> Person:
    zone = ZoneInfo(row["timeZone"])
    days = [last_day - timedelta(days=offset) for offset in range(6, -1, -1)]
    meals: list[PlannedMeal] = []
    workouts: list[PlannedWorkout] = []
    if week is not None:
        for number, day in enumerate(days):
            for meal in week["meals"]:
                items = tuple((foods[name], float(grams)) for name, grams in meal["items"])
                key = f"demo:{number}:{meal['slot']}"
                at, own_slot = at_clock(day, meal["time"], zone), meal.get("customSlot")
                meals.append(PlannedMeal(day, at, meal["slot"], items, key, own_slot))
        workouts = [_demo_workout(each, days[each["dayOffset"]], zone) for each in week["workouts"]]
    weights = tuple(
        Weighing(day, at_clock(day, "07:00", zone), round(row["weightKg"] - 0.1 * number, 1))
        for number, day in enumerate((days[0], days[3], days[6]))
    )
    return Person(
        id=row["id"],
        email=row["email"],
        display_name=row["displayName"],
        date_of_birth=date.fromisoformat(row["dateOfBirth"]),
        sex=row["sex"],
        height_cm=row["heightCm"],
        activity_level=row["activityLevel"],
        fitness_goal=row["fitnessGoal"],
        target_weight_kg=row["targetWeightKg"],
        time_zone=row["timeZone"],
        day_start_hour=row["dayStartHour"],
        units=row["units"],
        weights=weights,
        meals=tuple(meals),
        workouts=tuple(workouts),
        girths_cm=tuple(row.get("girthsCm", {}).items()),
        heart_rates=tuple(
            (each["kind"], each["beatsPerMinute"], days[-1] - timedelta(days=each["daysBefore"]))
            for each in row.get("heartRates", ())
        ),
        body_fat_percent=row.get("bodyFatPercent"),
    )


def _demo_workout(row: dict[str, Any], day: date, zone: ZoneInfo) -> PlannedWorkout:
    start = at_clock(day, row["time"], zone)
    exercises = tuple(
        PlannedExercise(
            each["name"],
            tuple((reps, float(weight)) for reps, weight in each.get("sets", ())),
            each.get("minutes"),
            each.get("distanceKm"),
        )
        for each in row["exercises"]
    )
    end = start + timedelta(minutes=row["minutes"])
    return PlannedWorkout(
        day,
        start,
        end,
        name=row["name"],
        exercises=exercises,
        reported_kcal=row["kcal"],
        key=f"demo:{row['dayOffset']}",
        session_rpe=row["rpe"],
    )


def _synthetic_person(
    number: int, days: int, chance: random.Random, last_day: date, foods: Sequence[tuple[str, float]]
) -> Person:
    sex = chance.choice(("FEMALE", "MALE"))
    height = chance.gauss(165 if sex == "FEMALE" else 178, 7)
    start_weight = chance.uniform(20.5, 31) * (height / 100) ** 2
    age = chance.randint(19, 68)
    activity = chance.choice(tuple(_ACTIVITY))
    need = (10 * start_weight + 6.25 * height - 5 * age + (5 if sex == "MALE" else -161)) * _ACTIVITY[activity]
    balance = chance.choice((-550.0, -300.0, -150.0, 0.0, 200.0, 350.0))
    zone = ZoneInfo(ZONES[number % len(ZONES)])
    repertoire = chance.sample(foods, min(len(foods), _REPERTOIRE_FOODS))
    missed = chance.uniform(0.10, 0.25)
    name = f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"
    email = f"sample-{number:05}@example.com"
    calendar = [last_day - timedelta(days=offset) for offset in range(days - 1, -1, -1)]
    logged = [day for day in calendar if chance.random() >= missed]
    end_weight = start_weight + balance * days / KCAL_PER_KG
    return Person(
        id=sample_id("user", email),
        email=email,
        display_name=name,
        date_of_birth=last_day.replace(
            year=last_day.year - age, month=chance.randint(1, 12), day=chance.randint(1, 28)
        ),
        sex=sex,
        height_cm=round(height, 1),
        activity_level=activity,
        fitness_goal="LOSE_WEIGHT" if balance < 0 else "MAINTAIN" if balance == 0 else "GAIN_MUSCLE",
        target_weight_kg=round(end_weight, 1),
        time_zone=zone.key,
        day_start_hour=5 if number % 10 == 7 else 0,  # every tenth works at night
        units="IMPERIAL" if zone.key.startswith("America/New") else "METRIC",
        weights=tuple(_weighings(calendar, set(logged), start_weight, balance, zone, chance)),
        meals=tuple(
            meal
            for number, day in enumerate(logged)
            for meal in _meals(number, day, need + balance, zone, chance, repertoire)
        ),
        workouts=tuple(_workouts(calendar, set(logged), zone, chance)),
        daily_balance_kcal=balance,
    )


def _weighings(
    calendar: list[date], logged: set[date], start: float, balance: float, zone: ZoneInfo, chance: random.Random
) -> Iterator[Weighing]:
    """The true line of the energy balance, and water around it that remembers yesterday."""
    water = 0.0
    for number, day in enumerate(calendar):
        water = 0.6 * water + chance.gauss(0, 0.45)
        if day in logged:
            weight = start + balance * number / KCAL_PER_KG + water
            yield Weighing(
                day, at_clock(day, f"0{chance.randint(6, 8)}:{chance.randint(10, 59)}", zone), round(weight, 1)
            )


def _meals(
    number: int, day: date, kcal: float, zone: ZoneInfo, chance: random.Random, foods: Sequence[tuple[str, float]]
) -> Iterator[PlannedMeal]:
    """Real foods in amounts that meet the day's energy, more of it at weekends."""
    day_kcal = kcal * (1.08 if day.weekday() >= 5 else 0.968) * chance.gauss(1, 0.06)
    for slot, share, hour in (("BREAKFAST", 0.25, 7), ("LUNCH", 0.35, 12), ("SNACK", 0.1, 16), ("DINNER", 0.3, 19)):
        chosen = chance.sample(foods, 2)
        items = tuple(
            (food, round(min(100 * day_kcal * share / len(chosen) / energy, 800), 1)) for food, energy in chosen
        )
        at = at_clock(day, f"{hour:02}:{chance.randint(0, 59):02}", zone)
        yield PlannedMeal(day, at, slot, items, f"sample:{number}:{slot}")


def _workouts(
    calendar: list[date], logged: set[date], zone: ZoneInfo, chance: random.Random
) -> Iterator[PlannedWorkout]:
    """Three days a week; weights grow by 2 % a week, every fourth week is a lighter one."""
    squat, bench = chance.uniform(40, 90), chance.uniform(30, 70)
    for number, day in enumerate(calendar):
        if day.weekday() not in {0, 2, 5} or day not in logged:
            continue
        week = number // 7
        load = (1 + 0.02 * week) * (0.8 if week % 4 == 3 else 1)
        start = at_clock(day, f"{chance.choice((7, 12, 18))}:{chance.randint(10, 59)}", zone)
        if day.weekday() == 5:
            minutes = chance.randint(25, 60)
            exercises: tuple[PlannedExercise, ...] = (PlannedExercise("Running, general", (), minutes, minutes / 6.5),)
        else:
            minutes = chance.randint(40, 75)
            exercises = (
                PlannedExercise("Barbell Squat", tuple((8, in_plates(squat * load)) for _ in range(3))),
                PlannedExercise(
                    "Barbell Bench Press - Medium Grip", tuple((8, in_plates(bench * load)) for _ in range(3))
                ),
            )
        name = "Run" if day.weekday() == 5 else "Strength"
        end = start + timedelta(minutes=minutes)
        yield PlannedWorkout(
            day, start, end, name=name, exercises=exercises, reported_kcal=None, key=f"sample:{number}"
        )


def in_plates(weight: float) -> float:
    """The nearest weight that a bar can have, in kg."""
    return round(weight / 2.5) * 2.5


def at_clock(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """An instant by a clock on the wall, such as 07:30."""
    hour, minute = clock.split(":")
    return datetime.combine(day, time(int(hour), int(minute)), zone).astimezone(UTC)
