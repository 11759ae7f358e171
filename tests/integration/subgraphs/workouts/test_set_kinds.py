"""What a set counts for by its kind, over a real database; and what else a set tells."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import errors_of, told, workouts_subgraph

_people = count(1)
LOG = """mutation ($input: LogWorkoutInput!) { it: logWorkout(input: $input) { workout { id volumeKg
  exercises { sets { id kind loadKg estimatedOneRepMaxKg oneRepMaxes { kg } tempo notes side } } } userErrors { code field } } }"""
START = "mutation ($input: StartWorkoutInput!) { it: startWorkout(input: $input) { workout { id exercises { plan { weightKg } } } userErrors { code field } } }"
SET = "mutation ($input: LogSetInput!) { it: logSet(input: $input) { records set { id } userErrors { code field } } }"
EDIT = "mutation ($input: EditSetInput!) { it: editSet(input: $input) { set { kind tempo notes } userErrors { code field } } }"
KEEP = "mutation ($input: CreateTemplateInput!) { it: createTemplate(input: $input) { template { id } userErrors { code } } }"
OF_PERSON = """query ($who: [_Any!]!) { _entities(representations: $who) { ... on User {
  personalRecords { nodes { maxWeightKg maxReps estimatedOneRepMaxKg bestSetVolumeKg } }
  trainingWeeks(from: "2026-03-02", to: "2026-03-08") { muscles { muscle hardSets volumeKg } } } } }"""
DAY = {"name": "Chest", "startedAt": "2026-03-03T10:00:00Z", "endedAt": "2026-03-03T11:00:00Z"}


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_set_kinds") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def logged(workouts: SubgraphUnderTest, person: str, *sets: dict[str, Any]) -> Any:
    exercises = [{"exerciseId": "press", "sets": list(sets)}]
    return (await told(workouts, person, LOG, **DAY, exercises=exercises))["workout"]


async def of_person(workouts: SubgraphUnderTest, person: str) -> Any:
    given = {"who": [{"__typename": "User", "id": person}]}
    return (await workouts.data(OF_PERSON, person, given))["_entities"][0]


@pytest.mark.parametrize(
    ("kind", "volume", "hard_sets", "is_strength"),
    [
        ("NORMAL", 500.0, 1.0, True),
        ("WARM_UP", 0.0, 0.0, False),
        ("DROP", 500.0, 1.0, True),
        ("FAILURE", 500.0, 1.0, True),
        ("TIMED", 500.0, 1.0, True),
        ("AMRAP", 500.0, 1.0, True),
        ("MYO_REPS", 500.0, 1.0, False),
        ("PARTIAL", 500.0, 1.0, False),
    ],
)
async def test_a_set_counts_by_its_kind(
    workouts: SubgraphUnderTest, person: str, kind: str, volume: float, hard_sets: float, is_strength: bool
) -> None:
    done = await logged(workouts, person, {"kind": kind, "reps": 10, "weightKg": 50})
    assert done["volumeKg"] == volume
    (one,) = done["exercises"][0]["sets"]
    assert one["loadKg"] == 50.0, "what a repetition moved is told of each"
    assert one["estimatedOneRepMaxKg"] == (66.67 if is_strength else None)
    assert bool(one["oneRepMaxes"]) == is_strength
    found = await of_person(workouts, person)
    chest = [
        (each["hardSets"], each["volumeKg"])
        for week in found["trainingWeeks"]
        for each in week["muscles"]
        if each["muscle"] == "CHEST"
    ]
    assert chest == ([(hard_sets, volume)] if hard_sets else [])
    best = {"maxWeightKg": 50.0, "maxReps": 10, "estimatedOneRepMaxKg": 66.67, "bestSetVolumeKg": 500.0}
    assert found["personalRecords"]["nodes"] == ([best] if is_strength else [])


@pytest.mark.parametrize(
    ("sides", "volume", "hard_sets"),
    [((None,), 500.0, 1.0), (("EACH",), 1000.0, 1.0), (("LEFT", "RIGHT"), 1000.0, 1.0), (("LEFT",), 500.0, 0.5)],
)
async def test_a_set_of_one_side_is_half_a_hard_set_and_one_of_each_side_has_twice_the_volume(
    workouts: SubgraphUnderTest, person: str, sides: tuple[str | None, ...], volume: float, hard_sets: float
) -> None:
    done = await logged(workouts, person, *({"reps": 10, "weightKg": 50, "side": side} for side in sides))
    assert done["volumeKg"] == volume
    assert [one["side"] for one in done["exercises"][0]["sets"]] == list(sides)
    found = await of_person(workouts, person)
    (chest,) = [each for each in found["trainingWeeks"][0]["muscles"] if each["muscle"] == "CHEST"]
    assert (chest["hardSets"], chest["volumeKg"]) == (hard_sets, volume)
    (best,) = found["personalRecords"]["nodes"]
    assert best["bestSetVolumeKg"] == 500.0, "records are of one side"


async def test_the_side_of_a_set_is_changed_and_cleared_and_its_volume_follows(
    workouts: SubgraphUnderTest, person: str
) -> None:
    done = await logged(workouts, person, {"reps": 10, "weightKg": 50, "side": "LEFT"})
    (one,) = done["exercises"][0]["sets"]
    place = {"workoutId": done["id"], "setId": one["id"]}
    volume = "query ($id: ID!) { workout(id: $id) { volumeKg } }"
    for change, side, kg in (
        ({"side": "EACH"}, "EACH", 1000.0),
        ({"reps": 9}, "EACH", 900.0),
        ({"side": None}, None, 450.0),
    ):
        assert (await told(workouts, person, EDIT.replace("tempo", "side"), **place, **change))["set"]["side"] == side
        assert (await workouts.data(volume, person, {"id": done["id"]}))["workout"]["volumeKg"] == kg


async def test_a_hold_has_no_volume_and_is_no_hard_set_and_its_weight_is_a_record(
    workouts: SubgraphUnderTest, person: str
) -> None:
    done = await logged(workouts, person, {"kind": "TIMED", "durationSeconds": 45, "weightKg": 20})
    assert done["volumeKg"] == 0.0
    found = await of_person(workouts, person)
    assert found["trainingWeeks"] == []
    assert [each["maxWeightKg"] for each in found["personalRecords"]["nodes"]] == [20.0]


async def test_no_record_and_no_progression_comes_of_partial_and_myo_repetitions(
    workouts: SubgraphUnderTest, person: str
) -> None:
    await logged(workouts, person, {"reps": 6, "weightKg": 40})
    plan = {"exerciseId": "press", "sets": 1, "leastReps": 8, "mostReps": 8, "weightKg": 40, "incrementKg": 2.5}
    template = (await told(workouts, person, KEEP, name="Chest", exercises=[plan]))["template"]["id"]
    workout = (await told(workouts, person, START, name="Now", templateId=template))["workout"]["id"]
    place = {"workoutId": workout, "exerciseId": "press"}
    full = await told(workouts, person, SET, **place, reps=7, weightKg=40)
    assert set(full["records"]) == {"MAX_REPS", "ONE_REP_MAX", "SET_VOLUME"}
    for kind in ("PARTIAL", "MYO_REPS"):
        more = await told(workouts, person, SET, **place, reps=12, weightKg=90, kind=kind)
        assert more["records"] == []
    complete = "mutation ($id: ID!) { completeWorkout(input: {id: $id}) { userErrors { code } workout { exercises { planOutcome { workingSets setsAsPlanned } } } } }"
    outcome = (await workouts.data(complete, person, {"id": workout}))["completeWorkout"]["workout"]["exercises"][0]
    assert outcome["planOutcome"] == {"workingSets": 3, "setsAsPlanned": 0}
    grown = (await told(workouts, person, START, name="Next", templateId=template))["workout"]
    assert [each["plan"]["weightKg"] for each in grown["exercises"]] == [40.0]
    again = await told(workouts, person, SET, workoutId=grown["id"], exerciseId="press", reps=8, weightKg=40)
    assert set(again["records"]) == {"MAX_REPS", "ONE_REP_MAX", "SET_VOLUME"}


async def test_tempo_and_notes_are_kept_changed_and_cleared(workouts: SubgraphUnderTest, person: str) -> None:
    done = await logged(workouts, person, {"reps": 5, "weightKg": 50, "tempo": "3-1-X-0", "notes": "Elbows in"})
    (one,) = done["exercises"][0]["sets"]
    assert (one["tempo"], one["notes"]) == ("3-1-X-0", "Elbows in")
    which = {"workoutId": done["id"], "setId": one["id"]}
    changed = await told(workouts, person, EDIT, **which, tempo="10-0-1-0")
    assert changed["set"] == {"kind": "NORMAL", "tempo": "10-0-1-0", "notes": "Elbows in"}
    cleared = await told(workouts, person, EDIT, **which, tempo=None, notes=None)
    assert cleared["set"] == {"kind": "NORMAL", "tempo": None, "notes": None}


@pytest.mark.parametrize("tempo", ["3-1-1", "3-1-1-0-0", "100-0-0-0", "3110", "a-b-c-d", "-1-1-1-0", "3-1-1-0\n", ""])
async def test_what_is_no_tempo_is_refused_with_its_place(workouts: SubgraphUnderTest, person: str, tempo: str) -> None:
    sets = [{"reps": 5, "tempo": tempo, "notes": "x" * 501}]
    refused = await told(workouts, person, LOG, **DAY, exercises=[{"exerciseId": "press", "sets": sets}])
    assert errors_of({"it": refused}, "it") == [
        ("VALIDATION_ERROR", "exercises.0.sets.0.tempo"),
        ("VALIDATION_ERROR", "exercises.0.sets.0.notes"),
    ]


CREATE = """mutation ($input: CreateExerciseInput!) { it: createExercise(input: $input) {
  exercise { isOneSided videoUrl pictureUrl } userErrors { code field } } }"""


async def test_an_own_exercise_says_its_sides_and_links_to_what_shows_it(
    workouts: SubgraphUnderTest, person: str
) -> None:
    links = {"videoUrl": "https://video.example.org/watch?v=a_1#t=3", "pictureUrl": "https://example.org/row.jpg"}
    given = {"name": "Pallof press", "category": "CORE", **links}
    made = (await told(workouts, person, CREATE, **given, isOneSided=True))["exercise"]
    assert made == {"isOneSided": True, **links}
    named = (await told(workouts, person, CREATE, name="Single-Arm Snatch", category="STRENGTH"))["exercise"]
    assert named == {"isOneSided": True, "videoUrl": None, "pictureUrl": None}
    plain = (await told(workouts, person, CREATE, name="Snatch", category="STRENGTH"))["exercise"]
    assert plain["isOneSided"] is False


@pytest.mark.parametrize(
    "url",
    ["http://example.org/a", "javascript:alert(1)", "https://localhost/a", "https://10.0.0.1/a", "https://[::1]/a",
     "https://user:secret@example.org/a", "https://example.org:8080/a", "https://exam ple.org/a", 'https://example.org/"a',
     "https://example.org/" + "a" * 500, "https://example.org/\u00fc", "data:text/html,x", ""],
)  # fmt: skip
async def test_links_are_https_to_a_name_and_nothing_else(workouts: SubgraphUnderTest, person: str, url: str) -> None:
    for field in ("videoUrl", "pictureUrl"):
        answer = await workouts.run(CREATE, person, {"input": {"name": "Row", "category": "CORE", field: url}})
        assert answer.data is not None, answer.errors
        assert set(errors_of(answer.data, "it")) == {("VALIDATION_ERROR", field)}, url
