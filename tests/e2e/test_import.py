"""An export taken into another account, and what other apps exported: the same diary, and the second time nothing more."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.e2e.test_export import exported, fittracker, person_with_everything
from tests.testkit.running_stack import PASSWORD, ROOT, RunningStack, Visitor

#: Told before anything is logged: an import counts days of meals and workouts by the start of day that it finds in the export.
SETTINGS = """mutation { updateSettings(input: { timeZone: "Europe/Berlin", dayStartHour: 4, units: IMPERIAL }) {
  userErrors { message } } }"""
#: With a weighing, a measurement and a drink of days that the settings do not give them: they were logged elsewhere.
DAY = """mutation ($food: ID!, $recipe: ID!, $gone: ID!, $exercise: ID!) {
  dinner: logMeal(input: { slot: DINNER, at: "2026-03-28T23:30:00Z", timeZone: "Asia/Tokyo", notes: "travelling",
    items: [{ foodId: $food, grams: 123.4 }, { foodId: $recipe, grams: 80 }, { foodId: $gone, grams: 60 }] }) { userErrors { message } }
  logWeight(input: { weightKg: 81.53, recordedAt: "2026-01-10T12:00:00Z", localDate: "2026-01-11" }) { userErrors { message } }
  logMeasurement(input: { kind: HIP, valueCm: 98, recordedAt: "2026-01-10T12:00:00Z", localDate: "2026-01-09" }) { userErrors { message } }
  logWater(input: { amountMl: 300, at: "2026-01-10T12:00:00Z", localDate: "2026-01-11" }) { userErrors { message } }
  createRecipe(input: { name: "Outer", servings: 3, ingredients: [{ foodId: $recipe, grams: 50 }] }) { userErrors { message } }
  logWorkout(input: { name: "Long ago", startedAt: "2026-03-01T10:00:00Z", endedAt: "2026-03-01T11:00:00Z", reportedKcal: 512,
    sessionRpe: 7, exercises: [{ exerciseId: $exercise, notes: "slow", sets: [{ reps: 5, weightKg: 60.5, rpe: 8 }] }] }) {
    userErrors { message } }
}"""
CREATE = """mutation { createFood(input: { name: "Gone soon", category: SNACK,
  per100: { energyKcal: 100, proteinG: 3, carbsG: 20, fatG: 1 } }) { food { id } } }"""
SCHEDULE = """mutation ($id: ID!, $from: LocalDate!) { scheduleRoutine(input: { id: $id, from: $from, weeks: 1 }) {
  added present user { plannedWorkouts { nodes { id name } } } } }"""
CALENDAR = """mutation ($skipped: ID!, $moved: ID!, $done: ID!, $to: LocalDate!, $workout: ID!) {
  skipPlannedWorkout(input: { id: $skipped }) { userErrors { message } }
  updatePlannedWorkout(input: { id: $moved, date: $to, timeOfDay: "18:30", minutes: 45 }) { userErrors { message } }
  pairPlannedWorkout(input: { id: $done, workoutId: $workout }) { userErrors { message } }
}"""
#: What is new for each thing that is made, and what follows from the moment in which it was made. Nothing is published by an
#: import.
OF_THE_MOMENT = frozenset(
    {
        "id",
        "version",
        "createdAt",
        "writtenAt",
        "loggedAt",
        "emailVerified",
        "displayName",
        "email",
        "visibility",
        "published",
    }
)


def content(found: Any) -> Any:
    """Records without what names them or their moment."""
    if isinstance(found, dict):
        return {name: content(value) for name, value in found.items() if name not in OF_THE_MOMENT}
    return [content(each) for each in found] if isinstance(found, list) else found


async def imported(folder: Path, person: Visitor) -> str:
    secret = folder.with_suffix(f".{person.id}.password")
    secret.write_text(PASSWORD)
    url = person.stack.state.router_url
    return await fittracker(
        "import", str(folder), "--email", person.email, "--password-file", str(secret), "--url", url
    )


async def scheduled(person: Visitor, routine: str) -> dict[str, Any]:
    """What came of putting the routine on the days from tomorrow on."""
    start = str(datetime.now(UTC).date() + timedelta(days=1))
    result: dict[str, Any] = (await person.data(SCHEDULE, {"id": routine, "from": start}))["scheduleRoutine"]
    return result


async def with_a_calendar(person: Visitor, things: Mapping[str, str]) -> None:
    """A routine on days to come: one day is skipped, one moved, and one done ahead of its time."""
    came = await scheduled(person, things["routine"])
    assert came["added"] == 4
    skipped, moved, done, _ = [
        each["id"] for each in came["user"]["plannedWorkouts"]["nodes"] if each["id"] != things["plannedWorkout"]
    ]
    days_to_come = str(datetime.now(UTC).date() + timedelta(days=30))
    given = {"skipped": skipped, "moved": moved, "done": done, "to": days_to_come, "workout": things["recorded"]}
    told = await person.data(CALENDAR, given)
    assert all(not each["userErrors"] for each in told.values()), told


@pytest.mark.timeout(300)
async def test_an_export_makes_the_same_diary_in_another_account_and_only_once(
    stack: RunningStack, tmp_path: Path
) -> None:
    person, things = await person_with_everything(stack, SETTINGS)
    gone = (await person.data(CREATE))["createFood"]["food"]["id"]
    given = {name: things[name] for name in ("food", "recipe", "exercise")} | {"gone": gone}
    told = await person.data(DAY, given)
    assert all(not each["userErrors"] for each in told.values()), told
    await person.data("mutation ($id: ID!) { deleteFood(input: { id: $id }) { userErrors { message } } }", {"id": gone})
    await with_a_calendar(person, things)
    before = await exported(person, tmp_path / "before")
    other = await stack.register()

    await imported(tmp_path / "before", other)
    first = await exported(other, tmp_path / "first")
    await imported(tmp_path / "before", other)
    second = await exported(other, tmp_path / "second")

    for file in ("weights", "measurements", "heartRates", "stepCounts", "drinks", "nutritionTargets", "exercises", "workoutTemplates", "goals",
                 "savedMeals", "favouriteFoods", "workouts", "routines"):  # fmt: skip
        assert content(first[file]) == content(before[file]), file
        assert first[file], file
    settings, profile = first["account"][0]["settings"], first["account"][0]["profile"]
    assert first["account"][0]["defaultRestSeconds"] == 97
    planned, once_planned = ([content(each) for each in files["plannedWorkouts"]] for files in (first, before))
    assert sorted(planned, key=str) == sorted(once_planned, key=str)
    assert sorted(each["status"] for each in planned) == ["DONE", "PLANNED", "PLANNED", "PLANNED", "SKIPPED"]
    again = await scheduled(other, first["routines"][0]["id"])
    assert (again["added"], again["present"]) == (0, 4)  # as at home: what the routine put there is known to be of it
    assert (settings, profile) == (before["account"][0]["settings"], before["account"][0]["profile"])
    assert sorted(food["name"] for food in first["foods"]) == ["Outer", "SECRET", "SECRET bar"]
    for file in ("meals", "foods"):
        assert len(first[file]) == len(before[file])
    for mine, theirs in zip(before["meals"], first["meals"], strict=True):
        assert content(mine["totals"])["energyKcal"] == theirs["totals"]["energyKcal"]
        assert [mine[name] for name in ("slot", "at", "localDate", "timeZone", "notes")] == [
            theirs[name] for name in ("slot", "at", "localDate", "timeZone", "notes")
        ]
    assert [each["name"] for each in first["meals"][-1]["quickAdds"]] == ["Gone soon"]
    assert {file: records for file, records in second.items() if file not in ("account", "sessions", "days")} == {
        file: records for file, records in first.items() if file not in ("account", "sessions", "days")
    }


async def test_an_export_is_not_taken_into_its_own_account_nor_half(stack: RunningStack, tmp_path: Path) -> None:
    person = await stack.register()
    await exported(person, tmp_path / "mine")
    with pytest.raises(AssertionError, match="of this very account"):
        await imported(tmp_path / "mine", person)
    (tmp_path / "mine" / "manifest.json").unlink()
    with pytest.raises(AssertionError, match="no whole export"):
        await imported(tmp_path / "mine", person)


SAMPLES = ROOT / "tests" / "unit" / "deploy" / "app_exports"
DIARY = """{ me {
  workouts(first: 50) { nodes { name localDate timeZone caloriesBurned { kcal method } exercises { superset exercise { name isOwn } sets { kind reps weightKg } } track { distanceM bests { distance } } } }
  gear(first: 50) { nodes { name distanceM } }
  weights(first: 50) { nodes { localDate weightKg bodyFatPercent } }
  stepCounts(first: 50) { nodes { date source steps } }
  meals(first: 50) { nodes { slot localDate totals { energyKcal proteinG } } }
} }"""


async def taken(path: Path, person: Visitor) -> tuple[int, list[str]]:
    """The exit code of an import, and what it prints."""
    token = path.with_suffix(f".{person.id}.token")
    token.write_text(person.access_token)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", "import", str(path), "--token-file", str(token), "--url", person.stack.state.router_url,
        "--time-zone", "America/New_York", "--units", "imperial", cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode().splitlines()


@pytest.mark.timeout(300)
async def test_what_other_apps_exported_is_taken_once_and_told(stack: RunningStack, tmp_path: Path) -> None:
    archive = tmp_path / "everything.zip"
    with ZipFile(archive, "w") as packed:
        for file in SAMPLES.rglob("*.*"):
            packed.write(file, file.relative_to(SAMPLES))
    person = await stack.register()
    told = 'mutation { updateSettings(input: { timeZone: "Europe/Berlin" }) { userErrors { message } } }'
    await person.data(told)

    code, lines = await taken(archive, person)
    first = (await person.data(DIARY))["me"]
    again, lines_again = await taken(archive, person)
    second = (await person.data(DIARY))["me"]

    assert (code, again) == (1, 1)
    assert [line for line in lines if line.startswith("not imported")] == []
    assert "skipped: strong/strong.csv:5: Reps: 'four' is no number" in lines
    assert "not looked at: columns of hevy/workouts.csv: mood" in lines
    assert "not read: Takeout/archive_browser.html" in lines
    assert lines[-2:] == ["0 workouts were there already", "36 imported, 15 not"]
    assert lines_again[-2:] == ["14 workouts were there already", "11 imported, 15 not"]
    assert second == first
    by_name = {each["name"]: each for each in first["workouts"]["nodes"]}
    assert len(first["workouts"]["nodes"]) == 14
    push = by_name["Push, heavy"]
    assert (push["localDate"], push["exercises"][0]["exercise"]) == (
        "2026-01-06",
        {"name": "Bench Press (Barbell)", "isOwn": True},
    )
    assert push["exercises"][0]["sets"][0] == {"kind": "WARM_UP", "reps": 8, "weightKg": 61.23}
    assert by_name["Running"]["timeZone"] == "Asia/Tokyo"
    assert by_name["Evening Ride"]["caloriesBurned"] == {"kcal": 300.0, "method": "REPORTED"}
    assert by_name["Evening Ride"]["track"]["distanceM"] == 10007.56
    assert [(each["name"], each["distanceM"]) for each in first["gear"]["nodes"]] == [("Blue bicycle", 10007.56)]
    assert [each["distance"] for each in by_name["Along the equator"]["track"]["bests"]] == ["M400", "KM1", "MILE1"]
    assert push["track"] is None
    assert [each["superset"] for each in by_name["Pull"]["exercises"]] == [1, 1, None]
    assert [(each["localDate"], each["weightKg"]) for each in first["weights"]["nodes"]] == [
        ("2026-03-02", 80.45), ("2026-02-02", 81.2), ("2026-02-01", 81.65), ("2026-01-10", 82.28),
    ]  # fmt: skip
    assert {(each["date"], each["source"], each["steps"]) for each in first["stepCounts"]["nodes"]} == {
        ("2026-03-01", "Google Fit", 9120), ("2026-02-01", "Watch", 430), ("2026-02-01", "Phone", 500),
    }  # fmt: skip
    assert {(each["slot"], each["totals"]["energyKcal"]) for each in first["meals"]["nodes"]} == {
        ("BREAKFAST", 1012.5), ("SNACK", 95.0), ("BREAKFAST", 500.0),
    }  # fmt: skip
