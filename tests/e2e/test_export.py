"""What belongs to a person, out of the platform: `fittracker export` against a running stack."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.databases import database_urls, run_postgres
from deploy.personal_data.folder import ExportFolder, read_records
from deploy.personal_data.graph_client import graph_client
from deploy.personal_data.listings import EXPORTED, LEFT_OUT, LISTINGS
from router.log_lines import shown_subject
from tests.testkit.persons_things import things_of
from tests.testkit.running_stack import PASSWORD, ROOT, RunningStack, Visitor, eventually

#: Columns that no file of the export has, and why; those of a table as table.column.
LEFT_OUT_COLUMNS = {
    "user_id": "whose it is: the export is one person's",
    "created_by": "the same",
    "author_id": "another person, who wrote it by a grant: the graph shows it, as authorId",
    "idempotency_key": "what a client called one creation, so that it is made once",
    "idempotency_content": "the hash of what that creation said",
    "account.password_hash": "a secret",
    "account.totp_secret": "a secret",
    "account.totp_last_step": "guards that secret",
    "account.email_key": "the address as it is compared",
    "account.last_login_at": "the newest of the sessions has it",
    "access_grant.owner_id": "the graph names the other side, and only that: ownerName",
    "access_grant.reader_id": "the same: readerName",
    "notification.actor_id": "another person, whom the words name",
    "notification.cause": "names what happened for us, so that it is told once; kind and subjectId say it",
    "notification.mailed_at": "when it was queued for a mail, which counts mails of a day",
    "notification.hidden_at": "what was deleted is not exported",
    "reminder.next_day": "nextAt has it",
    "reminder.last_day": "guards against a second reminder of one day",
    "api_key.key_hash": "a secret",
    "passkey.credential_id": "what its keeper calls the key, of use to nobody else",
    "passkey.credential": "the public key, which proves nothing to anybody else",
    "passkey.sign_count": "guards against copies of the key",
    "webhook_endpoint.secret": "a secret",
    "webhook_endpoint.previous_secret": "a secret",
    "webhook_endpoint.previous_until": "guards that secret",
    "webhook_endpoint.expires_at": "its key's",
    "webhook_endpoint.next_at": "when something is sent next",
    "webhook_endpoint.rest_until": "until when nothing is",
    "webhook_endpoint.claimed_until": "that something is being sent",
    "webhook_endpoint.failures": "how its server does",
    "webhook_endpoint.failing_since": "how its server does",
    "webhook_endpoint.is_slow": "how its server does",
    "consent.is_current": "the newest of its purpose holds",
    "session.revoked_at": "closed sessions are not shown; they are deleted soon after",
    "weight_entry.time_zone": "the local day has what came of it",
    "water.time_zone": "the local day has what came of it",
    "food.created_at": "its id has the moment, as a UUIDv7",
    "food.deleted_at": "what was deleted is not exported",
    "exercise.created_at": "its id has the moment, as a UUIDv7",
    "food.digest": "of the catalogue only",
    "exercise.met_code": "of the catalogue only",
    "favourite_food.added_at": "the order has it: newest first",
    "meal_item.at": "its meal's",
    "meal_item.food_version": "its nutrients are those of the version",
    "workout.created_at": "its id has the moment, as a UUIDv7",
    "workout_template.planned_at": "when its plans were told, from which on they grow",
    "published_food.food_id": "the food that has it",
    "published_food.shows_author": "authorName, where the name is shown",
    "published_food.labels": "what it is found by, which follows from the rest",
    "published_food.content": "the food's numbers as they were published: per100, portions, declared and recipe have them",
    "published_food.version": "how often it was published, and decided about",
    "published_food.withdrawn_at": "the food's visibility",
    "published_food.reports": "for administrators, who decide about them",
    "published_food.reported_at": "the same",
    "public_template.template_id": "the template that has it",
    "public_template.labels": "what it is found by, which follows from the rest",
    "public_template.shows_author": "whether authorName is there",
    "public_template.muscles": "those of the exercises",
    "public_template.version": "how often it was published, and decided about",
    "public_template.withdrawn_at": "the template's visibility",
    "public_template.reports": "for administrators, who decide about them",
    "public_template.reported_at": "the same",
    "routine.planned_at": "the same",
    "planned_workout.planned_at": "the same",
    "workout.rules": "which version of our rules computed it",
    "workout.rest_started_at": "of a session that runs, for an hour at most",
    "workout.rest_ends_at": "the same",
    "workout.rest_place_id": "the same",
    "workout.rest_version": "the same",
    "planned_workout.routine_slot": "guards against planning a day of a routine twice",
    "planned_workout.is_skipped": "the status",
    "planned_meal.position": "the order has it",
    "goal.created_at": "its id has the moment, as a UUIDv7",
    "goal.counts_from": "the goal's startDate",
    "daily_summary.revision": "how often we computed it",
    "daily_summary.computed_at": "when we computed it",
}
#: What the export calls a column, where it is not the column's name in camel case.
RENAMED = {
    "step_count.local_date": "date",
    "goal.measure": "exerciseId",
    "nutrition_target.weekday_targets": "weekdays",
    "nutrition_target.training_target": "trainingDay",
    "workout.paused_at": "pauses",
    "workout.resumed_at": "pauses",
    "account.email_verified_at": "emailVerified",
    "account.totp_confirmed_at": "hasSecondFactor",
    "account.erase_at": "erasureDueAt",
    "exercise.one_sided": "isOneSided",
    "session.used_factor": "usedSecondFactor",
    "session.passkey_id": "usedPasskey",
    "daily_summary.local_date": "date",
    "planned_workout.local_date": "date",
    "planned_workout.routine_id": "routine",
    "planned_workout.workout_id": "workout",
    "default_rest.seconds": "defaultRestSeconds",
    "streak_protection.firsts": "first",
    "streak_protection.lasts": "last",
    "streak_protection.reasons": "reason",
    "workout.gear_id": "gear",
    "favourite_food.food_id": "id",
    "food.per_100": "per100",
    "food_portion.food_id": "portions",
    "food_portion.position": "portions",
    "meal_item.meal_id": "items",
    "recent_food.times": "timesLogged",
    "recent_food.last_at": "lastLoggedAt",
    "recipe_version.food_id": "recipeVersions",
    "recipe_version.content": "ingredients",
    "saved_meal.content": "items",
    "planned_meal.content": "items",
    "planned_meal.local_date": "date",
    "planned_meal.meal_id": "meal",
    "nutrition_target.nutrient_aims": "nutrients",
    "personal_record.best_one_rep_max_kg": "estimatedOneRepMaxKg",
    "template_exercise.template_id": "exercises",
    "workout.reported_kcal": "caloriesBurned",
    "workout.calories_kcal": "kcal",
    "workout.net_calories_kcal": "netKcal",
    "workout.calories_method": "method",
    "workout_track.workout_id": "track",
    "track_best.workout_id": "track",
    "track_best.exercise_id": "exercise",
    "workout_series.workout_id": "track",
    "workout_series.distance_cm": "distanceM",
    "workout_series.altitude_dm": "altitudeM",
    "workout_series.rates": "beatsPerMinute",
    "workout_series.rate_seconds": "heartRateTimes",
    "workout_exercise.workout_id": "exercises",
    "workout_exercise.planned_sets": "plan",
    "workout_exercise.planned_weight_kg": "plan",
    "workout_exercise.planned_percent": "percentOfMax",
    "workout_exercise.planned_max_kg": "maxKg",
    "workout_exercise.planned_rpe": "targetRpe",
    "template_exercise.percent": "percentOfMax",
    "template_exercise.training_max_kg": "maxKg",
    "template_exercise.formula": "oneRepMaxFormula",
    "template_exercise.step_kg": "weightStepKg",
    "workout_set.workout_id": "exercises",
    "workout_set.workout_exercise_id": "sets",
    "workout_set.one_rep_max_kg": "estimatedOneRepMaxKg",
}
REFERENCES = {"food_id": "food", "exercise_id": "exercise"}

_COLUMNS = """SELECT json_object_agg(relname, columns) FROM (
    SELECT relname, json_agg(attname) AS columns FROM pg_attribute
    JOIN pg_stat_user_tables ON relid = attrelid AND schemaname = 'public' WHERE attnum > 0 AND NOT attisdropped
    GROUP BY relname) AS each"""

MORE = """mutation ($food: ID!, $workout: ID!) {
  setFavouriteFood(input: { foodId: $food, isFavourite: true }) { food { id } }
  quickAdd(input: { energyKcal: 321, name: "SECRET cake", slot: SNACK }) { meal { id } }
  first: setNutritionTarget(input: { energyKcal: 2111, effectiveFrom: "2026-01-05",
    weekdays: [{ weekdays: [SATURDAY, SUNDAY], energyKcal: 2333 }], trainingDay: { energyKcal: 2444 } }) { userErrors { message } }
  then: setNutritionTarget(input: {
    energyKcal: 2222, effectiveFrom: "2026-02-02", nutrients: [{ nutrient: FIBER, minimum: 33 }] }) { userErrors { message } }
  completeWorkout(input: { id: $workout }) { workout { id } userErrors { message } }
  updateProfile(input: { heightCm: 181.5 }) { userErrors { message } }
}"""


async def fittracker(*words: str) -> str:
    """What a verb of the command prints; fails with that and its complaint."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", *words,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, complaint = await process.communicate()
    assert process.returncode == 0, (output + complaint).decode()
    return output.decode()


