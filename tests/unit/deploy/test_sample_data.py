"""The sample files hold what their README says, and synthetic people have the energy balance they claim."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from statistics import linear_regression

import pytest

from deploy.embedded import DOMAINS
from deploy.sample_data import (
    DIRECTORY,
    read_catalogue,
    read_demo,
    read_everyday,
    read_exercises,
    read_foods,
    read_own_exercises,
    read_own_foods,
    sample_id,
)
from deploy.sample_data.load import CONSUMERS
from deploy.sample_data.past import with_past
from deploy.sample_data.people import (
    KCAL_PER_KG,
    ZONES,
    day_of_john,
    demo_people,
    last_day_of_everybody,
    synthetic_people,
)
from deploy.sample_data.portions import with_typical_portions
from deploy.sample_data.recorded_run import RUN_SECONDS, recorded_run
from subgraphs.shell.errors import Checks
from subgraphs.workouts.domain.track import check_track

LAST_DAY = date(2026, 3, 29)  # a day with a clock change in Europe
FOODS = [(sample_id("food", str(number)), 50.0 + 10 * number) for number in range(40)]


def test_there_are_more_than_five_thousand_foods_with_energy_and_macronutrients() -> None:
    foods = read_foods()
    assert len(foods) == 7133
    assert len({food["id"] for food in foods}) == len(foods)
    assert all(food["name"] and food["energy_kcal"] and food["protein_g"] and food["fat_g"] for food in foods)


def test_portions_weigh_what_somebody_can_eat() -> None:
    portions = [portion for food in read_foods() if food["portions"] for portion in food["portions"].split("|")]
    assert len(portions) > 2_500
    assert all(0 < float(portion.rpartition(":")[2]) <= 2_000 for portion in portions)


def test_foods_told_in_grams_only_get_the_measures_of_what_they_are() -> None:
    foods = {food["name"]: food["portions"].split("|") for food in with_typical_portions(read_foods())}
    assert foods["Banana, raw"][0] == "medium:118"
    assert foods["Egg, whole, raw"][0] == "large:50"
    assert foods["Bread, white"] == ["slice:28"]
    assert foods["Rice, white, cooked, no added fat"] == ["cup:158"]
    assert foods["Olive oil"][0] == "tablespoon:13.5"
    assert foods["Fish, salmon, baked or broiled"] == ["fillet:170"]
    assert foods["Banana chips"] != foods["Banana, raw"]
    measured = [parts for parts in foods.values() if any(not part.startswith("serving:") for part in parts if part)]
    assert len(measured) > 2_500
    assert all(len(parts) == len({part.rpartition(":")[0] for part in parts}) for parts in foods.values())


def test_own_foods_and_exercises_have_everything_that_the_tables_have() -> None:
    assert all(set(food) == set(read_own_foods()[0]) for food in read_own_foods())
    assert not {food["name"] for food in read_own_foods()} & {food["name"] for food in read_foods()}
    known = {exercise["name"] for exercise in read_exercises()}
    own = read_own_exercises()
    assert not {exercise["name"] for exercise in own} & known
    assert all(set(exercise) <= {*read_exercises()[0]} for exercise in own)
    named = known | {exercise["name"] for exercise in own}
    assert read_everyday("exercises") <= named
    assert read_everyday("foods") <= {food["name"] for food in [*read_foods(), *read_own_foods()]}


def test_everyday_exercises_have_instructions_of_a_few_short_sentences() -> None:
    with (DIRECTORY / "exercise_instructions.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    names = [row["name"] for row in rows]
    assert names == sorted(set(names))
    assert len(names) >= 120
    assert set(names) <= {exercise["name"] for exercise in read_catalogue()}
    assert read_everyday("exercises") <= set(names)
    assert len({row["instructions"] for row in rows}) == len(rows)
    for row in rows:
        assert 2 <= len(re.findall(r"\.(?: |$)", row["instructions"])) <= 4, row
        assert 60 <= len(row["instructions"]) <= 400, row
        assert row["instructions"] == " ".join(row["instructions"].split()), row
    told = {exercise["name"]: exercise["instructions"] for exercise in read_catalogue() if exercise["instructions"]}
    assert told == {row["name"]: row["instructions"] for row in rows}


def test_there_are_more_than_eight_hundred_exercises_each_with_one_name() -> None:
    exercises = read_exercises()
    assert len(exercises) == 913
    assert len({exercise["name"] for exercise in exercises}) == 913
    activities = [exercise for exercise in exercises if exercise["metCode"]]
    assert all(activity["met"] > 1 and activity["metEdition"] == "2011" for activity in activities)


def test_johns_week_has_the_sums_of_the_first_fittracker() -> None:
    demo = read_demo()
    kcal = {food["id"]: food["energy_kcal"] for food in demo["foods"]}
    john, *others = demo_people(LAST_DAY)
    assert len(john.meals) == 28
    days = {meal.local_date for meal in john.meals}
    for day in days:
        of_day = [item for meal in john.meals if meal.local_date == day for item in meal.items]
        assert round(sum(kcal[food] * grams / 100 for food, grams in of_day), 6) == 1674
    minutes = [(workout.ended_at - workout.started_at).total_seconds() / 60 for workout in john.workouts]
    assert sum(minutes) == 305
    assert sum(workout.reported_kcal or 0 for workout in john.workouts) == 2080
    assert [person.email for person in others] == [
        "jane.smith@example.com",
        "mike.johnson@example.com",
        "sarah.williams@example.com",
        "alex.brown@example.com",
    ]


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-12-01T00:43:00+00:00", "2026-11-30"),
        ("2026-12-01T02:59:59+00:00", "2026-11-30"),
        ("2026-12-01T03:00:00+00:00", "2026-12-01"),
        ("2026-07-01T01:59:59+00:00", "2026-06-30"),
        ("2026-07-01T02:00:00+00:00", "2026-07-01"),
    ],
)
def test_johns_day_begins_at_four_in_berlin(now: str, day: str) -> None:
    assert day_of_john(datetime.fromisoformat(now)).isoformat() == day


@pytest.mark.parametrize("hour", range(24))
def test_nobody_has_entries_of_hours_to_come(hour: int) -> None:
    now = datetime(2026, 12, 1, hour, 30, tzinfo=UTC)
    synthetic = list(synthetic_people(len(ZONES), 7, 1, last_day_of_everybody(now), FOODS))
    assert {person.time_zone for person in synthetic} == set(ZONES)
    for person in (*demo_people(day_of_john(now) - timedelta(days=1)), *synthetic):
        assert max(weighing.at for weighing in person.weights) <= now
        assert max((meal.at for meal in person.meals), default=now) <= now
        assert max((workout.ended_at for workout in person.workouts), default=now) <= now


def test_demo_exercises_and_foods_exist() -> None:
    names = {exercise["name"] for exercise in read_exercises()}
    assert {each.name for workout in demo_people(LAST_DAY)[0].workouts for each in workout.exercises} <= names
    people = synthetic_people(4, 14, 1, LAST_DAY, FOODS)
    assert {each.name for person in people for workout in person.workouts for each in workout.exercises} <= names


def test_barcodes_are_valid_and_of_the_range_for_in_store_use() -> None:
    codes = [food["gtin"] for food in read_demo()["foods"] if food["gtin"]]
    assert len(codes) == 5
    for code in codes:
        assert code.startswith("2")
        assert len(code) == 13
        assert sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(code)) % 10 == 0


def test_the_same_seed_gives_the_same_people() -> None:
    first = list(synthetic_people(3, 10, 7, LAST_DAY, FOODS))
    assert first == list(synthetic_people(3, 10, 7, LAST_DAY, FOODS))
    assert first != list(synthetic_people(3, 10, 8, LAST_DAY, FOODS))


def test_weights_follow_the_energy_balance_they_were_drawn_from() -> None:
    for person in synthetic_people(20, 365, 1, LAST_DAY, FOODS):
        assert person.daily_balance_kcal is not None
        days = [float(weighing.local_date.toordinal()) for weighing in person.weights]
        slope = linear_regression(days, [weighing.weight_kg for weighing in person.weights]).slope
        assert abs(slope * KCAL_PER_KG - person.daily_balance_kcal) < 40
        assert 0.65 < len(person.weights) / 365 < 0.95


def test_people_live_in_at_least_six_time_zones() -> None:
    assert len({person.time_zone for person in synthetic_people(16, 3, 1, LAST_DAY, FOODS)}) >= 6


def test_john_has_a_year_behind_him_that_ends_with_his_week() -> None:
    week = demo_people(LAST_DAY)[0]
    john = with_past(week)
    assert john.meals[-28:] == week.meals
    assert john.workouts[-5:] == week.workouts
    first = john.weights[0]
    assert (LAST_DAY - first.local_date).days == 364
    assert [each.local_date for each in john.weights] == sorted({each.local_date for each in john.weights})
    assert 6 < first.weight_kg - john.weights[-1].weight_kg < 9
    assert len({(each.at, each.slot) for each in john.meals}) == len(john.meals) > 1_000
    assert 100 < len(john.workouts) < 250
    keys = [each.key for each in (*john.meals, *john.workouts)]
    assert len(set(keys)) == len(keys)
    kcal = {food["id"]: food["energy_kcal"] for food in read_demo()["foods"]}
    eaten = [kcal[food] * grams / 100 for meal in john.meals[:-28] for food, grams in meal.items]
    assert 2_200 < sum(eaten) / len({meal.local_date for meal in john.meals[:-28]}) < 2_400
    assert with_past(demo_people(LAST_DAY)[0]) == john


def test_johns_recorded_run_is_what_a_recording_can_say() -> None:
    run, checks = recorded_run(), Checks()
    check_track(checks, run, Decimal(RUN_SECONDS))
    checks.done()
    assert run.series is not None
    assert (len(run.series.seconds), sum(run.rate_times.seconds)) == (1000, RUN_SECONDS)
    assert sum(split.seconds for split in run.km_splits) == pytest.approx(RUN_SECONDS, abs=1)


def test_a_load_lets_every_consumer_group_catch_up() -> None:
    consumers = {name: import_module(f"subgraphs.{name}.app").SUBGRAPH.consumers for name in DOMAINS}
    assert {name: tuple(found) for name, found in consumers.items() if found} == CONSUMERS
