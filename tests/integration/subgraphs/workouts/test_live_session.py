"""A session live begins with the workout as it is: what changes between two streams is told by the second one."""

from collections.abc import AsyncIterator

import pytest

from tests.testkit.live_fields import streaming, with_live_updates
from tests.testkit.servers import Postgres, Valkey
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import workouts_subgraph

START = 'mutation { startWorkout(input: {name: "Legs"}) { workout { id } } }'
LOG_SET = """mutation($id: ID!) { logSet(input: {workoutId: $id, exerciseId: "squat", reps: 5, weightKg: 100}) {
  userErrors { code } } }"""
DELETE = "mutation($id: ID!) { deleteWorkout(input: {id: $id}) { deletedId } }"
SESSION = "subscription($id: ID!) { workoutSession(id: $id) { version sets { reps } } }"


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres, valkey: Valkey) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_live") as subgraph, with_live_updates(subgraph, valkey):
        yield subgraph


async def test_a_second_stream_begins_with_what_changed_since_the_first(workouts: SubgraphUnderTest) -> None:
    workout = (await workouts.data(START, "ann"))["startWorkout"]["workout"]
    async with streaming(workouts, SESSION, "ann", workout) as stream:
        assert (await stream.next())["sets"] == []
    await workouts.data(LOG_SET, "ann", workout)
    async with streaming(workouts, SESSION, "ann", workout) as stream:
        assert (await stream.next())["sets"] == [{"reps": 5}]
        await workouts.data(LOG_SET, "ann", workout)
        assert (await stream.next())["sets"] == [{"reps": 5}] * 2
        await workouts.data(DELETE, "ann", workout)
        assert await stream.is_over()
    async with streaming(workouts, SESSION, "ann", workout) as stream:
        assert await stream.code() == "NOT_FOUND"
