"""Many people who each live John's week, and John himself, and what the dashboard must tell each of them. Used by `product`.

The expected answer is computed from the sample data's facts, without any subgraph.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from deploy.sample_data import read_demo
from deploy.sample_data.past import with_past
from deploy.sample_data.people import Person, PlannedExercise, PlannedMeal, PlannedWorkout, demo_people
from deploy.sample_data.streaks import away

OPERATION = Path(__file__).with_name("dashboard.graphql").read_text(encoding="utf-8")
WEEK_DAYS = 7
_ACTIVITY_FACTORS = {"MODERATE": Decimal("1.55")}
_GOAL_FACTORS = {"LOSE_WEIGHT": Decimal("0.85")}
_FOODS: dict[str, dict[str, Any]] = {food["id"]: food for food in read_demo()["foods"]}


def johns(number_of_people: int, last_day: date) -> list[Person]:
    """John with his year, and `number_of_people` - 1 others who lived his last week only."""
    john = demo_people(last_day)[0]
    kind, _, own = john.id.partition("_")
    namespace = uuid.UUID(own)
    others = [
        replace(john, id=f"{kind}_{uuid.uuid5(namespace, str(number))}", email=f"john-{number}@example.com")
        for number in range(1, number_of_people)
    ]
    return [with_past(john), *others]


def variables(last_day: date) -> dict[str, str]:
    return {"date": last_day.isoformat(), "from": (last_day - timedelta(days=WEEK_DAYS - 1)).isoformat()}


def expected_dashboard(person: Person, last_day: date) -> dict[str, Any]:
    """The data of the answer to OPERATION with `variables(last_day)`."""
    days = [last_day - timedelta(days=offset) for offset in range(WEEK_DAYS)]
    newest = max(person.weights, key=lambda weighing: weighing.at)
    return {
        "me": {
            "displayName": person.display_name,
            "currentWeight": {"weightKg": newest.weight_kg, "localDate": newest.local_date.isoformat()},
            "suggestedTarget": {"energyKcal": _needed_energy(person, newest.weight_kg, last_day + timedelta(days=1))},
            "diaryDay": _diary_day(person, last_day),
            "days": {"edges": [{"node": _summary(person, day, with_date=True)} for day in days]},
            "workouts": {"edges": [{"node": _workout(each)} for each in _newest_workouts(person, days)]},
            "streaks": {"meals": {"longest": _longest_streak(person, last_day)}},
        }
    }


def _diary_day(person: Person, day: date) -> dict[str, Any]:
    meals = [meal for meal in person.meals if meal.local_date == day]
    eaten = Counter(food_id for meal in person.meals for food_id, _ in meal.items)
    names = ("energy_kcal", "protein_g", "carbohydrate_g", "fat_g")
    totals = [_rounded(sum((_amount(meal, name) for meal in meals), Decimal(0))) for name in names]
    return {
        "date": day.isoformat(),
        "totals": dict(zip(("energyKcal", "proteinG", "carbsG", "fatG"), totals, strict=True)),
        "meals": [_meal(meal, eaten) for meal in meals],
        "summary": _summary(person, day, with_date=False),
    }


def _longest_streak(person: Person, last_day: date) -> int:
    """How many days with a meal, one after the other; the days that John was away interrupt nothing and count for nothing."""
    days = {meal.local_date for meal in person.meals}
    is_john = person.id == read_demo()["people"][0]["id"]
    rest = away(last_day + timedelta(days=1))  # his year was loaded on the day after the last one
    longest = length = 0
    day = min(days)
    while day <= max(days):
        if day in days:
            length += 1
            longest = max(longest, length)
        elif not (is_john and rest.first <= day <= rest.last):
            length = 0
        day += timedelta(days=1)
    return longest


def _meal(meal: PlannedMeal, eaten: Mapping[str, int]) -> dict[str, Any]:
    """`eaten` is how often the person has eaten each food."""
    return {
        "slot": meal.slot,
        "totals": {
            "energyKcal": _rounded(_amount(meal, "energy_kcal")),
            "proteinG": _rounded(_amount(meal, "protein_g")),
        },
        "items": [_item(*item, eaten) for item in meal.items],
    }


def _item(food_id: str, grams: float, times: Mapping[str, int]) -> dict[str, Any]:
    food = _FOODS[food_id]
    eaten = {"name": food["name"], "category": food["category"], "timesLogged": times[food_id]}
    energy = _rounded(_share(food_id, grams, "energy_kcal"))
    return {"grams": grams, "foodName": food["name"], "nutrients": {"energyKcal": energy}, "food": eaten}


def _summary(person: Person, day: date, *, with_date: bool) -> dict[str, Any]:
    meals = [meal for meal in person.meals if meal.local_date == day]
    workouts = [workout for workout in person.workouts if workout.local_date == day]
    numbers = {
        "caloriesConsumed": _rounded(sum((_amount(meal, "energy_kcal") for meal in meals), Decimal(0))),
        "caloriesBurned": sum(workout.reported_kcal or 0 for workout in workouts),
        "mealsLogged": len(meals),
        "workoutsCompleted": len(workouts),
    }
    return {"date": day.isoformat(), **numbers} if with_date else numbers


def _newest_workouts(person: Person, days: Sequence[date]) -> list[PlannedWorkout]:
    of_week = [workout for workout in person.workouts if workout.local_date in days]
    return sorted(of_week, key=lambda workout: workout.local_date, reverse=True)


def _workout(planned: PlannedWorkout) -> dict[str, Any]:
    return {
        "name": planned.name,
        "localDate": planned.local_date.isoformat(),
        "durationMinutes": (planned.ended_at - planned.started_at).total_seconds() / 60,
        "caloriesBurned": {"kcal": planned.reported_kcal, "method": "REPORTED"},
        "exercises": [{"exercise": {"name": each.name}, "sets": _sets(each)} for each in planned.exercises],
    }


def _sets(planned: PlannedExercise) -> list[dict[str, Any]]:
    sets: list[dict[str, Any]] = [
        {"reps": reps, "weightKg": weight, "durationSeconds": None} for reps, weight in planned.sets
    ]
    if planned.distance_km is not None and planned.minutes is not None:
        sets.append({"reps": None, "weightKg": None, "durationSeconds": round(planned.minutes * 60)})
    return sets


def _needed_energy(person: Person, weight_kg: float, today: date) -> float:
    """Mifflin and St Jeor, for men, less what loses weight."""
    born = person.date_of_birth
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    basal = 10 * Decimal(str(weight_kg)) + Decimal("6.25") * Decimal(str(person.height_cm)) - 5 * age + 5
    return _rounded(basal * _ACTIVITY_FACTORS[person.activity_level] * _GOAL_FACTORS[person.fitness_goal])


def _amount(meal: PlannedMeal, name: str) -> Decimal:
    return sum((_share(food_id, grams, name) for food_id, grams in meal.items), Decimal(0))


def _share(food_id: str, grams: float, name: str) -> Decimal:
    return Decimal(str(_FOODS[food_id][name])) * Decimal(str(grams)) / 100


def _rounded(value: Decimal) -> float:
    return float(value.quantize(Decimal("0.01"), ROUND_HALF_EVEN))
