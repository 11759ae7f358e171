"""Every operation of workouts refuses another person's data and a caller without a token."""

from collections.abc import AsyncIterator

import pytest
from graphql import GraphQLObjectType, build_schema

from subgraphs.shell.context import utc_now
from subgraphs.workouts.loaders import WorkoutsLoaders
from subgraphs.workouts.sample_data import load_exercises, load_public_templates
from subgraphs.workouts.schema import schema
from tests.testkit.servers import Postgres
from tests.testkit.subgraph import SubgraphUnderTest, subgraph_under_test

SET = "reps: 5, weightKg: 100"
TIMES = 'startedAt: "2026-03-01T07:00:00Z", endedAt: "2026-03-01T08:00:00Z"'

# The operation, with OWNER's ids in it, and what a stranger gets: an error code, or null for what may not exist.
# "own" marks those that name nobody: they touch the caller's own data only.
OPERATIONS = {
    "Query.me": ("{ me { id } }", "own"),
    "Query.exercise": ('{ exercise(id: "OWN_EXERCISE") { name } }', None),
    "Query.exercises": ("{ exercises { edges { node { id } } } }", "own"),
    "Query.workout": ('{ workout(id: "WORKOUT") { name } }', None),
    "Mutation.createExercise": (
        'mutation { createExercise(input: {name: "x", category: CORE}) { exercise { id } } }',
        "own",
    ),
    "Mutation.startWorkout": ('mutation { startWorkout(input: {name: "x"}) { workout { id } } }', "own"),
    "Mutation.logWorkout": (f'mutation {{ logWorkout(input: {{name: "x", {TIMES}}}) {{ workout {{ id }} }} }}', "own"),
    "Mutation.logSet": (
        f'mutation {{ logSet(input: {{workoutId: "WORKOUT", exerciseId: "bench", {SET}}}) {{ workout {{ id }} }} }}',
        "NOT_FOUND",
    ),
    "Mutation.editSet": (
        f'mutation {{ editSet(input: {{workoutId: "WORKOUT", setId: "SET", {SET}}}) {{ workout {{ id }} }} }}',
        "NOT_FOUND",
    ),
    "Mutation.deleteSet": (
        'mutation { deleteSet(input: {workoutId: "WORKOUT", setId: "SET"}) { workout { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.completeWorkout": (
        'mutation { completeWorkout(input: {id: "WORKOUT"}) { workout { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.cancelWorkout": ('mutation { cancelWorkout(input: {id: "WORKOUT"}) { workout { id } } }', "NOT_FOUND"),
    "Mutation.updateWorkout": (
        'mutation { updateWorkout(input: {id: "WORKOUT", name: "mine"}) { workout { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.mergeWorkouts": (
        'mutation { mergeWorkouts(input: {id: "WORKOUT", otherId: "WORKOUT"}) { deletedId } }',
        "NOT_FOUND",
    ),
    "Mutation.deleteWorkout": ('mutation { deleteWorkout(input: {id: "WORKOUT"}) { deletedId } }', "NOT_FOUND"),
    "Mutation.createTemplate": (
        (
            'mutation { createTemplate(input: {name: "x", exercises: [{exerciseId: "bench", sets: 3}]})'
            " { template { id } } }"
        ),
        "own",
    ),
    "Mutation.updateTemplate": (
        'mutation { updateTemplate(input: {id: "TEMPLATE", name: "mine"}) { template { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.deleteTemplate": ('mutation { deleteTemplate(input: {id: "TEMPLATE"}) { deletedId } }', "NOT_FOUND"),
    "Query.publicTemplate": ('{ publicTemplate(id: "open") { name } }', "own"),
    "Query.publicTemplates": ("{ publicTemplates { nodes { id } } }", "own"),
    "Query.reportedTemplates": ("{ reportedTemplates { nodes { authorId } } }", "FORBIDDEN"),
    "Mutation.publishTemplate": (
        'mutation { publishTemplate(input: {id: "TEMPLATE", kind: MIXED, level: BEGINNER}) { leftOut } }',
        "NOT_FOUND",
    ),
    "Mutation.unpublishTemplate": (
        'mutation { unpublishTemplate(input: {id: "TEMPLATE"}) { template { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.cloneTemplate": (
        'mutation { cloneTemplate(input: {publicTemplateId: "open"}) { template { id } } }',
        "own",
    ),
    "Mutation.reportTemplate": (
        'mutation { reportTemplate(input: {publicTemplateId: "open", reason: SPAM}) { userErrors { code } } }',
        "own",
    ),
    "Mutation.moderateTemplate": (
        (
            'mutation { moderateTemplate(input: {publicTemplateId: "open", decision: KEEP, reason: "None"})'
            " { publicTemplate { id } } }"
        ),
        "FORBIDDEN",
    ),
    "User.trainingChanges": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { trainingChanges { token } } } }',
        "FORBIDDEN",
    ),
    "User.templates": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { templates { nodes { id } } } } }',
        "FORBIDDEN",
    ),
    "Mutation.reopenWorkout": ('mutation { reopenWorkout(input: {id: "WORKOUT"}) { workout { id } } }', "NOT_FOUND"),
    "Mutation.pauseWorkout": ('mutation { pauseWorkout(input: {id: "WORKOUT"}) { workout { id } } }', "NOT_FOUND"),
    "Mutation.resumeWorkout": ('mutation { resumeWorkout(input: {id: "WORKOUT"}) { workout { id } } }', "NOT_FOUND"),
    "Mutation.reorderExercises": (
        'mutation { reorderExercises(input: {workoutId: "WORKOUT", order: []}) { workout { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.swapExercise": (
        (
            'mutation { swapExercise(input: {workoutId: "WORKOUT", workoutExerciseId: "x", exerciseId: "bench"})'
            " { workout { id } } }"
        ),
        "NOT_FOUND",
    ),
    "Mutation.startRest": (
        'mutation { startRest(input: {workoutId: "WORKOUT", seconds: 60}) { workout { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.extendRest": (
        'mutation { extendRest(input: {workoutId: "WORKOUT", seconds: 60}) { workout { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.skipRest": ('mutation { skipRest(input: {workoutId: "WORKOUT"}) { workout { id } } }', "NOT_FOUND"),
    "Mutation.setDefaultRest": ("mutation { setDefaultRest(input: {seconds: 60}) { user { id } } }", "own"),
    "Mutation.updateExercise": (
        'mutation { updateExercise(input: {id: "OWN_EXERCISE", name: "mine"}) { exercise { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.createGear": ('mutation { createGear(input: {name: "x", kind: SHOES}) { gear { id } } }', "own"),
    "Mutation.updateGear": ('mutation { updateGear(input: {id: "GEAR", name: "mine"}) { gear { id } } }', "NOT_FOUND"),
    "Mutation.deleteGear": ('mutation { deleteGear(input: {id: "GEAR"}) { deletedId } }', "NOT_FOUND"),
    "User.gear": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { gear { nodes { id } } } } }',
        "FORBIDDEN",
    ),
    "Mutation.setPlateInventory": ("mutation { setPlateInventory(input: {inventory: null}) { user { id } } }", "own"),
    "User.plateInventory": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { plateInventory { bar } } } }',
        "FORBIDDEN",
    ),
    "User.plateLoading": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { plateLoading(weight: 60) { isExact } } } }',
        "FORBIDDEN",
    ),
    "User.defaultRestSeconds": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { defaultRestSeconds } } }',
        "FORBIDDEN",
    ),
    "Mutation.planWorkout": (
        'mutation { planWorkout(input: {date: "TODAY", name: "x"}) { plannedWorkout { id } } }',
        "own",
    ),
    "Mutation.updatePlannedWorkout": (
        'mutation { updatePlannedWorkout(input: {id: "PLANNED", name: "x"}) { plannedWorkout { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.skipPlannedWorkout": (
        'mutation { skipPlannedWorkout(input: {id: "PLANNED"}) { plannedWorkout { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.cancelPlannedWorkout": (
        'mutation { cancelPlannedWorkout(input: {id: "PLANNED"}) { deletedId } }',
        "NOT_FOUND",
    ),
    "Mutation.clearPlannedWorkouts": (
        'mutation { clearPlannedWorkouts(input: {from: "2026-03-01", to: "2026-03-31"}) { cleared } }',
        "own",
    ),
    "Mutation.startPlannedWorkout": (
        'mutation { startPlannedWorkout(input: {id: "PLANNED"}) { workout { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.pairPlannedWorkout": (
        'mutation { pairPlannedWorkout(input: {id: "PLANNED", workoutId: "WORKOUT"}) { userErrors { code } } }',
        "NOT_FOUND",
    ),
    "Mutation.createRoutine": (
        'mutation { createRoutine(input: {name: "x", schedule: CYCLE, days: [{name: "x"}]}) { routine { id } } }',
        "own",
    ),
    "Mutation.updateRoutine": (
        'mutation { updateRoutine(input: {id: "ROUTINE", name: "x"}) { routine { id } } }',
        "NOT_FOUND",
    ),
    "Mutation.deleteRoutine": ('mutation { deleteRoutine(input: {id: "ROUTINE"}) { deletedId } }', "NOT_FOUND"),
    "Mutation.scheduleRoutine": (
        'mutation { scheduleRoutine(input: {id: "ROUTINE", from: "TODAY", weeks: 1}) { added } }',
        "NOT_FOUND",
    ),
    "User.trainingCalendar": (
        (
            '{ _entities(representations: [{__typename: "User", id: "owner"}])'
            ' { ...on User { trainingCalendar(from: "2026-03-01", to: "2026-03-31") { date } } } }'
        ),
        "FORBIDDEN",
    ),
    "User.plannedWorkouts": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { plannedWorkouts { nodes { id } } } } }',
        "FORBIDDEN",
    ),
    "User.routines": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { routines { nodes { id } } } } }',
        "FORBIDDEN",
    ),
    "Exercise": ('{ _entities(representations: [{__typename: "Exercise", id: "OWN_EXERCISE"}]) { __typename } }', None),
    "Workout": ('{ _entities(representations: [{__typename: "Workout", id: "WORKOUT"}]) { __typename } }', None),
    "WorkoutSet": ('{ _entities(representations: [{__typename: "WorkoutSet", id: "SET"}]) { __typename } }', None),
    "User.workouts": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { workouts { edges { cursor } } } } }',
        "FORBIDDEN",
    ),
    "User.activeWorkout": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { activeWorkout { id } } } }',
        "FORBIDDEN",
    ),
    "User.personalRecords": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { personalRecords { nodes { maxReps } } } } }',
        "FORBIDDEN",
    ),
    "User.heartRateOfWorkout": (
        (
            'query { _entities(representations: [{__typename: "User", id: "OWNER", physiology: {ageYears: 30}}])'
            ' { ...on User { heartRateOfWorkout(workoutId: "WORKOUT") { secondsBelow } } } }'
        ),
        "FORBIDDEN",
    ),
    "User.paceRecords": (
        (
            '{ _entities(representations: [{__typename: "User", id: "owner"}])'
            ' { ...on User { paceRecords(exerciseId: "run") { seconds } } } }'
        ),
        "FORBIDDEN",
    ),
    "User.trainingReads": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { trainingReads { what } } } }',
        "FORBIDDEN",
    ),
    "User.trainingWrites": (
        '{ _entities(representations: [{__typename: "User", id: "owner"}]) { ...on User { trainingWrites { what } } } }',
        "FORBIDDEN",
    ),
    "User.trainingWeeks": (
        (
            '{ _entities(representations: [{__typename: "User", id: "owner"}])'
            ' { ...on User { trainingWeeks(from: "2026-03-01", to: "2026-03-31") { first } } } }'
        ),
        "FORBIDDEN",
    ),
    "User.trainingLoad": (
        (
            '{ _entities(representations: [{__typename: "User", id: "owner"}])'
            ' { ...on User { trainingLoad(from: "2026-03-01", to: "2026-03-31") { load } } } }'
        ),
        "FORBIDDEN",
    ),
    "User.heartRateZones": (
        (
            '{ _entities(representations: [{__typename: "User", id: "owner"}])'
            " { ...on User { heartRateZones(maxHeartRate: 180) { number } } } }"
        ),
        "FORBIDDEN",
    ),
    "User.heartRateEffort": (
        (
            '{ _entities(representations: [{__typename: "User", id: "owner"}])'
            " { ...on User { heartRateEffort(effort: {heartRate: 150, minutes: 30, restingHeartRate: 60, maxHeartRate: 190}) { banisterLoad } } } }"
        ),
        "FORBIDDEN",
    ),
    "User.caloriesFor": (
        (
            '{ _entities(representations: [{__typename: "User", id: "owner", physiology: {weightKg: 70}}])'
            ' { ...on User { caloriesFor(exerciseId: "bench", minutes: 5) { kcal } } } }'
        ),
        "FORBIDDEN",
    ),
}


