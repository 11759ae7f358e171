"""Writes the sample data through the domains' own bulk functions, rows and events together. `fittracker sample-data`.

Loading again changes nothing: catalogue rows have fixed ids, accounts fixed addresses, histories idempotency keys.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import asyncpg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import text

from deploy.data_directory import DataDirectory, write_whole
from deploy.embedded import DOMAINS
from deploy.errors import FriendlyError
from deploy.parents_death import die_with_the_parent
from deploy.sample_data import (
    read_catalogue,
    read_demo,
    read_everyday,
    read_foods,
    read_own_foods,
    read_own_templates,
)
from deploy.sample_data.coaching import load_coaching
from deploy.sample_data.drinks import daily_drinks
from deploy.sample_data.goals import load_goals
from deploy.sample_data.gym import load_gym
from deploy.sample_data.histories import JOHN, account_of, eater, heart_rates_of, meals_of, training_of, weighings_of
from deploy.sample_data.kitchen import load_kitchen
from deploy.sample_data.past import with_past
from deploy.sample_data.people import Person, demo_people, last_day_of_everybody, last_day_of_john, synthetic_person
from deploy.sample_data.portions import with_typical_portions
from deploy.sample_data.reminders import load_reminders
from deploy.sample_data.steps import daily_steps
from deploy.sample_data.streaks import load_streaks
from deploy.sample_data.tape import measurements
from deploy.sample_data.training import load_training
from deploy.sample_data.webhooks import load_webhooks
from deploy.terminal import Terminal
from events.catch_up import catch_up
from events.relay import tell_from
from events.sources import Sources
from subgraphs.analytics.projections.summary import subscription as days_and_trends
from subgraphs.nutrition.domain.meal import PricedFood
from subgraphs.nutrition.projections.person import subscription as names_and_clocks
from subgraphs.nutrition.projections.training import subscription as days_of_training
from subgraphs.nutrition.sample_data import load_drinks, load_foods, load_meals, priced_catalogue
from subgraphs.shell.context import utc_now
from subgraphs.shell.database import Database
from subgraphs.users.projections.notification import subscription as notifications
from subgraphs.users.projections.planned_workout import subscription as plans
from subgraphs.users.sample_data import (
    load_accounts,
    load_heart_rates,
    load_measurements,
    load_steps,
    load_weights,
)
from subgraphs.workouts.projections.person import subscription as clocks_and_weights
from subgraphs.workouts.queries.exercise import ExerciseRecord
from subgraphs.workouts.sample_data import (
    catalogue_by_name,
    load_exercises,
    load_public_templates,
    load_workouts,
)

_PEOPLE_AT_ONCE = 50  # each portion reads the catalogues once
_PROJECTED_AT_ONCE = 10  # people with ten thousand events or so: a statement may take 15 s, on a loaded machine too
# Each subgraph's subscriptions to the others' events.
CONSUMERS = {
    "nutrition": (names_and_clocks, days_of_training),
    "workouts": (clocks_and_weights,),
    "analytics": (days_and_trends,),
    "users": (notifications, plans),  # the last: of achievements that the others make
}
_OWN_TABLES = "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class WHERE relkind = 'r' AND relowner = current_user::regrole"


def load_sample_data(users: int, days: int, seed: int, data_dir: Path, terminal: Terminal) -> None:
    """Into the databases that the environment names, else those of the stack that runs. Raises FriendlyError."""
    urls = _database_urls(data_dir)
    now = datetime.now(UTC)
    john, *others = demo_people(last_day_of_john(now))
    people = [with_past(john), *others]
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=terminal.console, disable=not terminal.console.is_terminal) as progress:
        task = progress.add_task("Foods and exercises", total=None)
        with _told_afterwards(urls, data_dir):
            asyncio.run(_load_catalogues(urls, now))
            progress.update(task, description="People", total=len(people) + users)
            asyncio.run(_load_people(urls, people, now))
            asyncio.run(_load_belongings(urls, now))
            progress.update(task, advance=len(people))
            for done in _load_synthetic(urls, Population(users, days, seed, last_day_of_everybody(now)), now):
                progress.update(task, advance=done)
        asyncio.run(_vacuum(urls.values()))
    foods, exercises = len(read_foods()) + len(read_own_foods()), len(read_catalogue())
    terminal.say(f"{foods:,} foods, {exercises} exercises and {len(people) + users:,} people are there")


@dataclass(frozen=True, slots=True)
class Population:
    """Synthetic people: how many, with how many days until `last_day`."""

    users: int
    days: int
    seed: int
    last_day: date


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


@contextmanager
def _told_afterwards(urls: Mapping[str, str], data_dir: Path) -> Iterator[None]:
    """The broker hears of what the block loads when it ends, however it ends; the projections do not wait for that.

    One that is killed leaves word in the data directory of where its rows begin, and the next tells from there.
    """
    file = data_dir / "untold-sample-data.json"
    before = asyncio.run(_newest_events(urls))
    if file.exists():
        earlier: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
        before = {name: min(newest, earlier.get(name, newest)) for name, newest in before.items()}
    elif data_dir.exists():  # else the environment names the databases
        write_whole(file, json.dumps(before))
    try:
        yield
    finally:
        asyncio.run(_tell_from(urls, before))
        file.unlink(missing_ok=True)


async def _newest_events(urls: Mapping[str, str]) -> dict[str, int]:
    async with _databases(urls) as databases:
        newest = {}
        for name, database in databases.items():
            async with database.transaction() as connection:
                newest[name] = int(await connection.scalar(text("SELECT coalesce(max(seq), 0) FROM outbox")) or 0)
        return newest


async def _tell_from(urls: Mapping[str, str], before: Mapping[str, int]) -> None:
    async with _databases(urls) as databases:
        for name, after in before.items():
            async with databases[name].transaction() as connection:
                await tell_from(connection, after)


async def _vacuum(urls: Iterable[str]) -> None:
    """What autovacuum would do to the new rows within a minute or two, while somebody works already: statistics and visibility."""

    async def vacuum(url: str) -> None:
        connection = await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://", 1))
        try:
            if tables := await connection.fetchval(_OWN_TABLES):
                await connection.execute(f"VACUUM (ANALYZE) {tables}")
        finally:
            await connection.close()

    await asyncio.gather(*map(vacuum, urls))


@asynccontextmanager
async def _databases(urls: Mapping[str, str]) -> AsyncIterator[dict[str, Database]]:
    async with AsyncExitStack() as stack:
        databases = {name: Database(url, pool_size=2, name="sample data") for name, url in urls.items()}
        for database in databases.values():
            stack.push_async_callback(database.close)
        yield databases


async def _load_catalogues(urls: Mapping[str, str], now: datetime) -> None:
    foods = [*read_own_foods(), *with_typical_portions(read_foods())]
    names = read_everyday("foods")
    everyday = [food["id"] for food in foods if food["name"] in names]
    async with _databases(urls) as databases:
        async with databases["nutrition"].transaction() as connection:
            await load_foods(connection, [*read_demo()["foods"], *foods], now, everyday)
        async with databases["workouts"].transaction() as connection:
            await load_exercises(connection, read_catalogue(), now, read_everyday("exercises"))
            await load_public_templates(connection, read_own_templates(), now)


async def _load_people(urls: Mapping[str, str], people: Sequence[Person], now: datetime) -> None:
    async with _databases(urls) as databases:
        await load_people(databases, people, await read_catalogues(databases, people), now)


async def _load_belongings(urls: Mapping[str, str], now: datetime) -> None:
    async with _databases(urls) as databases:
        await load_kitchen(databases["nutrition"], now)
        await load_gym(databases["workouts"], now)
        await load_coaching(databases, now)
        await load_goals(databases["analytics"], databases["workouts"], now)
        await load_reminders(databases["users"], now)
        await load_training(databases["workouts"], now)
        await load_streaks(databases["analytics"], now)
        await load_webhooks(databases["users"], databases["workouts"], now)


def _load_synthetic(urls: Mapping[str, str], population: Population, now: datetime) -> Iterator[int]:
    """In as many processes as there are processors, for prices and events are made in Python; yields how many came."""
    numbers = range(population.users)
    portions = [numbers[first : first + _PEOPLE_AT_ONCE] for first in range(0, len(numbers), _PEOPLE_AT_ONCE)]
    if len(portions) < 2:
        for portion in portions:
            yield _load_portion(urls, population, portion, now)
        return
    at_once = min(os.cpu_count() or 1, len(portions))
    with ProcessPoolExecutor(at_once, get_context("spawn"), die_with_the_parent, (os.getpid(),)) as processes:
        under_way = [processes.submit(_load_portion, urls, population, portion, now) for portion in portions]
        for each in as_completed(under_way):
            yield each.result()


def _load_portion(urls: Mapping[str, str], population: Population, numbers: range, now: datetime) -> int:
    """These of the population's people. Runs in a process of its own."""
    foods = _eaten()
    people = [
        synthetic_person(number, population.days, population.seed, population.last_day, foods) for number in numbers
    ]
    asyncio.run(_load_people(urls, people, now))
    return len(people)


