"""What readers make of other apps' exports. The samples in `app_exports/` are ours, in the form that each app writes."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest

from deploy import sample_data
from deploy.errors import FriendlyError
from deploy.personal_data.convert import convert
from deploy.personal_data.exercise_names import TABLE, ExerciseNames, catalogue_names, words_of
from deploy.personal_data.folder import read_records
from deploy.personal_data.present_workouts import PresentWorkouts
from deploy.personal_data.sources import apple_health, sheet
from deploy.personal_data.sources.archive import Archive
from deploy.personal_data.sources.formats import read_archive
from deploy.personal_data.sources.quantities import number
from deploy.personal_data.sources.reading import Person, Reading, SkippedError

SAMPLES = Path(__file__).with_name("app_exports")
BERLIN = Person(ZoneInfo("Europe/Berlin"), 4, is_metric=True)
NEW_YORK = Person(ZoneInfo("America/New_York"), 4, is_metric=False)


def read(path: Path, person: Person = BERLIN) -> tuple[dict[str, list[dict[str, Any]]], Reading]:
    """The records by listing, and what is told."""
    reading = Reading()
    found: dict[str, list[dict[str, Any]]] = {}
    for each in read_archive(Archive(path), person, reading):
        found.setdefault(each.listing, []).append(each.record)
    return found, reading


def sets_of(workout: dict[str, Any], *fields: str) -> dict[str, list[tuple[Any, ...]]]:
    return {
        each["exercise"]["name"]: [tuple(one[field] for field in fields) for one in each["sets"]]
        for each in workout["exercises"]
    }


def test_strong_has_kinds_of_sets_and_the_persons_units_and_clock() -> None:
    found, reading = read(SAMPLES / "strong" / "strong.csv", NEW_YORK)
    push, cardio = found["workouts"]
    assert (push["name"], push["startedAt"], push["endedAt"]) == (
        "Push, heavy",
        "2026-01-05T23:22:14Z",
        "2026-01-06T00:27:14Z",
    )
    assert sets_of(push, "kind", "reps", "weightKg", "rpe") == {
        "Bench Press (Barbell)": [
            ("WARM_UP", 8, 61.23, None),
            ("NORMAL", 5, 102.06, 8.5),
            ("DROP", 10, 83.91, None),
        ],
        "Garage Sled Shove": [("NORMAL", 12, 45.36, None)],
    }
    assert push["exercises"][0]["notes"] == 'felt "light"'
    assert push["notes"] == "Slept badly"
    assert sets_of(cardio, "distanceM", "durationSeconds") == {"Running": [(4988.97, 1500)]}
    tracking = {each["name"]: (each["tracking"], each["equipment"]) for each in found["exercises"]}
    assert tracking == {
        "Bench Press (Barbell)": ("WEIGHT_REPS", "BARBELL"),
        "Garage Sled Shove": ("WEIGHT_REPS", None),
        "Running": ("DISTANCE_TIME", None),
    }
    assert reading.reasons == [
        "strong.csv:5: Reps: 'four' is no number",
        "strong.csv:9: the set has neither repetitions nor a duration nor a distance",
        "strong.csv:10: Date: 'sometime' is no moment",
        "strong.csv:11: has 13 cells under 12 columns",
    ]
    assert reading.read == Counter({"strong.csv": 10})


def test_strongs_older_form_has_units_in_its_columns_and_hours_that_clocks_skip() -> None:
    found, reading = read(SAMPLES / "strong" / "older.csv", BERLIN)
    night, forgotten = found["workouts"]
    # 02:30 was not shown on that day: clocks went from 02:00 to 03:00 in Berlin.
    assert (night["startedAt"], night["endedAt"]) == ("2025-03-30T01:30:00Z", "2025-03-30T02:30:00Z")
    assert sets_of(night, "weightKg") == {"Squat (Barbell)": [(102.5,)]}
    assert forgotten["endedAt"] == forgotten["startedAt"]
    assert reading.reasons == ["older.csv:3: Set Order: 'X' is no kind of set that is known"]


def test_hevy_has_supersets_kinds_of_sets_text_over_lines_and_columns_that_nobody_knows() -> None:
    found, reading = read(SAMPLES / "hevy")
    (pull,) = found["workouts"]
    assert (pull["startedAt"], pull["endedAt"]) == ("2026-02-05T17:22:00Z", "2026-02-05T18:30:00Z")
    assert pull["notes"] == "with Ana\nand Ben"
    assert [each["superset"] for each in pull["exercises"]] == [1, 1, None]
    assert sets_of(pull, "kind", "reps", "weightKg", "distanceM", "durationSeconds") == {
        "Pull Up": [("WARM_UP", 5, None, None, None), ("NORMAL", 9, None, None, None)],
        "Bicep Curl (Dumbbell)": [("DROP", 10, 12.5, None, None), ("FAILURE", 7, 10.0, None, None)],
        "Treadmill": [("NORMAL", None, None, 2500.0, 900)],
    }
    assert reading.unused == {"workouts.csv": ("mood",)}
    assert reading.reasons == ["workouts.csv:12: set_type: 'cluster' is no kind of set that is known"]


def test_myfitnesspals_meals_are_quick_adds_of_the_persons_day() -> None:
    found, reading = read(SAMPLES / "myfitnesspal", NEW_YORK)
    breakfast, extra = found["meals"]
    assert (breakfast["slot"], breakfast["at"], breakfast["timeZone"], breakfast["notes"]) == (
        "BREAKFAST",
        "2026-01-10T13:00:00Z",
        "America/New_York",
        "late",
    )
    assert breakfast["quickAdds"] == [
        {"name": "Breakfast", "energyKcal": 1012.5, "proteinG": 31.0, "carbsG": 120.5, "fatG": 30.2}
    ]
    assert (extra["slot"], extra["quickAdds"][0]["name"]) == ("SNACK", "Pre-workout")
    assert [(each["weightKg"], each["recordedAt"]) for each in found["weights"]] == [(82.28, "2026-01-10T13:00:00Z")]
    rowing, halo = found["workouts"]
    assert (rowing["caloriesBurned"]["kcal"], rowing["endedAt"]) == (210.0, "2026-01-10T22:35:00Z")
    assert sets_of(halo, "reps", "weightKg") == {"Kettlebell Halo": [(12, 15.88)] * 3}
    nutrition = "Nutrition-Summary-2026-01-01-to-2026-01-31.csv"
    assert reading.unused[nutrition] == ("Saturated Fat", "Cholesterol", "Sodium (mg)", "Fiber", "Sugar")
    assert [reason for reason in reading.reasons if nutrition in reason] == [
        f"{nutrition}:4: Calories is empty",
        f"{nutrition}:5: Date: '10.1.2026' is no day",
    ]


def test_apple_healths_weighings_meals_and_workouts_by_their_own_clocks() -> None:
    found, reading = read(SAMPLES / "apple_health_export")
    assert [(each["recordedAt"], each["weightKg"], each["bodyFatPercent"]) for each in found["weights"]] == [
        ("2026-02-01T06:30:00Z", 81.65, None),
        ("2026-02-02T06:30:00Z", 81.2, 21.5),
    ]
    assert [(each["date"], each["source"], each["steps"], each["countedAt"]) for each in found["stepCounts"]] == [
        ("2026-02-01", "Phone", 500, "2026-02-02T00:20:00Z"),  # the night until four is of the day before
        ("2026-02-01", "Watch", 430, "2026-02-01T09:05:00Z"),
    ]
    (lunch,) = found["meals"]
    assert (lunch["slot"], lunch["at"]) == ("LUNCH", "2026-02-02T12:00:00Z")
    assert lunch["quickAdds"] == [
        {"name": "Diary", "energyKcal": 500.0, "proteinG": 31.0, "carbsG": None, "fatG": None}
    ]
    run, curling = found["workouts"]
    assert (run["startedAt"], run["timeZone"], run["activeMinutes"]) == ("2026-02-03T09:00:00Z", "Asia/Tokyo", 29.0)
    assert run["caloriesBurned"]["kcal"] == 350.5
    assert (run["track"]["distanceM"], run["track"]["ascentM"], curling["track"]) == (4447.8, 0.0, None)
    assert sets_of(run, "distanceM", "durationSeconds") == {"Running, general": [(5200.0, 1740)]}
    assert (curling["name"], curling["exercises"], curling["caloriesBurned"]["kcal"]) == ("Curling", [], 200.0)
    assert reading.reasons == [
        "export.xml:16: value: '81.2' 'bushel' is no amount in a unit that is known",
        "export.xml:30: startDate: 'yesterday' is no moment",
        "export.xml:18: body fat without a body mass of the same moment",
    ]


def test_google_fits_sessions_and_weights() -> None:
    found, reading = read(SAMPLES / "Takeout")
    (ride,) = found["workouts"]
    assert (ride["name"], ride["startedAt"], ride["caloriesBurned"]["kcal"]) == (
        "Biking",
        "2026-03-01T06:30:00.250000Z",
        512.35,
    )
    assert sets_of(ride, "distanceM", "durationSeconds") == {"Bicycling, general": [(21000.5, 3500)]}
    assert [(each["weightKg"], each["recordedAt"]) for each in found["weights"]] == [(80.45, "2026-03-02T07:00:00Z")]
    assert [(each["date"], each["source"], each["steps"]) for each in found["stepCounts"]] == [
        ("2026-03-01", "Google Fit", 9120)
    ]
    assert reading.reasons == ["Fit/All Sessions/2026-03-01T22_00_00Z_SLEEP.json: sleep is no workout"]
    assert reading.unread == ["archive_browser.html"]


def test_strava_counts_the_metres_and_seconds_of_its_second_columns_and_clocks_of_utc() -> None:
    found, reading = read(SAMPLES / "strava", NEW_YORK)
    ride, chess = found["workouts"]
    assert (ride["startedAt"], ride["endedAt"]) == ("2026-03-04T17:22:14Z", "2026-03-04T17:52:24Z")
    assert (ride["notes"], ride["activeMinutes"], ride["caloriesBurned"]["kcal"]) == ("hills, wind", 28.3333, 300.0)
    assert sets_of(ride, "distanceM", "durationSeconds") == {"Bicycling, general": [(10020.5, 1700)]}
    assert (chess["name"], chess["exercises"]) == ("Chess", [])
    assert (ride["track"]["distanceM"], chess["track"]) == (10007.56, None)
    assert reading.reasons == ["activities.csv:4: Elapsed Time: 'x' is no number"]
    assert [each["met"] for each in found["exercises"]] == [7.5]
    assert [(each["name"], each["kind"]) for each in found["gear"]] == [("Blue bicycle", "BICYCLE")]
    assert (ride["gear"]["id"], chess["gear"]) == (found["gear"][0]["id"], None)


def test_a_zip_of_all_is_read_as_its_files_are_and_written_in_the_shape_of_an_export(tmp_path: Path) -> None:
    archive = tmp_path / "everything.zip"
    with ZipFile(archive, "w") as packed:
        for file in SAMPLES.rglob("*.*"):
            packed.write(file, file.relative_to(SAMPLES))
    (tmp_path / "folder").mkdir()
    convert(Archive(archive), BERLIN, tmp_path / "folder", Reading())
    written = list(read_records(tmp_path / "folder" / "workouts.jsonl"))
    unpacked, _ = read(SAMPLES)
    assert sorted(each["id"] for each in written) == sorted(each["id"] for each in unpacked["workouts"])
    assert len({each["id"] for each in written}) == len(written) == 14
    assert list(read_records(tmp_path / "folder" / "goals.jsonl")) == []


def test_what_no_reader_is_for_is_refused(tmp_path: Path) -> None:
    (tmp_path / "poem.txt").write_text("Date,Weight", encoding="utf-8")
    (tmp_path / "out").mkdir()
    with pytest.raises(FriendlyError, match="no file in it is one that can be read"):
        convert(Archive(tmp_path / "poem.txt"), BERLIN, tmp_path / "out", Reading())
    with pytest.raises(FriendlyError, match="is not there"):
        Archive(tmp_path / "absent.csv")


def test_entities_are_refused_and_xml_that_ends_early_keeps_what_came_before(tmp_path: Path) -> None:
    sample = (SAMPLES / "apple_health_export" / "export.xml").read_text(encoding="utf-8")
    (tmp_path / "bomb.xml").write_text(sample.replace("<!ELEMENT", '<!ENTITY a "aaaa"><!ELEMENT', 1), encoding="utf-8")
    found, reading = read(tmp_path / "bomb.xml")
    assert found == {}
    assert "bomb.xml: defines entities" in reading.reasons[0]
    (tmp_path / "bomb.xml").write_text(
        sample[: sample.index('<Record type="HKQuantityTypeIdentifierBodyFat')], encoding="utf-8"
    )
    found, reading = read(tmp_path / "bomb.xml")
    assert [each["weightKg"] for each in found["weights"]] == [81.65, 81.2]
    assert reading.reasons[-1] == "bomb.xml:17: this line and all after it: no element found"


def test_a_damaged_file_is_told_and_stops_no_other(tmp_path: Path) -> None:
    for name in ("activities.csv", "activities/9001.gpx.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        content = (SAMPLES / "strava" / name).read_bytes()
        (tmp_path / name).write_bytes(content[:-12] if name.endswith(".gz") else content)
    (tmp_path / "cut.gpx.gz").write_bytes(b"\x1f\x8b\x08\x00")
    archive = tmp_path.with_suffix(".zip")
    with ZipFile(archive, "w") as packed:
        for file in (*tmp_path.rglob("*.*"), SAMPLES / "strong" / "strong.csv"):
            packed.write(file, file.name if file.suffix == ".csv" else file.relative_to(tmp_path))
    spoiled = archive.read_bytes().replace(b"Bench Press (Barbell),W", b"Bench Press (Barbell),V", 1)
    archive.write_bytes(spoiled)  # the checksum of that file is no longer what the zip says

    found, reading = read(archive)
    assert [(each["name"], each["track"]) for each in found["workouts"]][:2] == [
        ("Evening Ride", None),
        ("Chess", None),
    ]
    told = {reason.partition(":")[0]: reason for reason in reading.reasons}
    assert "cannot be unpacked" in told["activities/9001.gpx.gz"]
    assert "cannot be unpacked" in told["cut.gpx.gz"]
    assert "Bad CRC-32" in told["strong.csv"]


def test_a_large_export_is_read_piece_by_piece() -> None:
    """A file that is made while it is read, of which no more than a few pieces are asked for before the first workout comes."""
    element = (
        b'<Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="29" durationUnit="min"'
        b' startDate="2026-02-03 18:00:00 +0900" endDate="2026-02-03 18:31:00 +0900"></Workout>\n'
    )
    asked = Counter[str]()

    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            asked["pieces"] += 1
            return b"<HealthData>" if asked["pieces"] == 1 else element * (size // len(element))

    source: Any = Endless()
    records: Iterator[Any] = apple_health.APPLE_HEALTH.read(
        apple_health.Source("export.xml", source, BERLIN, Reading())
    )
    assert next(records).listing == "workouts"
    assert asked["pieces"] == 2


def test_rows_beyond_the_bound_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MOST_ROWS", 3)
    found, reading = read(SAMPLES / "strong" / "strong.csv", BERLIN)
    assert len(found["workouts"]) == 1
    assert reading.reasons == ["strong.csv:5: this line and all after it: a table has at most 3 rows"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,012.5", "1012.5"), ("1,234,567", "1234567"), ("80,5", "80.5"), (" 7 ", "7"), ("-.5", "-0.5")],
)
def test_commas_are_decimal_where_they_do_not_stand_between_thousands(text: str, value: str) -> None:
    assert str(number(text, "x")) == value


@pytest.mark.parametrize("text", ["1e999", "NaN", "12 kg", "1" * 13])
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(SkippedError, match="is no number"):
        number(text, "x")


def test_exercises_are_found_by_their_words_or_by_the_table() -> None:
    names = ExerciseNames(
        [
            {"id": "catalogue", "name": "Seated Cable Rows", "isOwn": False},
            {"id": "bench", "name": "Barbell Bench Press - Medium Grip", "isOwn": False},
            {"id": "own", "name": "Cable Row, seated", "isOwn": True},
        ]
    )
    assert names.find("Seated Row (Cable)") == "own"
    assert names.find("Bench Press (Barbell)") == "bench"
    assert names.find("Bench Press") is None


def test_every_exercise_of_the_table_is_in_the_catalogue() -> None:
    rows = gzip.decompress((Path(sample_data.__file__).parent / "exercises.jsonl.gz").read_bytes()).splitlines()
    catalogue = {words_of(json.loads(row)["name"]) for row in rows}
    assert {words for words in catalogue_names().values() if words not in catalogue} == set()
    assert len(catalogue_names()) == len(TABLE.read_text(encoding="utf-8").splitlines()) - 1


def test_a_workout_of_the_same_start_and_length_is_there_already() -> None:
    present = PresentWorkouts([{"startedAt": "2026-03-04T17:22:14Z", "endedAt": "2026-03-04T18:22:14Z"}])

    def has(start: str, end: str) -> bool:
        return present.has({"startedAt": f"2026-03-04T{start}Z", "endedAt": f"2026-03-04T{end}Z"})

    assert has("17:19:14", "18:25:00")
    assert has("17:25:14", "18:25:14")
    assert not has("17:19:13", "18:19:13")
    assert not has("17:22:14", "18:32:00")
    assert not has("17:22:14", "18:10:00")


def test_a_recording_of_the_same_start_and_distance_is_there_already_however_long_its_pauses_were() -> None:
    def ridden(end: str, metres: float) -> dict[str, Any]:
        return {"startedAt": "2026-03-04T17:22:14Z", "endedAt": f"2026-03-04T{end}Z", "track": {"distanceM": metres}}

    present = PresentWorkouts([ridden("18:22:14", 20_000.0), {**ridden("19:22:14", 0.0), "track": None}])
    assert present.has(ridden("20:30:00", 20_900.0))
    assert not present.has(ridden("20:30:00", 22_000.0))
    assert not present.has({**ridden("20:30:00", 0.0), "track": None})