@pytest.fixture(scope="module")
async def workouts(postgres: Postgres) -> AsyncIterator[SubgraphUnderTest]:
    url = postgres.create_database("workouts_access")
    async with subgraph_under_test("workouts", url, schema, WorkoutsLoaders) as subgraph:
        bench = {
            "id": "bench",
            "name": "Bench press",
            "category": "STRENGTH",
            "level": "BEGINNER",
            "tracking": "WEIGHT_REPS",
            "met": 3.5,
        }
        async with subgraph.database.transaction() as connection:
            await load_exercises(connection, [bench], utc_now())
            plan = {"exercise": "Bench press", "sets": "3"}
            shown = {"id": "open", "name": "Open", "kind": "STRENGTH", "level": "BEGINNER", "exercises": [plan]}
            await load_public_templates(connection, [shown], utc_now())
        yield subgraph


@pytest.fixture(scope="module")
async def owned(workouts: SubgraphUnderTest) -> dict[str, str]:
    """What the owner has, by the name that stands for it in the operations."""
    create = 'mutation { createExercise(input: {name: "Secret", category: CORE}) { exercise { id } } }'
    start = 'mutation { startWorkout(input: {name: "Mine"}) { workout { id } } }'
    exercise = (await workouts.data(create, "owner"))["createExercise"]["exercise"]["id"]
    workout = (await workouts.data(start, "owner"))["startWorkout"]["workout"]["id"]
    log_set = f'mutation {{ logSet(input: {{workoutId: "{workout}", exerciseId: "bench", {SET}}}) {{ workout {{ sets {{ id }} }} }} }}'
    one_set = (await workouts.data(log_set, "owner"))["logSet"]["workout"]["sets"][0]["id"]
    keep = 'mutation { createTemplate(input: {name: "x", exercises: [{exerciseId: "bench", sets: 3}]}) { template { id } } }'
    template = (await workouts.data(keep, "owner"))["createTemplate"]["template"]["id"]
    today = utc_now().date().isoformat()
    plan = f'mutation {{ planWorkout(input: {{date: "{today}", name: "Mine"}}) {{ plannedWorkout {{ id }} }} }}'
    planned = (await workouts.data(plan, "owner"))["planWorkout"]["plannedWorkout"]["id"]
    keep = 'mutation { createRoutine(input: {name: "x", schedule: CYCLE, days: [{name: "x"}]}) { routine { id } } }'
    routine = (await workouts.data(keep, "owner"))["createRoutine"]["routine"]["id"]
    keep = 'mutation { createGear(input: {name: "x", kind: SHOES}) { gear { id } } }'
    gear = (await workouts.data(keep, "owner"))["createGear"]["gear"]["id"]
    return {
        "GEAR": gear,
        "OWN_EXERCISE": exercise,
        "WORKOUT": workout,
        "SET": one_set,
        "TEMPLATE": template,
        "PLANNED": planned,
        "ROUTINE": routine,
        "TODAY": today,
    }


