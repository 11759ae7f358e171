"""Templates over a real database: kept once, planned into workouts, grown by what was done, and what is refused."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from subgraphs.workouts.commands import template as commands
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import errors_of, workouts_subgraph

_people = count(1)
CREATE = """mutation ($input: CreateTemplateInput!) { createTemplate(input: $input) {
  template { id name exercises { position incrementKg exercise { id } plan { sets leastReps mostReps weightKg restSeconds superset } } }
  userErrors { code field } } }"""
UPDATE = """mutation ($input: UpdateTemplateInput!) { updateTemplate(input: $input) {
  template { name notes version exercises { progression plan { weightKg percentOfMax maxKg targetRpe targetRir } } }
  userErrors { code field } } }"""
START = """mutation ($input: StartWorkoutInput!) { startWorkout(input: $input) {
  workout { id exercises { exercise { id } plan { sets weightKg restSeconds superset } sets { reps } } }
  userErrors { code field } } }"""
LOG_SET = "mutation ($input: LogSetInput!) { logSet(input: $input) { userErrors { code } } }"
COMPLETE = "mutation ($id: ID!) { completeWorkout(input: {id: $id}) { userErrors { code } } }"
TURNS = """mutation ($input: LogWorkoutInput!) { logWorkout(input: $input) {
  workout { exercises { superset plan { superset } } } userErrors { code field } } }"""
BENCH = {
    "exerciseId": "bench",
    "sets": 2,
    "leastReps": 6,
    "mostReps": 8,
    "weightKg": 60,
    "restSeconds": 120,
    "superset": 1,
    "incrementKg": 2.5,
}


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_templates") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def create(workouts: SubgraphUnderTest, person: str, **changes: Any) -> Any:
    told = {"name": "Push", "exercises": [BENCH, {"exerciseId": "squat", "sets": 3}]} | changes
    result = await workouts.run(CREATE, person, {"input": told})
    assert result.errors is None
    return (result.data or {})["createTemplate"]


async def start(workouts: SubgraphUnderTest, person: str, template: str) -> Any:
    return (await workouts.data(START, person, {"input": {"name": "Now", "templateId": template}}))["startWorkout"]


async def test_a_template_is_kept_once_for_a_key_and_listed(workouts: SubgraphUnderTest, person: str) -> None:
    first = await create(workouts, person, idempotencyKey="push-1")
    assert await create(workouts, person, idempotencyKey="push-1") == first
    bench, squat = first["template"]["exercises"]
    assert bench == {
        "position": 1,
        "incrementKg": 2.5,
        "exercise": {"id": "bench"},
        "plan": {"sets": 2, "leastReps": 6, "mostReps": 8, "weightKg": 60.0, "restSeconds": 120, "superset": 1},
    }
    assert (squat["plan"]["sets"], squat["plan"]["weightKg"]) == (3, None)
    query = """query ($id: ID!) { _entities(representations: [{__typename: "User", id: $id}]) {
      ... on User { templates { totalCount nodes { name } } } } }"""
    listed = (await workouts.data(query, person, {"id": person}))["_entities"][0]["templates"]
    assert listed == {"totalCount": 1, "nodes": [{"name": "Push"}]}
    delete = "mutation ($id: ID!) { deleteTemplate(input: {id: $id}) { deletedId } }"
    await workouts.data(delete, person, {"id": first["template"]["id"]})
    assert (await workouts.data(query, person, {"id": person}))["_entities"][0]["templates"]["nodes"] == []


async def test_a_workout_from_a_template_grows_once_every_set_was_done(
    workouts: SubgraphUnderTest, person: str
) -> None:
    template = (await create(workouts, person))["template"]["id"]
    planned = []
    for repetitions in ((8, 7), (8, 8), (8, 8)):
        session = (await start(workouts, person, template))["workout"]
        bench, squat = session["exercises"]
        assert (bench["plan"]["sets"], bench["plan"]["superset"], bench["sets"]) == (2, 1, [])
        assert squat["plan"]["weightKg"] is None
        planned.append(bench["plan"]["weightKg"])
        for reps in repetitions:
            told = {"workoutId": session["id"], "exerciseId": "bench", "reps": reps, "weightKg": planned[-1]}
            await workouts.data(LOG_SET, person, {"input": told})
        await workouts.data(COMPLETE, person, {"id": session["id"]})
    assert planned == [60.0, 60.0, 62.5]


PLANNED = """query ($id: ID!) { _entities(representations: [{__typename: "Workout", id: $id}]) { ... on Workout {
  exercises { plan { weightKg percentOfMax maxKg targetRpe }
    planOutcome { workingSets setsAsPlanned isFulfilled meanRpe rpeOverTarget } } } } }"""


async def train(workouts: SubgraphUnderTest, person: str, template: str, sets: list[dict[str, Any]]) -> Any:
    """One session from the template with these sets of its first exercise; returns what was planned and done of it."""
    session = (await start(workouts, person, template))["workout"]
    for one in sets:
        told = {"workoutId": session["id"], "exerciseId": "bench", **one}
        await workouts.data(LOG_SET, person, {"input": told})
    await workouts.data(COMPLETE, person, {"id": session["id"]})
    return (await workouts.data(PLANNED, person, {"id": session["id"]}))["_entities"][0]["exercises"][0]


async def test_a_percentage_is_of_a_training_max_that_grows_and_is_set_anew(
    workouts: SubgraphUnderTest, person: str
) -> None:
    bench = {"exerciseId": "bench", "sets": 2, "leastReps": 5, "mostReps": 5, "percentOfMax": 80, "trainingMaxKg": 100}
    made = (await create(workouts, person, exercises=[bench | {"incrementKg": 5}]))["template"]["id"]
    first = await train(workouts, person, made, [{"reps": 5, "weightKg": 80}, {"reps": 5, "weightKg": 80}])
    assert first["plan"] == {"weightKg": 80.0, "percentOfMax": 80.0, "maxKg": 100.0, "targetRpe": None}
    assert first["planOutcome"] == {
        "workingSets": 2,
        "setsAsPlanned": 2,
        "isFulfilled": True,
        "meanRpe": None,
        "rpeOverTarget": None,
    }
    second = await train(workouts, person, made, [{"reps": 4, "weightKg": 82.5}])
    assert (second["plan"]["weightKg"], second["plan"]["maxKg"]) == (82.5, 105.0)  # 84, down to the bar
    assert not second["planOutcome"]["isFulfilled"]
    change = {"id": made, "exercises": [bench | {"trainingMaxKg": 90}], "expectedVersion": 1}
    changed = (await workouts.data(UPDATE, person, {"input": change}))["updateTemplate"]["template"]
    assert (changed["version"], changed["exercises"][0]["progression"]) == (2, "TRAINING_MAX")
    third = await train(workouts, person, made, [])
    assert (third["plan"]["weightKg"], third["plan"]["maxKg"]) == (70.0, 90.0)  # 72, down to the bar


async def test_a_percentage_without_a_training_max_is_of_what_the_last_90_days_show(
    workouts: SubgraphUnderTest, person: str
) -> None:
    bench = {"exerciseId": "bench", "sets": 1, "mostReps": 5, "percentOfMax": 80, "oneRepMaxFormula": "BRZYCKI"}
    made = (await create(workouts, person, exercises=[bench]))["template"]["id"]
    nothing = await train(workouts, person, made, [{"reps": 5, "weightKg": 100}, {"reps": 10, "weightKg": 60}])
    assert (nothing["plan"]["weightKg"], nothing["plan"]["maxKg"]) == (None, None)
    shown = await train(workouts, person, made, [{"reps": 3, "weightKg": 90}])
    assert (shown["plan"]["weightKg"], shown["plan"]["maxKg"]) == (90.0, 112.5)


async def test_exertion_that_was_told_moves_the_weight_towards_the_planned_one(
    workouts: SubgraphUnderTest, person: str
) -> None:
    bench = {"exerciseId": "bench", "sets": 1, "mostReps": 5, "weightKg": 100, "targetRpe": 9}
    made = (await create(workouts, person, exercises=[bench]))["template"]["id"]
    easy = await train(workouts, person, made, [{"reps": 5, "weightKg": 100, "rpe": 8}])
    assert (easy["planOutcome"]["meanRpe"], easy["planOutcome"]["rpeOverTarget"]) == (8.0, -1.0)
    assert (await train(workouts, person, made, []))["plan"]["weightKg"] == 102.5


async def test_a_template_is_changed_by_its_newest_version_and_only_by_its_owner(
    workouts: SubgraphUnderTest, person: str
) -> None:
    made = (await create(workouts, person))["template"]["id"]
    named = {"id": made, "name": "Pull", "notes": "slow", "expectedVersion": 1}
    changed = (await workouts.data(UPDATE, person, {"input": named}))["updateTemplate"]["template"]
    assert (changed["name"], changed["notes"], changed["version"], len(changed["exercises"])) == ("Pull", "slow", 2, 2)
    for change, refusal in (
        (named, ("STALE_VERSION", "expectedVersion")),
        ({"id": made, "exercises": []}, ("VALIDATION_ERROR", "exercises")),
        ({"id": made, "name": None}, ("VALIDATION_ERROR", "name")),
        ({"id": made, "exercises": [BENCH | {"exerciseId": "x"}]}, ("VALIDATION_ERROR", "exercises.0.exerciseId")),
    ):
        result = await workouts.run(UPDATE, person, {"input": change})
        assert errors_of(result.data or {}, "updateTemplate") == [refusal]
    result = await workouts.run(UPDATE, "somebody else", {"input": {"id": made, "name": "Mine"}})
    assert [(error.extensions or {})["code"] for error in result.errors or []] == ["NOT_FOUND"]


async def test_what_cannot_be_planned_is_refused_with_its_place(
    workouts: SubgraphUnderTest, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for changes, refusal in (
        ({"exercises": []}, ("VALIDATION_ERROR", "exercises")),
        ({"exercises": [BENCH | {"sets": 0}]}, ("VALIDATION_ERROR", "exercises.0.sets")),
        ({"exercises": [BENCH | {"leastReps": 9}]}, ("VALIDATION_ERROR", "exercises.0.mostReps")),
        ({"exercises": [BENCH | {"exerciseId": "x"}]}, ("VALIDATION_ERROR", "exercises.0.exerciseId")),
        ({"name": " "}, ("VALIDATION_ERROR", "name")),
    ):
        assert errors_of({"it": await create(workouts, person, **changes)}, "it") == [refusal]
    theirs = (await create(workouts, "somebody else"))["template"]["id"]
    result = await workouts.run(START, person, {"input": {"name": "Now", "templateId": theirs}})
    assert errors_of(result.data or {}, "startWorkout") == [("NOT_FOUND", "templateId")]
    monkeypatch.setattr(commands, "MOST_TEMPLATES", 0)
    assert errors_of({"it": await create(workouts, person)}, "it") == [("CONFLICT", None)]


async def test_exercises_that_are_logged_afterwards_say_which_were_done_in_turns(
    workouts: SubgraphUnderTest, person: str
) -> None:
    exercises = [
        {"exerciseId": "bench", "superset": 1},
        {"exerciseId": "pullups", "superset": 1},
        {"exerciseId": "run"},
    ]
    told = {
        "name": "Day",
        "startedAt": "2026-03-02T10:00:00Z",
        "endedAt": "2026-03-02T11:00:00Z",
        "exercises": exercises,
    }
    logged = (await workouts.run(TURNS, person, {"input": told})).data or {}
    assert logged["logWorkout"]["workout"]["exercises"] == [
        {"superset": 1, "plan": None},
        {"superset": 1, "plan": None},
        {"superset": None, "plan": None},
    ]
    told["exercises"] = [{"exerciseId": "bench", "superset": 51}]
    refused = (await workouts.run(TURNS, person, {"input": told})).data or {}
    assert errors_of(refused, "logWorkout") == [("VALIDATION_ERROR", "exercises.0.superset")]
