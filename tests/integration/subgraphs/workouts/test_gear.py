"""Gear over a real database: how far it went by the workouts, what is used by default, and what is refused."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from events.contracts.users import UserErased
from subgraphs.workouts.commands import gear as commands
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest
from tests.testkit.workouts import errors_of, tell, told, workouts_subgraph

_people = count(1)
GEAR = "id name version workoutCount distanceM leftM defaultFor { id }"
CREATE = f"mutation ($input: CreateGearInput!) {{ it: createGear(input: $input) {{ gear {{ {GEAR} }} userErrors {{ code field }} }} }}"
UPDATE = f"mutation ($input: UpdateGearInput!) {{ it: updateGear(input: $input) {{ gear {{ {GEAR} retiredOn }} userErrors {{ code field }} }} }}"
DELETE = "mutation ($input: DeleteGearInput!) { it: deleteGear(input: $input) { deletedId userErrors { code } } }"
LOG = "mutation ($input: LogWorkoutInput!) { it: logWorkout(input: $input) { workout { id gear { id } } userErrors { code field } } }"
WORKOUT = "mutation ($input: UpdateWorkoutInput!) { it: updateWorkout(input: $input) { workout { gear { id } } userErrors { code field } } }"
START = "mutation ($input: StartWorkoutInput!) { it: startWorkout(input: $input) { workout { id gear { id } } userErrors { code } } }"
SET = "mutation ($input: LogSetInput!) { it: logSet(input: $input) { set { id } userErrors { code } } }"
DONE = "mutation ($input: CompleteWorkoutInput!) { it: completeWorkout(input: $input) { workout { gear { id } } userErrors { code } } }"
LIST = f"query ($who: [_Any!]!) {{ _entities(representations: $who) {{ ... on User {{ gear {{ totalCount nodes {{ {GEAR} }} }} }} }} }}"
RUN = {"name": "Run", "startedAt": "2026-03-01T07:00:00Z", "endedAt": "2026-03-01T07:30:00Z"}


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    async with workouts_subgraph(postgres, "workouts_gear") as subgraph:
        yield subgraph


@pytest.fixture
def person() -> str:
    return f"person-{next(_people)}"


async def shoes(workouts: SubgraphUnderTest, person: str, **changes: Any) -> str:
    given = {"name": "Shoes", "kind": "SHOES", "startDistanceM": 1000, "lifeDistanceM": 20_000} | changes
    return str((await told(workouts, person, CREATE, **given))["gear"]["id"])


async def run(workouts: SubgraphUnderTest, person: str, metres: float, **changes: Any) -> Any:
    sets = [{"distanceM": metres, "durationSeconds": 1500}]
    given = RUN | {"exercises": [{"exerciseId": "run", "sets": sets}]} | changes
    return (await told(workouts, person, LOG, **given))["workout"]


async def gear_of(workouts: SubgraphUnderTest, person: str) -> list[dict[str, Any]]:
    answer = await workouts.data(LIST, person, {"who": [{"__typename": "User", "id": person}]})
    return list(answer["_entities"][0]["gear"]["nodes"])


async def test_mileage_follows_the_workouts_whatever_becomes_of_them(workouts: SubgraphUnderTest, person: str) -> None:
    pair = await shoes(workouts, person)

    async def went() -> tuple[int, float, float]:
        (found,) = await gear_of(workouts, person)
        return found["workoutCount"], found["distanceM"], found["leftM"]

    assert await went() == (0, 1000.0, 19_000.0)
    first = await run(workouts, person, 5000, gearId=pair)
    track = {"distanceM": 15_500.25}
    recorded = await run(workouts, person, 15_000, gearId=pair, track=track)
    assert await went() == (2, 21_500.25, -1500.25), "a recording counts before the sets, and it is past its life"

    sets = "query ($id: ID!) { workout(id: $id) { version sets { id } } }"
    found = (await workouts.data(sets, person, {"id": first["id"]}))["workout"]["sets"][0]["id"]
    edit = "mutation ($w: ID!, $s: ID!) { editSet(input: {workoutId: $w, setId: $s, distanceM: 6000}) { userErrors { code } } }"
    await workouts.data(edit, person, {"w": first["id"], "s": found})
    assert await went() == (2, 22_500.25, -2500.25)
    assert (await told(workouts, person, WORKOUT, id=recorded["id"], gearId=None))["workout"] == {"gear": None}
    assert await went() == (1, 7000.0, 13_000.0)
    reopen = "mutation ($id: ID!) { reopenWorkout(input: {id: $id}) { userErrors { code } } }"
    await workouts.data(reopen, person, {"id": first["id"]})
    assert await went() == (0, 1000.0, 19_000.0), "what goes on is not done"
    await told(workouts, person, DONE, id=first["id"], endedAt=RUN["endedAt"])
    assert await went() == (1, 7000.0, 13_000.0)
    delete = "mutation ($id: ID!) { deleteWorkout(input: {id: $id}) { deletedId userErrors { code } } }"
    await workouts.data(delete, person, {"id": first["id"]})
    assert await went() == (0, 1000.0, 19_000.0)


async def test_a_workout_is_done_with_what_its_first_exercise_has_by_default(
    workouts: SubgraphUnderTest, person: str
) -> None:
    old = await shoes(workouts, person, defaultForExerciseIds=["run", "squat"])
    assert (await run(workouts, person, 5000))["gear"] == {"id": old}
    assert (await run(workouts, person, 5000, withoutGear=True))["gear"] is None
    new = await shoes(workouts, person, name="New", defaultForExerciseIds=["run"])
    found = {each["id"]: [one["id"] for one in each["defaultFor"]] for each in await gear_of(workouts, person)}
    assert found == {old: ["squat"], new: ["run"]}, "an exercise has one default: the one that was told last"
    assert (await run(workouts, person, 5000))["gear"] == {"id": new}
    assert (await run(workouts, person, 5000, gearId=old))["gear"] == {"id": old}

    still = {"exercises": [{"exerciseId": "run", "durationSeconds": 600}]}
    assert (await told(workouts, person, LOG, **RUN, **still))["workout"]["gear"] is None, "it went nowhere"

    session = (await told(workouts, person, START, name="Now"))["workout"]
    assert session["gear"] is None, "nobody knows yet what it will be"
    await told(workouts, person, SET, workoutId=session["id"], exerciseId="run", distanceM=400)
    assert (await told(workouts, person, DONE, id=session["id"]))["workout"]["gear"] == {"id": new}
    retired = await told(workouts, person, UPDATE, id=new, retiredOn="2026-03-02")
    assert (retired["gear"]["retiredOn"], retired["gear"]["defaultFor"]) == ("2026-03-02", [])
    assert (await run(workouts, person, 5000))["gear"] is None


async def test_gear_is_kept_once_for_a_key_changed_by_its_newest_version_and_deleted(
    workouts: SubgraphUnderTest, person: str
) -> None:
    pair = await shoes(workouts, person, idempotencyKey="once")
    assert await shoes(workouts, person, idempotencyKey="once") == pair
    changed = await told(workouts, person, UPDATE, id=pair, name="Trail", lifeDistanceM=None, expectedVersion=1)
    assert (changed["gear"]["name"], changed["gear"]["leftM"], changed["gear"]["version"]) == ("Trail", None, 2)
    stale = {"input": {"id": pair, "name": "Road", "expectedVersion": 1}}
    assert await workouts.codes(UPDATE, person, stale) == ["STALE_VERSION"]
    for operation in (UPDATE, DELETE):
        assert await workouts.codes(operation, "stranger", {"input": {"id": pair}}) == ["NOT_FOUND"]
    done = await run(workouts, person, 5000, gearId=pair)
    assert (await told(workouts, person, DELETE, id=pair))["deletedId"] == pair
    query = "query ($id: ID!) { workout(id: $id) { gear { id } } }"
    assert (await workouts.data(query, person, {"id": done["id"]}))["workout"] == {"gear": None}


async def test_what_is_no_gear_is_refused_with_its_place(
    workouts: SubgraphUnderTest, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"name": " ", "kind": "SHOES", "startDistanceM": -1, "lifeDistanceM": 0}
    refused = await told(workouts, person, CREATE, **wrong, defaultForExerciseIds=["run"], retiredOn="2026-03-02")
    assert [field for _, field in errors_of({"it": refused}, "it")] == [
        "name",
        "startDistanceM",
        "lifeDistanceM",
        "defaultForExerciseIds",
    ]
    unknown = await told(workouts, person, CREATE, name="x", kind="SHOES", defaultForExerciseIds=["run", "nothing"])
    assert errors_of({"it": unknown}, "it") == [("VALIDATION_ERROR", "defaultForExerciseIds.1")]
    others = await shoes(workouts, f"{person}-friend")
    given = RUN | {"exercises": [], "gearId": others}
    assert errors_of({"it": await told(workouts, person, LOG, **given)}, "it") == [("NOT_FOUND", "gearId")]
    mine = await run(workouts, person, 5000)
    changed = await told(workouts, person, WORKOUT, id=mine["id"], gearId=others)
    assert errors_of({"it": changed}, "it") == [("NOT_FOUND", "gearId")]
    monkeypatch.setattr(commands, "MOST_GEAR", 1)
    await shoes(workouts, person)
    more = {"input": {"name": "x", "kind": "OTHER"}}
    assert await workouts.codes(CREATE, person, more) == ["CONFLICT"]


async def test_nothing_is_left_of_who_was_erased(workouts: SubgraphUnderTest, person: str) -> None:
    await run(workouts, person, 5000, gearId=await shoes(workouts, person))
    await tell(workouts, person, UserErased())
    async with workouts.database.reading() as connection:
        left = text("SELECT count(*) FROM gear WHERE user_id = :id")
        assert await connection.scalar(left, {"id": person}) == 0
