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
  exercises { sets { id kind loadKg estimatedOneRepMaxKg oneRepMaxes { kg } tempo notes } } } userErrors { code field } } }"""
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
