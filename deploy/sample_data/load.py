"""Writes the sample data through the domains' own bulk functions, rows and events together. `fittracker sample-data`.

Loading again changes nothing: catalogue rows have fixed ids, accounts fixed addresses, histories idempotency keys.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from rich.progress import Progress

from deploy.data_directory import DataDirectory
from deploy.embedded import DOMAINS
from deploy.errors import FriendlyError
from deploy.sample_data import read_demo, read_exercises, read_foods
from deploy.sample_data.people import Person, PlannedExercise, PlannedWorkout, demo_people, synthetic_people
from deploy.terminal import Terminal
from subgraphs.database import Database
from subgraphs.nutrition.commands.meal import NewMeal
from subgraphs.nutrition.domain.meal import ItemDraft, MealSlot
from subgraphs.nutrition.queries.person import PersonRecord
from subgraphs.nutrition.sample_data import load_foods, load_meals
from subgraphs.users.commands.account import NewAccount
from subgraphs.users.commands.weight import NewWeighing
from subgraphs.users.domain.account import ActivityLevel, FitnessGoal, PersonalSettings, Profile, Sex, Units
from subgraphs.users.sample_data import SampleAccount, load_accounts, load_weights
from subgraphs.workouts.commands.workout import NewWorkout, NewWorkoutExercise
from subgraphs.workouts.commands.workout_set import NewSet
from subgraphs.workouts.sample_data import exercise_ids_by_name, load_exercises, load_workouts

PASSWORD = "Password123!"  # noqa: S105 - of people who do not exist


def load_sample_data(users: int, days: int, seed: int, data_dir: Path, terminal: Terminal) -> None:
    """Into the databases that the environment names, else those of the stack that runs. Raises FriendlyError."""
    urls = _database_urls(data_dir)
    now = datetime.now(UTC)
    yesterday = now.date() - timedelta(days=1)
    foods = read_foods()
    eaten = [(food["id"], float(food["energy_kcal"])) for food in foods if 40 <= float(food["energy_kcal"]) <= 600]
    people = [*demo_people(yesterday), *synthetic_people(users, days, seed, yesterday, eaten)]
    with Progress(console=terminal.console, disable=not terminal.console.is_terminal) as progress:
        task = progress.add_task("Foods and exercises", total=len(people) + 2)
        asyncio.run(_load(urls, foods, people, now, lambda what: progress.update(task, advance=1, description=what)))
    terminal.say(f"{len(foods):,} foods, {len(read_exercises())} exercises and {len(people)} people are there")


def _database_urls(data_dir: Path) -> dict[str, str]:
    state = DataDirectory(data_dir).read_state()
    environment = {**(state.environment if state else {}), **os.environ}
    urls = {name: environment.get(f"DATABASE_URL_{name.upper()}", "") for name in DOMAINS}
    if missing := [f"DATABASE_URL_{name.upper()}" for name, url in urls.items() if not url]:
        raise FriendlyError(
            f"no stack runs over {data_dir}, and these are not set: {', '.join(missing)}",
            "start one with `fittracker up`",
        )
    return urls


async def _load(
    urls: dict[str, str], foods: list[dict[str, str]], people: list[Person], now: datetime, tell: Callable[[str], None]
) -> None:
    async with AsyncExitStack() as stack:
        databases = {name: Database(url, pool_size=2, name="sample data") for name, url in urls.items()}
        for database in databases.values():
            stack.push_async_callback(database.close)
        async with databases["nutrition"].transaction() as connection:
            await load_foods(connection, [*read_demo()["foods"], *foods], now)
        tell("People")
        async with databases["workouts"].transaction() as connection:
            await load_exercises(connection, read_exercises())
            exercise_ids = await exercise_ids_by_name(connection)
        for person in people:
            await load_person(databases, person, exercise_ids, now)
            tell(person.display_name)


async def load_person(
    databases: dict[str, Database], person: Person, exercise_ids: dict[str, str], now: datetime
) -> None:
    """One person with the whole history; the foods and exercises must be there."""
    async with databases["users"].transaction() as connection:
        await load_accounts(connection, [_account(person, now)])
        await load_weights(connection, person.id, _weighings(person))
    async with databases["nutrition"].transaction() as connection:
        eater = PersonRecord(person.id, person.display_name, person.time_zone, person.day_start_hour)
        await load_meals(connection, eater, _meals(person), now)
    async with databases["workouts"].transaction() as connection:
        await load_workouts(connection, person.id, [_workout(each, person, exercise_ids) for each in person.workouts])


def _account(person: Person, now: datetime) -> SampleAccount:
    profile = Profile(
        date_of_birth=person.date_of_birth,
        sex=Sex(person.sex),
        height_cm=_decimal(person.height_cm),
        activity_level=ActivityLevel(person.activity_level),
        fitness_goal=FitnessGoal(person.fitness_goal),
        target_weight_kg=_decimal(person.target_weight_kg),
    )
    settings = PersonalSettings(
        time_zone=person.time_zone, day_start_hour=person.day_start_hour, units=Units(person.units)
    )
    first = min((weighing.at for weighing in person.weights), default=now)
    account = NewAccount(
        email=person.email, password=PASSWORD, display_name=person.display_name, profile=profile, settings=settings
    )
    return SampleAccount(person.id, account, first - timedelta(hours=1))


def _weighings(person: Person) -> Iterator[NewWeighing]:
    for number, weighing in enumerate(person.weights):
        weight = _decimal(weighing.weight_kg)
        yield NewWeighing(weight_kg=weight, recorded_at=weighing.at, idempotency_key=f"sample:{number}")


def _meals(person: Person) -> Iterator[NewMeal]:
    for meal in person.meals:
        items = [ItemDraft(food_id, grams=_decimal(grams)) for food_id, grams in meal.items]
        yield NewMeal(slot=MealSlot(meal.slot), at=meal.at, items=items, idempotency_key=meal.key)


def _workout(planned: PlannedWorkout, person: Person, exercise_ids: dict[str, str]) -> NewWorkout:
    return NewWorkout(
        name=planned.name,
        started_at=planned.started_at,
        ended_at=planned.ended_at,
        exercises=tuple(_exercises(planned.exercises, exercise_ids)),
        reported_kcal=None if planned.reported_kcal is None else _decimal(planned.reported_kcal),
        time_zone=person.time_zone,
        local_date=planned.local_date,
        idempotency_key=planned.key,
    )


def _exercises(planned: Iterable[PlannedExercise], exercise_ids: dict[str, str]) -> Iterator[NewWorkoutExercise]:
    for each in planned:
        sets = [NewSet(reps=reps, weight_kg=_decimal(weight)) for reps, weight in each.sets]
        if each.distance_km is not None and each.minutes is not None:
            sets.append(
                NewSet(duration_seconds=round(each.minutes * 60), distance_m=_decimal(round(each.distance_km * 1000)))
            )
        seconds = None if each.minutes is None else round(each.minutes * 60)
        yield NewWorkoutExercise(exercise_ids[each.name], tuple(sets), seconds)


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))