def filled(operation: str, owned: dict[str, str]) -> str:
    for name, owned_id in owned.items():
        operation = operation.replace(f'"{name}"', f'"{owned_id}"')
    return operation


def test_the_table_names_every_operation_and_every_entity() -> None:
    sdl = build_schema(schema.as_str(), assume_valid=True)
    roots = [sdl.query_type, sdl.mutation_type]
    named = {f"{root.name}.{field}" for root in roots if root for field in root.fields if not field.startswith("_")}
    person = sdl.type_map["User"]
    assert isinstance(person, GraphQLObjectType)
    named |= {f"User.{field}" for field in person.fields if field not in ("id", "displayName", "physiology")}
    assert set(OPERATIONS) == named | {"Exercise", "Workout", "WorkoutSet"}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_caller_without_a_token_is_refused(
    workouts: SubgraphUnderTest, owned: dict[str, str], name: str
) -> None:
    operation, _ = OPERATIONS[name]
    assert await workouts.codes(filled(operation, owned), None) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("name", [name for name, (_, outcome) in OPERATIONS.items() if outcome != "own"])
async def test_a_stranger_gets_nothing(workouts: SubgraphUnderTest, owned: dict[str, str], name: str) -> None:
    operation, outcome = OPERATIONS[name]
    result = await workouts.run(filled(operation, owned), "stranger")
    codes = [(error.extensions or {})["code"] for error in result.errors or []]
    assert codes == ([] if outcome is None else [outcome])
    if outcome is None:
        assert list((result.data or {}).values()) in ([None], [[None]])