async def exported(person: Visitor, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The records of each file of a whole export, fetched with the password."""
    secret = folder.with_suffix(".password")
    secret.write_text(PASSWORD)
    url = person.stack.state.router_url
    await fittracker("export", str(folder), "--email", person.email, "--password-file", str(secret), "--url", url)
    return {listing.name: list(read_records(folder / f"{listing.name}.jsonl")) for listing in LISTINGS}


async def person_with_everything(stack: RunningStack, settings: str = "") -> tuple[Visitor, Mapping[str, str]]:
    """A person with `settings`, a mutation of theirs, and the ids of one thing of each kind."""
    person = await stack.register()
    if settings:
        await person.data(settings)
    things = await things_of(person)
    told = await person.data(MORE, {"food": things["food"], "workout": things["workout"]})
    assert all(not each.get("userErrors") for each in told.values()), told

    async def is_counted() -> bool:
        counted = await person.data("{ me { day { mealsLogged } } }")
        return bool(counted["me"]["day"]["mealsLogged"] == 2)

    await eventually(is_counted, seconds=90)
    return person, things


async def test_the_export_has_all_that_a_person_put_in_and_nobody_elses(stack: RunningStack, tmp_path: Path) -> None:
    person, things = await person_with_everything(stack)
    other, others = await person_with_everything(stack)
    found = await exported(person, tmp_path / "mine")

    assert {name for name, records in found.items() if not records} == set()
    told = [line for line in (stack.directory.logs / "users.log").read_text().splitlines() if "beginExport" in line]
    assert [shown_subject(each) in line for line in told for each in (person.id, other.id)].count(True) == 1
    for thing, file in {
        "user": "account", "weight": "weights", "measurement": "measurements", "heartRate": "heartRates", "steps": "stepCounts", "session": "sessions", "food": "foods",
        "recipe": "foods", "savedMeal": "savedMeals", "meal": "meals", "drink": "drinks", "fast": "fasts",
        "exercise": "exercises", "workout": "workouts", "template": "workoutTemplates", "goal": "goals",
    }.items():  # fmt: skip
        ids = {record["id"] for record in found[file]}
        assert things[thing] in ids, thing
        assert others[thing] not in ids, thing
    text = json.dumps(found)
    assert other.id not in text
    assert other.email not in text
    assert [target["usual"]["energyKcal"] for target in found["nutritionTargets"]] == [2222, 2111]
    assert [each["energyKcal"] for each in found["nutritionTargets"][1]["weekdays"]] == [2333]
    assert found["nutritionTargets"][0]["trainingDay"] is None
    assert found["nutritionTargets"][1]["trainingDay"]["energyKcal"] == 2444
    assert found["nutritionTargets"][0]["nutrients"] == [
        {"nutrient": "FIBER", "unit": "G", "minimum": 33.0, "maximum": None}
    ]
    assert found["account"][0]["email"] == person.email
    assert found["account"][0]["profile"]["heightCm"] == 181.5
    assert [each["weightKg"] for each in found["workouts"][0]["exercises"][0]["sets"]] == [41.5]
    assert [each["name"] for meal in found["meals"] for each in meal["quickAdds"]] == ["SECRET cake"]
    with (tmp_path / "mine" / "meals.items.csv").open(newline="") as file:
        items = [(row["in"], row["number"], row["grams"]) for row in csv.DictReader(file)]
    assert items == [(things["meal"], "1", "100.0"), (things["meal"], "2", "50.0")]
    assert json.loads((tmp_path / "mine" / "manifest.json").read_text())["records"]["meals.jsonl"] == 2


async def test_every_table_and_column_is_in_the_export_or_left_out_for_a_reason(stack: RunningStack) -> None:
    """A new table, or a new column of one that is exported, fails here until it is decided about."""
    tables = {
        f"{domain}.{table}": columns
        for domain, url in database_urls(stack.directory.path).items()
        for table, columns in json.loads(run_postgres("psql", url, "-XAtqc", _COLUMNS)).items()
    }
    undecided = {name for name in tables if name not in EXPORTED and not {name, name.split(".")[1]} & set(LEFT_OUT)}
    assert undecided == set()
    assert set(EXPORTED) <= set(tables)
    assert {name for name in LEFT_OUT if not any(name in (full, full.split(".")[1]) for full in tables)} == set()

    operations = {listing.name: set(_words(listing.operation)) for listing in LISTINGS}
    missing = {
        f"{table}.{column}"
        for table, file in EXPORTED.items()
        for column in tables[table]
        if not {column, f"{table.split('.')[1]}.{column}"} & set(LEFT_OUT_COLUMNS)
        and _exported_name(table.split(".")[1], column) not in operations[file]
    }
    assert missing == set()
    known = {f"{table.split('.')[1]}.{column}" for table in EXPORTED for column in tables[table]}
    assert {name for name in (*LEFT_OUT_COLUMNS, *RENAMED) if "." in name} <= known


def _words(operation: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in operation).split()


def _exported_name(table: str, column: str) -> str:
    first, *others = column.split("_")
    camel = first + "".join(word.capitalize() for word in others)
    return RENAMED.get(f"{table}.{column}") or REFERENCES.get(column) or camel


async def test_an_export_that_was_cut_off_goes_on_after_its_last_whole_page(
    stack: RunningStack, tmp_path: Path
) -> None:
    person, _ = await person_with_everything(stack)
    whole = await exported(person, tmp_path / "whole")
    weights = next(listing for listing in LISTINGS if listing.name == "weights")
    for day in range(1, 6):
        log = f'mutation {{ logWeight(input: {{ weightKg: 8{day}, recordedAt: "2026-03-0{day}T08:00:00Z" }}) {{ weightEntry {{ id }} }} }}'
        await person.data(log)

    folder = ExportFolder(tmp_path / "cut")
    folder.claim(person.id)
    async with graph_client(stack.state.router_url, credentials=None, token=person.access_token) as client:
        place = folder.place("weights")
        for _ in range(2):
            one_each = {"first": 1, **weights.variables(place.cursor)}
            page = weights.read(await client.ask(weights.operation, one_each))
            place = folder.append("weights", page.records, page.cursor)
    newest = list(read_records(folder.file("weights")))
    with folder.file("weights").open("ab") as lines:
        lines.write(b'{"id":"half a record, as a process leaves it that is ki')

    gone_on = await exported(person, tmp_path / "cut")
    assert len(gone_on["weights"]) == 6
    assert gone_on["weights"][:2] == newest
    assert [each["weightKg"] for each in gone_on["weights"]] == [81.53, 85, 84, 83, 82, 81]
    assert gone_on["meals"] == whole["meals"]
    assert not (tmp_path / "cut" / "progress.json").exists()


async def test_a_folder_of_another_person_is_refused(stack: RunningStack, tmp_path: Path) -> None:
    person = await stack.register()
    folder = ExportFolder(tmp_path / "others")
    folder.claim("user_of_another")
    folder.append("weights", [], None)
    token = tmp_path / "token"
    token.write_text(person.access_token)
    url = stack.state.router_url
    with pytest.raises(AssertionError, match="was begun for another person"):
        await fittracker("export", str(folder.path), "--token-file", str(token), "--url", url)