@cache
def _eaten() -> list[tuple[str, float]]:
    """(id, kcal per 100 g) of the foods that meals are drawn from."""
    energies = [(food["id"], float(food["energy_kcal"])) for food in [*read_own_foods(), *read_foods()]]
    return [(food_id, kcal) for food_id, kcal in energies if 40 <= kcal <= 600]


@dataclass(frozen=True, slots=True)
class Catalogues:
    """What histories name: foods with their prices by id, and exercises by name."""

    foods: Mapping[str, PricedFood]
    exercises: Mapping[str, ExerciseRecord]


async def read_catalogues(databases: Mapping[str, Database], people: Iterable[Person]) -> Catalogues:
    """Every exercise, and of the foods those that these people eat."""
    eaten = {food_id for person in people for meal in person.meals for food_id, _ in meal.items}
    async with databases["nutrition"].transaction() as connection:
        foods = await priced_catalogue(connection, eaten)
    async with databases["workouts"].transaction() as connection:
        return Catalogues(foods, await catalogue_by_name(connection))


async def load_people(
    databases: Mapping[str, Database], people: Sequence[Person], catalogues: Catalogues, now: datetime
) -> None:
    """People with their whole histories, and what every subgraph makes of them; the foods and exercises must be there.

    The broker is not told: see `_told_afterwards`.
    """
    async with databases["users"].transaction() as connection:
        await load_accounts(connection, [account_of(person, now) for person in people])
        await load_weights(connection, [(person.id, weighings_of(person)) for person in people])
        await load_measurements(connection, [(person.id, list(measurements(person))) for person in people])
        await load_heart_rates(connection, [(person.id, list(heart_rates_of(person))) for person in people])
        counted = [(person.id, list(daily_steps(person))) for person in people if person.email == JOHN]
        await load_steps(connection, counted)
    async with databases["nutrition"].transaction() as connection:
        await load_meals(connection, [(eater(person), meals_of(person)) for person in people], catalogues.foods, now)
        for person in people:
            if person.email == JOHN:
                await load_drinks(connection, eater(person), daily_drinks(person), now)
    async with databases["workouts"].transaction() as connection:
        exercises = {exercise.id: exercise for exercise in catalogues.exercises.values()}
        await load_workouts(
            connection, [training_of(person, catalogues.exercises) for person in people], exercises, now
        )
    await _project(databases, [person.id for person in people])


async def _project(databases: Mapping[str, Database], user_ids: Sequence[str]) -> None:
    """Every group's projection of these people, at once: their history has not to go through the broker for that."""
    sources = Sources({name: database.writer for name, database in databases.items()})
    for name, subscription_of in ((name, each) for name, of_one in CONSUMERS.items() for each in of_one):
        for first in range(0, len(user_ids), _PROJECTED_AT_ONCE):
            few = user_ids[first : first + _PROJECTED_AT_ONCE]
            await catch_up(subscription_of(None, utc_now), databases[name].writer, sources, few)