async def test_a_search_shows_nobody_the_exercises_of_others(
    workouts: SubgraphUnderTest, owned: dict[str, str]
) -> None:
    query = '{ exercises(search: "Secret") { edges { node { id } } } }'
    assert (await workouts.data(query, "stranger"))["exercises"]["edges"] == []
    mine = (await workouts.data(query, "owner"))["exercises"]["edges"]
    assert [edge["node"]["id"] for edge in mine] == [owned["OWN_EXERCISE"]]


async def test_nothing_of_the_owners_changed(workouts: SubgraphUnderTest, owned: dict[str, str]) -> None:
    query = f'{{ workout(id: "{owned["WORKOUT"]}") {{ name status version sets {{ id }} }} }}'
    assert (await workouts.data(query, "owner"))["workout"] == {
        "name": "Mine",
        "status": "IN_PROGRESS",
        "version": 2,
        "sets": [{"id": owned["SET"]}],
    }


async def test_an_admin_may_read_and_not_write(workouts: SubgraphUnderTest, owned: dict[str, str]) -> None:
    query = f'{{ workout(id: "{owned["WORKOUT"]}") {{ name }} }}'
    assert (await workouts.data(query, "boss", roles=("ADMIN",)))["workout"] == {"name": "Mine"}
    delete = f'mutation {{ deleteWorkout(input: {{id: "{owned["WORKOUT"]}"}}) {{ deletedId }} }}'
    result = await workouts.run(delete, "boss", roles=("ADMIN",))
    assert [(error.extensions or {})["code"] for error in result.errors or []] == ["NOT_FOUND"]
