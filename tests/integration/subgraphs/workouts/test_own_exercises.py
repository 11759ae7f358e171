"""Own exercises are changed over a real database: what is refused, what follows at once, and what past sets keep."""

from collections.abc import AsyncIterator
from datetime import date
from itertools import count
from typing import Any

import pytest

from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import tell, told, weighing, workouts_subgraph

_people = count(1)
FIELDS = "id name version tracking met bodyWeightShare equipment primaryMuscles instructions isOneSided videoUrl"
CREATE = f"mutation ($input: CreateExerciseInput!) {{ it: createExercise(input: $input) {{ exercise {{ {FIELDS} }} userErrors {{ code field }} }} }}"
UPDATE = f"mutation ($input: UpdateExerciseInput!) {{ it: updateExercise(input: $input) {{ exercise {{ {FIELDS} }} userErrors {{ code field }} }} }}"
LOG = """mutation ($input: LogWorkoutInput!) { it: logWorkout(input: $input) { workout { id volumeKg caloriesBurned { gross { value } }
  exercises { exercise { name } } } userErrors { code field } } }"""
WORKOUT = "query ($id: ID!) { workout(id: $id) { volumeKg caloriesBurned { gross { value } } exercises { exercise { name } } } }"
RECORDS = """query ($who: [_Any!]!, $since: String) { _entities(representations: $who) { ... on User {
  personalRecords { nodes { bestSetVolumeKg exercise { name } } }
  trainingChanges(since: $since) { token changes { entityType entity { ... on Exercise { name version } } } } } } }"""
SEARCH = "query ($words: String!) { exercises(search: $words, own: true, first: 5) { nodes { name } } }"
DIP = {"name": "Ring dip", "category": "STRENGTH", "tracking": "REPS", "met": 5}


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_own_exercises") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def made(workouts: SubgraphUnderTest, person: str, **changes: Any) -> dict[str, Any]:
    exercise: dict[str, Any] = (await told(workouts, person, CREATE, **(DIP | changes)))["exercise"]
    return exercise


async def of_person(workouts: SubgraphUnderTest, person: str, since: str | None = None) -> dict[str, Any]:
    asked = {"who": [{"__typename": "User", "id": person}], "since": since}
    found: dict[str, Any] = (await workouts.data(RECORDS, person, asked))["_entities"][0]
    return found


async def test_what_was_told_is_changed_found_by_its_new_name_and_told_to_copies(
    workouts: SubgraphUnderTest, person: str
) -> None:
    before = await made(workouts, person, instructions="Slowly.", primaryMuscles=["CHEST"])
    token = (await of_person(workouts, person))["trainingChanges"]["token"]
    changes = {"name": "Plank on rings", "tracking": "TIME", "instructions": None, "primaryMuscles": ["ABDOMINALS"]}
    answer = await told(workouts, person, UPDATE, id=before["id"], expectedVersion=1, **changes)
    assert answer["userErrors"] == []
    now = {"bodyWeightShare": 0.0, "version": 2}  # of what is held for a time, nothing is lifted
    assert answer["exercise"] == before | changes | now
    assert (await workouts.data(SEARCH, person, {"words": "plank rings"}))["exercises"]["nodes"] == [
        {"name": "Plank on rings"}
    ]
    assert (await workouts.data(SEARCH, person, {"words": "dip"}))["exercises"]["nodes"] == []
    heard = (await of_person(workouts, person, token))["trainingChanges"]["changes"]
    assert heard == [{"entityType": "Exercise", "entity": {"name": "Plank on rings", "version": 2}}]


async def test_what_a_workout_has_keeps_what_its_sets_were_counted_by(workouts: SubgraphUnderTest, person: str) -> None:
    await tell(workouts, person, weighing(person, date(2026, 1, 1), "80"))
    exercise = await made(workouts, person)
    assert exercise["bodyWeightShare"] == 1.0
    sets = [{"reps": 10}]
    given = {"name": "Rings", "startedAt": "2026-03-01T07:00:00Z", "endedAt": "2026-03-01T07:30:00Z"}
    workout = (await told(workouts, person, LOG, **given, exercises=[{"exerciseId": exercise["id"], "sets": sets}]))[
        "workout"
    ]
    assert workout["volumeKg"] == 800.0
    refused = await told(workouts, person, UPDATE, id=exercise["id"], tracking="TIME", name="Hold")
    assert refused == {"exercise": None, "userErrors": [{"code": "VALIDATION_ERROR", "field": "tracking"}]}
    answer = await told(workouts, person, UPDATE, id=exercise["id"], name="Push-up on rings", tracking="REPS", met=9)
    assert (answer["exercise"]["bodyWeightShare"], answer["exercise"]["met"]) == (1.0, 9.0)
    after = (await workouts.data(WORKOUT, person, {"id": workout["id"]}))["workout"]
    assert after == {name: workout[name] for name in ("volumeKg", "caloriesBurned")} | {
        "exercises": [{"exercise": {"name": "Push-up on rings"}}]
    }
    assert (await of_person(workouts, person))["personalRecords"]["nodes"] == [
        {"bestSetVolumeKg": 800.0, "exercise": {"name": "Push-up on rings"}}
    ]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"expectedVersion": 7}, ("STALE_VERSION", "expectedVersion")),
        ({"name": " "}, ("VALIDATION_ERROR", "name")),
        ({"name": None}, ("VALIDATION_ERROR", "name")),
        ({"met": 26}, ("VALIDATION_ERROR", "met")),
        ({"videoUrl": "http://example.com/a"}, ("VALIDATION_ERROR", "videoUrl")),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    workouts: SubgraphUnderTest, person: str, changes: dict[str, Any], refusal: tuple[str, str]
) -> None:
    exercise = await made(workouts, person)
    answer = await told(workouts, person, UPDATE, id=exercise["id"], **({"category": "CORE"} | changes))
    assert [(each["code"], each["field"]) for each in answer["userErrors"]] == [refusal]
    untouched = await told(workouts, person, UPDATE, id=exercise["id"], expectedVersion=1)
    assert untouched["userErrors"] == []


async def test_the_catalogue_s_and_another_person_s_are_no_such_exercise(
    workouts: SubgraphUnderTest, person: str
) -> None:
    others = await made(workouts, "somebody-else")
    for exercise_id in (others["id"], "run"):
        result = await workouts.run(UPDATE, person, {"input": {"id": exercise_id, "name": "Mine"}})
        assert [each.extensions["code"] for each in result.errors or () if each.extensions] == ["NOT_FOUND"]
