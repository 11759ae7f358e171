"""A set, a place or a recording that changes is told as its workout, and an exercise of a template as the template."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import workouts_subgraph

PERSON = "person-1"
CHANGES = """query ($since: String) { _entities(representations: [{__typename: "User", id: "person-1"}]) {
  ... on User { trainingChanges(since: $since) { token changes { id entityType isDeleted
    entity { ... on Workout { version exercises { exercise { id } sets { id } } } ... on WorkoutTemplate { version } } } } } } }"""
SETS = "query ($id: ID!) { workout(id: $id) { exercises { sets { id } } } }"
LOG = """mutation { logWorkout(input: {name: "Day", startedAt: "2026-03-02T10:00:00Z", endedAt: "2026-03-02T11:00:00Z",
  exercises: [{exerciseId: "bench", sets: [{reps: 5, weightKg: 100}]}, {exerciseId: "squat", sets: [{reps: 5}]}]})
  { workout { id exercises { id sets { id } } } } }"""


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_synced") as subgraph:
        yield subgraph


async def test_each_change_of_a_part_is_told_as_its_whole(workouts: SubgraphUnderTest) -> None:
    token: str | None = None

    async def told() -> list[Any]:
        nonlocal token
        data = await workouts.data(CHANGES, PERSON, {"since": token})
        page = data["_entities"][0]["trainingChanges"]
        token = page["token"]
        return [(each["id"], each["isDeleted"]) for each in page["changes"]]

    workout = (await workouts.data(LOG, PERSON))["logWorkout"]["workout"]
    of_workout, places = f'workoutId: "{workout["id"]}"', [place["id"] for place in workout["exercises"]]
    set_id = workout["exercises"][0]["sets"][0]["id"]
    assert await told() == [(workout["id"], False)]
    for change in (
        f'logSet(input: {{{of_workout}, exerciseId: "bench", reps: 3}})',
        f'editSet(input: {{{of_workout}, setId: "{set_id}", reps: 4}})',
        f'reorderExercises(input: {{{of_workout}, order: ["{places[1]}", "{places[0]}"]}})',
        f'swapExercise(input: {{{of_workout}, workoutExerciseId: "{places[1]}", exerciseId: "press"}})',
        f'deleteSet(input: {{{of_workout}, setId: "{set_id}"}})',
    ):
        await workouts.data(f"mutation {{ {change} {{ userErrors {{ code }} }} }}", PERSON)
        gone = [(set_id, True)] if change.startswith("deleteSet") else []
        assert await told() == [*gone, (workout["id"], False)], change
        assert await told() == [], change
    created = 'createTemplate(input: {name: "Push", exercises: [{exerciseId: "bench", sets: 3}]})'
    made = await workouts.data(f"mutation {{ {created} {{ template {{ id }} userErrors {{ code }} }} }}", PERSON)
    template = made["createTemplate"]["template"]["id"]
    assert await told() == [(template, False)]
    changed = f'updateTemplate(input: {{id: "{template}", exercises: [{{exerciseId: "squat", sets: 5}}]}})'
    await workouts.data(f"mutation {{ {changed} {{ userErrors {{ code }} }} }}", PERSON)
    assert await told() == [(template, False)]
    data = await workouts.data(SETS, PERSON, {"id": workout["id"]})
    sets = {each["id"] for place in data["workout"]["exercises"] for each in place["sets"]}
    gone = f'deleteTemplate(input: {{id: "{template}"}}) {{ userErrors {{ code }} }}'
    gone += f' deleteWorkout(input: {{id: "{workout["id"]}"}}) {{ userErrors {{ code }} }}'
    await workouts.data(f"mutation {{ {gone} }}", PERSON)
    of_workout_gone = {entity for entity in await told() if entity[0] not in sets}
    assert of_workout_gone == {(template, True), (workout["id"], True)}


async def test_a_set_that_was_deleted_does_not_come_back(workouts: SubgraphUnderTest) -> None:
    """As where the answer to `logSet` was lost, and another device deleted the set meanwhile."""
    workout = (await workouts.data(LOG, PERSON))["logWorkout"]["workout"]
    set_id = f"set_{uuid4()}"
    log = f'logSet(input: {{workoutId: "{workout["id"]}", exerciseId: "bench", reps: 3, id: "{set_id}"}})'
    log = f"mutation {{ {log} {{ set {{ id }} userErrors {{ code field }} }} }}"
    assert (await workouts.data(log, PERSON))["logSet"]["set"] == {"id": set_id}
    delete = f'mutation {{ deleteSet(input: {{workoutId: "{workout["id"]}", setId: "{set_id}"}}) {{ userErrors {{ code }} }} }}'
    await workouts.data(delete, PERSON)
    result = await workouts.run(log, PERSON)
    assert (result.data or {})["logSet"]["userErrors"] == [{"code": "CONFLICT", "field": "id"}]
